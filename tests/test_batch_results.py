"""Results of batches with odd lines: each costs its own question alone, and nothing is paid twice unsaid."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from batched import Killed, Session, begin, made, paid, session
from builders import harness, write_project
from fault_server import Turn, completion, error, fault_server, graded
from oracle import DEV, KEY, KEYS, ask, right
from pydantic import BaseModel

from harness.demo.batch_lines import Fate, Made
from harness.demo.wire import Tokens
from harness.errors import FatalError, Unfinished
from harness.grading.batch import session as turns
from harness.grading.job import Limits
from harness.nouns.records import Failed, Record, Reply
from harness.providers.batches import UnreadError
from harness.providers.batches import _read as read_line
from harness.runs.batch_log import BATCHES
from harness.runs.call_log import CALLS, Call, unanswered_calls
from harness.runs.record_log import RECORDS, iter_records

pytestmark = pytest.mark.usefixtures("no_waiting")

ALL = len(DEV)
each = pytest.mark.parametrize("provider", ["openai", "anthropic"])
RETRY = Limits(cache=False, only_failed=True)
Spoil = Callable[[list[str]], list[str]]


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in KEYS:
        monkeypatch.setenv(variable, KEY)


@pytest.fixture
def small(here: Path) -> Path:
    """The small project."""
    write_project(here)
    return here


def third(change: Callable[[str], str]) -> Spoil:
    """The third line changed, the others as they are."""
    return lambda lines: [*lines[:2], change(lines[2]), *lines[3:]]


def changed(**parts: Any) -> Callable[[str], str]:
    """A line with some of its parts replaced; None takes one out."""
    return lambda line: json.dumps({k: v for k, v in {**json.loads(line), **parts}.items() if v is not None})


def errored(error: Any) -> Callable[[str], str]:
    """A line of an error, in the form of the API whose line it is."""

    def change(line: str) -> str:
        data = json.loads(line)
        if "result" in data:
            return json.dumps({**data, "result": {"type": "errored", "error": error}})
        return json.dumps({**data, "response": {"status_code": 400, "body": error}})

    return change


def failures(at: Session) -> dict[str, str]:
    """Why questions failed, by example."""
    return {r.example: r.outcome.detail for r in at.records.values() if isinstance(r.outcome, Failed)}


def steps(at: Session) -> list[str]:
    """The steps of its batches."""
    return [json.loads(line)["step"] for line in (at.folder / BATCHES).read_text().splitlines()]


# --- one odd line -----------------------------------------------------------------------------------

FAULTS = {
    "an integer as the code": (errored({"error": {"code": 1301, "message": "busy"}}), "code 1301"),
    "an error that is a sentence": (errored({"detail": "out of memory"}), "out of memory"),
    "an error of nothing": (errored({"error": None}), "): it gives no reason"),
    "an error that is a list": (errored([{"msg": "too long", "loc": ["body", 0]}]), "too long"),
    "an answer that is none": (
        lambda line: changed(
            **({"result": {"type": "succeeded", "message": 7}} if '"result"' in line else {}),
            **({"response": {"status_code": 200, "body": 7}} if '"response"' in line else {}),
        )(line),
        "the server's answer is not",
    ),
}
"""Lines that say what came of the question: a resume asks again, as it does of a live failure."""

UNREAD: dict[str, Callable[[str], str]] = {
    "cut in the middle": lambda line: line[: len(line) // 2],
    "cut before its id ends": lambda line: line[: line.index('"custom_id": "') + 20],
    "garbage": lambda line: "upstream connect error",
    "bytes that are no text": lambda line: "\udcff\udcfe\udc80",
    "no id": changed(custom_id=None),
    "an id that is a number": changed(custom_id=3),
    "an id that nobody asked for": changed(custom_id="nobody-3"),
    "two ids": lambda line: line.replace('"custom_id"', '"custom_id": "nobody-3", "custom_id"', 1),
    "neither answer nor error": changed(response=7, result=7),
    "a list": lambda line: f"[{line}]",
}
"""Lines that do not say what came of it, so that it may be paid for."""


@pytest.mark.crossed
@each
@pytest.mark.parametrize("case", FAULTS)
def test_odd_error_is_one_failed_question_with_its_line(small: Path, provider: str, case: str) -> None:
    change, words = FAULTS[case]
    with fault_server(right, [Fate(spoil=third(change))]) as server:
        at = session(small, server.url, f"{provider}/m")
        (detail,) = failures(at).values()
        assert "line 3: " in detail
        assert words in detail
        assert (at.outcomes()["grade"], len(at.waits), steps(at)[-1]) == (ALL - 1, 1, "over")
        again = session(small, server.url, f"{provider}/m", at)
    assert (again.outcomes()["grade"], len(paid(server))) == (ALL, ALL + 1)


@pytest.mark.crossed
@each
@pytest.mark.parametrize("case", UNREAD)
def test_line_that_cannot_be_read_is_one_failed_question_and_paid_again_on_demand_alone(
    small: Path, provider: str, case: str
) -> None:
    with fault_server(right, [Fate(spoil=third(UNREAD[case]))]) as server:
        at = session(small, server.url, f"{provider}/m")
        ((name, detail),) = failures(at).items()
        assert "line 3: it cannot be read" in detail or case == "an id that nobody asked for"
        # One wait for the batch, and one before each further reading of its results.
        assert (at.outcomes()["grade"], len(at.waits), steps(at)[-1]) == (ALL - 1, 3, "short")
        said = [line for line in at.said_ if "no readable answer to 1 of 11 questions" in line]
        assert len(said) == 1
        assert name in said[0]
        resumed = session(small, server.url, f"{provider}/m", at)
        assert (resumed.outcomes()["failed"], len(paid(server)), len(made(server))) == (1, ALL, 1)
        again = session(small, server.url, f"{provider}/m", at, RETRY)
        assert (again.outcomes()["grade"], len(paid(server))) == (ALL, ALL + 1)
        assert steps(at)[-1] == "over"
        session(small, server.url, f"{provider}/m", at)
    assert len(paid(server)) == ALL + 1


@each
def test_command_names_what_cannot_be_read_and_the_way_to_pay_for_it_again(
    small: Path, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "QUICKEST", 0.01)
    with fault_server(right, [Fate(spoil=third(lambda line: "?"))]) as server:
        ended = ask(server, "--batch", model=f"{provider}/m")
        assert ended.code == 4
        assert "no readable answer to 1 of 11 questions" in ended.err
        (said,) = [line for line in ended.err.splitlines() if "ask again with: " in line]
        words = said.partition("harness ")[2].split()
        assert words[-1] == "--retry-failed"
        again = harness(*words, "--json", **KEYS)
    assert (again.code, again.json["coverage"], len(paid(server))) == (0, 1.0, ALL + 1)


@each
def test_line_that_can_be_read_the_next_time_is_a_record_then(small: Path, provider: str) -> None:
    spoilt = True

    def spoil(lines: list[str]) -> list[str]:
        return third(lambda line: line[:40])(lines) if spoilt else lines

    with fault_server(right, [Fate(spoil=spoil)]) as server:
        at = session(small, server.url, f"{provider}/m")
        assert at.outcomes()["failed"] == 1
        spoilt = False
        again = session(small, server.url, f"{provider}/m", at)
    assert (again.outcomes()["grade"], len(paid(server)), steps(at)[-1]) == (ALL, ALL, "over")


@each
def test_second_answer_that_cannot_be_read_leaves_the_first_one(small: Path, provider: str) -> None:
    seen: list[int] = []

    def prose_once(number: int, body: dict[str, Any]) -> Turn:
        seen.append(number)
        return completion("A three.") if len(seen) == 2 else right(number, body)

    with fault_server(prose_once, [Fate(), Fate(spoil=lambda lines: ['{"custom'])]) as server:
        at = session(small, server.url, f"{provider}/m")
        session(small, server.url, f"{provider}/m", at)
    assert at.outcomes() == {"grade": ALL - 1, "ungraded": 1, "failed": 0}
    assert (made(server), steps(at)[-1]) == ([ALL - 1, 1], "over")


# --- too few lines ----------------------------------------------------------------------------------


@each
def test_fewer_lines_than_were_completed_are_said_and_not_paid_again(small: Path, provider: str) -> None:
    lost = True
    with fault_server(right, [Fate(spoil=lambda lines: lines[3:] if lost else lines)]) as server:
        at = session(small, server.url, f"{provider}/m")
        assert (at.outcomes()["failed"], steps(at)[-1]) == (3, "short")
        assert all("have no line for it" in detail for detail in failures(at).values())
        (said,) = [line for line in at.said_ if "no readable answer to 3 of 11 questions" in line]
        assert all(name in said for name in failures(at))
        resumed = session(small, server.url, f"{provider}/m", at)
        assert (resumed.outcomes()["failed"], len(paid(server))) == (3, ALL)
        # What was said once is not written again.
        assert len(list(iter_records(at.folder))) == ALL
        lost = False
        # A last look comes before they are paid again.
        again = session(small, server.url, f"{provider}/m", at, RETRY)
    assert (again.outcomes()["grade"], len(paid(server)), steps(at)[-1]) == (ALL, ALL, "over")


@each
def test_fewer_lines_than_an_expired_batch_had_answers(small: Path, provider: str) -> None:
    fate = Fate("expired", answered=5, silent=True, spoil=lambda lines: lines[1:])
    with fault_server(right, [fate]) as server:
        at = session(small, server.url, f"{provider}/m")
        assert (at.outcomes()["grade"], steps(at)[-1]) == (5, "short")
        again = session(small, server.url, f"{provider}/m", at, RETRY)
    assert (again.outcomes()["grade"], len(paid(server))) == (ALL, ALL + 1)


@each
def test_results_without_a_single_line_are_read_again_a_few_times_and_then_on_resume(
    small: Path, provider: str
) -> None:
    broken = True

    def spoil(lines: list[str]) -> list[str]:
        return ["<html>", "busy", "</html>"] if broken else lines

    with fault_server(right, [Fate(spoil=spoil)]) as server:
        at = session(small, server.url, f"{provider}/m")
        assert (at.outcomes()["failed"], len(at.waits), steps(at)[-1]) == (ALL - 1, 3, "short")
        assert (
            sum("not all of its results can be read; they are read again" in line for line in at.said_) == 2
        )
        broken = False
        again = session(small, server.url, f"{provider}/m", at)
    assert (again.outcomes()["grade"], len(paid(server))) == (ALL, ALL)


@each
def test_batch_of_which_no_line_is_its_own_is_not_paid_again(small: Path, provider: str) -> None:
    def spoil(lines: list[str]) -> list[str]:
        return [changed(custom_id=f"other-{at}")(line) for at, line in enumerate(lines)]

    with fault_server(right, [Fate(spoil=spoil)]) as server:
        at = session(small, server.url, f"{provider}/m")
        session(small, server.url, f"{provider}/m", at)
    assert (at.outcomes()["failed"], len(paid(server)), steps(at)[-1]) == (ALL - 1, ALL, "short")
    assert any("are left alone" in line and "other-" in line for line in at.said_)


@each
def test_killed_while_it_takes_in_too_few_lines_it_loses_and_pays_nothing(small: Path, provider: str) -> None:
    lost, count = True, 0

    def dies(record: Record) -> None:
        nonlocal count
        count += 1
        if count == 6:
            raise Killed

    with fault_server(right, [Fate(spoil=lambda lines: lines[3:] if lost else lines)]) as server:
        at = begin(small, server.url, f"{provider}/m")
        with pytest.raises(Killed):
            session(small, server.url, f"{provider}/m", at, hear=dies)
        resumed = session(small, server.url, f"{provider}/m", at)
        assert (resumed.outcomes()["failed"], steps(at)[-1]) == (3, "short")
        lost = False
        again = session(small, server.url, f"{provider}/m", at)
    assert (again.outcomes()["grade"], len(paid(server))) == (ALL, ALL)


@each
def test_a_clock_that_was_set_back_makes_no_negative_seconds(small: Path, provider: str) -> None:
    def dies(at: Session) -> None:
        raise Killed

    with fault_server(right, [Fate()]) as server:
        at = begin(small, server.url, f"{provider}/m")
        with pytest.raises(Killed):
            session(small, server.url, f"{provider}/m", at, nap=dies)
        path = at.folder / BATCHES
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        later = "2999-01-01T00:00:00+00:00"
        path.write_text("".join(json.dumps({**line, "at": later}) + "\n" for line in lines))
        resumed = session(small, server.url, f"{provider}/m", at)
    assert resumed.outcomes()["grade"] == ALL
    assert min(record.seconds for record in resumed.records.values()) == 0.0


# --- lines that contradict each other ---------------------------------------------------------------


def twice(change: Callable[[str], str]) -> Spoil:
    return lambda lines: [*lines, change(lines[2])]


@each
def test_two_answers_to_one_question_are_kept_and_neither_counts(small: Path, provider: str) -> None:
    other = twice(lambda line: line.replace("Because.", "For another reason."))
    with fault_server(right, [Fate(spoil=other)]) as server:
        at = session(small, server.url, f"{provider}/m")
        (detail,) = failures(at).values()
        resumed = session(small, server.url, f"{provider}/m", at)
    assert "line 3 and " in detail
    assert "line 12: 2 different answers" in detail
    (record,) = [one for one in at.records.values() if isinstance(one.outcome, Failed)]
    texts = [one.text for one in (record.reply, record.unread) if one]
    assert ["Because." in text for text in texts] == [True, False]
    assert (resumed.outcomes()["failed"], len(paid(server))) == (1, ALL)


@pytest.mark.crossed
@each
@pytest.mark.parametrize("first", [True, False])
def test_answer_and_an_error_for_one_question_contradict_each_other(
    small: Path, provider: str, first: bool
) -> None:
    error = errored({"error": {"code": 500, "message": "no"}})

    def spoil(lines: list[str]) -> list[str]:
        return [error(lines[2]), *lines] if first else [*lines, error(lines[2])]

    with fault_server(right, [Fate(spoil=spoil)]) as server:
        at = session(small, server.url, f"{provider}/m")
    (detail,) = failures(at).values()
    assert "2 different answers" in detail


@each
def test_answer_that_comes_twice_counts_once(small: Path, provider: str) -> None:
    with fault_server(right, [Fate(spoil=twice(lambda line: line))]) as server:
        at = session(small, server.url, f"{provider}/m")
    assert (at.outcomes()["grade"], len(at.told)) == (ALL, ALL)


BOTH: dict[str, tuple[str, Callable[[dict[str, Any]], dict[str, Any]]]] = {
    "a status of nothing": ("openai", lambda line: {"response": {**line["response"], "status_code": 0}}),
    "another status of success": (
        "openai",
        lambda line: {"response": {**line["response"], "status_code": 201}},
    ),
    "no status and no answer": ("openai", lambda line: {"response": {"status_code": 0, "body": {}}}),
    "errored with a message": ("anthropic", lambda line: {"result": {**line["result"], "type": "errored"}}),
    "succeeded with an error": (
        "anthropic",
        lambda line: {"result": {**line["result"], "error": {"message": "half"}}},
    ),
}


@pytest.mark.parametrize(("provider", "change"), BOTH.values(), ids=BOTH)
def test_line_that_contradicts_itself_may_be_paid_for(
    small: Path, provider: str, change: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    def spoil(line: str) -> str:
        data = json.loads(line)
        return json.dumps(data | change(data))

    with fault_server(right, [Fate(spoil=third(spoil))]) as server:
        at = session(small, server.url, f"{provider}/m")
    assert (at.outcomes()["failed"], steps(at)[-1]) == (1, "short")


def test_error_of_nulls_beside_an_answer_is_none(small: Path) -> None:
    nulls = changed(error={"code": None, "message": None})
    with fault_server(right, [Fate(spoil=lambda lines: [nulls(line) for line in lines])]) as server:
        assert session(small, server.url, "openai/m").outcomes()["grade"] == ALL


def test_line_that_holds_an_answer_and_an_error_says_so(small: Path) -> None:
    with fault_server(right, [Fate(spoil=third(changed(error={"message": "half"})))]) as server:
        at = session(small, server.url, "openai/m")
    (detail,) = failures(at).values()
    assert "output file, line 3: an answer and an error: half" in detail


# --- the checks of live answers -----------------------------------------------------------------------


def batches_get(turn: Turn) -> Callable[[int, dict[str, Any]], Turn]:
    """A right answer to the first question, asked live, and another turn for those that follow in a batch."""
    seen: list[int] = []

    def script(number: int, body: dict[str, Any]) -> Turn:
        seen.append(number)
        return right(number, body) if len(seen) == 1 or len(seen) > ALL else turn

    return script


@each
def test_prompts_that_were_cut_in_a_batch_stop_the_run(small: Path, provider: str) -> None:
    (small / "prompts/teacher/v1/system.j2").write_text("The policy. " * 40, encoding="utf-8")
    cut = graded(1, tokens=Tokens(new=20, cached=0, written=0))
    with fault_server(batches_get(cut)) as server:
        at = begin(small, server.url, f"{provider}/m")
        with pytest.raises(FatalError, match="the server read 20 tokens of a prompt whose constant prefix"):
            session(small, server.url, f"{provider}/m", at)
        records = list(iter_records(at.folder))
        failed = [record for record in records if isinstance(record.outcome, Failed)]
        assert (len(records), len(failed), steps(at)[-1]) == (ALL, ALL - 1, "over")
        # They are paid for, and kept; but they are no answers.
        assert all(record.reply and record.reply.usage for record in failed)
        again = session(small, server.url, f"{provider}/m", at)
    assert again.outcomes()["grade"] == ALL


@each
def test_one_answer_that_read_the_whole_prompt_clears_the_batch(small: Path, provider: str) -> None:
    """Some servers count only what was not in their cache."""
    (small / "prompts/teacher/v1/system.j2").write_text("The policy. " * 40, encoding="utf-8")
    seen: list[int] = []

    def script(number: int, body: dict[str, Any]) -> Turn:
        seen.append(number)
        return graded(1, tokens=Tokens(new=150 if len(seen) < 3 else 20, cached=0, written=0))

    with fault_server(script) as server:
        at = session(small, server.url, f"{provider}/m")
    assert at.outcomes()["grade"] == ALL


@each
def test_answers_of_a_batch_that_are_cut_off_in_a_row_stop_the_run(small: Path, provider: str) -> None:
    short = completion('{"reasoning": "it was', finish="length")
    with fault_server(batches_get(short)) as server:
        at = begin(small, server.url, f"{provider}/m")
        with pytest.raises(Unfinished, match=r"11 answers in a row were cut off .* --max-tokens"):
            session(small, server.url, f"{provider}/m", at)
        again = session(small, server.url, f"{provider}/m", at)
    # All are paid for, and kept.
    assert (again.outcomes(), len(paid(server))) == ({"grade": 1, "ungraded": ALL - 1, "failed": 0}, ALL)
    assert steps(at)[-1] == "over"


# --- odd words about batches ---------------------------------------------------------------------------


ODD_WORDS: dict[str, dict[str, Any]] = {
    "no counts": {"request_counts": None},
    "counts that are none": {"request_counts": {"total": "many", "completed": None}},
    "metadata of another kind": {"metadata": [1, 2]},
    "archived, with its results still there": {"archived_at": "2026-11-01T00:00:00Z"},
    "errors that are a sentence": {"errors": "none"},
    "an error with an integer as its code": {"errors": {"data": [{"code": 7, "line": "x"}]}},
}


@pytest.mark.crossed
@each
@pytest.mark.parametrize("case", ODD_WORDS)
def test_odd_words_about_a_batch_keep_no_answer_back(small: Path, provider: str, case: str) -> None:
    def tell(made: Made, said: dict[str, Any]) -> dict[str, Any]:
        return {**said, **ODD_WORDS[case]}

    with fault_server(right) as server:
        assert server.desk is not None
        server.desk.tell = tell
        at = session(small, server.url, f"{provider}/m")
    assert (at.outcomes()["grade"], len(at.waits)) == (ALL, 1)


@each
def test_odd_neighbour_on_the_list_does_not_hide_ours(small: Path, provider: str) -> None:
    def tell(made: Made, said: dict[str, Any]) -> dict[str, Any]:
        odd = {"metadata": {"a": 1}, "request_counts": {"x": None}}
        return {**said, **odd} if made.id.endswith("_0") else said

    with fault_server(right, [Fate(), Fate(lost=True)]) as server:
        assert server.desk is not None
        session(small, server.url, f"{provider}/m")
        server.desk.tell = tell
        at = session(small, server.url, f"{provider}/m")
    assert (at.outcomes()["grade"], made(server), at.waits) == (ALL, [ALL - 1] * 2, [5.0, 5.0])


def test_cancelled_in_another_spelling_is_over(small: Path) -> None:
    def tell(made: Made, said: dict[str, Any]) -> dict[str, Any]:
        return {**said, "status": "canceled"} if said["status"] == "cancelled" else said

    with fault_server(right, [Fate("cancelled", answered=5)]) as server:
        assert server.desk is not None
        server.desk.tell = tell
        at = session(small, server.url, "openai/m")
    assert at.outcomes() == {"grade": 6, "ungraded": 0, "failed": ALL - 6}


ODD_ENDS: dict[str, dict[str, Any]] = {
    "an error file that is missing": {"error_file_id": "none-error"},
    "capitals": {"status": "COMPLETED"},
    "a word of its own": {"status": "done"},
}


@pytest.mark.parametrize("case", ODD_ENDS)
def test_odd_end_of_a_batch_keeps_no_answer_back(small: Path, case: str) -> None:
    def tell(made: Made, said: dict[str, Any]) -> dict[str, Any]:
        return said if said["status"] == "in_progress" else {**said, **ODD_ENDS[case]}

    with fault_server(right) as server:
        assert server.desk is not None
        server.desk.tell = tell
        at = session(small, server.url, "openai/m")
    assert (at.outcomes()["grade"], len(at.waits)) == (ALL, 1)


def test_line_that_nothing_of_ours_can_read_costs_no_other() -> None:
    def stumble(body: BaseModel) -> Reply:
        raise TypeError("unhashable type: 'list'")

    id, answer = read_line('{"custom_id": "a-1"}', BaseModel, stumble)
    assert (id, isinstance(answer, UnreadError)) == ("a-1", True)


# --- results that are missing, and counts that contradict them ------------------------------------------


def is_file(call: str) -> bool:
    """Whether a call asks for a file of answers."""
    return call.endswith(("-output/content", "/results"))


@pytest.mark.crossed
@each
@pytest.mark.parametrize("fault", [error(404, "not_found", "not yet"), error(400, "bad", "not now")])
def test_results_that_are_missing_once_are_read_again(small: Path, provider: str, fault: Turn) -> None:
    asked: list[str] = []

    def control(call: str) -> Turn | None:
        asked.extend([call] if is_file(call) else [])
        return fault if asked == [call] else None

    with fault_server(right, [Fate()], control) as server:
        at = session(small, server.url, f"{provider}/m")
    assert (at.outcomes()["grade"], len(paid(server)), steps(at)[-1]) == (ALL, ALL, "over")


@each
def test_half_a_file_is_read_again(small: Path, provider: str) -> None:
    readings: list[int] = []

    def spoil(lines: list[str]) -> list[str]:
        readings.append(len(lines))
        return [*lines[:4], lines[4][:90]] if len(readings) == 1 else lines

    with fault_server(right, [Fate(spoil=spoil)]) as server:
        at = session(small, server.url, f"{provider}/m")
    assert (at.outcomes()["grade"], len(readings), steps(at)[-1]) == (ALL, 2, "over")


@each
def test_of_several_readings_the_best_counts(small: Path, provider: str) -> None:
    kept = [9, 8, 2, 0]
    with fault_server(right, [Fate(spoil=lambda lines: lines[: kept.pop()])]) as server:
        at = session(small, server.url, f"{provider}/m")
    assert (at.outcomes()["grade"], kept) == (9, [9])


@each
def test_batch_that_was_deleted_at_the_server_is_paid_again_on_demand_alone(
    small: Path, provider: str
) -> None:
    deleted = False

    def control(call: str) -> Turn | None:
        return error(404, message="no such batch") if deleted and call.endswith("_0") else None

    with fault_server(right, [Fate(gone=True)], control) as server:
        at = session(small, server.url, f"{provider}/m")
        deleted = True
        with pytest.raises(Unfinished, match="the server does not know batch"):
            session(small, server.url, f"{provider}/m", at)
        again = session(small, server.url, f"{provider}/m", at, RETRY)
    assert again.outcomes()["grade"] == ALL
    assert any("no longer known to the server" in line for line in again.said_)


@each
def test_kill_before_the_end_of_a_batch_is_logged_counts_nothing_twice(small: Path, provider: str) -> None:
    with fault_server(right, [Fate(gone=True)]) as server:
        at = session(small, server.url, f"{provider}/m")
        counted = (at.folder / CALLS).read_text(), len((at.folder / RECORDS).read_text().splitlines())
        log = at.folder / BATCHES
        log.write_text("".join(log.read_text().splitlines(keepends=True)[:-1]))
        session(small, server.url, f"{provider}/m", at)
    after = (at.folder / CALLS).read_text(), len((at.folder / RECORDS).read_text().splitlines())
    assert (after, steps(at)[-1]) == (counted, "short")


@each
def test_what_is_short_is_not_paid_again_at_an_address_that_never_had_it(small: Path, provider: str) -> None:
    model = f"{provider}/m"
    with fault_server(right, [Fate(gone=True)]) as server, fault_server(right, [Fate()]) as other:
        at = session(small, server.url, model)
        with pytest.raises(Unfinished, match=f"--base-url {server.url} --retry-failed"):
            session(small, other.url, model, at, RETRY, moved_to=other.url)
        assert (paid(other), steps(at)[-1]) == ([], "short")
        again = session(small, server.url, model, at, RETRY)
    assert (again.outcomes()["grade"], len(paid(server))) == (ALL, 2 * ALL - 1)


@each
def test_what_was_sent_elsewhere_by_a_resumed_run_is_asked_for_there(small: Path, provider: str) -> None:
    model = f"{provider}/m"
    with fault_server(right, [Fate()]) as first, fault_server(right, [Fate(gone=True)]) as second:
        at = begin(small, first.url, model)
        session(small, second.url, model, at, moved_to=second.url)
        assert steps(at)[-1] == "short"
        with pytest.raises(Unfinished, match=f"--base-url {second.url} --retry-failed"):
            session(small, first.url, model, at, RETRY)
        again = session(small, second.url, model, at, RETRY, moved_to=second.url)
        assert (paid(first), again.outcomes()["grade"]) == ([], ALL)


@each
def test_what_was_being_sent_is_not_sent_to_another_address(small: Path, provider: str) -> None:
    def dies(at: Session) -> None:
        raise Killed

    model = f"{provider}/m"
    with fault_server(right, [Fate()]) as server, fault_server(right, [Fate()]) as other:
        at = begin(small, server.url, model)
        with pytest.raises(Killed):
            session(small, server.url, model, at, nap=dies)
        log = at.folder / BATCHES
        log.write_text(log.read_text().splitlines(keepends=True)[0])
        with pytest.raises(Unfinished, match=f"--base-url {server.url}"):
            session(small, other.url, model, at, moved_to=other.url)
        assert (paid(other), steps(at)) == ([], ["meant"])


@each
def test_error_of_a_batch_that_counts_its_tokens_costs_what_they_cost(small: Path, provider: str) -> None:
    """It stands in no record's reply, so that the log of calls has it."""
    price = f'[models."{provider}/m"]\ninput = 1.0\noutput = 1.0\nbatch = 0.5\n'
    (small / "prices.toml").write_text(price, encoding="utf-8")
    usage = {"prompt_tokens": 40, "input_tokens": 40, "completion_tokens": 7, "output_tokens": 7}
    broken = {"error": {"type": "invalid_request_error", "message": "no"}, "usage": usage}
    parts: dict[str, Any] = {"response": {"status_code": 422, "body": broken}}
    if provider == "anthropic":
        parts = {"result": {"type": "errored", "error": broken}}
    with fault_server(right, [Fate(spoil=third(changed(**parts)))]) as server:
        at = session(small, server.url, f"{provider}/m")
    lines = (at.folder / CALLS).read_text("utf-8").splitlines()
    (counted,) = [call for call in map(Call.model_validate_json, lines) if call.counted]
    assert (counted.input_tokens, counted.output_tokens) == (40, 7)
    assert counted.worst == pytest.approx(0.5 * 47e-6)
    answers = Counter(key for key, one in at.records.items() if one.reply)
    assert unanswered_calls(at.folder, answers).calls == [counted]


