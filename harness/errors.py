"""What can go wrong, and how a command ends when it does.

HarnessError
├── BadInput         exit 2   faults in what the user gave, all of them at once
├── Unfinished       exit 4   the work could not be finished; it can be resumed
├── Interrupted      exit 130 the user stopped it; it can be resumed
└── CallError                 one call to a teacher went wrong
    ├── TransientError        worth another try: busy, dropped, timed out
    ├── RejectedError         this one call cannot succeed; others may
    └── FatalError            no call can succeed: key, quota, model name
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: where (a file, line, key or id) and what, with what to do about it."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" if self.where else self.what


class HarnessError(Exception):
    """Anything that a command reports in words instead of a traceback."""

    exit_code: ClassVar[int] = 2


class BadInput(HarnessError):
    """The input has faults; `faults` holds every one that was found."""

    shown: ClassVar[int] = 20

    def __init__(self, faults: Sequence[Fault] | str) -> None:
        self.faults: tuple[Fault, ...] = (Fault("", faults),) if isinstance(faults, str) else tuple(faults)
        assert self.faults, "bad input without a fault"
        super().__init__(self._text())

    def _text(self) -> str:
        lines = [str(fault) for fault in self.faults[: self.shown]]
        hidden = len(self.faults) - len(lines)
        if hidden:
            lines.append(f"... and {hidden} more like these")
        return "\n".join(lines)


class Unfinished(HarnessError):
    """The work stopped before its end through no fault in the input: key, quota, network."""

    exit_code = 4


class Interrupted(HarnessError):
    """The user stopped the work."""

    exit_code = 130


class CallError(HarnessError):
    """One call to a teacher went wrong."""

    exit_code = 4


class TransientError(CallError):
    """Worth another try. `retry_after`: seconds that the server asked us to wait, where it did.

    `busy`: the server is well, and was asked too often.
    """

    def __init__(self, message: str, retry_after: float | None = None, *, busy: bool = False) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.busy = busy


class RejectedError(CallError):
    """The server will not answer this prompt; another prompt may go through."""


class FatalError(CallError):
    """No call can succeed until the user changes something."""
