"""Find ratings for a set of grades: from a file, or from the policy's golden folder."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from harness.errors import BadInput, Fault
from harness.golden.by_chance import Told, other_items
from harness.golden.examples import FILE, golden_path
from harness.golden.grade_rows import GradedRow
from harness.golden.grade_tables import read_ratings
from harness.golden.graded_files import Levels, examples_of
from harness.golden.rating.open_rounds import with_rounds
from harness.golden.rating.raters import RATERS, how_to_plan, rater_kinds
from harness.golden.rating.ratings import RATINGS, Rated, load_rated, rated_under
from harness.golden.unmatched import KnownIds, unmatched
from harness.nouns.pair import Example, Rating
from harness.nouns.policy import Policy
from harness.storage.plural import plural
from harness.storage.project import Project
from harness.storage.tables import Layout
from harness.storage.visible import shown_name


def rated_in(
    path: Path,
    table: Layout,
    scale: tuple[int, ...],
    known: Mapping[str, Example] | Mapping[str, GradedRow],
    version: str | None = None,
    *,
    every: bool = False,
) -> Rated:
    """The ratings of a file under a policy version; known items provide the queries that the file lacks.

    Other items are left out with a warning, and BadInput if no item is known; `every` keeps them.
    """
    beside = path.parent / RATERS  # a path such as "." has no name
    rated = Rated(read_ratings(path, table, scale, version), rater_kinds(beside) if beside.exists() else None)
    queries = {item: one.query for item, one in known.items()}
    if every and not known:
        return rated
    return of_known(rated, queries, path, "the golden set", every=every)


def of_known(
    rated: Rated, known: Mapping[str, str | None], path: Path, there: str, *, every: bool = False
) -> Rated:
    """The ratings of known items, each with its query; a warning counts the others, which `every` keeps.

    Agreement on other items does not show that people agree on the graded ones. BadInput if no item is known
    without `every`, or if the queries that both sides name differ for most items.
    """
    kept = [
        rating.model_copy(update={"query": known[rating.item]})
        if rating.query is None and rating.item in known
        else rating
        for rating in rated.ratings
        if every or rating.item in known
    ]
    if not kept and not every:
        items = dict.fromkeys(rating.item for rating in rated.ratings)
        likely = f" ({unmatched(items, known, there)})" if items else ""
        raise BadInput([Fault(str(path), f"none of its items is in {there}{likely}")])
    asked = {rating.item: rating.query for rating in rated.ratings if rating.query and rating.item in known}
    both = ((item, Told(query), Told(known[item])) for item, query in asked.items())
    odd = other_items(both, shown_name(path), there)
    return replace(rated, ratings=kept, warnings=(*_strangers(path, rated.ratings, known, there), *odd))


def _strangers(path: Path, ratings: Sequence[Rating], known: Collection[str], there: str) -> tuple[str, ...]:
    rated = dict.fromkeys(rating.item for rating in ratings)
    strangers = [item for item in rated if item not in known]
    if not strangers:
        return ()
    hint = KnownIds((item for item in known if item not in rated), there).first_hint(strangers)
    lost = plural(sum(rating.item not in known for rating in ratings), "rating")
    are = "is" if len(strangers) == 1 else "are"
    of = f"{len(strangers):,} of {plural(len(rated), 'item')}"
    what = f"{of} of {shown_name(path)} ({lost}) {are} not in {there}"
    return (f"{what} ({hint})" if hint else what,)


def own_ratings(project: Project, policy: Policy, about: Mapping[str, Example]) -> Rated:
    """The ratings in a policy's golden folder. BadInput if there are none."""
    path = golden_path(project, policy.name).with_name(RATINGS)

    def waits() -> str | None:
        return with_rounds(project, policy, Rated(())).unfinished

    if not path.exists():
        rate = f"name a file of ratings, or have pairs rated: {how_to_plan(policy.label)}"
        why = waits()
        next_ = f"{why}, and no set is sealed" if why else rate
        raise BadInput(f"{policy.name} has no ratings yet: there is no {path}; {next_}")
    return with_rounds(project, policy, load_rated(path, policy, about, waits))


def ratings_beside(project: Project, levels: Levels, golden: Path) -> Rated | None:
    """A policy's own ratings, if the golden file is the policy's own and was rated under this version."""
    if levels.policy is None:
        return None
    folder = project.golden / levels.policy.name
    if golden.resolve() != folder / FILE or not (folder / RATINGS).exists():
        return None
    examples = list(examples_of(project, levels.policy).values())
    found = rated_under(folder / RATINGS, levels.policy, examples)
    return with_rounds(project, levels.policy, found) if found.ratings else None
