"""A student that reads word vectors: they load offline, and are those that it learned with."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import examples, harness, write_golden
from production import label_set
from test_student_train import learnable

from harness.errors import BadInput
from harness.nouns.pair import Pair, Result
from harness.providers.base import STUDENT
from harness.providers.student import shares_by
from harness.providers.student_file import load_student
from harness.providers.student_saved import SavedStudent
from harness.providers.student_vectors import (
    COMPARED,
    LETTERS,
    LONGEST,
    MOST,
    NEEDED,
    PIECE,
    TABLE,
    TOKENS,
    WEIGHTS,
    WordVectors,
    installed_vectors,
    table_fault,
    vectors_of,
    words_in,
)

safetensors = pytest.importorskip("safetensors.numpy", reason="pip install 'teacher-harness[semantic]'")
pytestmark = pytest.mark.skipif(
    not all(map(find_spec, NEEDED)),
    reason="Word vectors are not installed: pip install 'teacher-harness[semantic]'",
)
ALIKE = (
    ("sofa", "couch"), ("tv", "television"), ("cellphone", "smartphone"), ("rug", "carpet"),
    ("jacket", "coat"), ("bike", "bicycle"), ("picture", "photograph"), ("fridge", "refrigerator"),
    ("stove", "oven"), ("pants", "trousers"), ("mug", "cup"), ("lamp", "light"), ("laptop", "notebook"),
    ("child", "kid"), ("car", "automobile"), ("drapes", "curtains"), ("movie", "film"),
    ("sneakers", "shoes"), ("garbage", "trash"), ("hammer", "mallet"), ("blanket", "quilt"),
    ("store", "shop"), ("dinner", "supper"), ("purse", "handbag"),
)  # fmt: skip


@pytest.fixture(scope="module")
def vectors() -> WordVectors:
    return installed_vectors()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a label set, and a student of it that reads vectors."""
    root = tmp_path_factory.mktemp("semantic")
    label_set(root, learnable(24))
    write_golden(root, examples(queries=40))
    done = harness(
        "student", "train", root / "labels", "-o", root / "S", "--root", root, "--features", "semantic"
    )
    assert done.code == 0, done.err
    (root / "said.txt").write_text(done.out, encoding="utf-8")
    return root


def pair(query: str, title: str, description: str | None = None) -> Pair:
    return Pair(query=query, result=Result(title=title, description=description))


# --- the vectors -----------------------------------------------------------------------------------


def test_they_load_offline_and_run_nothing_of_their_package(tmp_path: Path) -> None:
    """Its own loader asks the network for the tokenizer, and its import sets up logging for the process."""
    code = (
        "import os, socket, sys, logging\n"
        "def refused(*_, **__): raise OSError('no network here')\n"
        "socket.socket.connect = socket.getaddrinfo = socket.create_connection = refused\n"
        "from harness.nouns.pair import Pair, Result\n"
        "from harness.providers.student_vectors import installed_vectors\n"
        "pairs = [Pair(query='sofa', result=Result(title='couch'))] * 100\n"
        "print(*installed_vectors().compared(pairs)[99].round(4))\n"
        "print(*(name in sys.modules for name in ('wordllama', 'requests', 'huggingface_hub')))\n"
        "print(logging.getLogger().handlers, flush=True)\n"
        "child = os.fork()\n"
        "if child == 0: installed_vectors().compared(pairs); os._exit(0)\n"
        "sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))"
    )
    keeps = {**os.environ, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=keeps)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    cosines, loaded, handlers = done.stdout.splitlines()
    assert cosines.split() == ["0.5075"] * COMPARED
    assert (loaded, handlers) == ("False False False", "[]")
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("one", "expected"),
    [  # Calculated in float64 from the package's table, by the mean of a word's and of a text's tokens.
        (pair("sofa", "Couch"), (0.5075, 0.5075, 0.5075, 0.5075, 0.5075)),
        (pair("red sofa", "Leather couch", "a crimson settee"), (0.2338, 0.2800, 0.3672, 0.2270, 0.5075)),
        (
            pair("tv 55 inch", 'Samsung television 55"', "remote included"),
            (0.7109, 0.5934, 0.6437, 0.1110, 0.1110),
        ),
        (pair("沙发", "sofa"), (0.0703, 0.0703, 0.0703, 0.0703, 0.0703)),
    ],
)
def test_cosines_are_those_calculated_by_hand(
    vectors: WordVectors, one: Pair, expected: Sequence[float]
) -> None:
    assert vectors.compared([one])[0] == pytest.approx(expected, abs=6e-5)


