"""A round's server without a socket, and answers as its page sends them."""

from typing import Any

from starlette.testclient import TestClient

from harness.golden.rating.answers import AnswerLog
from harness.golden.rating.links import invite
from harness.golden.rating.rounds import ANSWERS, OpenRound
from harness.storage.project import Project
from harness.web.rating.app import rating_app
from harness.web.rating.desk import Desk

HERE = "http://127.0.0.1:8766"
OWN = {"origin": HERE}


class Served:
    """A round's server without a socket, with a link for each rater."""

    def __init__(self, project: Project, opened: OpenRound, public: str | None = None) -> None:
        self.project, self.opened = project, opened
        self.desk = Desk(project, opened)
        self.links = {rater: f"/rate/{invite(opened.folder, rater)}" for rater in opened.round.raters}
        names = frozenset({"localhost", "rate.example.com"})
        self.client = TestClient(rating_app((self.desk,), names, public), base_url=HERE)

    def state(self, rater: str = "ann") -> Any:
        return self.client.get(f"{self.links[rater]}/state.json").json()

    def post(self, data: Any, rater: str = "ann", to: str = "answers", **headers: str) -> Any:
        address = f"{self.links[rater]}/{to}"
        return self.client.post(address, json=data, headers={**OWN, **headers})

    def stored(self, rater: str = "ann") -> dict[int, Any]:
        with AnswerLog(self.opened.folder / ANSWERS) as log:
            return {place: one.grade or one.cannot or one.kind for place, one in log.current(rater).items()}


def said(place: int, value: int = 1, event: str | None = None, **more: Any) -> dict[str, Any]:
    """A grade as the page sends it."""
    id_ = event or f"event-{place}-{value}"
    return {"event": id_, "place": place, "kind": "grade", "grade": value, "milliseconds": 900, **more}
