"""The manifest of a run: what was asked for, and what has to be the same for a resume."""

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from harness.errors import BadInput, Fault
from harness.nouns.base import Noun, Split
from harness.storage.files import decode, faults_of, parse_json, read_bytes, write_atomic

MANIFEST = "manifest.json"


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
    repeats: int = Field(default=1, ge=1)
    aggregate: Literal["mean", "vote"] = "mean"
    seed: int | None = None
    shots: int | None = None
    temperature: float | None = None
    base_url: str | None = None
    batch: bool = False
    no_cache: bool = False
    """Whether everything was to be asked anew: then a resume does not take earlier runs' replies either."""
    columns: dict[str, tuple[str, ...]] = Field(default={})
    wide: tuple[str, ...] = ()
    format: str | None = None
    rater: str | None = None

    @property
    def part(self) -> str:
        """What is graded."""
        if self.pairs is not None:
            return "pairs"
        return "canaries" if self.canaries else "+".join(self.splits)

    @property
    def apart(self) -> str | None:
        """What keeps its items from standing for a split, as what the run graded; None where they do."""
        if self.canaries:
            return "graded canaries"
        return "graded chosen examples" if self.only else None

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
    examples: int
    shots: tuple[str, ...]
    shots_dropped: tuple[str, ...] = ()
    worked_withheld: tuple[str, ...] = ()
    stale: int = 0
    sources: tuple[str, ...] = ()
    harness: str
    python: str
    packages: dict[str, str]
    commit: str | None = None
    dirty: bool | None = None


def save_manifest(folder: Path, manifest: Manifest) -> None:
    """Write or replace the manifest in one step."""
    write_atomic(folder / MANIFEST, manifest.model_dump_json(indent=2) + "\n")


def load_manifest(folder: Path) -> Manifest:
    """The manifest, or what is wrong with it."""
    path = folder / MANIFEST
    try:
        return Manifest.model_validate(parse_json(decode(read_bytes(path), path)))
    except ValidationError as error:
        raise BadInput(faults_of(error, str(path))) from None
    except (ValueError, RecursionError) as error:
        raise BadInput([Fault(str(path), f"not JSON: {error}")]) from None
