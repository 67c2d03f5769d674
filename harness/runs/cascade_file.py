"""The file of a cascade: its student, its teacher, its threshold, and what was measured.

A received file proves nothing: `harness label` measures test again before it takes a cascade as confirmed.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from harness.nouns.base import Noun
from harness.runs.label_manifest import LabelDigests
from harness.runs.manifest import Manifest
from harness.scorecards.cascade import CascadeCost, CascadePart
from harness.scorecards.shared import Gated, Verdict
from harness.storage.digest import digest
from harness.storage.files import load_noun, write_atomic

LONGEST = 1 << 20
"""The most bytes of the file."""
Text = Annotated[str, Field(max_length=10_000)]


class CascadeSettings(Noun):
    """The parameters of a question beside the prompt, by their names in Asked."""

    shots: int | None = None
    temperature: float | None = None
    seed: int | None = None
    max_tokens: int | None = None
    no_schema: bool = False
    fold_system: bool = False
    base_url: Text | None = None


class CascadeGrader(Noun):
    """The student or its teacher. `runs`: those that measured it; a file of grades has none, nor a model."""

    name: Text
    model: Text | None = None
    prompt: Text | None = None
    digests: LabelDigests | None = None
    settings: CascadeSettings = CascadeSettings()
    runs: Annotated[tuple[Text, ...], Field(max_length=2)] = ()


class CascadeFile(Noun):
    """A cascade chosen on `dev`. `test`: figures that should confirm it; `verdict`: whether they do."""

    format: Literal[1] = 1
    created_at: Text
    harness: Text
    policy: Text | None
    gated: Gated
    margin: Annotated[float, Field(ge=0, le=2)]
    share: Annotated[float, Field(ge=0, le=1)] | None = None
    rule: Text
    threshold: float
    student: CascadeGrader
    teacher: CascadeGrader
    dev: CascadePart
    test: CascadePart
    cost: CascadeCost
    verdict: Verdict
    reason: Text

    @property
    def digest(self) -> str:
        """The digest of what decides who answers. It stays the same if the same cascade is measured again."""
        graders = [(one.model, one.prompt, one.digests and one.digests.data(), one.settings.data())
                   for one in (self.student, self.teacher)]  # fmt: skip
        return digest([self.policy, self.threshold, *map(list, graders)])


def grader_of(manifests: tuple[Manifest, ...], name: str) -> CascadeGrader:
    """The grader of runs, as the file names it."""
    first = manifests[0]
    asked = first.asked
    settings = {field: getattr(asked, field) for field in CascadeSettings.model_fields}
    if asked.limit is not None:
        settings["seed"] = None  # the seed draws the sample
    return CascadeGrader(
        name=name,
        model=asked.model,
        prompt=asked.prompt,
        digests=LabelDigests.of(first.digests),
        settings=CascadeSettings(**settings),
        runs=tuple(one.name for one in manifests),
    )


def save_cascade(path: Path, found: CascadeFile) -> None:
    """Write the file in one step."""
    write_atomic(path, found.model_dump_json(indent=2) + "\n")


def load_cascade(path: Path) -> CascadeFile:
    """Read a file of `harness student cascade`. BadInput with the faults."""
    return load_noun(path, CascadeFile, LONGEST, links=False)
