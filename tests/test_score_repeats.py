"""Several answers an item: what they count for, votes, and whether the grader agrees with itself."""

import json
from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import harness, write_project
from fault_server import Turn, error, fault_server, graded, item_of
from hypothesis import given
from hypothesis import strategies as st
from oracle import DEV, RIGHT, ask, only_run
from scoring import (
    ACTIONS,
    SCALE,
    answer,
    differing,
    gate2,
    item,
    many,
    sklearn_kappa,
)

from harness.score.items import GradedItem, vote, voted

# --- votes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("grades", "wins"),
    [
        ([3], 3), ([1, 1, 2], 1), ([2, 1, 2], 2), ([0, 2], 0), ([2, 0], 0), ([0, 1, 2], 1),
        ([3, 3, 1, 0, 0, 1], 1), ([7, 5, 2, 0], 2), ([4, 4, 0, 0, 3], 0), ([-1, -1, 2], -1),
    ],
)  # fmt: skip
def test_vote_is_the_commonest_grade_and_of_several_their_lower_median(grades: list[int], wins: int) -> None:
    assert vote(grades) == wins


@given(st.lists(st.integers(-3, 5), min_size=1, max_size=9))
def test_vote_is_a_mode_whatever_the_order(grades: list[int]) -> None:
    counts = Counter(grades)
    assert counts[vote(grades)] == max(counts.values())
    assert vote(sorted(grades)) == vote(grades) == vote(grades[::-1])
    tied = sorted(grade for grade in counts if counts[grade] == max(counts.values()))
    assert sum(grade < vote(grades) for grade in tied) in ((len(tied) - 1) // 2,)


def test_vote_reads_past_unread_answers_and_keeps_the_words_of_its_own_answer() -> None:
    answers = (answer(None), answer(1, reasoning="one"), answer(2, reasoning="two"), answer(2))
    (given,) = voted(GradedItem("a", "a", 2, answers)).answers
    assert (given.grade, given.reasoning) == (2, "two")
    (none,) = voted(item("b", 0, None, None)).answers
    assert (none.grade, none.outcome, none.cause) == (None, "ungraded", "bad_json")


def test_vote_scores_as_if_its_answer_were_the_only_one() -> None:
    items = many(3, 0.2)
    single = [GradedItem(one.item, one.cluster, one.golden, voted(one).answers) for one in items]
    both = gate2(items, aggregate="vote", action_of=ACTIONS), gate2(single, action_of=ACTIONS)
    apart = [at for at in differing(*both) if not at.startswith((".repeats", ".misses"))]
    assert apart == []
    mean = gate2(items, action_of=ACTIONS)
    assert mean.kappa.value != both[0].kappa.value
    assert mean.accuracy is not None and both[0].accuracy is not None
    assert mean.accuracy < both[0].accuracy


def test_mean_counts_every_answer_its_share() -> None:
    score = gate2([item("a", 0, 0, 0, 1), item("b", 2, 2, 0, None), item("c", 1, 1, 1, 1)])
    assert (score.accuracy, score.mae, score.bias) == pytest.approx((6 / 8, 3 / 8, -1 / 8))
    assert score.confusion.matrix == ((2, 1, 0), (0, 3, 0), (1, 0, 1))
    top = score.per_grade[2]
    assert (top.support, top.precision, top.recall, top.f1) == pytest.approx((2, 1.0, 0.5, 2 / 3))


# --- repeats -----------------------------------------------------------------------------------------------


def ordinal_alpha(rows: list[list[int]]) -> float:
    """Krippendorff's alpha from its definition: observed over expected squared rank distances."""
    kept = [row for row in rows if len(row) > 1]
    values = [value for row in kept for value in row]
    count = Counter(values)

    def distance(one: int, other: int) -> float:
        low, high = sorted((one, other))
        between = sum(count[at] for at in range(low, high + 1))
        return (between - (count[low] + count[high]) / 2) ** 2

    observed = sum(
        distance(a, b) / (len(row) - 1)
        for row in kept
        for i, a in enumerate(row)
        for j, b in enumerate(row)
        if i != j
    ) / len(values)
    pairs = len(values) * (len(values) - 1)
    expected = sum(distance(a, b) for i, a in enumerate(values) for j, b in enumerate(values) if i != j)
    return 1 - observed / (expected / pairs)


def test_repeats_by_hand() -> None:
    """a: 3 of 3 pairs agree; b: 1 of 3; c: one pair, apart; d: one answer, no pair; e: 3 of 3."""
    rows: dict[str, tuple[int | None, ...]] = {
        "a": (0, 0, 0), "b": (1, 1, 0), "c": (2, None, 0), "d": (None, 2, None), "e": (2, 2, 2),
    }  # fmt: skip
    items = [item(name, 0, *grades) for name, grades in rows.items()]
    found = gate2(items, action_of=ACTIONS).repeats
    assert found is not None
    assert (found.repeats, found.aggregate, found.n) == (3, "mean", 4)
    assert found.agreement == pytest.approx(7 / 10)
    assert (found.unanimous, found.unanimous_actions) == (2 / 4, 3 / 4)
    kappas = []
    for one, other in combinations(range(3), 2):
        pairs = [(row[one], row[other]) for row in rows.values()]
        both = [(a, b) for a, b in pairs if a is not None and b is not None]
        left, right = zip(*both, strict=True)
        kappas.append(sklearn_kappa(left, right, SCALE))
    assert found.kappa.value == pytest.approx(np.mean(kappas))
    known = [[grade for grade in row if grade is not None] for row in rows.values()]
    assert found.alpha == pytest.approx(ordinal_alpha(known))


@given(st.lists(st.lists(st.integers(0, 2), min_size=3, max_size=3), min_size=2, max_size=12))
def test_order_of_the_repeats_plays_no_part(rows: list[list[int]]) -> None:
    there = gate2([item(f"{at}", at % 3, *row) for at, row in enumerate(rows)]).repeats
    back = gate2([item(f"{at}", at % 3, *row[::-1]) for at, row in enumerate(rows)]).repeats
    assert there is not None and back is not None
    assert (there.agreement, there.unanimous, there.n) == (back.agreement, back.unanimous, back.n)
    assert (there.kappa.value, there.alpha) == (back.kappa.value, back.alpha)
    assert there.unanimous == np.mean([len(set(row)) == 1 for row in rows])


def test_asked_once_there_are_no_repeats() -> None:
    assert gate2([item("a", 0, 0)]).repeats is None


def unsteady(first: int = 0) -> Any:
    """Right, but for the third answer about what is worth 0. All are asked once before any is again."""

    def script(number: int, body: dict[str, Any]) -> Turn:
        pair = item_of(body)
        right = RIGHT[pair["query"], pair["result"]["title"]]
        return graded(1 if right == 0 and (first + number) // len(DEV) == 2 else right)

    return script


def keys(run: Path) -> list[tuple[str, int]]:
    lines = (run / "records.jsonl").read_text("utf-8").splitlines()
    return [(line["example"], line["repeat"]) for line in map(json.loads, lines)]


THRICE = [(line["id"], at) for line in DEV for at in range(3)]


def test_repeats_ask_each_example_again_and_count_every_answer_its_share(here: Path) -> None:
    write_project(here)
    with fault_server(unsteady()) as server:
        score = ask(server, "--repeats", "3", "--max-connections", "1", "--json").json
    assert len(server.requests) == 36
    assert sorted(keys(Path(score["run"]))) == sorted(THRICE)
    # Draws of kappa 1, 1 and 1/2; between repeats too: 4 of 12 move from 0 to 1.
    assert (score["n"], score["outcomes"]["graded"], score["coverage"]) == (12, 36, 1.0)
    assert (score["kappa"]["value"], score["accuracy"]) == (pytest.approx(5 / 6), pytest.approx(32 / 36))
    repeats = score["repeats"]
    assert (repeats["repeats"], repeats["aggregate"], repeats["n"]) == (3, "mean", 12)
    assert repeats["agreement"] == pytest.approx(28 / 36)
    assert repeats["unanimous"] == pytest.approx(8 / 12)
    assert repeats["kappa"]["value"] == pytest.approx(2 / 3)
    assert score["misses"] == []
    assert "12 examples" not in harness("gate2", "latest").out
    assert "on 36 of 36 answers" in harness("gate2", "latest").out


def test_vote_over_repeats_is_what_counts_where_it_was_asked_for(here: Path) -> None:
    write_project(here)
    with fault_server(unsteady()) as server:
        words = ("--repeats", "3", "--aggregate", "vote", "--max-connections", "1", "--json")
        score = ask(server, *words).json
    assert (score["kappa"]["value"], score["accuracy"], score["outcomes"]["graded"]) == (1.0, 1.0, 12)
    assert score["repeats"]["aggregate"] == "vote"
    assert score["repeats"]["agreement"] == pytest.approx(28 / 36)
    saved = json.loads((Path(score["run"]) / "scorecard.json").read_text("utf-8"))
    assert saved == {key: score[key] for key in saved}
    assert saved.keys() == score.keys() - {"run", "misses"}
    assert "on 12 of 12 answers" in harness("gate2", "latest").out


def test_resumed_repeats_ask_only_what_is_missing(here: Path) -> None:
    write_project(here)

    def stops(number: int, body: dict[str, Any]) -> Turn:
        whole: Turn = unsteady()(number, body)
        return whole if number < 20 else error(429, "insufficient_quota")

    with fault_server(stops) as server:
        ended = ask(server, "--repeats", "3", "--max-connections", "1")
    run = only_run(here)
    assert (ended.code, len(keys(run))) == (4, 20)
    with fault_server(unsteady(20)) as server:
        score = ask(server, "--resume", run.name, "--max-connections", "1", "--json").json
    assert len(server.requests) == 16
    assert sorted(keys(run)) == sorted(THRICE)
    assert score["kappa"]["value"] == pytest.approx(5 / 6)
