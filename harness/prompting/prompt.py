"""Prompts: a template, a policy and shots make a constant prefix; each pair is appended as data.

A prompt version is a folder: `system.j2` sees the policy and the shots, `pair.j2` sees the pair,
`prompt.toml` says how many shots are shown. Everything before the pair's JSON is byte for byte the
same for every pair of a run, so that a provider can cache it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import Field

from harness.errors import BadInput, Fault
from harness.golden.shots import choose_shots, nearest_shots
from harness.golden.similarity import tokens
from harness.nouns.base import Noun
from harness.nouns.pair import Example, Pair, indented_json
from harness.nouns.policy import Policy
from harness.nouns.records import Message, Prompt
from harness.storage.digest import digest
from harness.storage.files import build, read_text, read_toml
from harness.storage.project import (
    Project,
    folder_names,
    is_version,
    pick_name,
    pick_version,
    split_label,
    version_number,
)

SYSTEM, PAIR, SPEC = "system.j2", "pair.j2", "prompt.toml"


class PromptSpec(Noun):
    """What prompt.toml says.

    `shots`: how many golden examples are shown; absent: all there are. `strategy`: the same ones,
    balanced over the grades, for every pair, or for each pair those nearest to it.
    """

    name: str
    version: str
    description: str
    released: bool = False
    shots: int | None = Field(default=None, ge=0)
    strategy: Literal["balanced", "nearest"] = "balanced"


@dataclass(frozen=True, slots=True)
class PromptFiles:
    """A prompt version as it lies on disk."""

    folder: Path
    spec: PromptSpec
    system: str
    pair: str

    @property
    def label(self) -> str:
        """`name@version`."""
        return f"{self.spec.name}@{self.spec.version}"

    @property
    def digest(self) -> str:
        """Identity of what the prompt says, its number of shots included."""
        return digest([self.system, self.pair, self.spec.shots, self.spec.strategy])


def prompt_names(project: Project) -> list[str]:
    """Every prompt of the project."""
    return folder_names(project.prompts)


def prompt_versions(folder: Path) -> list[str]:
    """Every version of a prompt."""
    return [name for name in folder_names(folder) if is_version(name)]


def prompt_labels(project: Project) -> list[str]:
    """Every version of every prompt, in order."""
    return [
        f"{name}@{version}"
        for name in prompt_names(project)
        for version in sorted(prompt_versions(project.prompts / name), key=version_number)
    ]


def load_prompt(project: Project, label: str) -> PromptFiles:
    """`name@version`; without a version the latest. BadInput for a folder that is not whole."""
    name, wanted = split_label(label)
    parent = pick_name("prompt", name, project.prompts)
    folder = parent / pick_version("prompt", name, wanted, prompt_versions(parent))
    spec, faults = build(PromptSpec, read_toml(folder / SPEC), str(folder / SPEC))
    if spec is not None and (spec.name, spec.version) != (name, folder.name):
        faults.append(
            Fault(str(folder / SPEC), f"says {spec.name}@{spec.version}, lies in {name}/{folder.name}")
        )
    if faults or spec is None:
        raise BadInput(faults)
    return PromptFiles(folder, spec, read_text(folder / SYSTEM), read_text(folder / PAIR))


class PromptWriter:
    """A prompt version bound to a policy and shots: renders the prompt of each pair.

    `shots` are shown with every pair; of `pool`, the `near` nearest with each pair, behind the prefix.
    """

    def __init__(
        self,
        files: PromptFiles,
        policy: Policy,
        shots: Sequence[Example],
        pool: Sequence[Example] = (),
        near: int = 0,
    ) -> None:
        self.files = files
        self.shots = tuple(shots)
        self._pool = [(shot, tokens(shot)) for shot in pool]
        self._near = near
        self._policy = policy
        self._pair_template = _compile(files, PAIR, files.pair)

    @property
    def shown(self) -> tuple[Example, ...]:
        """Every shot that some pair may be shown."""
        return self.shots + tuple(shot for shot, _ in self._pool)

    @cached_property
    def system(self) -> str:
        """The system message: the policy and the shots, the same for every pair."""
        template = _compile(self.files, SYSTEM, self.files.system)
        return _render(self.files, SYSTEM, template, {"policy": self._policy, "shots": self.shots})

    @cached_property
    def lead(self) -> str:
        """What every pair's message begins with; nothing where each pair has shots of its own."""
        return "" if self._near else self._pair_message(_ANY_PAIR)[: -len(to_json(_ANY_PAIR))]

    @property
    def prefix_digest(self) -> str:
        """Identity of everything that stands before a pair's data."""
        return digest([self.system, self.lead])

    def prompt(self, item: str, pair: Pair, repeat: int = 0) -> Prompt:
        """The messages for one pair."""
        user = self._pair_message(pair)
        if self._near and self._pool and user == self._render_pair(pair, ()):
            what = 'strategy = "nearest" gives it shots, and it shows none of them'
            raise BadInput([Fault(str(self.files.folder / PAIR), what)])
        if not self._near and user != self.lead + to_json(pair):
            where = str(self.files.folder / PAIR)
            what = "the text before the pair's data changes with the pair; it has to be constant"
            raise BadInput([Fault(where, what)])
        messages = (Message(role="system", content=self.system), Message(role="user", content=user))
        return Prompt(item=item, repeat=repeat, messages=messages, pair=pair)

    def _render_pair(self, pair: Pair, shots: Sequence[Example]) -> str:
        values = {"pair": pair, "shots": shots}
        return _render(self.files, PAIR, self._pair_template, values).rstrip()

    def _pair_message(self, pair: Pair) -> str:
        text = self._render_pair(pair, nearest_shots(pair, self._pool, self._near))
        if not text.endswith(to_json(pair)):
            where = str(self.files.folder / PAIR)
            raise BadInput([Fault(where, "has to end in {{ pair | json }}: the pair comes last, as data")])
        return text


