"""What a policy change does to production pairs: measured by hand, and through the run engine."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import Ended, harness, policy, write_project
from fault_server import FaultServer, Turn, error, fault_server, graded, item_of
from oracle import KEYS
from scipy import stats

from harness.comparison.impact import measure_impact
from harness.errors import BadInput
from harness.golden.rating.pair_plan import load_pair_plan
from harness.nouns.policy import Policy
from harness.nouns.records import Failed, Grade, Record, Reply
from harness.runs.manifest import Asked, Digests, Manifest, load_manifest
from harness.runs.pair_run import PairRun
from harness.runs.pairs import ShownPair, read_pairs
from harness.scorecards.impact import Impact
from harness.stats.means import rare_upper
from harness.storage.tables import Layout, parse_columns


def pair(id_: str, query: str, weight: float = 1.0) -> ShownPair:
    data = {"id": id_, "query": query, "result": {"title": f"title {id_}"}, "weight": weight}
    return ShownPair.model_validate(data)


def pair_run(under: Policy, *answers: dict[str, int], asked: int = 0) -> PairRun:
    """What a policy says of the pairs a, b, ...: a grade each, for each repeat; -1 never came."""
    records = [
        Record(
            example=id_,
            repeat=repeat,
            pair="sha256:0",
            outcome=Grade(value=grade, reasoning=f"{id_} is {grade}", clauses=())
            if grade >= 0
            else Failed(detail="no"),
            reply=Reply(text="", model="m"),
            at="",
            seconds=0,
            attempts=1,
        )
        for repeat, grades in enumerate(answers)
        for id_, grade in grades.items()
    ]
    nothing = Digests(policy="", prompt="", prefix="", shots="", golden="")
    manifest = Manifest(
        name="run",
        created_at="",
        asked=Asked(model="m", policy="p", prompt="p", splits=(), pairs="f", repeats=len(answers)),
        digests=nothing,
        gates="",
        examples=asked or len(answers[0]),
        shots=(),
        harness="",
        python="",
        packages={},
    )
    return PairRun(Path("run"), manifest, under, {record.key: record.outcome for record in records})


PAIRS = [pair("a", "q", 6), pair("b", "q", 2), pair("c", "r", 1), pair("d", "s", 1), pair("e", "s", 5)]
WAS = {"a": 2, "b": 1, "c": 0, "d": 2}
NOW = {"a": 0, "b": 1, "c": 0, "d": 2, "e": 1}


def measured(
    was: dict[str, int] | None = None, now: dict[str, int] | None = None, new: Policy | None = None
) -> Impact:
    return measure_impact(PAIRS, pair_run(policy(), was or WAS), pair_run(new or policy(), now or NOW))


def test_shares_are_weighted_and_unread_pairs_are_left_out() -> None:
    found = measured()
    assert (found.n, found.n_queries, found.unread, found.weighted) == (4, 3, 1, True)
    assert (found.grade_moved.pairs, found.grade_moved.share) == (1, 0.6)
    (way,) = found.action_moves
    assert way.moved.share == found.action_moved.share == 0.6
    assert way.before != way.after
    assert found.grades is not None
    assert found.grades.matrix == ((1, 0, 0), (0, 1, 0), (1, 0, 1))
    rows = [(one.query, one.pairs, one.grades, one.traffic, one.traffic_moved) for one in found.per_query]
    assert rows == [("q", 2, 1, 8, 6), ("r", 1, 0, 1, 0), ("s", 1, 0, 1, 0)]
    assert [(one.id, one.before, one.after) for one in found.moved] == [("a", 2, 0)]
    assert "1 of 5 pairs" in found.warnings[0]


def test_answers_that_never_came_are_counted() -> None:
    gone = pair_run(policy(), {**WAS, "e": -1})
    assert measure_impact(PAIRS, gone, pair_run(policy(), NOW)).unanswered == 1


def test_interval_of_a_weighted_share_is_that_of_a_ratio_and_guarded_above() -> None:
    """By hand: phi = w (x - 0.6) / 2.5 is 0.96, -0.48, -0.24, -0.24; by query 0.48, -0.24, -0.24."""
    found = measured().grade_moved
    half = 4.302652729749462 * (3 / 2 * (0.48**2 + 0.24**2 + 0.24**2)) ** 0.5 / 4  # t(2) at 97.5 %
    assert found.ci == pytest.approx((max(0.0, 0.6 - half), min(1.0, 0.6 + half)), abs=1e-12)
    assert found.guarded is False
    # Half of a query's two pairs, in one query of eight that weigh alike: 1 of 8 is at most 0.5265.
    values, clusters = np.array([1.0] + [0.0] * 15), np.repeat(np.arange(8), 2)
    assert rare_upper(values, np.ones(16), clusters) == pytest.approx(1 - 0.025 ** (1 / 8)), (
        "0.5265097 / 2 is less than the limit of no query at all"
    )
    # Where the rest weighs a hundred times as much, 8 queries are worth 214^2 / (7 x 2^2 + 200^2) of them.
    heavy = np.where(clusters == 7, 100.0, 1.0)
    worth = 214**2 / (7 * 4 + 200**2)
    assert rare_upper(values * 0, heavy, clusters) == pytest.approx(1 - 0.025 ** (1 / worth))
    x = 2 / 214 * worth
    assert rare_upper(values, heavy, clusters, 0.5) == pytest.approx(1 - 0.25 ** (1 / worth))
    wholly = np.repeat([1.0, 0.0], [2, 14])
    assert rare_upper(wholly, heavy, clusters) == pytest.approx(stats.beta.ppf(0.975, x + 1, worth - x))
    assert rare_upper(np.array([1.0] * 5), np.ones(5), np.arange(5)) is None


def test_nothing_that_moves_is_no_proof_that_nothing_would() -> None:
    found = measured(now=WAS)
    assert (found.grade_moved.share, found.action_moves, found.moved) == (0.0, (), ())
    # Clopper and Pearson: 0 of n is at most 1 - 0.025^(1/n); traffic of 8, 1 and 1 is worth 100/66 queries.
    assert found.grade_moved.ci == pytest.approx((0.0, 1 - 0.025**0.66))
    assert (found.grade_moved.guarded, found.grade_moved.reason) == (True, None)
    every = measured(now={"a": 1, "b": 0, "c": 1, "d": 1}).grade_moved
    assert (every.share, every.guarded) == (1.0, True)
    assert every.ci == pytest.approx((0.025**0.66, 1.0))


def test_what_the_teacher_changes_by_itself_is_told_apart() -> None:
    before = pair_run(policy(), NOW, {**NOW, "a": 2, "b": 2})
    found = measure_impact(PAIRS, before, pair_run(policy(), NOW))
    assert found.action_moved.share == 0.0
    assert found.noise is not None
    assert (found.noise.pairs, found.noise.share) == (1, 6 / 15)


def test_pairs_that_nobody_could_read_have_no_share() -> None:
    found = measured(was={"a": -1})
    assert (found.n, found.grade_moved.share, found.grade_moved.ci) == (0, None, None)
    assert "could be read under both" in (found.grade_moved.reason or "")


def test_other_scales_have_no_common_matrix() -> None:
    found = measured(new=policy((0, 1, 2, 3)))
    assert found.grades is None
    assert found.action_moved.pairs >= 1


def written(here: Path, text: str) -> Path:
    path = here / "pairs.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_pairs_are_read_with_their_traffic(here: Path) -> None:
    path = written(
        here, "query,product_id,title,colour,views,grade\nshoe,1,red shoe,red,12.5,4\nhat,2,hat,,0,1\n"
    )
    layout = Layout(columns=parse_columns("item=query+product_id"))
    one, other = read_pairs(path, layout, "views", ("colour",))
    assert (one.id, one.weight, one.pair.result.attributes) == ("shoe|1", 12.5, {"colour": "red"})
    assert (other.weight, other.pair.data()) == (0.0, {"query": "hat", "result": {"title": "hat"}})


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("item,query,title,views\na,q,t,-1\n", "views: '-1' is not a number of 0 or more"),
        ("item,query,title,views\na,q,t,nan\n", "views: 'nan' is not a number"),
        (
            "item,query,title,views\na,,t,1\nb,q,,1\n,q,t,1\n",
            "line 2.*query[\\s\\S]*line 3.*title[\\s\\S]*line 4.*id",
        ),
        ("item,query,title,views\na,q,t,1\na,q,u,1\n", "item 'a' is there twice"),
        ("item,query,title,views\na,q,t,0\n", "no pair has any weight"),
        ("item,query,title\na,q,t\n", "no column 'views'"),
        ("item,query,title,views\n", "holds no pair|no rows|empty"),
        ("item,title,views\na,t,1\n", "no column for query"),
    ],
)
def test_every_faulty_pair_is_named(here: Path, text: str, what: str) -> None:
    with pytest.raises(BadInput, match=what):
        read_pairs(written(here, text), Layout(), "views")


# --- through the run engine -------------------------------------------------------------------------------

N = 20
SHOE = "red shoe"
"""A query that two of the golden shots have."""


@pytest.fixture
def shop(here: Path) -> Path:
    """The small project with a v2 that has another goal, and a file of production pairs."""
    write_project(here)
    text = (here / "policies/small/v1.toml").read_text("utf-8")
    assert 'goal = "Said."' in text
    changed = text.replace('goal = "Said."', 'goal = "Meant."').replace('"v1"', '"v2"')
    (here / "policies/small/v2.toml").write_text(changed, "utf-8")
    rows = [f"p{at},shown {at // 2},thing {at},{at}\n" for at in range(N)]
    (here / "pairs.csv").write_text("item,query,title,views\n" + "".join(rows), "utf-8")
    return here


def strict(number: int, body: dict[str, Any]) -> Turn:
    """A teacher that filters things 0 to 3 under v2, and shows everything else."""
    at = int(item_of(body)["result"]["title"].partition(" ")[2])
    return graded(0 if "Meant." in json.dumps(body) and at < 4 else 2)


def impact(server: FaultServer | None, *words: str) -> Ended:
    at = ("--model", "openai/m", "--base-url", server.url) if server else ()
    return harness("policy", "impact", "small", "--pairs", "pairs.csv", *at, *words, **KEYS)


def pair_runs(here: Path) -> list[Path]:
    return sorted((here / "runs/pairs").iterdir())


def test_a_pair_run_is_one_side_of_a_hunt(shop: Path) -> None:
    """What another teacher says of production pairs, against what the teacher said under v2."""
    with fault_server(strict) as server:
        assert impact(server).code == 0
    (shop / "grades.csv").write_text("item,grade\n" + "".join(f"p{at},2\n" for at in range(N)), "utf-8")
    words = ("--policy", "small@v2", "--model", "replay/grades.csv", "--unproven")
    assert harness("label", "pairs.csv", "-o", "L", *words).code == 0
    under = {load_manifest(run).asked.policy: run for run in pair_runs(shop)}
    against = ("--hunt", "disagree", "--against", under["small@v2"])
    ended = harness("sample", "L", "--n", "9", *against, "-o", "plan.jsonl")
    assert ended.code == 0, ended.err
    assert sorted(one.item for one in load_pair_plan(shop / "plan.jsonl")) == ["p0", "p1", "p2", "p3"]


def test_impact_of_a_change_is_told_in_words_and_figures(shop: Path) -> None:
    with fault_server(strict) as server:
        ended = impact(server, "--json", "--markdown", "page.md")
        weighted = impact(server, "--traffic", "views", "--examples", "1")
        assert len(server.requests) == 2 * N
    found = ended.json
    assert (ended.code, found["before"], found["after"]) == (0, "small@v1", "small@v2")
    assert (found["n"], found["n_queries"], found["weighted"], found["unread"]) == (N, N // 2, False, 0)
    (way,) = found["action_moves"]
    assert (way["before"], way["after"], way["moved"]["share"]) == ("show", "filter", 4 / N)
    assert way["moved"]["ci"][0] < 4 / N < way["moved"]["ci"][1]
    assert [one["query"] for one in found["per_query"][:2]] == ["shown 0", "shown 1"]
    assert {one["id"] for one in found["moved"]} == {"p0", "p1", "p2", "p3"}
    assert found["runs"] == [folder.name for folder in pair_runs(shop)]
    text = " ".join(weighted.out.split())
    assert f"What people see changes for {6 / 190:.1%}" in text and "of the traffic" in text
    assert "show -> filter 4" in text and "p3: shown 1 -> thing 3" in text and "p2:" not in text
    page = (shop / "page.md").read_text("utf-8")
    assert "### From small@v1 to small@v2, on 20 pairs in 10 queries" in page
    assert "| show -\\> filter | 4 | 0.200 |" in page


def test_pair_runs_are_no_evaluations(shop: Path) -> None:
    assert impact(None).code == 0
    (folder, _) = pair_runs(shop)
    assert not (folder / "examples.jsonl").exists() and not (folder / "scorecard.json").exists()
    assert harness("runs", "list", "--json").json == {"runs": []}
    assert "no run" in harness("gate2", "latest").err
    for words in (("gate2",), ("compare", folder), ("baseline", "set"), ("stages", folder)):
        ended = harness(*words, folder)
        assert (ended.code, "use `harness policy impact`" in ended.err) == (2, True), words
    ended = harness("eval", "--resume", folder)
    assert (ended.code, "repeat its `harness policy impact`" in ended.err) == (2, True)
    assert "pairs.csv" in harness("runs", "show", folder, "--json").json["asked"]["pairs"]
    assert not (shop / "golden/small/test-looks.jsonl").exists()


def test_one_withheld_shot_is_counted_in_the_singular(shop: Path) -> None:
    path, words = shop / "golden/small/examples.jsonl", " ".join(f"word{at}" for at in range(30))
    first, *others = path.read_text("utf-8").splitlines(keepends=True)
    path.write_text(json.dumps({**json.loads(first), "result": {"title": words}}) + "\n" + "".join(others))
    with (shop / "pairs.csv").open("a", encoding="utf-8") as file:
        file.write(f"own,{json.loads(first)['query']} two,{words},0\n")
    said = [one for one in impact(None, "--json").json["warnings"] if "withheld" in one]
    assert said == [
        "1 of 6 golden shots is withheld from the teacher: a pair has the query, or nearly the text"
    ]


def test_shots_of_the_pairs_queries_are_kept_from_the_teacher(shop: Path) -> None:
    shot = json.loads((shop / "golden/small/examples.jsonl").read_text("utf-8").splitlines()[0])
    assert shot["split"] == "shots"
    with (shop / "pairs.csv").open("a", encoding="utf-8") as file:
        file.write(f"own,{shot['query'].upper()},something of the shop,0\n")
    found = impact(None, "--json")
    kept = "3 of 6 golden shots are withheld from the teacher: a pair has the query, or nearly the text"
    assert kept in found.json["warnings"]
    assert "6 golden shots were not yet judged under small@v2" not in found.json["warnings"]
    assert "3 golden shots were not yet judged under small@v2" in found.json["warnings"]
    for folder in pair_runs(shop):
        assert shot["query"] not in (folder / "prefix.txt").read_text("utf-8")
        assert shot["id"] in json.loads((folder / "manifest.json").read_text("utf-8"))["shots_dropped"]


def test_shots_for_a_teacher_that_is_sent_no_prompt_are_refused(shop: Path) -> None:
    ended = impact(None, "--shots", "2")
    assert (ended.code, "builtin/lexical is sent no prompt; remove --shots" in ended.err) == (2, True)
    assert not list((shop / "runs").glob("pairs/*"))


@pytest.mark.parametrize("more", [(), ("--no-cache",)])
def test_impact_that_was_stopped_goes_on_and_pays_for_nothing_twice(
    shop: Path, more: tuple[str, ...]
) -> None:
    good = N + 7
    broken = [True]

    def script(number: int, body: dict[str, Any]) -> Turn:
        return error(401, "invalid_api_key") if broken[0] and number >= good else strict(number, body)

    with fault_server(script) as server:
        ended = impact(server, "--max-connections", "1", *more)
        assert (ended.code, "asks no answered question again" in ended.err) == (4, True)
        assert len(server.requests) == good + 1
        there = [(folder / "records.jsonl").read_bytes().count(b"\n") for folder in pair_runs(shop)]
        assert there == [N, 7]
        broken[0] = False
        ended = impact(server, "--json", *more)
        assert (ended.code, ended.json["n"], ended.json["unanswered"]) == (0, N, 0)
        assert (len(server.requests), len(pair_runs(shop))) == (2 * N + 1, 2)
        # Asked once more it is read off the folders, unless it is to be asked anew.
        again = impact(server, "--json", *more)
        assert again.json["action_moved"] == ended.json["action_moved"]
        assert len(server.requests) == 2 * N + 1 + (2 * N if more else 0)


@pytest.mark.slow
def test_kill_loses_what_is_in_flight_and_no_more(shop: Path) -> None:
    with fault_server(lambda n, body: Turn(said=strict(n, body).said, wait=0.03)) as server:
        command = [sys.executable, "-m", "harness", "policy", "impact", "small", "--pairs", "pairs.csv"]
        command += ["--model", "openai/m", "--base-url", server.url, "--max-connections", "2", "--no-cache"]
        running = subprocess.Popen(command, cwd=shop, env={**os.environ, **KEYS}, stderr=subprocess.DEVNULL)
        for _ in range(1000):
            if len(server.requests) >= N + 5:
                break
            time.sleep(0.01)
        running.send_signal(signal.SIGKILL)
        running.wait()
        time.sleep(0.1)
        asked = len(server.requests)
        ended = impact(server, "--json", "--no-cache")
        assert (ended.code, ended.json["n"]) == (0, N)
        assert N + 5 <= asked < 2 * N and len(server.requests) <= 2 * N + 2
        assert len(pair_runs(shop)) == 2


def test_answers_that_never_came_are_left_out_and_asked_again(shop: Path) -> None:
    deaf = [True]

    def script(number: int, body: dict[str, Any]) -> Turn:
        odd = item_of(body)["result"]["title"] == "thing 9"
        return error(400, "bad_request") if deaf[0] and odd else strict(number, body)

    with fault_server(script) as server:
        ended = impact(server, "--json")
        assert (ended.code, ended.json["n"], ended.json["unread"], ended.json["unanswered"]) == (
            4,
            N - 1,
            1,
            2,
        )
        assert "2 questions have no answer; repeat the command" in ended.err
        deaf[0] = False
        before = len(server.requests)
        ended = impact(server, "--json")
        assert (ended.code, ended.json["n"], len(server.requests) - before) == (0, N, 2)


def test_teacher_that_wavers_is_found_out_by_asking_twice(shop: Path) -> None:
    def wavering(number: int, body: dict[str, Any]) -> Turn:
        return graded(0 if number % 5 == 0 else 2)

    with fault_server(wavering) as server:
        found = impact(server, "--twice", "--max-connections", "1", "--json").json
        assert len(server.requests) == 3 * N
        text = " ".join(impact(server, "--twice").out.split())
    assert found["noise"]["pairs"] == 0
    assert "asked twice under small@v1" in text


FAULTS = {
    "no pairs": (("small",), "add --pairs FILE"),
    "no such file": (("small", "--pairs", "nope.csv"), "no such file"),
    "one version": (("small@v1", "small@v1", "--pairs", "pairs.csv"), "name two versions"),
    "two policies": (("small@v1", "other@v2", "--pairs", "pairs.csv"), "two policies"),
    "no such version": (("small@v1", "small@v3", "--pairs", "pairs.csv"), "no version v3"),
    "a replay": (
        ("small", "--pairs", "pairs.csv", "--model", "replay/pairs.csv"), "the same grades under both",
    ),
    "no such prompt": (("small", "--pairs", "pairs.csv", "--prompt", "teacher@v9"), "no version v9"),
}  # fmt: skip


@pytest.mark.parametrize(("words", "what"), FAULTS.values(), ids=FAULTS)
def test_bad_usage_says_what_to_do_and_leaves_nothing(shop: Path, words: tuple[str, ...], what: str) -> None:
    ended = harness("policy", "impact", *words)
    assert (ended.code, what in ended.err, ended.out) == (2, True, "")
    assert not (shop / "runs/pairs").exists()


def test_record_of_another_pair_is_damage(shop: Path) -> None:
    assert impact(None).code == 0
    path = pair_runs(shop)[0] / "records.jsonl"
    path.write_text(re.sub(r"sha256:[0-9a-f]{4}", "sha256:0000", path.read_text("utf-8"), count=1), "utf-8")
    ended = impact(None)
    assert (ended.code, "a record of a pair that the run does not have" in ended.err) == (2, True)


# --- in the check before a version ships ------------------------------------------------------------------


SHIP = ("small@v2", "--pairs", "pairs.csv", "--traffic", "views")


def shipped(server: FaultServer, limit: float | None) -> Ended:
    """The check of v2 with pairs, where a run of it by the server's teacher is there."""
    gates = "" if limit is None else f"impact = {limit}\n"
    Path("policies/small/gates.toml").write_text(gates, "utf-8")
    at = ("--model", "openai/m", "--base-url", server.url)
    if not list(Path("runs").glob("*-test")):
        assert harness("eval", "--policy", "small@v2", "--split", "test", *at, **KEYS).code == 0
    return harness("ship", *SHIP, "--base-url", server.url, "--json", **KEYS)


