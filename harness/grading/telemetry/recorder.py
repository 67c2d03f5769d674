"""Records each question: a span of the question, one for each call, and an event of its grade."""

import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from harness.errors import CallError, FatalError, RejectedError, TransientError
from harness.golden.rating.sheet import CODE_LENGTH
from harness.grading.live.ask import DEADLINE
from harness.grading.plan import Plan
from harness.grading.telemetry.content import FINISH, prompt_said, reply_said
from harness.grading.telemetry.export import Exporter
from harness.grading.telemetry.messages import (
    CLIENT,
    INTERNAL,
    SPAN_ID,
    TRACE_ID,
    Attributes,
    Value,
    error,
    event_head,
    event_of,
    new_id,
    span_head,
    span_of,
    written,
)
from harness.nouns.records import Failed, Grade, Key, Prompt, Record, Reply
from harness.providers import asks_a_server, base_url_of, is_prompted, sold_as
from harness.runs.manifest import Asked
from harness.storage.digest import short_of


@dataclass(slots=True)
class Question:
    """A question in flight: its trace, and the span of its last call."""

    trace: bytes
    span: bytes
    began: int
    calls: int = 0
    last: bytes | None = None


@dataclass(slots=True)
class OpenCall:
    """A call in flight."""

    question: Question
    prompt: Prompt
    began: int


class Recorder:
    """Makes spans and events of a run. `run`: the name of the run's folder."""

    def __init__(self, plan: Plan, run: str, exporter: Exporter, *, content: bool) -> None:
        self._exporter = exporter
        self._content = content
        self._names = {level.value: level.name for level in plan.policy.grades}
        self._open: dict[Key, Question] = {}
        own = {"harness.run": run, "harness.policy": plan.policy.label, "harness.prompt": plan.asked.prompt}
        metric = {"gen_ai.evaluation.name": plan.policy.label}
        told = {**call_attributes(plan.asked), **own}
        self._call = span_head(f"chat {told['gen_ai.request.model']}", CLIENT, told)
        self._asked = span_head(f"grade {plan.policy.name}", INTERNAL, {**own, **metric})
        self._result = event_head({**metric, **own})
        self.calls = is_prompted(plan.asked.model)
        """Whether a model is called: builtin and replayed grades come from none."""

    def begin(self, prompt: Prompt) -> OpenCall:
        """A call is about to be made."""
        now = time.time_ns()
        question = self._open.get((prompt.item, prompt.repeat))
        if question is None:
            question = question_of(prompt.pair.digest, now)
            self._open[prompt.item, prompt.repeat] = question
        question.calls += 1
        return OpenCall(question, prompt, now)

    def answered(self, call: OpenCall, reply: Reply) -> None:
        """The call brought a reply."""
        found: dict[str, Value | None] = {
            "gen_ai.response.model": reply.model or None,
            "gen_ai.response.finish_reasons": (FINISH[reply.stop],),
        }
        if usage := reply.usage:
            found["gen_ai.usage.input_tokens"] = usage.input_tokens
            found["gen_ai.usage.output_tokens"] = usage.output_tokens
            found["gen_ai.usage.cache_read.input_tokens"] = usage.cached_tokens or None
            found["gen_ai.usage.cache_creation.input_tokens"] = usage.written_tokens or None
            found["gen_ai.usage.reasoning.output_tokens"] = usage.reasoning_tokens or None
        if self._content:
            found |= reply_said(reply)
        self._end_call(call, found)

    def broke(self, call: OpenCall, why: BaseException) -> None:
        """The call failed, or was broken off."""
        late = time.time_ns() - call.began >= DEADLINE * 1e9
        # A server can repeat the prompt in its error.
        status = error(str(why) if self._content else "")
        self._end_call(call, {"error.type": error_type(why, late=late)}, status)

    def _end_call(self, call: OpenCall, told: Attributes, status: bytes = b"") -> None:
        """Send the span of a call that ends now."""
        question = call.question
        question.last = new_id(SPAN_ID)
        ids = question.trace, question.last, question.span
        own: Attributes = {"harness.attempt": question.calls if question.calls > 1 else None}
        said = prompt_said(call.prompt) if self._content else {}
        found = written({**own, **said, **told})
        self._exporter.span(span_of(self._call, ids, (call.began, time.time_ns()), found, status))

    def recorded(self, record: Record) -> None:
        """A question has its outcome."""
        now = time.time_ns()
        question = self._open.pop(record.key, None) or question_of(record.pair, now)
        told, status = written(self._told_of(record)), b""
        more = {
            "harness.attempts": record.attempts,
            "harness.cost_usd": record.cost,
            "harness.cached_reply": record.cached_reply or None,
        }
        if not isinstance(record.outcome, Grade):
            kind = "failed" if isinstance(record.outcome, Failed) else record.outcome.cause
            status = error(record.outcome.detail if self._content else "")
            told += written({"error.type": kind})
        self._end_question(question, now, told + written(more), status)
        last = question.last or question.span
        self._exporter.event(event_of(self._result, question.trace, last, now, told))

    def _told_of(self, record: Record) -> Attributes:
        """The attributes that span and event share."""
        outcome = record.outcome
        grade = outcome if isinstance(outcome, Grade) else None
        return {
            "gen_ai.evaluation.score.value": float(grade.value) if grade else None,
            "gen_ai.evaluation.score.label": self._names.get(grade.value) if grade else None,
            "gen_ai.evaluation.explanation": grade.reasoning if grade and self._content else None,
            "harness.pair": code_in(record.pair),
            "harness.repeat": record.repeat or None,
            # An id may contain the query and the product.
            "harness.item": record.example if self._content else None,
        }

    def _end_question(self, question: Question, now: int, told: list[bytes], status: bytes) -> None:
        """Send the span of a question."""
        ids, times = (question.trace, question.span, b""), (question.began, now)
        self._exporter.span(span_of(self._asked, ids, times, told, status))

    def end(self) -> None:
        """The run ends: questions without an outcome were broken off."""
        now = time.time_ns()
        for question in self._open.values():
            told = written({"harness.attempts": question.calls, "error.type": "interrupted"})
            self._end_question(question, now, told, error())
        self._open.clear()


