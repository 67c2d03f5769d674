"""A cascade is chosen on dev alone and confirmed on test; where no threshold helps, none is chosen."""

import json
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import harness
from comparing import ACTIONS, SCALE, item, side
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2
from sklearn.metrics import cohen_kappa_score

from harness import choose_cascade as notebook_cascade
from harness.comparison.cascade import (
    CascadeAnswers,
    Couple,
    answers_of,
    couple_of,
    judge_cascade,
    side_of_cascade,
)
from harness.comparison.sides import Side
from harness.errors import BadInput
from harness.nouns.policy import Gates
from harness.runs.cascade_file import load_cascade
from harness.score.items import GradedItem
from harness.score.items import ItemAnswer as Answer
from harness.scorecards.cascade import CascadeCheck, CascadeCost
from harness.stats.cascade import FEW_DIFFER, loss_of, mixed, sent, thresholds
from harness.stats.few_events import FEW_EVENTS
from harness.stats.intervals import ONE_CLUSTER, KappaTable
from harness.stats.paired import skewness
from harness.stats.proportions import clopper_pearson
from harness.student.cascade import KEPT, LEAST, TRIED, Rule, choose_cascade

COST = CascadeCost(student=0.0, teacher=4.0)
Kind = Callable[[random.Random], tuple[bool, float]]
"""Whether a student is right, and how sure it is."""


def knowing(by_chance: random.Random) -> tuple[bool, float]:
    """On half of the items nearly as right as the teacher and sure; on the others it guesses, and knows."""
    easy = by_chance.random() < 0.5
    how = by_chance.uniform(0.8, 1.0) if easy else by_chance.uniform(0.35, 0.8)
    return by_chance.random() < (0.93 if easy else 0.4), how


def blind(by_chance: random.Random) -> tuple[bool, float]:
    """Right on four of ten, and as sure of the others."""
    return by_chance.random() < 0.4, by_chance.uniform(0.35, 1.0)


def excellent(by_chance: random.Random) -> tuple[bool, float]:
    """Better than its teacher on everything."""
    return by_chance.random() < 0.97, by_chance.uniform(0.35, 1.0)


def planted(kind: Kind, seed: int = 1, queries: int = 150) -> tuple[Side, Side, dict[str, str]]:
    """A student, its teacher that is right on 90 %, and the splits: as many queries in dev as in test."""
    by_chance = random.Random(seed)
    ours, theirs, splits = [], [], {}
    for query in range(2 * queries):
        for number in range(4):
            name, golden = f"i{query}-{number}", by_chance.choice(SCALE)
            right, how = kind(by_chance)
            grade = golden if right else by_chance.choice([one for one in SCALE if one != golden])
            taught = golden if by_chance.random() < 0.9 else by_chance.choice(SCALE)
            told = item(name, golden, grade, query=f"q{query}")
            ours.append(replace(told, answers=(sure(grade, how),)))
            theirs.append(item(name, golden, taught, query=f"q{query}"))
            splits[name] = "dev" if query < queries else "test"
    more: dict[str, Any] = {"action_of": ACTIONS}
    return side(*ours, name="student", **more), side(*theirs, name="teacher", **more), splits


def sure(grade: int, how: float) -> Answer:
    rest = (1 - how) / 2
    return Answer(grade, "graded", probabilities={one: how if one == grade else rest for one in SCALE})


def choose(kind: Kind, seed: int = 1, rule: Rule | None = None, queries: int = 150) -> CascadeCheck:
    student, teacher, splits = planted(kind, seed, queries)
    return choose_cascade(student, teacher, splits, rule or Rule(), COST)


# --- what is chosen --------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_a_student_that_knows_what_it_knows_is_left_alone_there(seed: int) -> None:
    found = choose(knowing, seed)
    assert found.threshold is not None and found.dev and found.test
    assert 0.3 < found.dev.sent < 0.7 and 0.65 < found.threshold < 0.95
    assert found.dev.low is not None and found.dev.low > -found.margin
    # The cascade is much better than the student alone, for half of the teacher's price.
    assert (found.test.cascade.kappa.value or 0) > (found.test.student.kappa.value or 1) + 0.2
    assert found.test.cost == pytest.approx(4.0 * found.test.sent) and 1 < (found.test.cost or 0) < 3
    assert found.verdict in ("pass", "inconclusive")


def test_what_dev_chose_is_confirmed_on_test() -> None:
    found = choose(knowing, seed=1, rule=Rule(margin=0.08))
    assert found.verdict == "pass" and found.reason.startswith("the cascade may stand in for its teacher:")
    assert found.test and found.test.low is not None and found.test.low > -0.08
    # The verdict is read from test, and not from dev.
    assert f"kappa moved by {found.test.delta.value:+.3f}" in found.conditions[0].reason
    assert found.dev and found.dev.delta.value != found.test.delta.value


@pytest.mark.parametrize("seed", range(3))
def test_where_no_threshold_helps_none_is_chosen_and_test_is_not_looked_at(seed: int) -> None:
    found = choose(blind, seed)
    assert (found.threshold, found.dev, found.test) == (None, None, None)
    assert found.verdict != "pass" and "95 % limit" in found.reason


