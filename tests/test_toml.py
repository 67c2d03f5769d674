"""TOML files from strangers: what tomllib takes too long for, or ends on, is a fault of the file."""

import time
from pathlib import Path

import pytest

from harness.errors import BadInput
from harness.storage.files import read_toml

DOTS = ".".join("a" * 20_000)
FAULTS = {
    "a number too long": "x = " + "9" * 5_000,
    "a dotted key": f"{DOTS} = 1",
    "spaces between": DOTS.replace(".", " . ") + " = 1",
    "quoted parts": ".".join(["a", '"b\\"c"', "'d'"] * 7_000) + " = 1",
    "a header": f"[{DOTS}]",
    "within a table": f"x = {{ y.{DOTS} = 1 }}",
    "behind strings": f'x = """a"""\ny = \'\'\'b\'\'\'\nz = "c" # it\'s\n{DOTS} = 1',
    "too large": "#" * (4 << 20) + "x",
}


@pytest.mark.parametrize("text", FAULTS.values(), ids=FAULTS)
def test_what_tomllib_cannot_take_is_refused_at_once(tmp_path: Path, text: str) -> None:
    path = tmp_path / "t.toml"
    path.write_text(text, "utf-8")
    began = time.thread_time()
    with pytest.raises(BadInput, match=r"t\.toml: (not TOML: |larger than 4 MB)"):
        read_toml(path)
    assert time.thread_time() - began < 2


@pytest.mark.parametrize(
    "value",
    [
        f'"{DOTS}"',
        f"'{DOTS}'",
        f"'''\n{DOTS}'''",
        f'"""\n\\"{DOTS}"""',
        f"1 # {DOTS}",
        "[" + "0.1, " * 999 + "]",
    ],
)
def test_dots_in_texts_comments_and_numbers_are_read(tmp_path: Path, value: str) -> None:
    path = tmp_path / "t.toml"
    path.write_text(f"x = {value}\ny.z = 1\n", "utf-8")
    assert read_toml(path)["y"] == {"z": 1}
