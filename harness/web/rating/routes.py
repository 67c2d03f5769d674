"""The routes of the rating pages. A rater needs only the address of a link, and nothing else gives access."""

from collections.abc import Callable, Iterable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from harness.web.forms import form
from harness.web.pages import templates
from harness.web.rating.desk import Desk
from harness.web.rating.faults import Faults
from harness.web.rating.limits import Limit
from harness.web.rating.shown import content_policy

UNKNOWN = "This link is not known, or it was revoked. Ask the person who sent it for another one."
"""The answer to every invalid link: it does not tell a wrong one from a revoked one."""
BUSY = "Too many requests. Wait a moment, and try again."
PER_LINK = 50.0, 100
"""Requests a second and at once: a person who holds a key down stays under it."""
WRONG_PER_ADDRESS = 0.2, 20
WRONG_IN_ALL = 5.0, 200
"""Limit for wrong links. A valid one is never slowed by it: behind a proxy all raters have one address."""


class RatingPages:
    """The pages of open rounds. `public`: the address that browsers use, where a proxy stands in front."""

    def __init__(self, desks: Callable[[], Iterable[Desk]], public: str | None = None) -> None:
        self._desks, self._public, self._faults = desks, public, Faults()
        self._links, self._wrong, self._all = (
            Limit(*PER_LINK),
            Limit(*WRONG_PER_ADDRESS),
            Limit(*WRONG_IN_ALL),
        )

    def routes(self) -> list[Route]:
        """The routes."""
        return [
            Route("/rate/{token}", self._faults.hidden(self.page)),
            Route("/rate/{token}/", self._faults.hidden(self.page)),
            Route("/rate/{token}/state.json", self._faults.hidden(self.state)),
            form("/rate/{token}/answers", self._faults.hidden(self.take), self._public),
            form("/rate/{token}/seal", self._faults.hidden(self.seal), self._public),
        ]

    def page(self, request: Request) -> Response:
        """The rating page. It has no data of the round: its script asks for them."""
        desk, _ = self._let_in(request)
        show = desk.opened.round.show
        text = templates().get_template("rate.html.j2").render()
        return HTMLResponse(text, headers={"Content-Security-Policy": content_policy(show)})

    def state(self, request: Request) -> Response:
        """What the page shows."""
        desk, rater = self._let_in(request)
        return JSONResponse(desk.state(rater))

    def take(self, request: Request, data: Any) -> Response:
        """Store answers. The response confirms only what is on the disk."""
        desk, rater = self._let_in(request)
        return JSONResponse(desk.take(rater, data))

    def seal(self, request: Request, data: Any) -> Response:
        """Close the rater's set."""
        desk, rater = self._let_in(request)
        return JSONResponse(desk.seal(rater))

    def _let_in(self, request: Request) -> tuple[Desk, str]:
        token = request.path_params["token"]
        for desk in self._desks():
            rater = desk.rater(token)
            if rater is not None:
                if not self._links.take(f"{desk.folder} {rater}"):
                    raise HTTPException(429, BUSY, {"Retry-After": "1"})
                return desk, rater
        address = request.client.host if request.client else ""
        if not (self._wrong.take(address) and self._all.take("")):
            raise HTTPException(429, BUSY, {"Retry-After": "5"})
        raise HTTPException(404, UNKNOWN)
