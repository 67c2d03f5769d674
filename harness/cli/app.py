"""`harness`: the console script, and the options of `harness` itself."""

import os
import sys
from typing import Annotated

import typer

from harness import __version__
from harness.cli.lazy import add_commands
from harness.cli.options import option
from harness.cli.output import Commands, complain
from harness.storage.collecting import collect_no_more, collect_rarely

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
add_commands(app)


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
    # Pydantic would look for plugins in every package that is installed, 20 ms, and run those it finds.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    for stream in (sys.stdout, sys.stderr):
        # Product texts hold every script; a terminal that lacks one shows a mark instead.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    if any("\udc80" <= letter <= "\udcff" for word in sys.argv for letter in word):
        complain("the command line is not UTF-8; set a UTF-8 locale, or retype the arguments")
        sys.exit(2)
    try:
        _in_one_chunk()
    finally:
        collect_no_more()


def _in_one_chunk() -> None:
    app()


# CPython keeps the frames of Python functions in chunks of 16 KB, and frees a chunk when its last frame
# returns: a loop that calls across the end of one asks the kernel for memory in every turn (importing SciPy
# from a command: 18,000 times, a tenth of `eval --limit 20`). The chunk of a frame as large as this one has
# 120 KB left, and the frames of everything that it calls lie there.
_in_one_chunk.__code__ = _in_one_chunk.__code__.replace(co_stacksize=17_000)
