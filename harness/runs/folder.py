"""The run folder: create, append, resume, seal, load. Everything right of it reads files and asks nobody.

manifest.json    what was run: digests, model, parameters, versions
policy.toml, gates.toml, prefix.txt, shots.jsonl    what the teacher saw, as it was
examples.jsonl, ratings.jsonl, raters.toml          what was graded, with golden grades and reasonings
records.jsonl    append-only, a line per answer; the last one of a key counts
scorecard.json, disagreements.jsonl, verdict.json, report.html    derived; can be deleted
"""

import contextlib
import errno
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from pathlib import Path

from harness.errors import BadInput, Fault
from harness.golden.examples import golden_digest
from harness.golden.rating.ratings import RATERS, RATINGS, rater_kinds, read_ratings_file
from harness.nouns.pair import Example, Rating
from harness.nouns.policy import Gates, Policy
from harness.nouns.records import Grade, Key, Record, latest
from harness.policy.load import gates_digest, load_gates, load_policy, policy_digest
from harness.runs.kind import PAIRS as PAIR_RUN
from harness.runs.manifest import ANSWERS, MANIFEST, Manifest, load_manifest, save_manifest
from harness.runs.record_log import RECORDS, iter_records
from harness.storage.files import Content, iter_nouns, write_atomic
from harness.storage.project import Project, folder_names

EXAMPLES, PAIRS = "examples.jsonl", "pairs.jsonl"
SCORECARD, DISAGREEMENTS, VERDICT = "scorecard.json", "disagreements.jsonl", "verdict.json"


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


def load_run(folder: Path) -> Run:
    """A run folder as a Run. BadInput for a folder that is none, or is damaged."""
    run = open_run(folder)
    read_through(run)
    return run


def open_run(folder: Path) -> Run:
    """A run folder by its small files; `read_through` reads the long ones and checks them."""
    manifest = load_manifest(folder)
    if manifest.asked.kind is PAIR_RUN:
        what = "graded production pairs, whose right grades nobody knows: it has no score"
        raise BadInput([Fault(str(folder), f"{what}; `harness policy impact` reads it")])
    policy = load_policy(folder / "policy.toml")
    gates = load_gates(folder / "gates.toml", policy)
    return Run(folder, manifest, policy, gates, *_raters(folder))


def _raters(folder: Path) -> tuple[tuple[Rating, ...], dict[str, str]]:
    """The ratings that the run keeps, and what its raters are."""
    path = folder / RATINGS
    ratings = read_ratings_file(path) if path.exists() else []
    return tuple(ratings), rater_kinds(folder / RATERS)


def read_through(
    run: Run,
    on_example: Callable[[Example], object] = lambda _: None,
    on_record: Callable[[Record], object] = lambda _: None,
) -> Mapping[str, str]:
    """Hand over each example, then each record, in one pass over each file; the pairs' digests by example.

    BadInput, after the last record, for a run whose parts do not belong together: it has no score.
    """
    folder, manifest = run.folder, run.manifest
    pairs: dict[str, str] = {}
    examples = _noting(run.each_example(), pairs, on_example)
    kept = {
        EXAMPLES: (golden_digest(examples), manifest.digests.golden),
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
        on_record(record)
        found[record.key] = _misfits(run, record, pairs)
    faults += [fault for misfits in found.values() for fault in misfits]
    lost = len(pairs) * manifest.asked.repeats - sum(name in pairs for name, _ in found)
    if len(pairs) * manifest.asked.repeats > ANSWERS:
        faults.append(Fault(str(folder / EXAMPLES), f"more than {ANSWERS:,} answers: examples times repeats"))
    elif manifest.finished_at is not None and lost > 0:
        keys = ((name, at) for name in sorted(pairs) for at in range(manifest.asked.repeats))
        first = next((name for name, at in keys if (name, at) not in found), "")
        what = f"the run is finished, but {lost} records are gone (the first: {first})"
        faults.append(Fault(str(folder / RECORDS), what))
    if faults:
        raise BadInput(faults)
    return pairs


def _noting(
    examples: Iterable[Example], pairs: dict[str, str], on_example: Callable[[Example], object]
) -> Iterator[Example]:
    """The examples as they are, each handed over and its pair's digest noted as it passes."""
    for example in examples:
        on_example(example)
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


def earlier_runs(folder: Path) -> list[Path]:
    """The folders of the runs that lie beside a run and began before it, the latest first."""
    names = [name for name in folder_names(folder.parent) if name < folder.name]
    return [folder.parent / name for name in reversed(names)]


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
