"""The author's pages: the list of disputes, one dispute at a time, and what adjudication says.

An app of its own on loopback: neither the viewer nor the raters' server has these routes, since they show
what raters said.
"""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from harness.errors import BadInput, refuse_faults
from harness.golden.rating.adjudicated import sum_up
from harness.golden.rating.adjudications import CAUSES, Adjudication, cause_words
from harness.golden.rating.deciding import Decision, Overtaken, decide
from harness.golden.rating.disputes import Dispute
from harness.storage.files import build
from harness.web.forms import form
from harness.web.guard import LOCAL
from harness.web.pages import NavLink, page
from harness.web.rating.disputes import Disputes, State
from harness.web.troubles import Troubles, static_file

WAYS = (NavLink("/", "Disputes"), NavLink("/summary", "What they say"))
FOOT = "Decisions go into adjudications.jsonl and the golden set on this machine. Nothing leaves it."
SHOWN = {"all": "All", "open": "Open", "look": "Second look", "decided": "Decided"}
KEYS = {"policy_gap": "g", "ambiguous_result": "a", "raters_slip": "s", "edge_case": "e"}


class Adjudicating:
    """The pages over the disputes of one policy version."""

    def __init__(self, disputes: Disputes) -> None:
        self._disputes = disputes

    def routes(self) -> list[Route]:
        """The routes."""
        return [
            Route("/", self.listed),
            Route("/summary", self.summary),
            Route("/disputes/{code}", self.dispute),
            form("/disputes/{code}/decision", self.decide),
            Route("/static/{name}", static_file),
        ]

    def listed(self, request: Request) -> Response:
        """Every dispute, the most important first."""
        state = self._disputes.state()
        rows = [self._disputes.row(one) for one in state.disputes]
        asked = request.query_params.get("show", "all")
        counts = {name: sum(row["status"] == name for row in rows) for name in SHOWN} | {"all": len(rows)}
        values = {
            "policy": state.policy,
            "rows": [row for row in rows if asked in ("all", row["status"])],
            "production": self._disputes.opened is not None,
            "show": asked if asked in SHOWN else "all",
            "names": SHOWN,
            "counts": counts,
            "first": next((row["code"] for row in rows if row["status"] != "decided"), None),
        }
        return _page("adjudicate-list.html.j2", values, "/")

    def summary(self, request: Request) -> Response:
        """What adjudication says about the policy."""
        state = self._disputes.state()
        summary = sum_up(state.policy, state.disputes)
        values = {"policy": state.policy, "summary": summary, "causes": cause_words()}
        values["production"] = self._disputes.opened is not None
        return _page("adjudicate-summary.html.j2", values, "/summary")

    def dispute(self, request: Request) -> Response:
        """One dispute, with the form that decides it."""
        state = self._disputes.state()
        dispute = _known(state, request.path_params["code"])
        at = state.place[dispute.code]
        saved = state.place.get(request.query_params.get("saved", ""))
        values = {
            "policy": state.shown,
            "one": self._disputes.detail(state.shown, dispute),
            "number": at + 1,
            "count": len(state.disputes),
            "production": self._disputes.opened is not None,
            "left": sum(self._disputes.status(one) != "decided" for one in state.disputes),
            "before": state.disputes[at - 1].code if at else None,
            "after": state.disputes[at + 1].code if at + 1 < len(state.disputes) else None,
            "next": self._next(state, at),
            "saved": None if saved is None else self._disputes.row(state.disputes[saved]),
            "causes": CAUSES,
            "keys": KEYS,
            "teacher": self._disputes.teacher is not None,
        }
        return _page("adjudicate.html.j2", values, "")

    def decide(self, request: Request, data: Any) -> Response:
        """Take a decision. The answer comes when it is on disk."""
        state = self._disputes.state()
        dispute = _known(state, request.path_params["code"])
        said, faults = build(Decision, data, "the decision")
        refuse_faults(faults)
        assert said is not None, "it has no faults"
        item = dispute.example.id
        by = self._disputes.author(state.policy, item, datetime.now(UTC).isoformat(timespec="seconds"))
        try:
            made = decide(self._disputes.project, state.policy, item, said, by, self._disputes.opened)
        except Overtaken as error:
            faults_said = list(map(str, error.faults))
            now = _told(error.now) if error.now else None
            return JSONResponse({"error": faults_said[0], "faults": faults_said, "now": now}, 409)
        except BadInput as error:
            # An id of the golden set can hint at its grade.
            shown = [replace(one, where="") if one.where == item else one for one in error.faults]
            raise BadInput(shown) from None
        state = self._disputes.state()
        look = self._disputes.looks_again(_known(state, dispute.code))
        following = self._next(state, state.place[dispute.code])
        return JSONResponse({"decision": _told(made), "second_look": look, "next": following})

    def _next(self, state: State, at: int) -> str | None:
        """The next dispute that is to be decided or looked at again; from the top after the last."""
        order = [*state.disputes[at + 1 :], *state.disputes[:at]]
        return next((one.code for one in order if self._disputes.status(one) != "decided"), None)


def adjudicate_app(disputes: Disputes) -> ASGIApp:
    """The author's pages, for requests to this machine alone."""
    return TROUBLES.app(Adjudicating(disputes).routes(), LOCAL)


def _known(state: State, code: str) -> Dispute:
    if code not in state.place:
        raise HTTPException(404, "there is no such dispute; the pair may not be in dispute any more")
    return state.disputes[state.place[code]]


def _told(decision: Adjudication) -> dict[str, Any]:
    """A decision for the page's script."""
    cause = CAUSES[decision.cause] if decision.cause else ""
    return {"key": decision.key, "grade": decision.grade, "cause": cause, "at": decision.at}


def _page(template: str, values: dict[str, Any], here: str, status: int = 200) -> HTMLResponse:
    return page(template, {**values, "ways": WAYS, "foot": FOOT, "home": "To the disputes"}, here, status)


def _trouble(status: int, title: str, lines: tuple[str, ...]) -> HTMLResponse:
    return _page("trouble.html.j2", {"title": title, "lines": lines}, "", status)


TROUBLES = Troubles(
    "server",
    ("This page cannot do that", "Method Not Allowed"),
    "These pages answer to addresses of this machine and to localhost.",
    _trouble,
)
