"""What a run will ask, settled before it asks anything: policy, prompt, shots, examples, digests."""

import platform
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from harness import __version__
from harness.errors import BadInput, Fault
from harness.golden.canaries import FILE as CANARIES
from harness.golden.canaries import canary_examples, load_canaries
from harness.golden.examples import golden_digest, golden_path, load_examples, stale
from harness.golden.leakage import Dropped, safe_shots, withhold_worked
from harness.golden.rating.ratings import RATERS, RATINGS, rater_kinds, ratings_under
from harness.golden.splits import choose_examples
from harness.nouns.pair import Example, Rating
from harness.nouns.policy import Gates, Policy
from harness.policy.load import gates_digest, load_gates, load_policy, policy_digest, policy_path
from harness.prompting.prompt import PromptWriter, bind_prompt, load_prompt
from harness.providers import asks_a_server, base_url_of, split_model
from harness.providers.base import Setup
from harness.runs.folder import EXAMPLES, PAIRS
from harness.runs.manifest import Asked, Digests, Manifest
from harness.runs.pairs import ShownPair, pairs_digest
from harness.storage.digest import digest_bytes
from harness.storage.files import Content, read_bytes, to_line
from harness.storage.project import Project
from harness.storage.tables import Layout

PACKAGES = ("openai", "anthropic", "jinja2", "scikit-learn", "tenacity", "pydantic", "datasets", "numpy")


@dataclass(frozen=True, slots=True)
class Plan:
    """A run before its first call. `learnable`: every shot that is safe to learn from.

    `ratings`: all that were given under the policy version, since Gate 1 is about the policy and not
    about the part of the golden set that is graded.
    """

    asked: Asked
    policy: Policy
    policy_file: Path
    gates: Gates
    writer: PromptWriter
    golden_file: Path
    examples: tuple[Example, ...]
    learnable: tuple[Example, ...]
    dropped: tuple[Dropped, ...]
    withheld: tuple[str, ...]
    stale: int
    ratings: tuple[Rating, ...]
    digests: Digests
    pairs: tuple[ShownPair, ...] = ()
    """What is graded instead of golden examples, where production pairs are."""


def make_plan(project: Project, asked: Asked, pairs: Sequence[ShownPair] = ()) -> Plan:
    """Everything that a run needs, read and checked. BadInput for whatever is wrong."""
    provider, _ = split_model(asked.model)
    # An SDK would take its own address unseen; a run has to say whom it asked, and that it asked nobody.
    address = (asked.base_url or base_url_of(provider)) if asks_a_server(provider) else None
    asked = asked.model_copy(update={"base_url": address})
    policy_file = policy_path(project, asked.policy)
    policy = load_policy(policy_file)
    gates = load_gates(policy_file.with_name("gates.toml"), policy)
    prompt = load_prompt(project, asked.prompt)
    golden_file = golden_path(project, policy.name)
    golden = load_examples(golden_file, policy)
    canaries = canary_examples(load_canaries(golden_file.with_name(CANARIES), policy))
    # Canaries are graded too, so that shots must not give them away either.
    also = {one.id: one.pair for one in pairs}
    learnable, dropped = safe_shots([*golden, *canaries], also)
    shown, withheld = withhold_worked(policy, [*golden, *canaries], also)
    writer = bind_prompt(prompt, shown, learnable, asked.shots)
    examples = [] if pairs else _to_grade(asked, golden, canaries)
    items: Sequence[Example] | Sequence[ShownPair] = pairs or examples
    for item in items:
        # A template can fail on one pair alone; better here than after half the money is spent.
        writer.prompt(item.id, item.pair)
    return Plan(
        asked=asked.model_copy(update={"policy": policy.label, "prompt": prompt.label}),
        policy=policy,
        policy_file=policy_file,
        gates=gates,
        writer=writer,
        golden_file=golden_file,
        examples=tuple(examples),
        learnable=tuple(learnable),
        dropped=tuple(dropped),
        withheld=tuple(withheld),
        stale=len(stale(examples, policy.version)),
        ratings=tuple(_ratings(golden_file.with_name(RATINGS), policy, golden)),
        digests=Digests(
            policy=policy_digest(policy),
            prompt=prompt.digest,
            prefix=writer.prefix_digest,
            shots=golden_digest(learnable),
            golden=pairs_digest(pairs) if pairs else golden_digest(examples),
            replayed=_replayed(project, asked),
        ),
        pairs=tuple(pairs),
    )


def _to_grade(asked: Asked, golden: list[Example], canaries: list[Example]) -> list[Example]:
    if asked.only:
        return _only(asked, golden)
    if not asked.canaries:
        return choose_examples(golden, asked.splits, asked.limit, asked.seed or 0)
    if not canaries:
        raise BadInput(f"there are no canaries: no {CANARIES} beside the golden set of {asked.policy}")
    return canaries


