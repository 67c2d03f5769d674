"""The shop of benchmarks/story.py: its pairs, its policy, and how its teacher, raters and users judge.

All of it is simulated. Every draw depends on the seed and on what is drawn.
"""

import hashlib
import re
from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple

SEED = 15
KINDS = ("kettle", "toaster", "blender", "lamp", "heater", "fan", "iron", "scale", "clock", "mixer")
STYLES = ("red", "steel", "small", "quiet", "folding", "wooden", "cordless", "retro")
BRANDS = ("Velt", "Koslo", "Nordin", "Brenta", "Amari")
SMALL, LARGE = ("a timer", "a night light"), ("a clock radio", "a loudspeaker")
"""What a two-in-one device does beside: a small job, or one that takes half of it."""
RATES = (0.02, 0.07, 0.17, 0.30)
LARGE_RATE = 0.13
"""How often users click what they look at, by grade; and two-in-one devices whose other job is large."""
RATERS = ("ann", "bob")
ERRORS = {"teacher": 0.04, "ann": 0.03, "bob": 0.03}
"""How often each is off by one grade."""

Row = dict[str, Any]


class Product(NamedTuple):
    """A title; grade and clause under v2; the grade that users treat it as."""

    title: str
    grade: int
    clause: str
    liked: int


PRODUCTS = (
    Product("{brand} {style} {kind}", 3, "unstated-is-free", 3),
    Product("{brand} {style} {kind}, new model", 3, "unstated-is-free", 3),
    Product("{brand} {kind}", 2, "silent-on-stated", 2),
    Product("{brand} {kind}, boxed", 2, "silent-on-stated", 2),
    Product("{brand} {other} {kind}", 1, "stated-preference", 1),
    Product("{brand} {style} {kind} for children", 1, "audience", 1),
    Product("{brand} {style} {kind} with {beside}", 0, "two-in-one", 2),
    Product("{brand} cord for a {style} {kind}", 0, "accessory", 0),
    Product("{brand} bag for a {style} {kind}", 0, "accessory", 0),
    Product("{style} {kind}s: a history in pictures", 0, "other-kind", 0),
    Product("{brand} {style} {elsewhere}", 0, "other-kind", 0),
)  # fmt: skip
TWO = 6
"""Which of them is the planted one."""

POLICY = '''\
# Simulated: the policy of a shop that does not exist, for docs/from-signal-to-policy.md.

name = "shop"
version = "v2"
released = true
title = "shop: does this product belong in front of this shopper?"
author = "Dana Example"
surface = "The results page of an online shop, first screen"
goal = """
A shopper who types a query gets the thing that it names, in every respect that it states. A wrong product \\
costs more than a missing one."""

[[grades]]
value = 3
name = "Exact"
definition = "The thing asked for, and every respect that the query states is visible in the product's text."

[[grades]]
value = 2
name = "Good"
definition = "The thing asked for, with a catch, or with a stated respect that the text does not confirm."

[[grades]]
value = 1
name = "Related"
definition = "A second choice for the same need: the thing asked for with one stated respect missed."

[[grades]]
value = 0
name = "Irrelevant"
definition = "Does not serve the need: an accessory, or a thing that shares no more than a word."

[[actions]]
name = "show"
grades = [2, 3]
shown = "in the results, higher grades first"

[[actions]]
name = "related"
grades = [1]
shown = "below the results, as related"

[[actions]]
name = "filter"
grades = [0]
shown = "not at all"

[[clauses]]
id = "unstated-is-free"
text = "What the query does not state costs nothing: the thing asked for, with all that was stated, is 3."
why = "A short query leaves the choice to the shop."
min_grade = 3

[[clauses]]
id = "silent-on-stated"
text = "A stated respect that the product's text neither meets nor contradicts: at most 2."
why = "Shop data is patchy. Silence is not a no."
max_grade = 2

[[clauses]]
id = "stated-preference"
text = "A stated colour, material or style that the product contradicts: at most 1."
why = "Some could live with another colour, but the query said what it wants."
max_grade = 1

[[clauses]]
id = "audience"
text = "A product for another kind of user than the query names or implies: at most 1."
why = "A child's version is smaller in what it does, too."
max_grade = 1

[[clauses]]
id = "two-in-one"
text = "A device that does something else beside the thing asked for is another thing: at most 0."
why = "Who asks for one thing does not ask for two."
max_grade = 0

[[clauses]]
id = "accessory"
text = "An accessory or a spare part of the thing asked for is at most 0."
why = "Someone who looks for the thing does not own it yet."
max_grade = 0

[[clauses]]
id = "other-kind"
text = "A thing of another kind is at most 0."
why = "A shared word or colour serves nobody."
max_grade = 0

[[boundaries]]
query = "waterproof jacket"
result = "Hooded jacket with taped seams"
between = [2, 3]
grade = 2
higher = "Taped seams are what makes a jacket waterproof."
lower = "Waterproof was asked for, and the text does not say it."
decision = "2: silence is not a contradiction, and not a yes."
clauses = ["silent-on-stated"]
'''
CATCH = "is the thing with a catch"
CHANGED = f"""\
[[clauses]]
id = "two-in-one"
text = "A device that is the thing asked for and does something else beside it {CATCH}: 2 where the other \
job is a small one (a timer, a light), 1 where it takes half of the device (a radio, a loudspeaker)."
why = "It does what was asked for, and whoever wants it plain sees that it is not. Hidden, it helps nobody."
max_grade = 2

"""
CLAUSE = re.compile(r'\[\[clauses\]\]\nid = "two-in-one"\n(?:.+\n)+\n')


