"""Export ratings, or the pairs to rate, in the formats of other annotation tools."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from harness.errors import BadInput, refuse_faults
from harness.golden.examples import golden_path
from harness.golden.graded_files import examples_of
from harness.golden.rating.exchange.formats import check_ending, format_named
from harness.golden.rating.exchange.outgoing import pairs_out, ratings_out
from harness.golden.rating.ratings import RATINGS, Said, rated_under
from harness.golden.splits import choose_examples
from harness.nouns.base import Split
from harness.nouns.pair import Example
from harness.nouns.policy import Policy
from harness.storage.files import write_atomic
from harness.storage.outputs import FILE, Around, output_faults
from harness.storage.project import Project


@dataclass(frozen=True, slots=True)
class RatingsExport:
    """An export: its format and its file. `pairs`: the pairs to rate, blind; `raters`: only theirs.

    `overwrite`: whether files that are there may be written over.
    """

    format: str
    path: Path
    pairs: bool = False
    raters: tuple[str, ...] = ()
    splits: tuple[Split, ...] = ("dev", "test")
    overwrite: bool = False


class RatingsExported(NamedTuple):
    """The result of an export. `left_out` counts what the format cannot hold."""

    files: tuple[Path, ...]
    pairs: int
    ratings: int
    raters: tuple[str, ...]
    left_out: Mapping[str, int]


def export_ratings(project: Project, policy: Policy, wanted: RatingsExport) -> RatingsExported:
    """Write the ratings under this policy version, or the pairs to rate. BadInput where there are none."""
    format = format_named(wanted.format)
    check_ending(wanted.format, wanted.path)
    examples = list(examples_of(project, policy).values())
    if wanted.pairs:
        out = pairs_out(choose_examples(examples, wanted.splits, None), policy, wanted.path)
    else:
        out = ratings_out(examples, _said(project, policy, wanted, examples), policy, wanted.path)
    if not out.tasks:
        raise BadInput(f"{policy.label}: nothing to export")
    files = format.write(out)
    # The file that is named was looked at before; these are only known now.
    around = Around((), project, wanted.overwrite)
    beside = (path for path in files if path != wanted.path)
    refuse_faults(fault for path in beside for fault in output_faults(path, FILE, around))
    for path, content in files.items():
        write_atomic(path, content)
    left_out = {reason: count for reason, count in out.left_out.items() if count}
    count = sum(len(task.answers) for task in out.tasks)
    pairs = len({task.key.partition(".")[0] for task in out.tasks})
    return RatingsExported(tuple(files), pairs, count, out.raters, left_out)


def _said(project: Project, policy: Policy, wanted: RatingsExport, examples: Sequence[Example]) -> list[Said]:
    path = golden_path(project, policy.name).with_name(RATINGS)
    rated = rated_under(path, policy, examples)
    unknown = [rater for rater in wanted.raters if rater not in rated.raters]
    if unknown:
        there = ", ".join(sorted(rated.raters)) or "none"
        raise BadInput(
            f"--rater: {', '.join(unknown)} rated nothing under {policy.label}; there are: {there}"
        )
    said: list[Said] = [*rated.ratings, *rated.unrated]
    return [one for one in said if not wanted.raters or one.rater in wanted.raters]
