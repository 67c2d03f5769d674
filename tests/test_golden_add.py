"""Production pairs that people judged become golden examples: `harness golden add`."""

import json
from pathlib import Path
from typing import Any

import pytest
from builders import WORDS, examples, harness, write_golden, write_project
from hypothesis import given
from hypothesis import strategies as st
from judging import PAIRS, SAID, UP, judging, planned

from harness.golden.joining_in import NewPair, splits_of_new
from harness.golden.similarity import jaccard, tokens
from harness.golden.splits import assign_splits
from harness.nouns.pair import Example, NamedPair, Result, query_key

AGREED = {"n1": (2, 2), "n2": (0, 0), "n3": (1, 1), "n4": (0, 0), "n5": (2, 2), "n6": (0, 0)}
WHY = "The cloth covers a table and is of linen, which is all that the query asks for."


def golden(root: Path) -> dict[str, dict[str, Any]]:
    text = (root / "golden/small/examples.jsonl").read_text(encoding="utf-8")
    return {one["id"]: one for one in map(json.loads, text.splitlines())}


def add(*words: str) -> Any:
    return harness("golden", "add", "--round", "r1", *words)


def test_what_all_raters_say_becomes_an_example_with_where_it_comes_from(here: Path) -> None:
    judging(here, AGREED)
    path = here / "golden/small/examples.jsonl"
    before = path.read_bytes()
    ended = add("--json")
    assert ended.code == 0, ended.err
    assert [(one["item"], one["grade"]) for one in ended.json["added"]] == [
        (item, one) for item, (one, _) in AGREED.items()
    ]
    assert path.read_bytes().startswith(before)
    one = golden(here)["n1"]
    assert (one["query"], one["result"]) == ("linen tablecloth", {"title": "a tablecloth of linen"})
    assert (one["grade"], one["policy_version"], one["tags"]) == (2, "v1", ["drawn:hunted"])
    where = one["provenance"]
    assert (where["round"], where["raters"], where["source"]) == (
        "r1", ["ann", "bob"], "round r1 of production pairs",
    )  # fmt: skip
    assert "decided_by" not in where and "reasoning" not in one and "clauses" not in one
    found = harness("golden", "lint", "--json").json["findings"]
    assert not [one for one in found if one["level"] == "error"]
    assert harness("eval", "--split", "dev+test").code == 0


def test_a_query_stays_in_one_split(here: Path) -> None:
    judging(here, AGREED)
    assert add().code == 0
    splits: dict[str, set[str]] = {}
    for one in golden(here).values():
        splits.setdefault(one["query"], set()).add(one["split"])
    assert all(len(there) == 1 for there in splits.values())


def test_pairs_of_a_query_that_is_there_join_its_split(here: Path) -> None:
    pairs = [planned(f"x{at}", WORDS[at].upper(), f"{WORDS[at]} number {at}", UP) for at in range(4)]
    judging(here, {f"x{at}": (1, 1) for at in range(4)}, pairs)
    assert add().code == 0
    made = golden(here)
    assert [made[f"x{at}"]["split"] for at in range(4)] == [made[f"q{at}-0"]["split"] for at in range(4)]


