"""The wire under every model API: one client, one POST, and results and errors in this project's types."""

import email.utils
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic_core import to_json

from harness.errors import CallError, FatalError, RejectedError, TransientError
from harness.providers.error_body import ErrorTold, parsed, told_by
from harness.storage.strict_json import whole_text
from harness.storage.visible import one_line

if TYPE_CHECKING:
    import aiohttp

KIND, LENGTH = "Content-Type", "Content-Length"
MOST_IN_ANSWER, MOST_IN_FILE = 64 << 20, 1 << 30
"""The most bytes of an answer, and of a batch's results, once they are unpacked."""
SHOWN = 600
"""How many letters of a server's error are kept: some repeat the whole prompt."""
SPENT = (
    "insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "billing_error",
    "contract_spend_limit_reached", "enforced_spend_limit_reached", "organization_on_hold",
    "linked_organization_spend_limit_reached", "linked_organization_billing_unavailable",
    "credit balance is too low",
)  # fmt: skip
"""Names of a spent budget, under any status: waiting does not help."""
FILTERED = (
    "content_filter", "content_policy_violation", "bio_policy", "misalignment_policy_violation",
)  # fmt: skip
"""Codes of a rejection that is the content filter's verdict on this prompt."""
GONE = {"model_not_found", "not_found_error", "notfounderror"}
"""How a server names a model that it lacks, in lower case: another request would not help."""
NO_REASON = "it gives no reason"
HIDDEN = "***"
SECRET, SURE = 8, 20
"""The fewest letters of a key, and from how many on even a word is one: a local server accepts any word."""
_USER_INFO = re.compile(r"://[^/\s@]+@")
_NO_MODEL = re.compile(r"\bmodel\b.*\b(not found|not exist|unknown)\b", re.IGNORECASE | re.DOTALL)
Read = TypeVar("Read")


class FilteredError(RejectedError):
    """The server's content filter refuses this prompt. That is a final answer."""


class MissingError(FatalError):
    """The server lacks what was requested: a model, an API, a batch or a file.

    `named`: the server says that it is the model. Else it may be a model with the requested features.
    """

    named = False


class UnsureError(TransientError):
    """The server failed (500), or has not implemented it (501): some servers reject features in this way."""


class Wire:
    """One client for one server. Every call has a `read`, which parses the answer's text.

    The SDK's client says where the server is and which headers its requests have, its key among them. What
    its own `post` does besides, its types and its retries, takes twice as long as a request itself, and it
    would take half an answer for a whole one; its way to aiohttp takes half as long again. So requests go
    through aiohttp directly.
    """

    def __init__(
        self, client: Any, opened: Callable[[Mapping[str, str]], "aiohttp.ClientSession"], key: str | None
    ) -> None:
        import aiohttp

        # A response that is not HTTP raises an error of aiohttp, or of the system.
        self._caught = (aiohttp.ClientError, OSError)
        self._client = client
        self._opened = opened
        self._base = str(client.base_url).rstrip("/")
        # A key as short as a word is not a secret, and hiding it would change answers that hold the word.
        self._key = _pattern_of(key) if key else None
        self._session: aiohttp.ClientSession | None = None

    def _open(self) -> "aiohttp.ClientSession":
        """Opened with the first request, since the SDK's headers depend on the event loop."""
        headers = {**self._client.default_headers, **self._client.auth_headers}
        # The SDK marks a header that is not sent by a value that is not text.
        told = {name: value for name, value in headers.items() if isinstance(value, str)}
        # Each request has its own content type.
        self._session = self._opened({name: value for name, value in told.items() if name != KIND})
        return self._session

    async def post(self, path: str, body: dict[str, Any] | bytes, read: Callable[[str], Read]) -> Read:
        """A POST of JSON, or of a text that is JSON already."""
        content = body if isinstance(body, bytes) else to_json(body)
        return await self._answer("POST", path, read, data=content, headers={KIND: "application/json"})

    async def get(self, path: str, read: Callable[[str], Read]) -> Read:
        """GET a path."""
        return await self._answer("GET", path, read)

    async def upload(
        self, path: str, data: Mapping[str, Any], files: Mapping[str, Any], read: Callable[[str], Read]
    ) -> Read:
        """A POST of a form with files."""
        import httpx2

        form = httpx2.Request("POST", self._base, data=data, files=files)
        headers = {name: form.headers[name] for name in (KIND, LENGTH)}
        return await self._answer("POST", path, read, data=form.stream, headers=headers)

    async def close(self) -> None:
        """Close the connections."""
        if self._session:
            await self._session.close()
        await self._client.close()

    async def _answer(self, method: str, path: str, read: Callable[[str], Read], **content: Any) -> Read:
        try:
            session = self._session or self._open()
            # A redirect would take the prompt, and on the same host the key, where nobody said they may go.
            sent = session.request(method, self._base + path, allow_redirects=False, **content)
            async with sent as response:
                text = await _text_of(response, MOST_IN_FILE if method == "GET" else MOST_IN_ANSWER)
        except self._caught as error:
            # `from None`: a chained error would print the request, and the key in its headers.
            raise self._no_connection(error) from None
        if not 200 <= response.status < 300:
            raise self._refusal(response, text)
        try:
            # Otherwise a server that echoes its request would put the key into the records.
            return read(self._hidden(text))
        except TransientError as error:
            # A server can ask to wait in the headers of a 200 that holds an error.
            if error.retry_after is None:
                error.retry_after = retry_after(response.headers)
            raise
        except CallError:
            raise
        except Exception as error:
            # No server is known to send this form: the answer is lost, but the run goes on.
            raise TransientError(f"the server's answer cannot be read: {self._words(error)}") from error

    def _no_connection(self, error: Exception) -> TransientError:
        # Leave out of the message how aiohttp encrypts.
        what = self._words(error).replace(" ssl:default", "")
        return TransientError(f"no connection to {self._client.base_url}: {what}", unsent=_is_unsent(error))

    def _refusal(self, response: "aiohttp.ClientResponse", text: str) -> CallError:
        status = response.status
        if 300 <= status < 400:
            to = self._clean(response.headers.get("location", "nowhere"))
            what = f"the server sends every request on to {to} ({status})"
            return FatalError(f"{what}, which is not followed: if it is right, name it with --base-url")
        told = told_by(parsed(self._hidden(text)))
        wait = retry_after(response.headers)
        words = self._clean(told.words or f"Error code: {status}")
        wait = told.wait if wait is None else wait
        return told_error(replace(told, status=status, words=words, wait=wait))

    def _words(self, error: BaseException) -> str:
        return self._clean(str(error) or type(error).__name__)

    def _clean(self, text: str) -> str:
        """A server's words without the key."""
        return shown(self._hidden(text))

    def _hidden(self, text: str) -> str:
        return self._key.sub(HIDDEN, text) if self._key else text


