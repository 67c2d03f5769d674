"""A policy change: what a diff says, which examples it touches, and judging them again."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from builders import CLAUSE, Ended, example, examples, harness, policy_text, write_golden, write_project
from fault_server import Turn, completion, fault_server
from hypothesis import given
from hypothesis import strategies as st
from rich.padding import Padding

from harness.golden.examples import golden_digest, load_examples
from harness.golden.rejudging import confirm
from harness.nouns.pair import Example
from harness.nouns.policy import Action, Boundary, Clause, GradeLevel, Policy, WorkedExample
from harness.policy.diff import diff_policies
from harness.policy.effect import golden_effect, reasons
from harness.policy.load import load_policy
from harness.report.policy_diff import diff_view, effect_view, word_diff

BOUNDARY = """
[[boundaries]]
query = "shoe"
result = "a lace"
between = [0, 1]
grade = 1
higher = "h"
lower = "l"
decision = "d"
clauses = ["plain"]
"""
WORDED = "An accessory of the thing asked for is at most 1."
SHOWN = 'grades = [1, 2]\nshown = "Said."\n\n[[actions]]\nname = "filter"\ngrades = [0]'
FILTERED = SHOWN.replace("[0]", "[0, 1]").replace("[1, 2]", "[2]")
SHARPER = "An accessory, such as a lace, is at most 1."


def version(folder: Path, number: int, clauses: str, text: str = "") -> Policy:
    path = folder / f"v{number}.toml"
    whole = (text or policy_text()).replace('version = "v1"', f'version = "v{number}"') + clauses
    path.write_text(whole, encoding="utf-8")
    return load_policy(path)


def swapped(text: str, old: str, new: str) -> str:
    """A text with the last of these words changed: a skeleton's comments have some of them too."""
    before, _, after = text.rpartition(old)
    return f"{before}{new}{after}"


def change(folder: Path, old: str, new: str, *, whole: str = CLAUSE + BOUNDARY) -> tuple[Policy, Policy]:
    """Two versions that differ by one text."""
    text = policy_text() + whole
    assert old in text
    folder.mkdir(parents=True, exist_ok=True)
    return version(folder, 1, "", text), version(folder, 2, "", swapped(text, old, new))


def draft(here: Path, old: str = WORDED, new: str = SHARPER) -> Path:
    """A project with a released v1, and a v2 in which one text is another; the examples' file."""
    write_project(here)
    folder = here / "policies/small"
    text = (folder / "v1.toml").read_text("utf-8")
    assert old in text
    (folder / "v1.toml").write_text(text.replace('"v1"', '"v1"\nreleased = true'), "utf-8")
    (folder / "v2.toml").write_text(swapped(text, old, new).replace('"v1"', '"v2"'), "utf-8")
    return here / "golden/small/examples.jsonl"


def said(path: Path, name: str) -> str:
    return golden_digest(load_examples(path, load_policy(path.parents[2] / f"policies/small/{name}.toml")))


# --- the diff ---------------------------------------------------------------------------------------

CHANGES = {
    "clause reworded": (WORDED, SHARPER, ("clause", "accessory", "changed", True)),
    "reason reworded": ("Who looks", "Whoever looks", ("clause", "accessory", "changed", False)),
    "cap moved": ("max_grade = 1", "max_grade = 0", ("clause", "accessory", "changed", True)),
    "floor added": (
        "max_grade = 1",
        "max_grade = 1\nmin_grade = 1",
        ("clause", "accessory", "changed", True),
    ),
    "grade renamed": ('name = "Grade 2"', 'name = "Exact"', ("grade", "2", "changed", True)),
    "worked example": (
        'name = "Grade 2"',
        'name = "Grade 2"\nexamples = [{query = "a", result = "b"}]',
        ("grade", "2", "changed", False),
    ),
    "boundary argued": ('higher = "h"', 'higher = "H"', ("boundary", "shoe: a lace", "changed", False)),
    "boundary decided": (
        "grade = 1\nhigher",
        "grade = 0\nhigher",
        ("boundary", "shoe: a lace", "changed", True),
    ),
    "goal": ('goal = "Said."', 'goal = "Meant."', ("policy", "small", "changed", True)),
    "clause renamed": ('id = "plain"\ntext', 'id = "bare"\ntext', ("clause", "plain", "removed", True)),
}


@pytest.mark.parametrize(("old", "new", "found"), CHANGES.values(), ids=CHANGES)
def test_change_is_named(tmp_path: Path, old: str, new: str, found: tuple[str, str, str, bool]) -> None:
    whole = (CLAUSE + BOUNDARY).replace('["plain"]', "[]")
    before, after = change(tmp_path / "small", old, new, whole=whole)
    diff = diff_policies(before, after)
    assert found in [(c.part, c.name, c.kind, c.binds) for c in diff.changes]


def test_same_policy_differs_in_nothing(tmp_path: Path) -> None:
    one, other = change(tmp_path / "small", WORDED, f"  {WORDED.replace(' of', '   of')}")
    diff = diff_policies(one, one)
    assert (diff.changes, diff.action_moves, diff.reordered) == ((), (), False)
    assert (diff_policies(one, other).changes, diff_policies(one, other).reordered) == ((), True)


def test_diff_turned_round_swaps_old_and_new(tmp_path: Path) -> None:
    one, other = change(tmp_path / "small", WORDED, SHARPER)
    there, back = diff_policies(one, other), diff_policies(other, one)
    (ours,), (theirs,) = there.changes[0].wordings, back.changes[0].wordings
    assert (ours.old, ours.new) == (theirs.new, theirs.old) == (WORDED, SHARPER)


