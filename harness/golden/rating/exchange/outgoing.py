"""What the project exports: pairs to rate, blind, or ratings, each beside its pair.

A pair is named by the code of a rating sheet, since an example's id can hint at its grade; `.1` behind the
code marks a rater's second answer.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import BadInput, Fault, refuse_faults
from harness.golden.exporting import texts_shown
from harness.golden.rating.exchange.responses import Named, Response
from harness.golden.rating.sheet import code_of
from harness.nouns.pair import Example, Pair, Rating, Unrated
from harness.nouns.policy import Policy
from harness.policy.load import policy_digest

CAUSES: Mapping[str, str] = {
    "ambiguous_text": "the text is ambiguous",
    "policy_silent": "the policy is silent",
    "not_enough_shown": "not enough is shown",
}
"""Why a pair cannot be rated, as raters read it."""


@dataclass(frozen=True, slots=True)
class Task:
    """A pair with the answers about it. `key` is its code, with the number of the repeat where it has one.

    `policy_digest`: of the policy as the raters read it; "" if unknown.
    """

    key: str
    items: tuple[str, ...]
    texts: Mapping[str, str]
    policy: str
    policy_digest: str
    answers: tuple[Response, ...] = ()
    repeat: int = 0

    @property
    def under(self) -> dict[str, str]:
        """The policy under which the pair is rated, as columns."""
        return {
            "policy": self.policy,
            **({"policy_digest": self.policy_digest} if self.policy_digest else {}),
        }


@dataclass(frozen=True, slots=True)
class Outgoing:
    """The tasks to write, their file and their policy. `left_out` counts what the format cannot hold."""

    path: Path
    policy: Policy
    tasks: Sequence[Task]
    left_out: Counter[str]

    @property
    def raters(self) -> tuple[str, ...]:
        """The raters, in order of their names."""
        return tuple(sorted({one.rater for task in self.tasks for one in task.answers}))


def shown_text(texts: Mapping[str, str]) -> str:
    """A pair's texts as one text, a line for each field, so that no text can imitate another field."""
    return "\n".join(f"{name}: {' '.join(text.split())}" for name, text in texts.items())


def key_of(grade: int) -> str:
    """The key by which a rater gives a grade; empty if the grade is not a digit."""
    return str(grade) if 0 <= grade <= 9 else ""


def pairs_out(examples: Sequence[Example], policy: Policy, path: Path) -> Outgoing:
    """Pairs to rate, each once: no id, grade, tag or reasoning, and in the order of the codes."""
    by_code = _by_code(examples)
    now = policy_digest(policy)
    tasks = [
        Task(code, (), texts_shown(alike[0].pair), policy.label, now)
        for code, alike in sorted(by_code.items())
    ]
    return Outgoing(path, policy, tasks, Counter())


def ratings_out(
    examples: Sequence[Example], ratings: Iterable[Rating | Unrated], policy: Policy, path: Path
) -> Outgoing:
    """Ratings beside their pairs. A pair with several ids is written once, if its ratings are the same."""
    answers: dict[tuple[str, int], dict[str, Response]] = defaultdict(dict)
    codes = {one.id: code for code, alike in _by_code(examples).items() for one in alike}
    items: dict[str, dict[str, None]] = defaultdict(dict)
    left_out: Counter[str] = Counter()
    faults = []
    for one in ratings:
        code = codes.get(one.item)
        if code is None:
            left_out["of items that the golden set does not have"] += 1
            continue
        items[code][one.item] = None
        said = _said(one, code)
        before = answers[code, one.repeat].setdefault(one.rater, said)
        if before._replace(where="") != said._replace(where=""):
            what = f"{one.rater} graded the same pair differently as {before.where!r}; make both alike"
            faults.append(Fault(f"item {one.item!r}", what))
    refuse_faults(faults)
    about = {one.id: one.pair for one in examples}
    tasks = [
        _rated_task(code, repeat, tuple(items[code]), about, by_rater, policy)
        for (code, repeat), by_rater in sorted(answers.items())
    ]
    return Outgoing(path, policy, tasks, left_out)


def _rated_task(
    code: str,
    repeat: int,
    items: tuple[str, ...],
    about: Mapping[str, Pair],
    by_rater: Mapping[str, Response],
    policy: Policy,
) -> Task:
    answers = tuple(by_rater[name] for name in sorted(by_rater))
    digests = {one.policy_digest for one in answers}
    key = f"{code}.{repeat}" if repeat else code
    texts = texts_shown(about[items[0]])
    return Task(key, items, texts, policy.label, digests.pop() if len(digests) == 1 else "", answers, repeat)


def _said(one: Rating | Unrated, code: str) -> Response:
    return Response(
        where=one.item,
        rater=one.rater,
        pair=Named((code,)),
        grade=str(one.grade) if isinstance(one, Rating) else "",
        cannot="" if isinstance(one, Rating) else one.cannot,
        reasoning=one.reasoning,
        clauses=one.clauses if isinstance(one, Rating) else (),
        at=one.at,
        milliseconds=one.milliseconds,
        repeat=one.repeat,
        policy_digest=one.policy_digest,
    )


def _by_code(examples: Iterable[Example]) -> dict[str, list[Example]]:
    """The examples of each code. BadInput where two pairs have one code, which would mix their ratings."""
    by_code: dict[str, list[Example]] = defaultdict(list)
    for one in examples:
        by_code[code_of(one.pair)].append(one)
    for code, alike in by_code.items():
        if len({one.pair.digest for one in alike}) > 1:
            both = " and ".join(one.id for one in alike)
            raise BadInput(f"{both} have the same code {code}; change a text of one of them")
    return by_code
