"""The data of a run, and of the run that it is compared with, for the page's templates."""

import math
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from harness.comparison.paired import compare_sides
from harness.comparison.sides import side_of_run
from harness.errors import BadInput
from harness.nouns.base import Interval, Reason
from harness.report.comparison import amounts, change_sentence, seen_words
from harness.report.confidence import alone_sentence
from harness.report.disagreements import DIAGNOSIS_WORDS, alternative_sentence, ceiling_sentence, places
from harness.report.figures import KAPPA_NAMES, KAPPAS, any_of, changes_of, scored
from harness.report.gate1 import cannot_words
from harness.report.gate2 import agreement_sentence
from harness.report.money import cost_words, lost_words, token_words
from harness.report.page.facts import facts, policy_text, prefix_of, sent
from harness.report.page.items import Item, fit, items_of
from harness.report.page.words import axis_low
from harness.report.sections import SECTIONS, Section
from harness.report.text_diff import diff_lines
from harness.runs.folder import Run
from harness.runs.manifest import Manifest
from harness.score.few import least_agreeing, least_consistent, lowest, lowest_pairs
from harness.score.reading import Reading
from harness.score.settings import grade_names
from harness.scorecards.comparison import Comparison
from harness.scorecards.confidence import Confidence
from harness.scorecards.gate1 import Gate1
from harness.scorecards.gate2 import Gate2, SliceScore
from harness.scorecards.money import Spending, usd
from harness.scorecards.shared import Gate
from harness.storage.plural import plural
from harness.verdicts.assessment import Assessment

CURVE_POINTS = 200
"""More points would not change the line's look."""
MOVED_SHOWN = 10


def report_data(found: Assessment, base: Reading | None = None) -> dict[str, Any]:
    """The data of the report: of a run, and of its comparison with another."""
    comparison = _compared(found.reading, base) if base else None
    values = {
        **_of_run(found, comparison),
        "score": found.gate2,
        **gate1_data(found.gate1),
        "canaries": found.canaries,
        **_in_words(found.gate2),
        **_tracks(found.gate2, found.gate1),
        **_lists(found.gate2),
        "moved": _moved(found.run, base.run, comparison) if base and comparison else None,
    }
    return values | {"sections": list(_sections(values))}


def _of_run(found: Assessment, comparison: Comparison | None) -> dict[str, Any]:
    """What was run, and its pairs."""
    run, spending = found.run, found.reading.spending
    examples = list(found.reading.each_example())
    items, cut = fit(items_of(found, examples, comparison))
    local, first = run.manifest.unprompted, items[0]["id"] if items else None
    return {
        "manifest": run.manifest,
        "policy": run.policy,
        "mixed": found.reading.mixed,
        "grade_names": grade_names(run.policy),
        "spending": spending,
        "cost_note": _cost_note(spending, run.manifest),
        "facts": facts(found.reading),
        "sent": None if local else sent(run, examples, first),
        "pairs": _pairs(run, found.gate2, items),
        "cut": cut,
        "listed": len(items),
    }


def _in_words(score: Gate2) -> dict[str, Any]:
    """The sentences of the terminal, and the figures' names."""
    ceiling, confidence = score.ceiling, score.confidence
    return {
        "sentence": agreement_sentence(score),
        "alternative_sentence": alternative_sentence(ceiling.alt_test) if ceiling else None,
        "ceiling_sentence": ceiling_sentence(ceiling) if ceiling else None,
        "alone_sentence": alone_sentence(confidence.alone) if confidence else None,
        "kappa_names": KAPPA_NAMES,
        "figures": scored(score),
        "diagnoses": DIAGNOSIS_WORDS,
    }


def _tracks(score: Gate2, gate1: Gate1 | None) -> dict[str, Any]:
    """What is drawn, and where its axes begin."""
    kappas = list(_kappas(score, gate1))
    parts = [(one.kappa, one.ci) for one in (*score.per_tag, *score.per_clause)]
    parts += [(one.kappa, one.ci) for one in score.boundaries]
    return {
        "kappas": kappas,
        "bands": True,
        "lowest": axis_low((one.value, one.ci) for one in kappas),
        "lowest_part": axis_low(parts),
        "curve": _curve(score.confidence),
    }


def _lists(score: Gate2) -> dict[str, Any]:
    """The lists, each with the rows that are shown."""
    return {
        "places": places(score.ceiling),
        "places_shown": lowest(places(score.ceiling), lambda one: one.delta),
        "per_tag": _least_accurate(score.per_tag),
        "per_clause": _least_accurate(score.per_clause),
    }


def gate1_data(gate1: Gate1 | None) -> dict[str, Any]:
    """What the tables of raters need."""
    return {
        "gate1": gate1,
        "pairs_shown": lowest_pairs(gate1) if gate1 else [],
        "raters_shown": least_agreeing(gate1) if gate1 else [],
        "again_shown": least_consistent(gate1) if gate1 else [],
        "cannot_words": cannot_words(gate1) if gate1 else "",
        "kappa_figures": KAPPAS,
    }


def _sections(values: dict[str, Any]) -> Iterator[Section]:
    """The sections of this run's page."""
    kind = "canaries" if values["canaries"] else "gate2"
    for section in SECTIONS:
        if section.link and kind in section.reports and (section.needs is None or values[section.needs]):
            yield section


