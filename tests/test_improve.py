"""`harness improve`: what is proposed, what is refused, and when an edit is accepted."""

import json
import random
from collections import Counter
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from builders import example, harness
from fault_server import Turn, error
from improving import (
    GOOD,
    RULE,
    TAGS,
    answer,
    at_random,
    blind_spot,
    golden,
    is_proposing,
    learning,
    project,
    proposal,
    simulated,
    template_in,
    text_of,
    with_shots,
)
from rich.console import Console
from rich.text import Text

from harness.golden.splits import assign_splits
from harness.improve.accepting import chosen, decided
from harness.improve.guard import IN_A_ROW, Guard, tags_of
from harness.improve.parts import LEAST_QUERIES, parts_of
from harness.improve.policy_faults import sorted_out
from harness.improve.reflection import read_proposal
from harness.improve.search import Search, _Batches, _Enough, closeness
from harness.improve.shot_search import _step
from harness.nouns.base import Interval
from harness.nouns.pair import Example
from harness.nouns.records import Reply
from harness.policy.load import load_policy
from harness.prompting.prompt import PromptWriter, bind_prompt, load_prompt
from harness.report.improve import improvement_view
from harness.score.items import GradedItem, ItemAnswer
from harness.scorecards.comparison import Change
from harness.scorecards.improvement import Candidate, Improvement, Part, PolicyFault
from harness.storage.project import Project
from harness.storage.versions import with_list


def search(root: Path, url: str, *words: str) -> Any:
    return harness(
        "improve", "teacher@v1", "--model", "openai/sim", "--base-url", url, "--root", root, "--json", *words
    )


def pairs_of(made: list[dict[str, Any]]) -> list[Example]:
    return [Example.model_validate(one) for one in made]


@pytest.fixture
def writer(tmp_path: Path) -> PromptWriter:
    made = project(tmp_path, golden())
    policy = load_policy(tmp_path / "policies/small/v1.toml")
    return bind_prompt(load_prompt(made, "teacher@v1"), policy, ())


def test_a_blind_spot_is_found_and_written_as_a_draft(tmp_path: Path) -> None:
    project(tmp_path, golden())
    with simulated(blind_spot) as server:
        found = search(tmp_path, server.url, "--proposals", "2").json
    assert found["draft"] == "teacher@v2"
    best = next(one for one in found["candidates"] if one["number"] == found["chosen"])
    assert best["accepted"]
    assert best["select"]["ci"][0] > 0
    assert best["p_holm"] <= 0.05
    assert best["inflation"] == pytest.approx(best["propose"]["delta"] - best["select"]["delta"])
    draft = tmp_path / "prompts/teacher/v2"
    assert RULE in (draft / "system.j2").read_text(encoding="utf-8")
    assert "released = true" not in (draft / "prompt.toml").read_text(encoding="utf-8")
    origin = json.loads((draft / "improved.json").read_text(encoding="utf-8"))
    assert origin["from"] == "teacher@v1"
    proposed = {id_ for edit in origin["edits"] for id_ in edit["items"]}
    refills = {one["id"] for one in golden() if "refill" in one["result"]["title"]}
    assert proposed & refills


def test_the_same_search_again_asks_nothing_and_writes_no_second_draft(tmp_path: Path) -> None:
    project(tmp_path, golden())
    with simulated(blind_spot) as server:
        first = search(tmp_path, server.url, "--proposals", "2").json
        asked = len(server.requests)
        again = search(tmp_path, server.url, "--proposals", "2").json
        assert len(server.requests) == asked
        assert again == {**first, "answers": 0}
        assert not (tmp_path / "prompts/teacher/v3").exists()
        # An edited draft is not what was accepted.
        draft = tmp_path / "prompts/teacher/v2/system.j2"
        accepted = draft.read_text(encoding="utf-8")
        draft.write_text(accepted + "Be quick.", encoding="utf-8")
        assert search(tmp_path, server.url, "--proposals", "2").json["draft"] == "teacher@v3"
    assert (tmp_path / "prompts/teacher/v3/system.j2").read_text(encoding="utf-8") == accepted


