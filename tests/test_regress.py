"""May a candidate replace the base: pass, fail, inconclusive, and how each is said where."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from builders import CLAUSE, examples, harness, policy_text, write_golden, write_project
from comparing import (
    ACTIONS,
    DEV,
    IDS,
    Grading,
    item,
    perfect,
    regress,
    run_by,
    run_of,
    side,
    unread_on,
    write_grades,
    wrong_on,
)
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from harness.comparison.paired import compare_sides
from harness.nouns.policy import Cell, Gates
from harness.report.regression import annotations, junit_xml, markdown_text
from harness.scorecards.comparison import Regression
from harness.verdicts.regression import judge_regression

BASE = wrong_on(1, 10, 20)
PASSES = wrong_on(10, 20)
FAILS = wrong_on(*(at for at in range(60) if at % 3 and at % 2))
OPEN = wrong_on(2, 14, 31, 38, 50)
TABLE = [(PASSES, "pass", 0), (FAILS, "fail", 1), (OPEN, "inconclusive", 3)]


@pytest.fixture
def project(here: Path) -> Path:
    """The small project with 60 dev examples in 20 queries."""
    write_project(here, golden=examples(queries=40))
    return here


def judged(before: Grading, after: Grading, gates: Gates | None = None, **about: Any) -> Regression:
    """The verdict on two gradings of the dev examples."""
    chosen = gates or Gates(never_grow=(Cell(golden=0, action="show"),))
    base, candidate = (
        side(
            *(
                item(
                    str(line["id"]),
                    line["grade"],
                    grading(at, line["grade"]),
                    query=str(line["query"]),
                    **about,
                )
                for at, line in enumerate(DEV)
            ),
            name=name,
            action_of=ACTIONS,
            gates=chosen,
        )
        for name, grading in (("old", before), ("new", after))
    )
    return judge_regression(compare_sides(base, candidate), chosen)


# --- the verdict -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("grading", "verdict", "code"), TABLE)
def test_verdict_of_two_runs_ends_the_command(
    project: Path, grading: Grading, verdict: str, code: int
) -> None:
    base, candidate = run_of(project, BASE), run_of(project, grading)
    ended = regress(base, candidate, "--json")
    found = ended.json
    assert (ended.code, found["verdict"]) == (code, verdict)
    change = found["comparison"]["kappa"]
    # One-sided 95 %: t on the 19 degrees of freedom of 20 queries.
    half = float(stats.t.ppf(0.95, 19)) * change["se"]
    assert (found["low"], found["high"]) == pytest.approx((change["delta"] - half, change["delta"] + half))
    low, high = found["low"], found["high"]
    assert {"pass": low > -0.05, "fail": high < -0.05, "inconclusive": low <= -0.05 <= high}[verdict]
    shown = regress(base, candidate)
    assert shown.code == code and shown.out.startswith(
        f"{verdict.upper()}: kappa moved by {change['delta']:+.3f}"
    )
    kept = json.loads((project / "runs" / candidate / "verdict.json").read_text("utf-8"))
    assert kept["regress"] == {key: value for key, value in found.items() if key != "comparison"}
    assert kept["gate"] == 2 and kept["verdict"] in ("pass", "fail", "inconclusive")


def test_chosen_examples_never_pass(project: Path) -> None:
    ids = ("--only", ",".join(line["id"] for line in DEV))
    whole = run_of(project, perfect)
    chosen = [run_of(project, perfect, *ids) for _ in range(2)]
    assert regress(whole, whole).code == 0
    for pair in ((whole, chosen[0]), (chosen[0], whole), (chosen[0], chosen[1])):
        ended = regress(*pair, "--json")
        assert (ended.code, ended.json["verdict"]) == (3, "inconclusive")
        assert ended.json["reason"] == "a run graded chosen examples: its items do not represent a split"


@pytest.mark.parametrize(("grading", "verdict", "code"), TABLE)
def test_verdict_of_files_is_that_of_the_runs(here: Path, grading: Grading, verdict: str, code: int) -> None:
    write_project(here)
    lines = "".join(f"{line['id']},{line['grade']},{line['query']}\n" for line in DEV)
    (here / "golden.csv").write_text("item,grade,query\n" + lines, encoding="utf-8")
    base, candidate = write_grades(here / "base.csv", BASE), write_grades(here / "new.csv", grading)
    ended = regress(base, candidate, "--golden", "golden.csv", "--policy", "small", "--json")
    assert (ended.code, ended.json["verdict"]) == (code, verdict)
    assert ended.json["conditions"][0] == judged(BASE, grading).model_dump(mode="json")["conditions"][0]
    assert ended.json["comparison"]["n_clusters"] == 20


def test_baseline_gives_the_verdict_of_its_run(project: Path) -> None:
    base = run_of(project, BASE)
    harness("baseline", "set", base)
    for grading, verdict, code in TABLE:
        candidate = run_of(project, grading)
        ended = harness("regress", "--json")
        assert (ended.code, ended.json["verdict"]) == (code, verdict)
        by_run = regress(base, candidate, "--json").json
        for key in ("verdict", "reason", "margin", "low", "high", "conditions"):
            assert ended.json[key] == by_run[key]


def test_run_against_itself_passes(project: Path) -> None:
    run = run_of(project, BASE)
    ended = regress(run, run, "--json")
    assert (ended.code, ended.json["low"], ended.json["high"]) == (0, None, None)
    assert ended.json["reason"].startswith("kappa did not move: base and candidate graded every item alike")
    assert ended.json["reason"].endswith("(the candidate is the base itself)")


def test_moved_margin_and_weighting_are_said(project: Path) -> None:
    base, candidate = run_of(project, BASE), run_of(project, OPEN)
    ended = regress(base, candidate, "--margin", "0.5", "--json")
    assert (ended.code, ended.json["margin"]) == (0, 0.5)
    moved = "(moved: gates.toml has margin 0.05 and weighting none)"
    assert moved in ended.json["reason"]
    assert moved in " ".join(regress(base, candidate, "--weighting", "quadratic").out.split())
    same = regress(base, candidate, "--margin", "0.05", "--weighting", "none", "--json")
    assert "moved:" not in same.json["reason"]
    (project / "policies/small/gates.toml").write_text("margin = 0.5\n", encoding="utf-8")
    own = regress(base, run_of(project, OPEN), "--json")
    assert (own.code, own.json["margin"], "moved:" in own.json["reason"]) == (0, 0.5, False)


def test_weighting_of_the_gates_is_the_one_judged() -> None:
    found = judged(BASE, PASSES, Gates(weighting="linear"))
    assert found.comparison.gated == "kappa_linear"
    assert found.conditions[0].name == "kappa_linear loses less than 0.05"


@pytest.mark.parametrize(("growth", "verdict"), [(0, "fail"), (1, "fail"), (2, "pass")])
def test_cells_may_grow_by_what_is_allowed(growth: int, verdict: str) -> None:
    gates = Gates(margin=0.5, never_grow=(Cell(golden=0, action="show", growth=growth),))
    found = judged(perfect, wrong_on(0, 30), gates)
    cell = next(one for one in found.conditions if one.name == "golden 0 with action show does not grow")
    assert (found.verdict, cell.verdict) == (verdict, verdict)
    assert "0 before, 2 now" in cell.reason
    assert found.conditions[0].verdict == "pass"
    assert judged(wrong_on(0, 30), perfect, gates).verdict == "pass"


@pytest.mark.parametrize(("floor", "verdict"), [(0.99, "inconclusive"), (0.95, "pass")])
def test_coverage_under_the_floor_leaves_it_open(floor: float, verdict: str) -> None:
    found = judged(perfect, unread_on(4, 5), Gates(coverage_floor=floor))
    assert found.verdict == verdict
    coverage = next(one for one in found.conditions if one.name.startswith("coverage is"))
    assert (coverage.verdict, "coverage 96.7%" in coverage.reason) == (verdict, True)


def test_sure_loss_is_a_fail_though_answers_are_missing() -> None:
    worse = judged(BASE, lambda at, golden: None if at < 3 else FAILS(at, golden))
    assert worse.verdict == "fail"
    assert {one.verdict for one in worse.conditions} == {"fail", "inconclusive", "pass"}


def test_answers_that_neither_could_be_read_on_are_counted_once() -> None:
    found = judged(unread_on(3, 4), unread_on(4, 5), Gates(coverage_floor=0.9))
    cases = next(one for one in found.conditions if one.name == "the base's cases are compared")
    assert cases.reason == "57 of the 60 cases that the base knows could be compared"
    assert (cases.verdict, found.verdict) == ("pass", "pass")


def test_new_case_is_never_passed_silently(project: Path) -> None:
    base = run_of(project, perfect, "--limit", "59")
    harness("baseline", "set", base)
    candidate = run_of(project, perfect)
    for words in ((base, candidate), ("baseline", candidate)):
        ended = regress(*words, "--json")
        assert (ended.code, ended.json["verdict"]) == (3, "inconclusive")
        assert "1 case is not in the base, so it is unknown" in ended.json["reason"]


def test_cases_that_the_candidate_was_not_asked_about_leave_it_open(project: Path) -> None:
    base, candidate = run_of(project, perfect), run_of(project, perfect, "--limit", "50")
    ended = regress(base, candidate, "--json")
    assert ended.code == 3
    assert "50 of the 60 cases that the base knows could be compared" in ended.json["reason"]


def test_relabelled_cases_are_cases_that_could_not_be_compared(project: Path) -> None:
    base = run_of(project, perfect)
    harness("baseline", "set", base)
    lines = examples(queries=40)
    for line in lines:
        if line["id"] in IDS[1:40:3]:
            line["grade"] = 2
    write_golden(project, lines)
    candidate = run_of(project, perfect)
    for words in ((base, candidate), ("baseline", candidate)):
        ended = regress(*words, "--json")
        assert ended.code == 3
        assert "47 of the 60 cases that the base knows could be compared" in ended.json["reason"]


def test_examples_that_nobody_judged_under_the_version_leave_it_open(project: Path) -> None:
    base = run_of(project, perfect, policy="small@v1")
    text = policy_text("small", (0, 1, 2), CLAUSE).replace('version = "v1"', 'version = "v2"')
    (project / "policies/small/v2.toml").write_text(text, encoding="utf-8")
    candidate = run_of(project, perfect, policy="small@v2")
    ended = regress(base, candidate, "--json")
    assert (ended.code, ended.json["comparison"]["stale"]) == (3, 60)
    assert ended.json["reason"] == "60 examples were not yet judged under the candidate's policy version"
    how = "; next: harness golden confirm --policy small@v2 --unaffected, then confirm or regrade the others"
    said = "60 examples were not yet judged under small@v2"
    assert f"{said}{how}" in ended.json["comparison"]["warnings"]
    # Nor does such a run, or a baseline made of it, show that another is no worse.
    harness("baseline", "set", candidate)
    for words in (candidate, "baseline"):
        ended = regress(words, base, "--json")
        assert (ended.code, ended.json["comparison"]["stale_base"]) == (3, 60)
        assert ended.json["reason"] == "60 examples were not yet judged under the base's policy version"
        assert said in ended.json["comparison"]["warnings"]


def test_runs_of_two_splits_are_said_to_share_nothing(project: Path) -> None:
    dev, test = run_by("builtin/majority"), run_by("builtin/majority", "--split", "test")
    ended = regress(dev, test)
    assert ended.code == 2
    assert f"{dev} and {test} share no item: one graded dev, the other test" in " ".join(ended.err.split())
    harness("baseline", "set", dev)
    baseline = json.loads((project / "runs/baselines/small-dev.json").read_text("utf-8"))
    path = project / "runs/baselines/small-test.json"
    path.write_text(json.dumps(baseline), encoding="utf-8")
    assert "share no item: one graded dev, the other test" in " ".join(regress("baseline", test).err.split())


def test_constant_golden_grades_leave_it_open() -> None:
    items = [item(f"i{at}", 1, 1) for at in range(50)]
    found = judge_regression(compare_sides(side(*items), side(*items, name="b")), Gates())
    assert (found.verdict, found.low, "cannot be compared: undefined" in found.reason) == (
        "inconclusive",
        None,
        True,
    )


wrongs = st.sets(st.integers(0, 59), max_size=30)


@given(wrongs, wrongs, st.floats(0, 0.5), st.integers(0, 5))
def test_pass_needs_every_condition(one: set[int], other: set[int], margin: float, growth: int) -> None:
    gates = Gates(margin=margin, never_grow=(Cell(golden=0, action="show", growth=growth),))
    found = judged(wrong_on(*one), wrong_on(*other), gates)
    said = {condition.verdict for condition in found.conditions}
    assert found.verdict == next(word for word in ("fail", "inconclusive", "pass") if word in said)
    if found.verdict == "pass":
        # Without a limit only the same answers pass: an error of 0 shows nothing of another sample.
        assert one == other if found.low is None else found.low > -margin
        assert len({at for at in other if at % 3 == 0}) - len({at for at in one if at % 3 == 0}) <= growth
    if found.high is not None and found.high < -margin:
        assert found.verdict == "fail"
    # A wider margin never turns a pass into anything else.
    wider = judged(wrong_on(*one), wrong_on(*other), gates.model_copy(update={"margin": margin + 0.1}))
    assert found.verdict != "pass" or wider.verdict == "pass"


# --- where it is said ------------------------------------------------------------------------------------

HOSTILE = "shoe | **x** <script>alert(1)</script> [a](http://b) `c` ~d~ & \\ \x01\ufffe\nnext"


def hostile() -> Regression:
    """A verdict whose flips carry what breaks tables, markup and XML."""
    return judged(BASE, OPEN).model_copy(
        update={
            "reason": HOSTILE,
            "comparison": (found := judged(BASE, OPEN).comparison).model_copy(
                update={
                    "flips": tuple(
                        flip.model_copy(update={"item": HOSTILE, "query": HOSTILE}) for flip in found.flips
                    ),
                    "warnings": (HOSTILE,),
                }
            ),
        }
    )


def test_junit_has_a_test_case_for_each_condition(project: Path) -> None:
    base = run_of(project, BASE)
    for grading, verdict, code in TABLE:
        candidate = run_of(project, grading)
        assert regress(base, candidate, "--junit", "junit.xml").code == code
        suite = ElementTree.parse(project / "junit.xml").getroot()
        cases = suite.findall("testcase")
        assert (suite.tag, suite.get("tests"), len(cases)) == ("testsuite", "3", 3)
        bad = {"pass": None, "fail": "failure", "inconclusive": "error"}[verdict]
        found = {tag: len(suite.findall(f"testcase/{tag}")) for tag in ("failure", "error")}
        assert (str(found["failure"]), str(found["error"])) == (suite.get("failures"), suite.get("errors"))
        assert [tag for tag, count in found.items() if count] == ([bad] if bad else [])
        if bad:
            message = suite.find(f"testcase/{bad}")
            assert message is not None and "kappa moved by" in (message.get("message") or "")
        fixed = IDS[10] if verdict == "fail" else IDS[1]
        assert f"fixed {fixed}: 2 -> 1" in (suite.findtext("system-out") or "")


def test_junit_stays_xml_whatever_the_words_hold() -> None:
    found = hostile()
    named = found.conditions[0].model_copy(update={"name": HOSTILE, "verdict": "fail", "reason": HOSTILE})
    suite = ElementTree.fromstring(junit_xml(found.model_copy(update={"conditions": (named,)})))
    case = suite.find("testcase")
    assert case is not None
    name = case.get("name") or ""
    assert "<script>alert(1)</script>" in name and "\x01" not in name and "\ufffe" not in name
    assert suite.findtext("system-out", "").count("next") == len(found.comparison.flips)


def cells(line: str) -> list[str]:
    """The cells of a line of a Markdown table: bars that a backslash does not escape part them."""
    return line.replace("\\\\", "").replace("\\|", "").strip("|").split("|")


def test_markdown_cannot_be_broken_by_what_is_quoted() -> None:
    text = markdown_text(hostile(), 5)
    flips = [line for line in text.splitlines() if "alert" in line and line.startswith("|")]
    assert len(flips) == 5 and {len(cells(line)) for line in flips} == {6}
    assert "<script>" not in text.replace("\\<", "") and "[a](" not in text.replace("\\[a\\]", "")
    for mark in "`*~&":
        assert mark not in text.replace(f"\\{mark}", ""), mark
    assert "\nnext" not in text
    tables = [line for line in text.splitlines() if line.startswith("|")]
    assert {len(cells(line)) for line in tables} == {3, 5, 6}


def test_markdown_is_appended_and_says_what_was_compared(project: Path) -> None:
    base, candidate = run_of(project, BASE), run_of(project, FAILS)
    (project / "summary.md").write_text("# Job\n", encoding="utf-8")
    regress(base, candidate, "--markdown", "summary.md", "--flips", "2")
    text = (project / "summary.md").read_text("utf-8")
    assert text.startswith("# Job\n## Regression check: fail\n")
    assert f"Base: {base}. Candidate: {candidate}." in text
    assert len([line for line in text.splitlines() if line.startswith("| broken |")]) == 2
    assert "| golden 0 with action show does not grow | passed | 0 before, 0 now |" in text
    assert "21 flips in all." in text


def test_annotations_are_github_s_and_only_there(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base, candidate = run_of(project, BASE), run_of(project, FAILS)
    assert "::" not in regress(base, candidate).err
    ended = regress(base, candidate, "--json", GITHUB_ACTIONS="true")
    lines = ended.err.splitlines()
    assert [line.partition(" ")[0] for line in lines] == ["::error", "::notice", "::notice"]
    assert lines[0].startswith("::error title=kappa loses less than 0.05::kappa moved by -")
    assert "surely a loss beyond 0.05 (95 %25 limit" in lines[0]
    assert ended.json["verdict"] == "fail"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    found = judged(BASE, OPEN)
    odd = found.conditions[0].model_copy(update={"name": "a:b,c\nd", "reason": "one\ntwo\r"})
    (line,) = annotations([odd])
    assert line == "::warning title=a%3Ab%2Cc%0Ad::one%0Atwo%0D"


def test_json_is_one_object_and_nothing_else(project: Path) -> None:
    base, candidate = run_of(project, BASE), run_of(project, OPEN)
    out = regress(base, candidate, "--json", "--junit", "j.xml", "--markdown", "m.md").out
    found, end = json.JSONDecoder().raw_decode(out)
    assert out[end:] == "\n" and set(found) == set(Regression.model_fields)


def test_verdict_file_keeps_the_gate_s_and_the_last_regress(project: Path) -> None:
    base, candidate = run_of(project, BASE), run_of(project, OPEN)
    path = project / "runs" / candidate / "verdict.json"
    before = json.loads(path.read_text("utf-8"))
    regress(base, candidate)
    regress(base, candidate, "--margin", "0.5")
    after = json.loads(path.read_text("utf-8"))
    assert {key: value for key, value in after.items() if key != "regress"} == before
    assert (after["regress"]["verdict"], after["regress"]["margin"]) == ("pass", 0.5)
    path.unlink()
    assert regress(base, candidate).code == 3
    assert set(json.loads(path.read_text("utf-8"))) == {"regress"}
    path.write_text("{half", encoding="utf-8")
    ended = regress(base, candidate)
    assert (ended.code, "verdict.json: not JSON" in ended.err) == (2, True)


def test_a_folded_condition_stays_beside_its_mark(project: Path) -> None:
    run_of(project, wrong_on(1))
    run_of(project, perfect)
    lines = harness("regress", "--base", "latest~1").out.splitlines()
    first = next(at for at, line in enumerate(lines) if "kappa loses less than" in line)
    assert lines[first].startswith(("  open ", "  passed "))
    assert lines[first + 1].startswith(" " * 9)
    assert "  passed  golden 0 with action show does not grow: 0 before, 0 now" in lines


def test_every_line_fits_a_terminal_of_80_columns(project: Path) -> None:
    base = run_of(project, BASE)
    harness("baseline", "set", base)
    for grading, _, code in TABLE:
        run_of(project, grading)
        ended = harness("regress", "--flips", "40")
        assert ended.code == code
        assert [line for line in ended.out.splitlines() if len(line) > 80] == []


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ([], "there is no baseline"),
        (["--base", "nothing"], "no run 'nothing'"),
        (["--base", "latest", "--margin", "-1"], "greater than or equal to 0"),
        (["--base", "latest", "--weighting", "cubic"], "weighting 'cubic' is not one of"),
        (["--base", "latest", "--junit", "nowhere/j.xml"], "nowhere/j.xml: no folder nowhere"),
        (["--base", "latest", "--scale", "0-2"], "--scale goes with a file"),
        (["--base", "baseline", "--candidate", "grades.csv"], "baseline needs a run beside it"),
    ],
)
def test_wrong_input_is_said_in_words(project: Path, words: list[str], what: str) -> None:
    run_of(project, perfect)
    ended = harness("regress", *words)
    assert (ended.code, what in " ".join(ended.err.split())) == (2, True), ended.err
