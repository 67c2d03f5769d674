"""Disputes and decisions: which come first, what a decision writes, and what a kill leaves."""

import json
import os
import signal
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from builders import CLAUSE, example, harness, policy, policy_text
from disputing import (
    AUTHOR,
    RATERS,
    WHY,
    adjudicated,
    decision,
    disputes_of,
    disputing,
    example_of,
    line_of,
    policy_of,
)
from forked import forked

from harness.errors import BadInput
from harness.golden.rating.deciding import PENDING, Decision, Overtaken, decide, mend
from harness.golden.rating.disputes import find_disputes
from harness.nouns.pair import Rating, Unrated
from harness.policy.drafts import names_pair
from harness.policy.lint import unfinished
from harness.policy.load import load_policy
from harness.storage.project import Project
from harness.storage.versions import as_draft

LATER = replace(AUTHOR, at="2026-11-30T10:00:00+00:00")


def rating(item: str, rater: str, grade: int, repeat: int = 0) -> Rating:
    return Rating(item=item, rater=rater, grade=grade, repeat=repeat)


# --- which disputes there are ------------------------------------------------------------------------


def test_disputes_that_change_an_action_come_first_then_the_widest_then_the_most_raters() -> None:
    judged_by = policy(grades=(0, 1, 2, 3))  # 0 and 1 are filtered, 2 and 3 shown
    golden = [
        example(name, grade=grade) for name, grade in (("a", 0), ("b", 2), ("c", 1), ("d", 3), ("e", 2))
    ]
    ratings = [
        rating("a", "x", 1),
        rating("b", "x", 1),
        rating("c", "x", 3),
        rating("d", "x", 2),
        rating("d", "y", 3),
        rating("e", "x", 2),
    ]
    found = find_disputes(judged_by, golden, ratings)
    assert [one.example.id for one in found] == ["c", "b", "d", "a"]
    assert [one.moves_action for one in found] == [True, True, False, False]
    assert [one.distance for one in found] == [2, 1, 1, 1]


def test_agreement_with_the_golden_grade_is_no_dispute_and_agreement_against_it_is_one() -> None:
    golden = [example("a", grade=1), example("b", grade=1)]
    ratings = [rating(item, rater, grade) for item, grade in (("a", 1), ("b", 2)) for rater in "xy"]
    (found,) = find_disputes(policy(), golden, ratings)
    assert found.example.id == "b" and found.grades == (1, 2, 2)


def test_pair_that_a_rater_could_not_grade_is_a_dispute_and_nothing_becomes_a_grade() -> None:
    could_not = Unrated(item="a", rater="y", cannot="policy_silent", reasoning="No clause speaks of it.")
    (found,) = find_disputes(policy(), [example("a")], [rating("a", "x", 1)], [could_not])
    assert found.grades == (1, 1) and found.ungraded == 1
    assert [side.cannot for side in found.sides if side.grade is None] == ["policy_silent"]
    assert (found.moves_action, found.distance) == (False, 0)


def test_first_rating_of_a_rater_counts_as_in_gate_1() -> None:
    ratings = [rating("a", "x", 2, repeat=1), rating("a", "x", 1)]
    assert find_disputes(policy(), [example("a", grade=1)], ratings) == []
    could_not = Unrated(item="a", rater="x", cannot="policy_silent")
    (found,) = find_disputes(policy(), [example("a", grade=1)], ratings[:1], [could_not])
    assert (found.grades, found.ungraded) == ((1,), 1)


def test_letters_stand_for_nobody_on_several_pairs() -> None:
    golden = [example(str(number), grade=1) for number in range(60)]
    ratings = [rating(one.id, rater, grade) for one in golden for rater, grade in (("x", 0), ("y", 2))]
    found = find_disputes(policy(), golden, ratings)
    orders = {tuple(side.grade for side in one.sides) for one in found}
    assert len(orders) == 6
    assert all([side.letter for side in one.sides] == ["A", "B", "C"] for one in found)
    assert found == find_disputes(policy(), golden, ratings), "the same letters after a restart"


# --- what a decision writes --------------------------------------------------------------------------


@pytest.fixture
def project(here: Path) -> Project:
    return disputing(here)


