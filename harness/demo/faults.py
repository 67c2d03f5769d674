"""The faults of real servers, on purpose: late answers, errors, half an answer, no answer."""

import asyncio
import random
from collections.abc import Awaitable, Callable

from aiohttp import web

from harness.demo.answers import Served, spoken, whole
from harness.demo.wire import WireFault


def failing(share: float, seed: int, serve: Served) -> Served:
    """Fails a share of the requests, in the ways of real servers."""
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
        response = spoken(request.path, WireFault(name, "a fault that --faults asked for"), {}, code)
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
    """Answers so many seconds after the request came, which include the time to make the answer."""

    async def wait(request: web.BaseRequest) -> web.StreamResponse:
        clock = asyncio.get_running_loop().time
        ready_at = clock() + seconds
        response = await serve(request)
        await asyncio.sleep(ready_at - clock())
        return response

    return wait
