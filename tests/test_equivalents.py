"""A paraphrase by rule: what is changed for its equal, and the traps that are left alone."""

import re
import time

import pytest
from builders import example
from hypothesis import given
from hypothesis import strategies as st

from harness.audit.equivalents import EQUIVALENTS, _places, in_other_words
from harness.audit.rewriting import REWRITINGS

CHANGED = {
    '28" monitor, 27″': "28 inches monitor, 27 inches",
    "a (30 in)": "a (30 inches)",
    "5 in x 3 in": "5 inches x 3 inches",
    "5-inch screen": "5 in screen",
    "1 inch": "1 in",
    "5.5 Inches": "5.5 in",
    "17 in": "17 inches",
    "30cm": "30 centimeters",
    "1 cm": "1 centimeter",
    "150-300 ml": "150-300 milliliters",
    "4,000 mm": "4,000 millimeters",
    "1.5 kg": "1.5 kilograms",
    "2 kilogrammes": "2 kg",
    "30 centimetres": "30 cm",
    "8 oz. mug": "8 ounces mug",
    "16 fl. oz.": "16 fluid ounces.",
    "16 fluid ounces": "16 fl oz",
    "8 lbs": "8 pounds",
    "1 ft": "1 foot",
    "6 ft. tall": "6 feet tall",
    "24 hours": "24 hr",
    "8 hrs": "8 hours",
    "5 years": "5 yr",
    "1 yr": "1 year",
    "100% wool": "100 percent wool",
    "75 percent": "75%",
    "12 pcs": "12 pieces",
    "12 Pieces": "12 pcs",
    "Pack of 3": "3-Pack",
    "3-pack": "pack of 3",
    "(2 Pack)": "(Pack of 2)",
    "Set of 2, oak": "Set of two, oak",
    "set of ten": "set of 10",
    "Pack of 3 pairs": "Pack of three pairs",
    "Qty: 4": "Quantity: 4",
    "quantity: 4": "qty: 4",
    "approx. 5": "approximately 5",
    "Approximately": "Approx.",
    "w/ lid": "with lid",
    "w/o lid": "without lid",
    "e.g. tea": "for example tea",
    "tea, for example mint": "tea, e.g. mint",
    "corn & rice": "corn and rice",
    "soft and warm": "soft & warm",
    "a television stand": "a TV stand",
    "T-Shirts": "Tee shirts",
    "tee shirt": "t-shirt",
    "two colours": "two colors",
    "Color": "Colour",
    "grey": "gray",
    "aluminum": "aluminium",
    "Jewellery box": "Jewelry box",
    '1"': "1 inch",
}
LEFT = (
    'the "Model 5" lamp',
    'Size "10"',
    "7'10\" x 9'10\"",
    "2 in 1 shampoo",
    "set of 5 in black",
    "5 in stock",
    "set of 4-inch pots",
    "V28",
    "AB-30 cm",
    "20x30cm",
    "1/2 inch",
    "5G",
    "32W",
    "128GB",
    "costs 8 pounds",
    "a sofa with 4 feet",
    "24 Hours of Le Mans",
    "3 years old",
    "2 PCs",
    "Pack of 3.5",
    "2 pack of socks",
    "set of 2 x 4",
    "set of 10.5",
    "Qtyp",
    "24w/240v",
    "60 W/m2",
    "w/out lid",
    "b/w",
    "H&M",
    "Black & Decker",
    "Tom and Jerry",
    "Apple TV",
    "Fire TV",
    "television Show",
    "golf tee",
    "Grey Goose",
    "Colorado",
    "for example",
    "quantity",
    "30 cm breit für",
    "чайник 30 cm",
    "沙发 30 cm",
    "shops and cafés",
    "",
)


@pytest.mark.parametrize(("text", "instead"), CHANGED.items())
def test_a_spelling_is_changed_for_its_equal(text: str, instead: str) -> None:
    assert in_other_words(text) == instead


@pytest.mark.parametrize("text", LEFT)
def test_what_could_mean_something_else_stays(text: str) -> None:
    assert in_other_words(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "30 cm",
        "2 kg",
        "16 fl oz",
        "8 oz",
        "75%",
        "12 pcs",
        "Pack of 3",
        "set of two",
        "grey",
        "two colours",
        "t-shirt",
    ],
)
def test_a_row_and_its_reverse_mean_the_same(text: str) -> None:
    other = in_other_words(text)
    back = in_other_words(other)
    assert other != text and in_other_words(back) == other


