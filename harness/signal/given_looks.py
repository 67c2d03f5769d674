"""Known propensities, read from a table."""

from pathlib import Path

from harness.errors import BadInput, Fault, refuse_faults
from harness.golden.table_faults import shortened
from harness.storage.formats import read_table

LEAST = 1e-6
"""The smallest propensity that is accepted: less than one look in a million cannot be measured."""


def read_propensities(path: Path) -> dict[int, float]:
    """Propensities from a table of `position` and `propensity`. BadInput names every faulty row."""
    table = read_table(path)
    missing = [name for name in ("position", "propensity") if name not in table.columns]
    if missing:
        what = f"no column for {', '.join(missing)} (the columns there: {', '.join(table.columns)})"
        raise BadInput([Fault(str(path), what)])
    found: dict[int, float] = {}
    faults = []
    for row in table.rows:
        texts = row.text("position"), row.text("propensity")
        position, value = _position(texts[0]), _propensity(texts[1])
        if isinstance(position, int) and position in found:
            position = f"position {position} is there twice"
        faults += [Fault(table.where(row), one) for one in (position, value) if isinstance(one, str)]
        if isinstance(position, int) and isinstance(value, float):
            found[position] = value
    refuse_faults(faults)
    return found


def _position(text: str) -> int | str:
    """The position, or what is wrong with it."""
    if text.isdecimal() and len(text) < 10 and int(text):
        return int(text)
    return f"position: {shortened(text)!r} is not a whole number from 1"


def _propensity(text: str) -> float | str:
    """The propensity, or what is wrong with it."""
    try:
        value = float(text)
    except ValueError:
        return f"propensity: {shortened(text)!r} is not a number"
    if value > 1:
        return (
            f"propensity: {shortened(text)!r} is over 1: it is a chance, so divide all of them by the largest"
        )
    if not value >= LEAST:
        return f"propensity: {shortened(text)!r} is below {LEAST:g}: leave out positions that nobody looks at"
    return value
