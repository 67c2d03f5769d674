"""The texts of an example policy for each grade of a scale, and the grades of the example pairs on it."""

from collections.abc import Sequence
from typing import NamedTuple

from harness.nouns.policy import Action

IRRELEVANT, POOR, RELATED, GOOD, EXACT = range(5)
"""The levels of the example pairs."""
_NAMES = ("Irrelevant", "Poor", "Related", "Good", "Exact")
_DEFINITIONS = (
    "Serves nothing that the query asks for, even if a word of it matches.",
    "Near the query by its words or its use, but it does not serve the need: an accessory, a thing for "
    "another job.",
    "A second choice for the same need: a substitute, or the thing asked for with one stated preference "
    "missed.",
    "The thing asked for; nothing that the query states is contradicted, but one respect is not confirmed.",
    "The thing asked for, and every respect that the query states is visible in the product's text.",
)
_MERGED = {
    2: {
        IRRELEVANT: "Another thing than the one asked for, or one that contradicts what the query states.",
        GOOD: "The thing asked for; nothing that the query states is contradicted.",
    },
    3: {
        IRRELEVANT: "Does not serve the need: an accessory, or a thing that shares no more than a word.",
        GOOD: "The thing asked for; nothing that the query states is contradicted.",
    },
    4: {IRRELEVANT: "Does not serve the need: an accessory, or a thing that shares no more than a word."},
}
"""Definitions of grades that cover several levels, by the number of grades on the scale."""
_SMALL = {2: (0, 0, 0, 1, 1), 3: (0, 0, 1, 2, 2), 4: (0, 0, 1, 2, 3)}


class Drafted(NamedTuple):
    """A grade of a drafted policy."""

    value: int
    name: str
    definition: str


def grades_of_levels(scale: Sequence[int]) -> tuple[int, ...]:
    """The grade of each level on a scale: scales of fewer than five grades merge levels."""
    most = len(scale) - 1
    places = _SMALL.get(len(scale)) or tuple(round(level * most / EXACT) for level in range(5))
    return tuple(scale[place] for place in places)


def drafted_grades(scale: Sequence[int]) -> list[Drafted]:
    """Every grade with its name and definition, the best first.

    Grades between two levels are defined by them: a scale of 0 to 100 has 96 such grades.
    """
    found = grades_of_levels(scale)
    lowest_level = {grade: found.index(grade) for grade in found}
    return [_drafted(grade, lowest_level, len(scale)) for grade in reversed(scale)]


def _drafted(grade: int, levels: dict[int, int], size: int) -> Drafted:
    if grade in levels:
        level = levels[grade]
        return Drafted(grade, _NAMES[level], _MERGED.get(size, {}).get(level, _DEFINITIONS[level]))
    below = max(other for other in levels if other < grade)
    above = min(other for other in levels if other > grade)
    between = f"Between {_NAMES[levels[below]]} ({below}) and {_NAMES[levels[above]]} ({above})"
    return Drafted(grade, f"Grade {grade}", f"{between}, in proportion.")


def drafted_actions(scale: Sequence[int]) -> list[Action]:
    """The actions of a scale: `show` and `filter`; with more than two grades `related` between them."""
    found = grades_of_levels(scale)
    good = found[GOOD]
    related = found[RELATED] if found[RELATED] > found[IRRELEVANT] else good
    all_three = [
        Action(
            name="show",
            grades=tuple(grade for grade in scale if grade >= good),
            shown="in the results, higher grades first",
        ),
        Action(
            name="related",
            grades=tuple(grade for grade in scale if related <= grade < good),
            shown="below the results, as related",
        ),
        Action(name="filter", grades=tuple(grade for grade in scale if grade < related), shown="not at all"),
    ]
    return [action for action in all_three if action.grades]
