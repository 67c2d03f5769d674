"""An answer with very many keys is read in a time that grows with its length alone."""

import json
import time

import pytest

from harness.storage.strict_json import parse_json


def test_last_of_many_keys_that_comes_twice_is_found_at_once() -> None:
    text = "{" + ",".join(f'"k{at}":{at}' for at in range(200_000)) + ',"k199999":0}'
    began = time.process_time()
    with pytest.raises(ValueError, match="key 'k199999' given twice"):
        parse_json(text)
    assert time.process_time() - began < 5


def test_the_first_key_that_comes_twice_is_named() -> None:
    with pytest.raises(ValueError, match="key 'b' given twice"):
        parse_json('{"a": 1, "b": 2, "c": 3, "c": 4, "b": 5}')
    assert parse_json(json.dumps({"a": {"a": 1}})) == {"a": {"a": 1}}


def test_a_byte_order_mark_within_a_file_is_named() -> None:
    with pytest.raises(ValueError, match="BOM"):
        parse_json("\ufeff{}")