def first_of(project: Project) -> str:
    return disputes_of(project)[0].example.id


def test_decision_writes_a_line_and_the_golden_example_with_its_history(project: Project) -> None:
    item = first_of(project)
    was = line_of(project, item)
    said = decision(grade=1, note="Raters took the case for the phone.")
    made = decide(project, policy_of(project), item, said, AUTHOR)
    (line,) = adjudicated(project)
    assert line == json.loads(made.model_dump_json(exclude_defaults=True))
    assert (line["item"], line["grade"], line["golden"]) == (item, 1, was["grade"])
    assert (line["cause"], line["decided_by"], line["at"]) == ("raters_slip", "Said.", AUTHOR.at)
    now = line_of(project, item)
    assert (now["grade"], now["reasoning"], now["clauses"]) == (1, WHY, ["accessory"])
    (past,) = now["history"]
    assert (past["grade"], past["reasoning"]) == (was["grade"], was["reasoning"])
    assert past["why"] == "adjudicated: Raters took the case for the phone."
    assert not (project.root / "golden/small" / PENDING).exists()
    assert harness("golden", "lint", "small", "--root", project.root).code == 0


def test_lines_of_other_people_stay_as_they_are(project: Project) -> None:
    path = project.root / "golden/small/adjudications.jsonl"
    old = '{"item": "q1-1",   "policy_version": "v0", "grade": 1, "reason": "By hand."}'
    path.write_text(old, encoding="utf-8")  # and no end of line
    decide(project, policy_of(project), first_of(project), decision(), AUTHOR)
    assert path.read_text(encoding="utf-8").splitlines()[0] == old
    assert len(adjudicated(project)) == 2


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"grade": 9}, "9 is not on the scale"),
        ({"grade": 2}, "accessory allows at most 1"),
        ({"reasoning": " "}, "no reasoning"),
        ({"reasoning": "Too short."}, "gives no reason"),
        ({"clauses": ["nope"]}, "cites the clause 'nope'"),
        ({"unclear": "accessory"}, "belong to a policy gap"),
        ({"wording": "Say this."}, "belong to a policy gap"),
        ({"cause": "policy_gap", "unclear": "nope"}, "no clause 'nope'"),
        ({"cause": "policy_gap", "wording": "Of a RED shoe, say 1."}, "give a graded pair away"),
    ],
)
def test_decision_that_cannot_stand_writes_nothing(
    project: Project, changes: dict[str, object], what: str
) -> None:
    item = next(one.example.id for one in disputes_of(project) if one.example.query == "red shoe")
    before = content(project)
    with pytest.raises(BadInput) as refused:
        decide(project, policy_of(project), item, decision(**changes), AUTHOR)
    assert what in str(refused.value)
    assert content(project) == before


def test_unknown_item_and_canary_are_refused(project: Project) -> None:
    with pytest.raises(BadInput, match="nobody: not an example"):
        decide(project, policy_of(project), "nobody", decision(), AUTHOR)


def test_all_faults_of_a_decision_are_told_at_once(project: Project) -> None:
    with pytest.raises(BadInput) as refused:
        decide(
            project,
            policy_of(project),
            first_of(project),
            decision(grade=9, reasoning="", wording="x"),
            AUTHOR,
        )
    assert len(refused.value.faults) == 3


def content(project: Project) -> dict[str, bytes]:
    files = [path for path in project.root.rglob("*") if path.is_file() and path.suffix != ".lock"]
    return {str(path): path.read_bytes() for path in files}


# --- twice, meanwhile, again -------------------------------------------------------------------------


def test_decision_that_is_sent_twice_is_recorded_once(project: Project) -> None:
    item = first_of(project)
    first = decide(project, policy_of(project), item, decision(), AUTHOR)
    before = content(project)
    assert decide(project, policy_of(project), item, decision(), LATER) == first
    assert content(project) == before


def test_decision_on_a_dispute_that_was_decided_meanwhile_is_refused_with_what_was_decided(
    project: Project,
) -> None:
    item = first_of(project)
    first = decide(project, policy_of(project), item, decision(), AUTHOR)
    with pytest.raises(Overtaken, match="was decided as 1 by Said") as refused:
        decide(project, policy_of(project), item, decision(id="decision-2", grade=0), LATER)
    assert refused.value.now == first
    assert line_of(project, item)["grade"] == 1


