"""harness label --cascade: the student answers where it is sure, and the teacher is asked about the rest."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from builders import Ended, harness, policy, reply
from cascading import PRICES, cascade_project, chosen, rows
from fault_server import FaultServer, Turn, error, fault_server, item_of
from forked import ended, started
from hurried import Scripted
from labelling import answers, by_title, grade_of, labelled, manifest
from oracle import KEYS
from production import HEAD, write_csv

from harness.demo.batch_lines import Fate
from harness.nouns.pair import Result
from harness.nouns.records import Grade, Usage
from harness.production.cascade import Cascade
from harness.production.store import STORE, AnswerStore
from harness.prompting.answer import answer_text
from harness.runs.cascade_file import load_cascade
from harness.runs.label_manifest import CascadeUsed
from harness.runs.pairs import ShownPair

STUDENT = "student/S"
Behaviour = dict[str, Any]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, FaultServer, Behaviour]]:
    """A project with a confirmed cascade, the teacher's server, and how it behaves."""
    root, how = tmp_path_factory.mktemp("cascade"), Behaviour(wait=0.0, sick=False)

    def teacher(number: int, body: dict[str, Any]) -> Turn:
        time.sleep(how["wait"])
        sick = how["sick"] and grade_of(item_of(body)["result"]["title"]) == 1
        return error(400, "invalid", "no") if sick else by_title(number, body)

    with fault_server(teacher) as server:
        cascade_project(root, server)
        yield root, server, how


@pytest.fixture
def here_with(made: tuple[Path, FaultServer, Behaviour], here: Path) -> FaultServer:
    """A copy of the project to work in, with pairs.csv: 60 distinct pairs, 20 of them twice."""
    root, server, how = made
    shutil.copytree(root, here, dirs_exist_ok=True)
    how.update(wait=0.0, sick=False)
    server.requests.clear()
    found = rows(20, start=200, seed=9)
    again = [{**row, "item": f"again-{row['item']}", "weight": 3} for row in found[:20]]
    write_csv(here / "pairs.csv", HEAD, [*found, *again])
    return server


def label(server: FaultServer, *words: str | Path) -> Ended:
    """`harness label pairs.csv --cascade cascade.json -o L`."""
    return harness(*words_of(server, *words), **KEYS)


def words_of(server: FaultServer, *words: str | Path) -> list[str | Path]:
    start: list[str | Path] = ["label", "pairs.csv", "--cascade", "cascade.json", "-o", "L"]
    return [*start, "--base-url", server.url, *words]


def by_student(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in found if row["model"] == STUDENT]


def test_the_student_answers_where_it_is_sure_and_the_teacher_the_rest(here_with: FaultServer) -> None:
    done = label(here_with, "--json")
    assert done.code == 0, done.err
    found, kept = labelled(), by_student(labelled())
    threshold = load_cascade(Path("cascade.json")).threshold
    assert 20 < len(kept) < 60 and all(row["confidence"] >= threshold for row in kept)
    others = [row for row in found if row["model"] != STUDENT]
    assert {row["digest"] for row in others}.isdisjoint({row["digest"] for row in kept})
    assert len(here_with.requests) == len({row["digest"] for row in others})
    assert all(row["grade"] == grade_of(row["title"]) for row in others)
    assert all(row["cost"] == 0 and row["input_tokens"] == 0 and row["reasoning"] == "" for row in kept)
    said = done.json["cascade"]
    weight = sum(row["weight"] for row in others) / sum(row["weight"] for row in found)
    assert (said["by_student"], said["by_teacher"]) == (len(kept), len(others))
    assert said["sent"] == pytest.approx(weight) and said["confirmed"] and said["student"] == STUDENT
    spent = done.json["spending"]
    assert spent["asked"] == len(here_with.requests) and spent["cost"] > 0 and spent["input_tokens"] > 0
    assert done.json["proven"] and not any("mixture" in text for text in done.json["warnings"])
    assert all(row["proven"] for row in found)
    assert f"{STUDENT} answers" in done.err
    before = len(here_with.requests)
    again = label(here_with)
    assert again.code == 0 and len(here_with.requests) == before
    told = " ".join(again.out.split())
    assert f"{STUDENT}, or else openai/m with teacher@v1, labels 80 rows" in told
    assert f"Cascade: {STUDENT} answers {len(kept)} rows; {len(others)} rows" in told


