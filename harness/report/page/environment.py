"""Templates to HTML pages: all escaped, style and scripts inside the page, and a strict policy for both."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from harness.report.page.words import FILTERS
from harness.storage.files import write_atomic

# Do not escape non-ASCII characters: escapes would triple the length of some scripts.
AS_JSON: dict[str, Any] = {"ensure_ascii": False, "separators": (",", ":")}


@cache
def environment() -> Environment:
    """The Jinja environment of the pages: every value is escaped, an unknown name is an error."""
    made = Environment(
        loader=PackageLoader("harness.report.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(FILTERS)
    made.policies["json.dumps_kwargs"] = AS_JSON
    return made


def in_page(value: Any) -> Markup:
    """A value as JSON for a script element: `</script>` in it is escaped."""
    return htmlsafe_json_dumps(value, **AS_JSON)


@cache
def asset(name: str) -> Markup:
    """One of our styles or scripts, to include in the page."""
    return Markup(files("harness.report.page").joinpath(name).read_text(encoding="utf-8"))


def content_policy(styles: Sequence[str], scripts: Sequence[str]) -> str:
    """A content security policy that allows these styles and scripts only."""
    return (
        f"default-src 'none'; style-src {_hashes(styles)}; script-src {_hashes(scripts)}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _hashes(texts: Sequence[str]) -> str:
    hashed = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts)
    return " ".join(f"'sha256-{one}'" for one in hashed) or "'none'"


def render_page(
    template: str,
    values: Mapping[str, Any],
    scripts: Sequence[str] = (),
    within: Environment | None = None,
) -> str:
    """A whole page. `scripts` are files of this package, run in this order at the page's end.

    `within`: another environment to look up the template in.
    """
    style, texts = asset("style.css"), [asset(name) for name in scripts]
    policy = content_policy([style], texts)
    page = (within or environment()).get_template(template)
    return page.render({**values, "style": style, "scripts": texts, "csp": policy})


def save_page(path: Path, page: str) -> int:
    """Write a page atomically; returns its size in bytes."""
    # A text from a broken source can hold half a surrogate pair, which UTF-8 cannot encode.
    content = page.encode("utf-8", "replace")
    write_atomic(path, content)
    return len(content)
