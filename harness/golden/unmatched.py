"""Ids of two files that do not match: one of each side, and the likeliest reason."""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Sequence
from decimal import Decimal
from difflib import get_close_matches

_LONG = re.compile(r"[0-9]{12,300}|[0-9](\.[0-9]+)?[eE]\+?[0-9]{1,2}")


def _rounded(id_: str) -> str:
    """A long number as a spreadsheet rounds it, in one notation."""
    return f"{float(id_):.4e}" if _LONG.fullmatch(id_) else id_


def _can_be_rounded(one: str, other: str) -> bool:
    """Whether a long number is the other one, rounded or cut to 6 digits at most or to Excel's 15."""
    digits = str(int(Decimal(one))).rstrip("0") if _LONG.fullmatch(one) else ""
    whole = str(int(Decimal(other))) if _LONG.fullmatch(other) else ""
    kept = len(digits) if len(digits) > 6 else max(len(digits), 5)
    if not digits or not whole or (kept > 6 and (kept > 15 or len(whole) < 16)):
        return False
    return Decimal(one) in (
        Decimal(f"{Decimal(whole):.{kept - 1}e}"),
        Decimal(whole[:kept].ljust(len(whole), "0")),
    )


ROUNDED = "a long number was rounded"
REASONS: dict[str, Callable[[str], str]] = {
    "leading zeros were lost": lambda id_: re.sub(r"(?<![0-9.])0+(?=[0-9])", "", id_),
    "one is written as a decimal number": lambda id_: re.sub(r"(?<=[0-9])\.0+(?![0-9])", "", id_),
    ROUNDED: _rounded,
    "capitals differ": str.casefold,
    "white space or invisible letters differ": lambda id_: "".join(
        letter for letter in id_ if unicodedata.category(letter)[0] not in "ZC"
    ),
    "the Unicode form differs": lambda id_: unicodedata.normalize("NFKC", id_),
}
"""Reasons why two ids differ, the likeliest first, with the function that removes the difference."""
NEAR, TRIED = 0.8, 1_000
"""The least similarity of a mistyped id (difflib's ratio), and the most ids that are compared."""
COLUMNS = "one is named by several columns, the other by one of them"


class KnownIds:
    """Known ids; finds the one that another id probably means."""

    def __init__(self, known: Iterable[str], there: str) -> None:
        self._there = there
        self._by_form: dict[str, str] = {}
        for id_ in known:
            self._by_form.setdefault(_last_column(_form(id_)), id_)

    def hint(self, id_: str) -> str | None:
        """The id that this one probably means, and why; None without one."""
        form = _form(id_)
        other = self._by_form.get(_last_column(form))
        if other is None:
            return None
        alike = form == _form(other)
        if not alike and ("|" in form) == ("|" in other):
            return None  # two queries with the same product
        far = alike and _form(id_, ROUNDED) != _form(other, ROUNDED)
        if far and not (_can_be_rounded(id_, other) or _can_be_rounded(other, id_)):
            return None  # two products of one maker
        reasons = (reason for reason, same in REASONS.items() if same(id_) == same(other))
        reason = next(reasons, "the spelling differs") if alike else COLUMNS
        return f"{id_!r} here is likely {other!r} in {self._there}: {reason}"

    def first_hint(self, strangers: Iterable[str]) -> str | None:
        """The hint for the first of the ids that has one, else for a likely typing error in one."""
        ids = list(strangers)
        return next((hint for id_ in ids if (hint := self.hint(id_))), None) or self._mistyped(ids[:TRIED])

    def _mistyped(self, ids: Sequence[str]) -> str | None:
        """A known id with the same digits and nearly the same other letters."""
        alike: dict[str, list[str]] = {}
        for known in self._by_form.values():
            alike.setdefault(_digits(known), []).append(known)
        for id_ in ids:
            if near := get_close_matches(id_, alike.get(_digits(id_), [])[:TRIED], 1, NEAR):
                return f"{id_!r} here is likely {near[0]!r} in {self._there}: a typing error"
        return None


def unmatched(strangers: Collection[str], known: Iterable[str], there: str) -> str:
    """One of the ids that are not known, beside the id `there` that it is likely to mean."""
    left = list(known)
    beside = f", {left[0]!r} in {there}" if left else ""
    return KnownIds(left, there).first_hint(strangers) or f"{next(iter(strangers))!r} here{beside}"


def _form(id_: str, without: str = "") -> str:
    """An id after removing all known differences except the one named `without`."""
    for reason, same in REASONS.items():
        id_ = id_ if reason == without else same(id_)
    return id_


def _digits(id_: str) -> str:
    return re.sub("[^0-9]", "", id_)


def _last_column(form: str) -> str:
    return form.rpartition("|")[2]
