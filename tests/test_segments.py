"""The records of a long run lie in several files, which read as one."""

import os
from pathlib import Path
from typing import Any

import pytest
from builders import harness, record, write_project

from harness.errors import BadInput
from harness.nouns.records import Failed
from harness.runs.folder import load_run
from harness.runs.listing import Listing
from harness.runs.record_log import RecordLog, iter_records, last_record, segments
from harness.storage.files import to_line
from harness.storage.project import Project
from harness.web.progress import Counter

TWO_LINES = len(to_line(record("a")).encode("utf-8")) + 1


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose segments are full with two records. Five are in it, the first of a call that failed."""
    monkeypatch.setattr("harness.runs.record_log.SEGMENT", TWO_LINES)
    (tmp_path / "records.jsonl").touch()
    with RecordLog(tmp_path) as log:
        log.append(record("a", outcome=Failed(detail="busy"), reply=None))
        for id in "abcd":
            log.append(record(id))
    return tmp_path


def test_a_full_segment_is_followed_by_another(folder: Path) -> None:
    assert [path.name for path in segments(folder)] == ["records.jsonl", "records-2.jsonl", "records-3.jsonl"]
    assert [len(path.read_bytes().splitlines()) for path in segments(folder)] == [2, 2, 1]
    assert [one.example for one in iter_records(folder)] == list("aabcd")
    with RecordLog(folder) as log:
        assert (log.count, log.failed) == (4, set())
        assert log.answered == {(id, 0) for id in "abcd"}


def test_a_cut_in_the_last_segment_loses_the_torn_line_alone(folder: Path) -> None:
    *full, last = segments(folder)
    before = [path.read_bytes() for path in full]
    whole = last.read_bytes()
    for cut in range(len(whole) + 1):
        last.write_bytes(whole[:cut])
        with RecordLog(folder) as log:
            lost = ("d", 0) not in log.answered
            if lost:
                log.append(record("d"))
        assert lost == (cut < len(whole) - 1)
        assert [path.read_bytes() for path in segments(folder)] == [*before, whole], cut


def test_the_last_record_is_the_last_that_is_read(folder: Path) -> None:
    *_, last = segments(folder)
    whole = last.read_bytes()
    for cut in range(len(whole), -1, -1):
        last.write_bytes(whole[:cut])
        *_, wanted = iter_records(folder)
        assert last_record(folder) == wanted
    # The line before a torn one.
    last.write_bytes(whole + whole[:20])
    assert last_record(folder) == record("d")
    for path in segments(folder):
        path.write_bytes(b"")
    assert last_record(folder) is None


@pytest.mark.parametrize("read", [lambda folder: list(iter_records(folder)), RecordLog])
def test_damage_of_a_full_segment_is_refused(folder: Path, read: Any) -> None:
    first, second, _ = segments(folder)
    text = second.read_text(encoding="utf-8")
    second.write_text(text[:-9], encoding="utf-8")
    with pytest.raises(BadInput, match=r"records-2\.jsonl: the last line is cut off"):
        read(folder)
    assert second.read_text(encoding="utf-8") == text[:-9]
    second.write_text("{broken\n", encoding="utf-8")
    with pytest.raises(BadInput, match=r"records-2\.jsonl, line 1"):
        read(folder)
    second.unlink()
    with pytest.raises(BadInput, match=r"records-2\.jsonl: no such file, though records-3\.jsonl follows it"):
        read(folder)
    second.symlink_to(first)
    with pytest.raises(BadInput, match=r"records-2\.jsonl: is a link"):
        read(folder)


def test_a_lock_is_given_back_when_the_records_are_damaged(folder: Path) -> None:
    """In one process: the second try must not find the run locked by the first."""
    segments(folder)[1].unlink()
    for _ in range(2):
        with pytest.raises(BadInput, match="no such file"):
            RecordLog(folder)


def evaluated(here: Path) -> Path:
    assert harness("eval", "--policy", "small", "--model", "builtin/majority", "--no-report").code == 0
    return max(path for path in (here / "runs").iterdir() if not path.name.startswith("."))


def test_a_run_in_segments_scores_counts_and_resumes_as_one_in_a_single_file(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_project(here)
    single = evaluated(here)
    monkeypatch.setattr("harness.runs.record_log.SEGMENT", 1_000)
    split = evaluated(here)
    assert len(segments(split)) > 3
    numbers = [(folder / "scorecard.json").read_bytes() for folder in (single, split)]
    assert numbers[0] == numbers[1]
    assert harness("gate2", split.name).code == harness("gate2", single.name).code
    assert harness("eval", "--resume", split.name, "--no-report").code == 0
    assert len(list(load_run(split).each_record())) == 12
    (listed,) = (one for one in Listing(Project(here)).runs() if one.name == split.name)
    assert Counter(split).count(listed).done == 12


def test_the_viewer_counts_on_over_segments(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.runs.record_log.SEGMENT", 1_000)
    write_project(here)
    run = evaluated(here)
    contents = [path.read_bytes() for path in segments(run)]
    for path in segments(run)[1:]:
        path.unlink()
    (listed,) = Listing(Project(here)).runs()
    counter = Counter(run)
    counts = [counter.count(listed).done]
    for number, content in enumerate(contents[1:], start=2):
        half = content.index(b"\n") + 1
        for piece in (content[:half], content[half:]):
            with (run / f"records-{number}.jsonl").open("ab") as file:
                file.write(piece)
            counts.append(counter.count(listed).done)
    assert counts == sorted(counts)
    assert counts[-1] == 12


def test_a_list_notices_what_a_later_segment_got(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.runs.record_log.SEGMENT", 1_000)
    write_project(here)
    run = evaluated(here)
    listing = Listing(Project(here))
    (before,) = listing.runs()
    assert listing.runs()[0] is before
    last = segments(run)[-1]
    os.utime(last, (1, 1))
    assert listing.runs()[0] is not before
