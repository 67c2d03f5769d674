"""What commands print, and how they end: messages, JSON, exit codes.

`harness --help` imports this, so it imports no library that is slow to load.
"""

import json
import os
import re
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any, Literal

import typer
from typer.core import TyperGroup

from harness.cli.commands import COMMANDS
from harness.errors import HarnessError
from harness.storage.plural import plural
from harness.storage.visible import one_line, visible

if TYPE_CHECKING:
    from pydantic import BaseModel
    from rich.console import RenderableType

    from harness.scaffold.copies import Begun
    from harness.scorecards.canaries import CanaryReport
    from harness.scorecards.gate2 import Gate2
    from harness.scorecards.shared import Verdict


WHOLE = re.compile(r"^[a-z]+: \S+|`[^`]*`|harness [a-z0-9]+(?: [a-z0-9]+)?(?: --[a-z-]+ [^\s,;:]+)*")
"""Parts of a line that are not folded: a command, and a label with its first word."""

_GLUE = "\ue000"
"""Stands for a space at which a line is not folded; from Unicode's private use area."""


class Commands(TyperGroup):
    """A group of commands, and of groups, whose errors end in a message and an exit code."""

    def get_params(self, ctx: Any) -> Any:
        """The options of `harness` itself. A variable for one would end every command with success."""
        own: list[Any] = self.params  # the type of options is private
        for one in own:
            one.allow_from_autoenv = one.show_envvar = False
        return super().get_params(ctx)

    def list_commands(self, ctx: Any) -> list[str]:
        """The names in the order of the loop: typer has groups last."""
        return list(dict.fromkeys(words.partition(" ")[0] for words in COMMANDS))

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]  # the base type is private
        """Run the command."""
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            error.message = _in_words(error)
            raise
        except HarnessError as error:
            complain(str(error))
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt:
            complain("interrupted")
            raise typer.Exit(130) from None
        except BrokenPipeError:
            # The reader of our output has closed it, as `head` does.
            sys.stderr.close()
            raise typer.Exit(0) from None
        except OSError as error:
            complain(f"{one_line(str(error.filename or 'output'))}: {error.strerror or error}")
            raise typer.Exit(2) from None


_NUMBERS = {"int_parsing": "a whole number, such as 3", "float_parsing": "a number, such as 0.5"}


def _in_words(error: typer.BadParameter) -> str:
    """What is wrong with an option's value; our own words where pydantic expects a number."""
    from pydantic import ValidationError

    cause = error.__cause__
    found = cause.errors()[0] if isinstance(cause, ValidationError) else None
    wanted = _NUMBERS.get(found["type"]) if found else None
    return f"{found['input']!r} is not {wanted}" if found and wanted else error.message


def complain(text: str) -> None:
    """Print a message on standard error, one line per fault."""
    lines = text.split("\n")
    shown = [f"error: {lines[0]}"] if len(lines) == 1 else ["error:", *(f"  {line}" for line in lines)]
    typer.echo("\n".join(fold(visible(line)) for line in shown), err=True)


def say(text: str) -> None:
    """Print progress and remarks on standard error, with control characters of a server's text escaped."""
    typer.echo("\n".join(fold(line) for line in visible(text).split("\n")), err=True)


def fold(line: str) -> str:
    """A line as wide as the terminal, or 80 columns; what follows is indented by two more.

    It is folded between words, so that paths and ids stay whole, and not inside a command.
    """
    width = shutil.get_terminal_size((80, 24)).columns
    if len(line) <= width:
        return line
    indent = line[: len(line) - len(line.lstrip())]
    glued = WHOLE.sub(lambda found: found[0].replace(" ", _GLUE), line[len(indent) :])
    # A path that is longer than the line keeps its indent.
    begin, then = indent, f"{indent}  "
    lines = wrap(
        glued,
        width,
        initial_indent=begin,
        subsequent_indent=then,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines).replace(_GLUE, " ")


def end_unanswered(questions: int) -> None:
    """End with exit code 4 if questions have no answer: the same command asks them again."""
    if questions:
        left = plural(questions, "question has", "questions have")
        say(f"{left} no answer; repeat the command to ask again")
        raise typer.Exit(4)


def show(parts: "Iterable[RenderableType]") -> None:
    """Print renderables to standard output, as wide as the terminal, or 80 columns.

    With NO_COLOR, Rich would still print bold: here it means plain text.
    """
    from harness.report.console import SafeConsole

    colours: Literal["auto"] | None = None if os.environ.get("NO_COLOR") else "auto"
    out = SafeConsole(highlight=False, emoji=False, markup=False, color_system=colours)
    for part in parts:
        out.put(part)


def shown_path(path: Path) -> Path:
    """A path to print, on one line; relative to the working folder if it is inside."""
    here = Path.cwd()
    return Path(one_line(str(path.relative_to(here) if path.is_relative_to(here) else path)))


def say_begun(done: "Begun", steps: list[str], *, as_json: bool) -> None:
    """A new draft: its path, what it is a copy of, and the commands that come next."""
    if as_json:
        print_json({"label": done.label, "path": str(done.path), "copied_from": done.copied_from})
        return
    origin = f"a copy of {done.copied_from}" if done.copied_from else "an example to change"
    show([f"{done.label}, a draft, {origin}: {shown_path(done.path)}"])
    say(f"next: edit it, then {', '.join(steps)}")


def print_json(value: "BaseModel | dict[str, Any]") -> None:
    """Print one JSON object. Undefined is null; NaN cannot occur."""
    from pydantic_core import to_json

    text = to_json(value, indent=2).decode("utf-8")
    if (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "") != "utf8":
        # Escapes instead of letters that the terminal cannot show are the same JSON.
        text = json.dumps(json.loads(text), indent=2)
    typer.echo(text)


def scored_json(score: "Gate2", canaries: "CanaryReport | None") -> dict[str, Any]:
    """A Gate 2 scorecard, with the canary report if canaries were graded."""
    return {**score.shown(), **({"canaries": canaries} if canaries else {})}


def end_with(verdict: "Verdict | None") -> None:
    """End with the verdict's exit code: 0 passed, 1 failed, 3 inconclusive."""
    from harness.verdicts.gates import EXIT_CODES

    assert verdict is not None, "a scorecard that was never judged"
    if code := EXIT_CODES[verdict]:
        raise typer.Exit(code)
