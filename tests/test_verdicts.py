"""How a verdict is read from a scorecard or a comparison: at which figures, in which order, in what words.

The figures are put in by hand, so that each stands exactly where it matters.
"""

import math
from typing import Any

import pytest
from comparing import item as compared
from comparing import side
from scipy import stats
from scoring import gate1, gate2, item

from harness.comparison.paired import compare_sides
from harness.nouns.base import Band, Weighting
from harness.nouns.policy import Gates
from harness.report.comparison import change_sentence
from harness.score.threshold import bands_differ
from harness.scorecards.comparison import CellChange, Change, Comparison, Regression
from harness.scorecards.gate1 import Gate1
from harness.scorecards.gate2 import ActionScore, CellScore, Gate2
from harness.scorecards.shared import Estimate
from harness.verdicts.gates import EXIT_CODES, NO_RATERS, judge_gate1, judge_gate2, verdict_of
from harness.verdicts.regression import judge_regression
from harness.verdicts.threshold_changes import bars_of, differing

PLAIN = gate2([item(f"i{at}", at % 3, at % 3) for at in range(60)])
"""A scorecard to put figures into."""
HIGH, LOW, WIDE = (0.85, 0.95), (0.5, 0.7), (0.75, 0.9)


def card(
    ci: tuple[float, float] | None = HIGH, worst: tuple[float, float] | None = None, **more: Any
) -> Gate2:
    """A scorecard whose kappa has this interval, and at worst the other, else the same; the bar is 0.8."""
    kappa = Estimate(value=0.82, n=300, ci=ci, se=0.04, reason=None if ci else "no interval: all alike")
    update = {
        "kappa": kappa,
        "kappa_worst_case": 0.82,
        "kappa_worst_case_ci": worst or ci,
        "never_grow": (),
        "actions": None,
        "n_clusters": 100,
    }
    return PLAIN.model_copy(update={**update, **more})


def judged(score: Gate2, gates: Gates | None = None, rated: Gate1 | None = None, **more: Any) -> Gate2:
    return judge_gate2(score, gates or Gates(), rated, **more)


# --- kappa against its bar -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ci", "verdict", "words"),
    [
        ((0.8, 0.9), "pass", "the 95 % interval of kappa, 0.800 to 0.900, lies above the bar 0.8"),
        ((0.7999, 0.9), "inconclusive", "the 95 % interval of kappa, 0.800 to 0.900, contains the bar 0.8"),
        ((0.6, 0.8), "inconclusive", "the 95 % interval of kappa, 0.600 to 0.800, contains the bar 0.8"),
        ((0.6, 0.7999), "fail", "the 95 % interval of kappa, 0.600 to 0.800, lies below the bar 0.8"),
    ],
)
def test_whole_interval_has_to_reach_the_bar_or_stay_below_it(
    ci: tuple[float, float], verdict: str, words: str
) -> None:
    found = judged(card(ci))
    assert (found.verdict, found.reason) == (verdict, words)
    assert EXIT_CODES == {"pass": 0, "fail": 1, "inconclusive": 3}


def test_gated_kappa_is_the_one_of_the_weighting() -> None:
    linear = Estimate(value=0.9, n=300, ci=(0.85, 0.95), se=0.02)
    found = judged(card(LOW, gated="kappa_linear", kappa_linear=linear, kappa_worst_case_ci=HIGH))
    assert found.verdict == "pass"
    assert (found.reason or "").startswith("the 95 % interval of kappa with linear weights, 0.850 to 0.950,")


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("undefined: no item was graded by both", "kappa is undefined: no item was graded by both"),
        ("no interval: one query", "kappa has no interval: one query"),
        ("the same grade for all", "kappa has no interval: the same grade for all"),
    ],
)
def test_kappa_without_an_interval_is_inconclusive_and_says_why(reason: str, words: str) -> None:
    kappa = Estimate(value=None, n=300, reason=reason)
    found = judged(card(kappa=kappa))
    assert (found.verdict, found.reason, found.items_needed) == ("inconclusive", words, None)


