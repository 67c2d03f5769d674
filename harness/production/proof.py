"""Is a teacher proven? By a finished run of the same teacher on all of `test`, with a Gate 2 pass."""

from collections.abc import Iterator
from contextlib import suppress

from harness.errors import BadInput, Fault
from harness.grading.plan import Plan
from harness.providers import is_prompted
from harness.providers.base import SENT_ALONG
from harness.runs.folder import SCORECARD, run_names
from harness.runs.kind import GOLDEN
from harness.runs.label_manifest import Proof
from harness.runs.listing import read_headline
from harness.runs.manifest import IN_WORDS, Manifest, load_manifest
from harness.storage.project import Project

SHOWN = 3
"""How many near misses a refusal names."""
PARAMETERS = (*SENT_ALONG, "base_url")
"""The parameters of the question beside the prompt. The seed is left out: no sample is drawn here."""


def prove(project: Project, plan: Plan) -> Proof:
    """The latest run that proves the plan's teacher. BadInput with what is missing, and what to do."""
    near: list[str] = []
    judged: str | None = None
    for name in reversed(run_names(project)):
        with suppress(BadInput):
            folder = project.runs / name
            manifest = load_manifest(folder)
            if manifest.asked.model != plan.asked.model:
                continue
            lacking = list(_lacking(manifest, plan))
            found = None if lacking else read_headline(folder / SCORECARD)
            if found and found.verdict == "pass":
                kappa = found.gated_kappa
                return Proof(
                    run=name, gated=found.gated, kappa=kappa.value, n=found.n, provisional=found.provisional
                )
            judged = judged or (None if lacking else name)
            verdict = f"its Gate 2 verdict is {(found and found.verdict) or 'not there'}"
            near.append(f"{name}: {', '.join(lacking) or verdict}")
    raise BadInput([_refusal(project, plan, near, judged)])


def _lacking(manifest: Manifest, plan: Plan) -> Iterator[str]:
    """Why a run by the same model proves nothing of the plan's teacher."""
    then, now = manifest.asked, plan.asked
    if then.kind is not GOLDEN or then.splits != ("test",) or then.limit is not None:
        part = then.part if then.kind is not GOLDEN or then.splits != ("test",) else "a sample of test"
        yield f"it graded {part}; a run on test alone, and on all of it, is needed"
    if manifest.finished_at is None:
        yield "it is not finished"
    read = [name for name in manifest.differing(plan.digests) if name != "golden"]
    words = [name for name in read if name != "prefix"] or read
    if words:
        yield f"another state of {', '.join(IN_WORDS[name] for name in words)}"
    others = [name for name in PARAMETERS if getattr(then, name) != getattr(now, name)]
    if _shots(then.shots, plan) != _shots(now.shots, plan):
        others.append("shots")
    if others:
        yield "other settings: " + ", ".join(
            f"--{name.replace('_', '-')} {_given(getattr(then, name))}" for name in others
        )


def _shots(asked: int | None, plan: Plan) -> int | None:
    """How many shots a prompt shows; prompts of one digest have the same default."""
    return plan.writer.files.spec.shots if asked is None else asked


def _given(value: object) -> str:
    return "not given" if value is None or value is False else str(value)


def _refusal(project: Project, plan: Plan, near: list[str], judged: str | None) -> Fault:
    """The fault; its kind is its first line. `judged`: a run that lacks only the verdict to be a proof."""
    asked = plan.asked
    teacher = f"{asked.model} with {asked.prompt}" if is_prompted(asked.model) else asked.model
    command = project.how_to(
        "eval", _flags(plan), model=asked.model, policy=asked.policy, prompt=asked.prompt, split="test"
    )
    lines = [
        f"{teacher} is not proven: no finished run of it on test passed Gate 2 for {asked.policy}",
        *near[:SHOWN],
        f"what it lacks: harness gate2 {judged}; to ask test again until it passes proves nothing"
        if judged
        else f"prove it first: {command}",
        "or label with --unproven, and every shard will say so",
    ]
    return Fault("", "\n".join(lines), kind=lines[0])


def _flags(plan: Plan) -> str:
    """The other settings of the teacher, as options."""
    asked = plan.asked
    given = {name: getattr(asked, name) for name in (*PARAMETERS, "shots")}
    words = []
    for name, value in given.items():
        if value is True:
            words.append(f"--{name.replace('_', '-')}")
        elif value is not None and value is not False:
            words.append(f"--{name.replace('_', '-')} {value}")
    return " ".join(words)
