"""`harness watch`: a table of history, and a folder in which a teacher on loopback is asked day by day."""

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import Ended, examples, harness, write_project
from fault_server import FaultServer, Turn, error, fault_server, graded, item_of
from oracle import KEYS
from scipy import stats
from watching import Planted, history, looks_of, write_history

import harness as library
from harness.demo.wire import Tokens
from harness.errors import BadInput
from harness.runs.manifest import Asked
from harness.runs.watch_folder import HISTORY, WATCH, alone_in, save_settings
from harness.score.watch import Settings, WatchHead, _days, _model_changes, watched
from harness.score.watch_verdict import verdict_of
from harness.score.watched import SentinelDay, TrafficDay
from harness.score.watched_humans import human_sequence
from harness.score.watched_traffic import Moved
from harness.scorecards.watch import HumanEstimate, Process
from harness.stats.confidence_sequence import sequence_radius
from harness.stats.e_process import drift_process
from harness.storage.project import Project
from harness.watch.begin import WatchRequest, begin, settled


def table(here: Path, planted: Planted, seed: int = 1, *words: str) -> Ended:
    path = write_history(here / "history.csv", history(seed, planted))
    return harness("watch", path, "--scale", "0-4", *words)


@pytest.mark.parametrize(
    ("planted", "verdict", "code"),
    [
        (Planted(), "none", 0),
        (Planted(shift=0.15), "teacher", 1),
        (Planted(mix=0.25), "traffic", 1),
        (Planted(shift=0.15, mix=0.25), "both", 1),
    ],
)
def test_what_is_planted_is_found(here: Path, planted: Planted, verdict: str, code: int) -> None:
    ended = table(here, planted, 1, "--json")
    found = ended.json
    assert (found["verdict"], ended.code) == (verdict, code), ended.err
    for name in ("teacher", "traffic"):
        process = found[name]
        drifted = verdict in (name, "both")
        assert (process["alarmed_at"] is not None) == drifted and process["threshold"] == 40
        assert (process["highest"] >= 40) == drifted
        # The baseline is days 1 to 5, and the change comes on day 25.
        assert not drifted or 25 <= int(process["alarmed_at"]) <= 60
    assert [one["day"] for one in found["days"]][-1] == "65" and found["baseline"]["repeats"] == 5
    over = [one["day"] for one in found["days"] if (one["teacher_e"] or 0) >= 40]
    assert found["teacher"]["alarmed_at"] == (over[0] if over else None) and found["recent"] == 7
    change = found["change"]
    assert change["mix"] + change["within"] == pytest.approx(change["change"])
    strata = next(one for one in found["mixes"] if one["of"] == "strata")
    assert (strata["psi"] > 0.25) == (planted.mix > 0)


def test_terminal_junit_markdown_and_the_line_say_the_same(here: Path) -> None:
    ended = table(here, Planted(shift=0.15), 1, "--junit", "j.xml", "--markdown", "m.md")
    out = " ".join(ended.out.split())
    assert ended.code == 1 and "TEACHER: the teacher is worse on the sentinels (alarm on" in out
    junit = (here / "j.xml").read_text(encoding="utf-8")
    assert 'name="harness watch" tests="2" failures="1" errors="0"' in junit
    assert "## Watch: teacher" in (here / "m.md").read_text(encoding="utf-8")
    line = harness("watch", "history.csv", "--scale", "0-4", "--line")
    assert line.out.count("\n") == 1 and line.code == 1
    assert json.loads(line.out)["verdict"] == "teacher" and "TEACHER" in json.loads(line.out)["text"]
    assert harness("watch", "history.csv", "--scale", "0-4", "--line", "--json").code == 2


def test_a_short_baseline_is_refused_with_the_reason(here: Path) -> None:
    ended = table(here, Planted(days=1), 1, "--repeats", "4")
    assert ended.code == 2 and "5 repeats or more: one look is itself off" in ended.err
    few = table(here, Planted(days=0, baseline=4))
    assert few.code == 2 and "4 days have sentinels" in few.err
    edge = table(here, Planted(days=0, baseline=5), 1, "--json")
    assert (edge.code, edge.json["verdict"], edge.json["teacher"]["e_value"]) == (3, None, None)


