"""The answers that earlier processes of a search got, checked before they count."""

from collections.abc import Mapping
from pathlib import Path

from harness.errors import BadInput, Fault, refuse_faults
from harness.improve.folder import candidate_folders
from harness.improve.variant import Variant
from harness.nouns.policy import Policy
from harness.nouns.records import Failed, Grade, Record
from harness.prompting.prompt import SYSTEM
from harness.runs.record_log import RECORDS, iter_records
from harness.score.items import ItemAnswer, answer_of
from harness.storage.files import read_text
from harness.storage.regular import SETTINGS

CHANGED = "was changed after the search wrote it; restore it, or delete the folder, which asks again"


def kept_answers(
    folder: Path, base: Variant, policy: Policy, pairs: Mapping[str, str]
) -> dict[str, dict[str, ItemAnswer]]:
    """The answers of each version that was tried, by its name and by example.

    `pairs`: the digest of each pair that the search asks about. A question that failed is asked again.
    BadInput names every record that no search has written.
    """
    kept: dict[str, dict[str, ItemAnswer]] = {}
    faults: list[Fault] = []
    for version in candidate_folders(folder):
        # The process may have been killed before the first record.
        if not (version / RECORDS).exists():
            continue
        try:
            faults += _other_text(version, base)
            kept[version.name], found = _answers(version, policy, pairs)
        except BadInput as error:
            found = list(error.faults)
        faults += found
    refuse_faults(faults)
    return kept


def _other_text(version: Path, base: Variant) -> list[Fault]:
    """The fault of a template whose digest is not the name of its folder.

    In a search for shots, all versions have the first one's template.
    """
    system = read_text(version / SYSTEM, SETTINGS, links=False)
    fits = system == base.system if base.shots is not None else Variant(system).name == version.name
    return [] if fits else [Fault(str(version / SYSTEM), CHANGED)]


def _answers(
    version: Path, policy: Policy, pairs: Mapping[str, str]
) -> tuple[dict[str, ItemAnswer], list[Fault]]:
    """The last answer about each example, and the faults of the records."""
    answers: dict[str, ItemAnswer] = {}
    faults: dict[str, Fault] = {}
    for record in iter_records(version):
        if what := _misfit(record, policy, pairs):
            where = f"{version / RECORDS}, {record.example}"
            faults[record.example] = Fault(where, f"{what}: the file {CHANGED}")
        elif isinstance(record.outcome, Failed):
            answers.pop(record.example, None)
        else:
            answers[record.example] = answer_of(record)
    return answers, list(faults.values())


def _misfit(record: Record, policy: Policy, pairs: Mapping[str, str]) -> str:
    """Why no search can have written a record; empty if one can."""
    if record.example not in pairs or record.repeat:
        return "the search asks no such question"
    if record.pair != pairs[record.example]:
        return "answers about another pair"
    grade = record.outcome
    if isinstance(grade, Grade) and grade.value not in policy.scale:
        return f"grade {grade.value} is not on the scale of {policy.label}"
    return ""
