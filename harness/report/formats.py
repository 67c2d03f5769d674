"""Formats of figures and remarks for text; an undefined figure is a dash."""

from harness.nouns.base import Interval, Reason


def number(value: float | None, places: int = 3) -> str:
    """A figure, or a dash if undefined."""
    return "-" if value is None else _fixed(value, places)


def _fixed(value: float, places: int) -> str:
    """The figure without the minus sign that a rounded -0.0001 would keep."""
    text = f"{value:.{places}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def signed(value: float | None, places: int = 3) -> str:
    """A figure with its sign, or a dash."""
    return "-" if value is None else f"{round(value, places) + 0.0:+.{places}f}"


def percent(value: float | None, places: int = 0) -> str:
    """A share, or a dash."""
    return "-" if value is None else f"{value:.{places}%}"


def interval(ci: Interval | None, places: int = 3) -> str:
    """An interval in brackets; empty if there is none."""
    return f"[{_fixed(ci.low, places)}, {_fixed(ci.high, places)}]" if ci else ""


def with_interval(figure: str, ci: Interval | None, places: int = 3) -> str:
    """A figure as text, and its interval if it has one."""
    return f"{figure} {interval(ci, places)}".rstrip()


def chance(p: float | None) -> str:
    """A p value, or a dash."""
    return "-" if p is None else f"{p:.2g}"


def without_code(text: str) -> str:
    """A remark without the code that programs read."""
    return text.text if isinstance(text, Reason) and text.kind == "few_events" else text


def ended(text: str) -> str:
    """A remark that ends with a full stop, unless it is a question."""
    return text if text.endswith("?") else f"{text.rstrip('.')}."
