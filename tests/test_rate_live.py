"""A round's live Gate 1: figures while people rate, and no verdict before the planned number."""

import json
import math
from pathlib import Path

import pytest
from builders import harness
from parties import Guest, answer, party
from rounds import add_round, grade, small_round

from harness.errors import BadInput
from harness.golden.rating.answers import Answer, AnswerLog
from harness.golden.rating.rounds import (
    ANSWERS,
    ASSIGNMENTS,
    ROUND,
    Assignment,
    OpenRound,
    open_round,
    read_round,
)
from harness.golden.rating.sealing import seal
from harness.golden.rating.waiting import close, round_now
from harness.nouns.pair import Rating
from harness.nouns.policy import Gates
from harness.report.live_gate1 import FAST, live_view, pace_lines, state_lines
from harness.score.pace import Timed, pace_of, seconds_of
from harness.scorecards.live_gate1 import LiveGate1
from harness.storage.project import Project
from harness.verdicts.live_gate1 import live_gate1, live_gate1_of
from harness.verdicts.raters import judge_raters

RATERS = ("ann", "bob", "cy")
ALIKE = (Guest("ann", misses=0.04), Guest("bob", misses=0.04), Guest("cy", misses=0.04))


def live(opened: OpenRound) -> LiveGate1:
    return live_gate1(round_now(opened), Gates(), {}, {})


def keep(opened: OpenRound, *raters: str) -> None:
    """Seal sets."""
    for rater in raters:
        seal(Project(opened.folder.parents[3]), opened, rater, "2026-11-29T10:00:00+00:00")


def test_before_the_planned_number_there_is_no_verdict(tmp_path: Path) -> None:
    opened = party(tmp_path, RATERS)
    answer(opened, Guest("ann", 1.0, 0), Guest("bob", 1.0, 0.04), Guest("cy", 0.99, 0.04))
    score = live(opened)
    assert (score.planned, score.given, score.complete) == (540, 538, False)
    assert score.gate1 is not None
    assert score.gate1.kappa.ci is not None and score.gate1.kappa.ci.low > 0.8, "it would pass"
    assert (score.gate1.verdict, score.gate1.band, score.gate1.advice) == ("inconclusive", None, ())
    assert score.open == "round r1 is open: a verdict takes the planned 540 ratings; now 538"
    assert score.gate1.reason == score.open
    with AnswerLog(opened.folder / ANSWERS) as log:
        log.add("cy", [grade(178, 1, "the-last-one"), grade(179, 2, "the-last-two")])
    last = live(opened)
    assert last.complete and last.gate1 is not None and last.gate1.verdict == "pass"
    assert last.unsealed == RATERS


def test_no_word_of_an_open_round_reads_like_a_verdict(tmp_path: Path) -> None:
    opened = party(tmp_path, RATERS)
    answer(opened, Guest("ann", 0.9), Guest("bob", 0.9, 0.3), Guest("cy", 0.9, 0.3))
    done = harness("rate", "live", "--policy", "small", "--root", tmp_path)
    assert done.code == 0
    said = " ".join(done.out.split())
    assert "Round r1 is open: a verdict takes" in said
    for word in ("strong", "moderate", "weak", "PASS", "FAIL", "INCONCLUSIVE", "What to do"):
        assert word not in said
    assert "ann - bob" in said and "Mean pairwise kappa" in said
    assert "look at it after your own set is sealed" in said


def test_a_cause_counts_as_given_and_never_as_a_grade(tmp_path: Path) -> None:
    opened = party(tmp_path, RATERS)
    answer(opened, *ALIKE[:2], Guest("cy", cannot=0.2))
    with AnswerLog(opened.folder / ANSWERS) as log:
        log.add("cy", [Answer(event="later-on-1", place=0, kind="later")])
    score = live(opened)
    cannot = sum(score.cannot.values())
    assert 15 < cannot < 60 and score.graded + cannot == score.given == 539
    assert score.later == 1 and not score.complete
    assert score.raters[2].cannot == score.cannot
    assert sum(len(who) for one in score.cannot_rate for who in one.causes.values()) == cannot
    assert score.cannot_rate[0].title