def test_reopened_decision_supersedes_and_history_keeps_all(project: Project) -> None:
    item = first_of(project)
    golden = line_of(project, item)["grade"]
    first = decide(project, policy_of(project), item, decision(), AUTHOR)
    again = decision(id="decision-2", seen=first.key, grade=0, cause="edge_case")
    second = decide(project, policy_of(project), item, again, LATER)
    assert (second.supersedes, second.golden) == (first.key, 1)
    assert [line["grade"] for line in adjudicated(project)] == [1, 0]
    assert [past["grade"] for past in line_of(project, item)["history"]] == [golden, 1]
    assert harness("golden", "lint", "small", "--root", project.root).code == 0
    (found,) = [one for one in disputes_of(project) if one.example.id == item]
    assert found.decisions == (first, second)
    assert [side.grade for side in found.sides if side.golden] == [golden], "the grade that was disputed"


def test_decision_that_leaves_everything_as_it_is_shows_the_grade_that_was_disputed(project: Project) -> None:
    item = first_of(project)
    was = line_of(project, item)
    words = ("golden", "regrade", item, "--policy", "small@v1", "--grade", "0", "--clauses", "accessory")
    root = ("--root", project.root)
    assert harness(*words, "--reasoning", WHY, "--why", "Read again.", *root).code == 0
    said = decision(grade=0, reasoning=WHY, clauses=["accessory"])
    decide(project, policy_of(project), item, said, AUTHOR)
    assert len(line_of(project, item)["history"]) == 1, "nothing was added"
    (found,) = [one for one in disputes_of(project) if one.example.id == item]
    assert was["grade"] != 0 and [side.grade for side in found.sides if side.golden] == [0]


def test_decision_about_a_version_that_is_not_the_latest_corrects_its_entry_alone(project: Project) -> None:
    item = first_of(project)
    v1 = (project.root / "policies/small/v1.toml").read_text(encoding="utf-8")
    (project.root / "policies/small/v2.toml").write_text(v1.replace('"v1"', '"v2"'), encoding="utf-8")
    words = ("golden", "confirm", "--policy", "small@v2", "--examples", item, "--why", "Read again.")
    assert harness(*words, "--root", project.root).code == 0
    was = line_of(project, item)
    decide(project, policy_of(project), item, decision(grade=1), AUTHOR)
    now = line_of(project, item)
    assert {key: now[key] for key in now if key != "history"} == {k: was[k] for k in was if k != "history"}
    old, corrected = now["history"]
    assert (old["grade"], old["reasoning"]) == (was["grade"], was["reasoning"]) and "stands" not in old
    assert (corrected["grade"], corrected["reasoning"], corrected["why"]) == (1, WHY, "Read again.")
    assert old["why"].startswith("adjudicated: ")
    for version in ("v1", "v2"):
        found = harness("golden", "lint", f"small@{version}", "--root", project.root, "--json").json[
            "findings"
        ]
        assert [one["what"] for one in found if one["where"] == item and one["level"] == "error"] == []
    before = content(project)
    assert decide(project, policy_of(project), item, decision(), LATER).at == AUTHOR.at
    assert content(project) == before
    assert [example_of(one).grade for one in disputes_of(project) if one.example.id == item] == [1]


def test_example_that_was_never_judged_under_the_version_gets_an_entry_before_the_later_one(
    project: Project,
) -> None:
    item = first_of(project)
    path = project.root / "golden/small/examples.jsonl"
    lines = [json.loads(text) for text in path.read_text(encoding="utf-8").splitlines()]
    was = next(one for one in lines if one["id"] == item)
    later = {"policy_version": "v3", "grade": 2, "changed_at": "2026-11-02", "why": "Then."}
    was |= {"policy_version": "v4", "history": [later]}
    path.write_text("".join(json.dumps(one) + "\n" for one in lines), encoding="utf-8")
    decide(project, policy_of(project), item, decision(), AUTHOR)
    made, then = line_of(project, item)["history"]
    assert then == later
    assert (made["policy_version"], made["grade"], made["changed_at"]) == ("v1", 1, "2026-11-29")