def test_disagreement_missing_ratings_and_what_is_there_are_refused_at_once(here: Path) -> None:
    write_project(here)
    known = examples()[3]
    pairs = [
        *PAIRS,
        planned("q2-0", "a new query", "a new title", UP),
        planned("again", known["query"], known["result"]["title"], UP, result=known["result"]),
    ]
    judging(here, {**SAID, "q2-0": (1, 1), "again": (1, 1)}, pairs)
    path = here / "golden/small/production-ratings.jsonl"
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    for one in lines:
        if (one["item"], one["rater"]) == ("n2", "bob"):
            one["cannot"] = "policy_silent"
            del one["grade"]
            one.pop("query", None)
    kept = [one for one in lines if (one["item"], one["rater"]) != ("n6", "ann")]
    path.write_text("".join(json.dumps(one) + "\n" for one in kept), encoding="utf-8")
    before = (here / "golden/small/examples.jsonl").read_bytes()
    ended = add()
    told = " ".join(ended.err.split())
    assert ended.code == 2
    for what in (
        "6 of 8 pairs cannot be added, and none was; without them: --leave-out",
        "n2: 1 could not grade it, and it is not decided; `harness adjudicate --policy small@v1 --round r1`",
        "n3: the raters say 1 and 2, and it is not decided",
        "n4: the raters say 0 and 1, and it is not decided",
        "n6: no sealed rating by ann",
        "q2-0: the id is taken in the golden set, by another pair",
        "again: the golden set has this pair as 'q1-0'",
    ):
        assert what in told, (what, told)
    assert (here / "golden/small/examples.jsonl").read_bytes() == before
    assert add("--leave-out", "n2,n3,n4,n6,q2-0,again").code == 0
    assert set(golden(here)) - {one["id"] for one in examples()} == {"n1", "n5"}


def test_a_set_that_is_not_sealed_is_said_once(here: Path) -> None:
    """Not of every pair: of the pairs nothing is known yet, and nothing is to be left out."""
    opened = judging(here)
    path = opened.folder / "sealed.jsonl"
    kept = [line for line in path.read_text("utf-8").splitlines() if json.loads(line)["rater"] == "ann"]
    path.write_text("\n".join(kept) + "\n", encoding="utf-8")
    path = here / "golden/small/production-ratings.jsonl"
    lines = [line for line in path.read_text("utf-8").splitlines() if json.loads(line)["rater"] == "ann"]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    told = " ".join(add().err.split())
    assert told == (
        "error: round r1: bob: the set is not sealed; `harness rate seal --all` counts what is answered"
    )


def test_what_the_author_decided_is_added_with_reason_and_name(here: Path) -> None:
    judging(here)
    listed = harness("adjudicate", "--round", "r1", "--list", "--json").json["disputes"]
    said = [{"dispute": one["code"], "grade": 1, "cause": "edge_case"} for one in listed]
    said[0] |= {"reasoning": WHY, "clauses": ["accessory"]}
    Path("said.jsonl").write_text("".join(json.dumps(one) + "\n" for one in said), encoding="utf-8")
    assert harness("adjudicate", "--round", "r1", "--collect", "said.jsonl", "--by", "Bea").code == 0
    ended = add()
    assert ended.code == 0 and "4 by all raters alike, 2 decided by the author" in " ".join(ended.err.split())
    made = golden(here)
    assert {made[item]["provenance"]["decided_by"] for item in ("n3", "n4")} == {"Bea"}
    argued = next(made[item] for item in ("n3", "n4") if "reasoning" in made[item])
    assert (argued["reasoning"], argued["clauses"], argued["grade"]) == (WHY, ["accessory"], 1)


@pytest.mark.parametrize(
    ("first", "second", "reasoning", "clauses"),
    [
        ({}, {}, "", []),
        ({"reasoning": "A cloth."}, {}, "", []),
        ({"reasoning": "A cloth.", "clauses": ["plain"]}, {}, "", ["plain"]),
        ({}, {"reasoning": WHY, "clauses": ["plain"]}, WHY, ["plain"]),
        ({"reasoning": WHY}, {"clauses": ["plain"]}, WHY, []),
        ({"reasoning": WHY, "clauses": ["accessory"]}, {}, "", []),
    ],
)
def test_the_reasoning_is_that_of_a_rater_who_argued_the_grade(
    here: Path, first: dict[str, Any], second: dict[str, Any], reasoning: str, clauses: list[str]
) -> None:
    """`accessory` allows at most 1: who cites it for a 2 argues another grade."""
    judging(here, {"n1": (2, 2)}, PAIRS[:1])
    path = here / "golden/small/production-ratings.jsonl"
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    told = [one | (first if one["rater"] == "ann" else second) for one in lines]
    path.write_text("".join(json.dumps(one) + "\n" for one in told), encoding="utf-8")
    ended = add()
    assert ended.code == 0, ended.err
    one = golden(here)["n1"]
    assert (one["grade"], one.get("reasoning", ""), one.get("clauses", [])) == (2, reasoning, clauses)


