"""Files of grades where compare and regress take runs: every layout, several raters, and what is right."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import Ended, examples, harness, write_project
from comparing import IDS, compare, figures, perfect, regress, run_of, unread_on, write_grades, wrong_on
from scipy import stats
from scoring import numeric_error, sklearn_kappa

QUERIES = 20
ROWS = [
    (f"q{at // 3}", f"d{at % 3}", at % 3, (at + (at % 5 == 0)) % 3, (at + (at % 7 == 0)) % 3)
    for at in range(3 * QUERIES)
]
"""A query, a document, its golden grade, and the grades of two graders."""
GOLDEN = ("--golden", "golden.csv", "--columns", "item=query+docid", "--scale", "0-2")


@pytest.fixture
def folder(here: Path) -> Path:
    """A folder with files and no project: golden grades and those of two graders."""
    write(here / "golden.csv", "query,docid,grade", [row[:3] for row in ROWS])
    write(here / "a.csv", "query,docid,grade", [(q, d, a) for q, d, _, a, _ in ROWS])
    write(here / "b.csv", "query,docid,grade", [(q, d, b) for q, d, *_, b in ROWS])
    return here


def write(path: Path, head: str, rows: list[tuple[Any, ...]], comma: str = ",") -> None:
    lines = [head.replace(",", comma), *(comma.join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def figures_of(*words: str | Path) -> dict[str, Any]:
    """What a comparison says, whatever its sides are called."""
    return figures(compare(*words))


def refused(*words: str | Path) -> str:
    """What is said of bad input."""
    ended = harness(*words)
    assert (ended.code, ended.out) == (2, ""), ended
    return " ".join(ended.err.split())


def test_raters_and_files_whose_names_are_nearly_one_are_asked_about(folder: Path) -> None:
    rows = [(q, d, who, a) for q, d, _, a, _ in ROWS for who in ("Ann", "ann", "bob")]
    write(folder / "rated.csv", "query,docid,rater,grade", rows)
    said = "Ann (rated.csv) and ann (rated.csv) differ in capitals, spaces or marks alone: is it one grader?"
    assert said in compare("rated.csv", "--rater", "Ann,ann", *GOLDEN)["warnings"]
    assert said not in compare("rated.csv", "--rater", "Ann,bob", *GOLDEN)["warnings"]
    (folder / "A.csv").write_bytes((folder / "a.csv").read_bytes())
    assert any("A.csv and a.csv differ" in text for text in compare("A.csv", "a.csv", *GOLDEN)["warnings"])


# --- layouts -----------------------------------------------------------------------------------------------


def as_tsv(path: Path, at: int) -> None:
    write(path, "query,docid,grade", [(q, d, row[at]) for q, d, *row in ROWS], "\t")


def as_json_lines(path: Path, at: int) -> None:
    lines = [{"query": q, "docid": d, "grade": row[at]} for q, d, *row in ROWS]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def as_parquet(path: Path, at: int) -> None:
    import datasets

    columns = {
        "query": [r[0] for r in ROWS],
        "docid": [r[1] for r in ROWS],
        "grade": [r[2 + at] for r in ROWS],
    }
    datasets.Dataset.from_dict(columns).to_parquet(str(path))


def as_qrels(path: Path, at: int) -> None:
    path.write_text("".join(f"{q} 0 {d} {row[at]}\n" for q, d, *row in ROWS), encoding="utf-8")


WRITERS: dict[str, tuple[str, Callable[[Path, int], None]]] = {
    "tsv": (".tsv", as_tsv),
    "jsonl": (".jsonl", as_json_lines),
    "parquet": (".parquet", as_parquet),
    "qrels": (".qrels", as_qrels),
}


@pytest.mark.parametrize("kind", WRITERS)
def test_every_format_says_what_csv_says(folder: Path, kind: str) -> None:
    ending, put = WRITERS[kind]
    for at, name in enumerate(("right", "one", "other")):
        put(folder / f"{name}{ending}", at)
        put(folder / f"{name}.grades", at)
    want = figures_of("a.csv", "b.csv", *GOLDEN)
    assert (want["n_common"], want["n_clusters"]) == (60, QUERIES)
    assert (want["mcnemar"]["broken"], want["mcnemar"]["fixed"]) == (7, 10)
    # qrels name an item by query and document themselves.
    columns = () if kind == "qrels" else GOLDEN[2:4]
    golden = ("--golden", f"right{ending}", "--scale", "0-2", *columns)
    assert figures_of(f"one{ending}", f"other{ending}", *golden) == want
    named = ("--golden", "right.grades", "--scale", "0-2", *columns, "--format", kind)
    assert figures_of("one.grades", "other.grades", *named) == want
    # The golden file may have another format than the graders', and these each their own.
    assert figures_of("a.csv", f"other{ending}", *GOLDEN) == want
    odd = ("--grades-format", f"csv; {kind}")
    assert figures_of("a.csv", "other.grades", *GOLDEN, *odd) == want
    ended = regress("a.csv", "other.grades", *GOLDEN, *odd, "--json")
    assert figures(ended.json["comparison"]) == want


@pytest.mark.parametrize(
    ("head", "grades_columns"),
    [
        ("qid,doc,label", "item=qid+doc,grade=label,query=qid"),
        # One header says the item; nothing else is needed, since the golden file knows the query.
        ("pair,qid,label", "item=pair,grade=label"),
    ],
)
def test_headers_may_be_others_than_the_golden_file_has(folder: Path, head: str, grades_columns: str) -> None:
    joined = "pair" in head
    for name, at in (("one", 3), ("other", 4)):
        rows = [(f"{r[0]}|{r[1]}" if joined else r[0], "x" if joined else r[1], r[at]) for r in ROWS]
        write(folder / f"{name}.csv", head, rows)
    want = figures_of("a.csv", "b.csv", *GOLDEN)
    assert figures_of("one.csv", "other.csv", *GOLDEN, "--grades-columns", grades_columns) == want
    each = f"item=query+docid;{grades_columns}"
    assert figures_of("a.csv", "other.csv", *GOLDEN, "--grades-columns", each) == want
    ended = regress(
        "one.csv", "b.csv", *GOLDEN, "--grades-columns", f"{grades_columns};item=query+docid", "--json"
    )
    assert figures(ended.json["comparison"]) == want
    twins = {
        "HARNESS_COMPARE_GOLDEN": "golden.csv",
        "HARNESS_COMPARE_COLUMNS": "item=query+docid",
        "HARNESS_COMPARE_SCALE": "0-2",
        "HARNESS_COMPARE_GRADES_COLUMNS": each,
    }
    assert figures(harness("compare", "a.csv", "other.csv", "--json", **twins).json) == want


def test_grades_that_are_missing_or_empty_are_told_apart(folder: Path) -> None:
    rows = [(q, d, "" if at == 4 else b) for at, (q, d, *_, b) in enumerate(ROWS) if at != 9]
    write(folder / "b.csv", "query,docid,grade", [*rows, ("q0", "unheard", 1)])
    found = compare("a.csv", "b.csv", *GOLDEN)
    assert (found["n_common"], found["unread_candidate"]) == (58, ["q1|d1", "q3|d0"])
    assert found["coverage"]["candidate"] == 58 / 60
    assert found["warnings"] == [
        "1 item of b.csv has no golden grade in golden.csv, or is a shot there "
        "('q0|unheard' here, 'q3|d0' in golden.csv)"
    ]
    assert "Warning: 1 item of b.csv has no golden grade" in harness("compare", "a.csv", "b.csv", *GOLDEN).out


def test_golden_file_without_queries_is_warned_of_once(folder: Path) -> None:
    write(folder / "plain.csv", "item,grade", [(f"{q}|{d}", g) for q, d, g, *_ in ROWS])
    words = ("--golden", "plain.csv", "--scale", "0-2", "--grades-columns", "item=query+docid")
    found = compare("a.csv", "b.csv", *words)
    assert found["warnings"] == ["no item names its query: the intervals treat items as independent"]
    assert (found["n_clusters"], compare("a.csv", "b.csv", *GOLDEN)["warnings"]) == (60, [])
    several = harness("compare", "a.csv", "b.csv", "a.csv", *words).out
    assert several.count("treat items as independent") == 1


def test_warning_about_one_of_several_names_it(folder: Path) -> None:
    write(folder / "c.csv", "query,docid,grade", [*((q, d, g) for q, d, g, *_ in ROWS), ("x", "y", 1)])
    out = " ".join(harness("compare", "a.csv", "b.csv", "c.csv", *GOLDEN).out.split())
    assert "Warning: c.csv: 1 item of c.csv has no golden grade in golden.csv" in out


def test_without_a_policy_nothing_is_said_of_what_users_would_see(folder: Path) -> None:
    out = harness("compare", "a.csv", "b.csv", *GOLDEN).out
    assert "no policy says what a user would see" in out and "The flips, broken ones first" in out
    assert "something else" not in out and "None" not in out and "seconds" not in out


# --- raters ------------------------------------------------------------------------------------------------

LONG = [(q, d, who, grade) for q, d, _, a, b in ROWS for who, grade in (("ann", a), ("bob, the 2nd", b))]


@pytest.fixture
def rated(folder: Path) -> Path:
    """The two graders as raters of one file, long and wide, the wide one with the golden grade beside."""
    write(folder / "long.tsv", "query,docid,rater,grade", LONG, "\t")
    write(folder / "wide.csv", "query,docid,final,ann,bob", ROWS)
    return folder


BOTH = 'ann, "bob, the 2nd"'


def test_raters_of_one_file_are_the_sides(rated: Path) -> None:
    want = figures_of("a.csv", "b.csv", *GOLDEN)
    found = compare("long.tsv", *GOLDEN, "--rater", BOTH)
    assert (found["base"], found["candidate"]) == ("ann (long.tsv)", "bob, the 2nd (long.tsv)")
    assert figures(found) == want
    assert figures_of("long.tsv", "long.tsv", *GOLDEN, "--rater", BOTH) == want
    ended = regress("long.tsv", "long.tsv", *GOLDEN, "--rater", BOTH, "--json")
    assert figures(ended.json["comparison"]) == want
    wide = ("--golden", "wide.csv", "--columns", "item=query+docid,grade=final", "--scale", "0-2")
    assert figures_of("wide.csv", *wide, "--wide", "ann,bob", "--rater", "ann,bob") == want
    # Another order is another base.
    back = compare("long.tsv", *GOLDEN, "--rater", '"bob, the 2nd",ann')
    assert back["kappa"]["delta"] == -want["kappa"]["delta"]


def test_one_rater_holds_for_every_file_and_wide_may_differ(rated: Path) -> None:
    write(rated / "later.csv", "query,docid,ann,cy", [(q, d, b, 0) for q, d, *_, b in ROWS])
    words = (*GOLDEN, "--wide", "ann,bob;ann,cy", "--rater", "ann")
    found = compare("wide.csv", "later.csv", *words)
    assert (found["base"], found["candidate"]) == ("ann (wide.csv)", "ann (later.csv)")
    assert figures(found) == figures_of("a.csv", "b.csv", *GOLDEN)


def test_more_raters_make_a_table(rated: Path) -> None:
    rows = [*LONG, *((q, d, "cy", g) for q, d, g, *_ in ROWS)]
    write(rated / "long.tsv", "query,docid,rater,grade", rows, "\t")
    found = compare("long.tsv", *GOLDEN, "--rater", f"{BOTH},cy")
    assert [one["candidate"] for one in found["comparisons"]] == [
        "bob, the 2nd (long.tsv)",
        "cy (long.tsv)",
    ]
    assert found["best"] == "cy (long.tsv)"


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("long.tsv",), "(or a file with --rater a,b): the first is the base"),
        (("long.tsv", "long.tsv"), "has several raters: ann, bob, the 2nd; name one with --rater"),
        (("long.tsv", "--rater", "ann,zoe"), "no rater 'zoe'; there are: ann, bob, the 2nd"),
        (("long.tsv", "a.csv", "b.csv", "--rater", BOTH), "--rater has 2: give one for all files of grades"),
        (
            ("a.csv", "b.csv", "--grades-format", "csv;csv;tsv", "--grades-columns", "item=x;item=y;item=z"),
            "--grades-columns has 3, --grades-format has 3: give one for all files of grades, "
            "or one for each of them (a.csv, b.csv)",
        ),
        (("a.csv", "b.csv", "--grades-columns", "item=doc"), "a.csv: no column 'doc' (the columns there: "),
        (("a.csv", "b.csv", "--grades-columns", "docid"), "columns: 'docid' is not name=header"),
        (("a.csv", "b.csv", "--wide", "grade,grade"), "--wide names grade twice"),
        (("a.csv", "b.csv", "--grades-format", "xls"), "unknown format 'xls'; name one"),
    ],
)
def test_wrong_words_about_files_are_refused(rated: Path, words: tuple[str, ...], what: str) -> None:
    assert what in refused("compare", *words, *GOLDEN)


def test_files_that_are_not_there_are_named_all_at_once(folder: Path) -> None:
    said = refused("compare", "a.csv", "c.csv", "d.parquet", *GOLDEN)
    assert said == "error: c.csv: no such file d.parquet: no such file"


def test_without_golden_grades_nothing_is_right(folder: Path) -> None:
    assert "add the golden grades with --golden FILE" in refused("compare", "a.csv", "b.csv")
    words = ("regress", "--candidate", "a.csv", "--golden", "golden.csv", "--scale", "0-2")
    assert "baseline needs a run beside it" in refused(*words)


# --- beside a run ------------------------------------------------------------------------------------------


@pytest.fixture
def project(here: Path) -> Path:
    """The small project with 60 dev examples in 20 queries."""
    write_project(here, golden=examples(queries=40))
    return here


AFTER = wrong_on(0, 1, 9, 33)


def test_file_beside_a_run_is_held_against_what_the_run_was_graded_on(project: Path) -> None:
    base = run_of(project, wrong_on(2, 4))
    replayed = run_of(project, AFTER)
    file = write_grades(project / "today.csv", AFTER)
    found, want = compare(base, file), compare(base, replayed)
    told = {"seconds", "cost"}
    assert {k: v for k, v in figures(found).items() if k not in told} == {
        k: v for k, v in figures(want).items() if k not in told
    }
    assert (found["flips"][0]["query"], found["candidate"]) == (want["flips"][0]["query"], "today.csv")
    assert (found["per_clause"], found["warnings"], found["changed"]) == (want["per_clause"], [], [])
    assert found["actions"] is not None
    judged, as_run = regress(base, file, "--json"), regress(base, replayed, "--json")
    for key in ("verdict", "reason", "low", "high", "conditions"):
        assert judged.json[key] == as_run.json[key]
    verdicts = [json.loads(path.read_text("utf-8")) for path in project.glob("runs/*/verdict.json")]
    assert sum("regress" in one for one in verdicts) == 1, "a file has no run folder to keep a verdict in"


def test_file_beside_a_run_may_have_any_layout_too(project: Path) -> None:
    run = run_of(project, perfect)
    plain = write_grades(project / "today.csv", AFTER)
    rows = [line.split(",") for line in (project / plain).read_text("utf-8").splitlines()[1:]]
    write(project / "wide.tsv", "doc,ann,bob", [(item, grade, 0) for item, grade in rows], "\t")
    words = ("--columns", "item=doc", "--wide", "ann,bob", "--rater", "ann,bob")
    found = compare(run, "wide.tsv", *words)
    assert [one["candidate"] for one in found["comparisons"]] == ["ann (wide.tsv)", "bob (wide.tsv)"]
    assert found["comparisons"][0]["kappa"] == compare(run, plain)["kappa"]


def test_file_beside_a_baseline_takes_the_runs_golden_grades(project: Path) -> None:
    harness("baseline", "set", run_of(project, wrong_on(2, 4)))
    run, file = run_of(project, perfect), write_grades(project / "today.csv", AFTER)
    found = compare("baseline", run, file)
    assert [one["n_common"] for one in found["comparisons"]] == [60, 60]
    assert found["comparisons"][1]["mcnemar"]["broken"] == 4


def test_items_that_the_run_was_not_asked_are_counted(project: Path) -> None:
    run = run_of(project, perfect)
    path = project / write_grades(project / "today.csv", unread_on(3))
    path.write_text(path.read_text("utf-8") + "stranger,1\n", encoding="utf-8")
    found = compare(run, path.name)
    assert found["unread_candidate"] == [IDS[3]]
    assert found["warnings"] == [f"1 item of today.csv is not in {run} ('stranger' here)"]
    write(project / "others.csv", "item,grade", [("x", 1), ("y", 0)])
    assert f"no item of others.csv is in {run}" in refused("compare", run, "others.csv")


@pytest.mark.parametrize(
    "words",
    [
        ("--policy", "small"),
        ("--scale", "0-2"),
        ("--columns", "item=item", "--grades-columns", "item=item"),
        ("--format", "tsv", "--grades-format", "csv"),
    ],
)
def test_what_is_said_of_a_golden_file_that_is_not_there_is_refused(
    project: Path, words: tuple[str, ...]
) -> None:
    run, file = run_of(project, perfect), write_grades(project / "today.csv", AFTER)
    said = refused("compare", run, file, *words)
    assert f"{words[0]} needs --golden FILE; without it the golden grades are those of {run}" in said


def test_where_only_runs_are_compared_nothing_is_said_of_files(project: Path) -> None:
    run_of(project, perfect)
    words = ("--wide", "a", "--rater", "b", "--grades-columns", "item=c", "--grades-format", "csv")
    said = refused("compare", "latest", "latest", *words)
    assert "--wide, --rater, --grades-columns, --grades-format goes with a file; a run has its own" in said


def test_margin_that_was_moved_names_what_it_was_moved_from(folder: Path) -> None:
    ended = regress("a.csv", "b.csv", *GOLDEN, "--margin", "0.3", "--json")
    assert "(moved: the default is margin 0.05 and weighting none)" in ended.json["reason"]


# --- where a file makes no sense --------------------------------------------------------------------------

RUNS_ONLY = (
    ("stages", "latest", "today.csv"),
    ("stages", "latest", "latest", "--unified", "today.csv"),
    ("baseline", "set", "today.csv"),
    ("report", "today.csv"),
    ("report", "latest", "today.csv"),
    ("gate2", "today.csv"),
    ("golden", "plan", "small", "--pilot", "today.csv"),
    ("runs", "show", "today.csv"),
)


@pytest.mark.parametrize("words", RUNS_ONLY, ids=" ".join)
def test_file_where_a_run_is_wanted_is_refused_in_a_sentence(project: Path, words: tuple[str, ...]) -> None:
    run_of(project, perfect)
    write_grades(project / "today.csv", AFTER)
    said = refused(*words)
    assert said == (
        "error: today.csv is a file, not a run; `harness eval --model replay/FILE` makes a run of grades"
    )


# --- an electronics shop's search: 1,589 pairs, 68 queries, three people -----------------------------------


def test_two_raters_of_chorus_against_the_final_grades(real_data: Path) -> None:
    folder = real_data / "chorus"
    with (folder / "golden.csv").open(encoding="utf-8", newline="") as file:
        golden = {(row["query"], row["product_id"]): int(row["grade"]) for row in csv.DictReader(file)}
    with (folder / "ratings_long.csv").open(encoding="utf-8", newline="") as file:
        rated = {(r["query"], r["product_id"], r["rater"]): int(r["grade"]) for r in csv.DictReader(file)}
    one, other = ([rated[*item, rater] for item in golden] for rater in ("agent_1", "agent_2"))
    queries, right = [query for query, _ in golden], list(golden.values())

    def delta(weights: Any) -> float:
        before, after = (sklearn_kappa(right, x, (0, 1, 2, 3), "none", weights) for x in (one, other))
        return float(after - before)

    words = ("--golden", folder / "golden.csv", "--columns", "item=query+product_id", "--scale", "0-3")
    found = compare(folder / "ratings_long.csv", *words, "--rater", "agent_1,agent_2")
    value, error = delta(np.ones(len(queries))), numeric_error(delta, queries)
    half = float(stats.t.ppf(0.975, 67)) * error
    assert (found["n_common"], found["n_clusters"], found["warnings"]) == (1589, 68, [])
    assert found["kappa"]["delta"] == pytest.approx(value, abs=1e-12)
    assert found["kappa"]["se"] == pytest.approx(error, rel=1e-5)
    assert found["kappa"]["ci"] == pytest.approx((value - half, value + half), abs=1e-6)
    assert (value, *found["kappa"]["ci"]) == pytest.approx((-0.036, -0.102, 0.029), abs=5e-4)
    ended: Ended = harness(
        "regress", "--base", folder / "ratings_long.csv", "--candidate", folder / "ratings_long.csv", *words,
        "--rater", "agent_1,agent_2", "--json",
    )  # fmt: skip
    assert (ended.code, ended.json["verdict"]) == (3, "inconclusive")
