"""Sealed sets: what was rated blind stays as it was, and Gate 1 says where files contradict each other."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from builders import examples, harness, write_project
from parties import Guest, answer, party
from rounds import grade

from harness.errors import BadInput
from harness.golden.rating.answers import AnswerLog
from harness.golden.rating.rounds import ANSWERS, ASSIGNMENTS, ROUND, OpenRound, open_round
from harness.golden.rating.sealing import seal
from harness.golden.rating.sheet import code_of
from harness.golden.rating.waiting import round_now
from harness.storage.project import Project
from harness.verdicts.live_gate1 import live_gate1_of

RATERS = ("ann", "bob", "cy")
GOOD = tuple(Guest(name, misses=0.04) for name in RATERS)
POOR = tuple(Guest(name, misses=0.4) for name in RATERS)
AT = "2026-11-29T10:00:00+00:00"


def sealed(root: Path, *guests: Guest) -> OpenRound:
    opened = party(root, RATERS)
    answer(opened, *guests)
    for rater in RATERS:
        seal(Project(root), opened, rater, AT)
    return opened


def ratings(root: Path) -> Path:
    return root / "golden/small/ratings.jsonl"


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def write(path: Path, lines: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(one) + "\n" for one in lines), encoding="utf-8")


def gate1(root: Path, *words: str | Path) -> dict[str, Any]:
    said: dict[str, Any] = harness("gate1", *words, "--policy", "small", "--root", root, "--json").json
    return said


def table(root: Path, right: bool = True, raters: tuple[str, ...] = RATERS) -> Path:
    """Somebody's table of ratings of every pair."""
    path = root / "table.csv"
    items = sorted({one.item for one in open_round(Project(root), "small").pairs.values()})
    lines = [
        f"{item},{rater},{item.rpartition('-')[2] if right else 1}" for item in items for rater in raters
    ]
    path.write_text("\n".join(["item,rater,grade", *lines]), encoding="utf-8")
    return path


def test_honest_ratings_have_an_honest_verdict(tmp_path: Path) -> None:
    sealed(tmp_path, *GOOD)
    said = gate1(tmp_path)
    assert said["verdict"] == "pass"
    assert "round" not in str((said["provisional"], said["warnings"]))


def disputed(lines: list[dict[str, Any]]) -> set[str]:
    grades: dict[str, set[int]] = {}
    for one in lines:
        grades.setdefault(one["item"], set()).add(one["grade"])
    return {item for item, found in grades.items() if len(found) > 1}


def without_disputed(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    odd = disputed(lines)
    return [one for one in lines if one["item"] not in odd or one["rater"] != "ann"]


def made_alike(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**one, "grade": int(one["item"].rpartition("-")[2])} for one in lines]


def without_a_rater(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for one in lines if one["rater"] != "ann"]


@pytest.mark.parametrize("change", [without_disputed, made_alike, without_a_rater])
@pytest.mark.parametrize("copied", [False, True])
def test_changed_lines_of_a_sealed_set_leave_the_verdict_open(
    tmp_path: Path, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]], copied: bool
) -> None:
    sealed(tmp_path, *POOR)
    assert gate1(tmp_path)["verdict"] == "fail"
    file = tmp_path / "copy.jsonl" if copied else ratings(tmp_path)
    before = rows(ratings(tmp_path))
    write(file, change(before))
    left = sum(one in change(before) for one in before if one["rater"] == "ann")
    said = gate1(tmp_path, *([file] if copied else []))
    assert said["verdict"] == "inconclusive"
    assert f"ann sealed 180 ratings in round r1, and {file.name} has {left} of them" in said["reason"]
    if not copied:
        done = harness("rate", "seal", "--all", "--policy", "small", "--root", tmp_path)
        assert done.code == 0
        assert gate1(tmp_path)["verdict"] == "fail"
        assert sorted(map(str, rows(ratings(tmp_path)))) == sorted(map(str, before))


def renamed(folder: Path) -> None:
    folder.rename(folder.with_name(".r1"))


def gone(folder: Path) -> None:
    shutil.rmtree(folder.parent)