def test_faults_of_a_table_are_named_all_at_once(here: Path) -> None:
    rows = [(f"2026-11-{day:02}", "a", "q", 1, 1, "", "") for day in range(1, 8)]
    bad = [
        ("someday", "a", "q", 1, 1, "", ""),
        ("2026-11-09", "a", "q", 9, "x", "", -1),
        ("2026-11-01", "", "q", 1, 1, "", ""),
    ]
    path = write_history(here / "h.csv", [*rows, *bad])
    ended = harness("watch", path, "--scale", "0-4")
    for said in (
        "line 9: day: 'someday'",
        "line 10: weight: '-1'",
        "line 11: no item",
        "golden: 9",
        "teacher: 'x'",
    ):
        assert said in ended.err, (said, ended.err)
    write_history(path, [*rows, rows[0]])
    assert "item 'a' on 2026-11-01 is graded twice" in harness("watch", path, "--scale", "0-4").err
    write_history(path, [*rows, ("8", "a", "q", 1, 1, "", "")])
    assert "dates and numbers are mixed" in harness("watch", path, "--scale", "0-4").err


def test_an_answer_that_cannot_be_read_is_a_loss_of_one(here: Path) -> None:
    rows = [
        (day, item, item, 1, "" if day > 5 and item == "a" else 1, "", "")
        for day in range(1, 8)
        for item in "abcd"
    ]
    found = harness("watch", write_history(here / "h.csv", rows), "--scale", "0-4", "--json").json
    assert [one["loss"] for one in found["days"]] == [0.25, 0.25] and found["days"][0]["unread"] == 1


def test_other_pairs_than_the_baselines_are_told_of(here: Path) -> None:
    rows = [
        (day, f"{max(day, 5)}-{at}", f"q{at}", 1, at % 2, "", "") for day in range(1, 9) for at in range(10)
    ]
    found = harness("watch", write_history(here / "h.csv", rows), "--scale", "0-1", "--json").json
    assert "3 days have no golden pair of the baseline and are left out" in found["warnings"][0]
    assert (found["days"], found["verdict"], found["teacher"]["e_value"]) == ([], None, None)


@pytest.mark.parametrize(
    "has_hard",
    [
        lambda day: day == 1 or day > 5,
        lambda day: day != 3,
        lambda day: day in (1, 2, 4, 5),
        lambda day: day in (1, 2, 4, 5) or (day > 5 and day % 2 == 1),
    ],
)
def test_other_pairs_in_some_looks_are_no_drift(here: Path, has_hard: Callable[[int], bool]) -> None:
    """Sixty pairs that are always right, and as many always wrong that some looks of the baseline lack."""
    rows = [
        (day, f"{kind}{at}", f"{kind}{at}", 1, teacher, "", "")
        for day in range(1, 61)
        for kind, teacher in (("easy", 1), ("hard", 2))
        for at in range(60)
        if kind == "easy" or has_hard(day)
    ]
    found = harness("watch", write_history(here / "h.csv", rows), "--scale", "0-4", "--json").json
    assert found["verdict"] == "none" and found["teacher"]["highest"] < 1, found["teacher"]
    assert (found["baseline"]["loss"], found["baseline"]["n"]) == (0, 60)
    assert found["warnings"][0].startswith("60 golden pairs are not in every look of the baseline")
    assert {(one["loss"], one["n"]) for one in found["days"]} == {(0, 60)}


def test_a_drift_of_the_pairs_that_every_look_has_is_found(here: Path) -> None:
    rows = [
        (day, f"{at}", f"q{at}", 1, 2 if day > 8 and at < 8 else 1, "", "")
        for day in range(1, 31)
        for at in range(20)
        if at < 16 or day != 2
    ]
    found = harness("watch", write_history(here / "h.csv", rows), "--scale", "0-4", "--json").json
    assert (found["verdict"], found["days"][-1]["loss"]) == ("teacher", 0.5)


def test_pairs_that_later_days_lack_are_no_drift(here: Path) -> None:
    """One pair is wrong by the toss of a coin, and was right five times; later days have this one alone."""
    rows = [
        (day, f"i{at}", f"q{at}", 1, 2 if not at and day > 5 and day % 2 else 1, "", "")
        for day in range(1, 90)
        for at in range(50)
        if day <= 5 or not at
    ]
    found = harness("watch", write_history(here / "h.csv", rows), "--scale", "0-4", "--json").json
    assert found["verdict"] == "none" and found["teacher"]["highest"] < 1


