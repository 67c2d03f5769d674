"""The model that proposes: it sees a template and its disagreements, and writes another template."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from itertools import filterfalse
from pathlib import Path

from harness.errors import BadInput, CallError, Fault, Interrupted, Unfinished, refuse_faults
from harness.grading.budget import Budget, LoggedCalls, WorstCase, is_logged
from harness.grading.live.ask import Asker
from harness.grading.live.pace import Pace
from harness.grading.purse import Purse
from harness.grading.signals import draining
from harness.grading.stop import DrainedError, Stop
from harness.improve.grading import GO_ON
from harness.nouns.base import Amount, Noun
from harness.nouns.pair import Example
from harness.nouns.records import Message, Prompt, Reply
from harness.pricing.prices import NoPrice, Price, cost_of
from harness.providers import open_teacher
from harness.providers.base import Setup
from harness.providers.wire import shown
from harness.runs.call_log import unanswered_calls
from harness.score.items import GradedItem
from harness.storage.digest import digest
from harness.storage.files import parse, to_line
from harness.storage.line_log import open_log, whole_lines
from harness.storage.regular import append_whole
from harness.storage.visible import is_hidden

FILE = "reflections.jsonl"
DAMAGE = "the file is damaged; restore it: it holds replies that are paid for"
NOTE = 1_000
"""How many letters are kept of what a model says about its edit."""
LARGEST = 64 << 20
"""The most bytes of the replies of one search: they are read whole."""
SHOWN = 100
"""How many letters are shown of a reply without a template."""
BEGIN, END = "<template>", "</template>"
"""The lines before and after a template in a reply."""
TASK = """You improve the instructions that a language model follows when it grades how well a search result
serves a query. The instructions are a Jinja template. Below you see the template, and pairs that the model
graded otherwise than the people who decide, with their reasons where they gave any.

Find what the template fails to say, or says in a way that misleads, and write it so that the model grades
such pairs as the people do. Then write the whole template again.

Keep to these rules:
- Change words alone. Every {{ ... }} and {% ... %} stays, letter for letter and in its order.
- Write rules that hold for pairs of any query. Do not name these queries or products, and quote nothing of
  them: a template that repeats them is thrown away.
- The policy stands between the tags. Do not add rules that contradict it.
- Change as little as cures the disagreements. Do not make the template much longer.