def test_a_key_goes_to_no_address_that_a_run_alone_names(shop: Path) -> None:
    with fault_server(lambda *asked: graded()) as server:
        at = ("--policy", "small@v2", "--split", "test", "--model", "openai/m", "--base-url", server.url)
        assert harness("eval", *at, **KEYS).code == 0
        asked = len(server.requests)
        refused = harness("ship", *SHIP, **KEYS)
        assert (refused.code, len(server.requests)) == (2, asked)
        assert (
            f"sends your key and the pairs to {server.url}; confirm the address with --base-url"
            in refused.err
        )
        assert harness("ship", *SHIP, OPENAI_BASE_URL=server.url, **KEYS).code != 2
        assert len(server.requests) > asked
    alone = harness("ship", "small@v2", "--base-url", server.url)
    assert (alone.code, "--base-url: only for a file of pairs; add --pairs FILE" in alone.err) == (2, True)


@pytest.mark.parametrize(
    ("limit", "moved", "verdict"),
    [(None, 4, "pass"), (0.7, 4, "pass"), (0.05, 4, "inconclusive"), (0.05, N, "fail")],
)
def test_impact_is_a_step_of_shipping(shop: Path, limit: float | None, moved: int, verdict: str) -> None:
    def teacher(number: int, body: dict[str, Any]) -> Turn:
        word, _, at = item_of(body)["result"]["title"].partition(" ")
        return graded(0 if word == "thing" and int(at) < moved and "Meant." in json.dumps(body) else 2)

    with fault_server(teacher) as server:
        ended = shipped(server, limit)
    step = ended.json["steps"][-1]
    assert (step["name"], step["verdict"]) == ("impact on what people see", verdict), step
    page = harness("ship", *SHIP, "--base-url", server.url, **KEYS).out
    mark = {"pass": "shown" if limit is None else "passed", "inconclusive": "open", "fail": "FAILED"}[verdict]
    assert f"{mark:<8}impact on what people see" in page
    share = sum(range(moved)) / sum(range(N))
    assert f"another action for {share:.1%}" in step["reason"] and "of the traffic" in step["reason"]
    assert (ended.json["impact"]["before"], ended.json["impact"]["model"]) == ("small@v1", "openai/m")


