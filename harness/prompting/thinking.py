"""Thinking that a server left in the text of a reply: other servers take it out before they answer."""

import re
from typing import Final

from harness.storage.plural import plural

_NAMES = r"think|thinking|thought|thoughts|reasoning|reflection|seed:think"
_BEGIN: Final = re.compile(
    rf"\s*(?:<(?:{_NAMES})>|\[THINK\]|\u25c1think\u25b7|<\|START_THINKING\|>)", re.IGNORECASE
)
_END: Final = re.compile(rf"</(?:{_NAMES})>|\[/THINK\]|\u25c1/think\u25b7|<\|END_THINKING\|>", re.IGNORECASE)
_CHANNELS: Final = re.compile(r"\s*<\|(?:channel|start)\|>")
_FINAL: Final = re.compile(r"<\|channel\|>\s*final\b[^<]*(?:<\|constrain\|>[^<]*)?<\|message\|>")
_TURN_ENDS: Final = re.compile(r"<\|(?:return|end|call)\|>")
_BARE_FINAL: Final = "assistantfinal"


class TwoAnswers(Exception):
    """A reply that ends its thinking more than once: which part is the answer cannot be told."""


def without_thinking(text: str) -> str:
    """What a text says besides its thinking: all of it where there is none. TwoAnswers as said there.

    Thinking ends at `</think>`, whether or not a server left its beginning in the text; in the harmony form
    the answer is the final channel. Thinking that never ends leaves no answer.
    """
    if _CHANNELS.match(text):
        return _final_channel(text)
    if text.lstrip().startswith("analysis") and text.count(_BARE_FINAL) == 1:
        # The same form after a server has dropped its marks.
        return text.partition(_BARE_FINAL)[2]
    ends = list(_END.finditer(text))
    if len(ends) > 1:
        raise TwoAnswers(f"the thinking ends {plural(len(ends), 'time')}")
    if ends:
        begin, behind = _BEGIN.search(text, 0, ends[0].start()), text[ends[0].end() :]
        # An answer before the thinking began is not a draft of it: with one behind it, there are two.
        return text[: begin.start()] + behind if begin and "{" in behind else behind
    return "" if _BEGIN.match(text) else text


def _final_channel(text: str) -> str:
    """The text of the one final channel; nothing where there is none."""
    found = list(_FINAL.finditer(text))
    if len(found) > 1:
        raise TwoAnswers(f"{len(found):,} final channels")
    return _TURN_ENDS.split(text[found[0].end() :], maxsplit=1)[0] if found else ""
