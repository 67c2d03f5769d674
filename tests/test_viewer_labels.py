"""Label sets in the viewer: how far they are, whether they are proven, and what a stranger may have sent."""

import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import chdir
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from browser import opened, runs_over, serious
from builders import harness
from playwright.sync_api import Browser
from production import answer_all, label_set, plan, shown_pairs
from starlette.testclient import TestClient
from test_label_sets import rewrite
from test_report import words_of
from viewing import HOSTILE, viewing

from harness.errors import BadInput
from harness.report.page.labels import Labelling, labels_page
from harness.runs.label_listing import listed_labels
from harness.runs.label_values import HEAVIEST
from harness.runs.labels import MOST_STRATA, load_labels
from harness.score.labels import summarise
from harness.storage.project import Project
from harness.storage.regular import SETTINGS
from harness.web.app import create_app


@cache
def stock() -> tempfile.TemporaryDirectory[str]:
    """A project with a label set, made once and copied."""
    folder = tempfile.TemporaryDirectory()
    with chdir(folder.name):
        rows = shown_pairs(20)
        rows[0]["teacher"] = None
        rows[1]["stratum"] = HOSTILE
        Path("labels").mkdir()
        label_set(Path(folder.name), rows, "labels/today")
    return folder


@pytest.fixture
def project(here: Path) -> Project:
    shutil.copytree(stock().name, here, dirs_exist_ok=True)
    return Project(here)


@pytest.fixture
def made(project: Project) -> Path:
    return project.labels / "today"


@pytest.fixture
def client(project: Project) -> Iterator[TestClient]:
    with TestClient(create_app(project), base_url="http://127.0.0.1:8765") as one:
        yield one


def change(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changes), "utf-8")


def proven(folder: Path) -> None:
    """As if a run had proven the teacher."""
    change(
        folder / "labels.json", unproven=False, proven={"run": "r1", "gated": "kappa", "kappa": 0.9, "n": 90}
    )
    change(folder / "summary.json", unproven=False, proven="r1")


def line(text: str, name: str) -> str:
    """The words of a label set's line in the list."""
    return words_of(text.partition(f'href="/labels/{name}"')[2].partition("</tr>")[0])


def test_label_sets_are_listed_with_rows_coverage_and_whether_they_are_proven(
    project: Project, made: Path, client: TestClient
) -> None:
    for name in ("begun", "bare", "good"):
        shutil.copytree(made, project.labels / name)
    change(project.labels / "begun/labels.json", finished_at=None, outcomes=None)
    (project.labels / "bare/summary.json").unlink()
    proven(project.labels / "good")
    (project.labels / "no-set").mkdir()
    text = client.get("/labels").text
    told = json.loads((made / "summary.json").read_text("utf-8"))
    assert told["coverage"] < 1
    figures = f"{told['rows']} {told['coverage']:.1%}"
    assert f"not proven {figures}" in line(text, "today")
    assert f"good proven {figures}" in line(text, "good")
    assert "not finished" in line(text, "begun")
    assert "no summary.json" in line(text, "bare")
    assert "no-set" not in text
    assert f"{project.root.name}/labels/" in text
    assert [one.name for one in listed_labels(project)] == ["bare", "begun", "good", "today"]


def test_a_project_without_label_sets_says_how_to_make_one(project: Project, client: TestClient) -> None:
    shutil.rmtree(project.labels)
    assert "harness label PAIRS -o labels/NAME" in client.get("/labels").text


def test_each_set_has_the_page_that_a_report_has(project: Project, made: Path, client: TestClient) -> None:
    answer = client.get("/labels/today")
    assert answer.headers["content-security-policy"] == "frame-ancestors 'none'"
    with chdir(project.root):
        labels = load_labels(Path("labels/today"))
        whole = words_of(labels_page(Labelling(labels, summarise(labels))))
    shown = words_of(answer.text)
    body = "What the teacher says These are the teacher's own grades"
    assert len(whole.partition(body)[2]) > 500
    assert shown.partition(body)[2] == whole.partition(body)[2]
    assert "harness sample labels/today" in shown
    (made / "summary.json").unlink()
    assert words_of(client.get("/labels/today").text) == shown
    change(made / "labels.json", finished_at=None, outcomes=None)
    going = words_of(client.get("/labels/today").text)
    assert "The labelling is not finished" in going and "What the teacher says" not in going


def test_a_name_in_an_address_never_becomes_a_path(client: TestClient) -> None:
    for name in ("nothing", "..%2fpolicies", "%2e%2e", "today%2fshards", "today/labels.json"):
        assert client.get(f"/labels/{name}").status_code == 404


