"""The rows of a label set as arrays, with the human grades of a file of ratings."""

from harness.runs.labels import LabelSet
from harness.score.gathered import Gathered, Queries
from harness.score.human_grades import HumanGrade, HumanGrades

NEEDED = ("query", "digest", "weight", "stratum", "position", "grade", "shot_query")


def read_labels(labels: LabelSet, queries: Queries, people: HumanGrades) -> tuple[Gathered, dict[str, str]]:
    """The rows of a label set, and the rated items that it has, with their queries.

    A rating is of a pair, and counts for every row of the same pair. Rows whose query a shot has are counted,
    and left out: the teacher may have seen an answer to them.
    """
    by_pair, met = rated_pairs(labels, people)
    found = Gathered(labels.policy.scale, queries)
    for query, digest, weight, stratum, position, grade, shot in labels.cells(NEEDED):
        if shot:
            found.shots += 1
            continue
        item, one = by_pair.get(digest, (None, None))
        human = None if one is None else (one.grade, one.lowest, one.highest)
        if item is not None:
            found.rated.add(item)
        found.add(query, grade, human, one.pi if one else None, weight, stratum, position)
    return found, met


def rated_pairs(
    labels: LabelSet, people: HumanGrades
) -> tuple[dict[str, tuple[str, HumanGrade]], dict[str, str]]:
    """The rated item and its human grade by the pair's digest, and the rated items with their queries.

    Of several rated rows of one pair, the first counts.
    """
    found: dict[str, tuple[str, HumanGrade]] = {}
    met: dict[str, str] = {}
    for item, query, digest in labels.cells(("item", "query", "digest")):
        if item in people.grades:
            met[item] = query
            found.setdefault(digest, (item, people.grades[item]))
    return found, met
