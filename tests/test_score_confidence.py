"""What a grader's probabilities are worth, by hand and through the command."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import harness, write_project
from oracle import DEV
from scipy import stats
from scoring import (
    SCALE,
    answer,
    gate2,
    item,
    text_of,
)

from harness.nouns.policy import Gates
from harness.providers.overlap import shares_of
from harness.report.confidence import confidence_view
from harness.score.items import GradedItem, ItemAnswer
from harness.scorecards.confidence import Confidence

# --- confidence --------------------------------------------------------------------------------------------


def sure(name: str, golden: int, grade: int, *chances: float) -> GradedItem:
    return GradedItem(name, name, golden, (answer(grade, probabilities=dict(enumerate(chances))),))


def confidence(items: list[GradedItem], **more: Any) -> Confidence:
    found = gate2(items, (0, 1), **more).confidence
    assert found is not None
    return found


def test_confidence_by_hand() -> None:
    """Confidences 0.9, 0.8, 0.7 (of 0.5, the rest lost) and a wrong 0.6; two answers have none."""
    found = confidence(
        [
            sure("a", 0, 0, 0.9, 0.1), sure("b", 1, 1, 0.2, 0.8), sure("c", 1, 0, 0.6, 0.4),
            sure("d", 0, 0, 0.35, 0.15), item("e", 0, 0), item("f", 1, None), sure("g", 1, 1, 0.0, 0.0),
        ]
    )  # fmt: skip
    assert (found.n, found.lost) == pytest.approx((4, 0.5 / 4))
    assert found.brier == pytest.approx((0.02 + 0.08 + 0.72 + 0.18) / 4)
    assert found.rps == pytest.approx((0.01 + 0.04 + 0.36 + 0.09) / 4)
    assert found.log_loss == pytest.approx(-math.log(0.9 * 0.8 * 0.4 * 0.7) / 4)
    assert found.ece == pytest.approx((0.1 + 0.2 + 0.6 + 0.3) / 4)
    assert [(one.n, one.accuracy) for one in found.bins] == [(1, 0.0), (1, 1.0), (1, 1.0), (1, 1.0)]
    assert (found.aurc, found.excess_aurc, found.augrc) == pytest.approx((1 / 16, 0, 1 / 32))
    assert found.to_people == ("c", "d", "b", "a")
    assert (found.alone.threshold, found.alone.target) == (None, 0.05)
    assert "4 items are too few" in (found.alone.reason or "")


def test_what_could_be_graded_alone_is_limited_by_clopper_and_pearson() -> None:
    items = [
        sure(f"a{at:03}", at % 2, at % 2, *((0.9, 0.1) if at % 2 == 0 else (0.1, 0.9))) for at in range(300)
    ]
    items += [sure(f"b{at:03}", at % 2, 1 - at % 2, 0.5, 0.5) for at in range(100)]
    found = confidence(items)
    alone = found.alone
    assert found.to_people == tuple(f"b{at:03}" for at in range(100)), "all that it is not sure enough of"
    shown = " ".join(text_of(confidence_view(found)).split())
    assert "The other 100 go to people: b000, b001" in shown
    assert "75% 0.90 0% 100% 0.50 25%" in shown, "the curve"
    assert (alone.threshold, alone.n, alone.errors, alone.coverage) == (0.9, 300, 0, 0.75)
    assert alone.upper == pytest.approx(float(stats.beta.ppf(1 - 0.05 / 20, 1, 300)))
    strict = confidence(items, gates=Gates(target_error=0.01)).alone
    assert strict.threshold is None and strict.reason


def test_answers_of_one_query_are_not_many() -> None:
    """300 answers without an error, but of 30 queries: no threshold; a bin's interval is theirs too."""
    items = [
        GradedItem(f"a{at:03}", f"q{at // 10}", 0, (answer(0, probabilities={0: 0.9, 1: 0.1}),))
        for at in range(300)
    ]
    found = confidence(items)
    assert "30 queries are too few" in (found.alone.reason or "")
    (only,) = found.bins
    assert only.ci == pytest.approx((0.025 ** (1 / 30), 1.0))
    (alone,) = confidence([replace(one, cluster="q") for one in items]).bins
    assert (alone.n, alone.ci) == (300, None)


def test_least_sure_of_many_come_first_and_twenty_are_named() -> None:
    items = [sure(f"i{at:02}", 0, 0, 0.99 - at / 100, 0.01 + at / 100) for at in range(40)]
    assert confidence(items).to_people == tuple(f"i{at}" for at in range(39, 19, -1))


