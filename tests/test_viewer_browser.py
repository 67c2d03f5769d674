"""The viewer in a real browser: sorted, filtered, ticked, followed link by link, and read by everybody."""

import json
from pathlib import Path
from urllib.parse import urldefrag, urljoin

import pytest
from browser import opened, runs_over, serious
from playwright.sync_api import Browser, Page
from viewing import HOSTILE, change_manifest, names, run_path, shop, stock, unfinish, viewing

from harness.storage.project import Project

WORDS_IN_A_LINE = """all => all.every(cell => [...cell.childNodes].every(part => {
    const range = document.createRange();
    range.selectNodeContents(part);
    return new Set([...range.getClientRects()].map(box => Math.round(box.top))).size <= 1;
}))"""
"""No part of a name between two places to break it stands on two lines."""


@pytest.fixture(scope="module", autouse=True)
def _runs() -> None:
    """The runs are made before a test has the browser."""
    stock()


@pytest.fixture
def project(here: Path) -> Project:
    """Four runs under two prompt versions and two models."""
    return shop(here)


def shown(page: Page) -> list[str]:
    """The runs of the table, in its order."""
    return [link.get_attribute("title") or "" for link in page.locator("tbody th a").all()]


def test_runs_are_sorted_filtered_and_found_by_name(project: Project, browser: Browser) -> None:
    first, second, third, majority = names(project)
    with viewing(project) as address, opened(address, browser=browser) as page:
        assert shown(page) == [majority, third, second, first]
        page.get_by_role("button", name="kappa and interval").click()
        assert shown(page) == [third, second, first, majority]
        assert page.locator("th[aria-sort=descending]").inner_text() == "kappa and interval"
        page.get_by_role("button", name="kappa and interval").click()
        assert shown(page) == [first, second, third, majority]
        page.get_by_label("Prompt").select_option("teacher@v2")
        page.wait_for_url("**prompt=teacher%40v2**")
        assert shown(page) == [second, third, majority]
        page.get_by_label("Name contains").fill("best")
        page.keyboard.press("Enter")
        page.wait_for_url("**q=best**")
        assert shown(page) == [third]
        page.get_by_role("link", name="All runs").click()
        page.wait_for_url(lambda address: "q=" not in address)
        assert len(shown(page)) == 4


def test_every_column_is_visible_and_names_break_between_words(project: Project, browser: Browser) -> None:
    for name in names(project):
        manifest = json.loads((project.runs / name / "manifest.json").read_text("utf-8"))
        asked = {**manifest["asked"], "model": "vllm/Organisation/Instruct_Reasoning_Distilled_Q4.gguf"}
        asked |= {"policy": "product_search_relevance@v12", "prompt": "teacher_with_reasons@v12"}
        change_manifest(project.runs / name, asked=asked, model_answered=["Instruct_Distilled", "Other_One"])
    with viewing(project) as address, opened(address, browser=browser) as page:
        page.set_viewport_size({"width": 1265, "height": 900})  # 1280 without a scroll bar
        for path in ("/", "/?sort=-kappa"):
            page.goto(address + path)
            cells = page.locator("td[data-name=cost]")
            ends = cells.evaluate_all("all => all.map(one => one.getBoundingClientRect().right)")
            assert ends
            assert max(ends) <= 1265
            assert page.locator("td.model, td.version").evaluate_all(WORDS_IN_A_LINE)


@pytest.mark.slow
def test_two_runs_are_ticked_across_a_filter_and_compared(project: Project, browser: Browser) -> None:
    first, second, *_ = names(project)
    with viewing(project) as address, opened(address, browser=browser) as page:
        page.get_by_label(f"Compare {first}").check()
        assert page.locator("[data-ticked]").inner_text().startswith("1 ticked; tick two")
        page.get_by_label("Prompt").select_option("teacher@v2")
        page.wait_for_url("**prompt=teacher%40v2**")
        assert first not in shown(page)
        page.get_by_label(f"Compare {second}").check()
        assert page.locator("[data-ticked]").inner_text() == "2 ticked."
        page.get_by_role("button", name="Compare the ticked runs").click()
        assert page.locator("#moved .lead").inner_text().startswith("The candidate is better")
        page.get_by_role("link", name="Change sides").click()
        assert page.locator("#moved .lead").inner_text().startswith("The candidate is worse")
        page.get_by_role("link", name="The prompts side by side").click()
        assert page.locator("ins").first.inner_text() != ""


