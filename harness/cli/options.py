"""The options that commands share, and how they are read.

`harness --help` imports this, so it imports no library that is slow to load.
"""

import csv
import os
from collections.abc import Iterable
from inspect import Parameter, get_annotations
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, dataclass_transform, get_type_hints

import typer

from harness.cli import completion
from harness.cli.output import say
from harness.errors import BadInput, Fault
from harness.storage.project import Project, find_project, folder_names, split_label

if TYPE_CHECKING:
    from harness.nouns.base import Weighting as Weights
    from harness.storage.tables import Layout

DEFAULT_POLICY = "product-search"
"""The policy that comes with the project: the default of the commands where there are several."""


def option(help: str, *names: str, **more: Any) -> Any:
    """An option of a command. `names`: how to write it, if not as the name of its parameter."""
    return typer.Option(*names, help=help, show_envvar=False, **more)  # the end of the help states the rule


def argument(help: str, **more: Any) -> Any:
    """An argument of a command."""
    return typer.Argument(help=help, show_envvar=False, **more)


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Options:
    """A group of options, passed on as one typed value; a field is declared like an option of a command.

    Type checkers see a frozen dataclass; a real one would compile a constructor at every start.
    """

    def __init__(self, **values: Any) -> None:
        for name in self.fields():
            self.__dict__[name] = values.pop(name) if name in values else getattr(type(self), name)
        assert not values, f"no such option: {', '.join(values)}"

    @classmethod
    def fields(cls) -> tuple[str, ...]:
        """The names of the options, those of the bases first."""
        return tuple(dict.fromkeys(chain.from_iterable(map(get_annotations, reversed(cls.__mro__)))))

    def given(self, *apart: str) -> dict[str, Any]:
        """The options that are not at their defaults, by name, without those `apart`."""
        return {
            name: value
            for name, value in vars(self).items()
            if name not in apart and value != getattr(type(self), name)
        }

    @classmethod
    def parameters(cls) -> list[Parameter]:
        """The options as parameters of a command."""
        kinds = get_type_hints(cls, include_extras=True)
        return [
            Parameter(name, Parameter.KEYWORD_ONLY, annotation=kinds[name], default=getattr(cls, name))
            for name in cls.fields()
        ]


Root = Annotated[
    Path | None, option("The project's folder. Default: the nearest one upwards with policies/.")
]
Json = Annotated[bool, option("Print one JSON object and nothing else.", "--json")]
Columns = Annotated[str | None, option("Headers for our names: item=query+product_id,grade=label,query=qid")]
Format = Annotated[
    str | None, option("csv, tsv, jsonl, json, parquet, xlsx or qrels. Default: by its ending.")
]
Encoding = Annotated[
    str | None, option("Encoding of CSV, TSV or qrels that is not UTF-8: cp1252, utf-16, ...")
]
Weighting = Annotated[
    str | None, option("Which kappa is gated: none, linear or quadratic. Default: gates.toml.")
]
Margin = Annotated[float | None, option("The kappa it may lose. Default: gates.toml.", min=0, max=2)]
RUN = argument(
    "Its folder, its name or the beginning of it, latest, or baseline.", autocompletion=completion.runs
)
RunName = Annotated[str, RUN]
OptionalRun = Annotated[str | None, RUN]


def project_at(root: Path | None) -> Project:
    """The project that a command works on."""
    return find_project(root)


def policy_or_only(given: str | None, project: Project) -> str:
    """The policy given, else the project's only one, else the one that comes with the project."""
    if given is not None:
        return given  # an empty one too, as from an unset variable: loading it reports the fault
    known = folder_names(project.policies)
    return known[0] if len(known) == 1 else DEFAULT_POLICY


def with_note(label: str, project: Project) -> str:
    """Return the label. Print a note if it means the latest of several drafts."""
    from harness.policy.load import policy_versions
    from harness.storage.versions import pick_version, released_versions

    name, version = split_label(label)
    files = policy_versions(project.policies / name) if name in folder_names(project.policies) else {}
    if version is None and len(files) > 1 and not released_versions(files):
        latest = pick_version("policy", name, None, files)
        say(f"note: no version of {name} is released: {name} is its latest draft, {name}@{latest}")
    return label


def policy_label(given: str | None, project: Project) -> str:
    """The label of the policy given, or of the default one."""
    return with_note(policy_or_only(given, project), project)


def load_keys(project: Project) -> None:
    """Read the keys that the environment lacks from the project's .env, and no other variables.

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
    """Whether a variable says where requests or telemetry go, or which certificates are trusted."""
    return (
        name.upper().startswith("OTEL_")
        or name.upper().endswith(
            ("_PROXY", "_BASE_URL", "_BASE", "_ENDPOINT", "_HOST", "_TELEMETRY", "_TELEMETRY_CONTENT")
        )
        or "SSL" in name
    )


def names_in(text: str | None) -> tuple[str, ...]:
    """The names in a comma-separated list; empty for None. Double quotes enclose a name with a comma."""
    try:
        named = next(csv.reader([text or ""], skipinitialspace=True), [])
    except csv.Error as error:
        raise BadInput(f"{text!r} is not a list of names on one line: {error}") from None
    return tuple(name.strip() for name in named if name.strip())


RATINGS_COLUMNS = "--ratings-columns"
"""The option for the headers of ratings that stand beside another table."""


def layout(
    columns: str | None = None,
    format: str | None = None,
    *,
    wide: str | None = None,
    labels: str | None = None,
    encoding: str | None = None,
    mapped_by: str | None = "--columns",
    words_by: str = "--labels",
) -> "Layout":
    """How to read a table. `mapped_by`, `words_by`: the options that map its headers, and words to grades."""
    from harness.storage.tables import Layout, parse_columns, parse_labels

    names = names_in(wide)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadInput(f"--wide names {', '.join(twice)} twice")
    words = parse_labels(labels, words_by)
    return Layout(parse_columns(columns), names, format, words, encoding, mapped_by, words_by)


def weighting_of(text: str | None) -> "Weights | None":
    """A weighting by its name; None for none. BadInput for an unknown one."""
    from harness.score.threshold import WEIGHTINGS

    if text is None:
        return None
    for known in WEIGHTINGS:
        if text == known:
            return known
    raise BadInput(f"weighting {text!r} is not one of: {', '.join(WEIGHTINGS)}")


def refuse_lost(names: Iterable[str]) -> None:
    """BadInput for names with the extension of a table that are not the path of a file."""
    from harness.storage.formats import FORMAT_OF

    lost = [name for name in names if Path(name).suffix.lower() in FORMAT_OF and not Path(name).exists()]
    if lost:
        raise BadInput([Fault(name, "no such file") for name in lost])
