"""Whose fault it is: a browser is told of its own, and of the server's only that it should try again."""

import json
import os
import signal
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from rounds import grade, small_round
from served_round import OWN, Served, said
from test_rate_serve import asked, serving

from harness.golden.rating.answers import MOST, AnswerLog, Refused
from harness.golden.rating.links import invite
from harness.golden.rating.ratings import RATINGS
from harness.golden.rating.rounds import ANSWERS, LINKS, SEALED
from harness.storage.project import Project
from harness.web.rating.faults import LATER


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(Project(tmp_path), small_round(tmp_path))
    yield made
    made.desk.close()


def cut_short(name: str) -> Callable[[Served], None]:
    """A file whose last line names bob, a golden id and a grade, and is cut off."""

    def damage(served: Served) -> None:
        folder = served.opened.folder
        path = folder.parent.parent / name if name == RATINGS else folder / name
        with path.open("a", encoding="utf-8") as file:
            file.write('{"item": "q1-0", "rater": "bob", "grade": 2')

    return damage


def full_of_noise(served: Served) -> None:
    served.desk._log._connection.execute('UPDATE answers SET body = \'{"bob": "q1-0"\'')


def no_table(served: Served) -> None:
    served.desk._log._connection.execute("DROP TABLE answers")


def a_folder(served: Served) -> None:
    """What cannot be opened, as without a file descriptor left."""
    (served.opened.folder / LINKS).unlink()
    (served.opened.folder / LINKS).mkdir()


def ask(served: Served, what: str, **headers: str) -> Any:
    link = served.links["ann"]
    if what == "answers":
        return served.client.post(f"{link}/answers", json=[said(1, 2)], headers={**OWN, **headers})
    if what == "seal":
        return served.client.post(f"{link}/seal", json={}, headers={**OWN, **headers})
    return served.client.get(f"{link}/{what}", headers=headers)


@pytest.mark.parametrize(
    ("damage", "asked_for"),
    [
        (cut_short(LINKS), ("", "state.json", "answers", "seal")),
        (a_folder, ("", "state.json", "answers", "seal")),
        (cut_short(SEALED), ("state.json", "answers", "seal")),
        (full_of_noise, ("state.json", "seal")),
        (no_table, ("state.json", "answers", "seal")),
        (cut_short(RATINGS), ("seal",)),
    ],
)
def test_a_fault_of_the_server_is_no_fault_of_the_answers_and_says_nothing(
    served: Served,
    damage: Callable[[Served], None],
    asked_for: tuple[str, ...],
    caplog: pytest.LogCaptureFixture,
) -> None:
    served.post([said(0)])
    damage(served)
    for what in asked_for:
        for headers in ({}, {"accept": "text/html"}):
            answer = ask(served, what, **headers)
            assert answer.status_code == 503, what
            assert LATER in answer.text
            for hidden in (
                "bob",
                "q1-0",
                "grade",
                str(served.opened.folder.parent),
                "jsonl",
                "sqlite",
                "Error",
            ):
                assert hidden not in answer.text.replace("rate-grade", ""), (what, hidden)
    # The one who runs the server is told what and where, and once.
    told = [one.getMessage() for one in caplog.records if one.name == "harness.rating"]
    assert told and len(set(told)) == len(told)
    assert any(str(served.opened.folder.parent.parent) in one for one in told)


def test_a_stranger_is_told_nothing_either(served: Served) -> None:
    cut_short(LINKS)(served)
    answer = served.client.post("/rate/x/answers", json=[], headers=OWN)
    assert (answer.status_code, answer.json()["error"]) == (503, LATER)


