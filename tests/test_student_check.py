"""May a student stand in for its teacher? Five planted students are each named; cuts never see test."""

import json
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import examples, harness, write_golden, write_project
from comparing import ACTIONS, SCALE, item, perfect, run_of, side, write_grades, wrong_on
from hypothesis import example, given, settings
from hypothesis import strategies as st
from production import label_set, shown_pairs
from rich.text import Text
from scipy.special import stdtrit
from scipy.stats import ttest_rel
from sklearn.metrics import cohen_kappa_score

from harness import check_student as notebook_check
from harness.comparison.graded_files import side_beside_run
from harness.comparison.sides import Side
from harness.errors import BadInput
from harness.golden.graded_files import GradesFile
from harness.nouns.base import Interval
from harness.nouns.pair import Example
from harness.nouns.policy import Gates
from harness.report.student import check_view
from harness.score.estimate_files import GivenRatings
from harness.score.items import GradedItem, ItemAnswer
from harness.score.rating_matrix import MIN_COMMON
from harness.scorecards.student import Finding, StudentCheck, StudentSlice
from harness.stats.cuts import best_cuts, matched_cuts, placed
from harness.stats.distillation import NEVER_WRONG, against_rest, distilled
from harness.stats.intervals import ONE_CLUSTER
from harness.stats.means import clustered_share
from harness.storage.tables import Layout
from harness.student.check import check_student
from harness.student.cutting import LEAST, cut_scores
from harness.student.production import check_production
from harness.student.slices import worst_of
from harness.student.stack import in_order
from harness.student.verdict import with_production

Made = tuple[int, ItemAnswer]


def other_than(grade: int, by_chance: random.Random) -> int:
    return by_chance.choice([one for one in SCALE if one != grade])


def sure(grade: int, how: float) -> ItemAnswer:
    rest = (1 - how) / 2
    return ItemAnswer(grade, "graded", probabilities={one: how if one == grade else rest for one in SCALE})


def planted(kind: str, seed: int = 5, queries: int = 150) -> tuple[Side, Side]:
    """A student of that kind and its teacher, which is wrong on 15 % of the items."""
    by_chance = random.Random(seed)
    ours, theirs = [], []
    for query in range(queries):
        for number in range(4):
            name, golden = f"i{query}-{number}", by_chance.choice(SCALE)
            tag = "tail" if number == 0 else "head"
            taught = golden if by_chance.random() < 0.85 else other_than(golden, by_chance)
            grade, answer = STUDENTS[kind](golden, taught, tag, by_chance)
            told = item(name, golden, grade, query=f"q{query}", tags=(tag,))
            ours.append(replace(told, answers=(answer,)))
            theirs.append(item(name, golden, taught, query=f"q{query}", tags=(tag,)))
    more: dict[str, Any] = {"action_of": ACTIONS}
    return side(*ours, name="student", **more), side(*theirs, name="teacher", **more)


def lossy(golden: int, taught: int, tag: str, by_chance: random.Random) -> Made:
    grade = taught if by_chance.random() < 0.8 else other_than(taught, by_chance)
    return grade, ItemAnswer(grade, "graded")


def inheriting(golden: int, taught: int, tag: str, by_chance: random.Random) -> Made:
    grade = taught if by_chance.random() < 0.97 else golden
    return grade, ItemAnswer(grade, "graded")


def better(golden: int, taught: int, tag: str, by_chance: random.Random) -> Made:
    grade = golden if by_chance.random() < 0.94 else other_than(golden, by_chance)
    return grade, ItemAnswer(grade, "graded")


def broken(golden: int, taught: int, tag: str, by_chance: random.Random) -> Made:
    grade = other_than(golden, by_chance) if tag == "tail" and by_chance.random() < 0.5 else taught
    return grade, ItemAnswer(grade, "graded")


def miscalibrated(golden: int, taught: int, tag: str, by_chance: random.Random) -> Made:
    grade = golden if by_chance.random() < 0.85 else other_than(golden, by_chance)
    return grade, sure(grade, 0.99)


def honest(golden: int, taught: int, tag: str, by_chance: random.Random) -> Made:
    grade = golden if by_chance.random() < 0.85 else other_than(golden, by_chance)
    return grade, sure(grade, 0.85)


STUDENTS: dict[str, Callable[[int, int, str, random.Random], Made]] = {
    "lossy": lossy,
    "inherits": inheriting,
    "better": better,
    "broken_slice": broken,
    "miscalibrated": miscalibrated,
    "none": honest,
}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", STUDENTS)
def test_planted_students_are_each_named(kind: str, seed: int) -> None:
    found = check_student(*planted(kind, seed))
    wanted: Finding | None = None if kind == "none" else kind  # type: ignore[assignment]  # a key above
    assert found.finding == wanted, (found.findings, found.delta)


def test_a_student_is_not_held_against_itself() -> None:
    """A second check with `latest` as the teacher finds the student's own run there."""
    student, teacher = planted("lossy")
    facts = {"model": "student/S (abc)", "parameters": "none", "golden": "dev", "policy": "small@v1"}
    with pytest.raises(BadInput, match="is a run of the student itself"):
        check_student(replace(student, facts=facts), replace(teacher, facts={**facts, "golden": "test"}))
    other = {**facts, "model": "openai/gpt"}
    assert check_student(replace(student, facts=facts), replace(teacher, facts=other)).verdict