def test_words_alike_are_near_by_their_definition(vectors: WordVectors) -> None:
    """By loops over tokens, in float64: what is done at once for many pairs is the same."""
    pairs = [pair(f"big {one}", f"{other} of {ALIKE[n - 1][0]}", f"as {other}s go")
             for n, (one, other) in enumerate(ALIKE)]  # fmt: skip
    assert len(pairs) > PIECE
    found = vectors.compared(pairs)
    for one, row in zip(pairs, found, strict=True):
        assert row == pytest.approx(slowly(vectors, one), abs=1e-5)
    assert vectors.compared(pairs[:1])[0] == pytest.approx(found[0], abs=1e-6)
    assert vectors.compared([]).shape == (0, COMPARED)


def slowly(vectors: WordVectors, one: Pair) -> list[float]:
    table, encode = vectors._table.astype(np.float64), vectors._tokenizer.encode

    def mean(words: Sequence[str]) -> Any:
        ids = [token for word in words for token in encode(word, add_special_tokens=False).ids]
        return sum(table[token] for token in ids) / len(ids)

    def cosine(left: Sequence[str], right: Sequence[str]) -> float:
        a, b = mean(left), mean(right)
        return float(a @ b / np.sqrt(a @ a) / np.sqrt(b @ b))

    query, title, more = (
        text.lower().split() for text in (one.query, one.result.title, one.result.description or "")
    )
    near = [max(cosine([word], [other]) for other in title + more) for word in query]
    last = max(cosine([query[-1]], [other]) for other in title)
    return [cosine(query, title), cosine(query, title + more), sum(near) / len(near), min(near), last]


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (pair("!!", "sofa"), [0, 0, 0, 0, 0]),
        (pair("sofa", "!!"), [0, 0, 0, 0, 0]),
        (pair("\U0001f6cb", "sofa"), [0, 0, 0, 0, 0]),
        (pair("sofa", "--", "Couch"), [0, 0.5075, 0.5075, 0.5075, 0]),
        (pair("sofa", "SOFA"), [1, 1, 1, 1, 1]),
    ],
)
def test_a_side_without_words_has_a_cosine_of_nothing(
    vectors: WordVectors, one: Pair, expected: Sequence[float]
) -> None:
    assert vectors.compared([one])[0] == pytest.approx(expected, abs=6e-5)


def test_odd_texts_have_numbers_within_bounds(vectors: WordVectors) -> None:
    """Letters in no token of the vectors have one for each byte."""
    long = " ".join(f"w{n}" for n in range(LONGEST + 50))
    texts = ["ꙮ ꙮꙮ", "кресло", "أريكة", "<s> </s>", "x\x00y", "é" * 5_000, long, "Ⅷ ٣", "ß ẞ"]
    found = vectors.compared([pair(text, other, text) for text in texts for other in (*texts, "sofa")])
    assert np.isfinite(found).all() and (np.abs(found) <= 1 + 1e-6).all()
    assert len(words_in(long)) == LONGEST and words_in("é" * 5_000) == ["é" * LETTERS]


# --- the student -----------------------------------------------------------------------------------


def test_vectors_help_where_synonyms_decide(tmp_path: Path) -> None:
    """No word of a query is in a title or another query: overlaps and words say nothing of one held out."""
    rows: list[dict[str, Any]] = []
    for number, (word, other) in enumerate(ALIKE):
        for title, grade in ((other, 2), (ALIKE[(number + 7) % len(ALIKE)][1], 0)):
            rows.append({"item": f"p{len(rows)}", "query": word, "title": title, "weight": 1,
                         "stratum": "all", "position": 1, "teacher": grade})  # fmt: skip
    label_set(tmp_path, rows)
    kappas = {}
    for features in ("lexical", "semantic"):
        words = ("-o", tmp_path / features, "--root", tmp_path, "--features", features, "--json")
        done = harness("student", "train", tmp_path / "labels", *words)
        assert done.code == 0, done.err
        kappas[features] = done.json["kappa"]
    assert kappas["semantic"] > 0.8 and kappas["lexical"] < 0.4, kappas


def test_it_says_what_it_reads(trained: Path) -> None:
    told = " ".join((trained / "said.txt").read_text("utf-8").split())
    assert "It is a baseline: it counts words, and compares their vectors (wordllama " in told
    assert "overlaps, vectors and words" in told
    saved, weights = load_student(trained / "S")
    assert saved.features == "semantic-1" and saved.vectors and weights.dense.shape == (2, 15)
    text = json.loads((trained / "S" / STUDENT).read_text("utf-8"))
    assert text["vectors"] == {"package": saved.vectors.package, "digest": saved.vectors.digest}


