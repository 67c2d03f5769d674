"""The probe of a model, for a terminal."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from harness.report.parts import grid, indented
from harness.scorecards.checkup import Checkup
from harness.scorecards.money import usd
from harness.storage.plural import plural

WORDS = {True: "yes", False: "no", None: "not found out"}


def checkup_view(found: Checkup) -> Iterator[RenderableType]:
    """The model's answer and speed, accepted features, the cost of a grade, problems."""
    who = found.answered_by or "a model without a name"
    yield Text(f"{found.model}: {who} answered in {found.seconds:.1f} s", style="bold")
    grade = "no grade" if found.grade is None else f"grade {found.grade}"
    yield Text(f"{found.example}: {grade} (golden {found.golden}); requests sent: {found.requests}")
    if found.findings:
        yield indented(grid((one.name, WORDS[one.takes], one.says) for one in found.findings))
        yield Text("")
    yield Text(f"Cost of this grade: {_cost(found)}")
    if found.cost_cached is not None:
        yield Text(f"Cost of one with its prefix in the cache: {usd(found.cost_cached)}")
    for problem in found.problems:
        yield Text(f"problem: {problem.rstrip('.')}.", style="yellow")


def _cost(found: Checkup) -> str:
    amount = f"unknown, {found.reason}" if found.cost is None else usd(found.cost)
    used = found.usage
    if used is None:
        return amount
    return f"{amount} ({plural(used.input_tokens, 'token')} in, {used.output_tokens:,} out)"
