"""One limit over several phases of a command: a search and its proposals, a baseline and its day."""

from dataclasses import dataclass

from harness.grading.budget import Budget, WorstCase


@dataclass(slots=True)
class Purse:
    """USD. `limit`: None without one; `lost`: what calls without an answer may have cost."""

    limit: float | None
    spent: float = 0.0
    lost: float = 0.0

    def opened(self, worst: WorstCase) -> Budget | None:
        """A budget of what is left, for one phase: phases follow each other, and each has its own price."""
        if self.limit is None:
            return None
        return Budget(self.limit, worst, spent=self.spent, lost=self.lost)

    def joined(self, budget: Budget | None) -> None:
        """Have a phase's own budget, with what its folder has cost, count what others have cost too."""
        if budget is not None:
            budget.spent += self.spent
            budget.lost += self.lost

    def closed(self, budget: Budget | None) -> None:
        """Take back what a phase has cost."""
        if budget is not None:
            self.spent, self.lost = budget.spent, budget.lost
