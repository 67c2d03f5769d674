"""A bias audit, for a terminal and as Markdown."""

from collections.abc import Iterable, Iterator

from rich.console import RenderableType
from rich.text import Text

from harness.nouns.base import Reason
from harness.report.canaries import canary_view
from harness.report.formats import interval, percent, signed
from harness.report.parts import columns, entry, indented, warnings
from harness.report.regression import markdown_cell, markdown_table
from harness.scorecards.audit import (
    ELSEWHERE,
    ORDER,
    PARAPHRASE,
    ActionMoved,
    Audit,
    Effect,
    Paraphrased,
    Rewrite,
)
from harness.storage.plural import plural

LEVEL = 0.05
"""Below this, Holm's p says that an effect is not chance."""
EFFECTS = ("feature", "of the", "effect", "interval", "p (Holm)")
REWRITES = ("rewrite", "moved", "share", "interval", "shift", "p (Holm)", "actions", "first")
MARK = "may rightly move"
STAR = "* the right grade may be another one for the rewritten pair"


def audit_view(found: Audit, examples: int) -> Iterator[RenderableType]:
    """What was found, then every figure."""
    yield Text(f"Is {found.grader} biased? {found.graded}, {_size(found)}", style="bold")
    yield from (Text(line) for line in findings(found))
    yield from _effects(found)
    if found.rewrites:
        yield from _rewrites(found, examples)
    if found.canaries:
        yield Text("")
        yield from canary_view(found.canaries, found.grader)
    yield from warnings(_remarks(found), above=True)


def audit_markdown(found: Audit) -> str:
    """The same as Markdown, for a summary."""
    tested = [one for one in found.effects if one.effect is not None]
    stars = [STAR] if any(one.of and one.may_move for one in found.rewrites) else []
    lines = [
        f"### {markdown_cell(f'Is {found.grader} biased?')}",
        "",
        markdown_cell(f"{found.graded}, {_size(found)}."),
        "",
        *(f"- {markdown_cell(line)}" for line in findings(found)),
        "",
        *_some_rows(EFFECTS, map(_effect_row, tested)),
        *_some_rows(REWRITES, (_rewrite_row(one) for one in found.rewrites if one.of)),
        *(f"- {markdown_cell(line)}" for line in (*stars, *_cannot_tell(found), *_remarks(found))),
    ]
    return "\n".join(lines).rstrip() + "\n"


def findings(found: Audit) -> Iterator[str]:
    """What is not chance, one sentence each; then what moved, and what changed an action first."""
    effects = [one for one in found.effects if _is_found(one.p_holm)]
    shifted = [one for one in found.rewrites if _is_found(one.p_holm)]
    yield from map(_effect_words, effects)
    yield from map(_rewrite_words, shifted)
    if not effects and not shifted:
        yield _nothing_found(found)
    kept = [one for one in found.rewrites if one.moved and not one.may_move]
    stayed = [_moved_words(one) for one in kept if one.kind != PARAPHRASE]
    if stayed:
        yield f"Moved though the meaning stayed: {', '.join(stayed)}."
    if found.paraphrases and (said := [_moved_words(one) for one in kept if one.kind == PARAPHRASE]):
        yield f"Moved though the meaning stayed, according to {found.paraphrases.file}: {', '.join(said)}."
    first = [f"{one.kind} {one.actions_first}" for one in found.rewrites if one.actions_first]
    if first:
        yield f"Changed an action first: {', '.join(first)}."


def _nothing_found(found: Audit) -> str:
    tests = sum(p is not None for p in (*(e.p for e in found.effects), *(r.p for r in found.rewrites)))
    if tests:
        none = "No effect differs from chance"
        return f"{none} ({plural(tests, 'test')}, Holm). This does not prove that there is none."
    if any(one.of for one in found.rewrites):
        return "No rewrite moved a grade, and nothing else could be tested."
    return "Nothing could be tested."


def _is_found(p: float | None) -> bool:
    return p is not None and p < LEVEL


def _effect_words(one: Effect) -> str:
    assert one.effect is not None, "an effect with a p has a value"
    way = "higher" if one.effect > 0 else "lower"
    which = f"items of the same golden grade {_where(one)}"
    if one.outcome == "error":
        return f"Related to {one.feature}: {which} are graded {abs(one.effect):.2f} {way}."
    size = "larger" if one.effect > 0 else "smaller"
    return f"Related to {one.feature}: the errors for {which} are {abs(one.effect):.2f} {size}."


def _where(one: Effect) -> str:
    if one.unit != "standard deviation":
        return "that have it"
    return "later in the order" if one.feature == ORDER else "one standard deviation above the mean"


