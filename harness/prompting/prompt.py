"""Prompts: a template, a policy and shots make a constant prefix; each pair is appended as data.

A prompt version is a folder: `system.j2` sees the policy and the shots, `pair.j2` sees the pair,
`prompt.toml` says how many shots are shown. Everything before the pair's JSON is byte for byte the
same for every pair of a run, so that a provider can cache it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from harness.errors import BadInput, Fault, refuse_faults
from harness.golden.shots import choose_shots, nearest_shots
from harness.golden.similarity import tokens
from harness.nouns.base import Noun
from harness.nouns.pair import Example, Pair
from harness.nouns.policy import Policy
from harness.nouns.records import Message, Prompt
from harness.prompting.plain import plain
from harness.prompting.template import appends_pair_only, compile_template, render_template
from harness.storage.digest import digest
from harness.storage.files import build, read_text, read_toml
from harness.storage.plural import plural
from harness.storage.project import Project, folder_names, is_version, pick_name, split_label
from harness.storage.regular import SETTINGS
from harness.storage.versions import in_order, misplaced, pick_version

SYSTEM, PAIR, SPEC = "system.j2", "pair.j2", "prompt.toml"
_ANY_PAIR = Pair.model_validate({"query": "query", "result": {"title": "title"}})


def _ids(value: Any) -> Any:
    """A list of ids that is not empty: an empty one would look like "none", and show all."""
    if value == [] or not isinstance(value, list | tuple):
        raise PydanticCustomError("ids", "expected a list of ids, or no such key")
    return value


class PromptSpec(Noun):
    """The content of prompt.toml.

    `released`: false for a draft, which is used only when named. `shots`: the number of golden examples to
    show; all if absent. `strategy`: show the same ones, balanced over the grades, with every pair, or the
    nearest ones with each pair. `chosen`: the ids of the only examples to show, in their order; all that fit
    if empty.
    """

    name: str
    version: str
    description: str
    released: bool = False
    shots: int | None = Field(default=None, ge=0)
    strategy: Literal["balanced", "nearest"] = "balanced"
    chosen: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(_ids)] = ()


@dataclass(frozen=True, slots=True)
class PromptFiles:
    """The files of a prompt version."""

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
        """The digest of the prompt's templates and settings."""
        parts = [self.system, self.pair, self.spec.shots, self.spec.strategy]
        return digest([*parts, self.spec.chosen] if self.spec.chosen else parts)


def prompt_names(project: Project) -> list[str]:
    """Every prompt of the project."""
    return folder_names(project.prompts)


def prompt_versions(folder: Path) -> dict[str, Path]:
    """Every version of a prompt with its prompt.toml, the oldest first."""
    return in_order({name: folder / name / SPEC for name in folder_names(folder) if is_version(name)})


def load_prompt(project: Project, label: str) -> PromptFiles:
    """Load `name@version`; without a version the latest released one, else the latest.

    BadInput for an incomplete folder.
    """
    name, wanted = split_label(label)
    parent = pick_name("prompt", name, project.prompts)
    files = prompt_versions(parent)
    path = files[pick_version("prompt", name, wanted, files)]
    folder = path.parent
    if parent.is_symlink() or folder.is_symlink():
        raise BadInput.at(folder, "is a link; expected a folder: copy the prompt here")
    spec, faults = build(PromptSpec, read_toml(path, links=False), str(path))
    if spec is not None:
        faults += misplaced(path, (spec.name, spec.version), name, folder.name)
    if faults or spec is None:
        raise BadInput(faults)
    system, pair = (read_text(folder / name, SETTINGS, links=False) for name in (SYSTEM, PAIR))
    return PromptFiles(folder, spec, system, pair)


