"""The run folder: create, append, resume, seal, load. Everything right of it reads files and asks nobody.

manifest.json    what was run: digests, model, parameters, versions
policy.toml, gates.toml, prefix.txt, shots.jsonl    what the teacher saw, as it was
examples.jsonl, ratings.jsonl, raters.toml          what was graded, with golden grades and reasonings
records.jsonl    append-only, a line per answer; the last one of a key counts
scorecard.json   derived; can be deleted
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Literal, Self

from pydantic import Field, ValidationError

from harness.errors import BadInput, Fault
from harness.files import build, decode, faults_of, parse_json, read_bytes, read_nouns, to_line, write_atomic
from harness.noun import Noun, Split
from harness.policies import load_gates, load_policy
from harness.project import Project, folder_names
from harness.records import Example, Key, Record, latest
from harness.rubric import Gates, Policy

MANIFEST, RECORDS, EXAMPLES, SCORECARD = "manifest.json", "records.jsonl", "examples.jsonl", "scorecard.json"
SYNC_EVERY = 64
"""Records between two syncs to the disk. A killed process loses none; a power cut at most these."""


class Asked(Noun):
    """What the user asked for: enough to plan the same run again."""

    model: str
    policy: str
    prompt: str
    splits: tuple[Split, ...]
    limit: int | None = None
    seed: int | None = None
    shots: int | None = None
    temperature: float | None = None
    base_url: str | None = None
    columns: dict[str, tuple[str, ...]] = Field(default={})
    wide: tuple[str, ...] = ()
    format: str | None = None
    rater: str | None = None


class Digests(Noun):
    """What has to be the same for a run to be resumed; `replayed` is the file of a replay."""

    policy: str
    prompt: str
    prefix: str
    shots: str
    golden: str
    replayed: str | None = None


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


@dataclass(frozen=True, slots=True)
class Run:
    """A run folder, read."""

    folder: Path
    manifest: Manifest
    policy: Policy
    gates: Gates
    examples: tuple[Example, ...]
    records: Mapping[Key, Record]


def create_run(runs: Path, manifest: Manifest, contents: Mapping[str, str | bytes]) -> Path:
    """A new run folder, whole or not at all. A name that is taken gets a number."""
    runs.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".new-", dir=runs))
    try:
        draft.chmod(0o755)
        for name, content in contents.items():
            write_atomic(draft / name, content)
        (draft / RECORDS).touch()
        folder = _free_name(runs / manifest.name)
        save_manifest(draft, manifest.model_copy(update={"name": folder.name}))
        draft.rename(folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return folder


def _free_name(folder: Path) -> Path:
    free, number = folder, 1
    while free.exists():
        number += 1
        free = folder.with_name(f"{folder.name}-{number}")
    return free


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


def load_run(folder: Path) -> Run:
    """A run folder as a Run. BadInput for a folder that is none, or is damaged."""
    manifest = load_manifest(folder)
    policy = load_policy(folder / "policy.toml")
    numbered, faults = read_nouns(folder / EXAMPLES, Example)
    if faults:
        raise BadInput(faults)
    examples = tuple(example for _, example in numbered)
    records, _ = read_records(folder)
    known = {example.id for example in examples}
    strange = sorted({record.example for record in records} - known)
    if strange:
        what = f"holds records of examples that the run does not have: {', '.join(strange[:5])}"
        raise BadInput([Fault(str(folder / RECORDS), what)])
    gates = load_gates(folder / "gates.toml", policy)
    return Run(folder, manifest, policy, gates, examples, latest(records))


def read_records(folder: Path) -> tuple[list[Record], int]:
    """Every whole record, and the bytes that they take.

    What follows the last line end is a line that a kill cut off: it is left out, unless it is
    whole but for its line end. Damage anywhere else is refused.
    """
    path = folder / RECORDS
    content = read_bytes(path)
    lines = content.split(b"\n")
    torn = lines.pop()
    records: list[Record] = []
    faults: list[Fault] = []
    for number, line in enumerate(lines, start=1):
        record, found = _record(line, f"{path}, line {number}", path)
        records += [record] if record else []
        faults += found
    if faults:
        damage = "the file is damaged; restore it, or start a new run"
        raise BadInput([*faults, Fault(str(path), damage)])
    last, _ = _record(torn, "", path) if torn else (None, [])
    if last is not None:
        return [*records, last], len(content)
    return records, len(content) - len(torn)


def _record(line: bytes, where: str, path: Path) -> tuple[Record | None, list[Fault]]:
    try:
        return build(Record, parse_json(line.decode("utf-8")), where)
    except (ValueError, RecursionError) as error:
        return None, [Fault(where, f"not a record: {error}")]


class RecordLog:
    """The records of one run, open for appending by one process at a time.

    Opening repairs a line that a kill cut off. `records` holds what was there.
    """

    def __init__(self, folder: Path) -> None:
        self._file: BinaryIO = (folder / RECORDS).open("r+b")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise BadInput(f"{folder}: another process is writing this run") from None
        try:
            found, size = read_records(folder)
        except BadInput:
            self._file.close()
            raise
        self.records = latest(found)
        self._file.truncate(size)
        self._file.seek(0, os.SEEK_END)
        if size and not _ends_in_newline(folder / RECORDS):
            self._file.write(b"\n")
        self._unsynced = 0

    def append(self, record: Record) -> None:
        """Add one record; from here on a kill does not lose it."""
        self._file.write(to_line(record).encode("utf-8"))
        self._file.flush()
        self.records[record.key] = record
        self._unsynced += 1
        if self._unsynced >= SYNC_EVERY:
            self._sync()

    def _sync(self) -> None:
        os.fsync(self._file.fileno())
        self._unsynced = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.flush()
        self._sync()
        self._file.close()


def _ends_in_newline(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def run_names(project: Project) -> list[str]:
    """The names of all run folders, oldest first: names begin with the time."""
    return [name for name in folder_names(project.runs) if (project.runs / name / MANIFEST).exists()]


def find_run(project: Project, text: str) -> Path:
    """A run by its folder, its name, the beginning of its name, or `latest`."""
    names = run_names(project)
    with contextlib.suppress(OSError):
        if (Path(text) / MANIFEST).exists():
            return Path(text)
    if text == "latest":
        if not names:
            raise BadInput(f"there is no run in {project.runs} yet; `make eval` makes one")
        return project.runs / names[-1]
    if text in names:
        return project.runs / text
    found = [name for name in names if text and name.startswith(text)]
    if len(found) == 1:
        return project.runs / found[0]
    if found:
        raise BadInput(f"several runs begin with {text!r}: {_some(found)}")
    raise BadInput(f"no run {text!r} in {project.runs}; there are: {_some(names) or 'none'}")


def _some(names: Iterable[str]) -> str:
    shown = list(names)
    return ", ".join(shown[-5:]) if len(shown) <= 5 else f"... {', '.join(shown[-5:])}"
