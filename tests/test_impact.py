"""What a policy change does to production pairs, measured by hand."""

from pathlib import Path

import pytest
from builders import policy

from harness.comparison.impact import measure_impact
from harness.errors import BadInput
from harness.golden.pairs import ShownPair, read_pairs
from harness.records import Grade, Pair
from harness.tables import Layout, parse_columns


def pair(id_: str, query: str, weight: float = 1.0) -> ShownPair:
    return ShownPair(id_, Pair.model_validate({"query": query, "result": {"title": f"title {id_}"}}), weight)


def graded(**values: int) -> dict[str, Grade]:
    return {
        id_: Grade(value=value, reasoning=f"{id_} is {value}", clauses=()) for id_, value in values.items()
    }


PAIRS = [pair("a", "q", 6), pair("b", "q", 2), pair("c", "r", 1), pair("d", "s", 1), pair("e", "s", 5)]
WAS = graded(a=2, b=1, c=0, d=2)
NOW = graded(a=0, b=1, c=0, d=2, e=1)


def test_shares_are_weighted_and_unread_pairs_are_left_out() -> None:
    found = measure_impact(PAIRS, (policy(), WAS), (policy(), NOW), "m", "p")
    assert (found.n, found.n_queries, found.unread, found.weighted) == (4, 3, 1, True)
    assert (found.grade_moved.pairs, found.grade_moved.share) == (1, 0.6)
    (way,) = found.action_moves
    assert way.moved.share == found.action_moved.share == 0.6
    assert way.before != way.after
    assert found.grades is not None
    assert found.grades.matrix == ((1, 0, 0), (0, 1, 0), (1, 0, 1))
    assert [(one.query, one.pairs, one.grades) for one in found.per_query] == [
        ("q", 2, 1), ("r", 1, 0), ("s", 1, 0),
    ]  # fmt: skip
    assert [(one.id, one.before, one.after) for one in found.moved] == [("a", 2, 0)]
    assert "1 of 5 pairs" in found.warnings[0]


def test_interval_of_a_weighted_share_is_that_of_a_ratio() -> None:
    """By hand: phi = w (x - 0.6) / 2.5 is 0.96, -0.48, -0.24, -0.24; by query 0.48, -0.24, -0.24."""
    found = measure_impact(PAIRS, (policy(), WAS), (policy(), NOW), "m", "p").grade_moved
    error = (3 / 2 * (0.48**2 + 0.24**2 + 0.24**2)) ** 0.5 / 4
    half = 4.302652729749462 * error  # t(2) at 97.5 %
    assert found.ci == pytest.approx((max(0.0, 0.6 - half), min(1.0, 0.6 + half)), abs=1e-12)


def test_nothing_moves_when_both_versions_say_the_same() -> None:
    found = measure_impact(PAIRS[:4], (policy(), WAS), (policy(), WAS), "m", "p")
    assert (found.grade_moved.share, found.action_moves, found.moved) == (0.0, (), ())


def test_other_scales_have_no_common_matrix() -> None:
    found = measure_impact(PAIRS, (policy(), WAS), (policy((0, 1, 2, 3)), NOW), "m", "p")
    assert found.grades is None
    assert found.action_moved.pairs >= 1


def written(here: Path, text: str) -> Path:
    path = here / "pairs.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_pairs_are_read_with_their_traffic(here: Path) -> None:
    path = written(
        here, "query,product_id,title,colour,views,grade\nshoe,1,red shoe,red,12.5,4\nhat,2,hat,,0,1\n"
    )
    layout = Layout(columns=parse_columns("item=query+product_id"))
    one, other = read_pairs(path, layout, "views", ("colour",))
    assert (one.id, one.weight, one.pair.result.attributes) == ("shoe|1", 12.5, {"colour": "red"})
    assert (other.weight, other.pair.data()) == (0.0, {"query": "hat", "result": {"title": "hat"}})


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("item,query,title,views\na,q,t,-1\n", "views: '-1' is no number of 0 or more"),
        ("item,query,title,views\na,q,t,nan\n", "views: 'nan' is no number"),
        ("item,query,title,views\na,,t,1\nb,q,,1\n", "line 2.*query[\\s\\S]*line 3.*title"),
        ("item,query,title,views\na,q,t,1\na,q,u,1\n", "item 'a' is there twice"),
        ("item,query,title,views\na,q,t,0\n", "no pair has any weight"),
        ("item,query,title\na,q,t\n", "no column 'views'"),
        ("item,title,views\na,t,1\n", "no column for query"),
    ],
)
def test_every_faulty_pair_is_named(here: Path, text: str, what: str) -> None:
    with pytest.raises(BadInput, match=what):
        read_pairs(written(here, text), Layout(), "views")
