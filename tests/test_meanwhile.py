"""Modules that are imported while answers are awaited."""

import sys
import threading
from pathlib import Path

import pytest

from harness.grading.meanwhile import imported_meanwhile


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_a_module_is_imported_beside_the_body(modules: Path) -> None:
    text = "import threading\nby = threading.current_thread().name\n"
    (modules / "made_meanwhile.py").write_text(text, encoding="utf-8")
    try:
        with imported_meanwhile("made_meanwhile"):
            here = threading.current_thread().name
        assert sys.modules["made_meanwhile"].by not in (here, "MainThread")
    finally:
        sys.modules.pop("made_meanwhile", None)


def test_a_module_that_fails_ends_nothing_and_the_next_is_imported(modules: Path) -> None:
    (modules / "broken_meanwhile.py").write_text("raise RuntimeError\n", encoding="utf-8")
    (modules / "whole_meanwhile.py").write_text("", encoding="utf-8")
    try:
        with imported_meanwhile("broken_meanwhile", "whole_meanwhile"):
            pass
        assert "broken_meanwhile" not in sys.modules
        assert "whole_meanwhile" in sys.modules
    finally:
        sys.modules.pop("whole_meanwhile", None)


def test_no_import_is_left_behind_where_the_body_fails(modules: Path) -> None:
    (modules / "slow_meanwhile.py").write_text("import time\ntime.sleep(0.2)\n", encoding="utf-8")
    try:
        with pytest.raises(ValueError, match="of the body"), imported_meanwhile("slow_meanwhile"):
            raise ValueError("of the body")
        assert "slow_meanwhile" in sys.modules
        assert [thread.name for thread in threading.enumerate()].count("import") == 0
    finally:
        sys.modules.pop("slow_meanwhile", None)
