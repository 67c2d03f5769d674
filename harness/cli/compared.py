"""What `harness compare` and `harness regress` compare: runs, a baseline, files of grades."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.options import project_at, refuse_lost
from harness.cli.rated import FileOptions, refuse
from harness.errors import BadInput
from harness.storage.visible import shown_name

if TYPE_CHECKING:
    from harness.comparison.sides import Side
    from harness.golden.graded_files import GradesFile
    from harness.runs.folder import Run

BASELINE = "baseline"
PER_FILE = ("grades_columns", "grades_format", "wide")
"""Options that can be given for each file of grades."""


def is_file(name: str) -> bool:
    """Whether a name is that of a file of grades, not of a run."""
    return name != BASELINE and Path(name).is_file()


def for_each_rater(names: list[str], files: FileOptions) -> list[str]:
    """The names; repeats the only file among them once for each named rater."""
    if sum(map(is_file, names)) != 1 or len(files.raters) < 2:
        return names
    return [one for name in names for one in ([name] * len(files.raters) if is_file(name) else [name])]


def sides_of(names: list[str], files: FileOptions, root: Path | None) -> "list[Side]":
    """The sides in the order named; `baseline` means that of the first run among them."""
    from harness.comparison.graded_files import by_name
    from harness.comparison.sides import side_of_run
    from harness.runs.folder import find_run, open_run
    from harness.score.reading import read_run

    refuse_lost(names)
    paths = [Path(name) for name in names if is_file(name)]
    if not paths:
        refuse(vars(files), " goes with a file; a run has its own")
    runs: dict[str, Run] = {
        name: open_run(find_run(project_at(root), name))
        for name in dict.fromkeys(names)
        if name != BASELINE and not is_file(name)
    }
    known = {name: side_of_run(read_run(run)) for name, run in runs.items()}
    if BASELINE in names:
        known[BASELINE] = _baseline(next(iter(runs.values()), None), root)
    first = next((known[name] for name in runs), None)
    graded = iter(_sides_of_files(_each(paths, files), files, first, root) if paths else ())
    sides = [next(graded) if is_file(name) else known[name] for name in names]
    if paths and files.golden:
        sides = [by_name(side) for side in sides]
    if len({side.name for side in sides}) < len(sides):
        # The same run named twice is still two sides.
        sides = [replace(side, name=f"{side.name} ({at + 1})") for at, side in enumerate(sides)]
    return sides


def _baseline(run: "Run | None", root: Path | None) -> "Side":
    from harness.comparison.baseline import baseline_path, load_baseline, side_of_baseline

    if run is None:
        raise BadInput("baseline needs a run beside it, whose policy and split select the baseline")
    path = baseline_path(project_at(root), run.policy.name, run.manifest.asked.part)
    return side_of_baseline(load_baseline(path))


def _each(paths: list[Path], files: FileOptions) -> "list[GradesFile]":
    """Each file with its layout and rater; an option given once applies to all of them."""
    from harness.golden.graded_files import GradesFile

    raters: list[str | None] = [*files.raters] or [None]
    said: dict[str, list[Any]] = {
        name: [part.strip() or None for part in (getattr(files, name) or "").split(";")] for name in PER_FILE
    }
    counts = {name: len(parts) for name, parts in [*said.items(), ("rater", raters)]}
    wrong = [
        f"--{name.replace('_', '-')} has {count}"
        for name, count in counts.items()
        if count not in (1, len(paths))
    ]
    if wrong:
        which = ", ".join(shown_name(path) for path in paths)
        raise BadInput(
            f"{', '.join(wrong)}: give one for all files of grades, or one for each of them ({which})"
        )
    return [
        GradesFile(
            path,
            FileOptions(
                **vars(files) | {name: parts[at % len(parts)] for name, parts in said.items()}
            ).grades_table,
            raters[at % len(raters)],
        )
        for at, path in enumerate(paths)
    ]


def _sides_of_files(
    found: "list[GradesFile]", files: FileOptions, run: "Side | None", root: Path | None
) -> "list[Side]":
    """Files of grades beside the golden file or, without one, beside the examples of the run."""
    from harness.comparison.graded_files import side_beside_run, side_of_file
    from harness.golden.graded_files import read_golden

    if files.golden is not None:
        levels = files.levels(root)
        golden = read_golden(files.golden, files.golden_table, levels)
        return [side_of_file(golden, one, levels) for one in found]
    if run is None:
        raise BadInput(f"{found[0].path} is a file of grades; add the golden grades with --golden FILE")
    _refuse_unused(files, run.name)
    return [side_beside_run(one, run) for one in found]


def _refuse_unused(files: FileOptions, run: str) -> None:
    """BadInput for options about a golden file where there is none."""
    unused = {"policy": files.policy, "scale": files.scale}
    unused |= {"columns": files.columns} if files.grades_columns else {}
    unused |= {"format": files.format} if files.grades_format else {}
    refuse(unused, f" needs --golden FILE; without it the golden grades are those of {run}")
