"""`harness rate`: plan, invite, revoke, status, seal."""

import json
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from builders import examples, harness, policy, policy_text, write_golden, write_project
from rounds import grade

from harness.errors import BadInput
from harness.golden.rating.answers import Answer, AnswerLog
from harness.golden.rating.links import rater_of
from harness.golden.rating.rounds import ANSWERS, PAIRS, SEALED, OpenRound, open_round
from harness.golden.rating.sealing import seal
from harness.score.hunting import disagreeing, unsure
from harness.score.items import GradedItem
from harness.score.items import ItemAnswer as Graded
from harness.score.reading import reading_of
from harness.storage.project import Project

PLAN = ("rate", "plan", "--policy", "small", "--raters", "ann,bob,cy", "--seed", "5")


def planned(here: Path, *more: str) -> OpenRound:
    """A project with a planned round."""
    if not (here / "policies").exists():
        write_project(here, golden=examples(queries=40))
    ended = harness(*PLAN, *more)
    assert ended.code == 0, ended.err
    return open_round(Project(here), "small")


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def answer_all(opened: OpenRound, rater: str, *, but: int = 0) -> None:
    """Grades for all places of a rater, but for the last ones."""
    places = len(opened.assigned(rater)) - but
    with AnswerLog(opened.folder / ANSWERS) as log:
        log.add(rater, [grade(place, place % 3, milliseconds=4000) for place in range(places)])


def test_a_plan_says_what_it_drew_and_what_each_rater_gets(here: Path) -> None:
    write_project(here, golden=examples(queries=40))
    words = ("--pairs", "60", "--by", "grade", "--seconds", "30", "--kind", "human")
    told = harness(*PLAN, *words, "--dry-run")
    assert told.code == 0, told.err
    assert "Round r1 of small@v1: 60 pairs, 3 raters, 132 ratings" in told.out
    assert "grade 0         20           0.667       0" in told.out
    assert "ann       44               2" in told.out
    assert "22" in told.out, "44 pairs of half a minute"
    assert "that would be written to golden/small/rounds/r1" in told.err
    assert not (here / "golden/small/rounds").exists()
    assert not (here / "golden/small/raters.toml").exists()

    given = harness(*PLAN, *words, "--json")
    found = given.json
    assert "next:" not in given.err + told.err
    assert (found["at_random"], found["hunted"], found["by_all"], found["planned"]) == (60, 0, 6, 132)
    assert [one["minutes"] for one in found["raters"]] == [22.0] * 3
    assert [one["pi"] for one in found["strata"]] == [pytest.approx(2 / 3)] * 3
    assert [one["kappa"] for one in found["expected"]] == [0.5, 0.6, 0.7, 0.8, 0.9]
    assert all(0.05 < one["half_width"] < 0.25 for one in found["expected"])
    assert (here / "golden/small/raters.toml").read_text().count('kind = "human"') == 3
    drawn = lines(here / "golden/small/rounds/r1" / PAIRS)
    assert Counter(one["stratum"] for one in drawn) == {"grade 0": 20, "grade 1": 20, "grade 2": 20}


def test_the_same_seed_plans_the_same_and_the_next_round_has_the_next_name(here: Path) -> None:
    first = planned(here, "--pairs", "30")
    assert "next: harness rate --policy small --rater ann" in harness(*PLAN, "--pairs", "30").err
    (here / "golden/small/rounds/r2").rename(here / "unwanted")
    second = planned(here, "--pairs", "30")
    assert (first.round.name, second.round.name) == ("r1", "r2")
    assert first.pairs == second.pairs
    assert first.assignments == second.assignments
    other = planned(here, "--pairs", "30", "--seed", "6", "--name", "again")
    assert other.round.name == "again"
    assert other.pairs != first.pairs
    ended = harness(*PLAN, "--name", "again")
    assert (ended.code, "there is a round 'again' already" in ended.err) == (2, True)


