"""The viewer's page of rounds: how far each is, and on this machine a link to rate as one of its raters."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass

from harness.errors import BadInput
from harness.golden.rating.progress import RoundProgress, progress_of
from harness.golden.rating.rounds import OpenRound, open_round, rounds_of
from harness.storage.project import Project, folder_names
from harness.web.rating.desk import Desk


@dataclass(frozen=True)
class ShownRound:
    """A round with its progress, or with what is wrong with its folder. `links`: rater and address."""

    policy: str
    name: str
    progress: RoundProgress | None
    links: dict[str, str]
    faults: tuple[str, ...] = ()


class Desks:
    """The rounds of a project that somebody rates through the viewer, each opened when it is first shown."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._desks: dict[tuple[str, str], tuple[Desk, dict[str, str]]] = {}
        self._alone = threading.Lock()

    def open(self) -> tuple[Desk, ...]:
        """The rounds that are open."""
        with self._alone:
            return tuple(desk for desk, _ in self._desks.values())

    def links(self, opened: OpenRound) -> dict[str, str]:
        """The address of each rater of a round, valid until the viewer stops."""
        key = opened.round.policy, opened.round.name
        with self._alone:
            if key not in self._desks:
                desk = Desk(self._project, opened)
                raters = opened.round.raters
                self._desks[key] = desk, {rater: f"/rate/{desk.session(rater)}" for rater in raters}
            return self._desks[key][1]


def rounds_shown(project: Project, desks: Desks | None) -> Iterator[ShownRound]:
    """Every round of every policy, the latest of a policy first. Without desks there are no links."""
    for policy in folder_names(project.golden):
        try:
            names = rounds_of(project, policy)
        except BadInput as error:
            yield ShownRound(policy, "", None, {}, tuple(map(str, error.faults)))
            continue
        for name in reversed(names):
            yield _shown(project, policy, name, desks)


def _shown(project: Project, policy: str, name: str, desks: Desks | None) -> ShownRound:
    try:
        opened = open_round(project, policy, name)
        links = desks.links(opened) if desks else {}
        return ShownRound(policy, name, progress_of(opened), links)
    except BadInput as error:
        return ShownRound(policy, name, None, {}, tuple(map(str, error.faults)))
