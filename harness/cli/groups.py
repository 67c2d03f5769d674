"""Groups of options, each declared once and passed on as one typed value."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

from harness.cli.options import Columns, Encoding, Format, layout, names_in, option
from harness.errors import BadInput

if TYPE_CHECKING:
    from harness.grading.job import Limits
    from harness.runs.manifest import Asked
    from harness.runs.pairs import ShownPair
    from harness.storage.stream import Stream


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose dataclass parameters become one option for each of their fields, in order.

    A field is declared like an option: `Annotated[type, option(...)]` with a default.
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


def append(path: Path | None, text: str) -> None:
    """Append to a file, if there is a path."""
    if path is not None:
        with path.open("a", encoding="utf-8") as file:
            file.write(text)


def _parameters(group: type) -> list[inspect.Parameter]:
    return list(inspect.signature(group, eval_str=True).parameters.values())


Markdown = Annotated[Path | None, option("Append the result as Markdown, for a summary.")]
Shots = Annotated[int | None, option("Golden examples in the prompt. Default: as the prompt says.", min=0)]
Temperature = Annotated[
    float | None, option("Sent to the model if given; some models reject it.", min=0, max=10)
]
MaxTokens = Annotated[
    int | None, option("Limit of an answer, thinking included. Default: the server's.", min=1, metavar="N")
]
NoSchema = Annotated[bool, option("Send no JSON schema: the prompt alone asks for the form.", "--no-schema")]
FoldSystem = Annotated[
    bool, option("Send the system text in the user message: some models lack the role.", "--fold-system")
]
BaseUrl = Annotated[str | None, option("A server of your own that speaks the provider's API.")]


@dataclass(frozen=True, eq=False, repr=False)
class TeacherOptions:
    """Who grades, for commands that cannot resume a run."""

    model: Annotated[str, option("provider/model. The default needs no key and no network.")] = (
        "builtin/lexical"
    )
    prompt: Annotated[str, option("name or name@v2.")] = "teacher"
    shots: Shots = None
    temperature: Temperature = None
    seed: Annotated[int | None, option("Sent to the model if given.")] = None
    max_tokens: MaxTokens = None
    no_schema: NoSchema = False
    fold_system: FoldSystem = False
    base_url: BaseUrl = None

    def asked(self, policy: str, pairs: Path) -> "Asked":
        """A request to grade a file of production pairs."""
        from harness.runs.manifest import Asked

        return Asked(**asdict(self), policy=policy, splits=(), pairs=str(pairs))


@dataclass(frozen=True, eq=False, repr=False)
class CallOptions:
    """How to make calls; none of it changes an answer."""

    max_connections: Annotated[
        int | None,
        option("Maximum of calls in flight. Default: as many as the server bears.", min=1, max=5000),
    ] = None
    no_cache: Annotated[bool, option("Do not use replies of earlier runs, and keep none.", "--no-cache")] = (
        False
    )

    def limits(self, *, only_failed: bool = False, max_cost: float | None = None) -> "Limits":
        """These and the limits of a run."""
        from harness.grading.job import Limits

        return Limits(self.max_connections, not self.no_cache, only_failed, max_cost)


@dataclass(frozen=True, eq=False, repr=False)
class PairsOptions:
    """Which production pairs to grade, and how to read their file."""

    pairs: Annotated[
        Path | None, option("Production pairs: a table with item, query and title, without grades.")
    ] = None
    traffic: Annotated[str | None, option("The column that says how often a pair is seen.")] = None
    attributes: Annotated[str | None, option("Further columns that the surface shows: colour,size")] = None
    columns: Columns = None
    format: Format = None
    encoding: Encoding = None

    @property
    def path(self) -> Path:
        """The file; BadInput if none is given."""
        if self.pairs is None:
            raise BadInput("add --pairs FILE, a table with item, query and title")
        return self.pairs

    def read(self) -> "Stream[ShownPair]":
        """The pairs."""
        from harness.runs.pairs import read_pairs

        how = layout(self.columns, None, self.format, encoding=self.encoding)
        return read_pairs(self.path, how, self.traffic, names_in(self.attributes))
