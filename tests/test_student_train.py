"""A student of our own: it learns, it is a model like others, and a folder that is sent runs nothing."""

import io
import json
import os
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow.parquet as pq
import pytest
from builders import examples, harness, write_golden, write_project
from production import label_set
from threadpoolctl import threadpool_info, threadpool_limits

from harness.errors import BadInput
from harness.nouns.pair import Pair, Result
from harness.providers.base import STUDENT
from harness.providers.student import positions_of, shares_by
from harness.providers.student_features import MOST_QUERY, MOST_TITLE, words_of
from harness.providers.student_file import WEIGHTS, load_student
from harness.storage.digest import digest_bytes
from harness.student.fitting import Chosen, Data, _some, fit

GOLDEN = examples()
KINDS = ("boots", "tents", "lamps", "stoves")


def learnable(queries: int = 40) -> list[dict[str, Any]]:
    """Rows whose grade is what the words say: the thing asked for 2, what fits it 1, another thing 0."""
    rows: list[dict[str, Any]] = []
    for number in range(queries):
        kind, other = KINDS[number % 4], KINDS[(number + 1) % 4]
        titles = (
            (f"fine {kind} {number}", 2),
            (f"cover to fit with {kind}", 1),
            (f"good {other} {number}", 0),
        )
        for title, grade in titles:
            row = {"item": f"p{len(rows)}", "query": f"{kind} size {number}", "title": title, "weight": 1,
                   "stratum": "all", "position": 1, "teacher": grade}  # fmt: skip
            rows.append(row)
    return rows


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a label set and a student of it."""
    root = tmp_path_factory.mktemp("student")
    label_set(root, learnable())
    done = harness("student", "train", root / "labels", "-o", root / "S", "--root", root, "--json")
    assert done.code == 0, done.err
    (root / "found.json").write_text(done.out, encoding="utf-8")
    return root


@pytest.fixture
def sent(trained: Path, tmp_path: Path) -> Path:
    """A copy of the student, to tamper with."""
    folder = tmp_path / "S"
    folder.mkdir()
    for name in (STUDENT, WEIGHTS):
        (folder / name).write_bytes((trained / "S" / name).read_bytes())
    return folder


def grade(folder: Path, query: str, title: str) -> int:
    saved, weights = load_student(folder)
    shares = shares_by(weights, [Pair(query=query, result=Result(title=title))])
    assert shares.sum() == pytest.approx(1) and (shares > 0).all()
    return saved.scale[positions_of(shares, saved.cuts)[0]]


def test_a_student_learns_what_words_say(trained: Path) -> None:
    found = json.loads((trained / "found.json").read_text("utf-8"))
    assert found["kappa"] > 0.9
    assert (found["pairs"], found["queries"], found["grades"]) == (120, 40, {"0": 40, "1": 40, "2": 40})
    assert len(found["tried"]) == 8
    told = [grade(trained / "S", "boots size 99", title) for title in
            ("fine boots 99", "cover to fit with boots", "good tents 99")]  # fmt: skip
    assert told == [2, 1, 0]


def test_the_same_labels_make_the_same_student(trained: Path, tmp_path: Path) -> None:
    done = harness("student", "train", trained / "labels", "-o", tmp_path / "S", "--root", trained)
    assert done.code == 0 and "It is a baseline" in done.out
    for name in (STUDENT, WEIGHTS):
        assert (tmp_path / "S" / name).read_bytes() == (trained / "S" / name).read_bytes()


class Watched(np.ndarray[Any, Any]):
    """Grades that note how many threads BLAS may use while they are compared."""

    seen: ClassVar[list[int]] = []

    def __ge__(self, other: Any) -> Any:
        self.seen.extend(one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas")
        return np.asarray(self) >= other


def test_fitting_takes_one_thread() -> None:
    grades = np.array([0, 1, 2] * 8)
    data = Data(np.eye(24), np.zeros((24, 0)), grades.view(Watched), np.arange(24), np.ones(24))
    with threadpool_limits(limits=2):
        fit(data, 3, Chosen(False, 1.0, None, None, None), np.zeros(0, dtype=np.int32))
        after = {one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"}
    assert {*Watched.seen} == {1} and after == {2}


def test_it_is_a_model_of_eval_label_and_compare(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(trained)
    done = harness("eval", "--model", "student/S", "--policy", "small", "--json")
    assert done.code == 0, done.err
    run = json.loads((Path(done.json["run"]) / "manifest.json").read_text("utf-8"))
    assert run["unprompted"] and run["digests"]["trained"] == digest_bytes(
        (trained / "S" / STUDENT).read_bytes()
    )
    assert "baseline of overlapping words" in run["notes"][0]
    record = json.loads((Path(done.json["run"]) / "records.jsonl").read_text("utf-8").splitlines()[0])
    assert record["reply"]["model"] == "student/S" and record["cost"] == 0
    assert (record["outcome"]["reasoning"], record["outcome"]["clauses"]) == ("", [])
    assert set(record["reply"]["probabilities"]) == {"0", "1", "2"}
    assert harness("eval", "--model", "builtin/majority", "--policy", "small").code == 0
    both = harness("compare", "latest~1", "latest", "--json")
    assert both.code == 0 and [one for one in both.json["changed"] if "student/S" in str(one)]
    pairs = ("labels-pairs.csv", "-o", "L2", "--unproven", "--model", "student/S")
    assert harness("label", *pairs, "--policy", "small").code == 0
    text = json.loads((trained / "L2/labels.json").read_text("utf-8"))
    assert text["digests"]["trained"] == run["digests"]["trained"]
    refused = harness("eval", "--model", "student/S", "--policy", "small", "--shots", "3")
    assert refused.code == 2 and "is sent no prompt" in refused.err
    refused = harness("eval", "--model", "student/S", "--policy", "small", "--temperature", "0")
    assert refused.code == 2 and "takes no temperature" in refused.err


def test_another_student_in_its_place_is_no_resume(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(trained)
    assert harness("student", "train", "labels", "-o", "T", "--limit", "60").code == 0
    pairs = ("labels-pairs.csv", "-o", "L3", "--unproven", "--model", "student/T", "--policy", "small")
    assert harness("label", *pairs).code == 0
    for name in (STUDENT, WEIGHTS):
        (trained / "T" / name).write_bytes((trained / "S" / name).read_bytes())
    done = harness("label", *pairs)
    assert done.code == 2 and "another state of: the student" in done.err


def test_a_student_that_has_seen_a_graded_query_is_refused(trained: Path, tmp_path: Path) -> None:
    """Dev and test may gain queries after the training: what it says of them is no test."""
    write_project(tmp_path, golden=GOLDEN)
    one = {**next(e for e in GOLDEN if e["split"] == "dev"), "id": "new", "query": "BOOTS, size 4"}
    write_golden(tmp_path, [*GOLDEN, one])
    words = ("eval", "--model", f"student/{trained / 'S'}", "--policy", "small", "--root", tmp_path)
    done = harness(*words)
    assert done.code == 2 and "learned from 1 query that the golden set grades ('BOOTS, size 4')" in done.err
    assert harness(*words, "--split", "test").code == 0


def test_a_student_of_another_scale_is_refused(trained: Path, tmp_path: Path) -> None:
    write_project(tmp_path, grades=(0, 1, 2, 3))
    done = harness("eval", "--model", f"student/{trained / 'S'}", "--policy", "small", "--root", tmp_path)
    assert (
        done.code == 2
        and "learned the scale of small@v1 (0, 1, 2); small@v1 has another (0, 1, 2, 3)" in done.err
    )


def test_too_little_to_learn_from_is_said(tmp_path: Path) -> None:
    label_set(tmp_path, learnable(3))
    done = harness("student", "train", tmp_path / "labels", "-o", tmp_path / "S", "--root", tmp_path)
    assert done.code == 2 and "has 9 pairs to learn from; a student needs 10 or more" in done.err
    label_set(tmp_path, [{**row, "teacher": 1} for row in learnable(4)], name="alike")
    done = harness("student", "train", tmp_path / "alike", "-o", tmp_path / "S", "--root", tmp_path)
    assert done.code == 2 and "gives all 12 pairs one grade" in done.err
    label_set(tmp_path, learnable(4), name="few")
    done = harness("student", "train", tmp_path / "few", "-o", tmp_path / "S", "--root", tmp_path, "--json")
    assert done.code == 0 and done.json["kappa"] is None and "fewer than 5 queries" in done.json["reason"]


def test_weights_count_a_pair_as_often_as_it_is_seen(tmp_path: Path) -> None:
    """Where grade 0 is seen a hundred times as often, what the words do not tell is likelier a 0."""
    rows = [{**row, "weight": 100 if row["teacher"] == 0 else 1} for row in learnable(24)]
    label_set(tmp_path, rows)
    shares = {}
    for name in ("plain", "weighted"):
        words: list[str | Path] = ["-o", tmp_path / name, "--root", tmp_path]
        words += ["--weighted"] if name == "weighted" else []
        assert harness("student", "train", tmp_path / "labels", *words).code == 0
        saved, weights = load_student(tmp_path / name)
        assert saved.weighted == (name == "weighted")
        shares[name] = shares_by(weights, [Pair(query="unheard of", result=Result(title="unheard"))])[0]
    assert shares["weighted"][0] > shares["plain"][0]


def test_words_of_a_long_text_are_paired_within_bounds() -> None:
    text = " ".join(f"w{n}" for n in range(5_000))
    found = words_of([Pair(query=text, result=Result(title=text))])
    assert found.nnz <= MOST_QUERY + MOST_TITLE + MOST_QUERY * MOST_TITLE


def test_probabilities_and_cuts_decide_the_position() -> None:
    shares = np.array([[0.5, 0.1, 0.4], [0.2, 0.6, 0.2], [0.0, 0.1, 0.9]])
    assert positions_of(shares, None) == [0, 1, 2]
    assert positions_of(shares, (0.95, 1.0)) == [0, 2, 2]
    assert positions_of(shares, (0.9, 1.5)) == [1, 1, 2]  # a mean on a cut is above it


# --- a folder that somebody sends ------------------------------------------------------------------


class Harmful:
    """What a pickle would run."""

    def __reduce__(self) -> Any:
        return os.system, ("touch pickled",)


def arrays(folder: Path) -> dict[str, Any]:
    with np.load(folder / WEIGHTS, allow_pickle=False) as found:
        return {name: found[name] for name in found.files}


def put(folder: Path, content: bytes) -> None:
    """Other weights, and the digest that fits them: a sender can write both."""
    (folder / WEIGHTS).write_bytes(content)
    said = json.loads((folder / STUDENT).read_text("utf-8"))
    (folder / STUDENT).write_text(json.dumps({**said, "weights": digest_bytes(content)}), encoding="utf-8")


def changed(**others: Any) -> Callable[[Path], None]:
    def tamper(folder: Path) -> None:
        whole = io.BytesIO()
        np.savez(whole, **{**arrays(folder), **others})
        put(folder, whole.getvalue())

    return tamper


def said(**others: Any) -> Callable[[Path], None]:
    def tamper(folder: Path) -> None:
        text = json.loads((folder / STUDENT).read_text("utf-8"))
        (folder / STUDENT).write_text(json.dumps({**text, **others}), encoding="utf-8")

    return tamper


def repacked(folder: Path, change: Callable[[str, bytes], bytes], kind: int = zipfile.ZIP_STORED) -> None:
    whole = io.BytesIO()
    with zipfile.ZipFile(folder / WEIGHTS) as old, zipfile.ZipFile(whole, "w", kind) as new:
        for entry in old.infolist():
            new.writestr(entry.filename, change(entry.filename, old.read(entry)))
    put(folder, whole.getvalue())


def ending(change: Callable[[bytes, bytes], bytes]) -> Callable[[Path], None]:
    """Another end of the archive: from what is before the end record, and that record of 22 bytes."""

    def tamper(folder: Path) -> None:
        content = (folder / WEIGHTS).read_bytes()
        put(folder, change(content[:-22], content[-22:]))

    return tamper


def directory(entries: int, bytes_each: int = 47) -> Callable[[bytes, bytes], bytes]:
    """An archive that is nothing but a directory; its end record says the right number of arrays."""
    entry = struct.pack("<4s4B4HL2L5H2L", b"PK\1\2", 20, 3, 20, *(0,) * 8, 1, *(0,) * 6) + b"x"
    assert len(entry) == bytes_each
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 8, 8, entries * bytes_each, 0, 0)
    return lambda _, __: entry * entries + end


def huge(name: str, content: bytes) -> bytes:
    if name != "columns.npy":
        return content
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "<i4", "fortran_order": False, "shape": (10**12,)})
    return file.getvalue() + b"\0" * 64


def pickled(name: str, content: bytes) -> bytes:
    if name != "mean.npy":
        return content
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "|O", "fortran_order": False, "shape": (1,)})
    return file.getvalue() + pickle.dumps(Harmful())


def headed(text: str, body: bytes = b"") -> Callable[[str, bytes], bytes]:
    """`mean` with another header."""
    head = text.encode()
    return lambda name, content: (
        b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head + body
        if name == "mean.npy"
        else content
    )


def shaped(shape: str) -> str:
    return f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}\n"


def link(folder: Path) -> None:
    (folder / WEIGHTS).rename(folder.parent / "elsewhere")
    (folder / WEIGHTS).symlink_to(folder.parent / "elsewhere")


def pipe(folder: Path) -> None:
    (folder / WEIGHTS).unlink()
    os.mkfifo(folder / WEIGHTS)


TAMPERED: dict[str, tuple[Callable[[Path], Any], str]] = {
    "a link": (link, "link"),
    "a pipe": (pipe, "not a regular file"),
    "another file": (lambda f: (f / "model.pkl").write_bytes(b"x"), "nothing else"),
    "no weights": (lambda f: (f / WEIGHTS).unlink(), "is not a student"),
    "weights of another": (lambda f: (f / WEIGHTS).write_bytes(b"PK"), "is not what student.json says"),
    "no zip": (lambda f: put(f, b"PK nonsense"), "cannot be read as arrays"),
    "a pickle": (lambda f: put(f, pickle.dumps(Harmful())), "cannot be read as arrays"),
    "a pickle in an array": (lambda f: repacked(f, pickled), "numbers of another kind"),
    "a compressed zip": (lambda f: repacked(f, lambda _, c: c, zipfile.ZIP_DEFLATED), "is compressed"),
    "more than there is": (lambda f: repacked(f, huge), "says that it has 1,000,000,000,000 numbers"),
    "a broken header": (lambda f: repacked(f, lambda _, c: c[:8] + b"\xff" * 40), "cannot be read as arrays"),
    "a directory of many": (ending(directory(1_500)), "the list of its parts is larger"),
    "a ZIP64 directory": (ending(lambda rest, end: rest + b"PK\6\7" + bytes(16) + end), "the list of its"),
    "a comment": (ending(lambda rest, end: rest + end[:-2] + b"\1\0x"), "does not end as an archive of"),
    "fewer arrays": (ending(lambda rest, end: rest + end[:10] + b"\7" + end[11:]), "holds other arrays"),
    "another array": (changed(extra=np.zeros(3)), "holds other arrays"),
    "another shape": (changed(mean=np.zeros(3)), "mean: has the shape (3,)"),
    "another kind": (changed(mean=np.zeros(10, dtype="<f4")), "numbers of another kind"),
    "no number": (changed(mean=np.full(10, np.nan)), "mean: has values that no training makes"),
    "too large": (changed(mean=np.full(10, 1e7)), "mean: has values that no training makes"),
    "no spread": (changed(spread=np.zeros(10)), "spread: has values"),
    # A number that is divided by it is infinite, and a weight of nothing times that is none.
    "hardly a spread": (changed(spread=np.full(10, 1e-300)), "spread: has values"),
    "no rarity": (changed(rarity=np.full(1 << 16, 0.99, "<f4")), "rarity: has values"),
    "a header without end": (lambda f: repacked(f, headed("(" * 5000)), "cannot be read as arrays"),
    "a shape of yes": (lambda f: repacked(f, headed(shaped("(True,)"), bytes(8))), "cannot be read"),
    "a shape beyond numbers": (lambda f: repacked(f, headed(shaped(f"(0, {10**30})"))),
                               "cannot be read as arrays"),
    "queries learned twice": (changed(learned=np.zeros(40, "<u8")), "are not in order"),
    "queries unlearned": (changed(learned=np.zeros(0, "<u8")), "learned: has 0 queries, and student"),
    "other counts": (said(counts=[1, 1, 1]), "do not fit each other"),
    "columns out of order": (changed(columns=np.array([5, 3], dtype="<i4"), words=np.zeros((2, 2), "<f4")),
                             "are not in order"),
    "columns out of bounds": (changed(columns=np.array([1 << 18], "<i4"), words=np.zeros((2, 1), "<f4")),
                              "are not in order"),
    "an unknown key": (said(hook="os.system"), "hook: unknown key"),
    "other features": (said(features="import os"), "does not know; train it anew"),
    "a long scale": (said(scale=list(range(200))), "scale"),
    "a scale out of order": (said(scale=[2, 1, 0]), "do not fit each other"),
    "other cuts": (said(cuts=[0.5]), "do not fit each other"),
    "a longer scale": (said(scale=[0, 1, 2, 3], counts=[30, 30, 30, 30], cuts=None),
                       "has the shape (2, 10), not (3, 10)"),
}  # fmt: skip


@pytest.mark.parametrize("name", TAMPERED)
def test_a_tampered_student_is_refused_in_words(
    sent: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(sent.parent)
    tamper, told = TAMPERED[name]
    tamper(sent)
    with pytest.raises(BadInput) as caught:
        load_student(sent)
    assert told in str(caught.value), caught.value
    assert not Path("pickled").exists()


def test_what_a_sender_calls_itself_steers_no_terminal(sent: Path) -> None:
    said(teacher="a\x1b[2J\nPASS: proven", policy="small@v1\u202e")(sent)
    saved, _ = load_student(sent)
    assert (saved.teacher, saved.policy) == ("a\\x1b[2J\\nPASS: proven", "small@v1\\u202e")


def test_a_description_without_end_is_not_read_through(sent: Path, trained: Path) -> None:
    os.truncate(sent / STUDENT, 1 << 40)
    done = harness("eval", "--policy", "small", "--root", trained, "--model", f"student/{sent}")
    assert done.code == 2 and "larger than 16 MB" in done.err


def test_a_folder_of_links_is_refused_by_the_command(sent: Path, trained: Path) -> None:
    (sent.parent / "L").symlink_to(sent)
    words = ("eval", "--policy", "small", "--root", trained, "--model")
    for path, told in ((sent.parent / "L", "is a link"), (sent.parent / "none", "no such file")):
        done = harness(*words, f"student/{path}")
        assert done.code == 2 and told in done.err, done.err


@pytest.mark.parametrize(("pairs", "left_out"), [(5_000, 0), (5_001, 20)])
def test_a_strength_is_tried_on_whole_queries_of_at_most_five_thousand_pairs(
    pairs: int, left_out: int
) -> None:
    """Of queries of twenty pairs, the last of which may be shorter."""
    clusters = np.arange(pairs, dtype=np.int64) // 20
    grades, ones = np.zeros(pairs, dtype=np.int64), np.ones(pairs)
    data = Data(ones[:, None], ones[:, None], grades, clusters, ones)
    kept = _some(data)
    assert pairs - left_out <= kept.sum() <= 5_000
    assert not {*clusters[kept]} & {*clusters[~kept]}
    assert (_some(data) == kept).all()


def test_labels_of_a_student_teach_no_student(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    labels = label_set(tmp_path, learnable())
    write_golden(tmp_path, examples(queries=8))
    at = ("--root", tmp_path)
    assert harness("student", "train", labels, "-o", tmp_path / "S", *at).code == 0
    done = harness("label", tmp_path / "labels-pairs.csv", "-o", tmp_path / "L", "--model", "student/S",
                   "--policy", "small", "--unproven", *at)  # fmt: skip
    assert done.code == 0, done.err
    for words in (("train", tmp_path / "L"), ("export", tmp_path / "L")):
        done = harness("student", *words, "-o", tmp_path / "T", *at)
        told = " ".join(done.err.split())
        assert done.code == 2 and "was labelled by a student, student/S: a student learns from its" in told
        assert "teacher alone; label with the teacher" in told and not (tmp_path / "T").exists()


def test_one_row_by_a_student_is_enough(tmp_path: Path) -> None:
    labels = label_set(tmp_path, learnable())
    write_golden(tmp_path, examples(queries=8))
    (shard,) = (labels / "shards").iterdir()
    table = pq.read_table(shard)
    models = [None] * (len(table) - 1) + ["student/S"]
    place = table.schema.get_field_index("model")
    pq.write_table(table.set_column(place, table.schema.field(place), [models]), shard)
    done = harness("student", "train", labels, "-o", tmp_path / "S", "--root", tmp_path)
    told = " ".join(done.err.split())
    assert done.code == 2 and f"in part by student/S (p{len(table) - 1}): a student learns" in told, told
