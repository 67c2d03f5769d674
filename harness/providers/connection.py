"""The connection to a model API: its address, its key, its certificates, and its proxy."""

import ipaddress
import os
import socket
import ssl
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from harness.errors import BadInput, FatalError
from harness.providers.wire import Wire

if TYPE_CHECKING:
    import aiohttp

TIMEOUT = 120.0
"""Seconds that one attempt may wait for the server."""
IDLE = 5.0
"""Seconds after which a connection that nobody uses is closed: many servers close theirs then."""


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
    """Check a base URL: the manifest keeps it, so it must not hold a secret."""
    if url is None:
        return
    try:
        parts = urlsplit(url)
        # Encode the name as the transport will, which would raise an error of its own.
        sound = parts.scheme in ("http", "https") and bool((parts.hostname or "").encode("idna"))
        sound = sound and parts.port != 0 and url.isprintable() and " " not in url
    except ValueError:
        sound = False
    if not sound:
        raise BadInput("invalid base URL; expected http://host:port/v1")
    if "@" in parts.netloc or "?" in url or "#" in url:
        what = "a user, a query or a fragment"
        raise BadInput(f"the base URL holds {what}; remove it, and put a key into {variable}")


def connect(sdk: Any, client: Any, base_url: str | None, key: str | None) -> Wire:
    """A wire to a server, or to the SDK's default, with the headers of the SDK's client."""
    import httpx2

    trust = httpx2.create_ssl_context(trusted(base_url), trust_env=not is_loopback(base_url))
    http = sdk.DefaultAioHttpClient(trust_env=False, verify=trust)
    # A local server asks for no key, but the client insists on one, or looks for other credentials.
    opened = client(api_key=key or "none", base_url=base_url, http_client=http)
    return Wire(opened, partial(_session, http.headers, trust, proxy_to(str(opened.base_url))), key)


def _session(
    own: Mapping[str, str], trust: ssl.SSLContext, proxy: str | None, headers: Mapping[str, str]
) -> "aiohttp.ClientSession":
    """The connections to one server. `own`: what the SDK's client sends where `headers` say nothing else.

    It does not read the environment: aiohttp would take keys from ~/.netrc, where nobody said that it may.
    """
    import aiohttp
    from multidict import CIMultiDict

    sent = CIMultiDict(own)
    sent.update(headers)
    # aiohttp unpacks what comes, and says itself what it can.
    sent.popall("Accept-Encoding", None)
    return aiohttp.ClientSession(
        # The pace says how many calls are in flight.
        connector=aiohttp.TCPConnector(ssl=trust, limit=0, keepalive_timeout=IDLE),
        headers=sent,
        # Also for a server without a name.
        cookie_jar=aiohttp.CookieJar(unsafe=True),
        timeout=aiohttp.ClientTimeout(sock_connect=TIMEOUT, sock_read=TIMEOUT),
        proxy=proxy,
    )


def proxy_to(url: str) -> str | None:
    """The environment's proxy on the way to an address; none on the way to this machine."""
    parts = urlsplit(url)
    if is_loopback(url) or proxy_bypass(parts.netloc):
        return None
    known = getproxies()
    proxy = known.get(parts.scheme) or known.get("all")
    return proxy if not proxy or "://" in proxy else f"http://{proxy}"


def trusted(base_url: str | None) -> ssl.SSLContext | bool:
    """The TLS settings; none for plain HTTP, since reading the certificates takes a while."""
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