def test_verdict_file_holds_what_the_verdict_was_read_from() -> None:
    found = verdict_of(judged(card()))
    assert (found["gate"], found["verdict"], found["bar"], found["kappa"]["ci"]) == (
        2,
        "pass",
        0.8,
        [0.85, 0.95],
    )
    assert set(found) == {
        *(
            "gate",
            "verdict",
            "reason",
            "items_needed",
            "queries_needed",
            "band",
            "bar",
            "bar_moved",
            "weighting",
            "gated",
        ),
        *("kappa", "kappa_linear", "kappa_quadratic", "n", "n_clusters", "coverage", "gate1", "provisional"),
    }


# --- how many items would decide ------------------------------------------------------------------------


def test_items_are_told_where_more_of_them_would_decide() -> None:
    """300 (t SE / (1 - kappa^2) / (atanh 0.82 - atanh 0.8))^2, with t(0.975, 99) = 1.984217."""
    needed = 300 * (1.984217 * 0.04 / (1 - 0.82**2) / (math.atanh(0.82) - math.atanh(0.8))) ** 2
    assert judged(card(WIDE)).items_needed == math.ceil(needed) == 5198
    assert judged(card(HIGH)).items_needed is None
    assert judged(card(LOW)).items_needed is None


@pytest.mark.parametrize("change", [{"value": None}, {"se": None}, {"value": 0.99}, {"value": 0.8}])
def test_items_are_not_told_where_that_is_unknown_or_already_had(change: dict[str, Any]) -> None:
    """At a kappa of 0.99 with that error 8 items would do, and there are 300."""
    kappa = {"value": 0.82, "n": 300, "ci": WIDE, "se": 0.0004 if "value" in change else 0.04, **change}
    assert judged(card(WIDE, kappa=Estimate(**kappa))).items_needed is None


def test_items_are_not_told_where_as_many_are_there_already() -> None:
    """Where the half-width is 0.9999 of the distance, it takes 300 x 0.9999^2 items, rounded up."""
    distance = math.atanh(0.82) - math.atanh(0.8)
    for share, told in ((0.9999, None), (1.01, 307)):
        kappa = Estimate(value=0.82, n=300, ci=WIDE, se=share * distance * (1 - 0.82**2) / 1.98421695)
        assert judged(card(WIDE, kappa=kappa)).items_needed == told


@pytest.mark.parametrize(("clusters", "told"), [(300, None), (299, 306), (100, 103)])
def test_queries_are_told_where_they_have_several_items(clusters: int, told: int | None) -> None:
    """307 items, at 300 / 299 or at 3 a query, are 305.98 or 102.33 queries, rounded up."""
    distance = math.atanh(0.82) - math.atanh(0.8)
    t = float(stats.t.ppf(0.975, clusters - 1))
    kappa = Estimate(value=0.82, n=300, ci=WIDE, se=1.01 * distance * (1 - 0.82**2) / t)
    found = judged(card(WIDE, kappa=kappa, n_clusters=clusters))
    assert (found.items_needed, found.queries_needed) == (307, told)


# --- what is missing -------------------------------------------------------------------------------------


def test_coverage_under_the_floor_comes_before_everything() -> None:
    found = judged(card(LOW, coverage=0.98), Gates(coverage_floor=0.985))
    assert (found.verdict, found.items_needed) == ("inconclusive", None)
    assert found.reason == "coverage 98.0% is under the floor of 98.5%"


@pytest.mark.parametrize(
    ("ci", "worst", "coverage", "verdict"),
    [
        (HIGH, WIDE, 0.999, "inconclusive"),
        (HIGH, WIDE, 1.0, "pass"),
        (HIGH, (0.81, 0.9), 0.999, "pass"),
        (WIDE, LOW, 0.999, "inconclusive"),
        (LOW, (0.4, 0.6), 0.999, "fail"),
    ],
)
def test_missing_answers_count_where_at_worst_they_would_change_the_verdict(
    ci: tuple[float, float], worst: tuple[float, float], coverage: float, verdict: str
) -> None:
    found = judged(card(ci, worst, coverage=coverage))
    assert found.verdict == verdict
    said = "the missing answers could change the verdict: in the worst case, the 95 % interval of kappa, "
    changes = coverage < 1 and (ci, worst) in ((HIGH, WIDE), (WIDE, LOW))
    assert (found.reason or "").startswith(said + f"{worst[0]:.3f} to {worst[1]:.3f},") == changes
    assert found.items_needed is None or not changes


