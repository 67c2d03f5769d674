"""What labelling would take: the object that `harness label --dry-run --json` prints."""

from harness.nouns.base import Noun
from harness.scorecards.money import Forecast, Prices, Span


class MonthOfPairs(Noun):
    """So many distinct pairs a month: their price, and the hours that they take at the rate limits.

    `bound_by`: which limit it is, `rpm` or `tpm`; None where none was given.
    """

    pairs: int
    cost: Prices
    hours: Span | None
    bound_by: str | None


class CascadeForecast(Noun):
    """Of a cascade: the distinct pairs that its student is sure of, and the share that the teacher gets."""

    student: str
    kept: int
    sent: float


class LabelForecast(Noun):
    """A dry run of `harness label`. `answered`: distinct pairs that the label set has an answer to.

    `forecast` is about the pairs that are left. `rpm`, `tpm`: requests and tokens a minute that the server
    takes.
    """

    rows: int
    distinct: int
    answered: int
    shot_query: int
    proven: str | None
    forecast: Forecast
    rpm: int | None
    tpm: int | None
    cascade: CascadeForecast | None = None
    table: tuple[MonthOfPairs, ...]
    warnings: tuple[str, ...] = ()
