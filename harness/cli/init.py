"""`harness init`: start a new project."""

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from harness.cli.golden import TakenOptions, say_imported
from harness.cli.options import Json, argument, option
from harness.cli.output import print_json, say, show, shown_path
from harness.cli.rated import TableOptions, refuse
from harness.storage.plural import plural

if TYPE_CHECKING:
    from harness.golden.importing import Import
    from harness.scaffold.starting import Started


class FromOptions(TakenOptions):
    """A table to begin with."""

    source: Annotated[
        str | None,
        option(
            "Graded pairs to begin with: a table, or a data set.",
            "--from",
            metavar="FILE",
            envvar="HARNESS_INIT_FROM",
        ),
    ] = None
    license: Annotated[str | None, option("A note on the source's license.")] = None

    def asked(self, table: TableOptions) -> "Import | None":
        """What to import; None without a table. BadInput for options that only a table needs."""
        from dataclasses import replace

        if self.source is not None:
            return replace(self.taken(self.source, "", table), licence=self.license)
        refuse(self.given() | table.given(), ": only for a table of graded pairs; add --from FILE")
        return None


def init_command(
    folder: Annotated[Path, argument("A new folder, or an empty one.", metavar="DIR")],
    name: Annotated[str | None, option("The policy's name. Default: the folder's.")] = None,
    scale: Annotated[
        str | None, option("The grades, such as 0-3 or 0,1,3. Default: 0-4, or those of the table.")
    ] = None,
    *,
    how: FromOptions,
    table: TableOptions,
    json: Json = False,
) -> None:
    """A project of your own: a policy, prompts, a golden set, a Makefile, a check for pull requests.

    It begins with a few example pairs, or with your graded pairs: --from FILE. Nothing is overwritten.
    """
    from harness.scaffold.starting import start_project

    done = start_project(folder, name, scale, how.asked(table))
    if json:
        print_json(
            {
                "path": str(done.project.root),
                "policy": f"{done.policy}@v1",
                "scale": done.scale,
                "examples": done.examples,
                "example_data": done.imported is None,
            }
        )
    else:
        _say_started(done)


def _say_started(done: "Started") -> None:
    root = done.project.root
    show([f"a project in {shown_path(root)}: the policy {done.policy}@v1 over the grades {done.scale}"])
    if done.imported:
        say_imported(done.imported, done.policy)
        say(f"a policy to fill in: {shown_path(done.project.policies / done.policy / 'v1.toml')}")
    else:
        show(
            [f"{plural(done.examples, 'example pair')}, made up to show the form: their numbers mean nothing"]
        )
    if done.wheel:
        say("note: make install and the check on pull requests need the harness's wheel in wheels/")
    if done.repository:
        inside = shown_path(root) / ".github"
        say(f"note: GitHub reads {shown_path(done.repository) / '.github'} alone: move {inside} there")
    show(["next:", *(f"  {line}" for line in _next(done))])


def _next(done: "Started") -> list[str]:
    """The next three commands."""
    root = shown_path(done.project.root)
    own = Path(sys.argv[0])
    on_path = shutil.which("harness") is not None
    with_harness = "" if on_path or not own.is_file() else f" HARNESS={own.absolute()}"
    last = "lint" if done.imported else "report"
    enter = [f"cd {root}"] if root != Path() else []
    return [*enter, f"make eval{with_harness}", f"make {last}{with_harness}", "make help"][:3]
