"""Judge Gate 1 on ratings, without a run, as `harness gate1` does."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from harness.golden.rating.ratings import Rated
from harness.nouns.policy import Gates
from harness.score.few import few_names
from harness.score.gate1 import score_gate1
from harness.score.settings import gate1_bar
from harness.score.threshold import Threshold
from harness.scorecards.gate1 import Gate1
from harness.storage.plural import plural
from harness.verdicts.gates import judge_gate1


def judge_raters(
    rated: Rated,
    scale: tuple[int, ...],
    gates: Gates,
    bar: Threshold | None = None,
    *,
    names: Mapping[int, str] | None = None,
    bootstrap: bool = False,
) -> Gate1:
    """Judge Gate 1 on ratings by the gates, or by another threshold. BadInput for a single rater.

    Where two people or more rated, language models are left out.
    """
    rated = people_alone(rated)
    score = score_gate1(
        rated.ratings,
        scale,
        bar or gate1_bar(gates),
        rated.kinds,
        rated.about,
        unrated=rated.unrated,
        pair_floor=gates.gate1.pair_floor,
        bootstrap=bootstrap,
    )
    provisional = "; ".join(filter(None, (score.provisional, rated.early))) or None
    warnings = (*rated.warnings, *_strangers(rated.strangers), *score.warnings)
    noted = {"warnings": warnings, "provisional": provisional, "compared": rated.compared}
    kinds = rated.kinds or {}
    machines = frozenset(rater for rater in rated.raters if kinds.get(rater) == "llm")
    return judge_gate1(score.model_copy(update=noted), names, rated.unfinished, machines)


def people_alone(rated: Rated) -> Rated:
    """The ratings without those of language models, where two people or more rated, and a warning of it.

    Gate 1 is about people: agreement of models is no evidence that the policy is clear to them.
    """
    kinds = rated.kinds or {}
    models = sorted(rater for rater in rated.raters if kinds.get(rater) == "llm")
    if not models or sum(kinds.get(rater) == "human" for rater in rated.raters) < 2:
        return rated
    kept = rated.without(models)
    count = plural(len(rated.ratings) - len(kept.ratings), "rating")
    warning = f"{count} by language models ({few_names(models)}) left out: Gate 1 is read from people alone"
    return replace(kept, warnings=(*rated.warnings, warning))


def _strangers(items: Collection[str]) -> Iterator[str]:
    """A warning about rated items that are not golden: agreement on them is not about the golden set."""
    if items:
        count = plural(len(items), "rated item")
        yield f"left out: {count} that the golden set lacks ({few_names(sorted(items))})"
