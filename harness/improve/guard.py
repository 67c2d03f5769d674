"""Which proposed templates are refused: other code, too long, invisible text, a copy of a graded pair."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from harness.errors import BadInput
from harness.golden.checks import runs_of
from harness.nouns.pair import Example
from harness.nouns.pair import words as words_of
from harness.prompting.prompt import PromptWriter
from harness.prompting.sandbox import Sandbox
from harness.storage.plural import plural
from harness.storage.visible import is_hidden

IN_A_ROW = 8
"""How many words in a row of a graded pair no edit may bring into a prompt."""
SHORTEST = 2
"""How many words of a query or title give its pair away: a single word is common language."""
GROWTH, ROOM = 3, 4_000
"""A proposal has at most GROWTH times the letters of the first template, and ROOM more."""
SHOWN = 3
"""How many characters a refusal names."""


class Guard:
    """Refuses proposals. `graded`: every pair of dev and test, gone through for each proposal."""

    def __init__(self, base: str, graded: Iterable[Example]) -> None:
        self._tags = tags_of(base)
        self._longest = GROWTH * len(base) + ROOM
        self._own = _said(base)
        self._hidden = set(filter(is_hidden, base))
        self._graded = graded

    def refusal(self, proposed: str, parent: str, writer: PromptWriter) -> str | None:
        """Why a proposed system template is refused; None if it may be used."""
        if proposed.strip() == parent.strip():
            return "changes nothing"
        if len(proposed) > self._longest:
            return f"is longer than {self._longest:,} letters"
        if hidden := sorted(set(filter(is_hidden, proposed)) - self._hidden):
            some = ", ".join(f"U+{ord(letter):04X}" for letter in hidden[:SHOWN])
            return f"has {plural(len(hidden), 'character')} that nobody sees ({some})"
        try:
            if tags_of(proposed) != self._tags:
                return "changes the tags of the template, {{ }} and {% %}; only its words may change"
            _ = writer.with_files(replace(writer.files, system=proposed)).system
        except BadInput as error:
            return str(error.faults[0])
        return self._leak(proposed)

    def _leak(self, proposed: str) -> str | None:
        """The text of a graded pair that the proposal repeats and the first template does not."""
        said = _said(proposed)
        text, own = _phrase(said), _phrase(self._own)
        brought = {*runs_of(said, IN_A_ROW)}.difference(runs_of(self._own, IN_A_ROW))
        for example in self._graded:
            for what, whole in (("query", example.query), ("title", example.result.title)):
                words = words_of(whole)
                if len(words) >= SHORTEST and _phrase(words) in text and _phrase(words) not in own:
                    return f"says the {what} of {example.id}, which is graded"
            if not brought.isdisjoint(runs_of(words_of(example.pair.json_text), IN_A_ROW)):
                return f"says {IN_A_ROW} words in a row of {example.id}, which is graded"
        return None


def tags_of(source: str) -> list[str]:
    """The code of a template, without its words and comments. BadInput if Jinja cannot parse it."""
    return [text.strip("-+ \n") for kind, text in _tokens(source) if kind not in ("data", "whitespace")]


def _said(source: str) -> list[str]:
    """The words of a template beside its tags and comments."""
    return [word for kind, text in _tokens(source) if kind == "data" for word in words_of(text)]


def _tokens(source: str) -> list[tuple[str, str]]:
    from jinja2 import TemplateSyntaxError

    try:
        return [(kind, text) for _, kind, text in Sandbox().lex(source) if "comment" not in kind]
    except TemplateSyntaxError as error:
        raise BadInput(f"not a template: line {error.lineno}: {error.message}") from None


def _phrase(words: Sequence[str]) -> str:
    return f" {' '.join(words)} "
