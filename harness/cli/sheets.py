"""`harness golden sheet` and `collect`: write rating sheets, and read them as ratings."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.golden import load_set
from harness.cli.options import Options, Root, argument, names_in, option, policy_label, project_at
from harness.cli.output import say, shown_path
from harness.cli.policy_options import PolicyOptions, named
from harness.errors import BadInput, refuse_faults
from harness.storage.outputs import FILE
from harness.storage.plural import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.nouns.pair import Example


class PairsOnSheet(Options):
    """Which pairs a rater rates."""

    split: Annotated[str | None, option("dev, test or dev+test. Default: dev+test.")] = None
    limit: Annotated[int | None, option("A sample of this many pairs, the same for every rater.", min=1)] = (
        None
    )
    only: Annotated[str | None, option("Only these examples, by id, such as those to rate again: a,b,c")] = (
        None
    )
    leave_out: Annotated[int, option("Per cent of the pairs to leave out for this rater.", min=0, max=90)] = 0

    def drawn(self, examples: "Sequence[Example]") -> "list[Example]":
        """The examples that are named, or those of the splits or a sample of them."""
        from harness.golden.splits import choose_examples, named_examples, parse_splits

        if self.only is not None and (self.split or self.limit or self.leave_out):
            raise BadInput("--only names the pairs; remove --split, --limit and --leave-out")
        if self.only:
            return named_examples(examples, names_in(self.only))
        return choose_examples(examples, parse_splits(self.split or "dev+test"), self.limit)


def rating_sheet_command(
    which: PolicyOptions,
    *,
    rater: Annotated[str, option("The rater of the sheet; each gets a different order.")],
    pairs: PairsOnSheet,
    output: Annotated[
        Path | None, option("A file. Default: standard output.", "--output", "-o"), FILE
    ] = None,
    root: Root = None,
) -> None:
    """Write a rating sheet: the policy and the pairs.

    It contains no grades, no reasonings and no ids that could hint at a grade.
    """
    from harness.golden.leakage import withhold_worked
    from harness.golden.rating.sheet import check_rater, rater_order, rating_sheet
    from harness.report.policy import policy_document
    from harness.storage.files import write_atomic

    project = project_at(root)
    policy, examples = load_set(project, which.label_in(project))
    rater = check_rater(rater)
    chosen = rater_order(pairs.drawn(examples), rater, pairs.leave_out)
    shown, _ = withhold_worked(policy, examples)
    text = rating_sheet(policy_document(shown), policy, chosen, rater)
    if output is None:
        typer.echo(text.encode("utf-8"), nl=False)
    else:
        write_atomic(output, text)
        count = len({one.pair.digest for one in chosen})
        alike = f" (of {plural(len(chosen), 'example')})" if count < len(chosen) else ""
        say(f"{plural(count, 'pair')}{alike} for {rater}: {output}")


def collect_ratings(
    sheet: Annotated[Path, argument("A rater's lines: pair, grade, reasoning.", metavar="FILE")],
    rater: Annotated[str, option("Who rated.")],
    policy: Annotated[str | None, named("name or name@v1.", "HARNESS_GOLDEN_COLLECT_NAME")] = None,
    root: Root = None,
) -> None:
    """Take a rater's filled-in sheet into ratings.jsonl.

    It replaces the rater's earlier ratings of the same pairs under the same policy version, and counts them.
    """
    from datetime import UTC, datetime

    from harness.golden.examples import golden_path
    from harness.golden.rating.open_rounds import blind_faults
    from harness.golden.rating.raters import RATERS, rater_kinds
    from harness.golden.rating.ratings import add_ratings
    from harness.golden.rating.sheet import check_rater, read_sheet
    from harness.nouns.pair import one_form

    project = project_at(root)
    judged_by, examples = load_set(project, policy_label(policy, project))
    now = datetime.now(UTC).isoformat(timespec="seconds")
    filled = read_sheet(sheet, examples, judged_by, check_rater(rater), now)
    path = golden_path(project, judged_by.name).with_name("ratings.jsonl")
    refuse_faults(blind_faults(project, judged_by.name, ((str(sheet), one) for one in filled.ratings)))
    taken, given = add_ratings(path, filled.ratings), len(filled.ratings)
    alike = f" of {plural(filled.lines, 'pair')}" if filled.lines < given else ""
    say(f"{plural(given, 'rating')}{alike} by {rater.strip()}: {shown_path(path)}")
    if taken.replaced:
        say(f"earlier ratings by {rater.strip()} replaced: {taken.replaced:,}")
    if taken.same:
        say(f"ratings that are there already: {taken.same:,}")
    if one_form(check_rater(rater)) not in rater_kinds(path.with_name(RATERS)):
        todo = 'add kind = "human" (or "llm") there; Gate 1 is provisional without it'
        say(f"warning: raters.toml does not say what {check_rater(rater)} is; {todo}")
    if filled.unversioned:
        count = f"{filled.unversioned:,} of {plural(filled.lines, 'line')}"
        say(f"warning: {count} without the policy version of the sheet: taken as {judged_by.label}")
