"""Stages: 0.8 x 0.8 x 0.8 is 0.512."""

from fractions import Fraction
from pathlib import Path

import pytest
from builders import Ended, examples, harness, write_golden, write_project
from hypothesis import given
from hypothesis import strategies as st

from harness.stats.stages import compound


@given(st.lists(st.fractions(0, 1, max_denominator=50), min_size=1, max_size=6))
def test_product_lies_within_what_is_possible(rates: list[Fraction]) -> None:
    found = compound(rates)
    assert 0 <= found.low <= found.product + 1e-12 and found.product <= found.high + 1e-12


def replayed(here: Path, policy: str, wrong: set[int]) -> str:
    """A run of a policy that is wrong on these items; its folder."""
    rows = [(line["id"], line["grade"]) for line in examples(queries=16)]
    text = "".join(f"{id_},{(g + 1) % 3 if at in wrong else g}\n" for at, (id_, g) in enumerate(rows))
    (here / f"{policy}.csv").write_text("item,grade\n" + text, encoding="utf-8")
    return str(harness("eval", "--policy", policy, "--model", f"replay/{policy}.csv", "--json").json["run"])


def stages(here: Path, *words: str) -> Ended:
    return harness("stages", *words)


def test_joint_rate_is_measured_on_the_same_pairs(here: Path) -> None:
    write_project(here, name="ranking", golden=examples(queries=16))
    for name in ("filtering", "whole"):
        text = (here / "policies/ranking/v1.toml").read_text(encoding="utf-8").replace("ranking", name)
        for folder in ("policies", "golden"):
            (here / folder / name).mkdir()
        (here / f"policies/{name}/v1.toml").write_text(text, encoding="utf-8")
        write_golden(here, examples(queries=16), name)
    # dev holds queries 1, 3, 5, ...: items 3 to 5, 9 to 11, ...
    one, other = replayed(here, "ranking", {3, 4, 9}), replayed(here, "filtering", {3, 15, 21})
    unified = replayed(here, "whole", {3})
    found = stages(here, one, other, "--unified", unified, "--json").json
    assert found["n"] == 24
    assert [stage["right"]["value"] for stage in found["stages"]] == [21 / 24, 21 / 24]
    # Of the 24 grades each is 0, 1 or 2 eight times, and 3 are one higher or 0 for 2: kappa 1 - 3/24 / (2/3).
    kappas = [stage["kappa"]["value"] for stage in found["stages"]]
    assert kappas == pytest.approx([1 - 3 / 24 / (2 / 3)] * 2, abs=0.02)
    assert found["product"] == pytest.approx((21 / 24) ** 2)
    assert found["joint"]["value"] == 19 / 24
    assert (found["low"], found["high"]) == (18 / 24, 21 / 24)
    assert found["unified"]["right"]["value"] == 23 / 24
    # One of eight queries has an error: the lower limit is no higher than without any.
    assert found["unified"]["right"]["ci"] == pytest.approx((0.025 ** (1 / 8), 1.0), abs=0.005)
    text = stages(here, one, other, "--unified", unified).out
    assert "all of them, as measured" in text and "one policy: whole@v1" in text


def test_runs_without_common_pairs_are_refused(here: Path) -> None:
    write_project(here)
    (here / "policies/other").mkdir()
    text = (here / "policies/small/v1.toml").read_text(encoding="utf-8").replace("small", "other")
    (here / "policies/other/v1.toml").write_text(text, encoding="utf-8")
    (here / "golden/other").mkdir()
    write_golden(here, examples(), "other")
    for policy, split in (("small", "dev"), ("other", "test")):
        assert harness("eval", "--policy", policy, "--split", split).code == 0
    ended = stages(here, "latest", "latest~1")
    assert (ended.code, "no pair in common" in ended.err) == (2, True)
    assert "two runs or more" in stages(here, "latest").err


def test_runs_of_one_policy_are_no_stages(here: Path) -> None:
    write_project(here)
    for _ in range(2):
        assert harness("eval", "--policy", "small").code == 0
    ended = stages(here, "latest", "latest~1")
    assert (ended.code, "are runs of one policy, small: each stage has its own" in ended.err) == (2, True)
