"""One question at a time: what is tried again, how long it waits, what is a failure, and what is billed."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from builders import harness, reply
from hurried import STARTED, Said, Scripted, hurry
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import FatalError, HarnessError, RejectedError, TransientError, Unfinished
from harness.grading.answered import Answered
from harness.grading.budget import Budget, LoggedCalls, OverBudget, WorstCase
from harness.grading.live import breaker
from harness.grading.live.ask import ATTEMPTS, DEADLINE, ITEM_DEADLINE, LONGEST_WAIT, SLOW, Asker
from harness.grading.live.breaker import EXHAUSTED, FAULTS, PATIENCE, SILENCE, Breaker
from harness.grading.live.pace import AUTOMATIC, CALM, START, Pace
from harness.grading.live.pool import Pool
from harness.grading.stop import DrainedError, Stop
from harness.nouns.pair import Pair
from harness.nouns.records import Failed, Grade, Message, Prompt, Reply, Ungraded, Usage
from harness.pricing.prices import Price, Rates
from harness.prompting.answer import answer_text, read_grade
from harness.runs.call_log import unanswered_calls

GOOD = reply(answer_text("Because.", [], 1), usage=Usage(input_tokens=100, output_tokens=10))
UNREAD = reply("I cannot say.", usage=Usage(input_tokens=100, output_tokens=5))
BUSY = TransientError("rate limit", busy=True)
GONE = TransientError("gone")
PRICE = Price(model="m", source="test", standard=(Rates(input=1, output=10, cached=0.1, written=1.25),))
PROMPT = Prompt(
    item="a",
    repeat=0,
    messages=(Message(role="user", content="x"),),
    pair=Pair.model_validate({"query": "q", "result": {"title": "t"}}),
)


@dataclass
class Desk:
    """What asks, and all that it learns into."""

    teacher: Scripted
    budget: Budget | None = None
    most: int | None = None
    in_flight: int = START
    stop: Stop = field(default_factory=Stop)
    log: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.pace = Pace(self.most, self.log.append)

    def asker(self) -> Asker:
        """What asks one question after the other."""
        return Asker(self.teacher, (0, 1, 2), self.stop, self.pace, lambda: self.in_flight, self.budget)

    def ask(self, times: int = 1) -> tuple[list[Answered], float]:
        """As many questions one after the other, by one asker, and how many seconds they take."""
        asker = self.asker()

        async def work() -> list[Answered]:
            return [await asker.ask(PROMPT) for _ in range(times)]

        return hurry(work())


def ask(*says: Said, **more: Any) -> tuple[Answered, float]:
    """How one question ends where the teacher says this, and in how many seconds."""
    (found,), seconds = Desk(Scripted(*says), **more).ask()
    return found, seconds


# --- tried again --------------------------------------------------------------------------------------


def test_answer_is_kept_with_its_reply_and_one_call() -> None:
    teacher = Scripted(GOOD, seconds=2.50049)
    (found,), _ = Desk(teacher).ask()
    assert found == Answered(Grade(value=1, reasoning="Because.", clauses=()), GOOD, None, 1, 2.5)
    assert teacher.prompts == [PROMPT]


def test_fault_is_tried_as_often_as_there_are_attempts() -> None:
    found, _ = ask(*[GONE] * (ATTEMPTS - 1), GOOD)
    assert (found.attempts, found.outcome.kind) == (ATTEMPTS, "grade")
    found, _ = ask(GONE)
    assert (found.attempts, found.outcome, found.reply) == (ATTEMPTS, Failed(detail="gone"), None)


def test_being_asked_to_wait_is_no_failure() -> None:
    """A 429 uses up no attempt, however many come: only time does."""
    waits = [TransientError("rate limit", 1.0, busy=True)] * 40
    found, _ = ask(*waits, *[GONE] * (ATTEMPTS - 1), GOOD)
    assert (found.attempts, found.outcome.kind) == (40 + ATTEMPTS, "grade")


def test_log_of_calls_holds_open_what_may_be_billed_and_nothing_else(tmp_path: Path) -> None:
    """A call that was turned away cost nothing, and the last one has its answer: one of three is left."""
    desk = Desk(Scripted(BUSY, GONE, GOOD))
    calls = LoggedCalls(WorstCase(PRICE, longest=50), tmp_path)
    asker = replace(desk.asker(), calls=calls)
    hurry(asker.ask(PROMPT))
    calls.close()
    assert len(unanswered_calls(tmp_path, Counter([(PROMPT.item, PROMPT.repeat)])).calls) == 1


def test_nothing_is_tried_again_after_the_items_deadline() -> None:
    """Each call takes 100 s: the ninth begins before 900 s have gone, and none after it."""
    teacher = Scripted(TransientError("rate limit", 0.0, busy=True), seconds=100)
    (found,), _ = Desk(teacher).ask()
    assert found.outcome == Failed(detail="rate limit")
    assert teacher.asked[-1] - STARTED < ITEM_DEADLINE <= teacher.asked[-1] - STARTED + 100
    assert found.attempts == len(teacher.asked) == 9


def test_call_that_drips_is_given_up_at_the_deadline() -> None:
    teacher = Scripted(GOOD, seconds=DEADLINE + 1)
    (found,), _ = Desk(teacher).ask()
    assert found.outcome == Failed(detail="no whole answer in time")
    assert teacher.asked[1] - teacher.asked[0] >= DEADLINE
    (found,), seconds = Desk(Scripted(GOOD, seconds=DEADLINE - 1)).ask()
    assert (found.outcome.kind, seconds) == ("grade", DEADLINE - 1)


def test_rejected_prompt_is_asked_once() -> None:
    found, _ = ask(RejectedError("too long"), GOOD)
    assert (found.outcome, found.attempts, found.reply) == (Failed(detail="too long"), 1, None)


def test_hopeless_fault_is_raised_at_once() -> None:
    teacher = Scripted(FatalError("no key"))
    with pytest.raises(FatalError, match="no key"):
        Desk(teacher).ask()
    assert len(teacher.asked) == 1


# --- an answer that cannot be read --------------------------------------------------------------------


def test_second_answer_counts_and_the_first_is_kept_beside_it() -> None:
    found, _ = ask(UNREAD, GOOD)
    assert (found.outcome.kind, found.reply, found.unread, found.attempts) == ("grade", GOOD, UNREAD, 2)
    found, _ = ask(UNREAD, UNREAD, GOOD)
    assert isinstance(found.outcome, Ungraded)
    assert (found.outcome.cause, found.unread, found.attempts) == ("no_answer", UNREAD, 2)


@pytest.mark.parametrize(
    ("first", "cause", "again"),
    [
        (UNREAD, "no_answer", True),
        (reply('{"reasoning": "So'), "bad_json", True),
        (reply(2 * answer_text("So.", [], 1)), "two_answers", True),
        (reply(answer_text("So.", [], 7)), "unknown_grade", False),
        (reply("", stop="refused"), "refused", False),
        (reply("", stop="filtered"), "filtered", False),
        (reply("", stop="cut_off"), "cut_off", False),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_answer_that_another_one_may_cure_is_asked_for_again(first: Reply, cause: str, again: bool) -> None:
    """As docs/teachers.md says: no JSON, broken JSON and two answers, and nothing else."""
    outcome = read_grade(first, (0, 1, 2))
    assert isinstance(outcome, Ungraded) and outcome.cause == cause
    found, _ = ask(first, GOOD)
    assert (found.attempts, found.outcome.kind) == ((2, "grade") if again else (1, "ungraded"))


@pytest.mark.parametrize("error", [GONE, BUSY, RejectedError("no")])
def test_first_answer_stays_where_no_second_one_comes(error: HarnessError) -> None:
    found, _ = ask(UNREAD, error, GOOD)
    assert isinstance(found.outcome, Ungraded)
    assert (found.reply, found.unread, found.attempts) == (UNREAD, None, 2)


@pytest.mark.parametrize("error", [FatalError("no key"), Unfinished("quota")])
def test_first_answer_stays_where_the_run_ends_before_a_second_one(error: HarnessError) -> None:
    desk = Desk(Scripted(UNREAD, error))
    (found,), _ = desk.ask()
    assert (found.outcome.kind, found.reply, desk.stop.why) == ("ungraded", UNREAD, error)


def test_teacher_that_would_say_the_same_again_is_not_asked_again() -> None:
    (found,), _ = Desk(Scripted(UNREAD, GOOD, varies=False)).ask()
    assert (found.outcome.kind, found.attempts) == ("ungraded", 1)


def test_refusal_is_an_answer_and_is_not_asked_again() -> None:
    found, _ = ask(reply("", stop="refused"), GOOD)
    assert (found.outcome, found.attempts) == (Ungraded(cause="refused"), 1)


def test_reply_that_is_no_grade_has_the_same_attempts_and_is_taken_as_it_is() -> None:
    desk = Desk(Scripted(*[GONE] * (ATTEMPTS - 1), UNREAD, GOOD))
    assert hurry(desk.asker().reply(PROMPT))[0] == UNREAD
    assert len(desk.teacher.asked) == ATTEMPTS
    gone = Desk(Scripted(GONE))
    with pytest.raises(TransientError, match="gone"):
        hurry(gone.asker().reply(PROMPT))
    assert len(gone.teacher.asked) == ATTEMPTS


# --- what the docs say --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "number", "known"),
    [
        ("up to six times for an example", ATTEMPTS, 6),
        ("One attempt may take up to three minutes", DEADLINE, 180),
        ("after a 429 for up to 15 minutes", ITEM_DEADLINE, 900),
        ("(`retry_after`, `retry_after_ms`, `retryDelay`), up to a minute", LONGEST_WAIT, 60),
        ("a call that fails after a minute or more counts as such a rejection", SLOW, 60),
        ("20 at first", START, 20),
        ("up to `--max-connections` (default 200)", AUTOMATIC, 200),
        ("falls by a fifth, at most once in 15 seconds", CALM, 15),
        ("30 seconds with only faults", SILENCE, 30),
        ("five examples in a row that no attempt answered", EXHAUSTED, 5),
    ],
)  # fmt: skip
def test_numbers_are_those_that_the_docs_name(said: str, number: float, known: float) -> None:
    page = Path(__file__).resolve().parents[1].joinpath("docs/runs.md").read_text(encoding="utf-8")
    assert said in " ".join(page.split())
    assert number == known


# --- how long it waits --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked_for", "least"),
    [(0.0, 0.1), (0.05, 0.1), (7.0, 7.0), (LONGEST_WAIT, LONGEST_WAIT), (3600.0, LONGEST_WAIT)],
)
def test_server_is_given_the_time_it_asks_for_within_reason(asked_for: float, least: float) -> None:
    """Half an hour in a Retry-After does not keep a run that long, nor does a 0 make it hammer the server."""
    teacher = Scripted(TransientError("rate limit", asked_for, busy=True), GOOD)
    (_,), waited = Desk(teacher).ask()
    assert least <= waited <= least * 1.25


def test_waits_that_the_server_calls_short_grow_to_a_second() -> None:
    busy = TransientError("rate limit", 0.0, busy=True)
    teacher = Scripted(*[busy] * 6, GOOD)
    Desk(teacher).ask()
    waits = [after - before for before, after in zip(teacher.asked, teacher.asked[1:], strict=False)]
    for wait, least in zip(waits, (0.1, 0.2, 0.4, 0.8, 1.0, 1.0), strict=True):
        assert least <= wait <= least * 1.25 + 1e-9


def test_waits_are_spread_so_that_not_all_come_back_at_once() -> None:
    busy = TransientError("rate limit", 10.0, busy=True)
    waits = {Desk(Scripted(busy, GOOD)).ask()[1] for _ in range(20)}
    assert len(waits) > 1
    # By up to a quarter, as the wait that was asked for is the least one.
    assert 10 <= min(waits) < max(waits) <= 12.5 and max(waits) - min(waits) > 0.6


def test_faults_without_a_word_on_waiting_back_off_at_random_up_to_a_minute() -> None:
    """Full jitter: the n-th wait lies between 0 and 2^(n-1) s, and is never above LONGEST_WAIT."""
    found = []
    for _ in range(20):
        teacher = Scripted(*[TransientError("rate limit", busy=True)] * 9, GOOD)
        Desk(teacher).ask()
        found.append([b - a for a, b in zip(teacher.asked, teacher.asked[1:], strict=False)])
    for number, waits in enumerate(zip(*found, strict=True)):
        assert max(waits) <= min(2.0**number, LONGEST_WAIT) + 1e-9
    assert max(max(waits) for waits in found) > 30


def test_run_that_ends_waits_for_nothing_and_asks_nothing() -> None:
    desk = Desk(Scripted(GOOD))
    desk.stop.call(Unfinished("enough"))
    with pytest.raises(DrainedError):
        desk.ask()
    assert desk.teacher.asked == []


def test_wait_ends_with_the_run() -> None:
    desk = Desk(Scripted(TransientError("rate limit", 60.0, busy=True), GOOD))

    async def work() -> None:
        asyncio.get_running_loop().call_later(2, desk.stop.call, Unfinished("enough"))
        with pytest.raises(DrainedError):
            await desk.asker().ask(PROMPT)

    _, seconds = hurry(work())
    assert seconds == pytest.approx(2)
    assert len(desk.teacher.asked) == 1


# --- what the pace learns -----------------------------------------------------------------------------


def test_rate_limit_cuts_the_pace_and_a_fault_does_not() -> None:
    busy, faulty = (Desk(Scripted(error, GOOD)) for error in (BUSY, GONE))
    busy.ask()
    faulty.ask()
    assert (busy.pace.limit, faulty.pace.limit) == (16, START)


@pytest.mark.parametrize(("seconds", "cut"), [(SLOW - 1, False), (SLOW, True)])
def test_fault_after_a_minute_speaks_of_too_many_calls(seconds: float, cut: bool) -> None:
    desk = Desk(Scripted(GONE, GOOD, seconds=seconds))
    desk.ask()
    assert (desk.pace.limit < START, bool(desk.log)) == (cut, cut)


def test_deadline_that_passes_cuts_the_pace() -> None:
    desk = Desk(Scripted(GOOD, seconds=DEADLINE + 1))
    desk.ask()
    assert desk.pace.limit < START


def test_clean_round_of_calls_in_flight_doubles_the_pace() -> None:
    desk = Desk(Scripted(GOOD))
    desk.ask(times=START)
    assert desk.pace.limit == 2 * START
    idle = Desk(Scripted(GOOD), in_flight=1)
    idle.ask(times=START)
    assert idle.pace.limit == START


# --- what the breaker learns --------------------------------------------------------------------------


def test_examples_in_a_row_that_no_attempt_gets_through_end_the_run() -> None:
    desk = Desk(Scripted(GONE))
    found, _ = desk.ask(times=EXHAUSTED - 1)
    assert desk.stop.why is None
    desk = Desk(Scripted(GONE))
    found, _ = desk.ask(times=EXHAUSTED)
    assert [one.outcome for one in found] == [Failed(detail="gone")] * EXHAUSTED
    assert str(desk.stop.why) == f"{EXHAUSTED} examples in a row got no answer in any attempt: gone"


@pytest.mark.parametrize("between", [GOOD, RejectedError("too long")])
def test_any_answer_between_them_shows_that_the_server_is_there(between: Said) -> None:
    spoiled = [GONE] * ATTEMPTS
    desk = Desk(Scripted(*spoiled * (EXHAUSTED - 1), between, *spoiled * (EXHAUSTED - 1), GOOD))
    desk.ask(times=2 * EXHAUSTED - 1)
    assert desk.stop.why is None


class Clock:
    """Time that passes when a test says so."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def fails(error: TransientError, times: int, seconds: float, in_flight: int) -> bool:
    """Whether so many failures end a run, the last of them so long after the first."""
    clock = Clock()
    breaker = Breaker(clock)
    for _ in range(times - 1):
        breaker.failed(error, in_flight)
    clock.now = seconds
    try:
        breaker.failed(error, in_flight)
    except Unfinished:
        return True
    return False