def test_every_shard_and_the_manifest_say_by_which_cascade(here_with: FaultServer) -> None:
    import pyarrow.parquet

    assert label(here_with).code == 0
    file = load_cascade(Path("cascade.json"))
    facts = pyarrow.parquet.read_metadata("L/shards/part-00000.parquet").metadata
    assert facts[b"cascade"].decode() == file.digest
    used = manifest()["cascade"]
    assert (used["digest"], used["threshold"], used["student"]) == (file.digest, file.threshold, STUDENT)
    assert used["confirmed"] and used["margin"] == 0.15


def test_a_dry_run_says_the_share_and_what_the_others_cost(here_with: FaultServer) -> None:
    done = label(here_with, "--dry-run", "--json", "--rpm", "60")
    assert done.code == 0, done.err
    assert not here_with.requests and not Path("L").exists()
    found = done.json
    sent = found["forecast"]["requests"]
    assert found["cascade"] == {"student": STUDENT, "kept": 60 - sent, "sent": pytest.approx(sent / 60)}
    month = found["table"][0]
    assert month["pairs"] == 1_000 and month["hours"]["low"] == pytest.approx(1_000 * sent / 60 / 60 / 60)
    cost = found["forecast"]["cost"]["plain"]["high"]
    assert month["cost"]["plain"]["high"] == pytest.approx(cost / sent * 1_000 * sent / 60)
    assert f"Cascade: {STUDENT} is sure of" in label(here_with, "--dry-run").out
    assert label(here_with, "--json").json["spending"]["asked"] == sent
    assert "0 answers, and nothing to pay: nothing is left to ask." in label(here_with, "--dry-run").out
    again = label(here_with)
    assert "nothing is left for openai/m to grade: L" in again.err and "grades 0" not in again.err
    over = label(here_with, "--dry-run", "--json").json
    assert (over["forecast"]["requests"], over["answered"]) == (0, 60)
    assert over["cascade"] == found["cascade"]


def test_an_answered_set_is_one_proxy_and_nothing_to_learn_from(here_with: FaultServer) -> None:
    assert label(here_with).code == 0
    rated = "item,rater,grade\n" + "".join(f"{row['item']},ann,{row['grade']}\n" for row in labelled()[:40])
    Path("ratings.csv").write_text(rated, encoding="utf-8")
    done = harness("estimate", "L", "--ratings", "ratings.csv", "--uniform", "--json")
    assert done.code == 0, done.err
    assert any("labelled by a cascade" in text and "one proxy" in text for text in done.json["warnings"])
    for words in (("train", "L", "-o", "T"), ("export", "L", "-o", "T")):
        refused = harness("student", *words)
        assert refused.code == 2 and "was labelled by a cascade" in " ".join(refused.err.split())
    page = harness("report", "L", "-o", "labels.html")
    assert page.code == 0, page.err
    text = Path("labels.html").read_text("utf-8")
    assert f"Cascade: {STUDENT} answers" in text and "confirmed on test (kappa, margin 0.15)" in text


# --- what is refused ---------------------------------------------------------------------------------


def refusal(server: FaultServer, *words: str | Path) -> str:
    done = label(server, *words)
    assert done.code == 2 and not server.requests and not Path("L").exists(), done.err
    return " ".join(done.err.split())


def test_another_student_teacher_or_address_is_refused(here_with: FaultServer) -> None:
    assert "its teacher has --model openai/m, not openai/other" in refusal(
        here_with, "--model", "openai/other"
    )
    assert "its teacher has --shots None, not 1" in refusal(here_with, "--shots", "1")
    words = ("label", "pairs.csv", "--cascade", "cascade.json", "-o", "L")
    without = " ".join(harness(*words, **KEYS).err.split())
    assert f"measured with --base-url {here_with.url}, and it is not given" in without
    system = Path("prompts/teacher/v1/system.j2")
    text = system.read_text("utf-8")
    system.write_text(text + "More.\n", encoding="utf-8")
    assert "another state of: the prompt" in refusal(here_with)
    system.write_text(text, encoding="utf-8")
    shutil.move("S", "Old")
    assert "S/student.json" in refusal(here_with)
    assert harness("student", "train", "labels", "-o", "S", "--limit", "100").code == 0
    assert "student/S is another student than the one that was measured" in refusal(here_with)


