"""Faults of the server itself: shown in full on its terminal, and as one sentence in a rater's browser.

Our errors name files, ids, raters and grades; a rater who read them would not rate blind.
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
"""What a browser is told of every fault of the server."""
TOLD = 1 / 60, 1
"""How often the terminal shows the same fault: a page asks again every few seconds."""
_log = logging.getLogger("harness.rating")
P = ParamSpec("P")


class Faults:
    """Keeps details of the server's faults out of answers."""

    def __init__(self) -> None:
        self._told = Limit(*TOLD)

    def hidden(self, answer: Callable[P, Response]) -> Callable[P, Response]:
        """Answers a request. Errors give no details, except errors in the request itself."""

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