def code_in(digest: str) -> str:
    """The code of a pair, by its digest."""
    return short_of(digest, CODE_LENGTH)


def question_of(digest: str, began: int) -> Question:
    """Begin a question. Its ids begin with the code of its pair, so that scores name the pair."""
    code = bytes.fromhex(code_in(digest))
    return Question(new_id(TRACE_ID, code), new_id(SPAN_ID, code), began)


def call_attributes(asked: Asked) -> Attributes:
    """The common attributes of a run's calls, by the names of the conventions."""
    sold = sold_as(asked.model)
    home = f"https://{sold.vendor.home}" if sold.vendor else None
    address = asked.base_url or base_url_of(sold.provider) or home
    parts = urlsplit(address) if address and asks_a_server(sold.provider) else None
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": sold.vendor.id if sold.vendor else sold.provider,
        "gen_ai.request.model": sold.model,
        "gen_ai.request.temperature": asked.temperature,
        "gen_ai.request.seed": asked.seed,
        "gen_ai.request.max_tokens": asked.max_tokens,
        "gen_ai.output.type": "text" if asked.no_schema else "json",
        "server.address": parts.hostname if parts else None,
        "server.port": (parts.port or (443 if parts.scheme == "https" else 80)) if parts else None,
    }


def error_type(error: BaseException, *, late: bool = False) -> str:
    """Why a call failed, as one of a few words."""
    if isinstance(error, TransientError):
        return "rate_limit" if error.busy else "transient"
    if isinstance(error, RejectedError):
        return "rejected"
    if isinstance(error, FatalError):
        return "fatal"
    if isinstance(error, CallError | Exception):
        return type(error).__name__
    return "timeout" if late else "cancelled"