def test_a_cascade_of_files_of_grades_cannot_label(here_with: FaultServer) -> None:
    data = json.loads(Path("cascade.json").read_text("utf-8"))
    for grader in ("student", "teacher"):
        changed = {**data, grader: {"name": "x.csv"}}
        Path("cascade.json").write_text(json.dumps(changed), encoding="utf-8")
        assert f"its {grader} is a file of grades" in refusal(here_with)
    model = {**data["student"], "model": "openai/small"}
    Path("cascade.json").write_text(json.dumps({**data, "student": model}), encoding="utf-8")
    assert "openai/small, is not a folder of `harness student train`" in refusal(here_with)
    Path("cascade.json").write_text("{", encoding="utf-8")
    assert "not JSON" in refusal(here_with)


def test_a_cascade_that_test_did_not_confirm_labels_by_name_alone(here_with: FaultServer) -> None:
    data = json.loads(Path("cascade.json").read_text("utf-8"))

    def saying(**changes: Any) -> str:
        Path("cascade.json").write_text(json.dumps({**data, **changes}), encoding="utf-8")
        return refusal(here_with)

    assert "its verdict on test is inconclusive" in saying(verdict="inconclusive")
    # What the file says is no proof: test is measured again, with the threshold that it names now.
    assert "measured again on test, it is fail" in saying(threshold=0.0)
    assert "measured again on test, it is" in saying(margin=0.05)
    # Nor is a margin, or a weighting, that the sender chose: gates.toml judges, and both are said.
    gates = Path("policies/small/gates.toml")
    gates.write_text("margin = 0.01\n", encoding="utf-8")
    wide = saying(margin=2.0)
    assert "its margin of 2 is wider than that of gates.toml, 0.01; by gates.toml, measured again" in wide
    gates.write_text('margin = 0.15\nweighting = "quadratic"\n', encoding="utf-8")
    assert label(here_with, "--dry-run").code == 0  # and it says by which it is confirmed
    assert "it was chosen by kappa, and gates.toml says kappa_quadratic" in saying(threshold=0.0)
    gates.write_text("margin = 0.15\n", encoding="utf-8")
    gone = {**data["student"], "runs": ["none", "neither"]}
    assert "this project has no run none, neither" in saying(student=gone)
    # A run that came with the file is none of this project's.
    sent = Path("sent") / data["student"]["runs"][0]
    shutil.copytree(Path("runs") / sent.name, sent)
    there = {**data["student"], "runs": [str(sent), *data["student"]["runs"][1:]]}
    assert f"this project has no run {sent}" in saying(student=there)
    assert "it names no run of" in saying(student={**data["student"], "runs": []})
    other = {**data["student"], "runs": data["teacher"]["runs"]}
    assert "is not of the grader that the file names" in saying(student=other)
    Path("cascade.json").write_text(json.dumps({**data, "verdict": "fail"}), encoding="utf-8")
    (foreseen,) = (one for one in label(here_with, "--dry-run", "--json").json["warnings"] if "proven" in one)
    done = label(here_with, "--unproven", "--json")
    assert done.code == 0 and not done.json["cascade"]["confirmed"] and done.json["proven"] is None
    # One reason, and the same before and after; nothing is said of the teacher, which is proven.
    assert foreseen.startswith("the cascade is not proven: its verdict on test is fail")
    assert [one for one in done.json["warnings"] if "proven" in one] == [foreseen]
    assert label(here_with, "--unproven").out.count("not proven") == 1
    assert manifest()["cascade"]["teacher_proven"]
    assert not any(row["proven"] for row in labelled())