@pytest.mark.parametrize(
    ("error", "times", "seconds", "in_flight", "ends"),
    [
        (GONE, FAULTS, SILENCE, 200, True),
        (GONE, FAULTS - 1, SILENCE, 200, False),
        (GONE, FAULTS, SILENCE - 0.1, 200, False),
        (GONE, 4, SILENCE, 2, True),
        (GONE, 3, SILENCE, 2, False),
        (BUSY, FAULTS, SILENCE, 200, False),
        (BUSY, FAULTS, PATIENCE - 0.1, 200, False),
        (BUSY, FAULTS, PATIENCE, 200, True),
        # Twenty in half a minute, or twenty 429s in ten minutes.
        (GONE, 20, 30.0, 200, True),
        (GONE, 19, 31.0, 200, False),
        (BUSY, 20, 600.0, 200, True),
        (BUSY, 20, 599.0, 200, False),
    ],
)
def test_run_ends_after_enough_failures_over_enough_time(
    error: TransientError, times: int, seconds: float, in_flight: int, ends: bool
) -> None:
    assert fails(error, times, seconds, in_flight) == ends


def test_waits_that_were_asked_for_do_not_count_as_faults() -> None:
    """19 faults and any number of 429 between them, over half a minute: one fault more ends it."""
    clock = Clock()
    clock.now = 100.0
    breaker = Breaker(clock)
    for _ in range(FAULTS - 2):
        breaker.failed(GONE, 200)
        breaker.failed(BUSY, 200)
    clock.now += SILENCE
    for _ in range(50):
        breaker.failed(BUSY, 200)
    breaker.failed(GONE, 200)
    with pytest.raises(Unfinished, match="no answer for 30 s, in 20 attempts: gone"):
        breaker.failed(GONE, 200)


