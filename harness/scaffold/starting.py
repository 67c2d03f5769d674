"""`harness init`: a new project, with an example or with the graded pairs of a table."""

import csv
import io
import shlex
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from harness.errors import BadInput
from harness.golden.importing import Import, Imported, import_golden, source_table
from harness.golden.scales import parse_scale, scale_text
from harness.golden.skeleton import write_skeleton
from harness.scaffold.example import FILES, SCALE, rendered, write_example
from harness.scaffold.from_table import in_words, scale_of_table
from harness.scaffold.new_folder import whole_folder
from harness.scaffold.origin import WHEELS, requirement
from harness.storage.files import write_atomic
from harness.storage.project import Project, is_name


@dataclass(frozen=True, slots=True)
class Started:
    """A new project. `imported`: what came from a table; None where example pairs were written.

    `scale`: in words. `wheel`: whether requirements.txt names a wheel that has to be put into the project.
    """

    project: Project
    policy: str
    scale: str
    examples: int
    imported: Imported | None
    wheel: bool
    repository: Path | None


def start_project(folder: Path, name: str | None, scale: str | None, source: Import | None) -> Started:
    """Make a project in a new or an empty folder. BadInput, with nothing written, for any fault."""
    name = _name(folder, name)
    grades = parse_scale(scale) if scale is not None else None
    wanted = requirement()
    with whole_folder(folder) as draft:
        project = Project(draft)
        _write_common(project, name, wanted, source)
        imported = None
        if source is None:
            grades = grades or SCALE
            said, examples = scale_text(grades), write_example(project, name, grades)
        else:
            said, imported = _import(project, replace(source, policy=name, scale=scale))
            examples = imported.examples
    whole = folder.resolve()
    if imported:
        imported = replace(imported, path=whole / imported.path.relative_to(draft))
    return Started(
        project=Project(whole),
        policy=name,
        scale=said,
        examples=examples,
        imported=imported,
        wheel=wanted.startswith("./"),
        repository=next((one for one in whole.parents if (one / ".git").exists()), None),
    )


def _name(folder: Path, name: str | None) -> str:
    wanted = folder.resolve().name if name is None else name
    if not is_name(wanted):
        todo = "" if name is not None else "; name the policy: --name shop"
        raise BadInput(f"--name: {wanted!r} is not a valid policy name (letters, digits, - . _){todo}")
    return wanted


def _import(project: Project, request: Import) -> tuple[str, Imported]:
    """Draft a policy from a table, and import its pairs; the scale in words."""
    found = scale_of_table(source_table(request), request.layout, request.scale)
    write_skeleton(project, request.policy, found.scale, found.words)
    return in_words(found), import_golden(project, replace(request, scale=None))


def _write_common(project: Project, name: str, wanted: str, source: Import | None) -> None:
    """Everything but the policy and its golden set."""
    root = project.root
    shutil.copytree(FILES / "prompts", project.prompts, ignore=shutil.ignore_patterns("__pycache__"))
    for folder in (project.golden, project.runs, root / ".github/workflows"):
        folder.mkdir(parents=True)
    for file, place in (
        ("Makefile", "Makefile"),
        ("gitignore", ".gitignore"),
        ("check.yml", ".github/workflows/check.yml"),
        ("watch.yml", ".github/workflows/watch.yml"),
    ):
        write_atomic(root / place, (FILES / file).read_bytes())
    # Git keeps no empty folder.
    (project.runs / "baselines").mkdir()
    write_atomic(project.runs / "baselines/.gitkeep", b"")
    wheel = wanted.startswith("./")
    values = {"name": name, "requirement": wanted, "wheel": wheel, "wheels": WHEELS}
    write_atomic(root / "requirements.txt", rendered("requirements.txt.j2", **values))
    again = "" if source is None else _read_again(source)
    write_atomic(root / "README.md", rendered("README.md.j2", example=source is None, again=again, **values))


def _read_again(source: Import) -> str:
    """The options that read another table like this one, quoted for a shell."""
    layout = source.layout
    words = (f"{word}={'' if grade is None else grade}" for word, grade in layout.labels.items())
    labels = io.StringIO()
    csv.writer(labels, lineterminator="").writerow(words)
    given = {
        "columns": ",".join(f"{name}={'+'.join(headers)}" for name, headers in layout.columns.items()),
        "labels": labels.getvalue(),
        "format": layout.format,
        "encoding": layout.encoding,
        "attributes": ",".join(source.attributes),
    }
    return "".join(f" --{name} {shlex.quote(text)}" for name, text in given.items() if text)
