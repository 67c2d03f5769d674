"""The rating page in a real browser: by keyboard, by thumb, with a screen reader, and what it measures."""

import re
from pathlib import Path

import pytest
from browser import LOOKS, opened, runs_over, serious
from builders import examples, write_project
from playwright.sync_api import Browser, Page, Route, expect
from rating_pages import a_round, count, events, grades, opened_offline, rating, ready, saved, stored
from rounds import add_round

from harness.golden.rating.rounds import ASSIGNMENTS, ROUND, Assignment, Show, read_round
from harness.storage.files import load_nouns, write_atomic, write_lines
from harness.storage.project import Project

# --- by keyboard --------------------------------------------------------------------------------------------


def test_a_set_is_rated_by_keyboard(tmp_path: Path, browser: Browser) -> None:
    opened_round = a_round(tmp_path)
    pairs = [opened_round.pairs[one.code] for one in opened_round.assigned("ann")]
    with (
        rating(Project(tmp_path), opened_round) as served,
        opened(served.links["ann"], browser=browser) as page,
    ):
        ready(page)
        for place, pair in enumerate(pairs):
            assert page.locator(".rate-words").inner_text() == pair.query
            assert page.locator(".rate-result h3").inner_text() == pair.result.title
            page.keyboard.press(str(place % 3))
        assert page.locator("h2", has_text="Every pair has an answer").is_visible()
        saved(page)
        assert grades(opened_round) == {place: place % 3 for place in range(len(pairs))}
        page.get_by_role("button", name="I am done").last.click()
        page.get_by_role("button", name="Close my set").click()
        page.locator("#saved", has_text="Closed on").wait_for()
        assert opened_round.sealed().keys() == {"ann"}
        assert page.locator("h2", has_text="Your set is closed. Thank you.").is_visible()
        page.keyboard.press("ArrowRight")
        page.locator(".rate-own", has_text="You graded").wait_for()
        page.keyboard.press("1")
        assert "closed" in page.locator("#hint").inner_text()
        assert page.locator(".rate-grade").first.is_disabled()
        page.reload()
        page.locator("h2", has_text="Your set is closed. Thank you.").wait_for()
        assert not page.get_by_role("button", name="I am done").last.is_visible()
    assert len(events(opened_round)) == len(pairs)


def test_every_key_does_what_the_bar_says(tmp_path: Path, browser: Browser) -> None:
    opened_round = a_round(tmp_path)
    with (
        rating(Project(tmp_path), opened_round) as served,
        opened(served.links["ann"], browser=browser) as page,
    ):
        ready(page)
        press = page.keyboard.press
        press("u")
        page.get_by_role("button", name="The policy says nothing about it").wait_for()
        press("7")
        assert "1, 2 or 3" in page.locator("#hint").inner_text()
        press("2")
        press("l")
        press("2")
        press("9")
        assert page.locator("#hint").inner_text() == "9 is not on the scale: 0, 1, 2."
        assert count(page) == f"2 of {len(opened_round.pairs)} answered, 1 for later"
        press("z")
        assert count(page) == f"1 of {len(opened_round.pairs)} answered, 1 for later"
        press("z")
        press("z")
        press("z")
        assert page.locator("#hint").inner_text() == "There is nothing to undo."
        press("ArrowLeft")
        assert page.locator("#hint").inner_text() == "This is the first pair."
        press("r")
        page.keyboard.type("It is a shoe.")
        press("Enter")
        press("2")
        press("ArrowLeft")
        assert "It is a shoe." in page.locator("article").inner_text()
        press("v")
        assert page.locator(".rate-list li").count() > 1
        press("v")
        press("?")
        assert page.locator("#help").is_visible()
        press("1")
        press("Escape")
        press("/")
        page.keyboard.type("highest")
        expect(page.locator("[data-clause]:visible")).to_have_count(1)
        press("Escape")
        saved(page)
        assert grades(opened_round) == {0: 2}
        assert stored(opened_round)[0].reasoning == "It is a shoe."


@pytest.mark.slow
def test_what_was_put_off_comes_again_at_the_end(tmp_path: Path, browser: Browser) -> None:
    opened_round = a_round(tmp_path)
    every = len(opened_round.pairs)
    with (
        rating(Project(tmp_path), opened_round) as served,
        opened(served.links["ann"], browser=browser) as page,
    ):
        ready(page)
        for _ in range(2):
            page.keyboard.press("l")
        for _ in range(every - 2):
            page.keyboard.press("1")
        assert page.locator(".rate-own").inner_text() == "You put this off."
        page.keyboard.press("2")
        page.keyboard.press("2")
        assert page.locator("h2", has_text="Every pair has an answer").is_visible()
        saved(page)
    assert list(grades(opened_round).values()) == [2, 2] + [1] * (every - 2)


