"""What is said of a set of bare grades (no reasonings, clauses, tags), and of graders without a prompt."""

import re
from pathlib import Path
from typing import Any

import pytest
from builders import examples, harness, write_golden, write_project
from scoring import gate1, gate2, item, text_of

from harness.golden.unmatched import KnownIds
from harness.providers import PROVIDERS
from harness.report.disagreements import miss_view
from harness.report.gate1 import gate1_view
from harness.report.sections import details_words
from harness.runs.listing import Listing

BARE: dict[str, Any] = {"reasoning": "", "clauses": [], "provenance": {"source": "x.csv", "line": 2}}
DEV = [line for line in examples() if line["split"] == "dev"]
GRADES = "item,grade\n" + "".join(f"{line['id']},{line['grade']}\n" for line in DEV)


@pytest.fixture
def bare(here: Path) -> Path:
    """A project whose golden set has grades alone, and a file of the same grades."""
    write_project(here, golden=[line | BARE for line in examples()])
    (here / "g.csv").write_text(GRADES, encoding="utf-8")
    return here


def graded(*words: str) -> Any:
    return harness("eval", "--policy", "small", *words)


def replayed(*words: str) -> Any:
    return graded("--model", "replay/g.csv", *words)


# --- graders that are sent no prompt -----------------------------------------------------------------


def test_the_graders_without_a_prompt_are_the_free_ones() -> None:
    assert all(one.prompted != one.free for one in PROVIDERS.values() if not one.recorded)


@pytest.mark.parametrize("model", ["replay/g.csv", "builtin/lexical"])
def test_no_prompt_is_spoken_of_where_none_was_sent(bare: Path, model: str) -> None:
    ended = graded("--model", model)
    assert f"does {model} agree with small@v1 (dev)?" in ended.out
    assert "no reasoning" not in ended.err
    shown = harness("runs", "show").out
    assert "none was sent" in shown
    assert "shots shown" not in shown
    (report,) = bare.glob("runs/*/report.html")
    page = report.read_text(encoding="utf-8")
    assert f"<h1>{model}</h1>" in page
    assert "The prompt as it was sent" not in page
    assert 'href="#prompt"' not in page


def test_a_file_that_lacks_grades_is_not_resumed_but_completed(bare: Path) -> None:
    (bare / "g.csv").write_text("\n".join(GRADES.splitlines()[:-1]), encoding="utf-8")
    assert replayed().code == 4
    said = harness("gate2", "latest").out
    assert "Its file lacks grades: add them, and start a new run." in said
    assert "resume" not in said + harness("runs", "show").out


