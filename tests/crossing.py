"""Tests of every case at every provider: `make test` tries each case at one of them, CI at all."""

from collections import defaultdict
from collections.abc import Iterable

import pytest

MARK = "crossed"


def thin(items: Iterable[pytest.Function]) -> None:
    """Mark as slow what is `crossed`, but for one provider of each case: the next case has the next one."""
    crossed: dict[str, dict[str, list[pytest.Function]]] = defaultdict(lambda: defaultdict(list))
    for item in items:
        if item.get_closest_marker(MARK):
            test, named = case_of(item)
            crossed[test][named].append(item)
    for cases in crossed.values():
        for number, case in enumerate(cases.values()):
            kept = number % len(case)
            for item in case[:kept] + case[kept + 1 :]:
                item.add_marker(pytest.mark.slow)


def case_of(item: pytest.Function) -> tuple[str, str]:
    """A crossed test, and its case: what names it, without the provider."""
    given = item.callspec.params
    provider = str(given.get("provider") or str(given["model"]).partition("/")[0])
    return item.nodeid.partition("[")[0], item.callspec.id.replace(provider, "", 1)
