"""The differences between two prompts."""

from harness.nouns.base import Noun
from harness.scorecards.policy_change import Wording


class PrefixChange(Noun):
    """The lengths of the constant prefixes in characters, and whether the prefixes are equal."""

    same: bool
    old: int
    new: int


class PromptDiff(Noun):
    """The templates and settings that differ between two prompts, and their prefixes under a policy.

    `prefix` is None, with a `reason`, if one of them cannot be rendered.
    """

    old: str
    new: str
    policy: str
    changes: tuple[Wording, ...]
    prefix: PrefixChange | None = None
    reason: str | None = None
