"""`harness sample`: inclusion probabilities are true, strata get their due, hunts are no sample."""

import json
import re
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import examples, harness, write_project
from hypothesis import given, settings
from hypothesis import strategies as st
from old_runs import copied
from production import answer_all, label_set, plan, shown_pairs

from harness.errors import BadInput
from harness.golden.rating.pair_plan import PlannedPair, load_pair_plan
from harness.nouns.policy import UNDECIDED
from harness.nouns.records import Grade
from harness.runs.labels import load_labels
from harness.runs.pair_run import load_pair_run, pair_run_names, pairs_folder
from harness.runs.pairs import read_pairs
from harness.score.frame import Frame, frame_of, number_of_pair, parse_by
from harness.score.human_grades import human_grades
from harness.score.other_grades import _votes, other_grades
from harness.score.pilot import spread_of
from harness.score.production_rows import ProductionRows, cells_of, figures_of
from harness.score.sample_files import SampleWanted, _warnings
from harness.score.sampling import (
    Drawn,
    ToDraw,
    draw_sample,
    hunt_disagreeing,
    hunt_unsure,
    shares_of,
    strata_drawn,
)
from harness.scorecards.sample import Hunt
from harness.stats.raters import MISSING
from harness.storage.tables import Layout


def frame(queries: int = 40, seed: int = 1, strata: int = 2) -> Frame:
    """Pairs of queries of unequal size, in strata that cut through some of them."""
    random = np.random.default_rng(seed)
    asked = np.repeat(np.arange(queries), random.integers(1, 9, queries))
    n = len(asked)
    return Frame(
        pairs=np.arange(n, dtype=np.uint64) * np.uint64(7919) % np.uint64(1_000_003),
        queries=asked,
        strata=np.where(random.random(n) < 0.7, asked % strata, 0),
        weight=random.uniform(1, 5, n),
        confidence=random.random(n),
        grade=random.integers(0, 3, n),
        asked=tuple(f"query {at:03}" for at in range(queries)),
        names=tuple(f"s{at}" for at in range(strata)),
        unread=0,
        shots=0,
    )


def test_each_pair_is_drawn_as_often_as_its_probability_says() -> None:
    there, counts = frame(), Counter[int]()
    said: dict[int, float] = {}
    draws = 1_500
    for seed in range(draws):
        for one in draw_sample(there, ToDraw(60, seed)):
            counts[one.at] += 1
            assert one.pi is not None
            assert said.setdefault(one.at, one.pi) == one.pi
    assert set(said) == set(range(len(there)))
    worst = max(abs(counts[at] / draws - pi) / (pi * (1 - pi) / draws) ** 0.5 for at, pi in said.items())
    assert worst < 4.5  # in standard errors, over some 170 pairs


def test_the_weighted_sample_adds_up_to_production() -> None:
    """Horvitz and Thompson's total over many draws."""
    there = frame()
    totals = [
        sum(there.weight[one.at] / (one.pi or 0) for one in draw_sample(there, ToDraw(60, seed, most=2)))
        for seed in range(800)
    ]
    error = np.std(totals) / len(totals) ** 0.5
    assert np.mean(totals) == pytest.approx(there.weight.sum(), abs=4 * error)


@pytest.mark.parametrize("most", [None, 2])
def test_over_queries_each_counts_once_whatever_part_of_it_was_drawn(most: int | None) -> None:
    """Large queries are worse, and so is one stratum that cuts through queries: neither counts for more."""
    there = frame(queries=60)
    sizes = np.bincount(there.queries)[there.queries]
    good = ((there.strata == 0) & (there.pairs % np.uint64(9) > sizes)).astype(np.int64)
    found = []
    for seed in range(300):
        drawn = draw_sample(there, ToDraw(100, seed, {"s0": 1.0, "s1": 4.0}, most))
        human, pi = np.full(len(there), MISSING), np.ones(len(there))
        for one in drawn:
            human[one.at], pi[one.at] = good[one.at], one.pi
        rows = ProductionRows((0, 1), there.queries, 60, good, human, human, human, np.ones(len(there)), pi)
        found.append(cells_of(rows).sums(np.array([0.0, 1.0]), "queries").human_only or 0.0)
    truth = np.mean([good[there.queries == query].mean() for query in range(60)])
    assert np.mean(found) == pytest.approx(truth, abs=0.015)