@pytest.mark.parametrize(("both", "refused"), [(0, True), (1, True), (2, False)])
def test_a_baseline_whose_looks_have_too_few_pairs_in_common_is_refused(
    here: Path, both: int, refused: bool
) -> None:
    rows = [
        (day, item, item, 1, 1, "", "")
        for day in range(1, 9)
        for item in (*(f"{day}-{at}" for at in range(9 - (day == 4))), *(f"i{at}" for at in range(both)))
    ]
    ended = harness("watch", write_history(here / "h.csv", rows), "--scale", "0-4")
    assert (ended.code == 2) == refused
    said = "in each of the 5 looks of the baseline (1 to 5), and a watch takes 2 or more"
    assert (said in ended.err and f"(fewest on 4: {8 + both})" in ended.err) == refused, ended.err


def few(days: Sequence[int], items: str, golden: int = 1) -> list[tuple[object, ...]]:
    """Rows of sentinels that are graded right, unless their golden grade says otherwise."""
    return [(day, item, item, golden, 1, "", "") for day in days for item in items]


def test_pairs_that_vanish_or_come_are_told_of(here: Path) -> None:
    rows = [*few(range(1, 8), "abcd"), *few([8], "ab"), *few([9], "abcdx")]
    found = harness("watch", write_history(here / "h.csv", rows), "--scale", "0-4", "--json").json
    short, added = found["warnings"]
    assert short.startswith("1 day has not all golden pairs of the baseline (fewest on 8: 2 of 4)")
    assert added.startswith("1 golden pair is not in the baseline")
    assert [one["n"] for one in found["days"]] == [4, 4, 2, 4]


def test_a_golden_grade_that_changes_is_refused(here: Path) -> None:
    rows = [*few(range(1, 8), "abcd"), *few([8], "ab", 2), *few([8], "cd")]
    ended = harness("watch", write_history(here / "h.csv", rows), "--scale", "0-4")
    assert ended.code == 2
    for item in "ab":
        assert f"the golden grade of '{item}' is 1 on 1 and 2 on 8" in ended.err


def test_what_is_odd_about_a_baseline_is_said(here: Path) -> None:
    rows = [(*one[:4], "", "", "") if one[1] == "a" else one for one in few(range(1, 9), "abcd", 3)]
    found = harness("watch", write_history(here / "h.csv", rows), "--scale", "0-4", "--json").json
    wrong, unread = found["warnings"]
    assert "the loss of the baseline is 1.00" in wrong and "1 sentinel was never read" in unread
    assert found["baseline"]["never_read"] == 1 and found["baseline"]["se"] == 0
    # It can hardly be worse: a watch that could not find it does not say that it did not happen.
    assert (found["verdict"], found["finds"]["shift"]) == (None, None)
    junit = harness("watch", "h.csv", "--scale", "0-4", "--junit", "j.xml")
    assert junit.code == 3 and "cannot find a worse teacher" in (here / "j.xml").read_text("utf-8")
    right = harness(
        "watch", write_history(here / "h.csv", few(range(1, 9), "abcd")), "--scale", "0-4", "--json"
    )
    assert right.json["warnings"] == []
    low, high = right.json["baseline"]["ci"]
    assert low == 0 and high > 0.3


@pytest.mark.parametrize(("wrong", "told"), [(10, False), (11, True)])
def test_a_baseline_that_is_wrong_on_more_than_half_is_told_of(wrong: int, told: bool) -> None:
    base = np.tile(np.arange(20) < wrong, (5, 1)).astype(np.float64)
    found = watched(WatchHead("simulated"), (0, 1), Settings(delta=0.05), looks_of(base), [], [])
    assert any("the teacher was mostly wrong from the beginning" in one for one in found.warnings) == told


def test_without_sentinels_nobody_says_that_the_teacher_is_quiet(here: Path) -> None:
    rows = [one for one in history(1, Planted(days=20)) if one[3] == ""]
    ended = harness("watch", write_history(here / "h.csv", rows), "--scale", "0-4", "--json")
    assert (ended.code, ended.json["verdict"]) == (3, None)
    assert "the teacher was not watched" in ended.json["reason"]
    shown = harness("watch", "h.csv", "--scale", "0-4")
    assert "CANNOT TELL" in shown.out and "of a teacher that was not watched" in " ".join(shown.out.split())


@pytest.mark.parametrize("delta", ["0", "0.02"])
def test_strata_that_never_recur_end_in_a_sentence(here: Path, delta: str) -> None:
    """One between baseline and last week has no grade on either side; a new one has no share before."""
    rows = [
        (day, f"i{at}", "q", "", "" if day == 7 else at % 3, f"s{day}", 1)
        for day in range(1, 20)
        for at in range(12)
    ]
    path = write_history(here / "h.csv", rows)
    ended = harness("watch", path, "--scale", "0-4", "--delta", delta, "--json")
    assert ended.code in (1, 3), ended.err
    change = ended.json["change"]
    assert change["mix"] + change["within"] == pytest.approx(change["change"])


