"""What a watch finds: quiet and planted streams, beside a rolling z-test. The tables of docs/watch.md.

.venv/bin/python benchmarks/watch.py [--streams 300]

Simulated: 50 sentinels a day and 200 production rows, a baseline of 5 days, 60 days, a change on day 20.
"""

import argparse
import sys
from collections import Counter
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from watching import LOSSES, MIX, Planted, judged, looks_of, stream

from harness.score.watch_power import power_of
from harness.score.watched import SentinelDay
from harness.stats.e_process import drift_process, first_at

EVEN = (0.15,) * 50
Z = 1.96
VERDICTS = ("none", "teacher", "traffic", "both")


def rolling_z(base: np.ndarray, days: list[SentinelDay]) -> bool:
    """What dashboards do: the last five days against the five of the baseline, every day, at 5 %."""
    base, losses = base.mean(axis=1), np.array([one.loss for one in days])
    for at in range(5, len(losses) + 1):
        last = losses[at - 5 : at]
        error = np.sqrt((base.var(ddof=1) + last.var(ddof=1)) / 5) or 1e-9
        if abs(last.mean() - base.mean()) / error > Z:
            return True
    return False


def verdicts(planted: Planted, number: int, delta: float, seed: int) -> tuple[Counter[str], float]:
    """How often each verdict is given, and how often the rolling test alarms."""
    draw = np.random.default_rng(seed)
    found, rolled = Counter[str](), 0
    for _ in range(number):
        base, days, traffic = stream(draw, planted)
        found[judged(base, days, traffic, delta) or "-"] += 1
        rolled += rolling_z(base, days)
    return found, rolled / number


def exact_baseline(base: np.ndarray, days: list[SentinelDay], delta: float) -> bool:
    """Whether the same evidence alarms where the baseline's mean is taken for exact."""
    losses, before = (np.array([getattr(one, name) for one in days]) for name in ("loss", "baseline"))
    return first_at(drift_process(losses, before, delta, 1 / (base.size + 1)).both, 0.025) is not None


def few(number: int) -> None:
    """Quiet streams with few sentinels, and the smallest rise that a watch says it can see."""
    draw = np.random.default_rng(2)
    for sentinels in (2, 5, 20, 50):
        for delta, looks in ((0.02, 5), (0.0, 5), (0.0, 20)):
            alarmed, exact, seen = 0, 0, []
            for _ in range(number):
                planted = Planted(days=365, baseline=looks, losses=(0.15,) * sentinels, rows=1)
                base, days, _ = stream(draw, planted)
                alarmed += judged(base, days, [], delta) == "teacher"
                exact += exact_baseline(base, days, delta)
                seen.append(power_of(looks_of(base), delta, 0.025).shift or 1.0)
            said = f"alarms {alarmed / number:.3f}, exact baseline {exact / number:.3f}"
            print(f"{sentinels} {delta:g} {looks}: {said}; can see {np.median(seen):.2f}", flush=True)  # noqa: T201


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=300)
    number = parser.parse_args().streams
    few(number // 3)
    print(f"sentinels, delta, looks, shift, mix: shares of {number} streams; MIX {MIX}")  # noqa: T201
    for name, losses in (("firm", LOSSES), ("even", EVEN)):
        for delta, looks in ((0.02, 5), (0.0, 5), (0.0, 20)):
            for shift, mix in ((0, 0), (0.05, 0), (0.1, 0), (0, 0.1), (0, 0.2), (0.1, 0.2)):
                planted = Planted(shift=shift, mix=mix, baseline=looks, losses=losses)
                found, rolled = verdicts(planted, number, delta, 1)
                said = ", ".join(f"{key} {found[key] / number:.3f}" for key in VERDICTS)
                print(f"{name} {delta:g} {looks} {shift:g} {mix:g}: {said}; z-test {rolled:.2f}", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
