"""Whether the rounds of a policy version allow a verdict from its ratings."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import Fault
from harness.golden.examples import golden_path
from harness.golden.rating.ratings import RATINGS, Rated, Said
from harness.golden.rating.round_folders import round_names, rounds_folder
from harness.golden.rating.sealed_lines import Lines, is_about, missing, not_first, sealed_lines, stray
from harness.nouns.policy import Policy
from harness.storage.project import Project

if TYPE_CHECKING:
    from harness.golden.rating.waiting import RoundNow


def with_rounds(project: Project, policy: Policy, rated: Rated, path: Path | None = None) -> Rated:
    """The ratings of a policy version, with reasons of its rounds against a verdict.

    A round that is planned after a look at the one before is another chance to pass: a warning counts them.
    `path`: the file of the ratings, if it is not the policy's own; then its lines tell the rounds, which may
    also be rounds of production pairs.
    """
    own = golden_path(project, policy.name).with_name(RATINGS)
    file = path or own
    lines = sealed_lines(file, policy.version)
    if not lines and not round_names(project, policy.name):
        return rated
    others = file.resolve() != own.resolve()
    rounds = list(_rounds(project, policy, production=others))
    if others:
        if not lines:
            return rated
        rounds = [one for one in rounds if is_about(lines, one)]
    return replace(
        rated,
        warnings=(*rated.warnings, *_warnings(rounds, lines)),
        unfinished="; ".join(_open(rounds, lines, file.name)) or None,
        early="; ".join(_early(rounds, lines, rounds_folder(project, policy.name))) or None,
    )


def _rounds(project: Project, policy: Policy, *, production: bool) -> Iterator["RoundNow"]:
    """The rounds of a version; those of production pairs, which no gate reads by itself, where asked for."""
    # Imported only if there is a round: the import took a thirtieth of the time of `harness gate1`.
    from harness.golden.rating.rounds import load_round, read_round, rounds_of
    from harness.golden.rating.waiting import round_now

    folder = rounds_folder(project, policy.name)
    for name in rounds_of(project, policy.name):
        planned = load_round(folder / name)
        if planned.policy == policy.label and (production or not planned.production):
            yield round_now(read_round(folder / name))


def _warnings(rounds: list["RoundNow"], lines: Lines) -> Iterator[str]:
    gated = [one.open_round.round.name for one in rounds if not one.open_round.round.production]
    if len(gated) > 1:
        count = f"{len(gated)} rounds of rating ({', '.join(gated)})"
        yield f"{count}: a round after a look at the one before is another chance to pass"
    yield from filter(None, (not_first(lines, one) for one in rounds))


def _open(rounds: list["RoundNow"], lines: Lines, file: str) -> Iterator[str]:
    """The reasons why there is no verdict."""
    yield from filter(None, (one.unread for one in rounds))
    for one in rounds:
        yield from missing(lines, one, file)


def _early(rounds: list["RoundNow"], lines: Lines, folder: Path) -> Iterator[str]:
    """The reasons why a verdict is provisional."""
    yield from filter(None, (one.early for one in rounds))
    yield from filter(None, [stray(lines, rounds, folder)])


def blind_faults(project: Project, policy: str, given: Iterable[tuple[str, Said]]) -> Iterator[Fault]:
    """Faults of ratings that would come before the blind ratings of an open round.

    `given`: each with its place. A rater of a round gives the first reading there; other ratings of the same
    items come after the seal.
    """
    rated = _rated_blind(project, policy)
    versions = {version for _, _, version in rated}
    for where, said in given if rated else ():
        under = [said.policy_version] if said.policy_version else sorted(versions)
        names = [rated.get((said.rater, said.item, version)) for version in under]
        if name := next(filter(None, names), None):
            what = f"{said.rater} rates {said.item!r} blind in round {name}, which is not sealed"
            next_ = f"`harness rate seal {said.rater}` comes first, so that the blind reading counts"
            yield Fault(where, f"{what}: {next_}", f"blind {said.rater} {name}")


def _rated_blind(project: Project, policy: str) -> dict[tuple[str, str, str], str]:
    """Rater, item and version of each assignment in unsealed rounds, with the name of the round."""
    from harness.golden.rating.rounds import read_round, rounds_of
    from harness.golden.rating.waiting import round_now

    folder = rounds_folder(project, policy)
    found: dict[tuple[str, str, str], str] = {}
    for name in rounds_of(project, policy):
        opened = read_round(folder / name)
        version = opened.round.policy.partition("@")[2]
        for one in round_now(opened).sets:
            if one.progress.sealed_at is None and (one.awaited or one.given):
                for pair in (opened.pairs[assigned.code] for assigned in opened.assigned(one.rater)):
                    found |= {(one.rater, item, version): name for item in (pair.item, *pair.also)}
    return found