def test_a_search_that_was_stopped_goes_on_and_asks_nothing_twice(tmp_path: Path) -> None:
    project(tmp_path, golden())
    gone: list[int] = []

    def dying(asked: dict[str, Any], dice: random.Random) -> Turn:
        """A teacher whose quota is spent after 150 answers, once."""
        gone.append(1)
        return error(402, message="no money") if len(gone) == 150 else blind_spot(asked, dice)

    with simulated(dying) as server:
        stopped = search(tmp_path, server.url, "--proposals", "2", "--max-connections", "1")
        assert stopped.code == 4, stopped.err
        assert "the same command goes on from here" in stopped.err
        whole = search(tmp_path, server.url, "--proposals", "2", "--max-connections", "1").json
        texts = [text_of(asked) for asked in server.requests]
    # The one that was turned away is asked again.
    assert len(texts) == len(set(texts)) + 1
    assert whole["draft"] == "teacher@v2"


def test_labels_at_random_bring_no_draft(tmp_path: Path) -> None:
    project(tmp_path, golden(40, labels=random.Random(3)))
    with simulated(at_random) as server:
        found = search(tmp_path, server.url, "--proposals", "5").json
    assert found["chosen"] is found["draft"] is None
    assert found["proposals"] == 5
    # Some were tried, and refused.
    assert found["candidates"] and all(one["why"] for one in found["candidates"])
    assert not (tmp_path / "prompts/teacher/v2").exists()


def test_nothing_of_select_or_test_is_shown_to_the_proposer(tmp_path: Path) -> None:
    pairs = golden(24)
    for one in pairs[-8:]:
        one["split"] = "test"
    project(tmp_path, pairs)
    parts = parts_of([one for one in pairs_of(pairs) if one.split == "dev"], 0)
    unseen = [one.result.title for one in (*parts.select, *pairs_of(pairs[-8:]))]
    with simulated(blind_spot) as server:
        search(tmp_path, server.url, "--proposals", "2")
        told = [text_of(asked) for asked in server.requests if is_proposing(asked)]
        graded = [
            str(asked["messages"][-1]["content"]) for asked in server.requests if not is_proposing(asked)
        ]
    assert told
    assert not [title for title in unseen for text in told if title in text]
    assert not [text for text in graded for one in pairs[-8:] if one["result"]["title"] in text]


def test_disagreements_on_which_the_raters_differ_are_for_the_author(tmp_path: Path) -> None:
    pairs = golden(24)
    project(tmp_path, pairs)
    split = [one["id"] for one in pairs if "refill" in one["result"]["title"]]
    lines = [
        {"item": id_, "rater": rater, "grade": grade, "policy_version": "v1"}
        for id_ in split
        for rater, grade in (("ann", 0), ("bob", 2))
    ]
    path = tmp_path / "golden/small/ratings.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    with simulated(blind_spot) as server:
        found = search(tmp_path, server.url, "--proposals", "2").json
        told = [text_of(asked) for asked in server.requests if is_proposing(asked)]
    (fault,) = found["policy_faults"]
    assert fault["clause"] == "plain"
    # The others have no ratings at all.
    assert found["unrated"] == found["disagreements"] > 0
    assert set(fault["items"]) <= set(split)
    assert all(given == [0, 2] for given in fault["items"].values())
    assert told and not [text for text in told if "refill pack" in text]


def test_too_few_queries_are_refused_before_anything_is_asked(tmp_path: Path) -> None:
    project(tmp_path, golden(2 * LEAST_QUERIES - 1))
    with simulated(blind_spot) as server:
        refused = search(tmp_path, server.url)
        assert refused.code == 2
        assert "dev has 19 queries: 10 to propose from and 9 to accept on" in refused.err
        assert not server.requests


def test_both_parts_have_whole_queries_and_every_grade() -> None:
    pairs = pairs_of(golden(2 * LEAST_QUERIES))
    parts = parts_of(pairs, 7)
    one, other = ({pair.cluster for pair in part} for part in parts)
    assert not one & other
    assert len(one) == len(other) == LEAST_QUERIES
    assert {pair.grade for pair in parts.propose} == {pair.grade for pair in parts.select} == {0, 1, 2}
    assert parts_of(pairs, 7) == parts
    assert parts_of(pairs, 8) != parts


def test_queries_of_unequal_size_are_dealt_again_until_both_parts_have_enough() -> None:
    """Of these 22 queries every other seed deals fewer than ten into a part."""
    by_chance = random.Random(4)
    pairs = [
        example(f"q{query}-{at}", query=f"q{query} thing", result={"title": f"t{query}x{at} u{query}y{at}"},
                grade=by_chance.choice((0, 1, 2)))
        for query in range(22) for at in range(by_chance.choice((1, 1, 2, 3, 5, 8)))
    ]  # fmt: skip
    few = 0
    for seed in range(20):
        parts = parts_of(pairs, seed)
        counts = [len({pair.cluster for pair in part}) for part in parts]
        assert min(counts) >= LEAST_QUERIES and sum(counts) == 22 and parts_of(pairs, seed) == parts
        dealt = assign_splits([(one.query, one.grade) for one in pairs], (0, 50, 50), seed)
        few += min(Counter(dealt.values()).values()) < LEAST_QUERIES
    assert few >= 3


