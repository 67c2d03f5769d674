"""A bias audit's figures: by hand, against brute force, and on simulated teachers with a planted bias."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from builders import example, policy
from scipy import stats

from harness.audit.effects import LEAST, effects
from harness.audit.features import Subject, features, language_of, price_of
from harness.audit.moves import moves, steered
from harness.audit.rewriting import PRAISE, REWRITINGS, pair_id, rewritten
from harness.golden.canaries import canary_examples, load_canaries
from harness.nouns.pair import Example, Result
from harness.report.audit import findings
from harness.scorecards.audit import ActionMoved, Audit, Effect, Rewrite
from harness.stats import intervals
from harness.stats.agreement import Floats, Integers
from harness.stats.slopes import CONSTANT, TOO_FEW, within_slope

ROOT = Path(__file__).resolve().parent.parent


def dummies(x: Floats, strata: Integers) -> Floats:
    """The feature beside an indicator of every stratum."""
    columns = [x, *((strata == one).astype(np.float64) for one in np.unique(strata))]
    return np.column_stack(columns)


def regressed(x: Floats, y: Floats, strata: Integers) -> float:
    return float(np.linalg.lstsq(dummies(x, strata), y, rcond=None)[0][0])


@pytest.mark.parametrize("seed", range(5))
def test_slope_is_that_of_a_regression_and_its_error_leaves_out_a_query_at_a_time(seed: int) -> None:
    rng = np.random.default_rng(seed)
    clusters = np.repeat(np.arange(12), rng.integers(1, 8, 12))
    strata = rng.integers(0, 3, len(clusters))
    x = rng.normal(3, 1, len(clusters)) + strata
    y = 0.3 * x + strata + rng.normal(0, 1, len(clusters))
    slope = regressed(x, y, strata)
    without = np.array([regressed(*(a[clusters != g] for a in (x, y, strata))) for g in range(12)])
    se = math.sqrt(11 / 12 * ((without - slope) ** 2).sum())
    means = np.array([x[strata == s].mean() for s in strata])
    share = np.bincount(clusters, weights=(x - means) ** 2)
    freedom = share.sum() ** 2 / (share**2).sum() - 1
    found = within_slope(x, y, strata, clusters)
    assert (found.value, found.se) == pytest.approx((slope, se))
    half = stats.t.ppf(0.975, freedom) * se
    assert found.ci == pytest.approx((slope - half, slope + half))
    assert found.p == pytest.approx(2 * stats.t.sf(abs(slope) / se, freedom))


def slope_of(
    x: Sequence[float], y: Sequence[float], strata: Sequence[int], clusters: Sequence[int]
) -> intervals.Tested:
    return within_slope(np.array(x, float), np.array(y, float), np.array(strata), np.array(clusters))


def test_what_differs_between_golden_grades_alone_is_no_effect() -> None:
    """A teacher that errs towards the middle errs with everything that goes with the golden grade."""
    strata = [0, 4] * 10
    assert slope_of(strata, [1, -1] * 10, strata, list(range(20))).reason is CONSTANT
    assert slope_of([], [], [], []).reason is CONSTANT


def test_a_feature_that_too_few_queries_vary_in_is_not_tested() -> None:
    x = [float(at) for at in range(5)] + [0.0] * 15
    found = slope_of(x, x, [0] * 20, [0] * 5 + list(range(1, 16)))
    assert (found.value, found.reason) == (None, TOO_FEW)
    four, five = ([1.0, -1.0] * n + [0.0] * 10 for n in (4, 5))
    assert slope_of(four, four, [0] * 18, [0, 0, 1, 1, 2, 2, 3, 3, *range(4, 14)]).reason is TOO_FEW
    assert slope_of(five, five, [0] * 20, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, *range(5, 15)]).value == 1.0


@pytest.fixture(scope="module")
def simulation() -> ModuleType:
    """benchmarks/audit.py."""
    import importlib.util
    import sys

    spec = importlib.util.spec_from_file_location("benchmark_of_audit", ROOT / "benchmarks/audit.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_an_unbiased_teacher_is_called_biased_in_5_percent_of_the_sets_at_most(
    simulation: ModuleType,
) -> None:
    sought, false = simulation.counts(50, 5, 0.0, 200)
    assert sought + false <= 10


def test_a_planted_length_bias_is_found(simulation: ModuleType) -> None:
    sought, _ = simulation.counts(50, 5, 0.4, 20)
    assert sought >= 19
    set_ = simulation.subjects(np.random.default_rng(3), 100, 5, 0.4)
    by_name = {(one.feature, one.outcome): one for one in effects(set_)}
    found = by_name["title length", "error"]
    assert found.effect is not None and found.ci is not None
    assert 0.1 < found.ci.low < found.effect < found.ci.high < 0.6


@pytest.mark.slow
def test_an_unbiased_teacher_is_said_to_move_a_rewrite_in_5_percent_of_the_sets_at_most(
    simulation: ModuleType,
) -> None:
    sought, false = simulation.moved_counts(50, 5, 0.0, 200, policy(range(5)))
    assert sought + false <= 10


def test_a_planted_shift_of_paraphrases_is_found(simulation: ModuleType) -> None:
    sought, false = simulation.moved_counts(100, 5, 0.4, 10, policy(range(5)))
    assert sought >= 9 and false <= 2


def subject(at: int, **changes: Any) -> Subject:
    data: dict[str, Any] = {
        "item": f"i{at}",
        "cluster": f"q{at // 3}",
        "query": "red shoe",
        "title": "a red shoe" + " word" * (at % 4),
        "golden": at % 3,
        "error": float((at * at) % 5 % 3 - 1),
    }
    return Subject(**{**data, **changes})


def by_feature(subjects: Sequence[Subject]) -> dict[str, Effect]:
    return {one.feature: one for one in effects(subjects) if one.outcome == "error"}


def test_what_a_set_lacks_cannot_be_told_and_says_why() -> None:
    found = by_feature([subject(at) for at in range(60)])
    assert found["title length"].effect is not None
    assert found["title length"].p_holm is not None
    reasons = {name: one.reason for name, one in found.items() if one.effect is None}
    assert {name: reason.text for name, reason in reasons.items() if reason} == {
        "query words in title": CONSTANT.text,
        "price": "no item has a price above 0",
        "brand named": "no item says whether it has a brand",
        "brand": "no item names its brand",
        "order of asking": "the order is unknown",
        "script": "no script has 10 items beside 10 others",
        "language": "no item names its language",
    }


def test_bare_grades_and_teachers_without_errors_are_not_tested() -> None:
    bare = effects([subject(at, title="", query="") for at in range(60)])
    assert all(one.effect is None and one.reason for one in bare)
    right = by_feature([subject(at, error=0.0) for at in range(60)])
    assert "errs in fewer than 5 queries" in str(right["title length"].reason)
    # Four queries with an error are too few; five are not.
    for wrong, tested in ((4, False), (5, True)):
        some = [subject(at, error=float(at % 3 - 1) if at < 3 * wrong else 0.0) for at in range(60)]
        assert (by_feature(some)["title length"].effect is not None) is tested


def test_few_items_say_nothing() -> None:
    assert LEAST == 30
    for count, tested in ((LEAST - 1, False), (LEAST, True)):
        found = by_feature([subject(at) for at in range(count)])["title length"]
        assert (found.effect is not None, found.n) == (tested, count)
    for count in (9, 10, 50, 51):
        named = [subject(at, result=Result(title="t", brand="A" if at < count else None)) for at in range(60)]
        reason = str(by_feature(named)["brand named"].reason)
        assert ("fewer than 10 items on one side" in reason) is (count in (9, 51))


def test_the_three_most_frequent_brands_are_features_and_rare_ones_are_not() -> None:
    brands = [*["A"] * 14, *["B"] * 13, *["C"] * 12, *["D"] * 11, *["E"] * 9]
    set_ = [subject(at, result=Result(title="t", brand=brand)) for at, brand in enumerate(brands)]
    assert [one.name for one in features(set_) if one.name.startswith("brand:")] == [
        "brand: A",
        "brand: B",
        "brand: C",
    ]
    for count, known in ((9, False), (10, True)):
        two = [subject(at, result=Result(title="t", brand="A" if at < count else "B")) for at in range(60)]
        assert any(one.name == "brand: A" for one in features(two)) is known


def test_a_finding_has_a_corrected_p_below_5_percent() -> None:
    one = Effect(
        feature="x", outcome="error", unit="against the others", effect=0.5, n=9, n_clusters=9, p=0.01
    )
    shift = measured([0] * 8, praise=[1] * 8)[0]["praise"]
    for p, said in ((0.049, True), (0.05, False), (None, False)):
        found = Audit(
            grader="m", graded="g", run="r", n=9, n_clusters=9, unread=0,
            effects=(one.model_copy(update={"p_holm": p}),),
            rewrites=(shift.model_copy(update={"p_holm": p}),),
        )  # fmt: skip
        text = " ".join(findings(found))
        assert (
            "Related to x: items of the same golden grade that have it are graded 0.50 higher." in text
        ) is said
        assert ("praise raises the grade by 1.00 on average" in text) is said
        assert ("No effect differs from chance (2 tests, Holm)" in text) is not said
    larger = one.model_copy(update={"outcome": "absolute error", "effect": -0.5, "p_holm": 0.01})
    (text,) = findings(found.model_copy(update={"effects": (larger,), "rewrites": ()}))
    assert text == (
        "Related to x: the errors for items of the same golden grade that have it are 0.50 smaller."
    )


def test_sides_of_a_feature_are_compared_in_grades() -> None:
    """Whoever has the brand is graded one higher: the effect is 1, against the others."""
    set_ = [
        subject(
            at,
            result=Result(title="t", brand="Alder" if at % 2 else "Birch"),
            error=float(at % 2) + (at == 0),
        )
        for at in range(60)
    ]
    found = by_feature(set_)
    assert found["brand: Alder"].unit == "against the others"
    assert found["brand: Alder"].effect == pytest.approx(1, abs=0.1)
    assert found["brand: Birch"].effect == pytest.approx(-1, abs=0.1)


@pytest.mark.parametrize(
    ("text", "price"),
    [
        ("46.50", 46.5), ("$12", 12.0), ("12,99 €", 12.99), ("1,299.00", 1299.0), ("1.299,00 EUR", 1299.0),
        ("1 299,00 zł", 1299.0), ("1,299", None), ("from 3 to 5", None), ("on request", None), ("", None),
    ],
)  # fmt: skip
def test_a_price_is_one_number_that_can_be_read_in_one_way(text: str, price: float | None) -> None:
    assert price_of(text) == price


def test_prices_of_several_currencies_are_not_compared() -> None:
    mixed = [
        subject(at, result=Result(title="t", price=f"{at + 1}.50 {('€', '$')[at % 2]}")) for at in range(60)
    ]
    found = next(one for one in features(mixed) if one.name == "price")
    assert "several forms: '$', '€'" in str(found.reason)
    one_sign = [subject(at, result=Result(title="t", price=f"€{at}.50" if at else "€0")) for at in range(60)]
    found = next(one for one in features(one_sign) if one.name == "price")
    assert (found.reason, found.values[:2]) == (None, [None, math.log(1.5)])


def test_scripts_and_languages_are_held_against_the_most_frequent() -> None:
    titles = ["красная обувь" if at % 4 == 0 else "red shoe" for at in range(60)]
    set_ = [
        subject(at, title=title, query="", language="de" if at % 3 else "en")
        for at, title in enumerate(titles)
    ]
    named = {one.name: one for one in features(set_)}
    assert [name for name in named if name.startswith(("script", "language"))] == [
        "script: Cyrillic",
        "language: en",
    ]
    assert named["script: Cyrillic"].values[:5] == [1.0, 0.0, 0.0, 0.0, 1.0]
    assert language_of({"locale": "fr"}, ["lang:de"]) == "de"
    assert language_of({"language": "fr"}, ["intent:x"]) == "fr"
    assert language_of(None, ["intent:x"]) is None


FULL = Result(
    title="Oak (solid) table, 5.5 ft - USB-C",
    brand="Alder",
    category="Home",
    price="46.50",
    description="Big. Old! Heavy?",
    attributes={"colour": "brown", "legs": "4"},
)


def test_each_rewrite_changes_what_it_says_and_nothing_else() -> None:
    pairs = {one.id: one for one in rewritten(lambda: [example("a", query="oak desk", result=FULL.data())])}
    assert list(pairs) == [pair_id("a", kind) for kind in ("plain", *REWRITINGS)]
    changed = {
        kind: {
            name: value for name, value in pairs[pair_id("a", kind)].result if value != getattr(FULL, name)
        }
        for kind in ("plain", *REWRITINGS)
    }
    assert changed == {
        "plain": {},
        "spaces": {"title": "Oak  (solid)  table,  5.5  ft  -  USB-C"},
        "punctuation": {"title": "Oak solid table 5.5 ft USB-C", "description": "Big. Old Heavy"},
        "lower-case": {"title": "oak (solid) table, 5.5 ft - usb-c"},
        "upper-case": {"title": "OAK (SOLID) TABLE, 5.5 FT - USB-C"},
        "attribute-order": {},  # the same attributes: their order alone differs
        "sentence-order": {"description": "Heavy? Old! Big."},
        "equivalents": {"title": "Oak (solid) table, 5.5 feet - USB-C"},
        "praise": {"title": f"{FULL.title} - {PRAISE}"},
        "stuffing": {"title": f"{FULL.title} oak desk"},
        "no-price": {"price": None},
        "no-brand": {"brand": None},
        "no-category": {"category": None},
        "no-attributes": {"attributes": {}},
        "no-description": {"description": None},
    }
    assert list(pairs["a/attribute-order"].result.attributes) == ["legs", "colour"]
    assert {one.pair.query for one in pairs.values()} == {"oak desk"}
    assert {kind for kind, way in REWRITINGS.items() if way.may_move} == {
        "stuffing",
        *(k for k in REWRITINGS if k.startswith("no-")),
    }


def test_what_a_rewrite_would_not_change_is_not_asked() -> None:
    bare = [example("a", result={"title": "red shoe"}), example("b", result={"title": "!!!"})]
    assert [one.id for one in rewritten(lambda: bare)] == [
        "a/plain", "b/plain", "a/spaces", "a/upper-case", "a/praise", "b/praise", "a/stuffing", "b/stuffing",
    ]  # fmt: skip


def measured(
    before: Sequence[int | None], **after: Sequence[int | None]
) -> tuple[Mapping[str, Rewrite], tuple[ActionMoved, ...]]:
    """Items of a query each, grades 0 and 1 hidden and 2 shown, rewritten in some ways (`upper_case`)."""
    given = [example(f"i{at}", result={"title": "Red"}) for at in range(len(before))]
    kinds = {"plain": before, **{kind.replace("_", "-"): grades for kind, grades in after.items()}}
    asked = {
        pair_id(f"i{at}", kind): grade for kind, grades in kinds.items() for at, grade in enumerate(grades)
    }
    grades = {id_: grade for id_, grade in asked.items() if grade is not None}
    found, actions = moves(given, frozenset(asked), grades, policy())
    return {one.kind: one for one in found}, actions


def test_moves_are_counted_by_hand() -> None:
    found, actions = measured([2, 1, 0, 2, None], upper_case=[0, 0, 0, 2, 1], praise=[2, 0, 2, 2, 2])
    upper, praise = found["upper-case"], found["praise"]
    assert (upper.of, upper.moved, upper.up, upper.down, upper.unread) == (4, 2, 0, 2, 1)
    assert (upper.share, upper.shift) == (0.5, -0.75)
    assert upper.ci == pytest.approx(stats.beta.ppf([0.025, 0.975], [2, 3], [3, 2]))
    assert (praise.moved, praise.up, praise.down, praise.shift) == (2, 1, 1, 0.25)
    # Grade 0 is filtered: i0 and i1 lose their place in capitals; with praise i1 does, but not first, and i2.
    assert [(one.kind, one.actions_moved, one.actions_first) for one in (upper, praise)] == [
        ("upper-case", 2, 2),
        ("praise", 2, 1),
    ]
    assert [(one.item, one.kind, one.before, one.after) for one in actions] == [
        ("i0", "upper-case", 2, 0),
        ("i1", "upper-case", 1, 0),
        ("i2", "praise", 0, 2),
    ]
    p = [float(stats.ttest_1samp(one, 0).pvalue) for one in ([-2, -1, 0, 0], [0, -1, 2, 0])]
    assert (upper.p, praise.p) == pytest.approx(p)
    assert (upper.p_holm, praise.p_holm) == pytest.approx((2 * p[0], max(2 * p[0], p[1])))
    assert "no pair has what it would change" in str(found["no-price"].reason)


def test_a_grade_that_moves_alike_everywhere_is_tested_by_its_sign() -> None:
    found, _ = measured([0] * 8, praise=[1] * 8, upper_case=[0] * 8)
    assert (found["praise"].shift, found["praise"].shift_ci, found["praise"].p) == (1.0, None, 2 / 2**8)
    assert (found["upper-case"].moved, found["upper-case"].p) == (0, None)
    assert found["upper-case"].ci is not None and found["upper-case"].ci.high > 0.3


def test_unread_answers_leave_nothing_to_compare() -> None:
    found, _ = measured([None, None], praise=[1, 2])
    praise = found["praise"]
    assert (praise.of, praise.unread, praise.share, praise.ci) == (0, 2, None, None)
    assert "no pair had both grades read" in str(praise.reason)


def test_canaries_are_read_from_the_rewritten_pairs(tmp_path: Path) -> None:
    path = tmp_path / "canaries.jsonl"
    path.write_text(
        '{"id": "c", "trick": "plea", "query": "q", "plain": {"title": "t"}, "steered": {"title": "t!"},'
        ' "grade": 1, "policy_version": "v1"}\n',
        encoding="utf-8",
    )
    products: list[Example] = canary_examples(load_canaries(path, policy()))
    found = steered(products, {"c/canary-plain": 0, "c/canary-steered": 2})
    assert found is not None and (found.compared, found.moved, found.mean_move) == (1, 1, 2)
    lost = steered(products, {"c/canary-plain": 0})
    assert lost is not None and (lost.canaries, lost.compared) == (1, 0)
    assert steered([], {}) is None
