"""`make demo-server`: every model API on loopback, without a model, so that the network path can be tried.

The grades are builtin/lexical's, and every answer says so.
"""

import asyncio
import errno
import json
import math
import random
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import count, repeat
from pathlib import Path
from typing import Annotated, Any

import typer
from aiohttp import web
from spoken import FORMS, Answer, Fault, Tokens, item_of, prompt_of, say, scale_of
from spoken_batches import BatchDesk, Fate, Item

from harness.errors import HarnessError
from harness.grading.plan import make_plan, setup_of
from harness.nouns.pair import Pair
from harness.nouns.records import Grade, Prompt
from harness.policy.load import load_policy, policy_path
from harness.prompting.answer import answer_text, read_grade
from harness.providers import open_teacher
from harness.providers.base import Teacher
from harness.runs.manifest import Asked
from harness.storage.project import Project

MODEL = "demo-baseline"
BASELINE = "builtin/lexical"
SAYS = f"Demo answer: no language model read this, {BASELINE} graded it."
SPOKEN = [end for end in FORMS if end != "/decisions"]
"""Where it answers. A decision is a probability for every grade: the wire forms hold one answer alone."""
BATCHED = re.compile(r"/(files|batches)(/|$)")
MANY = Tokens(cached=20_000)
"""More than any prompt of ours has: fewer would look like a server that cuts the prompt."""
Served = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Baseline:
    """The grader behind the server, trained on a policy's shots as `harness eval` trains it."""

    def __init__(self, project: Project, policy: str) -> None:
        asked = Asked(model=BASELINE, policy=policy, prompt="teacher", splits=("dev",))
        plan = make_plan(project, asked)
        self.scale = plan.policy.scale
        self.label = plan.policy.label
        self._teacher: Teacher = open_teacher(BASELINE, setup_of(project, plan))
        self._known: set[int] = set()

    async def answer(self, asked: dict[str, Any]) -> Answer | Fault:
        """The answer to a request in any API, in the answer form."""
        scale = scale_of(asked)
        if scale is not None and tuple(scale) != self.scale:
            return Fault("invalid_request_error", f"this demo server grades by {self.label}: {self.scale}")
        try:
            pair = Pair.model_validate(item_of(asked))
        except (ValueError, LookupError, TypeError) as error:
            return Fault("invalid_request_error", f"the last message does not end in a pair as JSON: {error}")
        reply = await self._teacher.ask(Prompt(item="", repeat=0, messages=(), pair=pair))
        grade = read_grade(reply, self.scale)
        assert isinstance(grade, Grade), "the baseline answers in the form"
        text = answer_text(f"{SAYS} {grade.reasoning}", [], grade.value)
        return Answer(text, model=MODEL, tokens=self._tokens(prompt_of(asked), text))

    def _tokens(self, prompt: list[str], answer: str) -> Tokens:
        """Four letters count as a token. All but the last message is in the cache from its second use on."""
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


def graded_by(baseline: Baseline) -> Served:
    """Answers with the baseline's grade."""

    async def serve(request: web.BaseRequest) -> web.StreamResponse:
        try:
            asked = json.loads(await whole(request))
        except ValueError:
            return spoken(request.path, Fault("invalid_request_error", "the body is not JSON"), {}, 400)
        said = await baseline.answer(asked)
        return spoken(request.path, said, asked, 400 if isinstance(said, Fault) else 200)

    return serve


MANY = Tokens(new=20_000)
"""As many as any prompt has: a server that read fewer than the constant prefix has would be found out."""


def canned(scale: tuple[int, ...]) -> Served:
    """Answers with each grade of the scale in turn and reads nothing: for measuring who asks."""
    turn = count()
    ready = {
        end: [
            json.dumps(say(end, Answer(answer_text(SAYS, [], grade), model=MODEL, tokens=MANY), {})).encode()
            for grade in scale
        ]
        for end in SPOKEN
    }

    async def serve(request: web.BaseRequest) -> web.StreamResponse:
        await whole(request)
        bodies = ready.get(_end(request.path))
        if bodies is None:
            return spoken(request.path, Fault("not_found_error", "no batches with --canned"), {}, 404)
        return web.Response(body=bodies[next(turn) % len(bodies)], content_type="application/json")

    return serve


def spoken(path: str, said: Answer | Fault, asked: dict[str, Any], status: int) -> web.Response:
    """An answer or an error in the words of the API that was asked."""
    return web.json_response(say(path, said, asked), status=status)


def failing(share: float, seed: int, serve: Served) -> Served:
    """The same, but for a share of the requests that fail in every way that a real server does."""
    draw = random.Random(seed)

    async def fail(request: web.BaseRequest) -> web.StreamResponse:
        if draw.random() >= share:
            return await serve(request)
        return await draw.choice(WAYS)(request, serve)

    return fail


def status(
    code: int, name: str, **headers: str
) -> Callable[[web.BaseRequest, Served], Awaitable[web.Response]]:
    """An error of that status."""

    async def fail(request: web.BaseRequest, serve: Served) -> web.Response:
        await whole(request)
        response = spoken(request.path, Fault(name, "a fault that --faults asked for"), {}, code)
        response.headers.update({key.replace("_", "-"): value for key, value in headers.items()})
        return response

    return fail


