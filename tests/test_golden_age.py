"""`harness golden age`: what is old, what has left the traffic, and what to add next."""

import json
import shlex
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from builders import CLAUSE, example, examples, harness, policy_text, write_golden, write_project
from hypothesis import given
from hypothesis import strategies as st
from labelling import rows as label_rows
from labelling import write_rows

from harness.errors import BadInput
from harness.golden.nearest import Nearest, spread_out
from harness.golden.similarity import jaccard, text_tokens, tokens
from harness.nouns.pair import Pair, Result
from harness.policy.load import load_policy

WORD = st.sampled_from(["red", "blue", "shoe", "lamp", "tin", "box"])
TITLE = st.lists(WORD, min_size=1, max_size=4)


def flat(text: str) -> str:
    return " ".join(text.split())


def pair(query: str, title: str) -> Pair:
    return Pair(query=query, result=Result(title=title))


@pytest.fixture
def shop(here: Path) -> Path:
    write_project(here)
    return here


def age(*words: str) -> dict[str, Any]:
    ended = harness("golden", "age", *words, "--json")
    assert ended.code == 0, ended.err
    found: dict[str, Any] = ended.json
    return found


def test_examples_that_rest_on_a_moved_clause_are_named(shop: Path) -> None:
    assert age()["aged"] == []
    text = policy_text("small", (0, 1, 2), CLAUSE.replace("at most 1", "at most 1, or 0 where it is worn"))
    (shop / "policies/small/v2.toml").write_text(text.replace('version = "v1"', 'version = "v2"'), "utf-8")
    found = age("--policy", "small@v2")
    resting = {one["item"] for one in found["aged"] if "clause accessory" in one["because"]}
    assert resting == {one["id"] for one in examples() if "accessory" in one["clauses"]}
    assert found["moved"][0] == {"name": "clause accessory", "examples": len(resting)}
    assert len(found["aged"]) == len(examples()) and found["versions"] == {"v1": len(examples())}
    shown = harness("golden", "age", "--policy", "small@v2").out
    assert "clause accessory moved:" in shown and "harness golden regrade" in shown


def test_of_examples_that_note_no_rules_nobody_can_tell(shop: Path) -> None:
    every = "Every example is judged under the policy as it reads now."
    bare = examples()
    assert age()["unnoted"] == len(bare)
    shown = flat(harness("golden", "age").out)
    assert (
        f"{len(bare)} examples of this version note no rules: it is unknown" in shown and every not in shown
    )
    rules = load_policy(shop / "policies/small/v1.toml").rules
    assert "Add --traffic with LABELS or a table to compare the set with what is asked today." in shown
    write_golden(shop, [bare[0], *({**one, "rules": rules} for one in bare[1:])])
    assert age()["unnoted"] == 1
    shown = flat(harness("golden", "age").out)
    assert "1 example of this version notes no rules" in shown and "Every other example is judged" in shown
    write_golden(shop, [{**one, "rules": rules} for one in bare])
    assert age()["unnoted"] == 0 and every in flat(harness("golden", "age").out)


def test_what_rests_on_a_change_comes_first_then_what_nobody_can_tell(shop: Path) -> None:
    text = policy_text("small", (0, 1, 2), CLAUSE.replace("at most 1", "at most 1, or 0 where it is worn"))
    (shop / "policies/small/v2.toml").write_text(text.replace('version = "v1"', 'version = "v2"'), "utf-8")
    cited = next(one["clauses"] for one in examples() if one["clauses"])
    write_golden(
        shop, [{**one, "clauses": []} for one in examples()[:-1]] + [{**examples()[-1], "clauses": cited}]
    )
    kinds = [(bool(one["because"]), one["cannot_tell"]) for one in age("--policy", "small@v2")["aged"]]
    assert kinds[0] == (True, False) and set(kinds[1:]) == {(False, True)}
    shown = flat(harness("golden", "age", "--policy", "small@v2").out)
    assert f"1 rest on what moved, for {len(kinds) - 1} it is unknown, 0 rest on nothing" in shown
    assert f"cannot tell: {examples()[0]['id']}," in shown