@pytest.mark.slow
def test_a_key_that_is_held_grades_one_pair(tmp_path: Path, browser: Browser) -> None:
    opened_round = a_round(tmp_path)
    with (
        rating(Project(tmp_path), opened_round) as served,
        opened(served.links["ann"], browser=browser) as page,
    ):
        ready(page)
        for _ in range(5):
            page.keyboard.down("1")
        page.keyboard.up("1")
        saved(page)
    assert grades(opened_round) == {0: 1}


def test_a_reason_is_asked_for_and_can_be_skipped(tmp_path: Path, browser: Browser) -> None:
    opened_round = a_round(tmp_path)
    asking = add_round(Project(tmp_path), name="r2", reasons=1)
    assert asking.asks_reason("ann", 0) and not opened_round.asks_reason("ann", 0)
    with rating(Project(tmp_path), asking) as served, opened(served.links["ann"], browser=browser) as page:
        ready(page)
        page.keyboard.press("1")
        page.locator("#reason").wait_for()
        page.keyboard.press("2")  # meant for the next pair
        assert page.locator("#reason").input_value() == ""
        assert "A reason is asked for here" in page.locator("#hint").inner_text()
        page.keyboard.press("v")
        assert page.locator("#reason").input_value() == ""
        page.get_by_role("button", name="Cite plain").click()
        page.locator("#reason").click()
        page.keyboard.type("2 of them.")
        page.keyboard.press("Enter")
        page.keyboard.press("2")
        page.keyboard.press("Escape")
        saved(page)
        assert count(page).startswith("2 of")
    found = stored(asking)
    assert (found[0].grade, found[0].reasoning, found[0].clauses) == (1, "2 of them.", ("plain",))
    assert (found[1].grade, found[1].reasoning) == (2, "")


@pytest.mark.slow
def test_a_reason_may_begin_with_a_number(tmp_path: Path, browser: Browser) -> None:
    opened_round = a_round(tmp_path)
    asking = add_round(Project(tmp_path), name="r2", reasons=1)
    with (
        rating(Project(tmp_path), opened_round) as served,
        opened(served.links["ann"], browser=browser) as page,
    ):
        ready(page)
        page.keyboard.press("r")
        page.keyboard.type("5 l is not 40 l")
        page.keyboard.press("Enter")
        page.keyboard.press("1")
        saved(page)
    assert (stored(opened_round)[0].grade, stored(opened_round)[0].reasoning) == (1, "5 l is not 40 l")
    with rating(Project(tmp_path), asking) as served, opened(served.links["ann"], browser=browser) as page:
        ready(page)
        page.keyboard.press("1")
        page.locator("#reason").wait_for()
        page.wait_for_timeout(1_100)  # longer than a key that was meant for the next pair
        page.keyboard.type("40 l asked")
        page.keyboard.press("Enter")
        saved(page)
    assert stored(asking)[0].reasoning == "40 l asked"


@pytest.mark.slow
def test_half_a_character_in_a_reason_is_stored_as_its_mark(tmp_path: Path, browser: Browser) -> None:
    opened_round = a_round(tmp_path)
    with (
        rating(Project(tmp_path), opened_round) as served,
        opened(served.links["ann"], browser=browser) as page,
    ):
        ready(page)
        page.keyboard.press("r")
        page.evaluate("""() => {
            const box = document.querySelector("#reason");
            box.value = "half \\ud83d, whole \\ud83d\\ude00";
            box.dispatchEvent(new Event("input", {bubbles: true}));
        }""")
        page.keyboard.press("Enter")
        page.keyboard.press("1")
        saved(page)
    assert stored(opened_round)[0].reasoning == "half \ufffd, whole \U0001f600"


def test_the_page_says_who_rates(tmp_path: Path, browser: Browser) -> None:
    opened_round = a_round(tmp_path)
    with rating(Project(tmp_path), opened_round) as served:
        for rater, link in served.links.items():
            with opened(link, browser=browser) as page:
                ready(page)
                assert page.locator("#title").inner_text().startswith(f"Rating as {rater}: ")
                assert page.title() == page.locator("#title").inner_text()


def test_a_pair_and_its_repeat_are_never_in_one_list(tmp_path: Path, browser: Browser) -> None:
    """Where a round has one query alone, the second time follows in the same run of results."""
    opened_round = a_round(tmp_path, queries=4)
    path = opened_round.folder / ASSIGNMENTS
    lines = [line for line in load_nouns(path, Assignment) if line.rater == "ann"][:3]
    again = [one.model_copy(update={"place": 3 + at, "repeat": 1}) for at, one in enumerate(lines)]
    write_lines(path, [*lines, *again])
    planned = opened_round.round.model_copy(update={"planned": len(lines) + len(again)})
    write_atomic(opened_round.folder / ROUND, planned.model_dump_json())
    project = Project(tmp_path)
    twice = read_round(opened_round.folder, project)
    assert len({twice.pairs[one.code].query for one in twice.assigned("ann")}) == 1
    with rating(project, twice) as served, opened(served.links["ann"], browser=browser) as page:
        ready(page)
        page.keyboard.press("v")
        for place in range(6):
            titles = page.locator(".rate-list h3").all_inner_texts()
            assert len(titles) == len(set(titles)) == 3, place
            page.keyboard.press("1")
        saved(page)
    assert len(grades(twice)) == 6


