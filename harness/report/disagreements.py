"""The human ceiling and the diagnoses of disagreements, for a terminal."""

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.text import Text

from harness.report.formats import chance, interval, number, percent, signed, with_interval
from harness.report.parts import below, columns, entry, indented, whole
from harness.score.few import SHOWN, few_names, lowest
from harness.score.rating_matrix import MIN_COMMON
from harness.scorecards.ceiling import AgainstRest, AltTest, Ceiling
from harness.scorecards.gate2 import Citing, Disagreement, Gate2
from harness.storage.plural import plural

DIAGNOSIS_WORDS = {
    "policy": "policy: the raters differ too",
    "teacher": "grader: the raters agree with the golden grade",
    "golden": "golden: the raters agree on another grade; adjudicate the label again",
    "unrated": "not known: fewer than two ratings",
}


def ceiling_view(score: Ceiling | None) -> Iterator[RenderableType]:
    """How the grader compares with the raters; empty without ratings."""
    if score is None:
        return
    kind = " of raters that are not known to be people" if score.provisional else ""
    if score.rater is None:
        yield indented(Text(f"Ceiling{kind}: none; {ceiling_sentence(score)}"))
        return
    lines = [
        f"Ceiling{kind}, on {plural(score.n, 'item')}: the grader agrees with raters "
        f"{number(score.grader)}, raters with each other {number(score.rater)}",
        f"difference {with_interval(signed(score.delta.value), score.delta.ci)}",
        ceiling_sentence(score),
    ]
    if said := alternative_sentence(score.alt_test):
        lines.append(said)
    yield indented(Text("\n".join(lines)))


def alternative_sentence(test: AltTest) -> str | None:
    """The alternative annotator test in words, with its assumption; None if there is none."""
    if test.winning_rate is None:
        return None
    clustered = [one.p_clustered for one in test.annotators if one.p_clustered is not None]
    beside = f"up to {max(clustered):.2g} clustered by query" if clustered else "none for one query alone"
    share, highest = percent(test.winning_rate), max(one.p for one in test.annotators)
    return (
        f"alternative annotator test (epsilon {test.epsilon:g}): could replace {share} of the "
        f"raters, {'passed' if test.passed else 'not passed'}; as published it takes items as independent "
        f"(p up to {highest:.2g}; {beside})"
    )


def against_rest_view(score: Ceiling | None) -> Iterator[RenderableType]:
    """The grader in each rater's place, against the others; empty if too few raters share items."""
    known = places(score)
    if not known:
        return
    table = columns("in the place of", "items", "grader", "rater", "difference", "interval", "p (Holm)")
    table.columns[0].overflow = "fold"
    if len(known) > SHOWN:
        yield indented(Text(f"The {SHOWN} of {len(known):,} raters whom the grader falls furthest behind:"))
    for one in lowest(known, lambda one: one.delta):
        kappas = number(one.grader), number(one.rater_kappa), signed(one.delta)
        table.add_row(one.rater, f"{one.n:,}", *kappas, interval(one.ci) or "-", chance(one.p_holm))
    yield indented(table)


def places(score: Ceiling | None) -> list[AgainstRest]:
    """The raters in whose place the grader can be put: those who share enough items with two others."""
    return [one for one in score.leave_one_out if one.delta is not None] if score else []


def ceiling_sentence(score: Ceiling) -> str:
    """How the grader compares with the raters, in words."""
    if score.delta.ci is None or score.as_good is None:
        few = score.shared < MIN_COMMON
        return f"{'' if few else 'no comparison: '}{score.delta.reason}"
    if score.as_good:
        return f"as good a rater as they are (margin {score.margin:g})"
    if score.delta.ci.high < -score.margin:
        return f"a worse rater than they are (margin {score.margin:g})"
    return f"not shown to be as good a rater as they are (margin {score.margin:g})"


def diagnosis_view(score: Gate2) -> Iterator[RenderableType]:
    """The disagreements by diagnosis, and the agreement of cited clauses."""
    if score.misses and score.diagnosis["unrated"] < len(score.misses):
        lines = [f"Whose problem the {plural(len(score.misses), 'miss is', 'misses are')}:"]
        lines += [f"{count:>5}  {DIAGNOSIS_WORDS[name]}" for name, count in score.diagnosis.items() if count]
        yield indented(Text("\n".join(lines)))
    if score.citations:
        right, wrong = score.citations.right, score.citations.wrong
        text = f"{_citing(right)} when right, {_citing(wrong)} when wrong"
        yield indented(Text(f"Cites a clause of the golden reasoning: {text}"))
        strange = sum(score.citations.unknown.values())
        if strange:
            lost = f"cited {plural(strange, 'time')} a clause that the policy does not have"
            yield below(lost)


def _citing(found: Citing) -> str:
    return f"{percent(found.any)} of {found.n:,}"


def miss_view(misses: Sequence[Disagreement]) -> Iterator[RenderableType]:
    """Wrong grades, with the golden chain of thought beside the grader's."""
    if misses:
        yield Text("\nThe worst misses (--misses N shows more):")
    for miss in misses:
        yield from _miss(miss)


def _miss(miss: Disagreement) -> Iterator[RenderableType]:
    # A file of grades may name an item only.
    what = f": {miss.query} -> {miss.title}" if miss.query else ""
    golden = _side("golden", miss.golden, miss.golden_action, miss.golden_clauses)
    given = _side("grader", miss.grade, miss.action, miss.clauses)
    said = few_names([f"{rater} {grade}" for rater, grade in miss.ratings.items()])
    yield from entry(
        f"{whole(miss.item)}{what}",
        f"{golden} {miss.golden_reasoning}".rstrip(" :"),
        f"{given} {miss.reasoning}".rstrip(" :"),
        f"raters: {said} ({DIAGNOSIS_WORDS[miss.diagnosis]})" if miss.ratings else "",
    )


def _side(who: str, grade: int, action: str | None, clauses: Sequence[str]) -> str:
    shown = f", {action}" if action else ""
    cited = f" [{', '.join(clauses)}]" if clauses else ""
    return f"{who} {grade}{shown}{cited}:"