def test_a_teacher_without_a_proof_is_named_beside_its_cascade(here_with: FaultServer) -> None:
    for card in Path("runs").glob("*openai-m*/scorecard.json"):
        card.unlink()
    data = json.loads(Path("cascade.json").read_text("utf-8"))
    Path("cascade.json").write_text(json.dumps({**data, "verdict": "fail"}), encoding="utf-8")
    told = refusal(here_with)
    assert "the cascade is not proven: its verdict on test is fail" in told
    assert "openai/m with teacher@v1 is not proven: no finished run" in told
    both = [text for text in label(here_with, "--dry-run", "--json").json["warnings"] if "not proven" in text]
    assert len(both) == 2
    done = label(here_with, "--unproven", "--json")
    both = [text.split(":")[0] for text in done.json["warnings"] if "not proven" in text]
    assert both == ["the cascade is not proven", "the teacher is not proven"]
    assert manifest()["cascade"]["teacher_proven"] is False


def test_each_choice_that_is_held_against_test_is_a_look_at_it(here_with: FaultServer) -> None:
    data = json.loads(Path("cascade.json").read_text("utf-8"))
    runs = {who: ",".join(data[who]["runs"]) for who in ("student", "teacher")}
    log = Path("golden/small/test-looks.jsonl")

    def looked(*words: str) -> tuple[int | None, int]:
        done = harness(
            "student", "cascade", "--student", runs["student"], "--teacher", runs["teacher"], "--json", *words
        )
        assert done.json["notes"][0].startswith("This is a student of ")
        return done.json["looks"], len(log.read_text("utf-8").splitlines())

    _, before = looked("--margin", "0.15")
    # The same choice again, as the one that wrote cascade.json, is the same look.
    assert looked("--margin", "0.15") == (before, before)
    assert looked("--margin", "0.15", "--share", "0.1") == (before + 1, before + 1)
    assert looked("--margin", "0.15", "--share", "0.1") == (before + 1, before + 1)
    assert looked("--margin", "0.16", "--share", "0.1") == (before + 2, before + 2)
    last = json.loads(log.read_text("utf-8").splitlines()[-1])
    assert last["model"] == f"{STUDENT} then openai/m" and last["examples"] == data["test"]["n"]
    # Where dev shows no threshold, nobody has looked.
    assert looked("--margin", "0") == (None, before + 2)
    shown = harness(
        "student", "cascade", "--student", runs["student"], "--teacher", runs["teacher"], "--margin", "0.15"
    )
    assert f"Looks at the test split so far: {before + 2}." in shown.out


def test_a_wider_margin_than_the_projects_labels_by_the_projects(here_with: FaultServer) -> None:
    """It is confirmed where the smaller margin is, and that is the one which is said."""
    data = json.loads(Path("cascade.json").read_text("utf-8"))
    Path("cascade.json").write_text(json.dumps({**data, "margin": 2.0}), encoding="utf-8")
    assert label(here_with).code == 0
    used = manifest()["cascade"]
    assert (used["confirmed"], used["margin"], used["gated"]) == (True, 0.15, "kappa")


def test_runs_that_asked_more_than_once_measure_no_cascade(here_with: FaultServer) -> None:
    """The vote of three is better than the one answer that a label has."""
    data = json.loads(Path("cascade.json").read_text("utf-8"))
    dev, test = data["teacher"]["runs"]
    words = ("--policy", "small", "--model", "openai/m", "--split", "dev", "--base-url", here_with.url)
    assert harness("eval", *words, "--repeats", "3", "--no-report", **KEYS).code == 0
    often = next(
        one.name for one in Path("runs").iterdir() if "openai-m" in one.name and one.name not in (dev, test)
    )
    before = {one.name for one in Path("runs").iterdir()}
    for student in ("student/S", ",".join(data["student"]["runs"])):
        done = harness("student", "cascade", "--student", student, "--teacher", often)
        told = " ".join(done.err.split())
        assert done.code == 2 and f"{often}: was asked 3 times about each item" in told
        assert "choose it by runs without --repeats" in told
    assert {one.name for one in Path("runs").iterdir()} == before  # nor was the student run
    here_with.requests.clear()
    changed = {**data["teacher"], "runs": [often, test]}
    Path("cascade.json").write_text(json.dumps({**data, "teacher": changed}), encoding="utf-8")
    assert f"{often} was asked 3 times about each item" in refusal(here_with, "--unproven")


