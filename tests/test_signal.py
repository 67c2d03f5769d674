"""`harness signal`: from a log and graded pairs to where behaviour contradicts the policy."""

import csv
import importlib.util
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import harness, write_project
from production import write_csv

ROOT = Path(__file__).resolve().parent.parent
LOG, LABELS = ROOT / "docs/signal-example.csv", ROOT / "docs/signal-labels.csv"
COUNTS = ("query", "item", "position", "views", "clicks")
GRADED = ("query", "item", "grade", "clauses", "stratum", "tags", "title")
RATES = (0.02, 0.10, 0.30)
SCALE = ("--scale", "0-2", "--at-least", "1")


def load(name: str) -> Any:
    """A benchmark as a module."""
    spec = importlib.util.spec_from_file_location(f"benchmark_of_{name}", ROOT / f"benchmarks/{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def signalled(*words: str | Path) -> dict[str, Any]:
    """What --json prints."""
    done = harness("signal", *words, "--json")
    assert done.code == 0, done.err
    found: dict[str, Any] = json.loads(done.out)
    return found


def refused(*words: str | Path) -> str:
    """What a refused command says."""
    done = harness("signal", *words)
    assert done.code == 2, done.out
    return " ".join(done.err.split())


def shown(queries: int = 12, views: int = 400, places: int = 4, **more: Any) -> list[dict[str, Any]]:
    """Rows of counts without chance: each item at each position, looked at by 1/k, clicked by its grade.

    Item 0 of query 0 is graded 0 and behaves like 2; item 5 of query 1 is graded 2 and never clicked.
    """
    rows = []
    for query in range(queries):
        for item in range(6):
            grade = item // 2
            rate = {(0, 0): RATES[2], (1, 5): 0.0}.get((query, item), RATES[grade])
            for place in range(1, places + 1):
                clicks = round(views * rate / place)
                rows.append(
                    {
                        "query": f"thing {query}",
                        "item": f"p{query}-{item}",
                        "position": place,
                        "views": views,
                        "clicks": clicks,
                        "grade": grade,
                        "clauses": f"odd,c{item}" if rate != RATES[grade] else f"c{item}",
                        "stratum": "head" if query < 4 else "tail",
                        "title": f"thing {item} of {query}",
                        **more,
                    }
                )
    return rows


def files(
    folder: Path, rows: Sequence[Mapping[str, Any]], names: Sequence[str] = COUNTS
) -> tuple[Path, str, Path]:
    """The log and the labels of rows, as the words of the command."""
    log = write_csv(folder / "log.csv", names, rows)
    once = {(row["query"], row["item"]): row for row in rows}
    labels = write_csv(folder / "labels.csv", GRADED[:5] + GRADED[6:], once.values())
    return log, "--labels", labels


def test_files_of_a_pattern_count_together(tmp_path: Path) -> None:
    rows = shown()
    whole = signalled(*files(tmp_path, rows), *SCALE)
    words = ("--labels", tmp_path / "labels.csv", *SCALE)
    (tmp_path / "days").mkdir()
    write_csv(tmp_path / "days/1.csv", COUNTS, rows[::2])
    write_csv(tmp_path / "days/2.csv", COUNTS, rows[1::2])
    for log in (tmp_path / "days", tmp_path / "days/*.csv"):
        assert {**signalled(log, *words), "log": whole["log"]} == whole
    write_csv(tmp_path / "days/3.csv", (*COUNTS, "title"), rows[:1])
    assert signalled(tmp_path / "days", *words)["counts"]["rows"] == len(rows) + 1
    write_csv(tmp_path / "days/4.csv", (*COUNTS, "carts"), [{**rows[0], "carts": 1}])
    assert "4.csv: has other columns than" in refused(tmp_path / "days", *words)
    assert "no file fits the pattern" in refused(tmp_path / "*.none", *words)


def test_contradictions_come_with_their_evidence(tmp_path: Path) -> None:
    found = signalled(*files(tmp_path, shown()), *SCALE)
    wanted, hidden = found["contradictions"][0], found["contradictions"][1]
    if wanted["kind"] != "wanted_and_hidden":
        wanted, hidden = hidden, wanted
    assert len(found["contradictions"]) == 2
    assert (wanted["query"], wanted["item"], wanted["grade"]) == ("thing 0", "p0-0", 0)
    assert (wanted["kind"], wanted["reference"]) == ("wanted_and_hidden", 1)
    assert (hidden["kind"], hidden["item"], hidden["reference"]) == ("shown_and_refused", "p1-5", 0)
    assert (wanted["views"], wanted["events"], wanted["positions"]) == (1600, 120 + 60 + 40 + 30, [1, 4])
    assert wanted["exposure"] == pytest.approx(400 * (1 + 1 / 2 + 1 / 3 + 1 / 4), rel=0.01)
    assert wanted["median"] == pytest.approx(0.1, rel=0.02)
    assert wanted["ci"][0] > wanted["median"] and hidden["ci"][1] < 0.1
    assert wanted["q_value"] < 1e-6 and wanted["p"] <= wanted["q_value"]
    assert wanted["clauses"] == ["odd", "c0"] and wanted["stratum"] == "head"


def test_of_a_golden_set_the_grades_of_the_version_count(here: Path) -> None:
    """After a regrade the old log is still read against the grades that the old policy gave."""
    write_project(here)
    rows = shown()
    log, flag, labels = files(here, rows)
    then = signalled(log, flag, labels, "--policy", "small@v1", "--at-least", "1")
    once = {(row["query"], row["item"]): row for row in rows}.values()
    past = [{"policy_version": "v1", "grade": row["grade"], "stands": True} for row in once]
    lines = [
        {**row, "grade": 2, "policy_version": "v2", "history": [before]}
        for row, before in zip(once, past, strict=True)
    ]
    golden = here / "golden.jsonl"
    golden.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    now = signalled(log, flag, golden, "--policy", "small@v1", "--at-least", "1")
    assert [one["n"] for one in now["ladder"]] == [24, 24, 24]
    assert now["ladder"] == then["ladder"]
    without = signalled(log, flag, golden, *SCALE)
    assert [one["n"] for one in without["ladder"]] == [0, 0, 72]


def test_positions_are_corrected_and_grades_have_their_rates(tmp_path: Path) -> None:
    found = signalled(*files(tmp_path, shown(views=4000)), *SCALE)
    assert [one["value"] for one in found["propensities"]] == pytest.approx(
        [1, 1 / 2, 1 / 3, 1 / 4], rel=0.01
    )
    assert [one["same_pair"] for one in found["propensities"]] == pytest.approx(
        [1, 1 / 2, 1 / 3, 1 / 4], rel=0.01
    )
    plain = [one["attractiveness"] for one in found["ladder"]]
    assert plain[1] == pytest.approx(0.1, rel=0.01)
    assert plain[0] == pytest.approx((23 * 0.02 + 0.3) / 24, rel=0.01)
    assert [one["n"] for one in found["ladder"]] == [24, 24, 24]
    steps = found["boundaries"]
    assert [one["between"] for one in steps] == [[0, 1], [1, 2]] and all(one["told_apart"] for one in steps)
    assert steps[1]["difference"] == pytest.approx(plain[2] - plain[1])
    assert steps[1]["ci"][0] < steps[1]["difference"] < steps[1]["ci"][1]


def test_grades_that_users_treat_alike_are_not_told_apart(tmp_path: Path) -> None:
    rows = shown(views=2000)
    chance = np.random.default_rng(3)
    for row in rows:
        rate = 0.05 if row["grade"] < 2 else 0.3
        row["clicks"] = int(chance.binomial(row["views"], rate / row["position"]))
    found = signalled(*files(tmp_path, rows), *SCALE)
    assert [one["told_apart"] for one in found["boundaries"]] == [False, True]
    done = harness("signal", *files(tmp_path, rows), *SCALE)
    assert "Behaviour does not tell apart: 0 and 1." in done.out
    assert "look at that before any single pair" in " ".join(done.out.split())


def test_contradictions_are_grouped_by_clause_boundary_stratum_and_tag(tmp_path: Path) -> None:
    found = signalled(*files(tmp_path, shown()), *SCALE)
    first = found["clauses"][0]
    assert (first["id"], first["contradicted"], first["of"]) == ("odd", 2, 2)
    assert (first["wanted_and_hidden"], first["shown_and_refused"]) == (1, 1)
    assert first["q_value"] < 1e-6
    clauses = {one["id"]: (one["contradicted"], one["of"]) for one in found["clauses"]}
    assert clauses["c0"] == (1, 12) and clauses["c1"] == (0, 12) and clauses["c5"] == (1, 12)
    groups = {(one["by"], one["name"]): (one["contradicted"], one["of"]) for one in found["groups"]}
    assert groups[("boundary", "0|1")] == (1, 24) and groups[("boundary", "2|0")] == (1, 24)
    assert groups[("stratum", "head")] == (2, 24) and groups[("stratum", "tail")] == (0, 48)


def test_hidden_are_the_grades_with_the_action_of_the_lowest() -> None:
    found = signalled(LOG, "--labels", LABELS, "--policy", "product-search", "--root", ROOT_SHOP)
    assert (found["hidden"], found["shown"], found["policy"]) == ([0, 1], [2, 3, 4], "product-search@v1")


ROOT_SHOP = ROOT
"""Replaced by the shipped project, since a test reads nothing of the checkout."""


@pytest.fixture(autouse=True)
def shop(shipped_project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "ROOT_SHOP", shipped_project)


def test_the_written_example_says_what_was_planted() -> None:
    found = signalled(LOG, "--labels", LABELS, "--scale", "0-4", "--at-least", "2")
    found_in = {
        one["id"]: (one["contradicted"], one["of"]) for one in found["clauses"] if one["contradicted"]
    }
    assert found_in == {"kind-first": (40, 40), "condition": (37, 40)}
    assert [one["measure"] for one in found["others"]] == ["purchases"]


def test_every_format_and_one_row_a_view_say_the_same(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = shown(4, 40)
    words = files(tmp_path, rows)
    whole = signalled(*words, *SCALE, "--propensities", propensities(tmp_path))
    plain = [{name: row[name] for name in COUNTS} for row in rows]
    pq.write_table(pa.Table.from_pylist(plain), tmp_path / "log.parquet")
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in plain), "utf-8")
    (tmp_path / "log.json").write_text(json.dumps(plain), "utf-8")
    with (tmp_path / "log.tsv").open("w", encoding="utf-8", newline="") as file:
        lines = csv.DictWriter(file, COUNTS, delimiter="\t")
        lines.writeheader()
        lines.writerows(plain)
    (tmp_path / "semi.csv").write_text((tmp_path / "log.csv").read_text("utf-8").replace(",", ";"), "utf-8")
    views = [
        {**row, "views": 1, "clicks": int(at < row["clicks"]), "session": f"s{at}"}
        for row in plain
        for at in range(row["views"])
    ]
    write_csv(tmp_path / "views.csv", ("query", "item", "position", "clicks", "session"), views)
    for name in ("log.parquet", "log.jsonl", "log.json", "log.tsv", "semi.csv", "views.csv"):
        other = signalled(tmp_path / name, *words[1:], *SCALE, "--propensities", propensities(tmp_path))
        other["log"] = whole["log"]
        if name == "views.csv":
            assert other["counts"].pop("rows") == 4 * 24 * 40
            other["counts"]["rows"] = whole["counts"]["rows"]
        assert other == whole, name


