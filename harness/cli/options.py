"""Shared by the commands: options, output, and error messages.

`harness --help` imports this, so it imports no library that is slow to load.
"""

import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from harness.cli import completion
from harness.cli.help import document
from harness.errors import BadInput, HarnessError
from harness.storage.project import Project, find_project
from harness.storage.tables import Layout, parse_columns, parse_labels
from harness.storage.visible import visible

if TYPE_CHECKING:
    from pydantic import BaseModel
    from rich.console import RenderableType

    from harness.golden.canaries import CanaryReport
    from harness.nouns.base import Weighting as Weights
    from harness.scorecards.gate2 import Gate2
    from harness.scorecards.shared import Gate, Verdict

DEFAULT_POLICY = "product-search"
"""The policy that comes with the project: the default of the commands."""

Root = Annotated[
    Path | None, typer.Option(help="The project's folder. Default: the nearest one upwards with policies/.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Columns = Annotated[
    str | None, typer.Option(help="Headers for our names: item=query+product_id,grade=label,query=qid")
]
Format = Annotated[
    str | None, typer.Option(help="csv, tsv, jsonl, json, parquet, xlsx or qrels. Default: by its ending.")
]
Encoding = Annotated[
    str | None, typer.Option(help="Of tables that are not UTF-8: cp1252, utf-16, ... (CSV, TSV, qrels).")
]
Weighting = Annotated[
    str | None, typer.Option(help="Which kappa is gated: none, linear or quadratic. Default: gates.toml.")
]
RUN = typer.Argument(
    help="Its folder, its name or the beginning of it, latest, or baseline.", autocompletion=completion.runs
)
RunName = Annotated[str, RUN]
OptionalRun = Annotated[str | None, RUN]


class Commands(TyperGroup):
    """A group of commands, and of groups, whose errors end in a message and an exit code."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        document(self)

    def get_params(self, ctx: Any) -> Any:
        """The options of `harness` itself: set in an environment, each would end every command in success."""
        own: list[Any] = self.params  # the type of options is private
        for one in own:
            one.allow_from_autoenv = one.show_envvar = False
        return super().get_params(ctx)

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]  # the base type is private
        """Run the command."""
        try:
            return super().invoke(ctx)
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
            complain(f"{error.filename or 'output'}: {error.strerror or error}")
            raise typer.Exit(2) from None


def complain(text: str) -> None:
    """Print a message on standard error, one line per fault."""
    lines = text.split("\n")
    first = f"error: {lines[0]}" if len(lines) == 1 else "error:\n  " + lines[0]
    typer.echo(visible("\n  ".join([first, *lines[1:]])), err=True)


def say(text: str) -> None:
    """Print progress and remarks on standard error, with control characters of a server's text escaped."""
    typer.echo(visible(text), err=True)


def project_at(root: Path | None) -> Project:
    """The project that a command works on."""
    return find_project(root)


def load_keys(project: Project) -> None:
    """Take the keys that the environment lacks, and nothing else, from the project's .env.

    A project may be untrusted: an address or a proxy in its .env would send a key elsewhere.
    """
    import io

    from dotenv import dotenv_values

    from harness.providers import key_variables, variables
    from harness.storage.files import read_text

    path = project.root / ".env"
    if not path.is_file():
        return
    # Not interpolated: the file could take another key of the environment.
    given = dotenv_values(stream=io.StringIO(read_text(path)), interpolate=False)
    for name in key_variables():
        if key := given.get(name):
            os.environ.setdefault(name, key)
    left = [name for name in given if name not in key_variables() and (name in variables() or _routes(name))]
    if left:
        say(f"note: {', '.join(left)} in {path} is ignored; give addresses on the command line")


def _routes(name: str) -> bool:
    """Whether a variable says where requests go, or which certificates are trusted."""
    return name.upper().endswith(("_PROXY", "_BASE_URL", "_BASE", "_ENDPOINT", "_HOST")) or "SSL" in name


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
    """A path, relative to the working folder if it is inside."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


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
    # Not dumped: a second copy of a long run's disagreements would be large.
    return {**dict(score), **({"canaries": canaries} if canaries else {})}


def names_in(text: str | None) -> tuple[str, ...]:
    """The names in a comma-separated list; none in None."""
    return tuple(name.strip() for name in (text or "").split(",") if name.strip())


def layout(
    columns: str | None,
    wide: str | None,
    format: str | None,
    labels: str | None = None,
    encoding: str | None = None,
) -> Layout:
    """How to read a table."""
    names = names_in(wide)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadInput(f"--wide names {', '.join(twice)} twice")
    return Layout(parse_columns(columns), names, format, parse_labels(labels), encoding)


def weighting_of(text: str | None) -> "Weights | None":
    """A weighting by its name; None for none. BadInput for an unknown one."""
    from harness.score.threshold import WEIGHTINGS

    if text is None:
        return None
    for known in WEIGHTINGS:
        if text == known:
            return known
    raise BadInput(f"weighting {text!r} is not one of: {', '.join(WEIGHTINGS)}")


def end_with(verdict: "Verdict") -> None:
    """End with the verdict's exit code: 0 passed, 1 failed, 3 inconclusive."""
    from harness.verdicts.gates import EXIT_CODES

    if code := EXIT_CODES[verdict]:
        raise typer.Exit(code)


def end_by(score: "Gate") -> None:
    """End with the exit code of a scorecard's verdict."""
    from harness.verdicts.gates import exit_code

    if code := exit_code(score):
        raise typer.Exit(code)
