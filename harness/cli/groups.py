"""Groups of options: each is declared once, and reaches the functions behind a command as one typed value."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from harness.cli.options import Columns, Encoding, Format, layout
from harness.errors import BadInput

if TYPE_CHECKING:
    from harness.grading.job import Limits
    from harness.runs.manifest import Asked
    from harness.runs.pairs import ShownPair
    from harness.storage.stream import Stream


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose dataclass parameters are shown as one option for each of their fields, in order.

    A field is declared as an option is: `Annotated[type, typer.Option(...)]` with a default.
    """
    hints = get_type_hints(command, include_extras=True)
    groups = {name: kind for name, kind in hints.items() if isinstance(kind, type) and is_dataclass(kind)}

    @functools.wraps(command)
    def run(**options: Any) -> None:  # the values are as typed as their options: typer parses them
        for name, kind in groups.items():
            options[name] = kind(**{field.name: options.pop(field.name) for field in fields(kind)})
        command(**options)

    shown = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for one in inspect.signature(command, eval_str=True).parameters.values()
        for parameter in (_parameters(groups[one.name]) if one.name in groups else [one])
    ]
    run.__dict__["__signature__"] = inspect.Signature(shown)
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in shown}
    return run


def _parameters(group: type) -> list[inspect.Parameter]:
    return list(inspect.signature(group, eval_str=True).parameters.values())


Shots = Annotated[
    int | None, typer.Option(min=0, help="Golden examples in the prompt. Default: as the prompt says.")
]
Temperature = Annotated[
    float | None, typer.Option(min=0, max=10, help="Sent to the model where given; some models refuse it.")
]
BaseUrl = Annotated[str | None, typer.Option(help="A server of your own that speaks the provider's API.")]


@dataclass(frozen=True)
class TeacherOptions:
    """Who grades, where a command grades anew each time; `harness eval` can go on with a run instead."""

    model: Annotated[str, typer.Option(help="provider/model. The default needs no key and no network.")] = (
        "builtin/lexical"
    )
    prompt: Annotated[str, typer.Option(help="name or name@v2.")] = "teacher"
    shots: Shots = None
    temperature: Temperature = None
    seed: Annotated[int | None, typer.Option(help="Sent to the model where given.")] = None
    base_url: BaseUrl = None

    def asked(self, policy: str, pairs: Path) -> "Asked":
        """A request to grade a file of production pairs."""
        from harness.runs.manifest import Asked

        return Asked(**asdict(self), policy=policy, splits=(), pairs=str(pairs))


@dataclass(frozen=True)
class CallOptions:
    """How calls are made; nothing of it changes an answer."""

    max_connections: Annotated[
        int | None,
        typer.Option(min=1, max=5000, help="Calls in flight at most. Default: as many as the server bears."),
    ] = None
    no_cache: Annotated[
        bool,
        typer.Option("--no-cache", help="Ask anew, whatever earlier runs were answered, and keep nothing."),
    ] = False

    def limits(self, *, only_failed: bool = False, max_cost: float | None = None) -> "Limits":
        """These and a run's own as what the engine obeys."""
        from harness.grading.job import Limits

        return Limits(self.max_connections, not self.no_cache, only_failed, max_cost)


@dataclass(frozen=True)
class PairsOptions:
    """Which production pairs to grade, and how their file is to be read."""

    pairs: Annotated[
        Path | None,
        typer.Option(help="Production pairs: a table with item, query and title, without grades."),
    ] = None
    traffic: Annotated[str | None, typer.Option(help="The column that says how often a pair is seen.")] = None
    attributes: Annotated[
        str | None, typer.Option(help="Further columns that the surface shows: colour,size")
    ] = None
    columns: Columns = None
    format: Format = None
    encoding: Encoding = None

    @property
    def path(self) -> Path:
        """The file; BadInput where none is given."""
        if self.pairs is None:
            raise BadInput("which pairs? --pairs FILE, a table with item, query and title")
        return self.pairs

    def read(self) -> "Stream[ShownPair]":
        """The pairs."""
        from harness.runs.pairs import read_pairs

        names = tuple(part.strip() for part in (self.attributes or "").split(",") if part.strip())
        how = layout(self.columns, None, self.format, encoding=self.encoding)
        return read_pairs(self.path, how, self.traffic, names)
