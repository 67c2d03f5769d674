"""Faults of the server's own: told in full on its terminal, and to a rater's browser in one sentence.

An error of ours names files, ids, raters and grades. A rater who could read it would not rate blind.
"""

import logging
import sqlite3
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from starlette.exceptions import HTTPException
from starlette.responses import Response

from harness.errors import HarnessError
from harness.golden.rating.answers import Refused
from harness.storage.visible import visible
from harness.web.rating.limits import Limit

LATER = "The server cannot do this at the moment. If it lasts, tell the person who sent you the link."
"""What a browser gets of every fault that is not its own."""
TOLD = 1 / 60, 1
"""How often the terminal is told of one fault: a page asks again every few seconds."""
_log = logging.getLogger("harness.rating")
P = ParamSpec("P")


class Faults:
    """Keeps the server's faults on the server."""

    def __init__(self) -> None:
        self._told = Limit(*TOLD)

    def hidden(self, answer: Callable[P, Response]) -> Callable[P, Response]:
        """An answer to a request whose errors say nothing, except those of the request itself."""

        @wraps(answer)
        def guarded(*given: P.args, **named: P.kwargs) -> Response:
            try:
                return answer(*given, **named)
            except Refused:
                raise
            except (HarnessError, OSError, sqlite3.Error) as error:
                self._tell(f"{type(error).__name__}: {error}")
                raise HTTPException(503, LATER, {"Retry-After": "5"}) from None

        return guarded

    def _tell(self, what: str) -> None:
        if self._told.take(what):
            _log.error("%s", visible(what))
