"""What the commands share: options, output, and errors in words.

Kept light on purpose: `harness --help` imports this and no library that is slow to load.
"""

import functools
import json
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, ParamSpec, TypeVar

import typer

from harness.errors import HarnessError
from harness.storage.visible import visible

if TYPE_CHECKING:
    from pydantic import BaseModel
    from rich.console import Console, RenderableType

    from harness.golden.canaries import CanaryReport
    from harness.score.threshold import Threshold
    from harness.scorecards.gate2 import Gate2
    from harness.scorecards.shared import Gate
    from harness.storage.project import Project
    from harness.storage.tables import Layout

P = ParamSpec("P")
T = TypeVar("T")

DEFAULT_POLICY = "product-search"
"""The policy that ships, and that commands work on where none is named."""

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
Labels = Annotated[
    str | None, typer.Option(help="Grades as words: Exact=2,Partial=1,Irrelevant=0. Holds for all files.")
]
Encoding = Annotated[
    str | None, typer.Option(help="Of tables that are not UTF-8: cp1252, utf-16, ... (CSV, TSV, qrels).")
]
Wide = Annotated[str | None, typer.Option(help="A column for each rater: rater1,rater2,...")]
Rater = Annotated[str | None, typer.Option(help="Which rater's grades, where a file holds several.")]
GradesColumns = Annotated[
    str | None, typer.Option(help="Like --columns, where the grades file has other headers.")
]
GradesFormat = Annotated[
    str | None, typer.Option(help="Like --format, where the grades file has another one.")
]
Scale = Annotated[
    str | None, typer.Option(help="The grades there are, such as 0-4, where no policy says it.")
]
Weighting = Annotated[
    str | None, typer.Option(help="Which kappa is gated: none, linear or quadratic. Default: gates.toml.")
]
Bootstrap = Annotated[
    bool, typer.Option("--bootstrap", help="A cluster bootstrap of the gated kappa too, to compare.")
]
BarValue = Annotated[float | None, typer.Option("--bar", help="The kappa asked for. Default: gates.toml.")]


def guarded(command: Callable[P, T]) -> Callable[P, T]:
    """A command that ends in words and an exit code where it would end in one of our errors."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return command(*args, **kwargs)
        except HarnessError as error:
            complain(str(error))
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt:
            complain("interrupted")
            raise typer.Exit(130) from None
        except BrokenPipeError:
            # Whoever read our output has gone, as `head` does: that is no error of ours.
            sys.stderr.close()
            raise typer.Exit(0) from None
        except OSError as error:
            complain(f"{error.filename or 'output'}: {error.strerror or error}")
            raise typer.Exit(2) from None

    return run


def complain(text: str) -> None:
    """A message on standard error, one line of it per fault."""
    lines = text.split("\n")
    first = f"error: {lines[0]}" if len(lines) == 1 else "error:\n  " + lines[0]
    typer.echo(visible("\n  ".join([first, *lines[1:]])), err=True)


def say(text: str) -> None:
    """Progress and remarks, on standard error; what a server said in them must not steer the terminal."""
    typer.echo(visible(text), err=True)


def project_at(root: Path | None) -> "Project":
    """The project that a command works on."""
    from harness.storage.project import find_project

    return find_project(root)


def load_keys(project: "Project") -> None:
    """Keys from the project's .env, behind those that the environment has, and nothing else of it.

    A project may come from a stranger: an address or a proxy in its .env would send a key elsewhere.
    """
    import io

    from dotenv import dotenv_values

    from harness.providers import key_variables, variables
    from harness.storage.files import read_text

    path = project.root / ".env"
    if not path.is_file():
        return
    # Not interpolated: another key of the environment would be taken under a name of the file's choice.
    given = dotenv_values(stream=io.StringIO(read_text(path)), interpolate=False)
    for name in key_variables():
        if key := given.get(name):
            os.environ.setdefault(name, key)
    left = [name for name in given if name not in key_variables() and (name in variables() or _routes(name))]
    if left:
        say(f"note: {', '.join(left)} in {path} is not taken: a file gives keys, and you say where they go")


def _routes(name: str) -> bool:
    """Whether a variable says where requests go, or who is trusted there."""
    return name.upper().endswith(("_PROXY", "_BASE_URL", "_BASE", "_ENDPOINT", "_HOST")) or "SSL" in name


def console() -> "Console":
    """Standard output, as wide as the terminal; 80 columns where there is none.

    Rich takes NO_COLOR to mean colours alone, and would still print bold: here it means plain text.
    """
    from harness.report.console import SafeConsole

    colours: Literal["auto"] | None = None if os.environ.get("NO_COLOR") else "auto"
    return SafeConsole(highlight=False, emoji=False, markup=False, color_system=colours)


def show(parts: "Iterable[RenderableType]") -> None:
    """Print renderables to standard output."""
    out = console()
    for part in parts:
        if isinstance(part, str):
            # A line as it is: folding it would break the path that somebody copies.
            out.file.write(visible(part) + "\n")
        else:
            out.print(part)


def shown_path(path: Path) -> Path:
    """A path as short as it can be said from here."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def print_json(value: "BaseModel | dict[str, Any]") -> None:
    """One JSON object on standard output. Undefined is null; NaN cannot occur."""
    from pydantic_core import to_json

    text = to_json(value, indent=2).decode("utf-8")
    if (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "") != "utf8":
        # Where the terminal cannot show a letter, its escape is still the same JSON.
        text = json.dumps(json.loads(text), indent=2)
    typer.echo(text)


def scored_json(score: "Gate2", canaries: "CanaryReport | None") -> dict[str, Any]:
    """A Gate 2 scorecard, with what steering did where canaries were graded."""
    # Not dumped: the misses of a long run are many, and one form of them is enough.
    return {**dict(score), **({"canaries": canaries} if canaries else {})}


def layout(
    columns: str | None,
    wide: str | None,
    format: str | None,
    labels: str | None = None,
    encoding: str | None = None,
) -> "Layout":
    """How a table is to be read."""
    from harness.errors import BadInput
    from harness.storage.tables import Layout, parse_columns, parse_labels

    names = tuple(name.strip() for name in (wide or "").split(",") if name.strip())
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadInput(f"--wide names {', '.join(twice)} twice")
    return Layout(parse_columns(columns), names, format, parse_labels(labels), encoding)


def bar_of(
    weighting: str | None, value: float | None, own: "Threshold", whence: str = "gates.toml has"
) -> "Threshold":
    """The bar to gate by: what was asked for, else one's own; `whence` says where that one comes from.

    A moved bar says so.
    """
    from harness.errors import BadInput
    from harness.score.threshold import WEIGHTINGS, Threshold

    chosen = own.weighting if weighting is None else weighting
    if value is not None and not -1 <= value <= 1:
        raise BadInput(f"bar {value}: a kappa lies between -1 and 1")
    for known in WEIGHTINGS:
        if chosen == known:
            bar = Threshold(known, own.bar if value is None else value, own.moved)
            same = (bar.weighting, bar.bar) == (own.weighting, own.bar)
            return bar if same else bar.moved_from(f"{whence} {own.text}")
    raise BadInput(f"weighting {weighting!r} is not one of: {', '.join(WEIGHTINGS)}")


def end_by(score: "Gate") -> None:
    """End with the verdict's exit code: 0 passed, 1 failed, 3 inconclusive."""
    from harness.verdicts.gates import exit_code

    code = exit_code(score)
    if code:
        raise typer.Exit(code)