@pytest.mark.parametrize(
    ("model", "why"),
    [
        ("builtin/lexical", " reads no prompt"),
        ("replay/grades.csv", " reads no prompt"),
        ("recorded/claude", ": its replies are to the prompts of then, and none is to an edit"),
    ],
)
def test_a_teacher_that_reads_no_edit_is_refused(tmp_path: Path, model: str, why: str) -> None:
    project(tmp_path, golden())
    refused = harness("improve", "--model", model, "--root", tmp_path, "--dry-run")
    assert refused.code == 2
    assert f"{model}{why}" in refused.err


def test_a_dry_run_asks_nothing_and_says_the_most_that_would_be_asked(tmp_path: Path) -> None:
    project(tmp_path, golden())
    with simulated(blind_spot) as server:
        foreseen = search(tmp_path, server.url, "--proposals", "2", "--dry-run").json
        more = search(tmp_path, server.url, "--proposals", "9", "--dry-run").json
        assert not server.requests
        search(tmp_path, server.url, "--proposals", "2")
        proposals = sum(map(is_proposing, server.requests))
        answers = len(server.requests) - proposals
    assert foreseen["propose"] == foreseen["select"] == {"n": 96, "queries": 24}
    # 96 for the first prompt, 112 for each of 2 proposals, 96 for each of 3 that may be tried.
    assert foreseen["answers"] == 96 + 2 * 112 + 3 * 96
    # Of nine proposals the five best are tried, beside the first prompt.
    assert more["answers"] == 96 + 9 * 112 + 6 * 96
    assert answers <= foreseen["answers"]
    assert proposals <= foreseen["proposals"] == 2


def test_a_dry_run_costs_by_the_answer_at_the_vendor_and_has_no_price_elsewhere(tmp_path: Path) -> None:
    project(tmp_path, golden(2 * LEAST_QUERIES))
    words = ("improve", "teacher@v1", "--model", "openai/gpt-4.1", "--root", tmp_path, "--dry-run", "--json")
    two, nine = (harness(*words, "--proposals", count).json for count in ("2", "9"))
    assert two["reason"] is None and two["cost"] > 0
    # At the most that a run over both parts costs by the answer.
    run = (
        "eval",
        "--policy",
        "small",
        "--prompt",
        "teacher@v1",
        "--model",
        "openai/gpt-4.1",
        "--split",
        "dev",
    )
    whole = harness(*run, "--root", tmp_path, "--dry-run", "--json").json
    assert whole["requests"] == two["propose"]["n"] + two["select"]["n"]
    for found in (two, nine):
        assert found["cost"] == pytest.approx(
            whole["cost"]["plain"]["high"] * found["answers"] / whole["requests"]
        )
    elsewhere = harness(*words, "--proposals", "2", "--base-url", "http://127.0.0.1:9/v1").json
    assert elsewhere["cost"] is None and "it is asked at http://127.0.0.1:9/v1" in elsewhere["reason"]


def test_max_cost_stops_a_search_over_both_models(tmp_path: Path) -> None:
    project(tmp_path, golden())
    prices = '[models."openai/sim"]\ninput = 1000.0\noutput = 1000.0\n'
    (tmp_path / "prices.toml").write_text(prices, encoding="utf-8")
    with simulated(blind_spot) as server:
        stopped = search(tmp_path, server.url, "--max-cost", "40", "--max-connections", "1")
        asked = len(server.requests)
        again = search(tmp_path, server.url, "--max-cost", "40", "--max-connections", "1")
        assert stopped.code == again.code == 4, stopped.err
        assert "--max-cost" in stopped.err
        # What was spent before counts: no further call fits, of whichever model.
        assert len(server.requests) == asked
        assert sum(map(is_proposing, server.requests)) > 0


SYSTEM = TAGS + "Judge fairly."


