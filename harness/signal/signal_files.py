"""Where behaviour contradicts the policy, from files: a log, graded pairs, and what else is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from harness.errors import BadInput, Fault
from harness.golden.graded_files import Levels
from harness.production.pairs import files_of
from harness.runs.labels import is_label_set, load_labels
from harness.scorecards.signal import LogCounts, Measure, SameSide, Signal
from harness.signal.batches import refuse_missing
from harness.signal.cautions import bias_warnings, moved_medians, unfelt_line, unfelt_steps
from harness.signal.contradictions import (
    LEVEL,
    PairTests,
    Sides,
    contradictions,
    judge_pairs,
    judge_same_side,
)
from harness.signal.counted import Counted, count_log
from harness.signal.evidence import Evidence
from harness.signal.exposure import Exposure, propensity_rows, refuse_unfit
from harness.signal.given_looks import read_propensities
from harness.signal.graded import GradedPairs, read_graded
from harness.signal.grouping import by_clause, by_group
from harness.signal.ladder import PER, Ladder, other_ladders
from harness.signal.log_table import open_log
from harness.signal.north_star import NO_ACTION, NO_OUTCOME, north_star
from harness.signal.ubi import ACTIONS, Ubi, count_ubi
from harness.signal.ubi_tables import is_ubi
from harness.storage.plural import plural
from harness.storage.tables import Layout

NO_QUERIES = "UBI events alone do not say what was shown: name the queries beside them with --queries FILE"
LINE = "--at-least K, the lowest grade that is shown"
NO_POLICY = f"which grades are hidden? Give {LINE}, or --policy: its actions say it"
NO_LINE = f"which grades are hidden? {{policy}} does not say what its actions show: give {LINE}"
ONE_ACTION = f"{{policy}} does the same with every grade: give {LINE}"


@dataclass(frozen=True, slots=True)
class LogFile:
    """The log and how it is read: a file, the tables of a folder, or a pattern.

    Of UBI: the queries, what actions count as, which one is an outcome.
    """

    path: Path
    layout: Layout = field(default_factory=Layout)
    queries: Path | None = None
    actions: Mapping[str, str] = field(default_factory=lambda: ACTIONS)
    outcome: str | None = None


@dataclass(frozen=True, slots=True)
class LabelFile:
    """The graded pairs: a label set's folder, or a table with its layout; and the grades that there are."""

    path: Path
    levels: Levels
    layout: Layout = field(default_factory=Layout)


@dataclass(frozen=True, slots=True)
class SignalWanted:
    """The request: the measure, the lowest grade that is shown, and known propensities."""

    measure: Measure = "clicks"
    at_least: int | None = None
    propensities: Path | None = None


def sides_of(levels: Levels, at_least: int | None) -> Sides:
    """The grades that are hidden, by the action of the lowest grade, and those that are shown."""
    scale, policy, _ = levels
    if at_least is not None:
        if at_least not in scale[1:]:
            grades = ", ".join(map(str, scale[1:]))
            raise BadInput(f"--at-least {at_least}: the scale has {grades} above its lowest grade")
        return Sides(
            tuple(grade for grade in scale if grade < at_least),
            tuple(grade for grade in scale if grade >= at_least),
        )
    actions = policy.decided_actions if policy else None
    if policy is None:
        raise BadInput(NO_POLICY)
    if not actions:
        raise BadInput(NO_LINE.format(policy=policy.label))
    if len(set(actions.values())) == 1:
        raise BadInput(ONE_ACTION.format(policy=policy.label))
    worst = actions[scale[0]]
    hidden = tuple(grade for grade in scale if actions[grade] == worst)
    return Sides(hidden, tuple(grade for grade in scale if grade not in hidden))


def edges_of(levels: Levels, at_least: int | None) -> tuple[int, ...]:
    """The grades at which another action begins; with `at_least` that grade alone."""
    scale, policy, _ = levels
    actions = policy.decided_actions if policy else None
    if at_least is not None or not actions:
        return () if at_least is None else (at_least,)
    return tuple(grade for before, grade in pairwise(scale) if actions[grade] != actions[before])


def signal_files(log: LogFile, labels: LabelFile, wanted: SignalWanted) -> Signal:
    """What users do, compared with the policy. BadInput, with the numbers, if the log is not enough."""
    sides = sides_of(labels.levels, wanted.at_least)
    files = files_of(str(log.path))
    refuse_missing(files)
    graded = read_graded(labels.path, labels.layout, labels.levels)
    if not len(graded):
        raise BadInput([Fault(str(labels.path), "no pair has a grade")])
    _give_back()
    counted = _counted(log, files, graded, labels.levels, edges_of(labels.levels, wanted.at_least))
    _give_back()
    if not counted.rows:
        raise BadInput([Fault(str(log.path), "holds no rows")])
    _refuse_unmeasured(log, counted, wanted.measure)
    given = None if wanted.propensities is None else read_propensities(wanted.propensities)
    found = Exposure(graded, counted, labels.levels.scale, wanted.measure, given)
    refuse_unfit(found)
    return _signal(log, labels, wanted, found, sides)


