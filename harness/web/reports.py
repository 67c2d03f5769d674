"""Reports as pages of the viewer: rendered on request, cached until their runs change."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from threading import Lock

from harness.report.page.data import report_data
from harness.report.page.environment import render_page
from harness.report.page.write import SCRIPTS
from harness.runs.folder import Run, open_run
from harness.runs.manifest import MANIFEST, Asked
from harness.runs.record_log import segments
from harness.score.reading import Reading, read_run
from harness.storage.files import stamp_of
from harness.storage.project import Project, split_label
from harness.verdicts.assessment import Assessment, assess_folder
from harness.web.pages import templates
from harness.web.words import address, segment

KEPT = 4
"""The number of cached reports: one of 20,000 pairs takes tens of megabytes."""
Loaded = tuple[Assessment, Reading | None]


class Reports:
    """The reports of a project's runs, alone or against another run."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._pages: OrderedDict[tuple[object, ...], bytes] = OrderedDict()
        self._lock = Lock()

    def load(self, name: str, base: str | None) -> Loaded:
        """The runs of a report. BadInput for a damaged one."""
        runs = self._project.runs
        return assess_folder(runs / name), read_run(open_run(runs / base)) if base else None

    def page(self, name: str, base: str | None = None) -> bytes | None:
        """The cached report; None if its runs have changed since."""
        with self._lock:
            return self._pages.get(self._key(name, base))

    def make(self, loaded: Loaded) -> bytes:
        """The report of these runs. BadInput if they cannot be compared."""
        found, base = loaded
        key = self._key(found.run.folder.name, base.run.folder.name if base else None)
        values = report_data(found, base) | {"ways": list(_ways(found.run, base.run if base else None))}
        text = render_page("shown.html.j2", values, SCRIPTS, within=templates())
        with self._lock:
            self._pages[key] = text.encode("utf-8", "replace")
            while len(self._pages) > KEPT:
                self._pages.popitem(last=False)
            return self._pages[key]

    def _key(self, name: str, base: str | None) -> tuple[object, ...]:
        folders = [self._project.runs / one for one in (name, base) if one]
        return (
            name,
            base,
            *(stamp_of(path) for folder in folders for path in (folder / MANIFEST, *segments(folder))),
        )


def against(candidate: str, base: str) -> str:
    """The address of the comparison of a candidate with a base."""
    return address(f"/runs/{segment(candidate)}/report", base=base) + "#moved"


def _ways(run: Run, base: Run | None) -> Iterator[tuple[str, str]]:
    """The links of a comparison page."""
    if base is None:
        return
    yield "The candidate alone", f"/runs/{segment(run.folder.name)}"
    yield "The base alone", f"/runs/{segment(base.folder.name)}"
    yield "Change sides", against(base.folder.name, run.folder.name)
    yield from _side_by_side(base.manifest.asked, run.manifest.asked)


def _side_by_side(base: Asked, candidate: Asked) -> Iterator[tuple[str, str]]:
    """A link to the two versions of a prompt or policy, if the runs used two versions."""
    labels: Sequence[tuple[str, str, str]] = (
        ("prompts", base.prompt, candidate.prompt),
        ("policies", base.policy, candidate.policy),
    )
    for kind, before, after in labels:
        (name, old), (twin, new) = split_label(before), split_label(after)
        if name == twin and old != new:
            yield f"The {kind} side by side", address(f"/{kind}/{segment(name)}", old=old, new=new)
