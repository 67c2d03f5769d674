"""The log of looks at the test split. Each look makes the next one less informative, so we count them."""

from pathlib import Path

from harness.nouns.base import Noun
from harness.storage.files import read_nouns, to_line
from harness.storage.regular import append_whole, open_to_append

LOOKS = "test-looks.jsonl"


class HoldoutLook(Noun):
    """One finished run scored on the test split, or one cascade held against its teacher there.

    `run`: what was looked at, by the run's name; the same twice is one look.
    """

    at: str
    run: str
    model: str
    prompt: str
    policy: str
    examples: int


def note_look(path: Path, look: HoldoutLook) -> None:
    """Add a line for a run, or a cascade, unless the log has one."""
    if look.run in {known.run for known in looks(path)}:
        return
    with open_to_append(path) as file:
        append_whole(file, to_line(look).encode())


def looks(path: Path) -> list[HoldoutLook]:
    """Every look so far; skips lines that cannot be read."""
    return [look for _, look in read_nouns(path, HoldoutLook)[0]] if path.exists() else []
