"""The judgements and texts that are lost if another golden set replaces this one."""

from collections import Counter
from pathlib import Path
from typing import NamedTuple

from harness.errors import Fault
from harness.nouns.pair import Example
from harness.storage.files import build, each_json_line
from harness.storage.plural import plural


class _Said(NamedTuple):
    """The fields of an example beside its grade."""

    version: str
    history: bool
    reasoning: bool
    clauses: bool
    attributes: tuple[str, ...]


NOTHING = _Said("", False, False, False, ())


def _said(one: Example) -> _Said:
    has = bool(one.history), bool(one.reasoning), bool(one.clauses)
    return _Said(one.policy_version, *has, tuple(one.result.attributes))


class Replaced:
    """Compares the examples of a file with the new ones, one by one. Unreadable lines are skipped."""

    def __init__(self, path: Path) -> None:
        self.path = path
        lines = (data for _, data in each_json_line(path) if not isinstance(data, Fault))
        found = (build(Example, data, "")[0] for data in lines)
        self._old = {one.id: _said(one) for one in found if one}
        self._new: dict[str, _Said] = {}
        self._versions: set[str] = set()

    def see(self, new: Example) -> None:
        """Record a new example."""
        self._versions.add(new.policy_version)
        if new.id in self._old:
            self._new[new.id] = _said(new)

    def lost(self) -> str:
        """The judgements, reasonings, clauses and attributes that the new examples lack: counts, in words."""
        lost: Counter[tuple[str, str]] = Counter()
        for id_, old in self._old.items():
            now, under = self._new.get(id_, NOTHING), f" under {old.version}"
            lost["judgement" + under, "judgements" + under] += old.version not in self._versions
            lost["history", "histories"] += old.history and not now.history
            lost["reasoning", "reasonings"] += old.reasoning and not now.reasoning
            lost["citation of clauses", "citations of clauses"] += old.clauses and not now.clauses
            gone = set(old.attributes).difference(now.attributes) if id_ in self._new else ()
            lost.update((f"value of {name}", f"values of {name}") for name in sorted(gone))
        return ", ".join(plural(count, *names) for names, count in lost.items() if count)
