"""The only way to write through a page: a POST of JSON that this server's own page sent."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from harness.errors import BadInput, Unfinished
from harness.storage.strict_json import parse_json
from harness.web.pages import trouble

LONGEST = 256 * 1024
"""The most bytes of a body. The answers of a whole day that waited for the network take a quarter of it."""
PORTS = {"http": 80, "https": 443}
TITLES = {
    400: "The request cannot be read",
    403: "Sent by another page",
    413: "The request is too long",
    415: "The request is not JSON",
    503: "Not stored",
}
Answer = Callable[[Request, Any], Response]
"""What a form does: it gets the request with its JSON, and runs in a thread, since it writes files."""


def form(path: str, answer: Answer, public: str | None = None) -> Route:
    """A route that answers POST alone, and only what passes the checks of this file.

    `public`: the address that browsers use where a proxy stands in front. Without one it is the Host header,
    which `HostGuard` has checked. `X-Forwarded-Host` and its kin are not read: anybody can send them.
    """
    return Route(path, partial(_answer, answer, public), methods=["POST"])


async def _answer(answer: Answer, public: str | None, request: Request) -> Response:
    try:
        check_sender(request, public)
        data = await read_json(request)
        return await run_in_threadpool(answer, request, data)
    except HTTPException as error:
        return refusal(request, error.status_code, (str(error.detail),))
    except BadInput as error:
        return refusal(request, 400, tuple(map(str, error.faults)))
    except Unfinished as error:
        # Nothing was stored, and the same request may succeed later.
        return refusal(request, 503, (str(error),))


def refusal(request: Request, status: int, lines: tuple[str, ...]) -> Response:
    """Why a form was refused: JSON for our scripts, a page for a person whose browser sent a form."""
    if "text/html" in request.headers.get("accept", ""):
        return trouble(status, TITLES.get(status, "The request failed"), lines)
    return JSONResponse({"error": "; ".join(lines), "faults": lines}, status_code=status)


def check_sender(request: Request, public: str | None = None) -> None:
    """HTTPException unless a page of this server sent the request.

    Browsers put the page's own origin into every POST, and no script can change it. A request without an
    Origin is refused too.
    """
    own = origin_of(public or f"http://{request.headers.get('host', '')}")
    sent = request.headers.getlist("origin")
    if len(sent) != 1 or own is None or origin_of(sent[0]) != own:
        said = "no Origin" if not sent else f"Origin {', '.join(sent)}"
        raise HTTPException(
            403, f"this request came with {said[:200]}, and only pages of this server may send it"
        )
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise HTTPException(403, "another site sent this request, and only pages of this server may send it")


def origin_of(address: str) -> tuple[str, str, int] | None:
    """Scheme, host and port of an address, as browsers compare them; None where it has none (`null`)."""
    try:
        parts = urlsplit(address)
        port = parts.port or PORTS.get(parts.scheme)
    except ValueError:
        return None
    if parts.scheme not in PORTS or not parts.hostname or port is None or parts.username is not None:
        return None
    return parts.scheme, parts.hostname, port


async def read_json(request: Request) -> Any:
    """The JSON of a request. HTTPException for another media type, too many bytes or what is not JSON."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/json":
        # Another site's form can send any other media type without asking this server first.
        raise HTTPException(415, f"the body is {media or 'of no media type'}, not application/json")
    body = await _body(request)
    try:
        data = parse_json(body.decode("utf-8"))
    except (ValueError, RecursionError):
        raise HTTPException(400, "the body is not JSON") from None
    try:
        json.dumps(data, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        # JSON may name half of a pair of surrogates; no file and no answer can hold it.
        raise HTTPException(400, "a text holds half a character (an unpaired surrogate)") from None
    return data


async def _body(request: Request) -> bytes:
    body = bytearray()
    try:
        async for part in request.stream():
            body += part
            if len(body) > LONGEST:
                raise HTTPException(413, f"the body is longer than {LONGEST // 1024} kB")
    except ClientDisconnect:
        # The client is gone and reads no answer. Without this error the server would log a fault each time.
        raise HTTPException(400, "the connection ended before the body") from None
    return bytes(body)
