"""Nothing that is graded is shown in a prompt: not as a shot, and not as an example worked in the policy."""

from fractions import Fraction

import pytest
from builders import example, policy
from hypothesis import given
from hypothesis import strategies as st

from harness.golden.leakage import Dropped, Graded, Leaks, safe_shots, withhold_worked
from harness.golden.similarity import NearIndex, jaccard, near_duplicates
from harness.nouns.pair import Example, Pair
from harness.nouns.policy import Boundary, Policy, WorkedExample

EIGHT = "a1 a2 a3 a4 a5 a6 a7 a8"
"""With a query of one word, nine words: a graded pair with one word more is nearly the same (9 of 10)."""


def working(*worked: tuple[str, str]) -> Policy:
    """A policy that works through these pairs of query and result twice: as boundaries and in its rubric."""
    known = policy()
    boundaries = tuple(
        Boundary(query=query, result=title, between=(0, 1), grade=1, higher="h", lower="l", decision="d")
        for query, title in worked
    )
    examples = tuple(WorkedExample(query=query, result=title) for query, title in worked)
    levels = tuple(level.model_copy(update={"examples": examples}) for level in known.grades)
    return known.model_copy(update={"boundaries": boundaries, "grades": levels})


def shown_by(known: Policy) -> list[str]:
    """The queries that a policy works through, once each; in its rubric they have to be the same."""
    queries = [one.query for one in known.boundaries]
    assert all([one.query for one in level.examples] == queries for level in known.grades)
    return queries


def pair(query: str, title: str) -> Pair:
    return Pair.model_validate({"query": query, "result": {"title": title}})


# --- worked examples -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "kept"),
    [("x", []), ("y x", []), ("x, Y!", []), ("x y z", ["x", "lamp"]), ("v w", ["x", "lamp"])],
)
def test_worked_example_that_is_nearly_a_graded_pair_is_withheld(query: str, kept: list[str]) -> None:
    known = working(("x", EIGHT), ("lamp", "desk lamp"))
    graded = example("t", query=query, result={"title": EIGHT}, split="test")
    shown, withheld = withhold_worked(known, [graded])
    assert shown_by(shown) == (kept or ["lamp"])
    assert withheld == ([] if kept else ["x"])


def test_worked_example_of_a_graded_query_is_withheld_whatever_its_result() -> None:
    known = working(("Lamp", "r"), ("x", EIGHT))
    shown, withheld = withhold_worked(known, [example("t", query="lamp", result={"title": "another"})])
    assert (shown_by(shown), withheld) == (["x"], ["lamp"])


def test_other_worked_examples_of_a_query_that_gives_a_pair_away_go_with_it() -> None:
    known = working(("x", EIGHT), ("X", "something else"))
    shown, withheld = withhold_worked(known, [example("t", query="y x", result={"title": EIGHT})])
    assert (shown_by(shown), withheld) == ([], ["x"])


def test_boundaries_and_the_rubric_give_pairs_away_each_by_themselves() -> None:
    known, bare = working(("x", EIGHT)), working()
    graded = [example("t", query="y x", result={"title": EIGHT})]
    for half in ({"grades": bare.grades}, {"boundaries": ()}):
        shown, withheld = withhold_worked(known.model_copy(update=half), graded)
        assert (shown, withheld) == (bare, ["x"])


def test_what_is_withheld_comes_by_name_and_once() -> None:
    known = working(("lamp", "r"), ("chair", "r"), ("Lamp", "s"))
    graded = [example("one", query="lamp"), example("two", query="chair"), example("three", query="shoe")]
    assert withhold_worked(known, graded)[1] == ["chair", "lamp"]


def test_worked_example_may_give_a_shot_away() -> None:
    known = working(("lamp", "r"))
    assert withhold_worked(known, [example(query="lamp", split="shots")]) == (known, [])


def test_pairs_that_are_graded_beside_a_golden_set_count_as_graded() -> None:
    known = working(("x", EIGHT), ("lamp", "r"), ("chair", "r"))
    leaks = Leaks((), known)
    leaks.see("near", pair("y x", EIGHT))
    leaks.see("same", pair("LAMP", "another"))
    shown, withheld = leaks.shown_policy()
    assert (shown_by(shown), withheld) == (["chair"], ["lamp", "x"])


def test_worked_example_without_a_result_is_held_against_queries_alone() -> None:
    """Nothing can be near to half a pair, and a graded query is one all the same."""
    known = working(("x a1 a2 a3 a4 a5 a6 a7 a8", ""), ("lamp", ""))
    shown, withheld = withhold_worked(known, [example("t", query="y x", result={"title": EIGHT})])
    assert (len(shown_by(shown)), withheld) == (2, [])
    shown, _ = withhold_worked(known, [example("t", query="lamp")])
    assert shown_by(shown) == ["x a1 a2 a3 a4 a5 a6 a7 a8"]


# --- shots -------------------------------------------------------------------------------------------------


def shot(id: str, query: str, title: str) -> Example:
    return example(id, split="shots", query=query, result={"title": title})


