"""Did a restructuring change a number? python benchmarks/same_numbers.py BASE [NEW]

BASE and NEW are checkouts with a .venv; NEW is this one by default. The commands of same_numbers.txt run in
both, in copies of each checkout's policies, prompts and golden sets. What they print, what they write and how
they end is compared digit for digit, without names of runs, times and versions. Ends with 1 where something
differs or a command fails; a key or a file that NEW alone has is told, and is no difference.

`BASE --save FILE` keeps the results of BASE; `--against FILE [NEW]` compares with them. `--data DIR` adds
real data (chorus/ and wands/), `--reference DIR` a folder of tables of published cases.
"""

import argparse
import csv
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
COMMANDS = Path(__file__).with_suffix(".txt").read_text(encoding="utf-8")
VARIES = {"created_at", "finished_at", "at", "seconds", "harness", "python", "packages", "commit", "dirty"}
BLANKED = re.compile(
    r"\d{8}T\d{6}\.\d{3}|\b\d\d-\d\d \d\d:\d\d\b"
    r"|\d{4}-\d\d-\d\d[T ]\d\d:\d\d[:.\d]*(?:Z|[+-]\d\d:\d\d)?|\d+ [A-Z][a-z]+ 20\d\d, \d\d:\d\d"
    r"|127\.0\.0\.1:\d+"
    r"|(?<=\"seconds\":)[^,}]*|\d[\d.,]* seconds|seconds an answer(?:</th>(?:<td>[^<]*</td>)+|.*)"
    r"|(?<=[Hh]arness )\d+\.\d\S*|(?<=<dt>harness</dt>)<dd>.*?</dd>|(?<=<dt>packages</dt>)<dd>.*?</dd>"
)
"""Names of runs, times, addresses, durations and versions in what is written for people."""
PRICES = '[models."{}/*"]\ninput = 2.0\noutput = 10.0\ncached = 0.2\nwritten = 2.5\n'
LEFT_OUT = {"examples.jsonl", "ratings.jsonl", "replies.sqlite3", "trend.svg"}
"""What a run only copies, the cache, and a picture whose axis is the time of day."""
ENDS = (0, 1, 3, 4)
"""A verdict, or a run in which some examples failed."""
Results = dict[str, Any]


