"""How the demo server answers a request: with the grade of builtin/lexical, and every answer says so."""

import asyncio
import json
import math
import re
from collections.abc import Awaitable, Callable
from itertools import count, repeat
from typing import Any

from aiohttp import web

from harness.demo.batch_apis import BatchDesk
from harness.demo.batch_lines import Fate, Item
from harness.demo.wire import FORMS, Tokens, WireAnswer, WireFault, item_of, prompt_of, say, scale_of
from harness.grading.plan import make_plan, setup_of
from harness.nouns.pair import Pair
from harness.nouns.records import Grade, Prompt
from harness.prompting.answer import answer_text, read_grade
from harness.providers import open_teacher
from harness.providers.base import Teacher
from harness.runs.manifest import Asked
from harness.storage.project import Project

MODEL = "demo-baseline"
BASELINE = "builtin/lexical"
SAYS = f"Demo answer: no language model read this, {BASELINE} graded it."
CANNOT_LEARN = "Demo answer: no language model read this. The demo server cannot learn: it proposes nothing."
PROPOSING = "<template>"
"""The beginning of the last message of a request for a better template instead of a grade."""
SPOKEN = [end for end in FORMS if end != "/decisions"]
"""The paths it answers at. /decisions needs a probability for every grade; a WireAnswer has one grade."""
BATCHED = re.compile(r"/(files|batches)(/|$)")
MANY = Tokens(new=20_000)
"""More than any prompt has: clients would notice fewer tokens than their constant prefix has."""
INVALID = "invalid_request_error"
Served = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class DemoGrader:
    """The grader behind the server, trained on a policy's shots as `harness eval` trains it."""

    def __init__(self, project: Project, policy: str) -> None:
        asked = Asked(model=BASELINE, policy=policy, prompt="teacher", splits=("dev",))
        plan = make_plan(project, asked)
        self.scale = plan.policy.scale
        self.label = plan.policy.label
        self._teacher: Teacher = open_teacher(BASELINE, setup_of(project, plan))
        self._known: set[int] = set()

    async def answer(self, asked: dict[str, Any]) -> WireAnswer | WireFault:
        """The answer to a request in any API: the baseline's grade."""
        told = prompt_of(asked)
        if told and told[-1].startswith(PROPOSING):
            return WireAnswer(CANNOT_LEARN, model=MODEL, tokens=self._tokens(told, CANNOT_LEARN))
        scale = scale_of(asked)
        if scale is not None and tuple(scale) != self.scale:
            return WireFault(INVALID, f"this demo server grades by {self.label}: {self.scale}")
        try:
            pair = Pair.model_validate(item_of(asked))
        except (ValueError, LookupError, TypeError) as error:
            return WireFault(INVALID, f"the last message does not end in a pair as JSON: {error}")
        reply = await self._teacher.ask(Prompt(item="", repeat=0, messages=(), pair=pair))
        grade = read_grade(reply, self.scale)
        assert isinstance(grade, Grade), "the baseline answers in the form"
        text = answer_text(f"{SAYS} {grade.reasoning}", [], grade.value)
        return WireAnswer(text, model=MODEL, tokens=self._tokens(told, text))

    def _tokens(self, prompt: list[str], answer: str) -> Tokens:
        """Count four letters as a token. All messages but the last are cached from their second use on."""
        prefix = hash(tuple(prompt[:-1]))
        constant = sum(map(_letters_as_tokens, prompt[:-1]))
        seen = prefix in self._known
        self._known.add(prefix)
        return Tokens(
            new=_letters_as_tokens(prompt[-1]),
            cached=constant if seen else 0,
            written=0 if seen else constant,
            out=_letters_as_tokens(answer),
            thinking=0,
        )


def _letters_as_tokens(text: str) -> int:
    return math.ceil(len(text) / 4)


async def whole(request: web.BaseRequest) -> bytes:
    """The body, from the stream: `request.read` takes no more than a megabyte."""
    return await request.content.read()


def spoken(path: str, said: WireAnswer | WireFault, asked: dict[str, Any], status: int) -> web.Response:
    """An answer or an error in the form of the API at a path."""
    return web.json_response(say(path, said, asked), status=status)


def rejected(path: str, what: str, status: int = 400) -> web.Response:
    """An error about a request, in the form of its API."""
    kind = "not_found_error" if status == 404 else INVALID
    return spoken(path, WireFault(kind, what), {}, status)


def graded_by(baseline: DemoGrader) -> Served:
    """Answers with the baseline's grade."""

    async def serve(request: web.BaseRequest) -> web.StreamResponse:
        try:
            asked = json.loads(await whole(request))
        except (ValueError, RecursionError):
            return rejected(request.path, "the body is not JSON")
        if not isinstance(asked, dict):
            return rejected(request.path, "the body is not an object")
        said = await baseline.answer(asked)
        return spoken(request.path, said, asked, 400 if isinstance(said, WireFault) else 200)

    return serve


def canned(scale: tuple[int, ...]) -> Served:
    """Answers with each grade of the scale in turn, without reading requests: to measure clients."""
    turn = count()
    answers = [WireAnswer(answer_text(SAYS, [], grade), model=MODEL, tokens=MANY) for grade in scale]
    ready = {end: [json.dumps(say(end, answer, {})).encode() for answer in answers] for end in SPOKEN}

    async def serve(request: web.BaseRequest) -> web.StreamResponse:
        await whole(request)
        bodies = ready.get(form_at(request.path))
        if bodies is None:
            return rejected(request.path, "no batches with --canned", 404)
        return web.Response(body=bodies[next(turn) % len(bodies)], content_type="application/json")

    return serve


def batching(baseline: DemoGrader, seconds: float, serve: Served) -> Served:
    """Serves batches too, each of which takes so many seconds."""

    def answer(path: str, asked: dict[str, Any]) -> Item:
        said = asyncio.run(baseline.answer(asked))
        return 400 if isinstance(said, WireFault) else 200, say(path, said, asked)

    desk = BatchDesk(answer, repeat(Fate(seconds=seconds, looks=0)))

    async def take(request: web.BaseRequest) -> web.StreamResponse:
        if not BATCHED.search(request.path):
            return await serve(request)
        raw, kind = await whole(request), request.headers.get("Content-Type", "")
        # In a thread, so that other requests do not wait until the whole batch is graded.
        try:
            said = await asyncio.to_thread(desk.handle, request.method, request.path_qs, kind, raw)
        except (LookupError, TypeError, ValueError) as error:
            return rejected(request.path, f"not a request of the batch APIs: {error}")
        if said is None:
            return rejected(request.path, f"nothing is at {request.path}", 404)
        return web.Response(text=said.text, status=said.status, content_type="application/json")

    return take


def form_at(path: str) -> str:
    """The end of a path that names an API; empty if it names none."""
    return next((end for end in SPOKEN if path.endswith(end)), "")
