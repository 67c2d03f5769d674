"""What the run engine is held against: a short script over the SDK, as anybody would write it.

It renders, calls (64 at a time, over the SDK's aiohttp transport, with the SDK's plain `post`, which is
faster than its typed methods), parses, appends a line to a file that is synced to the disk, and counts kappa
by hand. It retries nothing, resumes nothing, checks nothing and keeps no cache.
"""

import asyncio
import importlib
import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import httpx2
import jinja2

SCHEMA = {
    "type": "object",
    "properties": {
        "reasoning": {"type": "string"},
        "clauses": {"type": "array", "items": {"type": "string"}},
        "grade": {"type": "integer", "enum": [0, 1, 2, 3, 4]},
    },
    "required": ["reasoning", "clauses", "grade"],
    "additionalProperties": False,
}


def openai_client(url: str) -> Any:
    """The client of one SDK."""
    openai = importlib.import_module("openai")
    http = openai.DefaultAioHttpClient()
    return openai.AsyncOpenAI(api_key="none", base_url=url, max_retries=0, http_client=http)


def openai_body(system: str, user: str) -> dict[str, Any]:
    """A chat completion."""
    form = {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": SCHEMA}}
    messages = [{"role": "system", "content": system}, {"role": "user", "content": user}]
    return {"model": "canned", "messages": messages, "response_format": form}


def anthropic_client(url: str) -> Any:
    """The client of the other."""
    anthropic = importlib.import_module("anthropic")
    http, base_url = anthropic.DefaultAioHttpClient(), url.removesuffix("/v1")
    return anthropic.AsyncAnthropic(api_key="none", base_url=base_url, max_retries=0, http_client=http)


def anthropic_body(system: str, user: str) -> dict[str, Any]:
    """A message."""
    return {
        "model": "canned",
        "max_tokens": 16_000,
        "system": [{"type": "text", "text": system, "cache_control": {"type": "ephemeral"}}],
        "messages": [{"role": "user", "content": user}],
        "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}},
    }


# By SDK: its client, its path, the body of a request, the text of an answer.
SDKS: dict[str, Any] = {
    "openai": (
        openai_client,
        "/chat/completions",
        openai_body,
        lambda reply: reply["choices"][0]["message"]["content"],
    ),
    "anthropic": (
        anthropic_client,
        "/v1/messages",
        anthropic_body,
        lambda reply: reply["content"][-1]["text"],
    ),
}


async def main(sdk: str, url: str, golden: Path, prefix: Path, out: Path, connections: int) -> None:
    """Grade every dev example and print kappa."""
    opened, path, body, text = SDKS[sdk]
    system = prefix.read_text(encoding="utf-8")
    template = jinja2.Template("Grade this pair:\n{{ pair | tojson(indent=2) }}")
    examples = [json.loads(line) for line in golden.open(encoding="utf-8")]
    examples = [example for example in examples if example["split"] == "dev"]
    gate = asyncio.Semaphore(connections)
    grades: dict[str, int] = {}
    client = opened(url)
    with out.open("w", encoding="utf-8") as file:

        async def grade(example: dict[str, object]) -> None:
            async with gate:
                pair = {"query": example["query"], "result": example["result"]}
                asked = body(system, template.render(pair=pair))
                reply = await client.post(path, body=asked, cast_to=httpx2.Response)
            answer = json.loads(text(reply.json()))
            grades[str(example["id"])] = answer["grade"]
            file.write(json.dumps({"id": example["id"], "answer": answer}) + "\n")
            file.flush()
            os.fdatasync(file.fileno())

        await asyncio.gather(*(grade(example) for example in examples))
    await client.close()
    print(f"kappa {kappa([(one['grade'], grades[one['id']]) for one in examples]):.3f}")  # noqa: T201


def kappa(pairs: list[tuple[int, int]]) -> float:
    """Cohen's kappa, unweighted."""
    left, right = (Counter(side) for side in zip(*pairs, strict=True))
    agreed = sum(one == other for one, other in pairs) / len(pairs)
    chance = sum(left[grade] * right[grade] for grade in left) / len(pairs) ** 2
    return (agreed - chance) / (1 - chance)


if __name__ == "__main__":
    sdk, url, golden, prefix, out, connections = sys.argv[1:]
    asyncio.run(main(sdk, url, Path(golden), Path(prefix), Path(out), int(connections)))
