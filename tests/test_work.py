"""From questions to records: what is asked, kept, remembered for other runs, and told."""

import json
import signal
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from builders import reply, write_project
from hurried import Said, Scripted, hurry

from harness.errors import Interrupted, RejectedError, TransientError, Unfinished
from harness.grading.budget import Budget, OverBudget, WorstCase
from harness.grading.executors import execute
from harness.grading.job import NO_LIMITS, Job, Limits
from harness.grading.live.pace import Pace
from harness.grading.live.run import Live
from harness.grading.new_run import new_manifest, run_contents
from harness.grading.plan import Plan, make_plan
from harness.grading.questions import open_questions
from harness.grading.reply_cache import FILE as CACHE
from harness.grading.reply_cache import ReplyCache, cache_stats
from harness.grading.stop import Stop
from harness.grading.worker import Worker
from harness.nouns.records import Prompt, Record, Reply, Usage
from harness.pricing.prices import Price, Rates
from harness.prompting.answer import answer_text
from harness.providers.base import UnusableError
from harness.runs.call_log import CALLS, unanswered_calls
from harness.runs.manifest import Asked
from harness.runs.new_folder import create_run
from harness.runs.pairs import ShownPair, read_pairs
from harness.runs.record_log import RecordLog, iter_records
from harness.storage.project import Project
from harness.storage.stream import Stream
from harness.storage.tables import Layout

USAGE = Usage(input_tokens=1_000, output_tokens=100)
GOOD = reply(answer_text("Because.", [], 1), usage=USAGE)
UNREAD = reply("I cannot say.", usage=USAGE)
PRICE = Price(model="m", source="test", standard=(Rates(input=1, output=10, cached=0.1, written=1.25),))
PAID = (1_000 + 100 * 10) / 1e6
ITEMS = 12
"""Dev examples of the small project."""


@dataclass
class Heard:
    """A watch that notes what it is told."""

    todo: list[int] = field(default_factory=list)
    records: list[tuple[Record, int]] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)

    def started(self, folder: Path, plan: Plan, todo: int) -> None:
        self.todo.append(todo)
        self.started_with = folder, plan

    def recorded(self, record: Record, in_flight: int) -> None:
        self.records.append((record, in_flight))

    def said(self, text: str) -> None:
        self.sentences.append(text)

    def elsewhere(self, count: int) -> None:
        pass

    def stopping(self, in_flight: int) -> None:
        self.sentences.append(f"stopping with {in_flight}")


@dataclass
class Desk:
    """A run of the small project, with a teacher that says as it is told."""

    project: Project
    heard: Heard = field(default_factory=Heard)

    def begin(self, shown: Stream[ShownPair] | None = None, **asked: object) -> Path:
        """A run folder in which nothing was asked yet. `shown`: what is graded, if not the golden set."""
        known = {"model": "openai/m", "policy": "small@v1", "prompt": "teacher@v1", "splits": ("dev",)}
        self.plan = make_plan(self.project, Asked.model_validate({**known, **asked}), shown)
        return create_run(self.project.runs, new_manifest(self.project, self.plan), run_contents(self.plan))

    def asked(
        self, folder: Path, teacher: Scripted, limits: Limits, budget: Budget | None = None
    ) -> tuple[int, float]:
        """Ask what is open; how many answers are still to be had, and in how many seconds that was."""
        job = Job(self.project, folder, self.plan, teacher, PRICE, budget, self.heard, limits)
        with RecordLog(folder) as log:
            return hurry(execute(job, log, Live()))

    def work(
        self, folder: Path, *says: Said, limits: Limits = NO_LIMITS
    ) -> tuple[Scripted, int, list[Record]]:
        """Ask a teacher at a server; how many answers are still to be had, and the records by now."""
        teacher = Scripted(*says)
        teacher.identity = "a teacher"
        left, _ = self.asked(folder, teacher, limits)
        return teacher, left, list(iter_records(folder))


@pytest.fixture
def desk(here: Path) -> Desk:
    return Desk(write_project(here))


