"""Connections that say nothing, or half of it: they end, and raters get in meanwhile."""

import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from rating_pages import a_round, rated_at, rating
from test_rate_serve import asked, said

from harness.golden.rating.links import invite
from harness.storage.project import Project
from harness.web import patience
from harness.web.serve import listen

HALF = b"GET /rate/x HTTP/1.1\r\nHost: 127.0.0.1\r\nX-a: "
NO_BODY = (
    b"POST /rate/%s/answers HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nOrigin: http://127.0.0.1:%d\r\n"
    b"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n["
)
WHOLE = b"GET /nothing HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
FILES = 256
PROMPT = 10
"""Seconds: long for a machine that has other work, short beside the server's own limits."""


def connected(address: str, sent: bytes = b"", room: int = 0) -> socket.socket:
    """A connection. `room`: bytes that it takes in before they are read, where it is not as many as usual."""
    parts = urlsplit(address)
    made = socket.socket()
    made.settimeout(10)
    if room:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
    made.connect((parts.hostname, parts.port))
    made.sendall(sent)
    return made


def seconds_open(one: socket.socket, most: float = 2 * PROMPT) -> float:
    """How long the server keeps a connection open."""
    began = time.monotonic()
    one.settimeout(most)
    try:
        while one.recv(65536):
            pass
    except ConnectionError:
        pass
    return time.monotonic() - began


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HEAD", "BODY", "ANSWER"):
        monkeypatch.setattr(patience, name, 0.5)


@pytest.mark.parametrize("sent", [b"", b"G", HALF, NO_BODY, WHOLE + HALF])
def test_half_a_request_ends(
    tmp_path: Path, hasty: None, sent: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    opened = a_round(tmp_path)
    with rating(Project(tmp_path), opened) as served:
        port = urlsplit(served.address).port
        token = served.links["ann"].rpartition("/")[2].encode()
        with connected(served.address, sent % (token, port, port) if sent == NO_BODY else sent) as one:
            assert 0.3 < seconds_open(one) < PROMPT
        assert asked(served.links["ann"], "/state.json")[0] == 200
    assert capfd.readouterr().err == ""


def test_bytes_that_drip_in_do_not_keep_it_open(tmp_path: Path, hasty: None) -> None:
    with rating(Project(tmp_path), a_round(tmp_path)) as served, connected(served.address, HALF) as one:
        began = time.monotonic()
        with pytest.raises(ConnectionError):
            while time.monotonic() - began < PROMPT:
                one.sendall(b"x")
                time.sleep(0.05)


def test_an_answer_that_nobody_reads_ends(tmp_path: Path, hasty: None) -> None:
    """Many requests in a row and no look at the answers: the server stops writing, and then waits."""
    opened, listening = a_round(tmp_path), listen("127.0.0.1", 0)
    # The kernel would take megabytes of answers before the server has to wait.
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    with (
        rated_at(listening, Project(tmp_path), opened) as served,
        connected(served.address, room=4096) as one,
    ):
        path = urlsplit(served.links["ann"]).path
        asking = f"GET {path}/state.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
        one.settimeout(0.2)
        ends = time.monotonic() + PROMPT
        with pytest.raises(ConnectionError):
            while time.monotonic() < ends:
                try:
                    one.sendall(asking * 100)
                except TimeoutError:
                    continue


def test_a_connection_that_is_used_is_kept(tmp_path: Path, hasty: None) -> None:
    with rating(Project(tmp_path), a_round(tmp_path)) as served, connected(served.address) as one:
        for _ in range(8):
            one.sendall(WHOLE)
            answer = one.recv(65536)
            assert answer.startswith(b"HTTP/1.1 404")
            while b"</html>" not in answer:
                answer += one.recv(65536)
            time.sleep(0.15)


@contextmanager
def few_files(root: Path) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """The raters' server with few file descriptors."""
    code = (
        "import resource, sys; from harness.cli.app import main\n"
        f"resource.setrlimit(resource.RLIMIT_NOFILE, ({FILES}, {FILES}))\n"
        "main()"
    )
    command = [sys.executable, "-c", code, "rate", "--root", str(root), "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


@pytest.mark.slow
def test_raters_get_in_beside_more_connections_than_the_server_has_files(tmp_path: Path) -> None:
    opened = a_round(tmp_path)
    token = invite(opened.folder, "ann")
    with few_files(tmp_path) as (process, address), ExitStack() as held:
        with ThreadPoolExecutor(8) as callers:  # together: a burst is what takes the files
            calls = (HALF if number % 2 else b"" for number in range(2 * FILES))
            for one in callers.map(partial(connected, address), calls):
                held.enter_context(one)
        for number in range(5):
            began = time.monotonic()
            assert asked(f"{address}/rate/{token}", "/state.json")[0] == 200
            assert asked(f"{address}/rate/{token}", "/answers", [said(number, number)])[0] == 200
            assert time.monotonic() - began < 5
        process.terminate()
        _, err = process.communicate(timeout=20)
    assert len(err) < 1_000, err[:2_000]


def test_connections_at_once_are_a_share_of_the_files(monkeypatch: pytest.MonkeyPatch) -> None:
    for files, most, taken in (
        (1024, 400, 100),
        (512, 256, 64),
        (256, 96, 32),
        (10**6, 400, 100),
        (64, 8, 8),
    ):
        monkeypatch.setattr(resource, "getrlimit", lambda _, files=files: (files, files))
        assert (patience.most(), patience.backlog()) == (most, taken)


def test_what_is_taken_before_it_is_counted_fits_into_the_files(monkeypatch: pytest.MonkeyPatch) -> None:
    for files in range(96, 2_000):
        monkeypatch.setattr(resource, "getrlimit", lambda _, files=files: (files, files))
        assert patience.most() + patience.UNCOUNTED * patience.backlog() + patience.OWN // 2 <= files