def test_evidence_that_grows_is_told_of_before_it_is_an_alarm(here: Path) -> None:
    rows = [
        (day, f"g{at}", f"q{at}", 1, 2 if at < (20 if day <= 20 else 10) else 1, "", "")
        for day in range(1, 60)
        for at in range(50)
    ]
    seen = []
    # An alarm stays: a look on day 40 without one says that there was none before.
    for last in (21, *range(40, 60)):
        path = write_history(here / "h.csv", [one for one in rows if one[0] <= last])
        found = library.drift(path, scale="0-4", delta=0, repeats=20)
        seen.append(found)
        if found.verdict == "teacher":
            break
    assert seen[-1].teacher.direction == "better"
    near = [one for one in seen if one.verdict == "none" and (one.teacher.e_value or 0) >= 10]
    assert near and all("evidence that the teacher is better is growing" in one.reason for one in near)
    assert "growing" not in seen[0].reason


def test_a_name_is_new_once_among_all_that_have_answered() -> None:
    days = [
        SentinelDay(f"2026-11-{at:02}", 0.1, 0.1, 50, 50, models=names)
        for at, names in enumerate((("a",), ("b",), ("a",), ("b", "c")), 1)
    ]
    assert _model_changes(None, days) == [
        "on 2026-11-02 b answered; before, a",
        "on 2026-11-04 c answered; before, a and b",
    ]
    found = _days(
        days, np.array([1.0, 2.0, 3.0, 4.0]), [], Moved(Process(e_value=None, threshold=40, of="mix"))
    )
    assert [(one.models, one.teacher_e) for one in found] == [
        (("a",), 1), (("b",), 2), (("a",), 3), (("b", "c"), 4),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("by_teacher", "by_traffic", "reason"),
    [
        (9.99, 9.99, "no drift is shown: neither process reached its threshold"),
        (
            10.0,
            1.0,
            "no drift is shown, but evidence that the teacher is worse is growing (10, and 40 is an alarm)",
        ),
        (
            1.0,
            10.0,
            "no drift is shown, but evidence that the traffic moved is growing (10, and 40 is an alarm)",
        ),
        (1.0, None, "no drift of the teacher is shown; the traffic is not watched yet"),
    ],
)
def test_evidence_of_ten_is_told_of(by_teacher: float, by_traffic: float | None, reason: str) -> None:
    teacher = Process(e_value=by_teacher, threshold=40, of="loss")
    traffic = Moved(Process(e_value=by_traffic, threshold=40, of="mix"))
    assert verdict_of(teacher, traffic, "worse", None) == ("none", reason)


def test_rows_without_strata_have_no_split_by_strata(here: Path) -> None:
    rows = [(*one[:5], "", one[6]) for one in history(1, Planted(days=20, shift=0.3, at=3))]
    ended = harness("watch", write_history(here / "h.csv", rows), "--scale", "0-4")
    out = " ".join(ended.out.split())
    assert "mean grade" in out and "mix of strata" not in out
    # And the grades of a teacher that drifted are called so.
    assert "these grades are of a teacher that drifted (alarm on" in out
    assert "It is not a test; the evidence over all days is." in out


def test_the_tolerance_of_a_share_is_delta_and_the_error_of_its_baseline(here: Path) -> None:
    heads = [5, 6, 7, 6, 6, 3]
    rows = [
        (day, f"i{at}", "q", "", 1, "head" if at < number else "tail", 1)
        for day, number in enumerate(heads, start=1)
        for at in range(10)
    ]
    found = harness("watch", write_history(here / "h.csv", rows), "--scale", "0-4", "--json").json
    before = np.array(heads[:5]) / 10
    # Student's t of 4 degrees of freedom is 2.776; 50 rows at Laplace's 31 of 52 have an error of .069.
    error = 2.7764451 * max(before.std(ddof=1) / np.sqrt(5), np.sqrt(31 / 52 * 21 / 52 / 50))
    wanted = [
        drift_process(np.array([share]), np.array([usual]), 0.02 + error).both[0]
        for share, usual in ((0.3, before.mean()), (0.7, 1 - before.mean()))
    ]
    assert found["traffic"]["e_value"] == pytest.approx(np.mean(wanted), rel=1e-6)


