"""A report in a real browser: cells list their pairs, filters filter, and what people wrote is text."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from browser import opened, runs_over, serious
from builders import examples, harness, write_project
from playwright.sync_api import Browser, Page
from shipped import ship

from harness.nouns.records import Grade
from harness.runs.folder import Run, find_run, load_run
from harness.scorecards.gate2 import Gate2
from harness.storage.project import Project
from harness.verdicts.assessment import assess

OWNED = "</script><script>document.title='owned'</script><img src=x onerror=alert(1)><b>bold</b>"
RTL = "\u202e\u0645\u0635\u0628\u0627\u062d \u0623\u0632\u0631\u0642"
"""Arabic for a blue lamp, behind a mark that turns everything around."""


@dataclass(frozen=True)
class Made:
    """A report, and the run that it is of."""

    page: Path
    run: Run
    score: Gate2

    def ids(self, wanted: Callable[[int, int], bool]) -> set[str]:
        """The pairs whose golden and given grade are as wanted."""
        given = {
            key[0]: record.outcome.value
            for key, record in self.run.records.items()
            if isinstance(record.outcome, Grade)
        }
        return {e.id for e in self.run.examples if e.id in given and wanted(e.grade, given[e.id])}


def report(page: Path, *words: str | Path) -> Path:
    """A report where it is wanted."""
    ended = harness("report", *words, "-o", page)
    assert ended.code == 0, ended.err
    return page


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The shipped golden set under two graders, the second held against the first."""
    root = ship(tmp_path_factory.mktemp("shop"))
    for model, prompt in (("builtin/majority", "teacher@v1"), ("builtin/lexical", "teacher@v3")):
        ended = harness("eval", "--root", root, "--model", model, "--prompt", prompt, "--no-report")
        assert ended.code == 0, ended.err
    page = report(root / "report.html", "latest", "latest~1", "--root", root)
    run = load_run(find_run(Project(root), "latest"))
    return Made(page, run, assess(run).gate2)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of products whose texts would be markup, and of one that is written from right to left."""
    root = tmp_path_factory.mktemp("hostile")
    golden = examples()
    for at, text in ((3, OWNED), (4, RTL)):
        golden[at]["result"] = {"title": text, "description": OWNED, "attributes": {OWNED: RTL}}
        golden[at] |= {"query": text, "reasoning": OWNED, "tags": [OWNED], "id": f"odd{at}"}
    write_project(root, golden=golden)
    rows = f'item,grade,reasoning\nodd3,2,"{OWNED}"\nodd4,2,{RTL}\nq1-2,0,no\n'
    (root / "grades.csv").write_text(rows, encoding="utf-8")
    harness("eval", "--policy", "small", "--model", f"replay/{root / 'grades.csv'}", "--root", root)
    return report(root / "report.html", "latest", "--root", root)


@pytest.fixture(scope="module")
def canaries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report on the shipped canaries."""
    root = ship(tmp_path_factory.mktemp("canaries"))
    assert harness("eval", "--root", root, "--canaries", "--no-report").code == 0
    return report(root / "report.html", "latest", "--root", root)


def listed(page: Page) -> list[str]:
    """The pairs that are listed, after all of them were asked for."""
    while page.locator("#more").is_visible():
        page.locator("#more").click()
    found: list[str] = page.eval_on_selector_all("#list details", "all => all.map(one => one.dataset.id)")
    return found


def choose(page: Page, **filters: str) -> None:
    """Start anew, then set filters."""
    page.locator("#filters button").click()
    for name, value in filters.items():
        page.locator(f"#f-{name}").select_option(value)


@pytest.mark.slow
def test_a_cell_lists_exactly_its_pairs(browser: Browser, shop: Made) -> None:
    with opened(shop.page, browser=browser) as page:
        labels, matrix = shop.score.confusion.labels, shop.score.confusion.matrix
        for golden, grade in ((0, 4), (3, 3), (2, 1)):
            cell = page.locator(f'button[data-golden="{golden}"][data-grade="{grade}"]')
            cell.click()
            found = listed(page)
            assert set(found) == shop.ids(lambda g, t, at=(golden, grade): (g, t) == at)  # type: ignore[misc]
            assert len(found) == matrix[labels.index(golden)][labels.index(grade)]
            assert f"{len(found)} pair" in page.locator("#found").inner_text()
            assert cell.get_attribute("aria-pressed") == "true"
        action = shop.run.policy.action_of
        page.locator('button[data-golden-action="filter"][data-action="show"]').click()
        assert set(listed(page)) == shop.ids(lambda g, t: (action[g], action[t]) == ("filter", "show"))
        page.locator('button.link[data-flip="broken"]').click()
        assert 0 < len(listed(page)) == int(page.locator('[data-flip="broken"]').inner_text().split()[0])


@pytest.mark.slow
def test_filters_filter_and_orders_order(browser: Browser, shop: Made) -> None:
    misses = list(shop.score.misses)
    about = {example.id: example for example in shop.run.examples}
    with opened(shop.page, browser=browser) as page:
        assert listed(page) == [miss.item for miss in misses]
        choose(page, tag="dept:kitchen")
        assert listed(page) == [miss.item for miss in misses if "dept:kitchen" in about[miss.item].tags]
        choose(page, clause="host-device", diagnosis="teacher")
        # Whoever graded, a rater or a model, is called the grader.
        assert page.locator("#f-diagnosis option:checked").inner_text() == "grader"
        wanted = [m.item for m in misses if "host-device" in m.golden_clauses and m.diagnosis == "teacher"]
        assert listed(page) == wanted != []
        choose(page)
        page.locator("#f-text").fill("DECAF beans")
        page.locator("#list > li").nth(20).wait_for(state="detached")
        assert 0 < len(listed(page)) < 20
        assert all("decaf" in about[item].query + about[item].reasoning.lower() for item in listed(page))
        choose(page, outcome="", order="id")
        assert sorted(listed(page)) == sorted(about)
        choose(page, order="unsure")
        first = load_sure(shop.run)
        found = listed(page)
        assert [first[item] for item in found] == sorted(first[item] for item in found)