def test_a_student_that_surely_loses_at_every_threshold_fails() -> None:
    found = choose(blind, queries=600, rule=Rule(margin=0.01))
    assert (found.verdict, found.threshold) == ("fail", None)
    assert "every threshold on dev surely loses more than 0.01" in found.reason


def test_a_student_that_may_stand_in_alone_sends_nothing() -> None:
    found = choose(excellent)
    assert found.dev and found.dev.sent == 0 and found.verdict == "pass"
    assert found.test and found.test.cost == pytest.approx(4.0 * found.test.sent) and found.test.sent < 0.02


def test_the_least_share_is_sent_that_dev_shows_to_be_enough() -> None:
    found = choose(knowing)
    before = [one for one in found.curve if found.dev and one.sent < found.dev.sent]
    assert before and all(one.low is None or one.low <= -found.margin for one in before)


def test_a_share_takes_the_highest_kappa_within_it() -> None:
    found = choose(knowing, rule=Rule(share=0.25))
    assert found.dev and found.dev.sent <= 0.25 and found.share == 0.25
    best = max(one.kappa or 0 for one in found.curve if one.sent <= 0.25)
    assert found.dev.cascade.kappa.value == best
    # At so small a share the cascade loses, and test says so.
    assert found.verdict == "fail" and found.reason.startswith("the cascade may not stand in")


def test_a_limit_at_the_margin_is_not_enough_and_a_share_that_is_asked_for_is() -> None:
    found = choose(knowing, queries=60, rule=Rule(margin=0.2))
    assert found.dev and found.dev.low is not None
    again = choose(knowing, queries=60, rule=Rule(margin=-found.dev.low))
    assert again.threshold is None or (again.dev and again.dev.sent > found.dev.sent)
    record = [
        one.sent
        for at, one in enumerate(found.curve)
        if one.sent < 0.5 and all((one.kappa or 0) > (before.kappa or 0) for before in found.curve[:at])
    ]
    whole = choose(knowing, queries=60, rule=Rule(share=record[-1])).dev
    assert whole and whole.sent == record[-1]


def test_at_least_a_tenth_is_left_to_the_student() -> None:
    student, teacher, splits = planted(blind)
    found = choose_cascade(student, teacher, splits, Rule(margin=2.0), COST)
    assert found.dev and found.dev.sent == 0
    none = {key: replace(one, answers=(Answer(one.answers[0].grade, "graded"),)) if at % 20 else one
            for at, (key, one) in enumerate(student.items.items())}  # fmt: skip
    few = choose_cascade(replace(student, items=none), teacher, splits, Rule(margin=2.0), COST)
    assert few.threshold is None and f"no threshold leaves {KEPT:.0%} of dev to the student" in few.reason
    assert few.verdict == "inconclusive"


@pytest.mark.parametrize(("kept", "chosen"), [(24, True), (23, False)])
def test_a_tenth_is_enough_and_less_is_not(kept: int, chosen: bool) -> None:
    """Of 240 items of dev."""
    student, teacher, splits = planted(excellent, queries=60)
    names = [name for name in splits if splits[name] == "dev"][:kept]
    sure_of = {**dict.fromkeys(names, 0.9), **{name: 0.5 for name in splits if splits[name] == "test"}}
    found = choose_cascade(student, teacher, splits, Rule(margin=2.0), COST, sure_of)
    assert (found.threshold == 0.9) == chosen and len(names) == kept
    # No loss at all is never shown, and the reason says whether there was a threshold to show it of.
    none = choose_cascade(student, teacher, splits, Rule(margin=0.0), COST, sure_of)
    assert none.threshold is None
    assert ("no threshold leaves 10% of dev to the student" in none.reason) != chosen


def test_at_most_so_many_thresholds_are_tried() -> None:
    assert len(choose(knowing).curve) == TRIED == 200


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(SCALE), st.floats(0.01, 0.99))
def test_nothing_of_test_moves_the_threshold(seed: int, grade: int, how: float) -> None:
    """Other answers, golden grades and confidences of test: the same choice, and the same figures of dev."""
    student, teacher, splits = planted(knowing, queries=30)
    rule = Rule(margin=0.2)
    found = choose_cascade(student, teacher, splits, rule, COST)
    assert found.threshold is not None
    by_chance = random.Random(seed)

    def other(one: Side, answer: Callable[[], Answer]) -> Side:
        items = {
            key: replace(each, golden=grade, answers=(answer(),)) if splits[key] == "test" else each
            for key, each in one.items.items()
        }
        return replace(one, items=items)

    moved = choose_cascade(
        other(student, lambda: sure(by_chance.choice(SCALE), how)),
        other(teacher, lambda: Answer(by_chance.choice(SCALE), "graded")),
        splits, rule, COST,
    )  # fmt: skip
    assert (moved.threshold, moved.curve, moved.dev) == (found.threshold, found.curve, found.dev)
    assert moved.test != found.test