@each
def test_results_that_stay_missing_are_paid_again_on_demand_alone(small: Path, provider: str) -> None:
    with fault_server(right, [Fate(gone=True)]) as server:
        at = session(small, server.url, f"{provider}/m")
        assert at.outcomes()["failed"] == ALL - 1
        assert all("missing" in detail for detail in failures(at).values())
        assert any("no readable answer to 11 of 11 questions" in line for line in at.said_)
        session(small, server.url, f"{provider}/m", at)
        assert (len(paid(server)), steps(at)[-1]) == (ALL, "short")
        again = session(small, server.url, f"{provider}/m", at, RETRY)
    assert (again.outcomes()["grade"], len(paid(server))) == (ALL, 2 * ALL - 1)


def test_file_that_is_missing_costs_the_answers_of_the_other_nothing(small: Path) -> None:
    """Whether the missing one has the rest of the answers, or only errors."""
    fate = Fate("expired", answered=7, silent=True)
    faults = {"-output": error(404, "not_found", "no"), "-error": error(410, "gone", "no")}
    for which, fault in faults.items():

        def control(call: str, which: str = which, fault: Turn = fault) -> Turn | None:
            return fault if call.endswith(f"{which}/content") else None

        with fault_server(right, [fate], control) as server:
            at = session(small, server.url, "openai/m")
            session(small, server.url, "openai/m", at)
            assert server.desk is not None
            sent = len(server.desk.made)
        assert (at.outcomes()["grade"], steps(at)[-1], sent) == {
            "-output": (1, "short", 1),
            # The counts say that the rest was not asked: it is, in a second batch, by the resume.
            "-error": (8, "over", 2),
        }[which]


