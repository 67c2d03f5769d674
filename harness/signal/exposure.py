"""Views by grade and position, and the propensities they give; with and without a group of queries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from harness.errors import BadInput
from harness.nouns.base import Reason
from harness.scorecards.signal import Propensity
from harness.signal.cells import WIDTH
from harness.signal.counted import Counted
from harness.signal.graded import GradedPairs
from harness.stats.agreement import Floats, Integers
from harness.stats.grouped_jackknife import jackknifed
from harness.stats.position_bias import propensities
from harness.storage.plural import plural

LEAST_VIEWS, LEAST_EVENTS = 1_000, 50
"""How many views of graded pairs are needed in all."""
LEAST_AT = 10
"""How many events a position needs for a propensity."""
NO_OVERLAP = Reason("undefined", "no grade has views both here and at the first position")
FEW_HERE = Reason("undefined", f"fewer than {LEAST_AT} events here")
NOT_GIVEN = Reason("undefined", "the file of propensities has none")


@dataclass(frozen=True)
class Exposure:
    """Counts by group of queries, grade and position (G x q x K), with the propensities of the positions.

    `positions`: which they are, lowest first. `given`: propensities from a file.
    """

    graded: GradedPairs
    counted: Counted
    scale: tuple[int, ...]
    events: str
    given: Mapping[int, float] | None = None

    @cached_property
    def positions(self) -> Integers:
        """The positions with views."""
        return np.flatnonzero(self._cubes["views"].sum(axis=(0, 1)) > 0)

    @cached_property
    def grades(self) -> Integers:
        """Each pair's grade as a position on the scale."""
        return np.searchsorted(np.array(self.scale), self.graded.grade).astype(np.int16)

    @cached_property
    def _cubes(self) -> dict[str, Floats]:
        """Every count by group, grade and position, from 0 to the farthest."""
        shape = int(self.graded.group.max()) + 1, len(self.scale), WIDTH
        found = {name: np.zeros(shape) for name in self.counted.names}
        for pair, position, sums in self.counted.blocks():
            stratum = self.graded.group[pair] * np.int64(len(self.scale)) + self.grades[pair]
            at, seen = stratum * WIDTH + position, np.prod(shape)
            for name, cube in found.items():
                cube += np.bincount(at, weights=sums[name], minlength=seen).reshape(shape)
        return found

    def cube(self, name: str) -> Floats:
        """One count by group, grade and position."""
        return self._cubes[name][..., self.positions]

    def total(self, name: str) -> float:
        """One count of all graded pairs."""
        return float(self._cubes[name].sum())

    @cached_property
    def views(self) -> Floats:
        """Views by group, grade and position."""
        return self.cube("views")

    @cached_property
    def happened(self) -> Floats:
        """Events by group, grade and position."""
        return self.cube(self.events)

    @cached_property
    def looks(self) -> Floats:
        """The propensity of each position; NaN where there is none."""
        if self.given is not None:
            return np.array([self.given.get(int(place), np.nan) for place in self.positions])
        found = propensities(self.views.sum(axis=0), self.happened.sum(axis=0))
        few = self.happened.sum(axis=(0, 1)) < LEAST_AT
        return np.where(few | ~(found > 0), np.nan, found)

    @cached_property
    def looks_without(self) -> Floats:
        """The propensities without each group of queries (G x K); those of a file stay as they are."""
        if self.given is not None:
            return np.tile(self.looks, (len(self.views), 1))
        found = propensities(self.views.sum(axis=0) - self.views, self.happened.sum(axis=0) - self.happened)
        return np.where(np.isnan(self.looks) | ~(found > 0), np.nan, found)

    @cached_property
    def look_at(self) -> Floats:
        """The propensity of each position from 0 to the farthest; 0 where there is none."""
        found = np.zeros(WIDTH)
        found[self.positions] = np.nan_to_num(self.looks)
        return found

    @property
    def left_out_views(self) -> int:
        """Views at positions without a propensity."""
        return int(self.views.sum(axis=(0, 1))[np.isnan(self.looks)].sum()) + self.counted.far_views

    @cached_property
    def of_pairs(self) -> "OfPairs":
        """What each graded pair has at positions with a propensity."""
        views, events, exposure = (np.zeros(len(self.graded)) for _ in range(3))
        for cells in self.counted.blocks():
            low = int(cells.pair.min())
            at, look = cells.pair - low, self.look_at[cells.position]
            for into, weights in (
                (views, cells.sums["views"] * (look > 0)),
                (events, cells.sums[self.events] * (look > 0)),
                (exposure, look * cells.sums["views"]),
            ):
                found = np.bincount(at, weights=weights)
                into[low : low + len(found)] = found
        return OfPairs(views, events, exposure)

    @cached_property
    def same_pair(self) -> Floats:
        """The propensities over strata of one pair each."""
        above, below = np.zeros(WIDTH), np.zeros(WIDTH)
        first = self.positions[0]
        for pair, position, sums in self.counted.blocks():
            at, views, events = pair - pair.min(), sums["views"], sums[self.events]
            at_first = np.zeros((2, int(at.max()) + 1))
            here = position == first
            at_first[0, at[here]], at_first[1, at[here]] = views[here], events[here]
            mine = (views > 0) & (at_first[0, at] > 0)
            views_first, events_first = at_first[:, at[mine]]
            both, place = views[mine] + views_first, position[mine]
            above += np.bincount(place, weights=events[mine] * views_first / both, minlength=WIDTH)
            below += np.bincount(place, weights=events_first * views[mine] / both, minlength=WIDTH)
        above, below = above[self.positions], below[self.positions]
        enough = (above >= LEAST_AT / 2) & (below >= LEAST_AT / 2)
        found = np.divide(above, below, out=np.full(len(above), np.nan), where=enough)
        return np.asarray(found, dtype=np.float64)


