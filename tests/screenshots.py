"""The docs' pictures, taken of what the shipped project shows: `make screenshots`."""

import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from browser import opened
from builders import harness
from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs/img"


def shop(root: Path) -> Path:
    """The report of a builtin grader on the shipped golden set."""
    for name in ("policies", "prompts", "golden"):
        shutil.copytree(ROOT / name, root / name)
    harness("eval", "--root", root, "--model", "builtin/lexical", "--no-report")
    page = root / "report.html"
    harness("report", "latest", "-o", page, "--root", root)
    return page


def top(page: Page) -> None:
    """As it opens."""


def one_pair(page: Page) -> None:
    """A pair of a chosen cell, opened."""
    page.locator('button[data-golden="0"][data-grade="4"]').click()
    page.locator("#f-text").fill("football")
    page.locator("#list > li").nth(1).wait_for(state="detached")
    page.locator("#list summary").click()


def matrices(page: Page) -> None:
    """The heat maps."""
    page.evaluate("document.getElementById('confusion').scrollIntoView()")


def take(name: str, where: Path, prepare: Callable[[Page], None], height: int, dark: bool = False) -> None:
    """One picture, as wide as a page on a desk."""
    with opened(where, width=1280, height=height, dark=dark) as page:
        prepare(page)
        page.screenshot(path=PICTURES / f"{name}.png")
    sys.stdout.write(f"docs/img/{name}.png, {(PICTURES / f'{name}.png').stat().st_size // 1024} KB\n")


def main() -> None:
    """Take every picture anew."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        page = shop(Path(scratch))
        take("report", page, top, 860)
        take("report-pair", page, one_pair, 1000)
        take("report-matrices-dark", page, matrices, 640, dark=True)


if __name__ == "__main__":
    main()