def test_decisions_at_once_are_all_kept(project: Project) -> None:
    items = [one.example.id for one in disputes_of(project)]
    judged_by = policy_of(project)

    def one(number: int) -> str:
        said = decision(id=f"decision-{number}", cause="policy_gap", wording=f"Rule {number}.")
        return decide(project, judged_by, items[number], said, AUTHOR).item

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(one, range(len(items)))) == items
    assert sorted(line["item"] for line in adjudicated(project)) == sorted(items)
    assert all(line_of(project, item)["grade"] == 1 for item in items)
    drafts = [one.id for one in policy_of(project, "small@v2").clauses[2:]]
    assert drafts == [f"draft-{number}" for number in range(1, len(items) + 1)]


# --- the teacher -------------------------------------------------------------------------------------


def test_teacher_who_agrees_is_kept_and_asks_for_no_second_look(project: Project) -> None:
    item = first_of(project)
    made = decide(project, policy_of(project), item, decision(), replace(AUTHOR, run="r", teacher=1))
    assert (made.run, made.teacher, made.first_grade, made.second_look) == ("r", 1, 1, None)
    (found,) = [one for one in disputes_of(project) if one.example.id == item]
    assert not found.second_look("r", 1)


@pytest.mark.parametrize(("grade", "look"), [(1, "kept"), (0, "changed")])
def test_second_look_keeps_both_grades(project: Project, grade: int, look: str) -> None:
    item, by = first_of(project), replace(AUTHOR, run="r", teacher=0)
    first = decide(project, policy_of(project), item, decision(), by)
    assert (first.teacher, first.first_grade, first.second_look) == (0, 1, None)
    (found,) = [one for one in disputes_of(project) if one.example.id == item]
    assert found.second_look("r", 0)
    again = decision(id="decision-2", seen=first.key, grade=grade)
    second = decide(project, policy_of(project), item, again, by)
    assert (second.teacher, second.first_grade, second.grade, second.second_look) == (0, 1, grade, look)
    (found,) = [one for one in disputes_of(project) if one.example.id == item]
    assert not found.second_look("r", 0)
    third = decide(project, policy_of(project), item, decision(id="decision-3", seen=second.key, grade=1), by)
    assert (third.first_grade, third.second_look) == (1, "kept"), "the grade before the teacher was seen"


def test_decision_reopened_after_a_teacher_who_agreed_is_no_second_look(project: Project) -> None:
    item, by = first_of(project), replace(AUTHOR, run="r", teacher=1)
    first = decide(project, policy_of(project), item, decision(), by)
    again = decision(id="decision-2", seen=first.key, grade=0)
    second = decide(project, policy_of(project), item, again, by)
    assert (second.first_grade, second.second_look) == (1, None)


def test_another_run_is_looked_at_against_the_decision_that_stands(project: Project) -> None:
    item = first_of(project)
    first = decide(project, policy_of(project), item, decision(), replace(AUTHOR, run="r", teacher=1))
    (found,) = [one for one in disputes_of(project) if one.example.id == item]
    assert found.second_look("s", 0) and not found.second_look("s", 1) and not found.second_look("s", None)
    by = replace(LATER, run="s", teacher=0)
    second = decide(project, policy_of(project), item, decision(id="decision-2", seen=first.key), by)
    assert (second.run, second.first_grade, second.second_look) == ("s", 1, "kept")


# --- a gap opens a draft clause ----------------------------------------------------------------------


def release(project: Project) -> str:
    path = project.root / "policies/small/v1.toml"
    text = path.read_text(encoding="utf-8").replace(
        'version = "v1"', 'version = "v1"  # one\nreleased = true'
    )
    path.write_text(text, encoding="utf-8")
    return text


def gap(number: int, **changes: object) -> Decision:
    return decision(id=f"decision-{number}", cause="policy_gap", **changes)


