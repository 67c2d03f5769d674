"""`harness golden confirm` and `regrade`: the golden set is judged again under a new policy version."""

from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.golden import Name
from harness.cli.options import DEFAULT_POLICY, Json, Root, guarded, print_json, project_at, say, show
from harness.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from harness.golden.rejudging import Judged
    from harness.nouns.policy import Policy
    from harness.storage.project import Project

IDS_SHOWN = 10


@guarded
def confirm_examples(
    name: Name = DEFAULT_POLICY,
    examples: Annotated[
        str | None, typer.Option(help="Examples or canaries that you have read again, by id: a,b,c")
    ] = None,
    unaffected: Annotated[
        bool,
        typer.Option("--unaffected", help="All that cite clauses, none of which the new version changed."),
    ] = False,
    why: Annotated[str | None, typer.Option(help="Why the grades of --examples stand.")] = None,
    root: Root = None,
    json: Json = False,
) -> None:
    """Note that grades stand under a policy version.

    The grade, the reasoning and the clauses stay; the history says under which version they were first given,
    and why they stand.
    """
    from harness.golden.rejudging import confirm, golden_lines, left_to_judge

    if (examples is None) == (not unaffected):
        raise BadInput("name either --examples a,b,c or --unaffected")
    if unaffected and why is not None:
        raise BadInput("--why goes with --examples: --unaffected says itself what did not change")
    project, (policy, path) = project_at(root), _set(root, name)
    if examples is not None:
        ids = [part.strip() for part in examples.split(",") if part.strip()]
        chosen = dict.fromkeys(ids, why or f"read again: the grade stands under {policy.version}")
    else:
        chosen = _unaffected(project, policy, golden_lines(path))
    done = confirm(path, policy, chosen, _now())
    left = left_to_judge(golden_lines(path), policy)
    if json:
        print_json({"policy": policy.label, "confirmed": done, "left": left})
        return
    show([f"{len(done)} confirmed under {policy.label}"])
    _say_left(left, policy)


def _unaffected(project: "Project", policy: "Policy", golden: "Mapping[str, Judged]") -> dict[str, str]:
    from harness.golden.rejudging import unaffected
    from harness.policy.load import load_policy, policy_path

    found = unaffected(
        golden, policy, lambda version: load_policy(policy_path(project, f"{policy.name}@{version}"))
    )
    if found.cannot_tell:
        count = len(found.cannot_tell)
        unknown = f"cannot tell for {count:,} of {len(golden):,}: they cite no clause, so that nothing says"
        what = (
            f"{unknown} which rule decided; `harness policy diff` lists the grades that the change can move"
        )
        if not found.why:
            raise BadInput(f"{what}, and what to do. Nothing was confirmed")
        say(f"warning: {what}. They are not confirmed")
    if found.new:
        names = ", ".join(found.new)
        say(f"warning: no example could cite the new clauses ({names}): look for those they touch")
    return found.why


@guarded
def regrade_example(
    id: Annotated[str, typer.Argument(metavar="ID", help="An example or a canary.")],
    grade: Annotated[int, typer.Option(help="Its grade under this policy version.")],
    reasoning: Annotated[str, typer.Option(help="The chain of thought that leads there.")],
    why: Annotated[str, typer.Option(help="Why it is judged otherwise than before.")],
    clauses: Annotated[str, typer.Option(help="The clauses that decide: a,b")] = "",
    policy_name: Annotated[str, typer.Option("--policy", help="name, or name@v2")] = DEFAULT_POLICY,
    root: Root = None,
    json: Json = False,
) -> None:
    """Give an example its grade under a policy version; what was said before goes into its history."""
    from harness.golden.rejudging import Judgement, golden_lines, left_to_judge, regrade

    policy, path = _set(root, policy_name)
    cited = tuple(part.strip() for part in clauses.split(",") if part.strip())
    said = Judgement(grade=grade, reasoning=reasoning, clauses=cited)
    changed = regrade(path, policy, id, said, why, _now())
    left = left_to_judge(golden_lines(path), policy)
    if json:
        print_json({"policy": policy.label, "regraded": [id] if changed else [], "left": left})
        return
    show([f"{id} is {grade} under {policy.label}" + ("" if changed else ", as it was")])
    _say_left(left, policy)


def _set(root: "Path | None", name: str) -> "tuple[Policy, Path]":
    from harness.golden.examples import golden_path
    from harness.policy.load import load_policy, policy_path

    project = project_at(root)
    policy = load_policy(policy_path(project, name))
    return policy, golden_path(project, policy.name)


def _say_left(left: "Sequence[str]", policy: "Policy") -> None:
    if not left:
        say(f"nothing is left to judge under {policy.label}; next: harness golden lint {policy.label}")
        return
    more = ", ..." if len(left) > IDS_SHOWN else ""
    say(f"{len(left)} left to judge under {policy.label}: {', '.join(left[:IDS_SHOWN])}{more}")


def _now() -> str:
    from datetime import UTC, datetime

    return datetime.now(UTC).date().isoformat()


def register(app: typer.Typer) -> None:
    """Put the commands beside the others of `harness golden`."""
    app.command("confirm")(confirm_examples)
    app.command("regrade")(regrade_example)
