"""Another grader's grades of pairs that a label set may share: another label set's, or a run's."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.errors import BadInput
from harness.nouns.policy import Policy
from harness.nouns.records import Grade
from harness.runs import kind
from harness.runs.folder import PAIRS
from harness.runs.labels import is_label_set, load_labels
from harness.runs.manifest import MANIFEST, load_manifest
from harness.runs.pair_run import load_pair_run
from harness.runs.pairs import ShownPair
from harness.score.frame import frame_of, number_of_pair
from harness.score.items import vote
from harness.score.reading import reading_of
from harness.storage.files import iter_nouns
from harness.storage.project import find_project


@dataclass(frozen=True, slots=True)
class OtherGrades:
    """The grades by the pair's number (`number_of_pair`), and the policy that they were given by."""

    grades: Mapping[int, int]
    policy: Policy


def other_grades(source: str, policy: Policy, root: Path | None = None) -> OtherGrades:
    """What a label set's folder, or a run, named as for `find_run`, says of its pairs.

    Of several answers about a pair their vote counts. BadInput where there is none, or on another scale than
    the `policy`'s.
    """
    found = _other_grades(source, root)
    if found.policy.scale != policy.scale:
        theirs, mine = (", ".join(map(str, one.scale)) for one in (found.policy, policy))
        raise BadInput(f"--against {source}: graded on the scale {theirs}; the labels are on {mine}")
    return found


def _other_grades(source: str, root: Path | None) -> OtherGrades:
    folder = Path(source)
    if is_label_set(folder):
        labels = load_labels(folder)
        frame = frame_of(labels, ())
        grades = dict(zip(frame.pairs.tolist(), frame.grade.tolist(), strict=True))
        return OtherGrades(grades, labels.policy)
    if (folder / MANIFEST).is_file() and load_manifest(folder).asked.kind is kind.PAIRS:
        run = load_pair_run(folder)
        answers = ((id_, outcome) for (id_, _), outcome in run.outcomes.items())
        pairs = {one.id: one.pair.digest for one in iter_nouns(folder / PAIRS, ShownPair)}
        given = [(pairs[id_], outcome.value) for id_, outcome in answers if isinstance(outcome, Grade)]
        return OtherGrades(_votes(given), run.policy)
    found = reading_of(find_project(root), source)
    read = zip(found.pairs, found.items, strict=True)
    given = [
        (pair, answer.grade) for pair, item in read for answer in item.answers if answer.grade is not None
    ]
    return OtherGrades(_votes(given), found.run.policy)


def _votes(given: Iterable[tuple[str, int]]) -> dict[int, int]:
    grades: dict[int, list[int]] = defaultdict(list)
    for digest, grade in given:
        grades[number_of_pair(digest)].append(grade)
    return {pair: vote(several) for pair, several in grades.items()}
