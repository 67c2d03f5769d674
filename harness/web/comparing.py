"""What a page about two runs, or several, shows."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from harness.listing import Listed
from harness.project import split_label
from harness.report.comparison import change_sentence, figures_of, left_out
from harness.scorecards.comparison import Comparison, Ranking
from harness.web.words import address, segment


def comparison_values(found: Comparison, runs: tuple[Listed, Listed]) -> dict[str, Any]:
    """For the page of two runs, the base first."""
    base, candidate = (run.name for run in runs)
    kinds = Counter(flip.kind for flip in found.flips)
    return {
        "found": found,
        "runs": runs,
        "sentence": change_sentence(found),
        "lost": list(left_out(found)),
        "figures": figures_of(found),
        "kinds": {kind: kinds[kind] for kind in ("fixed", "broken", "moved")},
        "swap": address("/compare", run=(candidate, base), base=candidate),
        "beside": list(_beside(*runs)),
    }


def _beside(base: Listed, candidate: Listed) -> Iterator[tuple[str, str]]:
    """Links to the two versions of a policy or prompt, where the runs had two versions of one."""
    if base.manifest is None or candidate.manifest is None:
        return
    one, other = base.manifest.asked, candidate.manifest.asked
    for kind, path, before, after in (
        ("prompts", "/prompts", one.prompt, other.prompt),
        ("policies", "/policies", one.policy, other.policy),
    ):
        (name, old), (twin, new) = split_label(before), split_label(after)
        if name == twin and old != new:
            yield f"The {kind} side by side", address(f"{path}/{segment(name)}", old=old, new=new)


def ranking_values(ranking: Ranking, names: Sequence[str]) -> dict[str, Any]:
    """For the page of several runs; each leads to its comparison with the first."""
    links = [address("/compare", run=(names[0], name), base=names[0]) for name in names[1:]]
    return {"ranking": ranking, "names": names, "links": links}