@pytest.mark.parametrize(
    ("proposed", "why"),
    [
        (SYSTEM + " ", "changes nothing"),
        (SYSTEM + "\n{{ policy.name }}", "changes the tags"),
        (SYSTEM.replace("{{ policy.goal }}", ""), "changes the tags"),
        (SYSTEM + "\n{# open", "not a template"),
        (SYSTEM + "\nA red tin box is what they want.", "says the query of a"),
        (SYSTEM + "\nAs in: Big RED box, 5 litres!", "says the title of a"),
        (SYSTEM + "\none two three four five six seven eight", f"says {IN_A_ROW} words in a row of a"),
        (SYSTEM + "\none two three four five six seven", None),
        (SYSTEM + "\nA box is a box.", None),
        (SYSTEM + "\nA \u200bbox.", "has 1 character that nobody sees (U+200B)"),
        (SYSTEM + "\n\x1b]0;A\x07box.", "has 2 characters that nobody sees (U+0007, U+001B)"),
        (SYSTEM + "\n\u202eA box.", "U+202E"),
        (SYSTEM + "\n\U000e0041 box.", "U+E0041"),
        (SYSTEM + "\n\u3164 box.", "U+3164"),
        # What hides the words of a graded pair from a comparison of words.
        (SYSTEM + "\nt\u200din b\u200dox", "U+200D"),
        (SYSTEM + "\n\tUne boîte, 箱 \u26a0\ufe0f.", None),
        (SYSTEM + "x" * (2 * len(SYSTEM) + 4_000), None),
        (SYSTEM + "x" * (2 * len(SYSTEM) + 4_001), "is longer than"),
    ],
)
def test_what_an_edit_may_not_be(writer: PromptWriter, proposed: str, why: str | None) -> None:
    graded = example(
        query="tin box",
        result={
            "title": "Big red box 5 litres",
            "description": "one two three four five six seven eight nine",
        },
    )
    refusal = Guard(SYSTEM, [graded]).refusal(proposed, SYSTEM, writer)
    assert refusal is None if why is None else refusal is not None and why in refusal


def test_what_is_unseen_in_the_prompt_already_may_stay(writer: PromptWriter) -> None:
    base = SYSTEM + " \u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"
    assert Guard(base, []).refusal(base + " Mind the box.", base, writer) is None
    assert Guard(base, []).refusal(base + " Mind\u200b the box.", base, writer)


def test_what_the_prompt_says_already_is_no_leak(writer: PromptWriter) -> None:
    graded = example(query="judge fairly", result={"title": "Judge fairly now"})
    assert Guard(SYSTEM, [graded]).refusal(SYSTEM + "\nAnd calmly.", SYSTEM, writer) is None


def test_a_query_of_one_word_is_a_word_of_the_language(writer: PromptWriter) -> None:
    one, two = (
        Guard(SYSTEM, [example(query=query, result={"title": "Jug"})]).refusal(
            SYSTEM + "\nA box lid, or a jug.", SYSTEM, writer
        )
        for query in ("box", "box lid")
    )
    assert one is None and two is not None and two.startswith("says the query of")


def test_tags_are_compared_without_comments_and_spaces() -> None:
    assert tags_of("{# why #}a {{ x }} b") == tags_of("{{x}} {# other #}")
    assert tags_of("{{ x }}{{ y }}") != tags_of("{{ y }}{{ x }}")


@pytest.mark.parametrize(
    ("text", "system", "refused"),
    [
        ("Why.\n<template>\na\nb\n</template>", "a\nb\n", None),
        ("Why.\n<template>\na ``` b\n</template>\n", "a ``` b\n", None),
        ('{"grade": 1}', None, "no template"),
        ("<template>\na\n</template>\n<template>\nb\n</template>", None, "2 templates"),
        ("<template>\na", None, "no template"),
        ("</template>\na\n<template>", None, "no template"),
        ("  <template>  \r\na\n</template>", "a\n", None),
        ("Why.\r\n<template>\r\na\r\nb\r\n</template>\r\n", "a\nb\n", None),
        ("<template>\n" * 200_000, None, "no template"),
    ],
)
def test_reading_a_proposal(text: str, system: str | None, refused: str | None) -> None:
    found = read_proposal(Reply(text=text, model="m"))
    assert found.system == system
    assert refused is None if found.refused is None else refused and refused in found.refused


def test_a_note_has_nothing_that_nobody_sees() -> None:
    reply = Reply(text="Says\u202e \x1b[31mmore\u200b.\n<template>\na\n</template>", model="m")
    assert read_proposal(reply).note == "Says [31mmore."


def test_a_proposal_that_was_cut_off_is_none() -> None:
    reply = Reply(text="<template>\na\n</template>", model="m", stop="cut_off")
    assert read_proposal(reply).refused == "the reply ended with cut_off"


