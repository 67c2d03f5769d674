"""Every reference value, one test a row: published tables and what several implementations agree on.

`cases/statistics/reference.json` names each case's source, and in `must_not_be` what naive code returns.
`clustered160.json` is in test_stats.py, sample sizes are in test_planning.py.
"""

import csv
import json
from collections.abc import Callable
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped]  # ships no types
import pytest
from builders import harness
from one_kappa import kappa_spread, margins, table_of

from harness import gate2
from harness.nouns.base import Weighting
from harness.score.slices import grade_score
from harness.score.threshold import WEIGHTINGS
from harness.stats.agreement import (
    CONSTANT_RATER,
    NO_ITEMS,
    NO_VARIATION,
    Integers,
    Matrix,
    band,
    cohen_kappa,
    confusion,
    mean_kappa,
)
from harness.stats.diagnostics import diagnostics
from harness.stats.intervals import KappaTable
from harness.stats.paired import (
    benjamini_yekutieli,
    durkalski,
    holm,
    mcnemar_exact,
    obuchowski,
)
from harness.stats.planning import items_for_half_width, mixture, variance_per_item
from harness.stats.raters import MISSING, Coefficients, coefficients, krippendorff_alpha
from harness.stats.stages import compound

FOLDER = Path(__file__).parent / "cases/statistics"
CASES: dict[str, Any] = json.loads((FOLDER / "reference.json").read_text(encoding="utf-8"))
NAMES: dict[str, Weighting] = {"unweighted": "none", "linear": "linear", "quadratic": "quadratic"}
STATUS = {
    "NO_OVERLAP": NO_ITEMS,
    "UNDEFINED_NO_VARIATION": NO_VARIATION,
    "CONSTANT_RATER": CONSTANT_RATER,
    "BOUNDARY": None,
}
Params = dict[str, Any]


# --- what a case holds ---------------------------------------------------------------------------


def rows_of(name: str) -> list[dict[str, int]]:
    """A published table from its file, a label such as "4. Neurosis" by its number."""
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        return [
            {key: int(cell.partition(".")[0]) for key, cell in row.items()} for row in csv.DictReader(file)
        ]


def panel(case: str) -> tuple[Integers, tuple[int, ...]]:
    """Items x raters as positions, and the scale."""
    given = CASES[case]["input"]
    if "table" in given or "ratings" in given:
        matrix, scale = square(case)
        cells = [(i, j) for i, line in enumerate(matrix) for j, n in enumerate(line) for _ in range(n)]
        return np.array(cells), scale
    if "csv" in given:
        rows = [list(row.values()) for row in rows_of(given["csv"])]
    else:
        rows = given["ratings_units_by_raters"]
    scale = tuple(range(1, max(cell for row in rows for cell in row if cell is not None) + 1))
    return np.array([[MISSING if cell is None else cell - 1 for cell in row] for row in rows]), scale


def square(case: str) -> tuple[Matrix, tuple[int, ...]]:
    """Two raters' confusion matrix, and the scale: the rubric's, whatever was observed."""
    given = CASES[case]["input"]
    if "table" in given:
        return tuple(map(tuple, given["table"])), tuple(range(len(given["table"])))
    scale = tuple(given["grades"])
    return confusion([a for a, _ in given["ratings"]], [b for _, b in given["ratings"]], scale), scale


def pair(case: str, params: Params) -> tuple[Matrix, tuple[int, ...]]:
    """The two raters that a row is about."""
    if "a" in params:
        return confusion(params["a"], params["b"], range(5)), (0, 1, 2, 3, 4)
    if "raters" in params:
        ratings, scale = panel(case)
        one, other = (int(number) - 1 for number in params["raters"].split(","))
        return confusion(ratings[:, one].tolist(), ratings[:, other].tolist(), range(len(scale))), scale
    return square(case)


def items(matrix: Matrix, scale: tuple[int, ...], weighting: Weighting) -> KappaTable:
    """A matrix as items, each a query of its own."""
    cells = [(i, j) for i, line in enumerate(matrix) for j, n in enumerate(line) for _ in range(n)]
    rows, columns = [scale[i] for i, _ in cells], [scale[j] for _, j in cells]
    return table_of(rows, columns, [f"{at:05}" for at in range(len(cells))], scale, weighting)


