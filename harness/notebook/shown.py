"""Results of the functions for notebooks print as the tables of the command line."""

import io
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import ClassVar

from rich.console import RenderableType

from harness.report.console import SafeConsole

WIDTH = 100


class Shown:
    """A result that prints as its table, in a notebook too."""

    _view: ClassVar[Callable[..., Iterable[RenderableType]]]
    """Makes the table of the result."""

    def _printed(self) -> SafeConsole:
        console = SafeConsole(
            width=WIDTH, file=io.StringIO(), record=True, highlight=False, emoji=False, markup=False
        )
        for part in self._view():
            console.print(part)
        return console

    def __repr__(self) -> str:
        return "\n".join(line.rstrip() for line in self._printed().export_text().splitlines())

    __str__ = __repr__

    def _repr_html_(self) -> str:
        return self._printed().export_html(inline_styles=True, code_format="<pre>{code}</pre>")


class Page(Shown):
    """A result that `write_page` writes as the page that `--html` of its command writes."""

    _write: ClassVar[Callable[..., object]]
    """Writes the page of the result to a path."""

    def write_page(self, path: str | Path) -> Path:
        """Write one HTML file, which can be mailed and opened offline."""
        page = Path(path)
        self._write(page, self)
        return page
