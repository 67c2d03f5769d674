"""What the answers of a baseline say of its true mean: evidence for every mean that it may have had.

A baseline is an estimate. Held for exact, its own error is found as a drift, sooner or later: a watch has no
end. So each mean mu that the baseline may have had is tested twice: by the baseline, and by the days. The
product of both has a mean of at most 1 where mu is the true one, whichever that is, and so has the smallest
product over all mu.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from harness.nouns.base import Interval
from harness.stats.agreement import Floats
from harness.stats.e_process import Drift, drift_process

BETS = (6.0, 16.0)
"""Bets on an answer, times the root of the number of answers: two standard errors of a teacher that errs
anywhere (their variance is .1), or on the same pairs (.015)."""
LARGEST_BET = 0.7
"""Of few answers; psi has no value at 1."""
MEANS = 401
"""The means that are tried, closest where the baseline is; their logarithms differ by little in between."""
LARGEST_POWER = 600.0
"""exp of more overflows in a product, and decides nothing more."""


@dataclass(frozen=True, slots=True)
class BaselineEvidence:
    """The answers of a baseline that are held against an earlier one of the same pair.

    `n`: how many; `total`: their loss; `surprise`: the sum of squared differences of each to the mean of the
    earlier ones of its pair, which is small where a teacher errs on the same pairs each time.
    """

    n: int
    total: float
    surprise: float

    def below(self, means: Floats) -> Floats:
        """The evidence that the baseline was below its true mean, for each true mean.

        The average over the bets l of exp(l (n mu - total) - psi(l) surprise), psi(l) = -ln(1 - l) - l: an
        e-value for independent answers in [0, 1], whatever the chance of each pair (empirical Bernstein:
        Howard, Ramdas, McAuliffe & Sekhon 2021, Annals of Statistics 49, 1055; Waudby-Smith & Ramdas 2024).
        """
        return self._bets(self.n * means - self.total)

    def above(self, means: Floats) -> Floats:
        """The evidence that it was above its true mean."""
        return self._bets(self.total - self.n * means)

    def _bets(self, apart: Floats) -> Floats:
        bets = [min(LARGEST_BET, one / np.sqrt(max(self.n, 1))) for one in BETS]
        powers = [one * apart + (np.log1p(-one) + one) * self.surprise for one in bets]
        return np.asarray(np.exp(np.minimum(powers, LARGEST_POWER)).mean(axis=0), dtype=np.float64)

    def interval(self, center: float, alpha: float = 0.05) -> Interval:
        """The means that the baseline does not refute, at `alpha` / 2 on each side: never of length 0."""
        means = means_around(center)
        left = means[(self.below(means) < 2 / alpha) & (self.above(means) < 2 / alpha)]
        return Interval(float(left.min(initial=center)), float(left.max(initial=center)))


def evidence_of(answers: Iterable[Sequence[float]]) -> BaselineEvidence:
    """From the losses of each pair, in the order of asking. The first one only predicts the others."""
    n, total, surprise = 0, 0.0, 0.0
    for losses in answers:
        each = np.asarray(losses, dtype=np.float64)
        later = each[1:]
        before = np.cumsum(each)[:-1] / np.arange(1, len(each))
        n, total, surprise = n + len(later), total + later.sum(), surprise + ((later - before) ** 2).sum()
    return BaselineEvidence(n, float(total), float(surprise))


def means_around(center: float) -> Floats:
    """Means from 0 to 1, `center` among them and close around it."""
    steps = np.linspace(-1, 1, MEANS) ** 3
    return np.asarray(center + np.where(steps < 0, steps * center, steps * (1 - center)), dtype=np.float64)


def drift_beside(
    low: Floats, high: Floats, known: BaselineEvidence, center: float, delta: float, least: float
) -> Drift:
    """The e-process against "each day's mean is within `delta` of the true mean of the baseline".

    `low`, `high`: what a day's figure over all pairs of the baseline is at least and at most, the same where
    it has all of them; `center`: the baseline's own mean. After each day the smallest (below(mu) higher(mu) +
    above(mu) lower(mu)) / 2 over the means mu, with the sides of `drift_process` held against mu, `higher` of
    `low` and `lower` of `high`: a figure that is missing is never evidence. Both parts are those at that mu.
    """
    means = means_around(center)
    days = np.broadcast_to(means, (len(low), len(means)))
    more, less = (drift_process(one[:, None], days, delta, least) for one in (low, high))
    higher, lower = known.below(means) * more.higher, known.above(means) * less.lower
    at = np.argmin(higher + lower, axis=1)[:, None]
    return Drift(*(np.take_along_axis(side, at, axis=1)[:, 0] for side in (higher, lower)))