def test_nothing_in_a_code_says_which_pair_it_is(here: Path) -> None:
    first, second = planned(here), planned(here, "--seed", "6")
    codes = {pair.item: code for code, pair in first.pairs.items()}
    others = {pair.item: code for code, pair in second.pairs.items()}
    assert codes.keys() == others.keys()
    assert not set(codes.values()) & set(others.values())
    for code, pair in first.pairs.items():
        assert pair.pair.digest.removeprefix("sha256:")[:8] != code
        assert not any(letter in "0o1il" for letter in code)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--pairs", "1000"), "only 90 different pairs to draw from"),
        (("--split", "shots"), "never graded"),
        (("--disagreements", "latest"), "say how many: --pairs N"),
        (("--random-share", "0.5"), "goes with --disagreements RUN"),
        (("--each", "4"), "only 3 raters to choose from"),
        (("--equal",), "--equal goes with --by"),
        (("--name", "../up"), "is not a name"),
        (("--picture", "image"), "pictures take both"),
        (("--raters", "ann,ann"), "names ann twice"),
        (("--raters", ","), "names no rater"),
    ],
)
def test_what_cannot_be_planned_is_said_and_nothing_written(
    here: Path, words: tuple[str, ...], named: str
) -> None:
    write_project(here, golden=examples(queries=40))
    ended = harness(*PLAN, *words)
    assert ended.code == 2
    assert named in ended.err
    assert not (here / "golden/small/rounds").exists()


def test_a_rater_who_is_something_else_is_refused(here: Path) -> None:
    write_project(here)
    (here / "golden/small/raters.toml").write_text('[bob]\nkind = "llm"\n', encoding="utf-8")
    ended = harness(*PLAN, "--kind", "human")
    assert ended.code == 2
    assert "bob: raters.toml says llm, --kind says human" in ended.err


def test_hunted_pairs_are_those_a_run_got_wrong(here: Path) -> None:
    write_project(here, golden=examples(queries=40))
    assert harness("eval", "--policy", "small", "--model", "builtin/lexical").code == 0
    items = reading_of(Project(here), "latest").items
    wrong = {item.item for item in items if item.answers[0].grade != item.golden}
    for share, at_random in ((None, 10), ("0.3", 6), ("1", 20)):
        more = () if share is None else ("--random-share", share)
        opened = planned(here, "--pairs", "20", "--disagreements", "latest", *more)
        drawn = Counter(pair.drawn for pair in opened.pairs.values())
        assert drawn == {name: n for name, n in (("random", at_random), ("hunted", 20 - at_random)) if n}
        hunted = [pair for pair in opened.pairs.values() if pair.drawn == "hunted"]
        assert {pair.item for pair in hunted} <= wrong
        assert {pair.pi for pair in hunted} <= {None}


def test_reasons_to_hunt_by_hand() -> None:
    def item(id: str, golden: int, *answers: Graded) -> GradedItem:
        return GradedItem(id, id, golden, answers)

    items = [
        item("right", 2, Graded(2, "graded", probabilities={2: 0.9, 0: 0.1})),
        item("off by two", 0, Graded(2, "graded", probabilities={2: 3.0, 0: 1.0})),
        item("unread", 0, Graded(None, "ungraded")),
        item("half", 1, Graded(1, "graded"), Graded(0, "graded")),
    ]
    small = policy()
    found = disagreeing(items, small)
    assert found.keys() == {"off by two", "half"}
    acts = {grade: small.action_of[grade] for grade in small.scale}
    assert found["off by two"] == 2 + 3 * (acts[2] != acts[0])
    assert found["half"] == 0.5 + 3 * 0.5 * (acts[1] != acts[0])
    later = policy((2, 3, 4))
    assert later.action_of[2] != later.action_of[4]
    assert disagreeing([item("far", 2, Graded(4, "graded"))], later) == {"far": 2 + 3}
    # A grade that was given no probability is as unsure as can be.
    assert unsure([item("odd", 2, Graded(1, "graded", probabilities={2: 0.9}))], "run") == {"odd": 1}
    doubts = unsure(items, "run")
    assert doubts == {"right": pytest.approx(0.1), "off by two": pytest.approx(0.25)}
    with pytest.raises(BadInput, match="the answers of run have no probabilities"):
        unsure(items[2:], "run")