def test_the_broken_slice_is_the_worst_and_the_verdicts_follow() -> None:
    found = check_student(*planted("broken_slice"))
    assert found.worst and found.worst.slice == "tag tail" and (found.worst.p or 1) < 0.001
    assert found.worst.ci and found.worst.ci.high < 0
    assert found.verdict == "fail" and found.reason.startswith(
        "it may not stand in for its teacher: kappa moved"
    )
    assert check_student(*planted("better")).verdict == "pass"
    copied = check_student(*planted("inherits"))
    assert copied.verdict == "pass" and "it may stand in" in copied.reason
    # A margin of nothing is never shown to be kept by one that is as good.
    assert check_student(*planted("none"), margin=0.0).verdict == "inconclusive"


def rarely_wrong(queries: int, lost: int) -> tuple[Side, Side]:
    """A student that is wrong in so many queries, beside a teacher that is never wrong."""
    theirs = [item(f"i{at}", SCALE[at % 3], SCALE[at % 3], query=f"q{at}") for at in range(queries)]
    ours = [
        replace(one, answers=(ItemAnswer(SCALE[(at + (at < lost)) % 3], "graded"),))
        for at, one in enumerate(theirs)
    ]
    more: dict[str, Any] = {"action_of": ACTIONS, "gates": Gates(never_grow=())}
    return side(*ours, name="student", **more), side(*theirs, name="teacher", **more)


def test_a_student_that_rarely_loses_and_never_gains_is_judged_by_the_count() -> None:
    """5 of 200 queries: kappa is 0.0375 lower, and Poisson's limit of a count of 5 is 10.5 (Garwood 1936)."""
    found = check_student(*rarely_wrong(200, 5), margin=0.071)
    value = found.delta.value
    assert value is not None and found.delta.se is not None
    by_t = value - stdtrit(199, 0.95) * found.delta.se
    assert by_t > -0.066 and found.verdict == "inconclusive"
    limit = float(found.reason.partition("limits ")[2].split()[0])
    assert limit == pytest.approx(value * 10.51 / 5, rel=0.04)
    assert check_student(*rarely_wrong(200, 5), margin=0.08).verdict == "pass"
    # Where nothing differs there is no error, and the verdict is that of `harness regress`.
    assert check_student(*rarely_wrong(200, 0), margin=0.05).verdict == "pass"


def test_a_pass_without_production_says_so() -> None:
    told = "Production was not looked at; add --student-labels, --teacher-labels and --ratings."
    assert told in text_of(check_student(*planted("better")))
    assert told not in text_of(check_student(*planted("lossy")))


@pytest.mark.parametrize(("how", "which"), [(0.99, "surer"), (0.55, "less sure")])
def test_a_student_that_is_not_as_sure_as_it_is_right_is_told_which(how: float, which: str) -> None:
    student, teacher = planted("miscalibrated")
    items = {
        key: replace(one, answers=(sure(one.answers[0].grade or 0, how),))
        for key, one in student.items.items()
    }
    found = check_student(replace(student, items=items), teacher)
    assert "miscalibrated" in found.findings
    assert f"It is {which} than it is right: a cascade takes a threshold chosen on dev." in text_of(found)


@pytest.mark.parametrize(("how", "told"), [(0.8943, True), (0.8843, False), (0.7157, False), (0.7057, True)])
def test_confidence_is_told_of_where_it_is_surely_more_than_a_twentieth_apart(how: float, told: bool) -> None:
    """Right on 320 of 400: the error is sqrt(.8 x .2 / 399), so that the interval ends .0394 to each side."""
    theirs = [item(f"i{at}", at % 3, at % 3) for at in range(400)]
    ours = [
        replace(one, answers=(sure((one.golden + (at >= 320)) % 3, how),)) for at, one in enumerate(theirs)
    ]
    found = check_student(side(*ours, name="student"), side(*theirs, name="teacher"))
    assert found.overconfidence and found.overconfidence.ci
    assert found.overconfidence.ci.high == pytest.approx(how - 0.8 + 0.0394, abs=1e-4)
    assert ("miscalibrated" in found.findings) == told


@pytest.mark.parametrize(("same", "told"), [(61, True), (60, False)])
def test_errors_are_inherited_where_surely_more_than_half_are(same: int, told: bool) -> None:
    """Clopper and Pearson's lower limit of 61 of 100 is .507, of 60 it is .497."""
    theirs = [item(f"i{at}", at % 3, (at + (at < 100)) % 3) for at in range(200)]
    ours = [
        replace(one, answers=(ItemAnswer((at + (at < same)) % 3, "graded"),)) for at, one in enumerate(theirs)
    ]
    found = check_student(side(*ours, name="student"), side(*theirs, name="teacher"))
    assert ("inherits" in found.findings) == told