def test_a_locked_file_is_not_stored_and_can_be_sent_again(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    served.desk._log._connection.execute("PRAGMA busy_timeout = 50")
    other = sqlite3.connect(served.opened.folder / ANSWERS, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert ask(served, "answers").status_code == 503
    other.execute("ROLLBACK")
    other.close()
    assert ask(served, "answers").json()["confirmed"] == ["event-1-2"]


def test_what_the_rater_did_wrong_is_said_in_words(served: Served) -> None:
    wrong = served.post([said(0, 7)])
    assert wrong.status_code == 400
    assert "7 is not on the scale" in wrong.json()["error"]
    nothing = served.post({}, to="seal")
    assert (nothing.status_code, nothing.json()["error"]) == (
        400,
        "you have answered nothing yet: there is nothing to close",
    )


def test_a_set_that_is_closed_half_way_refuses_in_words(served: Served) -> None:
    """Closing ended between the log and the files: the log alone knows it."""
    served.post([said(0)])
    cut_short(RATINGS)(served)
    assert ask(served, "seal").status_code == 503
    refused = served.post([said(1)])
    assert (refused.status_code, "your set is closed" in refused.json()["error"]) == (400, True)


@pytest.mark.parametrize("half", ["\ud83d", "\udc00 a", "a\ud800b"])
def test_half_a_character_is_refused_and_not_stored(served: Served, half: str) -> None:
    for body in ([said(0, reasoning=half)], [said(0) | {half: 1}], [said(0, clauses=[half])], half):
        for headers in (OWN, OWN | {"accept": "text/html"}):
            sent = {**headers, "content-type": "application/json"}
            link = served.links["ann"]
            answer = served.client.post(f"{link}/answers", content=json.dumps(body), headers=sent)
            assert answer.status_code == 400
            assert "half a character" in answer.text
    assert served.stored() == {}
    assert served.post([said(0, reasoning="whole \U0001f600")]).status_code == 200


# --- how much one place takes -------------------------------------------------------------------------------


def test_a_place_takes_so_many_answers_and_says_so(served: Served) -> None:
    for number in range(MOST):
        assert served.post([said(0, number % 3, event=f"event-{number:05d}")]).status_code == 200
    more = served.post([said(0, 1, event="event-more1"), said(1, 1)])
    assert more.status_code == 400
    assert f"place 0: {MOST} answers were given here, and it takes no more" in more.json()["error"]
    assert served.desk._log.current("ann")[0].grade == (MOST - 1) % 3
    # Sent again, since the confirmation was lost: none is new.
    assert served.post([said(0, 0, event="event-00000")]).status_code == 200
    assert served.post([said(1, 1)]).status_code == 200
    assert served.post([said(0, 1, event="event-more1")], rater="bob").status_code == 200


def test_the_log_itself_counts_undone_answers_too(tmp_path: Path) -> None:
    with AnswerLog(tmp_path / ANSWERS) as log:
        pairs = [(grade(0, 1, f"event-g{n:04d}"), grade(0, 1, f"event-u{n:04d}")) for n in range(MOST // 2)]
        undone = [one.model_copy(update={"kind": "undo", "grade": None}) for _, one in pairs]
        log.add("ann", [one for pair in zip([g for g, _ in pairs], undone, strict=True) for one in pair])
        with pytest.raises(Refused):
            log.add("ann", [grade(0, 1, "event-last1")])
        assert log.current("ann") == {}


# --- the command --------------------------------------------------------------------------------------------


def test_the_terminal_has_what_the_browser_does_not(tmp_path: Path) -> None:
    opened = small_round(tmp_path)
    link = f"/rate/{invite(opened.folder, 'ann')}"
    with serving(tmp_path, "--port", "0") as (process, address):
        path = opened.folder / LINKS
        sound = path.read_text(encoding="utf-8")
        path.write_text(sound + '{"rater": "bob\x1b[2J', encoding="utf-8")
        for _ in range(3):
            status, told = asked(f"{address}{link}", "/answers", [said(0)])
            assert (status, told["error"]) == (503, LATER)
        path.write_text(sound, encoding="utf-8")
        assert asked(f"{address}{link}", "/answers", [said(0)])[0] == 200
        os.kill(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=10)
    assert f"{path}, line 2" in err
    assert (err.count(str(path)), "\x1b" in err, "Traceback" in err) == (1, False, False)