First say in one or two sentences what you changed, and why. Then give the whole template between a line
<template> and a line </template>, once."""


class Reflection(Noun):
    """One line of reflections.jsonl: what was asked, by its digest, and the reply."""

    prompt: str
    reply: Reply
    cost: Amount | None = None


class Proposal(Noun):
    """A proposed template, or why there is none in a reply. `note`: what the model says that it changed."""

    system: str | None
    note: str
    refused: str | None = None


class Reflector:
    """Asks a model for proposals. Replies are kept: the same disagreements are not asked about twice."""

    def __init__(
        self, model: str, setup: Setup, price: Price | NoPrice, worst: WorstCase, folder: Path, purse: Purse
    ) -> None:
        self._model, self._setup, self._price, self._worst = model, setup, price, worst
        self._folder, self._purse = folder, purse
        kept = _kept(folder / FILE)
        self._known = {one.prompt: one for one in kept}
        if purse.limit is not None:
            answers = Counter({(one.prompt, 0): 1 for one in kept})
            purse.spent += sum(one.cost or 0.0 for one in kept)
            purse.lost += sum(map(worst.cost_again, unanswered_calls(folder, answers).calls))

    def propose(self, system: str, wrong: Sequence[tuple[Example, GradedItem]]) -> Proposal:
        """A proposal from disagreements. Unfinished or Interrupted where the model cannot be asked."""
        messages = (
            Message(role="system", content=TASK),
            Message(role="user", content=f"<template>\n{system}\n</template>\n\n{_told(wrong)}"),
        )
        name = digest([self._model, *(message.content for message in messages)])
        if name not in self._known:
            self._ask(Prompt(item=name, repeat=0, messages=messages, pair=wrong[0][0].pair))
        return read_proposal(self._known[name].reply)

    def _ask(self, prompt: Prompt) -> None:
        budget, stop = self._purse.opened(self._worst), Stop()
        calls = LoggedCalls(self._worst, self._folder) if is_logged(self._price) else None
        try:
            self._keep(prompt.item, asyncio.run(self._reply(prompt, stop, budget, calls)))
        except (DrainedError, KeyboardInterrupt, asyncio.CancelledError):
            raise Interrupted(f"interrupted; {GO_ON}") from None
        except CallError as error:
            raise Unfinished(f"{self._model}: {error}\n{GO_ON}") from error
        finally:
            self._purse.closed(budget)
            if calls:
                calls.close()
        if stop.called:
            # Keep the reply that was waited for.
            raise Interrupted(f"interrupted; {GO_ON}")

    async def _reply(
        self, prompt: Prompt, stop: Stop, budget: Budget | None, calls: LoggedCalls | None
    ) -> Reply:
        teacher = open_teacher(self._model, self._setup)
        scale = self._setup.policy.scale
        asker = Asker(teacher, scale, stop, Pace(1), lambda: 1, budget, calls)
        try:
            with draining(stop, lambda: None):
                return await asker.reply(prompt)
        finally:
            await teacher.close()

    def _keep(self, name: str, reply: Reply) -> None:
        one = Reflection(prompt=name, reply=reply, cost=cost_of((reply, None), self._price))
        with open_log(self._folder / FILE) as file:
            append_whole(file, to_line(one).encode("utf-8"))
        self._known[name] = one


def _kept(path: Path) -> list[Reflection]:
    """The replies of earlier processes. BadInput names every damaged line."""
    kept, faults = list[Reflection](), list[Fault]()
    if path.exists() and path.stat().st_size > LARGEST:
        raise BadInput([Fault(str(path), f"larger than {LARGEST >> 20} MB: {DAMAGE}")])
    for number, line in enumerate(whole_lines(path), start=1):
        one, found = parse(Reflection, line, f"{path}, line {number}")
        faults += found
        kept += [one] if one else []
    refuse_faults([*faults, Fault(str(path), DAMAGE)] if faults else ())
    return kept


def _told(wrong: Sequence[tuple[Example, GradedItem]]) -> str:
    """The disagreements as the model reads them."""
    return "\n\n".join(_one(number, *one) for number, one in enumerate(wrong, start=1))


def _one(number: int, example: Example, item: GradedItem) -> str:
    answer = item.answers[0]
    gave = "no readable grade" if answer.grade is None else f"grade {answer.grade}"
    lines = [f"# Disagreement {number}", example.pair.json_text]
    lines.append(f"The model gave {gave}" + (f": {answer.reasoning}" if answer.reasoning else ""))
    if answer.clauses:
        lines.append(f"It named the clauses {', '.join(answer.clauses)}")
    lines.append(
        f"The people gave grade {example.grade}" + (f": {example.reasoning}" if example.reasoning else "")
    )
    if example.clauses:
        lines.append(f"They named the clauses {', '.join(example.clauses)}")
    return "\n".join(lines)


def read_proposal(reply: Reply) -> Proposal:
    """The template in a reply, and the text before it. A reply with two templates has none to use."""
    if reply.stop != "end":
        return Proposal(system=None, note="", refused=f"the reply ended with {reply.stop}")
    lines = reply.text.splitlines(keepends=True)
    begins, ends = ([at for at, line in enumerate(lines) if line.strip() == mark] for mark in (BEGIN, END))
    if len(begins) != 1 or len(ends) != 1 or ends < begins:
        templates = min(len(begins), len(ends))
        return Proposal(system=None, note="", refused=_why_none(reply.text, templates))
    note = " ".join("".join(lines[: begins[0]]).split())
    system = "".join(lines[begins[0] + 1 : ends[0]]).replace("\r\n", "\n")
    return Proposal(system=system, note="".join(filterfalse(is_hidden, note))[:NOTE])


def _why_none(text: str, templates: int) -> str:
    if templates > 1:
        return f"the reply holds {templates:,} templates, and one was asked for"
    said = shown(text)
    return f'the reply holds no template: "{said[:SHOWN]}{"..." if len(said) > SHOWN else ""}"'
