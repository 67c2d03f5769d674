"""How far a round is: planned, given, closed ratings; and whether it allows a verdict.

A lead who looks at an interval again and again, and stops at the first pass, passes too often. So a round has
a verdict when all of its planned ratings are given. `close` ends the wait, and is written down: what passes
then is provisional.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from harness.errors import BadInput
from harness.golden.rating.answers import AnswerLog
from harness.golden.rating.progress import RaterProgress, progress_of
from harness.golden.rating.ratings import Said
from harness.golden.rating.rounds import ANSWERS, OpenRound
from harness.golden.rating.sealing import lines_of
from harness.nouns.base import Noun
from harness.nouns.pair import RaterName, Rating, one_form
from harness.storage.files import load_nouns, to_line
from harness.storage.locks import alone
from harness.storage.plural import plural
from harness.storage.regular import append_whole, open_to_append

CLOSED = "closed.jsonl"


class Closed(Noun):
    """A record that the lead no longer waits for a rater: when, and how many planned answers were given."""

    rater: RaterName
    at: str
    given: int
    planned: int
    why: str = ""


@dataclass(frozen=True)
class RaterSet:
    """The progress of a rater, and the answers as lines of ratings.jsonl."""

    progress: RaterProgress
    said: tuple[Said, ...]
    closed: Closed | None

    @property
    def rater(self) -> str:
        """The rater's name."""
        return self.progress.rater

    @property
    def given(self) -> int:
        """The number of given ratings: a grade, or a cause why there is none."""
        return self.progress.graded + self.progress.cannot

    @property
    def awaited(self) -> int:
        """The number of missing ratings that are still expected."""
        return 0 if self.closed else self.progress.left


@dataclass(frozen=True)
class RoundNow:
    """A round with its answers, sealed or not."""

    open_round: OpenRound
    sets: tuple[RaterSet, ...]

    @property
    def planned(self) -> int:
        """The planned number of ratings."""
        return sum(one.progress.places for one in self.sets)

    @property
    def given(self) -> int:
        """The number of given ratings."""
        return sum(one.given for one in self.sets)

    @property
    def unsealed(self) -> tuple[str, ...]:
        """The raters whose answers may still change."""
        return tuple(one.rater for one in self.sets if one.given and one.progress.sealed_at is None)

    @property
    def open(self) -> str | None:
        """Why there is no verdict yet; None if no rating is missing."""
        if not any(one.awaited for one in self.sets):
            return None
        round_, planned = self.open_round.round, plural(self.planned, "rating")
        waits = f"{planned} are planned" if round_.production else f"a verdict takes the planned {planned}"
        return f"round {round_.name} is open: {waits}; now {self.given:,}"

    @property
    def unread(self) -> str | None:
        """Why ratings.jsonl does not yet hold all planned ratings; None if it does."""
        if self.open or not self.unsealed:
            return self.open
        name, first = self.open_round.round.name, self.unsealed[0]
        sets = (
            f"{first}'s set is" if len(self.unsealed) == 1 else f"the sets of {', '.join(self.unsealed)} are"
        )
        return f"round {name} is answered, and {sets} not sealed: `harness rate seal {first}`"

    @property
    def early(self) -> str | None:
        """Why a verdict is provisional: the lead no longer waits for some planned ratings."""
        ended = [one for one in self.sets if one.closed and one.progress.left]
        if not ended or not self.given:
            return None
        last = max((one.closed for one in ended if one.closed), key=lambda one: one.at)
        at = f"{last.given:,} of {plural(last.planned, 'planned rating')} ({last.at[:10]})"
        closed = f"round {self.open_round.round.name} was closed early, at {at}"
        return f"{closed}: who stops after a look passes too often"


def round_now(opened: OpenRound) -> RoundNow:
    """A round with the answers that count now."""
    # Read the progress first: an answer that comes in between is then in the lines only, never in the count
    # only.
    progress, closed = progress_of(opened), closed_sets(opened)
    said = _said(opened)
    return RoundNow(
        opened, tuple(RaterSet(one, said[one.rater], closed.get(one.rater)) for one in progress.raters)
    )


def _said(opened: OpenRound) -> Mapping[str, tuple[Said, ...]]:
    """Each rater's lines; a grade has its query, as in ratings.jsonl."""
    path = opened.folder / ANSWERS
    if not path.exists():  # opening it would create it
        return dict.fromkeys(opened.round.raters, ())
    queries = {item: pair.query for pair in opened.pairs.values() for item in (pair.item, *pair.also)}
    with AnswerLog(path) as log:
        return {
            rater: tuple(
                line.model_copy(update={"query": queries[line.item]}) if isinstance(line, Rating) else line
                for line in lines_of(opened, rater, log.current(rater))
            )
            for rater in opened.round.raters
        }


def closed_sets(open_round: OpenRound) -> dict[str, Closed]:
    """The raters for whom the lead no longer waits; the first record of each counts."""
    found: dict[str, Closed] = {}
    for one in load_nouns(open_round.folder / CLOSED, Closed):
        found.setdefault(one.rater, one)
    return found


def close(now: RoundNow, rater: str | None, why: str) -> tuple[str, ...]:
    """No longer wait for the missing answers of a rater, or of all; returns the raters.

    BadInput if none are missing, and without a reason.
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
    if not why.strip():
        raise BadInput("--why: say why, for whoever reads the verdict")
    at = datetime.now(UTC).isoformat(timespec="seconds")
    lines = [Closed(rater=one.rater, at=at, given=now.given, planned=now.planned, why=why) for one in waited]
    folder = now.open_round.folder
    text = "".join(to_line(line, sparse=True) for line in lines)
    with alone(folder / ".closed.lock"), open_to_append(folder / CLOSED) as file:
        append_whole(file, text.encode("utf-8"))
    return tuple(one.rater for one in waited)