def test_worst_case_without_an_interval_could_change_the_verdict_and_says_why() -> None:
    reasons = {"kappa_worst_case": "no interval: all alike"}
    found = judged(card(coverage=0.999, kappa_worst_case_ci=None, reasons=reasons))
    assert found.reason == (
        "the missing answers could change the verdict: in the worst case, kappa has no interval: all alike"
    )


def test_golden_grades_of_another_policy_measure_nothing() -> None:
    found = judged(card(LOW), stale="3 of 60 examples were not yet judged under small@v2")
    assert (found.verdict, found.reason) == (
        "inconclusive",
        "3 of 60 examples were not yet judged under small@v2",
    )
    assert found.items_needed is None


# --- what else has a limit ------------------------------------------------------------------------------


def acting(
    ci: tuple[float, float] | None, worst: tuple[float, float] | None = None, **more: Any
) -> ActionScore:
    known: dict[str, Any] = {"kappa": 0.9, "bar": 0.8, "labels": ("show", "hide"), "matrix": ((9, 0), (0, 9))}
    return ActionScore(**{**known, "ci": ci, "ci_worst_case": worst or ci, **more})


def cell(ci: tuple[float, float] | None, worst: tuple[float, float] | None = None, **more: Any) -> CellScore:
    known: dict[str, Any] = {"golden": 0, "action": "show", "count": 2, "n": 40, "share": 0.05, "limit": 0.1}
    return CellScore(**{**known, "ci": ci, "ci_worst_case": worst or ci, **more})


KAPPA = "the 95 % interval of kappa, 0.850 to 0.950, lies above the bar 0.8"


def test_pass_says_everything_that_passed() -> None:
    found = judged(card(actions=acting(HIGH), never_grow=(cell((0.01, 0.1)), cell((0.0, 0.05), limit=None))))
    assert (found.verdict, found.reason) == (
        "pass",
        f"{KAPPA}; the 95 % interval of the actions' kappa, 0.850 to 0.950, lies above the bar 0.8; "
        "golden 0 with action show: 2 of 40, at most 10.0%, within the limit 10.0%",
    )


@pytest.mark.parametrize(
    ("ci", "verdict", "words"),
    [
        ((0.02, 0.1), "pass", "2 of 40, at most 10.0%, within the limit 10.0%"),
        ((0.02, 0.1001), "inconclusive", "2 of 40, at most 10.0%, against the limit 10.0%"),
        ((0.1, 0.2), "inconclusive", "2 of 40, at most 20.0%, against the limit 10.0%"),
        ((0.1001, 0.2), "fail", "2 of 40, at most 20.0%, against the limit 10.0%"),
        (None, "inconclusive", "golden 0 with action show has no item"),
    ],
)
def test_whole_interval_of_a_cell_has_to_stay_within_its_limit(
    ci: tuple[float, float] | None, verdict: str, words: str
) -> None:
    found = judged(card(never_grow=(cell(ci),)))
    assert found.verdict == verdict
    assert words in (found.reason or "")
    assert (found.reason == f"{KAPPA}; golden 0 with action show: {words}") == (verdict == "pass")


def test_verdict_by_a_guarded_limit_says_so() -> None:
    said = "fewer than five queries have one, so the number of queries, not their spread, sets the limit"
    guarded = cell((0.0, 0.2), (0.0, 0.3), guarded=True)
    assert said in (judged(card(never_grow=(guarded,))).reason or "")
    assert said not in (judged(card(never_grow=(cell((0.0, 0.2)),))).reason or "")


def test_cell_and_actions_without_a_limit_decide_nothing() -> None:
    found = judged(card(actions=acting(LOW, bar=None), never_grow=(cell((0.5, 0.9), limit=None),)))
    assert (found.verdict, found.reason) == ("pass", KAPPA)


