"""What a search for a better prompt found, for a terminal."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from harness.report.formats import interval, number, signed, with_interval
from harness.report.parts import below, columns, entry, id_lines, indented, warnings
from harness.scorecards.improvement import Candidate, Improvement, Part, PolicyFault, SearchForecast
from harness.scorecards.money import usd
from harness.storage.plural import more_of, plural
from harness.storage.project import Project

SHOWN = 5
"""Ids of a clause that are named."""


def improvement_view(found: Improvement, project: Project) -> Iterator[RenderableType]:
    """Whether an edit was accepted, every candidate with its changes, and the faults of the policy."""
    yield Text(_headline(found), style="bold green" if found.chosen else "bold")
    yield Text(_parts_words(found.propose, found.select))
    yield Text(_asked_words(found))
    if found.candidates:
        yield indented(_table(found))
        yield from _reasons(found.candidates, "an edit was made from" if found.proposed_by else "chose them")
    if best := next((one for one in found.candidates if one.number == found.chosen), None):
        yield from entry("What was changed", *(edit.note or "no note" for edit in best.edits))
    if found.refused:
        yield from entry(
            "Proposals that could not be used", *(f"{n}: {why}" for why, n in found.refused.items())
        )
    if found.policy_faults:
        yield from _faults(found.policy_faults)
    yield Text("")
    yield Text(_next(found, project))


def _headline(found: Improvement) -> str:
    best = next((one for one in found.candidates if one.number == found.chosen), None)
    if best is None:
        what = "edit of" if found.proposed_by else "other set of shots for"
        return f"No {what} {found.prompt} is surely better: nothing was written."
    change = with_interval(signed(best.select.delta), best.select.ci)
    kappa = "kappa" if found.weighting == "none" else f"{found.weighting} kappa"
    unseen = "no edit was made from" if found.proposed_by else "no shots were chosen by"
    return f"{found.draft} is better than {found.prompt}: {kappa} {change}, on pairs that {unseen}."


def _parts_words(propose: Part, select: Part) -> str:
    """How many pairs are for proposing, and how many for accepting."""
    one, other = (
        f"{plural(part.n, 'pair')} of {plural(part.queries, 'query')}" for part in (propose, select)
    )
    return f"Of dev, {one} to propose from and {other} to accept on; test is not graded."


def _asked_words(found: Improvement) -> str:
    if not found.disagreements:
        return f"{found.model} has no disagreement to learn from, so that nothing was proposed."
    wrong = plural(found.disagreements, "disagreement")
    unread = f" ({found.unread:,} without a readable grade)" if found.unread else ""
    untold = "have" if found.unrated != 1 else "has"
    asked = f"{found.proposed_by} was asked for {plural(found.proposals, 'proposal')}"
    if found.proposed_by is None:
        asked = f"{plural(found.proposals, 'other set of shots was', 'other sets of shots were')} tried"
    said = f"{found.model} has {wrong} to learn from{unread}; {asked}."
    if not found.unrated:
        return said
    fewer = f"{found.unrated:,} of the disagreements {untold} fewer than two ratings"
    return f"{said} {fewer}: it is unknown whether the policy is at fault there."


def _table(found: Improvement) -> RenderableType:
    table = columns("candidate", "propose", "select", "95 %", "p (Holm)", "inflation", "accepted")
    for one in found.candidates:
        changes = signed(one.propose.delta), signed(one.select.delta), interval(one.select.ci)
        more = number(one.p_holm), signed(one.inflation), "yes" if one.accepted else "no"
        table.add_row(str(one.number), *changes, *more)
    return table


def _reasons(candidates: tuple[Candidate, ...], seen: str) -> Iterator[RenderableType]:
    for one in candidates:
        if one.why:
            yield below(f"{one.number}: {one.why}.")
    yield below(f"Inflation: how much more the pairs that {seen} promised than other pairs kept.")


def _faults(faults: tuple[PolicyFault, ...]) -> Iterator[RenderableType]:
    """For the author: clauses to sharpen, by disagreements that no prompt should learn from."""
    lines = []
    for one in faults:
        each = [f"{id_} ({', '.join(map(str, given))})" for id_, given in one.items.items()]
        more = more_of(len(each), SHOWN)
        name = f"sharpen {one.clause}" if one.clause else "write a clause (the golden answers name none)"
        lines.append(id_lines(f"{name}, {plural(len(each), 'pair')}:", each[:SHOWN], more))
    yield from entry("For the policy's author, withheld: the raters differ there too", *lines)


def _next(found: Improvement, project: Project) -> str:
    if found.draft and not found.test:
        return f"Next: read {found.draft}. The golden set has no pair in test to confirm it on."
    if found.draft:
        how = project.how_to("eval", model=found.model, prompt=found.draft, split="test")
        return f"Next: read {found.draft}, then {how}, and compare it with {found.prompt} there."
    if not found.disagreements:
        others = " that is not withheld" if found.policy_faults else ""
        return f"The teacher agrees with every pair to propose from{others}."
    more = "proposals" if found.proposed_by else "sets of shots"
    chance = "Repeated searches accept by chance in the end: a draft has to hold on test."
    return f"Next: more golden pairs in dev, or more {more} (--proposals). {chance}"


def forecast_view(found: SearchForecast) -> Iterator[RenderableType]:
    """What a search would ask for at most."""
    yield Text("What a search would ask for at most (nothing was sent)", style="bold")
    yield Text(_parts_words(found.propose, found.select))
    cost = f"up to {usd(found.cost)}" if found.cost is not None else f"price unknown: {found.reason}"
    yield Text(f"{plural(found.answers, 'answer')} of {found.model}, {cost}.")
    if found.proposed_by:
        yield Text(f"{plural(found.proposals, 'proposal')} of {found.proposed_by}, whose price comes on top.")
    yield from warnings(found.warnings, above=True)