# --- figures ---------------------------------------------------------------------------------------


def test_figures_are_those_that_one_counts_by_hand() -> None:
    student, teacher, splits = planted(knowing)
    found = choose_cascade(student, teacher, splits, Rule(), COST)
    assert found.test and found.threshold is not None
    rows = []
    for key, one in student.items.items():
        if splits[key] == "test":
            answer, theirs = one.answers[0], teacher.items[key].answers[0].grade
            known = (answer.probabilities or {})[answer.grade or 0] >= found.threshold
            rows.append((one.golden, answer.grade if known else theirs, known, answer.grade, theirs))
    golden, cascade, alone, taught = (np.array([row[at] for row in rows]) for at in (0, 1, 3, 4))
    kept = [row[2] for row in rows]
    assert found.test.sent == pytest.approx(1 - np.mean(kept))
    assert found.test.cascade.kappa.value == pytest.approx(cohen_kappa_score(golden, cascade))
    quadratic = cohen_kappa_score(golden, cascade, weights="quadratic")
    assert found.test.cascade.kappa_quadratic.value == pytest.approx(quadratic)
    assert found.test.student.kappa.value == pytest.approx(cohen_kappa_score(golden, alone))
    assert found.test.teacher.kappa.value == pytest.approx(cohen_kappa_score(golden, taught))
    assert found.test.delta.value == pytest.approx(
        cohen_kappa_score(golden, cascade) - cohen_kappa_score(golden, taught)
    )


def test_unread_answers_and_those_without_a_confidence_go_to_the_teacher() -> None:
    student, teacher, splits = planted(excellent, queries=40)
    changed = dict(student.items)
    names = [name for name in changed if splits[name] == "test"]
    changed[names[0]] = replace(changed[names[0]], answers=(Answer(None, "ungraded"),))
    changed[names[1]] = replace(changed[names[1]], answers=(Answer(changed[names[1]].golden, "graded"),))
    couple = couple_of(replace(student, items=changed), teacher)
    there = side_of_cascade(couple, 0.0)
    for name in names[:2]:
        assert there.items[name].answers == teacher.items[name].answers
    assert there.items[names[2]].answers == student.items[names[2]].answers
    found = answers_of(couple)
    assert found.asked(0.0).sum() == 2 and np.isnan(found.sure).sum() == 2
    # The teacher's own unread answers stay unread where it is asked, and are in no paired figure.
    unread = dict(teacher.items)
    unread[names[0]] = replace(unread[names[0]], answers=(Answer(None, "ungraded"),))
    both = couple_of(replace(student, items=changed), replace(teacher, items=unread))
    assert side_of_cascade(both, 0.0).items[names[0]].answers[0].grade is None
    assert answers_of(both).loss(0.0, "none").value is not None


def test_ties_of_confidence_are_never_split() -> None:
    values = np.array([0.5, 0.9, 0.5, 0.7, 0.9, np.nan, 0.9])
    tried = thresholds(values, 200)
    assert tried.tolist() == [0.5, pytest.approx(0.6), pytest.approx(0.8)]
    assert [sent(values, one).tolist().count(True) for one in tried] == [1, 3, 4]
    assert thresholds(np.full(9, 0.4), 200).tolist() == [0.4]
    assert len(thresholds(np.full(3, np.nan), 200)) == 0
    many = thresholds(np.linspace(0, 1, 1001), 200)
    assert len(many) == 200 and (np.diff(many) > 0).all()
    # Neighbours without a middle: the upper one is kept, the lower one sent.
    low = 0.1
    high = float(np.nextafter(low, 1))
    assert sent(np.array([low, high]), thresholds(np.array([low, high]), 200)[1]).tolist() == [True, False]


@given(st.lists(st.sampled_from([0.2, 0.4, 0.4000001, 0.9, 1.0]), min_size=1, max_size=30))
def test_every_threshold_sends_another_share_and_none_sends_all(values: list[float]) -> None:
    sure_of = np.array(values)
    counts = [int(sent(sure_of, one).sum()) for one in thresholds(sure_of, 200)]
    assert counts[0] == 0 and counts == sorted({*counts}) and counts[-1] < len(values)
    assert len(counts) == len({*values})


def table(teacher: Sequence[int], golden: Sequence[int]) -> KappaTable:
    return KappaTable(np.array(golden), np.array(teacher), np.arange(len(golden)), SCALE, "none")


def test_few_differences_have_an_exact_limit_and_no_interval() -> None:
    golden = [0, 1, 2] * 40
    found = loss_of(table(golden, golden), np.array(golden))
    # None of 120 queries differs: U = 1 - 0.05^(1/120), d* = 1, De = 2/3.
    assert (found.value, found.differ, found.high, found.ci) == (0.0, 0, None, None)
    assert found.low == pytest.approx(-(1 - 0.05 ** (1 / 120)) / (2 / 3)) and found.reason is FEW_DIFFER
    for apart in range(1, FEW_EVENTS + 2):
        cascade = np.array([(one + 1) % 3 if at < apart else one for at, one in enumerate(golden)])
        loss = loss_of(table(golden, golden), cascade)
        exact = -clopper_pearson(apart, 120, 0.90).high / (2 / 3)
        assert loss.low is not None and loss.differ == apart
        assert (loss.low == pytest.approx(exact)) == (apart < FEW_EVENTS) == (loss.high is None)


