"""Verdicts: what passes, what fails, what stays open, and how a command says so."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from builders import Ended, examples, harness, write_project
from scipy import stats
from scoring import text_of

from harness.nouns.pair import Rating
from harness.nouns.policy import Gates
from harness.report.gate1 import gate1_view
from harness.report.gate2 import confusion_view
from harness.score.gate1 import score_gate1
from harness.score.gate2 import score_gate2
from harness.score.items import GradedItem, ItemAnswer
from harness.score.settings import ScoreSettings
from harness.score.threshold import Threshold
from harness.scorecards.gate1 import Gate1
from harness.scorecards.gate2 import Gate2
from harness.stats.intervals import ONE_CLUSTER
from harness.verdicts.gates import EXIT_CODES, NO_RATERS, judge_gate1, judge_gate2, verdict_of

SCALE = (0, 1, 2)
ACTIONS = {0: "filter", 1: "related", 2: "show"}


def answer(grade: int | None) -> ItemAnswer:
    return ItemAnswer(
        grade, "ungraded" if grade is None else "graded", None if grade is not None else "bad_json"
    )


def graded(*rows: tuple[int, int | None, int]) -> list[GradedItem]:
    """Items from (golden, grade, how many); every two of them share a query."""
    flat = [(golden, grade) for golden, grade, count in rows for _ in range(count)]
    return [
        GradedItem(f"i{at:04}", f"q{at // 2 % 200:03}", golden, (answer(grade),))
        for at, (golden, grade) in enumerate(flat)
    ]


def gate2(items: Sequence[GradedItem], gates: Gates | None = None, gate1: Gate1 | None = None) -> Gate2:
    chosen = gates or Gates()
    bar = Threshold(chosen.weighting, chosen.gate2.bar)
    score = score_gate2(items, ScoreSettings(SCALE, bar, chosen, ACTIONS))
    return judge_gate2(score, chosen, gate1)


def gate1(wrong: int, items: int = 300) -> Gate1:
    """Two raters who differ on `wrong` of the items."""
    ratings = [
        Rating(
            item=f"i{at}", rater=rater, grade=(at + (rater == "bob" and at < wrong)) % 3, query=f"q{at // 3}"
        )
        for at in range(items)
        for rater in ("ann", "bob")
    ]
    return judge_gate1(score_gate1(ratings, SCALE, Threshold("none", 0.8)))


GOOD = ((0, 0, 100), (1, 1, 100), (2, 2, 100), (0, 1, 5), (1, 2, 5))
POOR = ((0, 0, 60), (1, 1, 60), (2, 2, 60), (0, 1, 40), (1, 2, 40), (2, 1, 40))
CLOSE = ((0, 0, 26), (1, 1, 26), (2, 2, 26), (0, 1, 4), (1, 2, 4), (2, 1, 3))


@pytest.mark.parametrize(
    ("rows", "verdict", "code"), [(GOOD, "pass", 0), (POOR, "fail", 1), (CLOSE, "inconclusive", 3)]
)
def test_verdict_is_read_from_the_interval(rows: Any, verdict: str, code: int) -> None:
    score = gate2(graded(*rows))
    assert score.verdict is not None and (score.verdict, EXIT_CODES[score.verdict]) == (verdict, code)
    assert score.kappa.ci is not None and score.reason is not None
    low, high = score.kappa.ci
    assert {"pass": low >= 0.8, "fail": high < 0.8, "inconclusive": low < 0.8 <= high}[verdict]
    assert f"{low:.3f} to {high:.3f}" in score.reason


def test_strong_point_value_alone_does_not_pass() -> None:
    score = gate2(graded((0, 0, 10), (1, 1, 10), (2, 2, 10), (0, 1, 1), (1, 2, 1), (2, 1, 1)))
    assert (score.band, score.verdict) == ("strong", "inconclusive")


def test_inconclusive_says_how_many_items_would_decide() -> None:
    score = gate2(graded(*CLOSE))
    assert score.items_needed is not None and score.items_needed > score.n
    assert gate2(graded(*GOOD)).items_needed is None


def test_perfect_agreement_on_a_few_queries_is_inconclusive() -> None:
    score = gate2(graded((0, 0, 6), (1, 1, 6), (2, 2, 6)))
    assert (score.kappa.value, score.kappa.guarded, score.verdict) == (1.0, True, "inconclusive")
    assert score.items_needed is None


def test_constant_grader_is_inconclusive_and_says_why() -> None:
    score = gate2(graded((0, 1, 50), (1, 1, 50), (2, 1, 50)))
    assert (score.kappa.value, score.kappa.ci, score.verdict) == (0.0, None, "inconclusive")
    assert "the same grade" in (score.reason or "")


def test_reason_says_undefined_or_no_interval_and_not_both() -> None:
    alike = gate2(graded((1, 1, 9)))
    told = [(0, 0), (1, 0), (2, 1)]
    one_query = gate2([GradedItem(str(at), "q", one, (answer(two),)) for at, (one, two) in enumerate(told)])
    assert (alike.reason or "").startswith("kappa is undefined: both gave every item the same one grade")
    assert (one_query.reason or "").startswith("kappa has no interval: all items are of one query")


@pytest.mark.parametrize(
    ("wrong", "bar", "words"),
    [
        (1, 0.8, "the policy is clear"),
        (0, 0.8, "nothing shows that they rated independently"),
        (30, 0.97, "The raters agree, but less than this bar requires."),
        (75, 0.8, "The raters agree moderately: refine the policy"),
        (75, 0.66, "Agreement looks moderate so far"),
        (200, 0.8, "The raters hardly agree"),
    ],
)
def test_gate1_says_in_words_what_the_verdict_means(wrong: int, bar: float, words: str) -> None:
    score = gate1(wrong)
    judged = judge_gate1(score.model_copy(update={"bar": bar}))
    assert words in text_of(gate1_view(judged))


def test_coverage_under_the_floor_is_never_a_verdict() -> None:
    for rows in (GOOD, POOR):
        score = gate2(graded(*rows, (2, None, 20)))
        assert (score.verdict, "under the floor of 99.0%" in (score.reason or "")) == ("inconclusive", True)


def test_missing_answers_that_could_change_the_verdict_leave_it_open() -> None:
    rows = ((0, 0, 200), (1, 1, 200), (2, 2, 200), (0, 1, 28), (1, 2, 28), (2, None, 10))
    gates = Gates(coverage_floor=0.9)
    score = gate2(graded(*rows), gates)
    assert score.kappa.ci is not None and score.kappa_worst_case_ci is not None
    assert score.kappa.ci[0] >= 0.8 > score.kappa_worst_case_ci[0]
    assert score.verdict == "inconclusive" and "missing answers could change" in (score.reason or "")
    few = gate2(graded(*GOOD, (2, None, 1)), gates)
    assert few.verdict == "pass"


def test_actions_have_a_bar_where_one_is_declared() -> None:
    rows = ((0, 0, 100), (1, 1, 100), (2, 2, 100), (0, 2, 9))
    assert gate2(graded(*rows)).verdict == "pass"
    strict = Gates.model_validate({"gate2": {"actions": 0.999}})
    score = gate2(graded(*rows), strict)
    assert score.verdict == "fail" and "the actions' kappa" in (score.reason or "")


@pytest.mark.parametrize(("limit", "verdict"), [(0.3, "pass"), (0.1, "inconclusive"), (0.01, "fail")])
def test_cells_that_must_not_grow_have_a_limit_where_one_is_declared(limit: float, verdict: str) -> None:
    cell = {"golden": 0, "action": "show", "limit": limit}
    gates = Gates.model_validate({"never_grow": [cell], "gate2": {"bar": 0.5}})
    score = gate2(graded((0, 0, 90), (0, 2, 10), (1, 1, 100), (2, 2, 100)), gates)
    found = score.never_grow[0]
    assert (found.count, found.n, found.share) == (10, 100, 0.1)
    # 5 of 50 queries, wholly: deff = (50/49 x (5 x 1.8^2 + 45 x 0.2^2)) / 100^2 / (0.09 / 99) = 99/49. Were
    # the items independent, R's binom.test would give 0.04900469 to 0.17622260.
    worth = 100 / (99 / 49) * (stats.t.ppf(0.975, 99) / stats.t.ppf(0.975, 49)) ** 2
    ends = (
        stats.beta.ppf(0.025, worth / 10, 0.9 * worth + 1),
        stats.beta.ppf(0.975, worth / 10 + 1, 0.9 * worth),
    )
    assert found.ci == pytest.approx(ends, abs=1e-9)
    assert found.ci == pytest.approx((0.0324253, 0.2208892), abs=1e-6)
    assert score.verdict == verdict


def test_cell_whose_items_are_all_of_one_query_has_no_limit_and_leaves_the_verdict_open() -> None:
    cell = {"golden": 0, "action": "show", "limit": 0.3}
    rows = [GradedItem(f"z{at:02}", "one query", 0, (answer(0),)) for at in range(40)]
    score = gate2([*rows, *graded((1, 1, 100), (2, 2, 100))], Gates.model_validate({"never_grow": [cell]}))
    (found,) = score.never_grow
    assert (found.n, found.share, found.ci, found.ci_worst_case) == (40, 0.0, None, None)
    assert found.reason == ONE_CLUSTER
    assert score.verdict == "inconclusive"
    assert score.reason == f"golden 0 with action show has {ONE_CLUSTER}"
    shown = " ".join(text_of(confusion_view(score)).split())
    assert f"golden 0 with action show: 0 of 40 ({ONE_CLUSTER}); the limit is 30.0%" in shown


def test_missing_answers_may_have_been_in_a_cell_that_must_not_grow() -> None:
    cell = {"golden": 0, "action": "show", "limit": 0.04}
    gates = Gates.model_validate({"never_grow": [cell], "coverage_floor": 0.9})
    rows = ((0, 0, 190), (1, 1, 400), (2, 2, 400))
    assert gate2(graded(*rows), gates).verdict == "pass"
    score = gate2(graded(*rows, (0, None, 10)), gates)
    (found,) = score.never_grow
    assert (found.count, found.n) == (0, 190)
    # 5 of 100 queries, wholly: deff = (100/99 x (5 x 1.9^2 + 95 x 0.1^2)) / 200^2 / (0.0475 / 199) = 199/99.
    worth = 200 / (199 / 99) * (stats.t.ppf(0.975, 199) / stats.t.ppf(0.975, 99)) ** 2
    ends = (
        stats.beta.ppf(0.025, worth / 20, 0.95 * worth + 1),
        stats.beta.ppf(0.975, worth / 20 + 1, 0.95 * worth),
    )
    assert found.ci_worst_case == pytest.approx(ends, abs=1e-9)
    assert score.verdict == "inconclusive" and "missing answers could change" in (score.reason or "")


def test_items_are_told_only_where_more_of_them_would_decide() -> None:
    assert gate2(graded(*CLOSE)).items_needed is not None
    assert gate2(graded(*CLOSE, (2, None, 9)), Gates(coverage_floor=0.5)).items_needed is not None
    for rows in ((*CLOSE, (2, None, 9)), (*POOR, (2, None, 20))):
        score = gate2(graded(*rows))
        assert (score.verdict, score.items_needed) == ("inconclusive", None)
        assert "coverage" in (score.reason or "")


# --- Gate 1 beside Gate 2 -------------------------------------------------------------------------------


def test_gate2_is_provisional_until_gate1_has_passed() -> None:
    items = graded(*GOOD)
    never, failed, passed = gate2(items), gate2(items, gate1=gate1(150)), gate2(items, gate1=gate1(9))
    assert (never.gate1, never.provisional) == (None, NO_RATERS)
    assert (failed.gate1, failed.provisional) == ("fail", "Gate 1 has not passed (fail)")
    assert (passed.gate1, passed.provisional) == ("pass", None)


def poor_run(here: Path, *more: str) -> Ended:
    """A replay of grades of which half are wrong."""
    rows = [(line["id"], line["grade"]) for line in examples(queries=40)]
    text = "".join(
        f"{id_},{grade if at % 4 > 1 else (grade + 1 + at % 2) % 3}\n" for at, (id_, grade) in enumerate(rows)
    )
    (here / "poor.csv").write_text("item,grade\n" + text, encoding="utf-8")
    return harness("eval", "--policy", "small", "--model", "replay/poor.csv", *more)


def test_raters_that_are_models_make_both_gates_provisional(here: Path) -> None:
    write_project(here, golden=examples(queries=40))
    ratings = [
        {"item": line["id"], "rater": rater, "grade": 1 if (at, rater) == (0, "bot") else line["grade"]}
        for at, line in enumerate(examples(queries=40))
        for rater in ("ann", "bot")
    ]
    folder = here / "golden/small"
    folder.joinpath("ratings.jsonl").write_text("".join(json.dumps(one) + "\n" for one in ratings), "utf-8")
    folder.joinpath("raters.toml").write_text('[ann]\nkind = "human"\n[bot]\nkind = "llm"\n', "utf-8")
    measured = harness("gate1", "--policy", "small", "--json")
    assert (measured.code, measured.json["verdict"]) == (0, "pass")
    assert "bot rated as language models" in measured.json["provisional"]
    ended = poor_run(here)
    assert "FAIL, provisional" in ended.out and "in Gate 1, bot rated" in " ".join(ended.out.split())
    score = harness("gate2", "latest", "--json").json
    assert (score["gate1"], "in Gate 1, bot rated" in score["provisional"]) == ("pass", True)


# --- what a command leaves ------------------------------------------------------------------------------


def test_eval_never_gates_and_gate2_does(here: Path) -> None:
    write_project(here, golden=examples(queries=40))
    ended = poor_run(here, "--json")
    assert (ended.code, ended.json["verdict"]) == (0, "fail")
    assert harness("gate2", "latest").code == 1
    assert harness("gate2", "latest", "--bar", "-1").code == 0
    run = Path(ended.json["run"])
    verdict = json.loads((run / "verdict.json").read_text("utf-8"))
    assert verdict == {key: ended.json[key] for key in verdict}
    # People read both files: a key a line.
    for name in ("verdict.json", "scorecard.json"):
        text = (run / name).read_text("utf-8")
        assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"
    assert {"verdict", "reason", "bar", "gated", "kappa", "coverage", "gate1"} <= set(verdict)


def test_moved_bar_is_reported(here: Path) -> None:
    write_project(here)
    harness("eval", "--policy", "small")
    assert harness("gate2", "latest", "--json").json["bar_moved"] is None
    moved = harness("gate2", "latest", "--bar", "0.3")
    assert "The gate was changed: gates.toml has kappa 0.8." in moved.out
    same = harness("gate2", "latest", "--weighting", "none", "--bar", "0.8", "--json").json
    assert same["bar_moved"] is None
    (here / "policies/small/gates.toml").write_text("[gate2]\nbar = 0.7\n", encoding="utf-8")
    now = harness("gate2", "latest", "--json").json
    assert (now["bar"], now["bar_moved"]) == (0.8, "gates.toml has kappa 0.7 now")
    both = harness("gate2", "latest", "--bar", "0.3", "--json").json
    assert both["bar_moved"] == "gates.toml has kappa 0.7 now; the run was made under kappa 0.8"


def test_every_bar_that_moved_since_the_run_before_is_reported(here: Path) -> None:
    write_project(here)
    gates = here / "policies/small/gates.toml"
    limited = '[[never_grow]]\ngolden = 0\naction = "show"\nlimit = 0.1\n'
    gates.write_text(f"[gate2]\nactions = 0.9\n{limited}", encoding="utf-8")
    before = harness("eval", "--policy", "small", "--json").json["run"]
    gates.write_text("coverage_floor = 0.5\n[gate1]\nbar = 0.1\n", encoding="utf-8")
    ended = harness("eval", "--policy", "small", "--json").json
    had = "Gate 1 at 0.8, coverage floor 0.99, actions' kappa 0.9, golden 0 with action show at most 0.1"
    assert ended["bar_moved"] == f"the run before, {Path(before).name}, had {had}"
    verdict = json.loads((Path(ended["run"]) / "verdict.json").read_text(encoding="utf-8"))
    assert verdict["bar_moved"] == ended["bar_moved"]
    again = harness("eval", "--policy", "small", "--json").json
    assert again["bar_moved"] is None
    back = harness("gate2", Path(before).name, "--json").json
    assert back["bar_moved"] == (
        "gates.toml has Gate 1 at 0.1, coverage floor 0.5, no limit for the actions, "
        "no limit for golden 0 with action show now"
    )


def test_gates_that_differ_in_no_threshold_have_not_moved(here: Path) -> None:
    """Other names of grades that may not grow, without a limit, and the margin of comparisons."""
    write_project(here)
    harness("eval", "--policy", "small")
    gates = here / "policies/small/gates.toml"
    gates.write_text('margin = 0.2\n[[never_grow]]\ngolden = 0\naction = "show"\n', encoding="utf-8")
    assert harness("eval", "--policy", "small", "--json").json["bar_moved"] is None


def test_an_unfinished_run_and_another_policys_are_not_the_run_before(here: Path) -> None:
    write_project(here)
    gates = here / "policies/small/gates.toml"
    before = harness("eval", "--policy", "small", "--json").json["run"]
    gates.write_text("[gate2]\nbar = 0.7\n", encoding="utf-8")
    only = next(example["id"] for example in examples() if example["split"] == "dev")
    (here / "part.csv").write_text(f"item,grade\n{only},1\n", encoding="utf-8")
    assert harness("eval", "--policy", "small", "--model", "replay/part.csv").code == 4
    ended = harness("eval", "--policy", "small", "--json").json
    assert ended["bar_moved"] == f"the run before, {Path(before).name}, had kappa 0.8"


def test_bar_of_a_file_without_a_policy_is_the_default(here: Path) -> None:
    (here / "g.csv").write_text("item,grade\na,0\nb,1\n", encoding="utf-8")
    words = ("gate2", "--golden", "g.csv", "--grades", "g.csv", "--scale", "0-1", "--json")
    assert harness(*words, "--bar", "0.5").json["bar_moved"] == "the default is kappa 0.8"
    assert harness(*words).json["bar_moved"] is None


def test_bars_for_another_version_of_the_policy_do_not_keep_a_run_from_its_score(here: Path) -> None:
    write_project(here)
    harness("eval", "--policy", "small")
    other = '[[never_grow]]\ngolden = 9\naction = "show"\n'
    (here / "policies/small/gates.toml").write_text(other, encoding="utf-8")
    assert harness("gate2", "latest", "--json").json["bar_moved"] is None


def test_verdict_of_a_scorecard_is_plain_json() -> None:
    found = verdict_of(gate2(graded(*GOOD)))
    assert json.loads(json.dumps(found)) == found
    assert (found["gate"], found["verdict"]) == (2, "pass")


def test_gates_files_may_declare_every_bar(here: Path) -> None:
    write_project(here)
    path = here / "policies/small/gates.toml"
    path.write_text(
        "target_error = 0.1\n[gate2]\nbar = 0.7\nactions = 0.5\n[human_ceiling]\nepsilon = 0.1\n"
        '[[never_grow]]\ngolden = 0\naction = "nowhere"\nlimit = 0.1\n',
        encoding="utf-8",
    )
    assert "never_grow[1]" in harness("eval", "--policy", "small").err
    path.write_text("[gate2]\nactions = 1.5\n", encoding="utf-8")
    ended = harness("eval", "--policy", "small")
    assert (ended.code, "gate2.actions" in ended.err) == (2, True)


def test_policy_without_ratings_has_no_gate1(here: Path) -> None:
    """A policy without ratings: Gate 1 was not measured here, and the table says so."""
    write_project(here)
    ended = harness("eval", "--policy", "small")
    assert "Provisional: Gate 1 was not measured here" in ended.out
