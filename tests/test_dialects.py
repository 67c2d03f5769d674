"""What each model API is sent, how it is asked when it does not take everything, and what its errors mean."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from pathlib import Path
from time import time
from typing import Any

import pytest
from builders import examples, policy, write_project
from fault_server import Turn, completion, error, fault_server, graded
from oracle import DEV, ask, only_run, right

from harness.demo.wire import WireAnswer, say
from harness.errors import BadInput, CallError, FatalError, RejectedError, TransientError
from harness.nouns.pair import Pair
from harness.nouns.records import Grade, Message, Prompt, Reply, Ungraded, Usage
from harness.prompting.answer import answer_text, read_grade
from harness.providers import PROVIDERS, base_url_of, open_teacher, wire
from harness.providers import openai as ours
from harness.providers.anthropic import Messages
from harness.providers.base import Setup
from harness.providers.openai_chat import Chat
from harness.providers.openai_decisions import Decisions
from harness.providers.openai_responses import Responses
from harness.providers.reading import input_read
from harness.providers.served import Dialect, Served
from harness.providers.wire import retry_after
from harness.runs.folder import load_run

DIALECTS: dict[str, Callable[[str, Setup], Dialect]] = {
    "openai": Chat,
    "openai-responses": Responses,
    "openai-decisions": Decisions,
    "anthropic": Messages,
}
PATHS = {"openai": "/chat/completions", "openai-responses": "/responses", "anthropic": "/messages"}
PAIR = Pair.model_validate({"query": "kettle", "result": {"title": "Kettle 1.7 l"}})
PROMPT = Prompt(
    item="a",
    repeat=0,
    pair=PAIR,
    messages=(Message(role="system", content="The policy."), Message(role="user", content='{"q": 1}')),
)


def setup(base_url: str | None = None, **changes: Any) -> Setup:
    return Setup(policy=policy(), shots=(), base_url=base_url, **changes)


def body_of(provider: str, **changes: Any) -> dict[str, Any]:
    """The first request that a dialect sends for PROMPT."""
    dialect = DIALECTS[provider]("m", setup(**changes))
    return dialect.body(PROMPT, {feature.name: feature.ways[0] for feature in dialect.features})


def ask_once(provider: str, turn: Turn) -> Reply:
    """One question to a server that answers with a turn."""

    async def go(url: str) -> Reply:
        teacher = open_teacher(f"{provider}/m", setup(url))
        try:
            return await teacher.ask(PROMPT)
        finally:
            await teacher.close()

    with fault_server(lambda number, body: turn) as server:
        return asyncio.run(go(server.url))


# --- what is sent --------------------------------------------------------------------------------


def test_responses_request() -> None:
    body = body_of("openai-responses", temperature=0.0)
    assert (body["store"], body["temperature"], body["model"]) == (False, 0.0, "m")
    system, user = body["input"]
    mark = {"mode": "explicit"}
    assert system == {
        "role": "developer",
        "content": [{"type": "input_text", "text": "The policy.", "prompt_cache_breakpoint": mark}],
    }
    assert user == {"role": "user", "content": [{"type": "input_text", "text": '{"q": 1}'}]}
    assert body["prompt_cache_options"] == {"mode": "explicit", "ttl": "30m"}
    assert body["prompt_cache_key"].startswith("teacher-")
    format = body["text"]["format"]
    assert (format["type"], format["strict"]) == ("json_schema", True)
    assert format["schema"]["properties"]["grade"]["enum"] == [0, 1, 2]


def test_cache_key_is_the_prefix_and_nothing_else() -> None:
    other = PROMPT.model_copy(update={"messages": (PROMPT.messages[0], Message(role="user", content="{}"))})
    dialect = Responses("m", setup())
    taken = {"form": "schema", "cache": "explicit"}
    keys = {dialect.body(prompt, taken)["prompt_cache_key"] for prompt in (PROMPT, other)}
    assert len(keys) == 1
    moved = PROMPT.model_copy(update={"messages": (Message(role="system", content="B"), PROMPT.messages[1])})
    assert dialect.body(moved, taken)["prompt_cache_key"] not in keys


def test_anthropic_request() -> None:
    body = body_of("anthropic")
    assert sorted(body) == ["max_tokens", "messages", "model", "output_config", "system"]
    mark = {"type": "ephemeral"}
    assert body["system"] == [{"type": "text", "text": "The policy.", "cache_control": mark}]
    assert body["messages"] == [{"role": "user", "content": '{"q": 1}'}]
    assert body["output_config"]["format"]["schema"]["properties"]["grade"]["enum"] == [0, 1, 2]


def test_decisions_request_asks_for_a_level_of_the_scale() -> None:
    body = body_of("openai-decisions")
    (question,) = body["questions"]
    assert [level["label"] for level in question["levels"]] == ["0", "1", "2"]
    assert question["type"] == "score"
    assert body["input"][0]["content"][0]["text"] == "The policy."


TYPED: dict[str, Callable[[Any, dict[str, Any]], Awaitable[Any]]] = {
    "openai": lambda client, body: client.chat.completions.create(**body),
    "openai-responses": lambda client, body: client.responses.create(**body),
    "openai-decisions": lambda client, body: client.decisions.create(**body),
    "anthropic": lambda client, body: client.messages.create(**body),
}


@pytest.mark.parametrize("provider", TYPED)
def test_what_is_posted_is_what_the_typed_method_sends(
    provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The SDK's methods are not called; nothing that matters may be missing of what they send."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-test")

    async def both(url: str) -> None:
        teacher = open_teacher(f"{provider}/m", setup(url))
        assert isinstance(teacher, Served)
        await teacher.ask(PROMPT)
        await TYPED[provider](teacher.wire._client, body_of(provider))
        await teacher.close()

    with fault_server(lambda number, body: graded()) as server:
        asyncio.run(both(server.url))
    assert server.requests[0] == server.requests[1]
    assert server.paths[0] == server.paths[1]
    # How the SDK waits and retries, which it does not do here.
    waits = ("x-stainless-timeout", "x-stainless-read-timeout", "x-stainless-retry-count")
    apart = ("idempotency", "x-stainless-raw", *waits)
    first, second = (
        {name: value for name, value in headers.items() if not name.startswith(apart)}
        for headers in server.headers
    )
    assert first == second


def test_where_a_name_leads(monkeypatch: pytest.MonkeyPatch) -> None:
    assert base_url_of("builtin") is None
    assert base_url_of("openai") is None
    assert base_url_of("vllm") == "http://localhost:8000/v1"
    assert base_url_of("llamacpp") == "http://127.0.0.1:8080/v1"
    assert base_url_of("ollama") == "http://localhost:11434/v1"
    monkeypatch.setenv("OPENAI_BASE_URL", "http://h/v1")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://a")
    assert base_url_of("openai-decisions") == "http://h/v1"
    assert base_url_of("anthropic") == "http://a"
    assert base_url_of("vllm") == "http://localhost:8000/v1"


def test_responses_at_home_and_chat_elsewhere() -> None:
    assert ours.is_home(None)
    assert ours.is_home("https://api.openai.com/v1")
    assert ours.is_home("https://eu.api.openai.com/v1")
    assert not ours.is_home("http://localhost:8000/v1")
    assert not ours.is_home("https://notapi.openai.com.example.org/v1")


@pytest.mark.parametrize("url", [None, "https://api.openai.com/v1"])
def test_openai_itself_is_asked_through_responses(url: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    teacher = open_teacher("openai/m", setup(url))
    assert isinstance(teacher, Served)
    assert isinstance(teacher.dialect, Responses)
    asyncio.run(teacher.close())


REFUSED = [
    ("openai-responses", "seed", "the Responses API takes no seed"),
    ("openai-decisions", "seed", "the decisions API takes no seed"),
    ("openai-decisions", "temperature", "the decisions API takes no temperature"),
    ("anthropic", "seed", "Anthropic's Messages API takes no seed"),
    ("anthropic", "temperature", "Anthropic's Messages API takes no temperature"),
    ("anthropic", "fold_system", "Anthropic's Messages API takes no fold-system"),
    ("openai-responses", "fold_system", "the Responses API takes no fold-system"),
    ("openai-decisions", "max_tokens", "the decisions API takes no max-tokens"),
]


@pytest.mark.parametrize(("provider", "name", "words"), REFUSED)
def test_parameter_that_an_api_lacks_is_refused(provider: str, name: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        open_teacher(f"{provider}/m", setup("http://127.0.0.1:1/v1", **{name: 1}))


# --- what the server takes -----------------------------------------------------------------------

RUNGS = {
    "openai": ("response_format", 2),
    "openai-responses": ("text.format", 2),
    "anthropic": ("output_config", 1),
    "vllm": ("guided_json", 2),
}
"""The parameter that a server names when it takes no schema, and how often less can be asked for."""


def unschooled(name: str, times: int) -> Callable[[int, dict[str, Any]], Turn]:
    """A server that takes no form of structured output, and rejects the first ones slowly."""

    def script(number: int, body: dict[str, Any]) -> Turn:
        asked = any(key in body for key in ("response_format", "text", "output_config"))
        if asked:
            assert number < times, "asked again for what the server does not take"
            return error(400, "invalid_request_error", f"Unknown parameter: '{name}'.", param=name)
        return right(number, body)

    return script


@pytest.mark.parametrize("provider", RUNGS)
def test_server_without_structured_output_is_found_out_once(here: Path, provider: str) -> None:
    write_project(here)
    name, times = RUNGS[provider]
    with fault_server(unschooled(name, times)) as server:
        ended = ask(server, "--json", "--max-connections", "8", model=f"{provider}/m")
    assert (ended.code, ended.json["accuracy"]) == (0, 1.0)
    assert len(server.requests) == len(DEV) + times
    run = load_run(only_run(here))
    assert len(run.manifest.notes) == times
    assert "the prompt alone asked for the form" in run.manifest.notes[-1]
    assert {record.attempts for record in run.records.values()} == {1}


def test_json_mode_is_kept_where_the_server_has_it(here: Path) -> None:
    write_project(here)

    def script(number: int, body: dict[str, Any]) -> Turn:
        if body["response_format"]["type"] == "json_schema":
            return error(422, message="response_format: json_schema is not supported")
        return right(number, body)

    with fault_server(script) as server:
        assert ask(server, "--limit", "3", model="llamacpp/m").code == 0
    assert [body["response_format"]["type"] for body in server.requests[1:]] == ["json_object"] * 3
    (note,) = load_run(only_run(here)).manifest.notes
    assert "JSON mode" in note


CACHED = {"openai-responses": "prompt_cache_options", "anthropic": "system.0.cache_control"}


@pytest.mark.parametrize(("provider", "name"), CACHED.items())
def test_model_without_cache_marks_is_asked_without_them(here: Path, provider: str, name: str) -> None:
    write_project(here)

    def script(number: int, body: dict[str, Any]) -> Turn:
        if "prompt_cache_options" in body or "cache_control" in json.dumps(body):
            return error(400, message=f"Unsupported parameter: {name}", param=name)
        return right(number, body)

    with fault_server(script) as server:
        ended = ask(server, "--json", model=f"{provider}/m")
    assert (ended.json["accuracy"], len(server.requests)) == (1.0, len(DEV) + 1)
    (note,) = load_run(only_run(here)).manifest.notes
    assert "mark" in note
    # The form is asked for as before.
    assert "json_schema" in json.dumps(server.requests[-1])


def test_first_request_is_answered_before_the_others_go_out(here: Path) -> None:
    """So that they find the prefix in the cache, and the server's limits known."""
    write_project(here)
    answered: list[float] = []

    def script(number: int, body: dict[str, Any]) -> Turn:
        answered.append(time())
        return right(number, body) if number else Turn(said=right(number, body).said, wait=0.3)

    with fault_server(script) as server:
        assert ask(server, "--max-connections", "8", model="anthropic/m").code == 0
    assert answered[1] - answered[0] >= 0.3


