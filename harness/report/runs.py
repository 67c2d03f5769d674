"""Runs as tables for a terminal."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from harness.report.parts import columns, indented, interval, number
from harness.runs.manifest import Manifest, how_to_resume
from harness.storage.plural import plural

if TYPE_CHECKING:
    from harness.score.reading import Reading


def runs_view(rows: Sequence[Mapping[str, Any]]) -> Iterator[RenderableType]:
    """Two lines per run: its name, and its result."""
    for row in rows:
        yield Text(str(row["run"]), style="bold")
        state = "" if row["finished"] else ", unfinished"
        if row["coverage"] is None:
            line = f"not scored, {plural(row['n'], 'example')}{state}"
        else:
            line = f"{_found(row)} on {plural(row['n'], 'example')}, coverage {row['coverage']:.1%}{state}"
        yield Padding(Text(line), (0, 0, 0, 2))


def _found(row: Mapping[str, Any]) -> str:
    """A run's result in words."""
    if row["split"] == "canaries":
        return "canaries, no gate applies,"
    value = f"{number(row['kappa'])} {interval(row['ci'])}".rstrip()
    return f"{row['gated']} {value} {row['band'] or 'undefined'}, {row['verdict']}"


def leaderboard_view(rows: Sequence[Mapping[str, Any]]) -> Iterator[RenderableType]:
    """Runs by kappa, the best first, grouped by policy and split."""
    groups = dict.fromkeys((row["policy"], row["split"]) for row in rows)
    for policy, split in groups:
        yield Text(f"{policy} ({split})", style="bold")
        table = columns("prompt", "model", "kappa", "interval", "verdict", "n", "begun")
        table.columns[1].justify = "left"
        for column in table.columns[2:]:
            column.no_wrap = True
        for row in rows:
            if (row["policy"], row["split"]) == (policy, split):
                when = f"{datetime.fromisoformat(row['begun']):%m-%d %H:%M}"
                figures = number(row["kappa"]), interval(row["ci"], 2) or "-", row["verdict"] or "-"
                table.add_row(row["prompt"], row["model"], *figures, f"{row['n']:,}", when)
        yield indented(table, above=0)
    if any("test" in row["split"] for row in rows):
        yield Text("Choose on dev, gate on test: the best of many looks better than it is.")


def manifest_view(manifest: Manifest, folder: Path) -> Iterator[RenderableType]:
    """A manifest, one fact per line."""
    table = Table.grid(padding=(0, 2))
    for name, value in manifest_facts(manifest, folder).items():
        table.add_row(Text(name, style="dim"), value)
    yield table


def manifest_facts(manifest: Manifest, folder: Path) -> dict[str, str]:
    """The facts of a run with their names."""
    asked, digests = manifest.asked, manifest.digests
    commit = manifest.commit or "not under git"
    return {
        "run": str(folder),
        "begun": manifest.created_at,
        "finished": manifest.finished_at or "not yet: harness eval --resume goes on",
        "model asked for": asked.model,
        "model that answered": ", ".join(manifest.model_answered) or "-",
        "parameters": _parameters(manifest),
        "policy": f"{asked.policy}  {digests.policy}",
        "prompt": f"{asked.prompt}  {digests.prompt}",
        "constant prefix": digests.prefix,
        "shots shown": f"{len(manifest.shots)}  {digests.shots}",
        "examples": f"{manifest.examples} of {asked.part}  {digests.golden}",
        "stale examples": str(manifest.stale),
        "gates": manifest.gates,
        "commit": f"{commit}{' (with changes)' if manifest.dirty else ''}",
        "versions": ", ".join(f"{name} {version}" for name, version in manifest.packages.items()),
    }


def unfinished_sentence(reading: "Reading") -> str | None:
    """The number of missing answers and how to resume; None for a finished run."""
    manifest = reading.run.manifest
    if manifest.finished_at is not None:
        return None
    wanted = manifest.examples * manifest.asked.repeats
    lost = wanted - reading.answered
    counted = (
        f"{lost:,} of its {plural(wanted, 'answer')} were never asked for and count as failed" if lost else ""
    )
    state = f"This run is not finished{': ' if counted else ''}{counted}."
    run = reading.run
    return f"{state}\n{how_to_resume(run.folder, run.manifest.asked)} goes on from here."


def _parameters(manifest: Manifest) -> str:
    asked = manifest.asked
    named = ("limit", "seed", "temperature", "max_tokens", "base_url")
    given = [f"{name} {getattr(asked, name)}" for name in named if getattr(asked, name) is not None]
    given += [name for name in ("no_schema", "fold_system") if getattr(asked, name)]
    if asked.repeats > 1:
        given.append(f"repeats {asked.repeats}, {asked.aggregate}")
    return ", ".join(given) or "none"