def test_a_set_goes_on_by_its_own_cascade_alone(here_with: FaultServer) -> None:
    assert label(here_with).code == 0
    plain = ("label", "pairs.csv", "-o", "L", "--model", "openai/m", "--base-url", here_with.url)
    alone = harness(*plain, **KEYS)
    assert alone.code == 2 and "the cascade (was another)" in " ".join(alone.err.split())
    data = json.loads(Path("cascade.json").read_text("utf-8"))
    data["threshold"] += 0.001
    Path("cascade.json").write_text(json.dumps(data), encoding="utf-8")
    assert "the cascade (was another)" in " ".join(label(here_with, "--unproven").err.split())
    # Measured again it is the same cascade.
    data["threshold"] -= 0.001
    again = load_cascade(Path("cascade.json")).model_dump(mode="json") | {
        "created_at": "later", "threshold": json.loads(json.dumps(data))["threshold"],
    }  # fmt: skip
    original = manifest()["cascade"]["threshold"]
    Path("cascade.json").write_text(json.dumps({**again, "threshold": original}), encoding="utf-8")
    assert label(here_with).code == 0
    assert harness(*plain[:3], "M", *plain[4:], **KEYS).code == 0
    with_it = label(here_with, "-o", "M")
    assert with_it.code == 2 and "the cascade (was not given)" in " ".join(with_it.err.split())


# --- stopped, and other ways to ask ------------------------------------------------------------------


def count(folder: Path = Path("L")) -> int:
    if not (folder / "labels.json").exists():
        return 0
    with AnswerStore(folder / STORE, look=True) as store:
        return store.count


def test_a_killed_cascade_goes_on_and_asks_nothing_twice(
    here_with: FaultServer, made: tuple[Path, FaultServer, Behaviour]
) -> None:
    _, server, how = made
    how["wait"] = 0.05
    words = [str(word) for word in words_of(server, "--no-cache", "--max-connections", "2")]
    copy = started(lambda: harness(*words, **KEYS))
    while len(server.requests) < 6:
        time.sleep(0.005)
    os.kill(copy, signal.SIGKILL)
    assert ended(copy) == -signal.SIGKILL
    how["wait"] = 0.0
    some = count()
    assert some > 20  # the student's answers were kept before any request
    done = label(server, "--no-cache", "--json")
    assert done.code == 0, done.err
    sent = {row["digest"] for row in labelled() if row["model"] != STUDENT}
    assert len(sent) <= len(server.requests) <= len(sent) + 2  # what was in flight
    assert answers() == 60 and done.json["outcomes"] == {"graded": 80, "ungraded": 0, "failed": 0}


def test_a_kill_while_the_student_grades_loses_nothing(here_with: FaultServer) -> None:
    """In the middle of its pieces: those that were kept stay, and the others are graded again."""

    def dying() -> None:
        from harness.production import cascade

        take_over, pieces = AnswerStore.take_over, list[int]()

        def counted(*given: Any) -> int:
            pieces.append(take_over(*given))
            if len(pieces) == 3:
                os.kill(os.getpid(), signal.SIGKILL)
            return pieces[-1]

        # In a copy of the process, which dies.
        setattr(cascade, "PIECE", 10)  # noqa: B010
        setattr(AnswerStore, "take_over", counted)  # noqa: B010
        harness(*words_of(here_with), **KEYS)

    assert ended(started(dying)) == -signal.SIGKILL
    assert 0 < count() < 40 and not here_with.requests
    done = label(here_with, "--json")
    assert done.code == 0 and answers() == 60
    assert len(here_with.requests) == done.json["spending"]["asked"]
    assert len(by_student(labelled())) == done.json["cascade"]["by_student"]


