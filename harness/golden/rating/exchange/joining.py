"""Responses joined to the golden set: which pair each is about, which grade, which of a rater's answers."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from typing import Any, NamedTuple

from harness.errors import BadInput, Fault
from harness.golden.by_chance import Told
from harness.golden.rating.exchange.responses import CANNOT, Collected, Named, Response
from harness.golden.rating.sheet import CODE_LENGTH, code_of
from harness.golden.scales import grade_reader
from harness.golden.table_faults import WordFaults, rating_name
from harness.nouns.pair import Example, Rating, Unrated, one_form, query_key
from harness.nouns.policy import Policy
from harness.storage.cells import number_of
from harness.storage.tables import Layout

_KEY = re.compile(rf"([0-9a-f]{{{CODE_LENGTH}}})(?:\.([1-9][0-9]{{0,3}}))?")
Place = tuple[tuple[str, ...], int | None]
"""The ids of a pair in the golden set, and the repeat that its code names."""


class Given(NamedTuple):
    """A line for ratings.jsonl, with its place in the file, and the item's query and title there."""

    where: str
    said: Rating | Unrated
    about: Told


class GoldenIndex:
    """The golden examples by code, by id, and by query with title."""

    def __init__(self, examples: Mapping[str, Example]) -> None:
        self._ids = {key: one.id for key, one in examples.items()}
        self._by_code: dict[str, list[str]] = defaultdict(list)
        by_text: dict[tuple[str, str], dict[str, list[str]]] = defaultdict(dict)
        for one in examples.values():
            self._by_code[code_of(one.pair)].append(one.id)
            text = query_key(one.query), query_key(one.result.title)
            by_text[text].setdefault(one.pair.digest, []).append(one.id)
        # Texts that several pairs share identify none of them.
        self._by_text = {
            text: next(iter(pairs.values())) for text, pairs in by_text.items() if len(pairs) == 1
        }
        self._several = {text for text, pairs in by_text.items() if len(pairs) > 1}

    def find(self, pair: Named) -> Place:
        """The ids of a pair; empty if the pair is not known."""
        for key in map(one_form, pair.keys):
            code = _KEY.fullmatch(key)
            if code and code[1] in self._by_code:
                return tuple(self._by_code[code[1]]), int(code[2] or 0) or None
            if key in self._ids:
                return (self._ids[key],), None
        text = query_key(pair.query), query_key(pair.title)
        return (tuple(self._by_text.get(text, ())) if pair.query and pair.title else ()), None

    def ambiguous(self, pair: Named) -> bool:
        """Whether several pairs of the golden set have the pair's query and title."""
        return (query_key(pair.query), query_key(pair.title)) in self._several


def joined(
    collected: Collected, index: GoldenIndex, layout: Layout, policy: Policy, rater: str | None, where: str
) -> tuple[list[Given], list[str]]:
    """The responses as lines for ratings.jsonl, and the pairs that the golden set lacks.

    `rater`: the one whose ratings are wanted. Every fault is noted in `collected`.
    """
    words = WordFaults(where)
    read = grade_reader(_labels(layout, policy), policy.scale)
    entries: list[_Entry] = []
    lost: dict[str, None] = {}
    for one in _of_rater(collected.responses, rater, where):
        ids, repeat = index.find(one.pair)
        fields = _fields(one, read, words, policy, collected)
        if not ids:
            several = " (several pairs have this query and title)" if index.ambiguous(one.pair) else ""
            lost[one.pair.text + several] = None
        elif fields is not None:
            fields["repeat"] = one.repeat if repeat is None else repeat
            about = Told(one.pair.query or None, one.pair.title or None)
            entries += [_Entry(one.where, {**fields, "item": id_}, about) for id_ in ids]
    collected.faults += words.faults()
    _count_repeats(entries, collected)
    return [Given(one.where, _line(one.fields), one.about) for one in entries], list(lost)


