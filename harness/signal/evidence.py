"""The evidence about each graded pair, and about its grade."""

import numpy as np

from harness.nouns.base import Reason
from harness.signal.exposure import Exposure
from harness.stats.gamma_poisson import Prior, moments_prior, posterior_mean

LEAST_PAIRS = 5
"""How many pairs the grade on the other side needs: the median of fewer says nothing."""


class Evidence:
    """What is known of each pair: events, exposure, and its attractiveness drawn towards its grade's."""

    def __init__(self, found: Exposure) -> None:
        self.found = found
        self.views, self.events, self.exposure = found.of_pairs
        self.grade = found.graded.grade
        self.seen = self.exposure > 0
        self.priors: dict[int, Prior] = {}
        for grade in found.scale:
            mine = self.seen & (self.grade == grade)
            if mine.any():
                self.priors[grade] = moments_prior(self.events[mine], self.exposure[mine])

    def median(self, grade: int) -> tuple[float | None, Reason | None]:
        """The median attractiveness of a grade's pairs."""
        mine = self.seen & (self.grade == grade)
        count = int(mine.sum())
        if count < LEAST_PAIRS:
            why = f"{count} of the pairs with grade {grade} have views; at least {LEAST_PAIRS} are needed"
            return None, Reason("undefined", why)
        drawn = posterior_mean(self.priors[grade], self.events[mine], self.exposure[mine])
        return float(np.median(drawn)), None
