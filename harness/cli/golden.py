"""`harness golden`: list, lint, stats, import, export."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli.options import Json, Options, Root, argument, names_in, option, project_at, with_note
from harness.cli.output import print_json, say, show, shown_path
from harness.cli.policy_options import EveryPolicy, PolicyOptions, named
from harness.cli.rated import TableOptions
from harness.errors import BadInput
from harness.storage.outputs import FILE
from harness.storage.plural import plural
from harness.storage.project import Project, folder_names, split_label

if TYPE_CHECKING:
    from harness.golden.checks import Finding
    from harness.golden.importing import Import, Imported
    from harness.nouns.pair import Example
    from harness.nouns.policy import Policy


KINDS_SHOWN, OF_A_KIND_SHOWN = 20, 3


def list_golden(
    policy: Annotated[str | None, named("Only the set of this policy.")] = None,
    root: Root = None,
    json: Json = False,
) -> None:
    """The golden sets, with their sizes."""
    from harness.golden.examples import FILE

    project = project_at(root)
    found: dict[str, dict[str, Any]] = {}
    for name in [split_label(policy)[0]] if policy else folder_names(project.golden):
        if policy or (project.golden / name / FILE).exists():
            judged_by, examples = load_set(project, with_note(policy or name, project))
            found[name] = {"policy": judged_by.label, "examples": len(examples)}
    if json:
        print_json({"golden": found})
        return
    lines = [
        f"{name}  {plural(set_['examples'], 'example')}, for {set_['policy']}" for name, set_ in found.items()
    ]
    show(lines or ["no golden set yet"])


def lint_golden_set(which: EveryPolicy, *, root: Root = None, json: Json = False) -> None:
    """What is wrong with a golden set. Ends with 2 if there is an error; warnings only inform."""
    from harness.golden.examples import golden_path
    from harness.golden.lint import lint_golden
    from harness.policy.load import load_named

    project = project_at(root)
    findings: list[Finding] = []
    for each in [which.label] if which.label else folder_names(project.golden):
        policy = load_named(project, with_note(each, project))
        found = lint_golden(golden_path(project, split_label(each)[0]), policy)
        findings += found
        if not json:
            _show_findings(policy.label, found)
    if json:
        fields = ("level", "where", "what")
        print_json({"findings": [{key: getattr(one, key) for key in fields} for one in findings]})
    if any(finding.level == "error" for finding in findings):
        raise typer.Exit(2)


def _show_findings(label: str, findings: "list[Finding]") -> None:
    from rich.text import Text

    from harness.report.parts import indented, whole, whole_in

    errors = sum(finding.level == "error" for finding in findings)
    counts = (("error", errors), ("warning", len(findings) - errors))
    summary = ", ".join(plural(count, name) for name, count in counts)
    summary = summary if findings else "clean"
    show([f"golden set of {label}: {summary}"])
    kinds: dict[tuple[str, str], list[Finding]] = {}
    for one in findings:
        kinds.setdefault((one.level, one.kind or one.what), []).append(one)
    for (_, kind), alike in list(kinds.items())[:KINDS_SHOWN]:
        show(
            indented(Text(f"{one.level}: {whole(one.where)}: {whole_in(one.what, one.ids)}"), 0)
            for one in alike[:OF_A_KIND_SHOWN]
        )
        if len(alike) > OF_A_KIND_SHOWN:
            show([f"  ... {len(alike):,} in all: {kind}"])
    if len(kinds) > KINDS_SHOWN or any(len(alike) > OF_A_KIND_SHOWN for alike in kinds.values()):
        more = f"{len(kinds) - KINDS_SHOWN:,} more kinds; " if len(kinds) > KINDS_SHOWN else ""
        show([f"  {more}every finding: harness golden lint --policy {label} --json"])


def golden_set_stats(which: PolicyOptions, *, root: Root = None, json: Json = False) -> None:
    """Counts: grades by split, clauses, tags, words."""
    from harness.golden.summary import golden_stats
    from harness.report.golden import golden_view

    project = project_at(root)
    policy, examples = load_set(project, which.label_in(project))
    stats = golden_stats(examples, policy)
    print_json(stats) if json else show(golden_view(stats))


class TakenOptions(Options):
    """What to take from a table, and how to divide it."""

    attributes: Annotated[
        str | None, option("More columns to show a grader: class,colour. Others are left out.")
    ] = None
    splits: Annotated[str | None, option("shots/dev/test in per cent, by query. Default: 20/40/40.")] = None
    seed: Annotated[int, option("Seed of the splits.")] = 0
    dataset_split: Annotated[str | None, option("Which split of a data set.")] = None

    def taken(self, source: str, policy: str, table: TableOptions) -> "Import":
        """What to import, and how."""
        from harness.golden.importing import Import
        from harness.golden.splits import parse_shares

        return Import(
            source=source,
            policy=policy,
            layout=table.layout,
            attributes=names_in(self.attributes),
            shares=parse_shares(self.splits) if self.splits else None,
            seed=self.seed,
            dataset_split=self.dataset_split,
        )


class ImportOptions(TakenOptions):
    """What to import into a golden set that may be there already."""

    scale: Annotated[str | None, option("The grades, such as 0-4, if the policy is new.")] = None
    license: Annotated[
        str | None, option("A note on the source's license.", envvar="HARNESS_GOLDEN_IMPORT_LICENCE")
    ] = None
    replace: Annotated[bool, option("Overwrite the existing golden set.", "--replace")] = False

    discard_judgements: Annotated[
        bool,
        option("Let --replace drop what the table lacks: judgements, reasonings.", "--discard-judgements"),
    ] = False

    def request(self, source: str, policy: str, table: TableOptions) -> "Import":
        """What to import, and how."""
        from dataclasses import replace

        return replace(
            self.taken(source, policy, table),
            scale=self.scale,
            licence=self.license,
            replace=self.replace,
            discard=self.discard_judgements,
        )


def import_golden_set(
    source: Annotated[str, argument("A table, or a data set: its folder, or its name.", metavar="FILE")],
    policy: Annotated[str, named("The policy of the grades; a new one gets a skeleton.")],
    *,
    table: TableOptions,
    how: ImportOptions,
    root: Root = None,
    json: Json = False,
) -> None:
    """Make a golden set from a table of graded pairs.

    For a new policy, this writes a skeleton of it too.


    Columns that are not mapped are left out: one might hold the grade.
    """
    from harness.golden.importing import import_golden

    project = project_at(root)
    done = import_golden(project, how.request(source, policy, table))
    with_note(policy, project)
    if json:
        left = list(done.columns_left)
        found = {"path": str(done.path), "examples": done.examples, "columns_left": left}
        print_json({**found, "empty_splits": list(done.empty_splits), "long_texts": list(done.long_texts)})
    else:
        say_imported(done, policy)
        say(f"next: harness golden lint --policy {policy}, then {project.how_to('eval', policy=policy)}")


def say_imported(done: "Imported", policy: str) -> None:
    """The size of a golden set that was imported, and what was noticed."""
    size = f"{plural(done.examples, 'example')} of {plural(done.queries, 'query')}"
    show([f"{size}: {shown_path(done.path)}"])
    if done.columns_left:
        say(f"columns left out: {', '.join(done.columns_left)} (--attributes keeps them)")
    for text in done.long_texts:
        say(f"warning: {text}: every request that shows it sends all of it")
    for split in done.empty_splits:
        say(
            f"warning: the split {split} is empty: a query is in one split, and {done.queries} are too few "
            "to fill three; add queries, or give other shares with --splits"
        )
    if not done.shots and "shots" not in done.empty_splits:
        say("warning: no example is in shots: prompts will show no golden examples to a teacher")
    if done.new_policy is not None:
        say(f"a policy to fill in: {shown_path(done.new_policy)}")
    if not done.rules_noted:
        say(
            f"note: {policy} lacks a definition or another text that graders need, so the examples note no "
            "rules, and editing the policy makes none of them stale; once it is finished, read the examples "
            "again and run harness golden confirm --file IDS"
        )


def export_golden_set(
    which: PolicyOptions,
    *,
    output: Annotated[
        Path | None, option("A .csv or .jsonl file. Default: standard output.", "--output", "-o"), FILE
    ] = None,
    format: Annotated[str | None, option("csv or jsonl. Default: by the file's ending, or csv.")] = None,
    root: Root = None,
) -> None:
    """Write a golden set as CSV or JSON lines.

    CSV is for spreadsheets and leaves out the history; JSON lines keep everything.
    """
    from harness.golden.exporting import FORMATS, export_golden
    from harness.storage.files import write_atomic

    project = project_at(root)
    _, examples = load_set(project, which.label_in(project))
    kind = format or (output.suffix.removeprefix(".") if output else "csv")
    if kind not in FORMATS:
        raise BadInput(f"format {kind!r} is not one of: {', '.join(FORMATS)}")
    text = export_golden(examples, kind)
    if output is None:
        typer.echo(text.encode("utf-8"), nl=False)
    else:
        write_atomic(output, text)
        say(f"{plural(len(examples), 'example')}: {output}")


def find_set(project: Project, name: str) -> "tuple[Policy, Path]":
    """A policy, and the file of its golden set."""
    from harness.golden.examples import golden_path
    from harness.policy.load import load_named

    policy = load_named(project, name)
    return policy, golden_path(project, policy.name)


def load_set(project: Project, name: str) -> "tuple[Policy, list[Example]]":
    """A policy and its golden examples."""
    from harness.golden.examples import load_examples

    policy, path = find_set(project, name)
    return policy, load_examples(path, policy)
