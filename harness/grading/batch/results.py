"""The results of a batch by question. Lines that cannot be read are named, and do not affect others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.errors import CallError
from harness.nouns.records import Key, Reply
from harness.providers.batches import BatchResult, UnaskedError, UnreadError
from harness.runs.batch_log import LoggedBatch
from harness.storage.plural import plural

NAMED = 5
"""How many questions or lines a sentence names."""


@dataclass(frozen=True, slots=True)
class SortedAnswers:
    """The result of each question of a batch. `unread`: those that may have an answer that cannot be read.

    `strays`: lines that belong to no question of the batch, or to one that they do not name.
    """

    answers: Mapping[Key, BatchResult]
    unread: Sequence[Key]
    strays: Sequence[BatchResult]

    @property
    def replies(self) -> list[Reply]:
        """All answers."""
        return [one.answer for one in self.answers.values() if isinstance(one.answer, Reply)]


def sort_out(
    logged: LoggedBatch, lines: Sequence[BatchResult], unasked: int, lacking: CallError
) -> SortedAnswers:
    """The lines by question. `unasked`: how many requests the batch ended without, `lacking`: why."""
    keys = {logged.id(number): key for number, key in enumerate(logged.keys)}
    found: dict[Key, list[BatchResult]] = {key: [] for key in logged.keys}
    strays = []
    for line in lines:
        if line.id in keys:
            found[keys[line.id]].append(line)
        else:
            strays.append(line)
    answers = {key: _one(several) for key, several in found.items() if several}
    missing = [key for key in found if key not in answers]
    ended = sum(isinstance(one.answer, UnaskedError) for one in answers.values())
    why = lacking
    # Counts that do not fit the lines do not show what was asked.
    if len(missing) + ended != unasked:
        why = UnreadError(_no_line(logged, [line for line in strays if line.id is None]))
    answers |= {key: BatchResult("", None, why) for key in missing}
    unread = [key for key in logged.keys if isinstance(answers[key].answer, UnreadError)]
    return SortedAnswers(answers, unread, strays)


def _one(lines: Sequence[BatchResult]) -> BatchResult:
    """The result that all lines of a question agree on. If they differ, none is preferred."""
    different = [line for at, line in enumerate(lines) if not any(_same(line, one) for one in lines[:at])]
    if len(different) == 1:
        return lines[0]
    replies = tuple(line.answer for line in different if isinstance(line.answer, Reply))
    error = UnreadError(f"{len(different):,} different answers to one question", replies)
    return BatchResult(" and ".join(line.where for line in different), lines[0].id, error)


def _same(one: BatchResult, other: BatchResult) -> bool:
    """Whether two lines say the same. Errors are equal by their words."""
    if isinstance(one.answer, Reply):
        return one.answer == other.answer
    return type(one.answer) is type(other.answer) and str(one.answer) == str(other.answer)


def _no_line(logged: LoggedBatch, unnamed: Sequence[BatchResult]) -> str:
    lines = _some([f"{line.where}: {line.answer}" for line in unnamed])
    beside = f", and what names no question: {lines}" if lines else ""
    return f"the results of batch {logged.batch} have no line for it{beside}"


def about(logged: LoggedBatch, found: SortedAnswers, again: str) -> list[str]:
    """Sentences about the results of a batch. `again`: how the user goes on."""
    said = []
    if found.unread:
        names = _some([f"{item} (repeat {repeat})" if repeat else item for item, repeat in found.unread])
        said.append(
            f"batch {logged.batch}: its results have no readable answer to {len(found.unread):,} of "
            f"{plural(len(logged.keys), 'question')}, which may be paid for: {names}. They are failed; "
            f"{again} reads the results again, and --retry-failed asks, and pays for, them again"
        )
    if found.strays:
        lines = _some([f"{line.where} ({line.id or line.answer})" for line in found.strays])
        said.append(f"batch {logged.batch}: lines that name none of its questions are left alone: {lines}")
    return said


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{', '.join(names[:NAMED])}{more}"
