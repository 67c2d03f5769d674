"""What a page may send: JSON from this server's own pages, and nothing else."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.testclient import TestClient

from harness.errors import BadInput, Fault
from harness.web.app import TROUBLES
from harness.web.forms import LONGEST, form, origin_of
from harness.web.guard import HostGuard

HERE = "http://127.0.0.1:8765"
PUBLIC = "https://rate.example.com"


class Kept:
    """A form that keeps what it takes."""

    def __init__(self, public: str | None = None) -> None:
        self.taken: list[Any] = []
        names = frozenset({"localhost", "rate.example.com"})
        self.app = HostGuard(
            Starlette(routes=[form("/kept", self.keep, public)]), TROUBLES.refuse_host, names
        )

    def keep(self, request: Request, data: Any) -> Response:
        if data == "wrong":
            raise BadInput([Fault("answer 1", "no grade"), Fault("answer 2", "no place")])
        self.taken.append(data)
        return JSONResponse({"kept": len(self.taken)})


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def client(kept: Kept) -> Iterator[TestClient]:
    with TestClient(kept.app, base_url=HERE) as made:
        yield made


def post(client: TestClient, body: bytes = b"[1]", **headers: str) -> Any:
    """A POST as the page's script sends it; `headers` change its headers, and an empty one is not sent."""
    usual: Mapping[str, str] = {"origin": HERE, "content-type": "application/json"}
    given = {**usual, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return client.post("/kept", content=body, headers={name: value for name, value in given.items() if value})


def test_our_own_page_may_send(kept: Kept, client: TestClient) -> None:
    assert post(client).json() == {"kept": 1}
    assert post(client, sec_fetch_site="same-origin").status_code == 200
    assert post(client, content_type="Application/JSON; charset=utf-8").status_code == 200
    assert kept.taken == [[1]] * 3


@pytest.mark.parametrize(
    "origin",
    [
        "", "null", "https://evil.example", "http://127.0.0.1", "http://127.0.0.1:8766", "https://127.0.0.1:8765",
        "http://localhost:8765", "http://127.0.0.1:8765.evil.example", "http://evil@127.0.0.1:8765", "file://",
        "http://[::1", "127.0.0.1:8765", f"{HERE}, https://evil.example",
    ],
)  # fmt: skip
def test_another_origin_is_refused(kept: Kept, client: TestClient, origin: str) -> None:
    answer = post(client, origin=origin)
    assert answer.status_code == 403
    assert "only pages of this server" in answer.json()["error"]
    assert not kept.taken


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_another_site_is_refused_whatever_its_origin_says(kept: Kept, client: TestClient, site: str) -> None:
    assert post(client, sec_fetch_site=site).status_code == 403
    assert not kept.taken


def test_two_origins_are_refused(kept: Kept, client: TestClient) -> None:
    headers = [("origin", HERE), ("origin", HERE), ("content-type", "application/json")]
    assert client.post("/kept", content=b"1", headers=headers).status_code == 403
    assert not kept.taken


@pytest.mark.parametrize(
    "media", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "text/json"]
)
def test_what_a_foreign_form_can_send_is_refused(kept: Kept, client: TestClient, media: str) -> None:
    answer = post(client, content_type=media)
    assert answer.status_code == 415
    assert "not application/json" in answer.json()["error"]
    assert not kept.taken


def test_a_foreign_host_is_refused_before_anything_is_read(kept: Kept, client: TestClient) -> None:
    answer = post(client, host="evil.example", origin="http://evil.example")
    assert answer.status_code == 421
    assert not kept.taken


def test_a_body_has_a_limit(kept: Kept, client: TestClient) -> None:
    most = json.dumps("x" * (LONGEST - 2)).encode()
    assert len(most) == LONGEST
    assert post(client, most).status_code == 200
    answer = post(client, most + b" ")
    assert answer.status_code == 413
    assert "longer than 256 kB" in answer.json()["error"]
    assert len(kept.taken) == 1


def test_a_body_in_parts_has_the_same_limit(kept: Kept, client: TestClient) -> None:
    headers = {"origin": HERE, "content-type": "application/json"}
    parts = (b" " * 1024 for _ in range(LONGEST // 1024 + 1))
    assert client.post("/kept", content=parts, headers=headers).status_code == 413
    assert not kept.taken


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"NaN", b"[1, Infinity]", b"[" * 100_000])
def test_what_is_not_json_is_refused(kept: Kept, client: TestClient, body: bytes) -> None:
    answer = post(client, body)
    assert (answer.status_code, answer.json()["error"]) == (400, "the body is not JSON")
    assert not kept.taken


def test_every_fault_is_told(client: TestClient) -> None:
    answer = post(client, b'"wrong"')
    assert answer.status_code == 400
    assert answer.json()["faults"] == ["answer 1: no grade", "answer 2: no place"]


def test_a_person_whose_browser_sent_a_form_gets_a_page(client: TestClient) -> None:
    answer = post(client, origin="https://evil.example", accept="text/html,*/*")
    assert answer.status_code == 403
    assert "<h1>Sent by another page</h1>" in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_a_form_answers_post_alone(client: TestClient, method: str) -> None:
    answer = client.request(method, "/kept", headers={"origin": "https://evil.example"})
    assert answer.status_code == 405
    assert not any(name.startswith("access-control") for name in answer.headers)


def test_behind_a_proxy_the_public_address_is_the_own_one() -> None:
    behind = Kept(PUBLIC)
    with TestClient(behind.app, base_url=HERE) as client:
        for host in ("127.0.0.1:8765", "rate.example.com"):
            assert post(client, origin=PUBLIC, host=host).status_code == 200
            assert post(client, origin=HERE, host=host).status_code == 403
        # Anybody can send these, so that they say nothing.
        lies: dict[str, str] = {
            "x_forwarded_host": "evil.example",
            "x_forwarded_proto": "https",
            "forwarded": "host=evil.example",
        }
        assert post(client, b"1", origin="https://evil.example", **lies).status_code == 403
    assert len(behind.taken) == 2


def test_what_a_proxy_says_does_not_make_an_origin_ours(kept: Kept, client: TestClient) -> None:
    assert post(client, origin="https://evil.example", x_forwarded_host="evil.example").status_code == 403


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://a", "http://A:80"),
        ("https://a:443", "https://a/"),
        ("http://[::1]:8765", "http://[::1]:8765/x"),
    ],
)
def test_origins_are_compared_as_browsers_do(one: str, other: str) -> None:
    assert origin_of(one) == origin_of(other) is not None
