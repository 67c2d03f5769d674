"""Mutation tests: small changes to the code, each of which some test has to notice.

mutmut makes the mutants and runs the tests on them; tests/mutants.toml says which files are changed, which
tests have to notice, and which mutants are equivalent, with the reason. This prints the mutants that survived
and a table. Arguments: files, to mutate these alone; `--sample 100`, to try so many mutants of each room.
"""

import argparse
import ast
import difflib
import json
import random
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
MUTMUT = Path(sys.executable).with_name("mutmut")
COPIED = (
    "harness", "tests", "benchmarks", "policies", "golden", "prompts", "docs", "README.md", "pyproject.toml",
)  # fmt: skip
LOG = "mutmut.log"
QUOTED = re.compile(r"""'[^']*'|"[^"]*\"""")
SURVIVED, UNTESTED = 0, 33
"""mutmut's exit codes for a mutant that every test passed on, and for one that no test runs."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change to one function: the lines taken out and those put in."""

    function: str
    old: str
    new: str
    code: int

    def __str__(self) -> str:
        return f"{self.function}\n  - {self.old}\n  + {self.new}"


def main() -> int:
    """Mutate the rooms that hold the files, or all of them. 1 where a mutant survived that should not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*")
    parser.add_argument("--sample", type=int)
    asked = parser.parse_args()
    files: list[str] = asked.files
    known = tomllib.loads((ROOT / "tests/mutants.toml").read_text(encoding="utf-8"))
    rows = []
    for room in known["room"]:
        wanted = [one for one in files if any(fnmatch(one, pattern) for pattern in room["files"])]
        if wanted or not files:
            found = list(mutants_of(room, wanted or room["files"], asked.sample))
            rows.append((room["name"], tally(found, known.get("equivalent", []))))
    print(f"{'room':24}{'mutants':>9}{'killed':>9}{'survived':>9}{'equivalent':>12}{'wording':>9}{'rate':>8}")  # noqa: T201 - a script that prints
    for name, count in rows:
        real = count["killed"] + count["survived"]
        rate = f"{count['killed'] / real:.1%}" if real else "-"
        kinds = f"{count['killed']:>9}{count['survived']:>9}{count['equivalent']:>12}{count['wording']:>9}"
        print(f"{name:24}{count.total():>9}{kinds}{rate:>8}")  # noqa: T201 - a script that prints
    return int(any(count["survived"] for _, count in rows))


def tally(found: Sequence[Mutant], equivalent: Sequence[dict[str, str]]) -> Counter[str]:
    """How many were killed, survived, or could not be killed; those that survived are printed."""
    count: Counter[str] = Counter()
    for one in found:
        if one.code not in (SURVIVED, UNTESTED):
            count["killed"] += 1
        elif is_wording(one):
            count["wording"] += 1
        elif any(is_same(one, rule) for rule in equivalent):
            count["equivalent"] += 1
        else:
            count["survived"] += 1
            print(f"{one}\n" if one.code == SURVIVED else f"{one}\n  (no test runs it)\n", flush=True)  # noqa: T201 - a script that prints
    return count


def is_wording(one: Mutant) -> bool:
    """Whether a mutant only spells a sentence otherwise: several words in capitals, or between X's."""
    if one.new.replace("XX", "").casefold() != one.old.casefold():
        return False
    texts = zip(QUOTED.findall(one.old), QUOTED.findall(one.new), strict=True)
    return all(" " in old for old, new in texts if old != new)


def is_same(one: Mutant, rule: dict[str, str]) -> bool:
    """Whether a mutant is the one that a rule names, or differs in nothing but what the rule leaves out."""
    if not fnmatch(one.function, rule.get("where", "*")):
        return False
    if "ignore" in rule:
        return re.sub(rule["ignore"], "", one.old) == re.sub(rule["ignore"], "", one.new)
    return rule["old"] in one.old and rule["new"] in one.new


def mutants_of(room: dict[str, Any], files: Sequence[str], sample: int | None) -> Iterator[Mutant]:
    """Run mutmut over the files, or a sample of their mutants, with the tests of their room."""
    work = copied(room, files)
    chosen: list[str] = []
    if sample:
        # Asked for a mutant that there is none of, it makes all of them and stops.
        mutmut(work, "none")
        names = [key for _, codes in results(work) for key in codes]
        chosen = random.Random(1).sample(names, min(sample, len(names)))
    ended = mutmut(work, *chosen)
    if ended:
        raise SystemExit(f"mutmut ended with {ended}: see {work / LOG}")
    for path, codes in results(work):
        yield from read(path, codes)


def mutmut(work: Path, *names: str) -> int:
    """Run mutmut over these mutants, or all; what it prints goes to a file."""
    with (work / LOG).open("wb") as log:
        words = [str(MUTMUT), "run", "--max-children", "1", *names]
        return subprocess.run(words, cwd=work, stdout=log, stderr=log, check=False).returncode


def results(work: Path) -> Iterator[tuple[Path, dict[str, int | None]]]:
    """mutmut's files of results, each with the mutants' exit codes; None for one that was not tried."""
    for path in sorted(work.glob("mutants/harness/**/*.py.meta")):
        yield path, json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"]


def copied(room: dict[str, Any], files: Sequence[str]) -> Path:
    """A copy of the project, with mutmut's settings for a room."""
    work = ROOT.joinpath("mutants", re.sub(r"\W+", "-", room["name"]))
    shutil.rmtree(work, ignore_errors=True)
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, work / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, work / name)
    settings = {
        "source_paths": ["harness/"],
        "only_mutate": list(files),
        "also_copy": [name for name in COPIED if name != "harness"],
        "pytest_add_cli_args_test_selection": [f"tests/{name}" for name in room["tests"]],
        "pytest_add_cli_args": room.get("options", []),
        "timeout_constant": 2.0,
        "timeout_multiplier": 10.0,
    }
    with (work / "pyproject.toml").open("a", encoding="utf-8") as file:
        lines = (f"{key} = {json.dumps(value)}\n" for key, value in settings.items())
        file.write("\n[tool.mutmut]\n" + "".join(lines))
    return work


def read(meta: Path, codes: dict[str, int | None]) -> Iterator[Mutant]:
    """What mutmut wrote beside each file that it mutated: each mutant is a function next to the original."""
    text = meta.with_suffix("").read_text(encoding="utf-8")
    functions = {
        node.name: ast.unparse(node).replace(node.name, "f", 1).splitlines()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    for key, code in codes.items():
        if code is None:
            continue
        module, _, name = key.rpartition(".")
        original = functions[re.sub(r"__mutmut_\d+$", "__mutmut_orig", name)]
        changed = list(difflib.ndiff(original, functions[name]))
        old, new = (
            " ".join(line[2:].strip() for line in changed if line.startswith(mark)) for mark in ("- ", "+ ")
        )
        plain = re.sub(r"^x_?|__mutmut_\d+$", "", name).replace("ǁ", ".").strip(".")
        yield Mutant(f"{module}.{plain}", old, new, code)


if __name__ == "__main__":
    sys.exit(main())
