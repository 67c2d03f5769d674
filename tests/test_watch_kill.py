"""kill -9 while a watch asks: the day goes on, counts once, and costs again only what was in flight."""

import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from builders import examples, harness, write_project
from fault_server import Turn, fault_server, graded
from forked import ended, started
from oracle import KEYS

from harness.cli.app import app
from harness.runs.watch_folder import BaselineLine, DayLine, history_of

KILLS = int(os.environ.get("HARNESS_KILLS", "3"))
CONNECTIONS = 2


@pytest.mark.slow
def test_a_watch_outlives_kills(here: Path) -> None:
    write_project(here, golden=examples(queries=24))
    draw = random.Random(3)

    def slow(number: int, body: dict[str, Any]) -> Turn:
        return graded(1, wait=0.02)

    with fault_server(slow) as server:
        words = ["watch", "w", "--model", "openai/m", "--base-url", server.url, "--sentinels", "20"]
        words += ["--max-connections", str(CONNECTIONS), "--day", "2026-12-01"]

        def command() -> None:
            os.environ.update(KEYS)
            app(words)

        for _ in range(KILLS):
            copy = started(command)
            time.sleep(draw.uniform(0.5, 2.5))
            os.kill(copy, signal.SIGKILL)
            ended(copy)
        done = harness(*words, "--json", **KEYS)
        asked = len(server.requests)
        again = harness(*words, "--json", **KEYS)
        assert len(server.requests) == asked
    # A teacher that is wrong on three of four can hardly be worse: the verdict is "cannot tell".
    assert (done.code, again.code) == (3, 3), done.err
    baseline, day = history_of(here / "w")
    assert isinstance(baseline, BaselineLine) and len(baseline.losses) == 5
    assert isinstance(day, DayLine) and (day.day, day.n) == ("2026-12-01", 20)
    assert 6 * 20 <= asked <= 6 * 20 + KILLS * CONNECTIONS