def unplanned(folder: Path) -> None:
    (folder / ROUND).unlink()


def of_another_version(folder: Path) -> None:
    planned = json.loads((folder / ROUND).read_text(encoding="utf-8"))
    (folder / ROUND).write_text(json.dumps({**planned, "policy": "small@v0"}), encoding="utf-8")


@pytest.mark.parametrize("hide", [renamed, gone, unplanned, of_another_version])
def test_ratings_of_a_round_that_is_not_there_are_provisional(
    tmp_path: Path, hide: Callable[[Path], object]
) -> None:
    opened = sealed(tmp_path, *GOOD[:2], Guest("cy", 0.5, 0.04))
    assert gate1(tmp_path)["verdict"] == "inconclusive", "the round is open"
    copy = tmp_path / "copy.jsonl"
    copy.write_bytes(ratings(tmp_path).read_bytes())
    assert gate1(tmp_path, copy)["verdict"] == "inconclusive", "a copy of it too"
    hide(opened.folder)
    for said in (gate1(tmp_path), gate1(tmp_path, copy)):
        assert said["verdict"] == "pass"
        words = "450 ratings come from a round that is not in small/rounds (by ann, bob, cy)"
        assert words in said["provisional"]


def test_a_round_has_the_assignments_that_were_planned(tmp_path: Path) -> None:
    opened = sealed(tmp_path, *GOOD[:2], Guest("cy", 0.5, 0.04))
    path = opened.folder / ASSIGNMENTS
    write(path, [one for one in rows(path) if one["rater"] != "cy" or one["place"] < 90])
    done = harness("gate1", "--policy", "small", "--root", tmp_path)
    assert done.code == 2
    assert "has 450 assignments, and round.json planned 540: restore it" in done.err


def test_a_clone_without_the_answers_has_the_same_verdict(tmp_path: Path) -> None:
    """The answers are not for git."""
    opened = sealed(tmp_path, *GOOD)
    before = gate1(tmp_path)
    for path in opened.folder.glob(f"{ANSWERS}*"):
        path.unlink()
    assert gate1(tmp_path) == before
    now = round_now(open_round(Project(tmp_path), "small"))
    assert (now.given, now.open) == (540, None)
    assert "answers.sqlite3 stays where people rated" in str(live_gate1_of(Project(tmp_path), "small").reason)
    assert seal(Project(tmp_path), opened, "ann", AT).graded == 180
    lines = rows(ratings(tmp_path))
    write(ratings(tmp_path), lines[:-1])
    assert "and ratings.jsonl has 179 of them" in gate1(tmp_path)["reason"]


def test_an_import_does_not_come_before_what_is_rated_blind(tmp_path: Path) -> None:
    opened = party(tmp_path, RATERS)
    answer(opened, *POOR)
    path = table(tmp_path)
    words = ("ratings", "import", path, "--policy", "small", "--root", tmp_path)
    done = harness(*words)
    assert done.code == 2
    assert "ann rates " in done.err and "blind in round r1, which is not sealed" in done.err
    assert not ratings(tmp_path).exists()
    for rater in RATERS:
        seal(Project(tmp_path), opened, rater, AT)
    before, verdict = ratings(tmp_path).read_bytes(), gate1(tmp_path)
    assert verdict["verdict"] == "fail"
    for more in ((), ("--replace",)):
        done = harness(*words, *more)
        assert done.code == 2 and "what was rated blind is not replaced" in done.err
    assert ratings(tmp_path).read_bytes() == before
    text = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([f"{text[0]},repeat", *(f"{one},1" for one in text[1:])]), encoding="utf-8")
    assert harness(*words).code == 0
    assert gate1(tmp_path)["kappa"] == verdict["kappa"], "later readings"


def test_who_is_no_rater_of_the_round_is_imported_meanwhile(tmp_path: Path) -> None:
    party(tmp_path, RATERS)
    path = table(tmp_path, raters=("dan", "eve"))
    assert harness("ratings", "import", path, "--policy", "small", "--root", tmp_path).code == 0


