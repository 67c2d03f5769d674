"""The lead's pages: rounds, and the live Gate 1 of one, in HTTP and in a real browser."""

from pathlib import Path

import pytest
from browser import LOOKS, opened, runs_over, serious
from parties import Guest, answer, party
from playwright.sync_api import Browser, expect
from rounds import add_round, grade
from starlette.testclient import TestClient
from viewing import HOSTILE, viewing

from harness.golden.rating.answers import AnswerLog
from harness.golden.rating.rounds import ANSWERS, PAIRS, OpenRound
from harness.golden.rating.sealing import seal
from harness.storage.project import Project
from harness.web.app import create_app

RATERS = ("ann", "bob", "cy")
SHOWN = "/rounds/small/r1?agreement=shown"
GUESTS = (
    Guest("ann", 0.9, cites=True, cannot=0.05),
    Guest("bob", 0.6, misses=0.2),
    Guest("cy", 0.8, misses=0.5, seconds=1.2),
)


@pytest.fixture
def rated(tmp_path: Path) -> OpenRound:
    """A round with some of its answers."""
    opened_round = party(tmp_path, RATERS, queries=40)
    answer(opened_round, *GUESTS)
    return opened_round


def client_of(root: Path, host: str = "127.0.0.1") -> TestClient:
    return TestClient(create_app(Project(root), rate=True), base_url="http://127.0.0.1", client=(host, 50000))


def test_the_list_of_rounds_leads_to_each(rated: OpenRound, tmp_path: Path) -> None:
    add_round(Project(tmp_path), RATERS, name="r2")
    text = client_of(tmp_path).get("/rating").text
    assert 'href="/rounds/small/r2"' in text and 'href="/rounds/small/r1"' in text


def test_a_viewer_that_others_can_reach_has_no_page_for_the_lead(rated: OpenRound, tmp_path: Path) -> None:
    client = TestClient(create_app(Project(tmp_path)), base_url="http://127.0.0.1", client=("127.0.0.1", 1))
    assert "/rounds/" not in client.get("/rating").text
    assert client.get("/rounds/small/r1").status_code == 404


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded"])
def test_what_a_proxy_passes_on_comes_from_elsewhere(rated: OpenRound, tmp_path: Path, header: str) -> None:
    client = client_of(tmp_path)
    assert client.get(SHOWN).status_code == 200
    for said in ("127.0.0.1", "for=127.0.0.1", "10.0.0.1"):
        for path in (SHOWN, f"{SHOWN}/live.json"):
            assert client.get(path, headers={header: said}).status_code == 403
        assert "/rate/" not in client.get("/rating", headers={header: said}).text
    assert "/rate/" in client.get("/rating").text


def test_another_name_of_the_machine_comes_from_elsewhere(rated: OpenRound, tmp_path: Path) -> None:
    """Another server on this machine can be made to ask; it names this one by an address of the network."""
    client = client_of(tmp_path)
    for host, there in (("localhost:8765", True), ("[::1]:8765", True), ("10.0.0.1", False)):
        assert ("/rate/" in client.get("/rating", headers={"host": host}).text) is there
        assert client.get(SHOWN, headers={"host": host}).status_code == (200 if there else 403)
    assert "/rate/" not in client_of(tmp_path, "10.0.0.2").get("/rating").text


def test_an_open_round_shows_figures_and_neither_verdict_nor_band(rated: OpenRound, tmp_path: Path) -> None:
    text = client_of(tmp_path).get(SHOWN).text
    assert "Round r1 is open: a verdict takes the planned 270 ratings; now 207." in text
    assert "look at it after your own set is sealed" in text
    for word in ("inconclusive", "strong", "moderate", "weak", "What to do"):
        assert word not in text
    for told in (
        "Each pair of raters",
        "at least",
        "accessory",
        "agrees least with the rest",
        "could not be rated",
    ):
        assert told in text


def test_a_finished_round_shows_its_verdict_with_the_bands(tmp_path: Path) -> None:
    finished = party(tmp_path, RATERS)
    answer(finished, *(Guest(name, misses=0.04) for name in RATERS))
    text = client_of(tmp_path).get(SHOWN).text
    assert 'class="badge pass"' in text and "moderate (0.6 to 0.8)" in text
    assert "Everything that was planned is answered; not sealed yet" in text
    for rater in RATERS:
        seal(Project(tmp_path), finished, rater, "2026-11-29T10:00:00+00:00")
    assert "not sealed yet" not in client_of(tmp_path).get(SHOWN).text


