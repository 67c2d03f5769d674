"""The demo server: the whole network path without a key, and no answer that hides where it comes from."""

import asyncio
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from batched import session
from builders import Ended, examples, harness, write_project
from improving import golden as dev_pairs
from oracle import DEV, KEYS

from harness.demo.answers import CANNOT_LEARN, MODEL, SAYS, DemoGrader, Served, batching, canned, graded_by
from harness.demo.faults import failing, late
from harness.demo.server import listening
from harness.nouns.records import Grade
from harness.runs.folder import Run, load_run

pytestmark = pytest.mark.usefixtures("no_waiting")


@contextmanager
def running(serve: Served) -> Iterator[str]:
    """The address of a server in a thread of its own."""
    address: list[str] = []
    up, over = threading.Event(), threading.Event()

    async def run() -> None:
        async with listening(serve, 0) as url:
            address.append(url)
            up.set()
            await asyncio.to_thread(over.wait)

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    up.wait()
    try:
        yield address[0]
    finally:
        over.set()
        thread.join()


def grade(model: str, url: str, *words: str) -> Ended:
    at = () if model.startswith("builtin") else ("--base-url", url)
    return harness("eval", "--policy", "small", "--model", model, *at, "--json", *words, **KEYS)


def grades(run: Run) -> dict[str, int]:
    outcomes = {record.example: record.outcome for record in run.records.values()}
    return {item: outcome.value for item, outcome in outcomes.items() if isinstance(outcome, Grade)}


@pytest.fixture
def baseline(here: Path) -> DemoGrader:
    """The baseline of the small project."""
    return DemoGrader(write_project(here), "small")


@pytest.mark.parametrize("provider", ["openai", "openai-responses", "anthropic", "vllm"])
def test_grades_are_those_of_the_baseline_and_say_so(here: Path, baseline: DemoGrader, provider: str) -> None:
    with running(graded_by(baseline)) as url:
        ended = grade(f"{provider}/demo", url)
    run, floor = load_run(Path(ended.json["run"])), load_run(Path(grade("builtin/lexical", "").json["run"]))
    assert (ended.code, len(run.records)) == (0, len(DEV))
    assert grades(run) == grades(floor)
    assert run.manifest.model_answered == (MODEL,)
    assert all(SAYS in record.outcome.model_dump()["reasoning"] for record in run.records.values())


@pytest.mark.parametrize("provider", ["openai", "openai-responses", "anthropic"])
def test_batches_give_the_same_grades(here: Path, baseline: DemoGrader, provider: str) -> None:
    with running(batching(baseline, 0.2, graded_by(baseline))) as url:
        began = time.monotonic()
        at = session(here, url, f"{provider}/demo", nap=lambda session: time.sleep(0.05))
    assert time.monotonic() - began > 0.2
    floor = load_run(Path(grade("builtin/lexical", "").json["run"]))
    assert grades(load_run(at.folder)) == grades(floor)


def test_batch_is_graded_though_a_third_of_the_calls_fails(here: Path, baseline: DemoGrader) -> None:
    waits = 0
    for seed in range(4):
        with running(failing(0.3, seed, batching(baseline, 0.0, graded_by(baseline)))) as url:
            at = session(here, url, "anthropic/demo")
        assert at.outcomes()["grade"] == len(DEV)
        waits += len(at.waits)
    assert waits > 0


def test_batch_may_be_large(baseline: DemoGrader) -> None:
    large = {"requests": [{"custom_id": "a", "params": {"messages": [{"content": "x" * 3_000_000}]}}]}
    with running(batching(baseline, 0.0, graded_by(baseline))) as url:
        assert _post(f"{url}/messages/batches", json.dumps(large)) == "200"
        assert _post(f"{url}/files/nowhere", "{}") == "404"


@pytest.mark.parametrize("path", ["batches", "messages/batches", "files"])
@pytest.mark.parametrize("body", ["", "[]", "{}", '{"requests": [{"custom_id": "a b", "params": {}}]}'])
def test_batch_that_is_none_is_rejected(baseline: DemoGrader, path: str, body: str) -> None:
    with running(batching(baseline, 0.0, graded_by(baseline))) as url:
        assert _post(f"{url}/{path}", body) == "400"


def test_prefix_is_read_from_the_cache_from_its_second_use_on(here: Path, baseline: DemoGrader) -> None:
    with running(graded_by(baseline)) as url:
        ended = grade("openai/demo", url, "--max-connections", "1")
    used = [
        record.reply.usage for record in load_run(Path(ended.json["run"])).records.values() if record.reply
    ]
    (first, *rest) = [usage for usage in used if usage]
    assert (first.cached_tokens, first.written_tokens > 0) == (0, True)
    assert {(usage.cached_tokens, usage.written_tokens) for usage in rest} == {(first.written_tokens, 0)}


