"""The demo server: every model API on loopback, without a model, to try the network path."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from harness.demo.answers import (
    BATCHED,
    SAYS,
    SPOKEN,
    DemoGrader,
    Served,
    batching,
    canned,
    form_at,
    graded_by,
    rejected,
)
from harness.demo.faults import failing, late
from harness.errors import BadInput
from harness.policy.load import load_named
from harness.storage.project import Project


@dataclass(frozen=True)
class Conduct:
    """How the server behaves."""

    latency: float
    """Seconds before every answer."""
    faults: float
    """Share of the requests that fail."""
    seed: int
    """Seed that chooses the requests that fail."""
    batch: float
    """Seconds that a batch takes."""
    canned: bool
    """Whether to answer each grade in turn, without reading requests."""


def answers_of(project: Project, policy: str, conduct: Conduct) -> Served:
    """How the server answers, by a policy of a project."""
    if conduct.canned:
        serve = canned(load_named(project, policy).scale)
    else:
        baseline = DemoGrader(project, policy)
        serve = batching(baseline, conduct.batch, graded_by(baseline))
    serve = failing(conduct.faults, conduct.seed, serve) if conduct.faults else serve
    return late(conduct.latency, serve) if conduct.latency else serve


def routed(serve: Served) -> Served:
    """Serves each API at its path, with any prefix."""

    async def route(request: web.BaseRequest) -> web.StreamResponse:
        if (request.method == "POST" and form_at(request.path)) or BATCHED.search(request.path):
            return await serve(request)
        spoken_at = f"It answers POST at {', '.join(SPOKEN)}, and both batch APIs."
        return rejected(request.path, f"{SAYS} {spoken_at}", 404)

    return route


@asynccontextmanager
async def listening(serve: Served, port: int) -> AsyncIterator[str]:
    """Serve until the block ends, at the address that it yields."""
    # The bare server: an Application's routing would cost as much as the answer.
    runner = web.ServerRunner(web.Server(routed(serve), access_log=None), shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        (address, *_) = runner.addresses
        yield f"http://127.0.0.1:{address[1]}/v1"
    finally:
        await runner.cleanup()


async def serve_until_interrupted(serve: Served, port: int, tell: Callable[[str], None]) -> None:
    """Serve until interrupted; `tell` is told the address. BadInput if the port is not available."""
    try:
        async with listening(serve, port) as url:
            tell(url)
            await asyncio.Event().wait()
    except OSError as error:
        raise BadInput(f"port {port}: {os.strerror(error.errno or 0)}; --port 0 takes a free one") from None
