"""The raters' server by its addresses: what it shows and takes, whom it lets in, what it never says."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from builders import CLAUSE, examples, policy_text, write_project
from rounds import add_round, grade, small_round
from served_round import HERE, OWN, Served, said
from starlette.testclient import TestClient

from harness.golden.rating.answers import AnswerLog
from harness.golden.rating.links import invite, revoke
from harness.golden.rating.rounds import ANSWERS, ASSIGNMENTS, PAIRS, ROUND, OpenRound, Show, read_round
from harness.storage.project import Project
from harness.web.app import create_app
from harness.web.guard import is_local
from harness.web.pages import RATING
from harness.web.rating.desk import Desk
from harness.web.rating.limits import KNOWN, Limit
from harness.web.rating.routes import PER_LINK, WRONG_PER_ADDRESS
from harness.web.rating.shown import content_policy, picture_of
from harness.web.serve import viewer


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    opened = small_round(tmp_path)
    made = Served(Project(tmp_path), opened)
    yield made
    made.desk.close()


# --- what it shows and takes ----------------------------------------------------------------------------


def test_a_link_opens_the_page_with_and_without_a_slash(served: Served) -> None:
    for link in (served.links["ann"], served.links["ann"] + "/"):
        answer = served.client.get(link, follow_redirects=False)
        assert answer.status_code == 200
        assert '<script type="module" src="/static/rate.js">' in answer.text


def test_no_address_redirects(served: Served) -> None:
    """A redirect would name http, where a proxy's browsers use https: the link would go in clear text."""
    for path in (f"{served.links['ann']}/state.json/", "/rate/x/state.json/", "/static/rate.js/"):
        answer = served.client.get(path, follow_redirects=False)
        assert (answer.status_code, answer.headers.get("location")) == (404, None)


def test_the_state_has_the_pairs_in_the_raters_order_and_the_policy(served: Served) -> None:
    state = served.state()
    assigned = served.opened.assigned("ann")
    assert [one["place"] for one in state["pairs"]] == [one.place for one in assigned]
    assert [one["query"] for one in state["pairs"]] == [served.opened.pairs[a.code].query for a in assigned]
    assert [one["ask"] for one in state["pairs"]] == [
        served.opened.asks_reason("ann", a.place) for a in assigned
    ]
    assert state["policy"]["scale"] == [0, 1, 2]
    assert {level["name"] for level in state["policy"]["grades"]}
    assert (state["answers"], state["sealed"], state["rater"]) == ([], None, "ann")


def test_what_is_confirmed_is_stored(served: Served) -> None:
    given = [
        said(0, 2, milliseconds=1234, reasoning="wanted"),
        {"event": "event-cannot", "place": 1, "kind": "cannot", "cannot": "policy_silent"},
        {"event": "event-later", "place": 2, "kind": "later"},
    ]
    answer = served.post(given)
    assert answer.status_code == 200
    assert answer.json()["confirmed"] == [one["event"] for one in given]
    assert answer.json()["places"]["1"]["cannot"] == "policy_silent"
    assert served.stored() == {0: 2, 1: "policy_silent", 2: "later"}
    assert {one["place"]: one.get("milliseconds") for one in served.state()["answers"]}[0] == 1234
    assert served.stored("bob") == {}


def test_the_same_answer_twice_is_one(served: Served) -> None:
    for _ in range(2):
        assert served.post([said(0, 2)]).json()["confirmed"] == ["event-0-2"]
    # Sent late, it does not replace what was said after it.
    served.post([said(0, 1)])
    assert served.post([said(0, 2)]).json()["places"]["0"]["grade"] == 1
    with AnswerLog(served.opened.folder / ANSWERS) as log:
        assert len(list(log.all())) == 2