# --- how each statistic is had -------------------------------------------------------------------


def kappa(case: str, params: Params) -> float | None:
    matrix, scale = pair(case, params)
    return cohen_kappa(matrix, scale, NAMES[params.get("weights", "unweighted")]).value


def kappa_error(case: str, params: Params) -> float | None:
    matrix, scale = pair(case, params)
    return kappa_spread(items(matrix, scale, NAMES[params["weights"]])).se_iid


def kappa_band(_: str, params: Params) -> str | None:
    return band(cohen_kappa(tuple(map(tuple, params["table"])), (0, 1)))


def light(case: str, _: Params) -> float | None:
    """The mean over all pairs of raters."""
    ratings, scale = panel(case)
    pairs = combinations(ratings.T.tolist(), 2)
    return mean_kappa([cohen_kappa(confusion(a, b, range(len(scale))), scale) for a, b in pairs]).value


def guard(_: str, params: Params) -> float | None:
    """The lower limit at perfect agreement on G queries with one item each."""
    shares = 5 if params["expected_disagreement"] == 0.8 else 2
    grades = [at % shares for at in range(params["G"])]
    names = [f"{at:03}" for at in range(params["G"])]
    table = table_of(grades, grades, names, (0, 1, 2, 3, 4), "none")
    assert table.expected() == pytest.approx(params["expected_disagreement"])
    ci = kappa_spread(table).ci
    return ci and ci.low


def by_category(case: str, _: Params) -> list[float | None]:
    """Fleiss's kappa of each grade against the rest."""
    ratings, scale = panel(case)
    return [coefficients((ratings == at).astype(np.int64), (0, 1)).fleiss.value for at in range(len(scale))]


def half_widths(_: str, params: Params) -> list[int]:
    variance = variance_per_item(mixture(params["kappa"], [0.2] * 5), range(5))
    return [items_for_half_width(variance, width) for width in params["half_widths"]]


def beside(name: str) -> Callable[[str, Params], Any]:
    """A figure of the diagnostics."""
    return lambda case, _: getattr(diagnostics(square(case)[0]), name)


def specific(case: str, _: Params) -> list[float | None]:
    """Agreement on each grade."""
    matrix, scale = square(case)
    return [grade_score(matrix, at, grade).f1 for at, grade in enumerate(scale)]


def among(name: str) -> Callable[[str, Params], Any]:
    """A coefficient of several raters."""

    def found(case: str, params: Params) -> float | None:
        weighting = NAMES[params.get("weights", "unweighted")]
        value: float | None = getattr(coefficients(*panel(case), weighting), name).value
        return value

    return found


def counts(case: str, params: Params) -> tuple[list[int], list[int], list[int]]:
    """Broken, fixed and all items of each cluster; of (b, c) alone, each item its own."""
    if "csv" in CASES[case]["input"]:
        found = rows_of(CASES[case]["input"]["csv"])
        return [row["bh"] for row in found], [row["ch"] for row in found], [row["Nh"] for row in found]
    b, c = params["b"], params["c"]
    return [1] * b + [0] * c, [0] * b + [1] * c, [1] * (b + c)


def unclustered_mcnemar(case: str, params: Params) -> float | None:
    """McNemar's chi-square is Durkalski's where each item is its own cluster."""
    broken, fixed, _ = counts(case, params)
    b, c = sum(broken), sum(fixed)
    return durkalski([1] * b + [0] * c, [0] * b + [1] * c, [1] * (b + c)).value


def swap(case: str) -> dict[str, int]:
    found: dict[str, int] = CASES[case]["input"]
    return found


