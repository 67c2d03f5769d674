"""Changed thresholds, in words, so that a pass by a lowered threshold is visible."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from harness.errors import BadInput
from harness.nouns.policy import Gates
from harness.policy.load import load_with_gates
from harness.runs.folder import Run
from harness.runs.manifest import load_manifest
from harness.score.threshold import Threshold


def bars_of(gates: Gates) -> dict[str, str]:
    """Every threshold of Gate 2's verdict and of its provisional state, in words."""
    actions = gates.gate2.actions
    cells = {f"golden {cell.golden} with action {cell.action}": cell.limit for cell in gates.never_grow}
    return {
        "kappa": Threshold(gates.weighting, gates.gate2.bar).text,
        "Gate 1": f"Gate 1 at {gates.gate1.bar:g}",
        "coverage": f"coverage floor {gates.coverage_floor:g}",
        **({} if actions is None else {"the actions": f"actions' kappa {actions:g}"}),
        **{name: f"{name} at most {limit:g}" for name, limit in cells.items() if limit is not None},
    }


def differing(other: Gates, own: Gates) -> str | None:
    """The thresholds of other gates that differ from a run's own; None if they are equal."""
    theirs, mine = bars_of(other), bars_of(own)
    changed = [name for name in {**mine, **theirs} if theirs.get(name) != mine.get(name)]
    return ", ".join(theirs.get(name, f"no limit for {name}") for name in changed) or None


def moved_since(run: Run, earlier: Iterable[Path]) -> str | None:
    """The thresholds of the previous run of this policy, if they differ.

    `earlier`: the folders of the runs before it, the latest first.
    """
    policy = run.policy.name
    for folder in earlier:
        with suppress(BadInput):
            manifest = load_manifest(folder)
            if manifest.asked.policy.partition("@")[0] != policy or manifest.finished_at is None:
                continue
            if manifest.gates == run.manifest.gates:
                return None
            _, before = load_with_gates(folder / "policy.toml")
            found = differing(before, run.gates)
            return f"the run before, {folder.name}, had {found}" if found else None
    return None
