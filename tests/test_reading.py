"""One pass over a run: what of its answers is kept, counted, and asked for again; and canaries by hand."""

from dataclasses import replace
from pathlib import Path

import pytest
from builders import example, harness, policy, reply, write_project
from comparing import run_with

from harness.golden.canaries import PLAIN, STEERED, canary_tags, product_id
from harness.nouns.policy import UNDECIDED, Gates
from harness.nouns.records import Failed, Grade, Ungraded
from harness.score import reading
from harness.score.canaries import canary_report
from harness.score.items import GradedItem, ItemAnswer, about_of
from harness.score.reading import NEVER, RAW_SHOWN, Unread, read_run, reading_of
from harness.score.settings import settings_of
from harness.score.threshold import Threshold
from harness.storage.files import to_line
from harness.storage.project import Project

UNREAD = Ungraded(cause="bad_json", detail="no object")
GRADE = Grade(value=1, reasoning="", clauses=())


def test_models_and_addresses_are_counted_by_the_answers_that_count(here: Path) -> None:
    """An answer without an address is of the run's own; one without a reply is of nobody."""
    run = run_with(
        here,
        {"reply": reply("x", model="a"), "address": "http://other"},
        {"reply": reply("x", model="a")},
        {"reply": reply("x", model="b")},
        {"outcome": Failed(detail="refused"), "reply": None},
    )
    found = read_run(run)
    assert (dict(found.models), dict(found.addresses)) == ({"a": 2, "b": 1}, {"http://other": 1, "": 2})
    assert found.answered == 4
    assert found.mixed == (
        "2 models answered (a 2, b 1)",
        "2 addresses answered (http://other 1, the provider's own 2)",
    )
    asked = run.manifest.asked.model_copy(update={"base_url": "http://mine"})
    there = read_run(replace(run, manifest=run.manifest.model_copy(update={"asked": asked})))
    assert dict(there.addresses) == {"http://other": 1, "http://mine": 2}


def test_seconds_are_those_of_answers_that_were_asked_for(here: Path) -> None:
    """The mean and the median of what was waited for; not of replies that an earlier run had."""
    run = run_with(here, {"seconds": 1.0}, {"seconds": 2.0}, {"seconds": 9.0, "cached_reply": True})
    found = read_run(run)
    assert (found.seconds, found.usual_seconds, found.asked_again) == (1.5, 1.5, 0)
    cached = read_run(run_with(here / "other", {"cached_reply": True}))
    assert (cached.seconds, cached.usual_seconds) == (None, None)


def test_replayed_grades_have_no_seconds(here: Path) -> None:
    """What it took to read a file says nothing of whoever graded it."""
    run = run_with(here, {"seconds": 0.001})
    digests = run.manifest.digests.model_copy(update={"replayed": "sha256:0"})
    found = read_run(replace(run, manifest=run.manifest.model_copy(update={"digests": digests})))
    assert (found.seconds, found.usual_seconds) == (None, None)


def test_first_answers_without_a_grade_are_kept_with_the_beginning_of_their_reply(here: Path) -> None:
    long = "x" * (RAW_SHOWN + 7)
    run = run_with(
        here,
        {"outcome": UNREAD, "reply": reply(long)},
        {"outcome": UNREAD, "reply": None},
        {"outcome": Failed(detail="timeout"), "reply": None},
        {"unread": reply("first try")},
    )
    found = read_run(run)
    first, second, third, *_ = (one.item for one in found.items)
    assert found.unread == {
        first: Unread("bad_json", "no object", long[:RAW_SHOWN]),
        second: Unread("bad_json", "no object"),
        third: Unread("failed", "timeout"),
    }
    assert found.asked_again == 1
    assert Unread("failed", "never asked") == NEVER
    with (run.folder / "records.jsonl").open("a", encoding="utf-8") as records:
        records.write(to_line(run.records[first, 0].model_copy(update={"outcome": GRADE})))
    assert set(read_run(run).unread) == {second, third}, "the last record of an answer counts"


