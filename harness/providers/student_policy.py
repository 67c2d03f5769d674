"""What a student cannot know of a policy: it learned the grades of another one, or of another version."""

from itertools import islice

from harness.errors import BadInput
from harness.nouns.policy import Policy
from harness.policy.diff import diff_policies
from harness.policy.load import load_policy, policy_digest, policy_versions
from harness.providers.student_saved import SavedStudent
from harness.storage.plural import plural
from harness.storage.project import Project, split_label

SHOWN = 4
"""Changed parts of a policy that are named."""


def unknown_to(saved: SavedStudent, policy: Policy, project: Project) -> str | None:
    """A sentence on what of a policy the student has not learned; None where it learned this policy.

    The version that it learned is read from the project. Where that is not there, or has been edited since,
    what changed cannot be said.
    """
    learned = saved.policy
    if saved.policy == policy.label:
        if saved.policy_digest in (None, policy_digest(policy)):
            return None
        return f"It learned {learned} as it was before an edit: what the edit changed is unknown to it."
    name, at, version = saved.policy.partition("@")
    if name != policy.name:
        return f"It learned the grades of {learned}, another policy: it knows no clause of {policy.label}."
    old = _version(project, name, version) if at else None
    if old is None or saved.policy_digest not in (None, policy_digest(old)):
        why = "is not in policies/" if old is None else "was edited since"
        return f"It learned {learned}, which {why}: what {policy.label} changed cannot be said."
    changed = _changed(old, policy)
    if not changed:
        return f"It learned {learned}; {policy.label} changes nothing by which a pair is graded."
    return f"It learned {learned}; what {policy.label} changed is unknown to it: {changed}."


def _version(project: Project, name: str, version: str) -> Policy | None:
    """A version of a policy; None where it is not there, or cannot be read."""
    try:
        split_label(f"{name}@{version}")
        path = policy_versions(project.policies / name).get(version)
        return load_policy(path) if path else None
    except BadInput:
        return None


def _changed(old: Policy, new: Policy) -> str:
    """The parts that can change which grade is right, clauses first; empty where there are none."""
    found = diff_policies(old, new)
    parts = [
        (one.part != "clause", f"{one.label} ({one.kind})" if one.part != "policy" else one.label)
        for one in found.changes
        if one.binds
    ]
    names = [name for _, name in sorted(parts, key=lambda one: one[0])]
    names += [one.label for one in found.action_moves]
    more = f" and {plural(len(names) - SHOWN, 'other part')}" if len(names) > SHOWN else ""
    return ", ".join(islice(names, SHOWN)) + more
