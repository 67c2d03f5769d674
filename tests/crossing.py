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
            test = item.nodeid.partition("[")[0]
            crossed[test][item.callspec.id.replace(_provider(item), "", 1)].append(item)
    for cases in crossed.values():
        for number, case in enumerate(cases.values()):
            kept = number % len(case)
            for item in case[:kept] + case[kept + 1 :]:
                item.add_marker(pytest.mark.slow)


def _provider(item: pytest.Function) -> str:
    given = item.callspec.params
    return str(given.get("provider") or str(given["model"]).partition("/")[0])
