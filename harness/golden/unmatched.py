"""Ids of two files that do not meet: one of each side, and the likeliest reason."""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable


def _rounded(id_: str) -> str:
    """A long number as a spreadsheet shows it, in one way of writing it."""
    digits = re.fullmatch(r"[0-9]{12,300}|[0-9](\.[0-9]+)?[eE]\+?[0-9]{1,3}", id_)
    return f"{float(id_):.4e}" if digits else id_


REASONS: dict[str, Callable[[str], str]] = {
    "leading zeros were lost": lambda id_: re.sub(r"(?<![0-9.])0+(?=[0-9])", "", id_),
    "one is written as a decimal number": lambda id_: re.sub(r"(?<=[0-9])\.0+(?![0-9])", "", id_),
    "a long number was rounded": _rounded,
    "capitals differ": str.casefold,
    "white space or invisible letters differ": lambda id_: "".join(
        letter for letter in id_ if unicodedata.category(letter)[0] not in "ZC"
    ),
    "the Unicode form differs": lambda id_: unicodedata.normalize("NFKC", id_),
    "one is named by several columns, the other by one of them": lambda id_: id_.rpartition("|")[2],
}
"""What makes two ids differ, the likeliest first, with what takes the difference away."""


def unmatched(strangers: Collection[str], known: Iterable[str], there: str) -> str:
    """One of the ids that are not known, beside the id `there` that it is likely to mean."""
    left = list(known)
    for reason, alike in [*REASONS.items(), ("the spelling differs", _alike_at_all)]:
        by_form = {alike(id_): id_ for id_ in reversed(left)}
        for id_ in strangers:
            if (other := by_form.get(alike(id_))) is not None:
                return f"{id_!r} here is likely {other!r} in {there}: {reason}"
    beside = f", {left[0]!r} in {there}" if left else ""
    return f"{next(iter(strangers))!r} here{beside}"


def _alike_at_all(id_: str) -> str:
    for alike in REASONS.values():
        id_ = alike(id_)
    return id_