def test_every_example_is_graded_though_a_third_of_the_requests_fails(
    here: Path, baseline: DemoGrader
) -> None:
    with running(failing(0.3, 1, graded_by(baseline))) as url:
        ended = grade("openai/demo", url)
    assert (ended.code, ended.json["coverage"]) == (0, 1.0)
    assert max(record.attempts for record in load_run(Path(ended.json["run"])).records.values()) > 1


def test_share_of_faults_is_what_was_asked_for_and_of_every_kind(here: Path, baseline: DemoGrader) -> None:
    with running(failing(0.5, 3, canned(baseline.scale))) as url:
        seen = [_post(f"{url}/messages", "{}") for _ in range(200)]
    assert 70 < sum(kind != "200" for kind in seen) < 130
    assert set(seen) == {"200", "429", "500", "503", "dropped", "half"}


def _post(url: str, body: str) -> str:
    """What came of a request, in a word."""
    try:
        with urlopen(Request(url, body.encode(), {"Content-Type": "application/json"})) as response:
            text = response.read()
    except HTTPError as error:
        if error.code == 429:
            assert error.headers["Retry-After"] == "1"
        error.close()
        return str(error.code)
    except OSError:
        return "dropped"
    try:
        json.loads(text)
    except ValueError:
        return "half"
    return "200"


def test_canned_answers_give_every_grade_in_turn(here: Path, baseline: DemoGrader) -> None:
    with running(late(0.001, canned(baseline.scale))) as url:
        ended = grade("anthropic/demo", url)
    given = list(grades(load_run(Path(ended.json["run"]))).values())
    assert (ended.code, {given.count(level) for level in baseline.scale}) == (0, {len(DEV) // 3})


def test_other_scale_and_unknown_path_are_answered_with_what_to_do(here: Path, baseline: DemoGrader) -> None:
    write_project(here / "other", "other", grades=(0, 1))
    with running(graded_by(baseline)) as url:
        words = ("--policy", "other", "--root", str(here / "other"), "--base-url", url)
        ended = harness("eval", "--model", "vllm/demo", *words)
        # Its words name no part of the request: it is asked without the schema, and they stand in the note.
        assert ended.code == 0
        (run,) = (here / "other/runs").glob("[!.]*")
        notes = load_run(run).manifest.notes
        assert "this demo server grades by small@v1: (0, 1, 2)" in notes[0]
        lost = harness("eval", "--policy", "small", "--model", "openai-decisions/demo", "--base-url", url)
    assert lost.code == 4
    assert "It answers POST at /chat/completions" in lost.err


@pytest.mark.parametrize("body", ["", "{", "null", "[]", "1", "[" * 100_000, '{"a":' * 100_000])
def test_body_that_is_no_object_is_rejected(baseline: DemoGrader, body: str) -> None:
    with running(graded_by(baseline)) as url:
        assert _post(f"{url}/chat/completions", body) == "400"


def test_request_that_holds_no_pair_is_rejected(here: Path, baseline: DemoGrader) -> None:
    asked: list[dict[str, Any]] = [
        {"messages": [{"role": "user", "content": text}]} for text in ("hello", "{}")
    ]
    said = [asyncio.run(baseline.answer(body)) for body in asked]
    assert [type(answer).__name__ for answer in said] == ["WireFault", "WireFault"]


@pytest.mark.slow
def test_command_serves_a_project_of_ones_own_and_says_that_it_is_no_model(here: Path) -> None:
    write_project(here)
    words = [sys.executable, "-m", "harness", "demo-server", "--port", "0"]
    server = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        url = server.stdout.readline().strip()
        assert grade("openai/demo", url).code == 0
        taken = harness("demo-server", "--port", url.split(":")[-1].split("/")[0])
    finally:
        server.send_signal(signal.SIGINT)
        _, said = server.communicate(timeout=30)
    assert (server.returncode, SAYS in " ".join(said.split())) == (0, True)
    assert (taken.code, "Address already in use; --port 0 takes a free one" in taken.err) == (2, True)


def test_it_says_that_it_cannot_learn(here: Path) -> None:
    shots = [{**line, "id": f"s-{line['id']}"} for line in examples() if line["split"] == "shots"]
    project = write_project(here, golden=[*dev_pairs(24), *shots])
    with running(graded_by(DemoGrader(project, "small"))) as url:
        words = ("improve", "--model", "openai/demo", "--base-url", url, "--proposals", "2")
        ended = harness(*words, **KEYS)
    assert ended.code == 0, ended.err
    assert "No edit of teacher@v1 is surely better: nothing was written." in ended.out
    said = " ".join(ended.out.split())
    assert f'2: the reply holds no template: "{CANNOT_LEARN}"' in said
