"""`harness golden confirm` and `regrade`: judge the golden set again under a new policy version."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from harness.cli.golden import find_set
from harness.cli.groups import grouped
from harness.cli.options import (
    Json,
    Root,
    argument,
    names_in,
    option,
    policy_or_only,
    project_at,
    with_note,
)
from harness.cli.output import print_json, say, show
from harness.cli.policy_options import PolicyOptions, named
from harness.errors import BadInput
from harness.storage.project import Project

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.golden.rejudging import Judged
    from harness.nouns.policy import Policy

IDS_SHOWN = 10


@grouped
def confirm_examples(
    which: PolicyOptions,
    *,
    examples: Annotated[
        str | None, option("Examples or canaries that you have read again, by id: a,b,c")
    ] = None,
    file: Annotated[Path | None, option("The same from a file: one id on each line.", metavar="FILE")] = None,
    unaffected: Annotated[
        bool, option("All that rest on nothing that the new version changed.", "--unaffected")
    ] = False,
    cannot_move: Annotated[
        bool,
        option(
            "All that cite no clause, with a grade that the change cannot move.",
            "--cannot-move",
        ),
    ] = False,
    why: Annotated[
        str | None, option("Why the grades of --examples or --file stand: the history keeps it.")
    ] = None,
    root: Root = None,
    json: Json = False,
) -> None:
    """Confirm grades under a policy version.

    Grade, reasoning and clauses stay; the history keeps their first version, and why they stand.
    """
    from harness.golden.rejudging import confirm, golden_lines, left_to_judge

    bulk = unaffected or cannot_move
    if [examples is not None, file is not None, unaffected, cannot_move].count(True) != 1:
        raise BadInput("name either --examples a,b,c or --file FILE or --unaffected or --cannot-move")
    if bulk and why is not None:
        raise BadInput("remove --why: --unaffected and --cannot-move give their own reason")
    if not bulk and not (why or "").strip():
        raise BadInput("say with --why TEXT why the grades stand: the history keeps it")
    project = project_at(root)
    policy, path = find_set(project, which.label_in(project))
    if bulk:
        chosen = _bulk(project, policy, golden_lines(path), cannot_move=cannot_move)
    else:
        chosen = dict.fromkeys(names_in(examples) if file is None else _ids_in(file), why or "")
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
        raise BadInput(f"{file}: no ids; write one on each line")
    return ids


def _bulk(
    project: "Project", policy: "Policy", golden: "Mapping[str, Judged]", *, cannot_move: bool
) -> dict[str, str]:
    from harness.golden.rejudging import unaffected
    from harness.policy.load import load_policy, policy_path

    found = unaffected(
        golden, policy, lambda version: load_policy(policy_path(project, f"{policy.name}@{version}"))
    )
    if cannot_move:
        return found.unmoved
    if found.cannot_tell:
        count = f"{len(found.cannot_tell):,} of {len(golden):,}"
        some = f"`--cannot-move` confirms the {len(found.unmoved):,} that the change cannot move, "
        what = (
            f"cannot tell for {count}: they cite no clause that decided, or have a grade that a change can "
            "move that no example cites, or were judged by rules that were edited since; "
            f"{some if found.unmoved else ''}`harness policy diff` lists the others"
        )
        if not found.why:
            raise BadInput(f"{what}, and what to do. Nothing was confirmed")
        say(f"warning: {what}. They are not confirmed")
    return found.why


def regrade_example(
    id: Annotated[str, argument("An example or a canary.", metavar="ID")],
    grade: Annotated[int, option("Its grade under this policy version.")],
    reasoning: Annotated[str, option("The chain of thought that leads there.")],
    why: Annotated[str, option("Why the grade changes.")],
    clauses: Annotated[str, option("The clauses that decide: a,b")] = "",
    policy: Annotated[str | None, named("name or name@v1.", "HARNESS_GOLDEN_REGRADE_POLICY_NAME")] = None,
    root: Root = None,
    json: Json = False,
) -> None:
    """Give an example its grade under a policy version; the old grade goes into its history."""
    from harness.golden.rejudging import Judgement, golden_lines, left_to_judge, regrade

    project = project_at(root)
    judged_by, path = find_set(project, with_note(policy_or_only(policy, project), project))
    said = Judgement(grade=grade, reasoning=reasoning, clauses=names_in(clauses))
    changed = regrade(path, judged_by, id, said, why, _now())
    left = left_to_judge(golden_lines(path), judged_by)
    if json:
        print_json({"policy": judged_by.label, "regraded": [id] if changed else [], "left": left})
        return
    show([f"{id} is {grade} under {judged_by.label}" + ("" if changed else ", as it was")])
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
