"""The page of a label set, of an estimate over one, or over a table, as one HTML file."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.report.estimate import (
    LEVEL,
    ONE_TRUTH,
    OVER,
    QUESTION,
    facts_lines,
    is_sure,
    labels_lines,
    rows_words,
    sides_words,
    strata_of,
    worst_sentence,
)
from harness.report.labels import cascade_words, outcomes_sentence, spending_words
from harness.report.next_steps import NextStep, estimate_steps, label_steps, proof_steps
from harness.report.page.axis import axis_over
from harness.report.page.drawn import DrawnFigure
from harness.report.page.environment import render_page, save_page
from harness.report.page.label_facts import estimate_facts, set_facts
from harness.runs.labels import LabelSet, is_label_set, load_labels
from harness.score.labels import summarise
from harness.scorecards.estimate import EstimatedFigure, Estimates
from harness.scorecards.labels import LabelSummary

SCRIPTS = ("tables.js",)
PAGE = "report.html"
STRATA_DRAWN = 20
"""Strata in the picture: the lowest ones. The table has all."""
SECTIONS = (
    ("estimate", "Estimate"),
    ("strata", "Strata"),
    ("figures", "All figures"),
    ("differences", "Two label sets"),
    ("summary", "What the teacher says"),
    ("next", "What to do next"),
    ("made", "What was labelled"),
)
"""The sections of the page with their names in its navigation; each only where it has something to say."""


@dataclass(frozen=True, slots=True)
class Labelling:
    """What a page of labels is about: a label set with its summary, an estimate, or both."""

    labels: LabelSet | None = None
    summary: LabelSummary | None = None
    found: Estimates | None = None


def labels_page(one: Labelling) -> str:
    """The page."""
    return render_page("labels.html.j2", labels_data(one), scripts=SCRIPTS)


def write_estimate(path: Path, found: Estimates, source: Path | None) -> int:
    """Write an estimate as a page; of a label set with what its teacher says. Returns its size in bytes."""
    labels = load_labels(source) if source is not None and is_label_set(source) else None
    return write_labels(path, Labelling(labels, summarise(labels) if labels else None, found))


def write_labels(path: Path, one: Labelling) -> int:
    """Write the page atomically; returns its size in bytes."""
    return save_page(path, labels_page(one))


def labels_data(one: Labelling) -> dict[str, Any]:
    """What the page's templates need."""
    facts = set_facts(one.labels.manifest, one.labels.folder) if one.labels else {}
    values: dict[str, Any] = {
        "title": _title(one),
        "about": _about(one),
        "found": one.found,
        "summary": _summary(one.summary),
        "steps": list(_steps(one)),
        "facts": (estimate_facts(one.found) if one.found else {}) | facts,
        "unproven": one.labels is not None and one.labels.manifest.proven is None,
        "warnings": _warnings(one),
        **(_estimated(one.found) if one.found else {}),
    }
    there = values | {"made": True, "next": values["steps"], "estimate": values["found"]}
    return values | {"sections": [pair for pair in SECTIONS if there.get(pair[0])]}


def _title(one: Labelling) -> str:
    if one.found:
        return QUESTION
    assert one.labels is not None, "a page about nothing"
    return f"Labels of {one.labels.manifest.asked.model}"


def _about(one: Labelling) -> str:
    """The line below the title."""
    if one.found:
        return rows_words(one.found)
    assert one.labels is not None, "a page about nothing"
    asked = one.labels.manifest.asked
    prompt = "" if one.labels.manifest.unprompted else f" · {asked.prompt}"
    return f"{one.labels.folder.name} · {asked.policy}{prompt}"


def _warnings(one: Labelling) -> list[str]:
    both = (*(one.found.warnings if one.found else ()), *(one.summary.warnings if one.summary else ()))
    return list(dict.fromkeys(both))


def _steps(one: Labelling) -> Iterator[NextStep]:
    if one.found:
        yield from estimate_steps(one.found, one.summary)
    elif one.summary:
        yield from label_steps(one.summary)
    else:
        yield NextStep("The labelling is not finished: repeat the harness label command that began it.")
    if one.labels:
        yield from proof_steps(one.labels.manifest)


def _estimated(found: Estimates) -> dict[str, Any]:
    """The estimate in words, pictures and tables."""
    main, strata = found.estimates[0], strata_of(found)
    sides = list(_sides(main))
    drawn = list(_strata(found, strata))
    over = OVER[found.over]
    return {
        "main": main,
        "headline": main.words[:1].upper() + main.words[1:],
        "over": over[:1].upper() + over[1:],
        "brought": [*labels_lines(main)],
        "left_out": [*facts_lines(found)],
        "sides": sides,
        "sides_axis": axis_over((one.value, one.ci) for one in sides),
        "strata": strata,
        "strata_drawn": drawn,
        "strata_axis": axis_over([(main.value, None), *((one.value, one.ci) for one in drawn)]),
        "worst_sentence": worst_sentence(found.worst) if found.worst else None,
        "figures": [one for one in found.estimates if one.stratum is None],
        "parts_by": [one for one in found.estimates if one.stratum is not None]
        if len(strata) <= STRATA_DRAWN
        else [],
        **_differences(found),
    }


def _sides(main: EstimatedFigure) -> Iterator[DrawnFigure]:
    """Corrected, humans only and teacher only, to be drawn below each other."""
    human = main.human_only
    yield DrawnFigure("Corrected: the estimate", main.value, main.ci, main=True)
    yield DrawnFigure("Humans only", human.value, human.ci)
    yield DrawnFigure("Teacher only", main.teacher_only, None, "on the other rows, uncorrected")
    if main.worst_case:
        yield DrawnFigure("If unread rows were the worst, to the best", None, main.worst_case)


def _strata(found: Estimates, strata: Sequence[EstimatedFigure]) -> Iterator[DrawnFigure]:
    """The strata, the lowest first; undefined ones last."""
    worst = found.worst
    ranked = sorted(strata, key=lambda one: (one.value is None, one.value or 0.0))
    for one in ranked[:STRATA_DRAWN]:
        share = "" if one.share is None else f"{one.share:.0%} of production, "
        lowest = ""
        if worst and one.stratum == worst.stratum:
            lowest = "lowest" if is_sure(worst) else "lowest, perhaps by chance"
        note = f"{share}{one.n_labelled:,} rated"
        yield DrawnFigure(str(one.stratum), one.value, one.ci, note, lowest=lowest)


def _differences(found: Estimates) -> dict[str, Any]:
    ends = [abs(end) for one in found.differences for end in one.ci or ()]
    return {
        "differences": found.differences,
        "difference_sides": sides_words(found),
        "one_truth": ONE_TRUTH,
        "reach": math.ceil(max([0.1, *ends]) * 10) / 10,
        "level": LEVEL,
    }


def _summary(found: LabelSummary | None) -> dict[str, Any] | None:
    """A label set's summary: what its cards and tables show."""
    if found is None:
        return None
    return {
        "labels": found,
        "outcomes": outcomes_sentence(found),
        "cascade": cascade_words(found.cascade) if found.cascade else "",
        "cost": spending_words(found.spending) or "This teacher costs nothing.",
        "share": "share of the traffic" if found.weighted else "share",
    }
