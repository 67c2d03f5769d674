"""Rating parties: a round with several raters who answer by chance, some of them carelessly."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from builders import CLAUSE, examples, policy_text, write_project
from rounds import add_round

from harness.golden.rating.answers import Answer, AnswerLog
from harness.golden.rating.rounds import ANSWERS, OpenRound


@dataclass(frozen=True)
class Guest:
    """How somebody rates: the share answered, the chance to miss by a grade, the lean, the seconds."""

    name: str
    answers: float = 1.0
    misses: float = 0.1
    leans: int = 0
    seconds: float = 6.0
    cannot: float = 0.0
    cites: bool = False


def party(root: Path, raters: Sequence[str], queries: int = 80) -> OpenRound:
    """A project with clauses and a round of 2.25 pairs a query, all by every rater."""
    project = write_project(root, golden=examples(queries=queries))
    path = root / "policies/small/v1.toml"
    path.write_text(policy_text(clauses=CLAUSE), encoding="utf-8")
    return add_round(project, raters)


def answer(opened: OpenRound, *guests: Guest, seed: int = 1) -> None:
    """Have the guests answer; the right grade is the one at the end of a golden id."""
    with AnswerLog(opened.folder / ANSWERS) as log:
        for guest in guests:
            chance = random.Random(f"{seed} {guest.name}")
            places, said = opened.assigned(guest.name), []
            for place in places[: round(guest.answers * len(places))]:
                right = int(opened.pairs[place.code].item.rpartition("-")[2])
                said.append(_said(guest, place.place, right, chance))
            log.add(guest.name, said)


def _said(guest: Guest, place: int, right: int, chance: random.Random) -> Answer:
    told = {
        "event": f"event-{guest.name}-{place}",
        "place": place,
        "milliseconds": round(1000 * guest.seconds * chance.lognormvariate(0, 0.4)),
    }
    if chance.random() < guest.cannot:
        cause = chance.choice(("ambiguous_text", "policy_silent", "not_enough_shown"))
        return Answer.model_validate({**told, "kind": "cannot", "cannot": cause})
    lean = guest.leans or chance.choice((-1, 1))
    grade = min(2, max(0, right + (lean if chance.random() < guest.misses else 0)))
    clauses = ("accessory" if right < 2 else "plain",) if guest.cites else ()
    return Answer.model_validate({**told, "kind": "grade", "grade": grade, "clauses": clauses})
