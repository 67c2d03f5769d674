"""One way to say a thing: `--policy`, environment names, help, shell completion, counts, run names."""

import os
import re
import resource
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from builders import commands_of, examples, harness, write_project
from typer.main import get_command

from harness.cli.app import app
from harness.cli.help import examples_of
from harness.storage.plural import plural

ROOT = Path(__file__).resolve().parent.parent
COMMANDS = commands_of(get_command(app))
NAMED = (
    "golden lint", "golden stats --json", "golden export", "golden sheet --rater ann", "golden plan --json",
    "golden confirm --unaffected", "policy show", "policy lint --json",
)  # fmt: skip


@pytest.fixture
def project(here: Path) -> Path:
    write_project(here)
    for name in ("policies", "golden"):
        (here / name / "other").symlink_to(here / name / "small")
    return here


@pytest.mark.parametrize("command", NAMED)
def test_policy_is_an_option_and_its_position_an_alias(project: Path, command: str) -> None:
    said = harness(*command.split(), "--policy", "small@v1")
    assert said.code == 0, said.err
    assert harness(*command.split(), "small@v1") == said
    assert harness(*command.split(), "small@v1", "--policy", "small@v1") == said
    twice = harness(*command.split(), "small", "--policy", "other")
    assert (twice.code, "two policies are named: small and --policy other" in twice.err) == (2, True)


def test_two_versions_and_the_version_to_ship_are_named_by_policy_too(project: Path) -> None:
    text = (project / "policies/small/v1.toml").read_text(encoding="utf-8")
    (project / "policies/small/v2.toml").write_text(text.replace('"v1"', '"v2"'), encoding="utf-8")
    by_position = harness("policy", "diff", "small", "--json")
    assert by_position.code == 0 and by_position == harness("policy", "diff", "--policy", "small", "--json")
    assert (
        harness("ship", "small@v1", "--json").json == harness("ship", "--policy", "small@v1", "--json").json
    )
    unversioned = harness("ship", "--policy", "small").err
    assert unversioned == "error: name the version to ship: --policy small@v1 or --policy small@v2\n"
    assert "no policy 'smal'" in harness("ship", "--policy", "smal").err
    assert "two policies are named" in harness("policy", "diff", "small", "--policy", "other").err
    assert "name a policy" in harness("policy", "impact", "--pairs", "x.csv").err


def test_list_of_golden_sets_can_be_one(project: Path) -> None:
    assert harness("golden", "list", "--policy", "small@v1").out == "small  24 examples, for small@v1\n"


@pytest.mark.parametrize(("name", "command"), COMMANDS, ids=[name for name, _ in COMMANDS])
def test_help_ends_with_two_examples_and_the_rule_of_the_environment(name: str, command: Any) -> None:
    text = harness(*name.split()[1:], "--help").out
    assert "env var" not in text
    assert [line for line in text.splitlines() if len(line) > 80] == []
    end = text.partition("\n  Examples:\n")[2]
    variable = re.sub("[ -]", "_", name.upper())  # what a shell can set
    rule = f"  The environment can set an option, too: {variable}_<OPTION>."
    assert end.rstrip().splitlines()[-1] == rule
    shown = [" ".join(shlex.split(line)) for line in examples_of(name)]
    assert len(set(shown)) == 2
    copied = end.partition("\n\n")[0].replace("\\\n", " ")
    assert [" ".join(shlex.split(line)) for line in copied.splitlines()] == shown
    for line in examples_of(name):
        words = shlex.split(line)[len(name.split()) :]
        command.make_context(name, words)  # raises for what does not parse


def test_every_option_has_the_environment_name_of_its_flag() -> None:
    for name, command in COMMANDS:
        for one in command.params:
            if one.param_type_name == "option":
                flag = f"--{one.name.replace('_', '-')}"
                variable = f"{name} {one.opts[0][2:]}".upper().replace(" ", "_").replace("-", "_")
                assert flag in one.opts or one.envvar == variable, (name, one.name)


