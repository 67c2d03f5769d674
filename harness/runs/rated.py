"""A run with ratings from a file instead of its own."""

from dataclasses import replace
from pathlib import Path

from harness.errors import BadInput, Fault
from harness.golden.rating.files import of_known, rated_in
from harness.golden.unmatched import unmatched
from harness.nouns.pair import one_form
from harness.runs.folder import Run
from harness.storage.tables import Layout


def with_ratings(run: Run, path: Path, table: Layout) -> tuple[Run, tuple[str, ...]]:
    """The run with the ratings of a file, for Gate 1, the ceiling and the diagnosis of misses; and warnings.

    Queries that the file lacks come from the run, the raters' kinds from a raters.toml beside the file, else
    from the run. BadInput if no item of the run is rated.
    """
    graded: dict[str, str | None] = {example.id: example.query for example in run.each_example()}
    queries = {rating.item: rating.query for rating in run.ratings} | graded
    named = {one_form(item): item for item in queries}
    rated = rated_in(path, table, run.policy.scale, {}, run.policy.version, every=True)
    ratings = tuple(
        rating.model_copy(update={"item": named.get(rating.item, rating.item)}) for rating in rated.ratings
    )
    items = dict.fromkeys(rating.item for rating in ratings)
    if not items.keys() & graded.keys():
        likely = f" ({unmatched(items, graded, 'the run')})" if items else ""
        raise BadInput([Fault(str(path), f"none of its items is graded in {run.manifest.name}{likely}")])
    kept = of_known(replace(rated, ratings=ratings), queries, path, f"the examples of {run.manifest.name}")
    raters = run.raters if rated.kinds is None else rated.kinds
    return replace(run, ratings=tuple(kept.ratings), raters=raters, unrated=()), kept.warnings
