"""The sections of a run's report, in order: each with its view for a terminal and its template."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from rich.console import RenderableType
from rich.text import Text

from harness.report.confidence import confidence_view
from harness.report.disagreements import against_rest_view, miss_view
from harness.report.gate2 import confusion_view, lowest_parts, parts_view, raters_view, verdict_view
from harness.report.parts import warnings
from harness.scorecards.gate2 import Gate2


@dataclass(frozen=True, slots=True)
class Section:
    """A section of a run's report, with its views.

    `page` is its template, unless the section above includes it, and `link` its name in the page's
    navigation. The section is omitted if the page's value `needs` is missing; `reports` holds the kinds of
    report that have it. `brief` and `details` render it for a terminal; `details` takes the number of misses
    to show.
    """

    anchor: str
    link: str = ""
    page: str | None = None
    needs: str | None = None
    reports: str = "gate2"
    brief: Callable[[Gate2], Iterable[RenderableType]] = lambda score: ()
    details: Callable[[Gate2, int], Iterable[RenderableType]] = lambda score, misses: ()


SECTIONS = (
    Section("verdict", "Canaries", "report/canaries.html.j2", reports="canaries"),
    Section("verdict", "Verdict", "report/verdict.html.j2", brief=verdict_view),
    Section("moved", "What moved", "report/moved.html.j2", needs="moved"),
    Section("confusion", "Confusion", "report/confusion.html.j2", brief=confusion_view),
    Section(
        "parts",
        "Where it is right",
        "report/slices.html.j2",
        details=lambda score, misses: parts_view(score),
    ),
    Section("in the place of a rater", details=lambda score, misses: against_rest_view(score.ceiling)),
    Section(
        "probabilities",
        "Probabilities",
        "report/probabilities.html.j2",
        needs="alone_sentence",
        details=lambda score, misses: confidence_view(score.confidence),
    ),
    Section("raters", "Raters", "report/raters.html.j2", brief=raters_view),
    Section(
        "pairs",
        "Pairs",
        "report/pairs.html.j2",
        reports="gate2, canaries",
        details=lambda score, misses: miss_view(score.misses[:misses]),
    ),
    Section("run", "What was run", "report/run.html.j2", reports="gate2, canaries"),
    Section("prompt", "Prompt", needs="sent", reports="gate2, canaries"),
)
"""The sections of a report, in order. A new one needs a line here, and its template or view."""


def gate2_view(score: Gate2, grader: str, against: str) -> Iterator[RenderableType]:
    """Gate 2 in short: agreement with the golden set, and the diagnoses of disagreements."""
    yield Text(f"Gate 2: does {grader} agree with {against}?", style="bold")
    for section in SECTIONS:
        yield from section.brief(score)
    yield from warnings(score.warnings, above=True)


def details_words(score: Gate2) -> str:
    """The names of the details; empty if they show the clustering alone."""
    found = {
        "clauses": lowest_parts(score.per_clause),
        "tags": lowest_parts(score.per_tag),
        "each rater's place": against_rest_view(score.ceiling),
        "confidence": confidence_view(score.confidence),
        "the worst misses": score.misses,
    }
    return ", ".join(name for name, part in found.items() if any(True for _ in part))


def details_view(score: Gate2, misses: int) -> Iterator[RenderableType]:
    """Details: clauses, tags, confidence, and `misses` wrong grades with both reasonings."""
    for section in SECTIONS:
        yield from section.details(score, misses)
