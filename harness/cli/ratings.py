"""`harness ratings`: import ratings into a golden set, export them, and export pairs to rate elsewhere."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from harness.cli.groups import RaterKind
from harness.cli.options import Options, Root, argument, names_in, option, policy_label, project_at
from harness.cli.output import say, shown_path
from harness.cli.policy_options import PolicyName, named
from harness.cli.rated import RatedTable
from harness.cli.written import Overwrite
from harness.errors import BadInput
from harness.storage.outputs import FILE
from harness.storage.plural import plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.golden.rating.exporting import RatingsExported
    from harness.golden.rating.importing import RatingsImported

FORMATS = "label-studio, argilla, quepid, potato, mturk, prolific, langfuse, phoenix, qrels or table"


class FromTool(Options):
    """The tool that wrote a file, and how to store its raters."""

    source: Annotated[
        str | None,
        option(
            f"{FORMATS}. Default: detected, if the file is unambiguous.",
            "--from",
            metavar="FORMAT",
            envvar="HARNESS_RATINGS_IMPORT_FROM",
        ),
    ] = None
    submissions: Annotated[
        Path | None, option("Prolific's list of submissions: only accepted ones count.")
    ] = None
    keep_names: Annotated[
        bool, option("Keep e-mail addresses and ids of crowds; by default pseudonyms.", "--keep-names")
    ] = False


def import_ratings_command(
    ratings: Annotated[Path, argument("A file of ratings: another tool's, or a table.", metavar="FILE")],
    tool: FromTool,
    table: RatedTable,
    *,
    policy: Annotated[
        str | None,
        named("The policy of the golden set; name@v1: the version rated by. Default: the only one."),
    ] = None,
    rater: Annotated[
        str | None, option("The rater whose ratings to take, or who gave those of a file without raters.")
    ] = None,
    kind: RaterKind = None,
    replace: Annotated[
        bool, option("Replace other ratings of the same items by the same raters.", "--replace")
    ] = False,
    dry_run: Annotated[bool, option("Say what would be added; write nothing.", "--dry-run")] = False,
    root: Root = None,
) -> None:
    """Take a file of ratings into the golden set's ratings.jsonl.

    Nothing is written unless every rating is sound. Ratings that are there already are left as they are.
    """
    from harness.golden.rating.importing import RatingsFile, import_ratings
    from harness.policy.load import load_named

    project = project_at(root)
    wanted = RatingsFile(
        path=ratings,
        layout=table.layout,
        rater=rater,
        kind=kind,
        replace=replace,
        format=tool.source,
        keep_names=tool.keep_names,
        submissions=tool.submissions,
    )
    under = load_named(project, policy_label(policy, project))
    found = import_ratings(project, under, wanted, dry_run=dry_run)
    for line in _said(found, dry_run=dry_run):
        say(line)


def _said(found: "RatingsImported", *, dry_run: bool) -> "Iterator[str]":
    would = "that would be " if dry_run else ""
    if found.format not in ("table", "qrels"):
        yield f"read as {found.format}"
    for version, count in found.added.items():
        under = f"under {found.policy}@{version}, by {', '.join(found.raters[version])}"
        yield f"ratings {would}added to {shown_path(found.path)} {under}: {count:,}"
    if found.cannot:
        yield f"ratings with a reason instead of a grade: {found.cannot:,}"
    if found.replaced:
        yield f"ratings {would}replaced: {found.replaced:,}"
    if found.same:
        yield f"ratings that are there already: {found.same:,}"
    yield from _left_out(found.left_out)
    if found.unmatched:
        yield f"warning: left out: {found.unmatched}"
    yield from (f"warning: {warning}" for warning in found.warnings)
    if found.renamed:
        made_up = " (the pseudonyms of a dry run are made up)" if found.made_up and dry_run else ""
        yield (
            f"raters {would}stored under a pseudonym: {found.renamed:,}{made_up}; --keep-names keeps names"
        )
    if found.kinds:
        kinds = ", ".join(f"{rater} ({kind})" for rater, kind in found.kinds.items())
        yield f"raters {would}added to raters.toml: {kinds}"
    if found.unsaid:
        todo = "say it with --kind human or --kind llm"
        yield f"warning: raters.toml does not say what these raters are: {', '.join(found.unsaid)}; {todo}"


def _left_out(counts: Mapping[str, int]) -> "Iterator[str]":
    yield from (f"left out, {reason}: {count:,}" for reason, count in counts.items())


class WhatToExport(Options):
    """Ratings or pairs."""

    pairs: Annotated[
        bool, option("The pairs to rate, without ids, grades and tags, instead of ratings.", "--pairs")
    ] = False
    rater: Annotated[str | None, option("Only the ratings of these raters: ann,bob.")] = None
    split: Annotated[str | None, option("With --pairs: dev, test or dev+test. Default: dev+test.")] = None


def export_ratings_command(
    target: Annotated[
        str, option(f"{FORMATS}.", "--to", metavar="FORMAT", envvar="HARNESS_RATINGS_EXPORT_TO")
    ],
    output: Annotated[
        Path, option("The file; other files of the format are written beside it.", "--output", "-o"), FILE
    ],
    what: WhatToExport,
    *,
    overwrite: Overwrite = False,
    policy: PolicyName = None,
    root: Root = None,
) -> None:
    """Write a golden set's ratings, or the pairs to rate, in the format of another tool.

    What the format cannot hold is counted.
    """
    from harness.golden.rating.exporting import RatingsExport, export_ratings
    from harness.golden.splits import parse_splits
    from harness.policy.load import load_named

    if what.pairs and what.rater:
        raise BadInput("--rater chooses ratings; remove it, or --pairs")
    if what.split and not what.pairs:
        raise BadInput("--split goes with --pairs")
    project = project_at(root)
    wanted = RatingsExport(
        target,
        output,
        what.pairs,
        names_in(what.rater),
        parse_splits(what.split or "dev+test"),
        overwrite,
    )
    loaded = load_named(project, policy_label(policy, project))
    for line in _exported(export_ratings(project, loaded, wanted)):
        say(line)


def _exported(done: "RatingsExported") -> "Iterator[str]":
    raters = f" by {', '.join(done.raters)}" if done.raters else ""
    count = (
        f"{plural(done.ratings, 'rating')} of {plural(done.pairs, 'pair')}"
        if raters
        else plural(done.pairs, "pair")
    )
    yield f"{count}{raters}: {', '.join(map(str, map(shown_path, done.files)))}"
    yield from _left_out(done.left_out)