def test_a_light_stratum_has_a_pair_in_the_plan(shop: Path) -> None:
    rows = [f"h{n},hose {n},green hose number{n} extra{n},{90 - n},head" for n in range(5)]
    rows += ["t1,snow shovel,steel snow shovel,1,tail", "t2,ice pick,small ice pick,2,tail"]
    (shop / "t.csv").write_text("item,query,title,weight,stratum\n" + "\n".join(rows), "utf-8")
    found = [one["item"] for one in age("--traffic", "t.csv", "--n", "4")["to_add"]]
    assert found == ["h0", "t2", "h1", "h2"]
    words = ("golden", "age", "--traffic", "t.csv", "--n", "4")
    assert "the heaviest of each stratum, then the heaviest of all" in flat(harness(*words).out)


def test_a_stratum_that_weighs_nothing_is_not_covered_nor_uncovered(shop: Path) -> None:
    log = "item,query,title,weight,stratum\na,lamp,x,0,s\nb,lamp,a red lamp,1,r\nc,boat,y,1,t\n"
    (shop / "log.csv").write_text(log, "utf-8")
    found = age("--traffic", "log.csv")["strata"]
    assert found[-1] == {"stratum": "s", "share": 0.0, "covered": None}
    assert [one["share"] for one in found[:-1]] == [0.5, 0.5]
    assert " 0%        -" in harness("golden", "age", "--traffic", "log.csv").out


def test_many_strata_are_counted(shop: Path) -> None:
    rows = [f"h{n},hose {n},green hose {n},1,s{n}" for n in range(12)]
    (shop / "t.csv").write_text("item,query,title,weight,stratum\n" + "\n".join(rows), "utf-8")
    assert "2 more; --json has all." in flat(harness("golden", "age", "--traffic", "t.csv").out)


def test_forty_pairs_are_named_where_no_number_is_asked_for(shop: Path) -> None:
    rows = [f"h{n},hose{n},green{n} pipe{n},1,s" for n in range(42)]
    (shop / "t.csv").write_text("item,query,title,weight,stratum\n" + "\n".join(rows), "utf-8")
    assert len(age("--traffic", "t.csv")["to_add"]) == 40


def test_the_traffic_says_what_is_gone_and_what_to_add(shop: Path) -> None:
    known, title = examples()[2]["query"], examples()[2]["result"]["title"]
    rows = [
        f"a,{known},{title},90,head",
        "b,garden hose,green hose 20 m,6,tail",
        "c,garden hose,green hose 20 m with gun,3,tail",
        "d,snow shovel,steel snow shovel,1,tail",
    ]
    (shop / "t.csv").write_text("item,query,title,weight,stratum\n" + "\n".join(rows), "utf-8")
    found = age("--traffic", "t.csv", "--n", "2", "-o", "plan.jsonl")
    assert (found["covered"], found["known_queries"]) == (pytest.approx(0.9), pytest.approx(0.9))
    assert {one["query"] for one in found["gone"]} == {one["query"] for one in examples()} - {known}
    assert [(one["stratum"], one["covered"]) for one in found["strata"]] == [("tail", 0.0), ("head", 1.0)]
    # Each of another query first, the heavier first; c is near b.
    assert [one["item"] for one in found["to_add"]] == ["b", "d"]
    plan = [json.loads(line) for line in (shop / "plan.jsonl").read_text("utf-8").splitlines()]
    assert [one["drawn"] for one in plan] == ["hunted"] * 2
    assert "no golden example is near it" in plan[0]["reason"]
    how = ("--policy", "small", "--raters", "ann,bob", "--kind", "human", "--dry-run")
    rated = harness("rate", "plan", "--from", "plan.jsonl", *how)
    assert rated.code == 0, rated.err


def test_traffic_without_items_is_told_how_to_name_its_rows(shop: Path) -> None:
    from harness.cli.groups import PairsOptions

    (shop / "t.csv").write_text("query,product title\ngarden hose,green hose\n", "utf-8")
    ended = harness("golden", "age", "--traffic", "t.csv", "--columns", "title=product title")
    said = flat(ended.err)
    assert ended.code == 2 and "no column for item; name each row by its query and title: harness" in said
    command = shlex.split(said.partition("title: harness ")[2])
    assert command[-2:] == ["--columns", "title=product title,item=query+product title"]
    assert harness(*command).code == 0
    (shop / "t.csv").write_text("query,title\ngarden hose,green hose\n", "utf-8")
    with pytest.raises(BadInput) as refused:
        PairsOptions(pairs=Path("t.csv")).read("harness ship --policy small@v1")
    how = "harness ship --policy small@v1 --pairs t.csv --columns item=query+title"
    assert str(refused.value).endswith(how)


