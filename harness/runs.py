"""The run folder: create, append, resume, seal, load. Everything right of it reads files and asks nobody.

manifest.json    what was run: digests, model, parameters, versions
policy.toml, gates.toml, prefix.txt, shots.jsonl    what the teacher saw, as it was
examples.jsonl, ratings.jsonl, raters.toml          what was graded, with golden grades and reasonings
records.jsonl    append-only, a line per answer; the last one of a key counts
scorecard.json, verdict.json, report.html    derived; can be deleted
"""

import contextlib
import errno
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from harness.errors import BadInput, Fault
from harness.files import Content, decode, faults_of, iter_nouns, parse_json, read_bytes, write_atomic
from harness.golden.examples import golden_digest
from harness.golden.ratings import rater_kinds, read_ratings_file
from harness.journal import RECORDS, iter_records
from harness.noun import Noun, Split
from harness.policies import gates_digest, load_gates, load_policy, policy_digest
from harness.project import Project, folder_names
from harness.records import Example, Grade, Key, Rating, Record, latest
from harness.rubric import Gates, Policy

MANIFEST, EXAMPLES, RATINGS, RATERS = "manifest.json", "examples.jsonl", "ratings.jsonl", "raters.toml"
PAIRS = "pairs.jsonl"
SCORECARD, VERDICT = "scorecard.json", "verdict.json"


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


@dataclass(frozen=True)
class Run:
    """A run folder, read. What grows with the run stays on the disk until somebody asks for it."""

    folder: Path
    manifest: Manifest
    policy: Policy
    gates: Gates
    ratings: tuple[Rating, ...] = ()
    raters: Mapping[str, str] = field(default_factory=dict)
    """What each rater is: "human" or "llm"."""

    @cached_property
    def examples(self) -> tuple[Example, ...]:
        """What is graded, all of it at once."""
        return tuple(self.each_example())

    @cached_property
    def records(self) -> Mapping[Key, Record]:
        """The record that counts for each key, all of them at once."""
        return latest(self.each_record())

    def each_example(self) -> Iterator[Example]:
        """What is graded, one by one."""
        return iter_nouns(self.folder / EXAMPLES, Example)

    def each_record(self) -> Iterator[Record]:
        """Every record, one by one, in the order of writing: the last one of a key counts."""
        return (record for record, _ in iter_records(self.folder))


def create_run(runs: Path, manifest: Manifest, contents: Mapping[str, Content]) -> Path:
    """A new run folder, whole or not at all. A name that is taken gets a number."""
    runs.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".new-", dir=runs))
    try:
        draft.chmod(0o755)
        for name, content in contents.items():
            write_atomic(draft / name, content)
        (draft / RECORDS).touch()
        for number in count(1):
            name = manifest.name if number == 1 else f"{manifest.name}-{number}"
            save_manifest(draft, manifest.model_copy(update={"name": name}))
            with contextlib.suppress(FileExistsError):
                return _take_name(draft, runs / name)
        raise AssertionError("counting ends with a free name")
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def _take_name(draft: Path, folder: Path) -> Path:
    """Rename the draft; FileExistsError where another run, perhaps just now, has the name."""
    try:
        return draft.rename(folder)
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
            raise FileExistsError(folder) from error
        raise


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
    if manifest.asked.pairs is not None:
        what = "graded production pairs, whose right grades nobody knows: it has no score"
        raise BadInput([Fault(str(folder), f"{what}; `harness policy impact` reads it")])
    policy = load_policy(folder / "policy.toml")
    gates = load_gates(folder / "gates.toml", policy)
    run = Run(folder, manifest, policy, gates, *_raters(folder))
    _refuse_damage(run)
    return run


def _raters(folder: Path) -> tuple[tuple[Rating, ...], dict[str, str]]:
    """The ratings that the run keeps, and what its raters are."""
    path = folder / RATINGS
    ratings = read_ratings_file(path) if path.exists() else []
    return tuple(ratings), rater_kinds(folder / RATERS)