def test_action_moves_are_told_grade_by_grade_and_touch_its_examples(tmp_path: Path) -> None:
    diff = diff_policies(*change(tmp_path / "small", SHOWN, FILTERED))
    assert [(move.grade, move.old, move.new) for move in diff.action_moves] == [(1, "show", "filter")]
    assert reasons(diff, example(grade=1)) == ("action of grade 1",)
    assert reasons(diff, example(grade=2)) == ()
    assert "Grade 1: show -> filter." in "\n".join(str(part) for part in diff_view(diff))


def test_a_long_list_of_examples_is_cut_and_says_where_all_are(tmp_path: Path) -> None:
    old, new = change(tmp_path / "small", WORDED, SHARPER)
    golden = [example(f"g{at}", clauses=["accessory"]) for at in range(41)]
    parts = effect_view(diff_policies(old, new), golden_effect(old, new, golden))
    text = " ".join(str(part.renderable) for part in parts if isinstance(part, Padding))
    assert "g39*, ... (all: --json, golden.touched)" in text and "g40" not in text


def test_new_scale_touches_every_example(tmp_path: Path) -> None:
    (tmp_path / "small").mkdir()
    one = version(tmp_path / "small", 1, CLAUSE)
    other = version(tmp_path / "small", 2, CLAUSE, policy_text(grades=(0, 1, 2, 3)))
    assert reasons(diff_policies(one, other), example()) == ("the scale",)


TOUCHED: dict[str, tuple[dict[str, Any], bool]] = {
    "cites it": ({"clauses": ["accessory"]}, True),
    "argues by it": ({"reasoning": "No Accessory, so that 2 is open."}, True),
    "a longer word": ({"reasoning": "Accessory-like, and accessorys."}, False),
    "cites another": ({"clauses": ["plain"]}, False),
}


@pytest.mark.parametrize(("rests", "touched"), TOUCHED.values(), ids=TOUCHED)
def test_example_is_touched_by_what_it_rests_on(tmp_path: Path, rests: dict[str, Any], touched: bool) -> None:
    diff = diff_policies(*change(tmp_path / "small", WORDED, SHARPER))
    assert reasons(diff, example(**rests)) == (("clause accessory",) if touched else ())


def test_example_is_touched_by_the_definition_of_its_grade(tmp_path: Path) -> None:
    renamed = diff_policies(*change(tmp_path / "small", 'name = "Grade 2"', 'name = "Exact"'))
    assert (reasons(renamed, example(grade=2)), reasons(renamed, example(grade=1))) == (("grade 2",), ())


def test_boundary_decided_otherwise_touches_those_that_cite_its_clauses(tmp_path: Path) -> None:
    diff = diff_policies(*change(tmp_path / "small", "grade = 1\nhigher", "grade = 0\nhigher"))
    assert reasons(diff, example(clauses=["plain"])) == ("boundary shoe: a lace",)
    assert reasons(diff, example(clauses=["accessory"])) == ()


@given(st.lists(st.sampled_from("abcd"), max_size=12), st.lists(st.sampled_from("abcd"), max_size=12))
def test_both_texts_can_be_read_off_a_word_diff(old: list[str], new: list[str]) -> None:
    shown = word_diff(" ".join(old), " ".join(new))
    kept: dict[str, list[str]] = {"-": [], "+": []}
    sign = " "
    for word in shown.split():
        sign = "-" if word.startswith("[-") else "+" if word.startswith("{+") else sign
        letter = next(one for one in word if one in "abcd")
        for side in kept if sign == " " else sign:
            kept[side].append(letter)
        sign = " " if word.endswith(("-]", "+}")) else sign
    assert (kept["-"], kept["+"]) == (old, new)


def test_diff_command_tells_words_and_examples(here: Path) -> None:
    draft(here)
    ended = harness("policy", "diff", "small")
    assert "small@v1 -> small@v2" in ended.out
    assert "{+accessory, such as a lace,+}" in " ".join(ended.out.split())
    assert "clause accessory (16): q0-0*, q0-1*" in " ".join(ended.out.split())
    assert "Left to judge under small@v2: 24." in ended.out
    words = " ".join(ended.out.split())
    assert "confirm the 8 that depend on none: harness golden confirm --policy small@v2 --unaffected" in words
    assert "read those marked * again: harness golden confirm --policy small@v2 --examples IDS" in words
    harness("golden", "confirm", "small@v2", "--unaffected")
    assert "--unaffected" not in harness("policy", "diff", "small").out
    found = harness("policy", "diff", "small@v1", "small@v2", "--json").json
    assert found["golden"]["counts"] == {"clause accessory": 16}
    assert found["changes"][0]["wordings"] == [{"key": "text", "old": WORDED, "new": SHARPER}]
    assert harness("policy", "diff", "small@v2", "small@v1").code == 0


@pytest.mark.parametrize("words", [("small@v2",), ("small", "other@v2"), ("small@v3",), ("nope",)])
def test_diff_of_what_is_not_there_says_so(here: Path, words: tuple[str, ...]) -> None:
    draft(here)
    ended = harness("policy", "diff", *words)
    assert (ended.code, ended.err.startswith("error:")) == (2, True)


# --- the default version ------------------------------------------------------------------------------