def test_answer_forgives_the_examples_that_failed_before_it() -> None:
    breaker = Breaker(Clock())
    for _ in range(3):
        for _ in range(EXHAUSTED - 1):
            breaker.exhausted(GONE)
        breaker.answered()
    for _ in range(EXHAUSTED - 1):
        breaker.exhausted(GONE)
    with pytest.raises(Unfinished, match="5 examples in a row"):
        breaker.exhausted(GONE)


# --- the pace by itself -------------------------------------------------------------------------------


def test_pace_of_nobody_in_particular_ends_at_two_hundred() -> None:
    pace = Pace(None)
    for _ in range(2000):
        pace.answered(pace.limit)
    assert pace.limit == AUTOMATIC == 200
    assert f"at most {AUTOMATIC}." in " ".join(harness("label", "-h").out.split()), "the help says so"


@pytest.mark.parametrize(("in_flight", "grows"), [(16, True), (15, False)])
def test_round_counts_where_four_fifths_of_the_limit_are_in_use(in_flight: int, grows: bool) -> None:
    pace = Pace(200)
    for _ in range(START):
        pace.answered(in_flight)
    assert (pace.limit > START) == grows


def test_cut_is_followed_by_another_one_only_when_the_calm_is_over() -> None:
    clock = Clock()
    clock.now = 100.0
    pace = Pace(200, clock=clock)
    seen = []
    for now in (100.0, 100.0 + CALM - 0.1, 100.0 + CALM, 100.0 + 2 * CALM - 0.1, 100.0 + 2 * CALM):
        clock.now = now
        pace.turned_away()
        seen.append(pace.limit)
    assert seen == [16, 16, 12, 12, 9]


