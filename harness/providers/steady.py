"""The requests of a run, built for one server: what all of them have in common is worked out once."""

from collections.abc import Mapping
from typing import Any

import httpx2

KIND, LENGTH = "Content-Type", "Content-Length"


class SteadyRequests:
    """Builds the requests that httpx2 would, with the headers that an SDK sends.

    httpx2 takes an address and headers apart and merges them anew for each request.
    """

    def __init__(self, http: httpx2.AsyncClient, headers: Mapping[str, str]) -> None:
        self._http = http
        self._headers = httpx2.Headers(headers)
        self._alike: dict[str, httpx2.Request] = {}
        """By address: a request that has all that is the same in every one."""

    def get(self, url: str) -> httpx2.Request:
        """A request for what is at an address."""
        return self._http.build_request("GET", url, headers=self._without_kind())

    def upload(self, url: str, data: Mapping[str, Any], files: Mapping[str, Any]) -> httpx2.Request:
        """A form with files. httpx2 says what kind of content that is."""
        return self._http.build_request("POST", url, headers=self._without_kind(), data=data, files=files)

    def post(self, url: str, content: bytes) -> httpx2.Request:
        """A POST of JSON."""
        like = self._alike.get(url)
        if like is None:
            like = self._alike[url] = self._without_content(url)
        request = httpx2.Request(
            "POST",
            like.url,
            headers=like.headers,
            # Cookies come and go between two requests.
            cookies=self._http.cookies,
            extensions=like.extensions,
            stream=httpx2.ByteStream(content),
        )
        # Otherwise each request tries out anew which encoding its headers have.
        request.headers.encoding = like.headers.encoding
        request.headers[LENGTH] = str(len(content))
        # The content is at hand then, and is not sent in chunks.
        request.read()
        return request

    def _without_content(self, url: str) -> httpx2.Request:
        request = self._http.build_request("POST", url, headers=self._headers)
        for name in (LENGTH, "Cookie"):
            request.headers.pop(name, None)
        return request

    def _without_kind(self) -> httpx2.Headers:
        headers = self._headers.copy()
        headers.pop(KIND, None)
        return headers
