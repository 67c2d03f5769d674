"""The layout's one rule: a module imports only from those above it, and right of the wall nobody asks."""

import ast
import os
import re
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from harness.pricing.vendors import VENDORS
from harness.providers import PROVIDERS

ROOT = Path(__file__).resolve().parent.parent
MAP = """
errors      the exception tree
storage     files, tables, the project folder, digests, Hugging Face data sets
nouns       the frozen nouns, in the order of the flow
scorecards  what the gates found: the objects that --json prints
stats       pure numbers: no LLM, no file, no policy
pricing     vendors, tokens, prices
policy      load, lint, diff
golden      examples, splits, leakage, import and export, ratings
prompting   template + policy + shots + pair -> prompt; reply -> grade or a cause
runs        the run folder: the wall between the network and pure reading
providers   name -> teacher
score       records -> scorecards
verdicts    scorecards + thresholds -> verdicts
comparison  runs side by side, paired
report      results -> terminal, Markdown, HTML, pictures
web         the viewer
grading     pairs x teacher -> records
shipping    may this version ship?
scaffold    a new project, the next version of a policy or a prompt
audit       is the teacher biased?
demo        a server on loopback that answers as the model APIs do, without a model
production  the teacher at work: labels of production pairs
improve     edits to a prompt, proposed from disagreements
signal      what users do, against the policy
student     smaller models that learn from the teacher
watch       the teacher over time: golden pairs asked again, day by day
notebook    the Python API
cli         arguments, printing, exit codes
"""
"""Every room of the harness. A file imports only from its own room and from rooms above it."""
ORDER = tuple(line.split()[0] for line in MAP.strip().splitlines())
BEHIND_THE_WALL = ("stats", "score", "verdicts", "comparison", "report", "web", "signal", "notebook")
"""Rooms that read what a folder holds, and reach no provider by any chain of imports."""
HEAVY = (
    "openai", "anthropic", "sklearn", "datasets", "numpy", "pydantic", "jinja2", "rich", "scipy",
    "genai_prices", "matplotlib", "pyarrow", "starlette", "uvicorn", "opentelemetry", "google", "aiohttp",
    "ray", "statsmodels", "pandas", "gepa", "safetensors", "tokenizers", "wordllama",
)  # fmt: skip
FILES = sorted((ROOT / "harness").rglob("*.py"))
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in FILES
}


def room(path: Path) -> str:
    """The top-level module or package that a file belongs to."""
    return path.relative_to(ROOT / "harness").parts[0].removesuffix(".py")


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports(path: Path, *, top_level_only: bool = False) -> frozenset[str]:
    tree = parsed(path)
    names = set[str]()
    for node in tree.body if top_level_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(names)


def rooms_imported(path: Path) -> set[str]:
    """The harness's own rooms that a file imports from; the version in the package itself is free to all."""
    return {name.split(".")[1] for name in imports(path) if name.startswith("harness.")} & set(ORDER)


def test_every_room_has_its_place() -> None:
    assert {room(path) for path in FILES} - {"__init__", "__main__"} == set(ORDER)


def test_imports_come_from_above() -> None:
    inside = [path for path in FILES if room(path) not in ("__init__", "__main__")]
    wrong = {
        (str(path), name)
        for path in inside
        for name in rooms_imported(path)
        if ORDER.index(name) > ORDER.index(room(path))
    }
    assert len(inside) > 300 and not wrong


def test_inside_a_room_there_is_no_circle() -> None:
    for package in [name for name in ORDER if (ROOT / "harness" / name).is_dir()]:
        inside = (ROOT / "harness" / package).rglob("*.py")
        files = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in inside}
        above = {name: imports(path) & set(files) for name, path in files.items()}
        while above:
            free = [name for name, needed in above.items() if not needed & set(above)]
            assert free, f"a circle in {package}: {sorted(above)}"
            for name in free:
                del above[name]


def reached_from(path: Path) -> set[Path]:
    """Every file of the harness that a file imports, directly or through another one, at any level."""
    reached, waiting = set[Path](), [path]
    while waiting:
        for name in imports(waiting.pop()):
            found = MODULES.get(name)
            if found is not None and found not in reached:
                reached.add(found)
                waiting.append(found)
    return reached


@pytest.mark.parametrize("package", BEHIND_THE_WALL)
def test_nothing_behind_the_wall_reaches_a_provider(package: str) -> None:
    for path in [file for file in FILES if room(file) == package]:
        beyond = {file for file in reached_from(path) if room(file) in ("providers", "grading")}
        assert not beyond, path


def test_the_command_line_starts_light() -> None:
    for path in (ROOT / "harness/cli").glob("*.py"):
        heavy = {name.split(".")[0] for name in imports(path, top_level_only=True)} & set(HEAVY)
        assert not heavy, f"{path.name} imports {heavy} before it is known to be needed"


def test_no_call_waits_for_what_scores_the_answers() -> None:
    """Numerical libraries are loaded while the answers are awaited."""
    code = "import sys, harness.grading.evaluate as one\nprint(one.SCORING, *sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    scoring, *loaded = done.stdout.split()
    assert not {"numpy", "scipy", scoring} & set(loaded)
    assert scoring in MODULES


