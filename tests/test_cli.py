"""The commands as a user types them: the whole way, exit codes, JSON, and every wrong input in words."""

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import pytest
from builders import examples, harness, write_golden, write_project
from shipped import ship
from sklearn.metrics import cohen_kappa_score

DEV = [line for line in examples() if line["split"] == "dev"]


def put(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


# --- the whole way -----------------------------------------------------------------------------------


def test_eval_of_the_shipped_project_ends_with_table_band_and_folder(here: Path) -> None:
    ship(here)
    ended = harness("eval")
    assert ended.code == 0
    assert "Agreement is weak (below 0.6): kappa 0." in ended.out
    assert "golden \\ grader" in ended.out
    assert "a floor to beat" in ended.out
    last = ended.out.rstrip().splitlines()[-1]
    assert (here / last.removeprefix("Run: ")).is_dir()
    assert max(map(len, ended.out.splitlines())) <= 80 + len(last)


def test_binary_policy_goes_the_whole_way(here: Path) -> None:
    write_project(here, grades=(0, 1), golden=examples((0, 1)))
    ratings = [
        {"item": line["id"], "rater": rater, "grade": line["grade"] if rater == "ann" else number % 2}
        for number, line in enumerate(examples((0, 1)))
        for rater in ("ann", "bob")
    ]
    put(here / "golden/small/ratings.jsonl", "".join(json.dumps(rating) + "\n" for rating in ratings))
    for words in (
        ("policy", "list"), ("policy", "lint"), ("policy", "show", "small"), ("golden", "list"),
        ("golden", "lint", "small"), ("golden", "stats", "small"), ("golden", "export", "small"),
        ("prompt", "render", "--policy", "small"), ("gate1", "--policy", "small"),
        ("eval", "--policy", "small"), ("eval", "--policy", "small", "--model", "builtin/majority"),
        ("gate2", "latest"), ("runs", "list"), ("runs", "show"), ("doctor",),
    ):  # fmt: skip
        ended = harness(*words)
        verdict = 3 if words[0] in ("gate1", "gate2") else 0
        assert ended.code == verdict, (words, ended.out, ended.err)
    score = harness("gate2", "latest", "--json").json
    assert score["confusion"]["labels"] == [0, 1]
    assert [one["at_least"] for one in score["boundaries"]] == [1]


def test_lexical_learns_what_words_can_say(here: Path) -> None:
    """Grade 0 shares no word with its query, so that even this floor tells it from the rest."""
    write_project(here, grades=(0, 1), golden=examples((0, 1)))
    score = harness("eval", "--policy", "small", "--json").json
    assert score["kappa"]["value"] == 1.0
    low, high = score["kappa"]["ci"]
    assert (low < 0, high, score["kappa"]["guarded"]) == (True, 1.0, True)
    records = (Path(score["run"]) / "records.jsonl").read_text(encoding="utf-8").splitlines()
    one = json.loads(records[0])
    assert sum(one["reply"]["probabilities"].values()) == pytest.approx(1)
    assert "Nearest shot: q" in one["outcome"]["reasoning"]


def test_majority_has_kappa_0_and_says_why(here: Path) -> None:
    write_project(here)
    score = harness("eval", "--policy", "small", "--model", "builtin/majority", "--json").json
    assert (score["kappa"]["value"], score["band"]) == (0.0, "weak")
    assert "gave every item the same grade" in score["reason"]


def test_lexical_learns_from_shots_alone(here: Path) -> None:
    """Regrading dev and test must not change one answer."""
    write_project(here)
    harness("eval", "--policy", "small")
    write_golden(here, [line | ({} if line["split"] == "shots" else {"grade": 2}) for line in examples()])
    harness("eval", "--policy", "small")
    texts = [
        [
            json.loads(line)["reply"]
            for line in (run / "records.jsonl").read_text(encoding="utf-8").splitlines()
        ]
        for run in sorted((here / "runs").iterdir())
    ]
    assert texts[0] == texts[1]


# --- replay ------------------------------------------------------------------------------------------


def test_replay_scores_grades_from_elsewhere(here: Path) -> None:
    write_project(here)
    rows = "".join(f"{line['id']},{line['grade']}\n" for line in DEV)
    path = put(here / "student.csv", "item,grade\n" + rows)
    score = harness("eval", "--policy", "small", "--model", f"replay/{path.name}", "--json").json
    assert (score["accuracy"], score["coverage"]) == (1.0, 1.0)


def test_replay_with_gaps_keeps_them_as_gaps(here: Path) -> None:
    write_project(here)
    rows = "".join(f"{line['id']}\t{line['grade'] if at else ''}\n" for at, line in enumerate(DEV[:-1]))
    put(here / "student.tsv", "doc\tlabel\n" + rows)
    words = ("--model", "replay/student.tsv", "--columns", "item=doc,grade=label")
    ended = harness("eval", "--policy", "small", *words, "--json")
    assert ended.code == 4
    assert ended.json["outcomes"] == {"graded": len(DEV) - 2, "ungraded": 1, "failed": 1}
    assert ended.json["kappa"]["value"] == 1.0
    assert ended.json["kappa_worst_case"] < 1.0


def test_replay_says_of_an_item_without_a_grade_how_it_is_likely_spelled(here: Path) -> None:
    write_project(here)
    put(here / "s.csv", "item,grade\n" + "".join(f"{line['id'].upper()},{line['grade']}\n" for line in DEV))
    ended = harness("eval", "--policy", "small", "--model", "replay/s.csv", "--json")
    records = Path(ended.json["run"]).joinpath("records.jsonl").read_text(encoding="utf-8")
    for line in DEV:
        hint = f"'{line['id']}' here is likely '{line['id'].upper()}' in s.csv: capitals differ"
        assert f"s.csv has no grade for {line['id']} ({hint})" in records


def test_replay_takes_one_rater_of_a_wide_file(here: Path) -> None:
    write_project(here)
    rows = "".join(f"{line['id']},{line['grade']},0\n" for line in DEV)
    put(here / "two.csv", "item,ann,bob\n" + rows)
    words = ("--model", "replay/two.csv", "--wide", "ann,bob", "--rater")
    assert harness("eval", "--policy", "small", *words, "ann", "--json").json["accuracy"] == 1.0
    assert harness("eval", "--policy", "small", *words, "bob", "--json").json["accuracy"] < 1.0


# --- the gates on files --------------------------------------------------------------------------------


def test_gate2_of_two_files_equals_gate2_of_the_run(here: Path) -> None:
    write_project(here)
    run = harness("eval", "--policy", "small", "--json").json
    records = [
        json.loads(line) for line in (Path(run["run"]) / "records.jsonl").read_text("utf-8").splitlines()
    ]
    rows = "".join(f"{one['example']},{one['outcome']['value']}\n" for one in records)
    grades = put(here / "grades.csv", "item,grade\n" + rows)
    golden = put(here / "golden.csv", "item,query,grade\n" + "".join(
        f"{line['id']},{line['query']},{line['grade']}\n" for line in DEV
    ))  # fmt: skip
    files = harness("gate2", "--golden", golden, "--grades", grades, "--policy", "small", "--json").json
    # A table of grades knows no tags, clauses, texts, probabilities or ratings; all else is the same.
    beyond = ("per_tag", "per_clause", "confidence", "misses", "run", "spending", "provisional")
    assert {k: v for k, v in files.items() if k not in beyond} == {
        k: v for k, v in run.items() if k not in beyond
    }
    assert [miss["item"] for miss in files["misses"]] == [miss["item"] for miss in run["misses"]]
    bare = harness("gate2", "--golden", golden, "--grades", grades, "--scale", "0-2", "--json").json
    assert bare["kappa"] == run["kappa"]
    assert bare["actions"] is None and "actions" in bare["reasons"]


def test_gate2_names_items_that_only_one_file_has(here: Path) -> None:
    golden = put(here / "golden.csv", "item,grade\na,1\nb,0\nc,1\n")
    grades = put(here / "grades.csv", "doc,mark\na,1\nb,\nx,1\n")
    words = (
        "--golden",
        golden,
        "--grades",
        grades,
        "--grades-columns",
        "item=doc,grade=mark",
        "--scale",
        "0-1",
    )
    score = harness("gate2", *words, "--json").json
    assert score["outcomes"] == {"graded": 1, "ungraded": 1, "failed": 1}
    assert score["warnings"] == [
        "1 item of grades.csv has no golden grade in golden.csv, or is a shot there "
        "('x' here, 'c' in golden.csv)",
        "the grader never gives grade 0",
        "no item names its query: the intervals treat items as independent",
    ]
    assert score["kappa"]["value"] is None
    assert "no variation" in score["kappa"]["reason"] or "undefined" in score["kappa"]["reason"]
    assert harness("gate2", *words).code == 3


def test_gate1_equals_scikit_learn(here: Path) -> None:
    rows = [
        (item, rater, (item * 7 + at * (item % 5)) % 4)
        for item in range(60)
        for at, rater in enumerate("abc")
    ]
    path = put(here / "r.csv", "item,rater,grade\n" + "".join(f"{i},{r},{g}\n" for i, r, g in rows))
    score = harness("gate1", path, "--scale", "0-3", "--json").json
    check_against_scikit_learn(score, {(str(i), r): g for i, r, g in rows}, 1e-12)
    assert (score["gate"], score["n_items"], score["n_clusters"], score["raters"]) == (
        1,
        60,
        60,
        ["a", "b", "c"],
    )
    assert score["verdict"] == "fail" and "lies below the bar 0.8" in score["reason"]
    assert [one["rater"] for one in score["rater_bias"]] == ["a", "b", "c"]
    assert score["alpha"]["ordinal"] is not None and score["reasons"] == {}
    total = sum(map(sum, score["confusion"]["matrix"]))
    assert total == 60 * 6


def check_against_scikit_learn(score: dict, rated: dict[tuple[str, str], int], tolerance: float) -> None:  # type: ignore[type-arg]
    raters = sorted({rater for _, rater in rated})
    items = sorted({item for item, _ in rated})
    for key, weights in (("kappa", None), ("kappa_linear", "linear"), ("kappa_quadratic", "quadratic")):
        oracle = [
            cohen_kappa_score(
                [rated[i, a] for i in items],
                [rated[i, b] for i in items],
                labels=[0, 1, 2, 3],
                weights=weights,
            )
            for a, b in combinations(raters, 2)
        ]
        assert [pair[key] for pair in score["pairs"]] == pytest.approx(oracle, abs=tolerance)
        assert score[key]["value"] == pytest.approx(sum(oracle) / len(oracle), abs=tolerance)


def test_gate1_of_chorus_equals_scikit_learn(here: Path, real_data: Path) -> None:
    path = real_data / "chorus/ratings_long.csv"
    score = harness("gate1", path, "--columns", "item=query+product_id", "--scale", "0-3", "--json").json
    with path.open(encoding="utf-8", newline="") as file:
        rated = {(r["query"] + r["product_id"], r["rater"]): int(r["grade"]) for r in csv.DictReader(file)}
    check_against_scikit_learn(score, rated, 1e-12)
    assert (score["n_items"], score["n_clusters"]) == (1589, 68)


def test_rater_is_held_against_the_others(here: Path) -> None:
    path = put(here / "r.csv", "item,ann,bob,cy,dee\nx,3,1,2,2\ny,2,1,1,\nz,0,,,1\n")
    score = harness("gate1", path, "--wide", "ann,bob,cy,dee", "--scale", "0-3", "--json").json
    ann = score["rater_bias"][0]
    # x: 3 - 5/3, y: 2 - 1, z: 0 - 1
    assert (ann["rater"], ann["n"], ann["bias"]) == ("ann", 3, pytest.approx(4 / 9))
    two = put(here / "two.csv", "item,ann,bob\nx,3,1\ny,1,1\n")
    alone = harness("gate1", two, "--wide", "ann,bob", "--scale", "0-3", "--json").json["rater_bias"][0]
    assert (alone["n"], alone["bias"], alone["kappa_vs_rest"]) == (2, 1.0, 0.0)
    assert alone["reason"]


def test_gate1_warns_of_examples_that_are_spelled_otherwise(here: Path) -> None:
    write_project(here)
    rows = [f"{line['id'].upper()},{rater},{line['grade']}\n" for line in DEV for rater in ("ann", "bob")]
    path = put(here / "r.csv", "item,rater,grade\n" + "".join(rows))
    score = harness("gate1", path, "--policy", "small", "--json").json
    assert "here is likely" in score["warnings"][0]
    assert score["warnings"][0].endswith("in the golden set: capitals differ)")


def test_gate1_leaves_small_pairs_out_and_says_so(here: Path) -> None:
    rows = [(i, r, i % 2) for i in range(40) for r in "ab"] + [(i, "c", i % 2) for i in range(5)]
    path = put(here / "r.csv", "item,rater,grade\n" + "".join(f"{i},{r},{g}\n" for i, r, g in rows))
    score = harness("gate1", path, "--scale", "0-1", "--json").json
    assert [(pair["raters"], pair["counted"]) for pair in score["pairs"]] == [
        (["a", "b"], True), (["a", "c"], False), (["b", "c"], False),
    ]  # fmt: skip
    assert score["kappa"]["value"] == 1.0
    assert sum("left out of the mean" in one for one in score["warnings"]) == 2


def test_gate1_lists_disputes_widest_first(here: Path) -> None:
    path = put(here / "r.csv", "item,ann,bob\nx,1,1\ny,0,1\nz,0,3\n")
    score = harness("gate1", path, "--wide", "ann,bob", "--scale", "0-3", "--json").json
    assert [(one["item"], one["grades"]) for one in score["disputed"]] == [
        ("z", {"ann": 0, "bob": 3}),
        ("y", {"ann": 0, "bob": 1}),
    ]
    assert "In dispute: 2 items" in harness("gate1", path, "--wide", "ann,bob", "--scale", "0-3").out


def test_weighting_and_bar_choose_what_is_gated(here: Path) -> None:
    write_project(here)
    harness("eval", "--policy", "small")
    score = harness("gate2", "latest", "--weighting", "quadratic", "--bar", "0.5", "--json").json
    assert (score["gated"], score["weighting"], score["bar"]) == ("kappa_quadratic", "quadratic", 0.5)
    out = harness("gate2", "latest", "--weighting", "quadratic").out
    assert "kappa with quadratic weights has no interval" in " ".join(out.split())
    assert "is not one of: none, linear, quadratic" in harness("gate2", "latest", "--weighting", "cubic").err


# --- wrong input -----------------------------------------------------------------------------------------


def replay(text: str | bytes, name: str = "g.csv") -> Callable[[Path], tuple[str, ...]]:
    def prepare(here: Path) -> tuple[str, ...]:
        (here / name).write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
        return "eval", "--policy", "small", "--model", f"replay/{name}"

    return prepare


def golden_text(text: bytes) -> Callable[[Path], tuple[str, ...]]:
    def prepare(here: Path) -> tuple[str, ...]:
        (here / "golden/small/examples.jsonl").write_bytes(text)
        return "eval", "--policy", "small"

    return prepare


def words(*given: str) -> Callable[[Path], tuple[str, ...]]:
    return lambda here: ("eval", "--policy", "small", *given)


def no_golden(here: Path) -> tuple[str, ...]:
    (here / "golden/small").rename(here / "elsewhere")
    return "eval", "--policy", "small"


WRONG: dict[str, tuple[Callable[[Path], tuple[str, ...]], str]] = {
    "model without a provider": (words("--model", "gpt"), "is not provider/model"),
    "unknown provider": (words("--model", "acme/x"), "unknown provider 'acme'"),
    "unknown builtin": (words("--model", "builtin/x"), "there are: builtin/lexical, builtin/majority"),
    "unknown policy": (lambda here: ("eval", "--policy", "nope"), "no policy 'nope'"),
    "unknown version": (lambda here: ("eval", "--policy", "small@v9"), "has no version v9; there are: v1"),
    "unknown prompt": (words("--prompt", "nope"), "no prompt 'nope'"),
    "unknown split": (words("--split", "train"), "is not dev, test or dev+test"),
    "limit 0": (words("--limit", "0"), "--limit"),
    "no golden set": (no_golden, "no golden set 'small'"),
    "golden line that is not JSON": (golden_text(b'{"id": "a"\n'), "line 1: not JSON"),
    "golden not UTF-8": (golden_text(b"\n\xff\n"), "line 2: not UTF-8"),
    "golden empty": (golden_text(b""), "the golden set is empty"),
    "golden without dev": (golden_text(json.dumps(examples()[0]).encode()), "has no example in split dev"),
    "replay file absent": (words("--model", "replay/none.csv"), "none.csv: no such file"),
    "replay off the scale": (replay("item,grade\na,5\n"), "line 2: grade: 5 is not on the scale 0-2"),
    "replay twice": (replay("item,grade\na,1\na,2\n"), "line 3: item 'a' is graded twice"),
    "replay without a column": (replay("doc,grade\na,1\n"), "no column for item (the columns there: doc"),
    "replay not UTF-8": (replay(b"item,grade\n\xe4,1\n"), "line 2: not UTF-8"),
    "replay of several raters": (replay("item,rater,grade\na,x,1\na,y,1\n"), "name one with --rater"),
    "columns": (words("--columns", "item"), "is not name=header"),
    "resume of nothing": (words("--resume", "x"), "no run 'x'"),
}  # fmt: skip


@pytest.mark.parametrize(("prepare", "what"), WRONG.values(), ids=WRONG)
def test_wrong_input_is_said_and_leaves_no_run(
    here: Path, prepare: Callable[[Path], tuple[str, ...]], what: str
) -> None:
    write_project(here)
    ended = harness(*prepare(here))
    assert ended.code == 2
    assert what in " ".join(ended.err.split()).replace("│ ", "")
    assert ended.out == ""
    assert not list((here / "runs").iterdir())


def test_gate_commands_say_what_they_need(here: Path) -> None:
    write_project(here)
    assert "name either a run, such as latest, or" in harness("gate2").err
    assert "go together" in harness("gate2", "--golden", "x.csv").err
    unrated = harness("gate1", "--policy", "small").err
    assert "has no ratings yet" in unrated and "harness rate plan --policy small@v1" in unrated
    assert "--scale 0-4, or --policy" in harness("gate1", put(here / "r.csv", "item\n")).err
    assert "has its own scale" in harness("gate1", here / "r.csv", "--scale", "0-1", "--policy", "small").err
    wide = put(here / "w.csv", "item,ann,bob\na,1,1\n")
    assert "a column for each rater: --wide r1,r2" in harness("gate1", wide, "--scale", "0-1").err
    assert "--wide names ann twice" in harness("gate1", wide, "--scale", "0-1", "--wide", "ann,bob,ann").err
    assert "is a folder" in harness("gate1", ".", "--scale", "0-1").err
    one = put(here / "one.csv", "item,rater,grade\na,x,1\n")
    assert "takes two raters or more; here: x" in harness("gate1", one, "--scale", "0-1").err


def test_option_that_would_go_unheeded_is_refused(here: Path) -> None:
    write_project(here)
    harness("eval", "--policy", "small")
    ended = harness("gate2", "latest", "--scale", "0-1", "--rater", "x")
    assert (ended.code, "--scale, --rater goes with a file" in ended.err) == (2, True)
    assert "--wide goes with a file" in harness("gate1", "--policy", "small", "--wide", "a").err


@pytest.mark.parametrize("bar", ["nan", "inf", "1.5"])
def test_bar_is_a_kappa(here: Path, bar: str) -> None:
    write_project(here)
    harness("eval", "--policy", "small")
    ended = harness("gate2", "latest", "--bar", bar)
    assert (ended.code, "between -1 and 1" in ended.err) == (2, True)


def test_ratings_under_another_version_do_not_count(here: Path) -> None:
    write_project(here)
    rows = [
        {
            "item": line["id"],
            "rater": rater,
            "grade": line["grade"] if version == "v1" else 0,
            "policy_version": version,
        }
        for line in examples()
        for rater in ("ann", "bob")
        for version in ("v0", "v1")
    ]
    put(here / "golden/small/ratings.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    score = harness("gate1", "--policy", "small", "--json").json
    assert (score["kappa"]["value"], score["n_items"], score["n_clusters"]) == (1.0, len(examples()), 8)


def test_policy_folder_without_a_version_is_a_fault(here: Path) -> None:
    write_project(here)
    (here / "policies/empty").mkdir()
    ended = harness("policy", "lint")
    assert (ended.code, "holds no version" in ended.err) == (2, True)


def test_path_of_a_run_stays_whole_on_a_pipe(here: Path) -> None:
    write_project(here / ("long" * 20) / "project")
    ended = harness("eval", "--root", here / ("long" * 20) / "project", "--policy", "small")
    assert Path(ended.out.rstrip().splitlines()[-1].removeprefix("Run: ")).is_dir()


def test_shots_without_a_word_still_teach(here: Path) -> None:
    golden = [
        line | ({"query": f"👟{at}!", "result": {"title": "★"}} if line["split"] == "shots" else {})
        for at, line in enumerate(examples())
    ]
    write_project(here, golden=golden)
    assert harness("eval", "--policy", "small").code == 0


def test_outside_a_project_the_message_says_where_to_go(here: Path) -> None:
    ended = harness("eval")
    assert (ended.code, "no policies/ folder in" in ended.err) == (2, True)
    assert harness("eval", "--root", "/nowhere").code == 2
    assert harness("doctor").code == 2


# --- around ------------------------------------------------------------------------------------------------


def test_every_flag_has_an_environment_twin(here: Path) -> None:
    write_project(here)
    twins = {
        "HARNESS_EVAL_POLICY": "small",
        "HARNESS_EVAL_MODEL": "builtin/majority",
        "HARNESS_EVAL_LIMIT": "3",
    }
    assert harness("eval", "--json", **twins).json["n"] == 3
    manifest = harness("runs", "show", "--json", HARNESS_RUNS_SHOW_ROOT=str(here)).json
    assert manifest["asked"]["model"] == "builtin/majority"


def test_project_is_found_from_a_folder_inside_it(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_project(here)
    monkeypatch.chdir(here / "golden/small")
    assert harness("policy", "list").out == "small  v1\n"


@pytest.mark.parametrize(("words", "said"), [
    (("golden", "regrade", "x", "--grade", "3,0"), "'3,0' is not a whole number, such as 3"),
    (("eval", "--limit", "many"), "'many' is not a whole number, such as 3"),
    (("gate2", "x", "--bar", "0,8"), "'0,8' is not a number, such as 0.5"),
])  # fmt: skip
def test_an_option_that_is_no_number_is_said_in_words(here: Path, words: tuple[str, ...], said: str) -> None:
    ended = harness(*words)
    assert ended.code == 2
    assert said in " ".join(ended.err.split())
    assert "unable to parse" not in ended.err


def test_doctor_tells_what_is_there_and_no_secret(here: Path) -> None:
    write_project(here)
    ended = harness("doctor", "--json", OPENAI_API_KEY="sk-very-secret")
    assert ended.code == 0
    keys = ended.json["keys"]
    assert (keys["OPENAI_API_KEY"], keys["ANTHROPIC_API_KEY"], keys["VLLM_API_KEY"]) == (
        "set",
        *["not set"] * 2,
    )
    assert ended.json["golden sets"] == [f"small ({len(examples())} examples)"]
    assert "sk-very-secret" not in ended.out
    put(here / "policies/small/v1.toml", "name = ")
    broken = harness("doctor")
    assert (broken.code, "problem: " in broken.out) == (2, True)


@pytest.mark.parametrize("command", [[], ["eval"], ["gate2"], ["golden", "import"]])
def test_help_is_there(command: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "harness", *command, "--help"], capture_output=True, check=True
    )
    assert b"Usage" in done.stdout


def test_reader_that_goes_away_is_no_error(here: Path) -> None:
    write_project(here)
    command = f"{sys.executable} -m harness golden export small | head -1"
    done = subprocess.run(["bash", "-c", command], cwd=here, capture_output=True, check=True, text=True)
    assert done.stdout.startswith("id,query,title")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["--temperature", "1"], "which makes no API calls, takes no temperature; remove --temperature"),
        (["--seed", "1"], "which makes no API calls, takes no seed; remove --seed"),
        (["--shots", "2"], "builtin/lexical is sent no prompt; remove --shots"),
        (["--shots", "2", "--model", "replay/g.csv"], "replay/g.csv is sent no prompt; remove --shots"),
        (["--rater", "ann"], "--rater: only for a file of grades"),
        (["--columns", "item=x", "--format", "tsv"], "--columns, --format: only for a file"),
        (["--aggregate", "vote"], "add --repeats"),
    ],
)
def test_option_that_would_do_nothing_is_refused(here: Path, words: list[str], what: str) -> None:
    write_project(here)
    ended = harness("eval", "--policy", "small", *words)
    assert (ended.code, what in ended.err) == (2, True), ended.err
    assert not list((here / "runs").iterdir())
    # The seed of a sample does something, and an address in the environment is for those who need one.
    assert harness("eval", "--policy", "small", "--limit", "3", "--seed", "1").code == 0
    assert harness("eval", "--policy", "small", HARNESS_EVAL_BASE_URL="http://127.0.0.1:1/v1").code == 0