WHY = "response_format json_schema is not supported here"
LIST = [{"loc": ["body", "response_format", "type"], "msg": "Input should be 'text'", "input": "temperature"}]
REASONS: dict[str, tuple[str, str]] = {
    "param": ('{"error": {"message": "Unsupported", "param": "response_format"}}', "param response_format"),
    "string": (json.dumps({"error": WHY}), WHY),
    "FastAPI": (json.dumps({"detail": WHY}), WHY),
    "FastAPI's list": (json.dumps({"detail": LIST}), "at body.response_format.type"),
    "in a list": (json.dumps([{"error": {"code": 400, "message": WHY}}]), WHY),
    "problem+json": (json.dumps({"title": "Bad", "status": 400, "detail": WHY}), f"Bad; {WHY} (status 400)"),
    "handed on": (
        json.dumps({"error": {"message": "no", "metadata": {"raw": f'{{"error": "{WHY}"}}'}}}),
        WHY,
    ),
    "plain": (WHY, WHY),
    "nothing": ("", "400"),
    "deep": (json.dumps({"error": json.loads('{"error":' * 50 + '"x"' + "}" * 50)}), "400"),
    "control characters": (json.dumps({"error": "red \x1b[31m\nnext"}), r"red \x1b[31m\nnext"),
}


@pytest.mark.crossed
@pytest.mark.parametrize("provider", ["openai", "anthropic"])
@pytest.mark.parametrize(("body", "words"), REASONS.values(), ids=REASONS)
def test_reason_of_the_server_is_shown_in_whatever_form(provider: str, body: str, words: str) -> None:
    with pytest.raises(RejectedError) as raised:
        ask_once(provider, Turn(body, 400))
    assert words in str(raised.value)


@pytest.mark.parametrize("status", [400, 404, 422])
def test_server_that_names_nothing_is_asked_for_less(here: Path, status: int) -> None:
    """It takes JSON mode, and no temperature: each is found out once."""
    write_project(here)

    def script(number: int, body: dict[str, Any]) -> Turn:
        bad = body.get("response_format", {}).get("type") == "json_schema" or "temperature" in body
        return Turn("bad request", status) if bad else right(number, body)

    with fault_server(script) as server:
        ended = ask(server, "--json", "--temperature", "0", model="vllm/m")
    assert (ended.code, ended.json["accuracy"], len(server.requests)) == (0, 1.0, len(DEV) + 4)
    notes = load_run(only_run(here)).manifest.notes
    assert ["JSON schema" in notes[0], "--temperature" in notes[1]] == [True, True]
    assert server.requests[-1]["response_format"]["type"] == "json_object"


