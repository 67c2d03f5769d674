"""Gate 1 of many raters: a summary and the lowest few, everywhere that lists raters or pairs of them."""

from pathlib import Path
from random import Random
from typing import Any

import pytest
from builders import examples, harness, write_project
from scoring import gate1, text_of

from harness.nouns.pair import Rating
from harness.report.gate1 import gate1_view
from harness.score.few import SHOWN, few_names, lowest, lowest_pairs
from harness.score.rating_matrix import MOST_RATERS, rating_matrix_of

MANY = 60


@pytest.fixture(scope="module")
def panel() -> dict[str, dict[str, int]]:
    """40 items rated by 60 raters, the last ten of whom grade at random."""
    random = Random(3)
    right = [random.randrange(3) for _ in range(40)]
    return {
        f"i{at}": {
            f"rater-{number:02}": grade
            if random.random() < (0.9 if number < 50 else 0.3)
            else random.randrange(3)
            for number in range(MANY)
        }
        for at, grade in enumerate(right)
    }


def pair_lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip().startswith("rater-") and " - rater-" in line]


def test_many_raters_fit_on_two_screens(panel: dict[str, dict[str, int]]) -> None:
    score = gate1(panel, kinds=dict.fromkeys(panel["i0"], "llm"))
    text = text_of(gate1_view(score))
    assert len(text.splitlines()) < 120
    assert max(map(len, text.splitlines())) <= 80
    values = sorted(pair.kappa for pair in score.pairs if pair.kappa is not None)
    assert f"1,770 pairs of raters: kappa {values[0]:.3f} to {values[-1]:.3f}" in text
    assert len(pair_lines(text)) == SHOWN
    assert f"{values[0]:.3f}" in pair_lines(text)[0]
    assert "rater-09 and 50 more rated as language models" in " ".join(text.split())


def test_all_of_them_are_shown_on_demand_and_in_the_scorecard(panel: dict[str, dict[str, int]]) -> None:
    score = gate1(panel)
    assert len(pair_lines(text_of(gate1_view(score, every=True)))) == len(score.pairs) == 1_770
    assert len(score.rater_bias) == MANY


def test_warnings_and_advice_name_ten_and_count_the_rest(panel: dict[str, dict[str, int]]) -> None:
    score = gate1(panel)
    low = [pair.kappa for pair in score.pairs if pair.kappa is not None and pair.kappa < 0.4]
    told = [warning for warning in score.warnings if " alone, under 0.4" in warning]
    assert len(told) == SHOWN
    assert f"a kappa of {min(low):.3f} alone" in told[0]
    assert f"{len(low) - SHOWN:,} more pairs of raters agree on a kappa under 0.4" in score.warnings
    higher = {item: {r: min(2, g + (int(r[-2:]) % 2)) for r, g in of.items()} for item, of in panel.items()}
    advice = [one for one in gate1(higher).advice if one.startswith("Talk to rater") and "who grades" in one]
    assert len(advice) == SHOWN
    assert any("more raters grade higher or lower" in one for one in gate1(higher).advice)


def test_pairs_left_out_are_counted() -> None:
    rows = {f"i{at}": {"ann": at % 3, "bob": at % 3} for at in range(30)}
    rows |= {f"x{number}": {"ann": 1, f"r{number:02}": 1} for number in range(12)}
    score = gate1(rows)
    left = [warning for warning in score.warnings if "left out of the mean" in warning]
    assert len(left) == SHOWN + 1
    assert left[-1].startswith("80 more pairs of raters share fewer than 30 items")


def test_few_raters_are_shown_as_ever() -> None:
    rows = {f"i{at}": {name: (at + turn // 3) % 3 for turn, name in enumerate("abcde")} for at in range(40)}
    score = gate1(rows)
    assert lowest_pairs(score) == list(score.pairs)
    assert "pairs of raters:" not in text_of(gate1_view(score))


@pytest.mark.parametrize(("count", "text"), [(10, "9"), (11, "9 and 1 more")])
def test_names_are_cut_after_ten(count: int, text: str) -> None:
    assert few_names([str(at) for at in range(count)]).endswith(text)


def test_lowest_come_first_and_undefined_ones_last() -> None:
    values = [None, *range(11, 0, -1)]
    assert lowest(values, lambda one: one) == list(range(1, 11))
    # A kappa of 0 is below one of 0.5, and no undefined one.
    near = [0.5, *(0.9 + at / 1_000 for at in range(8)), 0.0, None, -0.1]
    assert lowest(near, lambda one: one)[:3] == [-0.1, 0.0, 0.5]


def test_page_and_command_show_the_lowest_too(here: Path) -> None:
    golden = examples(queries=24)
    write_project(here, golden=golden)
    random = Random(1)
    lines: list[dict[str, Any]] = [
        {"item": line["id"], "rater": f"rater-{number:02}", "grade": random.randrange(3)}
        for line in golden
        if line["split"] != "shots"
        for number in range(20)
    ]
    rows = "".join(f"{line['item']},{line['rater']},{line['grade']}\n" for line in lines)
    (here / "r.csv").write_text("item,rater,grade\n" + rows, encoding="utf-8")
    assert harness("ratings", "import", here / "r.csv", "--policy", "small", "--kind", "human").code == 0
    assert harness("eval", "--policy", "small").code == 0
    (page,) = (here / "runs").glob("*/report.html")
    text = page.read_text(encoding="utf-8")
    assert "The 10 of 190 pairs of raters with the lowest" in text and "of 20 raters who agree least" in text
    assert text.count(" and rater-") < 40
    details = harness("gate2", "latest").out
    assert "The 10 of 20 raters whom the grader falls furthest behind" in details
    assert len(pair_lines(harness("gate1", "--policy", "small", "--all").out)) == 190


def test_more_raters_than_can_be_compared_are_refused(here: Path) -> None:
    """A column of sessions in the place of people took 21 GB."""
    lines = [f"a,r{rater},{rater % 3}\n" for rater in range(MOST_RATERS + 1)]
    (here / "r.csv").write_text("item,rater,grade\n" + "".join(lines), encoding="utf-8")
    ended = harness("gate1", "r.csv", "--scale", "0-2")
    assert ended.code == 2
    assert (
        "2,001 raters, and every two are compared: 2,000 at most; if that column does not name people"
        in ended.err
    )


def test_as_many_raters_as_can_be_compared_are_taken() -> None:
    ratings = [Rating(item="a", rater=f"r{at}", grade=1, policy_version="v1") for at in range(MOST_RATERS)]
    assert len(rating_matrix_of(ratings, (0, 1, 2)).raters) == MOST_RATERS == 2_000