@pytest.mark.parametrize(("kept", "step"), [(True, "over"), (False, "short")])
def test_failed_batch_that_has_answers_is_read(small: Path, kept: bool, step: str) -> None:
    def tell(made: Made, said: dict[str, Any]) -> dict[str, Any]:
        if said["status"] != "completed":
            return said
        files = {} if kept else {"output_file_id": None, "error_file_id": None}
        return {**said, **files, "status": "failed", "errors": {"data": [{"message": "stopped midway"}]}}

    with fault_server(right) as server:
        assert server.desk is not None
        server.desk.tell = tell
        at = session(small, server.url, "openai/m")
        session(small, server.url, "openai/m", at)
    assert (at.outcomes()["failed"], len(paid(server))) == ((0, ALL) if kept else (ALL - 1, ALL))
    assert steps(at)[-1] == step
    assert any("failed: stopped midway" in line for line in at.said_)


@pytest.mark.parametrize(
    ("model", "counts"),
    [
        ("openai/m", {"total": ALL - 1, "completed": 0, "failed": 0}),
        ("openai/m", {"total": 7, "completed": 7}),
        ("anthropic/m", {"succeeded": 0, "expired": ALL - 1}),
    ],
)
def test_counts_that_contradict_the_lines_do_not_make_a_missing_line_free(
    small: Path, model: str, counts: dict[str, int]
) -> None:
    def tell(made: Made, said: dict[str, Any]) -> dict[str, Any]:
        return {**said, "request_counts": counts}

    with fault_server(right, [Fate("expired", answered=3, silent=True)]) as server:
        assert server.desk is not None
        server.desk.tell = tell
        at = session(small, server.url, model)
        session(small, server.url, model, at)
    assert (at.outcomes()["grade"], steps(at)[-1], len(made(server))) == (4, "short", 1)


def test_batch_that_was_cancelled_before_anything_was_asked_is_asked_again(small: Path) -> None:
    batches: list[str] = []

    def tell(made: Made, said: dict[str, Any]) -> dict[str, Any]:
        batches.append(made.id)
        empty = {"output_file_id": None, "error_file_id": None, "request_counts": {"total": 0}}
        return {**said, **empty, "status": "cancelled"} if made.id == batches[0] else said

    with fault_server(right) as server:
        assert server.desk is not None
        server.desk.tell = tell
        at = session(small, server.url, "openai/m")
        assert steps(at)[-1] == "over"
        again = session(small, server.url, "openai/m", at)
    assert again.outcomes()["grade"] == ALL
