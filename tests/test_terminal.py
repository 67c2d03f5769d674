"""What every command prints: whole in 80 columns, plain where nobody looks, coloured on a terminal alone."""

import os
import pty
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path

import pytest
from builders import harness
from shipped import ROOT
from typer.main import get_command
from viewing import shop

from harness.cli.app import app
from harness.cli.progress import Progress, _left
from harness.grading.answered import Answered, record_of
from harness.nouns.records import Grade

ESCAPE = "\x1b"
CUT = "…"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four runs, a file of golden grades on a long scale, one of a grader's, and one of many raters'."""
    here = tmp_path_factory.mktemp("terminal") / "project"
    shop(here)
    items = range(2200)
    golden = "".join(f"i{at},q{at // 3},{at % 11}\n" for at in items)
    grades = "".join(f"i{at},{at % 11 if at % 5 else (at // 5) % 11}\n" for at in items)
    (here / "golden.csv").write_text("item,query,grade\n" + golden, encoding="utf-8")
    (here / "grades.csv").write_text("item,grade\n" + grades, encoding="utf-8")
    rated = (
        f"an-item-with-a-long-name-{at},annotator-number-{rater},{(at + (at * rater) % 5) % 5}\n"
        for at in range(30)
        for rater in range(14)
    )
    (here / "ratings.csv").write_text("item,rater,grade\n" + "".join(rated), encoding="utf-8")
    pairs = "".join(f"p{at},a query {at // 3},a title {at}\n" for at in range(30))
    (here / "pairs.csv").write_text("item,query,title\n" + pairs, encoding="utf-8")
    shutil.copy(ROOT / "docs/production-example.csv", here / "production.csv")
    for name in ("signal-example.csv", "signal-labels.csv", "signal-ratings.csv"):
        shutil.copy(ROOT / "docs" / name, here / name)
    with chdir(here):
        assert harness("label", "pairs.csv", "-o", "labelled", "--policy", "small", "--unproven").code == 0
        words = ("--labels", "signal-labels.csv", "--scale", "0-4", "--at-least", "2", "-o", "doubted.jsonl")
        assert harness("signal", "signal-example.csv", *words).code == 0
    return here


@pytest.fixture
def project(made: Path, here: Path) -> Path:
    """A copy of it, to work in."""
    shutil.copytree(made, here, dirs_exist_ok=True)
    return here


RIGHT = (
    "rate plan --policy small --raters ann,bob --by grade --dry-run",
    "audit RUN",
    "adjudicate --policy small --list",
    "doctor", "policy list", "policy show small", "policy lint small", "golden list", "golden lint small",
    "golden stats small", "golden plan small --pilot RUN --half-width 0.05", "prompt list",
    "prompt render --policy small --stats", "runs list", "runs list --sort kappa", "runs show RUN",
    "gate1 ratings.csv --scale 0-4", "gate2 RUN --misses 3 --bootstrap",
    "gate2 --golden golden.csv --grades grades.csv --scale 0-10", "compare RUN OTHER --flips 3",
    "compare RUN OTHER latest", "compare grades.csv golden.csv grades.csv --golden golden.csv --scale 0-10",
    "regress --base golden.csv --candidate grades.csv --golden golden.csv --scale 0-10",
    "regress --base RUN --candidate OTHER", "baseline set RUN", "baseline show",
    "eval --policy small --no-report", "report RUN", "report RUN OTHER", "view --help",
    "demo-server --help", "label pairs.csv --policy small --dry-run",
    "signal signal-example.csv --labels signal-labels.csv --scale 0-4 --at-least 2 -o sheet.jsonl",
    "judged doubted.jsonl --ratings signal-ratings.csv --scale 0-4",
    "label pairs.csv -o labels --policy small --unproven", "sample labelled --n 3 -o plan.jsonl",
    "estimate production.csv --scale 0-4 --at-least 3 --by stratum",
    "improve --model openai/x --policy small --dry-run", "golden age small",
    "watch looks --policy small --sentinels 5 --dry-run", "student export labelled -o taught",
    "cache stats", "prompt diff teacher@v1 teacher@v1 --policy small", "runs rm RUN OTHER --yes",
)  # fmt: skip
WRONG = (
    "gate2 nothing",
    "compare RUN",
    "compare ratings.csv",
    "stages RUN grades.csv",
    "stages RUN OTHER",
    "view --port 99999",
    "runs rm RUN",
    "label nothing.csv -o labels --policy small",
    "sample nothing -o plan.jsonl",
    "estimate grades.csv",
    "improve --model builtin/lexical --policy small",
    "student check --student nothing --teacher RUN",
    "student cascade --student RUN --teacher OTHER",
    "label pairs.csv -o labels --policy small --cascade nothing.json",
    "student train nothing -o small",
    "golden add --policy small --round r1",
    "golden regrade --file grades.csv --policy small",
    "adjudicate --policy small --round r9 --list",
    "watch nothing.csv --scale 0-4",
    "ratings import ratings.csv --policy small",
    "rate status --policy small",
    "init policies",
    "runs rm nothing --yes",
    "prompt diff teacher@v1 teacher@v9",
    "eval --model nothing",
    "ship small@v2 --model x",
)


def words_of(command: str, project: Path) -> list[str]:
    """A command with the names of two runs in it."""
    first, second = names_in(project)[:2]
    return command.replace("RUN", first).replace("OTHER", second).split()


def names_in(project: Path) -> list[str]:
    """The run folders, without the baselines."""
    return [path.name for path in sorted((project / "runs").iterdir()) if path.name != "baselines"]


def is_whole(line: str) -> bool:
    """Whether a line may be as long as it is: folding would break a name, path or command that is copied."""
    longest = max(line.split(), key=len, default="")
    return (
        len(line) <= 80
        or "/" in line
        or "sha256:" in line
        or "small@v1" in longest
        or line.startswith("next: harness ")
    )


@pytest.mark.parametrize("command", RIGHT + WRONG)
def test_in_80_columns_nothing_runs_over_and_nothing_is_cut(project: Path, command: str) -> None:
    if command == "baseline show":
        harness("baseline", "set", *words_of("RUN", project))
    ended = harness(*words_of(command, project))
    assert (ended.code == 2) == (command in WRONG), ended.err
    text = ended.out + ended.err
    assert ESCAPE not in text
    assert CUT not in text
    assert [line for line in text.splitlines() if line.endswith(" ")] == []
    assert [line for line in text.splitlines() if not is_whole(line)] == []


def test_every_command_that_shows_something_is_looked_at() -> None:
    known = {command.partition(" ")[0] for command in RIGHT + WRONG}
    assert set(get_command(app).commands) - known == set()  # type: ignore[attr-defined]  # a group


def test_a_long_confusion_matrix_is_told_in_parts_with_every_count(project: Path) -> None:
    words = ("gate2", "--golden", "golden.csv", "--grades", "grades.csv", "--scale", "0-10")
    matrix = harness(*words, "--json").json["confusion"]["matrix"]
    out = harness(*words).out
    for row in matrix:
        for count in row:
            assert not count or re.search(rf"\b{count:,}\b", out)


def test_many_raters_are_named_in_whole(project: Path) -> None:
    out = harness("gate1", "ratings.csv", "--scale", "0-4").out
    said = " ".join(out.partition("In dispute")[2].split())
    assert all(f"annotator-number-{rater}" in said for rater in range(14))


def in_a_terminal(command: list[str], folder: Path, **env: str) -> str:
    """What a command writes to a terminal of 80 columns."""
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS")}
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(folder)
        os.execve(sys.executable, [sys.executable, "-m", "harness", *command], {**kept, **env})
    written = b""
    while True:
        try:
            read = os.read(terminal, 65_536)
        except OSError:  # how a terminal says that the other side has gone
            break
        if not read:
            break
        written += read
    os.waitpid(process, 0)
    os.close(terminal)
    return written.decode("utf-8", "replace")


@pytest.mark.filterwarnings("ignore:This process.*fork:DeprecationWarning")  # the child only starts another
def test_colour_is_for_a_terminal_and_no_color_is_obeyed(project: Path) -> None:
    command = ["gate2", names_in(project)[0]]
    coloured = in_a_terminal(command, project, TERM="xterm-256color")
    plain = in_a_terminal(command, project, TERM="xterm-256color", NO_COLOR="1")
    dumb = in_a_terminal(command, project, TERM="dumb")
    assert "\x1b[" in coloured
    assert ESCAPE not in plain
    assert ESCAPE not in dumb
    bare = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    # The colour says nothing that the words do not say.
    assert bare == plain == dumb
    assert "FAIL" in plain or "INCONCLUSIVE" in plain


def test_a_reader_that_stops_leaves_the_exit_code_alone(here: Path) -> None:
    """As `harness gate1 ... | head -1` does: 1 would say that the gate failed."""
    (here / "r.csv").write_text("item,rater,grade\na,x,1\na,y,1\nb,x,0\nb,y,1\n", encoding="utf-8")
    words = [sys.executable, "-m", "harness", "gate1", "r.csv", "--scale", "0-1"]
    with subprocess.Popen(words, cwd=here, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None and running.stderr is not None
        running.stdout.close()
        said = running.stderr.read()
    assert (running.returncode, b"Traceback" in said) == (3, False), said


@pytest.mark.filterwarnings("ignore:This process.*fork:DeprecationWarning")  # the child only starts another
def test_long_names_are_folded_at_their_separators_and_never_cut(project: Path) -> None:
    model = "replay/graders/meta-llama-Llama-3.3-70B-Instruct-Turbo@2026_11_29-answers-of-all.csv"
    grades = "item,grade\n" + "".join(f"q{n}-{g},{g}\n" for n in range(8) for g in (0, 1, 2))
    (project / "graders").mkdir()
    (project / model.removeprefix("replay/")).write_text(grades, encoding="utf-8")
    # The grades are for the ids of another set.
    assert harness("eval", "--policy", "small", "--model", model, "--no-report").code == 4
    broken = "".join(re.escape(letter) + (r"\s*" if letter in "-/@_" else "") for letter in model)
    assert re.search(rf"does\s+{broken}\s+agree", harness("gate2", "latest").out)
    said = in_a_terminal(["runs", "list", "--sort", "kappa"], project, TERM="dumb")
    lines = [line.rstrip() for line in said.splitlines()]
    assert max(map(len, lines)) <= 80, said
    first = next(at for at, line in enumerate(lines) if "replay/graders/" in line)
    parts = [f"replay/{lines[first].partition('replay/')[2]}"]
    while "".join(parts) != model:
        parts.append(lines[first + len(parts)].strip())
        assert model.startswith("".join(parts)), parts
    assert len(parts) > 1 and all(part[-1] in "-/@_" for part in parts[:-1]), parts


def test_time_that_is_left_is_told_as_people_say_it() -> None:
    assert (_left(45.2), _left(294)) == ("45 s left", "5 min left")


def test_answers_of_other_processes_count_in_what_is_left(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI", raising=False)
    now = [1_000.0]
    progress = Progress(lambda: now[0])
    progress._total = 4_000
    grade = Grade(value=1, reasoning="", clauses=())

    def at(seconds: float, step: Callable[[], None]) -> str:
        now[0] = 1_000 + seconds
        step()
        return capsys.readouterr().err

    def taken_over(count: int) -> None:
        for number in range(count):
            progress.recorded(record_of(f"p{number}", 0, "", Answered(grade)), 0)

    # Twenty seconds in which the processes start: nothing is known of what is left.
    assert at(20, lambda: progress.elsewhere(0)) == ""
    assert "1000/4000, 0 graded, 100.0/s, 30 s left" in at(30, lambda: progress.elsewhere(1_000))
    # A part comes, whose answers are counted already.
    assert "1000/4000, 1 graded, 50.0/s, 60 s left" in at(40, lambda: taken_over(600))
    assert "2000/4000, 600 graded, 66.7/s, 30 s left" in at(50, lambda: progress.elsewhere(1_400))
    # Where no other process is told of, the first answer counts from the start.
    progress = Progress(lambda: now[0])
    progress._total = 4_000
    assert "1/4000, 1 graded, 0.1/s" in at(60, lambda: taken_over(1))