@pytest.mark.parametrize(
    ("guests", "said"),
    [
        ((), "no rater has answered yet"),
        ((Guest("ann"),), "only ann has given grades so far: agreement takes two raters or more"),
        ((Guest("ann", cannot=1.1),), "every answer so far says that the pair cannot be rated"),
    ],
)
def test_what_cannot_be_computed_yet_is_a_sentence(
    guests: tuple[Guest, ...], said: str, tmp_path: Path
) -> None:
    opened = party(tmp_path, RATERS, queries=4)
    answer(opened, *guests)
    score = live(opened)
    assert score.gate1 is None and score.reason == said
    done = harness("rate", "live", "--policy", "small", "--root", tmp_path)
    assert f"No agreement yet: {said}" in " ".join(done.out.split())
    shown = harness("rate", "live", "--policy", "small", "--root", tmp_path, "--json")
    assert json.loads(shown.out)["gate1"] is None
    # Nobody waits for a round that was closed: nothing is "so far" in it.
    close(round_now(opened), None, "a trial")
    done = harness("rate", "live", "--policy", "small", "--root", tmp_path)
    final = said.replace(" so far", "").removesuffix(" yet")
    assert f"No agreement: {final}" in " ".join(done.out.split())


def test_two_raters_without_a_common_item_have_no_kappa_and_a_reason(tmp_path: Path) -> None:
    opened = small_round(tmp_path)
    with AnswerLog(opened.folder / ANSWERS) as log:
        log.add("ann", [grade(0), grade(1)])
        log.add("bob", [grade(2), grade(3)])
    score = live(opened)
    assert score.gate1 is not None and score.gate1.kappa.value is None and score.gate1.kappa.reason
    done = harness("rate", "live", "--policy", "small", "--root", tmp_path)
    assert done.code == 0 and "NaN" not in done.out
    assert f"No kappa yet: {score.gate1.kappa.reason.text}." in " ".join(done.out.split())


@pytest.mark.parametrize("cannot", [0.0, 0.1])
def test_a_finished_round_is_judged_as_its_ratings_are(cannot: float, tmp_path: Path) -> None:
    """With the same figures: what could not be rated and what the disputed pairs are about are in both."""
    opened = party(tmp_path, RATERS)
    answer(opened, *ALIKE[:2], Guest("cy", misses=0.04, cannot=cannot))
    keep(opened, *RATERS)
    score = live_gate1_of(Project(tmp_path), "small")
    assert score.gate1 is not None and score.gate1.verdict == "pass"
    done = harness("gate1", "--policy", "small", "--root", tmp_path, "--json")
    assert done.code == 0
    assert json.loads(done.out) == score.gate1.model_dump(mode="json")


def test_gate1_over_the_ratings_is_inconclusive_while_a_round_is_open(tmp_path: Path) -> None:
    opened = party(tmp_path, RATERS)
    answer(opened, *ALIKE[:2], Guest("cy", 0.5, 0.04))
    keep(opened, "ann", "bob")
    done = harness("gate1", "--policy", "small", "--root", tmp_path, "--json")
    assert done.code == 3
    said = json.loads(done.out)
    assert said["reason"] == "round r1 is open: a verdict takes the planned 540 ratings; now 450"
    assert said["kappa"]["ci"][0] > 0.8 and said["band"] is None
    file = tmp_path / "golden/small/ratings.jsonl"
    named = harness("gate1", file, "--policy", "small", "--root", tmp_path, "--json")
    assert json.loads(named.out)["reason"] == said["reason"], "the same file by its name"
    copy = tmp_path / "copy.jsonl"
    copy.write_bytes(file.read_bytes())
    copied = harness("gate1", copy, "--policy", "small", "--root", tmp_path, "--json")
    assert json.loads(copied.out)["reason"] == said["reason"], "its lines say that they are of the round"
    table = tmp_path / "own.csv"
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    lines = [f"{one['item']},{one['rater']},{one['grade']}" for one in rows]
    table.write_text("\n".join(["item,rater,grade", *lines]), encoding="utf-8")
    assert harness("gate1", table, "--policy", "small", "--root", tmp_path).code == 0, "a file of one's own"


def test_gate1_waits_for_the_seal_of_what_is_answered(tmp_path: Path) -> None:
    opened = party(tmp_path, RATERS)
    answer(opened, *ALIKE)
    keep(opened, "ann", "cy")
    done = harness("gate1", "--policy", "small", "--root", tmp_path, "--json")
    assert done.code == 3
    waits = "round r1 is answered, and bob's set is not sealed: `harness rate seal bob`"
    assert json.loads(done.out)["reason"] == waits