def test_impact_without_a_teacher_or_an_earlier_version_is_not_passed(shop: Path) -> None:
    ended = harness("ship", "small@v2", "--pairs", "pairs.csv", "--json")
    step = ended.json["steps"][-1]
    assert (step["verdict"], step["reason"]) == (
        "inconclusive", "no run names a teacher to grade the pairs",
    )  # fmt: skip
    ended = harness("ship", "small@v1", "--pairs", "pairs.csv")
    assert (ended.code, "is the first version" in ended.err) == (2, True)
    ended = harness("ship", "small@v2", "--traffic", "views")
    assert (ended.code, "add --pairs FILE" in ended.err) == (2, True)


def test_a_grader_that_reads_no_policy_is_said_to_read_none(shop: Path) -> None:
    said = " ".join(impact(None).out.split())
    assert "so this shows nothing of what the change does: by what it learned, another action for" in said
    assert "What people see changes" not in said
    (warning,) = [one for one in impact(None, "--json").json["warnings"] if "reads no policy" in one]
    assert warning.startswith("builtin/lexical") and "--model" in warning
    with fault_server(strict) as server:
        ended = impact(server, "--json")
    assert not [one for one in ended.json["warnings"] if "reads no policy" in one]


def test_impact_by_a_grader_that_reads_no_policy_is_open(shop: Path) -> None:
    assert harness("eval", "--policy", "small@v2", "--split", "test").code == 0
    step = harness("ship", "small@v2", "--pairs", "pairs.csv", "--json").json["steps"][-1]
    assert step["verdict"] == "inconclusive"
    assert step["reason"].startswith("builtin/lexical reads no policy, so it shows nothing of the change")


def test_a_grader_whose_shots_are_all_withheld_says_so(shop: Path) -> None:
    path = shop / "golden/small/examples.jsonl"
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    shots = {one["query"]: None for one in lines if one["split"] == "shots"}
    rows = "".join(f"p{at},{query},thing {at},1\n" for at, query in enumerate(shots))
    (shop / "pairs.csv").write_text("item,query,title,views\n" + rows, "utf-8")
    ended = impact(None)
    assert (ended.code, "shots are withheld, since what is graded has their queries" in ended.err) == (
        2,
        True,
    )