def test_links_status_and_seal_from_the_command_line(here: Path) -> None:
    opened = planned(here, "--pairs", "60")
    link = harness("rate", "invite", "ann", "--public-url", "https://rate.example.com/")
    assert link.out.startswith("https://rate.example.com/rate/")
    token = link.out.strip().rpartition("/")[2]
    assert rater_of(opened.folder, token) == "ann"
    assert "not shown again" in link.err
    assert harness("rate", "invite", "eve").code == 2

    answer_all(opened, "ann", but=2)
    with AnswerLog(opened.folder / ANSWERS) as log:
        last = len(opened.assigned("ann")) - 1
        unclear = Answer(event="event-cannot", place=last, kind="cannot", cannot="policy_silent")
        later = Answer(event="event-later", place=last - 1, kind="later")
        log.add("ann", [unclear, later])
    found = harness("rate", "status", "--json").json
    ann, bob, _ = found["raters"]
    places = len(opened.assigned("ann"))
    assert (ann["graded"], ann["cannot"], ann["later"], ann["left"]) == (places - 2, 1, 1, 1)
    assert (ann["seconds"], ann["links"], ann["sealed_at"]) == (4.0, 1, None)
    assert (bob["graded"], bob["seconds"], bob["left"]) == (0, None, len(opened.assigned("bob")))
    assert found["answered"] == places - 1
    told = harness("rate", "status")
    assert f"Round r1 of small@v1: {places - 1} of 132 ratings" in told.out

    assert "1 link of ann" in harness("rate", "revoke", "ann").err
    assert rater_of(opened.folder, token) is None

    sealed = harness("rate", "seal", "--all")
    assert sealed.code == 0
    assert f"{places - 2} ratings, cannot be rated 1, left out 1" in sealed.err
    assert "bob" not in sealed.err
    kept = lines(here / "golden/small/ratings.jsonl")
    assert len(kept) == places - 1
    assert harness("rate", "status", "--json").json["raters"][0]["sealed_at"]
    assert harness("rate", "seal", "bob").code == 2
    assert harness("rate", "seal").code == 2
    assert harness("rate", "seal", "ann", "--all").code == 2


@pytest.mark.parametrize("url", ["rate.example.com", "ftp://a", "https://a/b", "https://u@a", "https://a?b"])
def test_a_public_url_is_an_origin(here: Path, url: str) -> None:
    planned(here)
    ended = harness("rate", "invite", "ann", "--public-url", url)
    assert (ended.code, "is not an address such as" in ended.err) == (2, True)


def test_a_status_never_says_a_grade(here: Path) -> None:
    opened = planned(here)
    answer_all(opened, "ann")
    found = harness("rate", "status", "--json").json
    assert found["raters"][0].keys() == {
        *("rater", "places", "graded", "cannot", "later", "left", "seconds", "sealed_at", "links")
    }


def test_a_long_look_before_later_is_not_the_time_of_a_rating(here: Path) -> None:
    opened = planned(here)
    with AnswerLog(opened.folder / ANSWERS) as log:
        log.add("bob", [grade(0, 1, milliseconds=4000)])
        for place in (1, 2):
            later = Answer(event=f"event-{place}-later", place=place, kind="later", milliseconds=900_000)
            log.add("bob", [later])
    assert harness("rate", "status", "--json").json["raters"][1]["seconds"] == 4.0


def test_a_sealed_line_says_who_when_how_long_and_under_which_policy(here: Path) -> None:
    opened = planned(here, "--pairs", "60")
    answer_all(opened, "ann")
    found = seal(Project(here), opened, "ann", "2026-01-01T00:00:00+00:00")
    assert (found.graded, found.cannot, found.at) == (44, 0, "2026-01-01T00:00:00+00:00")
    kept = {
        (line["item"], line.get("repeat", 0)): line for line in lines(here / "golden/small/ratings.jsonl")
    }
    assert len(kept) == 44
    for one in opened.assigned("ann"):
        pair = opened.pairs[one.code]
        line = kept[pair.item, one.repeat]
        assert line["grade"] == one.place % 3
        assert (line["rater"], line["policy_version"]) == ("ann", "v1")
        assert (line["policy_digest"], line["milliseconds"]) == (opened.round.policy_digest, 4000)
        assert (line["drawn"], line["pi"]) == ("random", pair.pi)
        assert line["at"] > "2026-11"
    assert sum(repeat for _, repeat in kept) == 2


