"""`harness ratings import` of files that other tools wrote: what is a rating, what is none, whose it is."""

from pathlib import Path

import pytest
from builders import write_project
from exchanged import FILES, imported, lines, verdicts

STORY = [
    ("q1-0", 0, "0", 0, "another thing"),
    ("q1-0", 1, "1", 0, ""),
    ("q1-1", 0, "ambiguous_text", 0, "which lamp?"),
    ("q1-2", 0, "2", 0, ""),
    ("q1-2", 1, "2", 0, ""),
]
AGAIN = ("q1-0", 0, "1", 1, "")
DRAFTS = [("q1-1", 1, "1", 0, ""), ("q2-1", 1, "0", 0, "")]
SUBMISSIONS = ("--submissions", FILES / "prolific/submissions.csv")


@pytest.mark.parametrize(
    ("name", "format", "words", "more", "left_out"),
    [
        ("label-studio/export.json", "label-studio", (), [AGAIN], ["skipped by the rater: 1"]),
        ("label-studio/json-min.json", "label-studio", (), [AGAIN], ["tasks without an annotation: 1"]),
        ("label-studio/export.csv", "label-studio", (), [AGAIN], ["tasks without an annotation: 1"]),
        ("argilla/flat.json", "argilla", (), [], ["draft responses: 1", "discarded responses: 1"]),
        ("argilla/nested.json", "argilla", (), DRAFTS, []),
        ("argilla/names.json", "argilla", (), DRAFTS, []),
        ("argilla/index.json", "argilla", (), DRAFTS, []),
        ("potato/annotation_output", "potato", (), [], ["without a grade: 1"]),
        ("potato/annotations.csv", "potato", (), [], ["without a grade: 1"]),
        ("potato/annotations.jsonl", "potato", (), [], ["without a grade: 1"]),
        ("quepid/book.json", "quepid", (), [],
         ["unrateable, without one of our causes in the explanation: 1", "judgements without a user: 1",
          "to be judged later: 1"]),
        ("mturk/batch_results.csv", "mturk", (), [], ["rejected assignments: 2"]),
        ("prolific/survey.csv", "prolific", SUBMISSIONS, [],
         ["rows without a Prolific id, such as test runs and second headers: 3",
          "of submissions that are returned: 1"]),
    ],
)  # fmt: skip
def test_files_of_all_tools_say_the_same(
    here: Path,
    name: str,
    format: str,
    words: tuple[str, ...],
    more: list[tuple[str, int, str, int, str]],
    left_out: list[str],
) -> None:
    write_project(here)
    ended = imported(FILES / name, "--kind", "human", *words)
    assert ended.code == 0, ended.err
    assert ended.err.startswith(f"read as {format}\n")
    assert verdicts(here) == sorted([*STORY, *more])
    said = [
        line.removeprefix("left out, ") for line in ended.err.splitlines() if line.startswith("left out, ")
    ]
    assert said == left_out
    assert {line["policy_version"] for line in lines(here)} == {"v1"}
    # A second time, nothing is new.
    before = (here / "golden/small/ratings.jsonl").read_bytes()
    assert imported(FILES / name, *words).code == 0
    assert (here / "golden/small/ratings.jsonl").read_bytes() == before


def test_forms_that_hide_drafts_say_so(here: Path) -> None:
    write_project(here)
    assert "does not say which responses are drafts" in imported(FILES / "argilla/nested.json").err
    assert (
        "does not say"
        not in imported(FILES / "argilla/flat.json", "--dry-run", "--replace").err.split("raters.toml")[0]
    )


def test_times_durations_clauses_and_the_policy_as_it_read_are_kept(here: Path) -> None:
    write_project(here)
    imported(FILES / "label-studio/export.json", "--keep-names")
    by_key = {(one["item"], one["rater"], one.get("repeat", 0)): one for one in lines(here)}
    first, again = (by_key["q1-0", "ann@example.com", repeat] for repeat in (0, 1))
    assert (first["milliseconds"], again["milliseconds"]) == (1250, 500)
    assert (first["at"], again["at"]) == ("2026-11-01T09:00:00.000000Z", "2026-11-03T09:00:00.000000Z")
    assert by_key["q1-2", "ann@example.com", 0]["clauses"] == ["plain"]
    assert {one["policy_digest"][:12] for one in by_key.values()} == {"sha256:9ebd0"}


@pytest.mark.parametrize(
    ("name", "rater", "milliseconds", "at"),
    [
        ("potato/annotation_output", "ann", 2500, ""),
        # 01:00:00 in the Pacific standard time of November is 09:00:00 UTC.
        ("mturk/batch_results.csv", "A1B2C3D4E5F6G7", 1250, "2026-11-02T09:00:00+00:00"),
    ],
)
def test_crowds_and_potato_say_how_long(
    here: Path, name: str, rater: str, milliseconds: int, at: str
) -> None:
    write_project(here)
    imported(FILES / name, "--keep-names")
    one = next(one for one in lines(here) if (one["item"], one["rater"]) == ("q1-0", rater))
    assert (one["milliseconds"], one.get("at", "")) == (milliseconds, at)


def test_a_book_as_csv_is_read_when_it_is_named_and_never_guessed(here: Path) -> None:
    write_project(here)
    ended = imported(FILES / "quepid/book.csv")
    assert (ended.code, "no column for item" in ended.err) == (2, True)
    assert imported(FILES / "quepid/book.csv", "--from", "quepid", "--keep-names").code == 0
    graded = [(one["item"], one["rater"], one["grade"]) for one in lines(here)]
    assert graded == [
        ("q1-0", "Bob", 1), ("q1-0", "ann@example.com", 0),
        ("q1-2", "Bob", 2), ("q1-2", "ann@example.com", 2),
    ]  # fmt: skip


def test_ratings_of_a_case_want_their_rater(here: Path) -> None:
    write_project(here)
    ended = imported(FILES / "quepid/ratings.csv")
    assert (ended.code, "add --rater NAME" in ended.err) == (2, True)
    ended = imported(FILES / "quepid/ratings.csv", "--rater", "cy")
    assert "left out, queries without ratings: 1" in ended.err
    assert [(one["item"], one["rater"], one["grade"]) for one in lines(here)] == [
        ("q1-0", "cy", 0),
        ("q1-2", "cy", 2),
    ]


def test_one_of_the_raters_is_taken(here: Path) -> None:
    write_project(here)
    assert imported(FILES / "mturk/batch_results.csv", "--rater", "A1B2C3D4E5F6G7").code == 0
    assert len({one["rater"] for one in lines(here)}) == 1 and len(lines(here)) == 3
    ended = imported(FILES / "mturk/batch_results.csv", "--rater", "nobody")
    assert "no rater 'nobody'; there are: A1B2C3D4E5F6G7, AZZTOPEXAMPLE9\n" in ended.err


def test_submissions_of_prolific_are_no_ratings(here: Path) -> None:
    write_project(here)
    path = FILES / "prolific/submissions.csv"
    ended = imported(path)
    assert ended.code == 2
    assert (
        f"is Prolific's list of submissions; import the survey's table with --submissions {path}" in ended.err
    )
    # Without the list, everyone's answers count.
    imported(FILES / "prolific/survey.csv")
    assert len(lines(here)) == 6