@pytest.mark.parametrize(
    ("scale", "keys", "stored_as"),
    [
        (tuple(range(11)), "10a", [0, 9, 10]),
        pytest.param((-1, 0, 1), "123", [-1, 0, 1], marks=pytest.mark.slow),
        pytest.param((1, 2, 3), "123", [1, 2, 3], marks=pytest.mark.slow),
    ],
)
def test_grades_that_are_no_digits_have_keys_by_position(
    tmp_path: Path, browser: Browser, scale: tuple[int, ...], keys: str, stored_as: list[int]
) -> None:
    opened_round = a_round(tmp_path, grades=scale)
    with (
        rating(Project(tmp_path), opened_round) as served,
        opened(served.links["ann"], browser=browser) as page,
    ):
        ready(page)
        for key in keys:
            page.keyboard.press(key)
        saved(page)
        assert runs_over(page) <= 0
    assert list(grades(opened_round).values()) == stored_as


def test_keys_can_be_turned_off_and_buttons_do_it_all(tmp_path: Path, browser: Browser) -> None:
    opened_round = a_round(tmp_path)
    with (
        rating(Project(tmp_path), opened_round) as served,
        opened(served.links["ann"], browser=browser) as page,
    ):
        ready(page)
        page.get_by_role("button", name="? help").click()
        page.get_by_label("A single key acts").uncheck()
        page.get_by_role("button", name="Close").click()
        page.keyboard.press("1")
        page.get_by_role("group", name="Grades").get_by_role("button").nth(2).click()
        page.get_by_role("button", name="cannot rate").click()
        page.get_by_role("button", name="Not enough is shown").click()
        saved(page)
    found = stored(opened_round)
    assert (found[0].grade, found[1].cannot, len(found)) == (2, "not_enough_shown", 2)


def test_a_title_that_is_code_is_text(tmp_path: Path, browser: Browser) -> None:
    hostile = "<img src=x onerror=\"document.title='ran'\"><script>document.title='ran'</script>"
    golden = examples()
    for one in golden:
        one["result"] |= {"title": hostile, "attributes": {hostile: hostile}}
        one["query"] = f"{hostile} {one['query']}"
    opened_round = add_round(write_project(tmp_path, golden=golden), reasons=0)
    with (
        rating(Project(tmp_path), opened_round) as served,
        opened(served.links["ann"], browser=browser) as page,
    ):
        ready(page)
        assert page.locator("article h3").inner_text() == hostile
        assert page.title() != "ran"
        assert page.locator("article img").count() == 0


# --- the time that is counted -------------------------------------------------------------------------------


def test_time_is_counted_while_the_pair_is_seen(tmp_path: Path, browser: Browser) -> None:
    opened_round = a_round(tmp_path)
    with (
        rating(Project(tmp_path), opened_round) as served,
        opened(served.links["ann"], browser=browser) as page,
    ):
        ready(page)
        page.wait_for_timeout(400)
        page.keyboard.press("1")
        hide(page, hidden=True)
        page.wait_for_timeout(1500)
        hide(page, hidden=False)
        page.wait_for_timeout(200)
        page.keyboard.press("1")
        saved(page)
    first, second = (stored(opened_round)[place].milliseconds for place in (0, 1))
    assert first >= 400
    assert 200 <= second < 1500


AWAY = """async () => {
    const { Watch } = await import('/static/rate-work.js');
    let now = 0;
    const watch = new Watch(() => now, 120_000);
    const counted = [];
    watch.look(0, true);
    now = 100_000; watch.sign();
    now = 900_000; counted.push(watch.of(0));
    watch.sign();
    now = 905_000; counted.push(watch.of(0));
    watch.look(1, true);
    now = 906_000; watch.look(0, true);
    now = 907_000; counted.push(watch.of(0), watch.of(1));
    watch.look(2, false);
    now = 999_000; counted.push(watch.of(2));
    watch.was(3, 5_000); watch.look(3, true);
    now = 1_000_000; counted.push(watch.of(3));
    return counted;
}"""


@pytest.mark.slow
def test_a_rater_who_is_away_is_not_slow(tmp_path: Path, browser: Browser) -> None:
    opened_round = a_round(tmp_path)
    with (
        rating(Project(tmp_path), opened_round) as served,
        opened(served.links["ann"], browser=browser) as page,
    ):
        ready(page)
        assert page.evaluate(AWAY) == [220_000, 225_000, 226_000, 1_000, 0, 6_000]