@pytest.mark.parametrize("status", [500, 501])
@pytest.mark.parametrize(
    "words", ["System role not supported", "response_format json_schema is not supported here"]
)
def test_failure_that_names_a_feature_gives_way(here: Path, status: int, words: str) -> None:
    write_project(here)

    def script(number: int, body: dict[str, Any]) -> Turn:
        by_role = "System" in words and body["messages"][0]["role"] == "system"
        by_form = "json" in words and body.get("response_format", {}).get("type") == "json_schema"
        return error(status, message=words) if by_role or by_form else right(number, body)

    with fault_server(script) as server:
        assert ask(server, "--json", model="vllm/m").json["accuracy"] == 1.0
    assert len(server.requests) == len(DEV) + 1
    assert len(load_run(only_run(here)).manifest.notes) == 1


def test_failure_that_giving_way_does_not_cure_is_a_failure(here: Path) -> None:
    write_project(here)
    bad = error(500, message="json_schema worker died")
    with fault_server(lambda n, body: bad if n < 4 else right(n, body)) as server:
        assert ask(server, "--limit", "3", model="vllm/m").code == 0
    assert server.requests[-1]["response_format"]["type"] == "json_schema"
    assert load_run(only_run(here)).manifest.notes == ()


def test_guess_that_did_not_help_is_tried_again_after_success(here: Path) -> None:
    write_project(here)

    def script(number: int, body: dict[str, Any]) -> Turn:
        return error(400, message="no") if body["messages"][0]["role"] == "system" else right(number, body)

    with fault_server(script) as server:
        assert ask(server, "--json", model="vllm/m").json["accuracy"] == 1.0
    assert server.requests[-1]["response_format"]["type"] == "json_schema"
    (note,) = load_run(only_run(here)).manifest.notes
    assert "no system message" in note
    assert len(server.requests) == len(DEV) + 3


def test_guess_that_cures_nothing_is_taken_back(here: Path) -> None:
    write_project(here)
    with fault_server(lambda n, body: right(n, body) if n > 3 else error(400, message="no")) as server:
        assert ask(server, "--limit", "2", model="vllm/m").code == 4
    assert "json_schema" in json.dumps(server.requests[-1])
    assert load_run(only_run(here)).manifest.notes == ()


@pytest.mark.parametrize("words", [{"message": "no model of that name"}, {"code": "model_not_found"}])
def test_words_of_a_404_stop_the_run(words: dict[str, str]) -> None:
    with pytest.raises(FatalError, match=next(iter(words.values()))):
        ask_once("openai", Turn(json.dumps({"error": words}), 404))


def test_model_without_a_system_role_gets_its_text_from_the_user(here: Path) -> None:
    write_project(here)

    def script(number: int, body: dict[str, Any]) -> Turn:
        if body["messages"][0]["role"] == "system":
            return error(400, message="System role not supported")
        return right(number, body)

    with fault_server(script) as server:
        assert ask(server, "--json", model="vllm/m").json["accuracy"] == 1.0
    first, second = server.requests[0]["messages"], server.requests[1]["messages"]
    assert [one["role"] for one in second] == ["user"]
    assert second[0]["content"] == f"{first[0]['content']}\n\n{first[1]['content']}"
    (note,) = load_run(only_run(here)).manifest.notes
    assert "no system message" in note


def test_what_the_options_leave_away_or_add() -> None:
    body = body_of("openai", no_schema=True, fold_system=True, max_tokens=900)
    assert sorted(body) == ["max_tokens", "messages", "model"]
    assert (body["max_tokens"], len(body["messages"])) == (900, 1)
    assert body_of("openai-responses", max_tokens=900)["max_output_tokens"] == 900
    assert "text" not in body_of("openai-responses", no_schema=True)
    assert body_of("anthropic", max_tokens=900)["max_tokens"] == 900
    assert "output_config" not in body_of("anthropic", no_schema=True)


def test_newer_models_call_the_limit_otherwise(here: Path) -> None:
    write_project(here)

    def script(number: int, body: dict[str, Any]) -> Turn:
        if "max_tokens" in body:
            return error(400, message="Unsupported parameter: 'max_tokens'.", param="max_tokens")
        return right(number, body)

    with fault_server(script) as server:
        assert ask(server, "--max-tokens", "900", model="openai/m").code == 0
    assert server.requests[-1]["max_completion_tokens"] == 900
    assert load_run(only_run(here)).manifest.notes == ()


def test_run_whose_answers_are_all_cut_off_stops(here: Path) -> None:
    write_project(here, golden=[line | {"split": "dev"} for line in examples()])
    short = completion('{"reasoning": "it was', finish="length")
    with fault_server(lambda number, body: short) as server:
        ended = ask(server, "--max-connections", "1", model="vllm/m")
    assert (ended.code, len(server.requests)) == (4, 5)
    assert "5 answers in a row were cut off" in ended.err
    assert "--max-tokens" in ended.err


@pytest.mark.parametrize("model", ["ollama/m", "anthropic/m", "openai-responses/m"])
def test_prompt_that_the_server_cut_stops_the_run_at_the_first_answer(here: Path, model: str) -> None:
    write_project(here)
    (here / "prompts/teacher/v1/system.j2").write_text("The policy. " * 900, encoding="utf-8")
    with fault_server(right) as server:
        ended = ask(server, model=model)
    assert (ended.code, len(server.requests)) == (4, 1)
    assert "read 100 tokens" in ended.err
    assert "at least 2,2" in ended.err
    assert "OLLAMA_CONTEXT_LENGTH" in ended.err


def test_prompt_that_was_cut_is_seen_in_the_first_answer_that_counts(here: Path) -> None:
    write_project(here)
    (here / "prompts/teacher/v1/system.j2").write_text("The policy. " * 900, encoding="utf-8")
    uncounted = graded(1, usage=None)
    with fault_server(lambda number, body: right(number, body) if number else uncounted) as server:
        ended = ask(server, "--max-connections", "1")
    assert (ended.code, len(server.requests), "read 100 tokens" in ended.err) == (4, 2, True)


@pytest.mark.parametrize("provider", ["openai", "openai-responses", "anthropic"])
@pytest.mark.parametrize(("cached", "code"), [(0, 4), (9000, 0)])
def test_prompt_that_was_cut_is_seen_without_a_count_of_the_output(
    here: Path, provider: str, cached: int, code: int
) -> None:
    write_project(here)
    (here / "prompts/teacher/v1/system.j2").write_text("The policy. " * 900, encoding="utf-8")
    usage = {
        "prompt_tokens" if provider == "openai" else "input_tokens": 100,
        "prompt_tokens_details": {"cached_tokens": cached * (provider == "openai")},
        "input_tokens_details": {"cached_tokens": cached * (provider == "openai-responses")},
        "cache_read_input_tokens": cached * (provider == "anthropic"),
    }
    with fault_server(lambda number, body: graded(1, usage=usage)) as server:
        ended = ask(server, "--max-connections", "1", model=f"{provider}/m")
    assert (ended.code, "read 100 tokens" in ended.err) == (code, bool(code))


