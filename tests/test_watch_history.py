"""The folder of a watch from a stranger, or out of an editor: every line is held against its run."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from builders import Ended, examples, harness, write_project

from harness.runs.manifest import MANIFEST
from harness.runs.watch_folder import BASELINE, DAYS, HISTORY, WATCH
from harness.score.watch_history import _summed
from harness.score.watch_runs import unanswered_in

DAY = "2026-11-{:02}"
Line = dict[str, Any]


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a watch of three days; tests work on copies."""
    root = tmp_path_factory.mktemp("watched")
    write_project(root, golden=examples(queries=12))
    for number in (1, 2, 3):
        ended = harness("watch", root / "w", "--root", root, "--day", DAY.format(number), "--sentinels", "8")
        assert ended.code == 0, ended.err
    return root


@pytest.fixture
def watch(begun: Path, tmp_path: Path) -> Path:
    shutil.copytree(begun, tmp_path / "copy")
    return tmp_path / "copy" / "w"


def shown(watch: Path) -> Ended:
    return harness("watch", watch, "--no-ask", "--root", watch.parent, "--json")


def edit(watch: Path, change: Callable[[list[Line]], object]) -> None:
    path = watch / HISTORY
    lines = [json.loads(one) for one in path.read_text("utf-8").splitlines()]
    change(lines)
    path.write_text("".join(json.dumps(one) + "\n" for one in lines), "utf-8")


def test_a_history_that_fits_is_read(watch: Path) -> None:
    ended = shown(watch)
    assert ended.code == 0, ended.err
    assert [one["day"] for one in ended.json["days"]] == [DAY.format(number) for number in (1, 2, 3)]
    # Asked today, for a day of weeks ago: nothing is wrong, and it is said.
    assert "by the clock of its run, 2026-11-01 was asked on" in ended.json["warnings"][0]


@pytest.mark.parametrize(
    ("days", "said"),
    [
        ([], ()),
        (["a"], ("by the clock of its run, a",)),
        ([*"abc"], ("by the clock of its run, a, and 2 more such days",)),
    ],
)
def test_days_that_a_clock_denies_are_one_remark(days: list[str], said: tuple[str, ...]) -> None:
    assert _summed(days) == said


def test_questions_without_an_answer_are_counted(watch: Path) -> None:
    (run,) = (watch / DAYS / DAY.format(2)).iterdir()
    records = run / "records.jsonl"
    assert unanswered_in(run) == 0
    lines = records.read_text("utf-8").splitlines(keepends=True)
    assert len(lines) == 8
    records.write_text("".join(lines[3:]), "utf-8")
    broken_off = {**json.loads((run / MANIFEST).read_text("utf-8")), "finished_at": None}
    (run / MANIFEST).write_text(json.dumps(broken_off), "utf-8")
    assert unanswered_in(run) == 3


def test_days_go_forward_in_the_file(watch: Path) -> None:
    edit(watch, lambda lines: lines.append(lines.pop(2)))
    ended = shown(watch)
    assert ended.code == 2 and "day 2026-11-02 comes after day 2026-11-03" in ended.err


def test_the_baseline_comes_first(watch: Path) -> None:
    edit(watch, lambda lines: lines.append(lines.pop(0)))
    ended = shown(watch)
    assert ended.code == 2 and "the line of the baseline is not before those of the days" in ended.err


@pytest.mark.parametrize("day", ["someday", "2026-13-01", "20261101", "../../etc", "2026-11-1"])
def test_a_day_is_a_date(watch: Path, day: str) -> None:
    edit(watch, lambda lines: lines[1].update(day=day))
    ended = shown(watch)
    assert ended.code == 2 and f"day {day!r} is not a date" in ended.err


def test_a_forged_day_has_no_run(watch: Path) -> None:
    """One of the year 9999 would also keep every later day out."""
    edit(watch, lambda lines: lines.append(lines[3] | {"day": "9999-12-31"}))
    ended = shown(watch)
    assert ended.code == 2 and "is gone, and its line cannot be checked" in ended.err


@pytest.mark.parametrize(("key", "value"), [("loss", 0.01), ("n", 7), ("n_queries", 3), ("unread", 1)])
def test_a_line_says_what_its_run_says(watch: Path, key: str, value: float) -> None:
    edit(watch, lambda lines: lines[2].update({key: value}))
    ended = shown(watch)
    assert ended.code == 2 and "day 2026-11-02 has loss" in ended.err and "and its run loss" in ended.err