def test_the_exact_limit_counts_how_far_answers_moved() -> None:
    golden = np.array([0, 1, 2] * 40)
    for weighting, apart in (("linear", 2), ("quadratic", 4)):
        taught = KappaTable(golden, golden, np.arange(120), SCALE, weighting)  # type: ignore[arg-type]
        far = np.where(np.arange(120) == 2, 0, golden)  # golden 2 becomes 0
        found = loss_of(taught, far)
        expected = {"linear": 8 / 9, "quadratic": 4 / 3}[weighting]
        assert found.low == pytest.approx(-clopper_pearson(1, 120, 0.90).high * apart / expected)


def test_two_queries_have_a_limit() -> None:
    """One of two differs: surely at most sqrt .95 of all do (Clopper and Pearson); De = 2/3."""
    golden = np.array([0, 1, 2] * 2)
    two = KappaTable(golden, golden, np.repeat([0, 1], 3), SCALE, "none")
    found = loss_of(two, np.array([0, 1, 1, 0, 1, 2]))
    assert found.low is not None and found.low <= -math.sqrt(0.95) / (2 / 3)
    assert (found.differ, found.reason) == (1, FEW_DIFFER)


def test_another_wrong_grade_may_be_as_far_off_as_any() -> None:
    """The cascade is wrong where the teacher is, in another way: no loss here, and none that is known."""
    golden = [0, 1, 2] * 40
    taught = [1, *golden[1:]]
    found = loss_of(table(taught, golden), np.array([2, *golden[1:]]))
    assert (found.value, found.differ) == (0, 1)
    assert found.low == pytest.approx(-clopper_pearson(1, 120, 0.90).high / (2 / 3))


def test_one_query_has_no_limit() -> None:
    one = KappaTable(np.array([0, 1, 2]), np.array([0, 1, 2]), np.zeros(3, dtype=np.int64), SCALE, "none")
    found = loss_of(one, np.array([0, 1, 1]))
    assert (found.low, found.differ, found.reason) == (None, 1, ONE_CLUSTER)


def test_where_all_grades_are_one_there_is_no_kappa_to_lose() -> None:
    found = loss_of(table([1] * 20, [1] * 20), np.array([1] * 19 + [1]))
    assert (found.value, found.low, found.high, found.differ) == (None, None, None, 0)
    assert found.reason is not None and found.reason.kind == "undefined"


def test_mixed_takes_the_teacher_where_it_is_asked() -> None:
    assert mixed(np.array([0, 1, 2]), np.array([2, 2, 0]), np.array([True, False, True])).tolist() == [
        2,
        1,
        0,
    ]


def test_an_unknown_cost_is_none_and_a_student_that_sends_nothing_needs_no_price() -> None:
    unknown = CascadeCost(student=0.0, teacher=None, reason="no price")
    assert unknown.of(0.5) is None and unknown.of(0.0) == 0.0
    assert CascadeCost(student=0.5, teacher=4.0).of(0.25) == 1.5
    assert CascadeCost(student=None, teacher=4.0).of(0.25) is None
    student, teacher, splits = planted(knowing, queries=40)
    found = choose_cascade(student, teacher, splits, Rule(margin=0.3), unknown)
    assert found.test and found.test.cost is None and found.cost.reason == "no price"


def harmed(queries: int, most: float, draw: np.random.Generator) -> tuple[KappaTable, Any]:
    """A teacher that is right on nine of ten, and answers that lose `most` of kappa and gain nothing."""
    golden = draw.integers(0, 3, queries)
    teacher = np.where(draw.random(queries) < 0.9, golden, (golden + 1) % 3)
    # A wrong answer where the teacher is right costs 1.5 of kappa, at three equal grades.
    lost = (draw.random(queries) < most / 1.5 / 0.9) & (teacher == golden)
    return table(teacher.tolist(), golden.tolist()), np.where(lost, (golden + 2) % 3, teacher)


@pytest.mark.slow
@pytest.mark.parametrize("queries", [200, 400, 600, 1_000, 3_000])
def test_the_limit_holds_as_often_as_it_says(queries: int) -> None:
    """Where the true loss is the margin, a cascade passes in at most about 5 % of the sets."""
    draw = np.random.default_rng(0)
    passed, sets, margin = 0, 2_000, 0.05
    for _ in range(sets):
        found = loss_of(*harmed(queries, margin, draw))
        passed += found.low is not None and found.low > -margin
    # By t alone 600 to 3,000 queries pass in 6.3 to 7.7 %.
    assert passed / sets < 0.055


