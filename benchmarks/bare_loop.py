"""What the run engine is held against: a short script over the SDK, as anybody would write it.

It renders, calls (64 at a time, over the SDK's aiohttp transport), parses, appends a line to a file and
scores. It retries nothing, resumes nothing, checks nothing and keeps no cache.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import jinja2
import openai

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
FORM: Any = {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": SCHEMA}}


async def main(url: str, golden: Path, prefix: Path, out: Path, connections: int) -> None:
    """Grade every dev example and print kappa."""
    system = prefix.read_text(encoding="utf-8")
    template = jinja2.Template("Grade this pair:\n{{ pair | tojson(indent=2) }}")
    examples = [json.loads(line) for line in golden.open(encoding="utf-8")]
    examples = [example for example in examples if example["split"] == "dev"]
    gate = asyncio.Semaphore(connections)
    grades: dict[str, int] = {}
    client = openai.AsyncOpenAI(
        api_key="none", base_url=url, max_retries=0, http_client=openai.DefaultAioHttpClient()
    )
    with out.open("w", encoding="utf-8") as file:

        async def grade(example: dict[str, object]) -> None:
            async with gate:
                pair = {"query": example["query"], "result": example["result"]}
                reply = await client.chat.completions.create(
                    model="canned",
                    messages=[
                        {"role": "system", "content": system},
                        {"role": "user", "content": template.render(pair=pair)},
                    ],
                    response_format=FORM,
                )
            answer = json.loads(reply.choices[0].message.content or "")
            grades[str(example["id"])] = answer["grade"]
            file.write(json.dumps({"id": example["id"], "answer": answer}) + "\n")

        await asyncio.gather(*(grade(example) for example in examples))
    await client.close()

    from sklearn.metrics import cohen_kappa_score

    golden_grades = [example["grade"] for example in examples]
    given = [grades[example["id"]] for example in examples]
    kappa = cohen_kappa_score(golden_grades, given, labels=[0, 1, 2, 3, 4])
    print(f"kappa {kappa:.3f}")  # noqa: T201 - a script that prints


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4]), int(sys.argv[5])))
