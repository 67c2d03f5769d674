"""What a run will ask, settled before the first call: policy, prompt, shots, examples, digests.

Memory does not grow with the run: each pass over more than HELD examples reads their file again.
"""

from collections import deque
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from harness.errors import BadInput, Fault, refuse_faults
from harness.golden.canaries import FILE as CANARIES
from harness.golden.canaries import canary_examples, load_canaries
from harness.golden.examples import checked_examples, each_example, golden_digest, golden_path
from harness.golden.leakage import Dropped, Leaks
from harness.golden.rating.open_rounds import with_rounds
from harness.golden.rating.ratings import RATINGS, Rated, Said, rated_under
from harness.golden.splits import sample_ids
from harness.nouns.base import Split
from harness.nouns.pair import Example
from harness.nouns.policy import Gates, Policy
from harness.policy.judged import is_judged
from harness.policy.load import load_with_gates, policy_digest, policy_path
from harness.prompting.prompt import PromptFiles, PromptWriter, bind_prompt, load_prompt
from harness.providers import asks_a_server, base_url_of, reads_grades, saved_digest, split_model
from harness.providers.base import SENT_ALONG, Setup
from harness.runs.kind import CANARIES as CANARY_RUN
from harness.runs.kind import CHOSEN, GOLDEN
from harness.runs.manifest import Asked, Digests
from harness.runs.pairs import ShownPair, pairs_digest
from harness.storage.digest import digest_file
from harness.storage.files import Stamp, stamp_of
from harness.storage.project import Project
from harness.storage.stream import Stream
from harness.storage.tables import Layout

HELD = 5_000
"""The most examples that are kept in memory."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A run before its first call. `learnable`: every shot that gives no graded example away.

    `ratings`: all that was said under the policy version, since Gate 1 is about the policy and not about the
    graded part of the golden set; `rating_open` and `rating_early` as in the manifest. `stamp`: the state of
    the golden file when it was read.
    """

    asked: Asked
    policy: Policy
    policy_file: Path
    gates: Gates
    writer: PromptWriter
    golden_file: Path
    stamp: Stamp
    examples: Stream[Example]
    pairs: Stream[ShownPair]
    """Production pairs, if those are graded instead of golden examples."""
    learnable: tuple[Example, ...]
    dropped: tuple[Dropped, ...]
    withheld: tuple[str, ...]
    stale: int
    sources: tuple[str, ...]
    ratings: tuple[Said, ...]
    rated_under: tuple[str, ...]
    rating_open: str | None
    rating_early: str | None
    digests: Digests

    @property
    def size(self) -> int:
        """How many items are graded."""
        return len(self.examples) + len(self.pairs)


def make_plan(project: Project, asked: Asked, pairs: Stream[ShownPair] | None = None) -> Plan:
    """Read and check everything that a run needs. BadInput for any fault."""
    policy_file = policy_path(project, asked.policy)
    policy, gates = load_with_gates(policy_file)
    prompt = load_prompt(project, asked.prompt)
    asked = _in_full(asked, policy, prompt)
    set_ = _GoldenSet(golden_path(project, policy.name), policy, asked)
    leaks, found = Leaks(set_.shots, policy), _PlannedSet(policy)
    golden = golden_digest(found.noted(set_.chosen(leaks)))
    for one in pairs or ():
        leaks.see(one.id, one.pair)
    learnable, dropped = leaks.safe_shots()
    shown, withheld = leaks.shown_policy()
    writer = bind_prompt(prompt, shown, learnable, asked.shots)
    graded = found.stream(set_)
    _try_each(writer, pairs or graded)
    rated = with_rounds(project, policy, set_.rated())
    return Plan(
        asked=asked,
        policy=policy,
        policy_file=policy_file,
        gates=gates,
        writer=writer,
        golden_file=set_.path,
        stamp=set_.stamp,
        examples=graded,
        pairs=pairs or Stream(),
        learnable=tuple(learnable),
        dropped=tuple(dropped),
        withheld=tuple(withheld),
        stale=found.stale,
        sources=tuple(sorted(found.sources)),
        ratings=(*rated.ratings, *rated.unrated),
        rated_under=rated.versions,
        rating_open=rated.unfinished,
        rating_early=rated.early,
        digests=Digests(
            golden=pairs_digest(pairs) if pairs else golden,
            replayed=_replayed(project, asked),
            trained=saved_digest(asked.model, project.root),
            **_digests_of(policy, prompt, writer, learnable),
        ),
    )


def _in_full(asked: Asked, policy: Policy, prompt: PromptFiles) -> Asked:
    """What was asked for, with the versions and the address that are meant."""
    named = {"base_url": _address(asked), "policy": policy.label, "prompt": prompt.label}
    return asked.model_copy(update=named)


def _digests_of(
    policy: Policy, prompt: PromptFiles, writer: PromptWriter, shots: Iterable[Example]
) -> dict[str, str]:
    """The digests of what the teacher is told of every item."""
    return {
        "policy": policy_digest(policy),
        "prompt": prompt.digest,
        "prefix": writer.prefix_digest,
        "shots": golden_digest(shots),
    }


