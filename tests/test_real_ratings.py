"""The page about real ratings: its policy is sound; its commands run, and print what it shows."""

import csv
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from builders import harness
from fault_server import fault_server, graded
from oracle import KEYS

from harness.demo.wire import Tokens

PAGE = Path(__file__).resolve().parent.parent / "docs/real-ratings.md"
HEADERS = ("query", "docid", "name", "description", *(f"agent_{n}_rating" for n in (1, 2, 3)), "final_rating")
READ = Tokens(new=9_000)
"""More than any prompt's constant prefix has: a server that reports less has cut it."""
POLICY = Path("policies/electronics/v1.toml")


def blocks() -> Iterator[tuple[str, str]]:
    """The page's blocks in their order: the language, and the text."""
    text = PAGE.read_text(encoding="utf-8")
    yield from re.findall(r"^```(\w+)\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


def publish(folder: Path, path: Path) -> None:
    """Write the ratings in the form in which their project publishes them."""
    with (folder / "ratings_long.csv").open(encoding="utf-8", newline="") as file:
        given = {
            (row["query"], row["product_id"], row["rater"]): row["grade"] for row in csv.DictReader(file)
        }
    with (folder / "golden.csv").open(encoding="utf-8", newline="") as file:
        golden = list(csv.DictReader(file))
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(HEADERS)
        for row in golden:
            raters = [given[row["query"], row["product_id"], f"agent_{n}"] for n in (1, 2, 3)]
            pair = (row["query"], row["product_id"], row["title"], row["description"])
            table.writerow([*pair, *raters, row["grade"]])


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


def test_commands_of_the_page_run_on_the_ratings_and_print_what_it_shows(
    here: Path, real_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(real_data / "chorus", here / "Broad_Query_Set_individual_ratings.csv")
    printed = ""
    with fault_server(lambda number, body: graded(3, tokens=READ)) as server:
        env = {**KEYS, "HARNESS_EVAL_BASE_URL": server.url}
        for language, text in blocks():
            if language == "toml":
                POLICY.write_text(text, encoding="utf-8")
            elif language == "text":
                assert_printed(text, printed)
            elif language == "sh":
                for command in text.splitlines():
                    words = shlex.split(command)
                    if words[0] == "cd":
                        monkeypatch.chdir(words[1])
                        continue
                    server_env = env if "--model" in words else {}
                    ended = harness(*words[1:], **server_env)
                    # Three people give Gate 1 a fail; the server's hundred answers decide nothing.
                    code = {"gate1": 1, "gate2": 3}.get(words[1], 0)
                    assert ended.code == code, (command, ended.err)
                    printed += ended.out
    assert not (here / "electronics/golden/electronics/rounds").exists(), "--dry-run plans no round"
