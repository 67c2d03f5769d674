"""The site of the docs: built without a warning, opened and searched in a browser, nothing from elsewhere."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from browser import opened
from playwright.sync_api import Browser
from shipped import ROOT

pytestmark = pytest.mark.slow


class Silent(SimpleHTTPRequestHandler):
    """Serves files and says nothing of it."""

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


def build(site: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """Build the site into a folder."""
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--site-dir", site, *words],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """The site, and the address where a server on loopback shows it."""
    pytest.importorskip("mkdocs", reason="make docs installs what builds the site")
    folder = tmp_path_factory.mktemp("site")
    built = build(folder)
    assert built.returncode == 0, built.stderr
    assert "WARNING" not in built.stderr
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_port}/index.html"
    server.shutdown()
    server.server_close()


def test_every_page_and_decision_is_in_the_site(site: tuple[Path, str]) -> None:
    folder, _ = site
    pages = [page.relative_to(ROOT / "docs") for page in (ROOT / "docs").rglob("*.md")]
    missing = [page for page in pages if not (folder / page.with_suffix(".html")).exists()]
    assert missing == []
    menu = (folder / "index.html").read_text(encoding="utf-8")
    assert [page for page in pages if page.parts[0] == "decisions" and page.stem not in menu] == []


def test_search_finds_a_page_and_nothing_comes_from_elsewhere(
    site: tuple[Path, str], browser: Browser
) -> None:
    _, address = site
    with opened(address, browser=browser) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.reload()
        page.locator("[data-md-component=search-query]").click()
        page.keyboard.type("never-grow")
        page.locator(".md-search-result__link").first.wait_for()
        page.keyboard.press("Enter")
        page.wait_for_url("**/*.html?h=*")
        assert asked
        assert [url for url in asked if not url.startswith("http://127.0.0.1:")] == []


def test_a_link_that_leads_nowhere_stops_the_build(site: tuple[Path, str], tmp_path: Path) -> None:
    for target in ("nowhere.md", "gates.md#nowhere"):
        docs = tmp_path / target.partition(".")[0]
        docs.mkdir()
        (docs / "index.md").write_text(f"[there]({target})\n", encoding="utf-8")
        (docs / "gates.md").write_text("# Gates\n", encoding="utf-8")
        text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:")[0]
        config = text.replace("docs_dir: docs", f"docs_dir: {docs}").replace("hooks: [docs_site.py]\n", "")
        (tmp_path / "mkdocs.yml").write_text(config, encoding="utf-8")
        built = build(tmp_path / "site", "--config-file", tmp_path / "mkdocs.yml")
        assert built.returncode == 1
        assert "nowhere" in built.stderr
