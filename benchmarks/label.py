"""What labelling takes: python benchmarks/label.py [--pairs 10000,1000000] [--kills 5] [--repeats 10]

Whole processes, `harness label` by a replay of grades: so many distinct pairs, and as many rows of which
each pair comes `--repeats` times. The longest is killed so many times on the way. With --server, 512
connections beside 64, against a server on loopback that takes 500 ms. Processor seconds are what to quote.
"""

import argparse
import csv
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from throughput import ROOT, THINGS, WORDS, Figures, environment, serve, timed
from throughput import write_project as write_golden

sys.path.insert(0, str(ROOT / "tests"))
from shipped import ship

LINE = "{:46}{:>9}{:>9}{:>10}{:>12}"
"""Name, wall seconds, processor seconds, peak MB, pairs a processor second."""


def main() -> None:
    """Print the tables."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--pairs", default="10000,1000000")
    words.add_argument("--kills", type=int, default=5)
    words.add_argument("--repeats", type=int, default=10)
    words.add_argument("--server", action="store_true")
    words.add_argument("--last", default="distinct,repeated", help="what of the last size runs unkilled")
    given = words.parse_args()
    sizes = [int(part) for part in given.pairs.split(",")]
    say(LINE.format("", "wall s", "CPU s", "peak MB", "pairs/CPU s"))
    with tempfile.TemporaryDirectory() as scratch:
        root = ship(Path(scratch))
        for pairs in sizes:
            wanted = given.last if pairs == sizes[-1] else "distinct,repeated"
            if "distinct" in wanted:
                write_pairs(root, pairs, pairs)
                show(f"{pairs:,} distinct pairs", pairs, measured(root, f"d{pairs}"))
            if pairs == sizes[0]:
                show(f"harness eval, {pairs:,} pairs of the same grader", pairs, evaluated(root, pairs))
            write_pairs(root, pairs, pairs // given.repeats)
            name = f"{pairs:,} rows, {pairs // given.repeats:,} distinct"
            if "repeated" in wanted:
                show(name, pairs, measured(root, f"r{pairs}"))
        if given.kills:
            killed(root, sizes[-1], given.kills)
        if given.server:
            connections(root)


def say(text: str) -> None:
    """One line, at once: the longest lines take minutes."""
    print(text, flush=True)  # noqa: T201 - a script that prints


def show(name: str, pairs: int, found: Figures) -> None:
    """One line of the table."""
    each = f"{pairs / found.cpu:,.0f}"
    say(LINE.format(name, f"{found.wall:.1f}", f"{found.cpu:.1f}", f"{found.peak:.0f}", each))


def write_pairs(root: Path, rows: int, distinct: int) -> None:
    """A table of pairs, and the grades of their items as a replay."""
    with (
        (root / "pairs.csv").open("w", encoding="utf-8", newline="") as shown,
        (root / "grades.csv").open("w", encoding="utf-8", newline="") as grades,
    ):
        table, replay = csv.writer(shown), csv.writer(grades)
        table.writerow(["item", "query", "title", "brand", "description", "weight", "stratum", "position"])
        replay.writerow(["item", "grade"])
        for number in range(rows):
            item, stratum = f"item-{number:08d}", ("head", "torso", "tail")[number % 3]
            table.writerow([item, *texts_of(number % distinct), 1 + number % 9, stratum, 1 + number % 20])
            replay.writerow([item, number % distinct % 5])


def texts_of(number: int) -> tuple[str, str, str, str]:
    """Query, title, brand and description of a pair, as long as those of a shop."""
    one, two = WORDS[number % 16], WORDS[number // 16 % 16]
    thing = THINGS[number // 7 % 16]
    title = f"{two} {thing} with {one} handle, model {number}"
    text = f"A {one} and {two} {thing} for every day. " * 3
    return f"{one} {thing} {number // 20}", title, f"Brand {number % 97}", text


def command(root: Path, name: str) -> list[str]:
    """The command that labels what `write_pairs` wrote."""
    words = ["label", str(root / "pairs.csv"), "-o", str(root / name), "--unproven", "--root", str(root)]
    policy = ["--policy", "product-search@v1", "--model", f"replay/{root / 'grades.csv'}", "--json"]
    return [sys.executable, "-m", "harness", *words, *policy]


def measured(root: Path, name: str) -> Figures:
    """One whole process of `harness label`."""
    return timed(command(root, name))


def evaluated(root: Path, pairs: int) -> Figures:
    """`harness eval` of as many golden examples by a replay: what labels are held against."""
    from planning import write_tables

    with tempfile.TemporaryDirectory() as scratch:
        other = Path(scratch)
        write_golden(other, pairs)
        write_tables(other)
        replay = ["eval", "--model", f"replay/{other / 'grades.csv'}", "--split", "dev+test", "--no-report"]
        return timed([sys.executable, "-m", "harness", *replay, "--root", str(other), "--json"])


def killed(root: Path, pairs: int, kills: int) -> None:
    """Kill a labelling on the way, again and again; then let it end, and count its answers."""
    write_pairs(root, pairs, pairs)
    done: list[int] = []
    took: list[Figures] = []
    for kill in range(1, kills + 1):
        began = time.monotonic()
        running = subprocess.Popen(
            command(root, "killed"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment()
        )
        while answered(root / "killed") < pairs * kill // (kills + 1):
            time.sleep(1)
        # Not `running.kill`, which looks first whether it has ended, and then nothing is left to wait for.
        os.kill(running.pid, signal.SIGKILL)
        _, _, usage = os.wait4(running.pid, 0)
        cpu = usage.ru_utime + usage.ru_stime
        took.append(Figures(time.monotonic() - began, cpu, usage.ru_maxrss / 1024))
        done.append(answered(root / "killed"))
        show(f"to kill {kill}, at {done[-1]:,} answers", done[-1] - sum(done[-2:-1]), took[-1])
    took.append(measured(root, "killed"))
    show(f"the rest, after {kills} kills", pairs - done[-1], took[-1])
    wall, cpu = (sum(getattr(one, name) for one in took) for name in ("wall", "cpu"))
    show("all of them", pairs, Figures(wall, cpu, max(one.peak for one in took)))
    # Only now: the peak of a new process is at least what the one that starts it takes.
    from harness.production.store import STORE, AnswerStore
    from harness.runs.labels import load_labels

    with AnswerStore(root / "killed" / STORE) as store:
        written = sum(1 for _ in store.records())
    rows = sum(batch.num_rows for batch in load_labels(root / "killed").batches(["grade"]))
    kept = ", ".join(f"{one:,}" for one in done)
    say(f"killed at {kept} answers: {rows:,} rows labelled, {written:,} answers in the store")


def answered(folder: Path) -> int:
    """How many answers a store has, read beside the process that writes it."""
    import sqlite3

    path = folder / "answers.sqlite3"
    if not path.exists():
        return 0
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as connection:
        try:
            return int(connection.execute("SELECT COUNT(*) FROM answers").fetchone()[0])
        except sqlite3.OperationalError:
            return 0


def connections(root: Path) -> None:
    """64 connections and 512, against a server that takes 500 ms."""
    write_pairs(root, 20_000, 20_000)
    server, url = serve(500)
    try:
        for count, pairs in ((64, 1_000), (512, 8_000)):
            head = root / f"pairs{count}.csv"
            with (root / "pairs.csv").open(encoding="utf-8") as every:
                head.write_text("".join(next(every) for _ in range(pairs + 1)), encoding="utf-8")
            words = [sys.executable, "-m", "harness", "label", str(head), "-o", str(root / f"c{count}")]
            words += ["--unproven", "--root", str(root), "--policy", "product-search@v1", "--no-cache"]
            words += ["--model", "openai/m", "--base-url", url, "--max-connections", str(count), "--json"]
            found = timed(words)
            show(f"{count} connections, {pairs:,} pairs, 500 ms", pairs, found)
            say(f"{'':46}{pairs / found.wall:.0f} pairs a second")
    finally:
        server.terminate()


if __name__ == "__main__":
    main()