STATISTICS: dict[str, Callable[[str, Params], Any]] = {
    "cohen_kappa": kappa,
    "cohen_kappa_se_fce": kappa_error,
    "band": kappa_band,
    "perfect_agreement_guard_lower": guard,
    "po": beside("observed"),
    "pe": beside("expected"),
    "kappa_max": beside("kappa_max"),
    "bp": beside("pabak"),
    "pabak": beside("pabak"),
    "ac1": beside("ac1"),
    "prevalence_index": beside("prevalence"),
    "bias_index": beside("bias"),
    "specific_agreement": specific,
    "scott": among("fleiss"),  # of two raters Fleiss's kappa is Scott's pi
    "fleiss_kappa": among("fleiss"),
    "conger_kappa": among("conger"),
    "gwet_ac1": among("gwet"),
    "gwet_ac1_ac2": among("gwet"),
    "brennan_prediger": among("brennan_prediger"),
    "percent_agreement": among("agreement"),
    "fleiss_category_kappa": by_category,
    "mean_pairwise_cohen (Light)": light,
    "krippendorff_alpha": lambda case, params: krippendorff_alpha(*panel(case), params["level"]).value,
    "stuart_maxwell": lambda case, _: margins(square(case)[0]).value,
    "stuart_maxwell_p": lambda case, _: margins(square(case)[0]).p,
    "mcnemar_exact_p": lambda _, params: mcnemar_exact(params["b"], params["c"]),
    "mcnemar_chi2": unclustered_mcnemar,
    "obuchowski_chi2": lambda case, params: obuchowski(*counts(case, params)[:2]).value,
    "durkalski_chi2": lambda case, params: durkalski(*counts(case, params)).value,
    "holm": lambda case, _: holm(CASES[case]["input"]["p"]),
    "benjamini_yekutieli": lambda case, _: benjamini_yekutieli(CASES[case]["input"]["p"]),
    "n_half_width_fce_mixture_5_balanced": half_widths,
    "product_independent": lambda *_: compound([Fraction(4, 5)] * 3).product,
    "frechet_bounds": lambda *_: [getattr(compound([Fraction(4, 5)] * 3), end) for end in ("low", "high")],
    "first_position_p": lambda case, _: mcnemar_exact(
        swap(case)["favour_first"], swap(case)["favour_second"]
    ),
}
OTHER_QUESTIONS = (
    "n_binary_test",
    "n_multicategory_test_flack",
    "n_ci_5cats_kappaSize",
    "n_ci_binary_kappaSize",
    "consistency_ci95_wilson",
)
"""What R packages ask of a sample size is another question: test_planning.py derives how it relates. And no
share here has Wilson's interval, since it takes items as independent."""


def name_of(case: str, row: dict[str, Any]) -> str:
    words = [str(value) for key, value in row["params"].items() if key not in ("a", "b", "table", "model")]
    return "-".join([case, row["stat"], *words]).replace(" ", "")


ROWS = [
    pytest.param(case, row, id=name_of(case, row))
    for case, content in CASES.items()
    for row in content["expected"]
    if row["stat"] not in OTHER_QUESTIONS
]


@pytest.mark.parametrize(("case", "row"), ROWS)
def test_value_is_the_reference_one(case: str, row: dict[str, Any]) -> None:
    found = STATISTICS[row["stat"]](case, row["params"])
    want = row["value"]
    if isinstance(want, float):
        assert found == pytest.approx(want, abs=row["tol"])
    elif isinstance(want, list):
        assert list(found) == pytest.approx(want, abs=row["tol"])
    else:
        assert found == want


def test_every_case_has_a_source_and_every_row_a_test() -> None:
    assert all(content["source"] for content in CASES.values())
    stats = {row["stat"] for content in CASES.values() for row in content["expected"]}
    assert stats == {*STATISTICS, *OTHER_QUESTIONS}


@pytest.mark.parametrize("row", CASES["band_edges"]["expected"], ids=lambda row: row["exact_fraction"])
def test_band_edge_is_exact(row: dict[str, Any]) -> None:
    assert cohen_kappa(tuple(map(tuple, row["params"]["table"])), (0, 1)).exact == Fraction(
        row["exact_fraction"]
    )


