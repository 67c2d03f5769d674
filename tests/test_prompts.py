"""Prompts: golden files, the constant prefix, and faults in templates."""

import json
import os
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
from builders import WORDS, example, examples, harness, policy, policy_text, write_golden, write_project
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import BadInput
from harness.grading.plan import Plan, make_plan
from harness.grading.plan_warnings import plan_warnings
from harness.nouns.pair import Pair, indented_json
from harness.policy.load import load_policy, policy_path
from harness.prompting.prompt import PromptWriter, load_prompt
from harness.runs.manifest import Asked
from harness.storage.project import Project

ROOT = Path(__file__).resolve().parent.parent
CASES = sorted((ROOT / "tests/cases/prompts").glob("*/input.toml"))


def plan_of(root: Path, **asked: Any) -> Any:
    base: dict[str, Any] = {"model": "builtin/majority", "prompt": "teacher", "splits": ("dev", "test")}
    return make_plan(Project(root), Asked.model_validate({**base, **asked}))


@pytest.fixture(scope="module")
def shipped_plan(shipped_project: Path) -> Plan:
    """A plan of the policy that ships."""
    plan: Plan = plan_of(shipped_project, policy="product-search")
    return plan


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.parent.name)
def test_golden_file_of_a_rendered_prompt(path: Path, shipped_project: Path) -> None:
    case = tomllib.loads(path.read_text(encoding="utf-8"))
    plan = plan_of(shipped_project, prompt=case["prompt"], policy=case["policy"])
    if "pair" in case:
        pair, item = Pair.model_validate(case["pair"]), "case"
    else:
        item = case["item"]
        pair = next(example.pair for example in plan.examples if example.id == item)
    messages = plan.writer.prompt(item, pair).messages
    rendered = "".join(f"=== {message.role} ===\n{message.content}\n" for message in messages)
    expected = path.with_name("expected.txt")
    if os.environ.get("UPDATE_CASES"):
        expected.write_text(rendered, encoding="utf-8")
    assert rendered == expected.read_text(encoding="utf-8")


def writer(
    root: Path, system: str = "{{ policy.goal }}", pair: str = "P:\n{{ pair | json }}"
) -> PromptWriter:
    write_project(root)
    folder = root / "prompts/teacher/v1"
    (folder / "system.j2").write_text(system, encoding="utf-8")
    (folder / "pair.j2").write_text(pair, encoding="utf-8")
    return PromptWriter(load_prompt(Project(root), "teacher@v1"), policy(), [])


text = st.text(min_size=1)


@given(text, text, text)
def test_everything_before_the_pair_is_the_same_for_all_pairs(
    shipped_plan: Plan, query: str, title: str, other: str
) -> None:
    one, two = (
        Pair.model_validate({"query": query, "result": {"title": name, "description": query}})
        for name in (title, other)
    )
    (system, user), (system_two, user_two) = (
        shipped_plan.writer.prompt("x", pair).messages for pair in (one, two)
    )
    assert system == system_two
    for message, pair in ((user, one), (user_two, two)):
        assert message.content == shipped_plan.writer.lead + pair.json_text
        assert json.loads(message.content.removeprefix(shipped_plan.writer.lead)) == pair.data()


def test_no_graded_pair_nor_query_is_in_the_prefix(shipped_project: Path) -> None:
    plan = plan_of(shipped_project, policy="product-search")
    prefix = plan.writer.system + plan.writer.lead
    assert len(plan.writer.shots) == 15
    for graded in plan.examples:
        assert f'"query": {json.dumps(graded.query)}' not in prefix
        assert graded.result.title not in prefix
        assert graded.reasoning not in prefix


def test_prefix_does_not_depend_on_limit_split_or_seed(shipped_project: Path) -> None:
    prefixes = {
        plan_of(
            shipped_project, policy="product-search", splits=splits, limit=limit, seed=seed
        ).digests.prefix
        for splits, limit, seed in ((("dev",), None, None), (("test",), 5, 3), (("dev", "test"), 1, 9))
    }
    assert len(prefixes) == 1