def test_draft_is_taken_only_where_it_is_named(here: Path) -> None:
    draft(here)
    assert harness("policy", "show", "small", "--json").json["version"] == "v1"
    assert harness("policy", "show", "small@v2", "--json").json["version"] == "v2"
    assert harness("policy", "list").out == "small  v1 v2 (draft)\n"
    lint = harness("policy", "lint", "--json")
    assert (lint.code, lint.json["faults"]) == (0, [])
    assert lint.json["warnings"] == ["small@v2 is a draft: without a version, small is small@v1"]
    (here / "policies/small/v2.toml").write_text("half a", "utf-8")
    assert harness("policy", "show", "small", "--json").json["version"] == "v1"
    assert harness("policy", "lint").code == 2


def test_surface_with_several_policies_is_warned_of(here: Path) -> None:
    write_project(here)
    folder = here / "policies/other"
    folder.mkdir()
    (folder / "v1.toml").write_text(policy_text("other").replace("Said.", "said. "), "utf-8")
    for words in ((), ("small",), ("other@v1",)):
        ended = harness("policy", "lint", *words)
        assert (ended.code, "0.8 x 0.8 x 0.8 is 0.512" in ended.err) == (0, True)
    text = (folder / "v1.toml").read_text("utf-8")
    (folder / "v1.toml").write_text(text.replace('surface = "said. "', 'surface = "Mail"'), "utf-8")
    assert harness("policy", "lint", "--json").json["warnings"] == []


# --- judging again ------------------------------------------------------------------------------------


def regrade(id_: str, grade: int, *more: str, reasoning: str = "It is a lace and no shoe at all.") -> Ended:
    words = ("--policy", "small@v2", "--grade", str(grade), "--reasoning", reasoning)
    return harness("golden", "regrade", id_, *words, "--why", "what I thought was a 1 is a 0", *more)


def test_unaffected_examples_are_confirmed_in_one_go(here: Path) -> None:
    path = draft(here)
    before = said(path, "v1")
    done = harness("golden", "confirm", "small@v2", "--unaffected", "--json").json
    assert (len(done["confirmed"]), len(done["left"])) == (8, 16)
    assert set(done["confirmed"]) == {f"q{n}-2" for n in range(8)}
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    (past,) = next(line["history"] for line in lines if line["id"] == "q0-2")
    assert past.pop("changed_at")[:2] == "20"
    why = "rests on nothing that v2 changed (clause accessory)"
    assert past == {"policy_version": "v1", "grade": 2, "stands": True, "why": why}
    assert said(path, "v1") == before
    again = harness("golden", "confirm", "small@v2", "--unaffected", "--json").json
    assert (again["confirmed"], len(again["left"])) == ([], 16)


def bare(here: Path) -> Path:
    """The draft's golden set as a team has it that kept grades alone."""
    path = draft(here)
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    kept = [{k: v for k, v in line.items() if k not in ("reasoning", "clauses")} for line in lines]
    write_golden(here, kept)
    return path


def test_unknown_is_not_unaffected(here: Path) -> None:
    path = bare(here)
    found = harness("policy", "diff", "small@v1", "small@v2", "--json").json["golden"]
    assert (found["touched"], len(found["cannot_tell"]), found["suggested"]) == ([], 24, None)
    # The clause is a cap of 1: what is graded 0 was not held down by it.
    assert found["could_move"] == [f"q{n}-{grade}" for n in range(8) for grade in (1, 2)]
    said = " ".join(harness("policy", "diff", "small@v1", "small@v2").out.split())
    assert "0 of 24 golden examples are known to depend on changed parts." in said
    assert "Cannot tell for 24: they cite no clause." in said
    assert "can move 16 of them" in said and "golden sheet" not in said
    assert "confirm the other 8: harness golden confirm --policy small@v2 --cannot-move" in said
    assert "harness golden regrade ID --policy small@v2" in said
    before = path.read_text("utf-8")
    refused = harness("golden", "confirm", "small@v2", "--unaffected")
    assert refused.code == 2 and "cannot tell for 24 of 24" in " ".join(refused.err.split())
    assert "`harness policy diff` lists them, and what to do." in " ".join(refused.err.split())
    assert path.read_text("utf-8") == before


def test_what_no_cap_can_move_is_confirmed_in_bulk_and_the_rest_from_a_file(here: Path) -> None:
    path = bare(here)
    left = harness("policy", "diff", "small@v1", "small@v2", "--json").json["golden"]["could_move"]
    done = harness("golden", "confirm", "--policy", "small@v2", "--cannot-move", "--json").json
    assert done == {"policy": "small@v2", "confirmed": [f"q{n}-0" for n in range(8)], "left": left}
    line = json.loads(path.read_text("utf-8").splitlines()[0])
    assert line["history"][0]["why"] == "what v2 changed cannot move a 0 (clause accessory)"
    (here / "ids.txt").write_text("\n".join([*left, "q0-0", ""]), "utf-8")
    rest = harness("golden", "confirm", "--policy", "small@v2", "--file", here / "ids.txt", "--why", "read")
    assert rest.out == "16 confirmed under small@v2\n"
    assert "1 of 17 were judged under v2 before and keep the reason given then" in rest.err


def test_what_cites_no_clause_is_left_out_of_a_bulk_confirmation(here: Path) -> None:
    path = draft(here)
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    write_golden(
        here, [line | ({"clauses": [], "reasoning": ""} if line["id"] == "q0-2" else {}) for line in lines]
    )
    done = harness("golden", "confirm", "small@v2", "--unaffected", "--json")
    assert set(done.json["confirmed"]) == {f"q{n}-2" for n in range(1, 8)}
    assert "cannot tell for 1 of 24" in " ".join(done.err.split())