def test_what_a_set_says_is_text(project: Project, made: Path, client: TestClient) -> None:
    name = "<b>set & 'more'"
    made.rename(project.labels / name)
    listed = client.get("/labels").text
    (address,) = re.findall(r'href="(/labels/[^"]+)"', listed)
    opened_ = client.get(address).text
    for text in (listed, opened_):
        assert "<b>" not in text and "&lt;b&gt;set &amp; " in text
    assert HOSTILE not in opened_ and opened_.count("<script>") == 1


def rate(project: Project) -> None:
    """A sample of the set, rated and sealed by two people."""
    truth = {row["item"]: int(row["truth"]) for row in shown_pairs(20)}
    drawn = harness("sample", "labels/today", "--n", "40", "-o", "plan.jsonl")
    assert drawn.code == 0, drawn.err
    answer_all(project.root, plan(project.root, Path("plan.jsonl")), lambda rater, item: truth[item])


def test_a_set_that_people_have_rated_has_its_estimate(
    project: Project, made: Path, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    rate(project)
    ratings = "golden/small/production-ratings.jsonl"
    main = harness("estimate", "labels/today", "--ratings", ratings, "--json").json["estimates"][0]
    shown = words_of(client.get("/labels/today").text)
    assert f"{main['value']:.3f}" in shown and "How good is what is shown?" in shown
    assert f"ratings {ratings}" in shown and "No estimate" not in shown
    rows = json.loads((made / "labels.json").read_text("utf-8"))["rows"]
    monkeypatch.setattr("harness.web.label_sets.ESTIMATED", rows)
    assert "No estimate" not in client.get("/labels/today").text
    monkeypatch.setattr("harness.web.label_sets.ESTIMATED", rows - 1)
    shown = words_of(client.get("/labels/today").text)
    assert f"A page estimates up to {rows - 1} rows" in shown and "What the teacher says" in shown


def test_ratings_of_other_labels_are_told(project: Project, made: Path, client: TestClient) -> None:
    rate(project)
    ratings = project.golden / "small/production-ratings.jsonl"
    ratings.write_text(re.sub(r'("item": ?")p', r"\1other", ratings.read_text("utf-8")), "utf-8")
    shown = words_of(client.get("/labels/today").text)
    assert "No estimate by golden/small/production-ratings.jsonl:" in shown
    assert "none of its items is in today" in shown and "What the teacher says" in shown


# --- received label sets -----------------------------------------------------------------------------------


def linked(path: Path) -> None:
    """The file outside of the set, and a link in its place."""
    outside = path.parent.parent.parent / f"outside-{path.name}"
    shutil.move(path, outside)
    path.symlink_to(outside)


def piped(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def endless(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def huge(path: Path) -> None:
    path.write_bytes(b" " * (SETTINGS + 1) + path.read_bytes())


def nonsense(path: Path) -> None:
    path.write_text('{"rows": "<b>many</b>"}', "utf-8")


HARM = (linked, piped, endless, huge, nonsense)


@pytest.mark.parametrize("name", ["labels.json", "summary.json"])
@pytest.mark.parametrize("harm", HARM, ids=lambda one: one.__name__)
def test_a_damaged_set_is_listed_and_opened_in_words(
    made: Path, client: TestClient, name: str, harm: Callable[[Path], None]
) -> None:
    harm(made / name)
    listed, opened_ = client.get("/labels"), client.get("/labels/today")
    assert (listed.status_code, opened_.status_code) == (200, 200)
    assert "damaged" in line(listed.text, "today") and name in line(listed.text, "today")
    assert "The label set is damaged" in opened_.text and name in opened_.text
    assert "<b>many" not in opened_.text


def test_a_set_that_is_a_link_is_not_followed(project: Project, made: Path, client: TestClient) -> None:
    shutil.move(made, project.root / "elsewhere")
    made.symlink_to(project.root / "elsewhere")
    assert "is a link" in line(client.get("/labels").text, "today")
    assert "is a link" in client.get("/labels/today").text


def test_a_changed_policy_is_damage(made: Path, client: TestClient) -> None:
    policy = made / "policy.toml"
    policy.write_text(policy.read_text("utf-8").replace("Grade 1", "Anything"), "utf-8")
    assert "The label set is damaged" in client.get("/labels/today").text


@pytest.mark.parametrize(
    "changes",
    [{"rows": 1}, {"distinct": 1}, {"proven": "r1"}, {"outcomes": {"graded": 1, "ungraded": 0, "failed": 0}}],
)
def test_a_summary_that_does_not_fit_its_set_is_damage(
    made: Path, client: TestClient, changes: dict[str, Any]
) -> None:
    change(made / "summary.json", **changes)
    assert "does not fit labels.json" in client.get("/labels").text


def test_a_summary_has_no_more_strata_than_a_set(made: Path, client: TestClient) -> None:
    part = json.loads((made / "summary.json").read_text("utf-8"))["by_stratum"][0]
    change(made / "summary.json", by_stratum=[part] * (MOST_STRATA + 1))
    assert client.get("/labels/today").text.count("<script>") == 1
    assert "does not fit" not in client.get("/labels").text
    change(made / "summary.json", by_stratum=[part] * (MOST_STRATA + 2))
    assert "does not fit labels.json" in client.get("/labels").text


def test_a_time_that_is_none_stays_as_it_is(made: Path, client: TestClient) -> None:
    change(made / "labels.json", created_at="<i>long ago</i>")
    for path in ("/labels", "/labels/today"):
        assert client.get(path).status_code == 200
    assert "&lt;i&gt;long ago" in client.get("/labels/today").text


def column(table: Any, name: str, values: list[Any]) -> Any:
    """The table with other values in a column: the first ones, repeated."""
    filled = [values[at % len(values)] for at in range(table.num_rows)]
    at = table.column_names.index(name)
    return table.set_column(at, table.schema.field(at), pa.array(filled, table.schema.field(at).type))


@pytest.mark.parametrize(
    ("name", "values", "what"),
    [
        ("weight", [1.0, None], "weight: is empty in some rows"),
        ("weight", [1.0, 0.0], "weight: has values that no label set has"),
        ("weight", [1.0, float("nan")], "weight: has values that no label set has"),
        ("weight", [HEAVIEST * 1.01], "weight: has values that no label set has"),
        ("shot_query", [None], "shot_query: is empty in some rows"),
        ("cost", [None, float("nan")], "cost: has values that no label set has"),
        ("cost", [float("inf")], "cost: has values that no label set has"),
        ("input_tokens", [1, -1], "input_tokens: has values that no label set has"),
        ("outcome", ["magic"], "outcome: has values that no label set has"),
        ("outcome", ["failed"], "grade: does not fit the outcome"),
        ("cause", ["because"], "cause: has values that no label set has"),
        ("grade", [77], "grade: has values that no label set has"),
        ("grade", [None], "grade: does not fit the outcome"),
    ],
)
def test_rows_that_no_labelling_writes_are_refused(
    made: Path, client: TestClient, name: str, values: list[Any], what: str
) -> None:
    rewrite(made / "shards/part-00000.parquet", lambda table: column(table, name, values))
    with pytest.raises(BadInput, match="restore the shard"):
        summarise(load_labels(made))
    (made / "summary.json").unlink()
    assert what in words_of(client.get("/labels/today").text)


def test_the_heaviest_rows_and_the_cheapest_are_no_faults(made: Path) -> None:
    shard = made / "shards/part-00000.parquet"
    rewrite(shard, lambda table: column(column(table, "weight", [HEAVIEST]), "cost", [0.0, None]))
    assert summarise(load_labels(made)).weighted is False


@pytest.mark.parametrize("name", ["item", "query", "digest", "weight"])
def test_an_estimate_refuses_them_too(made: Path, name: str) -> None:
    rewrite(made / "shards/part-00000.parquet", lambda table: column(table, name, [None]))
    Path("ratings.csv").write_text("item,rater,grade\np1,ann,1\n", encoding="utf-8")
    done = harness("estimate", made, "--ratings", "ratings.csv", "--uniform")
    assert (done.code, f"{name}: is empty in some rows" in " ".join(done.err.split())) == (2, True)


def test_shards_with_a_stratum_for_every_row_are_refused(made: Path) -> None:
    shard = made / "shards/part-00000.parquet"

    def many(count: int) -> None:
        table = pq.read_table(shard)
        one = pa.concat_tables([table] * (count // table.num_rows + 1)).slice(0, count)
        names = pa.array([f"s{at}" for at in range(count)])
        pq.write_table(
            one.set_column(one.column_names.index("stratum"), table.schema.field("stratum"), names), shard
        )
        change(made / "labels.json", rows=count)

    many(MOST_STRATA)
    assert len(summarise(load_labels(made)).by_stratum) == MOST_STRATA
    many(MOST_STRATA + 1)
    with pytest.raises(BadInput, match="more than 1,000 strata"):
        summarise(load_labels(made))


# --- in a browser ------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_list_and_a_set_can_be_read_by_everybody(project: Project, made: Path, browser: Browser) -> None:
    shutil.copytree(made, project.labels / "broken")
    nonsense(project.labels / "broken/labels.json")
    proven(made)
    with viewing(project) as address:
        for width, dark in ((1280, False), (360, True)):
            with opened(f"{address}/labels", width=width, dark=dark, browser=browser) as page:
                assert serious(page) == []
                assert runs_over(page) <= 0
                page.get_by_role("link", name="today").click()
                page.get_by_role("heading", name="What the teacher says").wait_for()
                assert serious(page) == []
                assert runs_over(page) <= 0
                page.get_by_role("link", name="All label sets").click()
                page.get_by_text("damaged").wait_for()
