"""Ask a model for one grade with every optional parameter, to find out which ones the server supports."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace
from itertools import islice

from harness.errors import BadInput, CallError, RejectedError, TransientError
from harness.grading.plan import Plan, make_plan, setup_of
from harness.nouns.pair import Example
from harness.nouns.records import Grade, Message, Prompt, Reply, Usage
from harness.pricing.prices import NoPrice, Price, cost_of, price_of
from harness.pricing.tokens import tokens_of
from harness.prompting.answer import read_grade
from harness.providers import open_teacher, sold_as
from harness.providers.base import Setup, Teacher
from harness.providers.features import CACHE, FORM, GIVEN_UP, TEMPERATURE, Taken
from harness.providers.probe import LOGPROBS, ProbeDialect
from harness.providers.served import Served
from harness.runs.manifest import Asked
from harness.scorecards.checkup import Capability, Checkup
from harness.storage.plural import plural
from harness.storage.project import Project

DEADLINE = 180.0
"""Seconds that one answer may take."""
COLOUR = (
    Message(role="system", content="Answer every question with one word in lower case and nothing else."),
    Message(role="user", content="What colour is a clear sky by day?"),
)
"""A prompt without instructions about the form: a graded answer shows that the server enforces the schema."""
UNCOUNTED = Capability(
    name="whole prompt",
    takes=None,
    says="the server counts no tokens: that it cut the prompt would not be seen",
)


def check_model(project: Project, asked: Asked) -> Checkup:
    """Ask for one grade, with as few further calls as possible. CallError if there is no answer."""
    plan = make_plan(project, asked)
    price = price_of(project, plan.asked.model, plan.asked.base_url, sold_as)
    setup = setup_of(project, plan)
    return asyncio.run(_examine(plan, price, setup))


async def _examine(plan: Plan, price: Price | NoPrice, setup: Setup) -> Checkup:
    plain = open_teacher(plan.asked.model, setup)
    warm = _warm(plan.asked.model, setup)
    try:
        if isinstance(plain, Served):
            return await _examine_served(plan, price, plain, warm)
        reply, seconds = await _grade(plain, plan, 0)
        return _checkup(plan, price, reply, seconds, 0, (), ())
    finally:
        await plain.close()
        if warm:
            await warm.close()


def _warm(model: str, setup: Setup) -> Teacher | None:
    """The teacher with a temperature; None if its API takes none."""
    try:
        return open_teacher(model, replace(setup, temperature=0.0))
    except BadInput:
        return None


async def _examine_served(plan: Plan, price: Price | NoPrice, plain: Served, warm: Teacher | None) -> Checkup:
    first = warm if isinstance(warm, Served) else plain
    probe = ProbeDialect(first.dialect, temperature=warm is not None)
    served = Served(probe, first.wire)
    asked = [served]
    unnamed = False
    try:
        reply, seconds = await _grade(served, plan, 0)
    except RejectedError:
        # The server did not name what it rejects: ask again as a run would.
        served, unnamed = plain, True
        asked.append(served)
        reply, seconds = await _grade(served, plan, 0)
    unnamed = unnamed or served.guessed
    gave = probe.gave_logprobs
    findings = (
        _temperature(served.taken, warm=warm is not None, unnamed=unnamed),
        await _form(served, plan),
        _logprobs(reply, served.taken, gave=gave, unnamed=unnamed),
        await _cache(served, plan, reply),
        *([UNCOUNTED] if reply.usage is None else []),
    )
    requests = sum(one.requests for one in asked)
    return _checkup(plan, price, reply, seconds, requests, findings, served.notes)


async def _grade(teacher: Teacher, plan: Plan, at: int) -> tuple[Reply, float]:
    """The answer about one of the plan's examples, and the seconds that it took."""
    example = _example(plan, at % len(plan.examples))
    return await _ask(teacher, plan.writer.prompt(example.id, example.pair))


def _example(plan: Plan, at: int = 0) -> Example:
    return next(islice(plan.examples, at, None))


async def _ask(teacher: Teacher, prompt: Prompt) -> tuple[Reply, float]:
    began = time.monotonic()
    try:
        async with asyncio.timeout(DEADLINE):
            reply = await teacher.ask(prompt)
    except TimeoutError:
        raise TransientError(f"no whole answer within {DEADLINE:.0f} s") from None
    return reply, time.monotonic() - began


def _temperature(taken: Taken, *, warm: bool, unnamed: bool) -> Capability:
    if not warm:
        return Capability(name="temperature", takes=False, says="this API is never sent one")
    return _named("temperature", TEMPERATURE, taken, unnamed, "it was sent 0 and answered")


