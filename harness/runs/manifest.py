"""The manifest of a run: what was asked for, and what must not change before a resume."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from harness.errors import refuse_faults
from harness.nouns.base import Noun, Split
from harness.runs.kind import CANARIES, CHOSEN, GOLDEN, PAIRS, REWRITES, Kind
from harness.storage.files import load_noun, write_atomic
from harness.storage.regular import SETTINGS, odd_files

MANIFEST = "manifest.json"
REPEATS, EXAMPLES, ANSWERS = 1_000, 10_000_000, 100_000_000
"""The maximum of each in a run: a manifest with more is damaged."""


IN_WORDS = {
    "policy": "the policy",
    "prompt": "the prompt",
    "shots": "the shots",
    "golden": "the golden set",
    "replayed": "the replayed file",
    "trained": "the student",
    "paraphrases": "the paraphrases",
    "prefix": "the prompt's constant part",
}
"""The names of the digests in words."""


class Asked(Noun):
    """What the user asked for: enough to plan the same run again."""

    model: str
    policy: str
    prompt: str
    splits: tuple[Split, ...]
    canaries: bool = False
    pairs: str | None = None
    """The file of production pairs, if those are graded instead of golden examples."""
    rewrites: bool = False
    """Whether the examples are graded as they are and rewritten, for a bias audit."""
    paraphrases: str | None = None
    """The name of the file whose paraphrases are among the rewritten pairs."""
    limit: int | None = None
    only: tuple[str, ...] = ()
    """The ids of chosen examples: the score is that of the choice, and no gate applies."""
    repeats: int = Field(default=1, ge=1, le=REPEATS)
    aggregate: Literal["mean", "vote"] = "mean"
    seed: int | None = None
    shots: int | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    no_schema: bool = False
    fold_system: bool = False
    base_url: str | None = None
    batch: bool = False
    executor: str | None = None
    """A name in grading/executors.py, if the run is neither live nor by batches."""
    no_cache: bool = False
    """Use no replies of earlier runs, after a resume either."""
    columns: dict[str, tuple[str, ...]] = Field(default={})
    wide: tuple[str, ...] = ()
    format: str | None = None
    labels: dict[str, int | None] = Field(default={})
    encoding: str | None = None
    rater: str | None = None

    @property
    def kind(self) -> Kind:
        """What the run grades."""
        if self.rewrites:
            return REWRITES
        if self.pairs is not None:
            return PAIRS
        if self.canaries:
            return CANARIES
        return CHOSEN if self.only else GOLDEN

    @property
    def part(self) -> str:
        """The splits that are graded, or the name of the kind."""
        return "+".join(self.splits) if self.kind.scored else self.kind.name


class Digests(Noun):
    """What must not change before a resume.

    `replayed` is the file of a replay, `trained` a student, `paraphrases` the file of an audit.
    """

    policy: str
    prompt: str
    prefix: str
    shots: str
    golden: str
    replayed: str | None = None
    trained: str | None = None
    paraphrases: str | None = None

    def changed(self, now: "Digests") -> list[str]:
        """The names of the digests that differ; digests that an old version did not write are skipped."""
        return [name for name, then in self.data().items() if then != getattr(now, name)]


class Manifest(Noun):
    """What was run."""

    format: Literal[1] = 1
    name: str
    created_at: str
    finished_at: str | None = None
    asked: Asked
    digests: Digests
    gates: str
    model_answered: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    examples: int = Field(ge=0, le=EXAMPLES)
    shots: tuple[str, ...]
    shots_dropped: tuple[str, ...] = ()
    worked_withheld: tuple[str, ...] = ()
    stale: int = 0
    sources: tuple[str, ...] = ()
    rated_under: tuple[str, ...] = ()
    """The policy versions that people or models rated the golden set under."""
    rating_open: str | None = None
    """Why the ratings were not yet those that were planned, when the run began."""
    rating_early: str | None = None
    """Which round of rating was closed before its planned number, so that Gate 1 is provisional."""
    vendor: str | None = None
    """Who is paid for the answers; None for the user's own server."""
    waits: bool = False
    """Whether answers waited in a queue, so that their seconds say nothing about the teacher."""
    unprompted: bool = False
    """Whether the grader was sent no prompt; manifests of old versions do not say so."""
    harness: str
    python: str
    packages: dict[str, str]
    commit: str | None = None
    dirty: bool | None = None

    @property
    def waited(self) -> bool:
        """`waits`; manifests of old versions do not say it, and only batches waited then."""
        return self.waits or self.asked.batch

    def changed(self, now: Digests) -> str:
        """What the grader reads that differs now, in words; empty if nothing does.

        The prompt's constant part is named where nothing else has changed: a new version of the harness may
        render it otherwise.
        """
        found = self.differing(now)
        parts = [name for name in found if name != "prefix"]
        return ", ".join(IN_WORDS[name] for name in parts or found)

    def differing(self, now: Digests) -> list[str]:
        """The names of the digests of what the grader reads that differ now."""
        return [name for name in self.digests.changed(now) if name not in self._unread]

    @property
    def _unread(self) -> tuple[str, ...]:
        """The inputs that this grader does not read."""
        if not self.unprompted:
            return ()
        read = self.digests.replayed or self.digests.trained
        return ("prompt", "prefix", "shots") if read else ("prompt", "prefix")

    @property
    def graded_by(self) -> str:
        """The model; for a replay of one of several raters, the rater with it."""
        model, rater = self.asked.model, self.asked.rater
        return f"{rater} ({model})" if rater else model

    @property
    def grader(self) -> str:
        """Who graded: the model, with its prompt if one was sent."""
        return self.graded_by if self.unprompted else f"{self.graded_by} with {self.asked.prompt}"

    @property
    def sides(self) -> tuple[str, str]:
        """Who graded, and what: the title of a score."""
        return self.grader, f"{self.asked.policy} ({self.asked.part})"

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.examples * self.asked.repeats > ANSWERS:
            raise ValueError(f"more than {ANSWERS:,} answers: examples times repeats")
        return self


def mixtures(**answered: Mapping[str, int]) -> tuple[str, ...]:
    """What a run's answers are a mixture of: each kind of which more than one answered.

    Each argument is a kind, such as `models`, with the number of answers by its name; 0 if unknown.
    """
    return tuple(
        f"{len(counts)} {kind} answered ("
        + ", ".join(f"{name} {count:,}" if count else name for name, count in sorted(counts.items()))
        + ")"
        for kind, counts in answered.items()
        if len(counts) > 1
    )


def how_to_resume(folder: Path, asked: Asked) -> str:
    """The command that resumes a run. It repeats the address, which is not taken from a file."""
    address = f" --base-url {shlex.quote(asked.base_url)}" if asked.base_url else ""
    return f"harness eval --resume {folder.name}{address}"


def save_manifest(folder: Path, manifest: Manifest) -> None:
    """Write or replace the manifest in one step."""
    write_atomic(folder / MANIFEST, manifest.model_dump_json(indent=2) + "\n")


def load_manifest(folder: Path) -> Manifest:
    """Check the folder and read its manifest. BadInput with the faults. Every reader of a run starts here."""
    refuse_faults(odd_files(folder))
    return load_noun(folder / MANIFEST, Manifest, SETTINGS, links=False)