def test_a_line_whose_loss_is_a_little_lower_is_not_what_its_run_says(watch: Path) -> None:
    edit(watch, lambda lines: lines[2].update(loss=lines[2]["loss"] - 1e-6))
    assert "day 2026-11-02 has loss" in shown(watch).err


@pytest.mark.parametrize(("key", "value"), [("losses", [0.1] * 5), ("losses", [0.1] * 6), ("n", 9)])
def test_the_line_of_the_baseline_says_what_its_run_says(watch: Path, key: str, value: object) -> None:
    edit(watch, lambda lines: lines[0].update({key: value}))
    ended = shown(watch)
    assert ended.code == 2 and "the line of the baseline is not what its run says" in ended.err


def test_lines_of_swapped_days_name_other_runs(watch: Path) -> None:
    (watch / DAYS / "2026-11-02").rename(watch / "aside")
    (watch / DAYS / "2026-11-03").rename(watch / DAYS / "2026-11-02")
    (watch / "aside").rename(watch / DAYS / "2026-11-03")
    assert shown(watch).err.count("is gone, and its line cannot be checked") == 2


def test_an_edited_run_is_refused(watch: Path) -> None:
    (path,) = (watch / DAYS / "2026-11-02").glob("*/records.jsonl")
    (*others, last) = path.read_text("utf-8").splitlines()
    record = json.loads(last)
    record["outcome"]["value"] = 2 if record["outcome"]["value"] != 2 else 0
    path.write_text("\n".join([*others, json.dumps(record)]) + "\n", "utf-8")
    ended = shown(watch)
    assert ended.code == 2 and "2026-11-02" in ended.err


@pytest.mark.parametrize("part", [f"{DAYS}/2026-11-02", DAYS, BASELINE])
def test_links_are_not_followed(watch: Path, part: str, tmp_path: Path) -> None:
    (watch / part).rename(tmp_path / "elsewhere")
    (watch / part).symlink_to(tmp_path / "elsewhere")
    ended = shown(watch)
    assert ended.code == 2 and "is a link" in ended.err


def test_a_linked_run_is_not_followed(watch: Path, tmp_path: Path) -> None:
    (run,) = (watch / DAYS / "2026-11-02").iterdir()
    run.rename(tmp_path / run.name)
    run.symlink_to(tmp_path / run.name)
    ended = shown(watch)
    assert ended.code == 2 and "is a link" in ended.err


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda one: one.update(scale=[0, 1, 2, 3]), "has another scale than watch.json"),
        (lambda one: one["asked"].update(only=one["asked"]["only"][:4]), "asked something else"),
        (lambda one: one["asked"].update(model="openai/other"), "asked something else"),
        (lambda one: one.update(repeats=6), "asked something else"),
        (lambda one: one.update(weighting="linear"), "has another weighting than watch.json"),
        (lambda one: one["digests"].update(golden="0" * 64), "was made of other files"),
    ],
)
def test_the_settings_are_those_of_the_runs(watch: Path, change: Callable[[Line], None], said: str) -> None:
    settings = json.loads((watch / WATCH).read_text("utf-8"))
    change(settings)
    (watch / WATCH).write_text(json.dumps(settings), "utf-8")
    ended = shown(watch)
    assert ended.code == 2 and said in ended.err, ended.err


@pytest.mark.parametrize("kept", [(0, 1, 3), (0, 3), (0, 1), (0,)])
def test_a_finished_run_without_its_line_is_named_and_nothing_is_concluded(
    watch: Path, kept: tuple[int, ...]
) -> None:
    edit(watch, lambda lines: lines.__setitem__(slice(None), [lines[at] for at in kept]))
    lost = [DAY.format(number) for number in (1, 2, 3) if number not in kept]
    for ended in (shown(watch), harness("watch", watch, "--root", watch.parent, "--day", DAY.format(4))):
        assert ended.code == 2 and not ended.out
        said = "is finished, and not in the history; restore the folder"
        assert ended.err.count(said) == len(lost) and all(f"{DAYS}/{day}" in ended.err for day in lost)
    assert not (watch / DAYS / DAY.format(4)).exists()