async def drop(request: web.BaseRequest, serve: Served) -> web.Response:
    """No answer: the connection goes."""
    await whole(request)
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def half(request: web.BaseRequest, serve: Served) -> web.Response:
    """A good answer, broken off in the middle of its JSON."""
    response = await serve(request)
    assert isinstance(response, web.Response) and isinstance(response.body, bytes), "small answers are whole"
    return web.Response(body=response.body[: len(response.body) // 2], content_type="application/json")


WAYS: tuple[Callable[[web.BaseRequest, Served], Awaitable[web.StreamResponse]], ...] = (
    status(429, "rate_limit_exceeded", Retry_After="1"),
    status(500, "api_error"),
    status(503, "overloaded_error"),
    drop,
    half,
)


def late(seconds: float, serve: Served) -> Served:
    """The same, so long after the request came: what it takes to answer is part of that."""

    async def wait(request: web.BaseRequest) -> web.StreamResponse:
        clock = asyncio.get_running_loop().time
        ready_at = clock() + seconds
        response = await serve(request)
        await asyncio.sleep(ready_at - clock())
        return response

    return wait


def _end(path: str) -> str:
    return next((end for end in SPOKEN if path.endswith(end)), "")


def batching(baseline: Baseline, seconds: float, serve: Served) -> Served:
    """The same, and batches that take so long."""

    def answer(path: str, asked: dict[str, Any]) -> Item:
        said = asyncio.run(baseline.answer(asked))
        return 400 if isinstance(said, Fault) else 200, say(path, said, asked)

    desk = BatchDesk(answer, repeat(Fate(seconds=seconds, looks=0)))

    async def take(request: web.BaseRequest) -> web.StreamResponse:
        if not BATCHED.search(request.path):
            return await serve(request)
        raw, kind = await whole(request), request.headers.get("Content-Type", "")
        # In a thread: a batch is graded as a whole, and the others are not to wait for it.
        said = await asyncio.to_thread(desk.handle, request.method, request.path_qs, kind, raw)
        if said is None:
            return spoken(request.path, Fault("not_found_error", f"nothing is at {request.path}"), {}, 404)
        return web.Response(text=said.text, status=said.status, content_type="application/json")

    return take


def routed(serve: Served) -> Served:
    """Each API at its path, whatever stands before it."""

    async def route(request: web.BaseRequest) -> web.StreamResponse:
        if (request.method == "POST" and _end(request.path)) or BATCHED.search(request.path):
            return await serve(request)
        what = f"{SAYS} It answers POST at {', '.join(SPOKEN)}, and both batch APIs."
        return spoken(request.path, Fault("not_found_error", what), {}, 404)

    return route


@asynccontextmanager
async def listening(serve: Served, port: int) -> AsyncIterator[str]:
    """The address at which it is served until the block ends."""
    # The bare server: an Application's routing would cost as much as the answer.
    runner = web.ServerRunner(web.Server(routed(serve), access_log=None), shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        (address, *_) = runner.addresses
        yield f"http://127.0.0.1:{address[1]}/v1"
    finally:
        await runner.cleanup()


async def run(serve: Served, port: int) -> None:
    """Serve until interrupted."""
    async with listening(serve, port) as url:
        typer.echo(f"The demo server answers at {url}; Ctrl-C ends it. {SAYS}")
        typer.echo(f"In another terminal: make eval MODEL=openai/demo FLAGS='--base-url {url}'")
        await asyncio.Event().wait()


def main(
    port: Annotated[int, typer.Option(help="0 takes a free one.")] = 8123,
    latency: Annotated[float, typer.Option(min=0, help="Milliseconds before every answer.")] = 0.0,
    faults: Annotated[float, typer.Option(min=0, max=1, help="Share of requests that fail.")] = 0.0,
    seed: Annotated[int, typer.Option(help="Which of them.")] = 0,
    policy: Annotated[str, typer.Option(help="The policy whose shots are learned from.")] = "product-search",
    root: Annotated[Path, typer.Option(help="The project's folder.")] = Path(),
    batch: Annotated[float, typer.Option(min=0, help="Seconds that a batch takes.")] = 10.0,
    only_canned: Annotated[
        bool, typer.Option("--canned", help="Every grade in turn, unread: for measuring who asks.")
    ] = False,
) -> None:
    """Every model API on loopback, without a model: the grades are builtin/lexical's, and say so."""
    project = Project(root.resolve())
    try:
        if only_canned:
            serve = canned(load_policy(policy_path(project, policy)).scale)
        else:
            baseline = Baseline(project, policy)
            serve = batching(baseline, batch, graded_by(baseline))
        serve = failing(faults, seed, serve) if faults else serve
        asyncio.run(run(late(latency / 1000, serve) if latency else serve, port))
    except (HarnessError, OSError) as error:
        taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        typer.echo(f"Port {port} is taken: name another with --port." if taken else str(error), err=True)
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


if __name__ == "__main__":
    typer.run(main)
