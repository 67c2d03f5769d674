"""Read UTF-8 text, TOML and JSON lines as nouns, or report every fault; write files atomically."""

import errno
import json
import os
import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from harness.errors import BadInput, Fault, refuse_faults
from harness.storage.cells import controls_of, may_hold_controls
from harness.storage.partial import beside_of
from harness.storage.regular import LARGEST, LONGEST_LINE, lines_of, reading
from harness.storage.regular import read_bytes as read_bytes
from harness.storage.strict_json import json_fault, parse_whole

Model = TypeVar("Model", bound=BaseModel)
PIECE = 1 << 16
TOML = 4 << 20
"""The most bytes of a TOML file."""
_STRING = re.compile(
    r'''"""(?:[^"\\]|\\.|"(?!""))*+(?:"""|\Z)|'{3}.*?(?:'{3}|\Z)|"(?:[^"\\\n]|\\.)*+"?|'[^'\n]*+'?|\#[^\n]*+''',
    re.DOTALL,
)
_DOTTED = re.compile(r"(?<![\w-])(?:[\w-]++[ \t]*+\.[ \t]*+){100}")
"""The time that tomllib takes for a dotted key grows with the square of its parts."""
OBJECT, LIST = "an object (keys with values)", "a list"
SHAPES = {
    **dict.fromkeys(("model_type", "model_attributes_type", "dict_type", "mapping_type"), OBJECT),
    **dict.fromkeys(("list_type", "tuple_type", "set_type", "frozen_set_type", "iterable_type"), LIST),
}
"""What the kinds of pydantic's errors expect, in plain words; pydantic names our classes."""
Content = str | bytes | Iterable[str | bytes]
"""The content of a file: bytes or text, or lines if it is long."""


def read_text(path: Path, most: int = LARGEST, *, links: bool = True) -> str:
    """A file's text without a leading byte order mark. BadInput if it is not UTF-8."""
    return decode(read_bytes(path, most, links=links), path)


def decode(content: bytes, path: Path) -> str:
    """UTF-8 bytes as text. BadInput names the first bad line."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BadInput([_not_utf8(path, line, content[error.start])]) from None


def _not_utf8(path: Path, line: int, byte: int) -> Fault:
    return Fault(f"{path}, line {line}", f"not UTF-8 (byte 0x{byte:02x}); save the file as UTF-8")


def read_toml(path: Path, *, links: bool = True) -> dict[str, Any]:
    """A TOML file as plain data."""
    try:
        text = read_text(path, TOML, links=links)
        if _DOTTED.search(_STRING.sub("_", text)):
            raise ValueError("a key of more than 100 parts")
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        # An error of Python too, such as for a number of 5,000 digits.
        what = json_fault(error) if "digits" in str(error) or isinstance(error, RecursionError) else error
        raise BadInput.at(path, f"not TOML: {what}") from None


def build(model: type[Model], data: Any, where: str) -> tuple[Model | None, list[Fault]]:
    """Plain data as a noun. BadInput lists every fault."""
    try:
        return model.model_validate(data), []
    except ValidationError as error:
        return None, faults_of(error, where)


def faults_of(error: ValidationError, where: str) -> list[Fault]:
    """pydantic's errors in this project's words, one fault each."""
    return [
        Fault(where, f"{_place(dict(found))}{_words(dict(found))}", f"{found['loc']} {found['type']}")
        for found in error.errors()
    ]


def _place(found: dict[str, Any]) -> str:
    """The key of a fault; nothing where the whole value is of another shape."""
    whole = not found["loc"] and found["type"] in SHAPES
    return "" if whole else f"{_key(found['loc'])}: "


def _key(location: tuple[int | str, ...]) -> str:
    """`clauses[3].text` for ("clauses", 3, "text"); people count from 1."""
    text = ""
    for part in location:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}"
    return text.lstrip(".") or "value"


def _words(found: dict[str, Any]) -> str:
    kind, given = found["type"], found["input"]
    if kind == "missing":
        return "missing"
    if kind == "extra_forbidden":
        return "unknown key (misspelt?)"
    shown = json.dumps(given, ensure_ascii=False, default=str)
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    if kind in SHAPES:
        return f"expected {SHAPES[kind]}, not {shown}"
    return f"{found['msg'][0].lower()}{found['msg'][1:]}, not {shown}"


def read_json(path: Path, most: int = LARGEST, *, links: bool = True, todo: str = "") -> Any:
    """A JSON file as plain data. BadInput if it is not JSON, with `todo`: what to do about it."""
    try:
        return parse_whole(read_text(path, most, links=links))
    except (ValueError, RecursionError) as error:
        raise BadInput.at(path, f"not JSON: {json_fault(error)}{todo}") from None


_LINES = json.JSONEncoder(ensure_ascii=False, allow_nan=False)
"""Made once: `json` makes one for each text, which takes longer than to read a short line."""


def load_noun(path: Path, model: type[Model], most: int = LARGEST, *, links: bool = True) -> Model:
    """The noun of a JSON file. BadInput with every fault."""
    noun, faults = build(model, read_json(path, most, links=links), str(path))
    if noun is None:
        raise BadInput(faults)
    return noun


def json_lines(path: Path) -> tuple[list[tuple[int, dict[str, Any]]], list[Fault]]:
    """Each object of a JSON lines file with its line number, and the faults of the other lines."""
    lines = list(each_json_line(path))
    faults = [found for _, found in lines if isinstance(found, Fault)]
    return [(number, found) for number, found in lines if not isinstance(found, Fault)], faults


def each_json_line(path: Path, plain: tuple[str, ...] = ()) -> Iterator[tuple[int, dict[str, Any] | Fault]]:
    """Each line's object, or its fault; the file is read line by line.

    `plain`: keys under which a control character is a fault.
    """
    for number, line in text_lines(path):
        if not line.strip():
            continue
        try:
            value = parse_whole(line)
        except (ValueError, RecursionError) as error:
            what = f"not JSON: {json_fault(error, lines=False)}"
            yield number, Fault(f"{path}, line {number}", what, "not JSON")
            continue
        if not isinstance(value, dict):
            yield number, Fault(f"{path}, line {number}", "expected a JSON object on each line")
        elif plain and may_hold_controls(line) and (odd := [*controls_of([*map(value.get, plain)])]):
            yield number, Fault(f"{path}, line {number}", odd[0])
        else:
            yield number, value


def text_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Each line of a UTF-8 file with its number, read lazily."""
    with reading(path) as file:
        for number, line in enumerate(lines_of(file, path), start=1):
            try:
                yield number, line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
            except UnicodeDecodeError as error:
                raise BadInput([_not_utf8(path, number, line[error.start])]) from None


