"""replay/FILE: grades that came from elsewhere - a student model, a vendor, a spreadsheet."""

from functools import cached_property
from itertools import islice

from harness.errors import RejectedError
from harness.golden.by_chance import Told, other_items
from harness.golden.grade_tables import stored_grades
from harness.golden.unmatched import KnownIds
from harness.nouns.pair import one_form
from harness.nouns.records import Prompt, Reply
from harness.prompting.answer import answer_text
from harness.providers.base import SENT_ALONG, LocalTeacher, Setup, Teacher, refuse

KNOWN = 100_000
"""How many ids are searched for one that a missing item may mean."""


def open_teacher(model: str, setup: Setup) -> Teacher:
    """The grades of a file. BadInput for whatever is wrong in it."""
    refuse("replay, which makes no API calls,", setup, *SENT_ALONG)
    return Replay(model, setup)


class Replay(LocalTeacher):
    """Answers with the file's grade. An empty grade is an empty reply; a missing item has no reply."""

    def __init__(self, file: str, setup: Setup) -> None:
        self._file = file
        self._rows = stored_grades(setup.root / file, setup.layout, setup.policy.scale, setup.rater)
        both = (
            (one.id, row.about, Told(one.query, one.result.title))
            for one in setup.examples
            if (row := self._rows.get(one_form(one.id)))
        )
        self.notes = other_items(both, file, "the golden set")

    @cached_property
    def _known(self) -> KnownIds:
        return KnownIds(islice(self._rows, KNOWN), self._file)

    async def ask(self, prompt: Prompt) -> Reply:
        """The answer that the file holds for the prompt's item."""
        row = self._rows.get(one_form(prompt.item))
        if row is None:
            hint = self._known.hint(prompt.item)
            raise RejectedError(
                f"{self._file} has no grade for {prompt.item}" + (f" ({hint})" if hint else "")
            )
        text = "" if row.grade is None else answer_text(row.notes.reasoning, [], row.grade)
        return Reply(text=text, model=f"replay/{self._file}")