def test_undo_takes_the_last_answer_back(served: Served) -> None:
    served.post([said(0, 2), said(0, 1)])
    undo = {"event": "event-undo-1", "place": 0, "kind": "undo"}
    assert served.post([undo]).json()["places"]["0"]["grade"] == 2
    assert served.post([undo | {"event": "event-undo-2"}]).json()["places"] == {"0": None}
    assert served.stored() == {}


def test_the_time_is_the_servers(served: Served) -> None:
    served.post([said(0, 2, at="1999-01-01T00:00:00+00:00")])
    assert not served.state()["answers"][0]["at"].startswith("1999")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ({}, "a list"),
        ([1], "answers"),
        ([said(99)], "place 99"),
        ([said(0, 7)], "7"),
        ([said(0, 1, event="x")], "event"),
        ([said(0, 1) | {"rater": "bob"}], "unknown key"),
        ([said(0, 1) | {"grade": "1"}], "grade"),
        ([said(0, 1) | {"grade": None}], "grade"),
        ([{"event": "event-0-u", "place": 0, "kind": "cannot", "cannot": "bored"}], "cannot"),
        ([said(0, 1, clauses=["none"])], "no clause"),
        ([said(0, 1, event=f"event-{n}") for n in range(1001)], "at most 1,000"),
    ],
)
def test_what_a_round_cannot_take_is_refused_whole(served: Served, data: Any, why: str) -> None:
    good = [said(1)]
    answer = served.post(good + data if isinstance(data, list) and len(data) < 1000 else data)
    assert answer.status_code == 400
    assert why in answer.json()["error"]
    assert served.stored() == {}


# --- sealing ----------------------------------------------------------------------------------------------


def test_a_sealed_set_is_counted_and_takes_no_more(served: Served) -> None:
    served.post([said(0, 2), said(1, 0)])
    closed = served.post({}, to="seal").json()["sealed"]
    assert served.state()["sealed"] == closed
    assert served.post({}, to="seal").json()["sealed"] == closed
    refused = served.post([said(2)])
    assert refused.status_code == 400
    assert "closed" in refused.json()["error"]
    # The same answers again: their confirmation was lost.
    assert served.post([said(0, 2), said(1, 0)]).json()["confirmed"] == ["event-0-2", "event-1-0"]
    assert served.post([said(0, 2), said(2)]).status_code == 400
    assert [one["grade"] for one in served.state()["answers"]] == [2, 0]
    lines = (served.opened.folder.parent.parent / "ratings.jsonl").read_text("utf-8").splitlines()
    assert {(one["item"], one["rater"], one["grade"]) for one in map(json.loads, lines)} == {
        (served.opened.pairs[a.code].item, "ann", value)
        for a, value in zip(served.opened.assigned("ann"), (2, 0), strict=False)
    }
    assert served.post([said(0, 1)], rater="bob").status_code == 200


def test_nothing_cannot_be_sealed(served: Served) -> None:
    answer = served.post({}, to="seal")
    assert answer.status_code == 400
    assert served.state()["sealed"] is None


# --- whom it lets in ----------------------------------------------------------------------------------------


def every_route(link: str) -> list[tuple[str, str]]:
    return [
        ("GET", link),
        ("GET", f"{link}/"),
        ("GET", f"{link}/state.json"),
        ("POST", f"{link}/answers"),
        ("POST", f"{link}/seal"),
    ]


def test_a_wrong_and_a_revoked_link_are_answered_alike(served: Served) -> None:
    right = served.links["ann"]
    served.post([said(0)])
    revoke(served.opened.folder, "ann")
    wrong = "/rate/" + "x" * 43
    for (method, one), (_, other) in zip(every_route(right), every_route(wrong), strict=True):
        answers = [served.client.request(method, link, json=[said(1)], headers=OWN) for link in (one, other)]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].content == answers[1].content
        assert dict(answers[0].headers) == dict(answers[1].headers)
    assert served.stored() == {0: 1}
    assert served.client.get(served.links["bob"]).status_code == 200