def test_verdict_on_a_mixture_of_models_says_so(here: Path) -> None:
    write_project(here)

    def script(number: int, body: dict[str, Any]) -> Turn:
        turn = right(number, body)
        return Turn(said=turn.said, change={"model": "m-fp8" if number % 2 else "m-bf16"})

    with fault_server(script) as server:
        ended = ask(server, "--json")
    (warning,) = [text for text in ended.json["warnings"] if "models answered" in text]
    half = len(DEV) // 2
    assert f"m-bf16 {len(DEV) - half}, m-fp8 {half}" in warning


COUNTS: dict[str, tuple[dict[str, Any], tuple[int, int, int, int]]] = {
    "all within": ({"completion_tokens": 40, "total_tokens": 840, "reasoning": 30}, (800, 40, 30, 0)),
    "thinking beside it": (
        {"completion_tokens": 40, "total_tokens": 1040, "reasoning": 200},
        (800, 240, 200, 0),
    ),
    "only the total": ({"completion_tokens": 40, "total_tokens": 1040}, (800, 240, 200, 0)),
    "no total": ({"completion_tokens": 40, "reasoning": 200}, (800, 240, 200, 0)),
    "DeepSeek's cache": (
        {"completion_tokens": 40, "prompt_cache_hit_tokens": 700, "prompt_cache_miss_tokens": 100},
        (800, 40, 0, 700),
    ),
    "thinking at the top": (
        {"completion_tokens": 40, "total_tokens": 1040, "reasoning_tokens": 200},
        (800, 240, 200, 0),
    ),
    "the cached and the thinking beside it": (
        {
            "prompt_tokens": 500,
            "cached_tokens": 700,
            "completion_tokens": 50,
            "total_tokens": 1550,
            "reasoning": 300,
        },
        (1200, 350, 300, 700),
    ),
    "the cached beside the input, and thinking in the total alone": (
        {"prompt_tokens": 500, "cached_tokens": 700, "completion_tokens": 50, "total_tokens": 1550},
        (1200, 350, 300, 700),
    ),
    "a cached part that is less than the input, beside it": (
        {"cached_tokens": 300, "completion_tokens": 50, "total_tokens": 1150},
        (1100, 50, 0, 300),
    ),
    "the cached beside the input": (
        {"prompt_tokens": 500, "cached_tokens": 7500, "completion_tokens": 50, "total_tokens": 8050},
        (8000, 50, 0, 7500),
    ),
    "thinking at the top beside a total without it": (
        {"completion_tokens": 40, "total_tokens": 840, "reasoning_tokens": 200},
        (800, 240, 200, 0),
    ),
    "thinking at the top beside a zero": (
        {"completion_tokens": 40, "total_tokens": 840, "reasoning_tokens": 200, "reasoning": 0},
        (800, 240, 200, 0),
    ),
    "thinking under the other API's name": (
        {"completion_tokens": 40, "total_tokens": 840, "output_tokens_details": {"reasoning_tokens": 200}},
        (800, 240, 200, 0),
    ),
    "a total as a float": ({"completion_tokens": 40, "total_tokens": 1040.0}, (800, 240, 200, 0)),
    "a total as digits": ({"completion_tokens": "40", "total_tokens": "1040"}, (800, 240, 200, 0)),
}


@pytest.mark.parametrize(("counts", "expected"), COUNTS.values(), ids=COUNTS)
def test_parts_of_the_usage_add_up(counts: dict[str, Any], expected: tuple[int, ...]) -> None:
    thinking = counts.get("reasoning")
    usage = {"prompt_tokens": 800, **counts, "completion_tokens_details": {"reasoning_tokens": thinking}}
    used = ask_once("openai", graded(1, usage=usage)).usage
    assert used is not None
    assert (used.input_tokens, used.output_tokens, used.reasoning_tokens, used.cached_tokens) == expected


NO_COUNTS: dict[str, dict[str, Any]] = {
    "zeros": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
    "no input": {"prompt_tokens": 0, "completion_tokens": 40},
    "no output beside a text": {"prompt_tokens": 800, "completion_tokens": 0},
    "no output": {"prompt_tokens": 800},
    "more cached than read": {"prompt_tokens": 800, "completion_tokens": 40, "cached_tokens": 9000},
    "a total of neither": {
        "prompt_tokens": 800,
        "completion_tokens": 40,
        "total_tokens": 90_000,
        "completion_tokens_details": {"reasoning_tokens": 20},
    },
    "a total beside no thinking": {
        "prompt_tokens": 800,
        "completion_tokens": 40,
        "total_tokens": 1_000,
        "completion_tokens_details": {"reasoning_tokens": 0},
    },
    "an absurd total": {"prompt_tokens": 800, "completion_tokens": 40, "total_tokens": 10**400},
    "a total in words": {"prompt_tokens": 800, "completion_tokens": 40, "total_tokens": "840 tokens"},
    "half a token": {"prompt_tokens": 800, "completion_tokens": 40, "total_tokens": 840.5},
    "thinking in words": {"prompt_tokens": 800, "completion_tokens": 40, "reasoning_tokens": "some"},
    "more than any answer has": {"prompt_tokens": 800, "completion_tokens": 40, "total_tokens": 10**9},
}


@pytest.mark.parametrize("usage", NO_COUNTS.values(), ids=NO_COUNTS)
def test_usage_that_no_answer_has_is_no_count(usage: dict[str, Any]) -> None:
    assert ask_once("openai", graded(1, usage=usage)).usage is None


@pytest.mark.parametrize(
    ("body", "read"),
    [
        ({"usage": {"prompt_tokens": 4095}}, 4095),
        ({"usage": {"prompt_tokens": 95, "prompt_tokens_details": {"cached_tokens": 7905}}}, 8000),
        ({"prompt_eval_count": 4095}, 4095),
        ({"timings": {"prompt_n": 95, "cache_n": 4000}, "usage": {"prompt_tokens": 4095}}, 4095),
        ({}, 0),
    ],
)
def test_input_is_counted_without_a_count_of_the_output(body: dict[str, Any], read: int) -> None:
    assert input_read(json.dumps(body)) == read


@pytest.mark.crossed
@pytest.mark.parametrize("provider", ["openai", "openai-responses", "anthropic"])
@pytest.mark.parametrize("digits", [20, 400, 5000])
def test_count_of_many_digits_costs_no_answer(provider: str, digits: int) -> None:
    names = ("prompt_tokens", "completion_tokens", "input_tokens", "output_tokens")
    usage = ", ".join(f'"{name}": {"9" * digits}' for name in names)
    body = json.dumps(say(PATHS[provider], WireAnswer("text"), {}) | {"usage": "HERE"})
    reply = ask_once(provider, Turn(body.replace('"HERE"', f"{{{usage}}}")))
    assert (reply.text, reply.usage) == ("text", None)


def test_busy_server_settles_nothing(here: Path) -> None:
    write_project(here)
    busy = error(503, "json_schema", "json_schema")
    with fault_server(lambda number, body: busy if number < 3 else right(number, body)) as server:
        assert ask(server, "--limit", "3").code == 0
    assert {body["response_format"]["type"] for body in server.requests} == {"json_schema"}
    assert load_run(only_run(here)).manifest.notes == ()


