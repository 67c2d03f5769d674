"""A run that goes on at another address says which answers come from where."""

import json
from pathlib import Path
from typing import Any

from builders import harness, write_project
from fault_server import Turn, error, fault_server, graded
from oracle import DEV, KEYS, ask, only_run, right

from harness.runs.folder import load_run


def stopped_after(answers: int) -> Any:
    """A server that answers so often, and then refuses every call."""

    def script(number: int, body: dict[str, Any]) -> Turn:
        return right(number, body) if number < answers else error(401)

    return script


def moved(here: Path, *words: str, first: int = 4) -> tuple[str, str]:
    """A run that was begun at one address and finished at another."""
    with fault_server(stopped_after(first)) as one:
        assert ask(one, "--max-connections", "1", *words).code == 4
        begun = one.url
    with fault_server(right) as other:
        ended = harness("eval", "--resume", "latest", "--base-url", other.url, *words, **KEYS)
        assert ended.code == 0, ended.err
        return begun, other.url


def test_each_record_from_another_address_names_it(here: Path) -> None:
    write_project(here)
    begun, other = moved(here)
    run = load_run(only_run(here))
    assert [record.address for record in run.each_record()] == [None] * 4 + [other] * (len(DEV) - 4)
    assert run.manifest.asked.base_url == begun
    counts = sorted([f"{begun} 4", f"{other} {len(DEV) - 4}"])
    said = f"2 addresses answered ({', '.join(counts)}), and the verdict is about their mixture"
    (warning,) = harness("gate2", "latest", "--json").json["warnings"]
    assert warning == said
    assert warning in " ".join(harness("runs", "show", "latest").out.split())
    assert warning in (only_run(here) / "report.html").read_text("utf-8")
    counted = harness("runs", "show", "latest", "--json").json["addresses"]
    assert counted == {begun: 4, other: len(DEV) - 4}


def test_an_address_with_a_slash_at_its_end_is_no_other(here: Path) -> None:
    write_project(here)
    with fault_server(lambda number, body: error(401) if number == 4 else right(number, body)) as server:
        assert ask(server, "--max-connections", "1").code == 4
        ended = harness("eval", "--resume", "latest", "--base-url", server.url + "/", **KEYS)
        assert ended.code == 0, ended.err
        counted = harness("runs", "show", "latest", "--json").json["addresses"]
        assert counted == {server.url: len(DEV)}


def test_names_of_models_are_bounded_in_the_manifest(here: Path) -> None:
    write_project(here)
    with fault_server(lambda number, body: graded(1, model=f"{number}" + "m" * 100_000)) as server:
        assert ask(server).code == 0
    names = load_run(only_run(here)).manifest.model_answered
    assert len(names) == len(DEV) and {len(name) for name in names} == {200}


def test_run_at_one_address_names_none(here: Path) -> None:
    write_project(here)
    with fault_server(right) as server:
        ask(server)
        counted = harness("runs", "show", "latest", "--json").json["addresses"]
        assert counted == {server.url: len(DEV)}
    lines = (only_run(here) / "records.jsonl").read_text("utf-8").splitlines()
    assert not any("address" in json.loads(line) for line in lines)
    assert harness("gate2", "latest", "--json").json["warnings"] == []


def test_reply_from_the_cache_keeps_the_address_that_gave_it(here: Path) -> None:
    """What another run was answered at the second address is found there, and is said to come from there."""
    write_project(here)
    with fault_server(stopped_after(4)) as one, fault_server(right) as other:
        assert ask(one, "--max-connections", "1").code == 4
        assert ask(other).code == 0
        (name,) = [
            path.name for path in (here / "runs").glob("[!.]*") if not (path / "verdict.json").exists()
        ]
        sent = len(other.requests)
        assert harness("eval", "--resume", name, "--base-url", other.url, **KEYS).code == 0
        assert len(other.requests) == sent == len(DEV)
    records = list(load_run(here / "runs" / name).each_record())
    assert [(record.address, record.cached_reply) for record in records[:5]] == [(None, False)] * 4 + [
        (other.url, True)
    ]


def test_question_without_an_answer_names_no_address(here: Path) -> None:
    write_project(here)
    with fault_server(stopped_after(4)) as one:
        ask(one, "--max-connections", "1")
    with fault_server(lambda number, body: error(400) if number == 1 else right(number, body)) as other:
        harness("eval", "--resume", "latest", "--base-url", other.url, "--max-connections", "1", **KEYS)
    sixth = list(load_run(only_run(here)).each_record())[5]
    assert (sixth.outcome.kind, sixth.address) == ("failed", None)
