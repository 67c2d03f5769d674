"""What the viewer and the author's pages answer where they have no page: each in its own words."""

from pathlib import Path

import pytest
from disputing import disputing
from starlette.testclient import TestClient

from harness.storage.project import Project
from harness.web.app import create_app
from harness.web.rating.adjudicate import adjudicate_app
from harness.web.rating.disputes import Disputes
from harness.web.troubles import PLAIN

WORDS = {
    "viewer": ("The viewer is read-only", "PUT is not allowed", "harness view --host NAME", "To the runs"),
    "author": ("This page cannot do that", "Method Not Allowed", "of this machine and to", "To the disputes"),
}


@pytest.fixture
def project(here: Path) -> Project:
    return disputing(here)


@pytest.fixture(params=list(WORDS))
def asked(request: pytest.FixtureRequest, project: Project) -> tuple[TestClient, tuple[str, ...]]:
    disputes = Disputes(project, "small@v1", None)
    app = create_app(project) if request.param == "viewer" else adjudicate_app(disputes)
    return TestClient(app, base_url="http://localhost"), WORDS[request.param]


def test_each_app_says_in_its_own_words_what_it_refuses(asked: tuple[TestClient, tuple[str, ...]]) -> None:
    client, (title, line, foreign, home) = asked
    refused = client.put("/")
    assert refused.status_code == 405
    assert title in refused.text and line in refused.text and home in refused.text
    other = client.get("/", headers={"host": "evil.example"})
    assert other.status_code == 421
    assert "Unknown host name" in other.text and foreign in other.text


def test_an_unknown_address_and_an_unknown_file_are_told_apart(
    asked: tuple[TestClient, tuple[str, ...]],
) -> None:
    client, _ = asked
    for path, line in (("/nowhere", PLAIN), ("/static/nothing.js", "there is no such file")):
        answer = client.get(path)
        assert answer.status_code == 404
        assert "There is no such page" in answer.text and line in answer.text


def test_bad_input_names_every_fault_and_a_fault_of_ours_its_server(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = adjudicate_app(Disputes(project, "small@v1", None))
    (project.root / "golden/small/ratings.jsonl").write_text("{\n[\n", encoding="utf-8")
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as client:
        answer = client.get("/")
        assert answer.status_code == 400
        assert "This page cannot be shown" in answer.text
        assert "line 1" in answer.text and "line 2" in answer.text
        monkeypatch.setattr(Disputes, "state", lambda self: 1 // 0)
        failed = client.get("/")
    assert failed.status_code == 500
    assert "The server failed" in failed.text and "ZeroDivisionError" in failed.text
