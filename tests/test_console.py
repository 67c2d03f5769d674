"""The console's short ways give what the long ones give."""

import sys

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from harness.report.console import GLUE
from harness.report.folding import FoldedText
from harness.storage.visible import visible


def test_what_is_printable_has_nothing_to_escape() -> None:
    printable = [chr(code) for code in range(sys.maxunicode + 1) if chr(code).isprintable()]
    assert [letter for letter in printable if visible(letter) != letter] == []
    assert GLUE not in printable


@given(st.text(alphabet="ab -/\u4e2d\n", max_size=30), st.integers(2, 40))
def test_text_that_fits_is_folded_as_one_that_does_not(text: str, width: int) -> None:
    """A line that is too long beside it sends the same lines the long way."""
    fits = all(len(line) + line.count("\u4e2d") <= width for line in text.split("\n"))
    console = Console()
    found = [line.plain for line in FoldedText.of(Text(text)).wrap(console, width)]
    beside = [line.plain for line in FoldedText.of(Text(f"{text}\n{'c' * (width + 1)}")).wrap(console, width)]
    if fits:
        assert beside[: len(found)] == found
        assert len(beside) == len(found) + 2
