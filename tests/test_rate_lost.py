"""The rating page loses nothing, and stores nothing twice: offline, in two tabs, over a killed server.

`HARNESS_RATED_PAIRS=500 pytest -s tests/test_rate_lost.py -k three` is the long form of three raters at once:
500 pairs each, a minute offline. It prints what it measured.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from statistics import median

import pytest
from browser import opened
from playwright.sync_api import Browser, Page, Route
from rating_pages import a_round, count, events, grades, opened_offline, rating, ready, saved

from harness.golden.rating.links import invite, revoke
from harness.golden.rating.rounds import LINKS
from harness.storage.project import Project

PAIRS = int(os.environ.get("HARNESS_RATED_PAIRS", "60"))
PLENTY = 1000
"""Milliseconds for a key on a machine that has other work: no measurement."""


# --- nothing is lost, nothing twice -------------------------------------------------------------------------


def test_answers_given_offline_are_kept_and_sent(tmp_path: Path, browser: Browser) -> None:
    opened_round = a_round(tmp_path)
    with (
        rating(Project(tmp_path), opened_round) as served,
        opened_offline(served.links["ann"], browser) as page,
    ):
        page.keyboard.press("1")
        saved(page)
        page.context.set_offline(True)
        for _ in range(4):
            page.keyboard.press("2")
        warning = page.locator("#saved", has_text="4 not yet saved: no connection; kept in this browser")
        warning.wait_for()
        assert count(page).startswith("5 of")
        assert grades(opened_round) == {0: 1}
        page.context.set_offline(False)
        saved(page)
        assert grades(opened_round) == {0: 1, 1: 2, 2: 2, 3: 2, 4: 2}
        page.reload()
        ready(page)
        assert count(page).startswith("5 of")
    assert len(events(opened_round)) == len(set(events(opened_round))) == 5


def test_answers_kept_in_a_browser_outlive_the_page(tmp_path: Path, browser: Browser) -> None:
    opened_round = a_round(tmp_path)
    with (
        rating(Project(tmp_path), opened_round) as served,
        opened_offline(served.links["ann"], browser) as page,
    ):
        page.context.set_offline(True)
        page.keyboard.press("2")
        page.locator("#saved", has_text="1 not yet saved").wait_for()
        page.close(run_before_unload=False)
        page.context.set_offline(False)
        later = page.context.new_page()
        later.goto(served.links["ann"])
        ready(later)
        saved(later)
        assert count(later).startswith("1 of")
    assert grades(opened_round) == {0: 2}


@pytest.mark.slow
def test_a_page_with_unsaved_answers_asks_before_it_closes(tmp_path: Path, browser: Browser) -> None:
    opened_round = a_round(tmp_path)
    with (
        rating(Project(tmp_path), opened_round) as served,
        opened_offline(served.links["ann"], browser) as page,
    ):
        asked: list[str] = []

        def note(dialog: object) -> None:
            asked.append(dialog.type)  # type: ignore[attr-defined]
            dialog.dismiss()  # type: ignore[attr-defined]

        page.on("dialog", note)
        page.keyboard.press("1")
        saved(page)
        page.context.set_offline(True)
        page.keyboard.press("1")
        page.locator("#saved", has_text="no connection").wait_for()
        page.close(run_before_unload=True)
        page.wait_for_timeout(300)
        assert asked == ["beforeunload"]
        page.context.set_offline(False)
        saved(page)


def test_without_storage_the_page_says_so_and_waits_for_the_disk(tmp_path: Path, browser: Browser) -> None:
    opened_round = a_round(tmp_path)
    with rating(Project(tmp_path), opened_round) as served, opened_offline(None, browser) as page:
        page.add_init_script(
            "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no') }})"
        )
        page.goto(served.links["ann"])
        ready(page)
        page.keyboard.press("1")
        page.locator("#count", has_text="1 of").wait_for()
        saved(page)
        assert grades(opened_round) == {0: 1}
        page.context.set_offline(True)
        page.keyboard.press("2")
        page.locator("#saved", has_text="this browser keeps nothing: do not close the page").wait_for()
        page.context.set_offline(False)
        saved(page)
    assert grades(opened_round) == {0: 1, 1: 2}


@pytest.mark.slow
def test_two_tabs_are_one_set(tmp_path: Path, browser: Browser) -> None:
    opened_round = a_round(tmp_path)
    every = len(opened_round.pairs)
    with (
        rating(Project(tmp_path), opened_round) as served,
        opened(served.links["ann"], browser=browser) as page,
    ):
        ready(page)
        other = page.context.new_page()
        other.goto(served.links["ann"])
        ready(other)
        page.keyboard.press("1")
        other.locator("#count", has_text="1 of").wait_for()
        other.keyboard.press("2")  # the first pair is in front of it still: the later answer counts
        saved(other)
        other.keyboard.press("0")
        page.locator("#count", has_text=f"2 of {every}").wait_for()
        saved(other)
        saved(page)
        page.bring_to_front()
        page.keyboard.press("z")
        saved(page)
        other.locator("#count", has_text=f"1 of {every}").wait_for()
    assert len(events(opened_round)) == len(set(events(opened_round))) == 4


def test_back_and_forward_lose_nothing(tmp_path: Path, browser: Browser) -> None:
    opened_round = a_round(tmp_path)
    with (
        rating(Project(tmp_path), opened_round) as served,
        opened(served.links["ann"], browser=browser) as page,
    ):
        ready(page)
        page.keyboard.press("1")
        page.keyboard.press("1")
        saved(page)
        page.goto("about:blank")
        page.go_back()
        ready(page)
        assert count(page).startswith("2 of")
        page.keyboard.press("0")
        saved(page)
    assert list(grades(opened_round).values()) == [1, 1, 0]


@pytest.mark.slow
def test_a_revoked_link_is_said_and_a_new_one_sends_what_was_kept(tmp_path: Path, browser: Browser) -> None:
    opened_round = a_round(tmp_path)
    with (
        rating(Project(tmp_path), opened_round) as served,
        opened_offline(served.links["ann"], browser) as page,
    ):
        page.keyboard.press("1")
        saved(page)
        revoke(opened_round.folder, "ann")
        page.keyboard.press("2")
        page.locator("#saved", has_text="1 not yet saved; kept in this browser").wait_for()
        page.locator("#saved", has_text="not known, or it was revoked").wait_for()
        assert grades(opened_round) == {0: 1}
        page.goto(f"{served.address}/rate/{invite(opened_round.folder, 'ann')}")
        ready(page)
        saved(page)
    assert grades(opened_round) == {0: 1, 1: 2}


def test_an_answer_to_a_set_that_was_closed_meanwhile_is_refused_in_words(
    tmp_path: Path, browser: Browser
) -> None:
    opened_round = a_round(tmp_path)
    with (
        rating(Project(tmp_path), opened_round) as served,
        opened_offline(served.links["ann"], browser) as page,
    ):
        page.keyboard.press("1")
        saved(page)
        served.desk.seal("ann")
        page.keyboard.press("2")
        page.locator("#hint", has_text="did not take an answer for pair 2").wait_for()
        page.locator("#saved", has_text="1 not taken. Closed on").wait_for()
        assert count(page).startswith("1 of")
        line = page.locator("#refused li")
        assert line.inner_text().startswith("Pair 2: You graded 2,")
        assert "Not taken: your set is closed" in line.inner_text()
        page.reload()
        line.wait_for()
        page.get_by_role("button", name="Delete").click()
        page.locator("#saved", has_text=re.compile("^Closed on")).wait_for()
        assert not line.is_visible() and kept(page) == []
    assert grades(opened_round) == {0: 1}


def kept(page: Page) -> list[str]:
    """What the browser keeps of a set."""
    names: list[str] = page.evaluate("Object.keys(localStorage).filter((name) => name.startsWith('rate'))")
    return names


def test_a_damaged_file_of_the_server_takes_no_answer_away(tmp_path: Path, browser: Browser) -> None:
    opened_round = a_round(tmp_path)
    links = opened_round.folder / LINKS
    with (
        rating(Project(tmp_path), opened_round) as served,
        opened_offline(served.links["ann"], browser) as page,
    ):
        page.keyboard.press("1")
        saved(page)
        sound = links.read_text(encoding="utf-8")
        links.write_text(sound + '{"rater": "bob', encoding="utf-8")
        for key in "120":
            page.keyboard.press(key)
        page.locator(
            "#saved", has_text="3 not yet saved, kept in this browser. The server cannot do"
        ).wait_for()
        assert "bob" not in page.locator("body").inner_text()
        other = page.context.new_page()
        other.goto(served.links["ann"].replace("/rate/", "/rate/x"))
        assert "The server cannot do this" in other.locator("main").inner_text()
        other.close()
        links.write_text(sound, encoding="utf-8")
        saved(page)
    assert grades(opened_round) == {0: 1, 1: 1, 2: 2, 3: 0}
    assert len(events(opened_round)) == 4


def test_one_refused_answer_is_kept_and_the_others_are_saved(tmp_path: Path, browser: Browser) -> None:
    """One has a grade off the scale: it is shown with the reason and stays, and the others go on."""
    opened_round = a_round(tmp_path)
    scale = opened_round.policy.scale
    with (
        rating(Project(tmp_path), opened_round) as served,
        opened_offline(served.links["ann"], browser) as page,
    ):
        page.context.set_offline(True)
        for key in "012012":
            page.keyboard.press(key)
        page.locator("#saved", has_text="6 not yet saved").wait_for()
        # A request on its way outlives the page, and with it the lack of a network that is only played.
        page.evaluate("() => { window.fetch = () => Promise.reject(new TypeError('offline')) }")
        named = page.evaluate(NAMES)
        broken = page.evaluate(BREAK, named[3])
        assert broken["grade"] == 0 and scale == (0, 1, 2)
        page.close(run_before_unload=False)
        page.context.set_offline(False)
        page = page.context.new_page()
        page.goto(served.links["ann"])
        ready(page)
        page.locator("#saved", has_text="1 not taken. The others are saved").wait_for()
        assert grades(opened_round) == {0: 0, 1: 1, 2: 2, 4: 1, 5: 2}
        assert "7 is not on the scale" in page.locator("#refused li").inner_text()
        assert count(page).startswith("5 of")
        assert len(kept(page)) == 1
        page.get_by_role("button", name="Send again").click()
        page.locator("#saved", has_text="1 not taken. The others are saved").wait_for()
        assert len(kept(page)) == 1
        page.keyboard.press("ArrowLeft")
        page.context.close()


NAMES = "Object.keys(localStorage).filter((name) => name.startsWith('rate:')).sort()"
BREAK = """name => {
    const said = JSON.parse(localStorage.getItem(name));
    localStorage.setItem(name, JSON.stringify({...said, grade: 7}));
    return said;
}"""


def log_in(body: str, asked: list[str], route: Route) -> None:
    asked.append(route.request.url)
    route.fulfill(status=200, body=body)


def test_what_answers_in_the_servers_place_confirms_nothing(tmp_path: Path, browser: Browser) -> None:
    """A network with a login page answers 200 to everything, and so do some proxies."""
    opened_round = a_round(tmp_path)
    with (
        rating(Project(tmp_path), opened_round) as served,
        opened_offline(served.links["ann"], browser) as page,
    ):
        for body in ("<p>Log in</p>", "{}"):
            asked: list[str] = []
            answer = partial(log_in, body, asked)
            page.route("**/answers", answer)
            page.keyboard.press("1")
            page.locator("#saved", has_text="What answered is not the rating server").wait_for()
            assert len(asked) < 5
            page.unroute("**/answers")
            saved(page)
    assert grades(opened_round) == {0: 1, 1: 1}


@pytest.mark.slow
def test_a_page_that_cannot_be_filled_tries_again(tmp_path: Path, browser: Browser) -> None:
    opened_round = a_round(tmp_path)
    links = opened_round.folder / LINKS
    with rating(Project(tmp_path), opened_round) as served, opened_offline(None, browser) as page:
        page.route("**/state.json", lambda route: route.fulfill(status=503, body="{}"))
        page.goto(served.links["ann"])
        page.locator("#notice", has_text="This page tries again").wait_for()
        page.unroute("**/state.json")
        ready(page)
        assert not page.locator("#notice").is_visible()
    assert links.exists()


# --- a server that dies -------------------------------------------------------------------------------------

SERVE = """
import sys
from pathlib import Path
from harness.golden.rating.rounds import open_round
from harness.storage.project import Project
from harness.web.rating.desk import Desk
from harness.web.rating.serve import rating_server
from harness.web.serve import listen
project = Project(Path(sys.argv[1]))
with listen("127.0.0.1", int(sys.argv[2])) as listening:
    rating_server((Desk(project, open_round(project, "small")),), "127.0.0.1").run(sockets=[listening])