def test_who_never_began_is_imported_once_the_round_is_closed(tmp_path: Path) -> None:
    opened = party(tmp_path, RATERS)
    answer(opened, *GOOD[:1])
    words = ("ratings", "import", table(tmp_path, raters=("cy",)), "--policy", "small", "--root", tmp_path)
    assert harness(*words).code == 2
    close = ("rate", "close", "--policy", "small", "--root", tmp_path, "--why", "away")
    assert harness(*close, "--rater", "cy").code == 0
    assert harness(*words).code == 0
    assert harness(*close, "--rater", "ann").code == 2, "nobody waits for her"
    words = ("ratings", "import", table(tmp_path, raters=("ann",)), *words[3:])
    assert harness(*words).code == 2, "her answers are not sealed yet"


def test_a_sheet_does_not_replace_what_was_sealed(tmp_path: Path) -> None:
    opened = party(tmp_path, RATERS)
    sheet = tmp_path / "ann.jsonl"
    pair = next(iter(opened.pairs.values()))
    right = int(pair.item.rpartition("-")[2])
    sheet.write_text(json.dumps({"pair": code_of(pair.pair), "grade": right}) + "\n", encoding="utf-8")
    words = ("golden", "collect", sheet, "--rater", "ann", "--policy", "small", "--root", tmp_path)
    assert "which is not sealed" in harness(*words).err
    answer(opened, *(Guest(name, misses=1.0) for name in RATERS))
    seal(Project(tmp_path), opened, "ann", AT)
    before = ratings(tmp_path).read_bytes()
    done = harness(*words)
    assert done.code == 2
    assert "what was rated blind is not replaced" in done.err
    assert ratings(tmp_path).read_bytes() == before


def test_readings_from_before_a_round_are_told(tmp_path: Path) -> None:
    opened = party(tmp_path, RATERS)
    answer(opened, *POOR)
    # As if they had been there when the round was planned.
    items = [one.item for one in opened.pairs.values()]
    old = [
        {"item": item, "rater": rater, "grade": 1, "policy_version": "v1"}
        for item in items
        for rater in ("ann", "bob")
    ]
    write(ratings(tmp_path), old)
    for rater in RATERS:
        seal(Project(tmp_path), opened, rater, AT)
    said = gate1(tmp_path)
    assert any("round r1: 360 ratings count as repeats" in one for one in said["warnings"])


def test_a_damaged_set_is_not_sealed_in_part(tmp_path: Path) -> None:
    opened = party(tmp_path, RATERS)
    answer(opened, *GOOD)
    ratings(tmp_path).write_text('{"item": "x"}\n', encoding="utf-8")
    with pytest.raises(BadInput, match="line 1"):
        seal(Project(tmp_path), opened, "ann", AT)
    assert "ann" not in opened.sealed()
    ratings(tmp_path).unlink()
    assert seal(Project(tmp_path), opened, "ann", AT).graded == 180


@pytest.mark.parametrize("same", [True, False])
def test_two_readings_of_a_pair_in_one_request_are_two_lines(tmp_path: Path, same: bool) -> None:
    """They have one time: a page that was offline sends its answers together."""
    write_project(tmp_path, golden=examples(queries=40))
    plan = (
        "rate",
        "plan",
        "--policy",
        "small",
        "--raters",
        "ann,bob",
        "--kind",
        "human",
        "--repeated",
        "0.2",
    )
    assert harness(*plan, "--root", tmp_path).code == 0
    opened = open_round(Project(tmp_path), "small")
    with AnswerLog(opened.folder / ANSWERS) as log:
        for rater in ("ann", "bob"):
            places = opened.assigned(rater)
            log.add(rater, [grade(one.place, len(one.code) % 3 if same else one.repeat) for one in places])
    assert sum(one.repeat for one in opened.assigned("ann")) > 10
    assert harness("rate", "seal", "--all", "--policy", "small", "--root", tmp_path).code == 0
    assert "sealed" not in gate1(tmp_path)["reason"]
    lines = rows(ratings(tmp_path))
    write(ratings(tmp_path), [one for one in lines if not (one["rater"] == "ann" and one.get("repeat"))])
    assert "ann sealed" in gate1(tmp_path)["reason"]
