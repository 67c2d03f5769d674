"""Requests that keep what they have in common are those that httpx2 builds."""

from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.providers.steady import SteadyRequests

URLS = ["http://localhost:8000/v1/chat/completions", "https://api.example.com/v1/messages?beta=true"]
HEADERS = {"Content-Type": "application/json", "Authorization": "Bearer key"}

contents = st.sampled_from([b"{}", b'{"a": 1}', b'"' + b"x" * 9_000 + b'"'])


def seen(request: httpx2.Request) -> tuple[Any, ...]:
    """All of a request that is sent, and how long it may wait."""
    headers = sorted(request.headers.multi_items())
    return request.method, str(request.url), headers, request.content, request.extensions


def opened() -> tuple[SteadyRequests, httpx2.AsyncClient]:
    http = httpx2.AsyncClient(timeout=httpx2.Timeout(5.0, read=7.0), headers={"User-Agent": "tests"})
    return SteadyRequests(http, HEADERS), http


@given(st.lists(st.tuples(st.sampled_from(URLS), contents, st.booleans()), min_size=1, max_size=8))
def test_every_request_is_what_httpx2_builds(steps: list[tuple[str, bytes, bool]]) -> None:
    steady, http = opened()
    for number, (url, content, is_given_cookie) in enumerate(steps):
        wanted = http.build_request("POST", url, headers=HEADERS, content=content)
        assert seen(steady.post(url, content)) == seen(wanted)
        if is_given_cookie:
            http.cookies.set("one", str(number))


@pytest.mark.parametrize("content", [b"{}", b'{"a": 1}'])
def test_content_is_at_hand_so_that_it_is_not_sent_in_chunks(content: bytes) -> None:
    request = opened()[0].post(URLS[0], content)
    assert request.content == content
    assert request.headers["content-length"] == str(len(content))
    assert "transfer-encoding" not in request.headers


def test_cookie_of_a_server_goes_with_the_next_request() -> None:
    steady, http = opened()
    assert "cookie" not in steady.post(URLS[0], b"{}").headers
    http.cookies.set("kept", "1")
    assert steady.post(URLS[0], b"{}").headers["cookie"] == "kept=1"
    assert steady.post(URLS[1], b"{}").headers["cookie"] == "kept=1"
    http.cookies.clear()
    assert "cookie" not in steady.post(URLS[0], b"{}").headers
    assert "cookie" not in steady.post(URLS[1], b"{}").headers


def test_what_has_no_json_does_not_say_that_it_has() -> None:
    steady, _ = opened()
    got = steady.get(URLS[0])
    assert "content-type" not in got.headers
    assert got.headers["authorization"] == "Bearer key"
    form = steady.upload(URLS[0], {"purpose": "batch"}, {"file": ("m.jsonl", b"{}\n")})
    assert form.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert b'filename="m.jsonl"' in form.read()
    assert form.headers["authorization"] == "Bearer key"


def test_an_address_and_headers_are_taken_apart_once(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[str] = []
    whole = httpx2.AsyncClient.build_request

    def counted(self: httpx2.AsyncClient, method: str, url: Any, **parts: Any) -> httpx2.Request:
        built.append(str(url))
        return whole(self, method, url, **parts)

    monkeypatch.setattr(httpx2.AsyncClient, "build_request", counted)
    steady, _ = opened()
    for content in (b"1", b"22", b"333"):
        for url in URLS:
            steady.post(url, content)
    assert built == URLS
