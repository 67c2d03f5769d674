"""What a command writes where its user says so: one rule for all of them, and no option without it."""

import os
from inspect import Parameter
from pathlib import Path

import pytest
from builders import commands_of, examples, harness, write_project
from typer.main import get_command

from harness.cli.app import app
from harness.cli.lazy import _LazyCommand, _ungrouped
from harness.cli.written import written_of
from harness.storage.files import write_atomic
from harness.storage.outputs import (
    FILE,
    JUNIT,
    NEW_FOLDER,
    PAGE,
    PNG,
    SUMMARY,
    SVG,
    Around,
    Written,
    output_faults,
    places,
)
from harness.storage.project import Project

READ = {
    "init": {"folder"},  # made whole or not at all, by its own tests
    "gate1": {"ratings"},
    "gate2": {"grades", "golden", "ratings"},
    "compare": {"golden"},
    "regress": {"golden"},
    "ship": {"pairs"},
    "audit": {"grades", "golden", "paraphrases"},
    "sample": {"labels", "pilot"},
    "estimate": {"source", "ratings", "other"},
    "signal": {"source", "labels", "propensities", "queries"},
    "judged": {"plan", "ratings"},
    "watch": {"source", "traffic", "ratings"},
    "adjudicate": {"collect"},
    "label": {"cascade"},
    "student cascade": {"golden"},
    "student export": {"labels"},
    "student train": {"labels"},
    "student check": {"scores", "golden", "student_labels", "teacher_labels", "ratings"},
    "policy impact": {"pairs"},
    "golden collect": {"sheet"},
    "golden confirm": {"file"},
    "golden regrade": {"file"},
    "golden age": {"traffic"},
    "rate plan": {"source"},
    "ratings import": {"ratings", "submissions"},
}
"""The paths that commands read. Any other path that a command takes is one that it writes, and says how."""
WITH = {
    "sample": ["read.csv"],
    "estimate": ["read.csv", "--scale", "0-4"],
    "signal": ["read.csv", "--labels", "read.csv", "--scale", "0-4"],
    "judged": ["read.csv"],
    "watch": ["read.csv", "--scale", "0-4"],
    "student export": ["read.csv"],
    "student train": ["read.csv"],
    "label": ["read.csv"],
    "ratings export": ["--to", "table"],
    "golden age": ["--traffic", "read.csv"],
    "golden sheet": ["--rater", "ann"],
    "policy impact": ["v1", "v2", "--pairs", "read.csv"],
    "regress": ["--golden", "read.csv"],
    "audit": ["--golden", "read.csv"],
    "ship": ["--pairs", "read.csv"],
    "report": ["read.csv"],
}
"""What a command takes beside, with a file that it reads."""


def parameters() -> dict[str, list[Parameter]]:
    found = {}
    for words, command in commands_of(get_command(app)):
        if isinstance(command, _LazyCommand):
            made = _ungrouped(command.function)
            found[words.removeprefix("harness ")] = list(made.__dict__["__signature__"].parameters.values())
        else:
            # A group that is a command is not asked by the rule, and has nothing to write.
            assert words == "harness rate" and not {"output", "html"} & {one.name for one in command.params}
    return found


PARAMETERS = parameters()
WRITTEN = [
    pytest.param(command, f"--{name.replace('_', '-')}", kind, id=f"{command} --{name}")
    for command, found in PARAMETERS.items()
    for name, kind in written_of(found).items()
]
SINGLE = [one for one in WRITTEN if not one.values[2].folder]  # type: ignore[union-attr]  # a Written


@pytest.fixture
def shop(here: Path) -> Path:
    write_project(here)
    (here / "read.csv").write_text("query,item,grade\nlamp,a,1\n", "utf-8")
    return here


def refused(command: str, *more: str) -> str:
    ended = harness(*command.split(), *WITH.get(command, []), *more)
    assert ended.code == 2, (ended.out, ended.err)
    return " ".join(ended.err.split())


def test_every_path_of_a_command_is_read_or_written_by_the_rule() -> None:
    for command, found in PARAMETERS.items():
        paths = {one.name for one in found if "Path" in str(one.annotation)} - {"root"}
        assert paths - set(written_of(found)) == READ.get(command, set()), command
        could_write_over = any(kind.mark or kind == FILE for kind in written_of(found).values())
        assert ("overwrite" in {one.name for one in found}) == could_write_over, command
    assert {one.values[2] for one in WRITTEN} == {FILE, JUNIT, NEW_FOLDER, PAGE, PNG, SUMMARY, SVG}