def share(*names: object) -> float:
    """A number in [0, 1) that depends on the names alone."""
    told = "|".join(map(str, (SEED, *names)))
    return int(hashlib.sha256(told.encode()).hexdigest()[:12], 16) / 16**12


def pairs() -> Iterator[Row]:
    """Every pair of the shop: one query for each style and kind, in a fixed order."""
    for number, (kind, style) in enumerate(product(KINDS, STYLES)):
        views = 4_000 + 12_000 * share("views", kind, style)
        for at, one in enumerate(PRODUCTS):
            words = {
                "brand": BRANDS[(number + at) % len(BRANDS)],
                "style": style,
                "kind": kind,
                "other": STYLES[(STYLES.index(style) + 1 + number % 6) % len(STYLES)],
                "elsewhere": KINDS[(KINDS.index(kind) + 1 + number % 8) % len(KINDS)],
                "beside": (SMALL + LARGE)[int(4 * share("beside", kind, style))],
            }
            yield {
                "query": f"{style} {kind}",
                "item": f"p{number:02}{at:02}",
                "title": one.title.format(**words),
                "views": round(views),
                "stratum": "head" if views > 10_000 else "tail",
                "grade": one.grade,
                "clauses": one.clause,
                "liked": right(words["beside"]) if at == TWO else one.liked,
                "at": at,
                "number": number,
            }


def right(beside: str) -> int:
    """What a two-in-one device is worth to people, and by v4: by what it does beside."""
    return 2 if beside in SMALL else 1


def golden(row: Row) -> bool:
    """Whether a pair is in the golden set: half of the queries, and few of the planted pairs."""
    return bool(row["number"] % (12 if row["at"] == TWO else 2) == 0)


def read(query: str, title: str) -> tuple[int, str]:
    """Grade and clause of a pair by its words, as v2 has them: all that teacher and raters know of it."""
    style, _, kind = query.partition(" ")
    words = set(re.findall(r"\w+", title))
    if " for a " in title:
        return 0, "accessory"
    if kind not in words:
        return 0, "other-kind"
    if " with " in title:
        return 0, "two-in-one"
    if "for children" in title:
        return 1, "audience"
    if style in words:
        return 3, "unstated-is-free"
    return (1, "stated-preference") if words & set(STYLES) else (2, "silent-on-stated")


def grade(who: str, query: str, title: str, told: str) -> tuple[int, str]:
    """What somebody says of a pair who has read `told`, a text with the policy in it; now and then one off.

    Raters and teacher follow the clause that they read: v2 says 0 of a two-in-one device, v4 says 1 or 2.
    Where the policy has no such clause (v3), they judge by its grades, and as users do: that is an assumption
    of this simulation, and what one asks people to find out.
    """
    value, clause = read(query, title)
    read_in = "v4" if CATCH in told else "v2" if "two-in-one" in told else "v3"
    if clause == "two-in-one" and read_in != "v2":
        value = right(title.partition(" with ")[2])
    # A model errs on the same pairs under all versions; people who read a pair again may not.
    occasion = read_in if who in RATERS else ""
    if share(who, query, title, occasion) < ERRORS[who]:
        value += 1 if value == 0 or (value < 3 and share("up", who, query, title) < 0.5) else -1
    return value, clause