def test_where_only_a_grade_was_reworded_bare_grades_away_from_it_can_tell(here: Path) -> None:
    path = bare(here)
    text = (here / "policies/small/v1.toml").read_text("utf-8")
    assert 'definition = "' in text
    changed = text.replace('definition = "', 'definition = "More exactly: ', 1).replace('"v1"', '"v2"')
    (here / "policies/small/v2.toml").write_text(changed.replace("\nreleased = true", ""), "utf-8")
    found = harness("policy", "diff", "small@v1", "small@v2", "--json").json["golden"]
    assert (len(found["touched"]), found["cannot_tell"]) == (8, [f"q{n}-1" for n in range(8)])
    assert harness("golden", "confirm", "small@v2", "--unaffected").code == 0
    assert path.read_text("utf-8").count('"stands": true') == 8


MOVABLE: dict[str, tuple[dict[str, int], dict[str, int] | None, set[int]]] = {
    "a cap is sharpened": ({"max_grade": 1}, {"max_grade": 1}, {1, 2}),
    "a cap goes up": ({"max_grade": 1}, {"max_grade": 2}, {1}),
    "a cap goes down": ({"max_grade": 2}, {"max_grade": 1}, {2}),
    "a cap goes down to the lowest grade": ({"max_grade": 1}, {"max_grade": 0}, {1, 2}),
    "a floor goes up": ({"min_grade": 1}, {"min_grade": 2}, {0, 1}),
    "a floor goes down": ({"min_grade": 2}, {"min_grade": 1}, {0, 2}),
    "a floor is sharpened": ({"min_grade": 1}, {"min_grade": 1}, {0, 1}),
    "a cap becomes a floor": ({"max_grade": 1}, {"min_grade": 1}, {0, 1, 2}),
    "a cap alone goes up": ({"max_grade": 0}, {"max_grade": 1}, {0}),
    "a cap alone goes down": ({"max_grade": 1}, {"max_grade": 0}, {1}),
    "a cap alone goes down by two": ({"max_grade": 2}, {"max_grade": 0}, {1, 2}),
    "a floor alone goes up": ({"min_grade": 1}, {"min_grade": 2}, {1}),
    "a floor alone goes down": ({"min_grade": 2}, {"min_grade": 1}, {2}),
    "a cap is removed": ({"max_grade": 1}, None, {1}),
    "a floor is removed": ({"min_grade": 1}, None, {1}),
    "a rule has neither": ({}, {}, {0, 1, 2}),
    "a rule gets a cap": ({}, {"max_grade": 1}, {0, 1, 2}),
}


@pytest.mark.parametrize(("before", "after", "grades"), MOVABLE.values(), ids=MOVABLE.keys())
def test_caps_and_floors_say_which_grades_a_change_can_move(
    tmp_path: Path,
    request: pytest.FixtureRequest,
    before: dict[str, int],
    after: dict[str, int] | None,
    grades: set[int],
) -> None:
    alone = "alone" in request.node.callspec.id

    def clause(word: str, bounds: dict[str, int] | None) -> str:
        if bounds is None:
            return ""
        lines = "".join(f"{key} = {value}\n" for key, value in bounds.items())
        return f'\n[[clauses]]\nid = "one"\ntext = "{word}"\nwhy = "w"\n{lines}'

    folder = tmp_path / "small"
    folder.mkdir()
    old, new = (
        version(folder, 1, clause("before", before)),
        version(folder, 2, clause("before" if alone else "after", after)),
    )
    golden = [example(f"g{grade}", grade=grade) for grade in (0, 1, 2)]
    effect = golden_effect(old, new, golden)
    assert effect.cannot_tell == ("g0", "g1", "g2")
    assert set(effect.could_move) == {f"g{grade}" for grade in grades}
    text = " ".join(str(part) for part in effect_view(diff_policies(old, new), effect))
    assert ("can move any of them: no cap, floor or grade rules one out" in text) == (len(grades) == 3)


def test_a_teachers_clauses_are_suggestions(here: Path) -> None:
    bare(here)
    answers = {"q0-1": ["accessory"], "q1-1": ["plain"]}
    one, two = change(here / "other/small", WORDED, SHARPER)
    golden = [example(id_, grade=1) for id_ in answers]
    effect = golden_effect(one, two, golden, answers)
    assert (effect.cannot_tell, effect.suggested) == (("q0-1", "q1-1"), ("q0-1",))
    harness("eval", "--model", "builtin/lexical", "--policy", "small@v1")
    ended = harness("policy", "diff", "small@v1", "small@v2", "--suggest", "latest")
    assert (ended.code, "cites no clauses" in ended.err) == (2, True)
    assert harness("policy", "diff", "small@v1", "small@v2", "--suggest", "nothing").code == 2


def test_clauses_that_a_teacher_cited_in_a_run_suggest_examples(here: Path) -> None:
    bare(here)

    def cites(_: int, body: dict[str, Any]) -> Turn:
        clauses = ["accessory"] if "entirely" in str(body["messages"][-1]) else ["plain"]
        return completion(json.dumps({"reasoning": "Because.", "clauses": clauses, "grade": 0}))

    with fault_server(cites) as server:
        asked = ("--model", "vllm/test", "--base-url", server.url, "--policy", "small@v1", "--no-report")
        assert harness("eval", *asked, "--split", "dev+test").code == 0
    suggested = ("policy", "diff", "small@v1", "small@v2", "--suggest", "latest")
    ids = [f"q{n}-0" for n in range(8) if n % 4]
    assert harness(*suggested, "--json").json["golden"]["suggested"] == ids
    said = " ".join(harness(*suggested).out.split())
    assert f"suggest 6, a suggestion, not a judgement: {', '.join(ids)} What to do:" in said


