"""Production for tests: pairs, a replay that labels them, label sets, and rounds that are answered."""

import csv
import json
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from builders import harness, write_project

from harness.golden.rating.answers import Answer, AnswerLog
from harness.golden.rating.rounds import ANSWERS, OpenRound, read_round, rounds_folder
from harness.storage.project import Project

Shown = Mapping[str, Any]
HEAD = ("item", "query", "title", "weight", "stratum", "position")


def shown_pairs(queries: int = 60, seed: int = 1) -> list[dict[str, Any]]:
    """Rows of a log: two strata, positions, weights; `truth` is the right grade on 0 to 2."""
    by_chance = random.Random(seed)
    rows: list[dict[str, Any]] = []
    for query in range(queries):
        good = by_chance.betavariate(2, 2)
        for position in range(1, 1 + by_chance.randint(2, 6)):
            truth = by_chance.choices((0, 1, 2), (1 - good, 0.3, good))[0]
            rows.append(
                {
                    "item": f"p{len(rows)}",
                    "query": f"wanted thing {query}",
                    "title": f"thing {len(rows)} for {query}",
                    "weight": 1 + query % 3,
                    "stratum": "head" if query % 3 else "tail",
                    "position": position,
                    "truth": truth,
                    "teacher": truth if by_chance.random() < 0.8 else by_chance.choice((0, 1, 2)),
                }
            )
    return rows


def write_csv(path: Path, names: Sequence[str], rows: Iterable[Shown]) -> Path:
    """Some columns of the rows as a table."""
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.DictWriter(file, names, extrasaction="ignore")
        lines.writeheader()
        lines.writerows(rows)
    return path


def label_set(root: Path, rows: Sequence[Shown], name: str = "labels", column: str = "teacher") -> Path:
    """A project, and a label set in it that a replay of the rows' grades made."""
    if not (root / "policies").exists():
        write_project(root)
    pairs = write_csv(root / f"{name}-pairs.csv", HEAD, rows)
    grades = root / f"{name}-grades.csv"
    with grades.open("w", encoding="utf-8") as file:
        file.write(
            "item,grade\n"
            + "".join(f"{row['item']},{'' if row[column] is None else row[column]}\n" for row in rows)
        )
    done = harness(
        "label", pairs, "-o", root / name, "--model", f"replay/{grades}", "--unproven", "--root", root
    )
    assert done.code == 0, done.err
    return root / name


def plan(root: Path, file: Path, raters: str = "ann,bob", **options: Any) -> OpenRound:
    """A round of production pairs of a plan."""
    more = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    done = harness(
        "rate", "plan", "--from", file, "--raters", raters, "--kind", "human", "--root", root, "--json", *more
    )
    assert done.code == 0, done.err
    folder = rounds_folder(Project(root), "small")
    return read_round(folder / json.loads(done.out)["round"], Project(root))


def answer_all(root: Path, opened: OpenRound, grade_of: Callable[[str, str], int]) -> None:
    """Every rater grades everything, and seals."""
    with AnswerLog(opened.folder / ANSWERS) as log:
        for rater in opened.round.raters:
            answers = [
                Answer.model_validate(
                    {
                        "event": f"{opened.round.name}-{rater}-{one.place}",
                        "place": one.place,
                        "kind": "grade",
                        "grade": grade_of(rater, opened.pairs[one.code].item),
                    }
                )
                for one in opened.assigned(rater)
            ]
            log.add(rater, answers)
    done = harness("rate", "seal", "--all", "--round", opened.round.name, "--root", root)
    assert done.code == 0, done.err