def test_shots_are_kept_from_prompts_with_the_graded_example_that_they_would_give_away() -> None:
    golden = [
        shot("same", "lamp", "r"),
        shot("near", "x", EIGHT),
        shot("both", "y x", EIGHT),
        shot("far", "shoe", "boot"),
        example("t1", query="Lamp", result={"title": "another"}),
        example("t2", query="y x", result={"title": EIGHT}, split="test"),
        example("t3", query="lamp", result={"title": "a third"}),
    ]
    kept, dropped = safe_shots(golden)
    assert [one.id for one in kept] == ["far"]
    assert sorted(dropped, key=lambda one: one.shot) == [
        Dropped("both", "t2", "the same query"),
        Dropped("near", "t2", "nearly the same query and title"),
        Dropped("same", "t1", "the same query"),
    ]


def test_shots_give_no_other_shot_away() -> None:
    golden = [shot("one", "lamp", "r"), shot("two", "lamp", "r"), example("t", query="chair")]
    assert safe_shots(golden) == (golden[:2], [])


def test_shots_are_held_against_pairs_beside_the_golden_set() -> None:
    golden = [shot("same", "lamp", "r"), shot("near", "x", EIGHT), shot("far", "shoe", "boot")]
    leaks = Leaks(golden)
    leaks.see("p1", pair("lamp", "z"))
    leaks.see("p2", pair("x y", EIGHT))
    kept, dropped = leaks.safe_shots()
    assert [one.id for one in kept] == ["far"]
    assert [(one.shot, one.graded) for one in dropped] == [("same", "p1"), ("near", "p2")]


def test_graded_examples_are_no_shots() -> None:
    golden = [example("d"), example("t", split="test")]
    assert safe_shots(golden) == ([], [])


# --- students ----------------------------------------------------------------------------------------------


def test_what_a_student_may_not_learn_is_what_dev_and_test_hold_and_no_shot() -> None:
    golden = [
        example("d", query="rain coat", result={"title": EIGHT}),
        example("t", query="Lamp", result={"title": "desk lamp"}, split="test"),
        shot("s", "shoe", "b1 b2 b3 b4 b5 b6 b7 b8 b9"),
    ]
    graded = Graded(golden)
    assert graded.count == 2 and graded.queries == frozenset({"rain coat", "lamp"})
    assert graded.has_query("lamp") and not graded.has_query("shoe")
    near = [("rain coat", EIGHT), ("the rain coat", EIGHT), ("coat, RAIN", "another")]
    assert all(graded.is_near(pair(*one)) for one in near)
    far = [("shoe", "b1 b2 b3 b4 b5 b6 b7 b8 b9"), ("rain", EIGHT[:11]), ("coat", "rain")]
    assert not any(graded.is_near(pair(*one)) for one in far)


# --- what is near ------------------------------------------------------------------------------------------

NINE_TENTHS = Fraction(9, 10)
LETTERS = "abcdefghijklm"
texts = st.one_of(
    st.frozensets(st.sampled_from(LETTERS), min_size=1),
    # All but a few of the letters: many of these are near each other, some by exactly nine tenths.
    st.frozensets(st.sampled_from(LETTERS), max_size=4).map(lambda left: frozenset(LETTERS) - left),
)


@given(st.lists(texts, max_size=12), st.lists(st.sampled_from("xyz"), min_size=12, max_size=12))
def test_near_duplicates_are_those_that_comparing_all_with_all_finds(
    sets: list[frozenset[str]], groups: list[str]
) -> None:
    every = [
        (i, j)
        for j, b in enumerate(sets)
        for i, a in enumerate(sets[:j])
        if groups[i] != groups[j] and jaccard(a, b) >= NINE_TENTHS
    ]
    assert list(near_duplicates(iter(sets), groups[: len(sets)])) == every


@given(st.lists(texts, max_size=12), texts)
def test_an_index_finds_what_comparing_with_all_finds(
    sets: list[frozenset[str]], words: frozenset[str]
) -> None:
    every = [i for i, one in enumerate(sets) if jaccard(one, words) >= NINE_TENTHS]
    assert NearIndex(sets).of(words) == every


@pytest.mark.parametrize(
    ("shared", "more", "near"), [(9, 1, True), (8, 1, False), (18, 2, True), (17, 2, False), (18, 3, False)]
)
def test_nine_tenths_of_all_words_in_common_are_near_and_less_is_not(
    shared: int, more: int, near: bool
) -> None:
    few = frozenset(map(str, range(shared)))
    many = few | frozenset("abc"[:more])
    assert NearIndex([few]).of(many) == NearIndex([many]).of(few) == ([0] if near else [])
    assert list(near_duplicates([few, many], "xy")) == ([(0, 1)] if near else [])


def test_two_sets_are_near_where_nobody_else_has_their_words_and_where_everybody_has() -> None:
    """The words that are compared first are the rarest: of ten, two may be missing from all the others."""
    common, alone = frozenset(LETTERS), frozenset("0123456789")
    assert list(near_duplicates([alone, alone], "xy")) == [(0, 1)]
    assert list(near_duplicates([common] * 3, "xyz")) == [(0, 1), (0, 2), (1, 2)]
    assert list(near_duplicates([alone, common, alone - {"0"}], "xyz")) == [(0, 2)]
    # Pairs of one group are not told, nor what shares most words and not enough.
    assert not list(near_duplicates([alone, alone], "xx"))
    assert not list(near_duplicates([alone | {"a"}, alone | {"b", "c"}], "xy"))
