"""A policy as a Markdown document for people to read."""

from collections.abc import Iterator

from harness.nouns.policy import Policy


def policy_document(policy: Policy) -> str:
    """The whole policy: purpose, rubric, rules, gray areas."""
    return "\n".join(_lines(policy)) + "\n"


def _lines(policy: Policy) -> Iterator[str]:
    yield f"# {policy.title or policy.name}"
    yield ""
    status = "released" if policy.released else "draft"
    yield f"{policy.label}, {status}. Author: {policy.author or '(not named yet)'}."
    if policy.contributors:
        yield f"With: {', '.join(policy.contributors)}."
    yield f"Where it holds: {policy.surface or '(not said)'}."
    yield ""
    yield policy.goal.strip() or "(no goal yet)"
    yield from _rubric(policy)
    yield from _actions(policy)
    yield from _clauses(policy)
    yield from _boundaries(policy)


def _rubric(policy: Policy) -> Iterator[str]:
    yield from ("", "## Grades")
    for level in sorted(policy.grades, key=lambda level: -level.value):
        definition = level.definition.strip() or "(no definition yet)"
        yield from ("", f"### {level.value}: {level.name}", "", definition)
        if level.examples:
            yield ""
        yield from (f"- *{example.query}*: {example.result}" for example in level.examples)


def _actions(policy: Policy) -> Iterator[str]:
    yield from ("", "## What is done with a grade", "", "| grades | action | shown |", "|---|---|---|")
    for action in policy.actions:
        grades = ", ".join(str(grade) for grade in sorted(action.grades, reverse=True))
        shown = action.shown.strip() or "(not said yet)"
        yield f"| {grades} | {action.name} | {shown} |"


def _clauses(policy: Policy) -> Iterator[str]:
    if not policy.clauses:
        return
    yield from ("", "## Clauses", "")
    yield "Where several bind, the lowest cap wins; a floor holds where no cap binds."
    for clause in policy.clauses:
        bounds = [f"at most {clause.max_grade}"] if clause.max_grade is not None else []
        bounds += [f"at least {clause.min_grade}"] if clause.min_grade is not None else []
        suffix = f" ({', '.join(bounds)})" if bounds else ""
        yield from ("", f"### {clause.id}{suffix}", "", clause.text.strip())
        yield from ("", f"*Why:* {clause.why.strip()}")


def _boundaries(policy: Policy) -> Iterator[str]:
    if not policy.boundaries:
        return
    yield from ("", "## Gray areas, decided")
    for boundary in policy.boundaries:
        low, high = sorted(boundary.between)
        yield from ("", f"### *{boundary.query}*: {boundary.result}", "")
        yield f"Between {low} and {high}. **Grade {boundary.grade}.** {boundary.decision}"
        yield from ("", f"- For a higher grade: {boundary.higher}", f"- For a lower grade: {boundary.lower}")
        if boundary.clauses:
            yield f"- Clauses: {', '.join(boundary.clauses)}"
