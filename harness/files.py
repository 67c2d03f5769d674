"""Files in and out: UTF-8 text, TOML and JSON lines become nouns or faults; writes are atomic."""

import fcntl
import json
import os
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from harness.errors import BadInput, Fault

Model = TypeVar("Model", bound=BaseModel)


def read_bytes(path: Path) -> bytes:
    """A file's bytes; a file that cannot be read is bad input."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise BadInput([Fault(str(path), "no such file")]) from None
    except OSError as error:
        raise BadInput([Fault(str(path), f"cannot be read: {error.strerror}")]) from error


def read_text(path: Path) -> str:
    """A file's text. A leading byte order mark is dropped; what is not UTF-8 is bad input."""
    return decode(read_bytes(path), path)


def decode(content: bytes, path: Path) -> str:
    """UTF-8 bytes as text, or a fault that names the first bad line."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        what = f"not UTF-8 (byte 0x{content[error.start]:02x}); save the file as UTF-8"
        raise BadInput([Fault(f"{path}, line {line}", what)]) from None


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file as plain data."""
    try:
        return tomllib.loads(read_text(path))
    except tomllib.TOMLDecodeError as error:
        raise BadInput([Fault(str(path), f"not TOML: {error}")]) from None


def build(model: type[Model], data: Any, where: str) -> tuple[Model | None, list[Fault]]:
    """Plain data as a noun, or every fault in it."""
    try:
        return model.model_validate(data), []
    except ValidationError as error:
        return None, faults_of(error, where)


def faults_of(error: ValidationError, where: str) -> list[Fault]:
    """pydantic's findings in this project's words, one fault each."""
    return [Fault(where, f"{_key(found['loc'])}: {_words(dict(found))}") for found in error.errors()]


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
    return f"{found['msg'][0].lower()}{found['msg'][1:]}, not {shown}"


def parse_json(text: str) -> Any:
    """Strict JSON: a key given twice, NaN and infinity are ValueErrors."""
    return json.loads(text, object_pairs_hook=single_keys, parse_constant=_no_constant)


def single_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object's pairs as a dict; ValueError for a key that comes twice."""
    result = dict(pairs)
    if len(result) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"key {twice!r} given twice")
    return result


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def json_lines(path: Path) -> tuple[list[tuple[int, dict[str, Any]]], list[Fault]]:
    """Each object of a JSON lines file with its line number, and the lines that hold none."""
    rows: list[tuple[int, dict[str, Any]]] = []
    faults: list[Fault] = []
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value = parse_json(line)
        except (ValueError, RecursionError) as error:
            faults.append(Fault(f"{path}, line {number}", f"not JSON: {error}"))
            continue
        if not isinstance(value, dict):
            faults.append(Fault(f"{path}, line {number}", "a JSON object is wanted on each line"))
        elif "\\ud" in line and _holds_half_a_pair(value):
            faults.append(Fault(f"{path}, line {number}", "holds half a surrogate pair, which is no letter"))
        else:
            rows.append((number, value))
    return rows, faults


def _holds_half_a_pair(value: Any) -> bool:
    text = json.dumps(value, ensure_ascii=False)
    return whole_text(text) != text


def read_nouns(path: Path, model: type[Model]) -> tuple[list[tuple[int, Model]], list[Fault]]:
    """Each noun of a JSON lines file with its line number, and every fault."""
    rows, faults = json_lines(path)
    nouns: list[tuple[int, Model]] = []
    for number, data in rows:
        noun, found = build(model, data, f"{path}, line {number}")
        faults += found
        if noun is not None:
            nouns.append((number, noun))
    return nouns, faults


def to_line(noun: BaseModel, *, sparse: bool = False) -> str:
    """A noun as one line of JSON without what is absent; `sparse` leaves defaults out too."""
    data = noun.model_dump(mode="json", exclude_none=True, exclude_defaults=sparse)
    return json.dumps(data, ensure_ascii=False, allow_nan=False) + "\n"


def write_lines(path: Path, nouns: Iterable[BaseModel]) -> None:
    """A JSON lines file, in one atomic step."""
    write_atomic(path, "".join(to_line(noun, sparse=True) for noun in nouns))


def write_atomic(path: Path, content: str | bytes) -> None:
    """The whole file or none of it: written beside its place, synced, then renamed onto it."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with beside.open("wb") as file:
            file.write(content.encode("utf-8") if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        # The user knows the file by its own name.
        raise OSError(error.errno, error.strerror, str(path)) from error
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


Stamp = tuple[int, int] | None


def stamp_of(path: Path) -> Stamp:
    """What tells that a file was written again: its time and its size; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """One process at a time: who reads a file, changes it and writes it back must not overwrite another."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def whole_text(text: str) -> str:
    """Text without halves of surrogate pairs, which JSON can escape and no file can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")