def test_pace_never_falls_below_one_and_says_nothing_when_it_cannot_fall() -> None:
    clock, log = Clock(), list[str]()
    pace = Pace(2, log.append, clock)
    for _ in range(4):
        clock.now += CALM
        pace.turned_away()
    assert pace.limit == 1
    assert log == ["connections 2 -> 1: the server's rate limit"]


def test_growth_after_a_cut_is_a_twentieth_and_one_at_least() -> None:
    for most, want in ((100, [80, 84, 88, 92, 96, 100, 100]), (10, [8, 9, 10, 10])):
        pace = Pace(most, clock=Clock())
        while pace.limit < most:
            for _ in range(pace.limit):
                pace.answered(pace.limit)
        pace.turned_away()
        seen = [pace.limit]
        for _ in want[1:]:
            for _ in range(pace.limit):
                pace.answered(pace.limit)
            seen.append(pace.limit)
        assert seen == want


def test_pace_that_is_at_its_end_says_nothing_more() -> None:
    log = list[str]()
    pace = Pace(30, log.append)
    for _ in range(200):
        pace.answered(pace.limit)
    assert log == ["connections 20 -> 30: a clean round"]


@pytest.mark.parametrize("spoil", ["failed", "turned_away"])
def test_round_that_was_spoiled_begins_at_its_first_answer(spoil: str) -> None:
    pace = Pace(200, clock=Clock())
    pace.turned_away()  # so that another 429 at once cuts nothing
    assert pace.limit == 16
    for _ in range(15):
        pace.answered(16)
    getattr(pace, spoil)()
    for _ in range(15):
        pace.answered(16)
    assert pace.limit == 16
    pace.answered(16)
    assert pace.limit == 17


