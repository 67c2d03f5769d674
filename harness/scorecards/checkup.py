"""The probe of one model: what it accepts and what a grade costs. `doctor MODEL --json` prints it."""

from harness.nouns.base import Noun
from harness.nouns.records import Usage


class Capability(Noun):
    """Whether a model accepts a feature; None if unknown. `says` has the evidence."""

    name: str
    takes: bool | None
    says: str


class Checkup(Noun):
    """The result of asking a model for one grade.

    `requests` counts all requests, rejected ones included. `grade` is None if the answer is unreadable.
    `cost` is the price of the grade, `cost_cached` its price with the prefix in the cache.
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
