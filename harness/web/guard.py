"""Checks before every page: the Host header, and the security headers of the answer."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""For our own pages: style and script come from this server only."""
LOCAL = frozenset({"localhost"})
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def is_ours(host: str | None, names: frozenset[str]) -> bool:
    """Whether a Host header names this server.

    Another site can point its own name to our address (DNS rebinding) and would then read our pages. It
    cannot do so with an IP address. So accept any IP address, but only known names.
    """
    try:
        name = urlsplit(f"//{host}").hostname if host else None
    except ValueError:
        return False
    if not name:
        return False
    if name in names:
        return True
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def is_here(request: Request) -> bool:
    """Whether a browser on this machine sent the request, by a name of this machine; false behind a proxy."""
    names = [urlsplit(f"//{request.headers.get('host', '')}").hostname or ""]
    names += [request.client.host] if request.client else [""]
    passed_on = any(name in request.headers for name in ("forwarded", "x-forwarded-for"))
    return not passed_on and all(map(is_local, names))


def is_local(host: str) -> bool:
    """Whether a host is a loopback name of this machine."""
    try:
        return host.lower() in LOCAL or ip_address(host).is_loopback
    except ValueError:
        return False


class HostGuard:
    """Refuses a foreign Host, and adds the headers to every response."""

    def __init__(self, app: ASGIApp, refused: ASGIApp, names: frozenset[str]) -> None:
        self._app, self._refused, self._names = app, refused, names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("Content-Security-Policy", PAGE_POLICY)
            await send(message)

        ours = is_ours(Headers(scope=scope).get("host"), self._names)
        await (self._app if ours else self._refused)(scope, receive, send_guarded)
