"""Whether an example was judged under a policy version."""

from typing import Protocol, Self

from harness.nouns.policy import Policy


class JudgedPair(Protocol):
    """The common part of a golden example and a canary."""

    @property
    def id(self) -> str: ...
    @property
    def split(self) -> str: ...
    @property
    def grade(self) -> int: ...
    @property
    def reasoning(self) -> str: ...
    @property
    def clauses(self) -> tuple[str, ...]: ...
    @property
    def policy_version(self) -> str: ...
    @property
    def rules(self) -> str | None: ...
    def under(self, version: str) -> Self: ...


def is_judged(example: JudgedPair, policy: Policy) -> bool:
    """Whether an example was judged under a policy version, by its current rules."""
    then = example.under(policy.version)
    return then.policy_version == policy.version and then.rules in (None, policy.rules)


def notes_no_rules(example: JudgedPair, policy: Policy) -> bool:
    """Whether an example counts as judged under a version, though its rules at that time are unknown."""
    return is_judged(example, policy) and example.under(policy.version).rules is None