def test_another_raters_link_writes_for_that_rater_alone(served: Served) -> None:
    served.post([said(0, 2)], rater="bob")
    assert (served.stored(), served.stored("bob")) == ({}, {0: 2})
    assert served.state("ann")["answers"] == []


@pytest.mark.parametrize("path", ["answers", "seal"])
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": ""}, 403),
        ({"origin": "http://127.0.0.1:8765"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
        ({"host": "evil.example", "origin": "http://evil.example"}, 421),
    ],
)
def test_a_foreign_page_cannot_rate(served: Served, path: str, headers: dict[str, str], status: int) -> None:
    served.post([said(1)])
    answer = served.post([said(0)], to=path, **headers)
    assert answer.status_code == status
    assert served.stored() == {1: 1}
    assert served.state()["sealed"] is None
    assert not any(name.startswith("access-control") for name in answer.headers)


def test_every_route_that_writes_refuses_a_foreign_page(served: Served) -> None:
    """Walks the routes, so that one that is added later is asked too."""
    app: Any = served.client.app
    writing = [route for route in app._app.routes if (route.methods or set()) - {"GET", "HEAD"}]
    assert {route.path for route in writing} == {"/rate/{token}/answers", "/rate/{token}/seal"}
    for route in writing:
        path = route.path.replace("{token}", served.links["ann"].removeprefix("/rate/"))
        for method in route.methods:
            answer = served.client.request(method, path, json=[], headers={"origin": "https://evil.example"})
            assert answer.status_code == 403


def test_behind_a_proxy_only_the_public_address_is_ours(tmp_path: Path) -> None:
    opened = small_round(tmp_path)
    behind = Served(Project(tmp_path), opened, "https://rate.example.com")
    assert behind.post([said(0)], origin="https://rate.example.com").status_code == 200
    assert behind.post([said(0)], origin=HERE).status_code == 403
    lies = {"x-forwarded-host": "127.0.0.1:8766", "x-forwarded-proto": "http"}
    assert behind.post([said(0)], origin=HERE, **lies).status_code == 403
    behind.desk.close()


def test_many_wrong_links_are_slowed_and_a_right_one_is_not(served: Served) -> None:
    burst = WRONG_PER_ADDRESS[1]
    wrong = [served.client.get(f"/rate/wrong{number}").status_code for number in range(burst + 5)]
    assert wrong[:burst] == [404] * burst
    assert 429 in wrong[burst:]
    assert served.client.get(served.links["ann"]).status_code == 200


def test_a_link_has_so_many_requests(served: Served) -> None:
    codes = [served.client.get(f"{served.links['ann']}/").status_code for _ in range(PER_LINK[1] * 4)]
    assert codes[: PER_LINK[1]] == [200] * PER_LINK[1]
    if 429 in codes:  # a slow machine stays under the limit
        assert served.client.get(served.links["bob"]).status_code == 200


def test_a_limit_fills_again_and_forgets_the_quiet_ones() -> None:
    now = [0.0]
    limit = Limit(2, 3, lambda: now[0])
    assert [limit.take("a") for _ in range(4)] == [True, True, True, False]
    assert limit.take("b")
    now[0] = 0.5
    assert [limit.take("a") for _ in range(2)] == [True, False]
    now[0] = 100
    assert [limit.take("a") for _ in range(4)] == [True, True, True, False]
    for number in range(KNOWN):
        limit.take(str(number))
    assert limit.take("a")


def test_the_raters_server_has_rating_pages_alone(served: Served) -> None:
    for path in (
        "/",
        "/trend",
        "/versions",
        "/runs/x",
        "/policies/small",
        "/static/viewer.js",
        "/rate",
        "/docs",
    ):
        answer = served.client.get(path)
        assert answer.status_code == 404, path
        assert 'href="/"' not in answer.text
    for name in ("style.css", *RATING):
        assert served.client.get(f"/static/{name}").status_code == 200