def test_failures_come_before_what_is_open_and_all_of_them_are_told() -> None:
    both = judged(card(LOW, actions=acting(WIDE), never_grow=(cell((0.2, 0.3)),)))
    assert (both.verdict, both.reason) == (
        "fail",
        "the 95 % interval of kappa, 0.500 to 0.700, lies below the bar 0.8; "
        "golden 0 with action show: 2 of 40, at most 30.0%, against the limit 10.0%",
    )
    open_ = judged(card(WIDE, actions=acting(WIDE)))
    assert (open_.verdict, open_.reason) == (
        "inconclusive",
        "the 95 % interval of kappa, 0.750 to 0.900, contains the bar 0.8; "
        "the 95 % interval of the actions' kappa, 0.750 to 0.900, contains the bar 0.8",
    )


@pytest.mark.parametrize(
    "change",
    [{"actions": acting(HIGH, WIDE)}, {"never_grow": (cell((0.01, 0.1), (0.02, 0.11)),)}],
    ids=["actions", "cell"],
)
def test_missing_answers_may_change_what_else_has_a_limit(change: dict[str, Any]) -> None:
    assert judged(card(**change)).verdict == "pass"
    found = judged(card(coverage=0.999, **change))
    assert found.verdict == "inconclusive"
    assert found.reason in (
        "the missing answers could change the verdict: in the worst case, "
        "the 95 % interval of the actions' kappa, 0.750 to 0.900, contains the bar 0.8",
        "the missing answers could change the verdict: in the worst case, "
        "golden 0 with action show: 2 of 40, at most 11.0%, against the limit 10.0%",
    )


def test_missing_answers_that_would_change_nothing_keep_a_pass() -> None:
    more: dict[str, Any] = {
        "actions": acting(HIGH, (0.81, 0.9)),
        "never_grow": (cell((0.01, 0.05), (0.01, 0.1)),),
    }
    assert judged(card(coverage=0.999, **more)).verdict == "pass"


def test_actions_without_an_interval_say_why() -> None:
    found = judged(card(actions=acting(None, reason="no interval: all alike")))
    assert (found.verdict, found.reason) == (
        "inconclusive",
        "the actions' kappa has no interval: all alike",
    )


def test_more_items_do_not_decide_what_something_else_than_kappa_left_open() -> None:
    assert judged(card(WIDE)).items_needed is not None
    assert judged(card(WIDE, actions=acting(WIDE))).items_needed is None


# --- Gate 1 beside Gate 2 ---------------------------------------------------------------------------------

RATED = gate1({f"i{at}": {"ann": at % 3, "bob": (at + (at % 100 == 7)) % 3} for at in range(300)})
"""Two raters who differ on 3 of 300 items: ratings that are all the same would look copied."""


@pytest.mark.parametrize(
    ("rated", "verdict", "words"),
    [
        (None, None, NO_RATERS),
        (RATED, "pass", None),
        (RATED.model_copy(update={"verdict": "fail"}), "fail", "Gate 1 has not passed (fail)"),
        (
            RATED.model_copy(update={"verdict": "inconclusive"}),
            "inconclusive",
            "Gate 1 has not passed (inconclusive)",
        ),
        (
            RATED.model_copy(update={"verdict": "fail", "provisional": "all of them are models"}),
            "fail",
            "Gate 1 has not passed (fail); in Gate 1, all of them are models",
        ),
    ],
)
def test_gate2_is_provisional_until_people_passed_gate1(
    rated: Gate1 | None, verdict: str | None, words: str | None
) -> None:
    found = judged(card(), rated=rated)
    assert (found.gate1, found.provisional, found.verdict) == (verdict, words, "pass")


def test_gate1_is_read_from_its_kappa_alone_and_advises() -> None:
    kappa = Estimate(value=0.7, n=300, ci=(0.6, 0.79), se=0.04)
    found = judge_gate1(RATED.model_copy(update={"kappa": kappa}), {0: "bad"})
    assert (found.verdict, found.items_needed) == ("fail", None)
    assert found.reason == "the 95 % interval of kappa, 0.600 to 0.790, lies below the bar 0.8"


