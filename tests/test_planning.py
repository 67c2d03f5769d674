"""Planning against the published sample sizes, each re-derived here from its source.

`sample_size` in reference.json was made with the R packages irr and kappaSize, which ask a test's question
or bound a different estimator: what they share with ours is the variance per item.
"""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from one_kappa import kappa_spread
from scipy.optimize import linprog
from scipy.special import chdtri, ndtr, ndtri

from harness.nouns.base import Weighting
from harness.stats.agreement import Floats, cohen_kappa
from harness.stats.intervals import KappaTable
from harness.stats.paired import delta_kappa
from harness.stats.planning import (
    half_width,
    items_for_delta,
    items_for_half_width,
    items_to_pass,
    mixture,
    variance_per_item,
)

CASES = Path(__file__).parent / "cases/statistics/reference.json"
SIZES: list[dict[str, Any]] = json.loads(CASES.read_text(encoding="utf-8"))["sample_size"]["expected"]
SCALE = (0, 1, 2, 3, 4)
BALANCED = [0.2] * 5


def published(stat: str) -> list[Any]:
    """One test for each published value of a statistic."""
    found = [one for one in SIZES if one["stat"].startswith(stat)]
    assert found
    return [pytest.param(one["params"], one["value"], id=str(at)) for at, one in enumerate(found)]


# --- the width of an interval --------------------------------------------------------------------


@pytest.mark.parametrize("kappa", [0.6, 0.7, 0.8, 0.9])
def test_mixture_has_the_kappa_that_it_is_made_for(kappa: float) -> None:
    counts = tuple(tuple(round(cell * 10_000) for cell in line) for line in mixture(kappa, BALANCED))
    assert cohen_kappa(counts, SCALE).value == pytest.approx(kappa, abs=1e-3)


def test_skewed_margins_take_more_items_and_a_design_effect_multiplies_them() -> None:
    v = variance_per_item(mixture(0.7, [0.6, 0.2, 0.1, 0.06, 0.04]), SCALE)
    assert items_for_half_width(v, 0.05) == 638
    assert items_for_half_width(v, 0.05, design_effect=2.0) in (1275, 1276)


