"""How long it takes to plan a long run: python benchmarks/planning.py [--pairs 20000,200000]

Whole processes: `harness eval --dry-run` over a replay of so many golden examples, and what
`harness policy impact` does before it asks anything: the pairs of a CSV file become two run folders.
"""

import argparse
import csv
import json
import sys
import tempfile
from pathlib import Path

from throughput import timed, write_project

GOLDEN = "golden/product-search/examples.jsonl"
VERSIONS = ("product-search@v1", "product-search@v2")


def main() -> None:
    """Print the table; with `--impact FOLDER`, plan the impact there, as a process that is measured."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--pairs", default="20000,200000")
    words.add_argument("--impact", type=Path)
    given = words.parse_args()
    if given.impact:
        plan_impact(given.impact)
        return
    print(f"{'':44}{'wall seconds':>14}{'processor seconds':>19}{'peak MB':>9}")  # noqa: T201 - a script
    for pairs in (int(part) for part in given.pairs.split(",")):
        with tempfile.TemporaryDirectory() as scratch:
            measure(Path(scratch), pairs)


def measure(root: Path, pairs: int) -> None:
    """Both plans over so many pairs."""
    write_project(root, pairs)
    write_tables(root)
    replay = ["-m", "harness", "eval", "--model", f"replay/{root / 'grades.csv'}", "--dry-run"]
    commands = {"harness eval --dry-run": [*replay, "--root", str(root)]}
    commands["harness policy impact, before the first call"] = [__file__, "--impact", str(root)]
    for name, command in commands.items():
        found = timed([sys.executable, *command])
        line = f"{found.wall:>14.1f}{found.cpu:>19.1f}{found.peak:>9.0f}"
        print(f"{name:44}{line}   {pairs:,} pairs")  # noqa: T201 - a script that prints


def write_tables(root: Path) -> None:
    """The golden set's grades as a replay, and its pairs as production pairs."""
    with (
        (root / GOLDEN).open(encoding="utf-8") as golden,
        (root / "grades.csv").open("w", encoding="utf-8", newline="") as grades,
        (root / "pairs.csv").open("w", encoding="utf-8", newline="") as shown,
    ):
        replay, table = csv.writer(grades), csv.writer(shown)
        replay.writerow(["item", "grade"])
        table.writerow(["item", "query", "title", "brand", "description"])
        for example in map(json.loads, golden):
            if example["split"] != "shots":
                replay.writerow([example["id"], example["grade"]])
                result = example["result"]
                texts = [result["title"], result["brand"], result["description"]]
                table.writerow([example["id"], example["query"], *texts])


def plan_impact(root: Path) -> None:
    """Two plans over the same pairs, and a folder for each."""
    from harness.grading.new_run import new_manifest, run_contents
    from harness.grading.plan import make_plan
    from harness.runs.manifest import Asked
    from harness.runs.new_folder import create_run
    from harness.runs.pair_run import pairs_folder
    from harness.runs.pairs import read_pairs
    from harness.storage.project import Project
    from harness.storage.tables import Layout

    project = Project(root)
    pairs = read_pairs(root / "pairs.csv", Layout())
    for label in VERSIONS:
        asked = Asked(model="builtin/lexical", policy=label, prompt="teacher", splits=(), pairs="pairs.csv")
        plan = make_plan(project, asked, pairs)
        create_run(pairs_folder(project), new_manifest(project, plan), run_contents(plan))


if __name__ == "__main__":
    main()