def test_a_round_of_another_version_opens_nothing(tmp_path: Path) -> None:
    opened = party(tmp_path, RATERS)
    answer(opened, *ALIKE)
    keep(opened, *RATERS)
    text = (tmp_path / "policies/small/v1.toml").read_text(encoding="utf-8")
    (tmp_path / "policies/small/v2.toml").write_text(text.replace('"v1"', '"v2"'), encoding="utf-8")
    done = harness("gate1", "--policy", "small@v1", "--root", tmp_path)
    assert done.code == 0


def test_a_second_round_opens_the_verdict_again_and_is_counted(tmp_path: Path) -> None:
    opened = party(tmp_path, RATERS)
    answer(opened, *ALIKE)
    keep(opened, *RATERS)
    second = add_round(Project(tmp_path), RATERS, name="r2")
    done = harness("gate1", "--policy", "small", "--root", tmp_path, "--json")
    assert json.loads(done.out)["reason"].startswith("round r2 is open")
    answer(second, *ALIKE, seed=2)
    keep(second, *RATERS)
    done = harness("gate1", "--policy", "small", "--root", tmp_path, "--json")
    said = json.loads(done.out)
    assert done.code == 0 and said["verdict"] == "pass"
    assert any("2 rounds of rating (r1, r2)" in one for one in said["warnings"])


def test_who_closes_a_round_early_has_a_provisional_verdict(tmp_path: Path) -> None:
    opened = party(tmp_path, RATERS)
    answer(opened, *ALIKE[:2], Guest("cy", 0.5, 0.04))
    words = ("rate", "close", "--policy", "small", "--rater", "cy", "--why", "ill", "--root", tmp_path)
    done = harness(*words)
    assert done.code == 0 and "its verdict is provisional" in done.err
    assert "450 of 540 ratings given, 90 no longer waited for" in done.err
    score = live(open_round(Project(tmp_path), "small"))
    assert [bool(one.closed_at) for one in score.raters] == [False, False, True]
    assert score.complete and score.early and "closed early, at 450 of 540 planned ratings" in score.early
    assert score.gate1 is not None and score.gate1.verdict == "pass"
    assert score.gate1.provisional is not None and score.gate1.provisional.endswith(score.early)
    keep(opened, *RATERS)
    shown = json.loads(harness("gate1", "--policy", "small", "--root", tmp_path, "--json").out)
    assert shown["verdict"] == "pass" and shown["provisional"].endswith(score.early)
    assert "waits for no rating from cy" in harness(*words).err
    assert "waits for no rating:" in harness(*words[:4], *words[6:]).err


def test_a_closed_round_does_not_say_that_all_is_answered(tmp_path: Path) -> None:
    opened = party(tmp_path, RATERS)
    answer(opened, *ALIKE[:2], Guest("cy", 0.5, 0.04))
    close(round_now(opened), None, "tired")
    told = list(state_lines(live(opened)))
    assert not any("Everything that was planned" in line for line in told)
    assert "Not sealed yet, and may still change: the sets of ann, bob, cy" in told
    answer(opened, Guest("cy", 1.0, 0.04))
    assert any("Everything that was planned is answered" in line for line in state_lines(live(opened)))
    asked = "look at it after your own set is sealed"
    assert asked in harness("rate", "live", "--policy", "small", "--root", tmp_path).out.replace("\n", " ")
    keep(opened, *RATERS)
    assert asked not in harness("rate", "live", "--policy", "small", "--root", tmp_path).out.replace(
        "\n", " "
    )


def test_a_closed_rater_who_answers_all_the_same_ends_the_provision(tmp_path: Path) -> None:
    opened = party(tmp_path, RATERS)
    answer(opened, *ALIKE[:2], Guest("cy", 0.5, 0.04))
    assert close(round_now(opened), None, "tired") == ("cy",)
    answer(opened, Guest("cy", 1.0, 0.04), seed=1)
    assert round_now(opened).early is None


def test_closing_for_a_stranger_is_refused(tmp_path: Path) -> None:
    opened = small_round(tmp_path)
    with pytest.raises(BadInput, match=r"'eve' is not a rater of the round \(there are: ann, bob\)"):
        close(round_now(opened), "eve", "no")


def test_a_round_without_an_answer_that_is_closed_makes_nothing_provisional(tmp_path: Path) -> None:
    opened = small_round(tmp_path)
    done = harness("rate", "close", "--policy", "small", "--why", "a mistake", "--root", tmp_path)
    assert "36 no longer waited for; it leaves no rating behind" in done.err
    now = round_now(opened)
    assert now.open is None and now.early is None and now.unread is None


