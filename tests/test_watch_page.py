"""The page of a watch, and the watch in a notebook."""

import re
from pathlib import Path

import pytest
from browser import opened, runs_over, serious
from builders import harness, write_project
from playwright.sync_api import Browser
from watching import HEADERS, Planted, history, write_history

import harness as library
from harness.errors import BadInput
from harness.report.page.watch import BOTTOM, TOP


def page_of(here: Path, planted: Planted) -> str:
    path = write_history(here / "h.csv", history(1, planted))
    ended = harness("watch", path, "--scale", "0-4", "--html", "w.html")
    assert "page: w.html" in ended.err, ended.err
    return (here / "w.html").read_text(encoding="utf-8")


def test_the_page_draws_the_evidence_of_every_day_and_the_alarm(here: Path) -> None:
    text = page_of(here, Planted(shift=0.2, days=40))
    pictures = re.findall(r'<svg class="days".*?</svg>', text, re.DOTALL)
    # Teacher, traffic, loss: each day has a point, and the dashed line is within the picture.
    assert [one.count("<circle") for one in pictures] == [40, 40, 40]
    for one in pictures:
        (bar,) = re.findall(r'class="bar" x1="10%" x2="97%" y1="([0-9.]+)"', one)
        assert TOP <= float(bar) <= BOTTOM
    # The evidence of the teacher crosses the line, that of the traffic does not.
    lines = [float(re.findall(r'class="bar".*?y1="([0-9.]+)"', one)[0]) for one in pictures]
    ends = [float(re.findall(r'cy="([0-9.]+)"', one)[-1]) for one in pictures]
    assert ends[0] < lines[0] and ends[1] > lines[1]
    assert "The teacher is worse on the sentinels" in text and "http" not in text.replace("http-equiv", "")


def test_what_a_table_says_is_text(here: Path) -> None:
    rows = [(*one[:5], one[5] and f"<b>{one[5]}</b>", one[6]) for one in history(1, Planted(days=8))]
    write_history(here / "h.csv", rows)
    harness("watch", "h.csv", "--scale", "0-4", "--html", "w.html")
    text = (here / "w.html").read_text(encoding="utf-8")
    assert "<b>head</b>" not in text and "&lt;b&gt;head&lt;/b&gt;" in text


@pytest.mark.slow
def test_the_page_can_be_read_by_everybody(here: Path, browser: Browser) -> None:
    page_of(here, Planted(shift=0.2, mix=0.2, days=30))
    for width, dark in ((1280, False), (400, False), (1280, True)):
        with opened(here / "w.html", width=width, dark=dark, browser=browser) as page:
            assert (serious(page), runs_over(page)) == ([], 0)


def test_a_notebook_reads_frames_files_and_folders(here: Path) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(list(history(1, Planted(shift=0.2))), columns=HEADERS)
    frame["golden"] = pandas.to_numeric(frame["golden"], errors="coerce").astype("Int64")
    found = library.drift(frame, scale="0-4")
    assert found.verdict == "teacher" and "TEACHER" in str(found)
    path = write_history(here / "h.csv", history(1, Planted(shift=0.2)))
    assert library.drift(path, scale="0-4").teacher == found.teacher
    assert "Evidence that the teacher drifted" in found.write_page(here / "mine.html").read_text("utf-8")
    assert library.drift(path, scale="0-4", delta=0.4).verdict == "none"
    with pytest.raises(BadInput):
        library.drift(path, scale="0-4", repeats=4)
    write_project(here / "shop")
    assert harness("watch", "w", "--root", "shop", "--day", "2026-12-01").code == 0
    assert library.drift("w").verdict == "none"
