"""An HTTP client for an SDK that works out once what all requests of a run have in common."""

from typing import Any

import httpx2

OTHER = ("cookies", "data", "files", "json", "params")
"""What a request may be made of besides an address, headers and bytes."""


class SteadyRequests(httpx2.AsyncClient):
    """Builds the requests that httpx2 would, byte for byte.

    An SDK hands over the same address and headers with every request, and httpx2 takes them apart and merges
    them anew each time: a seventh of what a call costs this process.
    """

    _given: list[Any] | None = None
    """What the last request was made of, but for its content, and what such requests have in common."""
    _common: tuple[httpx2.URL, httpx2.Headers, dict[str, Any]]

    def build_request(self, method: str, url: httpx2.URL | str, **parts: Any) -> httpx2.Request:
        """A request, with what the last one had where nothing but its content differs."""
        content, headers = parts.get("content"), parts.get("headers")
        if not content or not isinstance(content, bytes) or any(parts.get(name) for name in OTHER):
            return super().build_request(method, url, **parts)
        given = [method, str(url), headers.raw if isinstance(headers, httpx2.Headers) else headers]
        given += [parts.get("timeout"), parts.get("extensions")]
        if given != self._given:
            return self._note(given, super().build_request(method, url, **parts))
        url, headers, extensions = self._common
        # Cookies come and go between two requests.
        return httpx2.Request(
            method, url, content=content, headers=headers, cookies=self.cookies, extensions=extensions
        )

    def _note(self, given: list[Any], request: httpx2.Request) -> httpx2.Request:
        if not self.cookies:
            headers = request.headers.copy()
            # A request adds the length of its own content.
            headers.pop("content-length", None)
            self._given, self._common = given, (request.url, headers, dict(request.extensions))
        return request