def _named(name: str, feature: str, taken: Taken, unnamed: bool, evidence: str) -> Capability:
    if unnamed:
        return Capability(name=name, takes=None, says="the server rejected a request without naming what")
    if taken.get(feature) == GIVEN_UP:
        return Capability(name=name, takes=False, says="the server rejected it by name")
    return Capability(name=name, takes=True, says=evidence)


async def _form(served: Served, plan: Plan) -> Capability:
    """Structured output: whether an answer takes the form when the prompt does not ask for it."""
    name, way = "structured output", served.taken.get(FORM)
    if way is None:
        return Capability(name=name, takes=True, says="the API answers with a level of the scale")
    if way == "plain":
        return Capability(name=name, takes=False, says="the prompt alone asks for the form")
    if way == "object":
        return Capability(name=name, takes=False, says="JSON mode alone: a JSON object of any form")
    prompt = Prompt(item="colour", repeat=0, messages=COLOUR, pair=_example(plan).pair)
    try:
        reply, _ = await _ask(served, prompt)
    except CallError as error:
        return Capability(name=name, takes=None, says=f"the test request failed: {error}")
    if reply.stop != "end":
        return Capability(name=name, takes=None, says=f"the answer to the test request was {reply.stop}")
    if isinstance(read_grade(reply, plan.policy.scale), Grade):
        return Capability(name=name, takes=True, says="answers are held to the JSON schema")
    return Capability(
        name=name, takes=False, says="the JSON schema is accepted, but answers are not held to it"
    )


def _logprobs(reply: Reply, taken: Mapping[str, str], *, gave: bool, unnamed: bool) -> Capability:
    name = "log-probabilities"
    if reply.probabilities is not None:
        return Capability(name=name, takes=True, says="a probability for every grade, kept in the records")
    if LOGPROBS not in taken and not unnamed:
        return Capability(name=name, takes=False, says="this API returns none")
    found = _named(name, LOGPROBS, taken, unnamed, "the answer held them")
    if found.takes and not gave:
        return Capability(name=name, takes=False, says="the server accepts the parameter, but returns none")
    return found


async def _cache(served: Served, plan: Plan, reply: Reply) -> Capability:
    """The prompt cache: what the answer says of it, or else a second one with the same prefix."""
    name, used = "prompt cache", reply.usage
    if used is None:
        return Capability(name=name, takes=None, says="the server counts no tokens")
    if used.cached_tokens or used.written_tokens:
        return Capability(name=name, takes=True, says=_moved(used))
    vendor = sold_as(plan.asked.model).vendor_at(plan.asked.base_url)
    prefix = tokens_of(plan.writer.system)
    if vendor and prefix.high < vendor.caches_from[0]:
        return Capability(name=name, takes=None, says="the constant prefix is too short for it")
    try:
        again, _ = await _grade(served, plan, 1)
    except CallError as error:
        return Capability(name=name, takes=None, says=f"the second request failed: {error}")
    if again.usage and again.usage.cached_tokens:
        return Capability(name=name, takes=True, says=_moved(again.usage))
    marked = "" if served.taken.get(CACHE) else " (it was not asked to)"
    return Capability(name=name, takes=False, says=f"a second answer found nothing in it{marked}")


def _moved(used: Usage) -> str:
    parts = [(used.cached_tokens, "read from it"), (used.written_tokens, "written to it")]
    return " and ".join(f"{plural(count, 'token')} {what}" for count, what in parts if count)


def _checkup(
    plan: Plan,
    price: Price | NoPrice,
    reply: Reply,
    seconds: float,
    requests: int,
    findings: tuple[Capability, ...],
    notes: tuple[str, ...],
) -> Checkup:
    outcome = read_grade(reply, plan.policy.scale)
    problems = [note for note in notes if note]
    if not isinstance(outcome, Grade):
        detail = f": {outcome.detail}" if outcome.detail else ""
        problems.insert(0, f"the answer is not a grade ({outcome.cause}{detail})")
    cost = cost_of([reply], price)
    why = price.reason if isinstance(price, NoPrice) else "the server counted no tokens"
    return Checkup(
        model=plan.asked.model,
        base_url=plan.asked.base_url,
        answered_by=reply.model,
        requests=requests,
        seconds=seconds,
        example=_example(plan).id,
        golden=_example(plan).grade,
        grade=outcome.value if isinstance(outcome, Grade) else None,
        usage=reply.usage,
        cost=cost,
        cost_cached=_from_cache(reply.usage, price),
        reason=why if cost is None else None,
        findings=findings,
        problems=tuple(problems),
    )


def _from_cache(used: Usage | None, price: Price | NoPrice) -> float | None:
    """What the answer would cost with its prefix in the cache; None if the prefix is not cached."""
    if used is None or isinstance(price, NoPrice) or not used.cached_tokens + used.written_tokens:
        return None
    prefix = used.cached_tokens + used.written_tokens
    return price.cost(used.model_copy(update={"cached_tokens": prefix, "written_tokens": 0}))