def test_one_that_is_read_again_gives_the_same_grades(
    trained: Path, tmp_path: Path, vectors: WordVectors
) -> None:
    again = harness("student", "train", trained / "labels", "-o", tmp_path / "S", "--root", trained,
                    "--features", "semantic")  # fmt: skip
    assert again.code == 0
    pairs = [pair(row["query"], row["title"]) for row in learnable(60)]
    found = [shares_by(load_student(folder)[1], pairs, vectors) for folder in (trained / "S", tmp_path / "S")]
    assert (found[0] == found[1]).all()
    alone = [shares_by(load_student(trained / "S")[1], [one], vectors)[0] for one in pairs]
    assert np.array(alone) == pytest.approx(found[0], abs=1e-6)


def test_it_is_a_model_of_every_command(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(trained)
    done = harness("eval", "--model", "student/S", "--policy", "small", "--split", "dev+test", "--json")
    assert done.code in (0, 1, 3), done.err
    run = json.loads((Path(done.json["run"]) / "manifest.json").read_text("utf-8"))
    assert "a baseline of overlapping words and of word vectors (wordllama " in run["notes"][0]
    assert (
        harness("eval", "--model", "builtin/majority", "--policy", "small", "--split", "dev+test").code == 0
    )
    assert harness("compare", "latest~1", "latest").code == 0
    label = (
        "label",
        "labels-pairs.csv",
        "-o",
        "L",
        "--unproven",
        "--model",
        "student/S",
        "--policy",
        "small",
    )
    assert harness(*label).code == 0
    assert "word vectors" in json.loads((trained / "L/labels.json").read_text("utf-8"))["notes"][0]
    checked = harness("student", "check", "--student", "student/S", "--teacher", "latest", "--json")
    assert checked.code in (0, 1, 3) and any("word vectors" in note for note in checked.json["notes"])
    cascade = ("student", "cascade", "--student", "student/S", "--teacher", "latest~1", "--share", "0.5")
    done = harness(*cascade, "--json")
    assert done.code in (0, 1, 3) and any("word vectors" in note for note in done.json["notes"]), done.err
    assert harness("audit", "student/S", "--policy", "small", "--limit", "5").code in (0, 1, 3)


def test_without_the_extra_every_command_says_what_to_install(
    trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(trained)
    assert (
        harness("eval", "--model", "builtin/majority", "--policy", "small", "--split", "dev+test").code == 0
    )
    for missing in NEEDED:
        with monkeypatch.context() as without:
            without.setitem(sys.modules, missing, None)
            with pytest.raises(BadInput, match=r"pip install 'teacher-harness\[semantic\]'"):
                installed_vectors()
    monkeypatch.setitem(sys.modules, "wordllama", None)
    commands = (
        ("student", "train", "labels", "-o", "T", "--features", "semantic"),
        ("eval", "--model", "student/S", "--policy", "small"),
        ("label", "labels-pairs.csv", "-o", "N", "--unproven", "--model", "student/S", "--policy", "small"),
        ("student", "check", "--student", "student/S", "--teacher", "latest"),
        ("student", "cascade", "--student", "student/S", "--teacher", "latest"),
        ("audit", "student/S", "--policy", "small", "--limit", "6"),
    )
    for words in commands:
        done = harness(*words)
        assert done.code == 2 and "pip install 'teacher-harness[semantic]'" in done.err, (words, done.err)
    assert not Path("T").exists()
    lexical = harness("student", "train", "labels", "-o", "plain")
    assert lexical.code == 0


def test_other_vectors_than_it_learned_with_are_refused(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another version of the package: the same files, but for one number."""
    other = other_package(tmp_path).parents[1]
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(trained)
    words = ("eval", "--model", "student/S", "--policy", "small")
    assert harness(*words).code in (0, 1, 3)
    content = bytearray((other / WEIGHTS).read_bytes())
    content[-2] ^= 1
    (other / WEIGHTS).write_bytes(content)
    done = harness(*words)
    assert done.code == 2 and "was trained on the word vectors of wordllama 0.4" in done.err, done.err
    assert "train the student anew" in " ".join(done.err.split())
    for part in (WEIGHTS, TOKENS):
        whole = (other / part).read_bytes()
        (other / part).write_bytes(whole[: len(whole) // 2])
        done = harness(*words)
        assert done.code == 2 and "is damaged (" in done.err and "install it again" in done.err, done.err
        (other / part).write_bytes(whole)
    (other / WEIGHTS).unlink()
    done = harness(*words)
    assert done.code == 2 and "does not have it; install wordllama==" in " ".join(done.err.split())


def other_package(folder: Path) -> Path:
    """A copy of the package's two files; what it returns is the file of its vectors."""
    there = Path(str(find_spec("wordllama").origin)).parent  # type: ignore[union-attr] # it is there
    other = folder / "wordllama"
    for part in (WEIGHTS, TOKENS):
        (other / part).parent.mkdir(parents=True)
        (other / part).write_bytes((there / part).read_bytes())
    (other / "__init__.py").write_text("raise SystemExit('this ran')\n", encoding="utf-8")
    return other / WEIGHTS


@pytest.mark.parametrize(
    ("name", "table", "told"),
    [
        ("x", np.ones((32_000, 256), np.float16), "floating-point numbers, found none"),
        (TABLE, np.ones((32_000, 256), np.int8), "found 32,000 x 256 of int8"),
        (TABLE, np.ones((32_000, 10), np.float16), "found 32,000 x 10 of float16"),
        (TABLE, np.ones(32_000, np.float16), "found 32,000 of float16"),
        (TABLE, np.ones((100, 256), np.float16), "found 100 x 256 of float16"),
        (TABLE, np.ones((0, 256), np.float16), "found 0 x 256 of float16"),
        (TABLE, np.full((32_000, 256), np.nan, np.float16), "8,192,000 of them are not"),
        (TABLE, np.full((32_000, 256), np.inf, np.float16), "8,192,000 of them are not"),
        (TABLE, np.full((32_000, 256), -1e30, np.float32), "from -10,000 to 10,000: 8,192,000 of them"),
    ],
)
def test_a_damaged_table_is_refused_in_words(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, table: Any, told: str
) -> None:
    weights = other_package(tmp_path)
    weights.write_bytes(safetensors.save({name: table}))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(trained)
    done = harness("student", "train", "labels", "-o", tmp_path / "T", "--features", "semantic")
    said = " ".join(done.err.split())
    assert done.code == 2 and told in said, said
    assert WEIGHTS in said
    assert "is damaged (expected 'embedding.weight' of 32,000 x 256 floating" in said
    assert "install it again" in said and not (tmp_path / "T").exists()


@pytest.mark.parametrize(("value", "fault"), [(MOST, False), (MOST + 8, True)])
def test_the_largest_number_of_a_table(value: int, fault: bool) -> None:
    table = np.zeros((3, 256), np.float32)
    table[1, 7] = -value
    assert bool(table_fault({TABLE: table}, 3)) == fault
    assert bool(table_fault({TABLE: table.astype(np.float16)}, 3)) == fault


def test_a_student_of_before_there_were_vectors_is_read(trained: Path, tmp_path: Path) -> None:
    done = harness("student", "train", trained / "labels", "-o", tmp_path / "S", "--root", trained)
    assert done.code == 0
    text = json.loads((tmp_path / "S" / STUDENT).read_text("utf-8"))
    assert (text["features"], text.pop("vectors")) == ("lexical-1", None)
    (tmp_path / "S" / STUDENT).write_text(json.dumps(text), encoding="utf-8")
    saved, weights = load_student(tmp_path / "S")
    assert saved.vectors is None and vectors_of(saved, tmp_path) is None and len(weights.mean) == 10
    assert saved.baseline == "a baseline of overlapping words"


@pytest.mark.parametrize(
    ("others", "told"),
    [
        ({"features": "semantic-2"}, "reads pairs as 'semantic-2', which this version does not know"),
        ({"features": "lexical-1"}, "its features and vectors do not fit each other"),
        ({"vectors": None}, "its features and vectors do not fit each other"),
        ({"features": "lexical-1", "vectors": None}, "mean: has the shape (15,), not (10,)"),
        ({"vectors": {"package": "x", "digest": "y", "path": "/etc"}}, "path: unknown key"),
    ],
)
def test_features_that_do_not_fit_are_refused(
    trained: Path, tmp_path: Path, others: dict[str, Any], told: str
) -> None:
    for name in (STUDENT, "weights.npz"):
        (tmp_path / name).write_bytes((trained / "S" / name).read_bytes())
    text = {**json.loads((tmp_path / STUDENT).read_text("utf-8")), **others}
    (tmp_path / STUDENT).write_text(json.dumps(text), encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        load_student(tmp_path)
    assert told in str(caught.value)


def test_what_a_sender_calls_its_vectors_steers_no_terminal(trained: Path) -> None:
    text = json.loads((trained / "S" / STUDENT).read_text("utf-8"))
    text["vectors"]["package"] = "a\x1b[2J\nPASS"
    saved = SavedStudent.model_validate(text)
    assert "(a\\x1b[2J\\nPASS)" in saved.baseline
