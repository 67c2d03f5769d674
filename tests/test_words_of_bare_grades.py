"""What commands say of bare grades under a skeleton policy, and of raters who are not there or few."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from builders import example, examples, harness, policy, policy_text, write_project
from scoring import gate1, gate2, item, text_of

from harness.audit.moves import moves
from harness.audit.rewriting import pair_id
from harness.errors import BadInput
from harness.golden.rating.drawing import Drawing, draw
from harness.nouns.policy import Policy
from harness.report.disagreements import places
from harness.report.gate1 import gate1_view
from harness.report.sections import details_words
from harness.score.production_rows import figures_of
from harness.stats.ceiling import leave_one_out

DECIDED = policy()
GUESSED = Policy.model_validate(
    {**DECIDED.model_dump(), "actions": [{**one.model_dump(), "shown": ""} for one in DECIDED.actions]}
)
ROOT = Path(__file__).resolve().parent.parent
UNDECIDED = "small@v1 does not say what its actions show (`shown`)"


def flat(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture
def shop(here: Path) -> Path:
    """A project of bare grades, one whose ids have spaces, as those that an import makes of queries do."""
    lines = [{**one, "id": one["id"].replace("-", " ")} for one in examples()]
    write_project(here, golden=lines)
    return here


def leave_actions_open(here: Path) -> None:
    path = here / "policies/small/v1.toml"
    path.write_text(re.sub('(?m)^shown = "Said."', 'shown = ""', path.read_text("utf-8")), "utf-8")


# --- actions that nobody decided on ------------------------------------------------------------------


def test_rewrites_change_no_action_that_nobody_decided_on() -> None:
    given = [example("i", result={"title": "Red"})]
    grades = {pair_id("i", "plain"): 2, pair_id("i", "upper-case"): 0}
    for one, counts, shown in ((DECIDED, (1, 1), 1), (GUESSED, (None, None), 0)):
        found, actions = moves(given, frozenset(grades), grades, one)
        (upper,) = [way for way in found if way.kind == "upper-case"]
        assert (upper.moved, upper.actions_moved, upper.actions_first, len(actions)) == (1, *counts, shown)


def test_an_audit_says_that_no_action_is_decided_on(shop: Path) -> None:
    said = harness("audit", "builtin/lexical", "--json").json
    assert said["undecided"] is None and all(one["actions_moved"] is not None for one in said["rewrites"])
    leave_actions_open(shop)
    ended = harness("audit", "builtin/lexical")
    assert f"Actions: none; {UNDECIDED}" in flat(ended.out) and "Changed an action" not in ended.out
    assert harness("audit", "builtin/lexical", "--json").json["undecided"].startswith(UNDECIDED)


@pytest.mark.parametrize("decided", [True, False])
def test_the_page_of_two_runs_counts_what_users_see_where_that_is_decided(shop: Path, decided: bool) -> None:
    if not decided:
        leave_actions_open(shop)
    dev = [one for one in examples() if one["split"] == "dev"]
    for name, grades in (("a", [one["grade"] for one in dev]), ("b", [2 - one["grade"] for one in dev])):
        lines = (f"{one['id'].replace('-', ' ')},{grade}\n" for one, grade in zip(dev, grades, strict=True))
        (shop / f"{name}.csv").write_text("item,grade\n" + "".join(lines), "utf-8")
        assert harness("eval", "--model", f"replay/{name}.csv", "--no-report").code == 0
    assert harness("report", "latest", "latest~1", "-o", "cmp.html").code == 0
    page = flat(re.sub("<[^>]*>", " ", (shop / "cmp.html").read_text("utf-8")))
    seen = sum(one["grade"] != 1 for one in dev)
    assert (f"{seen} would show the user something else." in page) == decided
    assert ("No policy says what a user would see." in page) == (not decided)


def test_no_stratum_and_no_figure_is_of_actions_that_nobody_decided_on() -> None:
    given = [example(f"e{at}", grade=at % 3) for at in range(12)]
    wanted = Drawing(6, by="action")
    assert {one.stratum for one in draw(given, DECIDED, wanted, 1, [])} == {"show", "filter"}
    with pytest.raises(BadInput, match="--by action: small@v1 does not say what its actions show"):
        draw(given, GUESSED, wanted, 1, [])
    assert any(one.name.startswith("action:") for one in figures_of((0, 1, 2), DECIDED, None))
    assert not any(one.name.startswith("action:") for one in figures_of((0, 1, 2), GUESSED, None))


@pytest.mark.parametrize("decided", [True, False])
def test_a_regraded_example_has_an_action_where_both_versions_decided_on_it(
    shop: Path, decided: bool
) -> None:
    if not decided:
        leave_actions_open(shop)
    assert harness("policy", "new", "small").code == 0
    path = shop / "policies/small/v2.toml"
    path.write_text(path.read_text("utf-8").replace('shown = ""', 'shown = "So."'), "utf-8")
    (one, *_) = [line for line in examples() if line["grade"] == 2]
    words = (
        "--policy",
        "small@v2",
        "--grade",
        "0",
        "--reasoning",
        "It is another thing than what the query names, and of no use.",
        "--why",
        "read again",
    )
    assert harness("golden", "regrade", one["id"].replace("-", " "), *words).code == 0
    said = harness("policy", "diff", "small@v1", "small@v2").out
    assert ": 2 -> 0" in said and (": 2 -> 0 (show -> filter)" in said) == decided
    assert "None" not in said


@pytest.mark.parametrize("decided", [True, False])
def test_a_change_keeps_no_action_that_nobody_decided_on(shop: Path, decided: bool) -> None:
    if not decided:
        leave_actions_open(shop)
    assert harness("policy", "new", "small").code == 0
    said = flat(harness("policy", "diff", "small@v1", "small@v2").out)
    undecided = "It is undecided whether a grade keeps its action: small@v1 and small@v2 do not say"
    assert ("Every grade keeps its action." in said, undecided in said) == (decided, not decided)


def test_a_run_of_grades_without_rules_has_none_that_is_known_to_be_stale(shop: Path) -> None:
    """Such a grade may be older than an edit of its own version: nobody can tell."""
    assert harness("eval", "--policy", "small", "--no-report").code == 0
    said = flat(harness("runs", "show", "latest").out)
    assert "known to be stale 0" in said and "stale examples" not in said


# --- raters who are few, elsewhere, or under another version -------------------------------------------


@pytest.mark.parametrize(("rated", "told"), [(29, False), (30, True)])
def test_a_rater_s_place_takes_thirty_items(rated: int, told: bool) -> None:
    items = [item(f"i{at:02}", at % 3, (at + (at % 5 == 0)) % 3) for at in range(rated)]
    rows = {
        f"i{at:02}": {"a": at % 3, "b": (at + (at == 3)) % 3, "c": (at + (at == 8)) % 3}
        for at in range(rated)
    }
    score = gate2(items, rows=rows)
    assert score.ceiling is not None and [one.n for one in score.ceiling.leave_one_out] == [rated] * 3
    assert (len(places(score.ceiling)) == 3, "each rater's place" in details_words(score)) == (told, told)
    if not told:
        (first, *_) = score.ceiling.leave_one_out
        assert (first.grader, first.rater_kappa, first.ci, first.p_holm) == (None,) * 4
        assert first.reason == "only 29 rated by two others too: too few to compare with"


def test_raters_of_few_items_take_no_part_in_holm_s_correction() -> None:
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 3, 60)
    slip = [np.where(rng.random(60) < 0.2, rng.integers(0, 3, 60), truth) for _ in range(4)]
    ratings = np.column_stack([*slip[:3], np.where(np.arange(60) < 10, slip[3], -1)])
    about = rng.integers(0, 3, 60), ratings, np.arange(60), (0, 1, 2)
    every, enough = leave_one_out(*about), leave_one_out(*about, least=30)
    assert [one.p is None for one in enough] == [False, False, False, True]
    assert every[3].p is not None
    smallest = min(one.p for one in enough if one.p is not None)
    assert min(one.p_holm for one in enough if one.p_holm is not None) == pytest.approx(3 * smallest)


def test_grades_of_a_file_say_how_its_ratings_are_named(shop: Path) -> None:
    rows = [(one["id"], who, one["grade"]) for one in examples() for who in ("ann", "bob", "cy")]
    (shop / "r.csv").write_text("item,rater,grade\n" + "".join(f"{i},{w},{g}\n" for i, w, g in rows), "utf-8")
    (shop / "g.csv").write_text(
        "item,grade\n" + "".join(f"{one['id']},{one['grade']}\n" for one in examples()), "utf-8"
    )
    words = ("gate2", "--golden", "g.csv", "--grades", "r.csv", "--rater", "ann", "--scale", "0-2")
    said = flat(harness(*words).out)
    assert "Gate 1 was not measured here, as no ratings were named (--ratings FILE)," in said
    assert "as it takes two raters" not in said
    assert "not measured" not in flat(harness(*words, "--ratings", "r.csv").out)


# --- what there is -----------------------------------------------------------------------------------


def test_doctor_lists_every_version(shop: Path) -> None:
    assert harness("policy", "new", "small").code == 0
    assert harness("prompt", "new", "teacher").code == 0
    found = harness("doctor", "--json").json
    assert found["policies"] == ["small@v1", "small@v2"]
    assert found["prompts"] == ["teacher@v1", "teacher@v2"]
    path = shop / "policies/small/v1.toml"
    path.write_text(path.read_text("utf-8").replace('name = "small"', 'name = "other"'), "utf-8")
    ended = harness("doctor")
    assert ended.code == 2 and "v1.toml" in ended.out, "an earlier version that cannot be read is named too"


def test_lint_keeps_an_id_with_spaces_whole(shop: Path) -> None:
    path = shop / "golden/small/examples.jsonl"
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    ids = {line["id"]: f"a query of many words, {line['id']} |{at:09}" for at, line in enumerate(lines)}
    twins = [{**line, "id": f"the other {ids[line['id']]}"} for line in lines[:2]]
    found = [{**line, "id": ids[line["id"]]} for line in lines] + twins
    path.write_text("".join(json.dumps(line) + "\n" for line in found), "utf-8")
    said = harness("golden", "lint").out
    for line in lines[:2]:
        assert ids[line["id"]] in re.findall(r"the same query and\s+text as\s+(.*)", said)


def test_ship_says_on_which_split_it_looked_for_a_run(shop: Path) -> None:
    assert harness("eval", "--no-report").code == 0
    said = flat(harness("ship", "--policy", "small@v1").out)
    assert "no finished run on test yet: harness eval --policy small@v1 --split test" in said
    assert "no finished run on test to compare with it" in said


def test_a_grader_that_is_sent_no_prompt_has_none_in_an_impact(shop: Path) -> None:
    assert harness("policy", "new", "small").code == 0
    rows = "".join(f"{at},red shoe {at},A red shoe\n" for at in range(3))
    (shop / "pairs.csv").write_text("item,query,title\n" + rows, "utf-8")
    words = ("policy", "impact", "small@v1", "small@v2", "--pairs", "pairs.csv", "--model", "builtin/lexical")
    said = flat(harness(*words).out)
    assert "From small@v1 to small@v2, builtin/lexical, 3 pairs" in said and "teacher@" not in said


def test_an_estimate_under_guessed_actions_has_no_figure_of_them(here: Path) -> None:
    write_project(here)
    path, table = here / "policies/small/v1.toml", ROOT / "docs/production-example.csv"
    path.write_text(policy_text(grades=range(5)), encoding="utf-8")
    words = ("estimate", table, "--policy", "small")
    named = [one["name"] for one in harness(*words, "--json").json["estimates"]]
    assert "action:show" in named and "defect" in named
    leave_actions_open(here)
    found = harness(*words, "--json").json
    assert "grade>=3" in [one["name"] for one in found["estimates"]] and found["warnings"][0].startswith(
        UNDECIDED
    )
    assert not {"action:show", "action:filter", "defect"} & {one["name"] for one in found["estimates"]}
    ended = harness(*words, "--by", "action")
    assert ended.code == 2 and f"--by action: {UNDECIDED}" in flat(ended.err)


def test_the_p_of_a_rater_s_bias_is_called_what_it_is() -> None:
    rows = {f"i{at:02}": {"a": at % 3, "b": (at + (at % 7 == 3)) % 3, "c": at % 3} for at in range(40)}
    assert re.search(
        r"rater against the rest +items +bias +p \(Holm\) +linear kappa", text_of(gate1_view(gate1(rows)))
    )
