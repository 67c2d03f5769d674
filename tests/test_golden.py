"""Golden sets: loading, lint, splits, leakage, shots."""

import json
from pathlib import Path
from typing import Any

import pytest
from builders import CLAUSE, example, examples, harness, policy, write_golden, write_project
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import BadInput
from harness.golden.examples import load_examples
from harness.golden.leakage import safe_shots, withhold_worked
from harness.golden.lint import lint_golden
from harness.golden.shots import choose_shots
from harness.golden.splits import assign_splits, parse_shares, parse_splits
from harness.nouns.pair import Example, query_key, words
from harness.policy.load import load_policy

SCALE = (0, 1, 2)


def load_fault(root: Path, golden: list[dict[str, Any]]) -> str:
    with pytest.raises(BadInput) as caught:
        load_examples(write_golden(root, golden), policy())
    return str(caught.value)


def findings(root: Path, golden: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    path = write_golden(root, golden)
    return [(f.level, f.where, f.what) for f in lint_golden(path, policy(clauses=CLAUSE))]


def changed(at: int, **changes: Any) -> list[dict[str, Any]]:
    golden = examples()
    golden[at] |= changes
    return golden


# --- loading ---------------------------------------------------------------------------------------


def test_grade_off_the_scale_is_named(here: Path) -> None:
    write_project(here)
    assert "line 2, q0-1: grade 5 is not on the scale 0-2" in load_fault(here, changed(1, grade=5))


def test_id_twice_is_named(here: Path) -> None:
    write_project(here)
    assert "line 2, q0-0: the id is taken (line 1)" in load_fault(here, changed(1, id="q0-0"))


def test_all_faults_of_a_file_come_at_once(here: Path) -> None:
    write_project(here)
    golden = changed(1, grade=5)
    golden[2] |= {"split": "train"}
    golden[3] |= {"colour": "red"}
    del golden[4]["query"]
    found = load_fault(here, golden)
    assert [f"line {line}" in found for line in (2, 3, 4, 5)] == [True] * 4


def test_empty_set_is_refused(here: Path) -> None:
    write_project(here)
    assert "the golden set is empty" in load_fault(here, [])


def test_line_that_is_not_json_is_named(here: Path) -> None:
    write_project(here)
    path = here / "golden/small/examples.jsonl"
    path.write_text(path.read_text(encoding="utf-8") + "{not json\n", encoding="utf-8")
    ended = harness("eval", "--policy", "small")
    assert ended.code == 2
    assert f"line {len(examples()) + 1}: not JSON" in ended.err
    assert not list((here / "runs").iterdir())


def test_earlier_grade_counts_under_the_earlier_version() -> None:
    past = {"policy_version": "v1", "grade": 2, "reasoning": "then", "clauses": ["old"]}
    now = example(policy_version="v2", grade=1, reasoning="now", history=[past])
    assert (now.under("v1").grade, now.under("v1").reasoning, now.under("v1").clauses) == (
        2,
        "then",
        ("old",),
    )
    assert now.under("v2") is now
    assert now.under("v3") is now


def test_another_scale_of_an_earlier_version_stops_nothing(here: Path) -> None:
    write_project(here)
    past = {"policy_version": "v0", "grade": 9}
    path = write_golden(here, [line | {"history": [past]} for line in examples()])
    assert len(load_examples(path, policy())) == len(examples())


def test_digest_covers_what_is_shown_and_no_grade() -> None:
    one = example()
    assert one.pair.digest == example(grade=2, reasoning="x", split="test").pair.digest
    assert one.pair.digest == example(result={"title": "title a", "attributes": {}}).pair.digest
    assert one.pair.digest != example(context={"who": "a child"}).pair.digest
    assert one.pair.digest != example(result={"title": "title a", "price": "1"}).pair.digest


# --- lint ------------------------------------------------------------------------------------------


def test_shipped_golden_set_is_clean_and_as_large_as_it_says(shipped_project: Path) -> None:
    assert harness("golden", "lint", "--root", shipped_project).out.endswith("clean\n")
    stats = harness("golden", "stats", "--json", "--root", shipped_project).json
    assert 550 <= stats["examples"] <= 650
    assert stats["queries"] >= 70
    assert len([tag for tag in stats["tags"] if tag.startswith("dept:")]) >= 10
    assert min(stats["clauses"].values()) >= 5
    assert stats["warnings"] == []
    for split, share in zip(stats["splits"], (0.2, 0.4, 0.4), strict=True):
        assert split["examples"] == pytest.approx(share * stats["examples"], rel=0.12)
        assert min(split["grades"].values()) >= split["examples"] * 0.12


def test_shipped_golden_set_has_its_share_of_gray_areas(shipped_project: Path) -> None:
    """A pair is gray where a clause, and not the rubric alone, caps its grade."""
    known = load_policy(shipped_project / "policies/product-search/v1.toml")
    golden = load_examples(shipped_project / "golden/product-search/examples.jsonl", known)
    caps = {clause.id for clause in known.clauses if clause.max_grade is not None}
    assert sum(bool(caps & set(e.clauses)) for e in golden) >= 0.4 * len(golden)


def test_shipped_open_pairs_are_graded_and_none_is_shown(shipped_project: Path) -> None:
    known = load_policy(shipped_project / "policies/product-search/v1.toml")
    golden = load_examples(shipped_project / "golden/product-search/examples.jsonl", known)
    opened = [e for e in golden if "open" in e.tags]
    assert {e.split for e in opened} == {"dev", "test"}
    assert {e.query for e in opened}.isdisjoint(e.query for e in golden if "open" not in e.tags)
    assert min(sum(e.grade == grade for e in opened) for grade in known.scale) >= 10


def test_sound_set_has_no_errors(here: Path) -> None:
    write_project(here)
    assert [found for found in findings(here, examples()) if found[0] == "error"] == []


LINT = {
    "unknown clause": ({"clauses": ["nope"]}, "cites the clause 'nope'"),
    "cap broken": ({"grade": 2, "clauses": ["accessory"]}, "grade 2, but accessory allows at most 1"),
    "no reasoning": ({"reasoning": ""}, "no reasoning"),
    "too short": ({"reasoning": "This is a one."}, "a reasoning of 4 words gives no reason"),
    "boilerplate": ({"reasoning": examples()[5]["reasoning"]}, "boilerplate: shares"),
    "stale": ({"policy_version": "v0"}, "graded under v0, not yet judged under v1"),
    "grade off the scale": ({"grade": 9}, "grade 9 is not on the scale"),
}


@pytest.mark.parametrize(("change", "what"), LINT.values(), ids=LINT)
def test_lint_finds(here: Path, change: dict[str, Any], what: str) -> None:
    write_project(here)
    found = findings(here, changed(1, **change))
    assert [level for level, _, said in found if what in said] == ["error"]


def test_lint_finds_a_query_in_two_splits_whatever_its_case(here: Path) -> None:
    write_project(here)
    found = findings(here, changed(0, query="  Red  SHOE", split="test"))
    assert ("error", "query 'red shoe'", "lies in several splits: shots, test") in found


def test_lint_finds_near_duplicates_across_splits(here: Path) -> None:
    write_project(here)
    words = "one two three four five six seven eight nine"
    golden = changed(3, query="ten", result={"title": words})
    golden[6] |= {"query": "ten", "result": {"title": f"{words} TEN"}}
    golden[6]["query"] = "ten "
    golden[6]["query"] = "TEN nine"
    found = findings(here, golden)
    assert any(
        level == "error" and "nearly the same query and title as q2-0" in said for level, _, said in found
    )


def test_lint_finds_one_pair_with_two_grades(here: Path) -> None:
    write_project(here)
    golden = examples()
    golden.append(
        {**golden[4], "id": "again", "grade": 2, "clauses": [], "reasoning": "Now it is judged anew here."}
    )
    assert any("but the same query and text is 1 in q1-1" in said for _, _, said in findings(here, golden))


def test_missing_reasonings_of_an_imported_set_are_one_warning(here: Path) -> None:
    write_project(here)
    golden = [
        {**line, "reasoning": "", "clauses": [], "provenance": {"source": "x.csv", "digest": "sha256:0"}}
        for line in examples()
    ]
    found = findings(here, golden)
    assert [level for level, _, _ in found] == ["warning", "warning"]
    assert "24 imported examples have no reasoning" in found[0][2]


def test_lint_finds_a_floor_broken_unless_a_cap_binds(here: Path) -> None:
    write_project(here)
    path = write_golden(here, changed(1, grade=1, clauses=["plain"]))
    known = policy(clauses=CLAUSE.replace('id = "plain"', 'id = "plain"\nmin_grade = 2'))
    said = [f.what for f in lint_golden(path, known) if f.where == "q0-1"]
    assert said == ["grade 1, but plain asks for at least 2"]
    write_golden(here, changed(1, grade=1, clauses=["plain", "accessory"]))
    assert [f for f in lint_golden(path, known) if f.where == "q0-1"] == []


def test_lint_warns_of_what_only_deserves_a_look(here: Path) -> None:
    write_project(here)
    golden = [line for line in examples() if (line["split"], line["grade"]) != ("dev", 2)]
    golden[0]["clauses"] = []
    golden.append(
        {**golden[3], "id": "leak", "query": "Red shoe", "split": "test", "result": {"title": "leak"}}
    )
    golden[-1]["reasoning"] = "Here is a reasoning that no other example has, and that is long."
    warned = [what for level, _, what in findings(here, golden) if level == "warning"]
    assert "1 example cites no clause (the first: q0-0)" in warned
    assert "no example of grade 2" in warned
    assert "never shown to a teacher: the same query as leak" in warned


def test_a_clause_may_be_quoted_by_two_reasonings(here: Path) -> None:
    write_project(here)
    quote = "An accessory of the thing asked for is at most 1."
    golden = changed(0, reasoning=f"Here it binds: {quote}")
    golden[3] |= {"reasoning": f"There too, since the lamp is not there. {quote}"}
    assert not [said for _, _, said in findings(here, golden) if "boilerplate" in said]


def test_lint_warns_of_graded_queries_that_the_policy_works_through(here: Path) -> None:
    write_project(here)
    path = here / "policies/small/v1.toml"
    worked = '\nexamples = [{ query = "Blue  lamp", result = "a lamp" }]\n'
    path.write_text(
        path.read_text(encoding="utf-8").replace("\nvalue = 2", "\nvalue = 2" + worked, 1), "utf-8"
    )
    ended = harness("golden", "lint", "small")
    assert ended.code == 0
    assert "query 'blue lamp': is graded here and is a worked example" in " ".join(ended.out.split())


# --- splits ----------------------------------------------------------------------------------------

queries = st.lists(st.tuples(st.sampled_from("abcdefghij"), st.sampled_from(SCALE)), min_size=1, max_size=80)


@given(queries, st.integers(0, 5), st.randoms())
def test_every_query_has_one_split_whatever_the_order(
    pairs: list[tuple[str, int]], seed: int, random: Any
) -> None:
    splits = assign_splits(pairs, (20, 40, 40), seed)
    assert set(splits) == {query_key(query) for query, _ in pairs}
    assert splits == assign_splits(random.sample(pairs, len(pairs)), (20, 40, 40), seed)


@given(queries, st.lists(st.tuples(st.sampled_from("abcdefghij"), st.sampled_from("abcdefghij")), max_size=6))
def test_queries_that_belong_together_lie_in_one_split(
    pairs: list[tuple[str, int]], together: list[tuple[str, str]]
) -> None:
    known = {query for query, _ in pairs}
    joined = [(one, other) for one, other in together if {one, other} <= known]
    splits = assign_splits(pairs, (20, 40, 40), 0, joined)
    assert set(splits) == known
    assert all(splits[one] == splits[other] for one, other in joined)


def test_a_chain_of_joined_queries_is_dealt_as_one() -> None:
    pairs = [(query, grade) for query in "abcdef" for grade in SCALE]
    splits = assign_splits(pairs, (0, 50, 50), 0, [("c", "b"), ("b", "a"), ("e", "c")])
    assert len({splits[query] for query in "abce"}) == 1
    assert {splits["d"], splits["f"]} != {splits["a"]}


def test_splits_get_their_share_of_every_grade() -> None:
    pairs = [(f"q{number}", grade) for number in range(100) for grade in SCALE]
    splits = assign_splits(pairs, (20, 40, 40), 0)
    counts = {name: list(splits.values()).count(name) for name in ("shots", "dev", "test")}
    assert counts == {"shots": 20, "dev": 40, "test": 40}
    assert assign_splits(pairs, (20, 40, 40), 1) != splits
    assert set(assign_splits(pairs, (0, 50, 50), 0).values()) == {"dev", "test"}


@pytest.mark.parametrize("text", ["20/40", "20/40/50", "a/b/c", "-20/60/60"])
def test_what_are_no_shares_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="in per cent"):
        parse_shares(text)


