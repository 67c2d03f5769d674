"""`harness adjudicate`: the author decides where raters differ from each other or from the golden grade."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from harness.cli.groups import Port
from harness.cli.options import RUN, Json, Options, Root, option, policy_or_only, project_at
from harness.cli.output import print_json, say, show
from harness.cli.policy_options import PolicyOptions
from harness.cli.view import serve_pages
from harness.errors import BadInput
from harness.storage.plural import plural

if TYPE_CHECKING:
    from harness.golden.rating.rounds import OpenRound
    from harness.storage.project import Project

HOST = "127.0.0.1"
"""These pages show what raters said: only this machine can reach them."""


class DeskOptions(Options):
    """How to open the pages, and who decides."""

    run: Annotated[
        str | None,
        option(
            "A run whose answer is shown after each decision, for a second look where it differs.",
            autocompletion=RUN.autocompletion,
        ),
    ] = None
    by: Annotated[str | None, option("Who decides. Default: the author of the policy.")] = None
    port: Port = 8766
    open: Annotated[bool, option("Open the browser too.", "--open")] = False


def adjudicate_command(
    which: PolicyOptions,
    *,
    desk: DeskOptions,
    round: Annotated[
        str | None,
        option("Decide the disputes of this round of production pairs instead.", metavar="NAME"),
    ] = None,
    list: Annotated[
        bool, option("Print the disputes, the most important first; no pages.", "--list")
    ] = False,
    summary: Annotated[
        bool, option("Print what the decisions say about the policy; no pages.", "--summary")
    ] = False,
    collect: Annotated[
        Path | None,
        option("Take decisions from JSON lines that name disputes by the codes of --list.", metavar="FILE"),
    ] = None,
    root: Root = None,
    json: Json = False,
) -> None:
    """Decide the disputes of a golden set, or of a round of production pairs, on pages of this machine.

    A dispute is a pair on which raters differ from each other or from the golden grade, or that one could not
    grade. Names are hidden. Runs until Ctrl-C; a decision is saved when the page says so.
    """
    project = project_at(root)
    if [list, summary, collect is not None].count(True) > 1:
        raise BadInput("give one of --list, --summary and --collect")
    if json and not (list or summary):
        raise BadInput("--json goes with --list or --summary")
    if round is not None and desk.run is not None:
        raise BadInput("--run has answers for golden pairs; remove it with --round")
    label, opened = _of_round(project, which, round) if round is not None else (_of_set(project, which), None)
    if list or summary:
        _print(project, label, opened, summary=summary, json=json)
    elif collect is not None:
        _collect(project, label, opened, collect, desk)
    else:
        _serve(project, label, opened, desk)


def _of_set(project: "Project", which: PolicyOptions) -> str:
    from harness.golden.rating.disputes import rated_label

    return rated_label(project, which.label_in(project))


def _of_round(project: "Project", which: PolicyOptions, name: str) -> "tuple[str, OpenRound]":
    """A round of production pairs, and the policy version that it was rated by."""
    from harness.golden.rating.production_rounds import production_round

    found = production_round(project, policy_or_only(which.label, project), name)
    return found.round.policy, found


def _print(project: "Project", label: str, opened: "OpenRound | None", *, summary: bool, json: bool) -> None:
    from harness.golden.rating.adjudicated import sum_up
    from harness.golden.rating.deciding import mend
    from harness.golden.rating.disputes import is_rated, listed, load_disputes
    from harness.policy.load import load_named
    from harness.report.adjudication import disputes_view, summary_view

    policy = load_named(project, label)
    mend(project, policy.name)
    found = load_disputes(project, policy, opened)
    name = opened.round.name if opened else None
    counted = sum_up(policy, found, rated=is_rated(project, policy, opened), round_=name)
    if summary:
        print_json(counted) if json else show(summary_view(counted))
    elif json:
        print_json({"policy": policy.label, "round": name, "disputes": [listed(one) for one in found]})
    else:
        show(disputes_view(counted, found))


def _collect(
    project: "Project", label: str, opened: "OpenRound | None", path: Path, desk: DeskOptions
) -> None:
    from datetime import UTC, datetime

    from harness.golden.rating.collecting import collect_decisions
    from harness.golden.rating.deciding import Author, mend
    from harness.policy.load import load_named

    if desk.run is not None:
        raise BadInput("--run shows its answers on the pages; remove it with --collect")
    policy = load_named(project, label)
    mend(project, policy.name)
    by = Author((desk.by or "").strip() or policy.author, datetime.now(UTC).isoformat(timespec="seconds"))
    made = collect_decisions(project, policy, path, by, opened)
    applied = f" for round {opened.round.name}" if opened else ", and applied to the golden set"
    say(f"{plural(len(made), 'decision')} under {policy.label}: recorded{applied}")


def _serve(project: "Project", label: str, opened: "OpenRound | None", desk: DeskOptions) -> None:
    from harness.web.rating.adjudicate import adjudicate_app
    from harness.web.rating.disputes import Disputes
    from harness.web.serve import server_of

    disputes = Disputes(project, label, desk.run, (desk.by or "").strip(), opened)
    state = disputes.state()
    if disputes.mended is not None:
        say(f"applied the decision about {disputes.mended.item}, which was saved before")
    open_ = sum(one.decision is None for one in state.disputes)
    say(f"{state.policy.label}: {plural(len(state.disputes), 'dispute')}, {open_:,} open")
    serve_pages(server_of(adjudicate_app(disputes)), HOST, desk.port, browse=desk.open)