def test_without_strata_grades_tell_of_the_traffic_while_the_teacher_is_quiet(here: Path) -> None:
    def without(planted: Planted, *, sentinels: bool = True) -> Any:
        rows = [(*one[:5], "", one[6]) for one in history(1, planted) if sentinels or one[3] == ""]
        return harness("watch", write_history(here / "h.csv", rows), "--scale", "0-4", "--json").json

    moved = Planted(mix=0.5, rows=400)
    found = without(moved)
    assert (found["verdict"], found["traffic"]["of"]) == ("traffic", "grades")
    both = without(Planted(mix=0.5, shift=0.2, rows=400))
    assert both["verdict"] == "teacher" and "say nothing about the traffic" in both["traffic"]["reason"]
    alone = without(moved, sentinels=False)
    assert alone["verdict"] is None and "it is unknown" in alone["traffic"]["reason"]


def test_a_stratum_for_each_row_is_an_id(here: Path) -> None:
    rows = [(day, f"i{at}", "q", "", 1, f"s{at}", 1) for day in range(1, 7) for at in range(1001)]
    ended = harness("watch", write_history(here / "h.csv", rows), "--scale", "0-4")
    assert ended.code == 2 and "1: stratum: 1,001 different ones" in ended.err
    rows = [one for one in rows if one[1] != "i0"]
    assert harness("watch", write_history(here / "h.csv", rows), "--scale", "0-4").code == 3


# --- a folder: golden pairs asked again ------------------------------------------------------------


class Teacher:
    """Grades right, and from a day on one too high; the clock is the test's."""

    def __init__(self) -> None:
        self.drifted = False
        self.model = "m-1"
        self.calls: Counter[str] = Counter()

    def __call__(self, number: int, body: dict[str, Any]) -> Turn:
        title = item_of(body)["result"]["title"]
        marked = re.search(r"[0-9]x([0-9])", title)
        right = int(marked[1]) if marked else 0
        self.calls[title] += 1
        grade = min(2, right + 1) if self.drifted else right
        return graded(grade, model=self.model, system_fingerprint="fp_1")


@pytest.fixture
def shop(here: Path) -> Path:
    write_project(here, golden=examples(queries=24))
    return here


def ask(server: FaultServer, day: str, *words: str) -> Ended:
    at = ("--model", "openai/m", "--base-url", server.url, "--day", day, "--sentinels", "12")
    return harness("watch", "w", *at, *words, **KEYS)


def days_of(first: int, last: int) -> list[str]:
    return [f"2026-12-{day:02}" for day in range(first, last + 1)]


def test_a_teacher_that_changes_its_grades_is_found(shop: Path) -> None:
    teacher = Teacher()
    with fault_server(teacher) as server:
        for day in days_of(1, 6):
            ended = ask(server, day, "--json")
            assert (ended.code, ended.json["verdict"]) == (0, "none"), ended.err
        # Five looks for the baseline and one a day, of 12 pairs: no reply comes from the cache.
        assert len(teacher.calls) == 12 and set(teacher.calls.values()) == {5 + 6}
        teacher.drifted, teacher.model = True, "m-2"
        codes = [ask(server, day, "--json") for day in days_of(7, 16)]
    last = codes[-1].json
    assert (codes[-1].code, last["verdict"], last["teacher"]["direction"]) == (1, "teacher", "worse")
    assert last["teacher"]["alarmed_at"] > "2026-12-06"
    assert last["days"][-1]["loss"] == sum("x2" not in title for title in teacher.calls) / 12
    assert last["model_changes"] == ["on 2026-12-07 m-2 (fp_1) answered; before, m-1 (fp_1)"]
    assert len(list((shop / "w/days").iterdir())) == 16


def test_the_same_day_counts_once_and_days_go_forward(shop: Path) -> None:
    teacher = Teacher()
    with fault_server(teacher) as server:
        ask(server, "2026-12-02")
        before, asked = (shop / "w" / HISTORY).read_bytes(), len(server.requests)
        again = ask(server, "2026-12-02")
        assert again.code == 0 and "in w already: no calls were made" in again.err
        assert ((shop / "w" / HISTORY).read_bytes(), len(server.requests)) == (before, asked)
        back = ask(server, "2026-12-01")
        assert back.code == 2 and "2026-12-01 is before 2026-12-02" in back.err
        other = ask(server, "2026-12-03", "--prompt", "teacher@v9", "--repeats", "6")
        assert (
            other.code == 2
            and "--prompt teacher@v1, not teacher@v9" in other.err
            and "--repeats 5, not 6" in other.err
        )
        assert ask(server, "nonsense").code == 2
        assert len(server.requests) == asked


