"""The options of `harness watch`: the sentinels and their teacher, the tolerated drift, and the day."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from harness.cli.groups import BaseUrl, MaxCost, Model, ModelSettings, Prompt, Shots
from harness.cli.options import Options, option, policy_or_only
from harness.errors import BadInput
from harness.storage.project import Project

if TYPE_CHECKING:
    from harness.watch.begin import WatchRequest


class SentinelChoice(Options):
    """The golden pairs to ask each day, and the teacher."""

    model: Model = None
    prompt: Prompt = None
    split: Annotated[str | None, option("Golden pairs of dev, test or dev+test. Default: dev.")] = None
    sentinels: Annotated[
        int | None, option("How many golden pairs are asked each day. Default: 50.", min=2, max=10_000)
    ] = None
    repeats: Annotated[
        int | None,
        option("Looks for the baseline; in a table, its first days. Default: 5.", min=1, max=100),
    ] = None
    seed: Annotated[int | None, option("Seed of the choice; sent to the model if given.")] = None
    shots: Shots = None


class SentinelOptions(ModelSettings, SentinelChoice):
    """What to ask which teacher each day. A watch keeps what it was begun with."""

    base_url: BaseUrl = None

    def wanted(self, project: Project, policy: str | None, bars: "DriftOptions") -> "WatchRequest":
        """What the user asks for, with the names of the options given."""
        from harness.cli.eval_options import MODEL, from_root
        from harness.golden.splits import parse_splits
        from harness.providers import refuse_unread
        from harness.runs.manifest import Asked
        from harness.watch.begin import WatchRequest

        model = from_root(self.model or MODEL, project)
        refuse_unread(model, self.shots)
        own = ("split", "sentinels", "repeats")
        values = {name: value for name, value in vars(self).items() if name not in own}
        asked = Asked(
            **values
            | {"model": model, "prompt": self.prompt or "teacher"}
            | {"policy": policy_or_only(policy, project), "splits": parse_splits(self.split or "dev")}
        )
        said = {**self.given(), **bars.given(), "policy": policy}
        given = {
            "splits" if name == "split" else name for name, value in said.items() if value not in (None, "")
        }
        return WatchRequest(asked, frozenset(given), self.sentinels, self.repeats, bars.alpha, bars.delta)


class DriftOptions(Options):
    """What counts as a drift."""

    alpha: Annotated[
        float | None,
        option("Chance of an alarm ever, if nothing drifts. Default: 0.05.", min=1e-6, max=0.5),
    ] = None
    delta: Annotated[
        float | None, option("The drift that is tolerated, in loss or share. Default: 0.02.", min=0, max=0.5)
    ] = None


class DayOptions(Options):
    """Which day, and what is added to it."""

    day: Annotated[str | None, option("The day, such as 2026-11-30. Default: today.")] = None
    traffic: Annotated[
        Path | None, option("The day's traffic: a label set, or a table of item, teacher, stratum, weight.")
    ] = None
    no_ask: Annotated[bool, option("Make no calls: show the watch, or add --traffic alone.", "--no-ask")] = (
        False
    )
    max_connections: Annotated[int | None, option("Maximum of calls in flight.", min=1, max=5000)] = None
    max_cost: MaxCost = None
    dry_run: Annotated[
        bool, option("Print what the day would ask and cost; make no API calls.", "--dry-run")
    ] = False

    @property
    def date(self) -> str:
        """The day. BadInput for one that is not a date."""
        from datetime import date

        if self.day is None:
            return f"{date.today():%Y-%m-%d}"  # noqa: DTZ011  # the user's own day
        try:
            return f"{date.fromisoformat(self.day):%Y-%m-%d}"
        except ValueError:
            raise BadInput(f"--day {self.day}: not a date such as 2026-11-30") from None
