"""`harness golden plan`: how many examples a golden set needs."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest
from builders import examples, harness, write_project

from harness.stats.planning import (
    items_for_delta,
    items_for_half_width,
    items_to_pass,
    mixture,
    variance_per_item,
)


def every(step: int) -> Callable[[int], bool]:
    """Every `step`-th example, so that queries have about as many each."""
    return lambda at: at % step == 0


def whole_queries(at: int) -> bool:
    """All three examples of every ninth query."""
    return at // 3 % 9 == 1


def replayed(here: Path, name: str, wrong: Callable[[int], bool]) -> str:
    """A run that is wrong on these examples, by their place in the file; its folder."""
    rows = [(line["id"], line["grade"]) for line in examples(queries=40)]
    text = "".join(
        f"{id_},{(grade + 1) % 3 if wrong(at) else grade}\n" for at, (id_, grade) in enumerate(rows)
    )
    (here / f"{name}.csv").write_text("item,grade\n" + text, encoding="utf-8")
    words = ("--policy", "small", "--model", f"replay/{name}.csv", "--json")
    return str(harness("eval", *words).json["run"])


def test_sizes_are_those_of_the_formulas(here: Path) -> None:
    write_project(here, golden=examples(queries=40))
    found = harness("golden", "plan", "small", "--json").json
    joint = mixture(0.9, [1 / 3] * 3)
    variance = variance_per_item(joint, (0, 1, 2))
    (row,) = [one for one in found["rows"] if one["kappa"] == 0.9]
    assert row["half_width"]["items"] == items_for_half_width(variance, 0.05)
    assert row["to_pass"]["items"] == items_to_pass(variance, 0.9, 0.8)
    assert row["to_pass"]["queries"] == math.ceil(row["to_pass"]["items"] / 3)
    assert (found["have"], found["items_per_query"]) == ({"items": 90, "queries": 30}, 3.0)
    assert [one["to_pass"]["items"] for one in found["rows"] if one["kappa"] <= 0.8] == [None] * 3
    assert len(found["notes"]) == 3


@pytest.mark.parametrize(("kappa", "told"), [("0.9", False), ("0.91", True)])
def test_the_guard_is_told_of_above_a_kappa_of_nine_tenths(here: Path, kappa: str, told: bool) -> None:
    write_project(here, golden=examples(queries=40))
    notes = harness("golden", "plan", "small", "--kappa", kappa, "--json").json["notes"]
    assert any("true kappa above 0.9 few queries hold a disagreement" in one for one in notes) is told


def test_pilot_is_a_run_over_a_split(here: Path) -> None:
    write_project(here, golden=examples(queries=40))
    replayed(here, "some", every(5))
    words = ("--policy", "small", "--model", "replay/some.csv", "--only", "q1-0,q1-1")
    chosen = str(harness("eval", *words, "--json").json["run"])
    products = {"plain": {"title": "a flute"}, "steered": {"title": "a flute, grade 2"}}
    canary = {
        "id": "c1",
        "trick": "order",
        "query": "whistle",
        "grade": 1,
        "policy_version": "v1",
        **products,
    }
    (here / "golden/small/canaries.jsonl").write_text(json.dumps(canary) + "\n", "utf-8")
    steered = str(harness("eval", "--policy", "small", "--canaries", "--json").json["run"])
    for run, what in ((chosen, "graded chosen examples"), (steered, "graded canaries")):
        ended = harness("golden", "plan", "small", "--pilot", run)
        assert (ended.code, f"{what}; name a run over a split" in ended.err) == (2, True)


def test_pilot_brings_its_design_effect_and_a_second_run_the_paired_error(here: Path) -> None:
    write_project(here, golden=examples(queries=40))
    one, other = replayed(here, "one", whole_queries), replayed(here, "other", every(5))
    score = harness("gate2", one, "--json").json
    bare = harness("golden", "plan", "small", "--kappa", "0.85", "--json").json
    found = harness("golden", "plan", "small", "--pilot", one, "--kappa", "0.85", "--json").json
    assert found["design_effect"] == found["pilot_design_effect"] == score["kappa"]["design_effect"] > 1.5
    assert found["pilot_kappa"] == score["kappa"]["value"]
    items = [plan["rows"][0]["half_width"]["items"] for plan in (bare, found)]
    assert items[1] == pytest.approx(items[0] * found["design_effect"], abs=1 + found["design_effect"])
    both = harness("golden", "plan", "small", "--pilot", one, "--against", other, "--json").json
    assert both["to_tell_apart"]["items"] not in (None, found["to_tell_apart"]["items"])
    assert not any("second run" in note for note in both["notes"])


def test_design_effect_below_1_is_planned_for_as_1_and_said(here: Path) -> None:
    write_project(here, golden=examples(queries=40))
    # No query has two misses: the queries are more alike than chance would make them.
    one = replayed(here, "one", every(4))
    bare = harness("golden", "plan", "small", "--kappa", "0.85", "--json").json
    found = harness("golden", "plan", "small", "--pilot", one, "--kappa", "0.85", "--json").json
    assert (found["pilot_design_effect"] < 0.9, found["design_effect"]) == (True, 1.0)
    assert (found["rows"], found["to_tell_apart"]) == (bare["rows"], bare["to_tell_apart"])
    effect = f"{found['pilot_design_effect']:.2f}"
    assert any(f"design effect is {effect}, and 1 is taken" in note for note in found["notes"])
    shown = " ".join(harness("golden", "plan", "small", "--pilot", one).out.split())
    assert f"design effect {effect}." in shown and "too few would be asked for" in shown


def test_two_runs_that_go_more_alike_in_queries_than_by_chance_are_taken_as_independent(here: Path) -> None:
    write_project(here, golden=examples(queries=40))
    one, other = replayed(here, "one", every(4)), replayed(here, "other", lambda at: at % 4 == 2)
    found = harness("golden", "plan", "small", "--pilot", one, "--against", other, "--json").json
    change = harness("compare", one, other, "--json").json["kappa"]
    of_the_error = items_for_delta(found["have"]["items"] / 2 * change["se"] ** 2, 0.05)
    assert of_the_error is not None and found["to_tell_apart"]["items"] > 1.1 * of_the_error


def test_wider_interval_takes_fewer_and_a_smaller_difference_more(here: Path) -> None:
    write_project(here, golden=examples(queries=40))
    plain = harness("golden", "plan", "small", "--json").json
    wide = harness("golden", "plan", "small", "--half-width", "0.1", "--difference", "0.025", "--json").json
    first = plain["rows"][0]["half_width"]["items"], wide["rows"][0]["half_width"]["items"]
    assert first[0] == pytest.approx(4 * first[1], abs=4)
    apart = plain["to_tell_apart"]["items"], wide["to_tell_apart"]["items"]
    assert apart[1] == pytest.approx(4 * apart[0], abs=4)


def test_pilot_without_spread_says_that_nothing_is_known(here: Path) -> None:
    write_project(here, golden=examples(queries=40))
    harness("eval", "--policy", "small", "--model", "builtin/majority")
    found = harness("golden", "plan", "small", "--pilot", "latest", "--json").json
    assert (found["design_effect"], "has no design effect" in " ".join(found["notes"])) == (1.0, True)
    assert "Pilot " in harness("golden", "plan", "small", "--pilot", "latest").out


def test_runs_that_do_not_belong_together_are_refused(here: Path) -> None:
    write_project(here, golden=examples(queries=40))
    one = replayed(here, "one", every(4))
    few = json.loads(harness("eval", "--policy", "small", "--limit", "5", "--json").out)["run"]
    for words, what in (
        (("--against", one), "--against needs --pilot"),
        (("--pilot", one, "--against", few), "did not grade the same examples"),
        (("--pilot", "nope"), "no run 'nope'"),
        (("--kappa", "2"), "--kappa"),
        (("--kappa", "-0.5"), "--kappa"),
        (("--kappa", "1"), "--kappa"),
    ):
        ended = harness("golden", "plan", "small", *words)
        assert (ended.code, what in ended.err) == (2, True), (words, ended.err)


def test_golden_set_of_one_grade_has_no_size(here: Path) -> None:
    write_project(here, golden=[line for line in examples(queries=8) if line["grade"] == 1])
    ended = harness("golden", "plan", "small")
    assert (ended.code, "has grade 1: kappa is undefined" in ended.err) == (2, True)


def test_choice_of_examples_is_no_pilot(here: Path) -> None:
    write_project(here)
    assert harness("eval", "--policy", "small", "--only", "q1-0,q1-1").code == 0
    ended = harness("golden", "plan", "small", "--pilot", "latest")
    assert (ended.code, "graded chosen examples" in ended.err) == (2, True)
