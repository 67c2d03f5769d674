"""What a prompt and a reply say, in the form of the conventions: sent only where the user allows it."""

from functools import lru_cache

from pydantic_core import to_json

from harness.grading.telemetry.messages import Attributes
from harness.nouns.records import Prompt, Reply

FINISH = {"end": "stop", "cut_off": "length", "refused": "refusal", "filtered": "content_filter"}
"""Why a reply ends, as the conventions call it. They have no word for a refusal."""


def prompt_said(prompt: Prompt) -> Attributes:
    """The messages of a prompt."""
    system = tuple(one.content for one in prompt.messages if one.role == "system")
    others = [
        {"role": one.role, "parts": [_text(one.content)]} for one in prompt.messages if one.role != "system"
    ]
    return {
        "gen_ai.system_instructions": _instructions(system) if system else None,
        "gen_ai.input.messages": _json(others),
    }


def reply_said(reply: Reply) -> Attributes:
    """The one message of a reply."""
    thinking = [{"type": "reasoning", "content": reply.thinking}] if reply.thinking else []
    parts = [*thinking, _text(reply.text)]
    said = {"role": "assistant", "parts": parts, "finish_reason": FINISH[reply.stop]}
    return {"gen_ai.output.messages": _json([said])}


@lru_cache(maxsize=8)
def _instructions(texts: tuple[str, ...]) -> str:
    """Kept, since all calls of a run have the same."""
    return _json([_text(one) for one in texts])


def _text(content: str) -> dict[str, str]:
    return {"type": "text", "content": content}


def _json(value: object) -> str:
    return to_json(value).decode()
