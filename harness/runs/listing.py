"""Every run folder in a line, from its manifest and its scorecard alone; scores nothing."""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ValidationError

from harness.errors import BadInput, Fault
from harness.nouns.base import Band, Interval
from harness.nouns.policy import Gates
from harness.policy.load import load_with_gates
from harness.runs.folder import SCORECARD
from harness.runs.manifest import MANIFEST, Manifest, load_manifest, mixtures
from harness.runs.record_log import RECORDS, segments
from harness.scorecards.shared import Estimate, Gated, Verdict
from harness.storage.files import Stamp, read_bytes, stamp_of
from harness.storage.project import Project, folder_names

QUIET = 180.0
"""Seconds without an answer after which a run counts as stopped: the deadline of one attempt."""

State = Literal["finished", "unscored", "gaps", "going", "stopped", "damaged"]
"""`gaps`: scored with questions that have no answer; nothing is being asked."""


class Spent(BaseModel):
    """The cost of a run in USD; None if unknown."""

    cost: float | None = None


class Headline(BaseModel):
    """The part of a scorecard that a line shows; scorecards of old versions have no cost."""

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
    spending: Spent = Spent()
    mixed: tuple[str, ...] = ()

    @property
    def gated_kappa(self) -> Estimate:
        """The kappa that the verdict was read from."""
        found: Estimate = getattr(self, self.gated)
        return found


@dataclass(frozen=True, slots=True)
class ListedRun:
    """One run folder. A damaged one has `faults`, and may have no manifest."""

    name: str
    state: State
    manifest: Manifest | None = None
    headline: Headline | None = None
    faults: tuple[str, ...] = ()
    folder: Path | None = None

    @property
    def cost(self) -> float | None:
        """USD; None if unknown."""
        return self.headline.spending.cost if self.headline else None

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
        """The Gate 2 verdict, if the gate applies."""
        return self.headline.verdict if self.headline and not self.canaries else None

    @property
    def canaries(self) -> bool:
        """Whether canaries were graded: no gate applies, even if an old scorecard has a verdict."""
        return self.manifest is not None and not self.manifest.asked.kind.scored

    @property
    def mixed(self) -> str | None:
        """What its answers are a mixture of, if several graders gave them."""
        models = self.manifest.model_answered if self.manifest else ()
        known = self.headline.mixed if self.headline else ()
        return "; ".join(known or mixtures(models=dict.fromkeys(models, 0))) or None

    @property
    def _gated(self) -> Estimate | None:
        return self.headline.gated_kappa if self.headline and not self.canaries else None


@dataclass(slots=True)
class Listing:
    """The runs of a project, each read again only when its files have changed."""

    project: Project
    _known: dict[str, tuple[tuple[Stamp, ...], ListedRun]] = field(default_factory=dict)

    def runs(self) -> list[ListedRun]:
        """Every run folder, the oldest first. A folder with records and no manifest is a damaged run."""
        names = [name for name in folder_names(self.project.runs) if self._is_run(name)]
        self._known = {name: kept for name, kept in self._known.items() if name in set(names)}
        return [self._line(name) for name in names]

    def run(self, name: str) -> ListedRun | None:
        """The run of exactly this name, if there is one."""
        return self._line(name) if name in folder_names(self.project.runs) and self._is_run(name) else None

    def _is_run(self, name: str) -> bool:
        folder = self.project.runs / name
        return os.path.lexists(folder / MANIFEST) or os.path.lexists(folder / RECORDS)

    def _line(self, name: str) -> ListedRun:
        folder = self.project.runs / name
        stamp = tuple(stamp_of(path) for path in (folder / MANIFEST, folder / SCORECARD, *segments(folder)))
        kept = self._known.get(name)
        if kept and kept[0] == stamp and kept[1].state not in ("going", "stopped"):
            return kept[1]
        found = read_line(folder)
        self._known[name] = stamp, found
        return found


def read_line(folder: Path) -> ListedRun:
    """A run folder in a line; never raises for a damaged one."""
    try:
        manifest = load_manifest(folder)
    except BadInput as error:
        return ListedRun(folder.name, "damaged", faults=_words(error))
    lacking = (*_lacking(folder), *_untimed(folder, manifest))
    try:
        headline = read_headline(folder / SCORECARD)
    except BadInput as error:
        return ListedRun(folder.name, "damaged", manifest, faults=(*lacking, *_words(error)))
    if lacking:
        return ListedRun(folder.name, "damaged", manifest, headline, lacking)
    state = _state(folder, manifest, headline)
    return ListedRun(folder.name, state, manifest, headline, folder=folder)


@lru_cache(maxsize=4096)
def coverage_floor(folder: Path | None) -> float:
    """The floor that a run was made under: below it, kappa is over what the run chose to answer."""
    with suppress(BadInput):
        return load_with_gates(folder / "policy.toml")[1].coverage_floor if folder else Gates().coverage_floor
    return Gates().coverage_floor


def _state(folder: Path, manifest: Manifest, headline: Headline | None) -> State:
    if manifest.finished_at is None:
        # A resume appends records, and scores when it ends.
        if headline and (folder / SCORECARD).stat().st_mtime >= (folder / RECORDS).stat().st_mtime:
            return "gaps"
        return "going" if silence(folder) < QUIET else "stopped"
    return "finished" if headline else "unscored"


def silence(folder: Path) -> float:
    """Seconds since the last record, or since the run began."""
    written = datetime.fromtimestamp(segments(folder)[-1].stat().st_mtime, UTC)
    return max((datetime.now(UTC) - written).total_seconds(), 0.0)


def _lacking(folder: Path) -> Iterator[str]:
    for name in (RECORDS, "examples.jsonl", "policy.toml"):
        if not (folder / name).exists():
            yield f"{folder / name}: no such file"


def _untimed(folder: Path, manifest: Manifest) -> Iterator[str]:
    """A fault of the time when the run began: every list of runs shows it."""
    try:
        datetime.fromisoformat(manifest.created_at)
    except ValueError:
        yield f"{folder / MANIFEST}: created_at: {manifest.created_at!r} is not a time"


def read_headline(path: Path) -> Headline | None:
    """The headline of a scorecard; None if there is no file. BadInput if it is damaged."""
    if not os.path.lexists(path):
        return None
    try:
        return Headline.model_validate_json(read_bytes(path, links=False))
    except ValidationError as error:
        found = error.errors()[0]
        lost = [str(one["loc"][0]) for one in error.errors() if one["loc"]]
        what = f"{', '.join(lost)} missing or wrong" if lost else f"not JSON: {found['msg']}"
        raise BadInput([Fault(str(path), f"{what}; it is derived, and can be deleted")]) from None


def _words(error: BadInput) -> tuple[str, ...]:
    return tuple(str(fault) for fault in error.faults)