def test_grade_is_replaced_and_its_history_kept(here: Path) -> None:
    path = draft(here)
    before = said(path, "v1")
    assert regrade("q1-1", 0, "--clauses", "accessory,plain").code == 0
    line = json.loads(path.read_text("utf-8").splitlines()[4])
    assert (line["grade"], line["clauses"], line["policy_version"]) == (0, ["accessory", "plain"], "v2")
    (past,) = line["history"]
    assert (past["grade"], past["policy_version"], past["clauses"]) == (1, "v1", ["accessory"])
    assert past["reasoning"] == examples()[4]["reasoning"] and past["why"] == "what I thought was a 1 is a 0"
    assert said(path, "v1") == before
    found = harness("policy", "diff", "small", "--json").json["golden"]["regraded"]
    assert [(one["id"], one["old"], one["new"]) for one in found] == [("q1-1", 1, 0)]
    assert "as it was" in regrade("q1-1", 0, "--clauses", "accessory,plain").out


def test_other_lines_keep_every_letter(here: Path) -> None:
    path = draft(here)
    odd = json.dumps(examples()[0], ensure_ascii=False, separators=(",", ":")) + "  \r"
    rest = path.read_text("utf-8").split("\n")[1:]
    path.write_bytes("\n".join([odd, *rest, ""]).encode())
    assert harness("golden", "confirm", "small@v2", "--examples", "q1-1", "--why", "as before").code == 0
    after = path.read_bytes().decode().split("\n")
    assert after[0] == odd
    assert [at for at, (old, new) in enumerate(zip(rest, after[1:], strict=False)) if old != new] == [3]


def test_what_stood_is_worded_as_what_took_it_over(here: Path) -> None:
    """v1 stands under v2, v2 is corrected: v1 keeps the words that it stood with."""
    path = draft(here)
    before = said(path, "v1")
    assert harness("golden", "confirm", "small@v2", "--examples", "q1-1", "--why", "as before").code == 0
    under_v2 = said(path, "v2")
    assert regrade("q1-1", 0).code == 0
    assert said(path, "v1") == before
    assert said(path, "v2") != under_v2
    now = Example.model_validate_json(path.read_text("utf-8").splitlines()[4])
    assert [(past.policy_version, past.stands) for past in now.history] == [("v1", True), ("v2", False)]
    assert (now.under("v1").grade, now.under("v1").reasoning) == (1, examples()[4]["reasoning"])
    assert (now.under("v2").grade, now.under("v7")) == (0, now)


@pytest.mark.parametrize(("cap", "confirmed"), [("", 0), ("\nmax_grade = 1", 16)], ids=["no cap", "a cap"])
def test_new_clause_can_move_grades_though_no_example_cites_it(here: Path, cap: str, confirmed: int) -> None:
    new = f'[[clauses]]\nid = "extra"\ntext = "Said."\nwhy = "Said."{cap}\n\n[[clauses]]\nid = "plain"'
    path = draft(here, '[[clauses]]\nid = "plain"', new)
    shown = " ".join(harness("policy", "diff", "small").out.split())
    assert f"Cannot tell for {24 - confirmed}: no example can have cited clause extra." in shown
    ended = harness("golden", "confirm", "small@v2", "--unaffected")
    assert f"cannot tell for {24 - confirmed} of 24" in " ".join(ended.err.split())
    assert "--cannot-move" not in ended.err
    assert (ended.code, path.read_text("utf-8").count('"stands": true')) == (0 if cap else 2, confirmed)


def test_reworded_goal_can_move_every_grade(here: Path) -> None:
    draft(here, 'goal = "Said."', 'goal = "Meant."')
    found = harness("policy", "diff", "small", "--json").json["golden"]
    assert (found["touched"], len(found["cannot_tell"]), len(found["could_move"])) == ([], 24, 24)
    assert harness("golden", "confirm", "small@v2", "--unaffected").code == 2
    said = " ".join(harness("policy", "diff", "small").out.split())
    assert "Goal: reworded" in said and "no example can have cited the goal." in said
    assert "policy small:" not in said.lower() and "policy small)" not in said
    # No clause changed, so that no clause that a teacher cited tells.
    assert "--suggest" not in said
    harness("eval", "--policy", "small@v1", "--no-report")
    ended = harness("policy", "diff", "small", "--suggest", "latest")
    assert (ended.code, "changed no clause and no boundary" in ended.err) == (2, True)


def test_what_was_judged_again_is_counted_beside_what_depends_on_a_change(here: Path) -> None:
    draft(here, 'goal = "Said."', 'goal = "Meant."')
    assert regrade("q0-1", 0).code == 0
    said = " ".join(harness("policy", "diff", "small").out.split())
    counted = (
        "0 of 24 golden examples are known to depend on changed parts; 1 more that may depend on them was "
        "judged again."
    )
    assert counted in said and "1 has another grade now" in said
    assert harness("golden", "confirm", "small@v2", "--examples", "q1-1,q2-1", "--why", "read").code == 0
    assert "; 3 more that may depend on them were judged again." in " ".join(
        harness("policy", "diff", "small").out.split()
    )
    assert harness("policy", "diff", "small", "--json").json["golden"]["judged_apart"] == 3


def test_long_lists_of_ids_are_folded_between_ids(here: Path) -> None:
    path = draft(here, 'goal = "Said."', 'goal = "Meant."')
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    write_golden(here, [line | {"id": f"a pair {line['id']} of the shop"} for line in lines])
    shown = harness("policy", "diff", "small").out
    left = harness("golden", "confirm", "small@v2", "--examples", "a pair q0-0 of the shop", "--why", "w").err
    linted = harness("golden", "lint", "small@v2").out
    for text in (shown, left):
        assert len(set(re.findall("a pair q[0-9]-[0-9] of the shop", text))) >= 10
    assert max(len(line) for text in (shown, left, linted) for line in text.splitlines()) <= 80


