"""Replies that are kept for other runs: written together, found at once, lost by a kill for a moment only."""

from contextlib import closing
from pathlib import Path

import pytest
from builders import reply

from harness.grading.reply_cache import TOGETHER, CachedReply, ReplyCache, cache_stats
from harness.nouns.records import Message, Prompt
from harness.providers.served import SAMPLE

KEPT = CachedReply(reply=reply("an answer"))


def asked(text: str, repeat: int = 0) -> Prompt:
    said = (Message(role="system", content="rules"), Message(role="user", content=text))
    return Prompt(item="1", repeat=repeat, messages=said, pair=SAMPLE.pair)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "replies.sqlite3"


def found_by_others(path: Path, *prompts: Prompt) -> list[bool]:
    with closing(ReplyCache(path, "m", "t")) as other:
        return [other.get(prompt) == KEPT for prompt in prompts]


def test_what_waits_is_found_here_and_by_others_once_it_is_written(path: Path) -> None:
    with closing(ReplyCache(path, "m", "t")) as cache:
        cache.put(asked("a"), KEPT)
        assert (cache.get(asked("a")), cache.get(asked("b"))) == (KEPT, None)
        assert found_by_others(path, asked("a")) == [False]
        cache.write()
        assert found_by_others(path, asked("a"), asked("b"), asked("a", repeat=1)) == [True, False, False]
        assert cache.get(asked("a")) == KEPT


def test_so_many_are_written_without_being_told_to(path: Path) -> None:
    with closing(ReplyCache(path, "m", "t")) as cache:
        for at in range(TOGETHER - 1):
            cache.put(asked(str(at)), KEPT)
        assert cache_stats(path).replies == {}
        cache.put(asked(str(TOGETHER)), KEPT)
        assert cache_stats(path).replies == {"m": TOGETHER}


def test_what_waits_is_written_at_the_end_and_the_last_of_a_prompt_counts(path: Path) -> None:
    with closing(ReplyCache(path, "m", "t")) as cache:
        cache.put(asked("a"), CachedReply(reply=reply("another")))
        cache.put(asked("a"), KEPT)
    assert cache_stats(path).replies == {"m": 1}
    assert found_by_others(path, asked("a")) == [True]


def test_entries_of_earlier_versions_are_found(path: Path) -> None:
    """The key of a prompt never changes: else every answer would be paid for again."""
    with closing(ReplyCache(path, "m", "t")) as cache:
        key = cache._key(asked("a", repeat=2))
    assert key.hex() == "50759f60bd5f0416a2233ac8870b9e189adf1697296e6b8851adf50d0034e141"