@pytest.mark.parametrize(("fewer", "low", "told"), [(3, -0.0050, False), (4, 0.0011, True)])
def test_a_student_is_better_or_lossy_where_its_interval_leaves_0_out(
    fewer: int, low: float, told: bool
) -> None:
    """Of 120 queries one is wrong in 10, the other in fewer: kappa is (fewer / 120) / (2 / 3) apart."""
    items = [item(f"i{at}", at % 3, (at + (at < 10)) % 3) for at in range(120)]
    more, less = (
        side(*[replace(one, answers=(ItemAnswer((at + (at < wrong)) % 3, "graded"),))
               for at, one in enumerate(items)], name=f"wrong in {wrong}")
        for wrong in (10, 10 - fewer)
    )  # fmt: skip
    better, lossy = check_student(less, more), check_student(more, less)
    assert better.delta.value == pytest.approx(fewer / 120 / (2 / 3)) == -(lossy.delta.value or 0)
    assert better.delta.ci and lossy.delta.ci and better.delta.ci.low == pytest.approx(low, abs=1e-4)
    assert lossy.delta.ci.high == pytest.approx(-low, abs=1e-4)
    assert ("better" in better.findings) == ("lossy" in lossy.findings) == told
    assert "better" not in lossy.findings and "lossy" not in better.findings


def tail_lost(lost: int, gained: int, elsewhere: int) -> tuple[Side, Side]:
    """Of 60 items of the tail so many are lost and gained, and so many lost of 140 others."""
    theirs = [
        item(f"i{at}", at % 3, (at + (lost <= at < lost + gained)) % 3, tags=("tail" if at < 60 else "head",))
        for at in range(200)
    ]
    ours = [
        replace(one, answers=(ItemAnswer((at + (at < lost or 60 <= at < 60 + elsewhere)) % 3, "graded"),))
        for at, one in enumerate(theirs)
    ]
    return side(*ours, name="student"), side(*theirs, name="teacher")


@pytest.mark.parametrize(
    ("counts", "p", "p_rest", "told"),
    [
        ((11, 2, 4), 0.0442, 0.0400, True),
        ((10, 2, 3), 0.0588, 0.0494, False),
        ((7, 0, 4), 0.0212, 0.0460, True),
        ((10, 1, 6), 0.0169, 0.0514, False),
    ],
)
def test_a_slice_is_broken_where_both_of_its_tests_are_below_a_twentieth(
    counts: tuple[int, int, int], p: float, p_rest: float, told: bool
) -> None:
    found = check_student(*tail_lost(*counts))
    tail = next(one for one in found.slices if one.slice == "tag tail")
    assert tail.p == pytest.approx(p, abs=1e-4) and tail.p_rest == pytest.approx(p_rest, abs=1e-4)
    assert ("broken_slice" in found.findings) == told


@pytest.mark.parametrize(("items", "shown"), [(5, True), (4, False)])
def test_a_tag_of_five_items_is_a_slice_and_one_of_thirty_is_tested(items: int, shown: bool) -> None:
    tags = [("few",) if at < items else ("more",) if at < items + 30 else () for at in range(90)]
    theirs = [item(f"i{at}", at % 3, at % 3, tags=tags[at]) for at in range(90)]
    ours = [replace(one, answers=(ItemAnswer((at + at % 2) % 3, "graded"),)) for at, one in enumerate(theirs)]
    found = {one.slice: one for one in check_student(side(*ours, name="s"), side(*theirs, name="t")).slices}
    assert ("tag few" in found) == shown and found["tag more"].p is not None
    if shown:
        assert found["tag few"].p is None and str(found["tag few"].reason) == "undefined: fewer than 30 items"


def test_a_part_and_its_rest_are_one_test() -> None:
    """Each item is of the tail or of the head."""
    better = np.zeros(200)
    better[:10], better[10], better[60:66] = -1, 1, -1
    alone = against_rest(better, np.arange(200) < 60, np.arange(200)).p
    found = check_student(*tail_lost(10, 1, 6))
    parts = {one.slice: one.p_rest for one in found.slices if one.kind == "tag"}
    assert parts == {"tag tail": pytest.approx(alone), "tag head": pytest.approx(alone)}


def test_a_tag_of_every_item_is_no_slice() -> None:
    theirs = [item(f"i{at}", at % 3, at % 3, tags=("all",)) for at in range(40)]
    ours = [replace(one, answers=(ItemAnswer(0, "graded"),)) for one in theirs]
    found = check_student(side(*ours, name="student"), side(*theirs, name="teacher"))
    assert {one.kind for one in found.slices} == {"boundary"}


@pytest.mark.parametrize(("p", "worst"), [(0.049, "more"), (0.051, "less")])
def test_the_worst_slice_is_one_whose_loss_is_shown(p: float, worst: str) -> None:
    more, less = (
        StudentSlice(
            slice=name, kind="tag", n=50, student=0.5, teacher=0.5 + lost, difference=-lost,
            ci=Interval(-0.4, 0.1), p=by_chance, reason=None,
        )
        for name, lost, by_chance in (("more", 0.2, p), ("less", 0.1, 0.001))
    )  # fmt: skip
    found = worst_of((less, more))
    assert found and found.slice == worst


def text_of(found: StudentCheck) -> str:
    """What a terminal shows."""
    lines = [str(one) for one in check_view(found) if isinstance(one, Text)]
    return " ".join(" ".join(lines).split())


