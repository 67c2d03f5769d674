"""`harness golden plan`: how many examples, and how many queries, a golden set needs."""

from typing import TYPE_CHECKING, Annotated

from harness.cli.golden import load_set
from harness.cli.options import Json, Options, Root, option, project_at
from harness.cli.output import print_json, show
from harness.cli.policy_options import PolicyOptions
from harness.cli.rated import BarOptions
from harness.errors import BadInput
from harness.storage.project import Project

if TYPE_CHECKING:
    from harness.nouns.policy import Policy
    from harness.score.sizes import Pilot, SizeTarget


class PlanOptions(Options):
    """What a golden set is to show, and the runs to plan it by."""

    pilot: Annotated[str | None, option("A run to take the design effect from.", metavar="RUN")] = None
    against: Annotated[
        str | None, option("A second run of the same examples, for differences.", metavar="RUN")
    ] = None
    kappa: Annotated[
        float | None, option("The true kappa to plan for. Default: several.", min=0, max=0.99)
    ] = None
    half_width: Annotated[float, option("Half the width of the 95 % interval.", min=0.001, max=1)] = 0.05
    difference: Annotated[
        float, option("The difference of two runs' kappas to detect.", min=0.001, max=2)
    ] = 0.05
    power: Annotated[
        float, option("The probability to pass, and to tell two runs apart.", min=0.5, max=0.999)
    ] = 0.8

    @property
    def target(self) -> "SizeTarget":
        """The goals of the plan."""
        from harness.score.sizes import TRUE_KAPPAS, SizeTarget

        kappas = TRUE_KAPPAS if self.kappa is None else (self.kappa,)
        return SizeTarget(self.half_width, self.difference, self.power, kappas)

    def pilots(self, project: Project, policy: "Policy") -> "list[Pilot]":
        """The runs named. BadInput if they do not fit the policy, or each other."""
        from harness.score.reading import reading_of
        from harness.score.sizes import pilot_of

        if self.against is not None and self.pilot is None:
            raise BadInput("--against needs --pilot: it compares the two runs")
        names = [name for name in (self.pilot, self.against) if name is not None]
        runs = [pilot_of(reading_of(project, name), policy) for name in names]
        if len({tuple(item.item for item in one.items) for one in runs}) > 1:
            raise BadInput("--against: the two runs did not grade the same examples")
        return runs


def size_command(
    which: PolicyOptions,
    *,
    plan: PlanOptions,
    gate: BarOptions,
    root: Root = None,
    json: Json = False,
) -> None:
    """How many examples does a golden set need?

    For an interval of a given width, to pass the bar, and to tell two runs apart.
    """
    from harness.golden.graded_files import policy_levels
    from harness.report.sizes import sizes_view
    from harness.score.settings import gate2_bar
    from harness.score.sizes import size_golden_set

    project = project_at(root)
    label = which.label_in(project)
    policy, examples = load_set(project, label)
    chosen = gate.threshold(gate2_bar(policy_levels(project, label).gates))
    found = size_golden_set(examples, policy, chosen, plan.target, *plan.pilots(project, policy))
    print_json(found) if json else show(sizes_view(found))
