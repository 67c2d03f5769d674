"""How the words of a query and a product meet: shares by their definition."""

from hypothesis import example, given
from hypothesis import strategies as st

from harness.nouns.pair import Pair, Result
from harness.providers.overlap import description, overlaps, stems

WORDS = st.lists(st.sampled_from(["boot", "boots", "Boots", "red", "gas", "ss", "s", "-", "7"]), max_size=12)


def by_definition(pair: Pair) -> tuple[float, ...]:
    """Each word sought in the list of the others."""
    query, title = stems(pair.query), stems(pair.result.title)
    listing = [*title, *stems(description(pair))]
    found = [word in title for word in query]
    shares = [found, [word in listing for word in query], found[-1:], [word not in query for word in title]]
    return tuple(sum(one) / len(one) if one else 0.0 for one in shares)


def pair_of(query: str, title: str, more: str = "") -> Pair:
    return Pair(query=query, result=Result(title=title, description=more))


@given(WORDS, WORDS, WORDS)
@example(["boot", "red"], ["boots", "boots", "gas"], ["red"])
def test_the_shares_are_those_of_their_definition(
    query: list[str], title: list[str], more: list[str]
) -> None:
    pair = pair_of(" ".join(["q", *query]), " ".join(["t", *title]), " ".join(more))
    assert overlaps(pair) == by_definition(pair)