def test_a_history_that_is_gone_is_named(watch: Path) -> None:
    (watch / HISTORY).unlink()
    assert shown(watch).err.count("is finished, and not in the history; restore the folder") == 4
    one = harness("watch", watch, "--root", watch.parent, "--day", DAY.format(1))
    assert one.code == 2 and one.err.count("is finished, and not in the history") == 2


def test_a_line_that_a_kill_kept_out_is_written_by_the_same_command(watch: Path) -> None:
    whole = (watch / HISTORY).read_bytes()
    edit(watch, lambda lines: lines.pop())
    again = ("--root", watch.parent, "--json", "--day")
    for ended in (shown(watch), harness("watch", watch, *again, DAY.format(4))):
        assert ended.code == 2 and f"--day {DAY.format(3)}` counts it" in ended.err
    assert harness("watch", watch, *again, DAY.format(3)).code == 0
    assert (watch / HISTORY).read_bytes() == whole


def test_a_baseline_that_waits_for_its_line_is_told_of(watch: Path) -> None:
    (watch / HISTORY).unlink()
    shutil.rmtree(watch / DAYS)
    ended = shown(watch)
    assert ended.code == 2 and f"harness watch {watch}` counts it" in " ".join(ended.err.split())
    assert harness("watch", watch, "--root", watch.parent, "--day", DAY.format(1)).code == 0


@pytest.mark.parametrize(
    ("estimate", "said"),
    [
        (["x", 1e308, 1], "less than or equal to"),
        (["x", -1e308, 1], "greater than or equal to"),
        (["x", 0.5, -0.1], "greater than or equal to 0"),
        (["x", 0.5, 1e308], "less than or equal to"),
        (["x", 0.5, 1], ""),
        (["x", 0.5, None], ""),
    ],
)
def test_an_estimate_that_no_ratings_give_is_refused(watch: Path, estimate: list[Any], said: str) -> None:
    lines = [
        {"kind": "traffic", "day": DAY.format(number), "source": "x", "rows": 1, "estimate": estimate}
        | {"strata": {"": {"weight": 1, "grades": {"1": 1}}}}
        for number in range(1, 9)
    ]
    edit(watch, lambda history: history.extend(lines))
    ended = shown(watch)
    assert ended.code == (2 if said else 0) and said in ended.err, ended.err


@pytest.mark.parametrize(
    ("strata", "said"),
    [
        ({"a": {"weight": 0.7, "grades": {}}}, "add up to 0.700"),
        ({"a": {"weight": 1, "grades": {"9": 1}}}, "grades off the scale"),
        ({"a": {"weight": 1, "grades": {"1": 2}}}, "heavier than their stratum"),
        ({"a": {"weight": 1, "grades": {"1": 1 + 1e-8}}}, "heavier than their stratum"),
    ],
)
def test_traffic_that_no_table_gives_is_refused(watch: Path, strata: Line, said: str) -> None:
    line = {"kind": "traffic", "day": DAY.format(1), "source": "x", "rows": 9, "strata": strata}
    edit(watch, lambda lines: lines.append(line))
    ended = shown(watch)
    assert ended.code == 2 and said in ended.err


def test_shares_of_a_stratum_may_add_up_to_a_little_more_by_rounding(watch: Path) -> None:
    """In binary 0.1 and 0.2 are more than 0.3."""
    parts = {"a": {"weight": 0.3, "grades": {"0": 0.1, "1": 0.2}}, "b": {"weight": 0.7, "grades": {}}}
    lines = [
        {"kind": "traffic", "day": DAY.format(number), "source": "x", "rows": 9, "strata": parts}
        for number in range(1, 9)
    ]
    edit(watch, lambda history: history.extend(lines))
    assert shown(watch).code == 0


@pytest.mark.parametrize("part", [BASELINE, f"{DAYS}/2026-11-02"])
def test_a_run_that_is_gone_is_missed_before_anybody_is_asked(watch: Path, part: str) -> None:
    shutil.rmtree(watch / part)
    ended = harness("watch", watch, "--root", watch.parent, "--day", DAY.format(4))
    assert ended.code == 2 and "is gone, and its line cannot be checked" in ended.err
    assert not (watch / DAYS / DAY.format(4)).exists()
