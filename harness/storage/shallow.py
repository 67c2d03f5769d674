"""JSON lines on their way to a parser that calls itself for each bracket, and dies of too many.

20,000 brackets within each other, 40 KB, end pyarrow's stack, and the whole process with it.
"""

import io
import re
from itertools import accumulate
from typing import BinaryIO

from harness.storage.regular import LONGEST_LINE

DEEPEST = 100
"""Lists and objects within each other, at most."""
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_REST = bytes(sorted(set(range(256)) - set(b"[]{}")))
_STEP = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}


class NotShallow(ValueError):
    """A line that is too deep or too long, or holds no whole object."""


class ShallowLines(io.RawIOBase):
    """A file of JSON lines as it is. NotShallow before anything is read on that the parser should not see.

    Each line has to be an object of its own: the parser would take one that goes on over lines, and deep.
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
    """Whether a line has more brackets within each other, outside of strings, than is taken."""
    if line.count(b"[") + line.count(b"{") <= DEEPEST:
        return False
    signs = _STRING.sub(b"", line).translate(None, _REST)
    return max(accumulate(_STEP[sign] for sign in signs), default=0) > DEEPEST