def test_every_question_becomes_a_record_with_what_it_cost(desk: Desk) -> None:
    folder = desk.begin()
    teacher, left, records = desk.work(folder, GOOD)
    assert (len(teacher.asked), left, desk.heard.todo) == (ITEMS, 0, [ITEMS])
    assert desk.heard.started_with == (folder, desk.plan)
    assert len({record.key for record in records}) == ITEMS
    assert {(record.cost, record.cached_reply) for record in records} == {(PAID, False)}
    assert sorted(record.key for record, _ in desk.heard.records) == sorted(one.key for one in records)
    assert all(0 <= in_flight <= ITEMS for _, in_flight in desk.heard.records)
    assert max(in_flight for _, in_flight in desk.heard.records) > 1


def test_both_replies_of_a_question_are_paid_for_and_remembered(desk: Desk) -> None:
    limits = Limits(connections=1)
    _, _, records = desk.work(desk.begin(), UNREAD, GOOD, limits=limits)
    first = records[0]
    assert (first.reply, first.unread) == (GOOD, UNREAD)
    assert first.cost == pytest.approx(2 * PAID)
    teacher, left, again = desk.work(desk.begin(), RejectedError("nobody is to be asked"))
    assert (teacher.asked, left) == ([], 0)
    known = {record.key: record for record in again}
    assert (known[first.key].reply, known[first.key].unread) == (GOOD, UNREAD)
    for record in again:
        assert (record.cached_reply, record.cost, record.attempts) == (True, 0.0, 0)
        assert record.outcome.kind == "grade"


def test_failure_is_not_remembered_and_asked_again_where_failures_are(desk: Desk) -> None:
    limits = Limits(connections=1)
    folder = desk.begin()
    _, left, records = desk.work(folder, RejectedError("too long"), GOOD, limits=limits)
    assert left == 1
    assert [record.outcome.kind for record in records] == ["failed", *["grade"] * (ITEMS - 1)]
    only = Limits(connections=1, only_failed=True)
    teacher, left, records = desk.work(folder, GOOD, limits=only)
    assert (len(teacher.asked), left, desk.heard.todo) == (1, 0, [ITEMS, 1])
    assert len(records) == ITEMS + 1
    teacher, left, _ = desk.work(folder, GOOD, limits=only)
    assert (teacher.asked, left, desk.heard.todo[-1]) == ([], 0, 0)


def test_what_was_never_asked_is_left_alone_where_only_failures_are_asked_again(desk: Desk) -> None:
    folder = desk.begin()
    broken = Unfinished("no more")
    with pytest.raises(Unfinished, match="no more"):
        desk.work(folder, RejectedError("too long"), GOOD, broken, limits=Limits(connections=1))
    teacher, left, _ = desk.work(folder, GOOD, limits=Limits(only_failed=True))
    assert (len(teacher.asked), left) == (1, ITEMS - 2)
    teacher, left, _ = desk.work(folder, GOOD)
    assert (len(teacher.asked), left, desk.heard.todo) == (ITEMS - 2, 0, [ITEMS, 1, ITEMS - 2])


def test_run_without_the_cache_neither_reads_nor_fills_it(desk: Desk) -> None:
    for limits, anew in ((Limits(cache=False), False), (NO_LIMITS, True), (NO_LIMITS, False)):
        teacher, _, _ = desk.work(desk.begin(no_cache=anew), GOOD, limits=limits)
        assert len(teacher.asked) == ITEMS


def test_repeats_are_asked_one_round_after_the_other(desk: Desk) -> None:
    teacher, left, records = desk.work(desk.begin(repeats=3), GOOD, limits=Limits(connections=1))
    assert (len(teacher.asked), left, desk.heard.todo) == (3 * ITEMS, 0, [3 * ITEMS])
    assert [record.repeat for record in records] == [0] * ITEMS + [1] * ITEMS + [2] * ITEMS
    assert [prompt.repeat for prompt in teacher.prompts] == [record.repeat for record in records]


