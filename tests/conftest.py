"""What holds for every test: no keys, no outside settings, no network beyond loopback, no file of a user."""

import asyncio
import gc
import os
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from crossing import thin
from hypothesis import Phase, settings
from shipped import is_own, ship

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# One thread for numbers: each core has a process of tests, and a thread that waits for its turn spins.
# It is read when numpy is loaded, which is later.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# No deadline: machines differ. On CI many, and the same every time, so that red means a change broke it;
# on a desk fewer, and new ones, so that something is found.
settings.register_profile("desk", deadline=None, max_examples=40)
settings.register_profile("ci", deadline=None, max_examples=100, derandomize=True)
# Mutants are many: fewer examples, always the same, and none is made smaller.
settings.register_profile(
    "mutants", deadline=None, derandomize=True, max_examples=30, phases=(Phase.explicit, Phase.generate)
)
mutated = "MUTANT_UNDER_TEST" in os.environ
settings.load_profile("mutants" if mutated else "ci" if os.environ.get("CI") else "desk")

READING = frozenset(("open", "os.listdir", "os.scandir", "os.symlink"))


def _keep_out(event: str, args: tuple[Any, ...], reading: frozenset[str] = READING) -> None:
    """Fail a test that reads the project around it: it would fail as soon as a user adds to the project.

    Only whole paths: tests work elsewhere, and shutil.rmtree opens names relative to a folder not named here.
    """
    if event in reading and isinstance(args[0], str | Path) and is_own(str(args[0])):
        pytest.fail(f"a test reads {args[0]}, which is the user's; copy what ships with shipped.ship()")


sys.addaudithook(_keep_out)


# Nothing of a test needs the memory of a cycle at once: the collector looks a twentieth as often.
gc.set_threshold(40_000, 20, 50)


def pytest_sessionstart() -> None:
    """A mutant's process is a fork of one that has run the tests: what that one remembers would answer."""
    if mutated:
        for one in gc.get_objects():
            if type(one) is type(lru_cache(len)) and one.__module__.startswith("harness."):
                one.cache_clear()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Function]) -> None:
    """Before what is slow is left out. A mutant has to get past every provider."""
    if not mutated:
        thin(items)


def pytest_collection_finish() -> None:
    """The tests and their modules stay until the end: the garbage collector need not look at them again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def _elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Work outside the project: a command that is given no folder must not find the user's."""
    before = Path.cwd()
    os.chdir(tmp_path_factory.mktemp("elsewhere"))
    yield
    os.chdir(before)


@pytest.fixture(autouse=True, scope="session")
def _without_the_disk() -> Iterator[None]:
    """Do not wait until the disk holds what was written: no test cuts the power."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", os.fstat)  # fails on a file that is closed, as before
        yield


@pytest.fixture(scope="session")
def shipped_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project that ships, to read: a test that writes makes a copy of its own with `ship`."""
    return ship(tmp_path_factory.mktemp("shipped") / "project")


@pytest.fixture(scope="session")
def _browser_and_loop() -> Iterator[tuple["Browser", asyncio.AbstractEventLoop]]:
    """One browser for all tests of this process, and Playwright's event loop, which goes on with it."""
    from browser import started

    with started() as program:
        loop = asyncio.get_running_loop()
        asyncio._set_running_loop(None)
        yield program, loop
        asyncio._set_running_loop(loop)


@pytest.fixture
def browser(_browser_and_loop: tuple["Browser", asyncio.AbstractEventLoop]) -> Iterator["Browser"]:
    """The browser. Between tests its event loop is put aside, or else `harness eval` could run none."""
    program, loop = _browser_and_loop
    asyncio._set_running_loop(loop)
    yield program
    asyncio._set_running_loop(None)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = ("HARNESS_", "OTEL_", "OPENAI_", "ANTHROPIC_", "VLLM_", "LLAMA_", "OLLAMA_")
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
