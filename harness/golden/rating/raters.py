"""raters.toml: whether each rater is a person or a language model."""

import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal

from harness.errors import Fault, refuse_faults
from harness.nouns.base import Noun
from harness.nouns.pair import one_form
from harness.storage.files import build, read_text, read_toml

RATERS = "raters.toml"
Kind = Literal["human", "llm"]


class Rater(Noun):
    """An entry of raters.toml."""

    kind: Kind
    note: str = ""


def how_to_plan(policy: str, drawn: str | None = None) -> str:
    """The command that plans a round of people; `drawn`: the file of production pairs to rate."""
    pairs = f" --from {shlex.quote(drawn)}" if drawn else ""
    return f"harness rate plan --policy {shlex.quote(policy)}{pairs} --raters ann,bob --kind human"


def rater_kinds(path: Path) -> dict[str, str]:
    """Each rater's kind from raters.toml; empty without a file."""
    kinds: dict[str, str] = {}
    faults: list[Fault] = []
    for name, data in (read_toml(path) if path.exists() else {}).items():
        if not isinstance(data, dict):
            faults.append(Fault(f"{path}, {name}", 'expected a table: kind = "human" or "llm"'))
            continue
        rater, found = build(Rater, data, f"{path}, {name}")
        faults += found
        if rater is not None:
            kinds[one_form(name)] = rater.kind
    refuse_faults(faults)
    return kinds


def kind_faults(raters: Iterable[str], known: Mapping[str, str], kind: Kind | None) -> Iterator[Fault]:
    """A fault for each rater whose kind in raters.toml is not the one that --kind gives."""
    for rater in raters:
        if kind and known.get(rater, kind) != kind:
            what = f"raters.toml says {known[rater]}, --kind says {kind}; correct the one that is wrong"
            yield Fault(rater, what)


def with_kinds(path: Path, kinds: Mapping[str, str]) -> str:
    """The text of raters.toml with further raters: what is there stays as it is, comments too."""
    before = read_text(path).rstrip() + "\n\n" if path.exists() else ""
    return before + "\n".join(f'[{_toml_key(rater)}]\nkind = "{kind}"\n' for rater, kind in kinds.items())


def _toml_key(name: str) -> str:
    # A JSON string is a TOML string too.
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name, ensure_ascii=False)