def test_cut_begins_the_round_anew() -> None:
    pace = Pace(200, clock=Clock())
    for _ in range(START - 1):
        pace.answered(START)
    pace.turned_away()
    for _ in range(15):
        pace.answered(16)
    assert pace.limit == 16
    pace.answered(16)
    assert pace.limit == 17


# --- what is billed -----------------------------------------------------------------------------------


def test_call_that_was_turned_away_costs_nothing_and_any_other_fault_may_have_been_billed() -> None:
    answer = (100 * 1 + 10 * 10) / 1e6
    for error, faults in ((BUSY, 0), (GONE, 1)):
        budget = Budget(1.0, WorstCase(PRICE))
        ask(error, GOOD, budget=budget)
        assert budget.spent == pytest.approx(answer)
        assert budget.lost == pytest.approx(faults * budget.worst(PROMPT))
        assert budget.in_flight == 0


def test_prompt_that_was_rejected_costs_nothing() -> None:
    budget = Budget(1.0, WorstCase(PRICE))
    ask(RejectedError("too long"), budget=budget)
    assert (budget.spent, budget.lost, budget.in_flight) == (0, 0, 0)


def test_answer_that_cannot_be_read_is_paid_for_too() -> None:
    budget = Budget(1.0, WorstCase(PRICE))
    ask(UNREAD, GOOD, budget=budget)
    assert budget.spent == pytest.approx((100 + 50 + 100 + 100) / 1e6)