def test_every_page_has_the_files_that_it_names(served: Served) -> None:
    for path in (served.links["ann"], "/", "/rate/unknown"):
        for address in re.findall(r'(?:href|src)="(/[^"]*)"', served.client.get(path).text):
            assert served.client.get(address).status_code == 200, (path, address)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "GET"])
def test_answers_are_posted_alone(served: Served, method: str) -> None:
    assert served.client.request(method, f"{served.links['ann']}/answers").status_code == 405


def test_every_answer_has_the_headers_and_no_link_in_its_text(served: Served) -> None:
    token = served.links["ann"].removeprefix("/rate/")
    for method, path in [*every_route(served.links["ann"]), ("GET", "/nothing"), ("GET", "/static/rate.js")]:
        answer = served.client.request(method, path, json=[said(0)], headers=OWN)
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert token not in answer.text + str(answer.headers), path


def test_a_fault_of_ours_says_nothing_of_the_round(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Desk, rater: str) -> None:
        raise ZeroDivisionError("q1-0")

    monkeypatch.setattr(Desk, "state", fail)
    client = TestClient(served.client.app, base_url=HERE, raise_server_exceptions=False)
    answer = client.get(f"{served.links['ann']}/state.json")
    assert answer.status_code == 500
    assert "q1-0" not in answer.text


def test_a_session_on_this_machine_ends_with_the_server(served: Served) -> None:
    token = served.desk.session("ann")
    assert served.client.get(f"/rate/{token}").status_code == 200
    assert (served.desk.rater(token), served.desk.rater(token + "x")) == ("ann", None)
    assert token not in (served.opened.folder / "links.jsonl").read_text()
    again = Desk(served.project, served.opened)
    assert again.rater(token) is None
    again.close()


# --- what it never says -------------------------------------------------------------------------------------

MARK = "zzmarkzz"


def marked(root: Path) -> OpenRound:
    """A round of a golden set whose hidden parts are all marked."""
    golden = examples()
    for one in golden:
        one["id"] = f"{MARK}-{one['id']}"
        one["tags"] = [f"{MARK}:tag"]
        one["reasoning"] = f"{MARK} {one['reasoning']}"
        one["provenance"] = {"source": MARK}
        past = {"policy_version": "v0", "grade": 1, "reasoning": MARK, "why": MARK}
        one["history"] = [past]
    project = write_project(root, golden=golden)
    text = policy_text(clauses=CLAUSE).replace('author = "Said."', f'author = "{MARK}"')
    (root / "policies/small/v1.toml").write_text(text, encoding="utf-8")
    opened = add_round(project, ("ann", "bob"))
    for path in (opened.folder / PAIRS, opened.folder / ASSIGNMENTS):
        text = re.sub(r"\bcode([0-9]+)", rf"{MARK}\1", path.read_text(encoding="utf-8"))
        path.write_text(text.replace('"drawn"', f'"stratum": "{MARK}", "drawn"'), encoding="utf-8")
    return read_round(opened.folder, project)


def everything(served: Served, rater: str) -> Iterator[tuple[str, str]]:
    """Every address of the server with what it answers to a rater, wrong requests as well."""
    link = served.links[rater]
    app: Any = served.client.app
    paths = {route.path for route in app._app.routes}
    assert paths == {
        *(path.replace(link, "/rate/{token}") for _, path in every_route(link)),
        "/static/{name}",
    }
    bodies = ([said(0, 1)], [said(0, 9)], [said(500)], {"x": 1}, [said(1, 1, clauses=["none"])])
    for method, path in every_route(link):
        for body in bodies if method == "POST" else (None,):
            for headers in (OWN, {"origin": "https://evil.example"}, OWN | {"accept": "text/html"}):
                answer = served.client.request(method, path, json=body, headers=headers)
                yield f"{method} {path} {body}", answer.text + str(answer.headers)
    for path in ("/", "/nothing", *(f"/static/{name}" for name in ("style.css", *RATING, "x"))):
        answer = served.client.get(path)
        yield path, answer.text + str(answer.headers)


