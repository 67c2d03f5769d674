"""Which pairs a round has, and who rates them."""

from collections import Counter
from fractions import Fraction
from itertools import combinations
from statistics import mean, stdev

import pytest
from builders import example, policy
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import BadInput
from harness.golden.rating.assignment import APART, assign
from harness.golden.rating.drawing import Drawing, allocate, draw, hunt_order
from harness.golden.rating.rounds import Assignment, Design
from harness.nouns.pair import Example

POLICY = policy()
SEEDS = 2_000


def many(count: int = 40) -> list[Example]:
    """Examples in strata of very different sizes: 1 in 8 of grade 2, the rest of 0 and 1."""
    grades = [2 if at % 8 == 0 else at % 2 for at in range(count)]
    return [
        example(f"e{at:03}", grade=grade, tags=("lang:de",) if at < 10 else ())
        for at, grade in enumerate(grades)
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    "wanted",
    [
        Drawing(12),
        Drawing(12, by="grade"),
        Drawing(9, by="grade", equal=True),
        Drawing(12, by="lang:"),
        Drawing(20, by="grade", random_share=0.5),
    ],
    ids=lambda one: f"{one.pairs}-{one.by}-{one.equal}-{one.random_share}",
)
def test_pairs_come_in_as_often_as_their_pi_says(wanted: Drawing) -> None:
    """Over many seeds; and the Horvitz-Thompson mean of a figure that goes with the stratum is unbiased."""
    examples = many()
    worth = {one.id: one.grade * 10 + at % 3 for at, one in enumerate(examples)}
    hunted = [one.id for one in examples[:15]]
    seen: Counter[str] = Counter()
    pi: dict[str, float] = {}
    means = []
    for seed in range(SEEDS):
        drawn = [one for one in draw(examples, POLICY, wanted, seed, hunted) if one.drawn == "random"]
        seen.update(one.example.id for one in drawn)
        known = {one.example.id: one.pi or 0 for one in drawn}
        assert all(pi.setdefault(id_, chance) == chance for id_, chance in known.items())
        means.append(sum(worth[id_] / chance for id_, chance in known.items()) / len(examples))
    assert pi.keys() == worth.keys(), "every pair can come in"
    for id_, chance in pi.items():
        # Five standard errors, for 40 pairs.
        assert abs(seen[id_] / SEEDS - chance) < 5 * (chance * (1 - chance) / SEEDS) ** 0.5 + 1e-9, id_
    assert sum(pi.values()) == pytest.approx(round(wanted.pairs * wanted.random_share))
    truth = mean(worth.values())
    assert abs(mean(means) - truth) < 5 * stdev(means) / SEEDS**0.5


def test_hunted_pairs_come_from_the_rest_and_have_no_pi() -> None:
    examples = many()
    hunted = [one.id for one in examples[:15]]
    drawn = draw(examples, POLICY, Drawing(20, random_share=0.5), 1, hunted)
    assert len({one.example.id for one in drawn}) == 20
    by_chance = [one for one in drawn if one.drawn == "random"]
    looked_for = [one for one in drawn if one.drawn == "hunted"]
    assert [len(by_chance), len(looked_for)] == [10, 10]
    assert {one.pi for one in looked_for} == {None}
    assert {one.pi for one in by_chance} == {0.25}
    left = [id_ for id_ in hunted if id_ not in {one.example.id for one in by_chance}]
    assert [one.example.id for one in looked_for] == left[:10]
    assert len(draw(examples, POLICY, Drawing(20, random_share=0), 1, ["e001", "nobody"])) == 1


def test_the_order_of_the_file_is_nothing_and_the_seed_everything() -> None:
    examples = many()
    first = draw(examples, POLICY, Drawing(10, by="grade"), 3)
    assert first == draw(examples[::-1], POLICY, Drawing(10, by="grade"), 3)
    assert first != draw(examples, POLICY, Drawing(10, by="grade"), 4)


