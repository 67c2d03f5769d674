"""The answers of a round while it is rated: one SQLite file, appended to and never rewritten.

An answer is on the disk when `add` returns. Each has an id that the browser made; sent again, it is not
stored again. The last answer for a place counts; `undo` takes the last one back.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, ValidationError

from harness.errors import BadInput, Fault
from harness.golden.rating.rounds import OpenRound
from harness.golden.scales import off_scale
from harness.nouns.base import Count, Level, Noun
from harness.nouns.pair import Cannot
from harness.storage.database_file import DatabaseFile
from harness.storage.regular import LARGEST

LONGEST = 1 << 20
"""The most bytes of a value in the file."""
MOST = 100
"""The most answers of a rater at one place, with undone ones: a limit for scripts."""
PAGE = 4096
"""Bytes of a page of the file, as SQLite makes it."""
Text = Annotated[str, StringConstraints(max_length=10_000)]
CLOSED = "your set is closed: it takes no more answers"
_TABLES = (
    "CREATE TABLE answers (number INTEGER PRIMARY KEY AUTOINCREMENT, rater TEXT NOT NULL, "
    "event TEXT NOT NULL, place INTEGER NOT NULL, body TEXT NOT NULL, UNIQUE (rater, event))",
    "CREATE TABLE closed (rater TEXT PRIMARY KEY, at TEXT NOT NULL)",
    "CREATE INDEX places ON answers (rater, place)",
)
_SAID = "SELECT number, CAST(body AS BLOB) FROM answers"


class Refused(BadInput):
    """The round cannot take these answers: the fault is in the answers, not in a file."""


class Answer(Noun):
    """A rater's answer at a place. `event`: its id, made by the browser. `at`: the server's time."""

    event: str = Field(pattern=r"^[0-9A-Za-z-]{8,64}$")
    place: int = Field(ge=0)
    kind: Literal["grade", "cannot", "later", "undo"]
    grade: Level | None = None
    cannot: Cannot | None = None
    reasoning: Text = ""
    clauses: tuple[Text, ...] = Field(default=(), max_length=100)
    milliseconds: Count = 0
    at: str = ""


def check_answers(open_round: OpenRound, rater: str, answers: Sequence[Answer]) -> None:
    """Refused with the faults of all answers. BadInput if the files of the round cannot be read."""
    if rater in open_round.sealed():
        raise Refused(CLOSED)
    if faults := answer_faults(open_round, rater, answers):
        raise Refused(faults)


def answer_faults(open_round: OpenRound, rater: str, answers: Sequence[Answer]) -> list[Fault]:
    """The faults of answers: a place, a grade or a clause that the round does not have."""
    faults: list[Fault] = []
    places = len(open_round.assigned(rater))
    for answer in answers:
        where = f"place {answer.place}"
        if answer.place >= places:
            faults.append(Fault(where, f"{rater} has {places:,} places"))
        if (answer.grade is None) is (answer.kind == "grade"):
            faults.append(Fault(where, "a grade goes with kind grade, and with no other kind"))
        if (answer.cannot is None) is (answer.kind == "cannot"):
            faults.append(Fault(where, "a cause goes with kind cannot, and with no other kind"))
        if answer.grade is not None and answer.grade not in open_round.policy.scale:
            faults.append(Fault(where, off_scale(answer.grade, open_round.policy)))
        if unknown := set(answer.clauses) - open_round.policy.clause_ids:
            faults.append(Fault(where, f"no clause {min(unknown)!r} in {open_round.policy.label}"))
    return faults


class AnswerLog(DatabaseFile):
    """The answers of a round, open; a context manager. BadInput for a file that we did not write so."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, _TABLES, "a round's answers", LONGEST)
        # A limit for endless answers: a full file refuses more, and keeps those that it has.
        self._connection.execute(f"PRAGMA max_page_count = {LARGEST // PAGE}")
        # FULL syncs the log at each commit: neither a kill nor a power cut takes a confirmed answer.
        self._connection.execute("PRAGMA synchronous = FULL")

    def add(self, rater: str, answers: Sequence[Answer]) -> Mapping[int, Answer]:
        """Store answers; returns what counts now at their places. They are on the disk when it returns.

        An answer whose id is there already is not stored again. Refused where the rater's set is closed, and
        where a place has MOST answers.
        """
        now = datetime.now(UTC).isoformat(timespec="microseconds")
        rows = [
            (
                rater,
                one.event,
                one.place,
                one.model_copy(update={"at": now}).model_dump_json(exclude_defaults=True),
            )
            for one in answers
        ]
        query = "INSERT OR IGNORE INTO answers (rater, event, place, body) VALUES (?, ?, ?, ?)"
        with self.transaction():
            # In the same transaction: nothing comes in while the set is being closed.
            if self.fetch("SELECT 1 FROM closed WHERE rater = ?", rater):
                raise Refused(CLOSED)
            for one, row in zip(answers, rows, strict=True):
                if self._connection.execute(query, row).rowcount:
                    self._check_place(rater, one.place)
                else:
                    self._check_same(rater, one)
        return {place: said for place in {one.place for one in answers} if (said := self._at(rater, place))}

    def _check_place(self, rater: str, place: int) -> None:
        stored = self.fetch("SELECT COUNT(*) FROM answers WHERE rater = ? AND place = ?", rater, place)
        if stored[0][0] > MOST:
            what = f"{MOST} answers were given here, and it takes no more; the last one that was saved counts"
            raise Refused([Fault(f"place {place}", what)])

    def _check_same(self, rater: str, again: Answer) -> None:
        """Refuse another answer under a stored id: it would be reported as saved, and be lost."""
        (stored,) = self.fetch(f"{_SAID} WHERE rater = ? AND event = ?", rater, again.event)
        if self._read(*stored).model_copy(update={"at": again.at}) != again:
            what = "its id is stored with another answer; reload the page and answer again"
            raise Refused([Fault(f"place {again.place}", what)])

    def close_set(self, rater: str, at: str) -> str:
        """Take no more answers of a rater; returns the time of closing. A second call changes nothing."""
        with self.transaction():
            self._connection.execute("INSERT OR IGNORE INTO closed VALUES (?, ?)", (rater, at))
        return str(self.fetch("SELECT at FROM closed WHERE rater = ?", rater)[0][0])

    def current(self, rater: str) -> dict[int, Answer]:
        """The answer that counts at each of a rater's places; places without an answer are left out."""
        rows = self.fetch(f"{_SAID} WHERE rater = ? ORDER BY place, number", rater)
        by_place = groupby((self._read(*row) for row in rows), key=attrgetter("place"))
        counts = ((place, _counting(said)) for place, said in by_place)
        return {place: answer for place, answer in counts if answer}

    def _at(self, rater: str, place: int) -> Answer | None:
        rows = self.fetch(f"{_SAID} WHERE rater = ? AND place = ? ORDER BY number", rater, place)
        return _counting(self._read(*row) for row in rows)

    def all(self) -> Iterator[tuple[str, Answer]]:
        """Every stored answer with its rater, in the order of storing."""
        query = "SELECT number, rater, CAST(body AS BLOB) FROM answers ORDER BY number"
        for number, rater, body in self.fetch(query):
            yield str(rater), self._read(number, body)

    def _read(self, number: int, body: bytes) -> Answer:
        try:
            return Answer.model_validate_json(body)
        except ValidationError as error:
            raise BadInput(
                [Fault(f"{self.path}, answer {number}", "is damaged; restore the file")]
            ) from error


def _counting(said: Iterable[Answer]) -> Answer | None:
    """The answer that counts among those at one place, which are in the order of storing."""
    stack: list[Answer] = []
    for answer in said:
        if answer.kind != "undo":
            stack.append(answer)
        elif stack:
            stack.pop()
    return stack[-1] if stack else None