def _refuse_damage(run: Run) -> None:
    """A run whose parts do not belong together has no score."""
    folder, manifest = run.folder, run.manifest
    pairs: dict[str, str] = {}
    kept = {
        EXAMPLES: (golden_digest(_noting(run.each_example(), pairs)), manifest.digests.golden),
        "policy.toml": (policy_digest(run.policy), manifest.digests.policy),
        "gates.toml": (gates_digest(run.gates), manifest.gates),
    }
    faults = [
        Fault(str(folder / name), "is not what the manifest says the run was made with")
        for name, (now, then) in kept.items()
        if now != then
    ]
    found: dict[Key, list[Fault]] = {}
    for record in run.each_record():
        found[record.key] = _misfits(run, record, pairs)
    faults += [fault for misfits in found.values() for fault in misfits]
    lost = [(name, at) for name in pairs for at in range(manifest.asked.repeats) if (name, at) not in found]
    if manifest.finished_at is not None and lost:
        what = f"the run is finished, but {len(lost)} records are gone (the first: {min(lost)[0]})"
        faults.append(Fault(str(folder / RECORDS), what))
    if faults:
        raise BadInput(faults)


def _noting(examples: Iterable[Example], pairs: dict[str, str]) -> Iterator[Example]:
    """The examples as they are, each with its pair's digest noted as it passes."""
    for example in examples:
        pairs[example.id] = example.pair.digest
        yield example


def _misfits(run: Run, record: Record, pairs: Mapping[str, str]) -> list[Fault]:
    """What is wrong with a record besides its form."""
    faults = []
    where = f"{run.folder / RECORDS}, {record.example}"
    if pairs.get(record.example) != record.pair or not 0 <= record.repeat < run.manifest.asked.repeats:
        faults.append(Fault(where, "a record of a pair that the run does not have"))
    if isinstance(record.outcome, Grade) and record.outcome.value not in run.policy.scale:
        what = f"grade {record.outcome.value} is not on the scale of {run.policy.label}"
        faults.append(Fault(where, what))
    return faults


def run_names(project: Project) -> list[str]:
    """The names of all run folders, oldest first: names begin with the time."""
    return [name for name in folder_names(project.runs) if (project.runs / name / MANIFEST).exists()]


def find_run(project: Project, text: str) -> Path:
    """A run by its folder, its name, the beginning of its name, `latest`, or `latest~1` before it."""
    names = run_names(project)
    with contextlib.suppress(OSError):
        if (Path(text) / MANIFEST).exists():
            return Path(text)
    back = re.fullmatch(r"latest(?:~(\d+))?", text)
    if back:
        return project.runs / _latest(names, int(back[1] or 0), project)
    if text in names:
        return project.runs / text
    found = [name for name in names if text and name.startswith(text)]
    if len(found) == 1:
        return project.runs / found[0]
    if Path(text).is_file():
        what = "is a file, and a run is wanted here: `harness eval --model replay/FILE` makes one of grades"
        raise BadInput(f"{text} {what}")
    if found:
        raise BadInput(f"several runs begin with {text!r}: {_some(found)}")
    raise BadInput(f"no run {text!r} in {project.runs}; there are: {_some(names) or 'none'}")


def _latest(names: list[str], back: int, project: Project) -> str:
    if not names:
        raise BadInput(f"there is no run in {project.runs} yet; `make eval` makes one")
    if back >= len(names):
        there = "is 1 run" if len(names) == 1 else f"are {len(names)} runs"
        raise BadInput(f"latest~{back}: there {there} in {project.runs}")
    return names[-1 - back]


def _some(names: Iterable[str]) -> str:
    shown = list(names)
    return ", ".join(shown[-5:]) if len(shown) <= 5 else f"... {', '.join(shown[-5:])}"
