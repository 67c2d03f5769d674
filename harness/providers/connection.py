"""The connection to a model API: its address, its key, whom it trusts, and how much it reads."""

import ipaddress
import os
import socket
import ssl
from typing import Any
from urllib.parse import urlsplit

from harness.errors import BadInput, FatalError, TransientError
from harness.providers.wire import Wire

MOST_IN_ANSWER, MOST_IN_FILE = 64 << 20, 1 << 30
"""Bytes that an answer can have, and a file of a batch's results, once they are unpacked."""
TIMEOUT = 120.0
"""Seconds that one attempt may wait for the server."""


def read_key(variable: str, *, needed: bool) -> str | None:
    """An API key from the environment. FatalError where it is missing or cannot be a key; never shown."""
    key = os.environ.get(variable) or None
    if key is None:
        if needed:
            raise FatalError(
                f"{variable} is not set: put it into the environment or into .env, or name a server of "
                "your own with --base-url"
            )
        return None
    if not key.isascii() or not key.isprintable() or " " in key:
        raise FatalError(f"{variable} holds characters that no key has: check how it was pasted")
    return key


def check_url(url: str | None, variable: str) -> None:
    """A base URL is kept in the manifest, so that it must hold no secret."""
    if url is None:
        return
    try:
        parts = urlsplit(url)
        # The name is tried as the transport will: what it cannot encode, it raises in its own way.
        sound = parts.scheme in ("http", "https") and bool((parts.hostname or "").encode("idna"))
        sound = sound and parts.port != 0
    except ValueError:
        sound = False
    if not sound:
        raise BadInput("invalid base URL; expected http://host:port/v1")
    if "@" in parts.netloc or "?" in url or "#" in url:
        what = "a user, a query or a fragment"
        raise BadInput(f"the base URL holds {what}; remove it, and put a key into {variable}")


def connect(sdk: Any, client: Any, base_url: str | None, key: str | None) -> Wire:
    """A wire through an SDK's client to a server, or to the SDK's own."""
    http = sdk.DefaultAioHttpClient(
        **http_options(base_url),
        verify=trusted(base_url),
        timeout=TIMEOUT,
        event_hooks={"response": [_receive]},
    )
    # A local server asks for no key, but the client insists on one, or looks for other credentials.
    opened = client(api_key=key or "none", base_url=base_url, http_client=http)
    return Wire(opened, http, key)


def http_options(base_url: str | None) -> dict[str, Any]:
    """How the SDK's client is to ask: it follows no redirect, and goes through no proxy to this machine.

    A redirect would take the prompt, and on the same host the key, where nobody said that they may go.
    """
    return {"follow_redirects": False, "trust_env": not is_loopback(base_url)}


def trusted(base_url: str | None) -> ssl.SSLContext | bool:
    """Whom TLS is to trust: nobody where none is spoken, for to read the certificates takes a while."""
    plain = base_url is not None and urlsplit(base_url).scheme == "http" and is_loopback(base_url)
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if plain else True


def is_loopback(base_url: str | None) -> bool:
    """Whether an address is on this machine."""
    host = (urlsplit(base_url).hostname or "").rstrip(".") if base_url else ""
    try:
        address = ipaddress.ip_address(host if ":" in host else socket.inet_aton(host))
    except (ValueError, OSError):
        own = socket.gethostname().casefold()
        return f".{host}".endswith(".localhost") or (bool(host) and host in (own, own.partition(".")[0]))
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_loopback or address.is_unspecified


async def _receive(response: Any) -> None:
    """Read a body, which a few bytes can unpack to without end, up to a bound.

    JSON is UTF-8, whatever charset the header names: some of those are no encodings.
    """
    response.encoding = "utf-8"
    most = MOST_IN_FILE if response.request.method == "GET" else MOST_IN_ANSWER
    parts, size = [], 0
    async for one in response.aiter_bytes():
        parts.append(one)
        size += len(one)
        if size > most:
            raise TransientError(f"the server's answer is longer than {most >> 20} MB")
    # Where the client keeps what it has read: it finds it there, and reads no more.
    response._content = b"".join(parts)
