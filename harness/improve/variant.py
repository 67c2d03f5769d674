"""A version of the prompt in a search."""

from dataclasses import dataclass, replace

from harness.grading.plan import Plan
from harness.prompting.prompt import PromptWriter
from harness.storage.digest import digest, short_of


@dataclass(frozen=True, slots=True)
class Variant:
    """A version of the prompt in a search: its system template, and the ids of the shots that it shows.

    `shots`: None for those of the prompt that the search began with.
    """

    system: str
    shots: tuple[str, ...] | None = None

    @property
    def name(self) -> str:
        """The same for the same version."""
        return short_of(digest([self.system, self.shots]), 16)

    def writer(self, plan: Plan) -> PromptWriter:
        """The prompt of a plan in this version."""
        files = replace(plan.writer.files, system=self.system)
        known = {shot.id: shot for shot in plan.learnable}
        shots = None if self.shots is None else [known[id_] for id_ in self.shots]
        return plan.writer.with_files(files, shots)