@pytest.mark.parametrize(("items", "tested"), [(MIN_COMMON - 1, False), (MIN_COMMON, True)])
def test_a_slice_of_few_items_has_no_interval_and_counts_in_no_test(items: int, tested: bool) -> None:
    student, teacher = planted("lossy")
    keys = list(student.items)[:items]
    tagged = {
        key: replace(
            one, about=replace(one.about, tags=("rare", *one.about.tags)) if key in keys else one.about
        )
        for key, one in student.items.items()
        if one.about
    }
    found = check_student(replace(student, items=tagged), teacher)
    rare = next(one for one in found.slices if one.slice == "tag rare")
    assert (
        rare.n == items
        and (rare.ci is not None) == (rare.p is not None) == (rare.p_rest is not None) == tested
    )
    assert (rare.reason is None) == tested
    others = [one for one in found.slices if one is not rare]
    before = check_student(student, teacher).slices
    assert (others == list(before)) != tested
    few = "1 slice has fewer than 30 items, and no interval: see --json."
    assert (few in text_of(found)) != tested


def test_a_slice_without_an_interval_is_never_the_worst() -> None:
    student, teacher = planted("none", queries=30)
    key = next(iter(student.items))
    few = [one for one in student.items if one.split("-")[0] == key.split("-")[0]]
    lost = {name: replace(one, about=replace(one.about, tags=("few",))) if name in few and one.about else one
            for name, one in student.items.items()}  # fmt: skip
    found = check_student(replace(student, items=lost), teacher)
    assert found.worst is None or found.worst.ci is not None


def test_figures_are_those_that_one_counts_by_hand() -> None:
    student, teacher = planted("lossy")
    found = check_student(student, teacher)
    rows = [
        (one.golden, one.answers[0].grade, teacher.items[key].answers[0].grade)
        for key, one in student.items.items()
    ]
    golden, ours, theirs = (np.array(column) for column in zip(*rows, strict=True))
    assert found.student.kappa.value == pytest.approx(cohen_kappa_score(golden, ours))
    assert found.teacher.kappa_linear.value == pytest.approx(
        cohen_kappa_score(golden, theirs, weights="linear")
    )
    both = cohen_kappa_score(theirs, ours, weights="quadratic")
    assert found.student_vs_teacher.kappa_quadratic.value == pytest.approx(both)
    right = theirs == golden
    for share, happened, where in (
        (found.distillation_loss, ours != theirs, right),
        (found.inherited_error, ours == theirs, ~right),
        (found.gain, ours == golden, ~right),
    ):
        assert share.value == pytest.approx(happened[where].mean()) and share.n == where.sum()
        assert share.ci and share.value and share.ci.low < share.value < share.ci.high
    assert found.delta.value == pytest.approx(
        cohen_kappa_score(golden, ours) - cohen_kappa_score(golden, theirs)
    )
    boundary = next(one for one in found.slices if one.slice == "boundary >=2")
    assert boundary.student == pytest.approx(((ours >= 2) == (golden >= 2)).mean())
    action = next(one for one in found.slices if one.slice == "action filter")
    assert action.n == (golden == 0).sum()
    assert action.difference == pytest.approx(
        (ours == golden)[golden == 0].mean() - right[golden == 0].mean()
    )


def test_where_the_teacher_is_never_wrong_nothing_is_inherited() -> None:
    items = [item(f"i{at}", at % 3, at % 3, query=f"q{at // 3}") for at in range(30)]
    taught = side(*items, name="teacher")
    learned = side(*[replace(one, answers=(ItemAnswer(0, "graded"),)) for one in items], name="student")
    found = check_student(learned, taught)
    assert found.inherited_error.value is found.gain.value is None
    assert found.inherited_error.reason == found.gain.reason == NEVER_WRONG
    assert found.distillation_loss.value == pytest.approx(2 / 3)


def test_what_one_of_them_could_not_read_is_left_out_and_counted() -> None:
    student, teacher = planted("lossy", queries=20)
    keys = list(student.items)
    ours = {
        **student.items,
        keys[0]: replace(student.items[keys[0]], answers=(ItemAnswer(None, "ungraded"),)),
    }
    del ours[keys[1]]
    found = check_student(replace(student, items=ours), teacher)
    assert (found.n, found.unread_student, found.only_teacher) == (78, 1, 1)
    assert found.student.coverage == pytest.approx(78 / 79)
    assert found.student_vs_teacher.coverage == pytest.approx(78 / 80)


def test_a_stack_is_measured_and_not_assumed() -> None:
    """Student, filter and ranker of the same grades are wrong together: more is kept than a product says."""
    found = check_student(*planted("lossy")).stack
    assert found and [one.name for one in found.stages] == ["learned", "filter", "ranker"]
    rates = [one.value for one in found.stages]
    assert found.product == pytest.approx(np.prod(rates)) and found.low <= found.kept <= found.high
    assert found.kept > found.product
    # Without actions a filter has nothing to do.
    student, teacher = (replace(one, action_of=None) for one in planted("lossy"))
    assert check_student(student, teacher).stack is None


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=25))
def test_wrong_order_is_that_of_each_two_items_of_a_query(rows: list[tuple[int, int, int]]) -> None:
    given_, golden, clusters = (np.array(column) for column in zip(*rows, strict=True))

    def fine(at: int) -> bool:
        return not any(
            clusters[at] == clusters[b] and (golden[at] - golden[b]) * (given_[at] - given_[b]) < 0
            for b in range(len(rows))
        )

    assert in_order(given_, golden, clusters).tolist() == [fine(at) for at in range(len(rows))]


