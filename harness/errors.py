"""The exception tree, and the exit code of a command for each error.

HarnessError
├── BadInput         exit 2   faults in the user's input, all of them at once
├── Unfinished       exit 4   the work could not be finished; resume it later
├── Interrupted      exit 130 the user stopped the work; resume it later
└── CallError                 one call to a teacher failed
    ├── TransientError        try again: busy, connection dropped, timeout
    ├── RejectedError         this call cannot succeed; others may
    └── FatalError            no call can succeed: key, quota, model name
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

ALIKE_SHOWN = 3
"""Faults of one kind in the lines of a file that a message shows."""
_LINE = re.compile(r"(.*), (line|row) [0-9]+")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: where (a file, line, key or id), what is wrong, and what to do about it.

    `kind`: what groups it with faults whose texts differ from line to line; by default `what`.
    """

    where: str
    what: str
    kind: str = ""

    def __str__(self) -> str:
        what = _ENDLESS.sub(_cut, self.what)
        # A line end in a name must not begin a line of the message.
        where = self.where.replace("\n", "\\n")
        return f"{where}: {what}" if where else what


_ENDLESS = re.compile(r"\S{200,}")
"""A long run of characters without a space, such as a cell of 5,000 digits, which a fault shortens."""


def _cut(found: re.Match[str]) -> str:
    return f"{found[0][:60]}... (its length: {len(found[0]):,})"


class HarnessError(Exception):
    """An error that a command reports as a message, without a traceback."""

    exit_code: ClassVar[int] = 2


class BadInput(HarnessError):
    """The input has faults; `faults` holds all that were found."""

    shown: ClassVar[int] = 20

    def __init__(self, faults: Sequence[Fault] | str) -> None:
        self.faults: tuple[Fault, ...] = (Fault("", faults),) if isinstance(faults, str) else tuple(faults)
        assert self.faults, "bad input without a fault"
        super().__init__(self._text())

    @classmethod
    def at(cls, where: object, what: str) -> Self:
        """The error for one fault. `where`: a file, a line, a key or an id."""
        return cls([Fault(str(where), what)])

    def _text(self) -> str:
        groups = _alike(self.faults)
        lines = [line for group in groups[: self.shown] for line in _lines(group)]
        if hidden := sum(map(len, groups[self.shown :])):
            lines.append(f"... and {hidden:,} more")
        return "\n".join(lines)


def _alike(faults: Sequence[Fault]) -> list[list[Fault]]:
    """The faults in groups: those of one kind in the lines of one file together, every other one alone."""
    groups: dict[object, list[Fault]] = {}
    for number, fault in enumerate(faults):
        line = _LINE.match(fault.where)
        groups.setdefault((line[1], fault.kind or fault.what) if line else number, []).append(fault)
    return list(groups.values())


def _lines(alike: Sequence[Fault]) -> Iterator[str]:
    """The first of the faults, and how many more lines have the same."""
    yield from map(str, alike[:ALIKE_SHOWN])
    places = [fault.where for fault in alike]
    if more := len(set(places) - set(places[:ALIKE_SHOWN])):
        line = _LINE.match(places[0])
        unit = line[2] if line else "fault"
        yield f"... and {more:,} more {unit}{'' if more == 1 else 's'} of this kind"


def refuse_faults(faults: Iterable[Fault]) -> None:
    """BadInput with all of them, if there are any."""
    if found := list(faults):
        raise BadInput(found)


class Unfinished(HarnessError):
    """The work stopped early for a reason outside the input: key, quota, network."""

    exit_code = 4


class Interrupted(HarnessError):
    """The user stopped the work."""

    exit_code = 130


class CallError(HarnessError):
    """One call to a teacher failed. `may_be_billed`: whether it may cost something all the same.

    `counts`: the token counts that the server sends with the error, unchanged; `usage`: the same counts as
    a Usage.
    """

    exit_code = 4
    may_be_billed = False
    counts: Any = None
    usage: Any = None


class TransientError(CallError):
    """A retry may succeed. `retry_after`: seconds that the server asked us to wait, if it did.

    `busy`: the server works but limits the rate of calls. `unsent`: there was no connection to send it on.
    """

    def __init__(
        self, message: str, retry_after: float | None = None, *, busy: bool = False, unsent: bool = False
    ) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.busy = busy
        self.may_be_billed = not (busy or unsent)


class RejectedError(CallError):
    """The server refuses this prompt; it may accept another one."""


class FatalError(CallError):
    """No call can succeed until the user changes something."""