def test_a_run_that_ended_with_gaps_is_not_going_on(bare: Path) -> None:
    (bare / "g.csv").write_text("\n".join(GRADES.splitlines()[:-1]), encoding="utf-8")
    project = write_project(bare / "other")
    replayed()
    (run,) = (bare / "runs").iterdir()
    run.rename(project.runs / run.name)
    listing = Listing(project)
    (line,) = listing.runs()
    assert (line.state, line.headline is not None) == ("gaps", True)
    # A resume has begun: it appends its records.
    records = project.runs / run.name / "records.jsonl"
    records.write_text(records.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    (line,) = listing.runs()
    assert line.state == "going"
    assert f"{len(DEV) - 1} of {len(DEV)} examples" in harness("runs", "list", "--root", bare / "other").out


# --- what there is is what is named ------------------------------------------------------------------


def test_details_that_there_are_not_are_not_promised(bare: Path) -> None:
    assert "More in" not in replayed().out
    said = graded("--model", "builtin/lexical").out
    assert "More in `harness gate2 latest`: confidence, the worst misses." in said


def test_details_are_named_as_they_are_shown() -> None:
    wrong = [item(f"i{at}", at % 3, 2 - at % 3, tags=("odd",), clauses=("c",)) for at in range(9)]
    assert details_words(gate2(wrong)) == "clauses, tags, the worst misses"
    few = [item(f"i{at}", at % 3, at % 3, tags=(f"t{at}",)) for at in range(9)]
    assert details_words(gate2(few)) == ""
    # Two raters: neither has two others to be compared with.
    two = gate2(few, rows={f"i{at}": {"ann": at % 3, "bob": at % 2} for at in range(9)})
    assert two.ceiling and two.ceiling.leave_one_out
    assert "place" not in details_words(two)


def test_a_resumed_run_is_named_where_it_is_not_the_latest(bare: Path) -> None:
    assert replayed().code == 0
    (first,) = (bare / "runs").iterdir()
    assert graded("--model", "builtin/majority").code == 0
    (first / "scorecard.json").unlink()
    assert "More in" not in harness("eval", "--resume", first.name).out
    lexical = graded("--model", "builtin/lexical", "--json").json["run"]
    assert replayed().code == 0
    name = Path(lexical).name
    assert f"`harness gate2 {name}`" in " ".join(harness("eval", "--resume", name).out.split())


def test_doctor_says_what_a_project_lacks(bare: Path) -> None:
    assert harness("doctor").code == 0
    (bare / "prompts/teacher/v1").rename(bare / "kept")
    (bare / "prompts/teacher").rmdir()
    ended = harness("doctor")
    assert ended.code == 2
    assert "no prompt, and harness eval needs one: harness init DIR" in ended.out
    assert "no problem found" not in ended.out


def test_doctor_says_which_policy_is_unfinished(bare: Path) -> None:
    path = next((bare / "policies").glob("*/v1.toml"))
    text = path.read_text(encoding="utf-8")
    path.write_text(re.sub("(?m)^goal = .*$", 'goal = ""', text), encoding="utf-8")
    ended = harness("doctor")
    assert ended.code == 0
    said = " ".join(ended.out.split())
    assert "@v1 is not finished (" in said and "`harness policy lint --policy" in ended.out
    assert all(len(line) <= 80 for line in ended.out.split("unfinished:")[1].splitlines() if " /" not in line)
    assert "no problem found" not in ended.out


# --- tables of other people --------------------------------------------------------------------------

TABLE = "query,product_id,title,grade\ncase,1,Case,1\ncable,1,Case,0\n"


def imported(here: Path, text: str, *words: str) -> str:
    (here / "t.csv").write_text(text, encoding="utf-8")
    return harness("golden", "import", "t.csv", "--policy", "new", "--scale", "0-1", *words).err


def test_a_missing_item_column_is_guessed_at(bare: Path) -> None:
    assert "name=header, such as item=query+product_id)" in imported(bare, TABLE)
    by_title = imported(bare, TABLE.replace("product_id", "colour"))
    assert "name=header, such as item=query+title)" in by_title
    assert "such as" not in imported(bare, TABLE.replace("product_id,title", "colour,name"))


def test_a_result_of_two_queries_is_named_by_both(bare: Path) -> None:
    said = imported(bare, TABLE, "--columns", "item=product_id")
    assert "a result can belong to several queries; try --columns item=query+product_id" in said
    ratings = bare / "r.csv"
    ratings.write_text("query,product_id,rater,grade\ncase,1,ann,1\ncable,1,ann,0\n", encoding="utf-8")
    ended = harness("gate1", ratings, "--scale", "0-1", "--columns", "item=product_id")
    assert "try --columns item=query+product_id" in ended.err


def test_the_query_is_not_proposed_where_it_tells_no_rows_apart(bare: Path) -> None:
    """A rating or a grade that stands twice, with its query."""
    ratings = bare / "r.csv"
    ratings.write_text(
        "query,item,rater,grade\ncase,1,ann,1\ncable,2,ann,1\ncase,1,ann,1\n", encoding="utf-8"
    )
    ended = harness("gate1", ratings, "--scale", "0-1")
    assert ended.code == 2 and "by rater 'ann' is graded twice" in " ".join(ended.err.split()), ended.err
    assert "several queries" not in ended.err
    twice = TABLE.replace("cable,1,Case,0", "case,1,Case,1")
    said = imported(bare, twice, "--columns", "item=product_id")
    assert "is graded twice" in " ".join(said.split()) and "several queries" not in said


def test_ratings_are_no_golden_grades(bare: Path) -> None:
    text = "query,product_id,title,rater,grade\ncase,1,Case,ann,1\ncase,1,Case,bob,0\n"
    said = imported(bare, text, "--columns", "item=query+product_id")
    assert "the column rater says that these are the ratings of several people" in said


def test_a_typing_error_in_an_id_is_guessed_at() -> None:
    known = KnownIds(["phone case|12", "phone case|13", "ipad|12"], "the golden set")
    said = "'phone cse|12' here is likely 'phone case|12' in the golden set: a typing error"
    assert known.first_hint(["tv|9", "phone cse|12"]) == said
    # Another number is another product.
    assert known.first_hint(["phone case|14"]) is None
    assert known.first_hint(["laptop|12"]) is None


def test_dropped_ratings_are_counted(bare: Path) -> None:
    rows = "".join(f"{line['id']},{who},{line['grade']}\n" for line in DEV for who in ("ann", "bob"))
    path = bare / "r.csv"
    path.write_text(f"item,rater,grade\n{rows}zz,ann,1\nzz,bob,1\nyy,ann,0\n", encoding="utf-8")
    ended = harness("gate1", path, "--policy", "small", "--json")
    assert ended.json["warnings"][0] == (
        f"2 of {len(DEV) + 2} items of r.csv (3 ratings) are not in the golden set"
    )


# --- names on a terminal -----------------------------------------------------------------------------


def test_an_id_is_not_folded_at_its_spaces() -> None:
    long = "a query of so many words that it takes most of a line to say|3842754"
    wrong = [item(long, 0, 1, result={"title": "A title that is too long for it"}), item("b", 1, 1)]
    said = text_of(miss_view(gate2(wrong).misses))
    assert any(long in line for line in said.splitlines())


def test_disputes_say_what_they_are_about(bare: Path) -> None:
    rows = "".join(f"{line['id']},ann,{line['grade']}\n{line['id']},bob,0\n" for line in DEV)
    (bare / "r.csv").write_text(f"item,rater,grade\n{rows}", encoding="utf-8")
    said = " ".join(harness("gate1", "r.csv", "--policy", "small").out.split())
    first = next(line for line in DEV if line["grade"] == 2)
    assert f"{first['id']}: {first['query']}" in said
    assert "->" in said


def test_a_dispute_s_id_is_not_repeated() -> None:
    found = gate1({"q one|1": {"ann": 0, "bob": 2}, "b": {"ann": 1, "bob": 1}})
    said = text_of(gate1_view(found))
    assert "q one|1  " in said


def test_paths_and_digests_of_a_run_stay_on_one_line(bare: Path) -> None:
    replayed()
    lines = harness("runs", "show").out.splitlines()
    (run,) = (bare / "runs").iterdir()
    assert any(line.endswith(str(run)) for line in lines)
    assert sum("sha256:" in line and len(line.split("sha256:")[1]) == 64 for line in lines) >= 4


# --- runs list ---------------------------------------------------------------------------------------


def test_an_unknown_policy_or_split_is_a_mistake(bare: Path) -> None:
    replayed()
    ended = harness("runs", "list", "--policy", "smal")
    assert (ended.code, "no such policy; did you mean small? (there are: small)" in ended.err) == (2, True)
    assert harness("runs", "list", "--policy", "small@v1").code == 0
    assert harness("runs", "list", "--policy", "small@v9").out == "no run matches\n"
    ended = harness("runs", "list", "--split", "canary")
    assert (ended.code, "is not one of: dev, test, dev+test, canaries" in ended.err) == (2, True)
    assert "no policy 'smal'" in graded("--policy", "smal").err
    assert "did you mean small?" in graded("--policy", "smal").err


def test_the_list_says_on_how_many_examples_kappa_is(bare: Path) -> None:
    (bare / "g.csv").write_text("\n".join(GRADES.splitlines()[:7]), encoding="utf-8")
    replayed()
    assert f"on 6 of {len(DEV)} examples, coverage 50.0%" in " ".join(harness("runs", "list").out.split())
    (row,) = harness("runs", "list", "--json").json["runs"]
    assert (row["n"], row["kappa_n"]) == (len(DEV), 6)


def test_a_set_with_reasonings_keeps_its_warning(here: Path) -> None:
    write_project(here)
    write_golden(
        here, [line | ({"reasoning": ""} if line["split"] == "shots" else {}) for line in examples()]
    )
    assert "no reasoning" not in graded("--dry-run").err