def test_old_spellings_still_work(project: Path) -> None:
    (project / "t.csv").write_text("item,query,title,grade\na,shoe,red,1\nb,hat,blue,0\n", encoding="utf-8")
    words = ("golden", "import", "t.csv", "--policy", "shop", "--scale", "0-1", "--replace")
    for more, env in (
        (["--license", "MIT"], {}),
        (["--licence", "MIT"], {}),
        ([], {"HARNESS_GOLDEN_IMPORT_LICENSE": "MIT"}),
        ([], {"HARNESS_GOLDEN_IMPORT_LICENCE": "MIT"}),
    ):
        assert harness(*words, *more, **env).code == 0
        assert '"licence": "MIT"' in (project / "golden/shop/examples.jsonl").read_text(encoding="utf-8")
        (project / "golden/shop/examples.jsonl").unlink()
    assert "licence" not in harness("golden", "import", "--help").out
    again = ("golden", "regrade", "q1-0", "--grade", "0", "--reasoning", "a b c d e f g h", "--why", "x")
    for variable in ("HARNESS_GOLDEN_REGRADE_POLICY", "HARNESS_GOLDEN_REGRADE_POLICY_NAME"):
        assert harness(*again, "--json", **{variable: "small@v1"}).json["policy"] == "small@v1"
    (project / "sheet.jsonl").write_text('{"pair": "x", "grade": 0}\n', encoding="utf-8")
    for variable in ("HARNESS_GOLDEN_COLLECT_POLICY", "HARNESS_GOLDEN_COLLECT_NAME"):
        said = harness("golden", "collect", "sheet.jsonl", "--rater", "ann", **{variable: "small"})
        assert "no pair of dev or test has the code 'x'" in said.err


@pytest.mark.parametrize("words", [(), *sorted({tuple(name.split()[1:-1]) for name, _ in COMMANDS} - {()})])
def test_lists_of_commands_are_whole_at_80_columns(words: tuple[str, ...]) -> None:
    shown = harness(*words, "--help", COLUMNS="80").out.split("Commands:\n")[1]
    assert "..." not in shown
    assert all(len(line) <= 80 for line in shown.splitlines())


def test_help_starts_fast() -> None:
    """In seconds of the processor: other work on the machine does not count."""
    words = [sys.executable, "-m", "harness", "--help"]
    took = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(words, check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        took.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(took) < 0.3


@pytest.mark.parametrize(
    ("typed", "proposed"),
    [
        ("harness golden lint --policy sm", "small small@v1"),
        *(
            pytest.param(*words, marks=pytest.mark.slow)  # each starts a shell and a process
            for words in (
                ("harness gold", "golden"),
                ("harness golden li", "list lint"),
                ("harness golden lint --po", "--policy"),
                ("harness golden confirm --policy small@v", "small@v1"),
                ("harness gate2 bas", "baseline"),
                ("harness report lat", "latest"),
            )
        ),
    ],
)
def test_bash_completes_commands_options_policies_and_runs(project: Path, typed: str, proposed: str) -> None:
    words = typed.split()
    script = (
        'eval "$(_HARNESS_COMPLETE=source_bash harness)"; '
        f"COMP_WORDS=({typed}); COMP_CWORD={len(words) - 1}; "
        "$(complete -p harness | sed 's/.*-F \\([^ ]*\\).*/\\1/') harness; echo \"${COMPREPLY[@]}\""
    )
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    command = ["bash", "--norc", "-c", script]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=project, env={**os.environ, "PATH": path}
    )
    assert (done.stdout.strip(), done.stderr) == (proposed, "")


def test_shell_completion_offers_itself_and_no_variable_can_set_it_off(project: Path) -> None:
    for option in ("--install-completion", "--show-completion"):
        assert option in harness("--help").out
    variables = {"HARNESS_SHOW_COMPLETION": "1", "HARNESS_INSTALL_COMPLETION": "1", "HARNESS_VERSION": "1"}
    assert harness("policy", "list", **variables).out == "other  v1\nsmall  v1\n"


