"""Requests that keep what they have in common are those that httpx2 builds."""

from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.providers.steady import SteadyRequests

URLS = ["http://localhost:8000/v1/chat/completions", "https://api.example.com/v1/messages?beta=true"]
HEADERS = [
    [("Content-Type", "application/json"), ("X-Retry", "0")],
    [("Content-Type", "application/json"), ("X-Retry", "1")],
    httpx2.Headers({"Content-Type": "application/json", "Cookie": "own=1"}),
]
TIMEOUTS = [120.0, httpx2.Timeout(5.0, read=7.0)]

made = st.fixed_dictionaries(
    {
        "method": st.sampled_from(["POST", "GET"]),
        "url": st.sampled_from([*URLS, httpx2.URL(URLS[0])]),
        "headers": st.sampled_from(HEADERS),
        "timeout": st.sampled_from(TIMEOUTS),
        "content": st.sampled_from([b"", b"{}", b'{"a": 1}', "text", None]),
    },
    optional={
        "extensions": st.sampled_from([{"sni_hostname": "a-b"}]),
        "params": st.sampled_from([None, {"q": "1"}]),
        "files": st.sampled_from([None, {"file": b"x"}]),
    },
)


def seen(request: httpx2.Request) -> tuple[Any, ...]:
    """All of a request that is sent, and how long it may wait."""
    return request.method, str(request.url), request.headers.raw, request.content, request.extensions


def both(asked: dict[str, Any], clients: tuple[httpx2.AsyncClient, httpx2.AsyncClient]) -> None:
    """The request of each client is the same, or both refuse to build it."""
    steady, plain = clients
    if asked.get("files") and asked["content"] is not None:
        asked = {**asked, "content": None}
    if asked.get("files"):
        # Its boundary is drawn at random.
        asked = {**asked, "headers": {"Content-Type": "multipart/form-data; boundary=x"}}
    found, wanted = (client.build_request(**asked) for client in (steady, plain))
    for request in (found, wanted):
        if asked.get("files"):
            request.read()
    assert seen(found) == seen(wanted)


@given(st.lists(st.tuples(made, st.booleans()), min_size=1, max_size=8))
def test_every_request_is_what_httpx2_builds(steps: list[tuple[dict[str, Any], bool]]) -> None:
    clients = SteadyRequests(), httpx2.AsyncClient()
    for number, (asked, is_given_cookie) in enumerate(steps):
        both(asked, clients)
        both(asked, clients)
        if is_given_cookie:
            for client in clients:
                client.cookies.set("one", str(number))


def test_cookie_of_a_server_goes_with_the_next_request() -> None:
    clients = SteadyRequests(), httpx2.AsyncClient()
    asked: dict[str, Any] = {
        "method": "POST",
        "url": URLS[0],
        "headers": HEADERS[0],
        "timeout": 1.0,
        "content": b"{}",
    }
    both(asked, clients)
    for client in clients:
        client.cookies.set("kept", "1")
    both(asked, clients)
    assert clients[0].build_request(**asked).headers["cookie"] == "kept=1"
    clients[0].cookies.clear()
    assert "cookie" not in clients[0].build_request(**asked).headers


def test_request_is_built_anew_only_where_something_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[str] = []
    whole = httpx2.AsyncClient.build_request

    def counted(self: httpx2.AsyncClient, method: str, url: Any, **parts: Any) -> httpx2.Request:
        built.append(method)
        return whole(self, method, url, **parts)

    monkeypatch.setattr(httpx2.AsyncClient, "build_request", counted)
    client = SteadyRequests()
    for content in (b"1", b"22", b"333"):
        request = client.build_request("POST", URLS[0], headers=HEADERS[0], timeout=1.0, content=content)
        assert request.headers["content-length"] == str(len(content))
    assert len(built) == 1
    client.build_request("POST", URLS[0], headers=HEADERS[1], timeout=1.0, content=b"1")
    client.build_request("POST", URLS[0], headers=HEADERS[1], timeout=2.0, content=b"1")
    client.build_request("POST", URLS[1], headers=HEADERS[1], timeout=2.0, content=b"1")
    assert len(built) == 4