def main() -> None:
    """Compare, or keep."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("checkouts", nargs="*", type=Path, metavar="BASE [NEW]")
    for name in ("data", "reference", "save", "against"):
        words.add_argument(f"--{name}", type=Path)
    given = words.parse_args()
    if not 1 - bool(given.against) <= len(given.checkouts) <= 2 - bool(given.against or given.save):
        words.error("give BASE [NEW], or BASE --save FILE, or [NEW] --against FILE")
    folders = {"shipped": None, "data": given.data, "reference": given.reference}
    asked = {name: path and path.resolve() for name, path in folders.items() if path or name == "shipped"}
    checkouts = [path.resolve() for path in given.checkouts]
    if not given.save and len(checkouts) < 2 - bool(given.against):
        checkouts.append(ROOT)
    with ThreadPoolExecutor() as pool:
        found = list(pool.map(lambda checkout: results(checkout, asked), checkouts))
    if given.save:
        given.save.write_text(json.dumps(found[0]), encoding="utf-8")
        return
    base = json.loads(given.against.read_text(encoding="utf-8")) if given.against else found[0]
    sys.exit(told({key: value for key, value in base.items() if key.split(":")[0] in asked}, found[-1]))


def say(line: str) -> None:
    """A line of the result."""
    print(line, flush=True)  # noqa: T201 - a script that prints


def told(base: Results, new: Results) -> bool:
    """Say of each command and file what differs, and whether anything does."""
    count = 0
    for key in sorted({*base, *new}, key=[*base, *new].index):
        added: list[str] = []
        one, other = ({"": side[key]} if key in side else {} for side in (base, new))
        lines = list(differences(one, other, "", added))
        if not lines and base.get(key, {}).get("exit", 0) not in ENDS:
            lines = ["both fail, nothing is compared"]
        count += bool(lines)
        say(f"{'DIFFERS' if lines else 'same' if key in base else 'new'}  {key}")
        for line in [*lines[:5], *([f"and {len(lines) - 5} more"] if lines[5:] else [])]:
            say(f"    {line}")
        for line in filter(None, added[:5]):
            say(f"    new key {line}")
    say(f"{count} of {len(base)} results differ")
    return count > 0


def differences(base: Any, new: Any, path: str, added: list[str]) -> Iterator[str]:
    """Every place where two structures differ; keys that `base` lacks go into `added`."""
    if isinstance(base, dict) and isinstance(new, dict):
        added += [f"{path}.{key}".strip(".") for key in new if key not in base]
        for key, value in base.items():
            if key in new:
                yield from differences(value, new[key], f"{path}.{key}".strip("."), added)
            else:
                yield f"{path}.{key}: missing".strip(".")
    elif isinstance(base, list) and isinstance(new, list):
        if len(base) != len(new):
            yield f"{path}: {len(base)} entries -> {len(new)}"
        for at, (one, other) in enumerate(zip(base, new, strict=False)):
            yield from differences(one, other, f"{path}[{at}]", added)
    elif repr(base) != repr(new):
        # As text: 1 is not 1.0 here, and -0.0 is not 0.0.
        at = max(0, len(os.path.commonprefix([repr(base), repr(new)])) - 30)  # noqa: RUF071 - texts, no paths
        yield f"{path}: {repr(base)[at : at + 90]} -> {repr(new)[at : at + 90]}"


def results(checkout: Path, asked: dict[str, Path | None]) -> Results:
    """What the commands of each part print and write, each part in a fresh project."""
    found: Results = {}
    for part, folder in asked.items():
        with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
            root = Path(scratch).resolve()
            there = write_project(checkout, root, folder if part == "reference" else None)
            names = {"data": str(folder)}
            if part == "shipped":
                names["url"] = serve(stack, checkout, root)
                names["canned"] = serve(stack, checkout, root, "--canned")
            hidden = [str(path) for path in (root, folder, checkout) if path]
            for line in commands(part):
                found[f"{part}: {line}"] = blanked(run(checkout, root, line, names), hidden)
            for name, content in written(root, there):
                found[f"{part}: {name}"] = {"file": blanked(content, hidden)}
    return found


def commands(part: str) -> list[str]:
    """The lines of a part of same_numbers.txt."""
    (body,) = re.findall(rf"^\[{part}\]\n(.*?)(?:\n\n|\Z)", COMMANDS, re.DOTALL | re.MULTILINE)
    return str(body).splitlines()


def run(checkout: Path, root: Path, line: str, names: dict[str, str]) -> Results:
    """One command. A run that it makes is known by the word before the colon from then on."""
    name, words = found.groups() if (found := re.fullmatch(r"(?:([\w-]+): )?(.*)", line)) else ("", line)
    command = [f"{checkout}/.venv/bin/harness", *shlex.split(words.format_map(names)), f"--root={root}"]
    ours = {key: value for key, value in os.environ.items() if not key.startswith(("HARNESS_", "PYTHON"))}
    fixed = {"COLUMNS": "80", "NO_COLOR": "1", "OPENAI_API_KEY": "none", "ANTHROPIC_API_KEY": "none"}
    done = subprocess.run(command, cwd=root, env=ours | fixed, capture_output=True, text=True, timeout=600)
    if done.returncode not in ENDS:
        say(f"{checkout}: harness {line}\n{done.stderr[-2000:]}")
    try:
        out = json.loads(done.stdout)
    except ValueError:
        out = done.stdout.splitlines()
    if name:
        names[name] = Path(out["run"]).name if isinstance(out, dict) and "run" in out else "latest"
    return {"exit": done.returncode, "out": out}


def blanked(value: Any, hidden: list[str]) -> Any:
    """The same without what two runs of the same code do not share."""
    if isinstance(value, dict):
        return {key: "*" if key in VARIES else blanked(inner, hidden) for key, inner in value.items()}
    if isinstance(value, list):
        return [blanked(inner, hidden) for inner in value]
    if isinstance(value, str):
        for path in hidden:
            value = value.replace(path, "*")
        return BLANKED.sub("*", value)
    return value


def written(root: Path, there: set[Path]) -> Iterator[tuple[str, Any]]:
    """Every file that the commands wrote, with its content; runs of the same name are numbered."""
    seen: Counter[str] = Counter()
    for path in sorted({*root.rglob("*")} - there):
        if not path.is_file() or (path.name in LEFT_OUT and "golden" not in path.parts):
            continue
        name = blanked(str(path.relative_to(root)), [])
        seen[name] += 1
        text = path.read_text(encoding="utf-8")
        content: Any = text.splitlines()
        if path.suffix == ".json":
            content = json.loads(text)
        elif path.suffix == ".jsonl":
            content = [json.loads(line) for line in content]
        if path.name == "records.jsonl":  # In the order of the answers, which is left to chance.
            content.sort(key=lambda record: (str(record.get("example")), record.get("repeat")))
        yield f"{name} #{seen[name]}", content


def write_project(checkout: Path, root: Path, reference: Path | None) -> set[Path]:
    """A copy of the checkout's project and of the inputs; what is there then."""
    for name in ("policies", "prompts", "golden", "docs"):
        shutil.copytree(checkout / name, root / name)
    for name in ("runs", "out", "policies/second", "golden/second"):
        (root / name).mkdir()
    for name in ("v1.toml", "gates.toml"):
        text = (root / "policies/product-search" / name).read_text(encoding="utf-8")
        text = text.replace('name = "product-search"', 'name = "second"')
        (root / "policies/second" / name).write_text(text, encoding="utf-8")
    prices = "".join(map(PRICES.format, ("openai", "openai-responses", "anthropic")))
    (root / "prices.toml").write_text(prices, encoding="utf-8")
    golden = root / "golden/product-search/examples.jsonl"
    shutil.copy(golden, root / "golden/second")
    examples = [json.loads(line) for line in golden.read_text(encoding="utf-8").splitlines()]
    for name, step in (("grades", 5), ("student", 7)):
        rows = [
            [one["id"], "" if at % 29 == step else max(0, one["grade"] - (at % step == 0))]
            for at, one in enumerate(examples)
            if name == "student" or at % 97
        ]
        write_table(root / f"{name}.csv", [["item", "grade"], *rows])
    for path in reference.glob("*.csv") if reference else ():
        write_table(root / path.name, readable(path))
    return {*root.rglob("*")}


