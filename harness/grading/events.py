"""What the engine did besides asking, for whoever wonders later: a line of text for every change of pace."""

from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

EVENTS = "events.log"


class EventLog:
    """The run folder's events. There is no file before there is an event."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / EVENTS
        self._file: TextIO | None = None

    def note(self, text: str) -> None:
        """Add a line with the time."""
        if self._file is None:
            self._file = self._path.open("a", encoding="utf-8")
        self._file.write(f"{datetime.now(UTC).isoformat(timespec='milliseconds')} {text}\n")
        self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