# --- what an answer or an error means --------------------------------------------------------------


def test_decision_holds_the_probability_of_every_grade() -> None:
    reply = ask_once("openai-decisions", graded(2))
    assert reply.probabilities is not None
    assert {grade: round(share, 3) for grade, share in reply.probabilities.items()} == {
        0: 0.05,
        1: 0.05,
        2: 0.9,
    }
    assert json.loads(reply.text)["grade"] == 2


def decision(*shares: tuple[str, float]) -> Turn:
    levels = [{"label": label, "value": 0, "probability": share} for label, share in shares]
    return graded(1, answers=[{"type": "score", "probabilities": levels, "score": 1.0, "confidence": 0.5}])


def test_tie_goes_to_the_lower_grade() -> None:
    reply = ask_once("openai-decisions", decision(("2", 0.4), ("1", 0.4), ("0", 0.2)))
    assert json.loads(reply.text)["grade"] == 1


ODD_DECISIONS = {
    "twice the same level": decision(("1", 0.5), ("1", 0.5)),
    "no probability at all": decision(("0", 0.0), ("1", 0.0)),
    "not a number": decision(("0", float("nan")), ("1", 1.0)),
    "shares whose sum is beyond a number": decision(("0", 1.7e308), ("1", 1.7e308)),
    "no levels": decision(),
    "a label that is no grade": decision(("good", 1.0)),
    "another kind of answer": graded(1, answers=[{"type": "predicate", "probability": 0.5}]),
    "two answers": graded(1, answers=[{"type": "refusal"}, {"type": "refusal"}]),
}


@pytest.mark.parametrize("turn", ODD_DECISIONS.values(), ids=ODD_DECISIONS)
def test_decision_that_is_none_is_asked_again(turn: Turn) -> None:
    with pytest.raises(TransientError, match="not a decision"):
        ask_once("openai-decisions", turn)


FAILED: dict[str, tuple[str | None, type[CallError]]] = {
    "server": ("server_error", TransientError),
    "busy": ("rate_limit_exceeded", TransientError),
    "no reason": (None, TransientError),
    "prompt": ("invalid_prompt", RejectedError),
}


@pytest.mark.parametrize(("code", "kind"), FAILED.values(), ids=FAILED)
def test_response_that_failed(code: str | None, kind: type[CallError]) -> None:
    turn = graded(1, status="failed", output=[], error={"code": code, "message": "no"})
    with pytest.raises(kind, match="the response is failed"):
        ask_once("openai-responses", turn)


DIED: dict[str, tuple[dict[str, Any], str]] = {
    "an error": ({"error": {"code": "server_error", "message": "died midway"}}, "died midway"),
    "paused": ({"incomplete_details": {"reason": "paused"}}, "paused"),
    "an item": ({"output": [{"type": "message", "status": "incomplete", "content": "text"}]}, "incomplete"),
}


@pytest.mark.parametrize("status", [None, "completed"])
@pytest.mark.parametrize(("change", "words"), DIED.values(), ids=DIED)
def test_response_that_died_is_no_answer_whatever_its_status(
    status: str | None, change: dict[str, Any], words: str
) -> None:
    with pytest.raises(TransientError, match=words):
        ask_once("openai-responses", graded(1, status=status, **change))
    cut = graded(1, status=status, incomplete_details={"reason": "max_output_tokens"})
    assert ask_once("openai-responses", cut).stop == "cut_off"


def test_response_that_the_filter_stopped() -> None:
    turn = graded(1, status="failed", output=[], error={"code": "bio_policy", "message": "no"})
    assert ask_once("openai-responses", turn).stop == "filtered"


def test_comment_on_the_work_is_not_the_answer() -> None:
    output = [
        {"type": "message", "phase": phase, "content": [{"type": "output_text", "text": phase}]}
        for phase in ("commentary", "final_answer")
    ]
    assert ask_once("openai-responses", graded(1, output=output)).text == "final_answer"


STOPS = {
    "end_turn": "end",
    "stop_sequence": "end",
    "max_tokens": "cut_off",
    "model_context_window_exceeded": "cut_off",
    "refusal": "refused",
}


@pytest.mark.parametrize(("reason", "stop"), STOPS.items())
def test_stop_reasons_of_anthropic(reason: str, stop: str) -> None:
    assert ask_once("anthropic", graded(1, stop_reason=reason)).stop == stop


@pytest.mark.parametrize("reason", ["tool_use", "pause_turn", "something_new"])
def test_stop_reason_that_is_no_end_is_tried_again(reason: str) -> None:
    with pytest.raises(TransientError, match=reason):
        ask_once("anthropic", graded(1, stop_reason=reason))


def choice(content: Any, finish: str | None = "stop", **message: Any) -> Turn:
    """A chat completion of one choice."""
    said = {"role": "assistant", "content": content, **message}
    return graded(choices=[{"index": 0, "message": said, "finish_reason": finish}])


FINISHES = {
    "stop": "end",
    "STOP": "end",
    "eos": "end",
    None: "end",
    "length": "cut_off",
    "MAX_TOKENS": "cut_off",
    "model_length": "cut_off",
    "content_filter": "filtered",
    "SAFETY": "filtered",
    "RECITATION": "filtered",
    "refusal": "refused",
    "content-filter": "filtered",
    "contentFilter": "filtered",
    "FINISH_REASON_STOP": "end",
    "Max Tokens": "cut_off",
}


@pytest.mark.parametrize(("reason", "stop"), FINISHES.items())
def test_finish_reasons_of_chat(reason: str | None, stop: str) -> None:
    assert ask_once("openai", choice("text", reason)).stop == stop


@pytest.mark.parametrize(
    "reason", ["error", "abort", "OTHER", "tool_calls", "insufficient_system_resource", "-", "FINISH_REASON_"]
)
def test_finish_reason_that_is_no_end_is_tried_again(reason: str) -> None:
    with pytest.raises(TransientError, match=reason):
        ask_once("openai", choice("text", reason))


def test_unknown_reason_of_an_incomplete_response_is_tried_again() -> None:
    with pytest.raises(TransientError, match="paused"):
        turn = graded(1, status="incomplete", incomplete_details={"reason": "paused"})
        ask_once("openai-responses", turn)


@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize("provider", ["openai", "openai-responses", "anthropic"])
def test_answer_without_a_clean_end_fails_and_is_kept_in_no_cache(here: Path, provider: str) -> None:
    write_project(here)
    reason: dict[str, Any] = (
        {"status": "in_progress"} if "responses" in provider else {"stop_reason": "error"}
    )
    broken = choice("", "error") if provider == "openai" else graded(1, **reason)
    with fault_server(lambda number, body: broken) as server:
        ended = ask(server, "--limit", "1", model=f"{provider}/m")
    assert ended.code == 4
    with fault_server(right) as server:
        assert ask(server, "--limit", "1", "--json", model=f"{provider}/m").json["coverage"] == 1.0
        assert len(server.requests) == 1


