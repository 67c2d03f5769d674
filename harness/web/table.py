"""The table of runs: filter, sort, split into pages."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.errors import BadInput
from harness.runs.leaderboard import Ranked, leaderboard
from harness.runs.listing import ListedRun

PAGE = 1000
"""Runs on one page."""
FILTERS = ("policy", "prompt", "model", "split")

_ASKED: Mapping[str, Callable[[ListedRun], Any]] = {
    "policy": lambda run: run.manifest and run.manifest.asked.policy,
    "prompt": lambda run: run.manifest and run.manifest.asked.prompt,
    "model": lambda run: run.manifest and run.manifest.graded_by,
    "split": lambda run: run.manifest and run.manifest.asked.part,
}
COLUMNS: Mapping[str, Callable[[ListedRun], Any]] = {
    "begun": lambda run: run.name,
    **_ASKED,
    "kappa": lambda run: run.kappa,
    "verdict": lambda run: run.verdict,
    "pairs": lambda run: run.headline and run.headline.n,
    "coverage": lambda run: run.headline and run.headline.coverage,
    "cost": lambda run: run.cost,
}
"""The sort keys."""


@dataclass(frozen=True, slots=True)
class Query:
    """The query in the address. `sort`: a column. `down`: highest first."""

    wanted: Mapping[str, str]
    text: str = ""
    sort: str = "begun"
    down: bool = True
    page: int = 1
    ticked: tuple[str, ...] = ()

    @property
    def asks(self) -> bool:
        """Whether it filters runs."""
        return bool(self.wanted or self.text)


@dataclass(frozen=True, slots=True)
class RunsPage:
    """One page of the runs that match. `choices`: each filter's values, with the number of runs.

    `ranks`: sorted by kappa, each run's place among comparable runs, or why it has none.
    """

    query: Query
    runs: Sequence[ListedRun]
    found: int
    known: int
    pages: int
    choices: Mapping[str, Mapping[str, int]]
    ranks: Mapping[str, Ranked]


def read_query(pairs: Sequence[tuple[str, str]]) -> Query:
    """The address's parameters; the last of several counts. BadInput for an unknown column or page."""
    given = {name: value.strip() for name, value in pairs}
    sort = given.get("sort", "") or "-begun"
    column, down = sort.removeprefix("-"), sort.startswith("-")
    if column not in COLUMNS:
        raise BadInput(f"sort={sort}: unknown column; there are: {', '.join(COLUMNS)}")
    page = given.get("page", "") or "1"
    if not (page.isascii() and page.isdigit() and int(page)):
        raise BadInput(f"page={page}: expected a number from 1")
    return Query(
        wanted={name: given[name] for name in FILTERS if given.get(name)},
        text=given.get("q", ""),
        sort=column,
        down=down,
        page=int(page),
        ticked=tuple(dict.fromkeys(value for name, value in pairs if name == "run")),
    )


def chosen(runs: Sequence[ListedRun], query: Query) -> list[ListedRun]:
    """The runs that match a query; a policy or prompt without a version matches all its versions."""
    return [run for run in runs if _fits(run, query)]


def _fits(run: ListedRun, query: Query) -> bool:
    for name, wanted in query.wanted.items():
        value = _ASKED[name](run) or ""
        if wanted not in (value, value.partition("@")[0]):
            return False
    return query.text.casefold() in run.name.casefold()


def table_of(runs: Sequence[ListedRun], query: Query) -> RunsPage:
    """The requested page. Runs without a value in the sort column come last in both directions.

    By kappa only comparable runs are ranked, group by group, by the lower limit of the interval.
    """
    found = chosen(runs, query)
    board = leaderboard(found) if query.sort == "kappa" else []
    if board and not query.down:
        board.sort(key=lambda one: (one.group is None, one.group or 0, -(one.rank or 0)))
    rows = [one.run for one in board] or _sorted(found, query)
    pages = max(-(-len(rows) // PAGE), 1)
    at = min(query.page, pages)
    return RunsPage(
        query=query,
        runs=rows[(at - 1) * PAGE : at * PAGE],
        found=len(rows),
        known=len(runs),
        pages=pages,
        choices={name: _choices(runs, name) for name in FILTERS},
        ranks={one.run.name: one for one in board},
    )


def _sorted(found: Sequence[ListedRun], query: Query) -> list[ListedRun]:
    key = COLUMNS[query.sort]
    valued = [run for run in found if key(run) is not None]
    valued.sort(key=lambda run: (key(run), run.name), reverse=query.down)
    return [*valued, *(run for run in found if key(run) is None)]


def _choices(runs: Sequence[ListedRun], name: str) -> dict[str, int]:
    """Every value of a filter with its number of runs; for a versioned name, also all versions together."""
    counts: dict[str, int] = {}
    for run in runs:
        value = _ASKED[name](run)
        if value:
            for one in {value, value.partition("@")[0]} if name in ("policy", "prompt") else {value}:
                counts[one] = counts.get(one, 0) + 1
    return dict(sorted(counts.items()))
