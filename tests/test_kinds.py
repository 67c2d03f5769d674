"""The kinds of runs: what is graded decides what a score says."""

from typing import Any

import pytest

from harness.runs.kind import CANARIES, CHOSEN, GOLDEN, PAIRS, REWRITES, Kind
from harness.runs.manifest import Asked


def asked(**more: Any) -> Asked:
    words = {"model": "builtin/majority", "policy": "p@v1", "prompt": "t@v1", "splits": ("dev", "test")}
    return Asked.model_validate({**words, **more})


@pytest.mark.parametrize(
    ("more", "kind", "part", "scored", "gated"),
    [
        ({}, GOLDEN, "dev+test", True, True),
        ({"limit": 5}, GOLDEN, "dev+test", True, True),
        ({"only": ("a",)}, CHOSEN, "dev+test", True, False),
        ({"canaries": True}, CANARIES, "canaries", False, False),
        ({"pairs": "p.csv", "splits": ()}, PAIRS, "pairs", False, False),
        ({"rewrites": True, "limit": 5}, REWRITES, "rewrites", False, False),
    ],
)
def test_kind_is_told_by_what_is_asked(
    more: dict[str, Any], kind: Kind, part: str, scored: bool, gated: bool
) -> None:
    found = asked(**more)
    assert (found.kind, found.part) == (kind, part)
    assert (found.kind.scored, found.kind.apart is None) == (scored, gated)


def test_kinds_differ_by_name() -> None:
    kinds = (GOLDEN, CHOSEN, CANARIES, PAIRS, REWRITES)
    assert len({kind.name for kind in kinds}) == len(kinds)


def test_kind_is_not_written_into_a_manifest() -> None:
    """Manifests hold what was asked; the kind follows from it, for old ones too."""
    assert "kind" not in asked(canaries=True).model_dump()
