"""How a search's outcome depends on the grades that it showed, in words."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from harness.report.formats import ended, interval, number, percent, signed, with_interval
from harness.report.parts import headed
from harness.scorecards.signal import ArmDifference, Association, NorthStar
from harness.storage.plural import plural


def star_lines(star: NorthStar) -> Iterator[RenderableType]:
    """The associations and the arms, for a terminal."""
    yield from headed("How a search's outcome depends on the grades shown:")
    if star.n:
        left = f"; {star.left_out:,} with ungraded results are left out" if star.left_out else ""
        yield Text(
            f"  {plural(star.n, 'search', 'searches')} of {plural(star.queries, 'query')}, "
            f"{percent(star.outcome)} with the outcome{left}."
        )
    if star.reason:
        yield Text(f"  {ended(star.reason)}")
    for one in star.associations:
        yield Text(f"  {association_sentence(one)}")
    for line in arm_lines(star):
        yield Text(f"  {line}")
    if star.associations or star.arms:
        yield Text(f"  {star.words}")


def association_sentence(one: Association) -> str:
    """An association in words."""
    what = one.words[:1].upper() + one.words[1:]
    if one.odds_ratio is None:
        return f"{what}: {ended(one.reason or 'undefined')}"
    more = f"the odds of the outcome times {number(one.odds_ratio, 2)} {interval(one.ci, 2)}"
    return f"{what}: one standard deviation more goes with {more}."


def arm_lines(star: NorthStar) -> Iterator[str]:
    """The size of each arm, and the differences between the arms, in words."""
    for one in star.arm_sizes:
        searches, queries = plural(one.searches, "search", "searches"), plural(one.queries, "query")
        yield f"Arm {one.arm}: {plural(one.sessions, 'session')}, {searches} of {queries}."
    yield from map(_arm_sentence, star.arms)


def _arm_sentence(one: ArmDifference) -> str:
    what = "sessions with the outcome" if one.figure == "outcome" else "mean DCG shown"
    sides = f"{one.arm} {number(one.value)}, {one.base} {number(one.base_value)}"
    difference = with_interval(signed(one.difference), one.ci)
    reason = f" ({one.reason})" if one.reason else ""
    return f"{what[:1].upper()}{what[1:]}, {sides}: {difference}{reason}."
