"""Lists, arrays, series and data frames of any library as plain rows, with the names that they bring.

What is neither a list of values nor a table of them is refused, since it would be read as the nearest shape.
"""

import reprlib
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np

from harness.errors import BadInput, Fault, refuse_faults
from harness.nouns.pair import one_form
from harness.storage.tables import ALIASES, NAMES

TO_LIST = ("to_pylist", "to_list", "tolist")
"""The methods by which pyarrow, polars, pandas, numpy and torch give their values; masked ones are None."""
FIELDS = {
    *NAMES, *ALIASES["item"], "docid", "doc_id", "query_id", "example", "repeat", "confidence", "version",
    "index", "level_0", "unnamed: 0",
}  # fmt: skip
"""Headers that name no rater and no repeat."""


@dataclass(frozen=True, slots=True)
class GivenColumns:
    """One side in columns of equal length; `flat` if it has a value an item, not a row of values.

    `names`: what the items are called, None where they go by place. `headers`: a data frame's.
    """

    names: list[Any] | None
    headers: list[str] | None
    columns: list[list[Any]]
    flat: bool = False

    def __len__(self) -> int:
        return len(self.columns[0])


def given(side: Any, name: str) -> GivenColumns:
    """The input as columns. BadInput, by the side's `name`, for other shapes."""
    try:
        found = _plain(side, name) if _headers(side) is None else _frame(side, name)
    except BadInput:
        raise
    except Exception as error:  # of the library whose data it is
        raise BadInput(f"{name}: {_expected(side)} ({type(error).__name__}: {error})") from error
    if not found.columns:
        raise BadInput(f"{name}: no values in its rows")
    return found


def is_missing(value: Any) -> bool:
    """Whether a value is None, NaN, NaT, pandas' NA or masked."""
    if value is None or value is np.ma.masked or type(value).__name__ in ("NAType", "NaTType"):
        return True
    if isinstance(value, Decimal):
        return value.is_nan()  # which a signalling one says alone
    return isinstance(value, Real | np.datetime64) and bool(value != value)


def texts(values: Iterable[Any], where: str, missing: str | None) -> tuple[list[str], list[Fault]]:
    """Names as text in one Unicode form, empty where missing; and a fault for each that is not a name.

    `missing` is the fault of a missing or blank one; None allows them.
    """
    found, faults = [], []
    for at, value in enumerate(values):
        text = "" if is_missing(value) else one_form(str(value))
        what = (
            missing if not text.strip() else None if _is_name(value, text) else f"{shown(value)} is not text"
        )
        if what:
            faults.append(Fault(f"{where}[{at}]", what))
        found.append(text)
    return found, faults


def refuse_fields(headers: Sequence[str], name: str, what: str) -> None:
    """BadInput for columns whose headers say that they are not `what` (raters, repeats)."""
    odd = [repr(header) for header in headers if header.strip().casefold() in FIELDS]
    if odd:
        raise BadInput(
            f"{name}: columns are {what}, here is {', '.join(odd)}: make the items the index and leave other "
            "columns out, as in frame.set_index('item')[['ann', 'bob']]"
        )


def shown(value: Any) -> str:
    """A value for a message, cut where it is long."""
    # Python writes no number of more than 4,300 digits.
    return "a very long number" if isinstance(value, int) and abs(value) > 1e300 else reprlib.repr(value)


def _headers(side: Any) -> list[Any] | None:
    """A data frame's column names. A mapping has none: its keys name items."""
    names = (
        None if isinstance(side, Mapping) else getattr(side, "column_names", getattr(side, "columns", None))
    )
    return None if names is None or callable(names) else list(names)


def _frame(side: Any, name: str) -> GivenColumns:
    headers, faults = texts(_headers(side) or (), f"{name}, column", "no name")
    refuse_faults(faults)
    by_place = getattr(side, "iloc", None)
    columns = [_flat(side[header] if by_place is None else by_place[:, at], name)
               for at, header in enumerate(_headers(side) or ())]  # fmt: skip
    return GivenColumns(_names_of(side), headers, columns)


def _plain(side: Any, name: str) -> GivenColumns:
    names, values = _names_of(side), _listed(side, name)
    if not any(_is_list(value) for value in values):
        return GivenColumns(names, None, [values], flat=True)
    if any(_is_list(value) and _names_of(value) is not None for value in values):
        # Their index would be ignored, and a list of raters read as one of items.
        how = "pandas.DataFrame({'ann': ann, 'bob': bob})"
        raise BadInput(f"{name}: a list of series, each with an index of its own; give a data frame: {how}")
    widths = {len(value) if _is_list(value) else 0 for value in values}
    if len(widths) > 1:
        raise BadInput(f"{name}: rows of different lengths; give every item as many values, None for missing")
    rows = [_flat(value, name) for value in values]
    return GivenColumns(names, None, [list(column) for column in zip(*rows, strict=True)])


def _flat(side: Any, name: str) -> list[Any]:
    values = _listed(side, name)
    if any(_is_list(value) for value in values):
        raise BadInput(f"{name}: more than two dimensions; a value an item is wanted, or a row of values")
    return values


def _listed(side: Any, name: str) -> list[Any]:
    if isinstance(side, Mapping):
        values = list(side.values())
        if any(_is_list(value) for value in values):
            raise BadInput(f"{name}: a mapping has one value an item; give rows of values as a data frame")
        return values
    kind = getattr(getattr(side, "dtype", None), "kind", None)
    if isinstance(side, str | bytes | bytearray | memoryview | Set) or not (
        hasattr(side, "__len__") and isinstance(side, Iterable)
    ):
        raise BadInput(f"{name}: {_expected(side)}")
    if isinstance(side, np.ndarray) and kind in ("m", "M", "V"):
        raise BadInput(
            f"{name}: an array of {shown(side.dtype)}; a list, array or series of values is wanted"
        )
    convert = next((method for way in TO_LIST if (method := getattr(side, way, None))), None)
    return list(side if convert is None else convert())


def _expected(side: Any) -> str:
    return f"a list, array, series or data frame is wanted, here is a value of type {type(side).__name__}"


def _is_list(value: Any) -> bool:
    return (isinstance(value, Sequence | np.ndarray) and not isinstance(value, str | bytes)) or (
        hasattr(value, "iloc") or hasattr(value, "to_pylist")
    )  # fmt: skip


def _names_of(side: Any) -> list[Any] | None:
    """A series' or frame's index, a mapping's keys. Lists and texts have a method of that name."""
    if isinstance(side, Mapping):
        return list(side)
    index = getattr(side, "index", None)
    return None if index is None or callable(index) else list(index)


def _is_name(value: Any, text: str) -> bool:
    """Whether a value names something. Half a surrogate pair is not a character; a number can be a name."""
    if isinstance(value, bytes | Mapping | Set) or (_is_list(value) and not isinstance(value, tuple)):
        return False
    return text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text)