def test_cited_clauses_are_counted_with_their_disputes(tmp_path: Path) -> None:
    opened = party(tmp_path, RATERS)
    answer(opened, Guest("ann", cites=True), Guest("bob", misses=0.4, cites=True), Guest("cy", 0))
    score = live(opened)
    assert {one.clause: one.ratings for one in score.cited} == {"accessory": 240, "plain": 120}
    assert score.gate1 is not None
    assert all(one.raters == 2 and 0 < one.disputed < one.items for one in score.cited)
    assert sum(one.disputed for one in score.cited) == len(score.gate1.disputed)


def test_clauses_are_told_by_their_disputes_then_by_their_ratings_then_by_name(tmp_path: Path) -> None:
    opened = small_round(tmp_path)
    cited = ("often", "often", "often", "argued", "b", "a")
    with AnswerLog(opened.folder / ANSWERS) as log:
        log.add("ann", [grade(at, 1, clauses=(clause,)) for at, clause in enumerate(cited)])
        log.add("bob", [grade(at, 2 if clause == "argued" else 1) for at, clause in enumerate(cited)])
    found = [(one.clause, one.disputed, one.ratings) for one in live(opened).cited]
    assert found == [("argued", 1, 1), ("often", 0, 3), ("a", 0, 1), ("b", 0, 1)]


def timed(rater: str, *milliseconds: int) -> list[Timed]:
    return [Timed(rater, f"i{at}", f"query {at}", ms) for at, ms in enumerate(milliseconds)]


def test_pace_is_the_geometric_mean_of_the_times_beside_the_others() -> None:
    answers = [*timed("a", 1000, 4000, 2000), *timed("b", 2000, 4000, 8000), *timed("c", 2000, 16000, 2000)]
    pace = pace_of(answers, "a")
    assert pace.value == pytest.approx((1 / 2 * 1 / 2 * 1 / 2) ** (1 / 3))
    assert pace.n == 3
    alone = pace_of(timed("a", 1000, 2000), "a")
    assert (alone.value, alone.n) == (None, 0)
    assert alone.reason == "undefined: no other rater has timed answers to the same pairs"


def test_a_pair_that_is_seen_again_and_an_answer_without_a_time_are_not_timed(tmp_path: Path) -> None:
    opened = small_round(tmp_path)
    again = Assignment(rater="ann", place=len(opened.pairs), code="code0", repeat=1)
    with (opened.folder / ASSIGNMENTS).open("a", encoding="utf-8") as file:
        file.write(f"{again.model_dump_json()}\n")
    planned = json.loads((opened.folder / ROUND).read_text(encoding="utf-8"))
    planned["planned"] += 1
    (opened.folder / ROUND).write_text(json.dumps(planned), encoding="utf-8")
    opened = read_round(opened.folder, Project(tmp_path))
    with AnswerLog(opened.folder / ANSWERS) as log:
        log.add("ann", [grade(0, milliseconds=4000), grade(1, milliseconds=8000), grade(2)])
        log.add("ann", [grade(again.place, milliseconds=1000)])
        log.add("bob", [grade(0, milliseconds=2000), grade(1, milliseconds=2000)])
    ann, bob = live(opened).raters
    assert ann.seconds and (ann.seconds.n, ann.seconds.median, ann.graded) == (2, 6.0, 4)
    assert bob.seconds and (bob.seconds.n, bob.seconds.median) == (2, 2.0)
    assert ann.pace.n == 2 and ann.pace.value == pytest.approx(8**0.5)


def test_pace_has_an_interval_clustered_by_query() -> None:
    """Of six pairs in four queries a takes half, as long or twice; logarithms, with t(.975, 3) = 3.182446."""
    queries = ("red shoe", "red shoe", "Red  shoe", "hat", "bag", "belt")
    own, others = (500, 2000, 1000, 2000, 1000, 500), (1000, 1000, 1000, 1000, 1000, 1000)
    answers = [
        Timed(rater, f"i{at}", query, times[at])
        for rater, times in (("b", others), ("a", own))
        for at, query in enumerate(queries)
    ]
    pace = pace_of([*answers, Timed("a", "alone", "coat", 9000), Timed("b", "other", "coat", 9000)], "a")
    assert pace.value == pytest.approx(1)
    assert (pace.n, pace.reason) == (6, None)
    # By query the logarithms sum to 0, log 2, 0 and -log 2.
    half = 3.1824463 * math.sqrt(4 / 3 * 2 * math.log(2) ** 2) / 6
    assert pace.ci == pytest.approx((math.exp(-half), math.exp(half)))