def test_gate1_of_an_open_round_stays_open_whatever_its_kappa_and_advises_nothing() -> None:
    bands: dict[Weighting, Band | None] = {"none": "weak", "linear": "moderate"}
    warnings = (*bands_differ(bands), "another")
    assert len(warnings) == 2
    warned = RATED.model_copy(update={"bands": bands, "warnings": warnings})
    assert (warned.band, judge_gate1(warned).verdict) != (None, "inconclusive")
    for score in (warned, warned.model_copy(update={"copies": "copied"})):
        found = judge_gate1(score, {0: "bad"}, "round r1 is open")
        assert (found.verdict, found.reason, found.band) == ("inconclusive", "round r1 is open", None)
        assert (found.warnings, found.advice) == (("another",), score.advice)
        assert found.kappa == score.kappa
    near = Estimate(value=0.8, n=300, ci=(0.7, 0.9), se=0.04)
    found = judge_gate1(RATED.model_copy(update={"kappa": near}), None, "round r1 is open")
    assert found.items_needed == judge_gate1(RATED.model_copy(update={"kappa": near})).items_needed


# --- regressions --------------------------------------------------------------------------------------------


def comparison(delta: float | None = 0.0, se: float | None = 0.01, **more: Any) -> Comparison:
    """Two equal gradings of 60 items, with a change of kappa put in: 21 queries, 20 degrees of freedom."""
    items = [compared(f"i{at}", at % 3, at % 3) for at in range(60)]
    plain = compare_sides(side(*items), side(*items, name="b"))
    change = Change(
        base=0.9, candidate=0.9, delta=delta, se=se, reason=None if se else "undefined: all alike"
    )
    return plain.model_copy(update={"kappa": change, "n_clusters": 21, **more})


def moved(low: float, high: float) -> Change:
    return Change(base=0.5, candidate=0.5 + (low + high) / 2, delta=(low + high) / 2, ci=(low, high), se=0.1)


@pytest.mark.parametrize(
    ("kappa", "others", "said"),
    [
        (
            (0.1, 0.3),
            {"mae": (0.01, 0.2)},
            "The candidate is better: kappa moved by +0.200 [0.100, 0.300]. By other figures it is worse: "
            "mean absolute error moved by +0.105 [0.010, 0.200].",
        ),
        ((0.1, 0.3), {"mae": (0.0, 0.2), "accuracy": (-0.2, 0.0)}, "[0.100, 0.300]."),
        ((0.1, 0.3), {"mae": (-0.2, -0.1), "accuracy": (0.1, 0.2)}, "[0.100, 0.300]."),
        ((0.1, 0.3), {"accuracy": (-0.2, -0.01)}, "it is worse: accuracy moved by -0.105 [-0.200, -0.010]."),
        ((-0.3, -0.1), {"mae": (-0.2, -0.01)}, "mean absolute error moved by -0.105 [-0.200, -0.010]."),
        ((-0.3, -0.1), {"accuracy": (0.01, 0.2)}, "it is better: accuracy moved by +0.105 [0.010, 0.200]."),
        ((-0.3, -0.1), {"accuracy": (0.0, 0.2), "mae": (-0.2, 0.0)}, "[-0.300, -0.100]."),
        ((-0.1, 0.1), {"accuracy": (0.01, 0.2)}, "is shown: kappa moved by +0.000 [-0.100, 0.100]."),
    ],
)  # fmt: skip
def test_figure_that_says_the_reverse_of_kappa_is_in_the_sentence(
    kappa: tuple[float, float], others: dict[str, tuple[float, float]], said: str
) -> None:
    changes = {name: moved(*ci) for name, ci in {"kappa": kappa, **others}.items()}
    sentence = change_sentence(comparison().model_copy(update=changes))
    assert sentence.endswith(said)
    assert ("By other figures" in sentence) == ("absolute error" in said or "accuracy" in said)


