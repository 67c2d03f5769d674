"""Rating sheets: the policy and the pairs, without anything that reveals a grade.

A pair is named by a code made of its text, since an example's id can hint at its grade. Each rater gets
another order, so that fatigue does not affect the same pairs.
"""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from harness.errors import BadInput, Fault, refuse_faults
from harness.golden.scales import scale_text
from harness.nouns.base import Level, Noun
from harness.nouns.pair import Example, Pair, Rating
from harness.nouns.policy import Policy
from harness.policy.load import policy_digest
from harness.storage.cells import number_of
from harness.storage.digest import short_of
from harness.storage.files import read_nouns

CODE_LENGTH = 10

_INTRO = """\
# Rating sheet for {rater}

Grade every pair below by the policy that follows, and by nothing else: {scale}. Judge each on its own.
Where the policy leaves a pair open, your honest reading is worth more to us than the grade you think
is expected.

Write one line of JSON for each pair, into a file of its own:

{{"pair": "<its code>", "policy": "{policy}", "grade": <your grade>, "reasoning": "<what decided>"}}

---

"""


def code_of(pair: Pair) -> str:
    """A pair's code on a sheet."""
    return short_of(pair.digest, CODE_LENGTH)


def rater_order(examples: Sequence[Example], rater: str, leave_out: int) -> list[Example]:
    """The pairs in a rater's own order, without the per cent that this rater skips."""
    ordered = sorted(examples, key=lambda example: _hash(rater, example.pair.digest))
    return ordered[len(ordered) * leave_out // 100 :]


def rating_sheet(policy_text: str, policy: Policy, examples: Sequence[Example], rater: str) -> str:
    """The whole sheet, in Markdown."""
    intro = _INTRO.format(rater=rater, policy=policy.label, scale=scale_text(policy.scale))
    different = {example.pair.digest: example.pair for example in examples}
    pairs = "\n".join(_shown(pair) for pair in different.values())
    return f"{intro}{policy_text}\n---\n\n# Pairs\n\n{pairs}"


def check_rater(name: str) -> str:
    """A rater's name without outer spaces; BadInput for an empty or unprintable name."""
    if not name.strip() or not name.strip().isprintable():
        raise BadInput(f"--rater: {name!r} is not a name; give one in printable characters")
    return name.strip()


def _no_text(grade: Any) -> Any:
    """The grade. Refuses a number in quotes, and says how to write it."""
    number = number_of(grade) if isinstance(grade, str) else None
    if number is not None and number == int(number):
        raise PydanticCustomError("grade", f"write the grade without quotes, {int(number)}")
    return grade


class SheetLine(Noun):
    """A rater's answer for one pair."""

    pair: str
    policy: str = ""
    """The policy version of the sheet; "" on sheets that do not say it."""
    grade: Annotated[Level, BeforeValidator(_no_text)]
    reasoning: str = ""


class FilledSheet(NamedTuple):
    """A rater's answers as ratings. `unversioned`: how many `lines` do not say their policy version."""

    ratings: list[Rating]
    lines: int
    unversioned: int


def read_sheet(path: Path, examples: Sequence[Example], policy: Policy, rater: str, at: str) -> FilledSheet:
    """A rater's lines as ratings. BadInput names every invalid line, and every pair that is graded twice.

    A pair with several ids in the golden set is one pair on the sheet; its rating counts under each id.
    """
    by_code: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        if example.split != "shots":
            by_code[code_of(example.pair)].append(example)
    numbered, faults = read_nouns(path, SheetLine)
    digest = policy_digest(policy)
    seen: set[str] = set()
    ratings: list[Rating] = []
    for number, line in numbered:
        where = f"{path}, line {number}"
        if line.pair not in by_code:
            faults.append(Fault(where, f"no pair of dev or test has the code {line.pair!r}"))
        if line.policy not in ("", policy.label):
            what = f"rated under {line.policy}: collect it with --policy {line.policy}"
            if line.policy == policy.name:
                what = f"policy: {line.policy} names no version; write {policy.label}, or leave it out"
            faults.append(Fault(where, what))
        if line.grade not in policy.scale:
            faults.append(Fault(where, f"grade {line.grade} is not on the scale {scale_text(policy.scale)}"))
        if line.pair in seen:
            faults.append(Fault(where, f"the pair {line.pair} is graded twice"))
        seen.add(line.pair)
        ratings += [
            Rating(
                item=example.id,
                rater=rater,
                grade=line.grade,
                reasoning=line.reasoning,
                policy_version=policy.version,
                policy_digest=digest,
                at=at,
            )
            for example in by_code.get(line.pair, ())
        ]
    if not numbered and not faults:
        faults.append(Fault(str(path), "holds no rating"))
    refuse_faults(faults)
    return FilledSheet(ratings, len(numbered), sum(not line.policy for _, line in numbered))


def _shown(pair: Pair) -> str:
    """A pair as a rater sees it: the query, the context and the product's fields."""
    result = pair.result
    named = {
        "Who asks": _listed(pair.context or {}),
        "Title": result.title,
        "Brand": result.brand,
        "Category": result.category,
        "Price": result.price,
        "Description": result.description,
        "Attributes": _listed(result.attributes),
    }
    # One line per field: a product's text must not be able to imitate a pair.
    lines = [f"- {name}: {' '.join(text.split())}" for name, text in named.items() if text]
    return "\n".join(
        [f"## {code_of(pair)}", "", f"Query: **{' '.join(pair.query.split())}**", "", *lines, ""]
    )


def _listed(values: Mapping[str, str]) -> str:
    return "; ".join(f"{name}: {text}" for name, text in values.items())


def _hash(rater: str, digest: str) -> str:
    return hashlib.sha256(f"{rater}\n{digest}".encode()).hexdigest()
