"""How often Python looks for reference cycles."""

import gc
import subprocess
import sys

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


def test_a_command_that_ends_looks_for_no_more_cycles() -> None:
    code = (
        "import atexit, gc, sys\nfrom harness.cli.app import main\nsys.argv = ['harness', '--version']\n"
        "atexit.register(lambda: print(gc.get_freeze_count() > 1000))\nmain()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == "True"
