"""Reports as pages of the viewer: rendered from the run folder when asked for, and kept as long as it is as it was."""

from collections import OrderedDict
from threading import Lock

from harness.files import stamp_of
from harness.journal import RECORDS
from harness.project import Project
from harness.report.page.document import report_page
from harness.runs import MANIFEST, load_run

KEPT = 8
"""Reports kept in memory: one of 20,000 pairs takes tens of megabytes."""


class Reports:
    """The reports of a project's runs."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._pages: OrderedDict[tuple[object, ...], str] = OrderedDict()
        self._lock = Lock()

    def page(self, name: str, base: str | None = None) -> str:
        """The report of a run, against another where one is named. BadInput for a run that is damaged."""
        folders = [self._project.runs / one for one in (name, base) if one]
        key = (name, base, *(stamp_of(folder / file) for folder in folders for file in (MANIFEST, RECORDS)))
        with self._lock:
            if key not in self._pages:
                run, *before = (load_run(folder) for folder in folders)
                self._pages[key] = report_page(run, base=before[0] if before else None)
            self._pages.move_to_end(key)
            while len(self._pages) > KEPT:
                self._pages.popitem(last=False)
            return self._pages[key]
