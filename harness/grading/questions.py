"""The questions of a run, streamed from its folder: an item and which repeat of it."""

from collections.abc import Iterator

from harness.grading.job import Answers, Item, Job, Question
from harness.nouns.pair import Example
from harness.nouns.records import Key
from harness.runs.folder import EXAMPLES, PAIRS
from harness.runs.pairs import ShownPair
from harness.storage.files import iter_nouns


def each_question(job: Job) -> Iterator[Question]:
    """Every question of a run in the order of asking, read from its folder one by one."""
    for repeat in range(job.plan.asked.repeats):
        for item in job.items or _items(job):
            yield item, repeat


def open_questions(job: Job, log: Answers) -> Iterator[Question]:
    """The questions without an answer (or, with `only_failed`, those that failed), each once."""
    for repeat in range(job.plan.asked.repeats):
        for item in job.items.open() if job.items else _items(job):
            key = item.id, repeat
            if log.has_failed(key) if job.limits.only_failed else not log.is_answered(key):
                yield item, repeat


def key_of(question: Question) -> Key:
    """A question's key in the records."""
    return question[0].id, question[1]


def to_ask(job: Job, log: Answers) -> int:
    """How many questions this session asks."""
    return log.failures if job.limits.only_failed else left_to_ask(job, log)


def left_to_ask(job: Job, log: Answers) -> int:
    """How many questions have no answer."""
    return job.plan.size * job.plan.asked.repeats - log.count


def _items(job: Job) -> Iterator[Item]:
    """What a run folder holds: golden examples, or pairs without golden grades."""
    if job.plan.asked.kind.repeated_by:
        return iter_nouns(job.folder / PAIRS, ShownPair)
    return iter_nouns(job.folder / EXAMPLES, Example)
