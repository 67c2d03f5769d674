"""The viewer's routes. They answer only GET; a name in an address is looked up among the known names."""

from collections.abc import Callable
from functools import partial

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from harness.comparison.ranking import rank_sides
from harness.comparison.sides import side_of_run
from harness.errors import BadInput
from harness.report.comparison import ranking_warnings
from harness.report.page.words import axis_low
from harness.report.runs import manifest_facts
from harness.runs.folder import open_run
from harness.runs.label_listing import find_labels, listed_labels
from harness.runs.listing import ListedRun, Listing
from harness.score.reading import read_run
from harness.storage.project import Project
from harness.web.guard import LOCAL, is_here
from harness.web.label_sets import labels_page_of
from harness.web.pages import page, trouble
from harness.web.progress import Counter, RunProgress
from harness.web.rating.lead import Lead
from harness.web.rating.listing import Desks, rounds_shown
from harness.web.rating.routes import RatingPages
from harness.web.reports import Reports, against
from harness.web.table import chosen, read_query, table_of
from harness.web.trend import HEIGHT, pictures
from harness.web.troubles import Troubles, static_file
from harness.web.versions import VersionDiff, policies_beside, policies_of, prompts_beside, prompts_of

REPORT_HEADERS = {"Content-Security-Policy": "frame-ancestors 'none'"}
"""A report has its own content policy, which names its style and scripts by their digests."""
DAMAGED_RUN = {"what": "The run folder is damaged, so the run cannot be scored.", "back": "To the runs"}
DAMAGED_LABELS = {"what": "The label set is damaged, and is not shown.", "back": "To the label sets"}
TROUBLES = Troubles(
    "viewer",
    ("The viewer is read-only", "{method} is not allowed: the viewer is read-only."),
    "The viewer answers to addresses and to localhost; `harness view --host NAME` adds a name.",
    trouble,
)