def _cost_note(found: Spending, manifest: Manifest) -> str:
    """The details of the cost: per hundred grades, or why it is unknown, and the tokens."""
    if manifest.digests.replayed is not None:
        return "to replay; what the grades cost at first is not known"
    if manifest.unprompted:
        return "this grader costs nothing"
    said = []
    if found.cost is None:
        said.append(cost_words(found))
    elif not found.cost and not found.reused:
        said.append("this grader costs nothing")
    elif found.per_hundred is not None:
        said.append(f"{usd(found.per_hundred)} per hundred grades")
    if found.reused:
        said.append(f"{plural(found.reused, 'answer')} came from the reply cache and cost nothing again")
    if found.input_tokens is not None:
        said.append(f"tokens: {token_words(found)}")
    if lost := lost_words(found):
        said.append(lost.rstrip("."))
    return "; ".join(said)


class Track(NamedTuple):
    """A kappa to draw, with its interval, and its threshold if it has one."""

    name: str
    value: float | None
    ci: Interval | None
    reason: Reason | None
    bar: float | None = None
    gated: bool = False


def kappa_tracks(score: Gate) -> Iterator[Track]:
    """Kappa under each weighting, the gated one with the bar."""
    for figure in KAPPAS:
        found, gated = figure.of(score), figure.field == score.gated
        drawn = found.value, found.ci, found.reason, score.bar if gated else None, gated
        yield Track(figure.name + (", gated" if gated else ""), *drawn)


def _kappas(score: Gate2, gate1: Gate1 | None) -> Iterator[Track]:
    """The kappas to draw, each with its name."""
    yield from kappa_tracks(score)
    for figure in scored(score):
        if figure.place == "drawn":
            why = score.reasons.get(figure.field)
            yield Track(figure.name, figure.of(score), figure.ci_of(score), why, score.bar)
    if score.ceiling is not None and score.ceiling.rater is not None:
        name = "Ceiling: the raters with each other, on these pairs"
        why = Reason("remark", "the difference from the grader has one")
        yield Track(name, score.ceiling.rater, None, why)
    if gate1 is not None:
        found = gate1.gated_kappa
        name = f"Gate 1: the {'other ' if gate1.compared else ''}raters among themselves"
        yield Track(name, found.value, found.ci, found.reason, gate1.bar)


def _least_accurate(slices: tuple[SliceScore, ...]) -> list[SliceScore]:
    """The least accurate first; those without a readable answer last."""
    return sorted(slices, key=lambda one: (one.accuracy is None, one.accuracy or 0.0, one.name))


def _curve(found: Confidence | None) -> list[tuple[float, float]]:
    """The risk-coverage curve, thinned to the points that can be seen."""
    if found is None or not found.curve:
        return []
    step = max(1, len(found.curve) // CURVE_POINTS)
    thinned = [*found.curve[::step], found.curve[-1]]
    return [(point.coverage, point.risk) for point in thinned]


def _compared(run: Reading, base: Reading) -> Comparison:
    if not (run.run.manifest.asked.kind.scored and base.run.manifest.asked.kind.scored):
        raise BadInput("a run over canaries cannot be compared with another run: report it alone")
    return compare_sides(side_of_run(base), side_of_run(run))


def _moved(run: Run, base: Run, found: Comparison) -> dict[str, Any]:
    """The comparison in words and figures, with the differences of prompts and policies."""
    changes = list(changes_of(found))
    kept = {
        figure.name: change
        for figure, change in changes
        if not figure.money and (any_of(change) or not figure.if_any)
    }
    paid = [(figure, change) for figure, change in changes if figure.money and any_of(change)]
    reach = max([0.1, *(abs(end) for change in kept.values() for end in change.ci or ())])
    kinds = Counter(flip.kind for flip in found.flips)
    return {
        "comparison": found,
        "sentence": change_sentence(found),
        "changes": kept,
        "paid": [(figure.name, amounts(change), change.reason) for figure, change in paid],
        "reach": min(1.0, math.ceil(reach * 10) / 10),
        "kinds": {kind: kinds[kind] for kind in ("fixed", "broken", "moved")},
        "seen": seen_words(found),
        "slices": {"clauses": _most_moved(found.per_clause), "tags": _most_moved(found.per_tag)},
        "prompted": not (base.manifest.unprompted and run.manifest.unprompted),
        "prompt": diff_lines(prefix_of(base), prefix_of(run)),
        "policy": diff_lines(policy_text(base), policy_text(run)),
    }


def _most_moved(slices: tuple[Any, ...]) -> list[Any]:
    moved = [one for one in slices if one.delta]
    return sorted(moved, key=lambda one: (-abs(one.delta), one.name))[:MOVED_SHOWN]


def _pairs(run: Run, score: Gate2, items: list[Item]) -> dict[str, Any]:
    """The pairs that the page's script lists, and the policy data that it needs."""
    policy = run.policy
    return {
        "items": items,
        "of": run.manifest.examples,
        "grades": {str(grade): name for grade, name in grade_names(policy).items()},
        "actions": {str(grade): name for grade, name in (policy.decided_actions or {}).items()},
        "clauses": {clause.id: clause.text for clause in policy.clauses},
        "diagnoses": DIAGNOSIS_WORDS,
        "raters": dict(run.raters),
        # If every answer counts its share, a pair is in each cell that has one of its answers.
        "everyDraw": score.repeats is not None and score.repeats.aggregate == "mean",
    }
