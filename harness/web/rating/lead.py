"""The lead's page: the live Gate 1 of a round.

Never on the raters' server, and for this machine alone.
"""

import hashlib
from pathlib import Path
from threading import Lock
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from harness.golden.rating.rounds import rounds_of
from harness.report.gate1 import CAUSES
from harness.report.live_gate1 import (
    BLIND,
    given,
    pace_lines,
    progress_words,
    rater_state,
    state_lines,
)
from harness.report.page.data import gate1_data, kappa_tracks
from harness.report.page.words import axis_low
from harness.score.few import few_names
from harness.scorecards.live_gate1 import LiveGate1
from harness.storage.project import Project, folder_names
from harness.verdicts.live_gate1 import live_gate1_of
from harness.web.guard import is_here
from harness.web.pages import page

HERE, LIST = "/rounds", "/rating"
DISPUTES = 20
ELSEWHERE = "The rounds are shown on the machine that the viewer runs on, so that no rater sees them."


LiveShown = tuple[LiveGate1, str]
"""A round's live Gate 1, and a mark that changes with it."""


class Lead:
    """The lead's page over one project."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._lock = Lock()
        self._kept: dict[tuple[str, str], tuple[object, LiveShown]] = {}

    def routes(self) -> list[Route]:
        """The routes."""
        return [
            Route(f"{HERE}/{{policy}}/{{name}}", self.round),
            Route(f"{HERE}/{{policy}}/{{name}}/live.json", self.live),
        ]

    def round(self, request: Request) -> Response:
        """The live Gate 1 of a round."""
        score, stamp = self._shown(request)
        # A lead who also rates must not see the others' grades by following a link.
        shown = all(one.sealed_at for one in score.raters) or "agreement" in request.query_params
        return page("lead.html.j2", {**lead_data(score), "stamp": stamp, "shown": shown}, LIST)

    def live(self, request: Request) -> Response:
        """The progress, and whether anything changed, for a page that polls."""
        score, stamp = self._shown(request)
        told = {"given": score.given, "planned": score.planned, "complete": score.complete}
        return JSONResponse({**told, "said": progress_words(score), "stamp": stamp})

    def _shown(self, request: Request) -> LiveShown:
        """The live Gate 1; computed again when one of its files has changed."""
        # Raters may reach this server too, through a proxy or from another machine.
        if not is_here(request):
            raise HTTPException(403, ELSEWHERE)
        policy, name = request.path_params["policy"], request.path_params["name"]
        if policy not in folder_names(self._project.golden) or name not in rounds_of(self._project, policy):
            raise HTTPException(404, f"{policy} has no round {name!r}")
        golden, policies = self._project.golden / policy, self._project.policies / policy
        made_of = _state(golden / "rounds" / name), _state(golden), _state(policies)
        with self._lock:
            kept = self._kept.get((policy, name))
            if kept is None or kept[0] != made_of:
                score = live_gate1_of(self._project, policy, name)
                stamp = hashlib.sha256(score.model_dump_json().encode()).hexdigest()[:16]
                kept = self._kept[policy, name] = made_of, (score, stamp)
            return kept[1]


def _state(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """The files of a folder with their times and sizes; without SQLite's own, which readers touch."""
    if not folder.is_dir():
        return ()
    stats = [(path.name, path.stat()) for path in sorted(folder.iterdir()) if path.is_file()]
    return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats if not name.endswith("-shm"))


def lead_data(score: LiveGate1) -> dict[str, Any]:
    """The data of a round's page."""
    gate1 = score.gate1
    kappas = list(kappa_tracks(gate1)) if gate1 else []
    parts = (
        (("clause", gate1.per_clause), ("tag", gate1.per_tag), ("query", gate1.per_query)) if gate1 else ()
    )
    return {
        **gate1_data(gate1),
        "live": score,
        "said": progress_words(score),
        "lines": list(state_lines(score)),
        "pace_lines": list(pace_lines(score)),
        "blind": BLIND,
        "causes": CAUSES,
        "given": given,
        "state": rater_state,
        "names": few_names,
        "kappas": kappas,
        "lowest": axis_low((one.value, one.ci) for one in kappas),
        "bands": score.complete,
        "parts_shown": [(kind, [one for one in found if one.disputed][:10]) for kind, found in parts],
        "disputed": gate1.disputed[:DISPUTES] if gate1 else (),
    }
