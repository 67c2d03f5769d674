"""Every run folder in a line, from its manifest and the head of its scorecard: nothing is scored again."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from harness.errors import BadInput, Fault
from harness.nouns.base import Band, Interval
from harness.runs.folder import SCORECARD
from harness.runs.manifest import MANIFEST, Manifest, load_manifest
from harness.runs.record_log import RECORDS
from harness.scorecards.shared import Estimate, Gated, Verdict
from harness.storage.files import Stamp, read_bytes, stamp_of
from harness.storage.project import Project, folder_names
from harness.storage.regular import lines_of, open_regular

HEAD = 16_384
"""Bytes of a scorecard that hold what a line shows; the misses, which may take megabytes, come after it."""
QUIET = 180.0
"""Seconds without an answer after which a run is taken to have stopped: one attempt may take as long."""

State = Literal["finished", "unscored", "going", "stopped", "damaged"]


class Headline(BaseModel):
    """What a line takes of a scorecard; the rest of it is left unread."""

    verdict: Verdict | None
    band: Band | None
    reason: str | None
    bar: float
    gated: Gated
    kappa: Estimate
    kappa_linear: Estimate
    kappa_quadratic: Estimate
    provisional: str | None
    n: int
    coverage: float

    @property
    def gated_kappa(self) -> Estimate:
        """The kappa that the verdict was read from."""
        found: Estimate = getattr(self, self.gated)
        return found


@dataclass(frozen=True, slots=True)
class Listed:
    """One run folder. `faults` says what is wrong with a damaged one, which may have no manifest."""

    name: str
    state: State
    manifest: Manifest | None = None
    headline: Headline | None = None
    faults: tuple[str, ...] = ()
    cost: float | None = None
    """US dollars; None where any of its answers does not say what it cost."""

    @property
    def kappa(self) -> float | None:
        """The gated kappa, where there is one."""
        return self._gated.value if self._gated else None

    @property
    def ci(self) -> Interval | None:
        """Its interval."""
        return self._gated.ci if self._gated else None

    @property
    def verdict(self) -> Verdict | None:
        """What Gate 2 said, where the run is held to it."""
        return self.headline.verdict if self.headline and not self.canaries else None

    @property
    def canaries(self) -> bool:
        """Whether canaries were graded: such a run is held to no gate, whatever an old scorecard says."""
        return self.manifest is not None and not self.manifest.asked.kind.scored

    @property
    def _gated(self) -> Estimate | None:
        return self.headline.gated_kappa if self.headline and not self.canaries else None


@dataclass(slots=True)
class Listing:
    """The runs of a project, each read again only when its files have changed."""

    project: Project
    _known: dict[str, tuple[tuple[Stamp, ...], Listed]] = field(default_factory=dict)

    def runs(self) -> list[Listed]:
        """Every run folder, the oldest first. A folder with records and no manifest is a damaged run."""
        names = [name for name in folder_names(self.project.runs) if self._is_run(name)]
        self._known = {name: kept for name, kept in self._known.items() if name in set(names)}
        return [self._line(name) for name in names]

    def run(self, name: str) -> Listed | None:
        """The run of exactly this name; None where there is none."""
        return self._line(name) if name in folder_names(self.project.runs) and self._is_run(name) else None

    def _is_run(self, name: str) -> bool:
        folder = self.project.runs / name
        return os.path.lexists(folder / MANIFEST) or os.path.lexists(folder / RECORDS)

    def _line(self, name: str) -> Listed:
        folder = self.project.runs / name
        stamp = tuple(stamp_of(folder / file) for file in (MANIFEST, SCORECARD, RECORDS))
        kept = self._known.get(name)
        if kept and kept[0] == stamp and kept[1].state not in ("going", "stopped"):
            return kept[1]
        found = read_line(folder)
        self._known[name] = stamp, found
        return found


def read_line(folder: Path) -> Listed:
    """A run folder in a line; damage is told and stops nothing."""
    try:
        manifest = load_manifest(folder)
    except BadInput as error:
        return Listed(folder.name, "damaged", faults=_words(error))
    lacking = (*_lacking(folder), *_untimed(folder, manifest))
    try:
        headline = read_headline(folder / SCORECARD)
    except BadInput as error:
        return Listed(folder.name, "damaged", manifest, faults=(*lacking, *_words(error)))
    if lacking:
        return Listed(folder.name, "damaged", manifest, headline, lacking)
    state = _state(folder, manifest, headline)
    try:
        cost = None if state == "going" else cost_of(folder / RECORDS)
    except BadInput as error:
        return Listed(folder.name, "damaged", manifest, headline, _words(error))
    return Listed(folder.name, state, manifest, headline, cost=cost)


def _state(folder: Path, manifest: Manifest, headline: Headline | None) -> State:
    if manifest.finished_at is None:
        return "going" if silence(folder) < QUIET else "stopped"
    return "finished" if headline else "unscored"


def silence(folder: Path) -> float:
    """Seconds since the last answer was written down, or since the run began."""
    written = datetime.fromtimestamp((folder / RECORDS).stat().st_mtime, UTC)
    return max((datetime.now(UTC) - written).total_seconds(), 0.0)


def _lacking(folder: Path) -> Iterator[str]:
    for name in (RECORDS, "examples.jsonl", "policy.toml"):
        if not (folder / name).exists():
            yield f"{folder / name}: no such file"


def _untimed(folder: Path, manifest: Manifest) -> Iterator[str]:
    """Everything that lists runs asks when they began."""
    try:
        datetime.fromisoformat(manifest.created_at)
    except ValueError:
        yield f"{folder / MANIFEST}: created_at: {manifest.created_at!r} is no time"


def read_headline(path: Path) -> Headline | None:
    """What a line takes of a scorecard; None where there is none. BadInput for one that is damaged."""
    try:
        return _from_head(path) or Headline.model_validate(from_json(read_bytes(path, links=False)))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BadInput([Fault(str(path), f"cannot be read: {error.strerror}")]) from error
    except ValueError as error:
        lost = [str(one["loc"][0]) for one in error.errors()] if isinstance(error, ValidationError) else []
        what = f"{', '.join(lost)} missing or wrong" if lost else f"not JSON: {error}"
        raise BadInput([Fault(str(path), f"{what}; it is derived, and can be deleted")]) from None


def _from_head(path: Path) -> Headline | None:
    """The headline from a long scorecard's first bytes; None where they do not hold it or the end is lost."""
    with open_regular(path, links=False) as file:
        head = file.read(HEAD)
        if len(head) < HEAD:
            return None
        file.seek(-2, os.SEEK_END)
        if not file.read().rstrip().endswith(b"}"):
            return None
    try:
        return Headline.model_validate(from_json(head, allow_partial=True))
    except ValueError:
        return None


def cost_of(path: Path) -> float | None:
    """What the answers of a run cost, those included that were asked for again; None where one does not say.

    Looked up in the bytes: within a text every quotation mark is escaped, so that no text looks like a key.
    """
    total = 0.0
    with open_regular(path, links=False) as file:
        for line in lines_of(file, path):
            cost = _cost_in(line)
            if cost is None:
                return None
            total += cost
    return total


def _cost_in(line: bytes) -> float | None:
    if line.rfind(b'"cached_reply": true') >= 0:
        return 0.0  # an earlier run has paid for it
    at = line.rfind(_COST)
    if at < 0:
        # Never answered, or not said.
        return None if b'"reply": {' in line else 0.0
    try:
        return float(line[at + len(_COST) :].partition(b",")[0].rstrip(b"}\n"))
    except ValueError:
        return None  # a damaged line: whoever opens the run is told


_COST = b'"cost": '


def _words(error: BadInput) -> tuple[str, ...]:
    return tuple(str(fault) for fault in error.faults)