@pytest.mark.parametrize(("command", "option", "kind"), SINGLE)
def test_no_command_writes_over_what_is_there(shop: Path, command: str, option: str, kind: Written) -> None:
    golden = shop / "golden/small/examples.jsonl"
    before = golden.read_bytes()
    (shop / "work.txt").write_text("an afternoon", "utf-8")
    (shop / "link").symlink_to("work.txt")
    (shop / "nowhere").symlink_to("gone.txt")
    os.mkfifo(shop / "pipe")
    assert "belongs to the project" in refused(command, option, str(golden))
    assert "is a folder" in refused(command, option, "golden")
    assert "is a link" in refused(command, option, "link")
    assert "is a link" in refused(command, option, "nowhere")
    assert "is a pipe or a device" in refused(command, option, "pipe")
    assert "is a pipe or a device" in refused(command, option, "/dev/null")
    assert "no folder no" in refused(command, option, "no/where.txt")
    if command in WITH and "read.csv" in WITH[command]:
        assert "is read by this command" in refused(command, option, "read.csv")
        (shop / "hard.csv").hardlink_to("read.csv")
        assert "is read by this command as read.csv" in refused(command, option, "hard.csv")
    if not kind.appended:
        assert "is there already" in refused(command, option, "work.txt")
        assert "belongs to the project" in refused(command, option, str(golden), "--overwrite")
        (shop / "other.txt").hardlink_to("work.txt")
        assert "hard link" in refused(command, option, "other.txt", "--overwrite")
    assert golden.read_bytes() == before and not (shop / "gone.txt").exists()
    assert (shop / "work.txt").read_text("utf-8") == "an afternoon"


@pytest.mark.parametrize(
    ("command", "option", "kind"), [one for one in WRITTEN if one.values[2] == NEW_FOLDER]
)
def test_a_new_folder_is_no_folder_that_is_there(
    shop: Path, command: str, option: str, kind: Written
) -> None:
    (shop / "work").mkdir()
    (shop / "work/notes.txt").write_text("an afternoon", "utf-8")
    for place in ("work", "read.csv"):
        ended = harness(*command.split(), *WITH[command], option, place, "--root", shop)
        assert ended.code == 2 and not (shop / "work/training.json").exists()
    assert [one.name for one in (shop / "work").iterdir()] == ["notes.txt"]


def test_a_set_is_written_over_when_asked(shop: Path) -> None:
    (shop / "set.csv").write_text("an afternoon", "utf-8")
    assert harness("golden", "export", "-o", "set.csv", "--overwrite").code == 0
    assert len((shop / "set.csv").read_text("utf-8").splitlines()) == len(examples()) + 1
    (shop / "empty.csv").touch()
    assert harness("golden", "export", "-o", "empty.csv").code == 0


@pytest.mark.slow
def test_a_page_and_pictures_of_ours_are_made_again(shop: Path) -> None:
    assert harness("eval", "--no-report").code == 0
    run = "latest"
    assert [harness("report", run, "-o", "page.html").code for _ in range(2)] == [0, 0]
    first = harness("regress", "--base", run, "--junit", "junit.xml").code
    assert harness("regress", "--base", run, "--junit", "junit.xml").code == first != 2
    (shop / "junit.xml").write_text('<testsuite name="pytest">', "utf-8")
    assert "is there already" in refused("regress", "--base", run, "--junit", "junit.xml")
    (shop / "page.html").write_text("<!doctype html><p>mine", "utf-8")
    assert "is there already" in refused("report", "-o", "page.html")
    for option, ending in (("--png", "png"), ("--svg", "svg")):
        assert [harness("report", run, option, "pictures").code for _ in range(2)] == [0, 0]
        (shop / f"pictures/confusion.{ending}").write_bytes(b"a photograph")
        ended = harness("report", run, option, "pictures")
        assert ended.code == 2 and f"pictures/confusion.{ending}: is there already" in ended.err


