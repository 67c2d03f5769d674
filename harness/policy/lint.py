"""Lint of a policy that loads: unfinished texts, surfaces with several policies."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from harness.nouns.policy import Policy


def unfinished(policy: Policy) -> list[str]:
    """The empty texts of a usable policy, each as `key: what`. People cannot rate by an empty definition."""
    return list(_empty_texts(policy))


def shared_surfaces(policies: Sequence[Policy], asked: str | None = None) -> list[str]:
    """A warning for each surface with several policies; with `asked`, only for that policy's surface."""
    named: dict[str, list[str]] = defaultdict(list)
    for policy in policies:
        named[" ".join(policy.surface.casefold().split())].append(policy.name)
    return [
        f"one surface has several policies, {', '.join(names)} ({surface}): a result is right only "
        "where all of them are, and 0.8 x 0.8 x 0.8 is 0.512; make them one policy with more actions"
        for surface, names in named.items()
        if surface and len(names) > 1 and (asked is None or asked in names)
    ]


def _empty_texts(policy: Policy) -> Iterator[str]:
    for key in ("author", "title", "surface", "goal"):
        if not getattr(policy, key).strip():
            yield f"{key}: empty"
    for level in policy.grades:
        if not level.definition.strip():
            yield f"grades, {level.value}: empty definition"
    for clause in policy.clauses:
        if not clause.text.strip():
            yield f"clauses, {clause.id}: empty text"
        if not clause.why.strip():
            yield f"clauses, {clause.id}: no reason (why)"
