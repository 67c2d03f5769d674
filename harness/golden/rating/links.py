"""Raters' links: unguessable addresses. The folder holds only digests, so it does not reveal a link."""

import hashlib
import secrets
from collections import Counter
from datetime import UTC, datetime
from hmac import compare_digest
from pathlib import Path

from harness.errors import BadInput
from harness.golden.rating.rounds import LINKS, load_round
from harness.nouns.base import Noun
from harness.nouns.pair import RaterName, one_form
from harness.storage.files import load_nouns, to_line
from harness.storage.locks import alone
from harness.storage.regular import append_whole, open_to_append

BYTES = 32
"""Random bytes of a token, so that it cannot be guessed."""


class Link(Noun):
    """A line about a link: that it was made or, with `revoked_at`, that it is revoked."""

    rater: RaterName
    token: str
    """The SHA-256 of the token."""
    created_at: str = ""
    revoked_at: str = ""


def invite(folder: Path, rater: str) -> str:
    """Make a link for a rater of the round; returns its token, which is not stored. Old links stay valid."""
    rater = _known(folder, rater)
    token = secrets.token_urlsafe(BYTES)
    _append(folder, [Link(rater=rater, token=_digest(token), created_at=_now())])
    return token


def revoke(folder: Path, rater: str) -> int:
    """Revoke every link of a rater; returns how many."""
    rater = _known(folder, rater)
    valid = [digest for digest, owner in _valid(folder).items() if owner == rater]
    _append(folder, [Link(rater=rater, token=digest, revoked_at=_now()) for digest in valid])
    return len(valid)


def rater_of(folder: Path, token: str) -> str | None:
    """The rater of a link; None if it is unknown or revoked. Takes equally long for every wrong token."""
    asked = _digest(token)
    found = None
    for digest, rater in _valid(folder).items():
        if compare_digest(digest, asked):
            found = rater
    return found


def linked(folder: Path) -> dict[str, int]:
    """How many valid links each rater has."""
    return dict(Counter(_valid(folder).values()))


def _valid(folder: Path) -> dict[str, str]:
    """The valid links: digest and rater. A link that was revoked once stays revoked."""
    lines = load_nouns(folder / LINKS, Link)
    gone = {line.token for line in lines if line.revoked_at}
    return {line.token: line.rater for line in lines if line.token not in gone}


def _append(folder: Path, lines: list[Link]) -> None:
    text = "".join(to_line(line, sparse=True) for line in lines)
    with alone(folder / ".links.lock"), open_to_append(folder / LINKS) as file:
        append_whole(file, text.encode("utf-8"))


def _known(folder: Path, rater: str) -> str:
    raters = load_round(folder).raters
    if one_form(rater) not in raters:
        raise BadInput(f"{rater!r} is not a rater of the round (there are: {', '.join(raters)})")
    return one_form(rater)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
