"""Which answers of a run were paid for, each once."""

from collections import Counter
from collections.abc import Iterator

from harness.nouns.records import Key, Record, Ungraded
from harness.runs.counts import Counts


class PaidAnswers:
    """Takes the records of a run in their order.

    `answers`: how many billed replies each question has; by default in memory.

    A batch that asks a question again writes a second record, which includes the answer and the cost of the
    first: the first is then subtracted.
    """

    def __init__(self, answers: Counts | None = None) -> None:
        self.answers: Counts = Counter() if answers is None else answers
        self._again: dict[Key, Record] = {}

    def take(self, record: Record) -> Iterator[tuple[int, Record]]:
        """What the record adds: itself (1), and an earlier record that it includes (-1)."""
        if record.cached_reply or record.reply is None:
            return
        before = self._again.pop(record.key, None)
        if before and record.attempts > before.attempts and before.reply in (record.reply, record.unread):
            self._count(before, -1)
            yield -1, before
        elif isinstance(record.outcome, Ungraded) and record.unread is None:
            self._again[record.key] = record
        self._count(record, 1)
        yield 1, record

    def _count(self, record: Record, sign: int) -> None:
        self.answers[record.key] += sign * (1 + (record.unread is not None))