def test_vote_has_the_confidence_of_the_answer_that_counts() -> None:
    told = [
        answer(0, probabilities={0: 0.6, 1: 0.4}),
        answer(1, probabilities={0: 0.3, 1: 0.7}),
        answer(1, probabilities={0: 0.1, 1: 0.9}),
    ]
    found = confidence([GradedItem("a", "a", 1, tuple(told))])
    assert (found.n, found.brier) == pytest.approx((1, 2 * 0.09))


@pytest.mark.parametrize(
    ("grade", "given", "sure"),
    [
        (0, {0: 0.3, 1: 0.1}, 0.75),
        (1, {0: 3.0, 1: 1.0}, 0.25),
        (2, {0: 0.3, 1: 0.1}, 0.0),
        (0, {0: 0.0}, None),
        (0, {}, None),
        (0, None, None),
        (None, {0: 0.3, 1: 0.1}, None),
    ],
)
def test_an_answer_is_as_sure_as_its_grade_has_of_all_that_was_given(
    grade: int | None, given: dict[int, float] | None, sure: float | None
) -> None:
    assert ItemAnswer(grade, "graded", probabilities=given).sure == pytest.approx(sure)


def test_probabilities_that_are_all_zero_are_none() -> None:
    found = confidence([sure("a", 0, 0, 0.0, 0.0)])
    assert (found.n, found.ece, found.bins, found.to_people) == (0, None, (), ())
    assert "nothing yet" in text_of(confidence_view(found))
    assert found.reason and found.alone.reason


def test_grader_without_probabilities_has_no_confidence(here: Path) -> None:
    assert gate2([item("a", 0, 0)]).confidence is None
    write_project(here)
    rows = "".join(f"{line['id']},{line['grade']}\n" for line in DEV)
    (here / "g.csv").write_text("item,grade\n" + rows, "utf-8")
    ended = harness("eval", "--policy", "small", "--model", "replay/g.csv", "--json")
    assert ended.json["confidence"] is None


def test_confidence_of_builtin_lexical_is_that_of_its_records(here: Path) -> None:
    write_project(here)
    score = harness("eval", "--policy", "small", "--json").json
    lines = (Path(score["run"]) / "records.jsonl").read_text("utf-8").splitlines()
    records = sorted(map(json.loads, lines), key=lambda one: one["example"])
    golden = {line["id"]: line["grade"] for line in DEV}
    p = np.array([[one["reply"]["probabilities"][str(grade)] for grade in SCALE] for one in records])
    truth = np.eye(3)[[golden[one["example"]] for one in records]]
    found = score["confidence"]
    assert (found["n"], found["lost"]) == (len(DEV), pytest.approx(0, abs=1e-12))
    assert found["brier"] == pytest.approx(((p - truth) ** 2).sum(axis=1).mean())
    assert found["rps"] == pytest.approx(((p - truth).cumsum(axis=1) ** 2).sum(axis=1).mean())
    assert found["log_loss"] == pytest.approx(-np.log((p * truth).sum(axis=1)).mean())
    chosen = [p[at][one["outcome"]["value"]] for at, one in enumerate(records)]
    least = sorted((chance, one["example"]) for chance, one in zip(chosen, records, strict=True))
    assert found["to_people"] == [name for _, name in least]
    assert "calibration error" in harness("gate2", "latest").out


def test_equal_confidence_singles_no_item_out() -> None:
    answers = [ItemAnswer(0, "graded", probabilities={0: 0.6, 1: 0.4}) for _ in range(8)]
    items = [GradedItem(f"i{at}", f"i{at}", at % 2, (one,)) for at, one in enumerate(answers)]
    found = gate2(items, (0, 1)).confidence
    assert found is not None
    shown = " ".join(text_of(confidence_view(found)).split())
    assert "It is equally sure of all its answers" in shown and "i0" not in shown


def test_crossing_steps_of_an_ordinal_regression_rule_no_grade_out() -> None:
    """P(>= 1) 0.2 and P(>= 2) 0.9 cross: grade 1 would get -0.0."""
    shares = shares_of(np.array([[0.2, 0.9]]))[0].tolist()
    assert min(shares) > 0 and sum(shares) == pytest.approx(1) and shares[0] == pytest.approx(0.8, abs=1e-5)
