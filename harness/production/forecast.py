"""--dry-run: what labelling would cost, and how long it would take, for these pairs and for many more."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from harness.errors import BadInput
from harness.grading.forecast import forecast
from harness.grading.job import Question
from harness.grading.plan import make_plan
from harness.pricing.prices import price_of
from harness.production.cascade import Cascade
from harness.production.intake import take_in
from harness.production.label import (
    LabelRequest,
    cascade_of,
    checks_of,
    proof_of,
)
from harness.production.pairs import files_of
from harness.production.set_folder import begun_before
from harness.production.store import STORE, AnswerStore
from harness.providers import sold_as
from harness.scorecards.label_forecast import CascadeForecast, LabelForecast, MonthOfPairs
from harness.scorecards.money import Forecast, Prices, Span
from harness.storage.project import Project

MONTHS = tuple(10**power for power in range(3, 10))
"""Distinct pairs a month, from a thousand to a billion."""


def foresee_labels(
    project: Project, request: LabelRequest, rpm: int | None = None, tpm: int | None = None
) -> LabelForecast:
    """The forecast of a labelling. Checks every row; makes no call, and writes nothing that stays."""
    files = [file for text in request.pairs for file in files_of(text)]
    plan = make_plan(project, request.asked)
    cascade = cascade_of(project, request, plan)
    before = begun_before(request.folder, plan, cascade) if request.folder else None
    price = price_of(project, plan.asked.model, plan.asked.base_url, sold_as)
    warnings = []
    try:
        proof = proof_of(project, plan, cascade, unproven=False)
    except BadInput as error:
        proof = None
        warnings += [fault.kind or fault.what for fault in error.faults]
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="harness-")))
        store = stack.enter_context(AnswerStore(scratch / STORE))
        take_in(store, files, request.input, checks_of(plan))
        there = None
        if before and request.folder:
            there = stack.enter_context(AnswerStore(request.folder / STORE, look=True))
        answered = _Answered(store, there, cascade)
        found = forecast(plan, price, answered.left())
        share = 1 - answered.kept / store.pairs if store.pairs else 1.0
        return LabelForecast(
            rows=store.rows,
            distinct=store.pairs,
            answered=answered.count,
            shot_query=store.shot_queries(),
            proven=proof.run if proof else None,
            forecast=found,
            rpm=rpm,
            tpm=tpm,
            cascade=CascadeForecast(student=cascade.used.student, kept=answered.kept, sent=share)
            if cascade
            else None,
            table=tuple(_month(found, pairs, share, rpm, tpm) for pairs in MONTHS) if found.requests else (),
            warnings=tuple(warnings),
        )


class _Answered:
    """Counts the pairs that another store has an answer to, while it iterates over the others.

    `kept`: those that a cascade leaves to its student, answered or not.
    """

    def __init__(self, store: AnswerStore, there: AnswerStore | None, cascade: Cascade | None) -> None:
        self._store, self._there, self._cascade = store, there, cascade
        self.count = self.kept = 0

    def left(self) -> Iterator[Question]:
        """The pairs without an answer; the teacher would be asked about them."""
        for one in self._store:
            kept = self._cascade is not None and self._cascade.answers([one]) != [None]
            self.kept += kept
            if self._there and self._there.has_answer_to(one.pair.digest):
                self.count += 1
            elif not kept:
                yield one, 0


def _month(found: Forecast, pairs: int, sent: float, rpm: int | None, tpm: int | None) -> MonthOfPairs:
    """The forecast of other pairs like these, of which this share is sent to the teacher."""
    requests = pairs * sent
    factor = requests / found.requests
    tokens = Span(
        low=factor * (found.input_tokens.low + found.output_tokens.low),
        high=factor * (found.input_tokens.high + found.output_tokens.high),
    )
    least = {"rpm": requests / rpm / 60} if rpm else {}
    most = dict(least)
    if tpm:
        least["tpm"], most["tpm"] = tokens.low / tpm / 60, tokens.high / tpm / 60
    bound = max(most, key=lambda name: most[name]) if most else None
    hours = Span(low=max(least.values()), high=max(most.values())) if most else None
    cost = {name: _scaled(getattr(found.cost, name), factor) for name in Prices.model_fields}
    return MonthOfPairs(pairs=pairs, cost=Prices(**cost), hours=hours, bound_by=bound)


def _scaled(span: Span | None, factor: float) -> Span | None:
    return None if span is None else Span(low=span.low * factor, high=span.high * factor)
