"""Streams and the digest of what is too long to be held."""

import json
from pathlib import Path

import pytest
from builders import examples, write_golden, write_project
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.errors import BadInput
from harness.grading import plan as plans
from harness.grading.new_run import new_manifest, run_contents
from harness.grading.plan import make_plan
from harness.runs.manifest import Asked
from harness.runs.new_folder import create_run
from harness.runs.pairs import read_pairs
from harness.storage import digest as digests
from harness.storage.digest import canonical_json, digest, keyed_digest
from harness.storage.stream import Stream
from harness.storage.tables import Layout


def test_stream_is_read_anew_by_every_loop() -> None:
    times: list[int] = []
    stream = Stream(lambda: iter([times.append(1) or 7]), 1)  # type: ignore[func-returns-value]
    assert (list(stream), list(stream), len(stream), len(times)) == ([7], [7], 1, 2)
    assert not Stream()


@pytest.mark.parametrize("held", [1, 3, 100])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.dictionaries(st.text(st.characters()), st.text(st.characters()), max_size=12))
def test_digest_of_a_stream_is_that_of_the_whole(
    monkeypatch: pytest.MonkeyPatch, held: int, values: dict[str, str]
) -> None:
    monkeypatch.setattr(digests, "HELD", held)
    assert keyed_digest((key, canonical_json(text)) for key, text in values.items()) == digest(values)


ASKED = Asked(model="builtin/majority", policy="small", prompt="teacher", splits=("dev",))


@pytest.mark.parametrize("beyond", [-1, 0, 1])
def test_plan_grades_the_same_whether_its_examples_are_held_or_read_again(
    here: Path, monkeypatch: pytest.MonkeyPatch, beyond: int
) -> None:
    project = write_project(here)
    plan = make_plan(project, ASKED)
    whole = list(plan.examples)
    monkeypatch.setattr(plans, "HELD", len(whole) - beyond)
    again = make_plan(project, ASKED).examples
    assert list(again) == list(again) == whole
    assert plan.size == len(again) == len(whole) > 1
    write_golden(here, examples(queries=1))
    assert (list(again) == whole) == (beyond <= 0)


@pytest.mark.parametrize("held", [0, plans.HELD])
def test_golden_set_that_changes_while_a_run_is_planned_makes_no_run(
    here: Path, monkeypatch: pytest.MonkeyPatch, held: int
) -> None:
    monkeypatch.setattr(plans, "HELD", held)
    project = write_project(here)
    plan = make_plan(project, ASKED)
    write_golden(here, examples(queries=9))
    with pytest.raises(BadInput, match="changed while the run was planned"):
        create_run(project.runs, new_manifest(project, plan), run_contents(plan))
    assert not list(project.runs.iterdir())


def test_pairs_of_a_table_are_kept_while_they_are_needed(here: Path) -> None:
    path = here / "pairs.jsonl"
    row = {"item": "a", "query": "lamp", "title": "Red lamp"}
    path.write_text(json.dumps(row) + "\n", encoding="utf-8")
    pairs = read_pairs(path, Layout())
    path.unlink()
    assert [one.id for one in pairs] == [one.id for one in pairs] == ["a"]