def test_policy_gap_opens_a_draft_version_with_a_clause_to_be_worded(project: Project) -> None:
    text = release(project)
    item = first_of(project)
    said = decision(cause="policy_gap", unclear="accessory", wording='Say "made for"\nor 1.')
    made = decide(project, policy_of(project), item, said, AUTHOR)
    assert made.unclear == ("accessory",) and made.opened is not None
    assert (project.root / "policies/small/v1.toml").read_text(encoding="utf-8") == text
    draft = (project.root / "policies/small/v2.toml").read_text(encoding="utf-8")
    head, _, added = draft.partition(f"\n# Opened by the adjudication of {item} under v1, 2026-11-29.\n")
    assert head.strip() == text.replace('"v1"', '"v2"').replace("released = true", "released = false").strip()
    assert tomllib.loads(added) == {
        "clauses": [
            {
                "id": "draft-accessory",
                "text": 'TODO: Say "made for" or 1.',
                "why": "Raters disagreed where the clause accessory left it open "
                "(adjudicated on 2026-11-29).",
            }
        ]
    }
    loaded = load_policy(project.root / "policies/small/v2.toml")
    assert unfinished(loaded) == ["clauses, draft-accessory: a draft that begins with TODO:; word it"]
    assert harness("policy", "lint", "small@v2", "--root", project.root).code == 2
    for rater in RATERS:
        assert rater not in draft


def test_gaps_share_the_open_draft_and_a_clause_unless_they_are_worded(project: Project) -> None:
    release(project)
    items = [one.example.id for one in disputes_of(project)]
    said: tuple[dict[str, object], ...] = (
        {"unclear": "accessory"},
        {"unclear": "accessory"},
        {"unclear": "accessory", "wording": "Another thing."},
        {},
        {"wording": "A third thing."},
    )
    opened = []
    for number, changes in enumerate(said):
        made = decide(project, policy_of(project), items[number], gap(number, **changes), AUTHOR)
        assert made.opened is not None
        opened.append((made.opened.version, made.opened.id))
    assert opened == [
        ("v2", "draft-accessory"),
        ("v2", "draft-accessory"),
        ("v2", "draft-accessory-2"),
        ("v2", "draft-1"),
        ("v2", "draft-2"),
    ]
    loaded = load_policy(project.root / "policies/small/v2.toml")
    assert [one.id for one in loaded.clauses] == [
        "accessory",
        "plain",
        *dict.fromkeys(id_ for _, id_ in opened),
    ]


def test_gap_without_a_wording_takes_the_clause_that_is_open_and_worded(project: Project) -> None:
    items = [one.example.id for one in disputes_of(project)]
    for number, wording in enumerate(("A rule.", "")):
        said = gap(number, unclear="accessory", wording=wording)
        made = decide(project, policy_of(project), items[number], said, AUTHOR)
        assert made.opened is not None
        assert (made.opened.id, made.opened.text) == ("draft-accessory", "TODO: A rule.")


def test_reopened_gap_with_another_wording_opens_another_clause(project: Project) -> None:
    item = first_of(project)
    first = decide(project, policy_of(project), item, gap(1, unclear="accessory", wording="A rule."), AUTHOR)
    said = gap(2, unclear="accessory", wording="Another rule.", seen=first.key)
    made = decide(project, policy_of(project), item, said, LATER)
    assert made.opened is not None and made.opened.id == "draft-accessory-2"


@pytest.mark.parametrize(
    ("wording", "gives_away"),
    [
        ("Of a Red  Shoe, say 1.", True),
        ("The Bolt 3 is at most 1.", True),
        ("A shoe that is red is at most 1.", False),
        ("Of redder shoes say 1.", False),
    ],
)
def test_wording_with_the_whole_query_or_title_gives_the_pair_away(wording: str, gives_away: bool) -> None:
    assert names_pair(wording, "red shoe", "bolt 3") is gives_away
    assert not names_pair(wording, "shoe", "shoes"), "one word names no pair"


def test_reopened_gap_does_not_open_again_what_its_author_dropped(project: Project) -> None:
    release(project)
    item = first_of(project)
    first = decide(project, policy_of(project), item, gap(1, unclear="accessory"), AUTHOR)
    draft = project.root / "policies/small/v2.toml"
    worded = draft.read_text(encoding="utf-8").partition("\n# Opened")[0] + "\n"
    draft.write_text(worded, encoding="utf-8")
    again = gap(2, unclear="accessory", seen=first.key, grade=0)
    assert decide(project, policy_of(project), item, again, LATER).opened is None
    assert draft.read_text(encoding="utf-8") == worded