def test_a_pair_with_two_ids_is_drawn_once() -> None:
    twins = [example("a"), example("b", query="query a", result={"title": "title a"}), example("c")]
    drawn = draw(twins, POLICY, Drawing(2), 1, [])
    assert {(one.example.id, one.also) for one in drawn} == {("a", ("b",)), ("c", ())}
    (found,) = draw(twins, POLICY, Drawing(1, random_share=0), 1, ["b"])
    assert (found.example.id, found.also) == ("a", ("b",))
    with pytest.raises(BadInput, match=r"--pairs 3: only 2 different pairs"):
        draw(twins, POLICY, Drawing(3), 1)


def test_strata_are_refused_where_they_cannot_be_drawn() -> None:
    with pytest.raises(BadInput, match="2 pairs at random cannot speak for 3 strata"):
        draw(many(), POLICY, Drawing(2, by="grade"), 1)
    with pytest.raises(BadInput, match="no tag begins so"):
        draw(many(), POLICY, Drawing(2, by="nothing:"), 1)
    assert {one.stratum for one in draw(many(), POLICY, Drawing(20, by="action"), 1)} <= set(
        POLICY.action_of.values()
    )


@given(
    st.dictionaries(st.text(max_size=3), st.integers(1, 50), min_size=1, max_size=6),
    st.data(),
    st.booleans(),
)
def test_allocation_sums_up_fits_and_is_fair(sizes: dict[str, int], data: st.DataObject, equal: bool) -> None:
    count = data.draw(st.integers(len(sizes), sum(sizes.values())))
    found = allocate(sizes, count, equal=equal)
    assert sum(found.values()) == count
    assert all(1 <= found[name] <= size for name, size in sizes.items())
    if equal:
        least = max(found.values()) - 1
        assert all(found[name] >= min(least, size) for name, size in sizes.items())
    else:
        total = sum(sizes.values())
        exact = {name: Fraction(count * size, total) for name, size in sizes.items()}
        # At least one of each moves a share by no more than there are strata.
        assert all(abs(found[name] - exact[name]) <= len(sizes) for name in sizes)


def test_proportional_allocation_by_hand() -> None:
    assert allocate({"a": 70, "b": 20, "c": 10}, 10, equal=False) == {"a": 7, "b": 2, "c": 1}
    assert allocate({"a": 70, "b": 20, "c": 10}, 12, equal=True) == {"a": 4, "b": 4, "c": 4}
    assert allocate({"a": 70, "b": 20, "c": 2}, 12, equal=True) == {"a": 5, "b": 5, "c": 2}


def test_reasons_to_hunt_take_turns() -> None:
    order = hunt_order({"a": 2, "b": 1}, {"c": 0.9, "a": 0.5}, seed=1)
    assert order == ["a", "c", "b"]
    assert hunt_order(seed=1) == []


def of_raters(assigned: tuple[Assignment, ...], repeat: int | None = None) -> dict[str, list[str]]:
    """What each rater has, in order."""
    found: dict[str, list[str]] = {}
    for one in assigned:
        if repeat is None or one.repeat == repeat:
            found.setdefault(one.rater, []).append(one.code)
    return found


def pairs_in(count: int, per_query: int = 3) -> dict[str, str]:
    return {f"c{at:03}": f"query {at // per_query}" for at in range(count)}


@given(st.integers(2, 9), st.integers(1, 60), st.integers(0, 5))
def test_two_raters_each_meet_equally_often_and_carry_equal_loads(people: int, count: int, seed: int) -> None:
    raters = [f"rater {at}" for at in range(people)]
    assigned = assign(pairs_in(count), raters, Design(by_all=0, repeated=0), seed)
    who = Counter(one.code for one in assigned)
    assert set(who.values()) == {2}
    shares = of_raters(assigned)
    loads = [len(shares.get(rater, ())) for rater in raters]
    assert max(loads) - min(loads) <= 1
    teams: Counter[frozenset[str]] = Counter()
    for code in who:
        teams[frozenset(one.rater for one in assigned if one.code == code)] += 1
    meetings = [teams[frozenset(two)] for two in combinations(raters, 2)]
    assert max(meetings) - min(meetings) <= 1