def regression(found: Comparison, **gates: Any) -> Regression:
    return judge_regression(found, Gates(**gates))


def condition(found: Regression, start: str) -> tuple[str, str]:
    (one,) = (one for one in found.conditions if one.name.startswith(start))
    return one.verdict, one.reason


@pytest.mark.parametrize(
    ("delta", "verdict", "words"),
    [
        (-0.0499, "pass", "kappa moved by -0.050, surely no loss beyond 0.05 (95 % limit -0.050)"),
        (
            -0.05,
            "inconclusive",
            "is neither shown nor ruled out (one-sided 95 % limits -0.050 and -0.050)",
        ),
        (-0.0501, "fail", "kappa moved by -0.050, surely a loss beyond 0.05 (95 % limit -0.050)"),
        (0.2, "pass", "kappa moved by +0.200, surely no loss beyond 0.05 (95 % limit +0.200)"),
    ],
)
def test_candidate_may_lose_less_than_the_margin(delta: float, verdict: str, words: str) -> None:
    found = regression(comparison(delta, se=1e-9))
    assert found.verdict == verdict
    assert words in found.reason
    assert condition(found, "kappa loses less than 0.05") == (verdict, found.reason)


def test_limits_of_a_regression_are_one_sided() -> None:
    """t(0.95, 20) = 1.724718 on the queries' degrees of freedom."""
    found = regression(comparison(-0.03, se=0.02))
    half = stats.t.ppf(0.95, 20) * 0.02
    assert (found.low, found.high) == pytest.approx((-0.03 - half, -0.03 + half))
    assert (found.verdict, found.margin) == ("inconclusive", 0.05)
    assert found.reason == (
        "kappa moved by -0.030: a loss beyond 0.05 is neither shown nor ruled out "
        "(one-sided 95 % limits -0.064 and +0.004)"
    )
    assert regression(comparison(-0.03, se=0.02), margin=0.07).verdict == "pass"


@pytest.mark.parametrize(("delta", "se"), [(None, None), (0.0, None), (0.1, 0.0)])
def test_kappa_that_cannot_be_compared_leaves_it_open(delta: float | None, se: float | None) -> None:
    found = regression(comparison(delta, se))
    assert (found.verdict, found.low, found.high) == ("inconclusive", None, None)
    assert found.reason == "kappa cannot be compared: undefined: all alike"


@pytest.mark.parametrize(("candidate", "verdict"), [(3, "pass"), (5, "pass"), (6, "fail")])
def test_cell_may_grow_by_what_is_allowed_and_no_more(candidate: int, verdict: str) -> None:
    grown = CellChange(golden=0, action="show", base=3, candidate=candidate, allowed=2)
    found = regression(comparison(never_grow=(grown,)))
    said = f"3 before, {candidate} now"
    words = f"{said}, 2 more are allowed" if verdict == "fail" else said
    assert condition(found, "golden 0 with action show does not grow") == (verdict, words)
    assert found.verdict == verdict
    assert ("golden 0 with action show: 3 before" in found.reason) == (verdict == "fail")


def test_coverage_of_the_candidate_has_a_floor() -> None:
    change = Change(base=1.0, candidate=0.98, delta=-0.02)
    low = regression(comparison(coverage=change))
    assert condition(low, "coverage is 99.0% or more") == (
        "inconclusive",
        "coverage 98.0% is under the floor of 99.0%",
    )
    enough = regression(comparison(coverage=change), coverage_floor=0.98)
    assert condition(enough, "coverage is 98.0% or more") == ("pass", "coverage 98.0%")
    unknown = regression(comparison(coverage=Change(base=None, candidate=None, delta=None)))
    assert condition(unknown, "coverage is") == ("inconclusive", "coverage 0.0% is under the floor of 99.0%")


