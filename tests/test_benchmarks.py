"""The benchmarks run: their tables stand in the docs, and a command that fails would prove nothing."""

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def coverage(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """benchmarks/coverage.py; its name in the environment is that of another package."""
    import importlib.util

    spec = importlib.util.spec_from_file_location("benchmark_of_coverage", ROOT / "benchmarks/coverage.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    return module


def test_process_of_the_simulation_has_the_kappa_that_it_says(coverage: ModuleType) -> None:
    import numpy as np

    process = coverage.process_at(0.8)
    assert process.kappa() == pytest.approx(0.8)
    table = process.sample(np.random.default_rng(1), 4_000, 5, "none")
    assert table.kappa.value == pytest.approx(0.8, abs=0.03)


def test_tables_of_the_simulation_have_their_columns(coverage: ModuleType) -> None:
    titles = [head.split("|")[1:] for head in coverage.TABLES]
    assert len(coverage.coverage_row(20, 5, 0.7, "none", 2)) == len(titles[1])
    said, fooled = coverage.gate_counts(coverage.process_at(0.8), 50, 4)
    assert said.total() == 4 and 0 <= fooled <= 4
    assert {len(row) for row in coverage.guard_rows(1)} == {len(titles[3])}


@pytest.mark.slow
def test_looking_often_passes_too_often_and_the_planned_number_does_not(coverage: ModuleType) -> None:
    """True kappa just below the bar of 0.8: it may pass in 2.5 % of the rounds at most."""
    sets = 200
    process = coverage.process_at(0.795)
    first, planned = coverage.looking_counts(process, coverage.PLANNED, 20, sets)
    assert first / sets > 0.05
    assert planned / sets <= 0.025
    assert coverage.looking_counts(process, 40, 40, 5)[0] == coverage.looking_counts(process, 40, 40, 5)[1]


@pytest.mark.slow
def test_benchmark_of_labels_counts_what_it_labels(tmp_path: Path) -> None:
    words = ["--pairs", "60", "--kills", "1", "--repeats", "3"]
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks/label.py", *words], check=True, capture_output=True, text=True
    )
    assert "60 rows, 20 distinct" in done.stdout
    assert "60 rows labelled, 60 answers in the store" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("coverage", "--sets"),
        ("regression", "--sets"),
        ("audit", "--sets"),
        ("estimate_coverage", "--sets"),
        ("telemetry", "--rounds"),
    ],
)
def test_benchmarks_start(name: str, option: str) -> None:
    path = ROOT / f"benchmarks/{name}.py"
    done = subprocess.run([sys.executable, path, "--help"], check=True, capture_output=True, text=True)
    assert option in done.stdout