def test_items_have_an_answer_for_each_repeat_in_the_order_of_the_examples(here: Path) -> None:
    run = run_with(here, {}, {"outcome": UNREAD})
    found = read_run(run)
    assert [one.item for one in found.items] == [one.id for one in run.examples]
    assert found.pairs == tuple(one.pair.digest for one in run.examples)
    assert [one.answers[0].outcome for one in found.items[:3]] == ["graded", "ungraded", "failed"]
    assert list(found.each_example()) == list(run.examples) == list(found.kept)
    asked = run.manifest.asked.model_copy(update={"repeats": 2})
    twice = read_run(replace(run, manifest=run.manifest.model_copy(update={"asked": asked})))
    assert [one.outcome for one in twice.items[0].answers] == ["graded", "failed"]


def test_of_unread_answers_beyond_so_many_the_reply_is_not_kept(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many as a page can show; the cause is kept of all."""
    monkeypatch.setattr(reading, "RAW_KEPT", 2)
    found = read_run(run_with(here, *({"outcome": UNREAD, "reply": reply("raw")} for _ in range(3))))
    assert [one.raw for one in found.unread.values()] == ["raw", "raw", ""]
    assert {one.cause for one in found.unread.values()} == {"bad_json"}


def test_a_run_is_read_by_its_name_with_what_its_items_say(here: Path) -> None:
    write_project(here)
    assert harness("eval", "--policy", "small", "--model", "builtin/majority").code == 0
    (folder,) = (here / "runs").glob("[!.]*")
    found = reading_of(Project(here), folder.name)
    assert found.run.folder == folder
    assert [one.about for one in found.items] == [about_of(one) for one in found.each_example()]
    assert all(one.about and one.about.query for one in found.items)


def test_settings_have_the_actions_that_a_policy_decided_on() -> None:
    decided = policy()
    guessed = tuple(one.model_copy(update={"shown": ""}) for one in decided.actions)
    open_ = decided.model_copy(update={"actions": guessed})
    bare, known, unknown = (
        settings_of(one, (0, 1, 2), Gates(), Threshold("none", 0.8)) for one in (None, decided, open_)
    )
    assert (bare.action_of, bare.clause_ids, bare.undecided) == (None, None, None)
    assert (known.action_of, known.undecided) == (decided.action_of, None)
    assert (unknown.action_of, unknown.undecided) == (None, f"{decided.label} {UNDECIDED}")


def test_only_first_answers_are_shown_as_unread(here: Path) -> None:
    run = run_with(here, {}, {"outcome": UNREAD, "repeat": 1})
    asked = run.manifest.asked.model_copy(update={"repeats": 2})
    assert not read_run(replace(run, manifest=run.manifest.model_copy(update={"asked": asked}))).unread


def canary(name: str, plain: int | None, steered: int | None, golden: int = 1) -> list[GradedItem]:
    """A canary's two products with their grades."""
    return [
        GradedItem(
            product_id(name, side),
            name,
            golden,
            (ItemAnswer(grade, "ungraded" if grade is None else "graded"),),
            about_of(example(product_id(name, side), tags=canary_tags("order"))),
        )
        for side, grade in ((PLAIN, plain), (STEERED, steered))
    ]


def test_canaries_move_by_the_steered_grade_less_the_plain_one() -> None:
    items = [
        *canary("a", 0, 2), *canary("b", 1, 0), *canary("c", 1, 1), *canary("d", None, 2),
        *canary("e", 2, None), *canary("f", 0, 1, golden=0)[:1],
    ]  # fmt: skip
    found = canary_report(items)
    assert (found.canaries, found.compared, found.moved, found.up, found.down) == (6, 3, 2, 1, 1)
    assert found.mean_move == pytest.approx((2 - 1 + 0) / 3)
    assert [(one.id, one.trick, one.golden, one.plain, one.steered) for one in found.moves] == [
        ("a", "order", 1, 0, 2),
        ("b", "order", 1, 1, 0),
        ("c", "order", 1, 1, 1),
        ("d", "order", 1, None, 2),
        ("e", "order", 1, 2, None),
        ("f", "order", 0, 0, None),
    ]
    nothing = canary_report(canary("a", None, 1))
    assert (nothing.canaries, nothing.compared, nothing.mean_move) == (1, 0, None)