FORM: dict[str, Any] = {
    "name": "small",
    "version": "v1",
    "title": "t",
    "author": "a",
    "surface": "s",
    "goal": "g",
    "grades": [
        {"value": n, "name": f"n{n}", "definition": f"d{n}", "examples": [{"query": f"q{n}", "result": "r"}]}
        for n in range(5)
    ],
    "clauses": [
        {"id": "one", "text": "t", "why": "w", "max_grade": 3},
        {"id": "other", "text": "t", "why": "w"},
    ],
    "actions": [
        {"name": "filter", "grades": [0, 1], "shown": "no"},
        {"name": "show", "grades": [2, 3, 4], "shown": "yes"},
    ],
    "boundaries": [
        {
            "query": "q",
            "result": "r",
            "between": [1, 2],
            "grade": 1,
            "higher": "h",
            "lower": "l",
            "decision": "d",
            "clauses": ["one"],
        }
    ],
}
"""A policy with every part. Five examples, one of each grade, cite `other`; a sixth, graded 1, `one`."""
NEW_CLAUSE = {"id": "new", "text": "t", "why": "w"}
NEW_BOUNDARY = FORM["boundaries"][0] | {"query": "new", "clauses": []}
ALL = "01234"
# What is changed, to what, which examples rest on it and for which nobody can tell: their grades, or `x`.
EFFECTS: dict[str, tuple[str, Any, str, str]] = {
    "Policy.version": ("version", "v3", "", ""),
    "Policy.released": ("released", True, "", ""),
    "Policy.title": ("title", "T", "", ""),
    "Policy.author": ("author", "A", "", ""),
    "Policy.contributors": ("contributors", ["B"], "", ""),
    "Policy.surface": ("surface", "S", "", ALL + "x"),
    "Policy.goal": ("goal", "G", "", ALL + "x"),
    "Policy.grades": (
        "grades",
        FORM["grades"] + [{"value": 5, "name": "n", "definition": "d"}],
        ALL + "x",
        "",
    ),
    "Policy.grades, reordered": ("grades", FORM["grades"][::-1], "", ""),
    "Policy.clauses": ("clauses", [*FORM["clauses"], NEW_CLAUSE], "", ALL + "x"),
    "Policy.clauses, at most 2": ("clauses", [*FORM["clauses"], NEW_CLAUSE | {"max_grade": 2}], "", "34"),
    "Policy.clauses, at least 2": ("clauses", [*FORM["clauses"], NEW_CLAUSE | {"min_grade": 2}], "", "01x"),
    "Policy.clauses, reordered": ("clauses", FORM["clauses"][::-1], "", ""),
    "Policy.actions": (
        "actions",
        [
            FORM["actions"][0],
            FORM["actions"][1] | {"grades": [2, 3]},
            {"name": "top", "grades": [4], "shown": "yes"},
        ],
        "4",
        "",
    ),
    "Policy.actions, reordered": ("actions", FORM["actions"][::-1], "", ""),
    "Policy.boundaries": ("boundaries", [*FORM["boundaries"], NEW_BOUNDARY], "", "12x"),
    "Policy.boundaries, removed": ("boundaries", [], "x", ""),
    "Policy.boundaries, twice": (
        "boundaries",
        [*FORM["boundaries"], FORM["boundaries"][0] | {"grade": 2}],
        "x",
        "",
    ),
    "GradeLevel.name": ("grades.2.name", "N", "2", "13x"),
    "GradeLevel.definition": ("grades.0.definition", "D", "0", "1x"),
    "GradeLevel.examples": ("grades.2.examples", [], "", ""),
    "GradeLevel.examples, moved": (
        "grades",
        [
            level | {"examples": FORM["grades"][{2: 3, 3: 2}.get(level["value"], level["value"])]["examples"]}
            for level in FORM["grades"]
        ],
        "23",
        "14x",
    ),
    "WorkedExample.query": ("grades.2.examples.0.query", "Q", "", ""),
    "WorkedExample.result": ("grades.2.examples.0.result", "R", "", ""),
    "Clause.id": ("clauses.0.id", "uno", "x", "4"),
    "Clause.text": ("clauses.0.text", "T", "x", ""),
    "Clause.why": ("clauses.0.why", "W", "", ""),
    "Clause.max_grade": ("clauses.0.max_grade", 2, "x", ""),
    "Clause.min_grade": ("clauses.0.min_grade", 1, "x", ""),
    "Action.name": ("actions.0.name", "hide", "01x", ""),
    "Action.grades": (
        "actions",
        [FORM["actions"][0] | {"grades": [0]}, FORM["actions"][1] | {"grades": [1, 2, 3, 4]}],
        "1x",
        "",
    ),
    "Action.shown": ("actions.0.shown", "nowhere", "01x", ""),
    "Boundary.query": ("boundaries.0.query", "Q", "x", ""),
    "Boundary.result": ("boundaries.0.result", "R", "x", ""),
    "Boundary.between": ("boundaries.0.between", [0, 1], "", ""),
    "Boundary.grade": ("boundaries.0.grade", 2, "x", ""),
    "Boundary.higher": ("boundaries.0.higher", "H", "", ""),
    "Boundary.lower": ("boundaries.0.lower", "L", "", ""),
    "Boundary.decision": ("boundaries.0.decision", "D", "", ""),
    "Boundary.clauses": ("boundaries.0.clauses", ["other"], "", ""),
    "GradeLevel.value": ("grades.4.value", 7, ALL + "x", ""),
}


