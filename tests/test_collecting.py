"""How often Python looks for reference cycles."""

import gc

import pytest

from harness.storage.collecting import without_collecting


def test_nothing_is_collected_inside_and_what_was_set_is_set_again() -> None:
    assert gc.isenabled()
    with pytest.raises(KeyError), without_collecting():
        assert not gc.isenabled()
        raise KeyError
    assert gc.isenabled()
    gc.disable()
    try:
        with without_collecting():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
