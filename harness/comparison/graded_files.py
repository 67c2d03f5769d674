"""Files of grades as sides of a comparison: against a golden file, or against a run's golden grades."""

from dataclasses import replace

from harness.comparison.sides import Side, regraded
from harness.errors import BadInput
from harness.golden.grade_tables import read_grades
from harness.golden.graded_files import Golden, GradesFile, Levels
from harness.golden.unmatched import unmatched
from harness.nouns.pair import one_form
from harness.score.items import answered, items_of_files
from harness.storage.plural import plural


def side_of_file(golden: Golden, file: GradesFile, levels: Levels) -> Side:
    """A file's grades of the golden items, matched by name."""
    scale, policy, gates = levels
    items, warnings = items_of_files(golden, read_grades(file.path, file.table, scale, file.rater), file.name)
    return Side(
        name=file.name,
        items={item.item: item for item in items},
        scale=scale,
        policy=policy.label if policy else None,
        action_of=policy.decided_actions if policy else None,
        gates=gates,
        knows_queries=any(row.query for row in golden.rows.values()),
        stale=golden.stale,
        warnings=warnings,
    )


def side_beside_run(file: GradesFile, run: Side) -> Side:
    """A file's grades of a run's items, under that run's policy and golden grades."""
    grades = read_grades(file.path, file.table, run.scale, file.rater)
    items, strangers, odd = answered(list(run.items.values()), grades, file.name, run.name)
    ids = (item.item for item in run.items.values() if one_form(item.item) not in grades)
    unmet = unmatched(strangers, ids, run.name) if strangers else ""
    if len(strangers) == len(grades):
        raise BadInput(f"no item of {file.path} is in {run.name}: its items are the examples' ids ({unmet})")
    count = plural(len(strangers), f"item of {file.name} is", f"items of {file.name} are")
    what = f"{count} not in {run.name} ({unmet})"
    warnings = (*((what,) if strangers else ()), *odd)
    keyed = dict(zip(run.items, items, strict=True))
    return regraded(run, file.name, keyed, notes=(), warnings=warnings)


def by_name(side: Side) -> Side:
    """The side with its items keyed by name, as in a golden file."""
    return replace(side, items={item.item: item for item in side.items.values()})
