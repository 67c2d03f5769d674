"""`harness golden confirm` and `regrade`: judge the golden set again under a new policy version."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from harness.cli.golden import find_set
from harness.cli.options import Json, Options, Root, argument, names_in, option, policy_label, project_at
from harness.cli.output import print_json, say, show
from harness.cli.policy_options import PolicyOptions, named
from harness.cli.rated import TableOptions, given_in, refuse
from harness.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.errors import Fault
    from harness.golden.regrading import Regrade
    from harness.golden.rejudging import Unaffected
    from harness.nouns.policy import Policy

IDS_SHOWN = 10


class ConfirmOptions(Options):
    """Which grades stand, and why."""

    examples: Annotated[str | None, option("Examples or canaries that you have read again, by id: a,b,c")] = (
        None
    )
    file: Annotated[Path | None, option("The same from a file: one id on each line.", metavar="FILE")] = None
    unaffected: Annotated[
        bool, option("All that depend on nothing that the new version changed.", "--unaffected")
    ] = False
    cannot_move: Annotated[
        bool, option("All that cite no clause and whose grade the change cannot move.", "--cannot-move")
    ] = False
    why: Annotated[
        str | None, option("Why the grades of --examples or --file stand: the history keeps it.")
    ] = None

    @property
    def bulk(self) -> bool:
        """Whether a rule chooses the examples. BadInput for options that do not go together."""
        bulk = self.unaffected or self.cannot_move
        named = self.examples is not None, self.file is not None, self.unaffected, self.cannot_move
        if named.count(True) != 1:
            raise BadInput("name either --examples a,b,c or --file FILE or --unaffected or --cannot-move")
        if bulk and self.why is not None:
            raise BadInput("remove --why: --unaffected and --cannot-move give their own reason")
        if not bulk and not (self.why or "").strip():
            raise BadInput("say with --why TEXT why the grades stand: the history keeps it")
        return bulk

    def named(self) -> dict[str, str]:
        """The ids of --examples or --file, each with --why."""
        return dict.fromkeys(
            names_in(self.examples) if self.file is None else _ids_in(self.file), self.why or ""
        )

    def found(self, by_rule: "Unaffected", total: int) -> dict[str, str]:
        """The ids that the rule chooses, each with its reason. Warns of those that it cannot decide."""
        if self.cannot_move:
            return by_rule.unmoved
        if doubt := by_rule.doubt(total):
            if not by_rule.why:
                raise BadInput(f"{doubt}, and what to do. Nothing was confirmed")
            say(f"warning: {doubt}. They are not confirmed")
        return by_rule.why


def confirm_examples(
    which: PolicyOptions, *, asked: ConfirmOptions, root: Root = None, json: Json = False
) -> None:
    """Confirm grades under a policy version.

    Grade, reasoning and clauses stay; the history keeps their first version, and why they were confirmed.
    """
    from harness.golden.rejudging import confirm, golden_lines, left_to_judge, unaffected_in

    bulk, project = asked.bulk, project_at(root)
    policy, path = find_set(project, which.label_in(project))
    golden = golden_lines(path) if bulk else {}
    chosen = asked.found(unaffected_in(project, golden, policy), len(golden)) if bulk else asked.named()
    done = confirm(path, policy, chosen, _now())
    if not bulk and len(done) < len(chosen):
        count = f"{len(chosen) - len(done):,} of {len(chosen):,}"
        say(f"warning: {count} were judged under {policy.version} before and keep the reason given then")
    left = left_to_judge(golden_lines(path), policy)
    if json:
        print_json({"policy": policy.label, "confirmed": done, "left": left})
        return
    show([f"{len(done):,} confirmed under {policy.label}"])
    _say_left(left, policy)


def _ids_in(file: Path) -> list[str]:
    from harness.storage.files import read_text

    ids = [line.strip() for line in read_text(file).splitlines() if line.strip()]
    if not ids:
        raise BadInput.at(file, "no ids; write one on each line")
    return ids


class RegradeOptions(Options):
    """The new judgement of one example, or of the rows of a file."""

    grade: Annotated[int | None, option("Its grade under this policy version.")] = None
    reasoning: Annotated[
        str | None, option("The chain of thought that leads there. Needed where the example has one.")
    ] = None
    why: Annotated[
        str | None, option("Why the grade changes; with --file, of the rows that give no reason.")
    ] = None
    clauses: Annotated[str | None, option("The clauses that decide: a,b")] = None
    file: Annotated[
        Path | None,
        option(
            "Many at once, all or none: a table of item, grade, and reasoning, clauses, why.", metavar="FILE"
        ),
    ] = None

    def wanted(
        self, id_: str | None, policy: "Policy", table: TableOptions
    ) -> "tuple[dict[str, Regrade], list[Fault]]":
        """The new judgements by id, with the faults of the file. BadInput for options that do not fit."""
        from harness.golden.regrading import Regrade, read_regrades
        from harness.golden.rejudging import Judgement

        if self.file is not None:
            one = {"grade": self.grade, "reasoning": self.reasoning, "clauses": self.clauses}
            given = ("ID, " if id_ is not None else "") + given_in(one)
            if given := given.removesuffix(", "):
                raise BadInput(f"{given}: with --file, they are columns of the file")
            return read_regrades(self.file, table.layout, policy, self.why or "")
        refuse(vars(table), " goes with --file")
        if id_ is None or self.grade is None:
            raise BadInput(
                "name an example with its new grade, ID --grade N --why TEXT; or many, --file FILE"
            )
        said = Judgement(grade=self.grade, reasoning=self.reasoning or "", clauses=names_in(self.clauses))
        return {id_: Regrade(said, self.why or "")}, []


def regrade_example(
    id: Annotated[str | None, argument("An example or a canary.", metavar="ID")] = None,
    *,
    asked: RegradeOptions,
    table: TableOptions,
    policy: Annotated[str | None, named("name or name@v1.", "HARNESS_GOLDEN_REGRADE_POLICY_NAME")] = None,
    root: Root = None,
    json: Json = False,
) -> None:
    """Give examples their grades under a policy version; the old grades go into their history."""
    from harness.golden.regrading import regrade_all
    from harness.golden.rejudging import golden_lines, left_to_judge

    project = project_at(root)
    judged_by, path = find_set(project, policy_label(policy, project))
    wanted, faults = asked.wanted(id, judged_by, table)
    changed = regrade_all(path, judged_by, wanted, _now(), faults)
    left = left_to_judge(golden_lines(path), judged_by)
    if json:
        print_json({"policy": judged_by.label, "regraded": changed, "left": left})
        return
    show(
        f"{id_} is {one.said.grade} under {judged_by.label}" + ("" if id_ in changed else ", as it was")
        for id_, one in list(wanted.items())[:IDS_SHOWN]
        if one.said
    )
    if len(wanted) > IDS_SHOWN:
        show([f"... {len(wanted):,} in all, {len(changed):,} of them changed"])
    _say_left(left, judged_by)


def _say_left(left: "Sequence[str]", policy: "Policy") -> None:
    if not left:
        label = policy.label
        say(f"nothing is left to judge under {label}; next: harness golden lint --policy {label}")
        return
    from harness.report.parts import id_lines

    more = ", ..." if len(left) > IDS_SHOWN else ""
    say(id_lines(f"{len(left):,} left to judge under {policy.label}:", left[:IDS_SHOWN], more))


def _now() -> str:
    from datetime import UTC, datetime

    return datetime.now(UTC).date().isoformat()
