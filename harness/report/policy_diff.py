"""A policy change in words, and its effect on the golden set."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from harness.report.parts import below, headed, indented, whole
from harness.report.text_diff import word_changes
from harness.scorecards.policy_change import GoldenEffect, PartChange, PolicyDiff, Wording
from harness.storage.plural import plural

BOUNDS = {"cap": "at most", "floor": "at least"}
IDS_SHOWN = 20
TOUCHED_SHOWN = 40


def diff_view(diff: PolicyDiff) -> Iterator[RenderableType]:
    """Every change, with removed words in [- -] and added words in {+ +}."""
    yield Text(f"{diff.old} -> {diff.new}", style="bold")
    if not diff.changes:
        yield Text("The order of the parts differs." if diff.reordered else "Both say the same.")
    for change in diff.changes:
        yield from headed(change_heading(change))
        for wording in change.wordings:
            yield indented(_wording(wording), above=0)
    yield Text("")
    for move in diff.action_moves:
        yield Text(f"Grade {move.grade}: {move.old or 'no such grade'} -> {move.new or 'no such grade'}.")
    if diff.undecided:
        does = "does" if len(diff.undecided) == 1 else "do"
        said = f"{' and '.join(diff.undecided)} {does} not say what the actions show (`shown`)"
        yield Text(f"It is undecided whether a grade keeps its action: {said}.")
    elif not diff.action_moves:
        yield Text("Every grade keeps its action.")


def effect_view(diff: PolicyDiff, effect: GoldenEffect) -> Iterator[RenderableType]:
    """The golden examples that depend on changed parts, by part."""
    known = " are known to" if effect.cannot_tell or effect.judged_apart else ""
    touched = f"{len(effect.touched):,} of {plural(effect.examples, 'golden example')}"
    share = f"{touched}{known} depend on changed parts"
    if again := effect.judged_apart - effect.unmoved:
        share += f"; {again:,} more that may depend on them {'was' if again == 1 else 'were'} judged again"
    if effect.unmoved:
        share += f"; {effect.unmoved:,} have a grade that no change can move"
    yield from headed(f"{share}{':' if effect.touched else '.'}")
    for label, count in effect.counts.items():
        resting = [one for one in effect.touched if label in one.because]
        ids = ", ".join(whole(one.id) + "*" * (not one.judged) for one in resting[:TOUCHED_SHOWN])
        more = ", ... (all: --json, golden.touched)" if count > TOUCHED_SHOWN else ""
        yield below(f"{label} ({count}): {ids}{more}")
    if any(not one.judged for one in effect.touched):
        yield below(f"* not yet judged under {diff.new}")
    if effect.cannot_tell:
        yield from _cannot_tell(diff, effect)
    elif effect.left and not effect.earlier_text:
        yield from _left(diff, effect)
    if effect.regraded:
        have = plural(len(effect.regraded), "has", "have")
        yield from headed(f"{have} another grade now:")
    for one in effect.regraded:
        seen = "" if one.old_action == one.new_action else f" ({one.old_action} -> {one.new_action})"
        yield below(f"{whole(one.id)}, {one.split}: {one.old} -> {one.new}{seen}")
    if earlier := effect.earlier_text:
        were = f"{plural(earlier, 'was', 'were')} judged under {diff.new} before its rules were edited"
        yield from headed(f"{were}: read them again.")
    left = effect.left
    yield Text(
        f"\nLeft to judge under {diff.new}: {left:,}." if left else f"\nAll are judged under {diff.new}."
    )


def _left(diff: PolicyDiff, effect: GoldenEffect) -> Iterator[RenderableType]:
    """Next steps where the dependence of every example is known."""
    read = sum(not one.judged for one in effect.touched)
    name, rest = diff.new, effect.left - read
    yield Text("What to do:")
    if rest:
        step = (
            f"confirm the {rest:,} that depend on none: harness golden confirm --policy {name} --unaffected"
        )
        yield below(step)
    if read:
        step = f"read those marked * again: harness golden confirm --policy {name} --examples IDS --why TEXT"
        yield below(f"{step}, or regrade")


def _cannot_tell(diff: PolicyDiff, effect: GoldenEffect) -> Iterator[RenderableType]:
    """The examples whose dependence is unknown, and next steps."""
    new = ", ".join(part.label for part in diff.uncited)
    why = f"no example can have cited {new}" if new else "they cite no clause"
    if new and {part.label for part in diff.rules} - {part.label for part in diff.uncited}:
        why = f"they cite no clause, or {new} can move their grade, which no example can have cited"
    rules = ", ".join(dict.fromkeys(part.label for part in (*diff.rules, *diff.uncited)))
    unknown, movable = len(effect.cannot_tell), effect.could_move
    yield from headed(f"Cannot tell for {unknown:,}: {why}.")
    some = f"By its caps, floors and grades the change ({rules}) can move {len(movable):,} of them."
    every = f"The change ({rules}) can move any of them: no cap, floor or grade rules one out."
    yield Text(every if len(movable) == unknown else some)
    if movable:
        more = ", ..." if len(movable) > IDS_SHOWN else ""
        yield below(f"{', '.join(map(whole, movable[:IDS_SHOWN]))}{more}")
    if effect.suggested is not None:
        suggested = ", ".join(map(whole, effect.suggested[:IDS_SHOWN])) or "none"
        yield Text(f"The teacher's reasons suggest {len(effect.suggested):,}, a suggestion, not a judgement:")
        yield below(suggested)
    name, still = diff.new, unknown - len(movable)
    yield Text("What to do:")
    other = f"confirm the other {still:,}: harness golden confirm --policy {name} --cannot-move"
    suggest = f"let a teacher suggest: harness policy diff {diff.old} {name} --suggest RUN"
    for step in (
        *([other] if still else []),
        "read these again; all their ids: --json, golden.could_move",
        f"those that keep their grade: harness golden confirm --policy {name} --file IDS --why TEXT",
        f"the others: harness golden regrade ID --policy {name} --grade N --reasoning TEXT --why TEXT",
        *([suggest] if effect.suggested is None and diff.rules else []),
    ):
        yield below(step)


def change_heading(change: PartChange) -> str:
    """One part's change, in a line."""
    keys = {wording.key for wording in change.wordings}
    if change.kind != "changed":
        did: str = change.kind
    elif keys == {"example"}:
        did = "other worked examples"
    elif change.part == "boundary" and "grade" in keys:
        did = "decided otherwise"
    else:
        did = "another bound" if keys <= set(BOUNDS) else "reworded"
    note = "" if change.binds or change.part != "clause" else " (its reason only: it binds as before)"
    name = " and ".join(sorted(keys)) if change.part == "policy" else f"{change.part} {change.name}"
    return f"{name[0].upper()}{name[1:]}: {did}{note}"


def _wording(wording: Wording) -> Text:
    key, old, new = wording.key, wording.old, wording.new
    if key in BOUNDS:
        return Text(f"{BOUNDS[key]}: {old or 'no bound'} -> {new or 'no bound'}")
    if old is None or new is None:
        return Text(f"{key}: {marked('-', old)}{marked('+', new)}")
    return Text(f"{key}: {word_diff(old, new)}")


def word_diff(old: str, new: str) -> str:
    """Both texts as one, with removed words in [- -] and added words in {+ +}."""
    return " ".join(marked(sign, text) if sign else text for text, sign in word_changes(old, new))


def marked(sign: str, text: str | None) -> str:
    """Removed or added words in their brackets; empty if there are none."""
    if not text:
        return ""
    return f"[-{text}-]" if sign == "-" else f"{{+{text}+}}"