class Viewer:
    """The pages over one project."""

    def __init__(self, project: Project, desks: Desks | None = None) -> None:
        self._project, self._desks = project, desks
        self._listing = Listing(project)
        self._reports = Reports(project)
        self._counters: dict[str, Counter] = {}

    def routes(self) -> list[Route]:
        """The routes."""
        return [
            Route("/", self.runs),
            Route("/trend", self.trend),
            Route("/compare", self.compare),
            Route("/versions", self.versions),
            Route("/labels", self.label_sets),
            Route("/labels/{name}", self.labels),
            Route("/rating", self.rating),
            Route("/policies/{name}", partial(self.beside, "policy", policies_beside)),
            Route("/prompts/{name}", partial(self.beside, "prompt", prompts_beside)),
            Route("/runs/{name}", self.run),
            Route("/runs/{name}/report", self.report),
            Route("/runs/{name}/progress.json", self.progress),
            Route("/static/{name}", static_file),
        ]

    def runs(self, request: Request) -> Response:
        """The table of runs."""
        query = read_query(request.query_params.multi_items())
        runs = self._listing.runs()
        known = {run.name for run in runs}
        going = {run.name: self._progress(run) for run in runs if run.state in ("going", "stopped")}
        table = table_of(runs, query)
        values = {
            "table": table,
            "low": axis_low((run.kappa, run.ci) for run in table.runs),
            "going": going,
            "ticked": [name for name in query.ticked if name in known],
            "root": self._project.root.name,
            "how": self._project.how_to("eval"),
            "costs": any(run.cost is not None for run in runs),
        }
        return page("runs.html.j2", values, "/")

    def trend(self, request: Request) -> Response:
        """Kappa over time."""
        query = read_query(request.query_params.multi_items())
        runs = self._listing.runs()
        drawn = pictures(chosen(runs, query))
        values = {"table": table_of(runs, query), "pictures": drawn, "height": HEIGHT}
        return page("trend.html.j2", values, "/trend")

    def run(self, request: Request) -> Response:
        """One run: its report or, while it is not finished, its progress."""
        run = self._known(request.path_params["name"])
        if run.state not in ("going", "stopped") or run.manifest is None:
            return self.report(request)
        facts = manifest_facts(run.manifest, self._project.runs / run.name)
        return page("run.html.j2", {"run": run, "progress": self._progress(run), "facts": facts}, "/")

    def report(self, request: Request) -> Response:
        """A run's report, compared with another run if `base` names one; an error page for a damaged run."""
        run, base = self._known(request.path_params["name"]), request.query_params.get("base") or None
        if base is not None:
            self._known(base)
        shown = self._reports.page(run.name, base)
        if shown is None:
            try:
                loaded = self._reports.load(run.name, base)
            except BadInput as error:
                return page("damaged.html.j2", {**DAMAGED_RUN, "name": run.name, "faults": error.faults}, "/")
            shown = self._reports.make(loaded)
        return HTMLResponse(shown, headers=REPORT_HEADERS)

    def progress(self, request: Request) -> Response:
        """A run's progress as JSON, for a page that polls."""
        run = self._known(request.path_params["name"])
        if run.manifest is None or run.state == "damaged":
            raise HTTPException(404, f"{run.name} is damaged: nothing can be counted")
        return JSONResponse(self._progress(run).data())

    def compare(self, request: Request) -> Response:
        """Two runs: the report of the newer one against the older. Several: a table against the first."""
        names = sorted(set(request.query_params.getlist("run")))
        if len(names) < 2:
            raise BadInput("tick two runs or more in the table: the oldest one is the base")
        for name in names:
            self._known(name)
        if len(names) == 2:
            return RedirectResponse(against(names[1], names[0]), status_code=303)
        sides = [side_of_run(read_run(open_run(self._project.runs / name))) for name in names]
        links = [against(name, names[0]) for name in names[1:]]
        ranking = rank_sides(sides)
        values = {"ranking": ranking, "names": names, "links": links, "warnings": ranking_warnings(ranking)}
        return page("ranking.html.j2", values, "/")

    def label_sets(self, request: Request) -> Response:
        """Every label set in the project's folder for them."""
        folder = self._project.labels
        values = {"sets": listed_labels(self._project), "folder": f"{folder.parent.name}/{folder.name}"}
        return page("label-sets.html.j2", values, "/labels")

    def labels(self, request: Request) -> Response:
        """A label set: its summary, or a note that it is not finished; an error page for a damaged one."""
        name = request.path_params["name"]
        one = find_labels(self._project, name)
        if one is None:
            raise HTTPException(404, f"there is no label set {name!r} in {self._project.labels}")
        faults = one.faults
        if not faults:
            try:
                return HTMLResponse(labels_page_of(self._project, one), headers=REPORT_HEADERS)
            except BadInput as error:
                faults = tuple(map(str, error.faults))
        return page("damaged.html.j2", {**DAMAGED_LABELS, "name": name, "faults": faults}, "/labels")

    def rating(self, request: Request) -> Response:
        """Every round of rating with its progress and, on this machine, a link for each rater."""
        # Whoever has a rater's link rates as that rater.
        desks = self._desks if is_here(request) else None
        values = {"rounds": list(rounds_shown(self._project, desks)), "here_alone": desks}
        return page("rounds.html.j2", values, "/rating")

    def versions(self, request: Request) -> Response:
        """Every policy and prompt with its versions."""
        values = {"policies": policies_of(self._project), "prompts": prompts_of(self._project)}
        return page("versions.html.j2", values, "/versions")

    def beside(self, kind: str, of: Callable[..., VersionDiff | None], request: Request) -> Response:
        """Two versions of a policy or a prompt side by side."""
        given = request.query_params
        everything = bool(given.get("all"))
        asked = request.path_params["name"], given.get("old", ""), given.get("new", "")
        found = of(self._project, *asked, everything=everything)
        if found is None:
            raise HTTPException(404, f"the {kind} or one of these versions does not exist")
        return page("beside.html.j2", {"found": found, "kind": kind, "everything": everything}, "/versions")

    def _known(self, name: str) -> ListedRun:
        run = self._listing.run(name)
        if run is None:
            raise HTTPException(404, f"there is no run {name!r} in {self._project.runs}")
        return run

    def _progress(self, run: ListedRun) -> RunProgress:
        counter = self._counters.setdefault(run.name, Counter(self._project.runs / run.name))
        return counter.count(run)


def create_app(project: Project, names: frozenset[str] = LOCAL, *, rate: bool = False) -> ASGIApp:
    """The viewer of a project. `names`: the host names, besides IP addresses, that requests may use.

    `rate`: with the pages of raters and of their lead. For a viewer that this machine alone can reach.
    """
    desks = Desks(project) if rate else None
    rating = [*RatingPages(desks.open).routes(), *Lead(project).routes()] if desks else []
    return TROUBLES.app([*Viewer(project, desks).routes(), *rating], names)