@given(st.lists(st.tuples(*[st.integers(0, 2)] * 3), min_size=1, max_size=30))
def test_shares_of_right_and_wrong_are_those_of_their_definition(rows: list[tuple[int, int, int]]) -> None:
    student, teacher, golden = (np.array(column) for column in zip(*rows, strict=True))
    found = distilled(student, teacher, golden, np.arange(len(rows)))
    wrong = [(s, t, g) for s, t, g in rows if t != g]
    assert found.loss.n + found.gain.n == len(rows) and found.gain.n == found.inherited.n == len(wrong)
    if wrong:
        assert found.inherited.value == pytest.approx(sum(s == t for s, t, _ in wrong) / len(wrong))
        assert found.gain.value == pytest.approx(sum(s == g for s, _, g in wrong) / len(wrong))
        assert (found.inherited.value or 0) + (found.gain.value or 0) <= 1 + 1e-12
        values = np.array([float(s == g) for s, _, g in wrong])
        assert found.gain.ci == clustered_share(values, np.arange(len(wrong)))
        assert found.gain.reason is None


def test_shares_of_a_single_query_have_no_interval_and_say_so() -> None:
    found = distilled(
        np.array([0, 1, 2]), np.array([0, 0, 1]), np.array([0, 0, 2]), np.zeros(3, dtype=np.int64)
    )
    assert (found.loss.value, found.loss.n, found.loss.ci, found.loss.reason) == (0.5, 2, None, ONE_CLUSTER)


def test_a_slice_against_the_rest_has_the_error_of_two_means_where_items_are_independent() -> None:
    """With one item a query: s^2/n of each side, as Welch's, with n - 1 for n at this size."""
    values = np.random.default_rng(3).normal(size=4000)
    inside = np.arange(4000) < 1000
    found = against_rest(values, inside, np.arange(4000))
    assert found.value == pytest.approx(values[:1000].mean() - values[1000:].mean())
    welch = np.sqrt(values[:1000].var() / 1000 + values[1000:].var() / 3000)
    assert found.se == pytest.approx(welch, rel=1e-3)
    for one_side in (inside | True, inside & False):
        assert against_rest(values, one_side, np.arange(4000)).value is None
    alone = against_rest(values, np.arange(4000) == 7, np.arange(4000))
    assert alone.value == pytest.approx(values[7] - np.delete(values, 7).mean())


def test_a_slice_with_an_item_of_each_query_is_tested_as_pairs_are() -> None:
    """A query counts once with both of its items: Student's t of the differences, as scipy has it."""
    random_ = np.random.default_rng(4)
    of_query = random_.normal(size=60)
    here, there = (of_query + random_.normal(scale=0.3, size=60) + shift for shift in (0.1, 0.0))
    inside, clusters = np.repeat([True, False], 60), np.tile(np.arange(60), 2)
    found, paired = against_rest(np.concatenate([here, there]), inside, clusters), ttest_rel(here, there)
    assert found.value == pytest.approx((here - there).mean())
    assert found.p == pytest.approx(paired.pvalue)


# --- cuts ------------------------------------------------------------------------------------------


def test_cuts_match_the_share_of_each_grade() -> None:
    scores, grades = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]), np.array([0, 2, 0, 1, 0, 2])
    cuts = matched_cuts(scores, grades, 3)
    assert np.bincount(placed(scores, cuts), minlength=3).tolist() == [3, 1, 2]
    assert placed(np.array([cuts[0]]), cuts).tolist() == [1]  # on a cut is above it


def test_a_grade_that_dev_has_not_is_cut_off_beyond_the_last_score() -> None:
    assert matched_cuts(np.array([3.0, 5.0]), np.array([1, 1]), 3) == (2.5, 5.5)


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 2)), min_size=4, max_size=30))
def test_cuts_ascend_and_are_no_worse_than_those_that_match(rows: list[tuple[int, int]]) -> None:
    scores, grades = np.array([float(score) for score, _ in rows]), np.array([grade for _, grade in rows])

    def kappa(cuts: tuple[float, ...]) -> float:
        return float(np.nan_to_num(cohen_kappa_score(grades, placed(scores, cuts), labels=[0, 1, 2])))

    cuts = best_cuts(scores, grades, SCALE)
    assert list(cuts) == sorted(cuts)
    assert len({*grades.tolist()}) < 2 or kappa(cuts) >= kappa(matched_cuts(scores, grades, 3)) - 1e-12


@pytest.mark.parametrize("lowest", [True, False])
def test_of_many_places_for_a_cut_the_first_and_the_last_are_tried(lowest: bool) -> None:
    """One of 1,000 is alone right of its cut; another of its grade lies at the other end."""
    scores = np.arange(1000.0)
    grades = np.full(1000, 1 if lowest else 0)
    grades[[0, -1]] = 0 if lowest else 1
    assert best_cuts(scores, grades, (0, 1)) == (0.5 if lowest else 998.5,)


def test_of_two_hundred_places_for_a_cut_each_is_tried() -> None:
    """The lowest ten are of the wrong grade, so that as many scores as grades lie below 67 and not 77."""
    scores = np.arange(201.0)
    grades = np.where((scores < 10) | (scores >= 77), 1, 0)
    assert matched_cuts(scores, grades, 2) == (66.5,)
    assert best_cuts(scores, grades, (0, 1)) == (76.5,)


