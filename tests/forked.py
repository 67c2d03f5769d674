"""What has to happen in a process of its own, without the second that a new interpreter takes to import us.

For what dies, or has limits of its own. What is asked of the imports of a command needs a new interpreter.
"""

import io
import os
import select
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from subprocess import CompletedProcess

RAISED = 70
"""The exit code of an action that raised."""
AGAIN = 10.0
"""Seconds after which an interrupt is sent again."""


def forked(action: Callable[[], object]) -> int:
    """Run an action in a copy of this process: its exit code, or minus the signal that ended it."""
    return ended(started(action))


def started(action: Callable[[], object]) -> int:
    """Begin an action in a copy of this process; the copy's id."""
    with warnings.catch_warnings():
        # Python warns of other threads: those of test servers, which the copy does not need.
        warnings.simplefilter("ignore", DeprecationWarning)
        copy = os.fork()
    if copy == 0:
        code = RAISED
        try:
            action()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else RAISED
        except BaseException:  # noqa: BLE001 - the copy must not go on with the tests
            traceback.print_exc()
        finally:
            os._exit(code)
    return copy


def ended(copy: int) -> int:
    """Wait for a copy: its exit code, or minus the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(copy, 0)[1])


def alive(copy: int) -> bool:
    """Whether a copy still runs."""
    return os.waitid(os.P_PID, copy, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None


def at_once(actions: Iterable[Callable[[], object]]) -> list[int]:
    """Run actions in copies of this process that begin at the same moment: their exit codes."""
    read, write = os.pipe()

    def begun(action: Callable[[], object]) -> None:
        os.close(write)
        os.read(read, 1)  # until this process closes its end too
        action()

    copies = [started(partial(begun, action)) for action in actions]
    os.close(write)
    os.close(read)
    return [ended(copy) for copy in copies]


def interrupted(*words: str, **env: str) -> tuple[str, int]:
    """Run `harness` until it prints a line, and interrupt it, as Ctrl-C does: the line, and the exit code.

    Python can lose an interrupt that comes while it imports: then another one follows.
    """
    from harness.cli.app import app

    read, write = os.pipe()

    def command() -> None:
        os.dup2(write, 1)
        sys.stdout = io.TextIOWrapper(io.FileIO(1, "w"))
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.environ.update(env)
        app([*words])

    copy = started(command)
    os.close(write)
    with os.fdopen(read, encoding="utf-8") as said:
        line = said.readline()
        os.kill(copy, signal.SIGINT)
        while not select.select([said], [], [], AGAIN)[0]:
            os.kill(copy, signal.SIGINT)
        said.read()
    return line, ended(copy)


def forked_command(
    *words: str, before: Callable[[], object] = lambda: None, **env: str
) -> "CompletedProcess[str]":
    """Run `harness` with these words in a copy of this process; `before` is done in it first."""
    from harness.cli.app import app

    (read_out, out), (read_err, err) = os.pipe(), os.pipe()

    def command() -> None:
        os.dup2(out, 1)
        os.dup2(err, 2)
        sys.stdout, sys.stderr = (io.TextIOWrapper(io.FileIO(at, "w")) for at in (1, 2))
        os.environ.update(env)
        before()
        try:
            app([*words])
        finally:
            sys.stdout.flush()
            sys.stderr.flush()

    with ThreadPoolExecutor() as readers:
        said = [readers.submit(_whole, at) for at in (read_out, read_err)]
        code = forked(command)
        for end in (out, err):
            os.close(end)
    return CompletedProcess(["harness", *words], code, *(one.result() for one in said))


def _whole(end: int) -> str:
    with os.fdopen(end, encoding="utf-8") as file:
        return file.read()
