"""events.log: one line for every change of pace, and for whatever else explains a run later."""

from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Self

from harness.storage.regular import open_to_append
from harness.storage.visible import one_line

EVENTS = "events.log"


class EventLog:
    """The event log of a run folder. The first event creates the file."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / EVENTS
        self._file: BinaryIO | None = None

    def note(self, text: str) -> None:
        """Add a line with the time; a line end in `text` does not start another line."""
        if self._file is None:
            self._file = open_to_append(self._path)
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._file.write(f"{now} {one_line(text)}\n".encode("utf-8", "replace"))
        self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._file is not None:
            self._file.close()