def test_proposals_that_cannot_be_used_are_counted_by_reason(tmp_path: Path) -> None:
    project(tmp_path, golden())

    def stubborn(asked: dict[str, Any], dice: random.Random) -> Turn:
        if is_proposing(asked):
            return proposal(f"{template_in(asked)}\n{{{{ policy.name }}}} {dice.random()}")
        return blind_spot(asked, dice)

    with simulated(stubborn) as server:
        found = search(tmp_path, server.url, "--proposals", "3").json
    assert found["candidates"] == []
    assert sum(found["refused"].values()) == found["proposals"] == 3


def test_a_teacher_without_disagreements_is_left_as_it_is(tmp_path: Path) -> None:
    project(tmp_path, golden())

    def perfect(asked: dict[str, Any], dice: random.Random) -> Turn:
        return answer(int(text_of(asked).rpartition(" g")[2][0]))

    with simulated(perfect) as server:
        ended = harness("improve", "--model", "openai/sim", "--base-url", server.url, "--root", tmp_path)
        assert not any(map(is_proposing, server.requests))
    assert ended.code == 0
    assert "The teacher agrees with every pair to propose from." in ended.out.replace("\n", " ")
    assert "openai/sim has no disagreement to learn from, so that nothing was proposed." in ended.out


def test_an_answer_that_cannot_be_read_is_a_disagreement_and_counted() -> None:
    items = [item(None, 1), item(0, 1), item(1, 1)]
    found = sorted_out([example("a"), example("b"), example("c")], items, ())
    assert (found.wrong, found.unread, found.faults) == ((0, 1), 1, ())


def made(**changes: Any) -> Improvement:
    """A search that found nothing."""
    part = Part(n=48, queries=12)
    found = Improvement(
        prompt="teacher@v1", policy="small@v1", model="openai/m", proposed_by="openai/m", seed=0,
        weighting="none", propose=part, select=part, disagreements=9, proposals=3, refused={}, candidates=(),
        answers=0, test=0,
    )  # fmt: skip
    return found.model_copy(update=changes)


def shown(found: Improvement) -> str:
    lines = [str(one) for one in improvement_view(found, Project(Path())) if isinstance(one, Text)]
    return " ".join(lines)


def test_each_sentence_fits_what_was_searched_for() -> None:
    words = shown(made())
    assert (
        "No edit of teacher@v1 is surely better" in words
        and "Next: more golden pairs in dev, or more proposals" in words
    )
    # Proposals are held against the texts of test, so that it is read, and not graded.
    assert "test is not graded" in words
    shots = shown(made(proposed_by=None))
    assert "No other set of shots for teacher@v1 is surely better" in shots
    assert "3 other sets of shots were tried" in shots and "edit" not in shots
    assert "9 disagreements to learn from (4 without a readable grade)" in shown(made(unread=4))
    # What is unknown is not none.
    fewer = "8 of the disagreements have fewer than two ratings: it is unknown whether the policy is at fault"
    assert fewer in shown(made(unrated=8)) and "1 of the disagreements has" in shown(made(unrated=1))
    assert "two ratings" not in words
    # Nobody is sent to look until chance accepts.
    assert (
        "another seed" not in words
        and "Repeated searches accept by chance in the end: a draft has to hold on test" in words
    )
    withheld = shown(made(disagreements=0, policy_faults=(PolicyFault(clause=None, items={"a": (0, 2)}),)))
    assert "agrees with every pair to propose from that is not withheld." in withheld


def test_clauses_are_proposed_to_the_author_with_what_the_raters_gave() -> None:
    many = {f"p{at}": (0, 2) for at in range(7)}
    faults = (PolicyFault(clause="accessory", items={"a": (1, 2, 2)}), PolicyFault(clause=None, items=many))
    found = made(policy_faults=faults)
    with StringIO() as out:
        Console(file=out, width=80).print(*improvement_view(found, Project(Path())), sep="\n")
        told = " ".join(out.getvalue().split())
    assert "For the policy's author, withheld: the raters differ there too" in told
    assert "sharpen accessory, 1 pair: a (1, 2, 2)" in told
    assert "write a clause (the golden answers name none), 7 pairs: p0 (0, 2), p1 (0, 2)" in told
    assert told.count("(0, 2)") == 5 and "and 2 more" in told


