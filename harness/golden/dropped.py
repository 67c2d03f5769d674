"""What a golden set would lose if another took its place."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from harness.nouns.pair import Example
from harness.storage.files import read_nouns
from harness.storage.plural import plural


def dropped_by(new: Sequence[Example], path: Path) -> str:
    """The judgements, reasonings, clauses and attributes that are in a file and not in the new examples.

    Counted, in words; empty where nothing is lost. Lines that cannot be read have nothing to lose.
    """
    later = {example.id: example for example in new}
    versions = {example.policy_version for example in new}
    lost: Counter[tuple[str, str]] = Counter()
    for _, old in read_nouns(path, Example)[0]:
        now = later.get(old.id)
        under = f" under {old.policy_version}"
        lost["judgement" + under, "judgements" + under] += old.policy_version not in versions
        lost["history", "histories"] += bool(old.history and not (now and now.history))
        lost["reasoning", "reasonings"] += bool(old.reasoning and not (now and now.reasoning))
        lost["citation of clauses", "citations of clauses"] += bool(old.clauses and not (now and now.clauses))
        for name in old.result.attributes.keys() - now.result.attributes.keys() if now else ():
            lost[f"value of {name}", f"values of {name}"] += 1
    return ", ".join(plural(count, *names) for names, count in lost.items() if count)
