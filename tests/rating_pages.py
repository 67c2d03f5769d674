"""A raters' server on loopback with a link for each rater, its pages in a browser, and what they stored."""

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from builders import CLAUSE, examples, policy_text, write_project
from playwright.sync_api import Browser, BrowserContext, Page
from rounds import add_round

from harness.golden.rating.answers import Answer, AnswerLog
from harness.golden.rating.links import invite
from harness.golden.rating.rounds import ANSWERS, OpenRound
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


def a_round(
    root: Path, raters: Sequence[str] = ("ann", "bob"), grades: Sequence[int] = (0, 1, 2), queries: int = 8
) -> OpenRound:
    """A round in a project with clauses, that asks for no reason."""
    project = write_project(root, grades=grades, golden=examples(grades, queries))
    path = root / "policies/small/v1.toml"
    path.write_text(policy_text(grades=grades, clauses=CLAUSE), encoding="utf-8")
    return add_round(project, raters, reasons=0)


def stored(opened_round: OpenRound, rater: str = "ann") -> dict[int, Answer]:
    with AnswerLog(opened_round.folder / ANSWERS) as log:
        return log.current(rater)


def grades(opened_round: OpenRound, rater: str = "ann") -> dict[int, int | None]:
    return {place: one.grade for place, one in stored(opened_round, rater).items()}


def events(opened_round: OpenRound, rater: str = "ann") -> list[str]:
    with AnswerLog(opened_round.folder / ANSWERS) as log:
        return [one.event for whose, one in log.all() if whose == rater]


def ready(page: Page) -> None:
    page.locator(".rate-grade").first.wait_for()


def saved(page: Page) -> None:
    """Wait until the page says that all are saved."""
    page.locator("#saved", has_text="All saved").wait_for()


def count(page: Page) -> str:
    return page.locator("#count").inner_text()


@contextmanager
def opened_offline(where: str | None, browser: Browser) -> Iterator[Page]:
    """A page whose network fails: the browser notes that on its console, which is no fault of the page."""
    context: BrowserContext = browser.new_context(viewport={"width": 1280, "height": 900})
    faults: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: faults.append(str(error)))
    if where:
        page.goto(where)
        ready(page)
    yield page
    context.close()
    assert not faults
