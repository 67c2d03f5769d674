"""A round's folder, its answers and its links."""

import json
import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rounds import add_round, grade, small_round

from harness.errors import BadInput, Unfinished
from harness.golden.rating.answers import Answer, AnswerLog, check_answers
from harness.golden.rating.links import invite, linked, rater_of, revoke
from harness.golden.rating.rounds import (
    ANSWERS,
    ASSIGNMENTS,
    LINKS,
    POLICY,
    open_round,
    policy_change,
    rounds_of,
)
from harness.storage.project import Project
from harness.storage.regular import LARGEST


def test_the_latest_round_is_opened(tmp_path: Path) -> None:
    small_round(tmp_path, name="r9")
    project = Project(tmp_path)
    last = add_round(project, name="r10")
    assert rounds_of(project, "small") == ["r9", "r10"]
    assert open_round(project, "small") == last
    assert open_round(project, "small@v1", "r9").round.name == "r9"
    with pytest.raises(BadInput, match=r"no round 'r8'.*r9, r10"):
        open_round(project, "small", "r8")


def test_a_project_without_rounds_says_how_to_plan_one(tmp_path: Path) -> None:
    from builders import write_project

    with pytest.raises(BadInput, match="harness rate plan --policy small"):
        open_round(write_project(tmp_path), "small")


def test_a_changed_policy_is_said(tmp_path: Path) -> None:
    opened = small_round(tmp_path)
    project = Project(tmp_path)
    assert opened.policy_changed == ""
    path = tmp_path / "policies/small/v1.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("Said.", "Said otherwise."), encoding="utf-8")
    assert "was changed after round r1 was planned" in open_round(project, "small").policy_changed
    assert policy_change(project, opened.round) == open_round(project, "small").policy_changed
    path.unlink()
    assert "is gone" in open_round(project, "small").policy_changed


def test_damaged_folders_are_named_with_all_faults(tmp_path: Path) -> None:
    opened = small_round(tmp_path)
    policy, assigned = opened.folder / POLICY, opened.folder / ASSIGNMENTS
    policy.write_text(policy.read_text(encoding="utf-8").replace("Said.", "Otherwise."), encoding="utf-8")
    lines = assigned.read_text(encoding="utf-8").splitlines()
    assigned.write_text("\n".join([*lines, lines[-1].replace("bob", "eve")]), encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        open_round(Project(tmp_path), "small")
    assert "is not the policy that round.json was planned with" in str(caught.value)
    assert "'eve' is not a rater of the round" in str(caught.value)


def test_places_with_a_gap_are_refused(tmp_path: Path) -> None:
    """An answer is stored at a place: with a gap, a page would show one pair and store another's grade."""
    assigned = small_round(tmp_path).folder / ASSIGNMENTS
    lines = [json.loads(line) for line in assigned.read_text(encoding="utf-8").splitlines()]
    moved = [{**line, "place": line["place"] + (line["place"] > 0)} for line in lines]
    assigned.write_text("".join(json.dumps(line) + "\n" for line in moved), encoding="utf-8")
    with pytest.raises(BadInput, match="places do not count 0, 1, 2"):
        open_round(Project(tmp_path), "small")


def test_a_link_in_a_rounds_folder_is_refused(tmp_path: Path) -> None:
    opened = small_round(tmp_path)
    (opened.folder / "answers.sqlite3").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BadInput, match="is a link"):
        open_round(Project(tmp_path), "small")


def test_what_was_said_last_counts_and_undo_takes_it_back(tmp_path: Path) -> None:
    with AnswerLog(tmp_path / ANSWERS) as log:
        assert log.add("ann", [grade(0, 1), grade(1, 2)]).keys() == {0, 1}
        assert log.add("ann", [grade(0, 2, "event-again")])[0].grade == 2
        undo = Answer(event="event-undo", place=0, kind="undo")
        assert log.add("ann", [undo])[0].grade == 1
        assert log.add("ann", [undo])[0].grade == 1, "the same event again changes nothing"
        assert log.add("ann", [Answer(event="event-undo2", place=0, kind="undo")]) == {}
        assert log.current("ann").keys() == {1}
        assert log.current("bob") == {}
        assert len(list(log.all())) == 5


def test_an_answer_sent_twice_is_stored_once_and_outlives_the_log(tmp_path: Path) -> None:
    with AnswerLog(tmp_path / ANSWERS) as log:
        log.add("ann", [grade(0)])
    with AnswerLog(tmp_path / ANSWERS) as log:
        log.add("ann", [grade(0)])
        log.add("bob", [grade(0)])
        assert [rater for rater, _ in log.all()] == ["ann", "bob"]