def test_what_is_odd_is_said_before_anything_is_asked(tmp_path: Path) -> None:
    """An empty policy, and shots that show a bare grade: as `harness eval` says."""
    project(tmp_path, golden())
    path = tmp_path / "policies/small/v1.toml"
    text = path.read_text("utf-8")
    path.write_text(text.replace('definition = "Said."', 'definition = ""', 1), encoding="utf-8")
    with simulated(blind_spot) as server:
        foreseen = search(tmp_path, server.url, "--dry-run")
        ended = search(tmp_path, server.url, "--proposals", "1")
    (told,) = [one for one in foreseen.json["warnings"] if "is not finished" in one]
    assert ended.err.count("small@v1 is not finished (1 empty text)") == 1 and "1 empty text" in told


def test_an_edit_after_which_fewer_answers_can_be_read_is_not_accepted(tmp_path: Path) -> None:
    project(tmp_path, golden())

    def mute(asked: dict[str, Any], dice: random.Random) -> Turn:
        """The edit cures the blind spot, and has the teacher say nothing of every third query."""
        text = text_of(asked)
        if RULE in text and not is_proposing(asked) and "number3" in str(asked["messages"][-1]["content"]):
            return answer(9)
        return blind_spot(asked, dice)

    with simulated(mute) as server:
        found = search(tmp_path, server.url, "--proposals", "3").json
    cured = [one for one in found["candidates"] if RULE in one["template"]]
    assert cured
    assert all(one["unread"] > one["unread_base"] for one in cured)
    assert all(one["why"] == "more answers cannot be read than before" for one in cured)
    assert found["draft"] is None


@pytest.mark.slow
def test_the_shot_that_helps_is_found_and_pinned_in_a_draft(tmp_path: Path) -> None:
    with_shots(tmp_path)
    with simulated(learning) as server:
        found = search(tmp_path, server.url, "--shots", "--proposals", "25").json
        assert not any(map(is_proposing, server.requests))
    assert found["proposed_by"] is None
    assert found["draft"] == "teacher@v2"
    best = next(one for one in found["candidates"] if one["number"] == found["chosen"])
    assert "shot-7" in best["shots"]
    assert len(best["shots"]) == 4
    assert any("shows shot-7 in the place of shot-" in edit["note"] for edit in best["edits"])
    made = Project(tmp_path)
    files = load_prompt(made, "teacher@v2")
    assert list(files.spec.chosen) == best["shots"]
    assert files.system == load_prompt(made, "teacher@v1").system
    shown = harness("prompt", "render", "teacher@v2", "--root", tmp_path, "--item", "q0-0").out
    assert GOOD in shown


def test_a_chosen_shot_that_may_not_be_shown_is_refused(tmp_path: Path) -> None:
    with_shots(tmp_path)
    spec = tmp_path / "prompts/teacher/v1/prompt.toml"
    spec.write_text(
        spec.read_text(encoding="utf-8")
        + 'chosen = ["shot-3", "q0-0", "gone", "shot-4", "shot-4", "gone"]\n',
        encoding="utf-8",
    )
    refused = harness("prompt", "render", "teacher@v1", "--root", tmp_path)
    assert refused.code == 2
    assert "chosen: q0-0 may not be shown" in refused.err
    assert "chosen: gone may not be shown" in refused.err
    assert "prompt.toml: chosen: shot-4 is named 2 times; name it once" in refused.err
    assert "prompt.toml: chosen: gone is named 2 times; name it once" in refused.err
    assert "shot-3" not in refused.err
    # A prompt without shots shows none of them, and what is chosen does not matter.
    assert harness("prompt", "render", "teacher@v1", "--root", tmp_path, "--shots", "0").code == 0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('"shot-3"', 'chosen: expected a list of ids, or no such key, not "shot-3"'),
        ("[]", "chosen: expected a list of ids, or no such key, not []"),
        ("3", "chosen: expected a list of ids, or no such key, not 3"),
        ('["shot-3", 3, ""]', "chosen[2]: input should be a valid string, not 3"),
        ('["shot-3", 3, ""]', "chosen[3]: string should have at least 1 character"),
    ],
)
def test_what_is_chosen_is_a_list_of_ids(tmp_path: Path, text: str, told: str) -> None:
    with_shots(tmp_path)
    spec = tmp_path / "prompts/teacher/v1/prompt.toml"
    spec.write_text(f"{spec.read_text(encoding='utf-8')}chosen = {text}\nmore = 1\n", encoding="utf-8")
    refused = harness("prompt", "render", "teacher@v1", "--root", tmp_path)
    assert refused.code == 2
    assert f"prompt.toml: {told}" in refused.err
    assert "more: unknown key" in refused.err


