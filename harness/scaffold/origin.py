"""Where the harness that runs was installed from, as a line of requirements.txt."""

import json
from importlib.metadata import Distribution, PackageNotFoundError
from typing import Any
from urllib.parse import urlsplit

from harness import __version__

PACKAGE = "teacher-harness"
WHEELS = "wheels"
"""The folder of a project for a wheel that is not on an index."""


def requirement() -> str:
    """What pip takes to install this version again.

    For a version that was installed from files of this machine, it is a wheel that the user has to put into
    the project: a path of this machine is useless elsewhere, and anyone can take a bare name on an index.
    """
    source = _source()
    if source is None:
        return f"{PACKAGE}=={__version__}"
    url = _without_login(source["url"])
    if (vcs := source.get("vcs_info")) is not None:
        return f"{PACKAGE} @ {vcs['vcs']}+{url}@{vcs['commit_id']}"
    if url.startswith("https://"):
        return f"{PACKAGE} @ {url}"
    return f"./{WHEELS}/{PACKAGE.replace('-', '_')}-{__version__}-py3-none-any.whl"


def _source() -> dict[str, Any] | None:
    """The record that pip keeps of what did not come from an index (PEP 610)."""
    try:
        text = Distribution.from_name(PACKAGE).read_text("direct_url.json")
    except PackageNotFoundError:
        return {"url": "file:///"}  # run from its source
    return None if text is None else json.loads(text)


def _without_login(url: str) -> str:
    """An address without the user and the password in it."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
