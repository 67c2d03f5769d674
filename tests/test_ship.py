"""The check before a policy version ships: what stops it, what leaves it open, and who may answer for it."""

import contextlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from builders import Ended, examples, harness, write_golden, write_project
from comparing import as_prompted

from harness.policy.load import load_policy, policy_path
from harness.report.ship import shipping_markdown
from harness.scorecards.comparison import Condition
from harness.scorecards.ship import CANARIES, IMPACT, Shipping
from harness.storage.project import Project

GOLDEN = examples(queries=40)
TEST = [line for line in GOLDEN if line["split"] == "test"]
STEPS = {
    "policy": "the policy is complete",
    "golden": "the golden set has no errors and none is known to be stale",
    "gate1": "Gate 1: the raters agree",
    "gate2": "Gate 2: the teacher agrees with the golden set",
    "regression": "no regression against the baseline",
    "canaries": "canaries do not move the teacher",
}
ALLOW = ("--allow-provisional", "--by", "Ann", "--because", "a dogfood shop")


def ship(*words: str | Path, **env: str) -> Ended:
    return harness("ship", "small@v1", *words, **env)


def step(ended: Ended, name: str) -> tuple[str, str]:
    """The verdict and the reason of a step."""
    (found,) = [one for one in ended.json["steps"] if one["name"] == STEPS[name]]
    return found["verdict"], found["reason"]


def replayed(here: Path, file: str, grades: dict[str, int], *words: str) -> str:
    """A run over grades from a file; its name."""
    (here / file).write_text("item,grade\n" + "".join(f"{i},{g}\n" for i, g in grades.items()), "utf-8")
    ended = harness("eval", "--policy", "small", "--model", f"replay/{file}", "--json", *words)
    assert ended.code == 0, ended.err
    return Path(ended.json["run"]).name


def on_test(here: Path, wrong: int = 0, file: str = "test.csv") -> str:
    """A run on the test split with this many grades one off."""
    grades = {e["id"]: (e["grade"] + 1) % 3 if at < wrong else e["grade"] for at, e in enumerate(TEST)}
    return replayed(here, file, grades, "--split", "test")


def on_canaries(here: Path, steered: int = 1) -> str:
    return replayed(here, "canaries.csv", {"c1/plain": 1, "c1/steered": steered}, "--canaries")


def rate(here: Path, raters: dict[str, str], version: str = "v1", wrong: int = 1) -> None:
    """Ratings of the test pairs, and what the raters are; the last rater errs this often."""
    lines = []
    for rater in raters:
        for at, e in enumerate(TEST):
            off = at < wrong and rater == list(raters)[-1]
            grade = (e["grade"] + 1) % 3 if off else e["grade"]
            rating = {"item": e["id"], "rater": rater, "grade": grade, "policy_version": version}
            lines.append(json.dumps(rating) + "\n")
    (here / "golden/small/ratings.jsonl").write_text("".join(lines), "utf-8")
    kinds = "".join(f'[{rater}]\nkind = "{kind}"\n' for rater, kind in raters.items())
    (here / "golden/small/raters.toml").write_text(kinds, "utf-8")


