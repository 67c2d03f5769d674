"""The log of overrides: who shipped without a Gate 1 passed by people, and why. Tracked by git."""

from pathlib import Path

from harness.scorecards.ship import Override
from harness.storage.files import read_nouns, to_line
from harness.storage.regular import open_to_append

OVERRIDES = "overrides.jsonl"


def note_override(path: Path, override: Override) -> bool:
    """Add a line unless the log holds the same override. Returns whether a line was added."""
    if any(known.model_copy(update={"at": override.at}) == override for known in overrides(path)):
        return False
    with open_to_append(path) as file:
        file.write(to_line(override).encode())
    return True


def overrides(path: Path) -> list[Override]:
    """Every override so far; skips lines that cannot be read."""
    return [one for _, one in read_nouns(path, Override)[0]] if path.exists() else []
