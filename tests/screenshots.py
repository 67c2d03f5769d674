"""The docs' pictures, taken of what the shipped project shows: `make screenshots`."""

import shutil
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from browser import opened
from builders import harness
from disputing import adjudicating
from playwright.sync_api import Page
from rating_pages import rating
from shipped import ship
from viewing import change_manifest, names, unfinish, viewing

from harness.golden.examples import load_examples
from harness.golden.rating.disputes import load_disputes
from harness.golden.rating.rounds import open_round
from harness.policy.load import load_policy
from harness.storage.project import Project

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs/img"
POLICY = "policies/product-search/v1.toml"
HISTORY = (
    ("teacher@v1", 0.45), ("teacher@v1", 0.52), ("teacher@v2", 0.6), ("teacher@v2", 0.68),
    ("teacher@v2", 0.66), ("teacher@v3", 0.74), ("teacher@v3", 0.83), ("teacher@v3", 0.9),
    ("teacher@v3", 0.88), ("teacher@v3", 0.9),
)  # fmt: skip
"""Prompt versions, and which share of the made-up grades is right."""
OFF = (-1, 1, 1, 2)
DECIDED = (
    "A cooling mat for a large dog is the very thing. But the listing says itself that its gel is harmful if "
    "swallowed and that the mat must not lie where an animal chews, which dogs do: shown, it could hurt one."
)
WORDED = "Unsafe for whom the thing is for, people or animals, is 0."


def shop(root: Path) -> Path:
    """The report of a builtin grader on the shipped golden set."""
    ship(root)
    harness("eval", "--root", root, "--model", "builtin/lexical", "--no-report")
    page = root / "report.html"
    harness("report", "latest", "-o", page, "--root", root)
    return page


def estimated(root: Path) -> Path:
    """The page of an estimate of the made-up table that ships."""
    ship(root)
    page = root / "estimate.html"
    table = ROOT / "docs/production-example.csv"
    harness("estimate", table, "--policy", "product-search", "--html", page, "--root", root)
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


def take(
    name: str,
    where: Path | str,
    prepare: Callable[[Page], None],
    height: int,
    dark: bool = False,
    width: int = 1280,
) -> None:
    """One picture, as wide as a page on a desk unless told otherwise."""
    with opened(where, width=width, height=height, dark=dark) as page:
        prepare(page)
        page.screenshot(path=PICTURES / f"{name}.png")
    sys.stdout.write(f"docs/img/{name}.png, {(PICTURES / f'{name}.png').stat().st_size // 1024} KB\n")


def gallery(root: Path) -> Project:
    """The shipped project with runs for a table: made-up grades that get better, one run that goes on."""
    ship(root)
    random = Random(7)
    golden = load_examples(root / "golden/product-search/examples.jsonl", load_policy(root / POLICY))
    harness("eval", "--root", root, "--no-report")
    for number, (prompt, right) in enumerate(HISTORY):
        graded = (
            (one.id, one.grade if random.random() < right else min(4, max(0, one.grade + random.choice(OFF))))
            for one in golden
        )
        rows = "".join(f"{name},{grade}\n" for name, grade in graded)
        (root / "made-up.csv").write_text("item,grade\n" + rows, encoding="utf-8")
        split = "test" if number in (4, 8) else "dev"
        words = ("--model", f"replay/{root / 'made-up.csv'}", "--prompt", prompt, "--split", split)
        harness("eval", "--root", root, "--no-report", *words)
    project = Project(root)
    for number, name in enumerate(names(project)):
        began = datetime(2026, 10, 2, 9, tzinfo=UTC) + timedelta(days=3 * number, minutes=17 * number)
        change_manifest(project.runs / name, created_at=began.isoformat())
    unfinish(project.runs / names(project)[-1], 131, every=0.4)
    return project


def rating_pages(root: Path) -> None:
    """The raters' page of a round of the shipped golden set, some pairs in."""
    ship(root)
    harness(
        "rate",
        "plan",
        "--root",
        root,
        "--raters",
        "ann,bob",
        "--seed",
        "7",
        "--reasons",
        "0",
    )
    project = Project(root)

    def some(page: Page) -> None:
        for key in "430142":
            page.keyboard.press(key)
        page.locator("#saved", has_text="All saved").wait_for()

    def listed(page: Page) -> None:
        some(page)
        page.keyboard.press("v")

    with rating(project, open_round(project, "product-search")) as served:
        take("rating", served.links["ann"], some, 820)
        take("rating-list-dark", served.links["bob"], listed, 820, dark=True)
        take("rating-phone", served.links["ann"], some, 740, width=360)


def pictures(project: Project) -> None:
    """The pictures that a run's report has for documents: one of them."""
    with tempfile.TemporaryDirectory() as scratch:
        harness("report", names(project)[6], "--root", project.root, "--png", scratch)
        shutil.copy(Path(scratch) / "intervals.png", PICTURES / "intervals.png")


def disputes(root: Path) -> tuple[Project, str]:
    """The shipped project as it was before its disputes were decided, and a run of a builtin grader."""
    ship(root)
    (root / "golden/product-search/adjudications.jsonl").unlink()
    harness("eval", "--root", root, "--model", "builtin/lexical", "--split", "dev+test", "--no-report")
    project = Project(root)
    return project, names(project)[0]


def decide_first(page: Page) -> None:
    """The first dispute, decided otherwise than by the teacher."""
    page.keyboard.press("0")
    page.keyboard.press("g")
    page.get_by_role("checkbox", name="unsafe").check()
    page.get_by_label("Chain of thought").fill(DECIDED)
    page.get_by_label("Which clause leaves it open").select_option("unsafe")
    page.get_by_label("How the policy should say it").fill(WORDED)
    page.keyboard.press("Control+Enter")
    page.get_by_text("The teacher differs").wait_for()
    page.locator("#decision").scroll_into_view_if_needed()
    page.evaluate("document.getElementById('decision').scrollIntoView()")


def main() -> None:
    """Take every picture anew."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        project = gallery(Path(scratch) / "shop")
        pictures(project)
        with viewing(project) as address:
            take("viewer", address, top, 800)
            take("viewer-trend", f"{address}/trend?split=dev", top, 700, dark=True)
    with tempfile.TemporaryDirectory() as scratch:
        project, run = disputes(Path(scratch) / "shop")
        with adjudicating(project, run, "product-search@v1") as address:
            first = f"{address}/disputes/{load_disputes(project, load_policy(project.root / POLICY))[0].code}"
            take("adjudicate", first, top, 900)
            take("adjudicate-decided", first, decide_first, 800, dark=True)
        rating_pages(Path(scratch) / "rating")
    with tempfile.TemporaryDirectory() as scratch:
        page = shop(Path(scratch) / "report")
        take("report", page, top, 860)
        take("report-pair", page, one_pair, 1000)
        take("report-matrices-dark", page, matrices, 640, dark=True)
    with tempfile.TemporaryDirectory() as scratch:
        take("estimate", estimated(Path(scratch) / "estimate"), top, 1000)


if __name__ == "__main__":
    main()
