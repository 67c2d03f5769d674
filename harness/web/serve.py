"""The viewer's server: open a socket to know the address, then run uvicorn on it until Ctrl-C."""

import socket
from ipaddress import ip_address

import uvicorn
from starlette.types import ASGIApp

from harness.errors import BadInput
from harness.storage.project import Project
from harness.web.app import create_app
from harness.web.guard import LOCAL, is_local
from harness.web.patience import PatientProtocol, backlog

GRACE = 2
"""Seconds for pages in transfer to finish when the viewer stops."""


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free port. BadInput if the address or port is not available."""
    try:
        family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as error:
        raise BadInput(f"--host {host}: no such address ({error})") from None
    made = socket.socket(family, kind, proto)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind(address)
        made.listen(backlog())
    except OSError as error:
        made.close()
        hint = "; --port 0 takes a free one" if port else ""
        raise BadInput(f"{host}, port {port}: {error.strerror}{hint}") from None
    return made


def address_of(server: socket.socket) -> str:
    """The address for a browser on this machine."""
    host, port = server.getsockname()[:2]
    if is_unspecified(server):
        host = "::1" if server.family == socket.AF_INET6 else "127.0.0.1"
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def is_unspecified(server: socket.socket) -> bool:
    """Whether the server listens at every address of the machine (0.0.0.0 or ::)."""
    return ip_address(server.getsockname()[0]).is_unspecified


def is_open(server: socket.socket) -> bool:
    """Whether other machines can reach the server."""
    return not ip_address(server.getsockname()[0]).is_loopback


def viewer(project: Project, host: str) -> uvicorn.Server:
    """The server of a project's pages. `host`: the name it listens at; browsers may use it."""
    return server_of(create_app(project, LOCAL | {host.lower()}, rate=is_local(host)))


def server_of(app: ASGIApp) -> uvicorn.Server:
    """A server that logs no address, since it may be a rater's link, and closes slow connections.

    Headers do not tell who sent a request: anybody can send X-Forwarded-For, and a proxy may pass it on.
    """
    config = uvicorn.Config(
        app,
        http=PatientProtocol,
        ws="none",
        backlog=backlog(),
        proxy_headers=False,
        # Requests of strangers are not logged: they could fill the disk.
        log_level="error",
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=GRACE,
    )
    return uvicorn.Server(config)
