"""Pseudonyms: replace names that others may know by names that only this project can make.

A pseudonym is a keyed digest of the name. Its key, the salt, is random, stays in `golden/.private/` and in no
version control, since with it anyone could try names. The first part of a pseudonym says which salt made it:
where a clone lacks the salt, a second name for the same person would count as a second rater.
"""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Collection, Iterator
from pathlib import Path

from harness.errors import BadInput, Fault
from harness.golden.rating.ratings import RATINGS
from harness.nouns.pair import one_form
from harness.storage.files import read_text, text_lines, write_atomic
from harness.storage.project import Project

FOLDER, SALT = ".private", "rater_salt"
IGNORE = "# What is in here tells who is behind a pseudonym: keep it out of version control.\n*\n"
E_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
PSEUDONYM = re.compile(r"rater-([a-z2-7]{3})-[a-z2-7]{8}")


class Pseudonyms:
    """The names that raters get; `known` are those that there are. Nothing is written before `keep`."""

    def __init__(self, project: Project, known: Collection[str]) -> None:
        self._golden = project.golden
        self._path = project.golden / FOLDER / SALT
        self._known = known
        self._salt: bytes | None = None
        self.renamed: dict[str, str] = {}

    @property
    def made_up(self) -> bool:
        """Whether the salt is not written yet: without `keep`, the next import makes other names."""
        return bool(self.renamed) and not self._path.exists()

    def of(self, name: str, *, every: bool) -> str:
        """The name to store: e-mail addresses are renamed; with `every`, all names but pseudonyms."""
        if PSEUDONYM.fullmatch(name) or not (every or E_MAIL.fullmatch(name)):
            return name
        if name not in self.renamed:
            self.renamed[name] = self._made(name)
        return self.renamed[name]

    def _made(self, name: str) -> str:
        if self._salt is None:
            self._salt = self._load()
        digest = hmac.new(self._salt, one_form(name).casefold().encode("utf-8"), hashlib.sha256).digest()
        return f"rater-{_tag(self._salt)}-{_letters(digest, 8)}"

    def _load(self) -> bytes:
        """The project's salt; a new one where no rater has a pseudonym yet."""
        there = {found[1] for name in self._known if (found := PSEUDONYM.fullmatch(name))}
        if not self._path.exists():
            there |= {tag for path in self._golden.glob(f"*/{RATINGS}") for tag in _tags(path)}
        if self._path.exists():
            salt = _read(self._path)
            if there - {_tag(salt)}:
                raise BadInput(
                    [Fault(str(self._path), f"another salt made the pseudonyms that are there; {TODO}")]
                )
            return salt
        if there:
            raise BadInput(
                [Fault(str(self._path), f"is missing, and raters have pseudonyms made with it; {TODO}")]
            )
        return secrets.token_bytes(32)

    def keep(self) -> None:
        """Write a salt that is new, for its owner alone, beside a .gitignore that keeps the folder out."""
        if self._salt is None or self._path.exists():
            return
        self._path.parent.mkdir(mode=0o700, exist_ok=True)
        write_atomic(self._path.with_name(".gitignore"), IGNORE)
        write_atomic(self._path, self._salt.hex() + "\n")
        self._path.chmod(0o600)


TODO = (
    "copy the file from the checkout where the first import was made, since the same person would get "
    "a second name and count twice; or take the names as they are: --keep-names"
)


def _read(path: Path) -> bytes:
    text = read_text(path, links=False).strip()
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        raise BadInput([Fault(str(path), f"expected a salt of 64 hex digits; {TODO}")])
    return bytes.fromhex(text)


def _tags(path: Path) -> Iterator[str]:
    """The salts that made the pseudonyms in the ratings of any policy."""
    for _, line in text_lines(path):
        yield from (found[1] for found in PSEUDONYM.finditer(line))


def _tag(salt: bytes) -> str:
    """A fingerprint of the salt, in three letters: they reveal nothing of a random salt."""
    return _letters(hashlib.sha256(b"which salt" + salt).digest(), 3)


def _letters(digest: bytes, count: int) -> str:
    return base64.b32encode(digest).decode("ascii").lower()[:count]
