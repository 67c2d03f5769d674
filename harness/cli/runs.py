"""`harness runs`: list, show, rm."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli.options import Json, Root, RunName, argument, option, project_at
from harness.cli.output import print_json, say, show, shown_path
from harness.cli.policy_options import named
from harness.errors import BadInput, Fault, refuse_faults
from harness.storage.project import Project, likeliest

if TYPE_CHECKING:
    from pathlib import Path

    from harness.runs.listing import ListedRun
    from harness.runs.manifest import Manifest
    from harness.score.reading import Reading


def list_runs(
    sort: Annotated[
        str, option("time, or kappa: comparable runs, by the lower limit of kappa's interval.")
    ] = "time",
    split: Annotated[str | None, option("Only runs over this: dev, test, dev+test, canaries.")] = None,
    policy: Annotated[str | None, named("Only runs under this policy, name or name@v1.")] = None,
    root: Root = None,
    json: Json = False,
) -> None:
    """Every run, the latest last; with --sort kappa the leaderboard of prompts, without canaries."""
    from harness.golden.splits import parse_splits
    from harness.report.runs import leaderboard_view, runs_view
    from harness.runs.leaderboard import leaderboard

    if sort not in ("time", "kappa"):
        raise BadInput(f"--sort {sort!r} is not one of: time, kappa")
    if split not in (None, "canaries"):
        try:
            split = "+".join(parse_splits(split))
        except BadInput:
            raise BadInput(f"--split {split!r} is not one of: dev, test, dev+test, canaries") from None
    project = project_at(root)
    known = _listed(project)
    _refuse_unknown(project, policy, [manifest for _, manifest in known])
    runs = [
        (run, manifest.asked)
        for run, manifest in known
        if split in (None, manifest.asked.part)
        and policy in (None, manifest.asked.policy, _name(manifest.asked.policy))
    ]
    rows = [_row(run) for run, _ in runs]
    if sort == "kappa":
        ranked = leaderboard([run for run, asked in runs if asked.kind.scored])
        rows = [{**_row(one.run), "group": one.group, "rank": one.rank, "apart": one.apart} for one in ranked]
    if json:
        print_json({"runs": rows})
    elif rows:
        show(leaderboard_view(rows) if sort == "kappa" else runs_view(rows))
    elif known:
        show(["no run matches"])
    else:
        show([f"no run yet; `{project.how_to('eval')}` makes one"])


def _refuse_unknown(project: Project, policy: str | None, known: "list[Manifest]") -> None:
    """BadInput for a policy that neither the project nor a run has."""
    from harness.policy.load import policy_names

    names = dict.fromkeys([*policy_names(project), *(_name(one.asked.policy) for one in known)])
    labels = {one.asked.policy for one in known}
    if policy is not None and policy not in labels and _name(policy) not in names:
        near = likeliest(policy, [*names, *labels])
        meant = f"; did you mean {near}?" if near else ""
        there = ", ".join(sorted(names)) or "none"
        raise BadInput(f"--policy {policy}: no such policy{meant} (there are: {there})")


def _name(label: str) -> str:
    return label.partition("@")[0]


def _listed(project: Project) -> "list[tuple[ListedRun, Manifest]]":
    """Every run; reports folders that cannot be read, and leaves them out."""
    from harness.runs.listing import Listing, read_line

    found = []
    for run in Listing(project).runs():
        if run.state == "unscored" and _scored(project.runs / run.name):
            run = read_line(project.runs / run.name)
        if run.faults:
            say(f"left out: {run.faults[0]}")
        elif run.manifest:
            found.append((run, run.manifest))
    return found


def _scored(folder: "Path") -> bool:
    """Score a finished run without a scorecard; whether that worked."""
    from harness.verdicts.assessment import assess_folder, save_assessment

    try:
        save_assessment(assess_folder(folder))
    except (BadInput, OSError) as error:
        say(f"not scored: {error}")
        return False
    return True


def _row(run: "ListedRun") -> dict[str, Any]:
    manifest, score = run.manifest, run.headline
    assert manifest is not None, "damaged runs are left out"
    asked = manifest.asked
    return {
        "run": run.name,
        "model": asked.model,
        "rater": asked.rater,
        "prompt": asked.prompt,
        "prompted": not manifest.unprompted,
        "policy": asked.policy,
        "split": asked.part,
        "n": score.n if score else manifest.examples,
        "kappa_n": score.gated_kappa.n if score and not run.canaries else None,
        "coverage": score.coverage if score else None,
        "gated": score.gated if score else None,
        "kappa": run.kappa,
        "ci": run.ci,
        "band": score.band if score and not run.canaries else None,
        "verdict": run.verdict,
        "begun": manifest.created_at,
        "finished": manifest.finished_at is not None,
        "mixed": run.mixed,
    }


def show_run(run: RunName = "latest", root: Root = None, json: Json = False) -> None:
    """What one run was: model, prompt, policy, digests, versions, and what it cost."""
    from harness.report.money import spending_view
    from harness.report.runs import manifest_view
    from harness.runs.folder import find_run
    from harness.runs.manifest import load_manifest
    from harness.verdicts.assessment import mixed_answers

    folder = find_run(project_at(root), run)
    manifest = load_manifest(folder)
    reading = _reading(folder)
    if json:
        spent = reading.spending.model_dump(mode="json") if reading else None
        more = {"spending": spent, "addresses": reading and dict(reading.addresses)}
        print_json({**manifest.model_dump(mode="json"), **more})
        return
    show(manifest_view(manifest, folder))
    if reading:
        show(spending_view(reading.spending))
        show(f"Warning: {warning}." for warning in mixed_answers(reading))


def _reading(folder: "Path") -> "Reading | None":
    """What the records of a run say; reports why and returns None if they cannot be read."""
    from harness.runs.folder import open_run
    from harness.score.reading import read_run

    try:
        return read_run(open_run(folder))
    except BadInput as error:
        say(f"its cost is unknown: {error.faults[0]}")
        return None


def remove_runs(
    runs: Annotated[
        list[str], argument("Runs, also those in runs/pairs/: name, its beginning, latest.", metavar="RUN...")
    ],
    yes: Annotated[bool, option("Remove without asking.", "--yes", "-y")] = False,
    force: Annotated[bool, option("Remove a run that is a baseline, too.", "--force")] = False,
    root: Root = None,
    json: Json = False,
) -> None:
    """Delete runs with all their answers.

    Baselines made of them and kept replies stay.
    """
    from harness.runs.remove import remove_run

    project = project_at(root)
    folders = _to_remove(project, runs, force=force)
    names = [f"pairs/{one.name}" if one.parent.name == "pairs" else one.name for one in folders]
    if not yes and not _agreed(names):
        say("nothing was removed")
        return
    for folder in folders:
        remove_run(folder)
    if json:
        print_json({"removed": names})
    else:
        show(f"removed: {name}" for name in names)


def _to_remove(project: Project, runs: list[str], *, force: bool) -> "list[Path]":
    """The folders, each once. BadInput names every one that cannot be removed."""
    from harness.comparison.baseline import load_baseline
    from harness.runs.folder import BASELINES
    from harness.runs.remove import find_removable

    paths = () if force else sorted((project.runs / BASELINES).glob("*.json"))
    baselines = {load_baseline(path).run: shown_path(path) for path in paths}
    found: dict[Path, None] = {}
    faults: list[Fault] = []
    for text in runs:
        try:
            folder = find_removable(project, text)
        except BadInput as error:
            faults += error.faults
            continue
        if folder.name in baselines:
            what = f"the baseline {baselines[folder.name]} was made of it; add --force (the baseline stays)"
            faults.append(Fault(folder.name, what))
        found[folder] = None
    refuse_faults(faults)
    return list(found)


def _agreed(names: list[str]) -> bool:
    """Ask the user whether to remove them."""
    for name in names:
        say(f"  {name}")
    try:
        return typer.confirm(
            f"Delete {'this run' if len(names) == 1 else f'these {len(names):,} runs'}?", err=True
        )
    except typer.Abort:
        raise BadInput("nothing was removed: no answer; add --yes to remove without asking") from None