def test_number_of_shots_can_be_chosen(shipped_project: Path) -> None:
    assert [len(plan_of(shipped_project, policy="product-search", shots=n).writer.shots) for n in (0, 5)] == [
        0,
        5,
    ]
    assert len(plan_of(shipped_project, policy="product-search", prompt="teacher@v1").writer.shots) == 0


FAULTY = {
    "unknown variable": ({"system": "a\n{{ polcy.goal }}"}, "system.j2, line 2: 'polcy' is undefined"),
    "pair in the prefix": ({"system": "{{ pair.query }}"}, "'pair' is undefined (it sees: policy, shots)"),
    "unknown field": ({"pair": "{{ pair.qery }}"}, "has no attribute 'qery'"),
    "syntax": ({"system": "a\n{% if %}"}, "system.j2, line 2: not a template"),
    "pair not last": ({"pair": "{{ pair | json }} and so on"}, "has to end in {{ pair | json }}"),
    "prefix varies": ({"pair": "{{ pair.query }}: {{ pair | json }}"}, "has to be constant"),
    "unsafe": ({"system": "{{ policy.__class__.__mro__ }}"}, "is unsafe"),
    "endless": ({"system": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}"}, "recursion"),
    "unknown filter": ({"pair": "{{ pair | yaml }}"}, "No filter named 'yaml'"),
}


@pytest.mark.parametrize(("files", "what"), FAULTY.values(), ids=FAULTY)
def test_fault_in_a_template_is_named(tmp_path: Path, files: dict[str, str], what: str) -> None:
    with pytest.raises(BadInput) as caught:
        writer(tmp_path, **files).prompt("a", example().pair)
    assert what in str(caught.value)


def test_template_that_fails_on_one_pair_leaves_no_run(here: Path) -> None:
    write_project(here)
    bad = "{% if 'x' in pair.query %}{{ nope }}{% endif %}{{ pair | json }}"
    bad = bad.replace("'x'", repr(WORDS[7]))
    (here / "prompts/teacher/v1/pair.j2").write_text(bad, encoding="utf-8")
    ended = harness("eval", "--policy", "small")
    assert (ended.code, "'nope' is undefined" in ended.err) == (2, True)
    assert not list((here / "runs").iterdir())


def test_faulty_template_leaves_no_run(here: Path) -> None:
    write_project(here)
    (here / "prompts/teacher/v1/system.j2").write_text("{{ nope }}", encoding="utf-8")
    ended = harness("eval", "--policy", "small")
    assert (ended.code, "'nope' is undefined" in ended.err) == (2, True)
    assert not list((here / "runs").iterdir())


def test_prompt_spec_is_checked(here: Path) -> None:
    write_project(here)
    spec = here / "prompts/teacher/v1/prompt.toml"
    spec.write_text('name = "teacher"\nversion = "v2"\ndescription = ""\nshot = 3\n', encoding="utf-8")
    assert "shot: unknown key" in harness("prompt", "list").err
    spec.write_text('name = "teacher"\nversion = "v2"\ndescription = ""\n', encoding="utf-8")
    assert "version: says 'v2', but this is v1" in harness("prompt", "list").err


def copied_prompt(here: Path, old: str = "", new: str = "") -> Path:
    """teacher@v2, copied from a released teacher@v1 as `cp -r` does it; `old` is replaced in its spec."""
    write_project(here)
    first = here / "prompts/teacher/v1"
    spec = first / "prompt.toml"
    spec.write_text("released = true\n" + spec.read_text(encoding="utf-8"), encoding="utf-8")
    second = shutil.copytree(first, first.with_name("v2"))
    text = spec.read_text(encoding="utf-8")
    assert old in text
    (second / "prompt.toml").write_text(text.replace(old, new), encoding="utf-8")
    return second


def default_prompt() -> str:
    """The prompt of an evaluation that names no version."""
    ended = harness("eval", "--policy", "small", "--json")
    assert ended.code == 0, ended.err
    label: str = harness("runs", "show", "--json").json["asked"]["prompt"]
    return label


def test_copied_prompt_folder_is_named_and_stops_nobody(here: Path) -> None:
    copied_prompt(here)
    ended = harness("prompt", "list")
    assert (ended.code, ended.out) == (0, "teacher@v1  For tests.\n")
    assert "says 'v1', but this is v2; in a copy, set version = \"v2\", and released = false" in ended.err
    assert default_prompt() == "teacher@v1"
    doctor = harness("doctor")
    assert (doctor.code, "but this is v2" in " ".join(doctor.out.split())) == (0, True)
    named = harness("eval", "--policy", "small", "--prompt", "teacher@v2")
    assert (named.code, 'set version = "v2"' in named.err) == (2, True)


def test_draft_of_a_prompt_is_taken_only_where_it_is_named(here: Path) -> None:
    folder = copied_prompt(
        here, 'released = true\nname = "teacher"\nversion = "v1"', 'name = "teacher"\nversion = "v2"'
    )
    ended = harness("prompt", "list")
    assert ended.out == "teacher@v1  For tests.\nteacher@v2 (draft)  For tests.\n"
    note = "teacher@v2 is a draft: without a version, teacher is teacher@v1"
    assert ended.err == f"warning: {note}\n"
    assert harness("prompt", "list", "--json").json["warnings"] == [note]
    assert default_prompt() == "teacher@v1"
    assert harness("eval", "--policy", "small", "--prompt", "teacher@v2").code == 0
    for odd in ("half a", None):
        (folder / "prompt.toml").write_text(odd, "utf-8") if odd else (folder / "prompt.toml").unlink()
        ended = harness("prompt", "list")
        assert (ended.code, ended.out, "v2/prompt.toml" in ended.err) == (0, "teacher@v1  For tests.\n", True)
        assert default_prompt() == "teacher@v1"


def test_released_copy_that_sends_the_same_is_told(here: Path) -> None:
    folder = copied_prompt(here, 'version = "v1"', 'version = "v2"')
    told = "teacher@v2 is released and sends what teacher@v1 sends; set released = false"
    assert told in harness("prompt", "list").err
    (folder / "pair.j2").write_text("Now: {{ pair | json }}", encoding="utf-8")
    assert harness("prompt", "list").err == ""
    assert default_prompt() == "teacher@v2"


def test_slip_in_the_released_prompt_is_told_and_not_stepped_over(here: Path) -> None:
    folder = copied_prompt(here, 'version = "v1"', 'version = "v2"')
    with (folder / "prompt.toml").open("a", encoding="utf-8") as spec:
        spec.write("shots = [\n")
    ended = harness("eval", "--policy", "small")
    assert (ended.code, "v2/prompt.toml: not TOML" in ended.err) == (2, True)


def test_prompts_that_ship_are_released(shipped_project: Path) -> None:
    ended = harness("prompt", "list", "--root", shipped_project)
    assert ("draft" in ended.out, ended.err, ended.out.count("teacher@")) == (False, "", 3)


def test_render_shows_what_is_sent(here: Path) -> None:
    write_project(here)
    shown = harness("prompt", "render", "--policy", "small", "--item", "q1-2")
    assert shown.out.startswith("=== system ===\nSaid.\n")
    assert '"query": "blue lamp"' in shown.out
    as_json = harness("prompt", "render", "--policy", "small", "--item", "q1-2", "--json").json
    assert [message["role"] for message in as_json["messages"]] == ["system", "user"]
    assert harness("prompt", "render", "--policy", "small", "--item", "q0-1").code == 2


def test_dropped_shots_are_shown_to_nobody(here: Path) -> None:
    write_project(here)
    golden = examples()
    golden[0]["query"] = golden[0]["query"].upper()
    golden.append({**golden[1], "id": "leak", "split": "test", "result": {"title": "leak"}})
    write_golden(here, golden)
    plan = plan_of(here, policy="small")
    assert {drop.shot for drop in plan.dropped} == {"q0-0", "q0-1", "q0-2"}
    assert {shot.query for shot in plan.learnable} == {"wool hat"}
    assert "red shoe" not in plan.writer.system


@pytest.mark.parametrize(
    ("template", "fixed"),
    [
        ("{{ pair | json }}\n", True),
        ("{% if shots %}{{ shots | length }}{% endif %}Grade:\n{{ pair | json }}\n\n", True),
        ("{% set pair = 3 %}{{ pair | json }}", False),
        ("{{ pair.query }} {{ pair | json }}", False),
        ("{% if pair %}{{ pair | json }}{% endif %}", False),
        ("{{ pair | json }} and more", False),
        ("{{ range(3) | length }}{{ pair | json }}", False),
    ],
)
def test_template_that_reads_the_pair_in_its_end_alone_is_rendered_once(
    here: Path, template: str, fixed: bool
) -> None:
    write_project(here)
    (here / "prompts/teacher/v1/pair.j2").write_text(template, encoding="utf-8")
    writer = PromptWriter(load_prompt(Project(here), "teacher"), policy(), ())
    assert writer.is_fixed == fixed
    if fixed:
        pair = Pair.model_validate({"query": 'an "ä"\u2028\x7f\n', "result": {"title": "\U0001f600\\"}})
        assert writer.prompt("a", pair).messages[1].content == writer._user(pair)


@given(st.text(min_size=1), st.dictionaries(st.text(), st.text(), max_size=3))
def test_pair_in_a_prompt_is_json_as_python_writes_it(text: str, attributes: dict[str, str]) -> None:
    result = {"title": text, "attributes": attributes, "price": text or None}
    pair = Pair.model_validate({"query": text, "result": result, "context": attributes or None})
    assert pair.json_text == indented_json(pair.data())


# --- two prompts -------------------------------------------------------------------------------------


def second_version(root: Path, **files: str) -> None:
    """`teacher@v2`: as v1, but for these files."""
    write_project(root)
    folder = root / "prompts/teacher/v2"
    shutil.copytree(root / "prompts/teacher/v1", folder)
    spec = (folder / "prompt.toml").read_text("utf-8").replace('"v1"', '"v2"')
    texts = {"prompt.toml": spec, **{name.replace("_j2", ".j2"): text for name, text in files.items()}}
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")


def diff(*words: str) -> Any:
    return harness("prompt", "diff", *words, "--policy", "small")


def test_diff_of_prompts_shows_lines_settings_and_the_prefix(here: Path) -> None:
    second_version(here, pair_j2="Judge:\n{{ pair | json }}\n")
    spec = here / "prompts/teacher/v2/prompt.toml"
    text = spec.read_text("utf-8").replace("shots = 4", "released = true").replace("tests", "the tests")
    spec.write_text(text, encoding="utf-8")
    ended = diff("teacher@v1", "teacher")
    assert ended.code == 0, ended.err
    lines = [line.strip() for line in ended.out.splitlines()]
    assert lines[0] == "teacher@v1 -> teacher@v2"
    assert lines[2:6] == ["pair.j2", "@ from line 1", "- Grade:", "+ Judge:"]
    assert "description: For {+the+} tests." in lines
    assert {"released: false -> true", "shots: 4 -> not set"} <= set(lines)
    assert lines[-1].startswith("The constant prefix under small@v1 differs: ")
    found = diff("teacher@v1", "teacher@v2", "--json").json
    assert [one["key"] for one in found["changes"]] == ["pair.j2", "description", "released", "shots"]
    assert found["changes"][3] == {"key": "shots", "old": "4", "new": None}
    assert (found["prefix"]["same"], found["reason"]) == (False, None)


def test_prompts_that_differ_in_nothing_rendered_have_one_prefix(here: Path) -> None:
    second_version(here)
    spec = here / "prompts/teacher/v2/prompt.toml"
    spec.write_text(spec.read_text("utf-8") + "released = true\n", encoding="utf-8")
    found = diff("teacher@v1", "teacher@v2", "--json").json
    assert found["changes"] == [{"key": "released", "old": "false", "new": "true"}]
    assert found["prefix"]["same"] is True
    assert "Both say the same." in diff("teacher@v1", "teacher@v1").out


def test_line_ends_alone_are_said_to_differ(here: Path) -> None:
    second_version(here, pair_j2="")
    (here / "prompts/teacher/v2/pair.j2").write_bytes(b"Grade:\r\n{{ pair | json }}\r\n")
    assert "Only its line ends differ." in diff("teacher@v1", "teacher@v2").out


def test_prompt_that_cannot_be_rendered_is_still_compared(here: Path) -> None:
    second_version(here, system_j2="{{ nothing }}")
    found = diff("teacher@v1", "teacher@v2", "--json").json
    assert found["changes"][0]["key"] == "system.j2"
    assert found["prefix"] is None
    assert "system.j2, line 1: 'nothing' is undefined" in found["reason"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("teacher@v1", "teacher@v9"), "no version v9; there are: v1"),
        (("student", "teacher"), "no prompt 'student'"),
        (("teacher@1", "teacher"), "expected name or name@v1"),
        (("teacher@v1",), "Missing argument"),
    ],
)
def test_prompts_that_are_not_there_are_named(here: Path, words: tuple[str, ...], said: str) -> None:
    write_project(here)
    ended = diff(*words)
    assert (ended.code, said in ended.err) == (2, True), ended.err