def test_sealing_is_mended_by_sealing_again(here: Path) -> None:
    """A kill between any two of its steps leaves what the next seal completes, and nothing twice."""
    opened = planned(here)
    answer_all(opened, "ann")
    project, ratings = Project(here), here / "golden/small/ratings.jsonl"
    with AnswerLog(opened.folder / ANSWERS) as log:
        log.close_set("ann", "first")
    assert seal(project, opened, "ann", "second").at == "first"
    whole = ratings.read_text(encoding="utf-8")
    (opened.folder / SEALED).unlink()
    assert seal(project, opened, "ann", "third").at == "first"
    assert ratings.read_text(encoding="utf-8") == whole
    assert seal(project, opened, "ann", "fourth").at == "first"
    assert len(lines(opened.folder / SEALED)) == 1
    with AnswerLog(opened.folder / ANSWERS) as log, pytest.raises(BadInput, match="closed"):
        log.add("ann", [grade(0, 1, "event-late")])


def test_what_a_rater_said_before_stays_and_the_new_counts_as_said_again(here: Path) -> None:
    first = planned(here, "--pairs", "60")
    answer_all(first, "ann")
    seal(Project(here), first, "ann", "now")
    before = lines(here / "golden/small/ratings.jsonl")
    ended = harness(*PLAN, "--pairs", "60")
    assert "ann rated 42 of 42 pairs before under v1: the new grades count as repeats" in " ".join(
        ended.out.split()
    )
    again = open_round(Project(here), "small")
    answer_all(again, "ann")
    seal(Project(here), again, "ann", "now")
    after = lines(here / "golden/small/ratings.jsonl")
    assert len(after) == 2 * len(before)
    assert [line for line in after if line in before] == before
    assert max(line.get("repeat", 0) for line in after) == 3


def test_a_pair_with_two_ids_is_rated_once_and_counts_twice(here: Path) -> None:
    one, *rest = [line for line in examples() if line["split"] != "shots"]
    write_project(here, golden=[one, {**one, "id": "twin"}, *rest])
    opened = planned(here, "--each", "1", "--by-all", "0", "--repeated", "0")
    assert len(opened.pairs) == len(rest) + 1
    for rater in ("ann", "bob", "cy"):
        answer_all(opened, rater)
    assert harness("rate", "seal", "--all").code == 0
    kept = lines(here / "golden/small/ratings.jsonl")
    assert len(kept) == len(rest) + 2
    twins = [line for line in kept if line["item"] in (one["id"], "twin")]
    assert len({(line["rater"], line["grade"]) for line in twins}) == 1


def test_a_policy_that_changes_in_the_middle_is_said_and_the_digest_kept(here: Path) -> None:
    opened = planned(here)
    path = here / "policies/small/v1.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("Said.", "Said otherwise."), encoding="utf-8")
    for rater in ("ann", "bob", "cy"):
        answer_all(opened, rater)
    assert "was changed after round r1" in " ".join(harness("rate", "status").out.split())
    assert "was changed after round r1" in harness("rate", "status", "--json").json["policy_changed"]
    assert "was changed after round r1" in harness("rate", "seal", "--all").err
    kept = lines(here / "golden/small/ratings.jsonl")
    assert {line["policy_digest"] for line in kept} == {opened.round.policy_digest}
    count = len(kept)
    warned = f"{count} ratings were given before the text of small@v1 changed"
    assert warned in " ".join(harness("gate1", "--policy", "small").out.split())
    assert warned in " ".join(harness("golden", "lint", "--policy", "small").out.split())


def test_an_answer_that_the_round_cannot_have_is_not_sealed(here: Path) -> None:
    opened = planned(here)
    with AnswerLog(opened.folder / ANSWERS) as log:
        log.add("ann", [grade(0, 9), grade(9999, 1)])
    ended = harness("rate", "seal", "ann")
    assert ended.code == 2
    assert "place 0" in ended.err
    assert "place 9999" in ended.err
    assert not (here / "golden/small/ratings.jsonl").exists()


def test_worked_examples_of_graded_pairs_are_not_shown(here: Path) -> None:
    golden = examples()
    write_project(here, golden=golden)
    query = next(line["query"] for line in golden if line["split"] == "dev")
    path = here / "policies/small/v1.toml"
    boundary = (
        f'\n[[boundaries]]\nquery = "{query}"\nresult = "anything"\nbetween = [0, 1]\ngrade = 1\n'
        'higher = "h"\nlower = "l"\ndecision = "planted-decision"\n'
    )
    path.write_text(path.read_text(encoding="utf-8") + boundary, encoding="utf-8")
    opened = planned(here)
    assert "planted-decision" in (opened.folder / "policy.toml").read_text(encoding="utf-8")
    assert "planted-decision" not in opened.policy.model_dump_json()


