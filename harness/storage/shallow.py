"""Check JSON lines before pyarrow's recursive parser reads them.

20,000 nested brackets (40 KB) overflow its stack and crash the process.
"""

import io
import re
from itertools import accumulate
from typing import BinaryIO

from harness.storage.regular import LONGEST_LINE

DEEPEST = 100
"""The deepest nesting of lists and objects."""
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_REST = bytes(sorted(set(range(256)) - set(b"[]{}")))
_STEP = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}


class NotShallow(ValueError):
    """A line that is too deep or too long, or holds no whole object."""


class ShallowLines(io.RawIOBase):
    """A file of JSON lines, unchanged. Raises NotShallow before the parser reads a faulty line.

    Each line has to be one object: the parser would accept a deep one over several lines.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._begun = file, b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        *lines, self._begun = (self._begun + data).split(b"\n")
        for line in lines if data else (self._begun,):
            _check(line.strip())
        if len(self._begun) > LONGEST_LINE or _is_deep(self._begun):
            raise NotShallow
        return data


def _check(line: bytes) -> None:
    whole = not line or (line.startswith(b"{") and line.endswith(b"}"))
    if not whole or _is_deep(line):
        raise NotShallow


def _is_deep(line: bytes) -> bool:
    """Whether a line nests brackets, outside of strings, deeper than is allowed."""
    if line.count(b"[") + line.count(b"{") <= DEEPEST:
        return False
    signs = _STRING.sub(b"", line).translate(None, _REST)
    return max(accumulate(_STEP[sign] for sign in signs), default=0) > DEEPEST