def test_the_answer_of_a_shot_without_a_reasoning_shows_none(here: Path) -> None:
    """An empty text would teach the teacher to give none."""
    golden = [{k: v for k, v in line.items() if k not in ("reasoning", "clauses")} for line in examples()]
    golden[0]["reasoning"] = "It is no shoe."
    project = write_project(here, golden=golden)
    answer = '{"reasoning": shot.reasoning, "clauses": shot.clauses, "grade": shot.grade} | json'
    system = "{% for shot in shots %}\n{{ " + answer + " }}\n{% endfor %}\n{{ policy.title }}"
    (here / "prompts/teacher/v1/system.j2").write_text(system, encoding="utf-8")
    shown = harness("prompt", "render", "teacher@v1", "--policy", "small").out
    assert '"reasoning": ""' not in shown and "clauses" not in shown
    assert shown.count('"grade"') == 4 and shown.count("It is no shoe.") == 1
    asked = Asked(model="openai/x", policy="small", prompt="teacher", splits=("dev",))
    said = plan_warnings(make_plan(project, asked))
    assert "3 of 4 shots have no reasoning: they show a grade alone" in said
    # Nobody noted under which rules they were graded: imported before the policy was written, say.
    assert any(line.startswith("3 of them may contradict small@v1: ") for line in said)
    rules = load_policy(policy_path(project, "small")).rules
    write_golden(here, [{**line, "rules": rules} for line in golden])
    said = plan_warnings(make_plan(project, asked))
    assert "3 of 4 shots have no reasoning: they show a grade alone" in said
    assert not any("may contradict" in line for line in said)


