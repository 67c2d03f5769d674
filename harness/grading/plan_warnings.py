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
    if prompted:
        warnings += _bare_shots(plan)
    if prompted and plan.withheld:
        what = "worked examples of the policy are withheld from the teacher, since they are graded"
        warnings.append(f"{what}: {', '.join(plan.withheld)}")
    if plan.stale:
        count = plural(plan.stale, "example was", "examples were")
        what = f"{count} not yet judged under {plan.policy.label}: Gate 2 is inconclusive"
        warnings.append(f"{what}; next: {how_to_confirm(plan.policy.label)}")
    return warnings


def _bare_shots(plan: Plan) -> list[str]:
    """Of the shots without a reasoning: how many, and how many nobody is known to have graded by this policy.

    An import into an empty policy notes no rules, and the policy is written afterwards: such a shot teaches
    what it may forbid. Where there is a reasoning, it can be read.
    """
    shown = plan.writer.shown
    bare = [shot for shot in shown if not shot.reasoning]
    if not bare:
        return []
    has = "has" if len(bare) == 1 else "have"
    said = [f"{len(bare):,} of {plural(len(shown), 'shot')} {has} no reasoning: they show a grade alone"]
    label = plan.policy.label
    if unnoted := sum(shot.under(plan.policy.version).rules is None for shot in bare):
        said.append(
            f"{unnoted:,} of them may contradict {label}: nothing notes that they were graded by its rules. "
            "Read them in harness prompt render; then golden regrade or golden confirm, or --shots 0"
        )
    return said
