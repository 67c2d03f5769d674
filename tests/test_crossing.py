"""What `make test` leaves to CI of the tests of every case at every provider (crossing.py)."""

from collections import Counter

import pytest
from crossing import MARK, case_of


def test_a_case_is_tried_at_one_provider(request: pytest.FixtureRequest) -> None:
    """Of all tests that were collected beside this one."""
    kept: Counter[tuple[str, str]] = Counter()
    for item in request.session.items:
        if item.get_closest_marker(MARK) and not item.get_closest_marker("slow"):
            assert isinstance(item, pytest.Function)
            kept[case_of(item)] += 1
    assert max(kept.values(), default=1) == 1