@pytest.mark.parametrize("step", ["put", "write"])
def test_cache_that_cannot_be_written_is_said_once_and_the_run_goes_on(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def full(self: ReplyCache, *what: object) -> None:
        raise Unfinished("the disk is full")

    monkeypatch.setattr(ReplyCache, step, full)
    _, left, records = desk.work(desk.begin(), GOOD)
    assert (left, len(records)) == (0, ITEMS)
    assert desk.heard.sentences == ["the disk is full; this run goes on without it"]


def test_five_answers_in_a_row_that_were_cut_off_end_a_run_and_four_do_not(desk: Desk) -> None:
    cut = reply('{"reasoning": "So', stop="cut_off", usage=USAGE)
    teacher, left, _ = desk.work(
        desk.begin(), *[cut] * 4, GOOD, *[cut] * 4, GOOD, limits=Limits(connections=1)
    )
    assert (len(teacher.asked), left) == (ITEMS, 0)
    folder = desk.begin(no_cache=True)
    told = (
        "5 answers in a row were cut off at the output limit, the last one after 100 tokens: start a new run"
    )
    with pytest.raises(Unfinished, match=told):
        desk.work(folder, GOOD, cut, limits=Limits(connections=1))
    # All that was paid for is kept.
    assert [one.outcome.kind for one in iter_records(folder)] == ["grade", *["ungraded"] * 5]


@pytest.mark.parametrize(("seconds", "behind"), [(0.04, 0), (0.01, 1)])
def test_answer_is_in_the_cache_a_moment_later_so_that_a_kill_loses_few(
    desk: Desk, seconds: float, behind: int
) -> None:
    file = desk.project.runs / CACHE
    seen: list[int] = []

    class Looking(Scripted):
        async def ask(self, prompt: Prompt) -> Reply:
            answer = await super().ask(prompt)
            seen.append(sum(cache_stats(file).replies.values()))
            return answer

    teacher = Looking(GOOD, seconds=seconds)
    teacher.identity = "a teacher"
    desk.asked(desk.begin(), teacher, Limits(connections=1))
    late = [at - count for at, count in enumerate(seen)]
    assert (max(late), late[0]) == (behind, 0)
    assert cache_stats(file).replies == {"openai/m": ITEMS}


def test_teacher_in_this_process_is_asked_one_question_at_a_time(desk: Desk) -> None:
    for identity, want in ((None, 1), ("a server", 3)):
        teacher = Scripted(GOOD, seconds=1)
        teacher.identity = identity
        _, seconds = desk.asked(desk.begin(no_cache=True), teacher, Limits(connections=3))
        # A server's first call is made alone: it finds out what the server takes.
        assert (teacher.most, seconds) == (want, 1 + (ITEMS - 1 + want - 1) // want)


def test_end_of_a_run_before_its_time_is_noted_in_its_folder(desk: Desk) -> None:
    folder = desk.begin()
    with pytest.raises(Unfinished):
        desk.work(folder, GOOD, Unfinished("no more"), limits=Limits(connections=1))
    assert "stopped: no more" in (folder / "events.log").read_text(encoding="utf-8")
    whole = desk.begin(no_cache=True)
    desk.work(whole, GOOD, limits=Limits(connections=1))
    assert not (whole / "events.log").exists()


def test_what_the_pace_learns_is_noted_in_the_folder_of_the_run(desk: Desk) -> None:
    folder = desk.begin()
    desk.work(folder, TransientError("rate limit", busy=True), GOOD, limits=Limits(connections=5))
    noted = (folder / "events.log").read_text(encoding="utf-8")
    assert "connections 5 -> 4: the server's rate limit" in noted


def test_run_over_pairs_asks_for_the_pairs_of_its_folder(desk: Desk) -> None:
    table = desk.project.root / "shown.csv"
    table.write_text("item,query,title\na,rain coat,Parka\nb,rain coat,Umbrella\n", encoding="utf-8")
    pairs = read_pairs(table, Layout())
    folder = desk.begin(pairs, splits=(), pairs="shown.csv")
    table.unlink()
    teacher, left, records = desk.work(folder, GOOD)
    assert (left, sorted(record.example for record in records)) == (0, ["a", "b"])
    assert sorted(prompt.pair.result.title for prompt in teacher.prompts) == ["Parka", "Umbrella"]


def test_calls_of_a_server_are_logged_and_those_of_this_process_are_not(desk: Desk) -> None:
    for identity, calls in (("a server", ITEMS), (None, 0)):
        folder = desk.begin(no_cache=True)
        teacher = Scripted(GOOD)
        teacher.identity = identity
        desk.asked(folder, teacher, NO_LIMITS)
        assert len(unanswered_calls(folder, Counter()).calls) == calls


def test_question_of_a_batch_is_logged_at_the_price_of_a_batch_and_by_what_the_server_counted(
    desk: Desk,
) -> None:
    half = Rates(input=0.5, output=5, cached=0.05, written=0.625)
    price = Price(model="m", source="test", standard=PRICE.standard, batch=(half,))
    folder = desk.begin()
    teacher = Scripted(GOOD)
    teacher.identity = "a server"
    job = Job(desk.project, folder, desk.plan, teacher, price, None, desk.heard, NO_LIMITS)
    with RecordLog(folder) as log, Worker(job, log, Stop(), Pace(1), lambda: 0) as worker:
        question = next(open_questions(job, log))
        worst = worker.worst_batched(worker.prompt(question))
        worker.note_batched(question)
        worker.note_batched(question, USAGE)
    first, second, counted = map(json.loads, (folder / CALLS).read_text(encoding="utf-8").splitlines())
    assert first == second and first["worst"] == worst
    assert worst == pytest.approx((first["input_tokens"] * 0.625 + first["output_tokens"] * 5) / 1e6)
    assert counted["counted"] and counted["example"] == question[0].id
    assert (counted["input_tokens"], counted["output_tokens"]) == (1_000, 100)
    assert counted["worst"] == pytest.approx((1_000 * 0.5 + 100 * 5) / 1e6)


def test_answer_that_shows_that_no_call_can_succeed_is_kept_and_serves_no_other_run(desk: Desk) -> None:
    folder = desk.begin()
    with pytest.raises(UnusableError, match="no grade of this model counts"):
        desk.work(folder, UnusableError("no grade of this model counts", GOOD), limits=Limits(connections=1))
    (record,) = iter_records(folder)
    assert record.outcome.kind == "failed" and record.reply == GOOD
    assert record.cost == pytest.approx(PAID)
    assert not sum(cache_stats(desk.project.runs / CACHE).replies.values())


def test_run_holds_the_keys_of_those_answers_alone_that_may_be_replaced(desk: Desk) -> None:
    """One of twelve stays unreadable: of the others a run of millions holds nothing."""
    folder = desk.begin()
    teacher = Scripted(UNREAD, UNREAD, GOOD)
    job = Job(desk.project, folder, desk.plan, teacher, PRICE, None, desk.heard, Limits(connections=1))
    with RecordLog(folder) as log:
        hurry(execute(job, log, Live()))
        assert (log.count, len(log.answered)) == (ITEMS, 1)


def test_cache_that_cannot_be_opened_is_said_and_the_run_goes_on(desk: Desk) -> None:
    folder = desk.begin()
    (desk.project.runs / CACHE).mkdir(parents=True)
    _, left, records = desk.work(folder, GOOD)
    assert (left, len(records)) == (0, ITEMS)
    (said,) = desk.heard.sentences
    assert CACHE in said and said.endswith("; this run goes on without it")


def test_replies_of_another_teacher_or_address_are_not_taken(desk: Desk) -> None:
    for base_url, identity, asked in (
        ("http://127.0.0.1:1/v1", "one", ITEMS),
        ("http://127.0.0.1:1/v1", "one", 0),
        ("http://127.0.0.1:1/v1", "other", ITEMS),
        ("http://127.0.0.1:2/v1", "one", ITEMS),
    ):
        teacher = Scripted(GOOD)
        teacher.identity = identity
        assert desk.asked(desk.begin(base_url=base_url), teacher, NO_LIMITS)[0] == 0
        assert len(teacher.asked) == asked


def test_run_stops_before_the_call_that_could_pass_its_budget(desk: Desk) -> None:
    folder = desk.begin()
    teacher = Scripted(GOOD)
    teacher.identity = "a teacher"
    with pytest.raises(OverBudget):
        desk.asked(folder, teacher, NO_LIMITS, Budget(0.02, WorstCase(PRICE, 1_000)))
    records = list(iter_records(folder))
    assert 0 < len(records) == len(teacher.asked) < ITEMS


def test_first_signal_lets_what_is_in_flight_end_and_says_how_much_that_is(desk: Desk) -> None:
    class Impatient(Heard):
        def recorded(self, record: Record, in_flight: int) -> None:
            super().recorded(record, in_flight)
            if len(self.records) == 2:
                signal.raise_signal(signal.SIGINT)

    desk.heard = Impatient()
    folder = desk.begin()
    teacher = Scripted(GOOD, seconds=1)
    teacher.identity = "a teacher"
    with pytest.raises(Interrupted):
        desk.asked(folder, teacher, Limits(connections=4))
    (said,) = desk.heard.sentences
    assert said in {f"stopping with {n}" for n in (3, 4)}
    assert len(list(iter_records(folder))) == len(teacher.asked) < ITEMS
