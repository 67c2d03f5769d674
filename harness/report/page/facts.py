"""What was run, what it took, and the prompt as it was sent: read from the run folder alone."""

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from harness.errors import BadInput, Fault
from harness.files import read_text
from harness.prompts import to_json
from harness.records import Example, Usage
from harness.report.page.words import moment
from harness.report.runs import manifest_facts
from harness.runs import Run


class Sent(NamedTuple):
    """The prompt of one pair. `own_shots`: shots stand before the pair that are other ones for each pair."""

    prefix: str
    pair: str
    item: str
    own_shots: bool


class Took(NamedTuple):
    """What the answers took; `tokens` is None where no answer says how many."""

    tokens: Usage | None
    seconds: float | None
    reasked: int


def sent(run: Run, first: str | None) -> Sent:
    """The constant prefix and the data of one pair, of the one named `first` where it is there."""
    prefix = prefix_of(run)
    example: Example = next((one for one in run.examples if one.id == first), run.examples[0])
    # The writer puts the system message, an empty line and what every pair's message begins with there.
    return Sent(prefix, to_json(example.pair), example.id, own_shots=prefix.endswith("\n\n"))


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


def took(run: Run) -> Took:
    """Tokens, the median seconds of an answer, and how many pairs were asked about again."""
    records = run.records.values()
    replies = [reply for record in records for reply in (record.reply, record.unread) if reply]
    used = [reply.usage for reply in replies if reply.usage]
    return Took(
        tokens=_total(used) if used else None,
        seconds=median(record.seconds for record in records) if records else None,
        reasked=sum(record.unread is not None for record in records),
    )


def _total(used: Sequence[Usage]) -> Usage:
    return Usage.model_validate(
        {name: sum(getattr(one, name) for one in used) for name in Usage.model_fields}
    )


def facts(run: Run) -> dict[str, str]:
    """What was run, with its times as people write them."""
    manifest = run.manifest
    found = manifest_facts(manifest, run.folder)
    found |= {"run": manifest.name, "begun": moment(manifest.created_at)}
    if manifest.finished_at:
        found["finished"] = moment(manifest.finished_at)
    found["harness"] = f"{manifest.harness}, Python {manifest.python}"
    if manifest.sources:
        found["sources"] = ", ".join(manifest.sources)
    return found
