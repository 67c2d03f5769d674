"""A stored file whose content is of another shape is told so in plain words, which name no class of ours."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import harness.cli.commands  # noqa: F401  # loads what has nouns
from harness.errors import BadInput
from harness.nouns.base import Noun
from harness.nouns.policy import Policy
from harness.providers.base import STUDENT
from harness.providers.student_file import WEIGHTS, load_saved
from harness.storage.files import build, parse


def nouns(kind: type[Noun] = Noun) -> Iterator[type[Noun]]:
    for one in kind.__subclasses__():
        yield one
        yield from nouns(one)


@pytest.mark.parametrize(("data", "text"), [([], "[]"), (3, "3"), ("x", '"x"'), (None, "null")])
def test_a_whole_of_another_shape_is_told_what_was_expected(data: object, text: str) -> None:
    kinds = {*nouns()}
    assert len(kinds) > 20
    for kind in kinds:
        for found, faults in (build(kind, data, "x.json"), parse(kind, text, "x.json")):
            assert found is None
            assert [str(one) for one in faults] == [
                f"x.json: expected an object (keys with values), not {text}"
            ], kind


def test_a_part_of_another_shape_is_named_with_its_key() -> None:
    told = [str(one) for one in build(Policy, {"grades": {"a": 1}, "clauses": [3]}, "p")[1]]
    assert 'p: grades: expected a list, not {"a": 1}' in told
    assert "p: clauses[1]: expected an object (keys with values), not 3" in told
    assert not [one for one in told if "instance of" in one or "dictionary" in one or "tuple" in one]


def test_a_student_of_another_shape_is_told_so(tmp_path: Path) -> None:
    (tmp_path / STUDENT).write_text("[]", encoding="utf-8")
    (tmp_path / WEIGHTS).write_bytes(b"")
    with pytest.raises(BadInput) as caught:
        load_saved(tmp_path)
    expected = f"{tmp_path / STUDENT}: expected an object (keys with values), not []"
    assert str(caught.value).removeprefix("error: ") == expected
