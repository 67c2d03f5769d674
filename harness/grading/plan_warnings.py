"""What is odd about a plan, said before money is spent: by a run as it starts, and by a dry run."""

from harness.golden.checks import how_to_confirm
from harness.grading.plan import Plan
from harness.policy.lint import unfinished
from harness.providers import is_prompted
from harness.storage.plural import plural


def plan_warnings(plan: Plan) -> list[str]:
    """Warnings to print before money is spent."""
    warnings, prompted = [], is_prompted(plan.asked.model)
    lacking = unfinished(plan.policy)
    if lacking:
        empty = plural(len(lacking), "empty text")
        warnings.append(f"{plan.policy.label} is not finished ({empty}): {plan.policy_file}")
    if plan.dropped:
        count = plural(len(plan.dropped), "shot is", "shots are")
        warnings.append(f"{count} withheld from the teacher: too close to what is graded")
    if prompted and (bare := sum(not shot.reasoning for shot in plan.writer.shown)):
        count = f"{bare:,} of {plural(len(plan.writer.shown), 'shot')}"
        has = "has" if bare == 1 else "have"
        warnings.append(f"{count} {has} no reasoning: they show a grade alone")
    if prompted and plan.withheld:
        what = "worked examples of the policy are withheld from the teacher, since they are graded"
        warnings.append(f"{what}: {', '.join(plan.withheld)}")
    if plan.stale:
        count = plural(plan.stale, "example was", "examples were")
        what = f"{count} not yet judged under {plan.policy.label}: Gate 2 is inconclusive"
        warnings.append(f"{what}; next: {how_to_confirm(plan.policy.label)}")
    return warnings