def propensities(folder: Path) -> Path:
    path = folder / "looks.csv"
    path.write_text("position,propensity\n1,1\n2,0.5\n3,0.3333333\n4,0.25\n", "utf-8")
    return path


def test_given_propensities_are_taken_and_have_no_interval(tmp_path: Path) -> None:
    found = signalled(*files(tmp_path, shown()), *SCALE, "--propensities", propensities(tmp_path))
    assert found["propensities_given"] is True
    assert [(one["value"], one["ci"]) for one in found["propensities"]][1] == (0.5, None)
    (tmp_path / "looks.csv").write_text("position,propensity\n1,1\n0,2\n2,x\n1,0.5\n", "utf-8")
    words = (*files(tmp_path, shown()), *SCALE, "--propensities", tmp_path / "looks.csv")
    said = refused(*words)
    assert "line 3" in said and "line 4" in said and "position 1 is there twice" in said


def test_ids_that_several_columns_name_and_numbers_are_matched(tmp_path: Path) -> None:
    rows = [{**row, "item": index % 24 // 4, "item_no": index % 24 // 4} for index, row in enumerate(shown())]
    log = write_csv(tmp_path / "log.csv", ("query", "item_no", "position", "views", "clicks"), rows)
    labels = tmp_path / "labels.csv"
    once = {(row["query"], row["item"]): {**row, "item": f"{row['query']}|{row['item']}"} for row in rows}
    write_csv(labels, ("query", "item", "grade"), once.values())
    found = signalled(log, "--labels", labels, "--columns", "item=query+item_no", *SCALE)
    assert found["counts"]["views"] == 12 * 24 * 400 and found["counts"]["ungraded_views"] == 0


def test_pairs_without_a_grade_or_a_view_are_counted(tmp_path: Path) -> None:
    rows = shown()
    log, flag, labels = files(tmp_path, rows)
    lines = labels.read_text("utf-8").splitlines()
    labels.write_text("\n".join([*lines[:-1], "thing 0,never,2,,,x", "thing 0,empty,,,,x"]), "utf-8")
    found = signalled(log, flag, labels, *SCALE)
    assert found["counts"]["ungraded_views"] == 1600
    assert found["counts"]["unseen"] == 1 and found["counts"]["pairs"] == 72
    assert found["tested"][1]["unseen"] == 1
    assert any("1 pair of the labels without a grade" in one for one in found["warnings"])


@pytest.mark.parametrize(
    ("views", "places", "said"),
    [
        (3, 4, "too few views: 864 views of graded pairs and"),
        (400, 1, "one position only: all 28,800 views are at position 1"),
    ],
)
def test_refusals_say_the_numbers(tmp_path: Path, views: int, places: int, said: str) -> None:
    assert said in refused(*files(tmp_path, shown(views=views, places=places)), *SCALE)


def test_no_overlap_between_grades_is_refused_with_the_numbers(tmp_path: Path) -> None:
    rows = [row for row in shown() if (row["position"] == 1) == (row["grade"] == 2)]
    said = refused(*files(tmp_path, rows), *SCALE)
    assert "no overlap between grades: 57,600 of 67,200 views are at positions without a propensity" in said
    assert "grades 2 were seen at position 1, grades 0, 1 at these" in said


def test_few_pairs_on_the_other_side_make_no_test(tmp_path: Path) -> None:
    rows = [row for row in shown() if row["grade"] != 1 or row["query"] in ("thing 0", "thing 1")]
    found = signalled(*files(tmp_path, rows), *SCALE)
    assert found["tested"][0]["median"] is None
    assert "4 of the pairs with grade 1 have views; at least 5 are needed" in found["tested"][0]["reason"]
    assert [one["kind"] for one in found["contradictions"]] == ["shown_and_refused"]


def test_every_faulty_row_is_named(tmp_path: Path) -> None:
    _, flag, labels = files(tmp_path, rows := shown())
    rows[1]["position"], rows[3]["clicks"], rows[5]["item"], rows[7]["views"] = 0, "many", "", -2
    said = refused(write_csv(tmp_path / "log.csv", COUNTS, rows), flag, labels, *SCALE)
    for line, what in ((3, "position: '0' is not a position"), (5, "clicks: 'many' is not a count")):
        assert f"log.csv, line {line}: {what}" in said
    assert "log.csv, line 7: item: is empty" in said and "line 9: views: '-2' is not a count" in said


def test_columns_that_are_missing_are_named(tmp_path: Path) -> None:
    words = files(tmp_path, shown(), ("query", "item", "position"))
    said = refused(*words, *SCALE)
    assert "no column for views" in said and "no column for clicks, carts or purchases" in said
    assert "no column for position" in refused(*files(tmp_path, shown(), ("query", "item", "views")), *SCALE)


def test_options_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    words = files(tmp_path, shown())
    assert "name the graded pairs: --labels" in refused(words[0])
    assert "--at-least 0: the scale has 1, 2" in refused(*words, "--scale", "0-2", "--at-least", "0")
    assert "which grades are hidden?" in refused(*words, "--scale", "0-2")
    assert "counts no carts (it counts clicks)" in refused(*words, *SCALE, "--measure", "carts")
    assert "no such file" in refused(tmp_path / "none.csv", *words[1:], *SCALE)
    assert "no UBI events" in refused(*words, *SCALE, "--queries", words[0])
    labels = write_csv(
        tmp_path / "other.csv", ("query", "item", "grade"), [{"query": "a", "item": "b", "grade": 1}]
    )
    assert "none of the 1 graded pair has a view" in refused(words[0], "--labels", labels, *SCALE)


def test_a_header_that_comes_twice_and_a_log_without_rows_are_refused(tmp_path: Path) -> None:
    log, flag, labels = files(tmp_path, shown())
    text = log.read_text("utf-8")
    log.write_text(text.replace("views,clicks", "views,views", 1), "utf-8")
    assert "views" in refused(log, flag, labels, *SCALE, "--columns", "clicks=position")
    log.write_text(text.splitlines()[0] + "\n", "utf-8")
    assert "log.csv: holds no rows" in refused(log, flag, labels, *SCALE)
    log.write_text("\ufeff" + text, "utf-8")
    assert signalled(log, flag, labels, *SCALE)["counts"]["rows"] == text.count("\n") - 1


def test_a_query_that_is_called_null_is_a_query(tmp_path: Path) -> None:
    rows = [
        {**row, "query": row["query"].replace("thing 3", "null").replace("thing 4", "NaN")} for row in shown()
    ]
    found = signalled(*files(tmp_path, rows), *SCALE)
    assert found["counts"]["queries"] == 12 and found["counts"]["ungraded_views"] == 0


def test_a_reference_grade_that_is_contradicted_itself_is_said(tmp_path: Path) -> None:
    rows = shown(views=4000)
    for row in rows:
        if row["grade"] == 0 and int(row["query"].split()[1]) % 3 == 0:
            row["clicks"] = round(4000 * 0.3 / row["position"])
    found = signalled(*files(tmp_path, rows), *SCALE)
    assert any(
        "so many pairs of grade 0 are contradicted themselves (8 of 24)" in one for one in found["warnings"]
    )


def test_other_measures_have_a_ladder_of_their_own(tmp_path: Path) -> None:
    rows = shown(views=4000)
    for row in rows:
        row["purchases"] = round(row["clicks"] / 5)
        row["returns"] = round(row["purchases"] * (0.5 if row["grade"] == 0 else 0.1))
        row["dwell"] = row["clicks"] * (10.0 + row["grade"])
    words = files(tmp_path, rows, (*COUNTS, "purchases", "returns", "dwell"))
    found = signalled(*words, *SCALE)
    others = {one["measure"]: one for one in found["others"]}
    assert {name: one["per"] for name, one in others.items()} == {
        "purchases": "look",
        "returns": "purchase",
        "dwell": "click",
    }
    assert others["purchases"]["ladder"][1]["attractiveness"] == pytest.approx(0.02, rel=0.05)
    assert others["returns"]["ladder"][2]["attractiveness"] == pytest.approx(0.1, rel=0.05)
    assert [one["attractiveness"] for one in others["dwell"]["ladder"]] == pytest.approx([10, 11, 12])
    bought = signalled(*words, *SCALE, "--measure", "purchases")
    assert bought["measure"] == "purchases" and bought["contradictions"][0]["events"] == 500


def searches(arms: Sequence[str] = (), effect: float = 0.5, count: int = 3000) -> Iterable[dict[str, Any]]:
    """One row a view: sessions that see three results, and succeed the oftener the better these are."""
    chance = np.random.default_rng(4)
    for number in range(count):
        grades = chance.integers(0, 3, 3)
        arm = arms[number % len(arms)] if arms else ""
        if arm == "new":
            grades = np.sort(grades)[::-1]
        good = float((grades / np.log2(np.arange(2, 5))).sum())
        happened = int(chance.random() < 1 / (1 + np.exp(2.5 - effect * good)))
        for place, grade in enumerate(grades, start=1):
            yield {
                "query": f"thing {number % 40}",
                "item": f"g{grade}",
                "position": place,
                "clicks": int(chance.random() < RATES[grade] / place),
                "session": f"s{number}",
                "outcome": happened,
                "arm": arm,
            }


_FIRST = ("thing 0", "thing 2")
VIEWS = ("query", "item", "position", "clicks", "session", "outcome", "arm")


def searched(folder: Path, rows: Iterable[Mapping[str, Any]], names: Sequence[str] = VIEWS) -> dict[str, Any]:
    log = write_csv(folder / "views.csv", names, rows)
    graded = [
        {"query": f"thing {query}", "item": f"g{grade}", "grade": grade}
        for query in range(40)
        for grade in range(3)
    ]
    labels = write_csv(folder / "labels.csv", ("query", "item", "grade"), graded)
    found: dict[str, Any] = signalled(log, "--labels", labels, *SCALE)["north_star"]
    return found


def test_the_outcome_goes_with_what_was_shown(tmp_path: Path) -> None:
    star = searched(tmp_path, searches(), VIEWS[:-1])
    assert (star["n"], star["sessions"], star["queries"], star["left_out"]) == (3000, 3000, 40, 0)
    dcg, above = star["associations"]
    assert (dcg["feature"], above["feature"]) == ("dcg", "grade>=1")
    low, high = dcg["log_odds"] - 2 * dcg["se"], dcg["log_odds"] + 2 * dcg["se"]
    assert low < 0.5 < high and dcg["p"] < 1e-4
    assert dcg["odds_ratio"] == pytest.approx(np.exp(dcg["log_odds"] * dcg["sd"]))
    assert dcg["ci"][0] > 1
    assert "association, not cause" in star["words"].lower() and "a column arm" in star["words"]


def test_arms_of_an_experiment_are_compared_with_an_interval(tmp_path: Path) -> None:
    star = searched(tmp_path, searches(("old", "new"), effect=3.0))
    outcome, dcg = star["arms"]
    assert (outcome["arm"], outcome["base"], outcome["figure"]) == ("old", "new", "outcome")
    assert outcome["difference"] == pytest.approx(outcome["value"] - outcome["base_value"])
    assert dcg["difference"] < 0 and dcg["ci"][1] < 0 and dcg["n"] == dcg["n_base"] == 1500
    assert outcome["ci"][0] < outcome["difference"] < outcome["ci"][1]
    assert "If the arms were drawn by chance" in star["words"] and "not cause" in star["words"]
    alike = {"sessions": 1500, "searches": 1500, "queries": 20}
    assert star["arm_sizes"] == [{"arm": "new", **alike}, {"arm": "old", **alike}]


def test_what_each_arm_was_shown_to_is_said(tmp_path: Path) -> None:
    few = [row for row in searches(("old", "new")) if row["arm"] == "new" or row["query"] in _FIRST]
    several = [{**few[0], "session": few[3]["session"]}, {**few[0], "session": "s4", "item": "nameless"}]
    star = searched(tmp_path, [*few, *several])
    new, old = star["arm_sizes"]
    assert (new["sessions"], new["searches"], new["queries"]) == (1499, 1500, 20)
    assert old["queries"] == 2 and old["sessions"] == 151
    star = searched(tmp_path, searches(("old",)))
    assert star["arm_sizes"] == star["arms"] == [] and "a column arm" in star["words"]


def test_without_sessions_and_outcomes_there_is_no_north_star(tmp_path: Path) -> None:
    star = signalled(*files(tmp_path, shown()), *SCALE)["north_star"]
    assert star["reason"] == "undefined: the log has no columns session and outcome" and star["n"] == 0


def test_searches_with_ungraded_results_are_left_out(tmp_path: Path) -> None:
    rows = [{**row, "item": "new" if row["session"] == "s7" else row["item"]} for row in searches()]
    star = searched(tmp_path, rows)
    assert (star["n"], star["left_out"]) == (2999, 1)


def ubi(folder: Path, rows: Sequence[Mapping[str, Any]], hits: Sequence[str], count: int = 100) -> list[Path]:
    """UBI files: each query searched so often with these hits in every rotation, clicked as the rates say."""
    events, queries = [], []
    for query in sorted({row["query"] for row in rows}):
        for number in range(count):
            turn = number % len(hits)
            order = [*hits[turn:], *hits[:turn]]
            id_ = f"{query}-{number}"
            items = [f"{query.replace('thing ', 'p')}-{hit}" for hit in order]
            queries.append(
                {"query_id": id_, "user_query": query, "query_response_hit_ids": items, "client_id": "c"}
            )
            for place, item in enumerate(items, start=1):
                grade = int(item[-1]) // 2
                if (number // len(hits)) % round(place / RATES[grade] / 2) == 0:
                    seen = {"object": {"object_id": item}, "position": {"ordinal": place}}
                    for _ in range(2):  # a second click in the same search is no second event
                        events.append(
                            {
                                "query_id": id_,
                                "action_name": "click",
                                "event_attributes": seen,
                                "session_id": "s",
                            }
                        )
    events.append(
        {"query_id": "gone", "action_name": "click", "event_attributes": {"object": {"object_id": "p"}}}
    )
    paths = [folder / "events.jsonl", folder / "queries.jsonl"]
    for path, lines in zip(paths, (events, queries), strict=True):
        path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return paths


def test_ubi_events_with_their_queries(tmp_path: Path) -> None:
    rows = shown(6)
    _, flag, labels = files(tmp_path, rows)
    events, queries = ubi(tmp_path, rows, "012345", 120)
    found = signalled(events, "--queries", queries, flag, labels, *SCALE)
    assert found["counts"]["views"] == 6 * 120 * 6 and found["counts"]["rows"] == 6 * 120 * 6
    lines = events.read_text("utf-8").splitlines()
    assert found["counts"]["events"] == (len(lines) - 1) / 2
    assert [one["position"] for one in found["propensities"]] == [1, 2, 3, 4, 5, 6]
    assert found["ladder"][2]["attractiveness"] > found["ladder"][1]["attractiveness"] > 0
    assert any(f"1 of {len(lines):,} events are of no query" in one for one in found["warnings"])
    assert "--queries FILE" in refused(events, flag, labels, *SCALE)
    assert (
        found["north_star"]["reason"] == "undefined: --outcome names the action that makes a search a success"
    )
    assert [one["measure"] for one in found["others"]] == []
    words = ("--queries", queries, flag, labels, *SCALE)
    assert "--outcome buy: no event has this action_name" in refused(events, *words, "--outcome", "buy")
    # A number where pyarrow's reader has read texts, far down: all is read again, and nothing counts twice.
    number = '{"query_id": 7, "action_name": "click", "event_attributes": {"object": {"object_id": 5}}}'
    events.write_text("\n".join([*lines, number]) + "\n", "utf-8")
    again = signalled(events, *words)
    assert again["counts"] == found["counts"] and again["contradictions"] == found["contradictions"]
    other = refused(events, *words, "--actions", "tap=clicks")
    assert "no event counts as clicks (the actions there: click)" in other


def test_ubi_of_parquet_and_an_outcome_say_the_same(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = shown(6)
    _, flag, labels = files(tmp_path, rows)
    events, queries = ubi(tmp_path, rows, "012345", 120)
    whole = signalled(events, "--queries", queries, flag, labels, *SCALE, "--outcome", "click")
    for path in (events, queries):
        lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        pq.write_table(pa.Table.from_pylist(lines), path.with_suffix(".parquet"))
    parts = (events.with_suffix(".parquet"), "--queries", queries.with_suffix(".parquet"))
    other = signalled(*parts, flag, labels, *SCALE, "--outcome", "click")
    assert {**other, "log": whole["log"]} == whole
    assert whole["north_star"]["n"] == 720 and 0 < whole["north_star"]["outcome"] < 1


@pytest.mark.parametrize("logs", [5, pytest.param(200, marks=pytest.mark.slow)])
def test_planted_contradictions_are_found_and_raw_click_rates_find_them_not(logs: int) -> None:
    bench = load("signal_recall")
    results: dict[bool, list[tuple[float, float, int]]] = {False: [], True: []}
    for seed in range(logs):
        drawn = bench.draw(bench.Process(views=8_000), seed)
        for raw, found in results.items():
            found.append(bench.outcome(drawn, bench.judged(drawn, raw=raw)))
    recall, false, _ = (np.mean(column) for column in zip(*results[False], strict=True))
    assert recall >= 0.8 and false <= 0.1
    assert np.mean([one[0] for one in results[True]]) < 0.5


@pytest.mark.parametrize("logs", [5, pytest.param(200, marks=pytest.mark.slow)])
def test_planted_clauses_are_found_with_few_views(logs: int) -> None:
    bench = load("signal_recall")
    process = bench.Process(views=1_000)
    found = [bench.clause_outcome(process, bench.draw(process, seed)) for seed in range(logs)]
    recall, false, _ = (np.mean(column) for column in zip(*found, strict=True))
    assert recall >= 0.8 and false <= 0.1


@pytest.mark.parametrize("logs", [5, pytest.param(200, marks=pytest.mark.slow)])
def test_quiet_logs_raise_no_alarm_nor_does_a_line_that_behaviour_does_not_feel(logs: int) -> None:
    bench = load("signal_recall")
    for process in (
        bench.Process(planted={}),
        bench.Process(planted={}, rates=bench.ALIKE, spread=0),
    ):
        quiet = [bench.draw(process, seed) for seed in range(logs)]
        for same_side in (False, True):
            found = [bench.outcome(one, bench.judged(one, same_side=same_side)) for one in quiet]
            assert np.mean([count > 0 for _, _, count in found]) <= 0.1