def test_nothing_that_leaves_the_server_hints_at_a_grade(tmp_path: Path) -> None:
    opened = marked(tmp_path)
    served = Served(Project(tmp_path), opened)
    with AnswerLog(opened.folder / ANSWERS) as log:
        log.add("bob", [grade(n, 2, reasoning=f"{MARK} bob's reason") for n in range(5)])
    hidden = (
        MARK,
        "golden",
        "stratum",
        "drawn",
        "random",
        "repeat",
        '"pi"',
        '"split"',
        '"tags"',
        str(tmp_path),
    )
    for where, text in everything(served, "ann"):
        shown = text.lower()
        if where.startswith("/static/"):
            assert MARK not in shown
            continue
        assert not [word for word in hidden if word.lower() in shown], where
        assert "bob" not in shown, where
    served.desk.close()


def test_every_key_of_the_state_is_known(tmp_path: Path) -> None:
    """A new field of a pair, a policy or an answer leaves the server only when somebody puts it here."""
    served = Served(Project(tmp_path), marked(tmp_path))
    served.post([said(0, 2, reasoning="wanted")])
    state = served.state()
    assert set(state) == {"key", "round", "rater", "policy", "changed", "pairs", "answers", "sealed"}
    assert {key for one in state["pairs"] for key in one} == {
        "place", "ask", "query", "result", "picture", "context",
    }  # fmt: skip
    results = {key for one in state["pairs"] for key in one["result"]}
    assert results <= {"title", "brand", "category", "price", "description", "attributes"}
    policy = state["policy"]
    assert set(policy) == {
        "name", "version", "title", "surface", "goal", "grades", "clauses", "boundaries", "scale",
    }  # fmt: skip
    assert {key for one in policy["clauses"] for key in one} == {"id", "text", "why"}
    served.desk.close()


def test_other_golden_grades_change_no_byte_of_the_state(tmp_path: Path) -> None:
    states = []
    for turn in (0, 1):
        root = tmp_path / str(turn)
        root.mkdir()
        golden = examples()
        for one in golden:
            one["grade"] = (one["grade"] + turn) % 3
        opened = add_round(write_project(root, golden=golden))
        served = Served(Project(root), opened)
        state = served.state()
        del state["key"]
        states.append(json.dumps(state))
        served.desk.close()
    assert states[0] == states[1]


# --- pictures -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://img.example.com/a.jpg", True),
        ("https://IMG.example.com/a.jpg", True),
        ("http://img.example.com/a.jpg", False),
        ("https://evil.example/a.jpg", False),
        ("https://img.example.com.evil.example/a.jpg", False),
        ("https://user@img.example.com/a.jpg", False),
        ("https://img.example.com:444/a.jpg", False),
        ("javascript:alert(1)", False),
        ("https://[::1", False),
        ("", False),
    ],
)
def test_a_picture_is_shown_from_an_allowed_host_alone(address: str, shown: bool) -> None:
    show = Show(picture="image", picture_hosts=("img.example.com",))
    assert picture_of(address, show) == (address if shown else None)
    assert picture_of(address, Show(picture="image")) is None


def test_the_content_policy_allows_the_rounds_hosts_and_nothing_else() -> None:
    hostile = ("img.example.com", "cdn.example:8443", "*", "x; script-src *", "'unsafe-inline'", "a b")
    found = content_policy(Show(picture="image", picture_hosts=hostile))
    assert "img-src data: https://img.example.com https://cdn.example:8443;" in found
    assert "*" not in found and "unsafe" not in found
    assert "img-src data:;" in content_policy(Show())