"""


class Process:
    """A raters' server in a process of its own, which can be killed."""

    def __init__(self, root: Path) -> None:
        self._root = root
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-c", SERVE, str(self._root), str(self.port)]
        self._process = subprocess.Popen(command)
        ends = time.monotonic() + 60
        while time.monotonic() < ends:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError("the server did not start")

    def kill(self) -> None:
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait()


def rate_all(page: Page, number: int, keys: str = "012") -> list[float]:
    """Rate so many pairs by keyboard; the milliseconds from each key to the next pair on the page."""
    taken = []
    for at in range(number):
        taken.append(page.evaluate(KEY, keys[at % len(keys)]))
    return taken


KEY = """key => {
    const began = performance.now();
    document.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true}));
    document.body.offsetHeight;
    return performance.now() - began;
}"""
"""Press a key and lay the page out: how long the rater waits for the next pair."""


@pytest.mark.slow
def test_three_raters_at_once_over_a_killed_server_and_a_lost_network(
    tmp_path: Path, browser: Browser
) -> None:
    opened_round = a_round(tmp_path, ("ann", "bob", "cy"), queries=-(-PAIRS * 4 // 9))
    every = len(opened_round.pairs)
    server = Process(tmp_path)
    contexts, keyed, seconds = [], [], []
    for rater in opened_round.round.raters:
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"{server.address}/rate/{invite(opened_round.folder, rater)}")
        ready(page)
        contexts.append(page)
    try:
        for at in range(every):
            if at == every // 3:
                server.kill()
            if at == every // 2:
                server.start()
                contexts[1].context.set_offline(True)
            if at == every * 2 // 3:
                contexts[1].wait_for_timeout(60_000 if PAIRS >= 500 else 0)
                contexts[1].context.set_offline(False)
            for page in contexts:
                began = time.monotonic()
                keyed += rate_all(page, 1, "012"[at % 3])
                seconds.append(time.monotonic() - began)
        for page in contexts:
            page.locator("#saved", has_text="All saved").wait_for(timeout=60_000)
    finally:
        server.kill()
        for page in contexts:
            page.context.close()
    for rater in opened_round.round.raters:
        assert grades(opened_round, rater) == {place: place % 3 for place in range(every)}
        assert len(events(opened_round, rater)) == len(set(events(opened_round, rater))) == every
    assert median(keyed) < PLENTY
    keyed.sort()
    times = [1000 * median(seconds), median(keyed), keyed[len(keyed) * 99 // 100], keyed[-1]]
    said = "a pair {:.1f} ms of machine time (median), a key {:.1f} ms (median), {:.1f} (99 %), {:.1f} (most)"
    sys.stdout.write(f"\n{3 * every} ratings, each once; {said.format(*times)}\n")