class PromptWriter:
    """A prompt version bound to a policy and shots. It renders the prompt of each pair.

    `shots` are shown with every pair; the `near` nearest of `pool` with each pair, after the prefix.
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
        self._pair_template = compile_template(files.folder / PAIR, files.pair)
        self.is_fixed = not near and appends_pair_only(files.pair)
        """Whether messages differ in the pair's data only: then one rendering serves all pairs."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Another process compiles the template again: a compiled template cannot be pickled."""
        return PromptWriter, (self.files, self._policy, self.shots, self._pooled, self._near)

    def with_files(self, files: PromptFiles, shots: Sequence[Example] | None = None) -> "PromptWriter":
        """A writer of another version of the prompt, with the same policy, and the same shots or these."""
        shown = self.shots if shots is None else shots
        return PromptWriter(files, self._policy, shown, self._pooled, self._near)

    @property
    def shown(self) -> tuple[Example, ...]:
        """All shots that can be shown with a pair."""
        return self.shots + self._pooled

    @property
    def _pooled(self) -> tuple[Example, ...]:
        return tuple(shot for shot, _ in self._pool)

    @cached_property
    def _cites(self) -> bool:
        return not self._policy.clauses or any(shot.clauses for shot in self.shown)

    @cached_property
    def system(self) -> str:
        """The system message: the policy and the shots, the same for every pair."""
        template = compile_template(self.files.folder / SYSTEM, self.files.system)
        values = {"policy": plain(self._policy), "shots": plain(self.shots)}
        return render_template(template, values, cites=self._cites)

    @cached_property
    def lead(self) -> str:
        """The constant start of every pair's message; empty if each pair has its own shots."""
        return "" if self._near else self._pair_message(_ANY_PAIR)[: -len(_ANY_PAIR.json_text)]

    @property
    def prefix_digest(self) -> str:
        """The digest of everything before a pair's data."""
        return digest([self.system, self.lead])

    def prompt(self, item: str, pair: Pair, repeat: int = 0) -> Prompt:
        """The messages for one pair."""
        user = self.lead + pair.json_text if self.is_fixed else self._user(pair)
        messages = (self._opening, Message(role="user", content=user))
        return Prompt(item=item, repeat=repeat, messages=messages, pair=pair)

    @cached_property
    def _opening(self) -> Message:
        return Message(role="system", content=self.system)

    def _user(self, pair: Pair) -> str:
        user = self._pair_message(pair)
        if self._near and self._pool and user == self._render_pair(pair, ()):
            raise self._fault('strategy = "nearest" gives it shots, but it shows none')
        if not self._near and user != self.lead + pair.json_text:
            raise self._fault("the text before the pair's data changes with the pair; it has to be constant")
        return user

    def _fault(self, what: str) -> BadInput:
        return BadInput.at(self.files.folder / PAIR, what)

    def _render_pair(self, pair: Pair, shots: Sequence[Example]) -> str:
        values = {"pair": plain(pair), "shots": plain(shots)}
        return render_template(self._pair_template, values, cites=self._cites).rstrip()

    def _pair_message(self, pair: Pair) -> str:
        text = self._render_pair(pair, nearest_shots(pair, self._pool, self._near))
        if not text.endswith(pair.json_text):
            raise self._fault("has to end in {{ pair | json }}: the pair comes last, as data")
        return text


def bind_prompt(
    files: PromptFiles, policy: Policy, shots: Sequence[Example], count: int | None = None
) -> PromptWriter:
    """Bind a prompt version to a policy and `count` shots, or as many as its own spec asks for.

    BadInput for a chosen shot that is not among `shots`, or is named twice.
    """
    wanted = files.spec.shots if count is None else count
    if files.spec.chosen:
        # With no shot wanted, the chosen ones need not exist.
        shots = () if wanted == 0 else _chosen(files, shots)
    if files.spec.chosen and files.spec.strategy == "balanced":
        return PromptWriter(files, policy, shots[:wanted])
    if files.spec.strategy == "nearest":
        return PromptWriter(files, policy, (), shots, len(shots) if wanted is None else wanted)
    return PromptWriter(files, policy, choose_shots(shots, wanted, policy.scale))


def _chosen(files: PromptFiles, shots: Sequence[Example]) -> list[Example]:
    """The shots that prompt.toml names, in its order. BadInput names every one that cannot be shown so."""
    known = {shot.id: shot for shot in shots}
    where, chosen = str(files.folder / SPEC), Counter(files.spec.chosen)
    unknown = (
        Fault(where, f"chosen: {id_} may not be shown: it is not a shot, or would give a graded pair away")
        for id_ in chosen
        if id_ not in known
    )
    twice = (
        Fault(where, f"chosen: {id_} is named {plural(count, 'time')}; name it once")
        for id_, count in chosen.items()
        if count > 1
    )
    refuse_faults((*unknown, *twice))
    return [known[id_] for id_ in files.spec.chosen]
