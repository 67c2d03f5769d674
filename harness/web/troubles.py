"""Error pages of an app: for unknown addresses, bad input, our own faults, and foreign hosts."""

from collections.abc import Callable
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from harness.errors import BadInput
from harness.web.guard import HostGuard
from harness.web.pages import static

PLAIN = "There is no page at this address."


@dataclass(frozen=True, slots=True)
class Troubles:
    """The error pages of an app, which `page` renders.

    `server`: what the app is called. `refused`: the title and the line for a method that a page does not
    allow; `{method}` names it. `foreign`: the line about a foreign Host header.
    """

    server: str
    refused: tuple[str, str]
    foreign: str
    page: Callable[[int, str, tuple[str, ...]], Response]

    def app(self, routes: list[Route], names: frozenset[str]) -> ASGIApp:
        """The app. `names`: the host names, besides IP addresses, that requests may use."""
        handlers = {HTTPException: self._http, BadInput: self._bad_input, Exception: self._our_fault}
        return HostGuard(Starlette(routes=routes, exception_handlers=handlers), self.refuse_host, names)

    def _http(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException), "registered for these alone"
        title, line = "The request failed", str(error.detail)
        if error.status_code == 404:
            title, line = "There is no such page", PLAIN if line == "Not Found" else line
        elif error.status_code == 405:
            title, line = self.refused[0], self.refused[1].format(method=request.method)
        return self.page(error.status_code, title, (line,))

    def _bad_input(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, BadInput), "registered for these alone"
        return self.page(400, "This page cannot be shown", tuple(map(str, error.faults)))

    def _our_fault(self, request: Request, error: Exception) -> Response:
        line = f"{type(error).__name__}: the {self.server} has a fault. See its terminal for details."
        return self.page(500, f"The {self.server} failed", (line,))

    async def refuse_host(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The answer to a request with a foreign Host header."""
        await self.page(421, "Unknown host name", (self.foreign,))(scope, receive, send)


def static_file(request: Request) -> Response:
    """A style or a script. HTTPException for any other name."""
    found = static(request.path_params["name"])
    if found is None:
        raise HTTPException(404, "there is no such file")
    return found
