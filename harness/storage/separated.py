"""CSV and TSV, with any separator, in any encoding."""

import csv
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Literal

from harness.errors import BadInput, Fault
from harness.storage.files import Stamp, stamp_of
from harness.storage.grid import Records, fits, table_of, told
from harness.storage.plural import plural
from harness.storage.regular import unreadable
from harness.storage.sources import PIECE, Opener, lines_in, opener_of, text_of
from harness.storage.strict_json import whole_text
from harness.storage.tables import Layout, Table

MARK = "\ufeff"
"""A byte order mark, which codecs such as utf-16-le leave in the text."""
MAX_CELL = 10_000_000
SEPARATORS = (",", ";", "\t", "|")
"""Separators; Excel writes semicolons in countries with a decimal comma."""
SAMPLE = 20
"""How many records are read to find the separator."""
_CHANGED = "changed while it was read; start again"
Lines = Callable[[], Iterable[str]]
Quoting = Literal[0, 3]


def read_csv(path: Path, layout: Layout) -> Table:
    """A table with commas, or with another separator where that one alone fits the first records."""
    lines = lines_of(path, layout.encoding)
    first = next(iter(lines()), "").strip().strip('"')
    if first.startswith("sep=") and len(first) == 5:
        # Excel's own first line, which is not a record.
        return _read(path, lambda: islice(lines(), 1, None), first[4], after=1)
    return _read(path, lines, _separator(lines))


def read_tsv(path: Path, layout: Layout) -> Table:
    """A table with tabs."""
    return _read(path, lines_of(path, layout.encoding), "\t")


def lines_of(path: Path, encoding: str | None) -> Lines:
    """The lines of a file, read again for each pass; a pipe is kept for that."""
    name, source = encoding_named(encoding), opener_of(path)
    # What a pipe gave does not change any more.
    stamp = stamp_of(path) if path.is_file() else None
    return partial(_each_line, path, stamp, source, _own_encoding(path, source, name))


def encoding_named(encoding: str | None) -> str:
    """Python's name of an encoding. BadInput for an unknown one."""
    try:
        "é".encode(encoding or "utf-8", "ignore")  # the codec for domain names raises for this name
    except (LookupError, ValueError):
        raise BadInput(f"--encoding: unknown encoding {encoding!r}; try cp1252 or utf-16") from None
    return encoding or "utf-8-sig"


def _own_encoding(path: Path, source: Opener, named: str) -> str:
    """The named encoding, but UTF-8 for a file that is valid UTF-8: one option serves several encodings.

    Text in another encoding with letters beyond ASCII is hardly ever valid UTF-8, unless it is very short.
    """
    if named == "utf-8-sig":
        return named
    try:
        # A byte order mark is beyond ASCII.
        with text_of(source, "utf-8") as text:
            beyond = False
            for line in lines_in(text, path):
                beyond = beyond or not line.isascii()
            return "utf-8-sig" if beyond else named
    except (UnicodeDecodeError, OSError):
        return named


def _each_line(path: Path, stamp: Stamp, source: Opener, encoding: str) -> Iterator[str]:
    if stamp and stamp_of(path) != stamp:
        raise BadInput.at(path, _CHANGED)
    try:
        with text_of(source, encoding) as text:
            for number, line in enumerate(lines_in(text, path), start=1):
                if encoding != "utf-8-sig" and whole_text(line) != line:
                    what = f"not {encoding} (half a surrogate pair); name another --encoding"
                    raise BadInput.at(f"{path}, line {number}", what)
                yield line if number > 1 else line.removeprefix(MARK)
    except UnicodeError:
        raise BadInput([_first_fault(path, source, encoding)]) from None
    except OSError as error:
        raise BadInput([unreadable(path, error)]) from error