def test_an_id_that_is_stored_takes_no_other_answer(tmp_path: Path) -> None:
    """To call it saved would lose it; what came with it is not stored either, and can be sent again."""
    with AnswerLog(tmp_path / ANSWERS) as log:
        log.add("ann", [grade(0, 1, "event-one")])
        with pytest.raises(BadInput, match="place 0: its id is stored with another answer"):
            log.add("ann", [grade(1, 2, "event-two"), grade(0, 2, "event-one")])
        assert {place: one.grade for place, one in log.current("ann").items()} == {0: 1}


def test_an_answer_that_comes_late_again_does_not_count_as_the_last(tmp_path: Path) -> None:
    """A tab that was offline sends what it kept, after another tab has said something newer."""
    with AnswerLog(tmp_path / ANSWERS) as log:
        log.add("ann", [grade(0, 1, "event-old"), grade(0, 2, "event-new")])
        assert log.add("ann", [grade(0, 1, "event-old")])[0].grade == 2


def test_a_closed_set_takes_no_more_answers(tmp_path: Path) -> None:
    with AnswerLog(tmp_path / ANSWERS) as log, AnswerLog(tmp_path / ANSWERS) as other:
        log.add("ann", [grade(0)])
        assert log.close_set("ann", "now") == "now"
        assert log.close_set("ann", "later") == "now"
        with pytest.raises(BadInput, match="your set is closed"):
            other.add("ann", [grade(1)])
        assert other.add("bob", [grade(1)])[1].grade == 1
        assert other.current("ann").keys() == {0}


def test_the_log_syncs_each_commit(tmp_path: Path) -> None:
    with AnswerLog(tmp_path / ANSWERS) as log:
        read = log._connection.execute
        assert read("PRAGMA journal_mode").fetchall() == [("wal",)]
        assert read("PRAGMA synchronous").fetchall() == [(2,)], "2 is FULL"
        assert read("PRAGMA trusted_schema").fetchall() == [(0,)]


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("CREATE VIEW answers AS SELECT 1", "view answers"),
        ("CREATE TABLE answers (number)", "table answers"),
        ("CREATE TABLE other (x)", "table other"),
    ],
)
def test_another_schema_is_refused(tmp_path: Path, sql: str, named: str) -> None:
    with sqlite3.connect(tmp_path / ANSWERS) as made:
        made.execute("PRAGMA journal_mode = WAL")
        made.execute(sql)
    made.close()
    with pytest.raises(BadInput, match=rf"is not a file that this program wrote \({named}\)"):
        AnswerLog(tmp_path / ANSWERS)


def test_a_trigger_more_is_refused(tmp_path: Path) -> None:
    AnswerLog(tmp_path / ANSWERS).close()
    with sqlite3.connect(tmp_path / ANSWERS) as made:
        made.execute("CREATE TRIGGER t AFTER INSERT ON answers BEGIN DELETE FROM answers; END")
    made.close()
    with pytest.raises(BadInput, match="trigger t"):
        AnswerLog(tmp_path / ANSWERS)


def test_odd_files_and_values_are_refused(tmp_path: Path) -> None:
    path = tmp_path / ANSWERS
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(BadInput, match="cannot be read as a round's answers"):
        AnswerLog(path)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(BadInput, match="is a pipe"):
        AnswerLog(path)
    path.unlink()
    (tmp_path / f"{ANSWERS}-wal").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BadInput, match="is a link"):
        AnswerLog(path)


@pytest.mark.parametrize("body", ["zeroblob(3000000)", "'{}'", "x'ff'"])
def test_a_damaged_answer_is_named(tmp_path: Path, body: str) -> None:
    AnswerLog(tmp_path / ANSWERS).close()
    with sqlite3.connect(tmp_path / ANSWERS) as made:
        made.execute(f"INSERT INTO answers (rater, event, place, body) VALUES ('ann', 'e', 0, {body})")
    made.close()
    with AnswerLog(tmp_path / ANSWERS) as log, pytest.raises(BadInput, match=ANSWERS):
        log.current("ann")


def test_all_faults_of_answers_are_named_at_once(tmp_path: Path) -> None:
    opened = small_round(tmp_path)
    count = len(opened.assigned("ann"))
    wrong = [
        grade(count),
        grade(0, 9),
        Answer(event="event-3-x", place=0, kind="grade"),
        Answer(event="event-4-x", place=0, kind="cannot", grade=1),
        grade(0, 1, clauses=("none",)),
    ]
    with pytest.raises(BadInput) as caught:
        check_answers(opened, "ann", wrong)
    assert len(caught.value.faults) == 6
    fine = [grade(count - 1), Answer(event="event-5-x", place=0, kind="cannot", cannot="policy_silent")]
    check_answers(opened, "ann", [*fine, Answer(event="event-6-x", place=0, kind="later")])