def test_shots_are_never_graded() -> None:
    assert parse_splits("dev+test") == ("dev", "test")
    with pytest.raises(BadInput, match="never graded"):
        parse_splits("shots")
    with pytest.raises(BadInput, match="is not dev, test or dev\\+test"):
        parse_splits("train")


# --- leakage ---------------------------------------------------------------------------------------


def test_shot_of_a_graded_query_is_dropped() -> None:
    kept, dropped = safe_shots(
        [example("s", split="shots", query="Red shoe"), example("t", split="test", query="red  shoe")]
    )
    assert kept == []
    assert [(drop.shot, drop.graded, drop.reason) for drop in dropped] == [("s", "t", "the same query")]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("café table", "cafe\u0301 table"),
        ("tv-stand", "TV stand"),
        ("\uff34\uff36 stand", "tv stand!"),
        ("a  b", " a b"),
    ],
)
def test_one_query_in_two_spellings_is_one_query(one: str, other: str) -> None:
    assert query_key(one) == query_key(other)
    assert safe_shots([example("s", split="shots", query=one), example("t", query=other)])[0] == []


@pytest.mark.parametrize(
    ("one", "other"),
    [("???", "!!!"), ("दाल", "दिल"), ("ที", "ทุ"), ("c++ book", "c# book"), ("5.5 cm", "5 5 cm")],
)
def test_different_queries_stay_apart_in_every_script(one: str, other: str) -> None:
    assert query_key(one) != query_key(other)