def test_what_is_alike_to_two_splits_or_to_a_canary_in_shots_is_refused(here: Path) -> None:
    """One text is nearly a shot and nearly a test pair: in either split it would leak the other."""
    text = "one two three four five six seven eight nine"
    base = {"reasoning": "", "grade": 1, "policy_version": "v1", "clauses": []}
    more = [
        {**base, "id": "s", "query": "alpha", "result": {"title": f"{text} ten eleven"}, "split": "shots"},
        {**base, "id": "t", "query": "alpha beta", "result": {"title": f"{text} ten"}, "split": "test"},
        {**base, "id": "u", "query": "gamma delta", "result": {"title": "whatever it is"}, "split": "shots"},
    ]
    write_project(here, golden=[*examples(), *more])
    canary = {
        "id": "c",
        "trick": "t",
        "query": "gamma delta",
        "plain": {"title": "x"},
        "steered": {"title": "y"},
    }
    path = here / "golden/small/canaries.jsonl"
    path.write_text(json.dumps(canary | {"grade": 0, "policy_version": "v1"}) + "\n", encoding="utf-8")
    pairs = [
        planned("n1", "beta", f"alpha {text} ten eleven", UP),
        planned("n2", "gamma-delta", "a new one", UP),
        planned("n3", "a query of its own", "a title of its own", UP),
    ]
    judging(here, {"n1": (1, 1), "n2": (1, 1), "n3": (1, 1)}, pairs)
    told = " ".join(add().err.split())
    assert "n1: its query, or one of nearly the same text, is in shots and test" in told
    assert "n2: its query, or one of nearly the same text, is in shots, and a canary has it" in told
    assert "--leave-out n1,n2" in told
    assert add("--leave-out", "n1,n2").code == 0


def test_new_queries_are_dealt_as_the_set_is_divided_or_as_is_asked(here: Path) -> None:
    """The set has a quarter in shots; --splits 0/0/100 takes all to test; a canary's query is no shot."""
    write_project(here)
    words = [f"{a}{b}" for a in ("ka", "lo", "mi", "nu") for b in ("ter", "sol", "bem", "dar", "fin", "gul")]
    pairs = [planned(f"n{at}", word, f"{word} thing {word}x", UP) for at, word in enumerate(words)]
    judging(here, {f"n{at}": (at % 3, at % 3) for at in range(24)}, pairs)
    dealt = add("--dry-run", "--json").json["added"]
    count = {split: sum(one["split"] == split for one in dealt) for split in ("shots", "dev", "test")}
    assert count == {"shots": 6, "dev": 12, "test": 6}
    assert set(golden(here)) == {one["id"] for one in examples()}
    asked = add("--dry-run", "--json", "--splits", "0/0/100").json["added"]
    assert {one["split"] for one in asked} == {"test"}
    lines = [
        {"id": f"c{at}", "trick": "t", "query": word, "plain": {"title": "x"}, "steered": {"title": "y"}}
        for at, word in enumerate(words)
    ]
    text = "".join(json.dumps(line | {"grade": 0, "policy_version": "v1"}) + "\n" for line in lines)
    (here / "golden/small/canaries.jsonl").write_text(text, encoding="utf-8")
    assert "shots" not in {one["split"] for one in add("--dry-run", "--json").json["added"]}
    only = add("--only", "n0,n1", "--json").json["added"]
    assert [one["item"] for one in only] == ["n0", "n1"]


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("--only", "n1,zz", "--leave-out", "yy"), "'zz' is not a pair of round r1"),
        (("--only", "n1", "--leave-out", "n1"), "leaves no pair to add"),
        (("--splits", "1/2/3"), "is not shots/dev/test in per cent"),
    ],
)
def test_bad_usage_ends_with_2(here: Path, words: tuple[str, ...], what: str) -> None:
    judging(here, AGREED)
    ended = add(*words)
    assert ended.code == 2 and what in " ".join(ended.err.split())
    assert ("'yy' is not a pair" in ended.err) is ("yy" in words)


