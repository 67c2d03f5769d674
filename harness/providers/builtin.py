"""Graders that need no key and no network: the floor that a teacher has to beat."""

from collections import Counter

from harness.errors import BadInput
from harness.nouns.records import Prompt, Reply
from harness.prompting.answer import answer_text
from harness.providers.base import SENT_ALONG, LocalTeacher, Setup, Teacher, refuse
from harness.storage.plural import plural

NAMES = ("lexical", "majority")


def open_teacher(model: str, setup: Setup) -> Teacher:
    """`builtin/lexical` or `builtin/majority`, trained only on the shots."""
    if model not in NAMES:
        raise BadInput(f"unknown model builtin/{model}; there are: builtin/{', builtin/'.join(NAMES)}")
    refuse(f"builtin/{model}, which makes no API calls,", setup, *SENT_ALONG)
    if not setup.shots and setup.withheld:
        shots = plural(setup.withheld, "shot")
        raise BadInput(
            f"builtin/{model} learns from shots, and all {shots} are withheld, since what is graded has "
            "their queries: grade pairs of other queries, or name a teacher with --model"
        )
    if not setup.shots:
        raise BadInput(
            f"builtin/{model} learns from shots, and the golden set has none that it may see; "
            "give some queries the split shots (golden import: --splits 20/40/40)"
        )
    if model == "majority":
        return Majority(setup)
    from harness.providers.lexical import Lexical

    return Lexical(setup)


class Majority(LocalTeacher):
    """Gives every pair the commonest grade of the shots, the lower of two: Cohen's kappa 0."""

    def __init__(self, setup: Setup) -> None:
        counts = Counter(shot.grade for shot in setup.shots)
        self._grade = max(sorted(counts), key=lambda grade: counts[grade])
        share = {grade: counts[grade] / counts.total() for grade in setup.policy.scale}
        shots = plural(counts.total(), "shot")
        reasoning = f"{self._grade} is the commonest grade of {shots}; the pair was not read."
        self._reply = Reply(
            text=answer_text(reasoning, [], self._grade), model="builtin/majority", probabilities=share
        )

    async def ask(self, prompt: Prompt) -> Reply:
        """The same answer to all."""
        return self._reply
