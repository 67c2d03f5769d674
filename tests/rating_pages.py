"""A raters' server on loopback, with a link for each rater."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from harness.golden.rating.links import invite
from harness.golden.rating.rounds import OpenRound
from harness.storage.project import Project
from harness.web.rating.desk import Desk
from harness.web.rating.serve import rating_server
from harness.web.serve import address_of, listen


@dataclass(frozen=True)
class Served:
    """A server with its address, and the link of each rater."""

    address: str
    links: dict[str, str]
    desk: Desk


@contextmanager
def rating(project: Project, opened: OpenRound, public: str | None = None) -> Iterator[Served]:
    """The raters' server of a round, for as long as the block lasts."""
    listening = listen("127.0.0.1", 0)
    with rated_at(listening, project, opened, public) as served:
        yield served


@contextmanager
def rated_at(
    listening: socket.socket, project: Project, opened: OpenRound, public: str | None = None
) -> Iterator[Served]:
    """The same at a socket."""
    desk = Desk(project, opened)
    server = rating_server((desk,), "127.0.0.1", public)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    address = address_of(listening).rstrip("/")
    try:
        links = {rater: f"{address}/rate/{invite(opened.folder, rater)}" for rater in opened.round.raters}
        yield Served(address, links, desk)
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        desk.close()
        assert not thread.is_alive(), "the server did not stop"