@pytest.mark.parametrize(
    "words",
    [
        ("gate1", "r.csv"),
        ("gate2", "--golden", "g.csv", "--grades", "g.csv", "--ratings", "r.csv", "--bootstrap"),
    ],
)
def test_scoring_takes_numpy_alone(here: Path, words: tuple[str, ...]) -> None:
    """The others take longer to load than a gate takes, and more memory than 200,000 grades."""
    (here / "r.csv").write_text("item,rater,grade\na,x,1\na,y,1\nb,x,0\nb,y,1\n", encoding="utf-8")
    (here / "g.csv").write_text("item,grade\na,1\nb,0\n", encoding="utf-8")
    code = (
        "import sys\nfrom harness.cli.app import app\n"
        f"app({[*words, '--scale', '0-1', '--json']!r}, standalone_mode=False)\n"
        "print(*sorted(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=here)
    loaded = done.stderr.split()
    assert "numpy" in loaded, done.stderr
    heavy = (
        "sklearn",
        "scipy",
        "pandas",
        "datasets",
        "pyarrow",
        "openai",
    )
    assert [name for name in heavy if name in loaded] == []


def test_plugins_of_pydantic_are_not_run(here: Path) -> None:
    """They would run in every command, and to look for them takes time in each."""
    (here / "spy.py").write_text("print('a plugin ran')\nplugin = None\n", encoding="utf-8")
    (here / "spy-1.dist-info").mkdir()
    (here / "spy-1.dist-info/METADATA").write_text("Name: spy\nVersion: 1\n", encoding="utf-8")
    (here / "spy-1.dist-info/entry_points.txt").write_text("[pydantic]\nspy = spy:plugin\n", encoding="utf-8")
    paths = os.pathsep.join([str(here), str(ROOT)])
    words = [sys.executable, "-m", "harness", "golden", "list"]
    done = subprocess.run(
        words, capture_output=True, text=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": paths}
    )
    assert done.returncode == 0 and "a plugin ran" not in done.stdout


LOOKS_INSIDE = "startswith, endswith, removeprefix, removesuffix, partition, split, find, index, replace"


def looked_into(node: ast.AST) -> list[ast.expr]:
    """The texts whose words a piece of code looks at."""
    if isinstance(node, ast.Attribute) and node.attr in LOOKS_INSIDE.split(", "):
        return [node.value]
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        return [node.value]
    if isinstance(node, ast.Compare) and any(isinstance(op, ast.In | ast.NotIn) for op in node.ops):
        return node.comparators
    return []


def test_no_code_looks_into_the_words_of_a_reason() -> None:
    """A reason has a kind for code; its words are for people."""
    for path in FILES:
        found = [one for node in ast.walk(parsed(path)) for one in looked_into(node)]
        texts = map(ast.unparse, found)
        assert not [text for text in texts if re.search(r"(reason|why)( or '')?\)?$", text)], path


def test_a_class_name_has_one_meaning() -> None:
    """Whoever searches for a name finds one class, and no import needs another name for it."""
    names = Counter(
        node.name
        for path in FILES
        for node in parsed(path).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert len(names) > 500
    assert not [name for name, count in names.items() if count > 1]


def test_only_the_command_line_prints() -> None:
    for path in FILES:
        if room(path) != "cli":
            text = path.read_text(encoding="utf-8")
            assert "typer" not in text and not re.search(r"(?<![.\w])print\(", text), path


def test_providers_are_known_by_name_in_their_own_room_alone() -> None:
    """Others ask for what a provider is: whether it is free, whose models it asks, what it reads."""
    for path in [file for file in FILES if room(file) != "providers"]:
        texts = {node.value for node in ast.walk(parsed(path)) if isinstance(node, ast.Constant)}
        # genai-prices has ids for vendors, and some are the names of providers too.
        vendors = {vendor.id for vendor in VENDORS} if path.name == "vendors.py" else set()
        # `harness student` is a command too.
        commands = {"student"} if path.name == "commands.py" and room(path) == "cli" else set[str]()
        assert texts & set(PROVIDERS) <= vendors | commands, (
            f"{path} names providers: ask for an attribute of Provider"
        )


def test_vendors_are_known_without_their_providers() -> None:
    for path in [file for file in FILES if room(file) == "pricing"]:
        assert not {file for file in reached_from(path) if room(file) in ("providers", "runs", "grading")}


def test_a_command_is_imported_when_it_is_called(here: Path) -> None:
    """To import every command took a third of the start, and each new one would add to it."""
    code = (
        "import sys, typer\nfrom harness.cli.app import app\nfrom harness.cli.commands import COMMANDS\n"
        "group = typer.main.get_command(app)\n"
        "group.main(sys.argv[1:], standalone_mode=False)\n"
        "places = {'harness.cli.' + one.place.split(':')[0] for one in COMMANDS.values()}\n"
        "print(*sorted(places & {*sys.modules}), sep='\\n', file=sys.stderr)"
    )
    for words, read in (("--help", ""), ("golden --help", ""), ("gate1 --help", "harness.cli.gate1")):
        done = subprocess.run(
            [sys.executable, "-c", code, *words.split()], capture_output=True, text=True, cwd=here
        )
        assert (done.returncode, done.stderr.strip()) == (0, read)


def test_option_groups_are_no_dataclasses() -> None:
    """Python would compile a constructor for each at every start, whatever the command."""
    classes = [
        (path.name, node.name)
        for path in (ROOT / "harness/cli").glob("*.py")
        for node in parsed(path).body
        if isinstance(node, ast.ClassDef) and node.decorator_list and node.name.endswith("Options")
    ]
    assert classes == [("options.py", "Options")]