@pytest.mark.parametrize("lost", [12, 25, 80])
def test_rare_losses_without_gains_have_the_exact_limit_of_their_count(lost: int) -> None:
    """Poisson's upper limit of a count (Garwood 1936): half the 95 % quantile of chi square on 2 (X + 1)."""
    queries = 4_000
    golden = np.arange(queries) % 3
    at = np.arange(queries) < lost
    found = loss_of(table(golden.tolist(), golden.tolist()), np.where(at, (golden + 1) % 3, golden))
    exact = chi2.ppf(0.95, 2 * (lost + 1)) / 2
    assert found.value is not None and found.low is not None and found.high is not None
    assert found.low / found.value == pytest.approx(exact / lost, rel=0.01)
    # By t it would end before: the count has fewer losses where it has a small error.
    by_t = 2 * found.value - found.high
    assert by_t / found.value < 0.985 * exact / lost


def test_gains_take_nothing_from_the_limit() -> None:
    """With more gained than lost the error is as t has it, and no limit moves up."""
    golden = np.arange(900) % 3
    teacher = np.where(np.arange(900) < 200, (golden + 1) % 3, golden)
    cascade = np.where(np.arange(900) < 100, golden, teacher)
    found = loss_of(table(teacher.tolist(), golden.tolist()), cascade)
    assert found.value is not None and found.low is not None and found.high is not None
    assert found.value - found.low == pytest.approx(found.high - found.value)
    assert skewness(np.zeros(4), np.arange(4), 4) == 0.0


# --- what is refused, and what is said ---------------------------------------------------------------


def test_a_student_without_any_confidence_is_refused() -> None:
    student, teacher, splits = planted(knowing, queries=20)
    bare = {key: replace(one, answers=(Answer(1, "graded"),)) for key, one in student.items.items()}
    with pytest.raises(BadInput, match="gives no confidence, which a cascade needs"):
        choose_cascade(replace(student, items=bare), teacher, splits, Rule(), COST)


def test_few_items_and_a_split_that_lacks_are_refused() -> None:
    student, teacher, splits = planted(knowing, queries=20)
    names = list(splits)
    assert LEAST == 20
    few = {name: "dev" if at < LEAST - 1 else "test" for at, name in enumerate(names)}
    with pytest.raises(BadInput, match=f"both graded {LEAST - 1} items of dev"):
        choose_cascade(student, teacher, few, Rule(), COST)
    enough = {name: "dev" if at < LEAST else "test" for at, name in enumerate(names)}
    assert choose_cascade(student, teacher, enough, Rule(), COST).verdict == "inconclusive"
    with pytest.raises(BadInput, match="teacher graded nothing of test"):
        choose_cascade(student, teacher, dict.fromkeys(names, "dev"), Rule(), COST)


def test_items_without_queries_count_each_by_itself_and_that_is_said() -> None:
    student, teacher, splits = planted(knowing, queries=60)

    def alone(one: GradedItem) -> GradedItem:
        return replace(one, cluster=one.item)

    student, teacher = (
        replace(one, items={key: alone(each) for key, each in one.items.items()}, knows_queries=False)
        for one in (student, teacher)
    )
    found = choose_cascade(student, teacher, splits, Rule(margin=0.2), COST)
    assert found.dev and found.dev.n_clusters == found.dev.n == 240
    assert any("treat items as independent" in text for text in found.warnings)


@pytest.mark.parametrize(("shift", "named"), [(0.0, False), (0.01, False), (0.07, True)])
def test_a_student_that_is_less_sure_on_test_is_named(shift: float, named: bool) -> None:
    student, teacher, splits = planted(knowing)
    items = {}
    for key, one in student.items.items():
        answer = one.answers[0]
        how = (answer.sure or 0.0) - shift * (splits[key] == "test")
        items[key] = replace(one, answers=(sure(answer.grade or 0, how),))
    found = choose_cascade(replace(student, items=items), teacher, splits, Rule(), COST)
    assert any("more apart than chance explains" in text for text in found.warnings) == named


@pytest.mark.parametrize(("sent_of_test", "named"), [(227, False), (228, True)])
def test_shares_of_dev_and_test_are_apart_from_1_96_errors_on(sent_of_test: int, named: bool) -> None:
    """200 of 400 queries of dev are sent: 1.96 errors are .0691, and .0675 or .07 more of test are sent."""
    items = [item(f"i{at}", at % 3, at % 3) for at in range(800)]
    sure_of = {f"i{at}": 0.9 for at in range(800) if at < 200 or at >= 400 + sent_of_test}
    splits = {f"i{at}": "dev" if at < 400 else "test" for at in range(800)}
    student, teacher = (side(*items, name=name, action_of=ACTIONS) for name in ("student", "teacher"))
    found = choose_cascade(student, teacher, splits, Rule(margin=2.0), COST, sure_of)
    assert found.dev and found.test
    assert (found.dev.sent, found.test.sent) == (0.5, sent_of_test / 400)
    assert any("more apart than chance explains" in text for text in found.warnings) == named