def test_each_place_is_changed_once_and_the_brand_keeps_its_name() -> None:
    assert in_other_words("a grey, grey 5 cm tee shirt") == "a gray, gray 5 centimeters t-shirt"
    text = "bed and bath towels, soft and warm"
    assert in_other_words(text) == "bed & bath towels, soft & warm"
    assert in_other_words(text, "Bed and Bath") == "bed and bath towels, soft & warm"
    assert (
        in_other_words("soft & warm, old", "warm")
        == in_other_words("soft & warm, old", "soft")
        == "soft and warm, old"
    )
    assert in_other_words("100% Pure cream, 100% oil", "100% pure") == "100% Pure cream, 100 percent oil"


_PIECES = st.sampled_from(["1 cm", "3 kg", "100%", "a & b", "tee shirt", "x", " ", "Cm"])


@given(st.lists(_PIECES, max_size=8).map("".join), st.data())
def test_a_place_that_overlaps_the_brand_anywhere_is_left_alone(text: str, data: st.DataObject) -> None:
    """Each place is held against each name."""
    start = data.draw(st.integers(0, len(text)))
    brand = data.draw(st.sampled_from([text[start : start + size] for size in (1, 2, 5)])) or "x"
    names = [one.span() for one in re.finditer(re.escape(brand), text, re.IGNORECASE)]
    kept = [
        one for one in _places(text, None) if not any(start < one[1] and one[0] < end for start, end in names)
    ]
    assert list(_places(text, brand)) == kept


@pytest.mark.parametrize(
    ("text", "brand"),
    [
        ("1 cm " * 12_000, "1"),
        ("a & " * 18_000, "a"),
        ("a" * 200_000, "a" * 100_000 + "b"),
        ("," * 72_000 + "a", None),
        ('("' * 36_000 + "a", None),
    ],
)
def test_a_long_text_takes_a_time_that_grows_with_its_length_alone(text: str, brand: str | None) -> None:
    one = example("a", result={"title": "x", "brand": brand, "description": text})
    began = time.process_time()
    for way in REWRITINGS.values():
        way.of(one)
    assert time.process_time() - began < 5


@given(st.text(alphabet='0123456789 .,-/&%"inchmklbozftpackse', max_size=60))
def test_no_text_fails_and_what_no_row_is_about_stays(text: str) -> None:
    assert in_other_words(f"xq {text} xq").startswith("xq ")
    assert in_other_words(f"xq {text} xq").endswith(" xq")


def test_every_row_is_tried_by_a_text_of_these_tests() -> None:
    numbers = [f"set of {word}" for n in range(2, 11) for word in (n, _WORDS[n - 2])]
    more = ["1 mm", "1 ml", "1 kg", "1 oz", "1 fl oz", "1 lb", "1 hr", "1 pcs", "5 mm", "3 millimeters"]
    more += ["3 milliliters", "3 ounces", "3 yrs", "gray", "color", "aluminium", "jewelry"]
    texts = [*CHANGED, *numbers, *more]
    untried = [row.found.pattern for row in EQUIVALENTS if not any(row.found.search(text) for text in texts)]
    assert not untried


_WORDS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def test_title_description_and_attributes_are_worded_and_nothing_else() -> None:
    data = {
        "title": "Desk, 30 cm", "brand": "30 cm", "category": "5 cm", "price": "100%", "description": "grey",
        "attributes": {"width cm": "5 cm"},
    }  # fmt: skip
    way = REWRITINGS["equivalents"]
    one = example("a", query="desk 5 cm", result=data | {"brand": "Alder"})
    found = way.of(one)
    assert found is not None and not way.may_move
    assert found.model_dump() == data | {
        "title": "Desk, 30 centimeters", "brand": "Alder", "description": "gray",
        "attributes": {"width cm": "5 centimeters"},
    }  # fmt: skip


def test_an_item_that_says_it_is_not_english_is_left_alone() -> None:
    way, result = REWRITINGS["equivalents"], {"title": "Tisch 30 cm"}
    for context, tags, asked in (
        ({"language": "de"}, (), False),
        (None, ("lang:fr",), False),
        ({"locale": "en-GB"}, (), True),
        (None, ("language:EN",), True),
        (None, (), True),
    ):
        found = way.of(example("a", result=result, context=context, tags=tags))
        assert (found is not None) is asked
