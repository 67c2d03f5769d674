"""`harness`: the commands, in the order of the loop."""

import sys
from typing import Annotated

import typer

from harness import __version__
from harness.cli import (
    adjudicate,
    audit,
    baseline,
    cache,
    cascade,
    compare,
    demo_server,
    doctor,
    estimate,
    gate1,
    gate2,
    golden,
    golden_age,
    impact,
    improve,
    init,
    label,
    policy,
    prompt,
    rate,
    rate_live,
    rate_plan,
    ratings,
    rejudge,
    reports,
    run_eval,
    runs,
    sample,
    sheets,
    ship,
    signal,
    sizes,
    stages,
    student,
    view,
    watch,
)
from harness.cli.lazy import read_later
from harness.cli.options import option
from harness.cli.output import Commands, complain
from harness.storage.collecting import collect_rarely

OLD_NAMES = {"licence": "license"}
"""Former spellings of options, which still work."""
app = typer.Typer(
    name="harness",
    cls=Commands,
    help="Can we trust this LLM's judgement of our product? Policy, golden set, teacher, gates.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: half the time to the first line
    # Every flag has an environment twin: HARNESS_EVAL_MODEL for `harness eval --model`.
    context_settings={
        "auto_envvar_prefix": "HARNESS",
        "help_option_names": ["-h", "--help"],
        "token_normalize_func": lambda name: OLD_NAMES.get(name, name),
    },
)
app.command("init")(init.init_command)
app.command("eval")(run_eval.eval_command)
app.command("gate1")(gate1.gate1_command)
app.command("gate2")(gate2.gate2_command)
app.command("compare")(compare.compare_command)
app.command("regress")(compare.regress_command)
app.add_typer(baseline.app, name="baseline")
app.command("ship")(ship.ship_command)
app.command("audit")(audit.audit_command)
app.command("label")(label.label_command)
app.command("sample")(sample.sample_command)
app.command("estimate")(estimate.estimate_command)
app.command("signal")(signal.signal_command)
student.app.command("cascade")(cascade.cascade_command)
app.add_typer(student.app, name="student")
app.command("watch")(watch.watch_command)
app.command("stages")(stages.stages_command)
app.command("improve")(improve.improve_command)
policy.app.command("impact")(impact.impact_command)
app.add_typer(policy.app, name="policy")
golden.app.command("sheet")(sheets.rating_sheet_command)
golden.app.command("collect")(sheets.collect_ratings)
golden.app.command("confirm")(rejudge.confirm_examples)
golden.app.command("regrade")(rejudge.regrade_example)
golden.app.command("age")(golden_age.golden_age_command)
golden.app.command("plan")(sizes.size_command)
app.add_typer(golden.app, name="golden")
rate.app.command("plan")(rate_plan.plan_command)
rate.app.command("invite")(rate.invite_command)
rate.app.command("revoke")(rate.revoke_command)
rate.app.command("status")(rate.status_command)
rate.app.command("live")(rate_live.live_command)
rate.app.command("seal")(rate.seal_command)
rate.app.command("close")(rate_live.close_command)
app.add_typer(rate.app, name="rate")
app.add_typer(ratings.app, name="ratings")
app.command("adjudicate")(adjudicate.adjudicate_command)
app.add_typer(prompt.app, name="prompt")
app.add_typer(runs.app, name="runs")
app.command("report")(reports.report_command)
app.add_typer(cache.app, name="cache")
app.command("view")(view.view_command)
app.command("doctor")(doctor.doctor_command)
app.command("demo-server")(demo_server.demo_server_command)
read_later(app)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"harness {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, option("Print the version and end.", "--version", callback=_version, is_eager=True)
    ] = False,
) -> None:
    pass


def main() -> None:
    """The console script."""
    collect_rarely()
    for stream in (sys.stdout, sys.stderr):
        # Product texts hold every script; a terminal that lacks one shows a mark instead.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    if any("\udc80" <= letter <= "\udcff" for word in sys.argv for letter in word):
        complain("the command line is not UTF-8; set a UTF-8 locale, or retype the arguments")
        sys.exit(2)
    _in_one_chunk()


def _in_one_chunk() -> None:
    app()


# CPython keeps the frames of Python functions in chunks of 16 KB, and frees a chunk when its last frame
# returns: a loop that calls across the end of one asks the kernel for memory in every turn (importing SciPy
# from a command: 18,000 times, a tenth of `eval --limit 20`). The chunk of a frame as large as this one has
# 120 KB left, and the frames of everything that it calls lie there.
_in_one_chunk.__code__ = _in_one_chunk.__code__.replace(co_stacksize=17_000)