def test_the_margin_and_the_weighting_are_those_of_the_gates() -> None:
    student, teacher, splits = planted(knowing, queries=60)
    gates = Gates(weighting="quadratic", margin=0.21)
    student, teacher = (replace(one, gates=gates) for one in (student, teacher))
    found = choose_cascade(student, teacher, splits, Rule(), COST)
    assert (found.gated, found.margin) == ("kappa_quadratic", 0.21)
    assert choose_cascade(student, teacher, splits, Rule("linear", 0.3), COST).gated == "kappa_linear"


def test_in_a_notebook_arrays_say_the_same() -> None:
    student, teacher, splits = planted(knowing, queries=60)
    names = list(student.items)
    grades = [[side.items[name].answers[0].grade for name in names] for side in (student, teacher)]
    sure_of: list[Any] = [student.items[name].answers[0].sure for name in names]
    golden = [student.items[name].golden for name in names]
    given: dict[str, Any] = {
        "scale": "0-2", "margin": 0.2, "cost": (0.0, 4.0),
        "queries": [student.items[name].cluster for name in names],
    }  # fmt: skip
    split = [splits[name] for name in names]
    found = notebook_cascade(golden, grades[1], grades[0], sure_of, split, **given)
    by_command = choose_cascade(student, teacher, splits, Rule(margin=0.2), COST)
    assert (found.threshold, found.curve) == (by_command.threshold, by_command.curve)
    assert found.test and by_command.test and found.test.sent == by_command.test.sent
    assert "teacher alone" in str(found)
    missing = [None, float("nan"), *sure_of[2:]]
    sent_two = notebook_cascade(golden, grades[1], grades[0], missing, split, **given)
    assert sent_two.curve[0].sent == pytest.approx(2 / 240)
    with pytest.raises(BadInput, match="confidence: 'high' of"):
        notebook_cascade(golden, grades[1], grades[0], ["high", *sure_of[1:]], split, **given)
    with pytest.raises(BadInput, match="confidence: "):
        notebook_cascade(golden, grades[1], grades[0], sure_of[1:], split, **given)


def arrays() -> dict[str, Any]:
    """The arguments of a notebook's cascade."""
    student, teacher, splits = planted(knowing, queries=30)
    names = list(student.items)
    ours, theirs = ([one.items[name].answers[0].grade for name in names] for one in (student, teacher))
    return {
        "golden": [student.items[name].golden for name in names], "teacher": theirs, "student": ours,
        "confidence": [student.items[name].answers[0].sure for name in names],
        "split": [splits[name] for name in names], "scale": "0-2", "margin": 0.2,
        "queries": [int(student.items[name].cluster[1:]) for name in names],
    }  # fmt: skip


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("margin", NAN, "margin nan; expected a number between 0 and 2"),
        ("margin", 2.01, "margin 2.01; expected a number between 0 and 2"),
        ("margin", -0.01, "margin -0.01; expected a number between 0 and 2"),
        ("margin", True, "margin True; expected a number between 0 and 2"),
        ("share", NAN, "share nan; expected a number between 0 and 1"),
        ("share", 7, "share 7; expected a number between 0 and 1"),
        ("cost", (INF, 1.0), "cost of the student inf; expected a number from 0 on"),
        ("cost", (0.0, -1.0), "cost of the teacher -1.0; expected a number from 0 on"),
        ("cost", (NAN, None), "cost of the student nan"),
        ("cost", 4.0, "cost 4.0; expected USD for 1,000 pairs by the student and by the teacher"),
    ],
)  # fmt: skip
def test_a_notebook_refuses_what_is_no_such_number(name: str, value: Any, told: str) -> None:
    with pytest.raises(BadInput) as caught:
        notebook_cascade(**{**arrays(), name: value})
    (fault,) = caught.value.faults
    assert str(fault).startswith(told)


def test_a_notebook_names_all_that_is_wrong_at_once() -> None:
    given = arrays()
    given["split"][3:6] = ["Dev", None, "shots"]
    given["confidence"][7] = "90%"
    with pytest.raises(BadInput) as caught:
        notebook_cascade(**{**given, "margin": NAN, "cost": (INF, -1)})
    told = [str(fault) for fault in caught.value.faults]
    assert len(told) == 7
    assert "split: 'Dev' of 3 is neither dev nor test" in told and "split: None of 4" in " ".join(told)
    assert "confidence: '90%' of 7 is not a number" in told


@pytest.mark.parametrize("name", ["margin", "share"])
def test_the_ends_of_what_a_notebook_takes(name: str) -> None:
    most = {"margin": 2, "share": 1}[name]
    for value in (0, most, np.float64(most)):
        assert notebook_cascade(**{**arrays(), name: value}).curve


def test_the_query_0_of_the_item_0_is_a_query() -> None:
    given = arrays()
    assert given["queries"][0] == 0
    found = notebook_cascade(**given)
    assert not any("query" in text for text in found.warnings)
    given["queries"][0] = None
    assert any("1 of 120 items name no query" in text for text in notebook_cascade(**given).warnings)


