"""--engine ray: the same label set as that of one process, by a real Ray of two cores on this machine."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from builders import harness, write_project
from fault_server import FaultServer, Turn, completion, error, fault_server, graded, item_of
from labelling import answers, by_title, grade_of, label, labelled, rows, write_rows
from oracle import KEY, KEYS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("ray") is None,
        reason="Ray is not installed: pip install 'teacher-harness[ray]'",
    ),
]
DISTINCT, ROWS, IN_FLIGHT = 300, 450, 8
PRICES = '[models."openai/m"]\ninput = 1.0\noutput = 0.01\n'


@pytest.fixture
def pairs(here: Path) -> Path:
    write_project(here)
    return write_rows(here / "pairs.csv", rows(ROWS, distinct=DISTINCT))


def begun(server: FaultServer, *words: str, folder: str = "L") -> "subprocess.Popen[str]":
    """`harness label --engine ray`, in a process of its own: Ray's processes belong to it."""
    at = ("--model", "openai/m", "--base-url", server.url, "--max-connections", str(IN_FLIGHT))
    line = ("label", "pairs.csv", "-o", folder, "--policy", "small", "--unproven", "--engine", "ray", *at)
    return subprocess.Popen(
        [sys.executable, "-m", "harness", *line, *words],
        env={**os.environ, **KEYS},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    out, err = process.communicate(timeout=300)
    assert "Traceback" not in err, err
    return process.returncode, out, err


def wait_for(server: FaultServer, requests: int, process: "subprocess.Popen[str]") -> None:
    while len(server.requests) < requests and process.poll() is None:
        time.sleep(0.005)
    assert process.poll() is None, process.communicate()


def slowly(number: int, body: dict[str, Any]) -> Turn:
    return graded(grade_of(item_of(body)["result"]["title"]), wait=0.05)


def tables(folder: str) -> list[Any]:
    return [pyarrow.parquet.read_table(path) for path in sorted(Path(folder, "shards").iterdir())]


def ray_logs() -> Iterator[str]:
    """What the last Ray wrote into its own folder."""
    for path in Path("/tmp/ray/session_latest").rglob("*"):
        if path.is_file() and path.stat().st_size < 10_000_000:
            yield path.read_text("utf-8", "replace")


def test_the_shards_are_those_of_one_process(pairs: Path) -> None:
    def script(number: int, body: dict[str, Any]) -> Turn:
        found = item_of(body)["result"]["title"]
        if found.endswith("x0") and "7" in found:
            return completion("no idea")
        return error(400, "invalid", "no") if "13" in found else by_title(number, body)

    with fault_server(script) as server:
        words = ("--unproven", "--no-cache", "--max-connections", "8")
        assert label(server, pairs, *words, "-o", "L").code == 4
        alone = len(server.requests)
        code, out, err = ended(begun(server, "--no-cache", "--json", folder="R"))
        assert (code, len(server.requests)) == (4, 2 * alone), err
    here, there = tables("L"), tables("R")
    assert [one.num_rows for one in there] == [ROWS]
    assert all(one.equals(other, check_metadata=True) for one, other in zip(here, there, strict=True))
    assert {"grade", "ungraded", "failed"} == set(there[0]["outcome"].to_pylist())
    assert not Path("R/parts").exists()
    # Not even Ray's own logs have the key: an actor has it of its environment.
    assert KEY and not any(KEY in text for text in ray_logs())
    assert "2 processes with up to 4 connections each" in err
    assert '"rows": 450' in out


def test_a_killed_command_loses_nothing_and_another_engine_goes_on(pairs: Path) -> None:
    with fault_server(slowly) as server:
        with begun(server, "--no-cache") as process:
            wait_for(server, 120, process)
            process.kill()
        ended_ = label(server, pairs, "--unproven", "--no-cache", "--json")
        assert ended_.code == 0, ended_.err
        assert DISTINCT <= len(server.requests) <= DISTINCT + IN_FLIGHT
    assert ended_.json["outcomes"] == {"graded": ROWS, "ungraded": 0, "failed": 0}
    assert all(row["grade"] == grade_of(row["title"]) for row in labelled())
    assert answers() == DISTINCT


def test_ctrl_c_waits_for_the_calls_in_flight(pairs: Path) -> None:
    with fault_server(slowly) as server:
        process = begun(server, "--no-cache")
        wait_for(server, 60, process)
        listening = listened_on(process.pid)
        process.send_signal(signal.SIGINT)
        code, _, err = ended(process)
        asked = len(server.requests)
        assert (code, f"interrupted with {DISTINCT - asked} answers to go" in err) == (130, True), err
        assert answers() == asked < DISTINCT
        assert label(server, pairs, "--unproven", "--no-cache").code == 0
        assert len(server.requests) == DISTINCT
    assert not Path("L/parts").exists()
    # Ray runs whatever it is sent: nobody else may reach it.
    assert listening and all("127.0.0.1" in one for one in listening), listening


def listened_on(driver: int) -> list[str]:
    """The addresses at which the servers of a driver's Ray listen."""
    servers = [f"pid={one}," for one in found("-P", str(driver), "raylet|gcs_server")]
    done = subprocess.run(["ss", "-ltnp"], capture_output=True, text=True, check=True)
    lines = [line for line in done.stdout.splitlines() if any(one in line for one in servers)]
    return [line.split()[3] for line in lines]


def test_a_budget_holds_across_processes(here: Path, pairs: Path) -> None:
    (here / "prices.toml").write_text(PRICES, encoding="utf-8")
    with fault_server(slowly) as server:
        code, _, err = ended(begun(server, "--no-cache", "--max-cost", "0.02"))
        assert (code, "--max-cost $0.02" in err) == (4, True), err
        assert 20 < len(server.requests) < DISTINCT
    from harness.production.store import STORE, AnswerStore

    with AnswerStore(here / "L" / STORE) as store:
        costs = [record.cost for record in store.records()]
    assert len(costs) == len(server.requests)
    assert sum(cost for cost in costs if cost) <= 0.02


def test_a_wrong_key_ends_it_in_words(pairs: Path) -> None:
    with fault_server(lambda *_: error(401, "invalid_api_key", "no such key")) as server:
        code, _, err = ended(begun(server, "--no-cache"))
        assert len(server.requests) <= 2
    assert code == 4 and "no such key" in err and "repeat the command to go on" in err


def test_a_process_that_dies_is_replaced_and_asks_no_answered_pair_again(pairs: Path) -> None:
    with fault_server(slowly) as server:
        process = begun(server, "--no-cache")
        wait_for(server, 100, process)
        (raylet,) = found("-P", str(process.pid), "raylet")
        os.kill(found("-P", str(raylet), "-f", "MapWorker")[0], signal.SIGKILL)
        code, _, err = ended(process)
        assert code == 0, err
        assert DISTINCT <= len(server.requests) <= DISTINCT + IN_FLIGHT
    assert answers() == DISTINCT


def test_files_are_read_and_shards_written_together(here: Path) -> None:
    write_project(here)
    made, several = rows(100_001, distinct=12), here / "several"
    several.mkdir()
    for at, piece in enumerate((made[:50_000], made[50_000:99_990], made[99_990:])):
        write_rows(several / f"{at}.csv", piece)
    words = ("label", "several", "--policy", "small", "--model", "builtin/lexical", "--unproven")
    assert harness(*words, "-o", "L").code == 0
    done = subprocess.run(
        [sys.executable, "-m", "harness", *words, "-o", "R", "--engine", "ray"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    alone, together = tables("L"), tables("R")
    assert [one.num_rows for one in together] == [100_000, 1]
    assert all(one.equals(other, check_metadata=True) for one, other in zip(alone, together, strict=True))
    there, here_ = (json.loads(Path(name, "labels.json").read_text("utf-8")) for name in ("R", "L"))
    assert there["sources"] == here_["sources"] and len(there["sources"]) == 3


@pytest.mark.parametrize(
    "files, told",
    [
        (("one.csv", "other.csv"), ("one.csv, line 4: weight", "other.csv, line 6: empty item")),
        (("one.csv", "empty.csv", "other.csv"), ("empty.csv: holds no rows",)),
    ],
)
def test_faults_of_several_files_are_those_of_one_process(
    here: Path, files: tuple[str, ...], told: tuple[str, ...]
) -> None:
    write_project(here)
    one, other = rows(6), rows(6)
    one[2] = (*one[2][:3], "-1", *one[2][4:])
    other[4] = ("", *other[4][1:])
    write_rows(here / "one.csv", one)
    write_rows(here / "other.csv", other)
    (here / "empty.csv").write_text("item,query,title\n", encoding="utf-8")
    words = ["label", *files, "-o", "L", "--policy", "small", "--unproven", "--model", "builtin/lexical"]
    alone = harness(*words)
    done = subprocess.run(
        [sys.executable, "-m", "harness", *words, "--engine", "ray"], capture_output=True, text=True
    )
    assert (alone.code, done.returncode) == (2, 2), (alone.err, done.stderr)
    assert all(one in alone.err for one in told), alone.err
    assert " ".join(alone.err.split()) in " ".join(done.stderr.split())
    assert not Path("L").exists()


def found(*words: str) -> list[int]:
    """The processes that pgrep finds."""
    done = subprocess.run(["pgrep", *words], capture_output=True, text=True, check=False)
    return [int(one) for one in done.stdout.split()]