def test_a_day_that_was_broken_off_goes_on_and_counts_once(shop: Path, no_waiting: None) -> None:
    teacher, failing = Teacher(), False

    def turn(number: int, body: dict[str, Any]) -> Turn:
        if failing and item_of(body)["query"] != "blue lamp":
            return error(400, "no")
        return teacher(number, body)

    with fault_server(turn) as server:
        ask(server, "2026-12-01")
        failing = True
        broken = ask(server, "2026-12-02")
        assert broken.code == 4 and "the day does not count yet" in broken.err, broken.err
        assert (shop / "w" / HISTORY).read_bytes().count(b"\n") == 2
        failing = False
        done = ask(server, "2026-12-02", "--json")
    assert done.code == 0 and [one["day"] for one in done.json["days"]] == ["2026-12-01", "2026-12-02"]
    # What was answered before it broke off was not asked again.
    assert set(teacher.calls.values()) == {5 + 2}


def test_half_a_line_is_cut_off_and_its_day_costs_nothing_again(shop: Path) -> None:
    teacher = Teacher()
    with fault_server(teacher) as server:
        for day in days_of(1, 3):
            ask(server, day)
        path = shop / "w" / HISTORY
        whole = path.read_bytes()
        asked = len(server.requests)
        for cut in (1, len(whole.splitlines()[-1]) // 2):
            path.write_bytes(whole[:-cut])
            shown = harness("watch", "w", "--no-ask", "--json")
            assert shown.code == 2 and "--day 2026-12-03` counts it" in shown.err
            assert ask(server, "2026-12-03").code == 0
            assert (path.read_bytes(), len(server.requests)) == (whole, asked)
        path.write_bytes(whole.replace(b'"loss"', b'"lost"', 1))
        damaged = harness("watch", "w", "--no-ask")
        assert damaged.code == 2 and "the history is damaged" in damaged.err


def test_a_policy_that_changed_asks_for_another_watch(shop: Path) -> None:
    with fault_server(Teacher()) as server:
        ask(server, "2026-12-01")
        golden = shop / "golden/small/examples.jsonl"
        golden.write_text(golden.read_text("utf-8").replace('"grade": 2', '"grade": 1'), "utf-8")
        ended = ask(server, "2026-12-02")
    assert ended.code == 2 and "changed since the watch began:" in ended.err and "the golden set" in ended.err


def test_what_cannot_be_read_is_named_before_anybody_is_asked(shop: Path) -> None:
    (shop / "bad.csv").write_text("item,teacher\na,9\n", "utf-8")
    (shop / "good.csv").write_text("item,teacher\na,1\n", "utf-8")
    with fault_server(Teacher()) as server:
        for words, said in (
            (
                ("--traffic", "none.csv", "--ratings", "lost.csv"),
                ("none.csv: no such file", "lost.csv: no such"),
            ),
            (("--traffic", "bad.csv"), ("teacher: 9",)),
            (("--traffic", "good.csv", "--ratings", "lost.csv"), ("lost.csv: no such file",)),
            (("--ratings", "good.csv"), ("--ratings goes with --traffic",)),
            (("--json", "--line"), ("both print on standard output",)),
        ):
            ended = ask(server, "2026-12-01", *words)
            assert ended.code == 2 and all(one in ended.err for one in said), ended.err
        lost = harness("watch", "wacth.csv", "--model", "openai/m", "--base-url", server.url, **KEYS)
        assert lost.code == 2 and "wacth.csv: no such file" in lost.err
        assert ask(server, "2026-12-32").code == 2
        assert not server.requests
    assert not (shop / "w").exists() and not (shop / "wacth.csv").exists()


def test_one_limit_holds_for_the_baseline_and_its_day(shop: Path) -> None:
    """Each of the 60 + 12 calls costs 1,000 USD. The limit is enough for either part, and not for both."""
    (shop / "prices.toml").write_text('[models."openai/m"]\ninput = 1000.0\noutput = 0.0\n', "utf-8")
    dear = Tokens(new=1_000_000, cached=0, written=0)
    limit = ("--max-connections", "1", "--max-cost", "66500")
    with fault_server(lambda *_: graded(1, tokens=dear)) as server:
        for _ in range(2):
            ended = ask(server, "2026-12-01", *limit)
            assert ended.code == 4 and "--max-cost $66,500" in ended.err, ended.err
            # The last of them began below the limit.
            assert len(server.requests) == 67
        # So does a day whose baseline is counted, and the next day's limit is its own.
        assert ask(server, "2026-12-01", "--max-cost", "99999").code in (0, 3)
        assert ask(server, "2026-12-02", *limit).code in (0, 3)
        assert len(server.requests) == 60 + 12 + 12


def test_two_commands_that_begin_the_same_folder_begin_one_watch(shop: Path) -> None:
    project, folder = Project(shop), shop / "w"
    first, second = (
        WatchRequest(
            Asked(model="builtin/lexical", prompt="teacher", policy="small", splits=("dev",)), given, many
        )
        for given, many in ((frozenset[str](), 12), (frozenset({"sentinels"}), 5))
    )
    plans = [settled(project, folder, one) for one in (first, second)]
    assert begin(folder, plans[0], first) == plans[0]
    written = (folder / WATCH).read_bytes()
    with pytest.raises(BadInput, match="--sentinels 12, not 5"):
        begin(folder, plans[1], second)
    assert (folder / WATCH).read_bytes() == written
    with pytest.raises(BadInput, match="is there already"):
        save_settings(folder, plans[1])
    (shop / "other").mkdir()
    with alone_in(shop / "other"), pytest.raises(BadInput, match="another process is writing this watch"):
        begin(shop / "other", plans[0], first)
    assert not (shop / "other" / WATCH).exists()


def test_traffic_is_added_to_its_day_and_found(shop: Path) -> None:
    words = ("--model", "builtin/lexical", "--sentinels", "12")
    for number, day in enumerate(days_of(1, 25)):
        strata = ["head"] * 8 + ["tail"] * 2 if number < 9 else ["head"] * 4 + ["tail"] * 6
        rows = [f"i{at},{one} {at},{at % 3},{one},1" for at, one in enumerate(strata * 20)]
        (shop / "t.csv").write_text("item,query,teacher,stratum,weight\n" + "\n".join(rows), "utf-8")
        asks = words if number in (0, 24) else ("--no-ask",)
        ended = harness("watch", "w", *asks, "--day", day, "--traffic", "t.csv", "--json")
        assert ended.code in (0, 1), ended.err
    found = ended.json
    assert (ended.code, found["verdict"], found["traffic"]["moved"]) == (1, "traffic", "head")
    assert found["traffic"]["direction"] == "less" and found["teacher"]["alarmed_at"] is None
    twice = harness("watch", "w", *words, "--day", day, "--traffic", "t.csv")
    assert twice.code == 2 and "has its traffic already" in twice.err


def test_looks_at_test_are_noted_and_dev_is_the_default(shop: Path) -> None:
    looks = shop / "golden/small/test-looks.jsonl"
    ended = harness("watch", "a", "--day", "2026-12-01", "--junit", "j.xml")
    assert ended.code == 0 and not looks.exists()
    # Without traffic there is nothing to say of it, and no error of the job.
    assert 'tests="1" failures="0" errors="0"' in (shop / "j.xml").read_text("utf-8")
    assert harness("watch", "b", "--split", "test", "--day", "2026-12-01").code == 0
    # The baseline is one run, the day another.
    assert looks.read_text("utf-8").count("\n") == 2
    assert not [one for one in (shop / "runs").iterdir() if one.is_dir()]


def test_fifty_sentinels_are_asked_unless_another_number_is_named(here: Path) -> None:
    write_project(here, golden=examples(queries=40))
    found = harness("watch", "w", "--day", "2026-12-01", "--json").json
    assert (found["days"][0]["n"], found["baseline"]["n"], found["alpha"], found["delta"]) == (
        50,
        50,
        0.05,
        0.02,
    )


def test_the_forecast_writes_nothing_and_a_file_of_grades_is_refused(shop: Path) -> None:
    ended = harness("watch", "w", "--sentinels", "12", "--dry-run")
    assert ended.code == 0 and not (shop / "w").exists()
    ended = harness("watch", "w", "--model", "replay/x.csv")
    assert ended.code == 2 and "the same every day" in ended.err
    assert harness("watch", "nowhere", "--no-ask").code == 2


# --- people's estimates of the traffic ------------------------------------------------------------


def rated_day(number: int, share: float) -> str:
    """A table of 60 queries with two rows each, of which people graded all: so many are good."""
    rows = [
        f"i{at},q{at // 2},{1 if at % 10 < 8 else 0},{1 if (at * 7 + number) % 100 < 100 * share else 0}"
        for at in range(120)
    ]
    more = [f"u{at},v{at // 2},{1 if at % 10 < 8 else 0}," for at in range(200)]
    return "item,query,teacher,human\n" + "\n".join((*rows, *more))


@pytest.mark.parametrize(
    ("later", "delta", "verdict"), [(0.8, "0.02", "none"), (0.4, "0.02", "traffic"), (0.4, "0.4", "none")]
)
def test_people_see_what_no_mix_shows(shop: Path, later: float, delta: str, verdict: str) -> None:
    write_project(shop / "two", grades=(0, 1), golden=examples(grades=(0, 1), queries=24))
    words = ("--root", "two", "--sentinels", "12", "--delta", delta)
    for number, day in enumerate(days_of(1, 14)):
        (shop / "t.csv").write_text(rated_day(number, 0.8 if number < 5 else later), "utf-8")
        asks = () if number == 0 else ("--no-ask",)
        ended = harness("watch", "w", *words, *asks, "--day", day, "--traffic", "t.csv", "--json")
        assert ended.code in (0, 1), ended.err
    found = ended.json
    assert found["verdict"] == verdict, found["humans"]
    humans = found["humans"]
    assert humans["days"] == 9 and humans["then"] == pytest.approx(0.8, abs=0.02)
    assert humans["ci"][0] < humans["change"] < humans["ci"][1]
    assert (humans["alarmed_at"] is not None) == (verdict == "traffic")
    # The teacher's grades and the strata are the same every day.
    assert found["traffic"]["alarmed_at"] is None and found["teacher"]["alarmed_at"] is None


def rated_days(
    *values: float, se: float | None = 0.01, start: int = 1, name: str = "share"
) -> list[TrafficDay]:
    return [
        TrafficDay(f"2026-11-{at:02}", estimate=HumanEstimate(name=name, value=value, se=se))
        for at, value in enumerate(values, start)
    ]


def test_a_sequence_of_estimates_gives_half_of_alpha_to_the_baselines_error() -> None:
    """Two baseline days of error .02 and one without ratings: their mean has the error .02 / sqrt 2."""
    before = [*rated_days(0.4, 0.6, se=0.02), TrafficDay("2026-11-03")]
    after = rated_days(0.5, 0.5, 0.9, 0.9, 0.9, start=4)
    found = human_sequence(before, after, alpha=0.05, delta=0.02)
    assert found and (found.name, found.then, found.days) == ("share", 0.5, 5)
    assert found.now == pytest.approx(0.74) and found.change == pytest.approx(0.24)
    off = float(stats.norm.ppf(1 - 0.025 / 2)) * 0.02 / 2**0.5
    radius = sequence_radius(np.full(5, 0.01), 0.025) + off
    assert found.ci and found.ci == pytest.approx((0.24 - radius[-1], 0.24 + radius[-1]))
    means = np.array([0.5, 0.5, 1.9 / 3, 0.7, 0.74])
    beyond = [day.day for day, far in zip(after, np.abs(means - 0.5) - radius > 0.02, strict=True) if far]
    assert found.alarmed_at == beyond[0] == "2026-11-06"
    # A lower mean is as far away, and a larger delta is not passed.
    lower = human_sequence(before, rated_days(0.5, 0.5, 0.1, 0.1, 0.1, start=4), alpha=0.05, delta=0.02)
    assert lower and lower.alarmed_at == "2026-11-06" and lower.change == pytest.approx(-0.24)
    calm = human_sequence(before, after, alpha=0.05, delta=0.24)
    assert calm and calm.alarmed_at is None and calm.ci == found.ci


def test_estimates_without_errors_or_of_two_figures_are_no_sequence() -> None:
    one, other = rated_days(0.5, 0.5), rated_days(0.7, start=3)
    assert human_sequence([], other, 0.05, 0.02) is human_sequence(one, [], 0.05, 0.02) is None
    assert human_sequence(one, [TrafficDay("2026-11-03")], 0.05, 0.02) is None
    assert human_sequence(one, rated_days(0.7, start=3, name="mean"), 0.05, 0.02) is None
    for se in (None, 0.0):
        found = human_sequence(one, rated_days(0.7, se=se, start=3), 0.05, 0.02)
        assert found and (found.ci, found.alarmed_at) == (None, None)
        assert str(found.reason) == "no interval: a day's estimate has no error"