def test_chosen_shots_are_shown_in_their_order_and_as_many_as_wanted(tmp_path: Path) -> None:
    with_shots(tmp_path)
    spec = tmp_path / "prompts/teacher/v1/prompt.toml"
    text = spec.read_text(encoding="utf-8").replace("shots = 4\n", "")
    spec.write_text(text + 'chosen = ["shot-9", "shot-3", "shot-5"]\n', encoding="utf-8")
    shown = harness("prompt", "render", "teacher@v1", "--root", tmp_path).out
    assert shown.index("shown 9") < shown.index("shown 3") < shown.index("shown 5")
    two = harness("prompt", "render", "teacher@v1", "--root", tmp_path, "--shots", "2").out
    assert "shown 3" in two and "shown 5" not in two


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ('name = "a"\n', 'name = "a"\nchosen = ["x", "y"]\n'),
        ('name = "a"\nchosen = [\n  "old",\n]\n', 'name = "a"\nchosen = ["x", "y"]\n'),
        (
            'name = "a"\n[more]\nchosen = ["z"]\n',
            'name = "a"\nchosen = ["x", "y"]\n\n[more]\nchosen = ["z"]\n',
        ),
    ],
)
def test_a_list_is_put_above_the_first_table(text: str, made: str) -> None:
    assert with_list(text, Path("prompt.toml"), "chosen", ["x", "y"]) == made


def test_words_and_shots_cannot_be_searched_for_at_once(tmp_path: Path) -> None:
    project(tmp_path, golden())
    refused = harness(
        "improve", "--model", "openai/x", "--shots", "--proposer", "openai/y", "--root", tmp_path
    )
    assert refused.code == 2
    assert "--shots asks no model for proposals" in refused.err


def test_a_search_fits_a_terminal(tmp_path: Path) -> None:
    project(tmp_path, golden())
    with simulated(blind_spot) as server:
        words = ("improve", "teacher@v1", "--model", "openai/sim", "--base-url", server.url)
        ended = harness(*words, "--proposals", "2", "--root", tmp_path)
    assert "teacher@v2 is better than teacher@v1" in ended.out
    assert max(map(len, ended.out.splitlines())) <= 80
    assert not [line for line in ended.out.splitlines() if line.endswith(" ")]


def tried(delta: float | None, p: float | None, *, unread: int = 0, low: float = 0.0) -> Candidate:
    """A candidate that was tried on select."""
    change = Change(base=0.5, candidate=0.6, delta=delta, p=p, ci=Interval(low, 1.0))
    return Candidate(
        number=1, template="t", edits=(), propose=change, select=change, unread=unread, unread_base=2
    )


@pytest.mark.parametrize(
    ("candidates", "why"),
    [
        ([tried(0.1, 0.05)], [""]),
        ([tried(0.1, 0.0501)], ["its change on select could be chance"]),
        # Of two, the smaller p has to be half of it.
        ([tried(0.1, 0.025), tried(0.1, 0.05)], ["", ""]),
        ([tried(0.1, 0.026), tried(0.1, 0.05)], ["its change on select could be chance"] * 2),
        ([tried(-0.1, 0.001)], ["no better on select"]),
        ([tried(0.0, 0.001)], ["no better on select"]),
        ([tried(0.1, 0.001, unread=2)], [""]),
        ([tried(0.1, 0.001, unread=3)], ["more answers cannot be read than before"]),
        ([tried(None, None)], ["its change on select is undefined"]),
        # One without a test takes nothing from the others.
        ([tried(None, None), tried(0.1, 0.05)], ["its change on select is undefined", ""]),
    ],
)
def test_when_an_edit_is_accepted(candidates: list[Candidate], why: list[str]) -> None:
    found = decided(candidates)
    assert [one.why for one in found] == why
    assert [one.accepted for one in found] == [not words for words in why]


def test_of_several_accepted_the_one_with_the_highest_lower_limit_is_chosen() -> None:
    several = [tried(0.3, 0.001, low=0.01), tried(0.1, 0.001, low=0.05), tried(0.9, 0.5, low=0.3)]
    assert chosen(decided(several)) == decided(several)[1]
    assert chosen(decided([tried(0.3, 0.5)])) is None


def item(grade: int | None, golden: int) -> GradedItem:
    return GradedItem("a", "q", golden, (ItemAnswer(grade, "graded" if grade is not None else "failed"),))


def test_closeness_falls_with_the_distance_on_the_scale() -> None:
    assert [closeness(item(grade, 4), (0, 1, 2, 3, 4)) for grade in (4, 3, 0, None)] == [1, 0.75, 0, 0]