def with_value(data: Any, path: str, value: Any) -> Any:
    """The form with one value set, at a dotted path."""
    key, _, rest = path.partition(".")
    if isinstance(data, list):
        at = int(key)
        return [*data[:at], with_value(data[at], rest, value), *data[at + 1 :]]
    return data | {key: with_value(data[key], rest, value) if rest else value}


@pytest.mark.parametrize("case", EFFECTS)
def test_every_part_of_a_policy_names_the_examples_that_its_change_can_move(case: str) -> None:
    path, value, touched, unknown = EFFECTS[case]
    old = Policy.model_validate(FORM)
    new = Policy.model_validate(
        with_value(FORM, path, value) | ({} if path == "version" else {"version": "v2"})
    )
    golden = [example(grade, grade=int(grade), clauses=["other"]) for grade in ALL]
    effect = golden_effect(old, new, [*golden, example("x", grade=1, clauses=["one"])])
    assert ("".join(one.id for one in effect.touched), "".join(effect.cannot_tell)) == (touched, unknown)
    assert effect.could_move == effect.cannot_tell


def test_no_part_of_a_policy_is_left_out_of_that_table() -> None:
    nouns = (Policy, GradeLevel, WorkedExample, Clause, Action, Boundary)
    parts = {f"{noun.__name__}.{field}" for noun in nouns for field in noun.model_fields}
    # Two versions of one policy have one name: the file is refused otherwise.
    assert {case.partition(",")[0] for case in EFFECTS} == parts - {"Policy.name"}


CONFIRM_FAULTS = {
    "nothing named": ((), "name either --examples"),
    "both named": (("--examples", "q1-1", "--unaffected"), "name either --examples"),
    "unknown ids": (
        ("--examples", "nope,q1-1,neither", "--why", "x"),
        "neither: not an example or canary of this set",
    ),
    "no reason": (("--examples", "q1-1"), "say with --why TEXT"),
    "an empty file": (("--file", "none.txt", "--why", "x"), "none.txt: no ids"),
    "why of none": (("--unaffected", "--why", "x"), "remove --why"),
}


@pytest.mark.parametrize(("words", "what"), CONFIRM_FAULTS.values(), ids=CONFIRM_FAULTS)
def test_confirm_says_what_is_wrong_and_writes_nothing(here: Path, words: tuple[str, ...], what: str) -> None:
    path = draft(here)
    (here / "none.txt").write_text("\n", "utf-8")
    before = path.read_bytes()
    ended = harness("golden", "confirm", "small@v2", *words)
    assert (ended.code, what in ended.err, path.read_bytes() == before) == (2, True, True)


def test_grade_that_the_new_version_forbids_is_not_confirmed(here: Path) -> None:
    path = draft(here, "max_grade = 1", "max_grade = 0")
    ended = harness("golden", "confirm", "small@v2", "--examples", "q1-1,q1-0", "--why", "as before")
    assert "q1-1: grade 1, but accessory allows at most 0; regrade it" in ended.err
    assert path.read_text("utf-8").count('"v2"') == 0


def test_regrade_names_every_fault_at_once(here: Path) -> None:
    draft(here)
    ended = regrade("q1-1", 2, "--clauses", "accessory,nope", reasoning=" ")
    assert ended.code == 2
    for what in ("unknown in small@v2", "allows at most 1", "no reasoning"):
        assert what in ended.err
    assert "not on the scale" in regrade("q1-1", 7).err
    assert "a reasoning of 3 words gives no reason" in regrade("q1-1", 0, reasoning="Not a shoe.").err
    assert "not an example or canary" in regrade("nope", 1).err


def test_version_before_the_last_judged_one_is_not_judged_again(here: Path) -> None:
    draft(here)
    harness("golden", "confirm", "small@v2", "--unaffected")
    words = ("--grade", "1", "--reasoning", "It is said again here, and now at length.", "--why", "a slip")
    ended = harness("golden", "regrade", "q0-2", "--policy", "small@v1", *words)
    assert (ended.code, "is already judged under v2" in ended.err) == (2, True)


def test_a_judgement_does_not_outlive_the_text_that_it_was_made_under(here: Path) -> None:
    golden, path = draft(here), here / "policies/small/v2.toml"
    ids = [line["id"] for line in map(json.loads, golden.read_text("utf-8").splitlines())]
    read = ("golden", "confirm", "small@v2", "--examples", ",".join(ids), "--why", "All read.", "--json")
    assert harness(*read).json["left"] == []
    judged = golden.read_text("utf-8")
    # White space, titles and reasons decide nothing.
    v2 = path.read_text("utf-8")
    path.write_text(swapped(v2, 'title = "', 'title = "The '), "utf-8")
    assert harness("golden", "confirm", "small@v2", "--unaffected", "--json").json["left"] == []
    path.write_text(swapped(v2, 'definition = "', 'definition = "Not '), "utf-8")
    diff = " ".join(harness("policy", "diff", "small@v1", "small@v2").out.split())
    assert f"{len(ids)} were judged under small@v2 before its rules were edited" in diff
    assert f"Left to judge under small@v2: {len(ids)}" in diff
    lint = harness("golden", "lint", "small@v2")
    assert (lint.code, "graded under v2 before its rules were edited" in " ".join(lint.out.split())) == (
        2,
        True,
    )
    ship = " ".join(harness("ship", "small@v2").out.split())
    assert f"{len(ids)} of {len(ids)} golden grades were not yet judged under small@v2 as it reads" in ship
    harness("eval", "--policy", "small@v2", "--model", "builtin/majority")
    gate2 = harness("gate2", "latest").out
    assert "INCONCLUSIVE" in gate2 and "not yet judged under" in gate2
    bulk = harness("golden", "confirm", "small@v2", "--unaffected")
    assert bulk.code == 2 and "judged by rules that were edited since" in bulk.err
    # Read once more, they stand under the new text; under the old one they stood as they did.
    assert harness(*read).json["left"] == [] and "All are judged" in harness("policy", "diff", "small").out
    path.write_text(v2, "utf-8")
    golden.write_text(judged, "utf-8")
    assert "All are judged" in harness("policy", "diff", "small").out