def _only(asked: Asked, golden: list[Example]) -> list[Example]:
    """The examples that somebody chose by id. BadInput names every one that cannot be graded."""
    inside = {example.id: example for example in golden if example.split in asked.splits}
    splits = {example.id: example.split for example in golden}
    part = "+".join(asked.splits)
    faults = [
        Fault(
            f"--only {id_}",
            f"lies in split {splits[id_]}, and {part} is graded" if id_ in splits else "no such example",
        )
        for id_ in asked.only
        if id_ not in inside
    ]
    if faults:
        raise BadInput(faults)
    return [example for id_, example in inside.items() if id_ in set(asked.only)]


def _ratings(path: Path, policy: Policy, golden: Sequence[Example]) -> Sequence[Rating]:
    return ratings_under(path, policy, golden) if path.exists() else ()


def setup_of(project: Project, plan: Plan) -> Setup:
    """What the teacher's opener gets."""
    asked = plan.asked
    return Setup(
        policy=plan.policy,
        shots=plan.learnable,
        base_url=asked.base_url,
        temperature=asked.temperature,
        seed=asked.seed,
        sampled=asked.limit is not None,
        layout=Layout(columns=asked.columns, wide=asked.wide, format=asked.format),
        rater=asked.rater,
        root=project.root,
    )


def changed_since(manifest: Manifest, plan: Plan) -> list[str]:
    """What a run was made with that is another today, by name."""
    return manifest.digests.changed(plan.digests)


def new_manifest(project: Project, plan: Plan) -> Manifest:
    """The manifest of a run that begins now."""
    now = datetime.now(UTC)
    commit, dirty = _commit(project.root)
    return Manifest(
        name=_run_name(plan, now),
        created_at=now.isoformat(timespec="seconds"),
        asked=plan.asked,
        digests=plan.digests,
        gates=gates_digest(plan.gates),
        examples=len(plan.examples) + len(plan.pairs),
        shots=tuple(shot.id for shot in plan.writer.shown),
        shots_dropped=tuple(drop.shot for drop in plan.dropped),
        worked_withheld=plan.withheld,
        stale=plan.stale,
        sources=tuple(sorted({e.provenance.source for e in plan.examples if e.provenance})),
        harness=__version__,
        python=platform.python_version(),
        packages=package_versions(),
        commit=commit,
        dirty=dirty,
    )


def package_versions() -> dict[str, str]:
    """The installed versions of the packages that answers depend on."""
    return {name: _version(name) for name in PACKAGES}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def run_contents(plan: Plan) -> dict[str, Content]:
    """What a run folder keeps of its inputs, so that it can be read when they have changed."""
    gates_file = plan.policy_file.with_name("gates.toml")
    contents: dict[str, Content] = {
        "policy.toml": read_bytes(plan.policy_file),
        "gates.toml": read_bytes(gates_file) if gates_file.exists() else "",
        "prefix.txt": f"{plan.writer.system}\n\n{plan.writer.lead}",
        "shots.jsonl": _lines(plan.writer.shown),
    }
    if plan.pairs:
        return {**contents, PAIRS: _lines(plan.pairs)}
    contents[EXAMPLES] = _lines(plan.examples)
    raters = plan.golden_file.with_name(RATERS)
    if plan.ratings:
        contents[RATINGS] = _lines(plan.ratings)
    if raters.exists():
        rater_kinds(raters)
        contents[RATERS] = read_bytes(raters)
    return contents


def _lines(nouns: Sequence[Example] | Sequence[Rating] | Sequence[ShownPair]) -> Iterator[str]:
    return (to_line(noun, sparse=True) for noun in nouns)


def _replayed(project: Project, asked: Asked) -> str | None:
    provider, file = split_model(asked.model)
    return digest_bytes(read_bytes(project.root / file)) if provider == "replay" else None


def _run_name(plan: Plan, now: datetime) -> str:
    """The time first, so that names sort by it; no longer than file systems allow."""
    asked = plan.asked
    provider, model = split_model(asked.model)
    if provider == "replay":
        model = Path(model).stem
    began = f"{now:%Y%m%dT%H%M%S}.{now.microsecond // 1000:03d}"
    text = "-".join((began, asked.policy, asked.prompt, provider, model, asked.part))
    name = "".join(letter if letter.isalnum() or letter in "-_.@+" else "-" for letter in text)
    return name.encode("utf-8")[:200].decode("utf-8", "ignore")


def _commit(root: Path) -> tuple[str | None, bool | None]:
    """The commit that the project is at, and whether files differ from it; None outside git."""
    try:
        head = _git(root, "rev-parse", "HEAD")
        return head, bool(_git(root, "status", "--porcelain"))
    except (OSError, subprocess.CalledProcessError):
        return None, None


def _git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout.strip()
