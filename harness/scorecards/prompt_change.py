"""What differs between two prompts."""

from harness.nouns.base import Noun
from harness.scorecards.policy_change import Wording


class PrefixChange(Noun):
    """What every pair's prompt begins with, in characters, and whether it is the same text."""

    same: bool
    old: int
    new: int


class PromptDiff(Noun):
    """Two prompts: the templates and settings that differ, and the prefix that they make under a policy.

    `prefix` is None, with a `reason`, where one of them cannot be rendered.
    """

    old: str
    new: str
    policy: str
    changes: tuple[Wording, ...]
    prefix: PrefixChange | None = None
    reason: str | None = None