def test_first_answer_is_kept_where_the_second_has_no_room_in_the_budget() -> None:
    worst = Budget(1.0, WorstCase(PRICE)).worst(PROMPT)
    desk = Desk(Scripted(UNREAD, GOOD), budget=Budget(worst, WorstCase(PRICE)))
    (found,), _ = desk.ask()
    assert (found.outcome.kind, found.reply) == ("ungraded", UNREAD)
    assert isinstance(desk.stop.why, OverBudget)


def test_call_that_ends_the_run_by_its_fault_may_have_been_billed_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(breaker, "SILENCE", 0.0)
    budget = Budget(9.0, WorstCase(PRICE))
    desk = Desk(Scripted(GONE), budget=budget, in_flight=1)
    with pytest.raises(Unfinished, match="in 2 attempts"):
        desk.ask()
    assert budget.lost == pytest.approx(2 * budget.worst(PROMPT))


def test_until_one_call_is_answered_the_others_wait_unsent() -> None:
    """A run that is stopped in its first second has sent one call, and may be billed for one."""
    desk = Desk(Scripted(GONE, GOOD, seconds=5.0), budget=(budget := Budget(9.0, WorstCase(PRICE))))

    async def work() -> list[Answered | BaseException]:
        asker = desk.asker()
        asking = [asyncio.create_task(asker.ask(PROMPT)) for _ in range(8)]
        await asyncio.sleep(1.0)
        assert len(desk.teacher.asked) == 1
        assert budget.in_flight == pytest.approx(budget.worst(PROMPT))
        desk.stop.call(Unfinished("interrupted"))
        return await asyncio.gather(*asking, return_exceptions=True)

    ends, _ = hurry(work())
    assert {type(end) for end in ends} == {DrainedError}
    assert len(desk.teacher.asked) == 1


@given(st.lists(st.sampled_from([BUSY, GONE, UNREAD, GOOD, RejectedError("no")]), min_size=1, max_size=12))
def test_what_is_reserved_is_always_given_back(says: list[Said]) -> None:
    budget = Budget(10.0, WorstCase(PRICE))
    teacher = Scripted(*says, GOOD)
    (found,), _ = Desk(teacher, budget=budget).ask()
    assert found.attempts == len(teacher.asked)
    assert budget.in_flight == 0
    assert budget.lost == pytest.approx(budget.worst(PROMPT) * says[: len(teacher.asked)].count(GONE))


# --- the pool ------------------------------------------------------------------------------------------


