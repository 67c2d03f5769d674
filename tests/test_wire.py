"""The wire on its own: what goes out on it, which way it goes, and what may come back."""

import asyncio
import gzip
import zlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from harness.errors import TransientError
from harness.providers import wire
from harness.providers.connection import connect
from harness.providers.wire import Wire

KEY = "sk-0123456789abcdef"
Calls = Callable[[Wire], Awaitable[Any]]


def whole(body: bytes, *headers: str) -> bytes:
    """An answer as it comes."""
    lines = "\r\n".join(("HTTP/1.1 200 OK", *headers, f"Content-Length: {len(body)}"))
    return lines.encode() + b"\r\n\r\n" + body


class Server:
    """Answers all with the same bytes, and keeps those that it is asked."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self.heads: list[str] = []
        self.bodies: list[bytes] = []
        self.talks: list[asyncio.Task[Any]] = []

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.talks += filter(None, [asyncio.current_task()])
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                self.heads.append(head)
                size = next((line for line in head.lower().split("\r\n") if "content-length:" in line), ": 0")
                self.bodies.append(await reader.readexactly(int(size.split(":")[1])))
                writer.write(self._answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def told(self, name: str) -> list[str | None]:
        """A header of every request."""
        pairs = [dict(line.split(": ", 1) for line in head.split("\r\n")[1:-2]) for head in self.heads]
        return [{key.lower(): value for key, value in one.items()}.get(name) for one in pairs]


def exchange(answer: bytes, calls: Calls, base_url: str | None = None) -> tuple[Server, Any]:
    """What a server is asked, and what the calls come to. `base_url`: an address, if not the server's."""

    async def work() -> tuple[Server, Any]:
        import openai

        server = Server(answer)
        opened = await asyncio.start_server(server.talk, "127.0.0.1", 0)
        address = f"http://127.0.0.1:{opened.sockets[0].getsockname()[1]}"
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("HTTP_PROXY", address.replace("//", "//ann:secret@"))
            line = connect(openai, openai.AsyncOpenAI, base_url or f"{address}/v1", KEY)
        try:
            return server, await calls(line)
        finally:
            await line.close()
            opened.close()
            await asyncio.gather(*server.talks)

    return asyncio.run(work())


def text(told: str) -> str:
    return told


def test_each_request_says_its_kind_its_length_and_who_asks() -> None:
    async def calls(line: Wire) -> None:
        await line.post("/a", {"ü": 1}, text)
        await line.get("/b/c%2Fd?limit=1&after=e%2Bf", text)
        await line.upload("/files", {"purpose": "batch"}, {"file": ("m.jsonl", b"{}\n")}, text)

    server, _ = exchange(whole(b"{}"), calls)
    paths = [head.split("\r\n")[0] for head in server.heads]
    assert paths == [
        "POST /v1/a HTTP/1.1", "GET /v1/b/c%2Fd?limit=1&after=e%2Bf HTTP/1.1", "POST /v1/files HTTP/1.1",
    ]  # fmt: skip
    assert server.bodies[:2] == ['{"ü":1}'.encode(), b""]
    assert b'filename="m.jsonl"' in server.bodies[2]
    assert b"{}\n" in server.bodies[2]
    json, none, form = server.told("content-type")
    assert (json, none, str(form).partition("=")[0]) == (
        "application/json",
        None,
        "multipart/form-data; boundary",
    )
    assert server.told("content-length") == ["8", None, str(len(server.bodies[2]))]
    assert set(server.told("authorization")) == {f"Bearer {KEY}"}
    assert set(server.told("accept")) == {"application/json"}
    assert set(server.told("transfer-encoding")) == {None}
    assert len(set(server.told("user-agent"))) == 1


def test_cookie_of_a_server_without_a_name_goes_with_the_next_request() -> None:
    async def calls(line: Wire) -> None:
        await line.post("/a", {}, text)
        await line.post("/a", {}, text)

    server, _ = exchange(whole(b"{}", "Set-Cookie: kept=1; Path=/"), calls)
    assert server.told("cookie") == [None, "kept=1"]


def test_the_environment_s_proxy_is_gone_through_and_told_who_asks_it() -> None:
    server, said = exchange(whole(b"{}"), lambda line: line.get("/a", text), "http://model.invalid/v1")
    assert said == "{}"
    assert server.heads[0].startswith("GET http://model.invalid/v1/a HTTP/1.1\r\n")
    assert server.told("proxy-authorization") == ["Basic YW5uOnNlY3JldA=="]


def test_keys_in_a_file_of_the_user_are_not_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("default login ann password secret\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    server, _ = exchange(whole(b"{}"), lambda line: line.get("/a", text), "http://model.invalid/v1")
    assert server.told("authorization") == [f"Bearer {KEY}"]


PACKED = {
    "gzip": gzip.compress('{"ü": 1}'.encode(), mtime=0),
    "deflate": zlib.compress('{"ü": 1}'.encode()),
}


@pytest.mark.parametrize(("coding", "body"), PACKED.items())
def test_packed_answer_is_unpacked_and_asked_for(coding: str, body: bytes) -> None:
    server, said = exchange(whole(body, f"Content-Encoding: {coding}"), lambda line: line.get("/a", text))
    assert said == '{"ü": 1}'
    assert coding in str(server.told("accept-encoding")[0])


def test_answer_that_is_not_packed_as_it_says_is_none() -> None:
    with pytest.raises(TransientError, match="gzip"):
        exchange(whole(b"{}" * 20, "Content-Encoding: gzip"), lambda line: line.get("/a", text))


@pytest.mark.parametrize(
    ("bound", "call"),
    [
        ("MOST_IN_ANSWER", lambda line: line.post("/a", {}, text)),
        ("MOST_IN_FILE", lambda line: line.get("/a", text)),
    ],
    ids=["answer", "file"],
)
def test_few_bytes_that_unpack_to_many_are_read_up_to_a_bound(
    bound: str, call: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = gzip.compress(b" " * (2 << 20))
    packed = whole(body, "Content-Encoding: gzip")
    assert exchange(packed, call)[1] == " " * (2 << 20)
    monkeypatch.setattr(wire, bound, (2 << 20) - 1)
    with pytest.raises(TransientError, match="the server's answer is longer than 1 MB"):
        exchange(packed, call)


def test_what_is_no_utf_8_costs_no_answer() -> None:
    said = exchange(
        whole(b"caf\xe9", "Content-Type: text/plain; charset=latin-1"), lambda line: line.get("/a", text)
    )
    assert said[1] == "caf\ufffd"
