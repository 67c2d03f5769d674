"""A round that is open for rating: finds the rater of a link, and reads and stores answers."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hmac import compare_digest
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from harness.errors import BadInput
from harness.golden.rating.answers import Answer, AnswerLog, Refused, check_answers
from harness.golden.rating.links import rater_of
from harness.golden.rating.rounds import ANSWERS, OpenRound, policy_change
from harness.golden.rating.sealing import seal
from harness.storage.files import faults_of
from harness.storage.project import Project
from harness.web.rating.shown import answer_shown, state_of

MOST = 1_000
"""Answers in one request."""
_ANSWERS = TypeAdapter(tuple[Answer, ...])


class Desk:
    """A round with its log of answers. Threads share it."""

    def __init__(self, project: Project, opened: OpenRound) -> None:
        self._project, self.opened = project, opened
        self._log = AnswerLog(opened.folder / ANSWERS)
        self._sessions: dict[str, str] = {}

    @property
    def folder(self) -> Path:
        """The round's folder."""
        return self.opened.folder

    def close(self) -> None:
        """Close the log."""
        self._log.close()

    def session(self, rater: str) -> str:
        """A rater's token on this machine, valid until the server stops. BadInput for an unknown rater."""
        if rater not in self.opened.round.raters:
            there = ", ".join(self.opened.round.raters)
            raise BadInput(f"{rater!r} is not a rater of round {self.opened.round.name} (there are: {there})")
        token = secrets.token_urlsafe(32)
        self._sessions[token] = rater
        return token

    def rater(self, token: str) -> str | None:
        """The rater of a link; None if it is unknown or revoked."""
        given = token.encode("utf-8", "surrogatepass")
        own = [rater for known, rater in self._sessions.items() if compare_digest(known.encode(), given)]
        return own[0] if own else rater_of(self.folder, token)

    def state(self, rater: str) -> dict[str, Any]:
        """What the rater's page shows."""
        # The policy may change while people rate.
        changed = policy_change(self._project, self.opened.round)
        return state_of(self.opened, rater, self._log.current(rater), changed)

    def take(self, rater: str, data: Any) -> dict[str, Any]:
        """Store answers; returns what is on the disk: their ids, and what counts now at their places.

        Refused for answers that the round cannot take; any other error is the server's, and they may be sent
        again.
        """
        answers = read_answers(data)
        if self._stored(rater, answers):
            now: Mapping[int, Answer] = self._log.current(rater)
        else:
            check_answers(self.opened, rater, answers)
            now = self._log.add(rater, answers)
        places = {one.place for one in answers}
        return {
            "confirmed": [one.event for one in answers],
            "places": {place: answer_shown(now[place]) if place in now else None for place in sorted(places)},
        }

    def _stored(self, rater: str, answers: Sequence[Answer]) -> bool:
        """Whether a closed set has all these answers already: their confirmation was lost on its way."""
        if rater not in self.opened.sealed():
            return False
        known = {one.event for whose, one in self._log.all() if whose == rater}
        return {one.event for one in answers} <= known

    def seal(self, rater: str) -> dict[str, Any]:
        """Close a rater's set, and count it in ratings.jsonl. Refused where nothing is answered."""
        if not any(one.kind in ("grade", "cannot") for one in self._log.current(rater).values()):
            raise Refused("you have answered nothing yet: there is nothing to close")
        seal(self._project, self.opened, rater, datetime.now(UTC).isoformat(timespec="seconds"))
        return {"sealed": self.opened.sealed().get(rater)}


def read_answers(data: Any) -> tuple[Answer, ...]:
    """The answers of a request. Refused names every fault."""
    if not isinstance(data, list) or len(data) > MOST:
        raise Refused(f"answers are a list of at most {MOST:,}")
    try:
        return _ANSWERS.validate_python(data)
    except ValidationError as error:
        raise Refused(faults_of(error, "answers")) from None