def test_cases_that_were_lost_are_each_counted_once() -> None:
    lost: dict[str, Any] = {"only_base": ("a",), "unread_base": ("b", "c"), "unread_candidate": ("c", "d")}
    found = regression(comparison(n_common=96, **lost), coverage_floor=0.96)
    words = "96 of the 100 cases that the base knows could be compared"
    assert condition(found, "the base's cases are compared") == ("pass", words)
    found = regression(comparison(n_common=96, **lost), coverage_floor=0.961)
    assert condition(found, "the base's cases are compared") == ("inconclusive", words)
    assert all(not one.name.startswith("the base's cases") for one in regression(comparison()).conditions)


@pytest.mark.parametrize(("policies_differ", "known"), [(False, 98), (True, 96)])
def test_cases_with_another_golden_grade_are_lost_where_the_policy_is_one(
    policies_differ: bool, known: int
) -> None:
    items = [compared(f"i{at}", at % 3, at % 3) for at in range(98)]
    others = [compared(f"i{at}", (at + (at < 2)) % 3, at % 3) for at in range(98)]
    found = compare_sides(side(*items), side(*others, name="b"))
    assert len(found.relabelled) == 2
    found = found.model_copy(update={"n_common": 96, "policies_differ": policies_differ})
    names = [one.name for one in regression(found).conditions]
    assert ("the base's cases are compared" in names) == (not policies_differ)
    if not policies_differ:
        words = f"96 of the {known} cases that the base knows could be compared"
        assert condition(regression(found), "the base's cases are compared")[1] == words


def test_what_says_nothing_of_the_whole_leaves_it_open() -> None:
    found = regression(comparison(only_candidate=("x", "y"), stale=3, apart="b graded chosen examples alone"))
    assert found.verdict == "inconclusive"
    assert condition(found, "the baseline knows every case")[1].startswith("2 cases are not in the base")
    assert condition(found, "the golden grades are those of the policy") == (
        "inconclusive",
        "3 examples were not yet judged under the candidate's policy version",
    )
    assert condition(found, "the items represent a split") == (
        "inconclusive",
        "a run b graded chosen examples alone: its items do not represent a split",
    )
    open_ = [one.reason for one in found.conditions if one.verdict == "inconclusive"]
    assert len(open_) == 3 and found.reason == "; ".join(open_)


def test_failures_are_told_before_what_is_open() -> None:
    cells = tuple(
        CellChange(golden=golden, action="show", base=0, candidate=1, allowed=0) for golden in (0, 1)
    )
    found = regression(comparison(never_grow=cells, stale=3))
    assert found.verdict == "fail"
    told = [f"golden {at} with action show: 0 before, 1 now, 0 more are allowed" for at in (0, 1)]
    assert found.reason == "; ".join(told)
    assert found.reason.count("1 now") == 2


# --- bars that moved ----------------------------------------------------------------------------------------

STRICT = Gates.model_validate(
    {
        "coverage_floor": 0.995,
        "gate1": {"bar": 0.7},
        "gate2": {"bar": 0.85, "actions": 0.9},
        "never_grow": [{"golden": 0, "action": "show", "limit": 0.02}, {"golden": 1, "action": "show"}],
    }
)


def test_every_bar_is_named_in_words() -> None:
    assert bars_of(Gates()) == {
        "kappa": "kappa 0.8",
        "Gate 1": "Gate 1 at 0.8",
        "coverage": "coverage floor 0.99",
    }
    assert bars_of(STRICT) == {
        "kappa": "kappa 0.85",
        "Gate 1": "Gate 1 at 0.7",
        "coverage": "coverage floor 0.995",
        "the actions": "actions' kappa 0.9",
        "golden 0 with action show": "golden 0 with action show at most 0.02",
    }


def test_other_bars_are_told_by_what_they_asked_for() -> None:
    assert differing(STRICT, STRICT) is None
    assert differing(Gates(weighting="linear"), Gates()) == "kappa_linear 0.8"
    assert differing(STRICT, Gates()) == (
        "kappa 0.85, Gate 1 at 0.7, coverage floor 0.995, actions' kappa 0.9, "
        "golden 0 with action show at most 0.02"
    )
    assert differing(Gates(), STRICT) == (
        "kappa 0.8, Gate 1 at 0.8, coverage floor 0.99, no limit for the actions, "
        "no limit for golden 0 with action show"
    )
