"""The console's short ways give what the long ones give."""

import io
import sys
from pathlib import Path

import pytest
from builders import harness
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from harness.report.console import GLUE, SafeConsole
from harness.report.folding import FoldedText
from harness.storage.visible import visible


def test_what_is_printable_has_nothing_to_escape() -> None:
    printable = [chr(code) for code in range(sys.maxunicode + 1) if chr(code).isprintable()]
    assert [letter for letter in printable if visible(letter) != letter] == []
    assert GLUE not in printable


@given(
    st.lists(st.sampled_from(["\u202e", "\x1b", "\x85", "a", "bc ", "\u4e2d", "-"]), max_size=60).map("".join)
)
def test_no_escape_is_lost_at_the_edge(text: str) -> None:
    """As a line, in a cell and in an indented line, in 40 columns."""
    table = Table(box=None, show_header=False, padding=0)
    table.add_row(text)
    lines: list[RenderableType] = [Text(text, style="bold"), Padding(Text(text), (0, 0, 0, 2)), table]
    for line in lines:
        out = io.StringIO()
        SafeConsole(file=out, width=40, highlight=False, emoji=False, markup=False).put(line)
        assert "".join(out.getvalue().split()) == "".join(visible(text).split())
        assert max(map(cell_len, out.getvalue().split("\n"))) <= 40


def test_a_style_stays_on_its_letters_where_one_is_escaped() -> None:
    text = Text("\u202eab")
    text.stylize("bold", 1, 2)
    folded = FoldedText.of(text)
    assert [folded.plain[one.start : one.end] for one in folded.spans] == ["a"]
    assert folded.plain == "\\u202eab"


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


GOLDEN, BAD, MISSING = "g\nFORGED.csv", "b\nFORGED.csv", "n\nFORGED.csv"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("gate1", (BAD, "--scale", "0-2")),
        ("gate1", (MISSING, "--scale", "0-2")),
        ("gate1", (f"{GOLDEN}/x.csv", "--scale", "0-2")),
        ("gate2", ("--golden", GOLDEN, "--grades", GOLDEN, "--scale", "0-2")),
        ("gate2", ("--golden", GOLDEN, "--grades", BAD, "--scale", "0-2")),
        ("audit", ("--golden", GOLDEN, "--grades", GOLDEN, "--scale", "0-2")),
        ("compare", (GOLDEN, GOLDEN, "--golden", GOLDEN, "--scale", "0-2")),
        ("estimate", (GOLDEN, "--scale", "0-2")),
        ("estimate", (MISSING.removesuffix(".csv"), "--scale", "0-2")),
    ],
)
def test_no_name_of_a_file_forges_a_line(here: Path, command: str, words: tuple[str, ...]) -> None:
    rows = "".join(f"i{at},q{at},{at % 3}\n" for at in range(9))
    (here / GOLDEN).write_text(f"item,query,grade\n{rows}", "utf-8")
    (here / BAD).write_text("item,grade\ni1,zz\ni2,9\n", "utf-8")
    ended = harness(command, *words)
    said = ended.out + ended.err
    assert r"\nFORGED" in said, said
    assert not [line for line in said.splitlines() if line.strip().startswith("FORGED")]
