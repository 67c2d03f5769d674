"""The contract of executors: every question is answered once, a resume goes on, no limit is passed."""

import json
from pathlib import Path
from typing import Any

import pytest
from batched import Session
from builders import write_project
from fault_server import FaultServer, fault_server, item_of
from oracle import DEV, KEYS, right

from harness.comparison.sides import side_of_run
from harness.errors import BadInput, Unfinished
from harness.grading.batch import session as turns
from harness.grading.evaluate import evaluate, resume
from harness.grading.executors import EXECUTORS
from harness.grading.job import Job, Limits
from harness.grading.live.pace import Pace
from harness.grading.questions import open_questions
from harness.grading.stop import Stop
from harness.grading.worker import Worker
from harness.providers.base import Teacher
from harness.runs.folder import Run
from harness.runs.manifest import Asked, load_manifest, save_manifest
from harness.runs.record_log import RECORDS, RecordLog
from harness.score.reading import read_run
from harness.storage.project import Project

pytestmark = pytest.mark.usefixtures("no_waiting")
PRICES = '[models."openai/m"]\ninput = 1.0\noutput = 0.01\nbatch = 0.5\n'
LIMIT = 0.0025
"""USD: room for one question at its worst, and for some of them as they are billed."""
EVERY = sorted(line["result"]["title"] for line in DEV)


class InTurn:
    """A third executor: one question after the other."""

    priced_as_batch = waits = False

    def check(self, model: str, teacher: Teacher) -> None:
        """Any teacher will do."""

    async def answer(self, job: Job, log: RecordLog) -> None:
        """Ask what is open, in its order."""
        with Worker(job, log, Stop(), Pace(1), lambda: 1) as worker:
            for question in open_questions(job, log):
                await worker.grade(question)


class Queue(InTurn):
    """A fourth one: its answers wait in a queue, at the price of a batch."""

    priced_as_batch = waits = True


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Executors that only this test has, and keys for every provider."""
    monkeypatch.setitem(EXECUTORS, "in turn", InTurn())
    monkeypatch.setitem(EXECUTORS, "queue", Queue())
    monkeypatch.setattr(turns, "QUICKEST", 0.01)
    for name, key in KEYS.items():
        monkeypatch.setenv(name, key)


@pytest.fixture(params=[*EXECUTORS, "in turn"])
def executor(request: pytest.FixtureRequest, registered: None) -> str:
    """The name of each executor, and of one that only this test registers."""
    return str(request.param)


def started(here: Path, server: FaultServer, executor: str, limits: Limits, **more: Any) -> Run:
    words = {"model": "openai/m", "policy": "small", "prompt": "teacher", "splits": ("dev",), **more}
    asked = Asked.model_validate({**words, "base_url": server.url, "executor": executor})
    return evaluate(Project(here), asked, Session(here), limits).run


def paid(server: FaultServer) -> list[str]:
    """The title of every pair that was graded, live or in a batch, in order."""
    assert server.desk is not None
    batches = [dict(made.requests)[id] for made in server.desk.made.values() for id, _ in made.items]
    return sorted(item_of(body)["result"]["title"] for body in [*server.requests, *batches])


def records(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / RECORDS).read_text("utf-8").splitlines()]


def test_every_question_is_answered_once(here: Path, executor: str) -> None:
    write_project(here)
    with fault_server(right) as server:
        run = started(here, server, executor, Limits(cache=False), repeats=2)
        assert paid(server) == sorted(2 * EVERY)
    assert run.manifest.finished_at is not None
    keys = [(record["example"], record["repeat"]) for record in records(run.folder)]
    assert sorted(keys) == sorted((line["id"], repeat) for line in DEV for repeat in (0, 1))


def test_resume_asks_what_is_open_and_nothing_else(here: Path, executor: str) -> None:
    write_project(here)
    with fault_server(right) as server:
        run = started(here, server, executor, Limits(cache=False))
    kept = (run.folder / RECORDS).read_text("utf-8").splitlines(keepends=True)[:4]
    (run.folder / RECORDS).write_text("".join(kept), encoding="utf-8")
    (run.folder / "batches.jsonl").unlink(missing_ok=True)
    save_manifest(run.folder, load_manifest(run.folder).model_copy(update={"finished_at": None}))
    there = {json.loads(line)["example"] for line in kept}
    with fault_server(right) as server:
        again = resume(Project(here), run.folder, Session(here), Limits(cache=False), server.url).run
        assert paid(server) == sorted(line["result"]["title"] for line in DEV if line["id"] not in there)
    assert again.manifest.finished_at is not None
    assert len(records(run.folder)) == len(DEV)


def test_limit_is_not_passed(here: Path, executor: str) -> None:
    """Room for some of the questions is used for some of them; with more room the rest is asked."""
    write_project(here)
    (here / "prices.toml").write_text(PRICES, encoding="utf-8")
    with fault_server(right) as server:
        with pytest.raises(Unfinished, match="--max-cost"):
            started(here, server, executor, Limits(cache=False, max_cost=LIMIT), repeats=5)
        (folder,) = (path for path in (here / "runs").iterdir() if not path.name.startswith("."))
        some = records(folder)
        assert 0 < len(some) < 5 * len(DEV)
        assert sum(record["cost"] for record in some) <= LIMIT
        run = resume(Project(here), folder, Session(here), Limits(cache=False, max_cost=1.0), server.url).run
        assert paid(server) == sorted(5 * EVERY)
    assert run.manifest.finished_at is not None


@pytest.mark.usefixtures("registered")
def test_price_and_time_of_an_executor_are_what_it_says_of_itself(here: Path) -> None:
    write_project(here)
    with fault_server(right) as server:
        (here / "prices.toml").write_text(PRICES.replace("batch = 0.5\n", ""), encoding="utf-8")
        with pytest.raises(BadInput, match="has no batch price"):
            started(here, server, "queue", Limits(max_cost=1.0))
        (here / "prices.toml").write_text(PRICES, encoding="utf-8")
        queued = started(here, server, "queue", Limits(cache=False, max_cost=1.0))
        live = started(here, server, "live", Limits(cache=False))
    seconds = [side_of_run(read_run(run)).seconds for run in (queued, live)]
    assert seconds[0] is None and seconds[1] is not None


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize("other", ["live", "in turn"])
def test_batch_beside_another_executor_is_refused(here: Path, other: str) -> None:
    write_project(here)
    with fault_server(right) as server:
        with pytest.raises(BadInput, match=f"--batch and the executor '{other}' exclude each other"):
            started(here, server, other, Limits(), batch=True)
        assert not server.requests
    assert not list((here / "runs").iterdir())


def test_unknown_executor_is_refused_before_there_is_a_folder(here: Path, executor: str) -> None:
    write_project(here)
    with fault_server(right) as server, pytest.raises(BadInput, match="unknown executor 'ray'; there are: "):
        started(here, server, "ray", Limits())
    assert not list((here / "runs").iterdir())
