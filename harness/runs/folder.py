"""The run folder: create, load and find runs. What reads a run makes no API calls.

manifest.json    what was run: digests, model, parameters, versions
policy.toml, gates.toml, prefix.txt, shots.jsonl    what the teacher saw, as it was
examples.jsonl, ratings.jsonl, raters.toml          what was graded, with golden grades and reasonings
records.jsonl    append-only, a line per answer; the last one of a key counts
scorecard.json, disagreements.jsonl, verdict.json, report.html    derived; can be deleted
"""

import contextlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from harness.errors import BadInput, Fault, refuse_faults
from harness.golden.examples import said_digest
from harness.golden.rating.raters import RATERS, rater_kinds
from harness.golden.rating.ratings import RATINGS, load_said
from harness.golden.scales import off_scale
from harness.nouns.pair import Example, Rating, Unrated
from harness.nouns.policy import Gates, Policy
from harness.nouns.records import Grade, Key, Record, latest
from harness.policy.load import gates_digest, load_with_gates, policy_digest
from harness.runs.manifest import ANSWERS, MANIFEST, Manifest, load_manifest
from harness.runs.record_log import RECORDS, iter_records
from harness.storage.files import iter_nouns, read_text
from harness.storage.plural import plural
from harness.storage.project import Project, folder_names
from harness.storage.strict_json import json_fault, parse_whole

EXAMPLES, PAIRS = "examples.jsonl", "pairs.jsonl"
BASELINES = "baselines"
"""The folder of the baselines in runs/."""
SCORECARD, DISAGREEMENTS, VERDICT = "scorecard.json", "disagreements.jsonl", "verdict.json"


@dataclass(frozen=True)
class Run:
    """A run folder, read. Examples and records stay on the disk until they are used."""

    folder: Path
    manifest: Manifest
    policy: Policy
    gates: Gates
    ratings: tuple[Rating, ...] = ()
    raters: Mapping[str, str] = field(default_factory=dict)
    """The kind of each rater: "human" or "llm"."""
    unrated: tuple[Unrated, ...] = ()

    @cached_property
    def examples(self) -> tuple[Example, ...]:
        """All graded examples, in memory."""
        return tuple(self.each_example())

    @cached_property
    def records(self) -> Mapping[Key, Record]:
        """The latest record of each key, in memory."""
        return latest(self.each_record())

    def each_example(self) -> Iterator[Example]:
        """The graded examples, one by one."""
        return iter_nouns(self.folder / EXAMPLES, Example)

    def each_record(self) -> Iterator[Record]:
        """Every record, one by one, in the order of writing: the last one of a key counts."""
        return iter_records(self.folder)


def load_run(folder: Path) -> Run:
    """Read and check a run folder. BadInput if it is damaged or not a run."""
    run = open_run(folder)
    read_through(run)
    return run


def open_run(folder: Path) -> Run:
    """Read the small files of a run folder; `read_through` reads and checks the long ones."""
    manifest = load_manifest(folder)
    kind = manifest.asked.kind
    if kind.repeated_by:
        what = f"{kind.apart}, which have no golden grades: use `{kind.repeated_by}`"
        raise BadInput([Fault(str(folder), what)])
    policy, gates = load_with_gates(folder / "policy.toml")
    return Run(folder, manifest, policy, gates, *_raters(folder, policy))


def _raters(folder: Path, policy: Policy) -> tuple[tuple[Rating, ...], dict[str, str], tuple[Unrated, ...]]:
    """The ratings of the run, the kinds of its raters, and what they could not grade."""
    path = folder / RATINGS
    said = load_said(path)
    ratings = [one for one in said if isinstance(one, Rating)]
    off = {rating.grade: rating.item for rating in ratings if rating.grade not in policy.scale}
    refuse_faults(Fault(f"{path}, {item}", off_scale(grade, policy)) for grade, item in off.items())
    unrated = tuple(one for one in said if isinstance(one, Unrated))
    return tuple(ratings), rater_kinds(folder / RATERS), unrated