def _first_fault(path: Path, source: Opener, encoding: str) -> Fault:
    """The place of a byte that could not be decoded, found in pieces: Python's reader does not tell it."""
    decoder, start, lines = getincrementaldecoder(encoding)(), b"", 1
    with source() as file:
        while True:
            piece = file.read(PIECE)
            start = start or piece[:4]
            try:
                lines += decoder.decode(piece, not piece).count("\n")
            except UnicodeDecodeError as error:
                before = error.object[: error.start].decode(encoding, "ignore").count("\n")
                return _not_decoded(path, encoding, lines + before, error.object[error.start], start)
            except UnicodeError as error:
                return Fault(str(path), f"not {encoding}: {error}")
            if not piece:
                return Fault(str(path), _CHANGED)


_NO_TEXT = {
    b"\x1f\x8b": "compressed by gzip: unpack it, or give a pipe, <(zcat FILE), with --format csv",
    b"PK\x03\x04": "a workbook or a zip archive: unpack it, or read a workbook with --format xlsx",
    b"PAR1": "Parquet: read it with --format parquet",
}
"""Kinds of files that are not text, by their first bytes."""


def _not_decoded(path: Path, encoding: str, line: int, found: int, start: bytes) -> Fault:
    """`found`: the byte that is not text; `start`: the first four of the file, which tell what it is."""
    byte = f"byte 0x{found:02x}"
    if what := next((what for sign, what in _NO_TEXT.items() if start.startswith(sign)), None):
        return Fault(str(path), f"not text but {what}")
    if encoding != "utf-8-sig":
        return Fault(f"{path}, line {line}", f"not {encoding} ({byte}); name another --encoding")
    likely = "utf-16" if start[:2] in (b"\xff\xfe", b"\xfe\xff") else "cp1252"
    what = f"not UTF-8 ({byte}); save the file as UTF-8, or name its encoding: --encoding {likely}"
    return Fault(f"{path}, line {line}", what)


def _separator(lines: Lines) -> str:
    """The separator that splits the first records into most cells, equally many in each; else a comma."""
    widths = {one: _common_width(lines, one) for one in SEPARATORS}
    return max(SEPARATORS, key=lambda one: widths[one])


def _common_width(lines: Lines, separator: str) -> int:
    """How many cells the header has, if there are several and the next records fit; else 1."""
    header: list[str] = []
    for _, cells in islice(told(_records(lines(), separator, csv.QUOTE_MINIMAL)), SAMPLE):
        if isinstance(cells, str):
            # Between tabs a quote may be a letter.
            return len(header) if separator == "\t" and header else 1
        header = header or cells
        if not fits(cells, header):
            return 1
    return max(len(header), 1)


def _read(path: Path, lines: Lines, separator: str, after: int = 0) -> Table:
    """Some programs write tabs with CSV's quotes, some without; a file that is valid with quotes has them."""

    def table(quoting: Quoting) -> Table:
        return table_of(path, lambda: _records(lines(), separator, quoting, after))

    try:
        return table(csv.QUOTE_MINIMAL)
    except BadInput:
        if separator != "\t":
            raise
    return table(csv.QUOTE_NONE)


def _records(lines: Iterable[str], separator: str, quoting: Quoting, after: int = 0) -> Records:
    csv.field_size_limit(MAX_CELL)
    reader = csv.reader(lines, delimiter=separator, strict=True, quoting=quoting)
    start = 1
    try:
        for cells in reader:
            yield start + after, cells
            start = reader.line_num + 1
    except csv.Error as error:
        yield start + after, _words(str(error))


_CSV_WORDS = {
    "unexpected end of data": "a quote is opened here and never closed",
    "expected after": 'text follows a closing quote; a quote within a cell is written twice: ""',
    "field limit": f"a cell has more than {plural(MAX_CELL, 'letter')}; is a quote before it never closed?",
    "new-line character": "a line end stands in a cell without quotes",
}


def _words(said: str) -> str:
    """The error of Python's reader, in plain words."""
    return next((words for sign, words in _CSV_WORDS.items() if sign in said), said)