@pytest.mark.parametrize(
    "guests", [(), (Guest("ann"),), (Guest("ann", cannot=1.1), Guest("bob", cannot=1.1))]
)
def test_a_round_without_agreement_yet_is_a_page(guests: tuple[Guest, ...], tmp_path: Path) -> None:
    begun = party(tmp_path, RATERS, queries=4)
    answer(begun, *guests)
    answered = client_of(tmp_path).get("/rounds/small/r1")
    assert answered.status_code == 200
    assert "No agreement yet" in answered.text and "Agreement so far" not in answered.text


def test_grades_are_shown_on_request_alone_until_every_set_is_sealed(tmp_path: Path) -> None:
    begun = party(tmp_path, RATERS)
    answer(begun, *(Guest(name, misses=0.04, cannot=0.1, cites=True) for name in RATERS))
    for rater in ("ann", "bob"):
        seal(Project(tmp_path), begun, rater, "2026-11-29T10:00:00+00:00")
    client = client_of(tmp_path)
    first = client.get("/rounds/small/r1").text
    assert "Show what they agree on" in first
    for told in ("kappa", "badge", "In dispute", "accessory", "What could not be rated", "the bar"):
        assert told not in first.partition("<main")[2].replace("Gate 1 while", "")
    assert "In dispute" in client.get("/rounds/small/r1?agreement=shown").text
    seal(Project(tmp_path), begun, "cy", "2026-11-29T10:00:00+00:00")
    assert "In dispute" in client.get("/rounds/small/r1").text


def test_the_stamp_changes_with_the_answers_and_with_nothing_else(rated: OpenRound, tmp_path: Path) -> None:
    client = client_of(tmp_path)
    first = client.get("/rounds/small/r1/live.json").json()
    assert first.keys() == {"given", "planned", "complete", "said", "stamp"}
    assert (first["given"], first["planned"], first["complete"]) == (207, 270, False)
    assert client.get("/rounds/small/r1/live.json").json() == first
    assert first["stamp"] in client.get("/rounds/small/r1").text
    with AnswerLog(rated.folder / ANSWERS) as log:
        log.add("cy", [grade(0, 1, "another-grade")])
    again = client.get("/rounds/small/r1/live.json").json()
    assert again["given"] == 207 and again["stamp"] != first["stamp"]


@pytest.mark.parametrize("path", ["/rounds/small/r1", "/rounds/small/r1/live.json"])
def test_another_machine_sees_no_round(path: str, rated: OpenRound, tmp_path: Path) -> None:
    assert client_of(tmp_path).get(path).status_code == 200
    for host in ("192.168.1.7", "testclient"):
        refused = client_of(tmp_path, host).get(path)
        assert refused.status_code == 403 and "on the machine that the viewer runs on" in refused.text


@pytest.mark.parametrize("path", ["small/r9", "other/r1", "..%2f/r1", "small/r1%2f.."])
def test_names_that_are_not_there_are_not_found(path: str, rated: OpenRound, tmp_path: Path) -> None:
    assert client_of(tmp_path).get(f"/rounds/{path}").status_code == 404


def test_hostile_texts_stay_text(rated: OpenRound, tmp_path: Path) -> None:
    pairs = rated.folder / PAIRS
    text = pairs.read_text(encoding="utf-8")
    pairs.write_text(text.replace('"blue lamp"', '"<script>alert(1)</script>"'), encoding="utf-8")
    assert "<script>alert(1)" not in client_of(tmp_path).get(SHOWN).text
    assert HOSTILE not in client_of(tmp_path).get(SHOWN).text


def test_the_page_is_renewed_while_people_rate(rated: OpenRound, tmp_path: Path, browser: Browser) -> None:
    with viewing(Project(tmp_path)) as address, opened(address + "/rating", browser=browser) as page:
        page.get_by_role("link", name="Agreement so far, for the lead of r1").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Round r1 of small@v1")
        assert "207 of 270 ratings" in page.locator("[data-said]").inner_text()
        row = page.locator("tr", has=page.get_by_role("rowheader", name="bob", exact=True)).first
        assert row.locator("td").first.inner_text() == "54"
        with AnswerLog(rated.folder / ANSWERS) as log:
            log.add("bob", [grade(54, 1, "one-more-now")])
        expect(page.locator("[data-said]")).to_contain_text("208 of 270 ratings", timeout=15_000)
        expect(row.locator("td").first).to_have_text("55", timeout=15_000)


@pytest.mark.slow
@pytest.mark.parametrize(("width", "dark"), LOOKS)
def test_the_pages_fit_and_axe_finds_nothing(
    width: int, dark: bool, rated: OpenRound, tmp_path: Path, browser: Browser
) -> None:
    with viewing(Project(tmp_path)) as address:
        for path in ("/rating", "/rounds/small/r1", SHOWN):
            with opened(address + path, width=width, dark=dark, browser=browser) as page:
                assert runs_over(page) <= 0
                assert serious(page) == []
