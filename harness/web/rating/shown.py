"""What the server sends of a round: only what a rater needs to grade.

Every payload names its fields one by one. They include no golden id, code, tag, stratum, split or grade, and
do not say who else rates, or whether a pair comes a second time.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from harness.golden.rating.answers import Answer
from harness.golden.rating.rounds import OpenRound, RoundPair, Show
from harness.nouns.policy import Policy
from harness.storage.digest import digest
from harness.web.guard import PAGE_POLICY

HOST = re.compile(r"[a-z0-9.-]+(:[0-9]+)?")
"""A host in a content policy. Anything else could add a rule to it."""


def state_of(opened: OpenRound, rater: str, said: Mapping[int, Answer], changed: str) -> dict[str, Any]:
    """All that a rater's page shows: the policy, the pairs in the rater's order, the rater's own answers.

    `changed`: says that the policy has changed since the round was planned; else empty.
    """
    planned = opened.round
    return {
        # The key of what the browser keeps: rounds of other projects may be open at the same address.
        "key": digest([planned.policy, planned.name, planned.created_at, rater])[7:23],
        "round": planned.name,
        "rater": rater,
        "policy": policy_shown(opened.policy),
        "changed": changed,
        "pairs": [
            {"place": one.place, "ask": opened.asks_reason(rater, one.place)}
            | pair_shown(opened.pairs[one.code], planned.show)
            for one in opened.assigned(rater)
        ],
        "answers": [answer_shown(one) for one in sorted(said.values(), key=lambda one: one.at)],
        "sealed": opened.sealed().get(rater),
    }


def pair_shown(pair: RoundPair, show: Show) -> dict[str, Any]:
    """A pair as the surface shows it: the round's fields of the result, the query and the context."""
    fields = [name for name in show.fields if name in type(pair.result).model_fields]
    kept: dict[str, Any] = {
        name: value for name in fields if (value := getattr(pair.result, name)) not in (None, {})
    }
    if "attributes" in kept:
        kept["attributes"] = {name: text for name, text in kept["attributes"].items() if name != show.picture}
    return {
        "query": pair.query,
        "result": kept,
        "picture": picture_of(pair.result.attributes.get(show.picture, ""), show),
        "context": pair.context or {},
    }


def picture_of(address: str, show: Show) -> str | None:
    """A picture's address, where the round allows its host; None for any other."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    return address if parts.scheme == "https" and parts.netloc.lower() in hosts(show) else None


def hosts(show: Show) -> list[str]:
    """The hosts that pictures may come from."""
    return [name for host in show.picture_hosts if HOST.fullmatch(name := host.lower())]


def content_policy(show: Show) -> str:
    """The content policy of the rating page: our own files, and pictures from the round's hosts."""
    allowed = " ".join(["data:", *(f"https://{host}" for host in hosts(show))])
    return PAGE_POLICY.replace("img-src data:", f"img-src {allowed}")


def policy_shown(policy: Policy) -> dict[str, Any]:
    """The policy as raters read it: goal, rubric, clauses, worked gray areas."""
    wanted: Any = {
        "name": True,
        "version": True,
        "title": True,
        "surface": True,
        "goal": True,
        "grades": True,
        "clauses": {"__all__": {"id", "text", "why"}},
        "boundaries": True,
    }
    shown = policy.model_dump(mode="json", include=wanted)
    return {**shown, "scale": list(policy.scale)}


def answer_shown(answer: Answer) -> dict[str, Any]:
    """A rater's own answer."""
    return answer.model_dump(mode="json", exclude_defaults=True)
