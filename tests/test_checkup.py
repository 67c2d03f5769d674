"""`harness doctor MODEL`: each capability is found out by asking, in as few requests as it takes."""

import json
from pathlib import Path
from typing import Any

import pytest
from builders import Ended, harness, write_project
from fault_server import FaultServer, Script, Turn, completion, error, fault_server, graded, item_of
from oracle import KEY, KEYS

from harness.providers import PROVIDERS
from harness.scorecards.checkup import Capability, Checkup

NAMES = ("temperature", "structured output", "log-probabilities", "prompt cache")
NO_CACHE = {"prompt_tokens": 100, "completion_tokens": 10}


def examined(server: FaultServer, *words: str, model: str = "openai/m") -> Ended:
    return harness("doctor", model, "--policy", "small", "--base-url", server.url, *words, **KEYS)


def found_by(here: Path, script: Script, model: str = "openai/m", code: int = 0) -> tuple[Checkup, list[Any]]:
    """What the doctor found, and what the server was asked."""
    write_project(here)
    with fault_server(script) as server:
        ended = examined(server, "--json", model=model)
    assert ended.code == code, ended.err
    return Checkup.model_validate(ended.json), server.requests


def by_name(found: Checkup) -> dict[str, Capability]:
    return {one.name: one for one in found.findings}


def takes(found: Checkup) -> tuple[bool | None, ...]:
    assert [one.name for one in found.findings] == list(NAMES)
    return tuple(one.takes for one in found.findings)


def is_colour(body: dict[str, Any]) -> bool:
    return "colour" in json.dumps(body.get("messages") or body.get("input"))


def with_logprobs(**change: Any) -> Turn:
    text = json.dumps({"reasoning": "Because.", "clauses": [], "grade": 1})
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": text},
        "finish_reason": "stop",
        "logprobs": {"content": [{"token": "1", "logprob": -0.1, "bytes": None, "top_logprobs": []}]},
    }
    return graded(choices=[choice], **change)


def test_server_that_takes_everything_is_asked_twice(here: Path) -> None:
    """The grade, and an answer that nothing but the schema can have put into the form."""
    found, requests = found_by(here, lambda number, body: with_logprobs())
    assert takes(found) == (True, True, True, True)
    assert (found.requests, len(requests)) == (2, 2)
    grade, colour = requests
    assert (grade["temperature"], grade["logprobs"]) == (0, True)
    assert item_of(grade)["query"]
    assert is_colour(colour) and "grade" not in json.dumps(colour["messages"])
    assert (found.answered_by, found.grade, found.golden) == ("test-model-2026-11-01", 1, 0)
    assert by_name(found)["prompt cache"].says == "64 tokens read from it and 16 tokens written to it"
    assert found.problems == ()


def test_what_the_server_rejects_by_name_is_left_out_and_the_rest_asked_again(here: Path) -> None:
    def script(number: int, body: dict[str, Any]) -> Turn:
        for name in ("temperature", "logprobs"):
            if name in body:
                return error(400, message=f"Unsupported parameter: '{name}'")
        if "response_format" in body:
            return error(400, message="response_format is not supported")
        return graded(1)

    found, requests = found_by(here, script)
    assert takes(found) == (False, False, False, True)
    assert (found.requests, len(requests)) == (5, 5)
    assert by_name(found)["structured output"].says == "the prompt alone asks for the form"
    assert [note for note in found.problems if "JSON" in note] == list(found.problems)
    assert len(found.problems) == 2


def test_server_that_ignores_the_schema_is_found_out(here: Path) -> None:
    found, _ = found_by(here, lambda number, body: completion("blue") if is_colour(body) else graded(1))
    one = by_name(found)["structured output"]
    assert (one.takes, one.says) == (False, "the JSON schema is accepted, but answers are not held to it")


def test_server_that_ignores_log_probabilities_is_found_out(here: Path) -> None:
    found, _ = found_by(here, lambda number, body: graded(1))
    one = by_name(found)["log-probabilities"]
    assert (one.takes, one.says) == (False, "the server accepts the parameter, but returns none")


def test_rejection_that_names_nothing_leaves_it_open(here: Path) -> None:
    def script(number: int, body: dict[str, Any]) -> Turn:
        return error(400, message="bad request") if "temperature" in body else graded(1)

    found, requests = found_by(here, script)
    assert takes(found) == (None, True, None, True)
    assert (found.requests, len(requests)) == (3, 3)


def test_cache_is_seen_in_a_second_answer_where_the_first_says_nothing(here: Path) -> None:
    def script(number: int, body: dict[str, Any]) -> Turn:
        read = {"prompt_tokens_details": {"cached_tokens": 90}} if number == 2 else {}
        return graded(1, usage={**NO_CACHE, **read})

    found, requests = found_by(here, script)
    assert by_name(found)["prompt cache"] == Capability(
        name="prompt cache", takes=True, says="90 tokens read from it"
    )
    first, _, second = requests
    assert first["messages"][0] == second["messages"][0]
    assert item_of(first) != item_of(second), "an answer to the very same request could be a proxy's"