CITED: dict[str, tuple[bool, bool, str, int]] = {
    "no shot cites a clause": (False, True, "", 0),
    "one shot cites a clause": (True, True, "", 3),
    "the policy has no clauses": (False, False, "", 4),
    "one shot cites a clause, and none of the nearest": (True, True, '\nstrategy = "nearest"', 4),
}


@pytest.mark.parametrize(("cited", "rules", "strategy", "empty"), CITED.values(), ids=CITED)
def test_clauses_that_nobody_recorded_are_not_shown_as_none(
    here: Path, cited: bool, rules: bool, strategy: str, empty: int
) -> None:
    golden = [{**line, "clauses": []} for line in examples(queries=16)]
    golden[0 if not strategy else -1] |= {"clauses": ["plain"] if cited else []}
    if strategy:
        golden[-1] |= {"split": "shots", "query": "far away", "result": {"title": "nothing alike"}}
    write_project(here, golden=golden)
    if not rules:
        (here / "policies/small/v1.toml").write_text(policy_text(), encoding="utf-8")
    folder = here / "prompts/teacher/v1"
    spec = (folder / "prompt.toml").read_text("utf-8")
    (folder / "prompt.toml").write_text(spec.rstrip() + strategy + "\n", encoding="utf-8")
    answer = '{"reasoning": shot.reasoning, "clauses": shot.clauses, "grade": shot.grade} | json'
    shots = "{% for shot in shots %}\n{{ " + answer + " }}\n{% endfor %}\n"
    (folder / ("pair.j2" if strategy else "system.j2")).write_text(
        shots + ("Pair:\n{{ pair | json }}" if strategy else "{{ policy.title }}"), encoding="utf-8"
    )
    shown = harness("prompt", "render", "teacher@v1", "--policy", "small").out
    assert (shown.count('"grade": '), shown.count('"clauses": []')) == (4, empty)
