"""Render templates: the report's frame with the viewer's navigation, style and script."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from jinja2 import ChoiceLoader, Environment, PackageLoader
from starlette.responses import HTMLResponse, Response

from harness.report.page.environment import asset, environment
from harness.web.words import FILTERS


class NavLink(NamedTuple):
    """A navigation link on every page."""

    href: str
    title: str


WAYS = (
    NavLink("/", "Runs"),
    NavLink("/trend", "Kappa over time"),
    NavLink("/labels", "Label sets"),
    NavLink("/versions", "Policies and prompts"),
    NavLink("/rating", "Rating"),
)


@cache
def templates() -> Environment:
    """The report's environment; the viewer's templates take precedence over the report's."""
    own = PackageLoader("harness.web")
    made = environment().overlay(loader=ChoiceLoader([own, PackageLoader("harness.report.page")]))
    made.filters = {**made.filters, **FILTERS}
    return made


def page(template: str, values: Mapping[str, Any], here: str = "", status: int = 200) -> HTMLResponse:
    """A page of the viewer. `here`: the navigation link it belongs to; `values` may hold other `ways`."""
    text = templates().get_template(template).render({"ways": WAYS, **values, "here": here})
    # A broken source can hold half a surrogate pair, which UTF-8 cannot encode.
    return HTMLResponse(text.encode("utf-8", "replace"), status_code=status)


def trouble(status: int, title: str, lines: tuple[str, ...]) -> HTMLResponse:
    """An error page."""
    return page("trouble.html.j2", {"title": title, "lines": lines}, status=status)


RATING = ("rate.css", *(f"rate{part}.js" for part in ("", "-page", "-queue", "-session", "-view", "-work")))
ADJUDICATION = ("adjudicate.css", "adjudicate.js")
STATIC = {
    name: "text/css" if name.endswith("css") else "text/javascript"
    for name in ("style.css", "tables.js", "viewer.css", "viewer.js", "rounds.js", *RATING, *ADJUDICATION)
}
"""Our styles and scripts with their media types: the report's style and tables, and the viewer's own."""


@cache
def _text_of(name: str) -> str:
    if name in ("style.css", "tables.js"):
        return str(asset(name))
    return files("harness.web").joinpath("static", name).read_text(encoding="utf-8")


def static(name: str) -> Response | None:
    """One of STATIC; None for any other name, which never becomes a path."""
    return Response(_text_of(name), media_type=STATIC[name]) if name in STATIC else None