TOLD: dict[str, tuple[Any, type[CallError], str]] = {
    "busy": ({"error": {"code": 429, "message": "slow down"}, "choices": None}, TransientError, "rate limit"),
    "busy by name": ({"error": {"type": "rate_limit_error"}}, TransientError, "rate limit"),
    "down": ({"error": {"code": 502, "message": "upstream died"}}, TransientError, "upstream died"),
    "in words": ({"error": "upstream died"}, TransientError, "upstream died"),
    "in detail": ({"detail": "upstream died"}, TransientError, "upstream died"),
    "key": ({"error": {"code": 401, "message": "no key"}}, FatalError, "no key"),
    "key as text": ({"error": {"code": "401", "message": "no key"}}, FatalError, "no key"),
    "spent": ({"error": {"code": 402, "message": "pay"}}, FatalError, "quota is spent"),
    "spent by name": ({"error": {"code": "insufficient_quota"}}, FatalError, "quota is spent"),
    "bad": ({"object": "error", "message": "too long", "code": 400}, RejectedError, "too long"),
    "a key further up": (
        {"error": {"code": 502, "message": "busy", "metadata": {"raw": '{"error": {"code": 401}}'}}},
        TransientError,
        "busy",
    ),
    "busy behind a 400": (
        {"error": {"type": "rate_limit_error", "details": {"code": 400}}},
        TransientError,
        "rate limit",
    ),
    "camel case": ({"statusCode": 401, "message": "no subscription"}, FatalError, "no subscription"),
    "a class": ({"error": {"type": "AuthenticationError", "message": "bad key"}}, FatalError, "bad key"),
    "a busy class": ({"error": {"type": "RateLimitError"}}, TransientError, "rate limit"),
    "busy with a dot": ({"error": {"code": "Throttling.RateQuota"}}, TransientError, "rate limit"),
    "busy at AWS": ({"error": {"code": "ThrottlingException"}}, TransientError, "rate limit"),
    "a code beside a type": (
        {"error": {"type": "invalid_request_error", "code": "invalid_api_key", "message": "bad key"}},
        FatalError,
        "bad key",
    ),
    "a code without strokes": ({"code": "InvalidApiKey", "message": "bad key"}, FatalError, "bad key"),
    "no balance": ({"error": {"code": "insufficient_balance"}}, FatalError, "quota is spent"),
    "a status code": ({"error": {"status_code": 402, "message": "pay"}}, FatalError, "quota is spent"),
    "beside an empty answer": (
        {"choices": [], "content": [], "answers": [], "code": 402, "message": "pay"},
        FatalError,
        "quota is spent",
    ),
    "beside a null": (
        {"error": {"code": 402, "message": "pay"}, "output": None},
        FatalError,
        "quota is spent",
    ),
    "msg": ({"code": 401, "msg": "Invalid token", "data": None}, FatalError, "Invalid token"),
    "MiniMax": (
        {"id": "x" * 90, "choices": None, "base_resp": {"status_code": 1004, "status_msg": "login fail"}},
        TransientError,
        "login fail",
    ),
    "in a list": ([{"error": {"code": 401, "status": "UNAUTHENTICATED"}}], FatalError, "UNAUTHENTICATED"),
}


@pytest.mark.crossed
@pytest.mark.parametrize("provider", ["openai", "openai-responses", "openai-decisions", "anthropic"])
@pytest.mark.parametrize(("body", "kind", "words"), TOLD.values(), ids=TOLD)
def test_error_under_status_200_is_what_it_would_be_by_itself(
    provider: str, body: Any, kind: type[CallError], words: str
) -> None:
    with pytest.raises(kind, match=words) as raised:
        ask_once(provider, Turn(json.dumps(body)))
    assert getattr(raised.value, "busy", False) == (words == "rate limit")


@pytest.mark.parametrize(("code", "kind"), [(502, TransientError), (401, FatalError), (429, TransientError)])
def test_error_on_a_choice_is_what_it_would_be_by_itself(code: int, kind: type[CallError]) -> None:
    said = {"role": "assistant", "content": ""}
    broken = {"message": said, "finish_reason": "error", "error": {"code": code, "message": "upstream died"}}
    with pytest.raises(kind, match="upstream died"):
        ask_once("openai", graded(choices=[broken]))


@pytest.mark.parametrize("tokens", [0, 40])
def test_rejection_that_counts_tokens_may_be_billed(tokens: int) -> None:
    body = {"error": {"message": "invalid JSON was made"}, "usage": {"prompt_tokens": tokens}}
    with pytest.raises(RejectedError) as raised:
        ask_once("openai", Turn(json.dumps(body), 422))
    assert raised.value.may_be_billed == bool(tokens)


@pytest.mark.parametrize("base", ["http://127.0.0.1:1/v1"])
def test_refused_connection_is_told_without_how_it_is_encrypted(base: str) -> None:
    async def go() -> None:
        teacher = open_teacher("vllm/m", setup(base))
        try:
            await teacher.ask(PROMPT)
        finally:
            await teacher.close()

    with pytest.raises(TransientError, match=r"127\.0\.0\.1:1") as raised:
        asyncio.run(go())
    assert "ssl" not in str(raised.value)


@pytest.mark.parametrize("tokens", [0, 40])
def test_error_beside_a_count_of_tokens_may_be_billed(tokens: int) -> None:
    usage = {"prompt_tokens": tokens, "input_tokens": tokens}
    rejected = {"code": 400, "message": "too long"}
    on_choice = [{"message": {"content": ""}, "error": rejected}]
    in_part = [{"type": "error", **rejected}]
    for provider, change in (
        ("openai", {"error": rejected}),
        ("openai", {"choices": on_choice}),
        ("openai-responses", {"status": "failed", "error": rejected}),
        ("anthropic", {"error": rejected}),
        ("openai", {"choices": [{"message": {"content": in_part}}]}),
        ("openai-responses", {"output": [{"type": "message", "content": in_part}]}),
        ("anthropic", {"content": in_part}),
    ):
        with pytest.raises(RejectedError) as raised:
            ask_once(provider, graded(1, usage=usage, **change))
        assert raised.value.may_be_billed == bool(tokens)


@pytest.mark.crossed
@pytest.mark.parametrize("provider", ["openai", "openai-responses", "openai-decisions", "anthropic"])
@pytest.mark.parametrize("status", [200, 422, 500])
def test_error_costs_the_tokens_that_it_counts(provider: str, status: int) -> None:
    usage = {"prompt_tokens": 40, "input_tokens": 40, "completion_tokens": 7, "output_tokens": 7}
    cache = {"cache_read_input_tokens": 5} if provider == "anthropic" else {}
    broken = {"type": "invalid_request_error" if status < 500 else "api_error", "message": "no"}
    with pytest.raises(CallError) as raised:
        ask_once(provider, Turn(json.dumps({"error": broken, "usage": usage | cache}), status))
    assert raised.value.usage == Usage(
        input_tokens=45 if cache else 40, output_tokens=7, cached_tokens=5 if cache else 0
    )


def test_verdict_of_a_filter_costs_the_tokens_that_it_counts() -> None:
    body: dict[str, Any] = {"error": {"code": "content_filter", "message": "no"}}
    half = ask_once("openai", Turn(json.dumps(body | {"usage": {"prompt_tokens": 40}}), 400))
    assert (half.stop, half.usage) == ("filtered", None)
    usage = {"prompt_tokens": 40, "completion_tokens": 0}
    whole = ask_once("openai", Turn(json.dumps(body | {"usage": usage}), 400))
    assert whole.usage == Usage(input_tokens=40, output_tokens=0)


