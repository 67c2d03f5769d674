"""Label sets -> their summary: grades, actions, coverage and cost, from the shards alone."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.errors import BadInput, Fault
from harness.nouns.policy import UNDECIDED, Policy
from harness.runs.label_manifest import LabelManifest
from harness.runs.labels import MOST_STRATA, SHARDS, LabelSet
from harness.runs.manifest import mixtures
from harness.scorecards.labels import (
    ActionShare,
    CascadeShares,
    GradeShare,
    LabelPart,
    LabelSpending,
    LabelSummary,
)
from harness.scorecards.shared import Outcomes
from harness.storage.plural import plural

GROUPED = ("stratum", "outcome", "cause", "grade", "shot_query")
TOKENS = ("input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens")
SPENT = (*TOKENS, "cost")
Group = tuple[Any, ...]


@dataclass(slots=True)
class _Sums:
    """What adds up over the shards: rows and weight of each group, and what was spent."""

    rows: Counter[Group] = field(default_factory=Counter)
    weight: defaultdict[Group, float] = field(default_factory=lambda: defaultdict(float))
    spent: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    student: str | None = None
    """The model that answers first in a cascade."""
    kept: int = 0
    kept_weight: float = 0.0
    asked: int = 0
    reused: int = 0
    least: float = float("inf")
    most: float = 0.0

    def take(self, batch: Any) -> None:
        """Add the rows of a batch."""
        import pyarrow as pa
        import pyarrow.compute as pc

        table = pa.Table.from_batches([batch])
        groups = table.group_by(list(GROUPED)).aggregate([("weight", "sum"), ("weight", "count")])
        for group in groups.to_pylist():
            key = tuple(group[name] for name in GROUPED)
            self.rows[key] += group["weight_count"]
            self.weight[key] += group["weight_sum"]
        span = pc.min_max(table["weight"]).as_py()
        self.least, self.most = min(self.least, span["min"]), max(self.most, span["max"])
        asked = table.filter(table["asked"])
        self.reused += pc.sum(asked["cached"]).as_py() or 0
        called = pc.and_(pc.invert(asked["cached"]), pc.is_valid(asked["model"]))
        self.asked += pc.sum(called).as_py() or 0
        if self.student is not None:
            first = table.filter(pc.equal(table["model"], self.student))
            self.kept += len(first)
            self.kept_weight += pc.sum(first["weight"]).as_py() or 0.0
            self.asked -= pc.sum(first["asked"]).as_py() or 0
        for name in SPENT:
            self.spent[name] += pc.sum(asked[name]).as_py() or 0
            self.unknown[name] += asked[name].null_count


def _sums_of(labels: LabelSet) -> _Sums:
    """What adds up over the shards. BadInput for more strata than a set has: each is gone through alone."""
    cascade = labels.manifest.cascade
    sums = _Sums(student=cascade.student if cascade else None)
    for batch in labels.batches([*GROUPED, "weight", "asked", "cached", "model", *SPENT]):
        sums.take(batch)
        if len({key[0] for key in sums.rows} - {None}) > MOST_STRATA:
            what = f"rows of more than {MOST_STRATA:,} strata: not written so"
            raise BadInput([Fault(str(labels.folder / SHARDS), what)])
    return sums


def summarise(labels: LabelSet) -> LabelSummary:
    """The summary of a finished label set. BadInput for a damaged shard."""
    sums = _sums_of(labels)
    manifest, policy = labels.manifest, labels.policy
    every = _part(None, sums, policy, lambda _: True)
    strata = sorted({key[0] for key in sums.rows if key[0] is not None})
    named = [*strata, *([None] if strata and any(key[0] is None for key in sums.rows) else [])]
    return LabelSummary(
        labels=str(labels.folder),
        policy=policy.label,
        prompt=manifest.asked.prompt,
        unprompted=manifest.unprompted,
        model=manifest.asked.model,
        model_answered=manifest.model_answered,
        proven=manifest.proven.run if manifest.proven else None,
        unproven=manifest.proven is None,
        rows=manifest.rows,
        distinct=manifest.distinct,
        weight=sum(sums.weight.values()),
        weighted=sums.most > sums.least,
        outcomes=_outcomes(sums.rows),
        causes=_causes(sums.rows),
        coverage=every.coverage,
        shot_query=sum(rows for key, rows in sums.rows.items() if key[4]),
        grades=every.grades,
        actions=every.actions,
        by_stratum=tuple(_part(name, sums, policy, lambda one, name=name: one == name) for name in named),
        spending=_spending(sums),
        cascade=_cascade(manifest, sums),
        shards=len(labels.shards()),
        warnings=tuple(_warnings(labels, sums)),
    )


def _cascade(manifest: LabelManifest, sums: _Sums) -> CascadeShares | None:
    """Who answered; None for a teacher alone."""
    used, weight = manifest.cascade, sum(sums.weight.values())
    if used is None:
        return None
    return CascadeShares(
        student=used.student,
        threshold=used.threshold,
        confirmed=used.confirmed,
        by_student=sums.kept,
        by_teacher=manifest.rows - sums.kept,
        sent=min(1.0, max(0.0, 1 - sums.kept_weight / weight)) if weight else 0.0,
    )


def _outcomes(rows: Mapping[Group, int]) -> Outcomes:
    counts = Counter[str]()
    for (_, outcome, *_), count in rows.items():
        counts[outcome] += count
    return Outcomes(graded=counts["grade"], ungraded=counts["ungraded"], failed=counts["failed"])


def _causes(rows: Mapping[Group, int]) -> dict[str, int]:
    counts = Counter[str]()
    for (_, _, cause, *_), count in rows.items():
        if cause is not None:
            counts[cause] += count
    return dict(sorted(counts.items()))


def _part(stratum: str | None, sums: _Sums, policy: Policy, holds: Any) -> LabelPart:
    """The rows of a stratum, without those whose query a shot has."""
    keys = [key for key in sums.rows if holds(key[0]) and not key[4]]
    weight = sum(sums.weight[key] for key in keys)
    graded = [key for key in keys if key[1] == "grade"]
    whole = sum(sums.weight[key] for key in graded)
    rows: Counter[int] = Counter()
    weights: defaultdict[int, float] = defaultdict(float)
    for key in graded:
        rows[key[3]] += sums.rows[key]
        weights[key[3]] += sums.weight[key]
    decided = policy.decided_actions
    grades = tuple(
        GradeShare(
            grade=level.value,
            name=level.name,
            action=decided[level.value] if decided else None,
            rows=rows[level.value],
            weight=weights[level.value],
            share=weights[level.value] / whole if whole else None,
        )
        for level in sorted(policy.grades, key=lambda one: one.value)
    )
    return LabelPart(
        stratum=stratum,
        rows=sum(sums.rows[key] for key in keys),
        weight=weight,
        coverage=whole / weight if weight else None,
        grades=grades,
        actions=tuple(_action(one.name, grades, whole) for one in policy.actions) if decided else (),
    )


def _action(name: str, grades: Iterable[GradeShare], whole: float) -> ActionShare:
    own = [one for one in grades if one.action == name]
    weight = sum(one.weight for one in own)
    rows = sum(one.rows for one in own)
    return ActionShare(action=name, rows=rows, weight=weight, share=weight / whole if whole else None)


def _spending(sums: _Sums) -> LabelSpending:
    unknown = sums.unknown["cost"]
    tokens = {name: None if sums.unknown[name] else int(sums.spent[name]) for name in TOKENS}
    return LabelSpending(
        asked=sums.asked,
        reused=sums.reused,
        cost=None if unknown else float(sums.spent["cost"]),
        known=float(sums.spent["cost"]),
        unknown=unknown,
        **tokens,
        reason=f"the cost of {plural(unknown, 'answer')} is unknown" if unknown else None,
    )


def _warnings(labels: LabelSet, sums: _Sums) -> Iterable[str]:
    manifest = labels.manifest
    if manifest.cascade and not manifest.cascade.confirmed:
        why = manifest.cascade.unconfirmed or "no runs of this project confirm it on test"
        yield f"the cascade is not proven: {why}"
    if manifest.lacks_proof:
        yield "the teacher is not proven: no finished run of it on test passed Gate 2"
    elif manifest.proven and manifest.proven.provisional:
        yield f"the run that proves the teacher is provisional: {manifest.proven.provisional}"
    yield from manifest.notes
    if labels.policy.decided_actions is None:
        yield f"{labels.policy.label} {UNDECIDED}"
    models = {name: 0 for name in manifest.model_answered if name != sums.student}
    yield from (f"{mixed}: the labels are a mixture" for mixed in mixtures(models=models))
    if failed := _outcomes(sums.rows).failed:
        yield f"{plural(failed, 'row has', 'rows have')} no answer"
