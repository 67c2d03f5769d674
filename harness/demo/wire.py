"""The wire forms of the model APIs: an answer or an error as the API at a path sends it."""

import json
from dataclasses import dataclass, field
from typing import Any, Literal

MODEL = "test-model-2026-11-01"


@dataclass(frozen=True)
class Tokens:
    """Tokens of a call: new input, input read from and written to a cache, output, and its thinking."""

    new: int = 20
    cached: int = 64
    written: int = 16
    out: int = 10
    thinking: int = 4

    @property
    def whole(self) -> int:
        """All of the input."""
        return self.new + self.cached + self.written


@dataclass(frozen=True)
class WireAnswer:
    """An answer that is not yet in the form of an API."""

    text: str | None
    stop: Literal["end", "cut_off", "refused", "filtered"] = "end"
    model: str = MODEL
    tokens: Tokens = field(default_factory=Tokens)


@dataclass(frozen=True)
class WireFault:
    """An error that is not yet in the form of an API. `param`: the parameter that it names."""

    code: str
    message: str
    param: str | None = None


def say(path: str, said: WireAnswer | WireFault, asked: dict[str, Any]) -> dict[str, Any]:
    """The body that the API at a path would send."""
    if isinstance(said, WireFault):
        return _fault(path, said)
    for end, form in FORMS.items():
        if path.endswith(end):
            return form(said, asked)
    raise AssertionError(f"nothing answers at {path}")


def _fault(path: str, fault: WireFault) -> dict[str, Any]:
    if "/messages" in path:
        kind = {"insufficient_quota": "billing_error"}.get(fault.code, fault.code)
        return {"type": "error", "error": {"type": kind, "message": fault.message}, "request_id": "r"}
    error = {"message": fault.message, "type": fault.code, "code": fault.code, "param": fault.param}
    return {"error": error}


def _chat(answer: WireAnswer, asked: dict[str, Any]) -> dict[str, Any]:
    refused = answer.stop == "refused"
    message = {
        "role": "assistant",
        "content": None if refused else answer.text,
        "refusal": answer.text if refused else None,
    }
    finish = {"cut_off": "length", "filtered": "content_filter"}.get(answer.stop, "stop")
    return {
        "id": "c",
        "object": "chat.completion",
        "created": 0,
        "model": answer.model,
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": {
            "prompt_tokens": answer.tokens.whole,
            "completion_tokens": answer.tokens.out,
            "total_tokens": answer.tokens.whole + answer.tokens.out,
            "prompt_tokens_details": _read_and_written(answer.tokens),
            "completion_tokens_details": {"reasoning_tokens": answer.tokens.thinking},
        },
    }


def _openai_usage(tokens: Tokens) -> dict[str, Any]:
    return {
        "input_tokens": tokens.whole,
        "input_tokens_details": _read_and_written(tokens),
        "output_tokens": tokens.out,
        "output_tokens_details": {"reasoning_tokens": tokens.thinking},
        "total_tokens": tokens.whole + tokens.out,
    }


def _read_and_written(tokens: Tokens) -> dict[str, int]:
    return {"cached_tokens": tokens.cached, "cache_write_tokens": tokens.written}


def _response(answer: WireAnswer, asked: dict[str, Any]) -> dict[str, Any]:
    refused = answer.stop == "refused"
    reasons = {"cut_off": "max_output_tokens", "filtered": "content_filter"}
    reason = reasons.get(answer.stop)
    part = {"type": "refusal", "refusal": answer.text} if refused else _output_text(answer.text)
    status = "incomplete" if reason else "completed"
    return {
        "id": "resp",
        "object": "response",
        "created_at": 0,
        "status": status,
        "incomplete_details": {"reason": reason} if reason else None,
        "error": None,
        "model": answer.model,
        "output": [
            {"type": "reasoning", "id": "rs", "summary": []},
            {"type": "message", "id": "m", "role": "assistant", "status": status, "content": [part]},
        ],
        "usage": _openai_usage(answer.tokens),
    }


def _output_text(text: str | None) -> dict[str, Any]:
    return {"type": "output_text", "text": text or "", "annotations": [], "logprobs": []}


def _message(answer: WireAnswer, asked: dict[str, Any]) -> dict[str, Any]:
    stops = {"cut_off": "max_tokens", "refused": "refusal", "filtered": "refusal"}
    return {
        "id": "msg",
        "type": "message",
        "role": "assistant",
        "model": answer.model,
        "content": [
            {"type": "thinking", "thinking": "", "signature": "s"},
            {"type": "text", "text": answer.text or ""},
        ],
        "stop_reason": stops.get(answer.stop, "end_turn"),
        "stop_sequence": None,
        # Here input_tokens leaves out what was read from or written to a cache.
        "usage": {
            "input_tokens": answer.tokens.new,
            "cache_read_input_tokens": answer.tokens.cached,
            "cache_creation_input_tokens": answer.tokens.written,
            "output_tokens": answer.tokens.out,
            "output_tokens_details": {"thinking_tokens": answer.tokens.thinking},
        },
    }


def _decision(answer: WireAnswer, asked: dict[str, Any]) -> dict[str, Any]:
    (question,) = asked["questions"]
    said: dict[str, Any] = {"type": "refusal", "name": question["name"]}
    if answer.stop != "refused":
        grade = str(json.loads(answer.text or "")["grade"])
        labels = list(dict.fromkeys([*(level["label"] for level in question["levels"]), grade]))
        rest = 0.1 / (len(labels) - 1)
        shares = [
            {"label": label, "value": number, "probability": 0.9 if label == grade else rest}
            for number, label in enumerate(labels)
        ]
        said = {"type": "score", "name": question["name"], "score": 1.5, "confidence": 0.9}
        said["probabilities"] = shares
    return {"model": answer.model, "answers": [said], "usage": _openai_usage(answer.tokens)}


FORMS = {
    "/chat/completions": _chat,
    "/responses": _response,
    "/messages": _message,
    "/decisions": _decision,
}
"""How each API answers, by the end of its path."""


def item_of(asked: dict[str, Any]) -> dict[str, Any]:
    """The pair that a request asks about, in any API.

    It is the indented JSON at the end, from the last line that begins with a brace: no text in a pair begins
    a line.
    """
    text = f"\n{prompt_of(asked)[-1]}"
    data: dict[str, Any] = json.loads(text[text.rindex("\n{") :])
    return data


def prompt_of(asked: dict[str, Any]) -> list[str]:
    """The texts of a request's messages, in order, in any API."""
    turns = asked.get("messages") or asked["input"]
    return [_text(asked.get("system") or ""), *(_text(turn["content"]) for turn in turns)]


def _text(content: str | list[dict[str, Any]]) -> str:
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


def scale_of(asked: dict[str, Any]) -> list[int] | None:
    """The grades that a request's schema allows, in any API; None without a schema."""
    form = (
        (asked.get("response_format") or {}).get("json_schema")
        or (asked.get("text") or {}).get("format")
        or (asked.get("output_config") or {}).get("format")
        or {}
    )
    grade = form.get("schema", {}).get("properties", {}).get("grade", {})
    grades: list[int] | None = grade.get("enum")
    return grades
