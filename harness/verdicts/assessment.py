"""One assessment per run, computed once from one pass over its folder.

Terminal, page, `--json`, viewer, comparison, baseline and shipping read it and recompute nothing.
It also assesses items that come from files of grades, or from arrays in a notebook.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic_core import to_json

from harness.golden.checks import how_to_confirm
from harness.golden.rating.ratings import Rated, without_rater
from harness.nouns.policy import Gates
from harness.runs.folder import DISAGREEMENTS, SCORECARD, VERDICT, Run, earlier_runs, open_run
from harness.runs.kind import CHOSEN
from harness.score.canaries import canary_report
from harness.score.copies import surely_beyond
from harness.score.gate2 import score_gate2
from harness.score.items import GradedItem
from harness.score.rating_matrix import MIN_COMMON, rating_matrix_of
from harness.score.reading import Reading, read_run
from harness.score.settings import Raters, ScoreSettings, gate2_bar, settings_of
from harness.score.threshold import Threshold
from harness.scorecards.canaries import CanaryReport
from harness.scorecards.gate1 import Gate1
from harness.scorecards.gate2 import Gate2
from harness.storage.files import write_atomic
from harness.storage.plural import plural
from harness.verdicts.gates import UNMEASURED, judge_gate2, verdict_of
from harness.verdicts.raters import judge_raters, people_alone
from harness.verdicts.threshold_changes import moved_since

NO_GATE = "gates do not apply to a run over canaries: half of its products are written to mislead"


@dataclass(frozen=True, slots=True)
class Assessment:
    """The assessment of one run under `gates`. `gate1` is None without two raters."""

    reading: Reading
    gates: Gates
    gate1: Gate1 | None
    gate2: Gate2
    canaries: CanaryReport | None

    @property
    def run(self) -> Run:
        """The run."""
        return self.reading.run


def assess(
    run: Run,
    bar: Threshold | None = None,
    *,
    gates: Gates | None = None,
    earlier: Iterable[Path] = (),
    bootstrap: bool = False,
) -> Assessment:
    """Score and judge a run by its own policy, gates and ratings, unless other gates or thresholds are given.

    `earlier`: the folders of the runs before it, the latest first, to find changed thresholds. A run over
    canaries has no verdict: its scorecard says why. BadInput for a damaged run.
    """
    reading = read_run(run)
    own, asked = gates or run.gates, run.manifest.asked
    held = (bar or gate2_bar(own)).moved_from(moved_since(run, earlier))
    settings = settings_of(
        run.policy, run.policy.scale, own, held, aggregate=asked.aggregate, bootstrap=bootstrap
    )
    waits, early = run.manifest.rating_open, run.manifest.rating_early
    every = Rated(run.ratings, run.raters, reading.rated, unrated=run.unrated, unfinished=waits, early=early)
    rated, replayed = without_rater(every, _replayed_rater(reading)) if len(every.raters) > 1 else (None, ())
    warnings = (*mixed_answers(reading), *replayed)
    if not asked.kind.scored:
        gate1, score = _measured(reading.items, settings, rated, warnings)
        report = canary_report(reading.items)
        return Assessment(reading, own, gate1, score.model_copy(update={"reason": NO_GATE}), report)
    gates_judged = judge_items(reading.items, settings, rated, stale=_stale(run), warnings=warnings)
    others = [version for version in run.manifest.rated_under if version not in ("", run.policy.version)]
    if gates_judged[0] is None and others:
        why = f"as the raters rated under {', '.join(others)}, not under {run.policy.label}"
        told = {"provisional": UNMEASURED.format(why=why)}
        gates_judged = None, gates_judged[1].model_copy(update=told)
    return Assessment(reading, own, *gates_judged, None)


def _replayed_rater(reading: Reading) -> str | None:
    """The rater of replayed grades: the one named, or one whose grades are surely the same."""
    run = reading.run
    if run.manifest.digests.replayed is None or run.manifest.asked.rater:
        return run.manifest.asked.rater
    grades = {item.item: item.answers[0].grade for item in reading.items if item.answers[0].grade is not None}
    common: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for one in run.ratings:
        if one.item in grades:
            common[one.rater].append((grades[one.item], one.grade))
    same = (
        rater for rater, pairs in sorted(common.items()) if len(pairs) >= MIN_COMMON and _same_grader(pairs)
    )
    return next(same, None)


def _same_grader(pairs: Sequence[tuple[int, int]]) -> bool:
    """Whether two columns of grades are one grader's: equal, or more alike than two graders would be."""
    n, differing = len(pairs), sum(a != b for a, b in pairs)
    one, other = (Counter(grades) for grades in zip(*pairs, strict=True))
    by_chance = 1 - sum(one[grade] * other[grade] for grade in one) / n**2
    return by_chance > 0 and (not differing or surely_beyond(n, differing, by_chance))


def assess_folder(folder: Path) -> Assessment:
    """Assess a run by its folder, with the earlier runs in the same project."""
    return assess(open_run(folder), earlier=earlier_runs(folder))


def judge_items(
    items: Sequence[GradedItem],
    settings: ScoreSettings,
    rated: Rated | None = None,
    *,
    stale: str | None = None,
    warnings: tuple[str, ...] = (),
) -> tuple[Gate1 | None, Gate2]:
    """Judge both gates on the same items; Gate 1 is None without ratings. BadInput for a single rater.

    `stale` says why the golden grades are not those of the policy, if so.
    """
    gate1, score = _measured(items, settings, rated, warnings)
    return gate1, judge_gate2(score, settings.gates, gate1, stale)


def _measured(
    items: Sequence[GradedItem], settings: ScoreSettings, rated: Rated | None, warnings: tuple[str, ...] = ()
) -> tuple[Gate1 | None, Gate2]:
    """Gate 1 judged, and Gate 2 scored."""
    if rated is None:
        return None, score_gate2(items, settings, None, warnings)
    rated = people_alone(rated)
    gate1 = judge_raters(rated, settings.scale, settings.gates, names=settings.names)
    raters = Raters(rating_matrix_of(rated.ratings, settings.scale), gate1.provisional)
    return gate1, score_gate2(items, settings, raters, warnings)


def mixed_answers(reading: Reading) -> tuple[str, ...]:
    """The warnings about a run with several graders: its verdict is about their mixture."""
    return tuple(f"{mixed}, and the verdict is about their mixture" for mixed in reading.mixed)


def _stale(run: Run) -> str | None:
    """Why no gate can be judged: grades of another policy version, or examples chosen by hand."""
    left, of = run.manifest.stale, run.manifest.examples
    if left:
        was = "was" if left == 1 else "were"
        what = f"{left:,} of {plural(of, 'example')} {was} not yet judged under {run.policy.label}"
        return f"{what}; next: {how_to_confirm(run.policy.label)}"
    if run.manifest.asked.kind is CHOSEN:
        count = plural(of, "chosen example was", "chosen examples were")
        return f"{count} graded: chosen examples do not represent the whole set"
    return None


def save_assessment(found: Assessment) -> None:
    """Write the scorecard, the disagreements and the verdict into the run's folder."""
    folder = found.run.folder
    write_atomic(folder / DISAGREEMENTS, (to_json(miss) + b"\n" for miss in found.gate2.misses))
    score = found.gate2.shown() | {"spending": found.reading.spending}
    if found.reading.mixed:
        score["mixed"] = found.reading.mixed
    del score["misses"]
    write_atomic(folder / SCORECARD, to_json(score, indent=2) + b"\n")
    write_atomic(folder / VERDICT, json.dumps(verdict_of(found.gate2), indent=2) + "\n")
