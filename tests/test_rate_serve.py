"""`harness rate`: who is served where, its exit codes, and answers that outlive a killed server.

HARNESS_KILLS says how often the server is killed (default 3); `HARNESS_KILLS=50 pytest
tests/test_rate_serve.py` is the long form.
"""

import http.client
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from builders import examples, harness, write_project
from rounds import add_round, small_round

from harness.golden.rating.answers import AnswerLog
from harness.golden.rating.links import invite, revoke
from harness.golden.rating.rounds import ANSWERS
from harness.web.rating.routes import WRONG_PER_ADDRESS

KILLS = int(os.environ.get("HARNESS_KILLS", "3"))


@contextmanager
def serving(root: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command in a process of its own, with the address that it prints."""
    command = [sys.executable, "-m", "harness", "rate", "--root", str(root), *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


def asked(
    address: str, path: str = "", body: Any = None, headers: Mapping[str, str] | None = None
) -> tuple[int, Any]:
    """A request as the page sends it; status and JSON or text."""
    parts = urlsplit(address)
    caller = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    sent = {"Origin": f"http://{parts.netloc}", "Content-Type": "application/json", **(headers or {})}
    try:
        method, data = ("GET", None) if body is None else ("POST", json.dumps(body))
        caller.request(method, parts.path + path, data, sent)
        answer = caller.getresponse()
        text = answer.read().decode()
        return answer.status, json.loads(text) if text.startswith("{") else text
    finally:
        caller.close()


def said(place: int, number: int) -> dict[str, Any]:
    return {"event": f"event-{number:06d}", "place": place, "kind": "grade", "grade": number % 3}


def test_one_person_rates_at_the_address_that_is_printed(tmp_path: Path) -> None:
    opened = small_round(tmp_path)
    with serving(tmp_path, "--rater", "ann", "--port", "0") as (process, address):
        assert "127.0.0.1" in address
        assert asked(address)[0] == 200
        assert asked(address, "/state.json")[1]["rater"] == "ann"
        assert asked(address, "/answers", [said(0, 1)])[0] == 200
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=10)
        assert process.returncode == 0
    assert told == "ann rates round r1 at this address; Ctrl-C stops it.\n"
    with AnswerLog(opened.folder / ANSWERS) as log:
        assert [one.grade for one in log.current("ann").values()] == [1]


def test_a_team_comes_by_its_links(tmp_path: Path) -> None:
    opened = small_round(tmp_path)
    token = invite(opened.folder, "ann")
    with serving(tmp_path, "--host", "0.0.0.0", "--port", "0") as (process, address):
        link = f"{address}/rate/{token}"
        assert asked(link, "/state.json")[0] == 200
        assert asked(f"{address}/")[0] == 404
        # Links are read at each request: one that is revoked is out at once.
        revoke(opened.folder, "ann")
        assert asked(link, "/state.json")[0] == 404
        other = invite(opened.folder, "ann")
        assert asked(f"{address}/rate/{other}", "/state.json")[0] == 200
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=10)
    assert "warning: links go over the network in clear text" in told
    assert f"from other machines: http://ADDRESS:{urlsplit(address).port}, with this machine's IP" in told
    assert token not in told and other not in told


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((), "no rater has a link"),
        (("--rater", "zoe"), "'zoe' is not a rater of round r1 (there are: ann, bob)"),
        (("--rater", "ann", "--host", "0.0.0.0"), "--rater is for one person on this machine"),
        (
            ("--rater", "ann", "--public-url", "https://x.example"),
            "--rater is for one person on this machine",
        ),
        (("--public-url", "rate.example.com"), "is not an address such as"),
        (("--public-url", "https://rate.example.com/x"), "is not an address such as"),
        (("--round", "r7"), "has no round 'r7'"),
        (("--policy", "none", "--rater", "ann"), "no golden set 'none'"),
        (("--rater", "ann", "status"), "--rater: give it after the command: harness rate status"),
    ],
)
def test_what_cannot_be_served_is_told(tmp_path: Path, words: tuple[str, ...], why: str) -> None:
    small_round(tmp_path)
    ended = harness("rate", *words, *(() if "status" in words else ("--root", str(tmp_path), "--port", "0")))
    assert ended.code == 2
    assert why in " ".join(ended.err.split())


def test_what_a_header_says_of_the_address_is_not_believed(tmp_path: Path) -> None:
    """Else whoever guesses links would have a new address for each, behind a proxy that passes headers on."""
    opened = small_round(tmp_path)
    token = invite(opened.folder, "ann")
    for words in ((), ("--public-url", "https://rate.example.com")):
        with serving(tmp_path, "--port", "0", *words) as (process, printed):
            port = printed.rpartition(":")[2] if not words else port_of(process.pid)
            address = f"http://127.0.0.1:{port}"
            codes = []
            for number in range(WRONG_PER_ADDRESS[1] + 10):
                lies = dict.fromkeys(("X-Forwarded-For", "X-Real-IP"), f"10.0.0.{number}")
                lies["Forwarded"] = f"for=10.0.0.{number}"
                codes.append(asked(f"{address}/rate/wrong{number}", headers=lies)[0])
            assert (codes[0], codes[-1]) == (404, 429), words
            assert asked(f"{address}/rate/{token}", "/state.json")[0] == 200


def port_of(pid: int) -> int:
    """The port that a process listens at, where it prints its public address alone."""
    own = {str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()}
    for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
        words = line.split()
        if words[3] == "0A" and f"socket:[{words[9]}]" in own:
            return int(words[1].partition(":")[2], 16)
    raise AssertionError("it listens nowhere")


def test_an_open_server_without_links_lets_nobody_in_and_says_so(tmp_path: Path) -> None:
    small_round(tmp_path)
    ended = harness("rate", "--root", str(tmp_path), "--port", "0", "--host", "0.0.0.0")
    assert ended.code == 2
    assert "harness rate invite NAME" in ended.err


@pytest.mark.slow
def test_every_grade_that_was_confirmed_outlives_a_killed_server(tmp_path: Path) -> None:
    # Many places: one takes so many answers.
    opened = add_round(write_project(tmp_path, golden=examples(queries=100)))
    links = {rater: invite(opened.folder, rater) for rater in ("ann", "bob")}
    places = len(opened.assigned("ann"))
    confirmed: dict[str, list[str]] = {rater: [] for rater in links}
    sent: dict[str, list[dict[str, Any]]] = {rater: [] for rater in links}
    draw = random.Random(7)

    def rate(rater: str, address: str) -> None:
        """Grade one pair after the other until the server is gone; what was not confirmed is sent again."""
        while True:
            number = len(confirmed[rater])
            if len(sent[rater]) == number:
                sent[rater].append(said(number % places, number))
            try:
                status, answer = asked(f"{address}/rate/{links[rater]}", "/answers", [sent[rater][-1]])
            except (OSError, http.client.HTTPException):
                return
            if status == 200:
                confirmed[rater] += answer["confirmed"]
            else:
                assert status == 429, answer
                time.sleep(0.02)

    for _ in range(KILLS):
        with serving(tmp_path, "--port", "0") as (process, address):
            raters = [threading.Thread(target=rate, args=(rater, address)) for rater in links]
            for one in raters:
                one.start()
            time.sleep(draw.uniform(0.05, 0.6))
            process.kill()
            for one in raters:
                one.join(timeout=30)
                assert not one.is_alive()
    with AnswerLog(opened.folder / ANSWERS) as log:
        stored = [(rater, one.event) for rater, one in log.all()]
    assert len(stored) == len(set(stored))
    for rater, events in confirmed.items():
        assert events
        kept = [event for whose, event in stored if whose == rater]
        assert kept[: len(events)] == events
        assert len(kept) <= len(events) + 1
    sys.stdout.write(f"\n{KILLS} kills, {sum(map(len, confirmed.values()))} confirmed, all stored once\n")
