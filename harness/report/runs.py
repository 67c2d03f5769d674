"""Runs as tables for a terminal."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from harness.report.formats import number, with_interval
from harness.report.parts import below
from harness.runs.label_manifest import LabelDigests
from harness.runs.manifest import Asked, Digests, Manifest, how_to_resume
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
            line = f"{_found(row)} on {_measured(row)}, coverage {row['coverage']:.1%}{state}"
        mixed = f"; {row['mixed']}" if row["mixed"] else ""
        yield below(line + mixed)


def _measured(row: Mapping[str, Any]) -> str:
    """The number of examples that kappa was measured on, and of all if some have no answer."""
    whole, some = plural(row["n"], "example"), row["kappa_n"]
    return whole if some in (None, row["n"]) else f"{some:,} of {whole}"


def _found(row: Mapping[str, Any]) -> str:
    """A run's result in words."""
    if row["split"] == "canaries":
        return "canaries, no gate applies,"
    value = with_interval(number(row["kappa"]), row["ci"])
    return f"{row['gated']} {value} {row['band'] or 'undefined'}, {row['verdict']}"


def leaderboard_view(rows: Sequence[Mapping[str, Any]]) -> Iterator[RenderableType]:
    """The groups of comparable runs, each ranked, and the runs apart, each with the reason."""
    groups = dict.fromkeys(row["group"] for row in rows)
    titles = set[str]()
    for group in groups:
        members = [row for row in rows if row["group"] == group]
        first = members[0]
        title = f"{first['policy']} ({first['split']}), {plural(first['n'], 'example')}, {first['gated']}"
        unlike = "; another text of the policy, other examples or another vote" if title in titles else ""
        titles.add(title)
        yield Text(f"{title}{unlike}" if group else "Not comparable", style="bold")
        for row in members:
            yield Text(f"  {row['rank']}. {row['run']}" if group else f"  {row['run']}")
            figures = with_interval(number(row["kappa"]), row["ci"])
            model = f"{row['rater']} ({row['model']})" if row["rater"] else row["model"]
            who = f"{row['prompt']}, {model}" if row["prompted"] else model
            if group:
                line = f"{figures} {row['verdict'] or 'no verdict'}; {who}"
            else:
                line = f"{row['apart']}; {figures}; {row['policy']} ({row['split']}), {who}"
            yield below(line, by=5)
    if groups.keys() - {None}:
        yield Text("Ranked by the lower limit of the interval.")
    if any("test" in row["split"] for row in rows):
        yield Text("Choose on dev, gate on test: the best of many looks better than it is.")


def manifest_view(manifest: Manifest, folder: Path) -> Iterator[RenderableType]:
    """A manifest, one fact per line."""
    facts = manifest_facts(manifest, folder)
    width = max(map(len, facts))
    for name, value in facts.items():
        if ", " in value:
            table = Table.grid(padding=(0, 2))
            table.add_column(min_width=width)
            table.add_row(Text(name, style="dim"), value)
            yield table
        else:
            # A path or a digest stays on one line, to be copied.
            yield f"{name:<{width}}  {value}"


def manifest_facts(manifest: Manifest, folder: Path) -> dict[str, str]:
    """The facts of a run with their names."""
    asked, digests = manifest.asked, manifest.digests
    commit = manifest.commit or "not under git"
    resumed = ": harness eval --resume goes on"
    return {
        "run": str(folder),
        "begun": manifest.created_at,
        "finished": manifest.finished_at or f"not yet{'' if digests.replayed else resumed}",
        "model asked for": asked.model,
        "model that answered": ", ".join(manifest.model_answered) or "-",
        "parameters": parameters_of(manifest.asked),
        "policy": f"{asked.policy}  {digests.policy}",
        **(unprompted_facts(digests, asked.rater) if manifest.unprompted else _prompt(manifest)),
        "examples": f"{manifest.examples:,} of {asked.part}  {digests.golden}",
        "known to be stale": f"{manifest.stale:,}",
        "gates": manifest.gates,
        "commit": f"{commit}{' (with changes)' if manifest.dirty else ''}",
        "versions": ", ".join(f"{name} {version}" for name, version in manifest.packages.items()),
    }


def _prompt(manifest: Manifest) -> dict[str, str]:
    asked, digests = manifest.asked, manifest.digests
    return {
        "prompt": f"{asked.prompt}  {digests.prompt}",
        "constant prefix": digests.prefix,
        "shots shown": f"{len(manifest.shots):,}  {digests.shots}",
    }


def unprompted_facts(digests: Digests | LabelDigests, rater: str | None = None) -> dict[str, str]:
    """The facts of a grader without a prompt: the digest of its file, of the student, or of its shots."""
    rated = {"rater replayed": rater} if rater else {}
    read = _read(digests)
    return {"prompt": "none was sent", **rated, **read}


def _read(digests: Digests | LabelDigests) -> dict[str, str]:
    """The digest of what a grader without a prompt replays or has learned from."""
    if digests.replayed:
        return {"the file's digest": digests.replayed}
    if digests.trained:
        return {"the student's digest": digests.trained}
    return {"learned from shots": digests.shots}


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
    if manifest.digests.replayed and not lost:
        return f"{state}\nIts file lacks grades: add them, and start a new run."
    return f"{state}\n{how_to_resume(run.folder, run.manifest.asked)} goes on from here."


def parameters_of(asked: Asked) -> str:
    """The settings that a teacher was asked with, beside the prompt."""
    named = ("limit", "seed", "temperature", "max_tokens", "base_url")
    given = [f"{name} {getattr(asked, name)}" for name in named if getattr(asked, name) is not None]
    given += [name for name in ("no_schema", "fold_system") if getattr(asked, name)]
    if asked.repeats > 1:
        given.append(f"repeats {asked.repeats}, {asked.aggregate}")
    return ", ".join(given) or "none"