def test_what_failed_is_asked_again_alone(
    here_with: FaultServer, made: tuple[Path, FaultServer, Behaviour]
) -> None:
    _, server, how = made
    how["sick"] = True
    done = label(server, "--json")
    failed = {row["digest"] for row in labelled() if row["outcome"] == "failed"}
    assert done.code == 4 and failed and done.json["cascade"]["by_student"] > 0
    before = len(server.requests)
    how["sick"] = False
    again = label(server, "--retry-failed", "--json")
    assert again.code == 0 and len(server.requests) == before + len(failed)
    assert again.json["outcomes"]["failed"] == 0


def test_a_longer_table_asks_for_its_new_pairs_alone(here_with: FaultServer) -> None:
    assert label(here_with).code == 0
    before, sent = len(here_with.requests), len(labelled()) - len(by_student(labelled()))
    found = rows(10, start=300, seed=4)
    write_csv(Path("more.csv"), HEAD, [{**row, "item": f"new-{row['item']}"} for row in found])
    done = label(here_with, "more.csv", "--json")
    assert done.code == 0 and done.json["rows"] == 110
    new = done.json["cascade"]["by_teacher"] - sent
    assert 0 < new < 30 and len(here_with.requests) == before + new


def test_a_batch_asks_the_rest_too(made: tuple[Path, FaultServer, Behaviour], here_with: FaultServer) -> None:
    with fault_server(by_title, iter([Fate(looks=0)] * 9)) as server:
        # Its address is another one than the teacher was measured at: say so, as after a move.
        data = json.loads(Path("cascade.json").read_text("utf-8"))
        data["teacher"]["settings"]["base_url"] = server.url
        Path("cascade.json").write_text(json.dumps(data), encoding="utf-8")
        done = label(server, "--batch", "--unproven", "--no-cache", "--json")
    assert done.code == 0, done.err
    found = labelled()
    assert 0 < len(by_student(found)) < len(found)
    assert all(row["grade"] == grade_of(row["title"]) for row in found if row["model"] != STUDENT)


@pytest.mark.slow
def test_ray_asks_the_rest_too(here_with: FaultServer) -> None:
    pytest.importorskip("ray")
    words = map(str, words_of(here_with, "--engine", "ray", "--actors", "1", "--no-cache", "--json"))
    env = {**os.environ, **KEYS}
    done = subprocess.run([sys.executable, "-m", "harness", *words], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["outcomes"]["graded"] == 80 and found["cascade"]["by_student"] > 0
    assert len(here_with.requests) == found["spending"]["asked"]


def test_the_cost_of_a_cascade_is_that_of_its_share(here_with: FaultServer) -> None:
    file = load_cascade(Path("cascade.json"))
    assert PRICES and file.cost.teacher and file.cost.student == 0.0
    assert file.test.cost == pytest.approx(file.cost.teacher * file.test.sent)
    found = json.loads(chosen(Path.cwd(), "--margin", "0.15", file="other.json").out)
    assert found["threshold"] == file.threshold
    assert load_cascade(Path("other.json")).digest == file.digest


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({0: 0.1, 1: 0.7, 2: 0.2}, True),
        ({0: 0.1, 1: 0.69, 2: 0.21}, False),
        # Sure of another grade than it gives.
        ({0: 0.9, 1: 0.05, 2: 0.05}, False),
        (None, False),
    ],
)
def test_a_student_is_left_alone_from_the_threshold_on(given: dict[int, float] | None, kept: bool) -> None:
    said = reply(answer_text("So.", [], 1), usage=Usage(input_tokens=9, output_tokens=9))
    used = CascadeUsed(digest="d", student="s", trained="t", threshold=0.7, gated="kappa", margin=0.05,
                       confirmed=True)  # fmt: skip
    student = Scripted(said.model_copy(update={"probabilities": given}))
    pair = ShownPair(id="a", query="rain coat", result=Result(title="Parka"))
    (found,) = Cascade(used, student, policy()).answers([pair])
    assert (found is not None) == kept
    if found:
        assert isinstance(found.outcome, Grade) and (found.outcome.value, found.cost) == (1, 0.0)
        assert found.reply and found.reply.usage == Usage(input_tokens=0, output_tokens=0)
