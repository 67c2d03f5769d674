"""--dry-run: what a run would cost, from the length of its prompts. Makes no API calls."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

from harness.grading.budget import sent_along
from harness.grading.job import Question
from harness.grading.plan import Plan
from harness.grading.plan_warnings import plan_warnings
from harness.pricing.prices import NoPrice, Price
from harness.pricing.tokens import TokenRange, tokens_of
from harness.prompting.answer import answer_text
from harness.providers import sold_as
from harness.scorecards.money import Forecast, Prices, Span

ENVELOPE = TokenRange(5, 200)
"""Tokens that a server adds to a prompt: roles, marks, instructions about the form."""
THOUGHT = 2_000
"""Assumed maximum of thinking tokens of an answer."""
UNSAID = TokenRange(10, 300)
"""An answer's tokens, if the golden set has no reasonings."""
MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class _Requests:
    """All requests together: their number, one prefix, all text after the prefixes, all answers."""

    requests: int
    prefix: TokenRange
    rest: TokenRange
    output: TokenRange

    @property
    def input(self) -> TokenRange:
        return self.prefix.times(self.requests).plus(self.rest)


def forecast(plan: Plan, price: Price | NoPrice, todo: Iterable[Question] | None = None) -> Forecast:
    """What the questions in `todo` (None: all of the plan's) would cost, without repeated requests."""
    model = plan.asked.model
    free = sold_as(model).free
    if free:
        count = len(plan.examples) * plan.asked.repeats if todo is None else sum(1 for _ in todo)
        asked = _Requests(count, TokenRange(0, 0), TokenRange(0, 0), TokenRange(0, 0))
    else:
        asked = _asked(plan, todo)
    sure, may = _cache_odds(plan, asked.prefix)
    return Forecast(
        model=model,
        requests=asked.requests,
        prefix_tokens=_whole(asked.prefix),
        input_tokens=_whole(asked.input),
        output_tokens=_whole(asked.output),
        cost=_prices(price, asked, sure=sure, may=may) if isinstance(price, Price) else Prices(),
        source=price.source if isinstance(price, Price) else None,
        reason=price.reason if isinstance(price, NoPrice) else None,
        assumptions=() if free else _assumptions(plan),
        warnings=(*_warnings(plan, asked.prefix, sure=sure, may=may),) if asked.requests else (),
    )


def _warnings(plan: Plan, prefix: TokenRange, *, sure: bool, may: bool) -> Iterable[str]:
    """What is odd about the asking; nobody's matter where nobody is asked."""
    yield from plan_warnings(plan)
    if not sure:
        yield _too_short(plan, prefix, may=may)


def _asked(plan: Plan, todo: Iterable[Question] | None) -> _Requests:
    every: Iterable[Question] = ((example, 0) for example in plan.examples)
    rest, count = TokenRange(0, 0), 0
    for example, repeat in every if todo is None else todo:
        prompt = plan.writer.prompt(example.id, example.pair, repeat)
        count += 1
        for message in prompt.messages[1:]:
            rest = rest.plus(tokens_of(message.content))
    if todo is None:
        count, rest = count * plan.asked.repeats, rest.times(plan.asked.repeats)
    form = TokenRange(0, tokens_of(sent_along(plan.policy)).high)
    return _Requests(
        requests=count,
        prefix=tokens_of(plan.writer.system),
        rest=rest.plus(form.plus(ENVELOPE).times(count)),
        output=_answer(plan).times(count),
    )


def _answer(plan: Plan) -> TokenRange:
    """One answer: half to twice as long as those of the golden set, plus thinking."""
    total, reasoned = TokenRange(0, 0), 0
    for example in chain(plan.learnable, plan.examples):
        if example.reasoning:
            reasoned += 1
            total = total.plus(tokens_of(answer_text(example.reasoning, example.clauses, example.grade)))
    if not reasoned:
        return UNSAID.plus(TokenRange(0, THOUGHT))
    mean = total.times(1 / reasoned)
    return TokenRange(mean.low / 2, mean.high * 2 + THOUGHT)


def _cache_odds(plan: Plan, prefix: TokenRange) -> tuple[bool, bool]:
    """Whether the prefix is sure to be long enough for the vendor's cache, and whether it may be."""
    vendor = sold_as(plan.asked.model).vendor_at(plan.asked.base_url)
    if vendor is None:
        return True, True
    least, most = vendor.caches_from
    return prefix.low >= most, prefix.high >= least


def _too_short(plan: Plan, prefix: TokenRange, *, may: bool) -> str:
    vendor = sold_as(plan.asked.model).vendor_at(plan.asked.base_url)
    assert vendor is not None, "only a vendor's cache has a minimum"
    least, most = vendor.caches_from
    minimum = f"{least:,}" if least == most else f"{least:,} to {most:,}, by model"
    has = f"the constant prefix has about {prefix.low:,.0f} to {prefix.high:,.0f} tokens"
    caches = f"{vendor.title} caches none under {minimum}"
    return f"{has}, and {caches}: {'perhaps no' if may else 'no'} request finds it in the cache"


def _prices(price: Price, asked: _Requests, *, sure: bool, may: bool) -> Prices:
    """`sure`, `may`: whether the vendor's cache holds such a prefix."""
    return Prices(
        plain=_span(price, asked, batch=False, sure=False, may=False),
        cached=_span(price, asked, batch=False, sure=sure, may=may),
        batch=_span(price, asked, batch=True, sure=False, may=False),
        batch_cached=_span(price, asked, batch=True, sure=sure, may=may),
    )


def _span(price: Price, asked: _Requests, *, batch: bool, sure: bool, may: bool) -> Span | None:
    low = _cost(price, asked, high=False, batch=batch, cached=may)
    high = _cost(price, asked, high=True, batch=batch, cached=sure)
    return None if low is None or high is None else Span(low=low, high=high)


def _cost(price: Price, asked: _Requests, *, high: bool, batch: bool, cached: bool) -> float | None:
    """USD for all requests at one end of their range; the first writes the cache, the others read it."""
    at = 1 if high else 0
    rates = price.rates(int(asked.input[at] / max(1, asked.requests)), batch=batch)
    if rates is None:
        return None
    prefixes = asked.requests * rates.input
    if cached and asked.requests:
        prefixes = rates.written + (asked.requests - 1) * rates.cached
    rest, output = asked.rest[at] * rates.input, asked.output[at] * rates.output
    return (asked.prefix[at] * prefixes + rest + output) / MILLION


def _assumptions(plan: Plan) -> tuple[str, ...]:
    reasoned = any(example.reasoning for example in chain(plan.learnable, plan.examples))
    answer = (
        "an answer is half to twice as long as the golden set's own"
        if reasoned
        else f"an answer has {UNSAID.low} to {UNSAID.high} tokens"
    )
    return (
        "tokens by the kind of letter, since tokenizers differ: five to two small letters make one",
        f"{answer}, with up to {THOUGHT:,} tokens of thinking",
        "from the cache: every prefix but the first; in a batch that is not sure",
        "no answer has to be asked for twice",
    )


def _whole(tokens: TokenRange) -> Span:
    return Span(low=round(tokens.low), high=round(tokens.high))