@example([1, 2, 2, 1, 0, 2])  # the lower cut gains by moving only after the upper one has moved
@given(st.lists(st.integers(0, 2), min_size=4, max_size=12))
def test_no_cut_gains_by_moving_between_its_neighbours(graded: list[int]) -> None:
    scores, grades = np.arange(float(len(graded))), np.array(graded)

    def kappa(low: float, high: float) -> float:
        return float(np.nan_to_num(cohen_kappa_score(grades, placed(scores, (low, high)), labels=[0, 1, 2])))

    if len({*graded}) > 1:
        low, high = best_cuts(scores, grades, SCALE)
        places = [at + 0.5 for at in range(len(graded) - 1)]
        moved = [(one, high) for one in places if one <= high] + [(low, one) for one in places if one >= low]
        assert kappa(low, high) >= max(kappa(*one) for one in moved) - 1e-12


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 1)), min_size=4, max_size=30))
def test_the_best_cut_of_two_grades_is_the_best_of_all(rows: list[tuple[int, int]]) -> None:
    scores = np.array([float(score) for score, _ in rows])
    grades = np.array([grade for _, grade in rows])

    def kappa(cut: float) -> float:
        return float(np.nan_to_num(cohen_kappa_score(grades, (scores >= cut).astype(int), labels=[0, 1])))

    if len({*grades.tolist()}) < 2 or len({*scores.tolist()}) < 2:
        return
    known = np.unique(scores)
    best = max(kappa(cut) for cut in ((known[1:] + known[:-1]) / 2).tolist())
    (cut,) = best_cuts(scores, grades, (0, 1))
    assert kappa(cut) == pytest.approx(max(best, kappa(cut))) and kappa(cut) >= best - 1e-12


def dev_of(count: int = 60) -> tuple[list[Example], dict[str, float]]:
    by_chance = random.Random(1)
    made = [
        Example.model_validate(
            {"id": f"d{n}", "query": f"dev {n}", "result": {"title": "t"}, "grade": n % 3,
             "policy_version": "v1", "split": "dev"}
        )
        for n in range(count)
    ]  # fmt: skip
    return made, {one.id: one.grade + by_chance.gauss(0, 0.3) for one in made}


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.floats(-5, 5)), min_size=3, max_size=20))
def test_thresholds_never_see_test(test: list[tuple[int, float]]) -> None:
    """Whatever test holds, and whatever scores it has, the cuts are the same."""
    dev, scores = dev_of()
    alone = best_cuts(np.array([scores[one.id] for one in dev]), np.array([one.grade for one in dev]), SCALE)
    items = [item(f"t{at}", golden, golden, query=f"q{at}") for at, (golden, _) in enumerate(test)]
    on_test = {f"t{at}": score for at, (_, score) in enumerate(test)}
    taught = side(*items, name="teacher", notes=("Recorded.",))
    student, teacher, cuts = cut_scores({**scores, **on_test}, dev, taught, {*on_test}, "scores.csv")
    # What the teacher's run says is nothing that the student says of itself.
    assert student.notes == ()
    assert cuts.cuts == alone and cuts.n == len(dev)
    assert {one.item for one in student.items.values()} == {*on_test} == {*teacher.items}
    for at, (_, score) in enumerate(test):
        assert student.items[f"t{at}"].answers[0].grade == sum(cut <= score for cut in alone)


def test_too_few_scores_of_dev_and_a_teacher_that_never_saw_test_are_said() -> None:
    dev, scores = dev_of(LEAST)
    assert LEAST == 20
    taught = side(item("t", 1, 1), name="teacher")
    assert cut_scores({**scores, "t": 1.0}, dev, taught, {"t"}, "s.csv")[2].n == LEAST
    with pytest.raises(BadInput, match=f"scores {LEAST - 1} items of dev"):
        cut_scores({**scores, "t": 1.0}, dev[1:], taught, {"t"}, "s.csv")
    with pytest.raises(BadInput, match="teacher graded nothing of test"):
        cut_scores(scores, dev, taught, set(), "s.csv")


# --- the command -----------------------------------------------------------------------------------


@pytest.fixture
def shop(here: Path) -> Path:
    write_project(here, golden=examples(queries=40))
    return here


def test_files_of_grades_are_checked_as_runs_are(shop: Path) -> None:
    teacher, student = wrong_on(*range(0, 60, 6)), wrong_on(*range(0, 60, 3))
    name = run_of(shop, teacher)
    write_grades(shop / "student.csv", student)
    found = harness("student", "check", "--student", "student.csv", "--teacher", name, "--json")
    assert found.code == 1, found.err
    assert (found.json["verdict"], found.json["n"]) == ("fail", 60)
    assert found.json["inherited_error"] == {
        "value": 1.0, "ci": found.json["inherited_error"]["ci"], "n": 10, "reason": None
    }  # fmt: skip
    golden = shop / "golden.csv"
    lines = [line for line in examples(queries=40) if line["split"] == "dev"]
    golden.write_text(
        "item,query,grade\n" + "".join(f"{one['id']},{one['query']},{one['grade']}\n" for one in lines),
        "utf-8",
    )
    write_grades(shop / "teacher.csv", teacher)
    words = (
        "--student",
        "student.csv",
        "--teacher",
        "teacher.csv",
        "--golden",
        "golden.csv",
        "--scale",
        "0-2",
    )
    alone = harness("student", "check", *words, "--json")
    for key in ("student", "teacher", "student_vs_teacher"):
        assert alone.json[key]["kappa"]["value"] == found.json[key]["kappa"]["value"]
    shown = harness("student", "check", *words)
    assert "FAIL: it may not stand in for its teacher" in shown.out and "student, teacher" in shown.out