def load_sure(run: Run) -> dict[str, float]:
    """How sure each answer was of its grade."""
    return {
        record.example: round((record.reply.probabilities or {})[record.outcome.value], 4)
        for record in run.records.values()
        if record.reply and isinstance(record.outcome, Grade)
    }


def test_a_pair_opens_with_both_reasonings_by_keyboard(browser: Browser, shop: Made) -> None:
    miss = next(miss for miss in shop.score.misses if miss.ratings and miss.golden_clauses)
    with opened(shop.page, browser=browser) as page:
        page.locator("#f-text").fill(miss.item)
        pair = page.locator(f'details[data-id="{miss.item}"]')
        page.locator("#list > li").nth(1).wait_for(state="detached")
        pair.locator("summary").focus()
        page.keyboard.press("Enter")
        text = pair.locator(".inside").inner_text()
        rater, grade = next(iter(miss.ratings.items()))
        clause = next(one for one in shop.run.policy.clauses if one.id == miss.golden_clauses[0])
        for said in (
            miss.golden_reasoning,
            miss.reasoning,
            clause.text,
            f"{rater} (language model): {grade}",
        ):
            assert " ".join(said.split()) in " ".join(text.split())


def test_tables_sort_by_any_column(browser: Browser, shop: Made) -> None:
    with opened(shop.page, browser=browser) as page:
        table = page.locator("table.sortable", has_text="host-device")
        table.evaluate("table => table.closest('details').open = true")
        table.get_by_role("button", name="pairs").click()
        assert table.locator("th[aria-sort=ascending]").inner_text().startswith("pairs")
        counts = [int(text) for text in table.locator("tbody td:nth-child(2)").all_inner_texts()]
        assert counts == sorted(one.n for one in shop.score.per_clause)


def test_a_text_that_would_be_markup_is_text(browser: Browser, hostile: Path) -> None:
    asked: list[str] = []
    with opened(hostile, browser=browser) as page:
        page.on("request", lambda request: asked.append(request.url))
        choose(page, outcome="")
        page.locator("#open-all").click()
        title = page.title()
        assert title.startswith("replay/grades.csv on small@v1")
        assert OWNED in page.locator('details[data-id="odd3"] .title').inner_text()
        inside = page.locator('details[data-id="odd3"] .inside')
        inside.wait_for()
        assert inside.locator("dd", has_text=OWNED).count() == 3
        assert page.locator("#list img, #list b").count() == 0
        written = page.locator('details[data-id="odd4"] .title')
        assert written.inner_text() == RTL
        assert written.evaluate("one => getComputedStyle(one).direction") == "rtl"
        page.locator("#f-tag").select_option(OWNED)
        assert sorted(listed(page)) == ["odd3", "odd4"]
        assert (page.title(), asked) == (title, [])


@pytest.mark.slow
@pytest.mark.parametrize(("width", "dark"), [(1280, False), (360, True)], ids=["wide", "narrow and dark"])
def test_everybody_can_read_it(browser: Browser, shop: Made, width: int, dark: bool) -> None:
    with opened(shop.page, browser=browser, width=width, dark=dark) as page:
        page.locator("#list summary").first.click()
        for part in page.locator("main details.sheet").all():
            part.evaluate("part => part.open = true")
        assert serious(page) == []
        assert runs_over(page) <= 0


def test_a_caption_is_no_wider_than_the_screen(browser: Browser, shop: Made) -> None:
    with opened(shop.page, browser=browser, width=360) as page:
        ends = page.evaluate(
            """() => [...document.querySelectorAll("caption:not(.unseen)")].map(caption => {
                const text = document.createRange();
                text.selectNodeContents(caption);
                return text.getBoundingClientRect().right;
            })"""
        )
    assert ends
    assert max(ends) <= 360


def test_it_is_there_within_a_second_and_small(browser: Browser, shop: Made) -> None:
    with opened(shop.page, browser=browser) as page:
        page.locator("#list details").first.wait_for()
        ready = page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
    assert ready < 1000
    assert shop.page.stat().st_size < 2_000_000


def test_every_way_leads_somewhere(browser: Browser, shop: Made) -> None:
    with opened(shop.page, browser=browser) as page:
        targets = page.eval_on_selector_all("a", "all => all.map(one => one.getAttribute('href'))")
        assert targets
        for target in targets:
            assert page.locator(target).count() == 1


def test_on_paper_the_pairs_are_open(browser: Browser, hostile: Path) -> None:
    with opened(hostile, browser=browser) as page:
        assert page.locator("#list details[open]").count() == 0
        page.pdf()
        assert page.locator("#list details[open] .inside").count() == len(listed(page)) > 0
        page.emulate_media(media="print")
        assert not page.locator("#filters").is_visible()


@pytest.mark.slow
def test_canaries_have_a_page_of_their_own(browser: Browser, canaries: Path) -> None:
    with opened(canaries, width=360, browser=browser) as page:
        assert "grades moved" in page.locator("#verdict").inner_text()
        assert page.locator("#confusion").count() == 0
        assert serious(page) == []
        assert runs_over(page) <= 0
