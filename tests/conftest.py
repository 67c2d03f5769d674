"""What holds for every test: no keys, no settings from outside, no network beyond loopback."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import Phase, settings

# No deadline: machines differ. On CI the same examples every time, so that red means a change broke it;
# on a desk new ones, so that something is found.
settings.register_profile("desk", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
# Mutants are many: fewer examples, always the same, and none is made smaller.
settings.register_profile(
    "mutants", deadline=None, derandomize=True, max_examples=30, phases=(Phase.explicit, Phase.generate)
)
mutated = "MUTANT_UNDER_TEST" in os.environ
settings.load_profile("mutants" if mutated else "ci" if os.environ.get("CI") else "desk")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = ("HARNESS_", "OPENAI_", "ANTHROPIC_", "VLLM_", "LLAMA_", "OLLAMA_")
    for name in list(os.environ):
        if name.startswith(ours) and name != "HARNESS_REAL_DATA":
            monkeypatch.delenv(name)
    # As wide and as colourless as a pipe, whoever runs the tests.
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    yield tmp_path


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries come at once."""
    from harness.grading.live import ask

    monkeypatch.setattr(ask, "LONGEST_WAIT", 0.01)
    monkeypatch.setattr(ask, "_backoff", lambda state: 0.001)


@pytest.fixture
def real_data() -> Path:
    """Real ratings and graded pairs, where the machine has them."""
    folder = os.environ.get("HARNESS_REAL_DATA")
    if not folder:
        pytest.skip("HARNESS_REAL_DATA names no folder of real data")
    return Path(folder)
