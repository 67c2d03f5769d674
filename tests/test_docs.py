"""The docs cannot lie: commands are run, options are listed from the code, keys and providers are named."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest
from builders import commands_of, harness
from fault_server import fault_server, graded
from forked import interrupted
from oracle import KEYS
from shipped import FILES, ship
from test_layers import ORDER
from typer.main import get_command

from harness.cli.app import app
from harness.cli.help import examples_of
from harness.comparison.baseline import Baseline, Case
from harness.demo.batch_lines import Fate
from harness.demo.wire import Tokens
from harness.golden.examples import load_examples
from harness.golden.rating.adjudicated import Adjudicated, ClauseCount, Looked
from harness.golden.rating.pair_plan import Doubt, PlannedPair
from harness.golden.rating.plan_summary import RaterShare, RoundSummary, StratumDrawn
from harness.golden.rating.progress import RaterProgress, RoundProgress
from harness.golden.rating.sheet import code_of
from harness.nouns.base import Noun
from harness.nouns.policy import Action, Boundary, Cell, Clause, Gates, GradeLevel, Policy
from harness.nouns.records import Usage
from harness.policy.load import load_policy
from harness.providers import PROVIDERS
from harness.scorecards.audit import ActionMoved, Audit, Effect, Paraphrased, Rewrite
from harness.scorecards.cascade import CascadeCheck, CascadeCost, CascadePart, CascadePoint
from harness.scorecards.checkup import Capability, Checkup
from harness.scorecards.comparison import (
    CellChange,
    Change,
    Comparison,
    Condition,
    Difference,
    Flip,
    McNemar,
    Ranking,
    Regression,
    Relabelled,
    SliceChange,
)
from harness.scorecards.estimate import (
    EstimatedFigure,
    Estimates,
    HumanOnly,
    Labels,
    RatingsUsed,
    RoganGladenScore,
    StratumAgainstRest,
    TwoTeachers,
    Worst,
)
from harness.scorecards.gate1 import Gate1
from harness.scorecards.gate2 import Gate2
from harness.scorecards.golden_age import (
    AgedExample,
    GoldenAge,
    GoneQuery,
    MovedClause,
    StratumCover,
    Uncovered,
)
from harness.scorecards.impact import ActionMove, Impact, MovedPair, MovedShare, QueryImpact
from harness.scorecards.judged import Judged, Sided, SidedPair
from harness.scorecards.label_forecast import CascadeForecast, LabelForecast, MonthOfPairs
from harness.scorecards.labels import (
    ActionShare,
    CascadeShares,
    GradeShare,
    LabelPart,
    LabelSpending,
    LabelSummary,
)
from harness.scorecards.live_gate1 import CannotRate, CitedClause, LiveGate1, RaterNow, RaterPace, Seconds
from harness.scorecards.money import Forecast, Prices, Spending
from harness.scorecards.policy_change import AffectedExample, GoldenEffect, PolicyDiff, Regraded, Wording
from harness.scorecards.policy_change import PartChange as PolicyChange
from harness.scorecards.prompt_change import PrefixChange, PromptDiff
from harness.scorecards.sample import SampledStratum, SampleSummary
from harness.scorecards.shared import Outcomes, Statistic
from harness.scorecards.ship import Override, Shipping
from harness.scorecards.signal import (
    ArmDifference,
    Association,
    ClauseSignal,
    Contradiction,
    GroupSignal,
    LogCounts,
    NorthStar,
    OtherLadder,
    Propensity,
    Rung,
    SideTests,
    Signal,
    Step,
)
from harness.scorecards.sizes import ExpectedInterval
from harness.scorecards.stages import Rate, Stage, Stages
from harness.scorecards.student import (
    ChosenCuts,
    Delta,
    DistilledShare,
    OnProduction,
    Stack,
    StackStage,
    StudentCheck,
    StudentKappas,
    StudentSlice,
)
from harness.scorecards.training import (
    LeftOut,
    TrainedGrade,
    TrainedStudent,
    TrainingFile,
    TrainingSet,
    Tried,
)
from harness.scorecards.watch import (
    HumanEstimate,
    HumanSequence,
    MeanChange,
    Mix,
    Process,
    TrafficPart,
    Watch,
    WatchBaseline,
    WatchedDay,
    WatchPower,
)
from harness.web.pages import WAYS

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
START = ROOT / "docs/start.md"
"""The page whose commands run outside the clone, by a shell."""
APART = (START, ROOT / "docs/real-ratings.md", ROOT / "docs/from-signal-to-policy.md")
"""Pages whose commands have a test of their own (test_real_ratings.py, test_story.py)."""
LONG = [
    "audit",
    "commands",
    "compare",
    "policy",
    "production",
    "reports",
    "runs",
    "student",
    "teachers",
    "viewer",
    "watch",
]
"""Pages with many commands: a third of a minute together, so that CI runs them."""
LOOPBACK = re.compile(r"http://(localhost:8000/v1|127\.0\.0\.1:8123(/v1)?)")
"""The servers that the pages speak of."""
ASKING = ("HARNESS_EVAL_BASE_URL", "HARNESS_DOCTOR_BASE_URL", "HARNESS_IMPROVE_BASE_URL")
ELSEWHERE = ("make test", "make demo", "source ", "pip install ")
"""What is no command of the harness: run by its own tests, or by nothing but a shell."""


def commands_in(page: Path) -> list[str]:
    """The lines of a page's `sh` blocks, without comments."""
    blocks = re.findall(
        r"^```sh\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    )
    return [line.split("  #")[0].strip() for block in blocks for line in block.splitlines() if line.strip()]


@cache
def serves(*words: str) -> bool:
    """The same of a server that needs nothing of a project: started once, however many pages name it."""
    return shows_pages([*words])


def shows_pages(words: list[str]) -> bool:
    """Whether a server of pages, which ends by Ctrl-C alone, prints an address and then ends well."""
    ports = dict.fromkeys(("HARNESS_VIEW_PORT", "HARNESS_ADJUDICATE_PORT", "HARNESS_DEMO_SERVER_PORT"), "0")
    line, code = interrupted(*words, *(("--port", "0") if words[0] == "rate" else ()), **ports)
    return line.startswith(("http://127.0.0.1:", "https://rate.example.com")) and code == 0


def expanded(command: str) -> str:
    """A make command as the harness command that it runs."""
    if not command.startswith("make "):
        return command
    stamps = ("--assume-old=.venv/installed", "--assume-old=.venv/installed-dev")
    dry = ["make", "--dry-run", "--no-print-directory", *stamps, *shlex.split(command)[1:]]
    done = subprocess.run(dry, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.partition(" || ")[0].strip().splitlines()[-1].replace(".venv/bin/", "")


READ = Tokens(new=9_000)
"""More than any prompt's constant prefix has: a server that reports less has cut it."""


def keep_some(root: Path) -> None:
    """Leave in a shipped project's golden set the shots, what docs name, and one in twelve of the rest."""
    folder = root / "golden/product-search"
    pages = [*PAGES, ROOT / "docs/paraphrases-example.csv"]
    named = set(re.findall(r"[\w-]+", " ".join(page.read_text(encoding="utf-8") for page in pages)))
    files = {
        path: path.read_text(encoding="utf-8").splitlines(keepends=True)
        for path in sorted(folder.glob("*.jsonl"))
        if path.stem != "canaries"
    }
    golden = [json.loads(line) for line in files[folder / "examples.jsonl"]]
    kept = {one["id"] for n, one in enumerate(golden) if one["split"] == "shots" or n % 12 == 0}
    kept |= named & {one["id"] for one in golden}
    for path, lines in files.items():
        key = "id" if path.stem == "examples" else "item"
        path.write_text("".join(line for line in lines if json.loads(line)[key] in kept), encoding="utf-8")


@pytest.fixture
def whole_shop(here: Path) -> Path:
    """The shipped project, whole."""
    return ship(here)


@pytest.fixture(scope="session")
def made_shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped project, with fewer examples, the files that the docs speak of, and a run."""
    here = ship(tmp_path_factory.mktemp("docs") / "shop")
    keep_some(here)
    shutil.copytree(ROOT / "docs", here / "docs")
    shutil.rmtree(here / "docs/decisions")
    policy = load_policy(here / "policies/product-search/v1.toml")
    golden = load_examples(here / "golden/product-search/examples.jsonl", policy)
    grades = [(e.id, e.grade) for e in golden if e.split != "shots"]
    pairs = "query,product_id,title,label\nshoe,1,red,3\nhat,2,blue,0\n"
    (here / "pairs.csv").write_text(pairs, "utf-8")
    (here / "graded.csv").write_text(pairs.replace("product_id", "item").replace("label", "grade"), "utf-8")
    (here / "ann.jsonl").write_text(
        f'{{"pair": "{code_of(golden[-1].pair)}", "grade": {golden[-1].grade}}}\n', "utf-8"
    )
    (here / "regraded.csv").write_text("item,grade,reasoning\nfan-04,2,...\n", "utf-8")
    (here / "student.csv").write_text("doc,label\n" + "".join(f"{i},{g}\n" for i, g in grades), "utf-8")
    rated = "".join(f"{item},{rater},{grade}\n" for item, grade in grades for rater in ("ann", "bob"))
    (here / "ratings.csv").write_text("item,rater,grade\n" + rated, "utf-8")
    scores = [
        {"name": "relevance", "value": g, "source": "EVAL", "dataType": "NUMERIC", "metadata": {"item": i}}
        for i, g in grades
    ]
    (here / "scores.json").write_text(json.dumps(scores), "utf-8")
    for name in ("golden", "yesterday", "today"):
        text = "item,grade\n" + "".join(f"{i},{g}\n" for i, g in grades)
        (here / f"{name}.csv").write_text(text, "utf-8")
    sure = "".join(f"{i},{g},0.{50 + n % 50}\n" for n, (i, g) in enumerate(grades))
    (here / "sure.csv").write_text("item,grade,confidence\n" + sure, "utf-8")
    (here / "teacher.csv").write_text("item,grade\n" + "".join(f"{i},{g}\n" for i, g in grades), "utf-8")
    splits = "".join(f"{e.id},q{n},{e.grade},{e.split}\n" for n, e in enumerate(golden) if e.split != "shots")
    (here / "splits.csv").write_text("item,query,grade,split\n" + splits, "utf-8")
    assert harness("eval", "--root", here).code == 0
    return here


@pytest.fixture
def shop(made_shop: Path, here: Path) -> Path:
    """A copy of it, to work in."""
    shutil.copytree(made_shop, here, dirs_exist_ok=True)
    return here


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, id=page.name, marks=[pytest.mark.slow] if page.stem in LONG else [])
        for page in PAGES
        if page not in APART
    ],
)
def test_commands_of_a_page_run(shop: Path, page: Path) -> None:
    with fault_server(lambda number, body: graded(3, tokens=READ), repeat(Fate(looks=0))) as server:
        for command in commands_in(page):
            words = shlex.split(LOOPBACK.sub(server.url, expanded(command)))
            if words[0] != "harness":
                assert command.startswith(ELSEWHERE), command
                continue
            if words[1] in ("view", "demo-server"):
                assert serves(*words[1:]), command
                continue
            shows = words[1] == "adjudicate" or (words[1] == "rate" and words[2].startswith("-"))
            if shows and not {"--list", "--summary"} & set(words):
                assert shows_pages(words[1:]), command
                continue
            urls = dict.fromkeys(ASKING, server.url)
            if page.name == "commands.md" and words[1:3] == ["student", "cascade"]:  # of dev and test
                assert harness("eval", "--split", "dev+test").code == 0
            ended = harness(*words[1:], **KEYS, **urls)
            asked = ["student", "check"], ["student", "cascade"]
            gated = words[1] in ("gate1", "gate2", "regress", "ship", "watch") or words[1:3] in asked
            if words[1] == "stages":  # the shipped project has one policy, and stages are runs of several
                assert "are runs of one policy" in ended.err, command
                continue
            if words[1:3] == ["golden", "add"]:  # nobody has judged a production pair
                assert "has no round" in ended.err, command
                continue
            if words[1:3] == ["rate", "seal"]:  # nobody has opened a link
                assert re.search("nothing to seal|no rater has answered", ended.err), command
                continue
            assert ended.code in ((0, 1, 3) if gated else (0,)), (command, ended.err)


@pytest.mark.slow
def test_commands_for_a_project_of_ones_own_run_outside_the_clone(here: Path) -> None:
    rows = [f"query {n},{n},title {n},{n % 4}\n" for n in range(40)]
    (here / "pairs.csv").write_text("query,product_id,title,label\n" + "".join(rows), "utf-8")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-ec", "\n".join(commands_in(START))],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "hats@v1 is not finished" in done.stdout


@pytest.mark.slow
def test_output_in_the_readme_is_what_comes_out(whole_shop: Path) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"^```text\n(Gate 2.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    squeezed = [" ".join(line.split()) for line in shown.splitlines() if not line.startswith("Run: ")]
    shutil.copy(ROOT / "Makefile", whole_shop)
    out = harness("eval").out
    assert squeezed == [" ".join(line.split()) for line in out.splitlines() if not line.startswith("Run: ")]


def test_output_on_the_page_of_a_watch_is_what_comes_out(here: Path) -> None:
    text = (ROOT / "docs/watch.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"^harness (watch docs/watch-example.csv .*)$", text, flags=re.MULTILINE)
    (shown,) = re.findall(r"^```text\n(Who drifted.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    (here / "docs").mkdir()
    shutil.copy(ROOT / "docs/watch-example.csv", here / "docs")
    out = " ".join(harness(*shlex.split(command)).out.split())
    assert out.startswith(" ".join(shown.split()))


def reference(name: str, command: Any) -> Iterator[str]:
    """The reference of a command, from the command line's own definition."""
    yield from (f"## {name}", "", " ".join(command.help.split()), "", "```sh", *examples_of(name), "```", "")
    yield from ("| | |", "|---|---|")
    for parameter in command.params:
        if parameter.param_type_name == "option":
            yield f"| {', '.join(f'`{option}`' for option in parameter.opts)} | {parameter.help} |"
        elif not parameter.hidden:
            yield f"| `{parameter.metavar or parameter.name.upper()}` | {parameter.help or ''} |"
    yield ""


def test_golden_file_of_the_command_reference() -> None:
    intro = (
        "# Every command\n\n"
        "Written from the command line's own definition by `make golden-update`. Every command works on\n"
        "the project that the current folder lies in, or `--root DIR`. The environment can set every\n"
        "option: `HARNESS_GOLDEN_LINT_POLICY` is `harness golden lint --policy`. The policy is `--policy`\n"
        "everywhere; the commands that took its name without the option still do.\n\n"
        "`harness --install-completion` makes the shell (bash, zsh, fish, PowerShell) complete commands,\n"
        "options, policies and runs; `harness --show-completion` prints what it would install. Where the\n"
        "shell cannot be found out: `_HARNESS_COMPLETE=source_bash harness`.\n\n"
        "Piped into a file or another program, a table is as wide as in a terminal of 80 columns, without\n"
        "spaces at the ends of its lines; `COLUMNS=200` makes it wider.\n\n"
    )
    commands = commands_of(get_command(app))
    text = intro + "\n".join(line for name, one in commands for line in reference(name, one))
    path = ROOT / "docs/commands.md"
    if os.environ.get("UPDATE_CASES"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


COMPARED = (
    Comparison,
    Change,
    McNemar,
    Statistic,
    Flip,
    Relabelled,
    SliceChange,
    CellChange,
    Difference,
    Ranking,
)

ROUNDS = (RoundSummary, StratumDrawn, RaterShare, ExpectedInterval, RoundProgress, RaterProgress)
LABELLED = (LabelSummary, Outcomes, GradeShare, ActionShare, LabelPart, LabelSpending, CascadeShares)
CHECKED = (
    StudentCheck,
    StudentKappas,
    Delta,
    DistilledShare,
    StudentSlice,
    Stack,
    StackStage,
    ChosenCuts,
    OnProduction,
)
ESTIMATED = (
    Estimates,
    EstimatedFigure,
    HumanOnly,
    RoganGladenScore,
    StratumAgainstRest,
    Labels,
    Worst,
    RatingsUsed,
    TwoTeachers,
)
SIGNALLED = (
    Signal,
    LogCounts,
    Propensity,
    Rung,
    Step,
    OtherLadder,
    SideTests,
    Contradiction,
    ClauseSignal,
    GroupSignal,
    NorthStar,
    Association,
    ArmDifference,
)
WATCHED = (
    Watch,
    Process,
    WatchBaseline,
    WatchPower,
    WatchedDay,
    HumanEstimate,
    Mix,
    TrafficPart,
    MeanChange,
    HumanSequence,
)
AGED = (GoldenAge, AgedExample, MovedClause, GoneQuery, StratumCover, Uncovered)
POLICY_CHANGED = (PolicyDiff, PolicyChange, Wording, GoldenEffect, AffectedExample, Regraded)


@pytest.mark.parametrize(
    ("model", "section"),
    [
        (Gate1, None),
        *(
            (model, "rate live")
            for model in (LiveGate1, RaterNow, Seconds, RaterPace, CitedClause, CannotRate)
        ),
        (Gate2, None),
        (Spending, "gate2, and eval"),
        (Forecast, "eval --dry-run"),
        (Prices, "eval --dry-run"),
        (Checkup, "doctor MODEL"),
        (Capability, "doctor MODEL"),
        (Usage, "doctor MODEL"),
        *((model, "compare") for model in COMPARED),
        (Regression, "regress, baseline show"),
        (Condition, "regress, baseline show"),
        (Baseline, "regress, baseline show"),
        (Case, "regress, baseline show"),
        *((model, "policy impact") for model in (Impact, MovedShare, ActionMove, QueryImpact, MovedPair)),
        *((model, "audit") for model in (Audit, Effect, Rewrite, ActionMoved, Paraphrased)),
        *((model, "label") for model in LABELLED),
        *((model, "label --dry-run") for model in (LabelForecast, MonthOfPairs, CascadeForecast)),
        *((model, "sample") for model in (SampleSummary, SampledStratum, PlannedPair, Doubt)),
        *((m, "student export") for m in (TrainingSet, LeftOut, TrainedGrade, TrainingFile)),
        *((m, "student train") for m in (TrainedStudent, Tried)),
        *((model, "student check") for model in CHECKED),
        *((m, "student cascade") for m in (CascadeCheck, CascadePart, CascadePoint, CascadeCost)),
        *((model, "estimate") for model in ESTIMATED),
        *((model, "signal") for model in SIGNALLED),
        *((model, "judged") for model in (Judged, Sided, SidedPair)),
        *((model, "watch") for model in WATCHED),
        *((model, "golden age") for model in AGED),
        *((model, "ship") for model in (Shipping, Override)),
        *((model, "rate plan, rate status") for model in ROUNDS),
        *((model, "stages") for model in (Stages, Stage, Rate)),
        *((m, "adjudicate --list, adjudicate --summary") for m in (Adjudicated, ClauseCount, Looked)),
        *((model, "policy diff, policy lint") for model in POLICY_CHANGED),
        *((model, "prompt list, prompt diff, runs rm") for model in (PromptDiff, PrefixChange)),
    ],
)
def test_every_key_of_the_json_is_documented(model: type[Noun], section: str | None) -> None:
    text = (ROOT / "docs/json.md").read_text(encoding="utf-8")
    if section:
        text = text.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    known = set(re.findall(r"\w+", text))
    fields = {name: one for name, one in model.model_fields.items() if not one.exclude}
    keys = {one.serialization_alias or name for name, one in fields.items()}
    assert keys - known == set()


def test_every_provider_is_documented() -> None:
    text = (ROOT / "docs/teachers.md").read_text(encoding="utf-8")
    assert [name for name in PROVIDERS if f"`{name}/" not in text] == []


def test_links_between_pages_lead_somewhere(shipped_project: Path) -> None:
    texts = {page: page.read_text(encoding="utf-8") for page in PAGES}
    for name in (name for name in FILES if name.endswith(".md")):
        texts[ROOT / name] = (shipped_project / name).read_text(encoding="utf-8")
    for page, text in texts.items():
        for target in re.findall(r"\]\(([^)#:]+)\)", text):
            assert (page.parent / target).exists(), (page.name, target)


def test_make_help_names_every_target() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    (phony,) = re.findall(r"^\.PHONY: (.*)$", text, flags=re.MULTILINE)
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert [target for target in phony.split() if f"make {target} " not in done.stdout] == []


@pytest.mark.parametrize("model", [Policy, GradeLevel, Clause, Action, Boundary, Gates, Cell])
def test_every_key_of_a_policy_is_documented(model: type[Noun]) -> None:
    known = set(re.findall(r"\w+", (ROOT / "docs/policy.md").read_text(encoding="utf-8")))
    assert set(model.model_fields) - known == set()


def test_every_section_of_the_report_is_documented(made_shop: Path) -> None:
    (page,) = (made_shop / "runs").glob("*/report.html")
    titles = re.findall(r'<li><a href="#\w+">([^<]+)</a>', page.read_text(encoding="utf-8"))
    assert len(titles) > 5
    text = (ROOT / "docs/reports.md").read_text(encoding="utf-8").casefold()
    assert [title for title in titles if title.casefold() not in text] == []


def test_every_page_of_the_viewer_is_documented() -> None:
    text = (ROOT / "docs/viewer.md").read_text(encoding="utf-8")
    assert [way.title for way in WAYS if way.title not in text] == []


def test_architecture_page_draws_every_room() -> None:
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    drawn = set(re.findall(r"\w+", re.findall(r"^```text\n(.*?)^```", text, re.MULTILINE | re.DOTALL)[0]))
    assert set(ORDER) - drawn == set()
    to_come = re.findall(r"^\| `([a-z/]+)` \|", text, re.MULTILINE)
    assert [name for name in to_come if (ROOT / "harness" / name).exists()] == []


def test_files_and_functions_of_the_architecture_page_exist() -> None:
    text = " ".join((ROOT / "docs/architecture.md").read_text(encoding="utf-8").split())
    paths = re.findall(r"`((?:harness|tests|docs|prompts)/[a-z0-9_/.]*)`", text)
    assert [path for path in paths if not (ROOT / path).exists()] == []
    named = re.findall(r"((?:`[\w.]+`(?:, | and )?)+) \(`([\w/]+\.py)`\)", text)
    assert len(named) > 30
    for names, path in named:
        code = (ROOT / path).read_text(encoding="utf-8")
        for name in re.findall(r"(\w+)`", names):
            assert re.search(rf"^ *(?:(?:async )?def|class) {name}\b|^ *{name}\b.* = ", code, re.MULTILINE), (
                name,
                path,
            )


def test_links_into_pages_lead_to_headings() -> None:
    for page in [*PAGES, ROOT / "CONTRIBUTING.md"]:
        for target, heading in re.findall(r"\]\(([^)#:]*)#([^)]+)\)", page.read_text(encoding="utf-8")):
            text = (page.parent / target if target else page).read_text(encoding="utf-8")
            slugs = {
                re.sub(r"[^\w\- ]", "", title.casefold()).replace(" ", "-")
                for title in re.findall(r"^#+ (.*)$", text, re.MULTILINE)
            }
            assert heading in slugs, (page.name, target, heading)
