"""Where a key goes: to the provider, or where the user says; never where a file or a server says."""

import json
import socket
import ssl
from pathlib import Path

import pytest
from builders import harness, policy, write_project
from fault_server import FaultServer, Turn, fault_server, graded

from harness.errors import BadInput
from harness.providers import is_expected, is_home, open_teacher
from harness.providers.base import Setup
from harness.providers.connection import check_url, is_loopback, proxy_to, trusted
from harness.providers.served import Served

KEY = "sk-secret-secret"
MODELS = ("openai/m", "openai-responses/m", "anthropic/m", "vllm/m")
KEYS = {"OPENAI_API_KEY": KEY, "ANTHROPIC_API_KEY": KEY, "VLLM_API_KEY": KEY}


def ask(*words: str, **env: str) -> tuple[int, str]:
    """One question of a small project."""
    ended = harness("eval", "--policy", "small", "--limit", "1", "--no-report", *words, **{**KEYS, **env})
    return ended.code, ended.err


def stopped(here: Path, server: FaultServer, model: str) -> str:
    """The name of a run that a server ended."""
    ask("--model", model, "--base-url", server.url)
    return next((here / "runs").glob("2*")).name


@pytest.mark.parametrize("model", MODELS)
def test_a_resumed_run_asks_no_address_of_its_manifest(here: Path, model: str) -> None:
    write_project(here)
    with fault_server(lambda number, body: Turn(status=401) if not number else graded()) as server:
        run = stopped(here, server, model)
        asked = len(server.headers)
        ended = harness("eval", "--resume", run, **KEYS)
        assert (ended.code, len(server.headers)) == (2, asked)
        assert f"--resume {run} --base-url {server.url}" in ended.err
        ended = harness("eval", "--resume", run, "--base-url", server.url, **KEYS)
        assert ended.code == 0
        assert f"{model} at {server.url} grades" in ended.err
        assert len(server.headers) > asked


def test_a_resumed_run_asks_the_address_of_the_environment(here: Path) -> None:
    write_project(here)
    with fault_server(lambda number, body: Turn(status=401) if not number else graded()) as server:
        run = stopped(here, server, "openai/m")
        assert harness("eval", "--resume", run, OPENAI_BASE_URL=server.url, **KEYS).code == 0