def test_a_search_ends_with_its_proposals_or_after_three_idle_rounds_for_each() -> None:
    nobody: Any = None  # who is asked for answers and proposals: that a search ends asks nobody

    def searching(proposals: int) -> Search:
        return Search(nobody, nobody, nobody, nobody, [], (0, 1, 2), wanted=4, proposals=proposals)

    idle = _Enough(searching(0))
    assert [idle(None) for _ in range(13)] == [False] * 12 + [True]
    assert [_Enough(searching(made))(None) for made in (3, 4, 5)] == [False, True, True]


@pytest.mark.parametrize(("wrong", "size", "counts"), [(9, 30, (5, 3)), (2, 30, (2, 3)), (9, 10, (5, 1))])
def test_a_batch_has_five_pairs_that_the_first_prompt_gets_wrong_and_three_right(
    wrong: int, size: int, counts: tuple[int, int]
) -> None:
    """Or as many as there are; no pair twice; all of them come in time, and a seed repeats them."""
    batches = _Batches(range(wrong), size, seed=4)
    made = [batches.next_minibatch_ids(None, None) for _ in range(60)]
    for one in made:
        assert (sum(at < wrong for at in one), sum(at >= wrong for at in one)) == counts
        assert len({*one}) == len(one)
    assert {at for one in made for at in one} == set(range(size))
    again = _Batches(range(wrong), size, seed=4)
    assert [again.next_minibatch_ids(None, None) for _ in range(60)] == made


def test_seven_of_ten_steps_show_another_shot_and_the_others_another_order() -> None:
    """Four standard errors of 2,000 draws are .041. One shot has no order, and a pool may be used up."""
    dice, shown = random.Random(5), ("a", "b", "c")
    steps = [_step(shown, "abcdefgh", set(), dice) for _ in range(2_000)]
    made = [step[0] for step in steps if step]
    assert len(made) == 2_000 and all(len({*shots}) == 3 for shots in made)
    assert sum({*shots} != {*shown} for shots in made) / 2_000 == pytest.approx(0.7, abs=0.041)
    for step in steps:
        assert step and (" in the place of " in step[1]) == ({*step[0]} != {*shown})
    alone = [_step(("a",), "ab", set(), dice) for _ in range(50)]
    assert all(step == (("b",), "shows b in the place of a") for step in alone)
    orders = {step[0] for _ in range(200) if (step := _step(shown, "abc", {shown}, dice))}
    assert orders <= {("b", "a", "c"), ("c", "b", "a"), ("a", "c", "b")} and len(orders) == 3
    assert _step(("a",), "a", {("a",)}, dice) is None


def test_a_reply_of_which_a_kill_left_half_is_asked_for_again(tmp_path: Path) -> None:
    project(tmp_path, golden())
    with simulated(blind_spot) as server:
        first = search(tmp_path, server.url, "--proposals", "2").json
        (log,) = (tmp_path / "runs/improve").glob("*/reflections.jsonl")
        whole = log.read_bytes()
        log.write_bytes(whole[:-20])
        asked = len(server.requests)
        again = search(tmp_path, server.url, "--proposals", "2")
        assert again.code == 0, again.err
        assert [is_proposing(one) for one in server.requests[asked:]][:1] == [True]
    assert first["draft"] == again.json["draft"] == "teacher@v2"
    lines = log.read_bytes().splitlines()
    assert lines[0] == whole.splitlines()[0]
    assert all(json.loads(line) for line in lines)


def test_a_damaged_reply_and_a_link_in_its_place_are_refused(tmp_path: Path) -> None:
    project(tmp_path, golden())
    with simulated(blind_spot) as server:
        search(tmp_path, server.url, "--proposals", "2")
        (log,) = (tmp_path / "runs/improve").glob("*/reflections.jsonl")
        whole = log.read_bytes()
        log.write_bytes(b"{}\n" + whole)
        refused = search(tmp_path, server.url, "--proposals", "2")
        assert refused.code == 2
        assert "reflections.jsonl, line 1" in refused.err
        assert "the file is damaged; restore it: it holds replies that are paid for" in refused.err
        elsewhere = tmp_path / "elsewhere.jsonl"
        elsewhere.write_bytes(whole)
        log.unlink()
        log.symlink_to(elsewhere)
        refused = search(tmp_path, server.url, "--proposals", "2")
        assert refused.code == 2
        assert "is a link" in refused.err