class _Entry(NamedTuple):
    where: str
    fields: dict[str, Any]
    about: Told


def _count_repeats(entries: Sequence[_Entry], collected: Collected) -> None:
    """Number a rater's answers about an item by time if the file does not. Equal numbers are a fault."""
    groups: dict[tuple[str, str, str], list[_Entry]] = defaultdict(list)
    for one in entries:
        groups[one.fields["item"], one.fields["rater"], one.fields["policy_version"]].append(one)
    for (item, rater, _), group in groups.items():
        taken: dict[int, str] = {}
        for one in (entry for entry in group if entry.fields["repeat"] is not None):
            first = taken.setdefault(one.fields["repeat"], one.where)
            if first is not one.where:
                what = f"{rating_name((item, rater))} is rated twice (first: {first})"
                collected.faults.append(Fault(one.where, what))
        free = (number for number in count() if number not in taken)
        unnumbered = [entry for entry in group if entry.fields["repeat"] is None]
        for one, number in zip(
            sorted(unnumbered, key=lambda entry: str(entry.fields["at"])), free, strict=False
        ):
            one.fields["repeat"] = number


def _of_rater(responses: Sequence[Response], rater: str | None, where: str) -> Iterable[Response]:
    raters = {one_form(one.rater) for one in responses}
    if rater is None:
        return responses
    if rater not in raters:
        there = ", ".join(sorted(filter(None, raters))[:20])
        raise BadInput([Fault(where, f"no rater {rater!r}; there are: {there or 'none'}")])
    return [one for one in responses if one_form(one.rater) == rater]


def _labels(layout: Layout, policy: Policy) -> dict[str, int | None]:
    """Words for grades: those of --labels, and the policy's names of grades, alone or behind the number."""
    own: dict[str, int | None] = {}
    for level in policy.grades:
        names = (
            level.name,
            level.name.casefold(),
            f"{level.value} {level.name}",
            f"{level.value}: {level.name}",
        )
        own |= {name: level.value for name in names if number_of(name) is None and name}
    return {**own, **layout.labels}


def _fields(
    one: Response, read: Any, words: WordFaults, policy: Policy, collected: Collected
) -> dict[str, Any] | None:
    """The fields of a line besides its item; None, with the faults noted, where it cannot be one."""
    before = len(collected.faults)
    if not one.rater:
        collected.faults.append(
            Fault(one.where, "does not say who rated; name the one who did: --rater NAME")
        )
    fields: dict[str, Any] = {"rater": one.rater, "reasoning": one.reasoning, "at": one.at}
    fields |= {"milliseconds": one.milliseconds, "policy_version": _version(one, policy, collected)}
    fields["policy_digest"] = one.policy_digest
    if one.cannot:
        fields["cannot"] = one.cannot.strip().casefold().replace(" ", "_")
        if fields["cannot"] not in CANNOT:
            what = f"cannot: {one.cannot[:60]!r} is none of our causes: {', '.join(CANNOT)}"
            collected.faults.append(Fault(one.where, what))
    else:
        grade, fault = read(one.grade)
        if fault:
            words.note(one.where, "grade", one.grade, fault)
            return None
        if grade is None:
            collected.left_out["words that --labels takes as no grade"] += 1
            return None
        fields |= {"grade": grade, "clauses": one.clauses}
    return fields if len(collected.faults) == before else None


def _version(one: Response, policy: Policy, collected: Collected) -> str:
    """The policy version that a response names; the policy's own where it names none."""
    name, at, version = one.policy.partition("@")
    if one.policy and at and name != policy.name:
        what = f"rated under {one.policy}, not under {policy.name}: import it with --policy {one.policy}"
        collected.faults.append(Fault(one.where, what))
    if not one.policy:
        return policy.version
    return version if at else name


def _line(fields: dict[str, Any]) -> Rating | Unrated:
    return (Unrated if "cannot" in fields else Rating)(**fields)
