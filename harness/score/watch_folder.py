"""A watch from its folder."""

from pathlib import Path

from harness.runs.watch_folder import load_settings
from harness.score.watch import Settings, WatchHead, watched
from harness.score.watch_history import checked_history
from harness.scorecards.watch import Watch


def watch_of(folder: Path) -> Watch:
    """The verdict over a watch. BadInput if its history contradicts its runs."""
    settings = load_settings(folder)
    found = checked_history(folder, settings)
    asked = settings.asked
    about = WatchHead(str(folder), f"{asked.model} with {asked.prompt}", asked.policy, found.remarks)
    limits = Settings(settings.alpha, settings.delta, settings.weighting)
    return watched(about, settings.scale, limits, found.looks, found.days, found.traffic)