def test_error_of_a_failed_response_that_no_try_cures() -> None:
    turn = graded(1, status="failed", output=[], error={"code": "insufficient_quota", "message": "pay"})
    with pytest.raises(FatalError, match="pay"):
        ask_once("openai-responses", turn)


THOUGHT = {"type": "thinking", "thinking": [{"type": "text", "text": "It is a 2."}]}
PARTS = {
    "one": [{"type": "text", "text": "ab"}],
    "two": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
    "thinking first": [THOUGHT, {"type": "output_text", "text": "ab"}],
    "bare": ["a", {"text": "b"}],
    "a type that is no text": [{"type": ["text"], "text": "x"}, {"type": {}}, {"type": "text", "text": "ab"}],
    "odd ones": [{"type": "text", "text": "ab"}, 7, None, {"type": "text"}, {"type": "image", "url": "x"}],
}


@pytest.mark.parametrize("content", PARTS.values(), ids=PARTS)
def test_text_parts_are_the_answer(content: list[Any]) -> None:
    assert ask_once("openai", choice(content)).text == "ab"


REFUSED_BY = {"role": "assistant", "content": "No.", "refusal": "No."}
GRADED_BY = {"role": "assistant", "content": "text"}
ENDED = {"message": GRADED_BY, "finish_reason": "stop"}
BROKEN = {
    "an error among the parts": [{"message": {"content": ["a", {"type": "error", "message": "died"}]}}],
    "a second choice that died": [ENDED, {"message": {"content": ""}, "finish_reason": "error"}],
    "a refusal that died": [{"message": REFUSED_BY, "finish_reason": "error"}],
}


@pytest.mark.parametrize("choices", BROKEN.values(), ids=BROKEN)
def test_sign_of_an_error_beside_the_first_text_counts(choices: list[Any]) -> None:
    with pytest.raises(TransientError, match=r"died|error"):
        ask_once("openai", graded(choices=choices))


def test_second_choice_that_was_filtered_counts() -> None:
    second = {"message": {"content": ""}, "finish_reason": "content_filter"}
    assert ask_once("openai", graded(choices=[ENDED, second])).stop == "filtered"


def test_refusal_that_is_cut_off_or_broken_off_is_not_final() -> None:
    """An error in its place is tried again."""
    refusal = {"role": "assistant", "content": None, "refusal": "I will"}
    cut = ask_once("openai", graded(choices=[{"message": refusal, "finish_reason": "length"}]))
    parts = [{"type": "message", "content": [{"type": "refusal", "refusal": "I will"}]}]
    reason = {"reason": "max_output_tokens"}
    response = graded(status="incomplete", incomplete_details=reason, output=parts)
    assert (cut.stop, ask_once("openai-responses", response).stop) == ("cut_off", "cut_off")
    with pytest.raises(TransientError, match="broke the answer off"):
        ask_once("openai", graded(choices=[{"message": refusal, "finish_reason": "error"}]))


def test_refusal_in_parts_is_a_refusal() -> None:
    reply = ask_once("openai", choice([{"type": "refusal", "refusal": "No."}]))
    assert (reply.text, reply.stop) == ("No.", "refused")


@pytest.mark.parametrize(
    "turn",
    [
        choice("", reasoning_content="It is a 2."),
        choice(None, reasoning="It is a 2."),
        choice([THOUGHT]),
        choice(None, thinking=[{"type": "text", "text": "It is a 2."}]),
    ],
)
def test_answer_that_is_only_thinking_is_kept_and_not_graded(turn: Turn) -> None:
    reply = ask_once("openai", turn)
    assert (reply.text, reply.thinking) == ("", "It is a 2.")
    outcome = read_grade(reply, (0, 1, 2))
    assert isinstance(outcome, Ungraded)
    assert (outcome.cause, "thinking" in outcome.detail) == ("no_answer", True)


@pytest.mark.parametrize(
    ("parts", "text", "thinking"),
    [
        ([{"type": "text", "text": "a 2", "thought": True}], "", "a 2"),
        ([{"type": "text", "text": "a 2", "thought": True}, {"type": "text", "text": "3"}], "3", None),
        ([{"type": "Text", "text": "3"}], "3", None),
        ([{"type": "reasoning_text", "text": "a 2"}, {"type": "TEXT", "text": {"value": "3"}}], "3", None),
        ([{"type": "answer_blob", "text": "3"}], "", "[answer_blob: not read]"),
    ],
)
def test_parts_are_read_in_every_spelling_and_others_are_named(
    parts: list[Any], text: str, thinking: str | None
) -> None:
    reply = ask_once("openai", choice(parts))
    assert (reply.text, reply.thinking) == (text, thinking)
    outcome = read_grade(reply, (0, 1, 2))
    assert isinstance(outcome, Ungraded)
    assert not thinking or thinking in outcome.detail


WELL: tuple[Any, ...] = ({"code": 0, "message": "success"}, {"code": 200, "message": "OK"}, "None")


@pytest.mark.parametrize("said", WELL)
@pytest.mark.parametrize("provider", ["openai", "openai-responses"])
def test_error_that_says_success_costs_no_answer(provider: str, said: Any) -> None:
    body = say(PATHS[provider], WireAnswer("text"), {}) | {"error": said}
    assert ask_once(provider, Turn(json.dumps(body))).text == "text"


@pytest.mark.parametrize("said", [{"error": {"code": 503}}, {"errors": [{"code": 503, "message": "x"}]}])
def test_error_beside_an_answer_is_told_without_the_answer(said: dict[str, Any]) -> None:
    body = say(PATHS["openai"], WireAnswer("secret words"), {}) | said
    with pytest.raises(TransientError, match="503") as failed:
        ask_once("openai", Turn(json.dumps(body)))
    assert "secret" not in str(failed.value)


def reasoning(content: list[Any] | None, summary: list[Any]) -> dict[str, Any]:
    return {"type": "reasoning", "id": "rs", "summary": summary, "content": content}


SUMMARY = {"type": "summary_text", "text": "It is "}
REASONED = {"type": "reasoning_text", "text": "a 2."}


@pytest.mark.parametrize(
    "items",
    [
        [reasoning(None, [SUMMARY, {"type": "summary_text", "text": "a 2."}])],
        [reasoning([{"type": "reasoning_text", "text": "It is a 2."}], [])],
        [reasoning([REASONED], [SUMMARY])],
        [reasoning(None, [SUMMARY]), reasoning([REASONED], [])],
    ],
)
def test_reasoning_of_a_response_without_an_answer_is_kept_and_not_graded(items: list[Any]) -> None:
    reply = ask_once("openai-responses", graded(output=items))
    assert (reply.text, reply.thinking) == ("", "It is a 2.")
    assert isinstance(read_grade(reply, (0, 1, 2)), Ungraded)


def test_thinking_beside_an_answer_is_not_kept() -> None:
    assert ask_once("openai", choice("text", reasoning_content="long")).thinking is None
    message = {"type": "message", "content": [{"type": "output_text", "text": "text"}]}
    reply = ask_once("openai-responses", graded(output=[reasoning(None, [SUMMARY]), message]))
    assert (reply.text, reply.thinking) == ("text", None)


