"""The page about real ratings: its policy is sound; its commands run, and print what it shows."""

import csv
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from builders import harness
from oracle import KEYS
from test_demo_server import running

from harness.demo.server import Conduct, answers_of
from harness.storage.project import Project

PAGE = Path(__file__).resolve().parent.parent / "docs/real-ratings.md"
HEADERS = ("query", "docid", "name", "description", *(f"agent_{n}_rating" for n in (1, 2, 3)), "final_rating")
QUERIES = PAGE.with_name("real-ratings-queries.sha256")
PUBLISHED = "Broad_Query_Set_individual_ratings.csv"
DEMO = "http://127.0.0.1:8123"
POLICY = Path("policies/electronics/v1.toml")


def blocks() -> Iterator[tuple[str, str]]:
    """The page's blocks in their order: the language, and the text."""
    text = PAGE.read_text(encoding="utf-8")
    yield from re.findall(r"^```(\w+)\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


def publish(folder: Path, path: Path) -> None:
    """Write the ratings as their project publishes them, between two of its other queries."""
    with (folder / "ratings_long.csv").open(encoding="utf-8", newline="") as file:
        given = {
            (row["query"], row["product_id"], row["rater"]): row["grade"] for row in csv.DictReader(file)
        }
    with (folder / "golden.csv").open(encoding="utf-8", newline="") as file:
        golden = list(csv.DictReader(file))
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(HEADERS)
        table.writerow(["bluetooth speaker", "1993197", "Speaker", "A speaker, small", 2, 3, 3, 3])
        for row in golden:
            raters = [given[row["query"], row["product_id"], f"agent_{n}"] for n in (1, 2, 3)]
            pair = (row["query"], row["product_id"], row["title"], row["description"])
            table.writerow([*pair, *raters, row["grade"]])
        table.writerow(["vans", "811554", "2480, 2490 Sheet Feed", "", 0, 2, 0, 0])


def squeezed(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.strip("\n").splitlines()]


def assert_printed(shown: str, printed: str) -> None:
    """Each part of a block, between lines of three dots, stands in what a command printed."""
    lines = "\n".join(squeezed(printed))
    for part in re.split(r"^ *\.\.\.$", shown, flags=re.MULTILINE):
        assert "\n".join(squeezed(part)).strip() in lines, part


def test_policy_of_the_page_is_finished_and_covers_the_scale(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (policy,) = (text for language, text in blocks() if language == "toml")
    assert harness("init", "electronics", "--scale", "0-3").code == 0
    monkeypatch.chdir("electronics")
    POLICY.write_text(policy, encoding="utf-8")
    assert harness("policy", "lint").out == f"{POLICY}: clean\n"


def cut(here: Path) -> None:
    """Keep the page's queries, by the page's own script."""
    (block,) = [text for language, text in blocks() if language == "console" and "python3 -" in text]
    called, script = re.findall(r"^(python3 - .*) <<'END'\n(.*)^END$", block, flags=re.MULTILINE | re.DOTALL)[
        0
    ]
    assert called.split()[2:] == [f"/path/to/the/clone/docs/{QUERIES.name}", PUBLISHED, ">", "ratings.csv"]
    with (here / "ratings.csv").open("w", encoding="utf-8") as file:
        words = [sys.executable, "-", str(QUERIES), PUBLISHED]
        subprocess.run(words, cwd=here, stdout=file, check=True, input=script, text=True)


@contextmanager
def served(root: Path) -> Iterator[str]:
    """The address of the page's demo server, which learned from the project's shots."""
    with running(answers_of(Project(root), "electronics", Conduct(0.0, 0.0, 0, 10.0, False))) as url:
        yield url.removesuffix("/v1")


def run_line(command: str, url: str) -> str:
    """Run a line of a page; what it printed."""
    words = [word for word in shlex.split(command.replace(DEMO, url)) if "=none" not in word]
    ended = harness(*words[1:], **KEYS)
    # Three people give Gate 1 a fail, and words as they meet are no teacher.
    code = 1 if words[1] in ("gate1", "gate2") else 0
    assert ended.code == code, (command, ended.err)
    return ended.out


@pytest.mark.usefixtures("no_waiting")
def test_commands_of_the_page_run_on_the_ratings_and_print_what_it_shows(
    here: Path, real_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(real_data / "chorus", here / PUBLISHED)
    cut(here)
    printed = ""
    with ExitStack() as stack:
        url = ""
        for language, text in blocks():
            if language == "toml":
                POLICY.write_text(text, encoding="utf-8")
            elif language == "text":
                assert_printed(text, printed)
            elif text == "harness demo-server\n":
                url = stack.enter_context(served(Path()))
            elif language == "sh":
                for command in text.splitlines():
                    if command.startswith("cd "):
                        monkeypatch.chdir(command[3:])
                    else:
                        printed += run_line(command, url)
    assert not (here / "electronics/golden/electronics/rounds").exists(), "--dry-run plans no round"
