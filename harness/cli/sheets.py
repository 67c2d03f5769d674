"""`harness golden sheet` and `collect`: write rating sheets, and read them as ratings."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.golden import load_set
from harness.cli.groups import grouped
from harness.cli.options import DEFAULT_POLICY, Root, names_in, project_at, say, shown_path
from harness.cli.policy_options import PolicyOptions, named
from harness.errors import BadInput
from harness.storage.plural import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.nouns.pair import Example


@grouped
def rating_sheet_command(
    which: PolicyOptions,
    *,
    rater: Annotated[str, typer.Option(help="The rater of the sheet; each gets a different order.")],
    split: Annotated[str | None, typer.Option(help="dev, test or dev+test. Default: dev+test.")] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="A sample of this many pairs, the same for every rater.")
    ] = None,
    only: Annotated[
        str | None, typer.Option(help="Only these examples, by id, such as those to rate again: a,b,c")
    ] = None,
    leave_out: Annotated[
        int, typer.Option(min=0, max=90, help="Per cent of the pairs to leave out for this rater.")
    ] = 0,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file. Default: standard output.")
    ] = None,
    root: Root = None,
) -> None:
    """Write a rating sheet: the policy and the pairs.

    It contains no grades, no reasonings and no ids that could hint at a grade.
    """
    from harness.golden.leakage import withhold_worked
    from harness.golden.rating.sheet import check_rater, rater_order, rating_sheet
    from harness.golden.splits import choose_examples, parse_splits
    from harness.report.policy import policy_document
    from harness.storage.files import write_atomic

    policy, examples = load_set(project_at(root), which.label)
    rater = check_rater(rater)
    if only is not None and (split or limit or leave_out):
        raise BadInput("--only names the pairs; remove --split, --limit and --leave-out")
    drawn = (
        _named(examples, only)
        if only
        else choose_examples(examples, parse_splits(split or "dev+test"), limit)
    )
    chosen = rater_order(drawn, rater, leave_out)
    shown, _ = withhold_worked(policy, examples)
    text = rating_sheet(policy_document(shown), policy, chosen, rater)
    if output is None:
        typer.echo(text.encode("utf-8"), nl=False)
    else:
        write_atomic(output, text)
        count = len({one.pair.digest for one in chosen})
        alike = f" (of {plural(len(chosen), 'example')})" if count < len(chosen) else ""
        say(f"{plural(count, 'pair')}{alike} for {rater}: {output}")


def _named(examples: "Sequence[Example]", only: str) -> "list[Example]":
    ids = set(names_in(only))
    found = [example for example in examples if example.id in ids and example.split != "shots"]
    missing = ids - {example.id for example in found}
    if missing or not found:
        in_shots = sorted(missing & {example.id for example in examples})
        judge = (
            f"; {in_shots[0]} is in shots, which raters do not rate: harness golden confirm or regrade"
            * bool(in_shots)
        )
        raise BadInput(
            f"--only: no example {', '.join(sorted(missing)) or '(none named)'} in dev or test{judge}"
        )
    return found


def collect_ratings(
    sheet: Annotated[Path, typer.Argument(metavar="FILE", help="A rater's lines: pair, grade, reasoning.")],
    rater: Annotated[str, typer.Option(help="Who rated.")],
    policy: Annotated[str, named("name or name@v1.", "HARNESS_GOLDEN_COLLECT_NAME")] = DEFAULT_POLICY,
    root: Root = None,
) -> None:
    """Take a rater's filled-in sheet into ratings.jsonl.

    It replaces the rater's earlier ratings of the same pairs under the same policy version, and counts them.
    """
    from datetime import UTC, datetime

    from harness.golden.examples import golden_path
    from harness.golden.rating.ratings import add_ratings
    from harness.golden.rating.sheet import check_rater, read_sheet

    project = project_at(root)
    judged_by, examples = load_set(project, policy)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    filled = read_sheet(sheet, examples, judged_by, check_rater(rater), now)
    path = golden_path(project, judged_by.name).with_name("ratings.jsonl")
    taken, given = add_ratings(path, filled.ratings), len(filled.ratings)
    alike = f" of {plural(filled.lines, 'pair')}" if filled.lines < given else ""
    say(f"{plural(given, 'rating')}{alike} by {rater.strip()}: {shown_path(path)}")
    if taken.replaced:
        say(f"ratings by {rater.strip()} that gave way to these: {taken.replaced:,}")
    if taken.same:
        say(f"ratings that are there already: {taken.same:,}")
    if filled.unversioned:
        count = f"{filled.unversioned:,} of {plural(filled.lines, 'line')}"
        say(f"warning: {count} without the policy version of the sheet: taken as {judged_by.label}")
