"""How far a round is: what was planned, what is given, and whether a verdict may be read from it.

Whoever looks at an interval again and again, and stops at the first pass, passes too often. So a round has
a verdict when all of its planned ratings are given. `close` ends the wait, and is written down: what passes
then is provisional.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from harness.errors import BadInput
from harness.golden.rating.answers import Answer, AnswerLog
from harness.golden.rating.rounds import ANSWERS, OpenRound
from harness.nouns.base import Noun
from harness.nouns.pair import RaterName, Rating, Unrated, one_form
from harness.storage.files import load_nouns, to_line
from harness.storage.locks import alone
from harness.storage.plural import plural
from harness.storage.regular import append_whole, open_to_append

CLOSED = "closed.jsonl"


class Closed(Noun):
    """The lead no longer waits for a rater's missing answers: when, and how many of how many were given."""

    rater: RaterName
    at: str
    given: int
    planned: int
    why: str = ""


@dataclass(frozen=True)
class RaterSet:
    """What a rater was given and has answered. `later` counts the pairs that were put off."""

    rater: str
    assigned: int
    answers: tuple[Rating | Unrated, ...]
    later: int
    sealed_at: str | None
    closed: Closed | None

    @property
    def missing(self) -> int:
        """How many answers are not there."""
        return self.assigned - len(self.answers)

    @property
    def awaited(self) -> int:
        """How many answers are waited for."""
        return 0 if self.closed else self.missing


@dataclass(frozen=True)
class RoundNow:
    """A round with its answers, sealed or not."""

    open_round: OpenRound
    sets: tuple[RaterSet, ...]

    @property
    def planned(self) -> int:
        """The planned number of ratings."""
        return sum(one.assigned for one in self.sets)

    @property
    def given(self) -> int:
        """How many are given: a grade, or a cause why there is none."""
        return sum(len(one.answers) for one in self.sets)

    @property
    def unsealed(self) -> tuple[str, ...]:
        """Whose answers may still change."""
        return tuple(one.rater for one in self.sets if one.answers and one.sealed_at is None)

    @property
    def open(self) -> str | None:
        """Why there is no verdict yet; None where nothing is waited for."""
        if not any(one.awaited for one in self.sets):
            return None
        name, planned = self.open_round.round.name, f"{self.planned:,}"
        return (
            f"round {name} is open: verdict when {planned} of {planned} ratings are there; now {self.given:,}"
        )

    @property
    def unread(self) -> str | None:
        """Why ratings.jsonl does not hold yet what was planned; None where it does."""
        if self.open or not self.unsealed:
            return self.open
        name, first = self.open_round.round.name, self.unsealed[0]
        sets = (
            f"{first}'s set is" if len(self.unsealed) == 1 else f"the sets of {', '.join(self.unsealed)} are"
        )
        return f"round {name} is answered, and {sets} not sealed: `harness rate seal {first}`"

    @property
    def early(self) -> str | None:
        """Why a verdict is provisional: ratings that were planned and are not waited for."""
        ended = [one for one in self.sets if one.closed and one.missing]
        if not ended or not self.given:
            return None
        last = max((one.closed for one in ended if one.closed), key=lambda one: one.at)
        at = f"{last.given:,} of {plural(last.planned, 'planned rating')} ({last.at[:10]})"
        closed = f"round {self.open_round.round.name} was closed early, at {at}"
        return f"{closed}: who stops after a look passes too often"


def round_now(open_round: OpenRound) -> RoundNow:
    """A round with the answers that count now."""
    sealed, closed = open_round.sealed(), closed_sets(open_round)
    said = _current(open_round)
    return RoundNow(
        open_round,
        tuple(
            RaterSet(
                rater=rater,
                assigned=len(open_round.assigned(rater)),
                answers=tuple(said_of(open_round, rater, said[rater])),
                later=sum(one.kind == "later" for one in said[rater].values()),
                sealed_at=sealed.get(rater),
                closed=closed.get(rater),
            )
            for rater in open_round.round.raters
        ),
    )


def _current(open_round: OpenRound) -> Mapping[str, Mapping[int, Answer]]:
    path = open_round.folder / ANSWERS
    raters = open_round.round.raters
    if not path.exists():  # opening it would make it
        return {rater: {} for rater in raters}
    with AnswerLog(path) as log:
        return {rater: log.current(rater) for rater in raters}


def said_of(open_round: OpenRound, rater: str, said: Mapping[int, Answer]) -> Iterator[Rating | Unrated]:
    """A rater's answers as the lines of ratings.jsonl that they become; what was put off is none."""
    planned = open_round.round
    for place in open_round.assigned(rater):
        answer, pair = said.get(place.place), open_round.pairs[place.code]
        if answer is None or answer.kind == "later":
            continue
        about = {
            "item": pair.item,
            "rater": rater,
            "reasoning": answer.reasoning,
            "policy_version": planned.policy.partition("@")[2],
            "policy_digest": planned.policy_digest,
            "at": answer.at,
            "milliseconds": answer.milliseconds,
            "repeat": place.repeat,
            "drawn": pair.drawn,
            "pi": pair.pi,
        }
        if answer.cannot is not None:
            yield Unrated(**about, cannot=answer.cannot)
        elif answer.grade is not None:
            yield Rating(**about, grade=answer.grade, clauses=answer.clauses, query=pair.query)


def closed_sets(open_round: OpenRound) -> dict[str, Closed]:
    """For whom the lead no longer waits, since the first time it was said."""
    found: dict[str, Closed] = {}
    for one in load_nouns(open_round.folder / CLOSED, Closed):
        found.setdefault(one.rater, one)
    return found


def close(now: RoundNow, rater: str | None, why: str) -> tuple[str, ...]:
    """No longer wait for the missing answers of a rater, or of all; returns of whom.

    BadInput where nobody is waited for.
    """
    raters = [one.rater for one in now.sets]
    if rater is not None and one_form(rater) not in raters:
        raise BadInput(f"{rater!r} is not a rater of the round (there are: {', '.join(raters)})")
    waited = [one for one in now.sets if one.awaited and rater in (None, one.rater)]
    if not waited:
        of = f" from {rater}" if rater else ""
        raise BadInput(
            f"round {now.open_round.round.name} waits for no rating{of}: there is nothing to close"
        )
    at = datetime.now(UTC).isoformat(timespec="seconds")
    lines = [Closed(rater=one.rater, at=at, given=now.given, planned=now.planned, why=why) for one in waited]
    folder = now.open_round.folder
    text = "".join(to_line(line, sparse=True) for line in lines)
    with alone(folder / ".closed.lock"), open_to_append(folder / CLOSED) as file:
        append_whole(file, text.encode("utf-8"))
    return tuple(one.rater for one in waited)
