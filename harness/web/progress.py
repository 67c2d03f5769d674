"""A run's progress: count its records as they are appended, reading each byte once."""

import contextlib
import json
import os
from collections import deque
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Any

from harness.errors import BadInput
from harness.runs.listing import ListedRun, silence
from harness.runs.record_log import segment
from harness.storage.regular import lines_of, open_regular
from harness.web.words import duration

WINDOW = 50
"""The number of latest answers for the rate."""


@dataclass(frozen=True, slots=True)
class RunProgress:
    """A run's progress. Rates are None until there are two answers."""

    name: str
    state: str
    total: int
    done: int
    graded: int
    ungraded: int
    failed: int
    per_second: float | None
    seconds_left: float | None
    quiet: float

    @property
    def said(self) -> str:
        """The progress in words."""
        spoilt = (
            f" ({self.ungraded:,} unreadable, {self.failed:,} failed)" if self.ungraded or self.failed else ""
        )
        done = f"{self.done:,} of {self.total:,} answered{spoilt}"
        if self.state == "stopped":
            return f"{done}; stopped: no answer for {duration(self.quiet)}"
        if self.state != "going":
            return done
        if self.per_second is None:
            return f"{done}; waiting for answers"
        return f"{done}, {self.per_second:.1f} a second, {duration(self.seconds_left)} left"

    def data(self) -> dict[str, Any]:
        """As plain JSON data."""
        return {**asdict(self), "said": self.said}


class Counter:
    """The record counts of one run. The last record of a key counts, so a resume does not count twice."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = Lock()
        self._reset()

    def _reset(self) -> None:
        self._segment, self._read = 1, 0
        self._kinds: dict[tuple[str, int], str] = {}
        self._times: deque[datetime] = deque(maxlen=WINDOW)

    def count(self, run: ListedRun) -> RunProgress:
        """The run's progress now. Reads only the records appended since the last call."""
        with self._lock:
            self._read_on()
            kinds = list(self._kinds.values())
            rate = self._rate() if run.state == "going" else None
        assert run.manifest is not None, "only a run with a manifest is watched"
        total = run.manifest.examples * run.manifest.asked.repeats
        ends = {kind: kinds.count(kind) for kind in ("grade", "ungraded", "failed")}
        done = ends["grade"] + ends["ungraded"]
        left = (total - done) / rate if rate else None
        return RunProgress(
            name=run.name,
            state=run.state,
            total=total,
            done=done,
            graded=ends["grade"],
            ungraded=ends["ungraded"],
            failed=ends["failed"],
            per_second=rate,
            seconds_left=left,
            quiet=silence(self._folder),
        )

    def _read_on(self) -> None:
        if segment(self._folder, self._segment).stat().st_size < self._read:
            # The file is shorter: a resume removed a line that a kill had cut off, so count again.
            self._reset()
        self._read_segment()
        while os.path.lexists(segment(self._folder, self._segment + 1)):
            self._read_segment()  # what was appended to this file before the next one existed
            self._segment, self._read = self._segment + 1, 0
            self._read_segment()

    def _read_segment(self) -> None:
        path = segment(self._folder, self._segment)
        with contextlib.suppress(BadInput), open_regular(path, links=False) as file:
            file.seek(self._read)
            for line in lines_of(file, path):
                if not line.endswith(b"\n"):
                    break
                self._read += len(line)
                self._note(line)

    def _note(self, line: bytes) -> None:
        """Count one record. A damaged line is skipped here; opening the run reports it."""
        try:
            record = json.loads(line)
            self._kinds[record["example"], record.get("repeat", 0)] = record["outcome"]["kind"]
            self._times.append(datetime.fromisoformat(record["at"]))
        except (ValueError, KeyError, TypeError):
            return

    def _rate(self) -> float | None:
        if len(self._times) < 2:
            return None
        span = (self._times[-1] - self._times[0]).total_seconds()
        return (len(self._times) - 1) / span if span > 0 else None
