"""Samples and hunts out of label sets on the disk."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import BadInput
from harness.golden.rating.pair_plan import PlannedPair
from harness.runs.labels import LabelSet, load_labels
from harness.score.estimate_files import GivenRatings
from harness.score.frame import Frame, frame_of, parse_by
from harness.score.human_grades import human_grades
from harness.score.other_grades import other_grades
from harness.score.pilot import spread_of
from harness.score.production_rows import figures_of
from harness.score.sampling import (
    LEAST,
    Drawn,
    ToDraw,
    draw_sample,
    hunt_disagreeing,
    hunt_unsure,
    planned_pairs,
    strata_drawn,
)
from harness.scorecards.sample import Allocation, Hunt, SampleSummary
from harness.storage.plural import plural

MORE = 1.2
"""From this multiple of the requested pairs on, or this part of them, a warning is given."""


@dataclass(frozen=True, slots=True)
class SampleWanted:
    """What to draw from a label set. `hunt`: what to hunt for, instead of a sample.

    `against`: whose grades, a label set's folder or a run of the project at `root`.
    `pilot`: ratings of rows of the labels, for optimal allocation. `seed`: None draws one by chance.
    """

    labels: Path
    pairs: int
    by: str | None = None
    allocation: Allocation = "proportional"
    pilot: GivenRatings | None = None
    at_least: int | None = None
    most: int | None = None
    hunt: Hunt | None = None
    against: str | None = None
    seed: int | None = None
    root: Path | None = None


def draw_from(wanted: SampleWanted) -> tuple[SampleSummary, list[PlannedPair]]:
    """Draw pairs of a label set. BadInput where they cannot be drawn so."""
    _check(wanted)
    labels = load_labels(wanted.labels)
    by = parse_by(wanted.by)
    frame = frame_of(labels, by)
    seed = secrets.randbits(53) if wanted.seed is None else wanted.seed
    drawn = _drawn(wanted, labels, frame, by, seed)
    strata = tuple(strata_drawn(frame, drawn)) if wanted.hunt is None else ()
    summary = SampleSummary(
        labels=str(wanted.labels),
        policy=labels.policy.label,
        seed=seed,
        hunt=wanted.hunt,
        by=wanted.by,
        allocation=wanted.allocation if wanted.hunt is None else None,
        most_per_query=wanted.most,
        asked=wanted.pairs,
        drawn=len(drawn),
        queries=len({int(frame.queries[one.at]) for one in drawn}),
        frame=len(frame),
        frame_queries=len(frame.asked),
        unread=frame.unread,
        shots=frame.shots,
        strata=strata,
        warnings=tuple(_warnings(wanted, drawn, summary_strata=[one.drawn_queries for one in strata])),
    )
    return summary, planned_pairs(labels, frame, drawn)


def _check(wanted: SampleWanted) -> None:
    """BadInput for options that do not go together."""
    if (wanted.hunt == "disagree") is not (wanted.against is not None):
        raise BadInput("--hunt disagree and --against LABELS, or RUN, go together")
    if (wanted.allocation == "optimal") is not (wanted.pilot is not None):
        raise BadInput("--allocation optimal and --pilot RATINGS go together")
    if wanted.allocation == "optimal" and not wanted.by:
        raise BadInput("--allocation optimal needs strata: --by action,stratum")
    if wanted.hunt and (wanted.by or wanted.pilot or wanted.most):
        raise BadInput("--hunt takes what looks wrong, whatever the strata: leave --by and its like out")


def _drawn(wanted: SampleWanted, labels: LabelSet, frame: Frame, by: Sequence[str], seed: int) -> list[Drawn]:
    if wanted.hunt == "low-confidence":
        return hunt_unsure(frame, wanted.pairs)
    if wanted.against is not None:  # and so the hunt is for pairs on which the two disagree
        theirs = other_grades(wanted.against, labels.policy, wanted.root).grades
        return hunt_disagreeing(frame, theirs, wanted.pairs)
    spread = None
    if wanted.pilot is not None:
        pilot = wanted.pilot
        # How its rows were drawn does not matter: only their spread within a stratum is used.
        people = human_grades(
            pilot.path, pilot.layout, labels.policy.scale, labels.policy, pilot.decided, uniform=True
        )
        figure = figures_of(labels.policy.scale, labels.policy, wanted.at_least)[0]
        spread = spread_of(labels, people, by, figure, frame.names)
    return draw_sample(frame, ToDraw(wanted.pairs, seed, spread, wanted.most))


def _warnings(wanted: SampleWanted, drawn: Sequence[Drawn], summary_strata: Sequence[int]) -> list[str]:
    found = []
    if wanted.hunt:
        found.append("hunted pairs find errors, and estimate nothing: `harness estimate` leaves them out")
        if len(drawn) < wanted.pairs:
            found.append(
                f"nothing more to hunt: {plural(wanted.pairs - len(drawn), 'pair')} fewer than asked for"
            )
    elif len(drawn) > MORE * wanted.pairs:
        found.append(
            f"{plural(len(drawn), 'pair')} instead of {wanted.pairs:,}, since whole queries are drawn, and "
            f"at least {LEAST} of each stratum: --most-per-query takes a part of large ones"
        )
    elif wanted.most and MORE * len(drawn) < wanted.pairs:
        most = f"at most {wanted.most} of each query are drawn"
        found.append(f"{plural(len(drawn), 'pair')} instead of {wanted.pairs:,}: {most}")
    thin = sum(count < LEAST for count in summary_strata)
    if thin:
        found.append(f"{plural(thin, 'stratum has', 'strata have')} fewer than {LEAST} queries in all")
    return found