def test_a_file_says_nothing_of_what_its_teachers_run_notes(tmp_path: Path) -> None:
    (tmp_path / "student.csv").write_text("item,grade\na,1\n", encoding="utf-8")
    file = GradesFile(tmp_path / "student.csv", Layout(), None)
    run = side(item("a", 1, 1), name="run", notes=("These replies were recorded.",), facts={"model": "m"})
    assert side_beside_run(file, run).notes == ()


def test_a_model_is_graded_on_what_its_teacher_graded(shop: Path) -> None:
    name = run_of(shop, perfect)
    found = harness("student", "check", "--student", "builtin/majority", "--teacher", "latest", "--json")
    assert found.code in (1, 3) and found.json["teacher"]["name"] == name and found.json["n"] == 60
    assert found.json["calibration"]["n"] == 60 and found.json["overconfidence"]["value"] is not None
    paid = harness("student", "check", "--student", "openai/m", "--teacher", name)
    assert paid.code == 2 and "harness eval --model openai/m" in paid.err


def test_scores_are_cut_on_dev_and_judged_on_test(shop: Path) -> None:
    golden = [one for one in examples(queries=40) if one["split"] != "shots"]
    replay = shop / "all.csv"
    replay.write_text("item,grade\n" + "".join(f"{one['id']},{one['grade']}\n" for one in golden), "utf-8")
    done = harness("eval", "--policy", "small", "--model", "replay/all.csv", "--split", "dev+test")
    assert done.code == 0, done.err
    scores = shop / "scores.csv"
    scores.write_text("doc,s\n" + "".join(f"{one['id']},{one['grade'] * 7.5}\n" for one in golden), "utf-8")
    words = ("student", "check", "--scores", "scores.csv", "--columns", "item=doc,score=s", "--json")
    found = harness(*words)
    assert (found.code, found.json["part"], found.json["n"]) == (0, "test", 30), found.err
    assert found.json["cuts"]["n"] == 60 and found.json["cuts"]["kappa"] == 1
    low, high = found.json["cuts"]["cuts"]
    assert 0 < low <= 7.5 < high <= 15
    # Other grades and scores of test move no cut.
    moved = [{**one, "grade": 2 - one["grade"]} if one["split"] == "test" else one for one in golden]
    write_golden(shop, [*(one for one in examples(queries=40) if one["split"] == "shots"), *moved])
    assert harness("eval", "--policy", "small", "--model", "replay/all.csv", "--split", "dev+test").code == 0
    again = harness(*words)
    assert again.json["cuts"] == found.json["cuts"] and again.json["student"]["kappa"]["value"] < 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("item,score\na,high\n", "line 2: score 'high' is not a number"),
        ("item,score\na,1\na,2\n", "line 3: a has a score already"),
        ("item,score\n,1\n", "line 2: no item"),
        ("item,grade\na,1\n", "no column for score"),
        ("item,score\nz,1\n", "scores 0 items of dev"),
        ("item,score\na,1e400\n", "is not a number"),
    ],
)
def test_scores_that_are_none_are_named_with_their_line(shop: Path, text: str, told: str) -> None:
    run_of(shop, perfect)
    (shop / "scores.csv").write_text(text, "utf-8")
    done = harness("student", "check", "--scores", "scores.csv")
    assert done.code == 2 and told in done.err, done.err


def test_one_student_is_named(shop: Path) -> None:
    for words in ((), ("--student", "a", "--scores", "b.csv")):
        done = harness("student", "check", *words)
        assert done.code == 2 and "name the student" in done.err
    done = harness("student", "check", "--student", "nobody", "--teacher", "nobody")
    assert done.code == 2


def test_the_json_is_read_again_as_it_was_written() -> None:
    for kind in ("lossy", "miscalibrated"):
        found = check_student(*planted(kind))
        assert StudentCheck.model_validate(json.loads(found.model_dump_json())) == found


def test_an_item_without_a_query_is_a_query_of_its_own() -> None:
    ours = [GradedItem(f"i{n}", f"i{n}", n % 3, (ItemAnswer(n % 2, "graded"),)) for n in range(12)]
    found = check_student(side(*ours, name="s"), side(*ours, name="t"))
    assert (found.n_clusters == 12 and found.finding is None) or found.finding == "inherits"


# --- production ------------------------------------------------------------------------------------


