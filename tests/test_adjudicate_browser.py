"""The author's pages in a real browser: from the list to the last decision, by keyboard and by thumb."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from browser import LOOKS, opened, runs_over, serious
from disputing import (
    TEACHER_WHY,
    WHY,
    adjudicated,
    adjudicating,
    decision,
    disputes_of,
    disputing,
    example_of,
    line_of,
    policy_of,
    taught,
)
from playwright.sync_api import Browser, Page
from viewing import HOSTILE

from harness.golden.rating.deciding import Author, decide
from harness.storage.project import Project

MINE = "It names the very thing that the query names, so it is what they came for."


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A project with a run, which is made before the browser starts."""
    root = tmp_path_factory.mktemp("stock") / "project"
    return root, taught(disputing(root))


@pytest.fixture
def project(here: Path) -> Project:
    return disputing(here)


@contextmanager
def refused(browser: Browser, where: str) -> Iterator[Page]:
    """A page whose decisions are refused: the browser logs such an answer on the console by itself."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(where)
    yield page
    context.close()


def press(page: Page, *keys: str) -> None:
    """Keys, once the page listens to them."""
    page.locator("html[data-keys]").wait_for()
    for key in keys:
        page.keyboard.press(key)


def type_decision(page: Page, grade: int = 1, cause: str = "s", text: str = MINE) -> None:
    """Grade, cause and chain of thought, by keys alone."""
    page.locator("html[data-keys]").wait_for()
    page.keyboard.press(str(grade))
    page.keyboard.press(cause)
    press(page, "r")
    page.keyboard.insert_text(text)


@pytest.mark.slow
def test_author_decides_by_keyboard_alone_until_no_dispute_is_open(here: Path, browser: Browser) -> None:
    project = disputing(here)
    rated = [one.code for one in disputes_of(project)]
    with adjudicating(project) as address, opened(address, browser=browser) as page:
        press(page, "Enter")
        for left in range(len(rated), 0, -1):
            page.get_by_text(f"{left} left").wait_for()
            type_decision(page)
            press(page, "Control+Enter")
        page.get_by_text("12 of 12 disputes decided").wait_for()
        assert page.get_by_role("link", name="Go on").count() == 0
    lines = adjudicated(project)
    assert len(lines) == len({line["item"] for line in lines}) == 12
    assert {(line["grade"], line["cause"], line["reasoning"]) for line in lines} == {(1, "raters_slip", MINE)}
    assert all(one["history"] for one in (line_of(project, line["item"]) for line in lines))


@pytest.mark.slow
def test_next_and_previous_and_the_keys_that_are_listed(project: Project, browser: Browser) -> None:
    codes = [one.code for one in disputes_of(project)]
    with (
        adjudicating(project) as address,
        opened(f"{address}/disputes/{codes[0]}", browser=browser) as page,
    ):
        press(page, "j")
        page.wait_for_url(f"**/disputes/{codes[1]}")
        press(page, "k")
        page.wait_for_url(f"**/disputes/{codes[0]}")
        press(page, "?")
        dialog = page.get_by_role("dialog")
        assert "next, previous dispute" in dialog.inner_text()
        press(page, "2")
        press(page, "Escape")
        assert not dialog.is_visible()
        assert page.locator("[name=grade]:checked").count() == 0, "keys in the help are no grades"
        press(page, "/")
        page.keyboard.insert_text("accessory most")
        assert page.locator("[data-clause]:visible").count() == 1
        press(page, "Escape")
        for key, cause in (("g", "policy_gap"), ("a", "ambiguous_result"), ("e", "edge_case")):
            page.keyboard.press(key)
            assert page.locator("[name=cause]:checked").get_attribute("value") == cause
            assert page.locator("[data-gap]").is_visible() == (cause == "policy_gap")


def test_what_is_lacking_or_wrong_is_said_and_nothing_is_saved(project: Project, browser: Browser) -> None:
    code = disputes_of(project)[0].code
    with adjudicating(project) as address, refused(browser, f"{address}/disputes/{code}") as page:
        press(page, "Control+Enter")
        page.get_by_text("it lacks a grade, a chain of thought, why there was a dispute").wait_for()
        page.get_by_role("checkbox", name="accessory").check()
        type_decision(page, grade=2, text="Too short.")
        press(page, "Control+Enter")
        page.get_by_text("accessory allows at most 1").wait_for()
        assert "a reasoning of 2 words gives no reason" in page.locator("[data-said]").inner_text()
    assert adjudicated(project) == []


def test_gap_opens_a_draft_clause_and_the_page_says_so(project: Project, browser: Browser) -> None:
    first = disputes_of(project)[0]
    with (
        adjudicating(project) as address,
        opened(f"{address}/disputes/{first.code}", browser=browser) as page,
    ):
        page.get_by_role("checkbox", name="accessory").check()
        assert page.locator("[data-cited]").inner_text() == "accessory"
        type_decision(page, cause="g")
        page.get_by_label("Which clause leaves it open").select_option("accessory")
        page.get_by_label("How the policy should say it").fill("A case is at most 1.")
        press(page, "Control+Enter")
        page.get_by_text("It opened draft-accessory in v2").wait_for()
    assert policy_of(project, "small@v2").clauses[-1].text == "TODO: A case is at most 1."
    assert line_of(project, first.example.id)["clauses"] == ["accessory"]


@pytest.mark.slow
def test_teacher_is_revealed_after_the_decision_with_a_second_look(
    here: Path, stock: tuple[Path, str], browser: Browser
) -> None:
    root, run = stock
    project = Project(Path(shutil.copytree(root, here / "project")))
    first = next(one for one in disputes_of(project) if example_of(one).split != "shots")
    with (
        adjudicating(project, run) as address,
        opened(f"{address}/disputes/{first.code}", browser=browser) as page,
    ):
        assert TEACHER_WHY not in page.content()
        type_decision(page)
        press(page, "Control+Enter")
        page.get_by_text("The teacher differs from your 1").wait_for()
        assert TEACHER_WHY in page.content()
        press(page, "Control+Enter")  # keep
        page.wait_for_url(f"**/disputes/*saved={first.code}")
        page.goto(f"{address}/disputes/{first.code}")
        press(page, "o")
        press(page, "Escape")
        press(page, "0")
        press(page, "Control+Enter")
        page.wait_for_url(f"**/disputes/*saved={first.code}")
    looks = [(one["grade"], one["first_grade"], one.get("second_look")) for one in adjudicated(project)]
    assert looks == [(1, 1, None), (1, 1, "kept"), (0, 1, "changed")]
    assert line_of(project, first.example.id)["grade"] == 0


@pytest.mark.slow
def test_draft_survives_a_reload_and_says_so(project: Project, browser: Browser) -> None:
    first, other = (one.code for one in disputes_of(project)[:2])
    with adjudicating(project) as address, opened(f"{address}/disputes/{first}", browser=browser) as page:
        draft = page.locator("[data-draft]")
        type_decision(page, cause="g", text="Half a th")
        page.get_by_role("checkbox", name="plain").check()
        page.goto(f"{address}/disputes/{other}")
        assert not draft.is_visible() and page.get_by_label("Chain of thought").input_value() == ""
        page.go_back()
        page.reload()
        assert "Your draft of this decision is back" in draft.inner_text()
        assert page.get_by_label("Chain of thought").input_value() == "Half a th"
        assert page.locator("[name=grade]:checked").get_attribute("value") == "1"
        assert page.locator("[data-cited]").inner_text() == "plain"
        page.get_by_role("button", name="Discard the draft").click()
        assert page.get_by_label("Chain of thought").input_value() == ""
        page.reload()
        assert not draft.is_visible()


def test_draft_starts_from_what_a_side_said(project: Project, browser: Browser) -> None:
    first = disputes_of(project)[0]
    side = next(one for one in first.sides if one.clauses)
    with (
        adjudicating(project) as address,
        opened(f"{address}/disputes/{first.code}", browser=browser) as page,
    ):
        page.get_by_role("button", name=f"Start from {side.letter}").click()
        assert page.get_by_label("Chain of thought").input_value() == side.reasoning
        assert page.locator("[name=grade]:checked").get_attribute("value") == str(side.grade)
        assert page.locator("[data-cited]").inner_text() == ", ".join(side.clauses)


def test_server_that_does_not_answer_loses_nothing(project: Project, browser: Browser) -> None:
    first = disputes_of(project)[0]
    sent: list[str] = []
    with (
        adjudicating(project) as address,
        opened("about:blank", browser=browser) as page,
    ):
        page.goto(f"{address}/disputes/{first.code}")
        type_decision(page)

        def lost(route: object) -> None:
            # The decision arrives, and its answer does not.
            data = route.request.post_data  # type: ignore[attr-defined]
            sent.append(json.loads(data)["id"])
            route.fetch()  # type: ignore[attr-defined]
            route.fulfill(status=200, body="not JSON")  # type: ignore[attr-defined]

        page.route("**/decision", lost)
        press(page, "Control+Enter")
        page.get_by_text("Not saved: the server does not answer. Your draft is kept").wait_for()
        page.unroute("**/decision")
        press(page, "Control+Enter")
        page.wait_for_url(f"**/disputes/*saved={first.code}")
    (line,) = adjudicated(project)
    assert sent == [line["id"]], "sent twice under one id, and recorded once"


def test_second_tab_is_refused_with_what_was_decided_and_keeps_its_draft(
    project: Project, browser: Browser
) -> None:
    first = disputes_of(project)[0]
    with adjudicating(project) as address, refused(browser, f"{address}/disputes/{first.code}") as page:
        by = Author("Bea", "2026-11-29T10:00:00+00:00")
        decide(project, policy_of(project), first.example.id, decision(), by)
        type_decision(page, grade=0)
        press(page, "Control+Enter")
        page.get_by_text("this dispute was decided meanwhile. It is 1 now (rater's slip)").wait_for()
        page.reload()
        assert page.get_by_label("Chain of thought").input_value() == MINE, "the draft"
        assert WHY in page.content(), "what was decided"
        press(page, "Control+Enter")
        page.wait_for_url(f"**/disputes/*saved={first.code}")
    assert [line["grade"] for line in adjudicated(project)] == [1, 0]
    assert adjudicated(project)[1]["supersedes"] == "decision-1"


@pytest.mark.slow
@pytest.mark.parametrize(("width", "dark"), LOOKS)
def test_everybody_can_read_the_pages(project: Project, browser: Browser, width: int, dark: bool) -> None:
    one, other = disputes_of(project)[:2]
    by = Author("Bea", "2026-11-29T10:00:00+00:00")
    said = decision(cause="policy_gap", unclear="accessory")
    decide(project, policy_of(project), one.example.id, said, by)
    with (
        adjudicating(project) as address,
        opened(address, browser=browser, width=width, dark=dark) as page,
    ):
        for path in ("/", "/summary", f"/disputes/{one.code}", f"/disputes/{other.code}?saved={one.code}"):
            page.goto(address + path)
            assert (serious(page), runs_over(page)) == ([], 0), path
        press(page, "g")
        press(page, "?")
        assert serious(page) == []


def test_text_of_a_product_or_a_rater_stays_text(here: Path, browser: Browser) -> None:
    project = disputing(here)
    first = disputes_of(project)[0]
    golden = project.root / "golden/small"
    for name, old in (("examples", first.example.result.title), ("ratings", "It reads as a ")):
        text = (golden / f"{name}.jsonl").read_text(encoding="utf-8")
        (golden / f"{name}.jsonl").write_text(text.replace(old, json.dumps(HOSTILE)[1:-1]), encoding="utf-8")
    with adjudicating(project) as address, opened(address, browser=browser) as page:
        page.get_by_text(HOSTILE[:40]).wait_for()
        page.goto(f"{address}/disputes/{first.code}")
        assert HOSTILE in page.locator("#pair").inner_text()
        page.locator("[data-start]").first.click()
        assert page.locator("main b", has_text="bold").count() == 0
        assert page.title() != "ran"


@pytest.mark.slow
def test_thumb_decides_on_a_phone(project: Project, browser: Browser) -> None:
    first = disputes_of(project)[0]
    with (
        adjudicating(project) as address,
        opened(address, browser=browser, width=360, height=740) as page,
    ):
        page.get_by_role("link", name="Go on").click()
        page.locator("label.choice", has=page.locator("[name=grade][value='1']")).click()
        page.get_by_label("Chain of thought").fill(MINE)
        page.locator("label.choice", has_text="Edge case").click()
        for choice in page.locator("label.choice").all():
            box = choice.bounding_box()
            assert box is None or box["height"] >= 44
        page.get_by_role("button", name="Save").click()
        page.wait_for_url(f"**/disputes/*saved={first.code}")
    assert [line["cause"] for line in adjudicated(project)] == ["edge_case"]