def _rewrite_words(one: Rewrite) -> str:
    assert one.shift is not None, "a rewrite with a p has a shift"
    way = "raises" if one.shift > 0 else "lowers"
    remark = f" (it {MARK})" if one.may_move else ""
    moved = f"{one.moved:,} of {plural(one.of, 'grade')} moved"
    return f"{one.kind} {way} the grade by {abs(one.shift):.2f} on average: {moved}{remark}."


def _moved_words(one: Rewrite) -> str:
    return f"{one.kind} {one.moved:,} of {one.of:,}"


def _size(found: Audit) -> str:
    return f"{plural(found.n, 'item')} in {plural(found.n_clusters, 'query')}"


def _effects(found: Audit) -> Iterator[RenderableType]:
    """The effects that could be measured; the others with why not."""
    tested = [one for one in found.effects if one.effect is not None]
    if tested:
        table = columns(*EFFECTS, rows=map(_effect_row, tested))
        table.columns[1].justify = "left"
        yield indented(table)
    lines = list(_cannot_tell(found))
    if lines:
        yield Text("")
        yield from (Text(line, style="dim") for line in lines)


def _cannot_tell(found: Audit) -> Iterator[str]:
    """Each feature without an effect, with the reason; and each rewrite without a pair."""
    reasons: dict[str, Reason | None] = {}
    for effect in found.effects:
        if effect.effect is None:
            reasons.setdefault(effect.feature, effect.reason)
    for rewrite in found.rewrites:
        if rewrite.shift is None:
            reasons.setdefault(rewrite.kind, rewrite.reason)
    if found.undecided:
        yield f"Actions: none; {found.undecided}."
    for name, reason in reasons.items():
        yield f"Cannot tell about {name}: {reason.text if reason else 'no figure'}."


def _effect_row(one: Effect) -> tuple[str, ...]:
    return one.feature, one.outcome, signed(one.effect, 2), interval(one.ci, 2) or "-", _p(one.p_holm)


def _rewrite_row(one: Rewrite) -> tuple[str, ...]:
    return (
        f"{one.kind}*" if one.may_move else one.kind,
        f"{one.moved}/{one.of}",
        percent(one.share),
        interval(one.ci, 2) or "-",
        signed(one.shift, 2),
        _p(one.p_holm),
        _count(one.actions_moved),
        _count(one.actions_first),
    )


def _count(actions: int | None) -> str:
    return "-" if actions is None else f"{actions:,}"


def _p(p: float | None) -> str:
    return "-" if p is None else f"{p:.2g}" if p >= 0.001 else "<0.001"


def _rewrites(found: Audit, examples: int) -> Iterator[RenderableType]:
    yield indented(columns(*REWRITES, rows=(_rewrite_row(one) for one in found.rewrites if one.of)))
    yield Text(f"  {STAR}", style="dim")
    for moved in found.actions[:examples]:
        yield from entry(f"{moved.item}: {moved.query} -> {moved.title}", _action_words(moved))


def _action_words(one: ActionMoved) -> str:
    actions = f"{one.action_before} -> {one.action_after}"
    return f"{one.kind}: {one.before} -> {one.after}, {actions} (golden {one.golden})"


def _remarks(found: Audit) -> list[str]:
    """What a reader should know about the data."""
    unread, are = plural(found.unread, "item has", "items have"), "is" if found.unread == 1 else "are"
    lost = sum(one.unread for one in found.rewrites)
    lacks = plural(lost, "rewritten pair lacks", "rewritten pairs lack")
    return [
        *found.warnings,
        *(paraphrase_remarks(found.paraphrases) if found.paraphrases else ()),
        *([f"{unread} no readable answer and {are} left out"] if found.unread else []),
        *([f"{lacks} a grade to compare"] if lost else []),
    ]


def paraphrase_remarks(given: Paraphrased) -> Iterator[str]:
    """How many items a file of paraphrases covers, and what is not checked."""
    has = "has" if given.items == 1 else "have"
    reach = f"{given.items:,} of {plural(given.of, 'audited item')} {has} one in {given.file}"
    trust = "the file claims that their meaning and their right grade stayed, which is not checked"
    yield f"{PARAPHRASE}: {reach}; {trust}"
    if given.unchanged:
        own = plural(given.unchanged, "row has the item's own texts", "rows have the item's own texts")
        yield f"{given.file}: {own}, and no paraphrase is asked about"
    if given.elsewhere:
        yield f"{given.file}: {plural(given.elsewhere, *ELSEWHERE)}"
    if given.columns_left:
        yield f"{given.file}: not read, as they name no text of a result: {', '.join(given.columns_left)}"


def _some_rows(names: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """A table in Markdown; nothing without a row."""
    if escaped := [tuple(map(markdown_cell, row)) for row in rows]:
        yield from markdown_table(names, escaped)
