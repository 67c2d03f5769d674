"""What each model API says on the wire: one answer or error, in the words of the API that was asked."""

import json
from dataclasses import dataclass
from typing import Any, Literal

MODEL = "test-model-2026-11-01"


@dataclass(frozen=True)
class Answer:
    """An answer before any API has put it into its form."""

    text: str | None
    stop: Literal["end", "cut_off", "refused", "filtered"] = "end"


@dataclass(frozen=True)
class Fault:
    """An error before any API has put it into its form. `param`: the parameter that it names."""

    code: str
    message: str
    param: str | None = None


def say(path: str, said: Answer | Fault, asked: dict[str, Any]) -> dict[str, Any]:
    """The body that the API at a path would send."""
    if isinstance(said, Fault):
        return _fault(path, said)
    for end, form in FORMS.items():
        if path.endswith(end):
            return form(said, asked)
    raise AssertionError(f"nothing answers at {path}")


def _fault(path: str, fault: Fault) -> dict[str, Any]:
    if path.endswith("/messages"):
        kind = {"insufficient_quota": "billing_error"}.get(fault.code, fault.code)
        return {"type": "error", "error": {"type": kind, "message": fault.message}, "request_id": "r"}
    error = {"message": fault.message, "type": fault.code, "code": fault.code, "param": fault.param}
    return {"error": error}


def _chat(answer: Answer, asked: dict[str, Any]) -> dict[str, Any]:
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
        "model": MODEL,
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": {
            "prompt_tokens": 100,
            "completion_tokens": 10,
            "total_tokens": 110,
            "prompt_tokens_details": {"cached_tokens": 64, "cache_write_tokens": 16},
            "completion_tokens_details": {"reasoning_tokens": 4},
        },
    }


_OPENAI_USAGE = {
    "input_tokens": 100,
    "input_tokens_details": {"cached_tokens": 64, "cache_write_tokens": 16},
    "output_tokens": 10,
    "output_tokens_details": {"reasoning_tokens": 4},
    "total_tokens": 110,
}


def _response(answer: Answer, asked: dict[str, Any]) -> dict[str, Any]:
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
        "model": MODEL,
        "output": [
            {"type": "reasoning", "id": "rs", "summary": []},
            {"type": "message", "id": "m", "role": "assistant", "status": status, "content": [part]},
        ],
        "usage": _OPENAI_USAGE,
    }


def _output_text(text: str | None) -> dict[str, Any]:
    return {"type": "output_text", "text": text or "", "annotations": [], "logprobs": []}


def _message(answer: Answer, asked: dict[str, Any]) -> dict[str, Any]:
    stops = {"cut_off": "max_tokens", "refused": "refusal", "filtered": "refusal"}
    return {
        "id": "msg",
        "type": "message",
        "role": "assistant",
        "model": MODEL,
        "content": [
            {"type": "thinking", "thinking": "", "signature": "s"},
            {"type": "text", "text": answer.text or ""},
        ],
        "stop_reason": stops.get(answer.stop, "end_turn"),
        "stop_sequence": None,
        "usage": {
            "input_tokens": 20,
            "cache_read_input_tokens": 64,
            "cache_creation_input_tokens": 16,
            "output_tokens": 10,
            "output_tokens_details": {"thinking_tokens": 4},
        },
    }


def _decision(answer: Answer, asked: dict[str, Any]) -> dict[str, Any]:
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
    return {"model": MODEL, "answers": [said], "usage": _OPENAI_USAGE}


FORMS = {
    "/chat/completions": _chat,
    "/responses": _response,
    "/messages": _message,
    "/decisions": _decision,
}
"""How each API answers, by the end of its path."""


def item_of(asked: dict[str, Any]) -> dict[str, Any]:
    """The pair that a request asks about, in whichever API."""
    last = (asked.get("messages") or asked["input"])[-1]["content"]
    text = last if isinstance(last, str) else last[0]["text"]
    data: dict[str, Any] = json.loads(text[text.index("{") :])
    return data