class OfPairs(NamedTuple):
    """Of each pair: its views, its events, and `exposure`, its views by the propensity of their positions."""

    views: Floats
    events: Floats
    exposure: Floats


def refuse_unfit(found: Exposure) -> None:
    """BadInput, with the numbers, for a log that is not enough for an estimate."""
    views, events = found.total("views"), found.total(found.events)
    if not views:
        raise BadInput(
            f"none of the {plural(len(found.graded), 'graded pair')} has a view in the log "
            f"({plural(found.counted.ungraded_views, 'view')} of others): are queries and items named alike? "
            "--columns and --labels-columns map them"
        )
    if views < LEAST_VIEWS or events < LEAST_EVENTS:
        raise BadInput(
            f"too few views: {plural(int(views), 'view')} of graded pairs and {int(events):,} {found.events}"
            f"; at least {LEAST_VIEWS:,} and {LEAST_EVENTS} are needed"
        )
    if found.given is None and len(found.positions) == 1:
        raise BadInput(
            f"one position only: all {plural(int(views), 'view')} are at position {found.positions[0]}, and "
            "what is due to the position cannot be told from what is due to the result; give --propensities "
            "FILE if it is known"
        )
    usable = ~np.isnan(found.looks)
    if not usable.any() or 2 * found.left_out_views > views:
        what = "in the file of propensities" if found.given is not None else "by this log"
        places = ", ".join(map(str, found.positions[~usable][:10].tolist()))
        raise BadInput(
            f"no overlap between grades: {found.left_out_views:,} of {plural(int(views), 'view')} are at "
            f"positions without a propensity {what} ({places}): {_overlap(found)}"
        )


def _overlap(found: Exposure) -> str:
    """How many grades are seen at the first position, and at the others without a propensity."""
    seen = found.views.sum(axis=0) > 0
    at_first = [found.scale[at] for at in np.flatnonzero(seen[:, 0])]
    others = seen[:, np.isnan(found.looks)].any(axis=1)
    there = [found.scale[at] for at in np.flatnonzero(others)]
    return (
        f"grades {_listed(at_first)} were seen at position {found.positions[0]}, grades {_listed(there)} at "
        "these; show some results at other positions, or give --propensities FILE"
    )


def _listed(grades: Sequence[int]) -> str:
    return ", ".join(map(str, grades)) or "none"


def propensity_rows(found: Exposure) -> list[Propensity]:
    """The propensities with their intervals."""
    views, events = found.views.sum(axis=(0, 1)), found.happened.sum(axis=(0, 1))
    rows = []
    for at, position in enumerate(found.positions.tolist()):
        value, same = float(found.looks[at]), float(found.same_pair[at])
        known = bool(np.isfinite(value))
        plain = at == 0 or found.given is not None
        tested = jackknifed(value, found.looks_without[:, at]) if known and not plain else None
        rows.append(
            Propensity(
                position=position,
                value=value if known else None,
                ci=tested.ci if tested else None,
                same_pair=same if np.isfinite(same) else None,
                views=int(views[at]),
                clicks=int(events[at]),
                reason=_reason(found, at, known=known) or (tested.reason if tested else None),
            )
        )
    return rows


def _reason(found: Exposure, at: int, *, known: bool) -> Reason | None:
    if known:
        return None
    if found.given is not None:
        return NOT_GIVEN
    return FEW_HERE if found.happened.sum(axis=(0, 1))[at] < LEAST_AT else NO_OVERLAP