@pytest.mark.parametrize(
    ("variables", "last"),
    [
        (("RATINGS=r.csv", "FLAGS=--scale 0-1"), "harness: exit 3, inconclusive: the data do not decide"),
        (("RATINGS=near.csv", "FLAGS=--scale 0-1"), None),
        (("RATINGS=far.csv", "FLAGS=--scale 0-1"), "harness: exit 1, failed: a gate, or what it asks for"),
        (("RATINGS=none.csv", "FLAGS=--scale 0-1"), "harness: exit 2, bad usage or bad input"),
        (("RATINGS=r.csv", "FLAGS=--no-such-option"), "harness: exit 2, bad usage or bad input"),
    ],
)
def test_make_says_what_the_command_ended_with(
    here: Path, variables: tuple[str, ...], last: str | None
) -> None:
    for name, wrong in (("near", 50), ("far", 3)):
        rows = "".join(f"i{at},x,{at % 2}\ni{at},y,{(at + (at % wrong == 0)) % 2}\n" for at in range(300))
        (here / f"{name}.csv").write_text(f"item,rater,grade\n{rows}", encoding="utf-8")
    (here / "r.csv").write_text("item,rater,grade\na,x,1\na,y,1\nb,x,0\nb,y,1\n", encoding="utf-8")
    shutil.copy(ROOT / "Makefile", here)
    (here / ".venv").mkdir()
    (here / ".venv/installed").touch()
    words = [
        "make",
        "--assume-old=.venv/installed",
        f"BIN={Path(sys.executable).parent}",
        "gate1",
        *variables,
    ]
    done = subprocess.run(words, cwd=here, capture_output=True, text=True)
    said = [line for line in done.stderr.splitlines() if line.startswith("harness: exit")]
    assert said == ([last] if last else []), done.stderr
    assert done.returncode == (2 if last else 0)


NOUNS = re.findall(
    r"\w+",
    """example pair item query question shot answer reply attempt word reasoning text rating rater grade
    clause area case flip miss canary tag character token field error request level call record time stage
    draw letter run cell header warning row""",
)
MANY = re.compile(rf"\{{([^{{}}]+)\}} (?:\w+ )?(?:{'|'.join(plural(2, noun)[2:] for noun in NOUNS)})\b")
NEVER_ONE = {
    # constants
    "MOST_GRADES", "LETTERS:,", "SOURCE:,", "CUT", "PATIENCE", "THOUGHT:,", "UNSAID.high",
    "ESTIMATED:,", "ANSWERS:,", "MOST", "FEW", "LEAST", "LEAST_SIDE", "MIN_COMMON", "MOST_CELLS:,",
    "FEW_EVENTS", "MOST_ROWS:,", "IN_A_ROW", "FOLDS", "n:,",  "self._longest:,",
    # two or more, where they are said
    "len(found.stages):,", "len(found.comparisons):,", "found.repeats",
    "asked.repeats", "len(names):,", "len(different):,", "tries", "len(score.pairs):,", "len(score.raters):,",
    "len(known):,",
    # a name
    "one.rater",
    "self._cut_off", "self._exhausted", "shared:,", "room:,", "least", "tried", "len(reading.models)",
    # estimates of hundreds
    "prefix.high:,.0f", "count:,", "least:,.0f", "items", "queries",
    # no noun follows, but a verb or a sum
    "found.student", "cascade.used.student",
    "who", "source", "found.model", "side.name", "variable", "usd(self.lost)", "NEAR_1:g",
    # part of a stored baseline, which is compared word for word
    "manifest.examples",
    # times as long
    "one.pace.value:.2f",
}  # fmt: skip


def test_no_count_stands_before_a_fixed_plural() -> None:
    found = {
        (path.name, count)
        for path in (ROOT / "harness").rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if 'f"' in line
        for count in MANY.findall(line)
        if count not in NEVER_ONE and not count.startswith("plural(")
    }
    assert found == set()


