"""Rating sheets: what a rater sees - the policy and the pairs - and nothing that gives a grade away.

Pairs go by a code made of their text, since an example's id can hint at its grade, and in an order of
the rater's own, so that no two raters tire at the same pair.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.errors import BadInput, Fault
from harness.files import json_lines
from harness.golden.graded import scale_text
from harness.records import Example, Pair, Rating
from harness.rubric import Policy

CODE_LENGTH = 10

_INTRO = """\
# Rating sheet for {rater}

Grade every pair below by the policy that follows, and by nothing else: {scale}. Judge each on its own.
Where the policy leaves a pair open, your honest reading is worth more to us than the grade you think
is expected.

Write one line of JSON for each pair:

{{"pair": "<its code>", "grade": <your grade>, "reasoning": "<one sentence: what decided>"}}

---

"""


def code_of(pair: Pair) -> str:
    """What a pair is called on a sheet."""
    return pair.digest.removeprefix("sha256:")[:CODE_LENGTH]


def rater_order(examples: Sequence[Example], rater: str, leave_out: int) -> list[Example]:
    """The pairs in a rater's own order, without the per cent that this rater is spared."""
    ordered = sorted(examples, key=lambda example: _hash(rater, example.pair.digest))
    return ordered[len(ordered) * leave_out // 100 :]


def rating_sheet(policy_text: str, policy: Policy, examples: Sequence[Example], rater: str) -> str:
    """The whole sheet, in Markdown."""
    intro = _INTRO.format(rater=rater, scale=scale_text(policy.scale))
    pairs = "\n".join(_shown(example.pair) for example in examples)
    return f"{intro}{policy_text}\n---\n\n# Pairs\n\n{pairs}"


def read_sheet(path: Path, examples: Sequence[Example], policy: Policy, rater: str, at: str) -> list[Rating]:
    """A rater's lines as ratings of examples. BadInput names every line that is none."""
    by_code = {code_of(example.pair): example for example in examples}
    rows, faults = json_lines(path)
    ratings: dict[str, Rating] = {}
    for line, row in rows:
        where = f"{path}, line {line}"
        example = by_code.get(str(row.get("pair")))
        grade = row.get("grade")
        if example is None:
            faults.append(Fault(where, f"no pair has the code {row.get('pair')!r}"))
        elif type(grade) is not int or grade not in policy.scale:
            faults.append(Fault(where, f"grade {grade!r} is not on the scale {scale_text(policy.scale)}"))
        elif example.id in ratings:
            faults.append(Fault(where, f"the pair {row['pair']} is graded twice"))
        else:
            reasoning = str(row.get("reasoning") or "")
            ratings[example.id] = Rating(
                item=example.id,
                rater=rater,
                grade=grade,
                reasoning=reasoning,
                policy_version=policy.version,
                at=at,
            )
    if faults:
        raise BadInput(faults)
    return list(ratings.values())


def _shown(pair: Pair) -> str:
    """A pair as a rater sees it: what the surface shows, and who asks."""
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
    lines = [f"- {name}: {text}" for name, text in named.items() if text]
    return "\n".join([f"## {code_of(pair)}", "", f"Query: **{pair.query}**", "", *lines, ""])


def _listed(values: Mapping[str, str]) -> str:
    return "; ".join(f"{name}: {text}" for name, text in values.items())


def _hash(rater: str, digest: str) -> str:
    return hashlib.sha256(f"{rater}\n{digest}".encode()).hexdigest()
