"""The raters' server."""

from urllib.parse import urlsplit

import uvicorn

from harness.web.guard import LOCAL
from harness.web.rating.app import rating_app
from harness.web.rating.desk import Desk
from harness.web.serve import server_of


def rating_server(desks: tuple[Desk, ...], host: str, public: str | None = None) -> uvicorn.Server:
    """The server of open rounds. `host`: the name it listens at. `public`: the address behind a proxy."""
    names = {host.lower(), urlsplit(public or "").hostname or ""} - {""}
    return server_of(rating_app(desks, LOCAL | names, public))
