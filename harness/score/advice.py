"""Advice after a Gate 1, in words."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping

from harness.score.few import SHOWN
from harness.scorecards.gate1 import Gate1, RaterBias
from harness.storage.plural import plural

FEW_ITEMS = 5
"""Clauses with fewer rated items are not named in the advice."""
SIGNIFICANT = 0.05
APART = 0.1
"""A rater whose kappa with the rest is this much below every other's is named."""


def advice(score: Gate1, grade_names: Mapping[int, str], machines: Collection[str] = ()) -> tuple[str, ...]:
    """What to sharpen, whom to talk to, and how much more to rate; empty if raters never differ.

    `machines`: the raters that are language models, whose prompt is to be looked at.
    """
    raters = _raters(score, machines)
    return (*_definitions(score, grade_names), *_clauses(score), *raters, *_ratings(score))


def _definitions(score: Gate1, names: Mapping[int, str]) -> Iterator[str]:
    if not score.confused:
        return
    worst = score.confused[0]
    low, high = (f"{grade} ({names[grade]})" if grade in names else str(grade) for grade in worst.grades)
    total = sum(one.disagreements for one in score.confused)
    count = f"{worst.disagreements:,} of {plural(total, 'disagreement')} ({worst.share:.0%})"
    stand = "stands" if worst.disagreements == 1 else "stand"
    scale = score.confusion.labels
    if scale.index(worst.grades[1]) - scale.index(worst.grades[0]) == 1:
        yield f"Sharpen the line between {low} and {high}: {count} {stand} there"
        return
    apart: Counter[str] = Counter()
    for one in score.disputed:
        given = [*one.grades.values()]
        # Counted as `count` is, by pairs of raters: an item that three rated can hold two disagreements.
        if one.query and (there := given.count(worst.grades[0]) * given.count(worst.grades[1])):
            apart[one.query] += there
    most = ", ".join(f"{query!r} ({n})" for query, n in apart.most_common(3))
    where = f", most of all in the queries {most}" if apart else ""
    yield (
        f"Say what the product is judged by: raters read the same pairs as {low} and as {high}, "
        f"which are not neighbours; {count} {stand} there{where}"
    )


def _clauses(score: Gate1) -> Iterator[str]:
    usual = score.agreement if score.agreement is not None else 1.0
    disputed = [
        one for one in score.per_clause if one.n >= FEW_ITEMS and one.disputed and one.agreement < usual
    ]
    if disputed:
        worst = disputed[0]
        yield (
            f"Reword the clause {worst.name}: raters differ on {worst.disputed} of its "
            f"{plural(worst.n, 'item')} ({worst.agreement:.0%} agreement)"
        )


def _raters(score: Gate1, machines: Collection[str]) -> Iterator[str]:
    leaning = list(_leaning(score, machines))
    yield from leaning[:SHOWN]
    if len(leaning) > SHOWN:
        more = plural(len(leaning) - SHOWN, "more rater grades", "more raters grade")
        yield f"{more} higher or lower than the others (p < {SIGNIFICANT:g})"
    outlier = _outlier(score)
    if outlier is not None:
        how = f"{outlier.kappa_vs_rest:.2f}, linear"
        yield f"{_turn_to(outlier.rater, machines)} agrees least with the rest ({how})"


def _turn_to(rater: str, machines: Collection[str]) -> str:
    """The beginning of an advice on a rater, up to what it does."""
    if rater in machines:
        return f"Look at the prompt of {rater}, a language model: it"
    return f"Talk to {rater}, who"


def _leaning(score: Gate1, machines: Collection[str]) -> Iterator[str]:
    # With two raters, the second one's bias mirrors the first one's: name one of them.
    higher = [one for one in score.rater_bias if (one.bias or 0.0) > 0][:1]
    for one in score.rater_bias if len(score.raters) > 2 else higher:
        if one.bias is not None and one.p is not None and one.p < SIGNIFICANT:
            way = "higher" if one.bias > 0 else "lower"
            far = f"{abs(one.bias):.2f}" if abs(one.bias) >= 0.005 else "slightly"
            at = f", most of all at >= {one.worst_boundary}" if one.worst_boundary is not None else ""
            if len(score.raters) == 2:
                other = next(rater for rater in score.raters if rater != one.rater)
                both = "Talk to both" if not {one.rater, other} & {*machines} else "See how both judge"
                yield f"{both}: {one.rater} grades {far} {way} than {other} (p = {one.p:.2g}){at}"
                continue
            who = _turn_to(one.rater, machines)
            yield f"{who} grades {far} {way} than the others (p by Holm {one.p:.2g}){at}"


def _outlier(score: Gate1) -> RaterBias | None:
    known = sorted(
        (one for one in score.rater_bias if one.kappa_vs_rest is not None),
        key=lambda one: one.kappa_vs_rest or 0.0,
    )
    if len(known) < 3:
        return None
    least, next_ = known[0].kappa_vs_rest or 0.0, known[1].kappa_vs_rest or 0.0
    return known[0] if next_ - least >= APART else None


def _ratings(score: Gate1) -> Iterator[str]:
    if score.items_needed is not None:
        more = score.items_needed - score.gated_kappa.n
        in_all = f"{score.needed_words} that two raters share, in all"
        more_items = plural(more, "more item")
        yield f"Rate about {more_items} ({in_all}) to decide, at the observed kappa and design effect"
