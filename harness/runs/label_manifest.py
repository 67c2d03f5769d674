"""The manifest of a label set: what was labelled, by whom, and whether that teacher was proven."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field

from harness.errors import BadInput, Fault, refuse_faults
from harness.nouns.base import Count, Noun
from harness.runs.manifest import ANSWERS, IN_WORDS, Asked, Digests
from harness.scorecards.shared import Gated
from harness.storage.files import load_noun, write_atomic
from harness.storage.regular import SETTINGS, odd_files

MANIFEST = "labels.json"
Rows = Annotated[int, Field(ge=0, le=100 * ANSWERS)]
"""A number of rows or pairs; a larger one is damage."""


class PairsFile(Noun):
    """A file of pairs. `before`: the rows that the set had before it; `rows`: those that it added."""

    path: str
    digest: str
    size: Annotated[int, Field(ge=0)]
    before: Rows
    rows: Rows


class Proof(Noun):
    """The finished run on `test` with a Gate 2 pass, by the same teacher under the same policy."""

    run: str
    verdict: Literal["pass"] = "pass"
    gated: str
    kappa: float | None
    n: Count
    provisional: str | None = None


class LabelDigests(Noun):
    """What a grade depends on besides the pair; `replayed` is the file of a replay, `trained` a student."""

    policy: str
    prompt: str
    prefix: str
    shots: str
    replayed: str | None = None
    trained: str | None = None

    @classmethod
    def of(cls, digests: Digests) -> Self:
        """The digests of a run that a label set has too."""
        return cls(**digests.model_dump(include={*cls.model_fields}))

    def changed(self, now: "LabelDigests") -> list[str]:
        """What differs, in words."""
        there, here = self.model_dump(), now.model_dump()
        return [IN_WORDS[name] for name, then in there.items() if then != here[name]]


class RowOutcomes(Noun):
    """How rows ended."""

    graded: Rows
    ungraded: Rows
    failed: Rows


class CascadeUsed(Noun):
    """A student that answered first, and alone from a confidence of `threshold` on.

    `digest`: of the student, the teacher and the threshold together; `trained`: of the student. `confirmed`:
    whether runs of the project showed on test that it loses less than `margin` against its teacher; if not,
    `unconfirmed` says why. `teacher_proven`: whether the teacher alone is; None in sets of older versions.
    """

    digest: str
    student: str
    trained: str
    threshold: float
    gated: Gated
    margin: float
    confirmed: bool
    unconfirmed: str = ""
    teacher_proven: bool | None = None


class LabelManifest(Noun):
    """A label set. `rows` of the input, `distinct` pairs among them; counts are those when it finished.

    `unprompted`: whether the teacher was sent no prompt, as a builtin grader is.
    """

    version: Literal[1] = 1
    created_at: str
    finished_at: str | None = None
    asked: Asked
    unprompted: bool = False
    digests: LabelDigests
    shots: tuple[str, ...] = ()
    columns: dict[str, tuple[str, ...]] = Field(default={})
    """The headers of the input for our names, where they were named."""
    attributes: tuple[str, ...] = ()
    proven: Proof | None = None
    cascade: CascadeUsed | None = None
    """Who answered first, if not the teacher alone; `proven` then requires both to be proven."""
    unproven: bool = False
    """Whether the user allowed a teacher that has passed no gate."""
    sources: tuple[PairsFile, ...] = ()
    rows: Rows = 0
    distinct: Rows = 0
    outcomes: RowOutcomes | None = None
    model_answered: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    harness: str
    python: str
    packages: dict[str, str]

    @property
    def lacks_proof(self) -> bool:
        """Whether the teacher alone is not proven; with an unconfirmed cascade, only if that was noted."""
        if self.cascade and not self.cascade.confirmed:
            return self.cascade.teacher_proven is False
        return self.proven is None

    @property
    def facts(self) -> dict[str, str]:
        """What the metadata of every shard says."""
        digests = {name: found for name, found in self.digests.data().items() if found is not None}
        cascade = {"cascade": self.cascade.digest} if self.cascade else {}
        return {
            **digests,
            **cascade,
            "model": self.asked.model,
            "proven": "true" if self.proven else "false",
            "harness": self.harness,
        }


def save_label_manifest(folder: Path, manifest: LabelManifest) -> None:
    """Write or replace the manifest in one step."""
    write_atomic(folder / MANIFEST, manifest.model_dump_json(indent=2) + "\n")


def load_label_manifest(folder: Path) -> LabelManifest:
    """Check the folder and read its manifest. BadInput with the faults. Every reader starts here."""
    if not folder.is_dir():
        raise BadInput([Fault(str(folder), "no such label set; `harness label` makes one")])
    refuse_faults(odd_files(folder))
    return load_noun(folder / MANIFEST, LabelManifest, SETTINGS, links=False)
