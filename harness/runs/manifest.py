"""The manifest of a run: what was asked for, and what has to be the same for a resume."""

import shlex
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, ValidationError, model_validator

from harness.errors import BadInput, Fault
from harness.nouns.base import Noun, Split
from harness.runs.kind import CANARIES, CHOSEN, GOLDEN, PAIRS, Kind
from harness.storage.files import faults_of, parse_json, read_text, write_atomic
from harness.storage.regular import SETTINGS, odd_files

MANIFEST = "manifest.json"
REPEATS, EXAMPLES, ANSWERS = 1_000, 10_000_000, 100_000_000
"""The most that a run may have of each: a manifest that says more is damaged."""


class Asked(Noun):
    """What the user asked for: enough to plan the same run again."""

    model: str
    policy: str
    prompt: str
    splits: tuple[Split, ...]
    canaries: bool = False
    pairs: str | None = None
    """The file of production pairs, where those are graded instead: nobody knows their right grades."""
    limit: int | None = None
    only: tuple[str, ...] = ()
    """Examples by id, where somebody chose them: then the score is that of a choice, and gates nothing."""
    repeats: int = Field(default=1, ge=1, le=REPEATS)
    aggregate: Literal["mean", "vote"] = "mean"
    seed: int | None = None
    shots: int | None = None
    temperature: float | None = None
    base_url: str | None = None
    batch: bool = False
    executor: str | None = None
    """How the questions are answered, where neither live nor by batches: a name in grading/executors.py."""
    no_cache: bool = False
    """Whether everything was to be asked anew: then a resume does not take earlier runs' replies either."""
    columns: dict[str, tuple[str, ...]] = Field(default={})
    wide: tuple[str, ...] = ()
    format: str | None = None
    labels: dict[str, int | None] = Field(default={})
    encoding: str | None = None
    rater: str | None = None

    @property
    def kind(self) -> Kind:
        """What the run grades, and so what its score says."""
        if self.pairs is not None:
            return PAIRS
        if self.canaries:
            return CANARIES
        return CHOSEN if self.only else GOLDEN

    @property
    def part(self) -> str:
        """What is graded: the splits, where examples of them are."""
        return "+".join(self.splits) if self.kind.scored else self.kind.name

    @property
    def sides(self) -> tuple[str, str]:
        """Who graded, and what: how a score is headed."""
        return f"{self.model} with {self.prompt}", f"{self.policy} ({self.part})"


class Digests(Noun):
    """What has to be the same for a run to be resumed; `replayed` is the file of a replay."""

    policy: str
    prompt: str
    prefix: str
    shots: str
    golden: str
    replayed: str | None = None

    def changed(self, now: "Digests") -> list[str]:
        """The names of what is another now; what an earlier version did not write down is no change."""
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
    vendor: str | None = None
    """Who is paid for the answers; None where nobody is, as with a server of one's own."""
    harness: str
    python: str
    packages: dict[str, str]
    commit: str | None = None
    dirty: bool | None = None

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.examples * self.asked.repeats > ANSWERS:
            raise ValueError(f"more than {ANSWERS:,} answers: examples times repeats")
        return self


def how_to_resume(folder: Path, asked: Asked) -> str:
    """The command that goes on with a run; the address is said again, since a file does not settle it."""
    address = f" --base-url {shlex.quote(asked.base_url)}" if asked.base_url else ""
    return f"harness eval --resume {folder.name}{address}"


def save_manifest(folder: Path, manifest: Manifest) -> None:
    """Write or replace the manifest in one step."""
    write_atomic(folder / MANIFEST, manifest.model_dump_json(indent=2) + "\n")


def load_manifest(folder: Path) -> Manifest:
    """The manifest, or what is wrong with it or the folder: whoever reads a run begins here."""
    path = folder / MANIFEST
    odd = odd_files(folder)
    if odd:
        raise BadInput(odd)
    try:
        return Manifest.model_validate(parse_json(read_text(path, SETTINGS, links=False)))
    except ValidationError as error:
        raise BadInput(faults_of(error, str(path))) from None
    except (ValueError, RecursionError) as error:
        raise BadInput([Fault(str(path), f"not JSON: {error}")]) from None
