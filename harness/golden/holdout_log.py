"""Looks at the test split. Each one makes the next worth a little less, so they are counted."""

from pathlib import Path

from harness.nouns.base import Noun
from harness.storage.files import read_nouns, to_line
from harness.storage.regular import open_to_append

LOOKS = "test-looks.jsonl"


class Look(Noun):
    """One finished run that was scored on the test split."""

    at: str
    run: str
    model: str
    prompt: str
    policy: str
    examples: int


def note_look(path: Path, look: Look) -> None:
    """Add a line for a run, unless it has one."""
    if look.run in {known.run for known in looks(path)}:
        return
    with open_to_append(path) as file:
        file.write(to_line(look).encode())


def looks(path: Path) -> list[Look]:
    """Every look so far; lines that are none are passed over."""
    return [look for _, look in read_nouns(path, Look)[0]] if path.exists() else []