def test_files_beside_an_export_are_not_written_over(shop: Path) -> None:
    words = ["ratings", "export", "--to", "potato", "--pairs", "-o", "tasks.jsonl"]
    done = harness(*words)
    beside = sorted(one for one in shop.iterdir() if one.is_file() and one.name.startswith("tasks."))
    assert done.code == 0 and len(beside) > 1, done.err
    (shop / "tasks.jsonl").unlink()
    ended = harness(*words)
    assert ended.code == 2 and "is there already" in ended.err and not (shop / "tasks.jsonl").exists()
    assert harness(*words, "--overwrite").code == 0


def test_one_file_is_not_written_twice(shop: Path) -> None:
    (shop / "sub").mkdir()
    (shop / "pictures").mkdir()
    (shop / "lnk").symlink_to(".")
    for other in ("./same.html", "sub/../same.html", "lnk/same.html", str(shop / "same.html")):
        both = refused("signal", "-o", "same.html", "--html", other)
        assert "same.html: is named by two options" in both and both.count("is named by") == 1
    ended = harness("report", "latest", "-o", "lnk/pictures/trend.svg", "--svg", "pictures")
    assert ended.code == 2 and "trend.svg: is named by two options" in ended.err
    kinds = [places(Path("pictures"), kind) for kind in (PNG, SVG)]
    assert not set(kinds[0]) & set(kinds[1]) and len(kinds[0]) == 3


@pytest.mark.parametrize(("command", "option", "kind"), SINGLE)
def test_what_the_project_keeps_gets_nothing_new_and_what_it_reads_stays(
    shop: Path, command: str, option: str, kind: Written
) -> None:
    (shop / "lnk").symlink_to(".")
    (shop / "runs/a").mkdir(parents=True)
    more = () if kind.appended else ("--overwrite",)
    for name in (".env", "prices.toml", "Makefile"):
        assert "is read by the project" in refused(command, option, f"lnk/{name}", *more)
    (shop / ".env").write_text("KEY=1\n", "utf-8")
    assert "is read by the project" in refused(command, option, ".env", *more)
    assert (shop / ".env").read_text("utf-8") == "KEY=1\n"
    for place in ("policies/small/v9.toml", "golden/small/more.jsonl", "runs/a/events.log"):
        assert "belongs to the project" in refused(command, option, place)
        assert not (shop / place).exists()
    assert "has a name of 241 bytes; at most 240" in refused(command, option, "é" * 120 + "x")


def test_the_longest_name_is_written(shop: Path) -> None:
    assert harness("golden", "export", "-o", "x" * 236 + ".csv").code == 0


def test_a_log_s_folder_gets_nothing_that_would_be_read_next(shop: Path) -> None:
    (shop / "days").mkdir()
    (shop / "days/1.csv").write_text("query,item\n", "utf-8")
    ended = harness("signal", "days", "--labels", "read.csv", "--scale", "0-4", "-o", "days/plan.jsonl")
    assert ended.code == 2 and "lies in days, which this command reads" in " ".join(ended.err.split())


def test_a_mark_counts_in_its_own_place_alone(shop: Path) -> None:
    mark = PAGE.mark.decode()
    page = f"<!doctype html>\n{mark}\n<title>x</title>"
    for text, ours in (
        (page, True),
        (f"# my notes\n{page}", False),
        (f"<!doctype html>\n<title>x</title>\n<p>{mark}", False),
    ):
        (shop / "page.html").write_text(text, "utf-8")
        assert [*output_faults(Path("page.html"), PAGE, Around())] == [] or not ours
        assert ours or "is there already" in refused("signal", "--html", "page.html")
    (shop / "runs/a").mkdir(parents=True)
    for place in ("policies/small/v1.toml", "golden/small/mine.html", "runs/a/report.html"):
        (shop / place).write_text(page, "utf-8")
    project = Project(shop)
    around = Around([shop / "runs/a"], project, overwrite=True)
    for place in ("policies/small/v1.toml", "golden/small/mine.html"):
        (fault,) = output_faults(shop / place, PAGE, around)
        assert "belongs to the project" in fault.what
    assert not [*output_faults(shop / "runs/a/report.html", PAGE, around)]
    assert len([*output_faults(shop / "runs/a", SVG, around)]) == 3


def test_a_device_is_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="pipe or a device"):
        write_atomic(tmp_path / "pipe", "text")
    assert (tmp_path / "pipe").is_fifo()