def rated_production(
    root: Path, student: Callable[[int, int, random.Random], int], queries: int = 60
) -> tuple[Any, ...]:
    """Label sets of a teacher and a student of the same rows, and ratings of two queries in three."""
    rows = shown_pairs(queries)
    by_chance = random.Random(2)
    for row in rows:
        row["student"] = student(row["truth"], row["teacher"], by_chance)
    label_set(root, rows, "taught")
    label_set(root, rows, "learned", column="student")
    rated = [row for row in rows if int(row["query"].split()[-1]) < queries * 2 // 3]
    ratings = root / "rated.csv"
    said = "".join(f"{row['item']},ann,{row['truth']}\n" for row in rated)
    ratings.write_text(f"item,rater,grade\n{said}", "utf-8")
    return rows, rated, GivenRatings(ratings, Layout(), uniform=True)


def test_production_weighs_what_people_rated_by_its_traffic(tmp_path: Path) -> None:
    rows, rated, ratings = rated_production(
        tmp_path, lambda truth, taught, chance: taught if chance.random() < 0.7 else (truth + 1) % 3
    )
    found, condition = check_production(tmp_path / "learned", tmp_path / "taught", ratings, 0.05)
    weight = sum(row["weight"] for row in rated)
    right = {
        name: sum(row["weight"] for row in rated if row[name] == row["truth"]) / weight
        for name in ("student", "teacher")
    }
    assert found.student == pytest.approx(right["student"])
    assert found.teacher == pytest.approx(right["teacher"])
    assert found.difference == pytest.approx(right["student"] - right["teacher"])
    assert found.n == len(rated) and found.n_queries == 40 and found.differ > 10
    assert found.low and found.high and found.low < found.difference < found.high < -0.05
    assert condition.verdict == "fail" and "surely a loss beyond 0.05" in condition.reason
    assert found.estimate.n_labelled == len(rated) and found.estimate.n_unlabelled == len(rows) - len(rated)
    # A pass takes both.
    whole = with_production(check_student(*planted("better")), found, condition)
    assert whole.verdict == "fail" and "it may not stand in for its teacher: on prod" in whole.reason
    assert whole.conditions[-1] == condition


def test_where_few_queries_differ_the_most_that_can_be_lost_decides(tmp_path: Path) -> None:
    _, _, ratings = rated_production(tmp_path, lambda truth, taught, chance: taught)
    found, condition = check_production(tmp_path / "learned", tmp_path / "taught", ratings, 0.05)
    assert (found.difference, found.differ, found.high) == (0, 0, None)
    assert found.low is not None and -0.2 < found.low < -0.02
    assert condition.verdict == "inconclusive" and "only 0 rated queries differ" in condition.reason
    assert check_production(tmp_path / "learned", tmp_path / "taught", ratings, 0.3)[1].verdict == "pass"


def wrong_in(queries: int) -> Callable[[int, int, random.Random], int]:
    """A student that is its teacher but in the first queries, where it is always wrong."""
    rows = iter(shown_pairs(60))

    def grade(truth: int, taught: int, by_chance: random.Random) -> int:
        return (truth + 1) % 3 if int(next(rows)["query"].split()[-1]) < queries else taught

    return grade


@pytest.mark.parametrize(("queries", "exact"), [(9, True), (10, False)])
def test_on_production_a_paired_limit_takes_ten_queries_that_differ(
    tmp_path: Path, queries: int, exact: bool
) -> None:
    _, _, ratings = rated_production(tmp_path, wrong_in(queries))
    sets = (tmp_path / "learned", tmp_path / "taught", ratings)
    found, condition = check_production(*sets, 0.0)
    assert (found.differ, found.high is None) == (queries, exact)
    assert ("rated queries differ" in condition.reason) == exact
    assert found.low is not None and found.low < found.difference < 0
    # A limit at the margin neither shows a loss nor rules one out.
    ends = [found.low] if found.high is None else [found.low, found.high]
    assert all(check_production(*sets, -end)[1].verdict == "inconclusive" for end in ends)
    assert check_production(*sets, float(np.nextafter(-found.low, 1)))[1].verdict == "pass"
    if found.high is not None:
        assert check_production(*sets, float(np.nextafter(-found.high, 0)))[1].verdict == "fail"


def test_label_sets_and_ratings_go_together(shop: Path) -> None:
    rated_production(shop, lambda truth, taught, chance: taught, queries=30)
    name, taught = run_of(shop, wrong_on(*range(0, 60, 5))), run_of(shop, wrong_on(*range(0, 60, 6)))
    words = ("student", "check", "--student", name, "--teacher", taught, "--student-labels", "learned")
    done = harness(*words)
    assert done.code == 2 and "--student-labels, --teacher-labels and --ratings go together" in done.err
    done = harness(*words, "--teacher-labels", "taught", "--ratings", "rated.csv", "--uniform")
    assert done.code == 3 and "On production, by traffic" in done.out, done.err
    done = harness(*words, "--teacher-labels", "taught", "--ratings", "rated.csv")
    assert done.code == 2 and "--uniform" in done.err


def test_a_notebook_has_the_same_check_of_arrays() -> None:
    student, teacher = planted("lossy", queries=30)
    rows = [
        (one.golden, teacher.items[key].answers[0].grade, one.answers[0].grade, one.cluster)
        for key, one in student.items.items()
    ]
    golden, theirs, ours, queries = (list(column) for column in zip(*rows, strict=True))
    found = notebook_check(golden, theirs, ours, scale="0-2", queries=queries)
    there = check_student(student, teacher)
    assert found.delta == there.delta and found.gain == there.gain and found.verdict == there.verdict
    assert "stand in for" in str(found) and "student, teacher" in str(found)