@given(seed=st.integers(0, 1_000), pairs=st.integers(1, 100), strata=st.integers(1, 4))
@settings(max_examples=50)
def test_whole_queries_come_and_at_least_five_of_each_stratum(seed: int, pairs: int, strata: int) -> None:
    there = frame(seed=seed, strata=strata)
    drawn = draw_sample(there, ToDraw(min(pairs, len(there)), seed))
    taken = {one.at for one in drawn}
    groups = {(int(there.strata[at]), int(there.queries[at])) for at in taken}
    for at in range(len(there)):
        assert (at in taken) is ((int(there.strata[at]), int(there.queries[at])) in groups)
    for one in strata_drawn(there, drawn):
        assert one.drawn_queries >= min(5, one.queries)
        assert one.pi[0] == one.pi[1] == pytest.approx(one.drawn_queries / one.queries)


def test_of_a_stratum_whose_share_is_small_five_queries_are_drawn() -> None:
    there = frame(strata=2)
    assert min(one.queries for one in strata_drawn(there, draw_sample(there, ToDraw(len(there), 1)))) > 5
    assert [one.drawn_queries for one in strata_drawn(there, draw_sample(there, ToDraw(1, 1)))] == [5, 5]


def test_a_part_of_large_queries_has_a_smaller_probability() -> None:
    there = frame()
    drawn = draw_sample(there, ToDraw(60, 1, most=2))
    groups = Counter((there.strata[one.at], there.queries[one.at]) for one in drawn)
    assert max(groups.values()) == 2
    sizes = Counter(zip(there.strata.tolist(), there.queries.tolist(), strict=True))
    whole = {
        there.strata[one.at]: one.pi
        for one in drawn
        if sizes[there.strata[one.at], there.queries[one.at]] <= 2
    }
    for one in drawn:
        size = sizes[there.strata[one.at], there.queries[one.at]]
        assert one.pi == pytest.approx((whole[there.strata[one.at]] or 0) * min(1, 2 / size))


def test_parts_of_queries_add_up_to_about_the_pairs_that_were_asked_for() -> None:
    """With all pairs of a query counted, a third of the queries would be too few."""
    there = frame(200)
    drawn = draw_sample(there, ToDraw(150, 1, most=2))
    assert len(drawn) == pytest.approx(150, rel=0.1)


def test_fewer_pairs_than_asked_for_are_said(root: Path) -> None:
    """At most one pair of each query: not as many queries as pairs."""
    words = "-n", "100", "--most-per-query", "1", "-o", root / "few.jsonl"
    done = harness("sample", root / "labels", *words)
    said = " ".join(f"{done.out} {done.err}".split())
    assert "At most 1 pair of a query are drawn; each pair keeps" in said
    assert "instead of 100: at most 1 of each query are drawn" in said


def test_optimal_allocation_takes_more_of_what_differs_more() -> None:
    there = frame(queries=120)
    sizes = []
    for spread in (None, {"s0": 1.0, "s1": 1.0}, {"s0": 0.5, "s1": 2.0}):
        drawn = draw_sample(there, ToDraw(150, 1, spread))
        sizes.append(sum(there.strata[one.at] == 1 for one in drawn))
    assert sizes[0] == sizes[1] < sizes[2]
    share = float(shares_of(there)[1])
    wanted = 150 * 2 * share / (2 * share + 0.5 * (1 - share))
    assert sizes[2] == pytest.approx(wanted, abs=12)


def test_the_same_seed_draws_the_same_whatever_the_order_of_the_rows() -> None:
    there = frame()
    order = np.random.default_rng(5).permutation(len(there))
    renamed = np.argsort(np.random.default_rng(6).permutation(len(there.asked)))
    turned = replace(
        there,
        pairs=there.pairs[order],
        queries=renamed[there.queries][order],
        strata=there.strata[order],
        weight=there.weight[order],
        asked=tuple(np.array(there.asked)[np.argsort(renamed)].tolist()),
    )
    one, other = (
        {int(of.pairs[drawn.at]) for drawn in draw_sample(of, ToDraw(60, 3))} for of in (there, turned)
    )
    assert one == other
    assert one != {int(there.pairs[drawn.at]) for drawn in draw_sample(there, ToDraw(60, 4))}


def graded(of: Frame) -> dict[int, int]:
    """The grades by the pair's number."""
    return dict(zip(of.pairs.tolist(), of.grade.tolist(), strict=True))