def test_seconds_are_the_median_and_the_quartiles() -> None:
    found = seconds_of(timed("a", 1000, 2000, 3000, 4000, 9000), "a")
    assert found is not None and (found.low, found.median, found.high, found.n) == (2.0, 3.0, 4.0, 5)
    assert seconds_of([], "a") is None


@pytest.mark.parametrize(("seconds", "named"), [(2.0, True), (4.0, False)])
def test_fast_is_said_with_its_interval_and_of_nobody_else(
    seconds: float, named: bool, tmp_path: Path
) -> None:
    opened = party(tmp_path, RATERS)
    answer(opened, Guest("ann"), Guest("bob"), Guest("cy", misses=0.6, seconds=seconds))
    score = live(opened)
    assert FAST == 0.5
    lines = list(pace_lines(score))
    assert bool(lines) is named
    if named:
        assert lines[0].startswith("cy takes 0.3") and "95 % interval" in lines[0]
        assert "agrees least with the rest" in lines[0]


def test_raters_are_told_apart_by_how_far_they_are(tmp_path: Path) -> None:
    opened = party(tmp_path, ("ann", "bob", "cy", "dee"))
    answer(opened, Guest("ann"), Guest("bob"), Guest("cy", 0.3))
    keep(opened, "ann")
    lines = "\n".join(str(getattr(part, "renderable", part)) for part in live_view(live(opened)))
    assert "Round r1 is open" in lines
    shown = harness("rate", "live", "--policy", "small", "--root", tmp_path).out
    for state in ("sealed", "done", "rating", "not begun"):
        assert state in shown


def test_items_needed_is_said_as_more_items(tmp_path: Path) -> None:
    opened = party(tmp_path, RATERS)
    answer(opened, Guest("ann", 0.6, 0.08), Guest("bob", 0.6, 0.08), Guest("cy", 0.6, 0.08))
    score = live(opened)
    assert score.gate1 is not None and score.gate1.items_needed is not None
    more = score.gate1.items_needed - score.gate1.n_items
    said = " ".join(harness("rate", "live", "--policy", "small", "--root", tmp_path).out.split())
    in_all = f"({score.gate1.items_needed:,} items in {score.gate1.queries_needed} queries in all)"
    assert f"About {more:,} more items {in_all} would decide it" in said


def test_judging_with_a_reason_to_wait_leaves_the_figures(tmp_path: Path) -> None:
    from harness.golden.rating.ratings import Rated

    opened = party(tmp_path, RATERS)
    answer(opened, *ALIKE)
    lines = [line for one in round_now(opened).sets for line in one.said if isinstance(line, Rating)]
    judged = judge_raters(Rated(lines), (0, 1, 2), Gates())
    waiting = judge_raters(Rated(lines, unfinished="not yet"), (0, 1, 2), Gates())
    assert judged.verdict == "pass" and waiting.verdict == "inconclusive" and waiting.reason == "not yet"
    assert waiting.kappa == judged.kappa and waiting.pairs == judged.pairs


def test_a_run_that_begins_while_a_round_is_open_has_no_gate_1_for_good(tmp_path: Path) -> None:
    opened = party(tmp_path, RATERS)
    answer(opened, *ALIKE[:2], Guest("cy", 0.5, 0.04))
    keep(opened, "ann", "bob")
    words = ("eval", "--policy", "small", "--model", "builtin/majority", "--root", tmp_path)
    assert harness(*words, "--prompt", "teacher").code == 0
    said = json.loads(harness("gate2", "latest", "--root", tmp_path, "--json").out)
    assert said["gate1"] == "inconclusive" and "Gate 1 has not passed" in said["provisional"]
    close(round_now(opened), None, "ill")
    keep(opened, "cy")
    again = json.loads(harness("gate2", "latest", "--root", tmp_path, "--json").out)
    assert again["gate1"] == "inconclusive", "the run keeps the ratings that it began with"
    assert harness(*words, "--prompt", "teacher").code == 0
    early = json.loads(harness("gate2", "latest", "--root", tmp_path, "--json").out)
    assert early["gate1"] == "pass" and "closed early" in early["provisional"]


def test_ship_waits_for_an_open_round(tmp_path: Path) -> None:
    opened = party(tmp_path, RATERS)
    answer(opened, *ALIKE[:2], Guest("cy", 0.5, 0.04))
    keep(opened, "ann", "bob")
    done = harness("ship", "--policy", "small@v1", "--root", tmp_path)
    assert done.code == 3 and "round r1 is open" in " ".join(done.out.split())