def test_shot_that_is_nearly_a_graded_pair_is_dropped() -> None:
    nine = "a1 a2 a3 a4 a5 a6 a7 a8"
    shots = [
        example("same", split="shots", query="x", result={"title": nine}),
        example("other", split="shots", query="z", result={"title": "b1 b2"}),
    ]
    kept, dropped = safe_shots([*shots, example("t", query="y x", result={"title": nine})])
    assert [shot.id for shot in kept] == ["other"]
    assert [drop.shot for drop in dropped] == ["same"]


def test_every_run_of_a_set_drops_the_same_shots() -> None:
    golden = [
        example("s", split="shots", query="q"),
        example("d", query="d"),
        example("t", split="test", query="q"),
    ]
    assert [drop.shot for drop in safe_shots(golden)[1]] == ["s"]


def test_worked_examples_of_graded_queries_are_withheld() -> None:
    known = policy(
        clauses='[[boundaries]]\nquery = "Lamp"\nresult = "r"\nbetween = [0, 1]\ngrade = 1\n'
        'higher = "h"\nlower = "l"\ndecision = "d"\n'
    )
    shown, withheld = withhold_worked(known, [example(query="lamp")])
    assert (shown.boundaries, withheld) == ((), ["lamp"])
    assert withhold_worked(known, [example(query="lamp", split="shots")]) == (known, [])