def test_several_answers_to_an_item_are_refused_for_their_vote_is_better() -> None:
    given = arrays()
    twice = [[one, one] for one in given["teacher"]]
    with pytest.raises(BadInput, match=r"its teacher: was asked 2 times .* runs without --repeats") as caught:
        notebook_cascade(**{**given, "teacher": twice})
    assert len(caught.value.faults) == 1
    both = {"teacher": twice, "student": [[one, one, None] for one in given["student"]]}
    with pytest.raises(BadInput, match="the student: was asked 3 times") as caught:
        notebook_cascade(**{**given, **both})
    assert len(caught.value.faults) == 2


def test_numbers_near_the_end_of_numbers_have_a_middle() -> None:
    assert thresholds(np.array([1e308, 1.7e308]), 9).tolist() == [1e308, 1.35e308]


# --- few differences -------------------------------------------------------------------------------


def apart_by(queries: int, differ: int) -> tuple[Couple, CascadeAnswers]:
    """A student that is right but in so many queries, beside a teacher that is right throughout."""
    golden = [SCALE[at % 3] for at in range(queries)]
    ours = [
        replace(item(f"i{at}", one, other, query=f"q{at}"), answers=(sure(other, 0.9),))
        for at, one in enumerate(golden)
        for other in [(one + 1) % 3 if at < differ else one]
    ]
    theirs = [item(f"i{at}", one, one, query=f"q{at}") for at, one in enumerate(golden)]
    more: dict[str, Any] = {"action_of": ACTIONS}
    couple = couple_of(side(*ours, name="student", **more), side(*theirs, name="teacher", **more))
    return couple, answers_of(couple)


def test_the_verdict_of_test_is_by_the_limit_of_rare_losses() -> None:
    """A margin that the paired error alone calls kept, and the limit does not."""
    couple, answers = apart_by(600, 15)
    loss = answers.loss(0.0, "none")
    assert loss.value is not None and loss.low is not None and loss.high is not None and loss.differ == 15
    by_t = 2 * loss.value - loss.high
    found = judge_cascade(couple, 0.0, "none", Gates(margin=-(by_t + loss.low) / 2, never_grow=()))
    assert found.low == pytest.approx(by_t) and by_t > -found.margin
    assert (found.verdict, found.conditions[0].verdict) == ("inconclusive", "inconclusive")
    assert f"one-sided 95 % limits {loss.low:+.3f} and {loss.high:+.3f}" in found.conditions[0].reason


def test_a_cascade_that_answers_as_its_teacher_passes_as_regress_does() -> None:
    couple, answers = apart_by(40, 0)
    found = judge_cascade(couple, 0.0, "none", Gates(never_grow=()))
    low = answers.loss(0.0, "none").low
    assert found.verdict == "pass" and low is not None and low < -0.05
    first = found.conditions[0].reason
    assert "graded every item alike" in first and f"exact 95 % limit is {low:+.3f}" in first
    one, _ = apart_by(40, 1)
    other = judge_cascade(one, 0.0, "none", Gates(never_grow=()))
    assert other.verdict == "inconclusive"
    assert f"with fewer than {FEW_EVENTS} an exact limit decides" in other.conditions[0].reason


@pytest.mark.parametrize(("queries", "limit"), [(40, -0.098), (60, -0.066), (80, -0.050), (100, -0.040)])
def test_the_limits_of_the_docs(queries: int, limit: float) -> None:
    """Minus U / De, of no query that differs, and grades whose disagreement by chance is .74."""
    assert -clopper_pearson(0, queries, 0.90).high / 0.74 == pytest.approx(limit, abs=6e-4)


def test_where_few_queries_of_dev_differ_the_reason_says_that_more_are_needed() -> None:
    student, teacher, splits = planted(knowing, queries=30)
    same = {key: replace(one, answers=(sure(teacher.items[key].answers[0].grade or 0, 0.9),))
            for key, one in student.items.items()}  # fmt: skip
    found = choose_cascade(replace(student, items=same), teacher, splits, Rule(), COST)
    assert (found.threshold, found.verdict) == (None, "inconclusive")
    told = "answers differ in 0 of 30 queries, which still allows such a loss; more queries of dev narrow it"
    assert told in found.reason
    assert "a share (--share) takes a threshold without that proof" in found.reason


def apart_on_dev(differ: int, margin: float) -> CascadeCheck:
    """A student as sure of all 60 queries of dev, of which it loses so many; its teacher is right."""
    couple, _ = apart_by(120, differ)
    splits = {one.item: "dev" if at < 60 else "test" for at, one in enumerate(couple.student.items.values())}
    found = choose_cascade(couple.student, couple.teacher, splits, Rule(margin=margin), COST)
    assert found.threshold is None and len(found.curve) == 1 and found.curve[0].differ == differ
    return found


def test_the_reason_calls_a_limit_exact_only_of_fewer_than_ten_queries() -> None:
    nine, ten = (apart_on_dev(differ, 0.05) for differ in (9, 10))
    assert "(exact 95 % limit" in nine.reason and "answers differ in 9 of 60 queries" in nine.reason
    assert "(95 % limit" in ten.reason and "exact" not in ten.reason
    # An exact lower limit alone shows no loss.
    assert (nine.verdict, ten.verdict) == ("inconclusive", "fail")