def test_released_next_version_stays_and_the_draft_is_the_one_after_it(project: Project) -> None:
    v2 = release(project).replace('"v1"', '"v2"')
    (project.root / "policies/small/v2.toml").write_text(v2, encoding="utf-8")
    made = decide(project, policy_of(project), first_of(project), gap(1), AUTHOR)
    assert made.opened is not None and made.opened.version == "v3"
    assert (project.root / "policies/small/v2.toml").read_text(encoding="utf-8") == v2
    assert load_policy(project.root / "policies/small/v3.toml").released is False


def test_draft_that_cannot_be_made_is_refused_before_anything_is_written(project: Project) -> None:
    path = project.root / "policies/small/v1.toml"
    text = path.read_text(encoding="utf-8").replace(CLAUSE, "")
    path.write_text(f'clauses = [{{ id = "accessory", text = "t", why = "w" }}]\n{text}', encoding="utf-8")
    before = content(project)
    with pytest.raises(BadInput, match=r"write its clauses as \[\[clauses\]\]"):
        decide(project, policy_of(project), first_of(project), gap(1), AUTHOR)
    assert content(project) == before


def test_copy_of_a_policy_changes_two_values_and_no_line_that_looks_like_them(tmp_path: Path) -> None:
    text = policy_text(clauses='\n[[clauses]]\nid = "a"\ntext = """\nversion = "v1"\n"""\nwhy = "w"\n')
    made = as_draft(text, tmp_path / "v1.toml", version="v7")
    assert tomllib.loads(made) == tomllib.loads(text) | {"version": "v7"}
    assert made.count('"v1"') == 1
    with pytest.raises(BadInput, match=r"copy it yourself, with version = .v7. and released = false"):
        as_draft('"version" = "v1"\n', tmp_path / "v1.toml", version="v7")


# --- a kill between the writes -----------------------------------------------------------------------


def kill_after(writes: int) -> None:
    """End this process at the write after so many."""
    left = writes

    def hook(event: str, args: tuple[object, ...]) -> None:
        nonlocal left
        if event == "os.rename" or (event == "os.remove" and str(args[0]).endswith("adjudicating.json")):
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


@pytest.mark.parametrize("writes", range(6))
def test_kill_between_the_writes_is_mended_at_the_next_start(project: Project, writes: int) -> None:
    """A journal, the decision, the draft, the golden example, and the end of the journal: five steps."""
    release(project)
    item = first_of(project)
    golden = line_of(project, item)["grade"]
    gap = decision(cause="policy_gap", unclear="accessory")

    def killed() -> None:
        kill_after(writes)
        decide(project, policy_of(project), item, gap, AUTHOR)

    assert forked(killed) == (-9 if writes < 5 else 0)
    mend(project, "small")
    assert not (project.root / "golden/small" / PENDING).exists()
    recorded = len(adjudicated(project))
    assert recorded == (0 if writes < 2 else 1)
    assert line_of(project, item)["grade"] == (1 if recorded else golden)
    assert len(line_of(project, item).get("history", [])) == recorded
    assert (project.root / "policies/small/v2.toml").exists() == bool(recorded)
    before = content(project)
    assert mend(project, "small") is None
    assert decide(project, policy_of(project), item, gap, AUTHOR).grade == 1
    if recorded:
        assert content(project) == before


def test_decision_that_cannot_be_mended_says_what_to_do(project: Project) -> None:
    item = first_of(project)
    decide(project, policy_of(project), item, decision(), AUTHOR)
    folder = project.root / "golden/small"
    line = (folder / "adjudications.jsonl").read_text(encoding="utf-8").replace('"accessory"', '"gone"')
    (folder / "adjudications.jsonl").write_text(line, encoding="utf-8")
    (folder / PENDING).write_text(line, encoding="utf-8")
    with pytest.raises(BadInput, match="delete this file to leave it"):
        mend(project, "small")
