"""What one model accepts, and what one of its grades costs: the object that `doctor MODEL --json` prints."""

from harness.nouns.base import Noun
from harness.nouns.records import Usage


class Capability(Noun):
    """Whether a model takes something. None where that was not found out; `says` has the evidence."""

    name: str
    takes: bool | None
    says: str


class Checkup(Noun):
    """What came of asking a model for one grade.

    `requests`: all that were sent, with those that were rejected. `grade` is None where the answer could not
    be read. `cost` is that of the grade, `cost_cached` what it would be with the prefix in the cache.
    """

    model: str
    base_url: str | None
    answered_by: str
    requests: int
    seconds: float
    example: str
    golden: int
    grade: int | None
    usage: Usage | None
    cost: float | None
    cost_cached: float | None
    reason: str | None
    findings: tuple[Capability, ...]
    problems: tuple[str, ...]
