"""The raters' server: it has only the rating pages, so a team's server never shows a grade."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from harness.web.guard import HostGuard
from harness.web.pages import RATING, static, templates
from harness.web.rating.desk import Desk
from harness.web.rating.routes import RatingPages

FILES = frozenset({"style.css", "viewer.css", *RATING})
NOTHING = "There is no page at this address. Open the link that you were given."


def rating_app(desks: tuple[Desk, ...], names: frozenset[str], public: str | None = None) -> ASGIApp:
    """The rating pages of open rounds. `names`: the host names that requests may use besides IP addresses."""
    app = Starlette(
        routes=[*RatingPages(lambda: desks, public).routes(), Route("/static/{name}", _static)],
        exception_handlers={HTTPException: _trouble, Exception: _our_fault},
    )
    # A redirect would name the address in full: http, where a proxy's browsers use https.
    app.router.redirect_slashes = False
    return HostGuard(app, _foreign, names)


def trouble_page(status: int, title: str, line: str) -> HTMLResponse:
    """A page that says what is wrong."""
    text = templates().get_template("rate-trouble.html.j2").render(title=title, line=line)
    return HTMLResponse(text, status_code=status)


def _static(request: Request) -> Response:
    name = request.path_params["name"]
    found = static(name) if name in FILES else None
    if found is None:
        raise HTTPException(404, NOTHING)
    return found


def _trouble(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException), "registered for these alone"
    detail = NOTHING if error.detail == "Not Found" else str(error.detail)
    titles = {404: "No rating here", 405: "Not possible here", 429: "Wait a moment"}
    shown = trouble_page(error.status_code, titles.get(error.status_code, "The request failed"), detail)
    shown.headers.update(error.headers or {})
    return shown


def _our_fault(request: Request, error: Exception) -> Response:
    line = "The server has a fault. What it confirmed as saved is saved. Tell the person who runs it."
    return trouble_page(500, "The server failed", line)


async def _foreign(scope: Scope, receive: Receive, send: Send) -> None:
    line = "This server answers to another name. Open the link as you were given it."
    await trouble_page(421, "Unknown host name", line)(scope, receive, send)
