"""What `make docs` adds to docs/: the pages of the root that they speak of, and the decisions in the menu."""

from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent
BESIDE = ("CONTRIBUTING.md", "CHANGELOG.md")


def on_config(config: Any) -> Any:
    """List every decision in the menu."""
    decisions = sorted((ROOT / "docs/decisions").glob("*.md"))
    config.nav.append({"Decisions": [f"decisions/{path.name}" for path in decisions]})
    return config


def on_files(files: Any, config: Any) -> Any:
    """Take in the pages that lie beside docs/, with their links as seen from within."""
    from mkdocs.structure.files import File

    for name in BESIDE:
        text = (ROOT / name).read_text(encoding="utf-8").replace("](docs/", "](")
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, **about: Any) -> str:
    """Lead links to those pages to where the site has them."""
    for name in BESIDE:
        markdown = markdown.replace(f"](../{name}", f"]({name}")
    return markdown
