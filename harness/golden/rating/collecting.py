"""Collect decisions from a file, for authors who write in an editor."""

from pathlib import Path

from harness.errors import BadInput, Fault, refuse_faults
from harness.golden.examples import golden_path
from harness.golden.rating.adjudications import Adjudication
from harness.golden.rating.deciding import Author, Decision, decide, decision_faults, known_pairs
from harness.golden.rating.disputes import Dispute, load_disputes
from harness.golden.rating.rounds import OpenRound
from harness.nouns.policy import Policy
from harness.storage.digest import digest
from harness.storage.files import build, json_lines
from harness.storage.project import Project

DISPUTE = "dispute"
"""The key of a line that names the dispute by the code that `--list` prints."""


def collect_decisions(
    project: Project, policy: Policy, path: Path, by: Author, opened: OpenRound | None = None
) -> list[Adjudication]:
    """Take every decision of a file. BadInput with every fault of every line, and then nothing is written.

    A line is recorded once, however often the file is collected. A line about a dispute with another decision
    is refused: reopen such a dispute on its page, which shows the decision.
    """
    by_code = {one.code: one for one in load_disputes(project, policy, opened)}
    known = known_pairs(golden_path(project, policy.name), opened)
    numbered, faults = json_lines(path)
    wanted: list[tuple[str, Decision]] = []
    seen: set[str] = set()
    for number, line in numbered:
        where = f"{path}, line {number}"
        said, found = _decision(line, where)
        code = str(line.get(DISPUTE, ""))
        faults += found + _line_faults(by_code.get(code), code, said, where, again=code in seen)
        seen.add(code)
        if said is not None and code in by_code:
            item = by_code[code].example.id
            wrong = decision_faults(known, policy, item, said)
            faults += [Fault(where, fault.what) for fault in wrong]
            wanted.append((item, said))
    refuse_faults(faults)
    if not wanted:
        raise BadInput([Fault(str(path), "holds no decision")])
    return [decide(project, policy, item, said, by, opened) for item, said in wanted]


def _decision(line: dict[str, object], where: str) -> tuple[Decision | None, list[Fault]]:
    given = {key: value for key, value in line.items() if key != DISPUTE}
    own = [key for key in ("id", "seen") if key in given]
    faults = [Fault(where, f"{key}: unknown key (misspelt?)") for key in own]
    said, found = build(Decision, {**given, "id": f"line-{digest(line)[7:31]}", "seen": ""}, where)
    return said, faults + found


def _line_faults(
    dispute: Dispute | None, code: str, said: Decision | None, where: str, *, again: bool
) -> list[Fault]:
    if dispute is None:
        return [Fault(where, f"dispute: unknown code {code!r}; `harness adjudicate --list` prints them all")]
    if again:
        return [Fault(where, f"dispute: {code} is decided twice in this file")]
    now = dispute.decision
    if now is not None and (said is None or now.id != said.id):
        return [Fault(where, f"dispute: {code} is decided already, as {now.grade}; reopen it on its page")]
    return []
