"""kill -9 at any moment: every answer that was confirmed is there, once.

HARNESS_KILLS says how many moments are tried (default 3).
"""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.golden.rating.answers import AnswerLog
from harness.golden.rating.rounds import ANSWERS

KILLS = int(os.environ.get("HARNESS_KILLS", "3"))
WRITER = """
import sys
from pathlib import Path
from harness.golden.rating.answers import Answer, AnswerLog

with AnswerLog(Path(sys.argv[1])) as log:
    for number in range(int(sys.argv[2]), 10**9):
        event = f"event-{number:09}"
        log.add("ann", [Answer(event=event, place=number, kind="grade", grade=number % 5)])
        print(event, flush=True)
"""


@pytest.mark.slow
def test_what_was_confirmed_outlives_a_kill(tmp_path: Path) -> None:
    """One file through all kills: what one left behind is what the next one finds."""
    path, draw = tmp_path / ANSWERS, random.Random(7)
    confirmed: list[str] = []
    for at in range(KILLS):
        command = [sys.executable, "-c", WRITER, str(path), str(at * 1_000_000)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            confirmed += [process.stdout.readline().strip()]
            time.sleep(draw.uniform(0, 0.1))
            process.kill()
            # What was in the pipe; a line that the kill cut off confirms nothing.
            confirmed += process.stdout.read().split("\n")[:-1]
        with AnswerLog(path) as log:
            events = [answer.event for _, answer in log.all()]
        assert len(set(events)) == len(events)
        assert set(confirmed) <= set(events)
        # Nothing but the one answer in flight is there unconfirmed.
        assert len(events) - len(confirmed) <= at + 1