@pytest.mark.parametrize("row", [r for r in CASES["degenerate"]["expected"] if "recommended" in r], ids=str)
def test_degenerate_grades_have_a_reason_and_no_verdict(row: dict[str, Any]) -> None:
    matrix, scale = pair("degenerate", row["params"])
    assert cohen_kappa(matrix, scale).reason == STATUS[row["recommended"]["status"]]
    if row["params"]["a"]:
        score = gate2(row["params"]["a"], row["params"]["b"], scale=scale)
        assert score.verdict == "inconclusive"
        assert score.kappa.value == row["value"] and score.kappa.ci != (1.0, 1.0)
        assert score.accuracy == row["recommended"].get("po", score.accuracy)


def test_constant_rater_of_a_published_table_has_no_interval() -> None:
    ratings, scale = panel("irr_video")
    spread = kappa_spread(KappaTable(ratings[:, 0], ratings[:, 1], np.arange(len(ratings)), scale, "none"))
    assert (spread.ci, spread.reason) == (None, CONSTANT_RATER)


@pytest.mark.parametrize("case", ["stuart1953_vision", "marginal_absent_grade", "marginal_one_equal"])
def test_degrees_of_freedom_leave_out_grades_that_nobody_uses(case: str) -> None:
    assert margins(square(case)[0]).df == 3


# --- what naive code returns ---------------------------------------------------------------------


def wrong_values(trap: dict[str, Any]) -> list[float]:
    wrong = trap["wrong_value"]
    return wrong if isinstance(wrong, list) else [wrong]


FIGURES = [
    pytest.param(case, of, wrong, id=f"{case}-{trap['name']}".replace(" ", ""))
    for case, content in CASES.items()
    for trap in content["must_not_be"]
    for of, wrong in zip(trap.get("of", ()), wrong_values(trap), strict=False)
]


@pytest.mark.parametrize(("case", "of", "wrong"), FIGURES)
def test_value_is_not_what_naive_code_returns(case: str, of: dict[str, Any], wrong: float) -> None:
    (right,) = [
        row["value"]
        for row in CASES[case]["expected"]
        if row["stat"] == of["stat"] and row["params"] == of["params"]
    ]
    assert right != pytest.approx(wrong, abs=1e-6), "a trap that is none"
    assert STATISTICS[of["stat"]](case, of["params"]) != pytest.approx(wrong, abs=1e-6)


def missing_is_no_grade(_: Path) -> None:
    ratings, scale = panel("krippendorff_gwet_4x12")
    as_grade = np.where(ratings == MISSING, len(scale), ratings)
    found, naive = coefficients(ratings, scale), coefficients(as_grade, (*scale, 99))
    assert found.fleiss.value != pytest.approx(naive.fleiss.value, abs=1e-3)
    assert found.fleiss.value == pytest.approx(0.7611692754224112, abs=1e-9)


def unequal_numbers_of_ratings_are_taken(_: Path) -> None:
    ratings, scale = panel("krippendorff_gwet_4x12")
    assert len({int(n) for n in (ratings != MISSING).sum(axis=1)}) > 1
    found: Coefficients = coefficients(ratings, scale)
    assert found.fleiss.reason is None


def perfect_agreement_is_no_certainty(_: Path) -> None:
    spread = kappa_spread(items(((1, 0), (0, 4)), (0, 1), "none"))
    assert spread.ci is not None and spread.guarded
    assert spread.ci.high == 1.0 and spread.ci.low < 0.8


def grade_off_the_scale_is_no_grade(here: Path) -> None:
    """scikit-learn leaves the last two out and says 1.0."""
    golden, grades = [0, 1, 2, 3, 4, 0, 1], [0, 1, 2, 3, 4, -1, -1]
    with pytest.raises(AssertionError, match="off the scale"):
        confusion(golden, grades, (0, 1, 2, 3, 4))
    ended = harness(
        "gate2",
        "--golden",
        column(here, "a", golden),
        "--grades",
        column(here, "b", grades),
        "--scale",
        "0-4",
    )
    assert ended.code == 2 and "line 7: grade: -1 is not on the scale 0-4" in ended.err


