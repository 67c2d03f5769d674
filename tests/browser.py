"""A real browser for tests: Debian's Chromium by Playwright; skipped, saying so, where there is none.

The same engine has two programs. `chromium-headless-shell` draws pages alone; `chromium` also draws the
window around them, though nobody sees it: 0.2 processor seconds a page, against 0.9.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
# As root in a container there is neither a sandbox nor much shared memory.
FLAGS = ("--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu")
LOOKS = [(1280, False), (360, True), (1280, True), (360, False)]
"""Widths, and whether the page is dark. axe takes seconds a page, so that these tests are slow."""
WAIT = 30_000
"""Milliseconds until something that should show on a page counts as missing."""


def chromium() -> str:
    """The browser's path; the test is skipped where the machine has none."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium-headless-shell)")
    return found


@contextmanager
def started() -> Iterator[Browser]:
    """A browser, for as long as the block lasts.

    Playwright keeps an event loop running meanwhile, so that `harness eval` cannot: make runs before.
    """
    program = chromium()
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=program, args=list(FLAGS))
        yield browser
        browser.close()


@contextmanager
def opened(
    where: Path | str,
    *,
    width: int = 1280,
    height: int = 900,
    dark: bool = False,
    scripts: bool = True,
    browser: Browser | None = None,
) -> Iterator[Page]:
    """A page, in a browser of its own unless one is given; an error on its console fails the test."""
    with nullcontext(browser) if browser else started() as program:
        context = program.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            java_script_enabled=scripts,
        )
        context.set_default_timeout(WAIT)
        page = context.new_page()
        faults: list[str] = []
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(where.resolve().as_uri() if isinstance(where, Path) else where)
        yield page
        context.close()
    assert not faults, "on the console: " + "; ".join(faults)


def serious(page: Page) -> list[str]:
    """What axe-core finds serious or critical on the page as it stands: rule, element, advice."""
    # A page that is looked at again has axe-core already: half a megabyte to compile.
    axe = Axe("true") if page.evaluate("'axe' in window") else Axe()
    violations = axe.run(page).response["violations"]
    return [
        f"{one['id']}: {node['html'][:200]} ({node['failureSummary']})"
        for one in violations
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


def runs_over(page: Page) -> int:
    """By how many pixels the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))