def test_two_choices_are_two_answers_and_the_first_is_not_preferred() -> None:
    choices = [
        {"index": at, "message": {"content": answer_text("a", [], grade)}, "finish_reason": "stop"}
        for at, grade in enumerate((1, 2))
    ]
    outcome = read_grade(ask_once("openai", graded(choices=choices)), (0, 1, 2))
    assert isinstance(outcome, Ungraded)
    assert outcome.cause == "two_answers"
    same = [choices[0], choices[0] | {"index": 1}]
    assert isinstance(read_grade(ask_once("openai", graded(choices=same)), (0, 1, 2)), Grade)


def test_explanation_of_a_refusal_is_kept() -> None:
    details = {"type": "refusal", "category": None, "explanation": "It is about locks."}
    turn = graded(1, content=[], stop_reason="refusal", stop_details=details)
    assert ask_once("anthropic", turn).text == "It is about locks."


@pytest.mark.parametrize("code", ["enforced_spend_limit_reached", "contract_spend_limit_reached"])
def test_spend_limit_of_anthropic_is_no_rate_limit(code: str) -> None:
    said = {"type": "rate_limit_error", "message": "limit", "details": {"error_code": code}}
    with pytest.raises(FatalError, match="the quota is spent"):
        ask_once("anthropic", Turn(json.dumps({"type": "error", "error": said}), 429))


def test_retry_after_in_all_its_forms() -> None:
    assert retry_after({"retry-after": "7"}) == 7.0
    assert retry_after({"retry-after-ms": "250", "retry-after": "7"}) == 0.25
    assert retry_after({"retry-after": "-3"}) == 0.0
    assert retry_after({"retry-after": "soon"}) is None
    assert retry_after({}) is None
    assert 50 < (retry_after({"retry-after": formatdate(time() + 60, usegmt=True)}) or 0) <= 60


@pytest.mark.parametrize("provider", DIALECTS)
def test_wait_that_the_server_asks_for_reaches_the_run(provider: str) -> None:
    with pytest.raises(TransientError) as raised:
        ask_once(provider, error(429, "rate_limit_error", retry_after="7"))
    assert raised.value.retry_after == 7.0


WAITS = {
    "a header on a 200": Turn('{"error": {"code": 429}}', headers={"Retry-After": "7"}),
    "a header on a page": Turn("<html>busy</html>", headers={"Retry-After": "7"}),
    "seconds": Turn('{"error": {"code": 429, "retry_after": 7}}'),
    "a text": Turn('{"error": {"code": 503, "metadata": {"retry-after": "7"}}}'),
    "milliseconds": Turn('{"error": {"code": 429, "retry_after_ms": 7000}}'),
    "a duration": Turn('[{"error": {"code": 429, "details": [{"retryDelay": "7s"}]}}]'),
    "handed on": Turn('{"error": {"code": 429, "metadata": {"raw": "{\\"retry_after\\": 7}"}}}'),
    "the body of a 429": Turn('{"error": {"message": "slow", "retry_after": 7}}', 429),
}


@pytest.mark.parametrize("provider", DIALECTS)
@pytest.mark.parametrize("turn", WAITS.values(), ids=WAITS)
def test_wait_is_obeyed_wherever_the_server_says_it(provider: str, turn: Turn) -> None:
    with pytest.raises(TransientError) as raised:
        ask_once(provider, turn)
    assert raised.value.retry_after == 7.0


@pytest.mark.parametrize("wait", ['"soon"', "null", "true", "[]", "-7", "NaN"])
def test_wait_that_is_none_is_not_obeyed(wait: str) -> None:
    with pytest.raises(TransientError) as raised:
        ask_once("openai", Turn(f'{{"error": {{"code": 429, "retry_after": {wait}}}}}'))
    assert not raised.value.retry_after


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_wait_of_a_response_that_failed_is_obeyed_and_says_that_the_server_is_busy(status: str) -> None:
    said = {"code": "rate_limit_exceeded", "message": "slow", "retry_after": 7}
    with pytest.raises(TransientError) as raised:
        ask_once("openai-responses", graded(1, status=status, output=[], error=said))
    assert (raised.value.busy, raised.value.retry_after) == (True, 7.0)


@pytest.mark.parametrize("provider", DIALECTS)
def test_secrets_in_an_error_are_blotted_out_and_long_ones_cut(
    provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PROVIDERS[provider].key or "", "sk-secret")
    message = "proxy http://user:hunter2@proxy:3128 said sk-secret " + "x" * 9000
    with pytest.raises(RejectedError) as raised:
        ask_once(provider, error(400, "invalid_request_error", message))
    words = str(raised.value)
    assert "hunter2" not in words
    assert "sk-secret" not in words
    assert len(words) < 800
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__


ECHOES = {
    "as it is": "sk-a/b012",
    "with a stroke": r"sk-a\/b012",
    "as code points": r"\u0073k-a\u002Fb01\u0032",
    "in JSON within JSON": r"sk-a\\\/b\\u0030\\u00312",
}


@pytest.mark.parametrize("echo", ECHOES.values(), ids=ECHOES)
@pytest.mark.parametrize("status", [200, 400])
def test_key_in_any_escape_is_blotted_out(echo: str, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-a/b012")
    said = f'{{"error": {{"code": 400, "message": "no <{echo}>"}}}}'
    with pytest.raises(RejectedError, match=r"no <\*\*\*>"):
        ask_once("openai", Turn(said, status))


def test_key_that_is_a_word_changes_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "reasoning")
    assert "reasoning" in ask_once("openai", graded(1)).text


@pytest.mark.parametrize("charset", ["rot13", "base64", "zip", "idna", "undefined"])
def test_charset_that_is_no_encoding_costs_no_answer(charset: str) -> None:
    headers = {"Content-Type": f"application/json; charset={charset}"}
    assert "grade" in ask_once("openai", graded(1, headers=headers)).text
    with pytest.raises(RejectedError, match="too long"):
        ask_once("openai", Turn('{"error": {"message": "too long"}}', 400, headers))


@pytest.mark.parametrize("status", [200, 400])
def test_answer_that_unpacks_without_end_is_not_read_to_its_end(
    status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "MOST_IN_ANSWER", 1 << 20)
    with pytest.raises(TransientError, match="longer than 1 MB"):
        ask_once("openai", graded(1, status=status, filler="x" * (1 << 20)))


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ({"model": "m"}, "m"),
        ({"model": "m\n", "provider": None}, "m"),
        ({"model": "m", "provider": "DeepInfra"}, "m at DeepInfra"),
        ({"model": "m", "provider": {"name": "DeepInfra"}}, "m"),
        ({"model": "", "provider": "DeepInfra"}, ""),
    ],
)
def test_a_router_says_who_ran_the_model(told: dict[str, Any], name: str) -> None:
    """One name at two hosts can be two models, and a run of both is a mixture."""
    said = {"role": "assistant", "content": "text"}
    turn = graded(choices=[{"index": 0, "message": said, "finish_reason": "stop"}], **told)
    assert ask_once("openai", turn).model == name
