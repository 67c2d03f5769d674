"""What was run, its time and cost, and the prompt as sent: read from the run folder only."""

from collections.abc import Sequence
from typing import NamedTuple

from harness.errors import BadInput, Fault
from harness.nouns.pair import Example
from harness.report.formats import number
from harness.report.page.words import moment
from harness.report.runs import manifest_facts
from harness.runs.folder import Run
from harness.score.reading import Reading
from harness.storage.files import read_text
from harness.storage.plural import plural


class SentPrompt(NamedTuple):
    """The prompt of one pair. `whole`: whether the pair's message is exactly its lead and its data."""

    prefix: str
    pair: str
    item: str
    whole: bool


def sent(run: Run, examples: Sequence[Example], first: str | None) -> SentPrompt:
    """The constant prefix, and the data of one pair: of the pair named `first`, if it exists."""
    prefix = prefix_of(run)
    example = next((one for one in examples if one.id == first), examples[0])
    # The file holds the system message, an empty line, and the constant start of every pair's message, which
    # is empty if each pair has its own shots.
    return SentPrompt(prefix, example.pair.json_text, example.id, whole=not prefix.endswith("\n\n"))


def prefix_of(run: Run) -> str:
    """The constant prefix."""
    return _kept(run, "prefix.txt")


def policy_text(run: Run) -> str:
    """The policy file of the run."""
    return _kept(run, "policy.toml")


def _kept(run: Run, name: str) -> str:
    path = run.folder / name
    if not path.exists():
        raise BadInput([Fault(str(path), "is missing from the run folder; a report needs it")])
    return read_text(path)


def facts(reading: Reading) -> dict[str, str]:
    """What was run, with formatted times."""
    manifest = reading.run.manifest
    found = manifest_facts(manifest, reading.run.folder)
    found |= {"run": manifest.name, "begun": moment(manifest.created_at)}
    if manifest.finished_at:
        found["finished"] = moment(manifest.finished_at)
    found["harness"] = f"{manifest.harness}, Python {manifest.python}"
    if reading.usual_seconds is not None:
        found["an answer took"] = f"{number(reading.usual_seconds, 2)} seconds (median)"
    if reading.asked_again:
        found["asked again"] = f"{plural(reading.asked_again, 'answer')} that could not be read"
    if manifest.sources:
        found["sources"] = ", ".join(manifest.sources)
    return found