def _try_each(writer: PromptWriter, graded: Iterable[Example | ShownPair]) -> None:
    """Render every prompt: a template can fail on a single pair, and no call is to be paid for before."""
    for item in () if writer.is_fixed else graded:
        writer.prompt(item.id, item.pair)


def _address(asked: Asked) -> str | None:
    """The address in use, which the manifest records: an SDK reads one from the environment silently."""
    provider, _ = split_model(asked.model)
    return (asked.base_url or base_url_of(provider)) if asks_a_server(provider) else None


class _GoldenSet:
    """A golden set with its canaries, checked, and the part of it that a run grades."""

    def __init__(self, path: Path, policy: Policy, asked: Asked) -> None:
        self.path, self._policy, self._asked = path, policy, asked
        self.stamp = stamp_of(path)
        self.shots: list[Example] = []
        checked = self._noting_shots(checked_examples(path, policy))
        self._ids: Container[str] | None = None
        if asked.kind is CHOSEN:
            self._ids = _only(asked, checked)
        elif asked.kind is GOLDEN and asked.limit is not None:
            self._ids = sample_ids(checked, asked.splits, asked.limit, asked.seed or 0)
        deque(checked, maxlen=0)  # checks the rest of the file
        self._canaries = canary_examples(load_canaries(path.with_name(CANARIES), policy))

    def chosen(self, leaks: Leaks | None = None) -> Iterator[Example]:
        """What the run grades, in the order of the file. `leaks` sees all that any run grades."""
        asked = self._asked
        for example in each_example(self.path, self._policy):
            if leaks and example.split != "shots":
                leaks.see(example.id, example)
            wanted = example.split in asked.splits and (self._ids is None or example.id in self._ids)
            if asked.kind.scored and wanted:
                yield example
        for canary in self._canaries:
            # Shots must not give canaries away either.
            if leaks:
                leaks.see(canary.id, canary)
            if asked.kind is CANARY_RUN:
                yield canary

    def refuse_none(self, count: int) -> None:
        """BadInput if there is nothing to grade."""
        if not count and self._asked.kind is CANARY_RUN:
            raise BadInput(f"no canaries: add {CANARIES} beside the golden set of {self._asked.policy}")
        if not count and self._asked.kind.scored:
            raise BadInput(f"the golden set has no example in split {self._asked.part}")

    def rated(self) -> Rated:
        """All that raters said under the policy version."""
        examples = each_example(self.path, self._policy)
        return rated_under(self.path.with_name(RATINGS), self._policy, examples)

    def _noting_shots(self, examples: Iterable[Example]) -> Iterator[Example]:
        for example in examples:
            if example.split == "shots":
                self.shots.append(example)
            yield example


@dataclass(slots=True)
class _PlannedSet:
    """Totals of the graded examples, added up as they pass; the `first` of them are kept."""

    policy: Policy
    first: list[Example] = field(default_factory=list)
    count: int = 0
    stale: int = 0
    sources: set[str] = field(default_factory=set)

    def noted(self, examples: Iterable[Example]) -> Iterator[Example]:
        for example in examples:
            if self.count < HELD:
                self.first.append(example)
            self.count += 1
            self.stale += not is_judged(example, self.policy)
            if example.provenance:
                self.sources.add(example.provenance.source)
            yield example

    def stream(self, golden: _GoldenSet) -> Stream[Example]:
        """The graded examples again, from the file if they are many. BadInput if there are none."""
        golden.refuse_none(self.count)
        # What is read from the file again takes as long as all the file.
        return Stream(golden.chosen if self.count > HELD else partial(iter, self.first), self.count)


def _only(asked: Asked, golden: Iterable[Example]) -> Container[str]:
    """The examples chosen by id. BadInput names every one that cannot be graded."""
    wanted = set(asked.only)
    splits: dict[str, Split] = {example.id: example.split for example in golden if example.id in wanted}
    part = "+".join(asked.splits)
    refuse_faults(
        Fault(
            f"--only {id_}",
            f"is in split {splits[id_]}; the run grades {part}" if id_ in splits else "no such example",
        )
        for id_ in asked.only
        if splits.get(id_) not in asked.splits
    )
    return wanted


def _replayed(project: Project, asked: Asked) -> str | None:
    _, file = split_model(asked.model)
    return digest_file(project.root / file) if reads_grades(asked.model) else None


def setup_of(project: Project, plan: Plan) -> Setup:
    """What opens the teacher."""
    asked = plan.asked
    # Where pairs are graded, --columns is about the file of pairs, not about a replayed file.
    mapped_by = "--columns" if asked.pairs is None else None
    return Setup(
        policy=plan.policy,
        shots=plan.learnable,
        withheld=len(plan.dropped),
        examples=plan.examples,
        base_url=asked.base_url,
        **{name: getattr(asked, name) for name in SENT_ALONG},
        sampled=asked.limit is not None,
        layout=Layout(asked.columns, asked.wide, asked.format, asked.labels, asked.encoding, mapped_by),
        rater=asked.rater,
        root=project.root,
    )
