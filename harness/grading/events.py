"""events.log: one line for every change of pace, and for whatever else explains a run later."""

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Self

from harness.storage.regular import append_whole, open_to_append
from harness.storage.visible import one_line

EVENTS = "events.log"


class EventLog:
    """The event log of a run folder. The first event creates the file."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / EVENTS
        self._file: BinaryIO | None = None

    def note(self, text: str) -> None:
        """Add a line with the time; a line end in `text` does not start another line.

        A disk that takes no line of it costs no answer: the records say that the disk is full.
        """
        if self._file is None:
            self._file = open_to_append(self._path)
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        with suppress(OSError):
            append_whole(self._file, f"{now} {one_line(text)}\n".encode("utf-8", "replace"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._file is not None:
            self._file.close()
