"""--engine ray-vllm: a model on the GPUs of a cluster, asked through ray.data.llm, without a server.

The same prompt bytes and the same reading of answers as by a server that speaks the API of chat completions.
A row that cannot be answered is that row's outcome. Nothing here was ever run on a GPU.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from harness.errors import BadInput, Unfinished
from harness.grading.answered import Answered, record_of
from harness.grading.answering import ask_all
from harness.grading.job import Job
from harness.grading.plan import Plan, setup_of
from harness.grading.signals import draining
from harness.grading.stop import Stop
from harness.nouns.records import Failed, Record, Reply, Usage
from harness.pricing.prices import NoPrice, Price, cost_of
from harness.production.parts import PartItems, part_folder
from harness.production.ray_actor import Order
from harness.production.ray_cluster import Cluster, need_ray, said_of
from harness.production.ray_engine import OnCluster, PoolSizes, Ray, order_of, streamed
from harness.production.store import AnswerStore
from harness.prompting.answer import read_grade
from harness.providers import provider_of, split_model
from harness.providers.base import LONGEST_ANSWER, Setup
from harness.providers.openai_chat import Chat
from harness.runs.manifest import Asked
from harness.storage.stream import Stream

ERROR = "__inference_error__"
"""The column in which ray.data.llm says why a row has no answer."""
PART, BATCH = 1_000, 64
"""Pairs of a part, and of what the engine takes at a time."""
Build = Callable[[Asked, int], Callable[[Any], Any]]
"""Makes a processor, for a number of replicas, that adds `generated_text` to rows with messages."""


def processor_config(asked: Asked, replicas: int) -> Any:
    """What ray.data.llm is told of the model."""
    from ray.data.llm import vLLMEngineProcessorConfig

    return vLLMEngineProcessorConfig(
        model_source=split_model(asked.model)[1],
        # All prompts begin with the same policy and shots.
        engine_kwargs={"enable_prefix_caching": True},
        concurrency=replicas,
        batch_size=BATCH,
        should_continue_on_error=True,
    )


def processor_of(asked: Asked, replicas: int) -> Callable[[Any], Any]:
    """vLLM on the cluster's GPUs."""
    from ray.data.llm import build_processor

    processor: Callable[[Any], Any] = build_processor(processor_config(asked, replicas))
    return processor


class RayVllm(Ray):
    """The engine. `actors`: replicas of the model, each on its GPU; by default one."""

    def __init__(self, actors: int | None = None, build: Build = processor_of) -> None:
        super().__init__(actors or 1)
        self._replicas, self._build = actors or 1, build

    def check(self, asked: Asked) -> None:
        """BadInput for another kind of model, and for settings that a server would not be sent."""
        need_ray()
        known = provider_of(asked.model)
        if known is None or not known.loadable:
            raise BadInput("--engine ray-vllm takes a model of its own: --model vllm/NAME")
        if asked.batch:
            raise BadInput("--engine ray-vllm asks in batches anyway; remove --batch")
        if asked.temperature is None:
            # A server takes the model's own default, the engine 1: it would be another teacher.
            raise BadInput("--engine ray-vllm needs --temperature, as the run had that proved the teacher")

    def answer(self, job: Job, store: AnswerStore, resumed_by: str) -> int:
        """Ask on the GPUs."""
        return ask_all(job, store, resumed_by, _OnGpus(store, self, self._replicas, self._build))


class _OnGpus(OnCluster):
    """The executor behind it: each answer is kept as it comes."""

    waits = True

    def __init__(self, store: AnswerStore, engine: Ray, replicas: int, build: Build) -> None:
        super().__init__(store, engine)
        self._replicas, self._build = replicas, build

    async def _ask(self, job: Job, found: Cluster, count: int) -> None:
        parts, stop = self._lay_out(job, PART), Stop()
        order = order_of(job, PoolSizes(self._replicas, 1, PART), found.node)
        rows = partial(generated, found.ray, order, parts, self._build(job.plan.asked, self._replicas))
        try:
            with draining(stop, lambda: job.watch.stopping(0)):
                async for row in streamed(rows):
                    self._keep(job, row)
                    if stop.why:
                        raise stop.why
        except found.ray.exceptions.RayError as error:
            raise Unfinished(f"Ray: {said_of(error)}") from error

    def _keep(self, job: Job, row: dict[str, Any]) -> None:
        record = record_of_row(row, job.plan, job.price)
        self._store.append(record)
        job.watch.recorded(record, 0)


def generated(ray: Any, order: Order, parts: int, processor: Any) -> Iterator[dict[str, Any]]:
    """The rows of all parts with what the model wrote."""
    questions = ray.data.range(parts, override_num_blocks=parts).map_batches(
        Questions, fn_constructor_args=(order,), batch_size=1, compute=ray.data.ActorPoolStrategy(size=1)
    )
    answers = processor(questions).select_columns(
        ["item", "digest", "generated_text", "num_input_tokens", "num_generated_tokens", ERROR]
    )
    for batch in answers.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0):
        yield from batch.to_pylist()


class Questions:
    """The questions of a part as rows: what Ray Data calls for each part."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._ask = Asking(order.plan, setup_of(order.project, order.plan))

    def __call__(self, batch: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The rows of a part."""
        for number in batch["id"]:
            found = [self._ask.row(one) for one in PartItems(part_folder(self._order.folder, int(number)))]
            yield {name: [row[name] for row in found] for name in found[0]}


class Asking:
    """Rows for ray.data.llm, with what a server that speaks chat completions would be sent."""

    def __init__(self, plan: Plan, setup: Setup) -> None:
        self._plan, self._limit = plan, setup.max_tokens or LONGEST_ANSWER
        self._chat = Chat(split_model(plan.asked.model)[1], replace(setup, examples=Stream()))
        self._taken = {feature.name: feature.ways[0] for feature in self._chat.features}

    def row(self, one: Any) -> dict[str, Any]:
        """The row of a pair."""
        pair = one.pair
        body = self._chat.body(self._plan.writer.prompt(one.id, pair), self._taken)
        # Without a limit the engine stops after 16 tokens.
        sampling: dict[str, Any] = {
            "max_tokens": self._limit,
            **{n: body[n] for n in ("temperature", "seed") if n in body},
        }
        if form := body.get("response_format", {}).get("json_schema"):
            # As text: a table would give every part of the schema the keys of all others.
            sampling["structured_outputs"] = {"json": json.dumps(form["schema"])}
        return {
            "item": one.id, "digest": pair.digest, "messages": body["messages"], "sampling_params": sampling
        }  # fmt: skip


def record_of_row(row: dict[str, Any], plan: Plan, price: Price | NoPrice) -> Record:
    """The outcome of a row, as in the record of a server's answer."""
    if row[ERROR]:
        found = Answered(Failed(detail=f"vLLM: {row[ERROR]}"), attempts=1)
    else:
        written, limit = int(row["num_generated_tokens"]), plan.asked.max_tokens or LONGEST_ANSWER
        reply = Reply(
            text=row["generated_text"],
            model=split_model(plan.asked.model)[1],
            # The engine does not say why an answer ended.
            stop="cut_off" if written >= limit else "end",
            usage=Usage(input_tokens=int(row["num_input_tokens"]), output_tokens=written),
        )
        grade = read_grade(reply, plan.policy.scale)
        found = Answered(grade, reply, attempts=1, cost=cost_of((reply, None), price))
    return record_of(row["item"], 0, row["digest"], found)
