"""`harness estimate`: from a table, or a label set and ratings, to how good production is."""

import csv
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import harness
from production import answer_all, label_set, plan, shown_pairs, write_csv
from scipy.special import stdtr, stdtrit

from harness import estimate
from harness.report.estimate import rated_lines
from harness.score.gathered import Gathered, Queries
from harness.score.human_grades import chance_of
from harness.score.production_rows import cells_of, effective_number, figures_of
from harness.score.rankings import lists_of, ranked
from harness.scorecards.estimate import RatingsUsed

FOLDER = Path(__file__).parent / "cases/statistics"
NAMES = ("item", "query", "teacher", "human", "weight", "stratum", "position", "pi")
Shown = Mapping[str, Any]


def estimated(*words: str | Path) -> dict[str, Any]:
    """What --json prints."""
    done = harness("estimate", *words, "--json")
    assert done.code == 0, done.err
    found: dict[str, Any] = json.loads(done.out)
    return found


def figure(found: Mapping[str, Any], name: str, stratum: str | None = None) -> dict[str, Any]:
    """One figure of an estimate."""
    (one,) = [one for one in found["estimates"] if one["name"] == name and one["stratum"] == stratum]
    assert isinstance(one, dict)
    return one


def table(
    path: Path, rows: Iterable[Shown], names: Sequence[str] = ("item", "query", "teacher", "human")
) -> Path:
    return write_csv(path, names, rows)


def rated_rows(queries: int = 60, rated: int = 30, **more: Any) -> list[dict[str, Any]]:
    """Rows of which the first queries have human grades."""
    rows = shown_pairs(queries)
    for row in rows:
        row["human"] = row["truth"] if int(str(row["query"]).rsplit(" ", 1)[1]) < rated else ""
        row.update(more)
    return rows


def refused(*words: str | Path) -> str:
    """What a refused command says."""
    done = harness("estimate", *words)
    assert done.code == 2, done.out
    return " ".join(done.err.split())


def test_the_command_equals_the_reference() -> None:
    wanted = json.loads((FOLDER / "production.json").read_text(encoding="utf-8"))
    found = estimated(FOLDER / "inputs/production.csv", "--scale", "0-1", "--at-least", "1")
    assert [one["name"] for one in found["estimates"]] == ["grade>=1"]
    (one,) = found["estimates"]
    assert (one["over"], one["stratum"], one["reason"]) == ("items", None, None)
    assert one["value"] == pytest.approx(wanted["theta"], abs=1e-9)
    assert one["se"] == pytest.approx(wanted["se"], abs=1e-9)
    assert one["ci"] == pytest.approx(wanted["ci"], abs=1e-9)
    assert one["lambda"] == pytest.approx(wanted["lam"], abs=1e-9)
    assert one["teacher_only"] == pytest.approx(wanted["teacher_only"], abs=1e-9)
    assert one["human_only"]["value"] == pytest.approx(wanted["human_only"], abs=1e-9)
    counts = [
        one[name] for name in ("n_labelled", "n_unlabelled", "clusters_labelled", "clusters_unlabelled")
    ]
    assert counts == [wanted["n"], wanted["N"], wanted["G"], wanted["H"]]


