"""The end of a command's help: two examples, and how the environment sets its options."""

import textwrap
from functools import cache
from pathlib import Path

WIDTH = 72
"""The length of an example's line, without its indentation and its backslash."""


def ending_of(name: str) -> str:
    """The end of the help of a command: its examples, and the variables that set its options."""
    lines = [line for example in examples_of(name) for line in _folded(example)]
    variable = name.upper().replace(" ", "_").replace("-", "_")
    rule = f"The environment can set an option, too: {variable}_<OPTION>."
    # \b keeps the lines as they are: a command that is folded as text is cannot be copied.
    return "\n".join(["\b", "Examples:", *lines, "", rule])


@cache
def _examples() -> list[str]:
    return Path(__file__).with_name("examples.txt").read_text(encoding="utf-8").splitlines()


def examples_of(name: str) -> list[str]:
    """The two example command lines of a command, without those of the commands in its group."""
    found = [line for line in _examples() if f"{line} ".startswith(f"{name} ")]
    return found if len(found) <= 2 else [line for line in found if line.startswith(f"{name} -")]


def _folded(example: str) -> list[str]:
    parts = textwrap.wrap(example, WIDTH, break_long_words=False, break_on_hyphens=False)
    return ("  " + " \\\n      ".join(parts)).split("\n")