def test_a_loss_as_large_as_the_margin_is_not_beyond_it() -> None:
    high = apart_on_dev(12, 0.0).curve[0].high
    assert high is not None and high < 0
    assert [apart_on_dev(12, margin).verdict for margin in (-high, float(np.nextafter(-high, 0)))] == [
        "inconclusive",
        "fail",
    ]


# --- files -----------------------------------------------------------------------------------------


def write_files(here: Path, kind: Kind = knowing, seed: int = 1) -> list[str]:
    student, teacher, splits = planted(kind, seed, 60)
    golden, ours, theirs = ["item,query,grade,split"], ["item,grade,confidence"], ["item,grade"]
    for key, one in student.items.items():
        answer = one.answers[0]
        golden.append(f"{key},{one.cluster},{one.golden},{splits[key]}")
        ours.append(f"{key},{answer.grade},{10 * (answer.sure or 0) - 5}")  # a score, no probability
        theirs.append(f"{key},{teacher.items[key].answers[0].grade}")
    for name, lines in (("golden", golden), ("student", ours), ("teacher", theirs)):
        (here / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return ["student", "cascade", "--student", "student.csv", "--teacher", "teacher.csv",
            "--golden", "golden.csv", "--scale", "0-2"]  # fmt: skip


def test_files_of_grades_take_any_score_as_confidence(here: Path) -> None:
    words = write_files(here)
    done = harness(*words, "--margin", "0.15", "--json", "-o", "cascade.json")
    assert done.code == 0, done.err
    found = done.json
    assert 1.5 < found["threshold"] < 4.5 and found["verdict"] == "pass"
    assert found["cost"]["teacher"] is None and "does not say what they cost" in found["cost"]["reason"]
    kept = load_cascade(here / "cascade.json")
    assert (kept.threshold, kept.verdict, kept.teacher.model) == (found["threshold"], "pass", None)
    shown = harness(*words, "--margin", "0.15")
    assert "PASS: the cascade may stand in" in " ".join(shown.out.split())
    assert "teacher alone" in shown.out and "Cost unknown" in shown.out
    assert harness(*words, "--margin", "0.15", "--share", "0.05").code == 1


def test_what_the_command_refuses_says_what_to_do(here: Path) -> None:
    words = write_files(here)
    assert "no column for confidence" in harness(*words[:3], "teacher.csv", *words[4:]).err
    text = (here / "golden.csv").read_text("utf-8")
    (here / "golden.csv").write_text(text.replace("dev", "").replace("test", ""), encoding="utf-8")
    assert "add a column split" in " ".join(harness(*words).err.split())
    (here / "golden.csv").write_text(text, encoding="utf-8")
    (here / "student.csv").write_text("item,grade,confidence\ni0-0,1,much\ni0-0,1,0.5\n", encoding="utf-8")
    wrong = harness(*words)
    assert wrong.code == 2 and "line 2" in wrong.err and "Traceback" not in wrong.err
    assert "name the student" in harness("student", "cascade").err
    (here / "folder").mkdir()
    assert "is a folder" in harness(*words, "-o", "folder").err


def test_no_threshold_writes_no_file(here: Path) -> None:
    done = harness(*write_files(here, blind), "-o", "cascade.json", "--json")
    assert done.code in (1, 3) and json.loads(done.out)["threshold"] is None
    assert "no threshold was chosen" in done.err and not (here / "cascade.json").exists()


def test_a_file_that_is_sent_is_read_strictly(here: Path) -> None:
    assert harness(*write_files(here), "--margin", "0.15", "-o", "cascade.json").code == 0
    path = here / "cascade.json"
    data = json.loads(path.read_text("utf-8"))
    for change, what in (
        ({"treshold": 1}, "treshold: unknown key"),
        ({"threshold": "x"}, "threshold:"),
        ({"format": 2}, "format:"),
        ({"student": {**data["student"], "runs": ["a", "b", "c"]}}, "student.runs"),
    ):
        path.write_text(json.dumps({**data, **change}), encoding="utf-8")
        with pytest.raises(BadInput, match=what):
            load_cascade(path)
    path.write_text(json.dumps(data).replace(str(data["threshold"]), "NaN"), encoding="utf-8")
    with pytest.raises(BadInput, match="not JSON"):
        load_cascade(path)
    (here / "link.json").symlink_to(path)
    with pytest.raises((BadInput, OSError)):
        load_cascade(here / "link.json")


def test_the_digest_is_that_of_who_answers(here: Path) -> None:
    assert harness(*write_files(here), "--margin", "0.15", "-o", "cascade.json").code == 0
    found = load_cascade(here / "cascade.json")
    later = found.model_copy(update={"created_at": "later", "harness": "x", "reason": "y"})
    assert later.digest == found.digest
    assert found.model_copy(update={"threshold": 0.1}).digest != found.digest