@given(st.integers(1, 8), st.integers(1, 4), st.integers(1, 50), st.integers(0, 3))
def test_loads_are_equal_for_any_design(people: int, each: int, count: int, seed: int) -> None:
    raters = [f"rater {at}" for at in range(people)]
    design = Design(each=each, by_all=0.1, repeated=0.05)
    if each > people:
        with pytest.raises(BadInput, match=f"--each {each}"):
            assign(pairs_in(count), raters, design, seed)
        return
    assigned = assign(pairs_in(count), raters, design, seed)
    first = of_raters(assigned, 0)
    by_all = [code for code in pairs_in(count) if all(code in first.get(one, ()) for one in raters)]
    assert len(by_all) >= round(0.1 * count)
    assert all(n >= each for n in Counter(one.code for one in assigned if not one.repeat).values())
    loads = [len(of_raters(assigned).get(rater, ())) for rater in raters]
    assert max(loads) - min(loads) <= 1
    for rater, codes in first.items():
        assert len(set(codes)) == len(codes)
        again = [one.code for one in assigned if one.rater == rater and one.repeat]
        assert len(again) == round(0.05 * min(len(c) for c in first.values()))
        assert set(again) <= set(codes)
        assert [one.place for one in assigned if one.rater == rater] == list(
            range(loads[raters.index(rater)])
        )


@pytest.mark.parametrize("seed", range(10))
def test_repeats_are_far_apart_and_queries_together(seed: int) -> None:
    queries = pairs_in(150)
    assigned = assign(queries, ["ann", "bob"], Design(repeated=0.1), seed)
    for rater in ("ann", "bob"):
        order = [one for one in assigned if one.rater == rater]
        first = {one.code: one.place for one in order if not one.repeat}
        again = [one for one in order if one.repeat]
        assert len(again) == 15
        assert all(one.place - first[one.code] >= APART for one in again)
        # Without the repeats, each query is one stretch.
        seen = [queries[one.code] for one in order if not one.repeat]
        stretches = [query for at, query in enumerate(seen) if at == 0 or seen[at - 1] != query]
        assert len(stretches) == len(set(seen))


def test_a_repeat_is_never_nearer_than_twenty_places_and_sometimes_no_farther() -> None:
    """With 21 pairs of one query each there is room for two of them alone."""
    distances = Counter[int]()
    for seed in range(40):
        order = assign(pairs_in(21, per_query=1), ["ann", "bob"], Design(), seed)
        place = {(one.code, one.repeat): one.place for one in order if one.rater == "ann"}
        (again,) = [code for code, repeat in place if repeat]
        distances[place[again, 1] - place[again, 0]] += 1
    assert distances.keys() == {20, 21}
    # Where there is no room the repeats come last.
    few = [
        one for one in assign(pairs_in(10, per_query=1), ["ann", "bob"], Design(), 1) if one.rater == "ann"
    ]
    assert len(few) == 10, "a twentieth of ten is none"
    few = [one for one in assign(pairs_in(10), ["ann", "bob"], Design(repeated=0.2), 1) if one.rater == "ann"]
    assert [one.repeat for one in few] == [0] * 10 + [1] * 2
    assert {few[10].code, few[11].code} == {few[0].code, few[1].code}


def test_each_rater_has_another_order_and_the_same_each_time() -> None:
    orders = [of_raters(assign(pairs_in(60), ["ann", "bob"], Design(), 5)) for _ in range(2)]
    assert orders[0] == orders[1]
    assert orders[0]["ann"] != orders[0]["bob"]
    inside = [code for code in orders[0]["ann"] if code in {"c000", "c001", "c002"}]
    shuffled = {
        tuple(
            c for c in of_raters(assign(pairs_in(60), ["ann", "bob"], Design(), seed))["ann"] if c in inside
        )
        for seed in range(20)
    }
    assert len(shuffled) > 3


def test_a_tenth_goes_to_all() -> None:
    assigned = assign(pairs_in(100), ["a", "b", "c", "d", "e"], Design(), 1)
    counts = Counter(Counter(one.code for one in assigned if not one.repeat).values())
    assert counts == {2: 90, 5: 10}
