"""The scale and the names of grades, drafted from a table of graded pairs."""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from harness.errors import BadInput, Fault, refuse_faults
from harness.golden.scales import MOST_GRADES, parse_scale, scale_text
from harness.nouns.pair import one_form
from harness.storage.cells import number_of
from harness.storage.plural import more_of, plural
from harness.storage.tables import Layout, Table, joined

WIDEST_SPAN = 10
"""Grades that lie at most so far apart are one whole span: a sample may lack a grade of it."""
_SHOWN = 8


class TableScale(NamedTuple):
    """The grades of a table, and the names of those that are words in it."""

    scale: tuple[int, ...]
    words: Mapping[int, str]


def scale_of_table(table: Table, layout: Layout, given: str | None) -> TableScale:
    """The scale of a table's grades; `given` if the user names it.

    BadInput for grades that are not whole numbers and have no label: their order is unknown.
    """
    words = _words(layout.labels)
    if given is not None:
        return TableScale(parse_scale(given), words)
    refuse_faults([*_missing(table, layout), *_words_without_order(table, layout)])
    (header,) = table.find("grade", layout)
    found, _ = _grades(table, layout)
    if len(found) < 2:
        what = f"all grades are {found.pop()}" if found else "no row has a grade"
        raise BadInput.at(table.path, f"{header}: {what}; give the scale: --scale 0-4")
    if len(found) > MOST_GRADES:
        what = f"has {plural(len(found), 'different grade')}; a scale has at most {MOST_GRADES}"
        raise BadInput.at(table.path, f"{header}: {what}")
    spread = max(found) - min(found)
    whole = tuple(range(min(found), max(found) + 1)) if spread <= WIDEST_SPAN else tuple(sorted(found))
    return TableScale(whole, words)


def _missing(table: Table, layout: Layout) -> list[Fault]:
    """The columns that the table lacks."""
    try:
        table.require(("item", "query", "title", "grade"), layout)
    except BadInput as error:
        return list(error.faults)
    return []


def _words_without_order(table: Table, layout: Layout) -> list[Fault]:
    """The fault for values in the column of grades that are not grades, if there is such a column."""
    try:
        headers = table.find("grade", layout)
    except BadInput:
        return []  # `_missing` reports it
    if not {*headers} & {*table.columns}:
        return []
    _, unknown = _grades(table, layout)
    return [_without_order(table, headers[0], unknown)] if unknown else []


def _words(labels: Mapping[str, int | None]) -> dict[int, str]:
    """The first word of each grade; a word that is a number is not a name."""
    named: dict[int, str] = {}
    for word, grade in labels.items():
        if grade is not None and number_of(word) is None:
            named.setdefault(grade, word)
    return named


def _grades(table: Table, layout: Layout) -> tuple[set[int], Counter[str]]:
    """The grades in a table, with those of its labels, and the count of every other value."""
    labels = {one_form(word): grade for word, grade in layout.labels.items()}
    found = {grade for grade in labels.values() if grade is not None}
    unknown: Counter[str] = Counter()
    headers = table.find("grade", layout)
    cells = Counter(one_form(joined(row, headers)) for row in table.rows)
    for text, times in cells.items():
        number = number_of(text)
        if not text or text in labels:
            continue
        if number is not None and number.is_integer():
            found.add(int(number))
        else:
            unknown[text] += times
    return found, unknown


def _without_order(table: Table, header: str, unknown: Counter[str]) -> Fault:
    shown = [word for word, _ in unknown.most_common(_SHOWN)]
    listed = ", ".join(f"{word!r} ({unknown[word]:,})" for word in shown)
    labels = ",".join(f"{word}=N" for word in shown)
    what = f"{listed}{more_of(len(unknown), _SHOWN)}: not whole numbers, and their order is unknown"
    return Fault(str(table.path), f'{header}: {what}; give each a grade: --labels "{labels}"')


def in_words(found: TableScale) -> str:
    """A scale with its names: 0-2 (0 Irrelevant, 1 Partial, 2 Exact)."""
    named = ", ".join(f"{grade} {found.words[grade]}" for grade in found.scale if grade in found.words)
    return f"{scale_text(found.scale)} ({named})" if named else scale_text(found.scale)