def read_through(
    run: Run,
    on_example: Callable[[Example], object] = lambda _: None,
    on_record: Callable[[Record], object] = lambda _: None,
) -> Mapping[str, str]:
    """Pass each example, then each record, to its callback in one pass over each file.

    Returns the pairs' digests by example. BadInput, after the last record, if parts of the run do not fit.
    """
    folder, manifest = run.folder, run.manifest
    pairs: dict[str, str] = {}
    examples = _noting(run.each_example(), pairs, on_example)
    kept = {
        EXAMPLES: (said_digest(examples), manifest.digests.golden),
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
        known = 0 <= record.repeat < manifest.asked.repeats
        found[record.key] = misfits(folder, run.policy, record, pairs.get(record.example) if known else None)
    faults += [fault for wrong in found.values() for fault in wrong]
    lost = len(pairs) * manifest.asked.repeats - sum(name in pairs for name, _ in found)
    if len(pairs) * manifest.asked.repeats > ANSWERS:
        faults.append(Fault(str(folder / EXAMPLES), f"more than {ANSWERS:,} answers: examples times repeats"))
    elif manifest.finished_at is not None and lost > 0:
        keys = ((name, at) for name in sorted(pairs) for at in range(manifest.asked.repeats))
        first = next((name for name, at in keys if (name, at) not in found), "")
        what = (
            f"the run is finished, but {plural(lost, 'record is', 'records are')} gone (the first: {first})"
        )
        faults.append(Fault(str(folder / RECORDS), what))
    refuse_faults(faults)
    return pairs


def _noting(
    examples: Iterable[Example], pairs: dict[str, str], on_example: Callable[[Example], object]
) -> Iterator[tuple[Example, str]]:
    """The examples, each passed to the callback, with their pairs' digests, which are noted."""
    for example in examples:
        on_example(example)
        pairs[example.id] = example.pair.digest
        yield example, pairs[example.id]


def misfits(folder: Path, policy: Policy, record: Record, pair: str | None) -> list[Fault]:
    """The faults of a record besides its form; `pair`: the digest that the run has for its example."""
    faults = []
    where = f"{folder / RECORDS}, {record.example}"
    if pair != record.pair:
        faults.append(Fault(where, "a record of a pair that the run does not have"))
    if isinstance(record.outcome, Grade) and record.outcome.value not in policy.scale:
        faults.append(Fault(where, f"grade {record.outcome.value} is not on the scale of {policy.label}"))
    return faults


def run_names(project: Project) -> list[str]:
    """The names of all run folders, oldest first: names begin with the time."""
    return [name for name in folder_names(project.runs) if (project.runs / name / MANIFEST).exists()]


def earlier_runs(folder: Path) -> list[Path]:
    """The run folders beside a run that began before it, the latest first."""
    names = [name for name in folder_names(folder.parent) if name < folder.name]
    return [folder.parent / name for name in reversed(names)]


def find_run(project: Project, text: str, beside: Path | None = None) -> Path:
    """A run by its folder, its name or the beginning of it, `latest`, `latest~1` before it, or `baseline`.

    Of several baselines, that for the policy and split of the run `beside` counts.
    """
    names = run_names(project)
    if text == "baseline":
        text = _run_of_baseline(project, beside)
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
        how = "`harness eval --model replay/FILE` makes a run of grades"
        raise BadInput(f"{text} is a file, not a run; {how}")
    if found:
        raise BadInput(f"several runs begin with {text!r}: {_some(found)}")
    raise BadInput(f"no run {text!r} in {project.runs}; there are: {_some(names) or 'none'}")


def _run_of_baseline(project: Project, beside: Path | None) -> str:
    """The name of the run that the baseline was made of. BadInput unless there is one, and its run."""
    asked = load_manifest(beside).asked if beside else None
    wanted = f"{asked.policy.partition('@')[0]}-{asked.part}" if asked else "*"
    found = sorted((project.runs / BASELINES).glob(f"{wanted}.json"))
    if len(found) != 1:
        which = ", ".join(path.stem for path in found)
        there = (
            f"several baselines ({which}): name the run" if found else f"no baseline {wanted}".rstrip(" *")
        )
        raise BadInput(f"{there}; `harness baseline show` lists them")
    try:
        data = parse_whole(read_text(found[0]))
    except (ValueError, RecursionError) as error:
        raise BadInput.at(found[0], f"not a baseline: {json_fault(error)}") from None
    run = data.get("run") if isinstance(data, dict) else None
    if not isinstance(run, str):
        raise BadInput.at(found[0], 'not a baseline: expected an object with the key "run"')
    if run not in run_names(project):
        how = "compare and regress take the baseline by itself"
        raise BadInput(f"the run {run} that {found[0]} was made of is not here; {how}")
    return str(run)


def _latest(names: list[str], back: int, project: Project) -> str:
    if not names:
        raise BadInput(f"no run in {project.runs} yet; `{project.how_to('eval')}` makes one")
    if back >= len(names):
        there = "is 1 run" if len(names) == 1 else f"are {len(names):,} runs"
        raise BadInput(f"latest~{back}: there {there} in {project.runs}")
    return names[-1 - back]


def _some(names: Iterable[str]) -> str:
    shown = list(names)
    return ", ".join(shown[-5:]) if len(shown) <= 5 else f"... {', '.join(shown[-5:])}"