# --- shots -----------------------------------------------------------------------------------------


def shots_of(counts: dict[int, int]) -> list[Example]:
    return [
        example(f"{grade}-{number}", grade=grade, split="shots", clauses=[f"c{number}"])
        for grade, n in counts.items()
        for number in range(n)
    ]


def test_shots_are_balanced_over_the_grades_and_fixed() -> None:
    shots = shots_of({0: 5, 1: 1, 2: 5})
    chosen = choose_shots(shots, 7, SCALE)
    assert [shot.grade for shot in chosen] == [0, 1, 2, 0, 2, 0, 2]
    assert chosen == choose_shots(list(reversed(shots)), 7, SCALE)


def test_shots_show_as_many_clauses_as_they_can() -> None:
    chosen = choose_shots(shots_of({0: 3, 1: 3}), 4, SCALE)
    assert {clause for shot in chosen for clause in shot.clauses} == {"c0", "c1", "c2"}


def test_all_shots_are_shown_where_no_number_is_given() -> None:
    shots = shots_of({0: 3, 2: 1})
    assert sorted(shot.id for shot in choose_shots(shots, None, SCALE)) == sorted(shot.id for shot in shots)
    assert choose_shots(shots, 0, SCALE) == []


def test_golden_commands_print_json(here: Path) -> None:
    write_project(here)
    assert harness("golden", "list", "--json").json == {
        "golden": {"small": {"policy": "small@v1", "examples": len(examples())}}
    }
    assert harness("golden", "lint", "--json").json["findings"] == []
    assert harness("golden", "stats", "small", "--json").json["examples"] == len(examples())
    assert (
        json.loads(harness("golden", "export", "small", "--format", "jsonl").out.splitlines()[0])["id"]
        == "q0-0"
    )


@given(st.text(st.characters(max_codepoint=127)))
def test_words_of_plain_letters_are_those_that_the_whole_alphabet_would_give(text: str) -> None:
    assert words(text) == words(f"{text} \u00e9")[:-1]


def test_shots_without_clauses_are_spread_over_queries() -> None:
    crowd = [example(f"a{n}", query="crowd", grade=n % 2, split="shots") for n in range(20)]
    others = [example(f"z{n}", query=f"other {n}", grade=n % 2, split="shots") for n in range(4)]
    chosen = choose_shots([*crowd, *others], 5, (0, 1))
    assert len({shot.cluster for shot in chosen}) == 5
    assert sorted(shot.grade for shot in chosen) == [0, 0, 0, 1, 1]


def test_a_shot_with_a_reasoning_goes_before_one_without() -> None:
    shots = [example(f"a{n}", query=f"q{n}", split="shots") for n in range(3)]
    told = example("z", query="q9", split="shots", reasoning="A lace is worn with it, and not instead of it.")
    assert [shot.id for shot in choose_shots([*shots, told], 1, (1,))] == ["z"]