def read_nouns(path: Path, model: type[Model]) -> tuple[list[tuple[int, Model]], list[Fault]]:
    """Each noun of a JSON lines file with its line number, and every fault."""
    nouns: list[tuple[int, Model]] = []
    faults: list[Fault] = []
    for number, data in each_json_line(path):
        noun, found = (None, [data]) if isinstance(data, Fault) else build(model, data, _line(path, number))
        faults += found
        if noun is not None:
            nouns.append((number, noun))
    return nouns, faults


def load_nouns(path: Path, model: type[Model]) -> list[Model]:
    """Every noun of a JSON lines file; none without a file. BadInput names every invalid line."""
    numbered, faults = read_nouns(path, model) if path.exists() else ([], [])
    refuse_faults(faults)
    return [noun for _, noun in numbered]


def iter_nouns(path: Path, model: type[Model]) -> Iterator[Model]:
    """Each noun of a JSON lines file that this program wrote, lazily; BadInput at the first damaged line."""
    for number, line in text_lines(path):
        noun, faults = parse(model, line, _line(path, number))
        if noun is None:
            raise BadInput(faults)
        yield noun


def parse(model: type[Model], line: str | bytes, where: str) -> tuple[Model | None, list[Fault]]:
    """A noun from a line that this program wrote. BadInput lists every fault but duplicate keys."""
    try:
        return model.model_validate_json(line), []
    except ValidationError as error:
        return None, faults_of(error, where)


def _line(path: Path, number: int) -> str:
    return f"{path}, line {number}"


def to_line(noun: BaseModel, *, sparse: bool = False) -> str:
    """A noun as one line of JSON without None; `sparse` omits defaults too."""
    data = noun.model_dump(mode="json", exclude_none=True, exclude_defaults=sparse)
    return _LINES.encode(data) + "\n"


def to_lines(nouns: Iterable[BaseModel]) -> Iterator[str]:
    """Nouns as lines of a JSON lines file, without defaults. BadInput for a line that could not be read."""
    for noun in nouns:
        line = to_line(noun, sparse=True)
        refuse_faults(too_long(line, str(getattr(noun, "id", "") or getattr(noun, "item", ""))))
        yield line


def too_long(line: str, where: str) -> list[Fault]:
    """The fault of a line that could not be read again: it would make its whole file unreadable."""
    if len(line) * 4 <= LONGEST_LINE or (size := len(line.encode("utf-8"))) <= LONGEST_LINE:
        return []
    what = f"its texts make a line of {size / (1 << 20):.1f} MB; a line may have {LONGEST_LINE >> 20} MB"
    return [Fault(where, f"{what}: shorten them")]


def write_lines(path: Path, nouns: Iterable[BaseModel]) -> None:
    """A JSON lines file, in one atomic step."""
    write_atomic(path, to_lines(nouns))


def write_atomic(path: Path, content: Content) -> None:
    """Write a file atomically: write a temporary file beside it, sync it, then rename it."""
    beside = beside_of(path)
    if path.exists() and not path.is_file() and not path.is_dir():
        # A rename would put a file in the place of /dev/null.
        raise OSError(errno.EINVAL, "is a pipe or a device; name a file to write", str(path))
    try:
        # Create it exclusively: in an untrusted folder, a link of that name would redirect the write.
        beside.unlink(missing_ok=True)
        with beside.open("xb") as file:
            for part in _pieces(content):
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        # Name the user's file, not the temporary one.
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        beside.unlink(missing_ok=True)


def _pieces(content: Content) -> Iterator[bytes]:
    """The content as bytes in chunks, so that a long text is not held twice."""
    for part in (content,) if isinstance(content, str | bytes) else content:
        if isinstance(part, bytes):
            yield part
        else:
            yield from (part[at : at + PIECE].encode("utf-8") for at in range(0, len(part), PIECE))


Stamp = tuple[int, int] | None


def stamp_of(path: Path) -> Stamp:
    """A file's modification time and size, to detect changes; None without a file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