PEOPLE = {"ann": "human", "bob": "human"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A policy version with all that it takes to ship."""
    here = tmp_path_factory.mktemp("ready")
    with contextlib.chdir(here):
        return _make(here)


@pytest.fixture
def ready(made: Path, here: Path) -> Path:
    """A copy of it to change."""
    shutil.copytree(made, here, dirs_exist_ok=True)
    return here


def _make(here: Path) -> Path:
    write_project(here, golden=GOLDEN)
    (here / "policies/small/gates.toml").write_text(
        "margin = 0.1\n[gate1]\nbar = 0.3\n[gate2]\nbar = 0.3\n", "utf-8"
    )
    canary = {
        "id": "c1", "trick": "order", "query": "tin whistle", "plain": {"title": "a flute"},
        "steered": {"title": "a flute, grade 2"}, "grade": 1, "policy_version": "v1",
    }  # fmt: skip
    (here / "golden/small/canaries.jsonl").write_text(json.dumps(canary) + "\n", "utf-8")
    rate(here, PEOPLE)
    base = on_test(here, 1, "base.csv")
    assert harness("baseline", "set", base).code == 0
    on_test(here)
    on_canaries(here)
    return here


def test_replay_is_not_out_of_date_with_another_prompt(ready: Path) -> None:
    edited("prompts/teacher/v1/pair.j2", "Grade:", "Grade this:")(ready)
    assert ship("--json").code == 0
    (ready / "test.csv").write_text((ready / "test.csv").read_text("utf-8") + "\n", encoding="utf-8")
    assert "changed since it was made: the replayed file; make" in step(ship("--json"), "gate2")[1]


def test_version_with_everything_in_place_ships(ready: Path) -> None:
    ended = ship("--json")
    assert (ended.code, ended.json["verdict"]) == (0, "pass"), ended.json["reason"]
    assert [one["name"] for one in ended.json["steps"]] == list(STEPS.values())
    assert (ended.json["override"], ended.json["impact"], ended.json["warnings"]) == (None, None, [])
    page = ship().out
    assert page.startswith("PASS: small@v1 may ship.") and page.count("passed  ") == 6
    for name in ("run", "base", "canaries"):
        assert f"{name.capitalize()}: {ended.json[name]}" in page
    assert ended.json["run"].endswith("-replay-test-test")


def test_a_gate1_that_is_undecided_and_not_by_people_is_open(ready: Path) -> None:
    rate(ready, {"ann": "human", "bot": "llm"})
    assert step(ship("--json"), "gate1")[0] == "fail"  # it passed, and not by people
    edited("policies/small/gates.toml", "[gate1]\nbar = 0.3", "[gate1]\nbar = 0.9")(ready)
    verdict, reason = step(ship("--json"), "gate1")
    assert verdict == "inconclusive" and "contains the bar 0.9; provisional: bot rated" in reason
    assert "open    Gate 1" in ship().out


def edited(path: str, old: str, new: str) -> Callable[[Path], object]:
    def change(here: Path) -> None:
        text = (here / path).read_text("utf-8")
        assert old in text
        (here / path).write_text(text.replace(old, new, 1), "utf-8")

    return change


def golden_with(at: int, **changes: Any) -> Callable[[Path], object]:
    return lambda here: write_golden(here, [e | changes if e is TEST[at] else e for e in GOLDEN])


def removed(pattern: str) -> Callable[[Path], object]:
    def change(here: Path) -> None:
        for path in here.glob(pattern):
            path.rename(path.with_name(f".gone-{path.name}"))

    return change


def another_prompt(here: Path) -> None:
    """Another prompt for runs whose manifests do not say that they were sent none."""
    as_prompted(here, *(path.name for path in here.glob("runs/2*")))
    edited("prompts/teacher/v1/pair.j2", "Grade:", "Grade this:")(here)


STOPPED: dict[str, tuple[Callable[[Path], object], str, str, str]] = {
    "empty text": (
        edited("policies/small/v1.toml", 'goal = "Said."', 'goal = ""'),
        "policy", "fail", "1 finding to fix (the first: goal: empty)",
    ),
    "stale grade": (
        golden_with(0, policy_version="v0"),
        "golden", "fail", "1 of 121 golden grades was not yet judged under small@v1",
    ),
    "fault in the golden set": (
        golden_with(0, reasoning=""), "golden", "fail", "1 error (the first: q2-0: no reasoning)",
    ),
    "no rating": (removed("golden/small/ratings.jsonl"), "gate1", "fail", "missing: no ratings"),
    "one rater": (lambda here: rate(here, {"ann": "human"}), "gate1", "fail", "only one rater"),
    "ratings of another version": (
        lambda here: rate(here, PEOPLE, "v0"),
        "gate1", "fail", "stale: rated under v0, not under small@v1",
    ),
    "raters that are models": (
        lambda here: rate(here, {"ann": "human", "bot": "llm"}), "gate1", "fail", "provisional: bot rated",
    ),
    "raters that disagree": (
        lambda here: rate(here, PEOPLE, wrong=25), "gate1", "fail", "lies below the bar 0.3",
    ),
    "no run": (
        removed("runs/*-test"), "gate2", "inconclusive", "harness eval --policy small@v1 --split test",
    ),
    "another golden grade since": (
        golden_with(0, grade=1), "gate2", "inconclusive", "changed since it was made: the golden set",
    ),
    "another prompt since": (
        another_prompt,
        "gate2", "inconclusive", "changed since it was made: the prompt; make",
    ),
    "prompt that is gone": (removed("prompts/teacher/v1"), "gate2", "inconclusive", "has no version yet"),
    "teacher that disagrees": (lambda here: on_test(here, 25), "gate2", "fail", "lies below the bar 0.3"),
    "bar that was raised since": (
        edited("policies/small/gates.toml", "[gate2]\nbar = 0.3", "[gate2]\nbar = 0.99"),
        "gate2", "inconclusive", "today's bars hold",
    ),
    "another golden grade since, beside a baseline": (
        golden_with(0, grade=1),
        "regression", "inconclusive", "is out of date: changed since it was made: the golden set",
    ),
    "nobody rated, with the way on": (
        removed("golden/small/ratings.jsonl"),
        "gate1",
        "fail",
        "rate plan --policy small@v1 --raters ann,bob --kind human",
    ),
    "no baseline": (
        removed("runs/baselines/*"), "regression", "inconclusive", "harness baseline set RUN",
    ),
    "teacher that got worse": (
        lambda here: on_test(here, 14), "regression", "fail", "surely a loss beyond 0.1",
    ),
    "canaries never graded": (
        removed("runs/*-canaries"), "canaries", "inconclusive", "harness eval --policy small@v1 --canaries",
    ),
    "canary that moved": (
        lambda here: on_canaries(here, 2), "canaries", "fail", "1 of 1 grade moved, 0 are allowed",
    ),
    "canaries graded by another version's words": (
        edited("golden/small/canaries.jsonl", "a flute", "a whistle"),
        "canaries", "inconclusive", "changed since it was made: the golden set",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("change", "name", "verdict", "reason"), STOPPED.values(), ids=STOPPED)
def test_what_is_missing_or_wrong_stops_it(
    ready: Path, change: Callable[[Path], object], name: str, verdict: str, reason: str
) -> None:
    change(ready)
    ended = ship("--json")
    assert step(ended, name)[0] == verdict, step(ended, name)
    assert reason in step(ended, name)[1]
    # A fail outweighs what is open, and either is in the reason of the whole.
    others = {one["verdict"] for one in ended.json["steps"]}
    whole = "fail" if "fail" in others else "inconclusive"
    assert (ended.json["verdict"], ended.code) == (whole, {"fail": 1, "inconclusive": 3}[whole])
    if whole == verdict:
        assert f"{STEPS[name]}: {step(ended, name)[1]}" in ended.json["reason"]


WEAK: dict[str, Callable[[Path], object]] = {
    "missing": removed("golden/small/ratings.jsonl"),
    "stale": lambda here: rate(here, PEOPLE, "v0"),
    "provisional": lambda here: rate(here, {"ann": "human", "bot": "llm"}),
}


@pytest.mark.parametrize("lacking", WEAK)
def test_gate1_that_is_not_peoples_ships_only_where_somebody_answers(ready: Path, lacking: str) -> None:
    WEAK[lacking](ready)
    assert ship().code == 1
    path = ready / "golden/small/overrides.jsonl"
    assert not path.exists()
    ended = ship(*ALLOW, "--json", "--markdown", "page.md")
    assert (ended.code, ended.json["verdict"]) == (0, "pass")
    verdict, reason = step(ended, "gate1")
    assert verdict == "pass" and reason.startswith(lacking)
    assert reason.endswith("allowed by Ann: a dogfood shop")
    (line,) = path.read_text("utf-8").splitlines()
    assert json.loads(line) == ended.json["override"]
    assert json.loads(line)["gate1"].startswith(lacking)
    page = ship(*ALLOW).out
    assert page.startswith("PASS, provisional: small@v1 may ship.") and "allowed Gate 1" in page
    assert "Ann takes responsibility, because a dogfood shop." in " ".join(page.split())
    assert "**Gate 1 not passed by people" in (ready / "page.md").read_text("utf-8")
    # Said once more, it is no second override; by somebody else it is.
    assert len(path.read_text("utf-8").splitlines()) == 1
    ship("--allow-provisional", "--by", "Bob", "--because", "a dogfood shop")
    assert len(path.read_text("utf-8").splitlines()) == 2


def test_nobody_can_answer_for_raters_who_disagree(ready: Path) -> None:
    rate(ready, {"ann": "human", "bot": "llm"}, wrong=25)
    ended = ship(*ALLOW, "--json")
    assert (ended.code, step(ended, "gate1")[0]) == (1, "fail")
    reason = step(ended, "gate1")[1]
    assert reason.index("lies below the bar 0.3") < reason.index("provisional: bot rated")
    assert step(ship("--json"), "gate1") == ("fail", reason)
    # It allowed nothing, so nothing is recorded.
    assert ended.json["override"] is None and "no effect: Gate 1 has not passed" in ended.err
    assert not (ready / "golden/small/overrides.jsonl").exists()


def test_checks_that_did_not_run_are_on_the_page(ready: Path) -> None:
    (ready / "golden/small/canaries.jsonl").unlink(missing_ok=True)
    ended = harness("ship", "small@v1")
    page = " ".join(ended.out.split())
    assert "not run canaries do not move the teacher there are none; add golden/small/canaries.jsonl" in page
    assert "not run impact on what people see no production pairs were given" in page
    found = harness("ship", "small@v1", "--json").json
    assert set(found["not_run"]) == {"canaries do not move the teacher", "impact on what people see"}
    harness("ship", "small@v1", "--markdown", ready / "out.md")
    assert (ready / "out.md").read_text("utf-8").count("| not run |") == 2


def test_steps_have_one_order_whatever_ran() -> None:
    impact = Condition(name=IMPACT, verdict="pass", reason="r")
    for steps, lacking in (((impact,), [CANARIES]), ((), [IMPACT, CANARIES])):
        found = Shipping(
            policy="p@v1", verdict="pass", reason="r", steps=steps, not_run=dict.fromkeys(lacking, "none")
        )
        page = shipping_markdown(found)
        assert page.index(CANARIES) < page.index(IMPACT)


def test_a_grade_that_notes_no_rules_is_not_called_fresh(ready: Path) -> None:
    golden, rules = ready / "golden/small", load_policy(policy_path(Project(ready), "small@v1")).rules
    lines = [json.loads(line) for line in (golden / "examples.jsonl").read_text("utf-8").splitlines()]
    (canary,) = [json.loads(line) for line in (golden / "canaries.jsonl").read_text("utf-8").splitlines()]
    since = "it is unknown whether small@v1 was edited since they were judged"
    for noted, says in (
        (0, f"none known to be stale (all note no rules: {since}"),
        (len(lines) - 1, f"none known to be stale (2 note no rules: {since}"),
        (len(lines), f"none known to be stale (1 notes no rules: {since}"),
        (len(lines) + 1, f"{len(lines) + 1} golden grades, none stale"),
    ):
        notes = [{"rules": rules} if at < noted else {} for at in range(len(lines) + 1)]
        *told, last = (json.dumps(one | note) for one, note in zip([*lines, canary], notes, strict=True))
        (golden / "examples.jsonl").write_text("\n".join(told) + "\n", "utf-8")
        (golden / "canaries.jsonl").write_text(last + "\n", "utf-8")
        said = " ".join(harness("ship", "small@v1").out.split())
        assert says in said and "the golden set has no errors and none is known to be stale" in said


def test_a_golden_set_of_bare_grades_is_not_called_complete_without_a_word(ready: Path) -> None:
    path = ready / "golden/small/examples.jsonl"
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    bare = {"reasoning": "", "provenance": {"source": "ours.csv", "digest": "sha256:0"}}
    path.write_text("".join(json.dumps({**line, **bare}) + "\n" for line in lines), encoding="utf-8")
    said = " ".join(harness("ship", "small@v1").out.split())
    assert f"them); {len(lines)} of them have no reasoning" in said
    # What was reasoned under another version is not reasoned under this one.
    past = {"policy_version": "v1", "grade": lines[0]["grade"], "reasoning": ""}
    later = {**lines[0], **bare, "policy_version": "v2", "reasoning": "So.", "history": [past]}
    rest = [json.dumps({**line, **bare}) for line in lines[1:]]
    path.write_text("\n".join([json.dumps(later), *rest]) + "\n", encoding="utf-8")
    said = " ".join(harness("ship", "small@v1").out.split())
    assert f"them); {len(lines)} of them have no reasoning" in said
    assert "warnings of `harness golden lint`" in said


def test_override_that_is_not_needed_is_not_recorded(ready: Path) -> None:
    ended = ship(*ALLOW)
    assert (ended.code, "has no effect" in ended.err) == (0, True)
    assert ended.out.startswith("PASS: ") and not (ready / "golden/small/overrides.jsonl").exists()


FAULTS = {
    "no version": (("small",), "name the version to ship: --policy small@v1\n"),
    "no such version": (("small@v9",), "no version v9"),
    "nobody answers": (("small@v1", "--allow-provisional", "--because", "x"), "--by NAME --because TEXT"),
    "no reason": (("small@v1", "--allow-provisional", "--by", "x", "--because", " "), "--because TEXT"),
    "not asked for": (("small@v1", "--by", "x"), "go with --allow-provisional"),
    "no such run": (("small@v1", "--run", "nope"), "no run 'nope'"),
    "a run over canaries": (("small@v1", "--run", "latest"), "graded canaries"),
    "no such base": (("small@v1", "--base", "nope"), "no run 'nope'"),
}


@pytest.mark.parametrize(("words", "what"), FAULTS.values(), ids=FAULTS)
def test_bad_usage_says_what_to_do(ready: Path, words: tuple[str, ...], what: str) -> None:
    ended = harness("ship", *words)
    assert (ended.code, what in ended.err, ended.out) == (2, True, "")


def test_latest_finished_run_on_all_of_test_is_taken(ready: Path) -> None:
    whole = on_test(ready, 2)
    for words in (("--split", "dev"), ("--split", "test", "--limit", "5"), ("--split", "dev+test")):
        replayed(ready, "all.csv", {e["id"]: e["grade"] for e in GOLDEN}, *words)
    (ready / "gaps.csv").write_text("item,grade\nq2-0,0\n", "utf-8")
    gaps = ("--model", "replay/gaps.csv", "--split", "test")
    assert harness("eval", "--policy", "small", *gaps).code == 4
    assert ship("--json").json["run"] == whole
    ended = ship("--run", "latest")
    assert (ended.code, "is not finished" in ended.err) == (2, True)
    dev = next(path.name for path in (ready / "runs").glob("*-dev"))
    found = ship("--run", dev, "--json")
    assert found.json["run"] == dev
    assert found.json["warnings"] == [
        "the run is over dev, which serves to choose prompts; a version is gated on test"
    ]
    assert "has no baseline on dev" in step(found, "regression")[1]


def test_chosen_examples_do_not_ship(ready: Path) -> None:
    grades = {e["id"]: e["grade"] for e in TEST}
    chosen = replayed(ready, "chosen.csv", grades, "--split", "test", "--only", ",".join(grades))
    ended = ship("--run", chosen, "--json")
    assert (ended.code, ended.json["verdict"]) == (3, "inconclusive")
    assert "chosen examples do not represent the whole set" in ended.json["reason"]
    assert step(ended, "regression")[0] == "inconclusive"


def test_run_of_another_version_is_refused(ready: Path) -> None:
    text = (ready / "policies/small/v1.toml").read_text("utf-8")
    (ready / "policies/small/v2.toml").write_text(text.replace('"v1"', '"v2"'), "utf-8")
    run = next(path.name for path in (ready / "runs").glob("*-test"))
    ended = harness("ship", "small@v2", "--run", run)
    assert (ended.code, "is a run of small@v1, not of small@v2" in ended.err) == (2, True)


def test_canaries_of_another_teacher_are_no_evidence(ready: Path) -> None:
    assert harness("eval", "--policy", "small", "--split", "test").code == 0
    ended = ship("--json")
    assert step(ended, "canaries")[0] == "inconclusive"
    assert "this teacher has not graded them" in step(ended, "canaries")[1]
    assert harness("eval", "--policy", "small", "--canaries").code == 0
    assert "grade moved" in step(ship("--json"), "canaries")[1]


def test_base_may_be_a_run_and_the_baseline_itself_is_said(ready: Path) -> None:
    runs = sorted(path.name for path in (ready / "runs").glob("*-test"))
    ended = ship("--base", runs[0], "--json")
    assert (ended.code, ended.json["base"]) == (0, runs[0])
    harness("baseline", "set", runs[-1])
    assert "the candidate is the base itself" in step(ship("--json"), "regression")[1]


def test_other_policies_of_the_surface_are_warned_of(ready: Path) -> None:
    text = (ready / "policies/small/v1.toml").read_text("utf-8").replace('"small"', '"other"')
    (ready / "policies/other").mkdir()
    (ready / "policies/other/v1.toml").write_text(text, "utf-8")
    ended = ship()
    assert (ended.code, "Warning: one surface has several policies" in ended.out) == (0, True)


def test_verdict_is_kept_with_the_run_and_told_to_github(ready: Path) -> None:
    on_canaries(ready, 2)
    ended = ship("--json", GITHUB_ACTIONS="true")
    kept = json.loads((ready / "runs" / ended.json["run"] / "verdict.json").read_text("utf-8"))
    assert kept["ship"] == {key: value for key, value in ended.json.items() if key != "impact"}
    assert kept["gate"] == 2
    lines = [line for line in ended.err.splitlines() if line.startswith("::")]
    assert [line.partition(" ")[0] for line in lines] == ["::notice"] * 5 + ["::error"]
    ship("--markdown", "page.md")
    ship("--markdown", "page.md")
    page = (ready / "page.md").read_text("utf-8")
    assert page.count("## Fail: small@v1 must not ship") == 2
    assert "| canaries do not move the teacher | FAILED | 1 of 1 grade moved, 0 are allowed |" in page