def test_everything_works_without_scripts(project: Project, browser: Browser) -> None:
    first, second, third, majority = names(project)
    with viewing(project) as address, opened(address, scripts=False, browser=browser) as page:
        page.get_by_label(f"Compare {first}").check()
        page.get_by_label("Prompt").select_option("teacher@v2")
        page.get_by_role("button", name="Apply").click()
        assert shown(page) == [majority, third, second]
        page.get_by_role("button", name="kappa and interval").click()
        assert shown(page) == [third, second, majority]
        page.get_by_label(f"Compare {third}").check()
        page.get_by_role("button", name="Compare the ticked runs").click()
        assert page.locator("#moved .lead").inner_text().startswith("The candidate is better")


@pytest.mark.slow
def test_every_link_of_every_page_leads_somewhere(project: Project, browser: Browser) -> None:
    first, second, third, majority = names(project)
    unfinish(project.runs / first, 7)
    (project.runs / second / "manifest.json").write_text("{", encoding="utf-8")
    (project.runs / majority / "scorecard.json").unlink()
    with viewing(project) as address, opened(address, browser=browser) as page:
        ticked = f"/compare?run={third}&run={majority}"
        waiting, seen = [f"{address}/", f"{address}{ticked}", f"{address}{ticked}&run={first}"], set[str]()
        while waiting:
            at = waiting.pop()
            seen.add(at)
            answer = page.goto(at)
            assert answer is not None
            assert answer.status < 400, at
            links = page.locator("a[href]").evaluate_all("all => all.map(a => a.getAttribute('href'))")
            targets = {urldefrag(urljoin(page.url, link))[0] for link in links}
            assert all(target.startswith(address) for target in targets)
            waiting += sorted(targets - seen - set(waiting))
        assert any(one.endswith("/prompts/teacher?old=v1&new=v2") for one in seen)
        assert {f"{address}{run_path(name)}" for name in names(project)} <= seen


@pytest.mark.slow
def test_every_kind_of_page_can_be_read_by_everybody(project: Project, browser: Browser) -> None:
    first, second, third, majority = names(project)
    unfinish(project.runs / first, 7)
    (project.runs / second / "records.jsonl").write_text("x\n", encoding="utf-8")
    several = "&".join(f"run={name}" for name in (first, third, majority))
    pages = ("/", "/trend", "/versions", "/policies/small", "/prompts/teacher", "/compare?" + several)
    with viewing(project) as address, opened(address, browser=browser) as page:
        for path in (*pages, run_path(first), run_path(second), f"{run_path(majority)}/report?base={third}"):
            page.set_viewport_size({"width": 1280, "height": 900})
            page.emulate_media(color_scheme="dark")
            page.goto(address + path)
            assert serious(page) == [], path
            page.set_viewport_size({"width": 360, "height": 800})
            page.emulate_media(color_scheme="light")
            assert serious(page) == [], path
            assert runs_over(page) <= 0, path


def test_the_keyboard_reaches_the_runs(project: Project, browser: Browser) -> None:
    with viewing(project) as address, opened(address, browser=browser) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "To the content"
        reached = []
        for _ in range(40):
            page.keyboard.press("Tab")
            reached.append(page.evaluate("document.activeElement.outerHTML.slice(0, 60)"))
        assert any("data-submits" in one for one in reached)
        assert any('name="sort"' in one for one in reached)
        assert any('name="run"' in one for one in reached)
        assert any('href="/runs/' in one for one in reached)


@pytest.mark.slow
def test_a_run_that_goes_on_is_followed_until_its_report(project: Project, browser: Browser) -> None:
    name = names(project)[0]
    folder = project.runs / name
    finished = {
        file: (folder / file).read_text(encoding="utf-8") for file in ("manifest.json", "scorecard.json")
    }
    coming = unfinish(folder, 7)
    with viewing(project) as address, opened(f"{address}{run_path(name)}", browser=browser) as page:
        assert "7 of 60 answered" in page.locator("[data-said]").inner_text()
        with (folder / "records.jsonl").open("a", encoding="utf-8") as file:
            file.write("".join(coming[:20]))
        page.get_by_text("27 of 60 answered").wait_for()
        assert page.locator("progress").evaluate("bar => bar.value") == 27
        with (folder / "records.jsonl").open("a", encoding="utf-8") as file:
            file.write("".join(coming[20:]))
        for file_name, text in sorted(finished.items(), reverse=True):
            (folder / file_name).write_text(text, encoding="utf-8")
        page.get_by_text("Does the grader agree with the golden set?").wait_for()


def test_a_hostile_title_is_shown_as_text(project: Project, browser: Browser) -> None:
    first, second, *_ = names(project)
    path = f"{run_path(second)}/report?base={first}"
    with viewing(project) as address, opened(address + path, browser=browser) as page:
        assert page.title() != "ran"
        assert page.locator("b", has_text="bold").count() == 0
        page.locator("#f-outcome").select_option("")
        page.get_by_label("Text").first.fill("document.title")
        found = page.locator(".pair .title", has_text="document.title")
        found.wait_for()
        assert found.text_content() == HOSTILE
