"""docs/from-signal-to-policy.md: its commands are run, in order, and print what the page shows."""

import importlib
import re
from pathlib import Path
from typing import Any

import pytest

from harness.errors import BadInput
from harness.policy.load import load_policy

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs/from-signal-to-policy.md").read_text("utf-8")


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Loads a file of benchmarks/, which find each other by name."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return importlib.import_module


@pytest.mark.slow
def test_the_page_shows_what_its_commands_print(load: Any, tmp_path: Path) -> None:
    """After a change of what a command prints: `python benchmarks/story_page.py` renews the page."""
    story = load("story_page")
    printed = list(story.outputs(PAGE, tmp_path))
    whole = "\n".join(printed)
    first, last = (out for out in printed if out.startswith("Do users agree"))
    clause, contradicted, of = re.findall(r"^By clause:\n\n.*\n  (\S+) +(\d+) +(\d+)", first, re.M)[0]
    assert clause == "two-in-one" and int(contradicted) > 0.7 * int(of)
    assert f"contradicts it on {contradicted} of {of} pairs" in PAGE
    setup = next(out for out in printed if out.startswith("Gate 1"))
    assert "two-in-one" not in setup, "who reads v2 follows it"
    judged, settled = (out for out in printed if "Do people side with users" in out)
    people = re.findall(r"^  (\S+) +\d+/(\d+) +(\d+) .* (\d+)$", judged.partition("By clause:")[2], re.M)
    of, users, open_ = next(figures for clause, *figures in people if clause == "two-in-one")
    words = " ".join(PAGE.split())
    assert f"On {users} of the {of} pairs of `two-in-one` both raters" in words
    assert f"on {open_} one would and the other would not" in words and "Undecided: 0." in settled
    assert "Wanted, and hidden: 0 of" in last and "two-in-one" not in last
    assert "PASS: shop@v4 may ship." in whole and "NONE: no drift of the teacher" in whole
    assert len(re.findall(r"^PASS: the 95 % interval of kappa", whole, re.M)) == 5
    assert story.renewed(PAGE, printed) == PAGE


def test_parts_of_an_output_are_shown_with_dots_between(load: Any) -> None:
    shown = load("story_page").shown
    assert shown("a\nb\nc\nd\n", "/^b/ 2") == "...\nb\nc\n...\n"
    assert shown("a\nb\na\nd\n", "/a/ 1, /a/ 2") == "a\n...\na\nd\n"
    with pytest.raises(SystemExit, match="no line fits /x/"):
        shown("a\n", "/x/ 1")


def test_every_output_on_the_page_is_renewed_and_none_has_a_time(load: Any) -> None:
    blocks = list(load("story_page").BLOCK.finditer(PAGE))
    assert sum(block["parts"] is not None for block in blocks) == PAGE.count("```text") > 10
    assert not re.search(r"\d{8}T\d{6}|20\d\d-\d\d-\d\d", PAGE)


def test_the_page_says_of_itself_that_it_is_simulated() -> None:
    assert "**All of it is simulated.**" in PAGE.partition("##")[0]


def test_raters_and_teacher_follow_the_clause_that_they_read(load: Any) -> None:
    """By v2 a two-in-one device is 0; without the clause and by v4 it is what users treat it as."""
    shop = load("story_shop")
    devices = [row for row in shop.pairs() if row["at"] == shop.TWO]
    assert len(devices) == 80 and {row["grade"] for row in devices} == {0}
    asked, count = shop.CLAUSE.subn("", shop.POLICY)
    changed = shop.CLAUSE.sub(shop.CHANGED, shop.POLICY)
    assert count == 1 and "two-in-one" not in asked and "two-in-one" in changed

    def share(who: str, told: str, wanted: str) -> float:
        graded = [shop.grade(who, row["query"], row["title"], told)[0] == row[wanted] for row in devices]
        return float(sum(graded) / len(graded))

    for who in ("teacher", *shop.RATERS):
        assert share(who, shop.POLICY, "grade") > 0.9 > 0.1 > share(who, shop.POLICY, "liked")
        assert share(who, changed, "liked") > 0.9 and share(who, asked, "liked") > 0.9


def test_the_author_changes_a_draft_once(load: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three policies that load, of which v3 lacks the clause; twice is an error that names the file."""
    story, shop = load("story"), load("story_shop")
    monkeypatch.chdir(tmp_path)
    folder = Path("policies/shop")
    folder.mkdir(parents=True)
    for name in ("v3", "v4"):
        draft = shop.POLICY.replace('"v2"', f'"{name}"').replace("released = true", "released = false")
        (folder / f"{name}.toml").write_text(draft, encoding="utf-8")
    for change in (story.ask, story.author, story.release):
        change()
    asked, ready = (load_policy(folder / f"{name}.toml") for name in ("v3", "v4"))
    caps = {clause.id: clause.max_grade for clause in ready.clauses}
    assert caps["two-in-one"] == 2 and list(caps).index("two-in-one") == 4
    assert {clause.id for clause in asked.clauses} == set(caps) - {"two-in-one"}
    assert ready.released and not asked.released
    for change in (story.ask, story.release):
        with pytest.raises(BadInput, match=r"v[34]\.toml: .* 0 times"):
            change()
    with pytest.raises(BadInput, match="nobody grades production by v3"):
        story.log("v3")


def test_the_data_are_the_same_each_time(load: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    story, made = load("story"), []
    for name in ("one", "two"):
        for folder in ("policies/shop", "golden/shop"):
            (tmp_path / name / folder).mkdir(parents=True)
        monkeypatch.chdir(tmp_path / name)
        story.data()
        story.log("v2")
        made.append({path.name: path.read_bytes() for path in Path().rglob("*") if path.is_file()})
    assert made[0] == made[1] and len(made[0]) == 6