def readable(path: Path) -> list[list[Any]]:
    """A published table as the command line takes it: items, grades as numbers, one rating each."""
    with path.open(encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file)
    if "item" not in head:
        numbers = [[cell.split(".")[0] for cell in row] for row in rows]
        return [["item", *head], *([at, *row] for at, row in enumerate(numbers))]
    if "rater" in head:
        rows = list({tuple(row[:2]): row for row in rows}.values())
    return [head, *(row for row in rows if "human" not in head or row[-1])]


def write_table(path: Path, rows: list[list[Any]]) -> None:
    """Rows as CSV."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def serve(stack: ExitStack, checkout: Path, root: Path, *words: str) -> str:
    """The address of the checkout's demo server (of this one's where it has none); it ends with the stack."""
    old = checkout / "tests/demo_server.py"
    home = checkout if old.exists() or (checkout / "harness/demo").exists() else ROOT
    program = [str(old)] if old.exists() else ["-m", "harness", "demo-server"]
    command = [f"{home}/.venv/bin/python", *program, "--port=0", f"--root={root}", *words]
    server = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=home))
    stack.callback(server.terminate)
    assert server.stdout is not None, "it was asked for"
    for line in server.stdout:
        if found := re.search(r"http://[^ ]+/v1", line):
            return found[0]
    sys.exit(f"the demo server of {home} did not start")


if __name__ == "__main__":
    main()