def _pattern_of(key: str) -> re.Pattern[str] | None:
    """A pattern for a key with any JSON escapes of its letters; None for a word rather than a key."""
    if len(key) < SECRET or not (len(key) >= SURE or key.startswith("sk-") or re.search("[0-9]", key)):
        return None
    return re.compile("".join(rf"(?:\\*{re.escape(one)}|\\+u(?i:{ord(one):04x}))" for one in key))


async def _text_of(response: "aiohttp.ClientResponse", most: int) -> str:
    """A body up to a limit, since a few bytes can unpack to a huge body.

    JSON is UTF-8, whatever charset the header names: some names are not encodings.
    """
    parts, size = [], 0
    async for one in response.content.iter_any():
        parts.append(one)
        size += len(one)
        if size > most:
            raise TransientError(f"the server's answer is longer than {most >> 20} MB")
    return b"".join(parts).decode("utf-8", "replace")


def _is_unsent(error: Exception) -> bool:
    """Whether there was no connection, so that the server never saw the request."""
    import aiohttp

    return isinstance(error, aiohttp.ClientConnectorError)


def told_error(told: ErrorTold) -> CallError:
    """What an error of the API means for the run."""
    error = _meant_by(told)
    error.counts = told.counts
    error.may_be_billed |= bool(told.counts)
    return error


def _meant_by(told: ErrorTold) -> CallError:
    status, names, words, wait = told.status, told.names, shown(told.words) or NO_REASON, told.wait
    if names & set(SPENT) or status == 402 or SPENT[-1] in words:
        return FatalError(f"the quota is spent ({status}): {words}")
    if names & set(FILTERED):
        return FilteredError(f"the server's filter stopped the prompt ({status}): {words}")
    if status in (401, 403):
        return FatalError(f"the server refuses every request ({status}): {words}")
    if status == 404:
        missing = MissingError(f"the server refuses every request (404): {words}")
        missing.named = bool(GONE & {name.casefold() for name in names} or _NO_MODEL.search(words))
        return missing
    if status == 429:
        return TransientError(f"rate limit: {words}", wait, busy=True)
    if status in (408, 409) or status >= 500:
        kind = UnsureError if status in (500, 501) else TransientError
        return kind(f"the server failed ({status}): {words}", wait)
    return RejectedError(f"the server rejected the request ({status}): {words}")


def clip(text: str) -> str:
    """A server's words, shortened to one line: they are printed and logged."""
    text = one_line(whole_text(text))
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def shown(text: str) -> str:
    """A server's words for display: clipped, and without the user info of URLs."""
    return clip(_USER_INFO.sub(f"://{HIDDEN}@", text))


def retry_after(headers: Any) -> float | None:
    """Seconds that the server asks us to wait; None where it says nothing that can be read."""
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            return max(0.0, float(headers.get(name, "")) * scale)
        except ValueError:
            continue
    try:
        date = email.utils.parsedate_tz(headers.get("retry-after", ""))
        return None if date is None else max(0.0, email.utils.mktime_tz(date) - time.time())
    except (ValueError, OverflowError):
        return None