def _counted(
    log: LogFile, files: Sequence[Path], graded: GradedPairs, levels: Levels, edges: Sequence[int]
) -> Counted:
    if is_ubi(files[0], log.layout):
        if log.queries is None:
            raise BadInput([Fault(str(log.path), NO_QUERIES)])
        queries = files_of(str(log.queries))
        refuse_missing(queries)
        ubi = Ubi(tuple(files), tuple(queries), log.actions, log.outcome, log.layout)
        return count_ubi(ubi, graded, levels.scale, edges)
    if log.queries is not None:
        raise BadInput([Fault(str(log.path), "holds no UBI events, so that --queries has no use")])
    return count_log([open_log(path, log.layout) for path in files], graded, levels.scale, edges)


def _refuse_unmeasured(log: LogFile, counted: Counted, measure: Measure) -> None:
    if PER[measure] != "look":
        raise BadInput(
            f"--measure {measure}: it is counted against each {PER[measure]}; take clicks, carts or purchases"
        )
    if measure not in counted.names:
        there = ", ".join(name for name in counted.names if name != "views") or "nothing of graded pairs"
        raise BadInput([Fault(str(log.path), f"counts no {measure} (it counts {there})")])


def _signal(log: LogFile, labels: LabelFile, wanted: SignalWanted, found: Exposure, sides: Sides) -> Signal:
    ladder = Ladder(found, wanted.measure)
    steps = tuple(ladder.steps())
    rungs, others = tuple(ladder.rungs()), tuple(other_ladders(found, wanted.measure))
    rows = propensity_rows(found)
    known = Evidence(found)
    across, by_line = _family(known, judge_pairs(known, sides))
    beside, by_side = _family(known, judge_same_side(known, sides, across))
    bias = bias_warnings(rows) if found.given is None else []
    unfelt = [*unfelt_line(steps, sides), *unfelt_steps(steps, beside)]
    cautions = [*bias, *unfelt, *moved_medians(known, (across, beside))]
    return Signal(
        log=str(log.path),
        labels=str(labels.path),
        policy=labels.levels.policy.label if labels.levels.policy else None,
        measure=wanted.measure,
        hidden=sides.hidden,
        shown=sides.shown,
        counts=_counts(found, known),
        propensities=tuple(rows),
        propensities_given=found.given is not None,
        ladder=rungs,
        boundaries=steps,
        others=others,
        level=LEVEL,
        **by_line,
        same_side=SameSide(**by_side),
        north_star=north_star(found.counted.searches, NO_ACTION if log.queries else NO_OUTCOME),
        warnings=tuple(_warnings(labels, found, cautions)),
    )


def _give_back() -> None:
    """Give back what is free between what is held: both allocators keep it after large arrays have gone."""
    import pyarrow as pa

    pa.default_memory_pool().release_unused()
    pa.system_memory_pool().release_unused()


def _family(known: Evidence, tests: PairTests) -> tuple[PairTests, dict[str, Any]]:
    """The tests of a family that found something (there are as many tests as pairs), and its summary."""
    _give_back()
    return tests.found_only(), {
        "tested": tests.tested,
        "contradictions": tuple(contradictions(known, tests)),
        "clauses": tuple(by_clause(known, tests)),
        "groups": tuple(by_group(known, tests)),
    }


def _counts(found: Exposure, known: Evidence) -> LogCounts:
    return LogCounts(
        rows=found.counted.rows,
        views=int(found.total("views")),
        events=found.total(found.events),
        ungraded_views=found.counted.ungraded_views,
        left_out_views=found.left_out_views,
        pairs=len(found.graded),
        unseen=int((~known.seen).sum()),
        queries=len(np.unique(found.graded.query[known.seen])),
    )


def _warnings(labels: LabelFile, found: Exposure, more: Sequence[str]) -> list[str]:
    said = [*found.counted.warnings, *more]
    if found.graded.ungraded:
        said.append(f"{plural(found.graded.ungraded, 'pair')} of the labels without a grade: left out")
    if is_label_set(labels.path) and load_labels(labels.path).manifest.proven is None:
        said.append("the labels are of a teacher that no gate has passed: a contradiction may be its mistake")
    return said
