"""The thresholds of `harness signal`, on both sides."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from builders import write_project
from test_signal import COUNTS, SCALE, files, shown, signalled

from harness.errors import BadInput
from harness.golden.graded_files import Levels
from harness.nouns.policy import Action
from harness.policy.load import load_policy
from harness.scorecards.signal import Propensity, Step
from harness.signal.cautions import bias_warnings, unfelt_line
from harness.signal.cells import CellBlock
from harness.signal.contradictions import PairTests, Sides, judge_pairs
from harness.signal.counted import Counted
from harness.signal.evidence import Evidence
from harness.signal.exposure import Exposure, propensity_rows, refuse_unfit
from harness.signal.graded import GradedPairs
from harness.signal.north_star import north_star
from harness.signal.searches import Searches, SearchPart
from harness.signal.signal_files import sides_of
from harness.signal.text_hash import TextHash


def exposed(cells: list[tuple[int, int, int, int]], grades: list[int]) -> Exposure:
    """Counts from (pair, position, views, clicks); each pair is of a query of its own."""
    graded = GradedPairs("edges")
    for at, grade in enumerate(grades):
        graded.add(f"q{at}", f"p{at}", grade)
    pair, place, views, clicks = (np.array(column) for column in zip(*cells, strict=True))
    sums = {"views": views.astype(float), "clicks": clicks.astype(float)}
    counted = Counted(len(cells), lambda: iter([CellBlock(pair, place, sums)]), tuple(sums), ungraded_views=0)
    return Exposure(graded, counted, (0, 1), "clicks")


@pytest.mark.parametrize(("views", "clicks", "fits"), [(500, 25, True), (499, 30, False), (500, 24, False)])
def test_a_thousand_views_and_fifty_events_are_needed(views: int, clicks: int, fits: bool) -> None:
    found = exposed([(0, 1, views, clicks), (0, 2, views, clicks)], [1])
    if fits:
        refuse_unfit(found)
        return
    with pytest.raises(BadInput, match="too few views"):
        refuse_unfit(found)


@pytest.mark.parametrize(("clicks", "known"), [(9, False), (10, True)])
def test_a_position_needs_ten_events(clicks: int, known: bool) -> None:
    rows = propensity_rows(exposed([(0, 1, 1000, 100), (0, 2, 1000, clicks)], [1]))
    assert (rows[1].value is not None) is known
    assert known or "fewer than 10 events" in str(rows[1].reason)


@pytest.mark.parametrize(("views", "fits"), [(1000, True), (1001, False)])
def test_half_of_the_views_may_be_left_out(views: int, fits: bool) -> None:
    found = exposed([(0, 1, 1000, 100), (1, 2, views, 100)], [0, 1])
    assert found.left_out_views == views
    if fits:
        refuse_unfit(found)
        return
    with pytest.raises(BadInput, match="no overlap between grades: 1,001 of 2,001 views"):
        refuse_unfit(found)


@pytest.mark.parametrize(("pairs", "tested"), [(4, False), (5, True)])
def test_a_median_needs_five_pairs(pairs: int, tested: bool) -> None:
    cells = [(at, place, 500, 50 // place) for at in range(pairs + 1) for place in (1, 2)]
    found = judge_pairs(Evidence(exposed(cells, [1] * pairs + [0])), Sides((0,), (1,))).tested[0]
    assert (found.median is not None) is tested and found.n == int(tested)


@pytest.mark.parametrize(("same", "warns"), [(0.6, False), (0.61, True), (0.4, False), (0.39, True)])
def test_two_ways_to_a_propensity_may_differ_by_a_fifth(same: float, warns: bool) -> None:
    row = Propensity(position=2, value=0.5, same_pair=same, views=10, clicks=5)
    assert bool(bias_warnings([row])) is warns


@pytest.mark.parametrize(("moved", "warns"), [(6, False), (7, True)])
def test_a_quarter_of_the_other_side_may_be_contradicted(tmp_path: Path, moved: int, warns: bool) -> None:
    rows = shown(views=4000)
    pairs = [row["item"] for row in rows if row["grade"] == 0 and row["item"] != "p0-0"]
    chosen = {"p0-0", *list(dict.fromkeys(pairs))[: moved - 1]}
    for row in rows:
        if row["item"] in chosen:
            row["clicks"] = round(4000 * 0.3 / row["position"])
    found = signalled(*files(tmp_path, rows), *SCALE)
    assert (
        any("so many pairs of grade 0 are contradicted themselves" in one for one in found["warnings"])
        is warns
    )


@pytest.mark.parametrize(
    ("between", "apart", "said"),
    [((1, 2), False, 1), ((1, 2), True, 0), ((1, 2), None, 0), ((0, 1), False, 0)],
)
def test_the_line_is_the_one_between_hidden_and_shown(
    between: tuple[int, int], apart: bool | None, said: int
) -> None:
    step = Step(between=between, difference=0.01, told_apart=apart)
    assert len(list(unfelt_line([step], Sides((0, 1), (2, 3))))) == said


@pytest.mark.parametrize(("place", "left"), [(200, 0), (201, 400)])
def test_positions_to_200_are_used(tmp_path: Path, place: int, left: int) -> None:
    rows = shown()
    extra = {**rows[0], "position": place, "clicks": 40}
    found = signalled(*files(tmp_path, [*rows, extra], COUNTS), *SCALE)
    assert found["counts"]["left_out_views"] == left


@pytest.mark.parametrize(("count", "known"), [(49, False), (50, True)])
def test_fifty_searches_are_needed(count: int, known: bool) -> None:
    number = np.arange(count)
    part = SearchPart(
        query=number % 7,
        session=number,
        outcome=(number % 3 == 0).astype(float),
        dcg=(number % 5).astype(float),
        at={},
        ungraded=np.zeros(count, dtype=np.int64),
        arm=np.full(count, -1),
    )
    star = north_star(Searches(lambda: iter([part])))
    assert bool(star.associations) is known
    assert known or "49 searches of graded results; at least 50" in str(star.reason)


def test_a_policy_that_shows_everything_alike_has_no_line(here: Path) -> None:
    write_project(here)
    policy = load_policy(here / "policies/small/v1.toml")
    alike = policy.model_copy(
        update={"actions": (Action(name="show", grades=policy.scale, shown="in the results"),)}
    )
    with pytest.raises(BadInput, match="the same with every grade"):
        sides_of(Levels(policy.scale, alike), None)
    assert sides_of(Levels(policy.scale, alike), 1) == Sides((0,), (1, 2))


def test_a_pair_is_contradicted_up_to_a_false_discovery_rate_of_a_twentieth() -> None:
    q = np.array([0.05, np.nextafter(0.05, 1), 0.01, 0.05])
    made = PairTests(np.array([7, 8, 3, 7], dtype=np.int32), np.zeros(4, dtype=np.int16), q / 2, q, ())
    assert made.found.tolist() == [3, 7]
    kept = made.found_only()
    assert (kept.pair.tolist(), kept.q.tolist(), kept.p.tolist()) == ([7, 3, 7], [0.05, 0.01, 0.05],
                                                                      [0.025, 0.005, 0.025])  # fmt: skip


def test_a_text_keeps_its_sums_where_longer_ones_come_later() -> None:
    """Factors are drawn for 64 bytes at first, and for more places when they are needed."""
    hashes, long = TextHash(), "rain coat " * 100
    short = hashes.of(pa.array(["rain coat", "x" * 64]))
    more = hashes.of(pa.array([long, "rain coat", f"{long}s", "x" * 64, long]))
    assert (more[:, [1, 3]] == short).all() and (more[:, 0] == more[:, 4]).all()
    assert len({*map(tuple, more.T.tolist())}) == 4
    assert (hashes.of(pa.array([long * 3, long]))[:, 1] == more[:, 0]).all()
