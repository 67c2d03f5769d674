"""Lint of a policy that loads: unfinished texts, surfaces with several policies."""

from collections import defaultdict
from collections.abc import Sequence

from harness.nouns.policy import Policy
from harness.policy.drafts import TODO


def unfinished(policy: Policy) -> list[str]:
    """The texts that a usable policy lacks, each as `key: what`: people cannot rate by an empty one."""
    texts = {f"{key}: empty": getattr(policy, key) for key in ("author", "title", "surface", "goal")}
    texts |= {f"grades, {level.value}: empty definition": level.definition for level in policy.grades}
    texts |= {f"actions, {one.name}: empty shown": one.shown for one in policy.actions}
    for clause in policy.clauses:
        texts[f"clauses, {clause.id}: empty text"] = clause.text
        texts[f"clauses, {clause.id}: no reason (why)"] = clause.why
    drafts = [one.id for one in policy.clauses if one.text.strip().startswith(TODO)]
    return [
        *(fault for fault, text in texts.items() if not text.strip()),
        *(f"clauses, {id_}: a draft that begins with {TODO}; word it" for id_ in drafts),
    ]


def noted_rules(policy: Policy) -> str | None:
    """The digest of the rules that a judgement was made by; None where one of their texts is still empty.

    An empty text decides nothing. A title, an author or a reason may come later.
    """
    clauses = [clause.text for clause in policy.clauses]
    texts = [policy.surface, policy.goal, *(level.definition for level in policy.grades), *clauses]
    return policy.rules if all(text.strip() for text in texts) else None


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
