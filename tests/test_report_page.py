"""The page's frame: nothing runs that is not ours, everything is escaped, both colour schemes can be read."""

import re
from pathlib import Path

import pytest
from browser import opened, runs_over, serious
from playwright.sync_api import Browser

from harness.report.page.environment import asset, content_policy, environment
from harness.report.page.words import sentence

FRAME = """{% extends "base.html.j2" %}
{% import "parts.html.j2" as parts %}
{% block title %}{{ title }}{% endblock %}
{% block header %}<h1>{{ title }}</h1>{% endblock %}
{% block main %}
<h2>Figures</h2>
<div class="cards">{{ parts.card("kappa", 0.5 | figure, "an interval") }}</div>
<p>{{ parts.verdict("pass") }} {{ parts.verdict("fail") }} {{ parts.verdict("inconclusive") }}</p>
{{ parts.interval(0.5, (0.4, 0.6), bar=0.8, label="kappa 0.5") }}
<div class="scroll" tabindex="0"><table class="heat"><caption>Shades</caption><tr>
{% for shade in range(10) %}<td class="h{{ shade }}"><span>{{ shade }}</span></td>{% endfor %}
</tr></table></div>
{% endblock %}
"""
STRANGER = FRAME.replace("<h2>", "<script>document.title = 'ran'</script><h2>")


def frame(folder: Path, template: str = FRAME) -> Path:
    """A page made of the frame's parts."""
    style = asset("style.css")
    values = {"title": "<b>a & b</b>", "style": style, "scripts": (), "csp": content_policy([style], ())}
    path = folder / "frame.html"
    path.write_text(environment().from_string(template).render(values), encoding="utf-8")
    return path


def test_a_value_is_text_and_never_markup(tmp_path: Path) -> None:
    assert "<h1>&lt;b&gt;a &amp; b&lt;/b&gt;</h1>" in frame(tmp_path).read_text(encoding="utf-8")


def test_a_page_refers_to_nothing_outside_itself(tmp_path: Path) -> None:
    assert not re.search(
        r"(?:src|href)=[\"'](?!#)|@import|url\(", frame(tmp_path).read_text(encoding="utf-8")
    )


def test_a_script_that_is_not_ours_does_not_run(tmp_path: Path, browser: Browser) -> None:
    with (
        pytest.raises(AssertionError, match="Content Security Policy"),
        opened(frame(tmp_path, STRANGER), browser=browser) as page,
    ):
        assert page.title() == "<b>a & b</b>"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_frame_can_be_read_by_everybody(tmp_path: Path, browser: Browser, dark: bool) -> None:
    with opened(frame(tmp_path), width=360, dark=dark, browser=browser) as page:
        assert serious(page) == []
        assert runs_over(page) <= 0


@pytest.mark.parametrize(
    ("remark", "shown"),
    [
        ("the band depends on it", "The band depends on it."),
        ("agent_1 is one of the raters", "agent_1 is one of the raters."),
        ("2 models answered.", "2 models answered."),
        ("product-search@v2 is stale", "product-search@v2 is stale."),
    ],
)
def test_a_remark_is_a_sentence_and_a_name_stays_as_it_is(remark: str, shown: str) -> None:
    assert sentence(remark) == shown
