"""Remove the thinking that some servers leave in the text of a reply."""

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
    """A reply ends its thinking more than once, so that it is unknown which part is the answer."""


def without_thinking(text: str) -> str:
    """A text without its thinking. TwoAnswers if the thinking ends more than once.

    Thinking ends at `</think>`, whether or not a server left its beginning in the text; in the harmony form
    the answer is the final channel. Thinking that never ends leaves no answer.
    """
    if _CHANNELS.match(text):
        return _final_channel(text)
    if text.lstrip().startswith("analysis") and text.count(_BARE_FINAL) == 1:
        # The harmony form without its marks, which a server has removed.
        return text.partition(_BARE_FINAL)[2]
    ends = list(_END.finditer(text))
    if len(ends) > 1:
        raise TwoAnswers(f"the thinking ends {plural(len(ends), 'time')}")
    if ends:
        begin, behind = _BEGIN.search(text, 0, ends[0].start()), text[ends[0].end() :]
        # Keep an answer before the thinking if another one follows it: there are two then.
        return text[: begin.start()] + behind if begin and "{" in behind else behind
    return "" if _BEGIN.match(text) else text


def _final_channel(text: str) -> str:
    """The text of the only final channel; empty without one."""
    found = list(_FINAL.finditer(text))
    if len(found) > 1:
        raise TwoAnswers(f"{len(found):,} final channels")
    return _TURN_ENDS.split(text[found[0].end() :], maxsplit=1)[0] if found else ""