def test_a_label_set_is_traffic_too(shop: Path) -> None:
    write_rows(shop / "pairs.csv", label_rows(12))
    assert harness("label", "pairs.csv", "-o", "labels/a", "--unproven").code == 0
    found = age("--traffic", "labels/a")
    assert found["rows"] == 12 and 0 <= found["covered"] <= 1 and found["near"] == 0.5


def test_from_half_of_the_words_on_an_example_is_near(shop: Path) -> None:
    golden = [{**examples()[0], "query": "red shoe", "result": {"title": "size 9"}}]
    write_golden(shop, golden)
    # Four words of four and eight of its own; one more word, and it is less than half.
    rows = ["a,red shoe,size 9 a b c d", "b,red shoe,size 9 a b c d e"]
    (shop / "t.csv").write_text("item,query,title\n" + "\n".join(rows), "utf-8")
    found = age("--traffic", "t.csv", "-o", "plan.jsonl")
    assert [(one["item"], one["similarity"]) for one in found["to_add"]] == [("b", pytest.approx(4 / 9))]
    assert found["strata"] == [], "no row has one"
    (line,) = (shop / "plan.jsonl").read_text("utf-8").splitlines()
    near = f"no golden example is near it (nearest: {golden[0]['id']}, 0.44)"
    assert json.loads(line)["reason"] == near


def test_a_stratum_is_covered_by_the_weight_of_all_of_its_pairs_that_are(shop: Path) -> None:
    golden = [{**examples()[0], "query": "red shoe", "result": {"title": "size 9"}}]
    write_golden(shop, golden)
    rows = ["a,red shoe,size 9,3,s", "b,red shoe,size 9 a,2,s", "c,boat,green,1,s", "d,red shoe,size 9 b,4,t"]
    (shop / "t.csv").write_text("item,query,title,weight,stratum\n" + "\n".join(rows), "utf-8")
    found = age("--traffic", "t.csv")["strata"]
    assert [(one["stratum"], one["share"], one["covered"]) for one in found] == [
        ("s", pytest.approx(0.6), pytest.approx(5 / 6)),
        ("t", pytest.approx(0.4), 1.0),
    ]


def test_options_without_traffic_and_an_empty_plan_are_refused(shop: Path) -> None:
    assert harness("golden", "age", "-o", "x").code == 2
    one = examples()[0]
    (shop / "t.csv").write_text(f"item,query,title\na,{one['query']},{one['result']['title']}\n", "utf-8")
    ended = harness("golden", "age", "--traffic", "t.csv", "-o", "x")
    assert ended.code == 2 and "nothing to add" in ended.err and not (shop / "x").exists()


@given(st.lists(TITLE, min_size=1, max_size=8), TITLE)
def test_the_nearest_is_the_nearest_of_all(titles: list[list[str]], words: list[str]) -> None:
    golden = [example(str(at), result={"title": " ".join(one)}) for at, one in enumerate(titles)]
    asked = pair("query", " ".join(words))
    _, similarity = Nearest(golden).of(asked)
    assert similarity == max(jaccard(tokens(one), tokens(asked)) for one in golden)


def test_nothing_shared_is_no_example() -> None:
    assert Nearest([example()]).of(pair("zebra", "crossing")) == (None, Fraction(0))


def test_what_is_spread_out_is_not_near_what_is_taken() -> None:
    titles = ["green hose 20 m", "green hose 20 m gun", "red lamp", "blue lamp shade"]
    sets = [text_tokens("", title) for title in titles]
    assert spread_out(sets, ["hose", "hose", "lamp", "lamp"], 4, Fraction(1, 2)) == [0, 2, 3]
    assert spread_out(sets, ["hose", "hose", "lamp", "lamp"], 1, Fraction(1, 2)) == [0]
