"""Production pairs for tests of label sets, and a teacher behind a server that knows every grade."""

import csv
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from builders import Ended, examples, harness, write_project
from fault_server import FaultServer, Turn, graded, item_of
from oracle import KEYS

from harness.production.store import STORE, AnswerStore
from harness.runs.labels import load_labels

HEADER = ("item", "query", "title", "weight", "stratum", "position")
PROVING = 160
"""Queries of a golden set whose test split is large enough to pass a gate."""


def by_title(number: int, body: dict[str, Any]) -> Turn:
    """The grade that a title says: `model 7x2` has grade 2, and so has the golden set."""
    return graded(grade_of(item_of(body)["result"]["title"]))


def grade_of(title: str) -> int:
    found = re.search(r"\d+x(\d)", title)
    assert found, title
    return int(found[1])


def rows(count: int, distinct: int | None = None, start: int = 0) -> list[tuple[Any, ...]]:
    """Rows of production pairs, of which so many differ."""
    made = []
    for number in range(start, start + count):
        one = number % (distinct or start + count)
        query, title = f"tent {one // 3}", f"tent model {one}x{one % 3}"
        made.append((f"p{number}", query, title, 1 + number % 4, "head" if one % 2 else "tail", 1 + one % 3))
    return made


def write_rows(path: Path, found: Iterable[Sequence[Any]], header: Sequence[str] = HEADER) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(found)
    return path


def label(server: FaultServer | None, *words: str | Path, model: str = "openai/m", **env: str) -> Ended:
    """`harness label -o L` on the small project, by a teacher at the server."""
    at = ("--base-url", server.url) if server else ()
    return harness("label", *words, "-o", "L", "--policy", "small", "--model", model, *at, **KEYS, **env)


def proven_project(here: Path, server: FaultServer) -> None:
    """A small project, and a run on test by the server's teacher that passed Gate 2."""
    write_project(here, golden=examples(queries=PROVING))
    words = ("--policy", "small", "--model", "openai/m", "--split", "test", "--base-url", server.url)
    assert harness("eval", *words, "--json", **KEYS).json["verdict"] == "pass"


def labelled(folder: Path = Path("L")) -> list[dict[str, Any]]:
    """The rows of a label set."""
    return list(load_labels(folder).rows())


def answers(folder: Path = Path("L")) -> int:
    """How many answers a store has, with those that count no more."""
    with AnswerStore(folder / STORE) as store:
        return sum(1 for _ in store.records())


def manifest(folder: Path = Path("L")) -> Any:
    return json.loads((folder / "labels.json").read_text("utf-8"))