def grades_are_numbers_and_not_words(here: Path) -> None:
    """As text 10 sorts before 2 and 9."""
    golden, grades = [1, 2, 9, 10, 10, 2], [2, 2, 10, 9, 10, 1]
    one, other = column(here, "a", golden), column(here, "b", grades)
    found = harness("gate2", "--golden", one, "--grades", other, "--scale", "1-10", "--json").json
    scale = tuple(range(1, 11))
    for weighting, name in WEIGHTINGS.items():
        want = cohen_kappa(confusion(golden, grades, scale), scale, weighting).value
        assert found[name]["value"] == want


def alpha_is_ordinal_unless_told(_: Path) -> None:
    ratings, scale = panel("krippendorff_gwet_4x12")
    assert krippendorff_alpha(ratings, scale) == krippendorff_alpha(ratings, scale, "ordinal")


def whole_numbers_may_come_as_floats_and_text_not(here: Path) -> None:
    """A column of a data frame with a gap turns 3 into 3.0."""
    golden = pd.Series([0, 1, 2, 3])
    assert (
        gate2(golden, pd.Series([0, 1, 2, None]), scale="0-3").confusion
        == gate2(golden, [0, 1, 2, None], scale="0-3").confusion
    )
    rows = (here / "f.csv").write_text("item,grade\n0,0.0\n1,1.0\n2,2.0\n3,0.5\n", encoding="utf-8")
    assert rows
    ended = harness(
        "gate2", "--golden", column(here, "a", [0, 1, 2, 3]), "--grades", here / "f.csv", "--scale", "0-3"
    )
    assert ended.code == 2 and ended.err.count("line ") == 1
    assert "line 5: grade: 0.5 is not on the scale 0-3" in ended.err


def margins_of_an_absent_grade_are_finite(_: Path) -> None:
    found = margins(square("marginal_absent_grade")[0])
    assert found.value is not None and np.isfinite(found.value)


def grade_with_equal_margins_stays(_: Path) -> None:
    matrix = square("marginal_one_equal")[0]
    sums = [(sum(line), sum(column)) for line, column in zip(matrix, zip(*matrix, strict=True), strict=True)]
    assert any(rows == columns for rows, columns in sums)
    assert margins(matrix).df == 3


def product_prints_as_it_is(_: Path) -> None:
    assert str(compound([Fraction(4, 5)] * 3).product) == "0.512"


def column(here: Path, name: str, grades: list[int]) -> Path:
    """A file of grades."""
    path = here / f"{name}.csv"
    path.write_text(
        "item,grade\n" + "".join(f"{at},{grade}\n" for at, grade in enumerate(grades)), encoding="utf-8"
    )
    return path


BEHAVIOUR: dict[str, Callable[[Path], None]] = {
    "statsmodels.aggregate_raters on NaN": missing_is_no_grade,
    "statsmodels.fleiss_kappa with unequal counts": unequal_numbers_of_ratings_are_taken,
    "percentile bootstrap / FCE at perfect agreement": perfect_agreement_is_no_certainty,
    "labels= silently drops out-of-scale values": grade_off_the_scale_is_no_grade,
    "text grades sorted as text": grades_are_numbers_and_not_words,
    "krippendorff default level": alpha_is_ordinal_unless_told,
    "mixed dtypes": whole_numbers_may_come_as_floats_and_text_not,
    "statsmodels shift_zeros=False": margins_of_an_absent_grade_are_finite,
    "irr::stuart.maxwell.mh": grade_with_equal_margins_stays,
    "float product printed raw": product_prints_as_it_is,
}
"""Traps that are no single figure."""


@pytest.mark.parametrize("trap", BEHAVIOUR)
def test_trap_is_not_fallen_into(trap: str, here: Path) -> None:
    BEHAVIOUR[trap](here)


def test_every_trap_has_a_test() -> None:
    words = {
        trap["name"] for content in CASES.values() for trap in content["must_not_be"] if "of" not in trap
    }
    assert words == set(BEHAVIOUR)


def test_diagnostics_of_nothing_are_undefined() -> None:
    assert set(diagnostics(((0, 0), (0, 0))).model_dump().values()) == {None}
    assert diagnostics(square("fce1969")[0]).prevalence is None
