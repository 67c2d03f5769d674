"""The project that ships, as a copy: what a user adds beside it, or sets in it, must not reach a test."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILES = (
    *(f"policies/product-search/{name}.toml" for name in ("gates", "v1", "v2")),
    *(f"prompts/teacher/{version}" for version in ("v1", "v2", "v3")),
    *(f"golden/product-search/{name}.jsonl" for name in ("adjudications", "canaries", "examples")),
    *(f"golden/product-search/{name}.jsonl" for name in ("ratings", "ratings-round1")),
    "golden/product-search/raters.toml",
    "golden/product-search/recorded",
    "golden/product-search/README.md",
)
"""What ships: a later version of it is added here, and what a user adds is not."""
OWN = ("policies", "prompts", "golden", "runs", "prices.toml", ".env")
"""Where users write: tests read none of it, but for the copying of FILES."""

_copying: list[Path] = []


def ship(root: Path) -> Path:
    """Copy what ships into a folder."""
    (root / "runs").mkdir(parents=True, exist_ok=True)
    with _reading():
        for name in FILES:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, root / name)
    return root


def is_own(path: str) -> bool:
    """Whether a whole path lies in the user's part of the project, while nothing is copied."""
    if _copying or not path.startswith(f"{ROOT}/"):
        return False
    return path.removeprefix(f"{ROOT}/").partition("/")[0] in OWN


@contextmanager
def _reading() -> Iterator[None]:
    _copying.append(ROOT)
    try:
        yield
    finally:
        _copying.pop()