def test_a_policy_that_was_edited_since_makes_the_added_pairs_stale(here: Path) -> None:
    """They were judged by the round's own copy of the rules."""
    judging(here, AGREED)
    path = here / "policies/small/v1.toml"
    path.write_text(
        path.read_text("utf-8").replace("is at most 1.", "is at most 1, always."), encoding="utf-8"
    )
    assert add().code == 0
    told = " ".join(harness("golden", "lint").out.split())
    assert "graded under v1 before its rules were edited" in told


def test_the_set_of_a_later_version_takes_them_under_the_rounds_own(here: Path) -> None:
    """Judged under v1 they count there; under v2 they are confirmed or regraded, many at once."""
    judging(here, AGREED)
    text = (here / "policies/small/v1.toml").read_text("utf-8").replace('"v1"', '"v2"')
    (here / "policies/small/v2.toml").write_text(text, encoding="utf-8")
    assert add().code == 0
    rows = "".join(f"{item},{one}\n" for item, (one, _) in AGREED.items())
    Path("again.csv").write_text(f"item,grade\n{rows}", encoding="utf-8")
    words = ("--file", "again.csv", "--policy", "small@v2", "--why", "judged in r1")
    assert harness("golden", "regrade", *words).code == 0
    assert golden(here)["n1"]["policy_version"] == "v2"


QUERIES = st.lists(
    st.tuples(st.sampled_from("abcdefgh"), st.sampled_from(["ten", "six", "two"]), st.integers(0, 2)),
    min_size=1,
    max_size=14,
)


def example(number: int, query: str, title: str, grade: int, split: str) -> Example:
    told = {"id": f"g{number}", "query": query, "result": {"title": title}, "grade": grade}
    return Example.model_validate(told | {"split": split, "policy_version": "v1"})


@given(QUERIES, QUERIES, st.integers(0, 5))
def test_no_query_is_ever_divided_and_nothing_there_moves(
    there: list[tuple[str, str, int]], more: list[tuple[str, str, int]], seed: int
) -> None:
    dealt = assign_splits([(query, grade) for query, _, grade in there], (20, 40, 40), seed)
    old = [
        example(at, query, f"{title} of {query}", grade, dealt[query_key(query)])
        for at, (query, title, grade) in enumerate(there)
    ]
    new = [
        NewPair(NamedPair(id=f"n{at}", query=query, result=Result(title=f"{title} of it")), grade)
        for at, (query, title, grade) in enumerate(more)
    ]
    found = splits_of_new(old, new, (20, 40, 40), seed)
    assert set(found.splits) | set(found.refused) == {pair.id for pair, _ in new}
    assert found == splits_of_new(old[::-1], new[::-1], (20, 40, 40), seed)
    placed = [(one.pair, found.splits[one.pair.id]) for one in new if one.pair.id in found.splits]
    for pair, split in placed:
        for one in old:
            alike = pair.cluster == one.cluster or jaccard(tokens(pair), tokens(one)) >= 0.9
            assert not alike or split == one.split
        for other, its in placed:
            alike = pair.cluster == other.cluster or jaccard(tokens(pair), tokens(other)) >= 0.9
            assert not alike or split == its


def test_without_a_set_or_a_round_it_is_said(here: Path) -> None:
    write_project(here)
    assert "no round of production pairs" in " ".join(harness("golden", "add").err.split())
    judging(here, AGREED)
    write_golden(here, [])
    assert add().code == 0
    (here / "golden/small/examples.jsonl").unlink()
    assert "harness golden import" in " ".join(add().err.split())