@pytest.fixture(scope="module")
def made_single(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose every count is 1: one example for each split, of one query, with a run over it."""
    golden = [
        {**line, "split": split, "query": f"a single {split}", "id": split}
        for split, line in zip(("shots", "dev", "test"), examples(), strict=False)
    ]
    here = tmp_path_factory.mktemp("single")
    write_project(here, golden=golden)
    (here / "g.csv").write_text("item,query,grade\na,shoe,1\n", encoding="utf-8")
    (here / "h.csv").write_text("item,grade\na,1\nb,0\n", encoding="utf-8")
    (here / "r.csv").write_text("item,rater,grade\na,x,1\na,y,0\n", encoding="utf-8")
    (here / "t.csv").write_text("item,query,title,grade\na,shoe,red,1\n", encoding="utf-8")
    assert harness("eval", "--policy", "small", "--root", here).code == 0
    return here


@pytest.fixture
def single(made_single: Path, here: Path) -> Path:
    """A copy of it, to work in."""
    shutil.copytree(made_single, here, dirs_exist_ok=True)
    return here


ONES = (
    "eval --policy small", "eval --policy small --repeats 2 --no-cache", "eval --policy small --dry-run",
    "gate2 latest",
    "gate2 --golden g.csv --grades h.csv --scale 0-1", "gate1 r.csv --scale 0-1", "compare latest latest",
    "regress --base latest --candidate latest", "golden list", "golden lint", "golden stats --policy small",
    "golden plan --policy small", "golden sheet --policy small --rater a -o s.md --split dev",
    "golden export --policy small -o s.csv", "golden import t.csv --policy new --scale 0-1", 
    "runs list", "runs show",
    "runs list --sort kappa", "prompt render --policy small --stats", "doctor", "cache stats", "cache clear",
    "policy lint", "baseline set", "report latest", "ship --policy small@v1",
)  # fmt: skip
ONE = re.compile(rf"(?<![\d.,:+@-])\b1 (?:\w+ )?(?:{'|'.join(plural(2, noun)[2:] for noun in NOUNS)})\b")


@pytest.mark.parametrize("command", ONES)
def test_one_is_one(single: Path, command: str) -> None:
    ended = harness(*command.split())
    assert ended.code in (0, 1, 3), ended.err
    assert ONE.findall(ended.out + ended.err) == []


def test_latest_and_baseline_name_runs_wherever_a_run_is_named(project: Path) -> None:
    assert "no baseline; `harness baseline show` lists them" in harness("gate2", "baseline").err
    for model in ("builtin/majority", "builtin/lexical"):
        assert harness("eval", "--policy", "small", "--model", model, "--no-report").code == 0
    assert harness("baseline", "set", "latest~1").code == 0
    for command in (
        "gate2 NAME --json", "runs show NAME --json", "report NAME --json", 
        "eval --disagreements-of NAME --dry-run --json",
        "golden plan --policy small --pilot NAME --json", "regress --base NAME --candidate latest --json",
        "eval --resume NAME --dry-run --json",
    ):  # fmt: skip
        by_name, named = (harness(*command.replace("NAME", it).split()) for it in ("latest~1", "baseline"))
        assert by_name.code in (0, 1, 3) and named.code == by_name.code, (command, by_name.err, named.err)
        if "regress" not in command:
            assert named.json == by_name.json, command
    beside = harness("report", "latest", "baseline", "--json").json
    assert "report-against-" in beside["report"] and "majority" in beside["report"]
    assert "was made of it" in harness("runs", "rm", "baseline", "--yes").err


def test_baseline_of_the_same_policy_and_split_is_meant_or_the_name_asked_for(project: Path) -> None:
    for split in ("dev", "test"):
        assert harness("eval", "--policy", "small", "--split", split, "--no-report").code == 0
        assert harness("baseline", "set").code == 0
    assert harness("report", "latest", "baseline", "--json").json["report"].endswith("-test.html")
    assert "several baselines (small-dev, small-test): name the run" in harness("gate2", "baseline").err
    (project / "runs/baselines/small-dev.json").unlink()
    assert harness("gate2", "baseline").code in (0, 1, 3)
    (run,) = (path for path in (project / "runs").iterdir() if path.name.endswith("-test"))
    assert harness("runs", "rm", run.name, "--yes", "--force").code == 0
    said = harness("gate2", "baseline")
    assert (said.code, "is not here; compare and regress take the baseline by itself" in said.err) == (
        2,
        True,
    )
    (project / "runs/baselines/small-test.json").write_text("[]", encoding="utf-8")
    told = " ".join(harness("gate2", "baseline").err.split())
    assert 'small-test.json: not a baseline: expected an object with the key "run"' in told