def test_a_rounds_pictures_and_fields_reach_the_page(tmp_path: Path) -> None:
    golden = examples()
    for one in golden:
        one["result"]["attributes"] = {"image": "https://img.example.com/a.jpg", "size": "4"}
    opened = add_round(write_project(tmp_path, golden=golden))
    show = {
        "fields": ["title", "attributes", "__class__", "model_fields"],
        "picture": "image",
        "picture_hosts": ["img.example.com"],
    }
    path = opened.folder / ROUND
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | {"show": show}), "utf-8")
    served = Served(Project(tmp_path), read_round(opened.folder, Project(tmp_path)))
    pair = served.state()["pairs"][0]
    assert pair["picture"] == "https://img.example.com/a.jpg"
    assert pair["result"]["attributes"] == {"size": "4"}
    assert set(pair["result"]) == {"title", "attributes"}
    policy = served.client.get(served.links["ann"]).headers["content-security-policy"]
    assert "img-src data: https://img.example.com;" in policy
    served.desk.close()


def test_a_policy_that_changed_meanwhile_is_said(tmp_path: Path) -> None:
    opened = small_round(tmp_path)
    path = tmp_path / "policies/small/v1.toml"
    served = Served(Project(tmp_path), opened)
    assert served.state()["changed"] == ""
    path.write_text(re.sub("Said", "Said otherwise", path.read_text("utf-8"), count=1), "utf-8")
    assert "was changed after round r1 was planned" in served.state()["changed"]
    served.desk.close()


# --- from the viewer ----------------------------------------------------------------------------------------

ALONE = ("127.0.0.1", 50_000)
"""A browser on this machine."""


def test_the_viewer_of_this_machine_has_a_link_for_each_rater(tmp_path: Path) -> None:
    opened = small_round(tmp_path)
    add_round(Project(tmp_path), ("cy",), "r2")
    with TestClient(create_app(Project(tmp_path), rate=True), base_url=HERE, client=ALONE) as client:
        text = client.get("/rating").text
        assert re.findall(r"Rate as (\w+)", text) == ["cy", "ann", "bob"]
        link = re.findall(r'href="(/rate/[^"]+)">Rate as ann', text)[0]
        assert client.get("/rating").text == text
        assert client.get(f"{link}/state.json").json()["round"] == "r1"
        assert client.post(f"{link}/answers", json=[said(0, 2)], headers=OWN).status_code == 200
        assert client.post(f"{link}/answers", json=[said(1, 2)]).status_code == 403
        assert f"1 of {len(opened.pairs)}" in client.get("/rating").text
        assert client.post(f"{link}/seal", json={}, headers=OWN).status_code == 200
        assert "sealed on" in client.get("/rating").text
    with AnswerLog(opened.folder / ANSWERS) as log:
        assert [one.grade for one in log.current("ann").values()] == [2]


def test_a_damaged_round_is_listed_in_words(tmp_path: Path) -> None:
    opened = small_round(tmp_path)
    (opened.folder / ANSWERS).write_bytes(b"no database, and long enough to be read as one" * 9)
    with TestClient(create_app(Project(tmp_path), rate=True), base_url=HERE, client=ALONE) as client:
        answer = client.get("/rating")
        assert answer.status_code == 200
        assert "answers.sqlite3" in answer.text


def test_the_viewer_of_a_team_has_no_rating_routes(tmp_path: Path) -> None:
    opened = small_round(tmp_path)
    token = invite(opened.folder, "ann")
    with TestClient(create_app(Project(tmp_path)), base_url=HERE) as client:
        assert client.get(f"/rate/{token}").status_code == 404
        text = client.get("/rating").text
        assert "Rate as" not in text
        assert "harness rate --host" in text


@pytest.mark.parametrize(
    ("host", "local"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("0.0.0.0", False), ("shop.example", False)],
)
def test_only_a_viewer_on_loopback_takes_ratings(tmp_path: Path, host: str, local: bool) -> None:
    assert is_local(host) is local
    small_round(tmp_path)
    app: Any = viewer(Project(tmp_path), host).config.app
    assert ("Rate as ann" in TestClient(app, base_url=HERE, client=ALONE).get("/rating").text) is local