def test_cache_that_holds_nothing_is_said(here: Path) -> None:
    found, requests = found_by(here, lambda number, body: graded(1, usage=NO_CACHE))
    assert by_name(found)["prompt cache"].takes is False
    assert len(requests) == 3


def test_server_without_a_count_of_tokens_leaves_cache_and_cost_open(here: Path) -> None:
    (here / "prices.toml").write_text('[models."openai/m"]\ninput = 1\noutput = 1\n', encoding="utf-8")
    found, requests = found_by(here, lambda number, body: graded(1, usage=None))
    assert by_name(found)["prompt cache"].takes is None
    assert by_name(found)["whole prompt"].takes is None
    assert (found.cost, found.reason) == (None, "the server counted no tokens")
    assert len(requests) == 2


def test_failure_of_what_is_asked_besides_spoils_nothing(here: Path) -> None:
    found, _ = found_by(here, lambda number, body: error(500) if is_colour(body) else graded(1))
    one = by_name(found)["structured output"]
    assert one.takes is None
    assert one.says.startswith("the test request failed: the server failed (500)")


def test_cost_is_that_of_the_grade_and_of_one_from_the_cache(here: Path) -> None:
    """100 tokens in, of which 64 read and 16 written, and 10 out."""
    prices = '[models."openai/m"]\ninput = 10\noutput = 100\ncached = 1\nwritten = 20\n'
    (here / "prices.toml").write_text(prices, encoding="utf-8")
    found, _ = found_by(here, lambda number, body: graded(1))
    assert found.cost == pytest.approx((20 * 10 + 64 * 1 + 16 * 20 + 10 * 100) / 1e6)
    assert found.cost_cached == pytest.approx((20 * 10 + 80 * 1 + 10 * 100) / 1e6)


def test_unknown_price_is_said(here: Path) -> None:
    write_project(here)
    with fault_server(lambda number, body: graded(1)) as server:
        ended = examined(server)
    assert ended.code == 0
    assert (
        "Cost of this grade: unknown, no price for openai/m: its price is known at api.openai.com, and it"
        in " ".join(ended.out.split())
    )
    assert server.url in ended.out
    assert all(len(line) <= 80 for line in ended.out.splitlines())


SERVED = [name for name, known in PROVIDERS.items() if known.key]
WARM = {"openai", "openai-responses", "vllm", "llamacpp", "ollama"}


@pytest.mark.parametrize("provider", SERVED)
def test_every_provider_can_be_examined(here: Path, provider: str) -> None:
    found, requests = found_by(here, lambda number, body: graded(1), f"{provider}/m")
    assert found.requests == len(requests)
    warm = provider in WARM
    assert takes(found) == (warm, True, provider == "openai-decisions", True)
    assert ("temperature" in requests[0]) == warm


@pytest.mark.parametrize(
    ("turn", "says"),
    [
        (error(401), "the server refuses every request (401)"),
        (error(429), "rate limit"),
        (error(429, code="insufficient_quota"), "the quota is spent (429)"),
        (error(404, message="no such model"), "no such model"),
        (Turn("<html>"), "the server's answer is not a chat completion"),
        (Turn(drop=True), "no connection to"),
    ],
)
def test_model_that_cannot_be_asked_ends_with_4_and_one_sentence(here: Path, turn: Turn, says: str) -> None:
    write_project(here)
    with fault_server(lambda number, body: turn) as server:
        ended = examined(server)
    assert ended.code == 4
    assert says in ended.err
    assert len(ended.err.strip().splitlines()) == 2
    assert (ended.out, KEY in ended.err) == ("", False)


def test_answer_that_is_no_grade_is_a_problem(here: Path) -> None:
    found, _ = found_by(here, lambda number, body: completion("I would say 3."), code=4)
    assert found.grade is None
    assert found.problems == (
        "the answer is not a grade (no_answer: no JSON object with the keys of the form)",
    )


def test_builtin_grader_is_examined_without_a_request(here: Path) -> None:
    write_project(here)
    ended = harness("doctor", "builtin/majority", "--policy", "small", "--json")
    assert ended.code == 0
    found = Checkup.model_validate(ended.json)
    assert (found.requests, found.cost, found.findings) == (0, 0, ())


def test_no_key_is_said_before_anything_is_sent(here: Path) -> None:
    write_project(here)
    ended = harness("doctor", "openai/gpt-6-luna", "--policy", "small")
    assert (ended.code, "OPENAI_API_KEY is not set" in ended.err) == (4, True)