def test_a_golden_set_of_one_grade_is_planned_without_an_interval(here: Path) -> None:
    write_project(here)
    write_golden(here, [{**line, "grade": 1} for line in examples()])
    found = harness(*PLAN, "--json").json
    assert found["expected"] == []
    assert "raters.toml does not say what ann, bob, cy are" in found["warnings"][0]
    assert "kappa is undefined" in found["warnings"][1]


def test_a_round_is_kept_out_of_version_control_where_raters_could_read_it(here: Path) -> None:
    opened = planned(here)
    answer_all(opened, "ann")
    with AnswerLog(opened.folder / ANSWERS):
        subprocess.run(["git", "init", "-q", here], check=True)
        listed = subprocess.run(
            ["git", "-C", here, "ls-files", "-o", "--exclude-standard", "golden/small/rounds"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.split()
    names = {Path(one).name for one in listed}
    assert names == {".gitignore", "round.json", "policy.toml", "pairs.jsonl", "assignments.jsonl"}
    ignored = opened.folder.parent / ".gitignore"
    ignored.write_text("# mine\n", encoding="utf-8")
    planned(here)
    assert ignored.read_text(encoding="utf-8") == "# mine\n"


def test_a_policy_without_its_texts_is_planned_with_a_warning(here: Path) -> None:
    planned(here)
    clause = '[[clauses]]\nid = "draft-1"\ntext = "TODO: say what decides."\nwhy = "x"\n'
    path = here / "policies/small/v1.toml"
    path.write_text(policy_text(clauses=clause).replace('title = "', 'title = ""\n# "', 1), encoding="utf-8")
    warned = harness(*PLAN, "--json").json["warnings"]
    assert any("small@v1 is unfinished, and raters would rate by it so" in one for one in warned)


def test_one_person_under_two_names_is_asked_about(here: Path) -> None:
    write_project(here, golden=examples(queries=40))
    (here / "golden/small/raters.toml").write_text('["Cy."]\nkind = "human"\n', encoding="utf-8")
    warned = harness(*PLAN, "--raters", "ann,Ann,cy", "--json").json["warnings"]
    alike = [one for one in warned if "is it one person?" in one]
    assert alike == [
        "Ann, ann differ in capitals, spaces or marks alone: is it one person?",
        "Cy., cy differ in capitals, spaces or marks alone: is it one person?",
    ]


def test_sealing_a_part_says_how_the_round_comes_to_a_verdict(here: Path) -> None:
    opened = planned(here)
    places = len(opened.assigned("ann"))
    answer_all(opened, "ann", but=places - 1)
    said = harness("rate", "seal", "ann", "--policy", "small").err
    assert f"ann can no longer give these {places - 1}" in said
    assert "harness rate close --rater ann --why" in said
    words = ("rate", "close", "--policy", "small", "--rater", "ann", "--why")
    assert "--why: say why" in harness(*words, " ").err
    assert harness(*words, "ill").code == 0
    assert f"ann: {places - 1} missing, no longer waited for since 20" in harness("rate", "status").out
    assert "can no longer give" not in harness("rate", "seal", "ann", "--policy", "small").err


def test_gate1_names_the_round_and_the_versions_that_were_rated(here: Path) -> None:
    opened = planned(here)
    answer_all(opened, "ann")
    ended = harness("gate1", "--policy", "small")
    assert ended.code == 2
    assert "round r1 is open: a verdict takes the planned" in ended.err
    assert "no set is sealed" in ended.err
    harness("rate", "seal", "ann", "--policy", "small")
    text = (here / "policies/small/v1.toml").read_text(encoding="utf-8")
    (here / "policies/small/v2.toml").write_text(text.replace('"v1"', '"v2"'), encoding="utf-8")
    count = len(opened.assigned("ann"))
    said = harness("gate1", "--policy", "small@v2").err
    assert f"no ratings under small@v2; rated are small@v1 ({count})" in said
    assert "--policy small@v1" in said