@given(st.lists(st.tuples(st.sampled_from(["grade", "undo"]), st.integers(0, 3), st.integers(0, 2))))
def test_undo_is_a_stack(steps: list[tuple[str, int, int]]) -> None:
    import tempfile

    expected: dict[int, list[int]] = {}
    with tempfile.TemporaryDirectory() as folder, AnswerLog(Path(folder) / ANSWERS) as log:
        for number, (kind, place, value) in enumerate(steps):
            event = f"event-{number:04}"
            if kind == "grade":
                expected.setdefault(place, []).append(value)
                log.add("ann", [grade(place, value, event)])
            else:
                log.add("ann", [Answer(event=event, place=place, kind="undo")])
                expected.get(place, [0]) and expected.get(place, [0]).pop()
        counts = {place: said.grade for place, said in log.current("ann").items()}
    assert counts == {place: stack[-1] for place, stack in expected.items() if stack}


def test_links_are_unguessable_and_revocable(tmp_path: Path) -> None:
    folder = small_round(tmp_path).folder
    first, second, bobs = invite(folder, "ann"), invite(folder, "ann"), invite(folder, "bob")
    assert len({first, second, bobs}) == 3
    assert min(map(len, (first, second, bobs))) >= 43
    assert [rater_of(folder, token) for token in (first, second, bobs)] == ["ann", "ann", "bob"]
    assert rater_of(folder, first[:-1]) is None
    assert rater_of(folder, "") is None
    kept = (folder / LINKS).read_text(encoding="utf-8")
    assert first not in kept
    assert all(rater_of(folder, json.loads(line)["token"]) is None for line in kept.splitlines())
    assert linked(folder) == {"ann": 2, "bob": 1}
    assert revoke(folder, "ann") == 2
    assert revoke(folder, "ann") == 0
    assert [rater_of(folder, token) for token in (first, second, bobs)] == [None, None, "bob"]
    with pytest.raises(BadInput, match=r"'eve' is not a rater of the round \(there are: ann, bob\)"):
        invite(folder, "eve")


def test_reasons_are_asked_for_at_the_given_share_and_the_same_each_time(tmp_path: Path) -> None:
    opened = small_round(tmp_path)
    asked = [opened.asks_reason("ann", place) for place in range(10_000)]
    assert 900 < sum(asked) < 1100
    assert asked[:50] == [opened.asks_reason("ann", place) for place in range(50)]
    assert asked != [opened.asks_reason("bob", place) for place in range(10_000)]


def test_threads_and_processes_write_at_once_and_nothing_is_lost(tmp_path: Path) -> None:
    """Threads of one server share a log; another server has its own."""
    with AnswerLog(tmp_path / ANSWERS) as log, AnswerLog(tmp_path / ANSWERS) as other:

        def rate(at: int) -> None:
            for number in range(20):
                own = other if at % 2 else log
                assert (
                    own.add(f"rater {at // 2}", [grade(number, 1, f"event-{at}-{number}")])[number].grade == 1
                )

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(rate, range(8)))
        assert len({(rater, answer.event) for rater, answer in log.all()}) == 160
        assert [len(log.current(f"rater {at}")) for at in range(4)] == [20] * 4


def test_a_full_file_refuses_answers_and_keeps_those_it_has(tmp_path: Path) -> None:
    with AnswerLog(tmp_path / ANSWERS) as log:
        (most,) = log._connection.execute("PRAGMA max_page_count").fetchone()
        (page,) = log._connection.execute("PRAGMA page_size").fetchone()
        assert most * page == LARGEST
        log.add("ann", [grade(0)])
        log._connection.execute("PRAGMA max_page_count = 1")
        with pytest.raises(Unfinished, match="the answers were not stored"):
            for number in range(1, 200):
                log.add("ann", [grade(number, reasoning="long " * 500)])
        assert 0 in log.current("ann")
        assert number not in log.current("ann")


def test_a_round_of_a_later_format_is_refused(tmp_path: Path) -> None:
    opened = small_round(tmp_path)
    path = opened.folder / "round.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 2}), encoding="utf-8")
    with pytest.raises(BadInput, match="has format 2, and this version reads up to 1"):
        open_round(Project(tmp_path), "small")