def hide(page: Page, *, hidden: bool) -> None:
    """The page as if another tab were in front of it: a browser without a window never hides one."""
    page.evaluate(
        """hidden => {
            const value = hidden ? 'hidden' : 'visible';
            Object.defineProperty(document, 'visibilityState', {value, configurable: true});
            document.dispatchEvent(new Event('visibilitychange'));
        }""",
        hidden,
    )


# --- for everybody ------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(("width", "dark"), LOOKS)
def test_every_state_of_the_page_can_be_read_by_everybody(
    tmp_path: Path, browser: Browser, width: int, dark: bool
) -> None:
    height = 860 if width == 1280 else 740
    opened_round = a_round(tmp_path)
    with (
        rating(Project(tmp_path), opened_round) as served,
        opened(served.links["ann"], browser=browser, width=width, height=height, dark=dark) as page,
    ):
        ready(page)
        for keys in ("", "1", "r", "Escape v", "v u", "Escape ?", "Escape c", "Escape 9"):
            for key in keys.split():
                page.keyboard.press(key)
            assert serious(page) == [], keys
            assert runs_over(page) <= 0, keys
        page.locator("#finish").click()
        assert serious(page) == []


@pytest.mark.slow
def test_a_link_that_is_not_known_is_a_page_for_everybody(tmp_path: Path, browser: Browser) -> None:
    opened_round = a_round(tmp_path)
    with rating(Project(tmp_path), opened_round) as served, opened_offline(None, browser) as page:
        page.goto(f"{served.address}/rate/unknown")
        assert "Ask the person who sent it" in page.locator("main").inner_text()
        assert serious(page) == []
        assert page.locator("a[href]:not(.skip)").count() == 0


def test_a_thumb_reaches_every_answer_on_a_phone(tmp_path: Path, browser: Browser) -> None:
    opened_round = a_round(tmp_path)
    with (
        rating(Project(tmp_path), opened_round) as served,
        opened(served.links["ann"], width=360, height=640, browser=browser) as page,
    ):
        ready(page)
        assert not page.locator("#rubric").is_visible()
        for button in page.locator(".rate-grades button, .rate-keys button").all():
            box = button.bounding_box()
            assert box is not None
            assert box["height"] >= 40 and box["width"] >= 44
            assert box["y"] >= 320 and box["y"] + box["height"] <= 640
        page.get_by_role("button", name="clauses").click()
        page.get_by_label("Search the policy").fill("accessory")
        expect(page.locator("[data-clause]:visible")).to_have_count(1)
        page.get_by_role("button", name="Close").click()
        page.locator(".rate-grade").nth(1).click()
        saved(page)
    assert grades(opened_round) == {0: 1}


def test_focus_is_visible_and_the_next_pair_is_read_out(tmp_path: Path, browser: Browser) -> None:
    opened_round = a_round(tmp_path)
    with (
        rating(Project(tmp_path), opened_round) as served,
        opened(served.links["ann"], browser=browser) as page,
    ):
        ready(page)
        page.keyboard.press("1")
        title = opened_round.pairs[opened_round.assigned("ann")[1].code].result.title
        assert page.locator("#said").inner_text().endswith(f"Pair 2 of {len(opened_round.pairs)}: {title}")
        page.locator(".rate-grade").nth(1).focus()
        page.keyboard.press("Tab")
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
        assert outline == "3px"


TRIED = "image => image.complete || new Promise(done => { image.onload = image.onerror = done; })"


def test_pictures_come_from_allowed_hosts_alone(tmp_path: Path, browser: Browser) -> None:
    golden = examples()
    for at, one in enumerate(golden):
        host = "img.example.com" if at % 2 else "other.example.com"
        one["result"]["attributes"] = {"image": f"https://{host}/a.png"}
    show = Show(picture="image", picture_hosts=("img.example.com",))
    opened_round = add_round(write_project(tmp_path, golden=golden), reasons=0, show=show)
    pairs = [opened_round.pairs[one.code] for one in opened_round.assigned("ann")]
    asked: list[str] = []

    def refused(route: Route) -> None:
        asked.append(route.request.url)
        route.abort()

    with rating(Project(tmp_path), opened_round) as served, opened_offline(None, browser) as page:
        page.context.route(re.compile("^https:"), refused)
        page.goto(served.links["ann"])
        ready(page)
        for pair in pairs:
            allowed = "img.example.com" in pair.result.attributes["image"]
            assert page.locator("article img").count() == int(allowed)
            if allowed:
                page.locator("article img").evaluate(TRIED)
            page.keyboard.press("1")
        saved(page)
    assert set(asked) == {"https://img.example.com/a.png"}
