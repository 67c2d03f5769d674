"""kill -9 at any moment loses at most the calls in flight, and a resume pays for nothing twice.

HARNESS_KILLS says how many moments are tried (default 3); `HARNESS_KILLS=50 pytest tests/test_kill.py` is
the long form.
"""

import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from builders import examples, harness, write_project
from fault_server import Turn, fault_server, graded
from oracle import KEYS, only_run

from harness.runs.folder import load_run

KILLS = int(os.environ.get("HARNESS_KILLS", "3"))
ITEMS = 500
IN_FLIGHT = 16


@pytest.mark.slow
@pytest.mark.parametrize("at", range(KILLS))
def test_killed_run_is_resumed_without_paying_twice(here: Path, at: int) -> None:
    write_project(here, golden=examples(queries=336))
    draw = random.Random(at)

    def script(number: int, body: dict[str, Any]) -> Turn:
        return graded(1, wait=draw.uniform(0.005, 0.03))

    words = [
        "--policy",
        "small",
        "--model",
        "openai/m",
        "--limit",
        str(ITEMS),
        "--max-connections",
        str(IN_FLIGHT),
    ]
    with fault_server(script) as server:
        command = [sys.executable, "-m", "harness", "eval", *words, "--base-url", server.url]
        with subprocess.Popen(
            command, cwd=here, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            # A moment is a number of requests, and a while after it: the machine's speed plays no part.
            moment = draw.randrange(1, ITEMS)
            while len(server.requests) < moment and process.poll() is None:
                time.sleep(0.001)
            time.sleep(draw.uniform(0, 0.02))
            process.kill()
        ended = harness("eval", "--resume", "latest", "--base-url", server.url, "--json", **KEYS)
        assert ended.code == 0
        assert ended.json["outcomes"] == {"graded": ITEMS, "ungraded": 0, "failed": 0}
        assert ITEMS <= len(server.requests) <= ITEMS + IN_FLIGHT
    records = list(load_run(only_run(here)).each_record())
    assert len(records) == len({record.key for record in records}) == ITEMS
