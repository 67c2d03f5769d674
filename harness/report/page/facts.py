"""What was run, what it took, and the prompt as it was sent: read from the run folder alone."""

from collections.abc import Sequence
from typing import NamedTuple

from harness.errors import BadInput, Fault
from harness.nouns.pair import Example
from harness.report.page.words import moment, plural
from harness.report.parts import number
from harness.report.runs import manifest_facts
from harness.runs.folder import Run
from harness.score.reading import Reading
from harness.storage.files import read_text


class SentPrompt(NamedTuple):
    """The prompt of one pair. `whole`: the pair's message is known to be its lead and its data."""

    prefix: str
    pair: str
    item: str
    whole: bool


def sent(run: Run, examples: Sequence[Example], first: str | None) -> SentPrompt:
    """The constant prefix and the data of one pair, of the one named `first` where it is there."""
    prefix = prefix_of(run)
    example = next((one for one in examples if one.id == first), examples[0])
    # The file holds the system message, an empty line, and what every pair's message begins with: nothing,
    # where each pair has shots of its own before it.
    return SentPrompt(prefix, example.pair.json_text, example.id, whole=not prefix.endswith("\n\n"))


def prefix_of(run: Run) -> str:
    """What stood before every pair."""
    return _kept(run, "prefix.txt")


def policy_text(run: Run) -> str:
    """The policy file as it was."""
    return _kept(run, "policy.toml")


def _kept(run: Run, name: str) -> str:
    path = run.folder / name
    if not path.exists():
        raise BadInput([Fault(str(path), "is gone from the run folder; a report needs it")])
    return read_text(path)


def facts(reading: Reading) -> dict[str, str]:
    """What was run, with its times as people write them."""
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
