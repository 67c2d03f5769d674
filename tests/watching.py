"""Histories of a watch, made up: what is planted in them is known."""

import csv
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.score.watch import Settings, WatchHead, watched
from harness.score.watched import BaselineLooks, SentinelDay, TrafficDay
from harness.stats.baseline_evidence import evidence_of

LOSSES = (*[0.97] * 7, 0.5, *[0.005] * 42)
"""How likely each of 50 sentinels is misgraded: a teacher is mostly wrong where it was wrong, loss .15."""
MEAN = sum(LOSSES) / len(LOSSES)
MIX = (0.6, 0.3, 0.1)
STRATA = ("head", "torso", "tail")
GRADES = {"head": (1, 1, 1, 3, 6), "torso": (1, 2, 2, 2, 3), "tail": (4, 3, 2, 1, 1)}


@dataclass(frozen=True)
class Planted:
    """What changes, and on which day: the teacher's loss by `shift`, the head's share by `mix`."""

    shift: float = 0.0
    mix: float = 0.0
    at: int = 20
    days: int = 60
    baseline: int = 5
    rows: int = 200
    losses: Sequence[float] = LOSSES

    def loss(self, usual: float, day: int) -> float:
        """How likely a sentinel is misgraded on a day; days of the baseline are before day 1."""
        mean = sum(self.losses) / len(self.losses)
        return usual if day < self.at else usual + (1 - usual) * self.shift / (1 - mean)

    def shares(self, day: int) -> tuple[float, ...]:
        """The shares of the strata on a day."""
        head, torso, tail = MIX
        return MIX if day < self.at else (head - self.mix, torso, tail + self.mix)


HEADERS = ("day", "item", "query", "golden", "teacher", "stratum", "weight")
Row = tuple[object, ...]


def history(seed: int, planted: Planted) -> Iterable[Row]:
    """The rows of a history on the scale 0 to 4: two sentinels to a query, as many production rows a day."""
    draw = random.Random(seed)
    golden = [draw.randrange(5) for _ in planted.losses]
    for number in range(1, planted.baseline + planted.days + 1):
        day = number - planted.baseline
        for at, usual in enumerate(planted.losses):
            wrong = draw.random() < planted.loss(usual, day)
            teacher = golden[at] if not wrong else golden[at] + (1 if golden[at] < 4 else -1)
            yield number, f"g{at}", f"q{at // 2}", golden[at], teacher, "", ""
        for stratum in draw.choices(STRATA, planted.shares(day), k=planted.rows):
            grade = draw.choices(range(5), GRADES[stratum])[0]
            yield number, f"p{number}", f"x{draw.randrange(99)}", "", grade, stratum, 1


def write_history(path: Path, rows: Iterable[Row]) -> Path:
    """A table of history."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(HEADERS)
        writer.writerows(rows)
    return path


def stream(
    draw: np.random.Generator, planted: Planted
) -> tuple[np.ndarray, list[SentinelDay], list[TrafficDay]]:
    """The losses of the baseline (looks x sentinels), then the days."""
    usual = np.array(planted.losses)
    base = (draw.random((planted.baseline, len(usual))) < usual).astype(np.float64)
    days, traffic = [], []
    for day in range(1 - planted.baseline, planted.days + 1):
        likely = np.array([planted.loss(one, day) for one in usual])
        if day > 0:
            loss = float((draw.random(len(usual)) < likely).mean())
            days.append(SentinelDay(str(day), loss, float(base.mean()), len(usual), len(usual)))
        one = TrafficDay(str(day + planted.baseline), planted.rows)
        for name, count in zip(STRATA, draw.multinomial(planted.rows, planted.shares(day)), strict=True):
            one.weights[name] = float(count)
        traffic.append(one)
    return base, days, traffic


def judged(base: np.ndarray, days: list[SentinelDay], traffic: list[TrafficDay], delta: float) -> str | None:
    """The verdict of a watch over them."""
    settings = Settings(delta=delta, baseline=len(base))
    return watched(WatchHead("simulated"), (0, 1), settings, looks_of(base), days, traffic).verdict


def looks_of(base: np.ndarray) -> BaselineLooks:
    """A baseline of losses, looks x sentinels."""
    losses = tuple(map(float, base.mean(axis=1)))
    return BaselineLooks(losses, base.shape[1], base.shape[1], evidence_of(base.T))