@pytest.mark.parametrize("weighting", ["none", "linear", "quadratic"])
def test_variance_per_item_is_what_a_large_sample_has(weighting: Weighting) -> None:
    joint = mixture(0.7, [0.3, 0.25, 0.2, 0.15, 0.1])
    cells = np.repeat(np.arange(25), np.round(joint * 10_000).astype(np.int64).ravel())
    spread = kappa_spread(KappaTable(cells // 5, cells % 5, np.arange(len(cells)), SCALE, weighting))
    assert spread.se_iid is not None
    variance = variance_per_item(joint, SCALE, weighting)
    assert len(cells) * spread.se_iid**2 == pytest.approx(variance, rel=1e-3)


# --- passing a bar -------------------------------------------------------------------------------


def test_a_bar_that_the_truth_does_not_reach_takes_no_number_of_items() -> None:
    assert items_to_pass(0.2, 0.8, 0.8) is None
    assert items_to_pass(0.2, 1.0, 0.8) is None
    # (1.959964 + 0.841621)^2 0.2 / ((atanh 0.9 - atanh 0.8) (1 - 0.81))^2
    assert items_to_pass(0.2, 0.9, 0.8) == math.ceil(7.848880 * 0.2 / (0.373607 * 0.19) ** 2)


def test_a_design_effect_multiplies_the_items_to_pass_and_more_power_takes_more() -> None:
    once, twice = items_to_pass(0.3, 0.9, 0.8), items_to_pass(0.3, 0.9, 0.8, design_effect=2)
    assert once is not None and twice in (2 * once, 2 * once - 1)
    assert items_to_pass(0.3, 0.9, 0.8, power=0.9) == math.ceil(10.507422 * 0.3 / (0.373607 * 0.19) ** 2)


# --- telling two runs apart ----------------------------------------------------------------------


def test_items_for_a_delta_are_the_specification_s() -> None:
    """STATISTICS 7: 500 items had a paired error of .0168, and .05 takes about 440 of the same kind."""
    assert items_for_delta(500 * 0.0168**2, 0.05) == 444


def test_a_delta_takes_as_many_items_up_as_down_and_none_are_told_for_no_difference() -> None:
    assert items_for_delta(0.2, 0.05) == items_for_delta(0.2, -0.05) == 628
    assert items_for_delta(0.2, 0.05, design_effect=2) == 1256
    assert items_for_delta(0.2, 0.0) is None
    assert items_for_delta(0.0, 0.05) is None


@given(st.floats(0.01, 2), st.floats(0.01, 0.5), st.floats(0.5, 0.99), st.floats(1, 4))
def test_items_for_a_delta_are_the_first_with_the_power(
    v: float, d: float, power: float, deff: float
) -> None:
    n = items_for_delta(v, d, power, deff)
    assert n is not None

    def reached(items: int) -> float:
        return float(ndtr(d / math.sqrt(v * deff / items) - 1.959963984540054))

    assert reached(n) >= power - 1e-9
    assert n == 1 or reached(n - 1) < power + 1e-9


def test_the_planned_items_tell_two_runs_apart_as_often_as_planned() -> None:
    """Simulated: the plan from a large pilot, then delta_kappa on sets of the planned size."""
    pilot = delta_kappa(*two_runs(np.random.default_rng(1), 100_000))
    assert pilot.se is not None and pilot.value is not None
    n = items_for_delta(100_000 * pilot.se**2, pilot.value)
    assert n is not None and 100 < n < 1_000
    random = np.random.default_rng(2)
    found = [delta_kappa(*two_runs(random, n)).ci for _ in range(1_000)]
    assert np.mean([ci is not None and ci.low > 0 for ci in found]) == pytest.approx(0.8, abs=0.04)


def two_runs(random: np.random.Generator, n: int) -> tuple[KappaTable, KappaTable]:
    """Two graders of the same n items, right seven and eight times in ten, mostly on the same ones."""
    golden, guess, luck = random.integers(0, 5, n), random.integers(0, 5, n), random.random(n)
    own = np.where(random.random(n) < 0.2, random.random(n), luck)
    each = np.arange(n)
    base = KappaTable(golden, np.where(luck < 0.7, golden, guess), each, SCALE, "none")
    return base, KappaTable(golden, np.where(own < 0.8, golden, guess), each, SCALE, "none")


# --- what others publish -------------------------------------------------------------------------


def items_to_reject(v0: float, v1: float, params: dict[str, Any]) -> int:
    """Both papers' size: (z_alpha sqrt(v0) + z_power sqrt(v1))^2 / (k1 - k0)^2, v under each hypothesis."""
    alpha = 0.025 if params["twosided"] else 0.05
    z_alpha, z_power = float(ndtri(1 - alpha)), float(ndtri(0.8))
    above = z_alpha * math.sqrt(v0) + z_power * math.sqrt(v1)
    return math.ceil(above**2 / float(params["k1"] - params["k0"]) ** 2)


def two_by_two(rate1: float, rate2: float, kappa: float) -> Floats:
    """The one joint distribution of two yes-sayers with these rates and this kappa; yes comes first."""
    disagree = (1 - kappa) * (rate1 + rate2 - 2 * rate1 * rate2)
    only_first, only_second = (disagree + rate1 - rate2) / 2, (disagree - rate1 + rate2) / 2
    return np.array([[rate1 - only_first, only_first], [only_second, 1 - rate2 - only_first]])


def cantor(joint: Floats) -> float:
    """Cantor's (1996) Q, as Fleiss, Cohen & Everitt (1969) print it: knows nothing of influences."""
    rows, columns = joint.sum(axis=1), joint.sum(axis=0)
    po, pe = float(np.trace(joint)), float(rows @ columns)
    total = -((po * pe - 2 * pe + po) ** 2)
    for i in range(len(joint)):
        total += joint[i, i] * ((1 - pe) - (rows[i] + columns[i]) * (1 - po)) ** 2
        for j in range(len(joint)):
            total += (i != j) * (1 - po) ** 2 * joint[i, j] * (columns[i] + rows[j]) ** 2
    return float(total / (1 - pe) ** 4)


def largest(margins: list[float], kappa: float) -> Floats:
    """Of the joints with these margins and this kappa, the one with the largest variance (Flack 1988)."""
    m, q = np.array(margins), len(margins)
    pe = float(m @ m)
    po = kappa * (1 - pe) + pe
    gain = (1 - po) ** 2 * np.add.outer(m, m) ** 2
    np.fill_diagonal(gain, ((1 - pe) - 2 * m * (1 - po)) ** 2)
    sums = [np.kron(np.eye(q), np.ones(q)), np.kron(np.ones(q), np.eye(q)), np.eye(q).reshape(1, -1)]
    found = linprog(-gain.ravel(), A_eq=np.vstack(sums), b_eq=[*m, *m, po], method="highs")
    assert found.status == 0
    return np.asarray(found.x.reshape(q, q), dtype=np.float64)


@pytest.mark.parametrize(("params", "value"), published("n_binary_test"))
def test_variance_per_item_makes_cantor_s_binary_sizes(params: dict[str, Any], value: float) -> None:
    """irr::N.cohen.kappa."""
    joints = [two_by_two(params["rate1"], params["rate2"], params[k]) for k in ("k0", "k1")]
    null, truth = (variance_per_item(joint, (0, 1)) for joint in joints)
    assert [null, truth] == [pytest.approx(cantor(joint)) for joint in joints]
    assert items_to_reject(null, truth, params) == value


@pytest.mark.parametrize(("params", "value"), published("n_multicategory_test_flack"))
def test_variance_per_item_makes_flack_s_sizes_and_never_exceeds_hers(
    params: dict[str, Any], value: float
) -> None:
    """irr::N2.cohen.kappa."""
    margins, scale = params["mrg"], range(len(params["mrg"]))
    joints = [largest(margins, params[k]) for k in ("k0", "k1")]
    null, truth = (variance_per_item(joint, scale) for joint in joints)
    assert [null, truth] == [pytest.approx(cantor(joint)) for joint in joints]
    assert items_to_reject(null, truth, params) == value
    assert variance_per_item(mixture(params["k0"], margins), scale) <= null + 1e-12


@pytest.mark.parametrize(
    "params", [one["params"] for one in SIZES if one["stat"] == "n_binary_test"], ids=str
)
def test_items_for_a_distance_are_cantor_s_where_both_variances_are_the_truth_s(
    params: dict[str, Any],
) -> None:
    two_sided = params | {"twosided": True, "k0": min(params["k0"], params["k1"]) - 0.1}
    v = variance_per_item(two_by_two(params["rate1"], params["rate2"], params["k1"]), (0, 1))
    assert items_for_delta(v, params["k1"] - two_sided["k0"]) == items_to_reject(v, v, two_sided)


def donner_rotondi(kappa: float, low: float, high: float, shares: list[float]) -> int:
    """Items at which chi-square rejects both limits when the data show `kappa` (kappaSize 1.2, 2 raters).

    The cells are "both said i" for each grade and "they differ", under the common correlation model. The
    package counts up from 11 and takes .001 off the statistic.
    """
    shown, *limits = (_same_and_differ(k, shares) for k in (kappa, low, high))
    per_item = min(float(((shown - limit) ** 2 / limit).sum()) for limit in limits)
    return max(11, math.ceil((float(chdtri(1, 0.05)) + 0.001) / per_item))


def _same_and_differ(kappa: float, shares: list[float]) -> Floats:
    same = np.diag(mixture(kappa, shares))
    return np.append(same, 1 - same.sum())


@pytest.mark.parametrize(("params", "value"), published("n_ci"))
def test_mixture_is_the_model_of_kappasize(params: dict[str, Any], value: float) -> None:
    """kappaSize::CI5Cats and CIBinary: another interval (goodness of fit), so another number than ours."""
    props = params["props"]
    shares = props if isinstance(props, list) else [1 - props, props]
    assert donner_rotondi(params["kappa0"], params["kappaL"], params["kappaU"], shares) == value
    ours = items_for_half_width(variance_per_item(mixture(params["kappa0"], shares), range(len(shares))), 0.1)
    assert 0.6 * value < ours < value


@pytest.mark.parametrize("shares", [[0.4, 0.6], BALANCED], ids=len)
@pytest.mark.parametrize("kappa", [0.6, 0.8])
def test_a_narrow_interval_of_kappasize_and_ours_grow_alike(kappa: float, shares: list[float]) -> None:
    """As the width shrinks, the limits' variance becomes that at kappa. Only about even shares: the package
    takes the margins for known, which spares it items where they are skewed."""
    joint = mixture(kappa, shares)
    ours = items_for_half_width(variance_per_item(joint, range(len(shares))), 0.001)
    assert donner_rotondi(kappa, kappa - 0.001, kappa + 0.001, shares) == pytest.approx(ours, rel=0.02)


@given(variance=st.floats(0.01, 2), width=st.floats(0.01, 0.5), effect=st.floats(1, 5))
def test_a_half_width_is_what_its_items_give(variance: float, width: float, effect: float) -> None:
    """`half_width` and `items_for_half_width` are one formula, solved for one or the other."""
    items = items_for_half_width(variance, width, effect)
    assert half_width(variance, items, effect) <= width * (1 + 1e-9)
    if items > 1:
        assert half_width(variance, items - 1, effect) >= width * (1 - 1e-9)