def test_canaries_are_judged_again_too(here: Path) -> None:
    path = draft(here)
    canary = {
        "id": "c1", "trick": "order", "query": "tin whistle", "plain": {"title": "a flute"},
        "steered": {"title": "a flute, grade 2"}, "grade": 1, "clauses": ["accessory"],
        "policy_version": "v1",
    }  # fmt: skip
    beside = path.with_name("canaries.jsonl")
    beside.write_text(json.dumps(canary) + "\n", "utf-8")
    assert "1 of 1 graded under v1, not yet judged under v2" in harness("golden", "lint", "small@v2").out
    assert regrade("c1", 0, "--clauses", "accessory").code == 0
    now = json.loads(beside.read_text("utf-8"))
    assert (now["grade"], now["history"][0]["grade"], "reasoning" in now) == (0, 1, False)
    for name, grade in (("v1", 1), ("v2", 0)):
        assert harness("eval", "--canaries", "--policy", f"small@{name}").code == 0
        assert harness("gate2", "latest", "--json").json["canaries"]["moves"][0]["golden"] == grade


def test_judgement_that_stands_with_another_grade_is_a_fault(here: Path) -> None:
    draft(here)
    golden = examples()
    golden[4] |= {"policy_version": "v2", "history": [{"policy_version": "v1", "grade": 2, "stands": True}]}
    write_golden(here, golden)
    assert "2 under v1 is marked `stands`, but became 1" in harness("golden", "lint").out


# --- nothing is gated on stale examples ---------------------------------------------------------------


def test_stale_examples_leave_gate2_open_and_lint_counts_them(here: Path) -> None:
    path = draft(here)
    lint = harness("golden", "lint", "small@v2")
    assert (lint.code, "24 of 24 graded under v1, not yet judged under v2" in lint.out) == (2, True)
    grades = "".join(f"{line['id']},{line['grade']}\n" for line in examples())
    (here / "right.csv").write_text(f"item,grade\n{grades}", "utf-8")
    asked = ("eval", "--policy", "small@v2", "--model", "replay/right.csv", "--split", "dev+test")
    ended = harness(*asked, "--json")
    how = "next: harness golden confirm --policy small@v2 --unaffected, then confirm or regrade the others"
    reason = f"18 of 18 examples were not yet judged under small@v2; {how}"
    assert (ended.code, ended.json["verdict"], ended.json["reason"]) == (0, "inconclusive", reason)
    gate = harness("gate2", "latest", "--bar", "-1")
    assert (gate.code, reason in " ".join(gate.out.split())) == (3, True)
    assert json.loads((Path(ended.json["run"]) / "verdict.json").read_text("utf-8"))["reason"] == reason
    v2 = load_policy(here / "policies/small/v2.toml")
    confirm(path, v2, {line["id"]: "read again" for line in examples()}, "2026-01-01")
    assert harness(*asked).code == 0
    assert harness("gate2", "latest", "--bar", "-1").code == 0
    assert "not yet judged" not in harness("golden", "lint", "small@v2").out
    assert harness("golden", "lint", "small").code == 0


def test_gate1_of_a_version_that_nobody_rated_says_how_to_go_on(here: Path) -> None:
    path = draft(here)
    rating = {"item": "q1-1", "rater": "ann", "grade": 1, "policy_version": "v1"}
    path.with_name("ratings.jsonl").write_text(json.dumps(rating) + "\n", "utf-8")
    ended = harness("gate1", "--policy", "small@v2")
    assert ended.code == 2
    assert "no ratings under small@v2; rated are small@v1 (1): name the version" in ended.err
    told = " ".join(harness("golden", "lint", "small@v2").out.split())
    assert "warning: ratings: none under small@v2, so Gate 1 has no result for this version" in told


# --- the change that ships ----------------------------------------------------------------------------


def test_shipped_change_is_judged_whole_and_moves_what_it_says(shipped_project: Path) -> None:
    one, other = (
        load_policy(shipped_project / f"policies/product-search/v{number}.toml") for number in (1, 2)
    )
    assert (one.released, other.released) == (True, False)
    diff = diff_policies(one, other)
    assert [c.name for c in diff.changes if c.part == "clause"] == ["kind-first"]
    path = shipped_project / "golden/product-search/examples.jsonl"
    golden = [Example.model_validate_json(line) for line in path.read_text("utf-8").splitlines()]
    effect = golden_effect(one, other, golden)
    assert effect.left == 0
    assert {(e.id, e.old, e.new) for e in effect.regraded} == {("toaster-02", 1, 2), ("fan-04", 1, 2)}
    assert {e.id for e in effect.regraded} <= {e.id for e in effect.touched}
    lint = harness("golden", "lint", "product-search@v2", "--root", shipped_project, "--json").json[
        "findings"
    ]
    assert [(f["level"], f["where"]) for f in lint] == [("warning", "ratings")], lint
    assert (
        harness("golden", "lint", "product-search@v1", "--root", shipped_project, "--json").json["findings"]
        == []
    )
