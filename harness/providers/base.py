"""The seam: a Teacher is asked a Prompt and gives back its raw Reply."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from harness.errors import BadInput, FatalError
from harness.nouns.pair import Example
from harness.nouns.policy import Policy
from harness.nouns.records import Prompt, Reply
from harness.storage.tables import Layout

LONGEST_ANSWER = 16_000
"""The assumed most tokens of an answer, thinking included, if no limit is sent."""
STUDENT = "student.json"
"""The file in which a saved student says what it is, and whose digest names it."""
SENT_ALONG = ("temperature", "seed", "max_tokens", "no_schema", "fold_system")
"""Parameters that a server may be sent besides the prompt, by their names in Setup."""


class UnusableError(FatalError):
    """An answer shows that no call can succeed. It is paid for: the record keeps it, without a grade."""

    may_be_billed = True

    def __init__(self, message: str, reply: Reply) -> None:
        super().__init__(message)
        self.reply, self.usage = reply, reply.usage


@dataclass(frozen=True, slots=True)
class Setup:
    """What an opener gets. `shots` are all that are safe to learn from, even if a prompt shows fewer."""

    policy: Policy
    shots: tuple[Example, ...]
    withheld: int = 0
    """How many more shots there are that would reveal graded pairs."""
    base_url: str | None = None
    temperature: float | None = None
    seed: int | None = None
    max_tokens: int | None = None
    """The limit of an answer, thinking included, that is sent along."""
    no_schema: bool = False
    fold_system: bool = False
    """Whether the system text goes at the head of the user message, for models without that role."""
    sampled: bool = False
    """Whether the seed also draws a sample: then an API without a seed need not refuse it."""
    examples: Iterable[Example] = ()
    """What is graded."""
    layout: Layout = field(default_factory=Layout)
    rater: str | None = None
    root: Path = field(default_factory=Path)
    """The project's folder, where relative file names start."""


def refuse(teacher: str, setup: Setup, *names: str) -> None:
    """BadInput for given parameters that a teacher does not take, so that none is silently ignored."""
    given = {name: getattr(setup, name) for name in names if not (name == "seed" and setup.sampled)}
    idle = [
        name.replace("_", "-") for name, value in given.items() if value is not None and value is not False
    ]
    if idle:
        options = ", ".join(f"--{name}" for name in idle)
        raise BadInput(f"{teacher} takes no {' and no '.join(idle)}; remove {options}")


class Teacher(Protocol):
    """Grades one pair at a time. It does not interpret its answer: prompting/answer.py does."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for the manifest: what the server did not take, and how it was asked instead."""

    @property
    def varies(self) -> bool:
        """Whether the same question can bring another answer."""

    @property
    def identity(self) -> str | None:
        """The digest of all that an answer depends on besides the messages and the repeat.

        None where answers cost nothing, so that none need be kept.
        """

    async def ask(self, prompt: Prompt) -> Reply:
        """The reply to a prompt, untouched.

        Raises TransientError if another try may help, RejectedError if this prompt will never be answered,
        FatalError if no prompt will be.
        """

    async def close(self) -> None:
        """Close connections."""


class LocalTeacher:
    """The base of teachers that answer in this process: free, and always with the same answer."""

    notes: tuple[str, ...] = ()
    varies = False
    identity = None

    async def close(self) -> None:
        """Nothing to close."""