def bind_prompt(
    files: PromptFiles, policy: Policy, shots: Sequence[Example], count: int | None = None
) -> PromptWriter:
    """A prompt version with as many of the shots as `count`, or else its own spec, asks for."""
    wanted = files.spec.shots if count is None else count
    if files.spec.strategy == "nearest":
        return PromptWriter(files, policy, (), shots, len(shots) if wanted is None else wanted)
    return PromptWriter(files, policy, choose_shots(shots, wanted, policy.scale))


def to_json(value: Any) -> str:
    """Data for a prompt: JSON with its letters as they are, since \\u00e4 costs tokens and sense."""
    if isinstance(value, Pair):
        return value.json_text
    if isinstance(value, Noun):
        value = value.data()
    return indented_json(value)


_ANY_PAIR = Pair.model_validate({"query": "query", "result": {"title": "title"}})


def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["json"] = to_json
    return environment


def _compile(files: PromptFiles, name: str, source: str) -> Template:
    try:
        environment = _environment()
        code = environment.compile(source, name=name, filename=str(files.folder / name))
        return Template.from_code(environment, code, environment.make_globals(None))
    except TemplateSyntaxError as error:
        where = f"{files.folder / name}, line {error.lineno}"
        raise BadInput([Fault(where, f"not a template: {error.message}")]) from None


def _render(files: PromptFiles, name: str, template: Template, values: dict[str, Any]) -> str:
    try:
        return template.render(values)
    except (
        TemplateError,
        TypeError,
        ValueError,
        ArithmeticError,
        LookupError,
        AttributeError,
        RecursionError,
    ) as error:
        # A template is the user's program: whatever it raises is a fault in it.
        path = files.folder / name
        known = ", ".join(values)
        raise BadInput(
            [Fault(f"{path}, line {_line(error, path)}", f"{error} (it sees: {known})")]
        ) from error


def _line(error: BaseException, path: Path) -> int:
    """The template's line in a traceback."""
    line, at = 0, error.__traceback__
    while at is not None:
        if at.tb_frame.f_code.co_filename == str(path):
            line = at.tb_lineno
        at = at.tb_next
    return line
