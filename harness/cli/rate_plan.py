"""`harness rate plan`: draw pairs, and assign them to raters."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from harness.cli import completion
from harness.cli.groups import RaterKind
from harness.cli.options import Json, Options, Root, names_in, option, policy_label, project_at
from harness.cli.output import print_json, say, show, shown_path
from harness.cli.policy_options import named
from harness.cli.rated import refuse
from harness.errors import BadInput
from harness.storage.project import Project

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.golden.rating.drawing import Drawing
    from harness.golden.rating.new_round import RoundPlan
    from harness.golden.rating.planning import Planned
    from harness.golden.rating.rounds import Show
    from harness.nouns.policy import Policy


def _share(help: str) -> Any:
    return option(help, min=0, max=1)


def _run(help: str) -> Any:
    return option(help, metavar="RUN", autocompletion=completion.runs)


class DrawingOptions(Options):
    """Which pairs."""

    pairs: Annotated[int | None, option("How many pairs. Default: every one of the split.", min=1)] = None
    split: Annotated[str, option("dev, test or dev+test.")] = "dev+test"
    by: Annotated[str, option("Strata: none, grade, action, or the beginning of a tag such as lang:")] = (
        "none"
    )
    equal: Annotated[bool, option("As many of every stratum, not its share.", "--equal")] = False
    disagreements: Annotated[
        str | None, _run("Hunt pairs on which this run's teacher and the golden grade differ.")
    ] = None
    low_confidence: Annotated[str | None, _run("Hunt pairs on which this run's teacher was unsure.")] = None
    random_share: Annotated[
        float | None, _share("The part drawn at random beside hunted pairs. Default: 0.5; 1 without hunting.")
    ] = None

    @property
    def hunts(self) -> bool:
        """Whether pairs are hunted. BadInput where the options do not fit each other."""
        hunts = self.disagreements is not None or self.low_confidence is not None
        if hunts and self.pairs is None:
            raise BadInput("to hunt pairs, say how many: --pairs N")
        if self.equal and self.by == "none":
            raise BadInput("--equal goes with --by: it takes as many pairs of each stratum")
        if not hunts and self.random_share is not None:
            raise BadInput("--random-share goes with --disagreements RUN or --low-confidence RUN")
        return hunts

    def drawing(self, there: int) -> "Drawing":
        """What to draw from this many different pairs."""
        from harness.golden.rating.drawing import Drawing

        share = 0.5 if self.random_share is None else self.random_share
        return Drawing(
            there if self.pairs is None else self.pairs, self.by, self.equal, share if self.hunts else 1.0
        )

    def hunted(self, project: Project, policy: "Policy") -> "tuple[Mapping[str, float], ...]":
        """The pairs that the named runs suggest, each with its score."""
        from harness.score.hunting import disagreeing, unsure
        from harness.score.reading import reading_of

        found: list[Mapping[str, float]] = []
        if self.disagreements is not None:
            found.append(disagreeing(reading_of(project, self.disagreements).items, policy))
        if self.low_confidence is not None:
            found.append(unsure(reading_of(project, self.low_confidence).items, self.low_confidence))
        return tuple(found)


class DesignOptions(Options):
    """Who rates which pair."""

    each: Annotated[int, option("Raters of each pair, in rotating pairs.", min=1)] = 2
    by_all: Annotated[float, _share("The share of pairs that every rater rates.")] = 0.1
    repeated: Annotated[float, _share("The share that a rater gets twice, unmarked.")] = 0.05
    reasons: Annotated[float, _share("The share of pairs that a reason is asked for.")] = 0.1


class PictureOptions(Options):
    """Pictures: none unless a host is allowed."""

    picture: Annotated[str | None, option("The attribute that has a picture's address.")] = None
    picture_hosts: Annotated[str | None, option("Where pictures may come from: img.example.com,...")] = None


class RoundOptions(Options):
    """The round: its name, the kind of its raters, its seed."""

    name: Annotated[str | None, option("The round's name. Default: r1, r2, ...")] = None
    kind: RaterKind = None
    seconds: Annotated[
        float | None, option("Seconds for a pair, to estimate the time of each rater.", min=0.1, max=3600)
    ] = None
    seed: Annotated[int | None, option("To draw the same again. Default: a random one.", min=0)] = None
    dry_run: Annotated[bool, option("Say what would be drawn; write nothing.", "--dry-run")] = False


def plan_command(
    *,
    policy: Annotated[str | None, named("name or name@v1.")] = None,
    raters: Annotated[str, option("Who rates: ann,bob,cy")],
    source: Annotated[
        Path | None,
        option(
            "Production pairs that `harness sample` drew, instead of golden ones.",
            "--from",
            envvar="HARNESS_RATE_PLAN_FROM",
        ),
    ] = None,
    drawing: DrawingOptions,
    design: DesignOptions,
    pictures: PictureOptions,
    round: RoundOptions,
    root: Root = None,
    json: Json = False,
) -> None:
    """Plan a round: draw pairs, and assign them to raters.

    Pairs drawn at random keep their inclusion probability and can serve an estimate; hunted ones cannot.
    """
    project = project_at(root)
    label = policy_label(policy, project)
    how = _how(names_in(raters), round, design, _shown(pictures))
    judged_by, found = (
        _golden_round(project, label, how, drawing, dry_run=round.dry_run)
        if source is None
        else _production_round(project, label, how, source, drawing, dry_run=round.dry_run)
    )
    _print(project, judged_by, found, round.seconds, json=json)
    where = shown_path(found.opened.folder)
    say(f"that would be written to {where}" if round.dry_run else f"written to {where}")
    if not (round.dry_run or json):
        name, first = judged_by.name, found.opened.round.raters[0]
        say(f"next: harness rate --policy {name} --rater {first}, for one person on this machine;")
        say(f"  for a team: harness rate invite {first} --policy {name}, and harness rate --host ...")


def _how(raters: tuple[str, ...], round: RoundOptions, design: DesignOptions, shown: "Show") -> "RoundPlan":
    """The plan of the round, still without pairs."""
    from harness.golden.rating.drawing import Drawing
    from harness.golden.rating.new_round import RoundPlan
    from harness.golden.rating.rounds import Design

    return RoundPlan(
        raters=raters,
        drawing=Drawing(0),
        name=round.name,
        design=Design(each=design.each, by_all=design.by_all, repeated=design.repeated),
        reasons=design.reasons,
        show=shown,
        kind=round.kind,
        seed=round.seed,
    )


def _golden_round(
    project: Project, label: str, how: "RoundPlan", drawing: DrawingOptions, *, dry_run: bool
) -> "tuple[Policy, Planned]":
    """A round of golden examples."""
    from dataclasses import replace

    from harness.cli.golden import load_set
    from harness.golden.rating.planning import plan_round
    from harness.golden.splits import parse_splits

    judged_by, examples = load_set(project, label)
    splits = parse_splits(drawing.split)
    there = {one.pair.digest for one in examples if one.split in splits}
    wanted = replace(
        how,
        drawing=drawing.drawing(len(there)),
        splits=splits,
        hunted=drawing.hunted(project, judged_by),
    )
    return judged_by, plan_round(project, judged_by.label, wanted, dry_run=dry_run)


def _production_round(
    project: Project, label: str, how: "RoundPlan", source: Path, drawing: DrawingOptions, *, dry_run: bool
) -> "tuple[Policy, Planned]":
    """A round of the production pairs of a plan."""
    from harness.golden.rating.pair_plan import load_pair_plan
    from harness.golden.rating.planning import plan_production
    from harness.policy.load import load_named

    refuse(drawing.given(), ": the pairs of --from are drawn already; `harness sample` draws others")
    pairs = load_pair_plan(source)
    return load_named(project, label), plan_production(project, label, how, pairs, dry_run=dry_run)


def _print(
    project: Project, policy: "Policy", found: "Planned", seconds: float | None, *, json: bool
) -> None:
    from harness.golden.rating.plan_summary import summary_of
    from harness.report.rating import plan_view

    summary = summary_of(found.opened, seconds)
    expected, remarks = _expected(project, policy, found.examples) if found.examples else ((), ())
    warned = [*found.warnings, *remarks]
    if not json:
        show(plan_view(summary, expected, warned))
        return
    intervals = [one.model_dump(mode="json") for one in expected]
    print_json({**summary.model_dump(mode="json"), "expected": intervals, "warnings": warned})


def _shown(pictures: PictureOptions) -> "Show":
    from harness.golden.rating.rounds import Show

    hosts = names_in(pictures.picture_hosts)
    if (pictures.picture is None) is not (not hosts):
        raise BadInput("pictures take both: --picture ATTRIBUTE and --picture-hosts HOST,...")
    return Show(picture=pictures.picture or "", picture_hosts=hosts)


def _expected(project: Project, policy: "Policy", examples: Any) -> Any:
    """The intervals to expect, and why there are none."""
    from harness.golden.graded_files import policy_levels
    from harness.score.settings import gate1_bar
    from harness.score.sizes import expected_intervals

    try:
        return expected_intervals(examples, policy, gate1_bar(policy_levels(project, policy.label).gates)), ()
    except BadInput as error:
        return (), (f"no interval to expect: {error}",)