def test_an_address_in_a_projects_env_file_is_not_taken(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_project(here)
    for name in ("HTTP_PROXY", "OPENAI_BASE_URL", "VLLM_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    with (
        fault_server(lambda *asked: graded()) as server,
        fault_server(lambda *asked: graded()) as other,
    ):
        lines = (
            f"OPENAI_BASE_URL={other.url}", f"HTTP_PROXY={other.url}", "VLLM_API_KEY=${OPENAI_API_KEY}",
            "UNRELATED=1",
        )  # fmt: skip
        (here / ".env").write_text("\n".join(lines), encoding="utf-8")
        ended = harness(
            "eval", "--policy", "small", "--limit", "1", "--model", "vllm/m", "--base-url", server.url,
            OPENAI_API_KEY=KEY,
        )  # fmt: skip
        assert ended.code == 0
        assert ended.err.count("OPENAI_BASE_URL, HTTP_PROXY in") == 1
        assert "UNRELATED" not in ended.err
        assert not other.requests
        assert KEY not in json.dumps(server.headers)
    monkeypatch.delenv("VLLM_API_KEY", raising=False)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("model", MODELS)
def test_a_redirect_is_not_followed(here: Path, model: str, status: int) -> None:
    write_project(here)
    with fault_server(lambda number, body: graded()) as other:
        there = Turn(status=status, headers={"Location": f"{other.url}/responses"})
        with fault_server(lambda number, body: there) as server:
            code, said = ask("--model", model, "--base-url", server.url)
    assert code == 4
    assert f"sends every request on to {other.url}/responses ({status}), which is not followed" in said
    assert len(server.requests) == 1
    assert not other.requests


@pytest.mark.parametrize("model", MODELS)
def test_no_proxy_is_asked_for_this_machine(here: Path, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write_project(here)
    nobody = "http://127.0.0.1:9"
    set_proxies(
        monkeypatch, **dict.fromkeys(("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"), nobody)
    )
    with fault_server(lambda number, body: graded()) as server:
        assert ask("--model", model, "--base-url", server.url)[0] == 0


LOOPBACK = {
    "http://localhost:1/v1": True,
    "http://a.localhost:1": True,
    "http://127.9.9.9": True,
    "http://[::1]:8/v1": True,
    "http://0.0.0.0:8": True,
    "http://127.1:8": True,
    "http://0x7f000001": True,
    "http://2130706433/v1": True,
    "http://[::ffff:127.0.0.1]:8": True,
    f"http://{socket.gethostname()}:8/v1": True,
    "http://[::ffff:10.0.0.1]": False,
    "http://localhost.example.com": False,
    "http://10.0.0.1": False,
    "https://api.openai.com/v1": False,
}


@pytest.mark.parametrize(("url", "local"), LOOPBACK.items())
def test_this_machine_is_known_by_its_names(url: str, local: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    set_proxies(monkeypatch, HTTP_PROXY="http://p:1", HTTPS_PROXY="http://p:1")
    assert is_loopback(url) == local
    assert proxy_to(url) == (None if local else "http://p:1")


PROXIES: dict[str, tuple[str, dict[str, str], str | None]] = {
    "by its scheme": ("http://m.example/v1", {"HTTP_PROXY": "http://p:1", "HTTPS_PROXY": "http://q:1"}, "http://p:1"),
    "in small letters": ("https://m.example/v1", {"https_proxy": "http://q:1"}, "http://q:1"),
    "for all": ("https://m.example/v1", {"ALL_PROXY": "http://p:1", "HTTP_PROXY": "http://q:1"}, "http://p:1"),
    "without a scheme": ("http://m.example", {"HTTP_PROXY": "p:1"}, "http://p:1"),
    "of another scheme": ("http://m.example", {"HTTPS_PROXY": "http://p:1"}, None),
    "not to a host": ("http://m.example:8", {"HTTP_PROXY": "http://p:1", "NO_PROXY": "a, m.example"}, None),
    "not to a domain": ("http://m.example", {"ALL_PROXY": "http://p:1", "NO_PROXY": ".example"}, None),
    "not to another": ("http://m.example", {"HTTP_PROXY": "http://p:1", "NO_PROXY": "example.com"}, "http://p:1"),
    "to nobody": ("https://m.example", {"ALL_PROXY": "http://p:1", "no_proxy": "*"}, None),
    "without one": ("https://m.example", {}, None),
}  # fmt: skip


def set_proxies(monkeypatch: pytest.MonkeyPatch, **proxies: str) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name, value in proxies.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(("url", "told", "proxy"), PROXIES.values(), ids=PROXIES)
def test_the_environment_s_proxy_is_asked(
    url: str, told: dict[str, str], proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_proxies(monkeypatch, **told)
    assert proxy_to(url) == proxy


def test_certificates_are_read_unless_no_tls_is_spoken() -> None:
    for url in (None, "https://api.openai.com/v1", "https://127.0.0.1", "http://10.0.0.1"):
        assert trusted(url) is True  # a proxy on the way to the last one may speak it
    nobody = trusted("http://127.0.0.1:8")
    assert isinstance(nobody, ssl.SSLContext)
    assert (nobody.verify_mode, nobody.get_ca_certs()) == (ssl.CERT_REQUIRED, [])


@pytest.mark.parametrize("more", ["#x", "#", "?a=b", "?", "/v1?key=1#x"])
def test_an_address_has_no_query_and_no_fragment(more: str) -> None:
    with pytest.raises(BadInput, match="a user, a query or a fragment"):
        check_url(f"http://localhost:8000{more}", "OPENAI_API_KEY")
    with pytest.raises(BadInput, match="a user, a query or a fragment"):
        check_url("http://user@localhost:8000", "OPENAI_API_KEY")


@pytest.mark.parametrize(
    ("model", "variable", "home"),
    [
        ("openai/m", "OPENAI_BASE_URL", "https://api.openai.com/v1"),
        ("anthropic/m", "ANTHROPIC_BASE_URL", "https://api.anthropic.com"),
    ],
)
def test_an_empty_variable_names_no_address(
    model: str, variable: str, home: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**KEYS, variable: ""}.items():
        monkeypatch.setenv(name, value)
    teacher = open_teacher(model, Setup(policy=policy(), shots=()))
    assert isinstance(teacher, Served)
    assert teacher.wire._base == home


@pytest.mark.parametrize(
    "url", ["http://a/\r\nX: 1", "http://a/v1 ", "http://a/\x00", "http://a b", "//a/v1"]
)
def test_an_address_is_one_word_of_whole_characters(url: str) -> None:
    with pytest.raises(BadInput, match="invalid base URL"):
        check_url(url, "OPENAI_API_KEY")


def test_a_providers_own_address_is_its_home() -> None:
    assert is_home("openai/m", "https://api.openai.com/v1")
    assert is_home("openai/m", "https://eu.api.openai.com/v1")
    assert is_home("vllm/m", "http://localhost:8000/v1")
    assert is_home("anthropic/m", None)
    for address in (
        "http://api.openai.com/v1",
        "https://api.openai.com.evil.test",
        "https://evilapi.openai.com",
        "http://[",
        "http://x／y",  # noqa: RUF001 - what a file may hold in place of a stroke
    ):
        assert not is_expected("openai/m", address)
