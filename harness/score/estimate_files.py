"""Estimates of files: a label set or a table of production rows, and a file of ratings."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from harness.errors import BadInput, Fault
from harness.golden.by_chance import Told, other_items
from harness.golden.graded_files import Levels
from harness.golden.unmatched import unmatched
from harness.runs.labels import is_label_set, load_labels
from harness.score.estimate import About, EstimateRequest, estimate, refuse_unfit
from harness.score.gathered import Gathered, Queries
from harness.score.human_grades import HumanGrades, human_grades
from harness.score.labelled_rows import read_labels
from harness.score.production_table import read_production
from harness.score.two_teachers import compare_teachers
from harness.scorecards.estimate import Estimates, RatingsUsed
from harness.storage.cells import present
from harness.storage.formats import read_table
from harness.storage.plural import plural
from harness.storage.tables import Layout, Row, Table
from harness.storage.visible import shown_name

LISTED = 100_000
"""Ids of the labels in which a likely match for a rated item is looked for."""
NO_RATINGS = "a label set has no human grades: name a file of ratings with --ratings"


@dataclass(frozen=True, slots=True)
class Labelled:
    """A label set's folder, or a table with its layout and scale; `given` is one that is in no file."""

    path: Path
    layout: Layout
    levels: Levels
    given: Table | None = None

    @property
    def is_set(self) -> bool:
        """Whether it is a label set."""
        return self.given is None and is_label_set(self.path)

    @property
    def table(self) -> Table:
        """The table."""
        return self.given or read_table(self.path, self.layout)


@dataclass(frozen=True, slots=True)
class GivenRatings:
    """A file of ratings and how to read it. `uniform`: every row had the same chance to be drawn.

    `decided`: the author's decisions by item, which count before what raters said.
    """

    path: Path
    layout: Layout
    uniform: bool = False
    decided: Mapping[str, int] | None = None


def labelled_of(source: Any, scale: tuple[int, ...] | None) -> Labelled:
    """A label set's folder, a file, or a data frame. BadInput without the scale that it needs."""
    path = Path(source) if isinstance(source, str | Path) else None
    if path is not None and is_label_set(path):
        if scale is not None:
            raise BadInput("scale: a label set brings its policy, and with it the scale")
        return Labelled(path, Layout(), levels_of_labels(path))
    if scale is None:
        raise BadInput("give the scale of the grades, such as scale='0-4'")
    if path is not None:
        return Labelled(path, Layout(), Levels(scale))
    rows = [
        Row(number, {str(name): present(cell) for name, cell in cells.items()})
        for number, cells in enumerate(source.to_dict("records"))
    ]
    table = Table(Path("the frame"), tuple(map(str, source.columns)), rows, "row")
    return Labelled(table.path, Layout(), Levels(scale), table)


def levels_of_labels(path: Path) -> Levels:
    """The policy that a label set was made by."""
    policy = load_labels(path).policy
    return Levels(policy.scale, policy)


def estimate_files(
    labels: Labelled, rated: GivenRatings | None, wanted: EstimateRequest, other: Labelled | None = None
) -> Estimates:
    """What a label set and ratings say of production; with another label set, the difference too."""
    scale, policy, _ = labels.levels
    people = None
    if rated is not None:
        people = human_grades(rated.path, rated.layout, scale, policy, rated.decided, uniform=rated.uniform)
    elif labels.is_set:
        raise BadInput(NO_RATINGS)
    queries = Queries()
    first, warnings, used = _gathered(labels, queries, people)
    second = _gathered(other, queries, people) if other else None
    rows = first.rows()
    warnings += [*_cascades(labels, other)]
    about = About(
        labels=str(labels.path),
        ratings=used,
        unproven=labels.is_set and load_labels(labels.path).manifest.proven is None,
        warnings=(*warnings, *(second[1] if second else ())),
    )
    found = estimate(rows, policy, wanted, about)
    if other is None or second is None:
        return found
    others = second[0].rows()
    refuse_unfit(others)
    differences = compare_teachers(rows, others, policy, wanted.over, wanted.at_least)
    return found.model_copy(update={"other": str(other.path), "differences": differences})


def _cascades(*sets: Labelled | None) -> Iterator[str]:
    """Which label sets have two graders, whose grades are corrected as those of one."""
    for one in sets:
        used = load_labels(one.path).manifest.cascade if one and one.is_set else None
        if one and used:
            two = f"{used.student}, and its teacher below a confidence of {used.threshold:.4g}"
            yield f"{one.path} was labelled by a cascade ({two}): the two count as one proxy"


def _gathered(
    labels: Labelled, queries: Queries, people: HumanGrades | None
) -> tuple[Gathered, list[str], RatingsUsed | None]:
    """The rows, what is odd about the ratings of them, and what was used of these."""
    if labels.is_set:
        assert people is not None, "a label set has no human grades"
        gathered, met = read_labels(load_labels(labels.path), queries, people)
    else:
        gathered, met = read_production(labels.table, labels.layout, labels.levels.scale, queries, people)
    if people is None:
        return gathered, [], None
    return gathered, list(_odd(labels, people, met)), _used(people, met, gathered.rated)


def _odd(labels: Labelled, people: HumanGrades, met: Mapping[str, str]) -> Iterator[str]:
    """What does not match between ratings and labels. BadInput if nothing does, or ids match by chance."""
    there = shown_name(labels.path)
    strangers = [item for item in people.grades if item not in met]
    if not met:
        likely = unmatched(strangers, islice(_items(labels), LISTED), there)
        raise BadInput([Fault(people.file, f"none of its items is in {there} ({likely})")])
    both = ((item, Told(query), Told(people.queries.get(item))) for item, query in met.items())
    yield from other_items(both, Path(people.file).name, there)
    if strangers:
        are = "is" if len(strangers) == 1 else "are"
        of = f"{len(strangers):,} of {plural(len(people.grades), 'rated item')}"
        yield f"{of} {are} not in {there} (the first: {strangers[0]!r})"
    if people.machines:
        yield f"{', '.join(people.machines)} rated as language models: these are not grades of people"
    if people.hunted:
        were = plural(people.hunted, "item was", "items were")
        yield f"{were} hunted: no sample, and left out"
    if people.could_not_rate:
        yield (
            f"{plural(people.could_not_rate, 'drawn item')} could not be rated: the estimate is "
            "about the others, which may be the easy ones"
        )


def _used(people: HumanGrades, met: Mapping[str, str], rated: Collection[str]) -> RatingsUsed:
    """The ratings whose item is in a row, in numbers."""
    here = [people.grades[item] for item in rated]
    return RatingsUsed(
        file=people.file,
        items=len(here),
        raters=people.raters,
        several=sum(one.raters > 1 for one in here),
        differ=sum(one.lowest < one.highest for one in here),
        adjudicated=sum(one.decided for one in here),
        could_not_rate=people.could_not_rate,
        hunted=people.hunted,
        unmatched=len(people.grades) - len(met),
        passed_over=len(met) - len(rated),
    )


def _items(labels: Labelled) -> Iterator[str]:
    if labels.is_set:
        yield from (item for (item,) in load_labels(labels.path).cells(("item",)))
        return
    table = labels.table
    item = table.find("item", labels.layout)
    yield from (row.text(item[0]) for row in table.rows)