class Crowd:
    """A pool at work on numbers, and what it did when: each takes a second, a later one a little longer."""

    def __init__(self, pace: Pace, does: Callable[[int], None] = lambda number: None, n: int = 40) -> None:
        self.pace = pace
        self.stop = Stop()
        self.begun: list[tuple[float, int]] = []
        self.done: list[int] = []
        self.most: list[int] = []
        self._does = does
        self._n = n

    def work(self) -> None:
        """Everything; what ends it is raised."""

        async def run() -> None:
            self.pool: Pool[int] = Pool(iter(range(self._n)), self._one, self.pace, self.stop)
            await self.pool.run()

        hurry(run())

    async def _one(self, number: int) -> None:
        self.begun.append((asyncio.get_running_loop().time() - STARTED, number))
        self.most.append(self.pool.working)
        await asyncio.sleep(1 + number * 1e-6)
        self._does(number)
        self.done.append(number)

    def at(self, second: int) -> int:
        """How many were begun in a second."""
        return sum(second <= when < second + 1 for when, _ in self.begun)


def test_pool_does_all_of_a_stream_in_its_order_and_never_more_at_once_than_the_pace_allows() -> None:
    crowd = Crowd(Pace(4), n=10)
    crowd.work()
    assert crowd.done == [number for _, number in crowd.begun] == list(range(10))
    assert [crowd.at(second) for second in range(4)] == [4, 4, 2, 0]
    assert (max(crowd.most), crowd.pool.working) == (4, 0)


def test_pool_of_an_empty_stream_ends_at_once() -> None:
    crowd = Crowd(Pace(4), n=0)
    crowd.work()
    assert (crowd.begun, crowd.pool.working) == ([], 0)


def test_workers_are_hired_when_the_pace_grows_and_let_go_when_it_falls() -> None:
    pace = Pace(200, clock=Clock())
    pace.limit = 2

    def steer(number: int) -> None:
        pace.limit = {1: 5, 2: 3}.get(number, pace.limit)

    crowd = Crowd(pace, steer, n=20)
    crowd.work()
    assert [crowd.at(second) for second in range(6)] == [2, 5, 3, 3, 3, 3]
    assert sorted(crowd.done) == list(range(20))


@pytest.mark.parametrize("error", [FatalError("no key"), Unfinished("quota")])
def test_what_ends_a_run_is_raised_when_all_in_flight_have_come_back(error: HarnessError) -> None:
    def fail(number: int) -> None:
        if number in (0, 1):
            raise error if number == 0 else Unfinished("later")

    crowd = Crowd(Pace(4), fail)
    with pytest.raises(type(error), match=str(error)):
        crowd.work()
    assert crowd.done == [2, 3]
    assert len(crowd.begun) == 4
    assert crowd.pool.working == 0


def test_first_mistake_of_ours_is_the_one_raised_and_is_the_reason_that_others_are_told() -> None:
    def fail(number: int) -> None:
        if number in (0, 1):
            raise ZeroDivisionError("first" if number == 0 else "second")

    crowd = Crowd(Pace(4), fail)
    with pytest.raises(ZeroDivisionError, match="first"):
        crowd.work()
    assert str(crowd.stop.why) == "ZeroDivisionError: first"
    assert len(crowd.begun) == 4


def test_run_that_was_stopped_begins_nothing_and_raises_why() -> None:
    crowd = Crowd(Pace(4))
    crowd.stop.call(Unfinished("enough"))
    with pytest.raises(Unfinished, match="enough"):
        crowd.work()
    assert crowd.begun == []


def test_question_without_an_answer_when_the_run_ends_is_no_error() -> None:
    def drained(number: int) -> None:
        if number == 0:
            crowd.stop.call(Unfinished("enough"))
        raise DrainedError

    crowd = Crowd(Pace(2), drained)
    with pytest.raises(Unfinished, match="enough"):
        crowd.work()
    assert (len(crowd.begun), crowd.done, crowd.pool.working) == (2, [], 0)


def test_what_python_ends_a_task_by_comes_out_as_itself() -> None:
    class Exit(BaseException):
        """Not an error of the program."""

    def leave(number: int) -> None:
        raise Exit

    with pytest.raises(Exit):
        Crowd(Pace(2), leave).work()