def test_hunts_take_the_least_sure_and_the_farthest_apart() -> None:
    there = frame()
    unsure = hunt_unsure(there, 10)
    assert {one.at for one in unsure} == set(np.argsort(there.confidence)[:10].tolist())
    assert all(one.pi is None for one in unsure)
    other = replace(there, grade=np.where(np.arange(len(there)) % 5 == 0, 2 - there.grade, there.grade))
    found = hunt_disagreeing(there, graded(other), 1_000)
    apart = np.abs(there.grade - other.grade)
    assert [int(apart[one.at]) for one in found] == sorted(apart[apart > 0].tolist(), reverse=True)
    with pytest.raises(BadInput, match=r"give the same grade to every pair that both graded \(\d+\)"):
        hunt_disagreeing(there, graded(there), 10)
    with pytest.raises(BadInput, match="the two graders have no pair in common"):
        hunt_disagreeing(there, {}, 10)
    with pytest.raises(BadInput, match="no probabilities of grades"):
        hunt_unsure(replace(there, confidence=np.full(len(there), np.nan)), 10)


def test_more_than_there_is_cannot_be_drawn() -> None:
    with pytest.raises(BadInput, match="different pair"):
        draw_sample(frame(), ToDraw(10_000, 1))


@pytest.mark.parametrize("text", ["colour", "action,action", "action stratum"])
def test_strata_are_of_what_labels_have(text: str) -> None:
    with pytest.raises(BadInput, match="expected some of action, stratum, grade"):
        parse_by(text)
    assert parse_by("action, stratum") == ("action", "stratum")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with two label sets."""
    folder = tmp_path_factory.mktemp("sampled")
    rows = shown_pairs()
    label_set(folder, rows)
    label_set(folder, [{**row, "teacher": row["truth"]} for row in rows], "others")
    return folder


def drawn(root: Path, *words: str) -> tuple[dict[str, Any], list[PlannedPair]]:
    """The summary and the plan of a command."""
    file = root / "plan.jsonl"
    done = harness("sample", root / "labels", "-o", file, "--overwrite", "--json", *words)
    assert done.code == 0, done.err
    return json.loads(done.out), load_pair_plan(file)


def test_a_plan_has_the_pairs_with_their_probabilities(root: Path) -> None:
    summary, pairs = drawn(root, "--n", "80", "--by", "action,stratum", "--seed", "4")
    rows = {str(row["item"]): row for row in shown_pairs()}
    assert summary["drawn"] == len(pairs) and summary["by"] == "action,stratum"
    assert sum(one["drawn_pairs"] for one in summary["strata"]) == len(pairs)
    assert sum(one["share"] for one in summary["strata"]) == pytest.approx(1)
    for one in pairs:
        assert (one.query, one.result.title) == (rows[one.item]["query"], rows[one.item]["title"])
        assert one.drawn == "random" and one.pi is not None
        assert one.stratum.endswith(str(rows[one.item]["stratum"]))
    assert drawn(root, "--n", "80", "--by", "action,stratum", "--seed", "4")[1] == pairs


@pytest.mark.parametrize(
    ("hunt", "drawn_pairs", "strata", "told"),
    [
        (None, 60, [5, 9], ()),
        (
            None,
            61,
            [5, 9],
            ("61 pairs instead of 50, since whole queries are drawn, and at least 5 of each",),
        ),
        (None, 50, [4, 9], ("1 stratum has fewer than 5 queries in all",)),
        (None, 50, [4, 2], ("2 strata have fewer than 5 queries in all",)),
        ("low-confidence", 50, [], ("hunted pairs find errors, and estimate nothing",)),
        ("low-confidence", 61, [], ("hunted pairs find errors, and estimate nothing",)),
        ("disagree", 49, [], ("hunted pairs find", "nothing more to hunt: 1 pair fewer than asked for")),
        ("disagree", 47, [], ("hunted pairs find", "nothing more to hunt: 3 pairs fewer than asked for")),
    ],
)
def test_what_is_odd_about_a_sample_is_said(
    hunt: Hunt | None, drawn_pairs: int, strata: list[int], told: tuple[str, ...]
) -> None:
    wanted = SampleWanted(Path("labels"), 50, hunt=hunt)
    said = _warnings(wanted, [Drawn(0, 0.5)] * drawn_pairs, strata)
    assert [one[: len(begin)] for one, begin in zip(said, told, strict=True)] == [*told]


def test_rows_without_a_grade_are_counted_and_not_drawn(tmp_path: Path) -> None:
    rows = [
        {**row, "teacher": None if at in (2, 5, 6) else row["teacher"]}
        for at, row in enumerate(shown_pairs())
    ]
    labels = load_labels(label_set(tmp_path, rows))
    frame = frame_of(labels, ())
    assert (frame.unread, frame.shots, len(frame)) == (3, 0, len(rows) - 3)
    done = harness("sample", tmp_path / "labels", "-o", tmp_path / "plan.jsonl", "--n", "20", "--json")
    assert (json.loads(done.out)["unread"], json.loads(done.out)["shots"]) == (3, 0)


def test_actions_that_are_not_decided_are_no_strata(root: Path) -> None:
    labels = load_labels(root / "labels")
    guessed = [one.model_copy(update={"shown": " "}) for one in labels.policy.actions]
    undecided = replace(labels, policy=labels.policy.model_copy(update={"actions": tuple(guessed)}))
    with pytest.raises(BadInput, match=re.escape(f"--by action: {labels.policy.label} {UNDECIDED}")):
        frame_of(undecided, ("action",))
    assert len(frame_of(undecided, ("grade",))) == len(frame_of(labels, ("grade",)))


def test_hunted_pairs_say_so(root: Path) -> None:
    summary, pairs = drawn(root, "--n", "7", "--hunt", "disagree", "--against", str(root / "others"))
    assert summary["hunt"] == "disagree" and summary["strata"] == []
    assert len(pairs) == 7
    assert {(one.drawn, one.pi) for one in pairs} == {("hunted", None)}
    assert all("by the other" in one.reason for one in pairs)
    rows = {str(row["item"]): row for row in shown_pairs()}
    assert all(rows[one.item]["teacher"] != rows[one.item]["truth"] for one in pairs)
    assert any("estimate nothing" in text for text in summary["warnings"])


@pytest.fixture
def beside_a_run(tmp_path: Path) -> tuple[Path, Path]:
    """A project with a run on the golden pairs of dev, and a label set of another teacher of all pairs."""
    golden = examples(queries=8)
    write_project(tmp_path, golden=golden)
    grades = {
        "run.csv": {line["id"]: line["grade"] for line in golden},
        "labels.csv": {
            line["id"]: 2 - line["grade"] if line["query"] == "blue lamp" else line["grade"]
            for line in golden
        },
    }
    for name, said in grades.items():
        rows = "".join(f"{id_},{grade}\n" for id_, grade in said.items())
        (tmp_path / name).write_text("item,grade\n" + rows, encoding="utf-8")
    at = ("--policy", "small", "--root", tmp_path)
    done = harness("eval", *at, "--split", "dev", "--model", f"replay/{tmp_path / 'run.csv'}")
    assert done.code == 0, done.err
    pairs = tmp_path / "golden/small/examples.jsonl"
    model = f"replay/{tmp_path / 'labels.csv'}"
    done = harness("label", pairs, "-o", tmp_path / "labels", "--model", model, "--unproven", *at)
    assert done.code == 0, done.err
    return tmp_path, next(path for path in (tmp_path / "runs").iterdir() if path.name.startswith("2"))


def test_pairs_on_which_a_run_says_otherwise_are_hunted(beside_a_run: tuple[Path, Path]) -> None:
    root, run = beside_a_run
    at = ("--root", str(root))
    for against in ("latest", run.name, str(run)):
        _, pairs = drawn(root, "--n", "9", "--hunt", "disagree", "--against", against, *at)
        assert {one.item: one.reason for one in pairs} == {
            "q1-0": "graded 2, and 0 by the other", "q1-2": "graded 0, and 2 by the other",
        }  # fmt: skip
    assert harness("baseline", "set", run.name, *at).code == 0
    assert len(drawn(root, "--n", "9", "--hunt", "disagree", "--against", "baseline", *at)[1]) == 2


def test_a_run_that_is_not_there_or_on_another_scale_is_refused(
    beside_a_run: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> None:
    root, run = beside_a_run
    words = ("sample", root / "labels", "-o", root / "no.jsonl", "--hunt", "disagree", "--root", root)
    done = harness(*words, "--against", "nowhere")
    assert done.code == 2 and "no run 'nowhere'" in done.err and run.name in done.err
    other = tmp_path_factory.mktemp("finer")
    write_project(other, grades=(0, 1, 2, 3), golden=examples((0, 1, 2, 3)))
    ids = "".join(f"{line['id']},3\n" for line in examples((0, 1, 2, 3)))
    (other / "all.csv").write_text("item,grade\n" + ids, encoding="utf-8")
    done = harness("eval", "--root", other, "--split", "dev", "--model", f"replay/{other / 'all.csv'}")
    assert done.code == 0, done.err
    done = harness(*words[:-1], other, "--against", "latest")
    assert done.code == 2 and "graded on the scale 0, 1, 2, 3; the labels are on 0, 1, 2" in done.err


def test_a_run_over_pairs_has_the_grades_of_its_pairs(tmp_path: Path) -> None:
    project = copied(tmp_path)
    folder = pairs_folder(project) / pair_run_names(project)[0]
    run = load_pair_run(folder)
    found = other_grades(str(folder), run.policy)
    given = {id_: one.value for (id_, _), one in run.outcomes.items() if isinstance(one, Grade)}
    shown = read_pairs(tmp_path / "pairs.csv", Layout())
    pairs = {one.id: one.pair for one in shown}
    assert found.policy == run.policy
    assert found.grades == {number_of_pair(pairs[id_].digest): grade for id_, grade in given.items()}
    assert len(found.grades) == 6


def test_of_a_run_with_repeats_the_vote_counts(tmp_path: Path) -> None:
    found = _votes([("sha256:" + "1" * 64, grade) for grade in (2, 0, 2)] + [("sha256:" + "2" * 64, 1)])
    assert sorted(found.values()) == [1, 2]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--hunt", "disagree"], "--hunt disagree and --against LABELS, or RUN, go together"),
        (["--allocation", "optimal"], "--allocation optimal and --pilot RATINGS go together"),
        (["--hunt", "low-confidence", "--by", "action"], "whatever the strata"),
        (["--hunt", "low-confidence"], "no probabilities of grades"),
        (["--n", "9999"], "different pair"),
    ],
)
def test_what_does_not_go_together_is_refused(root: Path, words: Sequence[str], said: str) -> None:
    done = harness("sample", root / "labels", "-o", root / "no.jsonl", *words)
    assert done.code == 2 and said in done.err
    assert not (root / "no.jsonl").exists()


def test_a_plan_goes_into_a_folder_that_is_there(root: Path) -> None:
    done = harness("sample", root / "labels", "-o", root / "nowhere/plan.jsonl")
    assert done.code == 2 and "no folder" in done.err
    assert "name the file of the plan" in harness("sample", root / "labels").err


def test_a_pilot_says_where_the_teacher_errs_more(tmp_path: Path) -> None:
    """The teacher is always right in the tail, and by chance in the head."""
    rows = shown_pairs(90)
    rows = [
        {**row, "teacher": row["truth"] if row["stratum"] == "tail" else (row["truth"] + i) % 3}
        for i, row in enumerate(rows)
    ]
    label_set(tmp_path, rows)
    lines = [{"item": row["item"], "rater": "ann", "grade": row["truth"], "pi": 0.5} for row in rows[:200]]
    (tmp_path / "pilot.jsonl").write_text(
        "".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8"
    )
    flat, _ = drawn(tmp_path, "--n", "220", "--by", "stratum", "--seed", "1")
    words = ("--allocation", "optimal", "--pilot", str(tmp_path / "pilot.jsonl"))
    best, _ = drawn(tmp_path, "--n", "220", "--by", "stratum", "--seed", "1", *words)
    before, after = ({one["name"]: one["drawn_pairs"] for one in of["strata"]} for of in (flat, best))
    assert after["head"] > before["head"] and after["tail"] < before["tail"]


@pytest.mark.parametrize(("rated", "part"), [(4, 1.0), (5, 0.5)])
def test_a_few_alike_rows_of_a_pilot_say_little_of_their_stratum(
    tmp_path: Path, rated: int, part: float
) -> None:
    """Fewer than five rows of the tail: the spread of all. From five on half of it at least."""
    rows = [{**row, "truth": 1, "teacher": 1} if row["stratum"] == "tail" else row for row in shown_pairs(60)]
    labels = load_labels(label_set(tmp_path, rows))
    tail = [row for row in rows if row["stratum"] == "tail"][:rated]
    head = [
        {**row, "truth": (row["truth"] + at) % 3}
        for at, row in enumerate(row for row in rows if row["stratum"] == "head")
    ]
    lines = [{"item": one["item"], "rater": "ann", "grade": one["truth"]} for one in (*head, *tail)]
    path = tmp_path / "pilot.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    people = human_grades(path, Layout(), labels.policy.scale, labels.policy, None, uniform=True)
    figure = figures_of(labels.policy.scale, labels.policy, None)[0]
    found = spread_of(labels, people, ("stratum",), figure, ("head", "tail", "nobody"))
    assert found["tail"] == pytest.approx(part * found["nobody"]) and found["head"] > found["nobody"]


def test_a_round_of_a_plan_carries_how_its_pairs_were_drawn(root: Path, tmp_path: Path) -> None:
    root = shutil.copytree(root, tmp_path / "own")
    drawn(root, "--n", "30", "--seed", "2")
    opened = plan(root, root / "plan.jsonl", seed=1)
    pairs = {one.item: one for one in load_pair_plan(root / "plan.jsonl")}
    assert opened.round.production
    assert {one.item: (one.drawn, one.pi, one.stratum) for one in opened.pairs.values()} == {
        item: (one.drawn, one.pi, one.stratum) for item, one in pairs.items()
    }
    answer_all(root, opened, lambda rater, item: 1)
    lines = (root / "golden/small/production-ratings.jsonl").read_text(encoding="utf-8").splitlines()
    said = [json.loads(line) for line in lines]
    assert {(one["item"], one["pi"], one["drawn"]) for one in said} == {
        (one.item, one.pi, "random") for one in pairs.values()
    }
    # No gate reads them, and none waits for their round.
    assert not (root / "golden/small/ratings.jsonl").exists()
    done = harness("gate1", "--policy", "small", "--root", root)
    assert done.code == 2 and "has no ratings yet" in done.err


def test_gate_1_does_not_wait_for_a_round_of_production_pairs(root: Path) -> None:
    drawn(root, "--n", "30", "--seed", "3")
    golden = harness("rate", "plan", "--raters", "ann,bob", "--kind", "human", "--root", root, "--name", "g1")
    assert golden.code == 0, golden.err
    from harness.golden.rating.rounds import open_round
    from harness.storage.project import Project

    answer_all(root, open_round(Project(root), "small", "g1"), lambda rater, item: int(item[-1]))
    plan(root, root / "plan.jsonl", name="waits")
    done = harness("gate1", "--policy", "small", "--root", root, "--json")
    found = json.loads(done.out)
    assert found["verdict"] is not None and "waits" not in done.out
    assert not any("round" in text for text in found["warnings"])


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"item": "a", "query": "q", "result": {"title": "t"}, "drawn": "random"}, "drawn random has none"),
        (
            {"item": "a", "query": "q", "result": {"title": "t"}, "drawn": "hunted", "pi": 0.5},
            "hunted has one",
        ),
        ({"item": "a", "query": "q", "result": {"title": "t"}, "drawn": "random", "pi": 1.5}, "pi"),
    ],
)
def test_a_plan_that_was_edited_is_refused(tmp_path: Path, line: dict[str, Any], said: str) -> None:
    file = tmp_path / "plan.jsonl"
    file.write_text(json.dumps(line) + "\n", encoding="utf-8")
    with pytest.raises(BadInput, match=said):
        load_pair_plan(file)


def test_a_plan_has_each_item_once(tmp_path: Path) -> None:
    file = tmp_path / "plan.jsonl"
    one = {"item": "a", "query": "q", "result": {"title": "t"}, "drawn": "random", "pi": 0.5}
    file.write_text((json.dumps(one) + "\n") * 2, encoding="utf-8")
    with pytest.raises(BadInput, match="is there twice"):
        load_pair_plan(file)
    file.write_text("", encoding="utf-8")
    with pytest.raises(BadInput, match="holds no pair"):
        load_pair_plan(file)


def test_pairs_of_a_plan_are_not_drawn_again(root: Path) -> None:
    drawn(root, "--n", "30")
    done = harness(
        "rate", "plan", "--from", root / "plan.jsonl", "--raters", "ann", "--pairs", "5", "--root", root
    )
    assert done.code == 2 and "--pairs: the pairs of --from are drawn already" in done.err


@pytest.mark.parametrize(("most", "told"), [(None, []), (2, ["20 pairs instead of 30: at most 2 of each"])])
def test_a_sample_that_came_out_small_by_chance_blames_no_option(most: int | None, told: list[str]) -> None:
    """Whole queries of unequal size can be fewer pairs than asked for, without --most-per-query."""
    wanted = SampleWanted(Path("labels"), 30, most=most)
    found = _warnings(wanted, [Drawn(at, 0.5) for at in range(20)], [10])
    assert [one[: len(said)] for one, said in zip(found, told, strict=True)] == told
