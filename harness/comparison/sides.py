"""One side of a comparison: a run, a baseline, or a file of grades, in the form that pairing needs."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from harness.nouns.policy import Gates
from harness.runs.manifest import Manifest
from harness.score.items import GradedItem
from harness.score.reading import Reading
from harness.storage.digest import short_of


@dataclass(frozen=True, slots=True)
class Side:
    """Graded items by a key that both sides share: the pair's digest, or the item's name in a file.

    `facts` holds what was run, to list differences; `shots` counts those shown, None if a baseline does not
    say. `run`: its name. `cost` and `seconds` are per item. `knows_queries`: whether an item's cluster is its
    query. `stale` counts examples not yet judged under the policy version.
    `part`: the splits that a run graded. `apart`: what it graded, if its items do not represent a split.
    `notes`: the notes of the run's grader. `warnings`: remarks from reading the side.
    """

    name: str
    items: Mapping[str, GradedItem]
    scale: tuple[int, ...]
    policy: str | None = None
    action_of: Mapping[int, str] | None = None
    gates: Gates = field(default_factory=Gates)
    facts: Mapping[str, str] = field(default_factory=dict)
    shots: int | None = None
    run: str | None = None
    seconds: float | None = None
    cost: float | None = None
    knows_queries: bool = True
    stale: int = 0
    part: str | None = None
    apart: str | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def regraded(side: Side, name: str, items: Mapping[str, GradedItem], **others: Any) -> Side:
    """A side's items as another grader graded them; `others`: further fields that change."""
    own: dict[str, Any] = {"run": None, "facts": {}, "seconds": None, "cost": None, **others}
    return replace(side, name=name, items=items, **own)


def side_of_run(reading: Reading, gates: Gates | None = None) -> Side:
    """A run as a side, by its own gates unless others are given."""
    run = reading.run
    return Side(
        name=run.folder.name,
        run=run.folder.name,
        items=keyed(reading.pairs, reading.items),
        scale=run.policy.scale,
        policy=run.policy.label,
        action_of=run.policy.decided_actions,
        gates=gates or run.gates,
        facts=facts_of(run.manifest),
        shots=len(run.manifest.shots),
        seconds=None if run.manifest.waited else reading.seconds,
        cost=reading.spending.per_answer,
        stale=run.manifest.stale,
        part=run.manifest.asked.part,
        apart=run.manifest.asked.kind.apart,
        notes=run.manifest.notes,
        warnings=tuple(f"{run.folder.name}: {mixed}, and it is their mixture" for mixed in reading.mixed),
    )


def of_itself(base: Side, candidate: Side) -> str:
    """A sentence for a verdict if both sides are the same run."""
    return " (the candidate is the base itself)" if base.run and candidate.run == base.run else ""


def keyed(pairs: Sequence[str], items: Sequence[GradedItem]) -> dict[str, GradedItem]:
    """Items keyed by their pair's digest; duplicates of a pair are numbered in the order of their ids."""
    ids: dict[str, list[str]] = defaultdict(list)
    for pair, item in zip(pairs, items, strict=True):
        ids[pair].append(item.item)
    ranks = {(pair, item): at for pair, same in ids.items() for at, item in enumerate(sorted(same))}
    return {
        f"{pair}#{at}" if (at := ranks[pair, item.item]) else pair: item
        for pair, item in zip(pairs, items, strict=True)
    }


def side_of_items(name: str, items: Sequence[GradedItem], scale: tuple[int, ...]) -> Side:
    """Items keyed by name."""
    return Side(name=name, items={item.item: item for item in items}, scale=scale)


def facts_of(manifest: Manifest) -> dict[str, str]:
    """The facts of a run: a comparable text for each aspect."""
    asked, digests = manifest.asked, manifest.digests
    parameters = {
        "temperature": asked.temperature,
        "seed": asked.seed,
        "max_tokens": asked.max_tokens,
        "no_schema": asked.no_schema or None,
        "fold_system": asked.fold_system or None,
        "base_url": asked.base_url,
        "repeats": asked.repeats if asked.repeats > 1 else None,
        "aggregate": asked.aggregate if asked.repeats > 1 else None,
    }
    given = [f"{name} {value}" for name, value in parameters.items() if value is not None]
    return {
        "policy": f"{asked.policy} {_short(digests.policy)}",
        **_read(manifest),
        "model": _model(manifest),
        "golden": f"{asked.part}, {manifest.examples} examples, {_short(digests.golden)}",
        "parameters": ", ".join(given) or "none",
    }


def _read(manifest: Manifest) -> dict[str, str]:
    """The facts about the grader's inputs. A fact's form never changes, since baselines keep it."""
    asked, digests = manifest.asked, manifest.digests
    if not manifest.unprompted:
        shots = f"{len(manifest.shots)} shown, {_short(digests.shots)}"
        return {"prompt": f"{asked.prompt} {_short(digests.prompt)}", "shots": shots}
    if digests.trained is not None:
        return {}
    if digests.replayed is None:
        return {"learned from shots": _short(digests.shots)}
    return {"rater": asked.rater} if asked.rater else {}


def _model(manifest: Manifest) -> str:
    """The model asked, the name it answered by if different; which grades were replayed, or which student."""
    asked, replayed = manifest.asked.model, manifest.digests.replayed or manifest.digests.trained
    answered = [name for name in manifest.model_answered if name != asked.partition("/")[2] and name != asked]
    more = [*answered, *([_short(replayed)] if replayed else [])]
    return f"{asked} ({', '.join(more)})" if more else asked


def _short(digest: str) -> str:
    return short_of(digest, 12)