def test_figures_are_shares_of_actions_and_grades_and_the_mean_gain(tmp_path: Path) -> None:
    labels = label_set(tmp_path, shown_pairs())
    lines = [
        {"item": row["item"], "rater": "ann", "grade": row["truth"], "pi": 0.5} for row in shown_pairs()[:150]
    ]
    (tmp_path / "r.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    found = estimated(labels, "--ratings", tmp_path / "r.jsonl", "--root", tmp_path)
    whole = [one["name"] for one in found["estimates"] if one["stratum"] is None]
    actions = [name for name in whole if name.startswith("action:")]
    assert whole[len(actions) :] == [
        "defect", "grade>=2", "grade>=1", "grade:0", "grade:1", "grade:2", "gain", "p@5", "ndcg@5",
    ]  # fmt: skip
    assert sum(figure(found, name)["value"] for name in actions) == pytest.approx(1, abs=0.05)
    assert figure(found, "defect")["value"] == figure(found, actions[-1])["value"]
    assert found["unproven"] is True and found["policy"] == "small@v1"
    assert found["ratings"]["items"] == 150 and found["ratings"]["raters"] == ["ann"]
    assert figure(found, "ndcg@5")["over"] == "queries"


def test_over_queries_every_query_counts_once(tmp_path: Path) -> None:
    rows = [
        {"item": f"{query}-{n}", "query": f"q{query}", "teacher": 1, "human": int(query < 5)}
        for query in range(20)
        for n in range(10 if query < 5 else 1)
    ]
    file = table(tmp_path / "t.csv", rows)
    items, queries = (
        estimated(file, "--scale", "0-1", "--at-least", "1", "--over", over)["estimates"][0]
        for over in ("items", "queries")
    )
    assert (items["value"], queries["value"]) == pytest.approx((50 / 65, 5 / 20))
    assert (items["over"], queries["over"]) == ("items", "queries")


def test_weights_and_probabilities_weigh_the_rows(tmp_path: Path) -> None:
    """Half of the good rows were drawn, and a tenth of the bad ones: the plain mean would be .83."""
    rows = [
        {
            "item": f"{query}-{n}",
            "query": f"q{query}",
            "teacher": "1",
            "human": good,
            "pi": 0.5 if good else 0.1,
        }
        for query in range(60)
        for n, good in enumerate((1, 1, 1, 1, 1, 0))
    ]
    file = table(tmp_path / "t.csv", rows, NAMES)
    one = estimated(file, "--scale", "0-1", "--at-least", "1")["estimates"][0]
    assert one["human_only"]["value"] == pytest.approx(5 * 2 / (5 * 2 + 10))
    rows = [{**row, "pi": "", "weight": 1 if row["human"] else 5} for row in rows]
    weighed = estimated(table(tmp_path / "w.csv", rows, NAMES[:-1]), "--scale", "0-1", "--at-least", "1")
    assert weighed["estimates"][0]["human_only"]["value"] == pytest.approx(0.5)
    assert weighed["weighted"] is True


def test_rows_that_the_teacher_could_not_grade_are_said_and_bounded(tmp_path: Path) -> None:
    rows = [{**row, "teacher": "" if n % 10 == 0 else row["teacher"]} for n, row in enumerate(rated_rows())]
    found = estimated(table(tmp_path / "t.csv", rows), "--scale", "0-2", "--at-least", "1")
    one, unread = found["estimates"][0], sum(row["teacher"] == "" for row in rows)
    assert found["unread"] == unread
    assert found["coverage"] == pytest.approx(1 - unread / len(rows))
    assert any(f"{unread} of {len(rows)} rows have no grade" in text for text in found["warnings"])
    low, high = one["ci"]
    coverage = found["coverage"]
    assert one["worst_case"] == pytest.approx([low * coverage, high * coverage + 1 - coverage])
    assert one["n_labelled"] + one["n_unlabelled"] == len(rows) - unread


def test_strata_make_up_the_whole_and_the_worst_is_named(tmp_path: Path) -> None:
    rows = rated_rows(240, 120)
    for row in rows:
        if row["stratum"] == "tail":
            row["teacher"], row["human"] = (
                0,
                0 if row["human"] != "" and row["position"] > 1 else row["human"],
            )
    found = estimated(table(tmp_path / "t.csv", rows, NAMES[:6]), "--scale", "0-2", "--at-least", "1")
    whole, head, tail = (figure(found, "grade>=1", name) for name in (None, "head", "tail"))
    assert found["by"] == "stratum"
    assert head["share"] + tail["share"] == pytest.approx(1)
    assert whole["value"] == pytest.approx(head["share"] * head["value"] + tail["share"] * tail["value"])
    assert found["worst"]["stratum"] == "tail" and found["worst"]["p_holm"] < 0.001
    rest = tail["against_rest"]
    assert rest["difference"] == pytest.approx(tail["value"] - head["value"])
    assert rest["p_holm"] == rest["p"], "of two strata, one against the rest is one test"
    assert rest["ci"][1] < 0


@pytest.mark.parametrize(("rated", "enough"), [(4, False), (5, True)])
def test_five_rated_queries_are_enough_for_a_stratum(tmp_path: Path, rated: int, enough: bool) -> None:
    rows = rated_rows()
    rare = {f"wanted thing {at}" for at in (*range(rated), 40, 41)}
    for row in rows:
        row["stratum"] = "rare" if row["query"] in rare else "usual"
    found = estimated(table(tmp_path / "t.csv", rows, NAMES[:6]), "--scale", "0-2", "--at-least", "1")
    told = any("under 5 rated queries in rare" in text for text in found["warnings"])
    assert told is not enough


@pytest.mark.parametrize(("over", "told"), [("items", False), ("queries", True)])
def test_strata_that_halve_queries_do_not_make_up_a_mean_over_queries(
    tmp_path: Path, over: str, told: bool
) -> None:
    rows = [{**row, "stratum": "odd" if row["position"] % 2 else "even"} for row in rated_rows()]
    file = table(tmp_path / "t.csv", rows, NAMES[:6])
    found = estimated(file, "--scale", "0-2", "--at-least", "1", "--over", over)
    said = "a query lies in several strata: the whole is estimated without strata"
    assert (said in found["warnings"]) is told
    whole = estimated(table(tmp_path / "w.csv", rated_rows(), NAMES[:6]), "--scale", "0-2", "--over", over)
    assert said not in whole["warnings"]


def test_shares_of_items_are_checked_by_sensitivity_and_specificity(tmp_path: Path) -> None:
    """Rogan and Gladen's (p + sp - 1) / (se + sp - 1), counted by hand; of nothing but shares of items."""
    rows = rated_rows()
    file = table(tmp_path / "t.csv", rows, ("item", "query", "teacher", "human"))
    found = estimated(file, "--scale", "0-2")
    said = [int(row["teacher"]) > 0 for row in rows if row["human"] == ""]
    hits = [int(row["teacher"]) > 0 for row in rows if row["human"] != "" and int(row["human"]) > 0]
    passed = [int(row["teacher"]) == 0 for row in rows if row["human"] != "" and int(row["human"]) == 0]
    se, sp, p = (sum(one) / len(one) for one in (hits, passed, said))
    checked = figure(found, "grade>=1")["rogan_gladen"]
    assert (checked["sensitivity"], checked["specificity"]) == pytest.approx((se, sp))
    assert checked["value"] == pytest.approx((p + sp - 1) / (se + sp - 1))
    assert figure(found, "gain")["rogan_gladen"] is None
    assert figure(estimated(file, "--scale", "0-2", "--over", "queries"), "grade>=1")["rogan_gladen"] is None


def test_shares_of_grades_add_up_to_those_of_at_least_a_grade(tmp_path: Path) -> None:
    found = estimated(
        table(tmp_path / "t.csv", rated_rows(), ("item", "query", "teacher", "human")), "--scale", "0-2"
    )
    assert not [one for one in found["warnings"] if "strata" in one]
    none, one, two = (figure(found, f"grade:{grade}")["human_only"]["value"] for grade in range(3))
    assert none + one + two == pytest.approx(1)
    assert figure(found, "grade>=1")["human_only"]["value"] == pytest.approx(one + two)
    assert figure(found, "grade>=2")["human_only"]["value"] == pytest.approx(two)
    assert figure(found, "gain")["human_only"]["value"] == pytest.approx(one + 2 * two)


def test_of_three_strata_p_is_corrected_by_holm(tmp_path: Path) -> None:
    rows = rated_rows(240, 120)
    for row in rows:
        row["stratum"] = ("head", "middle", "tail")[int(row["query"].split()[-1]) % 3]
    found = estimated(table(tmp_path / "t.csv", rows, NAMES[:6]), "--scale", "0-2")
    parts = [
        one["against_rest"] for one in found["estimates"] if one["name"] == "grade>=2" and one["stratum"]
    ]
    low = min(parts, key=lambda one: one["p"])
    assert len(parts) == 3 and low["p_holm"] == pytest.approx(min(1, 3 * low["p"]))


def test_a_stratum_with_few_rated_queries_leaves_the_whole_without_strata(tmp_path: Path) -> None:
    rows = rated_rows()
    for row in rows:
        row["stratum"] = "rare" if row["query"] in ("wanted thing 0", "wanted thing 40") else "usual"
    found = estimated(table(tmp_path / "t.csv", rows, NAMES[:6]), "--scale", "0-2", "--at-least", "1")
    assert any(
        "under 5 rated queries in rare: the whole is estimated without" in text for text in found["warnings"]
    )
    plain = [{**row, "stratum": ""} for row in rows]
    alone = estimated(table(tmp_path / "p.csv", plain, NAMES[:6]), "--scale", "0-2", "--at-least", "1")
    assert figure(found, "grade>=1")["value"] == pytest.approx(alone["estimates"][0]["value"])


def gathered(lists: Sequence[Sequence[tuple[int, int | None, int | None]]]) -> Any:
    """Rows of queries, each of position, teacher's grade, human grade."""
    found = Gathered((0, 1, 2), Queries())
    for number, rows in enumerate(lists):
        for position, teacher, human in rows:
            said = None if human is None else (human, human, human)
            found.add(f"q{number}", teacher, said, None, position=position)
    return found.rows()


def test_precision_and_ndcg_are_those_of_the_first_results() -> None:
    """NDCG by hand: gains 2, 0, 1 at positions 1 to 3 (Jarvelin & Kekalainen 2002)."""
    rows = gathered([[(1, 2, 2), (2, 0, 0), (3, 1, 1)], [(1, 0, 0), (2, 0, 0)]])
    lists = lists_of(rows, np.array([0.0, 0.5, 1.0]), human=True)
    dcg, best = 2 + 1 / math.log2(4), 2 + 1 / math.log2(3)
    assert lists.ndcg(3) == pytest.approx([dcg / best, 0.0])
    assert lists.ndcg(2) == pytest.approx([2 / best, 0.0])
    at_least_1 = lists_of(rows, np.array([0.0, 1.0, 1.0]), human=True)
    assert at_least_1.precision(2) == pytest.approx([0.5, 0.0])
    assert at_least_1.precision(5) == pytest.approx([2 / 5, 0.0])


@pytest.mark.parametrize(("length", "read"), [(49, 49), (50, 50), (51, 50)])
def test_positions_after_the_fiftieth_are_not_read(length: int, read: int) -> None:
    """The last one alone is good: NDCG is 0 where it is not read, else 1 over log2(1 + its position)."""
    rows = gathered([[(at, 0, 2 if at == length else 0) for at in range(1, length + 1)]])
    lists = lists_of(rows, np.array([0.0, 0.5, 1.0]), human=True)
    assert lists.there.shape == lists.values.shape == (1, read)
    assert lists.ndcg(60) == pytest.approx([1 / math.log2(1 + length) if length == read else 0])


@pytest.mark.parametrize(
    ("text", "chance"),
    [("1", 1.0), ("1.01", None), ("1e-12", 1e-12), ("9e-13", None), ("0", None), ("", None)],
)
def test_a_probability_lies_above_0_and_up_to_1(text: str, chance: float | None) -> None:
    assert chance_of(text) == chance


def test_lists_that_are_not_read_to_the_end_cannot_be_told() -> None:
    rows = gathered(
        [
            [(1, 1, 1), (2, 1, 1)],  # known to both
            [(1, 1, 1), (2, 1, None)],  # people graded a part: the teacher's alone
            [(1, 1, None), (2, None, None)],  # the teacher did not read the second
            [(1, 1, 1), (3, 1, 1)],  # a gap: nobody knows what stood second
            [(1, 1, 1), (2, 1, 1), (6, None, None)],  # beyond k it does not matter for P@k
            [(0, 1, 1), (0, 1, 1)],  # nobody knows where they stood
        ]
    )
    found = ranked(rows, np.array([0.0, 1.0, 1.0]), 2, "p")
    assert found.cannot_tell == 3
    assert (found.n_labelled, found.n_unlabelled) == (2, 1)
    assert found.sums.labelled.tolist() == [1, 0, 0, 0, 1, 0]
    assert found.sums.rows == 2
    assert ranked(rows, np.array([0.0, 1.0, 1.0]), 2, "ndcg").cannot_tell == 4


@pytest.mark.parametrize(("scale", "share"), [((0, 1), True), ((1, 2), False), ((0, 1, 2), False)])
def test_a_mean_gain_of_0_or_1_is_a_share(scale: tuple[int, ...], share: bool) -> None:
    *others, gain = figures_of(scale, None, None)
    assert (gain.name, gain.binary) == ("gain", share)
    assert all(one.binary for one in others)


def test_the_effective_number_of_rows_is_that_of_kish() -> None:
    assert effective_number(np.array([1.0, 1, 2])) == pytest.approx(16 / 6)
    assert effective_number(np.full(7, 0.1)) == pytest.approx(7)
    assert effective_number(np.zeros(3)) == 0


def test_sums_of_cells_are_those_of_the_rows() -> None:
    rows = gathered([[(1, 2, 1), (2, 0, None)], [(1, 1, 2), (2, 1, 0)]])
    values = figures_of((0, 1, 2), None, 1)[0].values
    sums = cells_of(rows).sums(values, "items")
    assert [one.tolist() for one in (sums.human, sums.teacher, sums.labelled)] == [[1, 1], [1, 2], [1, 2]]
    assert [sums.unseen.tolist(), sums.unlabelled.tolist(), sums.rows] == [[0, 0], [1, 0], 3.0]
    means = cells_of(rows).sums(values, "queries")
    assert [means.human.tolist(), means.labelled.tolist(), means.rows] == [[1, 0.5], [1, 1], 2.0]


def test_a_human_grade_of_a_row_that_the_teacher_did_not_grade_does_not_count() -> None:
    rows = gathered([[(1, None, 2), (2, 1, 1), (3, 1, None)]])
    assert (rows.read.tolist(), rows.labelled.tolist()) == ([False, True, True], [False, True, False])
    assert rows.coverage == pytest.approx(2 / 3)


def test_each_query_has_its_effective_number_of_rows() -> None:
    """(sum w)^2 / sum w^2 of its labelled rows, each over its inclusion probability; 0 without one."""
    found = Gathered((0, 1), Queries())
    for query, weight, pi in (("a", 1.0, 0.5), ("a", 3.0, 0.5), ("b", 2.0, 0.25), ("b", 2.0, 0.25)):
        found.add(query, 1, (1, 1, 1), pi, weight)
    found.add("c", 1, None, None)
    sums = cells_of(found.rows()).sums(np.array([0.0, 1.0]), "items")
    assert sums.sizes == pytest.approx([4**2 / 10, 2.0, 0.0])
    assert cells_of(found.rows()).sums(np.array([0.0, 1.0]), "queries").sizes is None


@pytest.mark.parametrize(
    ("change", "words", "said"),
    [
        ({}, [], "give the scale"),
        ({"human": ""}, ["--scale", "0-2"], "harness sample LABELS"),
        ({"query": "one"}, ["--scale", "0-2"], "are of one query"),
        ({"teacher": "good"}, ["--scale", "0-2"], "teacher: 'good' is not a grade"),
        ({"weight": "-1"}, ["--scale", "0-2"], "weight: '-1' is not a number above 0"),
        ({"weight": "inf"}, ["--scale", "0-2"], "weight: 'inf' is not a number above 0"),
        ({"position": "0"}, ["--scale", "0-2"], "position: '0' does not count from 1"),
        ({"pi": "2"}, ["--scale", "0-2"], "pi: '2' is not a probability from 1e-12 to 1"),
        ({"pi": "1e-13"}, ["--scale", "0-2"], "pi: '1e-13' is not a probability from 1e-12 to 1"),
        ({"weight": "1e13"}, ["--scale", "0-2"], "weight: '1e13' is not a number above 0, from 1e-12 to"),
        ({"weight": "1e-13"}, ["--scale", "0-2"], "weight: '1e-13' is not a number above 0"),
        ({"item": "same"}, ["--scale", "0-2"], "item 'same' is there twice"),
        ({}, ["--scale", "0-2", "--at-least", "0"], "--at-least 0: the scale has 1, 2"),
        ({}, ["--scale", "0-2", "--by", "action"], "without a policy no grade has an action"),
        ({"stratum": ""}, ["--scale", "0-2", "--by", "stratum"], "the rows have no strata"),
        ({}, ["--scale", "0-2", "--by", "colour"], "expected some of action, stratum, grade"),
    ],
)
def test_what_cannot_be_estimated_is_refused(
    tmp_path: Path, change: Mapping[str, str], words: Sequence[str], said: str
) -> None:
    rows = [{"pi": "0.5", **row, **change} for row in rated_rows()]
    assert said in refused(table(tmp_path / "t.csv", rows, NAMES), *words)


def test_a_human_grade_without_a_probability_is_no_sample(tmp_path: Path) -> None:
    rows = [{**row, "pi": "" if n == 0 else "0.5"} for n, row in enumerate(rated_rows())]
    assert "line 2: a human grade without pi" in refused(
        table(tmp_path / "t.csv", rows, NAMES), "--scale", "0-2"
    )


def test_a_table_without_human_grades_asks_for_ratings(tmp_path: Path) -> None:
    file = table(tmp_path / "t.csv", rated_rows(), ("item", "query", "teacher"))
    assert "name a file of ratings with --ratings" in refused(file, "--scale", "0-2")


def test_a_teacher_that_says_the_same_of_everything_is_told(tmp_path: Path) -> None:
    rows = [{**row, "teacher": 1} for row in rated_rows()]
    found = estimated(table(tmp_path / "t.csv", rows), "--scale", "0-2", "--at-least", "2")
    assert found["estimates"][0]["lambda"] == 0
    assert any("the same grade" in text for text in found["warnings"])


def write_ratings(path: Path, lines: Iterable[Shown]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def rating(row: Shown, rater: str = "ann", **more: Any) -> dict[str, Any]:
    return {"item": row["item"], "rater": rater, "grade": row["truth"], "pi": 0.5, "drawn": "random", **more}


def test_ratings_that_are_no_sample_are_refused(tmp_path: Path) -> None:
    rows = rated_rows()
    file = table(tmp_path / "t.csv", rows, ("item", "query", "teacher"))
    words = (file, "--scale", "0-2", "--at-least", "1", "--ratings")
    hunted = write_ratings(tmp_path / "h.jsonl", (rating(row, drawn="hunted", pi=None) for row in rows[:60]))
    assert "all 60 items were hunted" in refused(*words, hunted)
    silent = write_ratings(
        tmp_path / "s.jsonl",
        ({"item": row["item"], "rater": "ann", "grade": row["truth"]} for row in rows[:60]),
    )
    assert "harness rate plan --from" in refused(*words, silent)
    assert estimated(*words, silent, "--uniform")["estimates"][0]["n_labelled"] == 60
    mixed = write_ratings(
        tmp_path / "m.jsonl",
        [*(rating(row) for row in rows[:60]), *(rating(row, drawn="hunted", pi=None) for row in rows[60:70])],
    )
    found = estimated(*words, mixed)
    assert (found["ratings"]["hunted"], found["estimates"][0]["n_labelled"]) == (10, 60)
    twice = write_ratings(
        tmp_path / "2.jsonl", [rating(rows[0], pi=0.1), *(rating(row, "bob") for row in rows[:60])]
    )
    assert estimated(*words, twice)["estimates"][0]["n_labelled"] == 60
    part = write_ratings(
        tmp_path / "3.jsonl", [rating(rows[0], pi=None), *(rating(row) for row in rows[1:60])]
    )
    assert f"1 item has no inclusion probability ('{rows[0]['item']}')" in refused(*words, part)


@pytest.mark.parametrize(
    ("cell", "chance"),
    [("1e-12", 1e-12), ("9.99e-13", None), ("1", 1.0), ("1.0000001", None), ("0", None), ("nan", None)],
)
def test_a_row_weighs_a_million_millions_at_most_and_its_probability_is_at_most_1(
    cell: str, chance: float | None
) -> None:
    """Up to a weight of 10^12 a row counts; with a larger one it would outweigh all others."""
    assert chance_of(cell) == chance


@pytest.mark.parametrize(
    ("cell", "weight"),
    [
        ("1e-12", 1e-12),
        ("9.99e-13", None),
        ("1e12", 1e12),
        ("1.001e12", None),
        ("", 1.0),
        ("0", None),
        ("nan", None),
    ],
)
def test_a_weight_of_traffic_is_from_a_millionth_of_a_millionth_on(
    tmp_path: Path, cell: str, weight: float | None
) -> None:
    rows = rated_rows()
    rows[-1]["weight"] = cell
    file = table(tmp_path / "t.csv", rows, NAMES[:5])
    if weight is None:
        said = refused(file, "--scale", "0-2", "--at-least", "1")
        assert f"weight: {cell!r} is not a number above 0, from 1e-12 to 1e+12" in said
    else:
        assert estimated(file, "--scale", "0-2", "--at-least", "1")["n"] == len(rows)


def test_several_samples_count_together(tmp_path: Path) -> None:
    """A row that two samples drew has the weight of both; a hunted one stays in the sample that drew it."""
    from harness.score.human_grades import human_grades
    from harness.storage.tables import Layout

    row = {"item": "a", "truth": 1}
    lines = [
        rating(row, pi=0.5),
        rating(row, pi=0.1, repeat=1),
        rating(row, "bob", drawn="hunted", pi=None),
        rating({"item": "b", "truth": 2}, pi=0.2),
    ]
    file = write_ratings(tmp_path / "r.jsonl", lines)
    (tmp_path / "raters.toml").write_text('[bob]\nkind = "llm"\n', encoding="utf-8")
    found = human_grades(file, Layout(), (0, 1, 2), None)
    assert found.grades["a"].pi == pytest.approx(1 / (1 / 0.5 + 1 / 0.1))
    assert (found.grades["b"].pi, found.hunted, found.machines) == (0.2, 0, ("bob",))


def test_ratings_of_something_else_are_refused(tmp_path: Path) -> None:
    rows = rated_rows()
    file = table(tmp_path / "t.csv", rows, ("item", "query", "teacher"))
    words = (file, "--scale", "0-2", "--at-least", "1", "--ratings")
    other = write_ratings(
        tmp_path / "o.jsonl", (rating({**row, "item": str(row["item"]).upper()}) for row in rows)
    )
    nobody = refused(*words, other)
    assert "none of its items is in t.csv ('P0' here is likely 'p0' in t.csv: capitals differ)" in nobody
    chance = write_ratings(tmp_path / "c.jsonl", (rating(row, query="another") for row in rows[:60]))
    assert "meet by chance" in refused(*words, chance)
    few = write_ratings(
        tmp_path / "f.jsonl",
        (rating(row, query="another" if at < 2 else row["query"]) for at, row in enumerate(rows[:60])),
    )
    (told,) = estimated(*words, few)["warnings"]
    assert told == (
        "2 of 60 items of f.jsonl have the id of something else (the first: 'p0' is 'wanted thing 0' in "
        "f.jsonl, 'another' in t.csv)"
    )
    some = write_ratings(
        tmp_path / "p.jsonl", [*(rating(row) for row in rows[:60]), rating({"item": "x", "truth": 1})]
    )
    found = estimated(*words, some)
    assert found["ratings"]["unmatched"] == 1
    assert any("1 of 61 rated items is not in t.csv" in text for text in found["warnings"])


@pytest.mark.parametrize(
    ("hunted", "hard", "told"),
    [
        (1, 1, ("1 item was hunted: no sample", "1 drawn item could not be rated: the estimate")),
        (
            2,
            3,
            ("2 items were hunted: no sample", "3 drawn items could not be rated: the estimate"),
        ),
    ],
)
def test_what_of_a_sample_has_no_grade_is_told(
    tmp_path: Path, hunted: int, hard: int, told: tuple[str, str]
) -> None:
    rows = rated_rows()
    file = table(tmp_path / "t.csv", rows, ("item", "query", "teacher"))
    lines = [rating(row) for row in rows[:60]]
    lines += [rating(row, drawn="hunted", pi=None) for row in rows[60 : 60 + hunted]]
    cannot = [rating(row, cannot="policy_silent") for row in rows[70 : 70 + hard]]
    for line in cannot:
        del line["grade"]
    ratings = write_ratings(tmp_path / "r.jsonl", [*lines, *cannot])
    found = estimated(file, "--scale", "0-2", "--at-least", "1", "--ratings", ratings)
    assert found["ratings"]["could_not_rate"] == hard
    assert [one[: len(said)] for one, said in zip(found["warnings"], told, strict=True)] == [*told]


def test_a_notebook_reads_a_file_as_the_command_does(tmp_path: Path) -> None:
    file = table(tmp_path / "t.csv", rated_rows(), ("item", "query", "teacher", "human"))
    found = estimate(file, scale=(0, 1, 2))
    told = estimated(file, "--scale", "0-2")
    assert [(one.name, one.value, one.se) for one in found.estimates] == [
        (one["name"], one["value"], one["se"]) for one in told["estimates"]
    ]
    assert found.labels == told["labels"] == str(file)


def test_of_several_raters_the_lower_median_counts_and_their_differences_show(tmp_path: Path) -> None:
    rows = rated_rows()
    file = table(tmp_path / "t.csv", rows, ("item", "query", "teacher"))
    lines = [
        line
        for row in rows[:100]
        for line in (
            rating(row, "ann", grade=1),
            rating(row, "bob", grade=2),
            rating(row, "bob", grade=0, repeat=1),
        )
    ]
    found = estimated(
        file, "--scale", "0-2", "--at-least", "2", "--ratings", write_ratings(tmp_path / "r.jsonl", lines)
    )
    used = found["ratings"]
    assert (used["several"], used["differ"]) == (100, 100)
    assert found["estimates"][0]["human_only"]["value"] == 0.0
    assert (used["lowest"], used["highest"]) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("highest", "words"), [(0.6021, "would be 0.602 either way."), (0.61, "would be 0.602 to 0.610.")]
)
def test_edges_that_read_alike_are_one_figure(highest: float, words: str) -> None:
    used = RatingsUsed(
        file="r.csv", items=9, raters=("ann", "bob"), several=9, differ=1, lowest=0.602, highest=highest
    )
    *_, said = rated_lines(used)
    assert said.endswith(words)


def test_what_the_edges_of_the_ratings_would_change_is_said_of_the_figure_by_strata(tmp_path: Path) -> None:
    rows = rated_rows(240, 120)
    file = table(tmp_path / "t.csv", rows, ("item", "query", "teacher", "stratum", "weight"))
    lines = [rating(row) for row in rows if row["human"] != ""]
    lines += [rating(row, "bob") for row in rows[:40]]
    words = ("--scale", "0-2", "--at-least", "1", "--ratings", write_ratings(tmp_path / "r.jsonl", lines))
    found = estimated(file, *words)
    value = found["estimates"][0]["value"]
    assert (found["by"], found["ratings"]["differ"]) == ("stratum", 0)
    assert found["ratings"]["lowest"] == found["ratings"]["highest"] == value
    lines += [rating(row, "cy", grade=0) for row in rows[:40]]
    used = estimated(file, *words[:-1], write_ratings(tmp_path / "r.jsonl", lines))["ratings"]
    assert used["lowest"] < value == pytest.approx(used["highest"])


def test_two_teachers_by_the_same_ratings_are_paired(tmp_path: Path) -> None:
    rows = rated_rows(240, 120)
    kind = [{**row, "teacher": 2 if row["position"] == 1 else row["teacher"]} for row in rows]
    files = [table(tmp_path / f"{name}.csv", of) for name, of in (("a", rows), ("b", kind))]
    found = estimated(files[0], "--other", files[1], "--scale", "0-2", "--at-least", "1")
    (one,) = found["differences"]
    assert found["other"].endswith("b.csv")
    assert one["difference"] == pytest.approx(one["second"] - one["first"])
    assert one["ci"][0] < 0 < one["ci"][1]
    assert one["teachers"]["ci"][0] > 0
    done = harness("estimate", files[0], "--other", files[1], "--scale", "0-2")
    assert done.code == 0 and "by the same ratings" in done.out


@pytest.mark.parametrize("over", ["items", "queries"])
def test_each_of_two_teachers_has_the_value_that_it_has_alone(tmp_path: Path, over: str) -> None:
    """In the figure's units; error and p are those of t on the queries with a human grade, less 1."""
    rows = rated_rows(240, 120)
    other = [{**row, "teacher": 0 if int(row["item"][1:]) % 3 == 0 else row["teacher"]} for row in rows]
    files = [table(tmp_path / f"{name}.csv", of) for name, of in (("a", rows), ("b", other))]
    words = ("--scale", "0-2", "--over", over)
    differences = estimated(files[0], "--other", files[1], *words)["differences"]
    alone = [estimated(file, *words)["estimates"] for file in files]
    for one, first, second in zip(differences, *alone, strict=True):
        assert {each["name"] for each in (one, first, second)} == {one["name"]}
        assert {each["over"] for each in (one, first, second)} == {over}
        assert (one["first"], one["second"]) == pytest.approx((first["value"], second["value"]))
        assert one["difference"] == pytest.approx(one["second"] - one["first"])
        freedom = first["clusters_labelled"] - 1
        half = stdtrit(freedom, 0.975) * one["se"]
        assert one["ci"] == pytest.approx([one["difference"] - half, one["difference"] + half])
        assert one["p"] == pytest.approx(2 * stdtr(freedom, -abs(one["difference"]) / one["se"]))
    (gain,) = [one for one in differences if one["name"] == "gain"]
    apart: dict[str, list[int]] = {}
    for one, row in zip(other, rows, strict=True):
        unit = str(row["query"] if over == "queries" else row["item"])
        apart.setdefault(unit, []).append(int(one["teacher"]) - int(row["teacher"]))
    assert gain["teachers"]["difference"] == pytest.approx(np.mean([np.mean(one) for one in apart.values()]))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a label set."""
    folder = tmp_path_factory.mktemp("estimated")
    label_set(folder, shown_pairs(90))
    return folder


def test_from_labels_by_a_sample_to_an_estimate(root: Path) -> None:
    """sample, rate plan --from, the raters, seal, estimate: the truth is known, and lies inside."""
    rows = {str(row["item"]): row for row in shown_pairs(90)}
    done = harness(
        "sample", root / "labels", "--n", "160", "--by", "stratum", "--seed", "2", "-o", root / "plan.jsonl"
    )
    assert done.code == 0, done.err
    opened = plan(root, root / "plan.jsonl", seed=1)
    answer_all(root, opened, lambda rater, item: int(rows[item]["truth"]))
    found = estimated(
        root / "labels", "--ratings", root / "golden/small/production-ratings.jsonl", "--root", root
    )
    one = figure(found, "grade>=2")
    weight = sum(int(row["weight"]) for row in rows.values())
    truth = sum(int(row["weight"]) * (row["truth"] == 2) for row in rows.values()) / weight
    assert one["ci"][0] <= truth <= one["ci"][1]
    assert one["n_labelled"] == len(opened.pairs)
    assert 0 < one["lambda"] <= 1
    assert found["ratings"]["several"] == len(opened.pairs) and found["ratings"]["differ"] == 0
    shown = harness("estimate", root / "labels", "--ratings", root / "golden/small/production-ratings.jsonl")
    assert "not proven" in shown.out and "by stratum" in shown.out
    # No golden example has these pairs: the ratings say themselves which of them share a query.
    gate1 = harness(
        "gate1", root / "golden/small/production-ratings.jsonl", "--policy", "small", "--root", root, "--json"
    )
    assert gate1.json["n_clusters"] == len({pair.query for pair in opened.pairs.values()})


def test_a_rating_counts_for_every_row_of_its_pair(tmp_path: Path) -> None:
    rows = shown_pairs(60)
    again = [{**row, "item": f"{row['item']}-again"} for row in rows]
    labels = label_set(tmp_path, [*rows, *again])
    ratings = write_ratings(tmp_path / "r.jsonl", (rating(row) for row in rows[:100]))
    found = estimated(labels, "--ratings", ratings, "--root", tmp_path)
    assert found["ratings"]["items"] == 100
    assert found["estimates"][0]["n_labelled"] == 200


def test_rows_whose_query_a_shot_has_are_left_out(tmp_path: Path) -> None:
    rows = shown_pairs(60)
    for row in rows[:20]:
        row["query"] = "red shoe"  # the query of a shot
    labels = label_set(tmp_path, rows)
    found = estimated(
        labels,
        "--ratings",
        write_ratings(tmp_path / "r.jsonl", (rating(row) for row in rows)),
        "--root",
        tmp_path,
    )
    flagged = found["shots"]
    assert found["n"] == len(rows) - flagged
    from harness.runs.labels import load_labels

    assert flagged == sum(bool(row["shot_query"]) for row in load_labels(labels).rows())


def test_a_label_set_brings_its_policy(root: Path, tmp_path: Path) -> None:
    assert "a label set has its own" in refused(root / "labels", "--scale", "0-2")
    assert "name a file of ratings with --ratings" in refused(root / "labels", "--root", root)
    assert "a folder that is not a label set" in refused(tmp_path, "--scale", "0-2")


def test_the_notebook_takes_a_data_frame() -> None:
    import pandas as pd  # type: ignore[import-untyped]  # ships no types

    with (FOLDER / "inputs/production.csv").open(encoding="utf-8") as file:
        frame = pd.DataFrame(csv.DictReader(file))
    found = estimate(frame, scale=(0, 1), at_least=1)
    wanted = json.loads((FOLDER / "production.json").read_text(encoding="utf-8"))
    assert found.estimates[0].value == pytest.approx(wanted["theta"], abs=1e-9)
    assert "0.643 [0.525, 0.761]" in repr(found)
