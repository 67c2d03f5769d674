"""Options of the commands that read files of grades: tables, scale, bars; each is declared once."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from harness.cli.options import (
    Columns,
    Encoding,
    Format,
    Options,
    Weighting,
    layout,
    names_in,
    option,
    project_at,
    weighting_of,
    with_note,
)
from harness.cli.policy_options import named
from harness.errors import BadInput

if TYPE_CHECKING:
    from harness.golden.graded_files import Levels
    from harness.nouns.policy import Policy
    from harness.score.threshold import Threshold
    from harness.storage.tables import Layout


class TableOptions(Options):
    """How to read a table."""

    columns: Columns = None
    format: Format = None
    labels: Annotated[
        str | None, option("Grades as words: Exact=2,Partial=1,Irrelevant=0. Holds for all files.")
    ] = None
    encoding: Encoding = None

    @property
    def layout(self) -> "Layout":
        """The table's layout, as that of a golden file: without a column for each rater."""
        return self.layout_of(self.columns, self.format)

    def layout_of(
        self, columns: str | None, format: str | None, wide: str | None = None, mapped_by: str = "--columns"
    ) -> "Layout":
        """The layout of another table with the same words for grades, in the same encoding."""
        words, encoding = self.labels, self.encoding
        return layout(columns, format, wide=wide, labels=words, encoding=encoding, mapped_by=mapped_by)


class RatedTable(TableOptions):
    """How to read a table with several raters."""

    wide: Annotated[str | None, option("A column for each rater: rater1,rater2,...")] = None

    @property
    def layout(self) -> "Layout":
        """The table's layout."""
        return self.layout_of(self.columns, self.format, self.wide)


class GraderTable(RatedTable):
    """How to read a table of one rater's grades, or with several raters."""

    rater: Annotated[str | None, option("Whose grades to take from a file with several raters.")] = None


class LevelOptions(Options):
    """The scale of the grades."""

    policy: Annotated[str | None, named("The policy that sets scale, actions and bars.")] = None
    scale: Annotated[str | None, option("The grades, such as 0-4, if there is no policy.")] = None

    def levels(self, root: Path | None) -> "Levels":
        """The scale from --scale, or from a policy, then with the policy and its gates."""
        from harness.golden.graded_files import Levels, policy_levels
        from harness.golden.scales import parse_scale

        if self.policy is None:
            if self.scale is None:
                raise BadInput("give the scale: --scale 0-4, or --policy NAME")
            return Levels(parse_scale(self.scale))
        if self.scale is not None:
            raise BadInput("a policy has its own scale; give either --policy or --scale")
        project = project_at(root)
        return policy_levels(project, with_note(self.policy, project))


class GoldenFile(Options):
    """A file of golden grades."""

    golden: Annotated[
        Path | None, option("A file of golden grades, for files of grades. Default: those of a run.")
    ] = None


class FileOptions(GraderTable, LevelOptions, GoldenFile):
    """A file of golden grades, and how to read it and the files of grades beside it."""

    grades_columns: Annotated[str | None, option("Like --columns, for the files of grades.")] = None
    grades_format: Annotated[str | None, option("Like --format, for the files of grades.")] = None

    @property
    def golden_table(self) -> "Layout":
        """How to read the golden file."""
        return self.layout_of(self.columns, self.format)

    @property
    def grades_table(self) -> "Layout":
        """How to read a grader's file: by default, like the golden file."""
        columns, format = self.grades_columns or self.columns, self.grades_format or self.format
        return self.layout_of(columns, format, self.wide)

    @property
    def raters(self) -> tuple[str, ...]:
        """The raters of --rater."""
        return names_in(self.rater)


class BarOptions(Options):
    """The kappa to gate by."""

    weighting: Weighting = None
    bar: Annotated[float | None, option("The kappa asked for. Default: gates.toml.")] = None

    def threshold(self, own: "Threshold", origin: str = "gates.toml has") -> "Threshold":
        """The bar asked for, else `own`; a moved bar names the `origin` of its own."""
        from harness.score.threshold import Threshold

        if self.bar is not None and not -1 <= self.bar <= 1:
            raise BadInput(f"bar {self.bar}: a kappa lies between -1 and 1")
        chosen = weighting_of(self.weighting) or own.weighting
        bar = Threshold(chosen, own.bar if self.bar is None else self.bar, own.moved)
        same = (bar.weighting, bar.bar) == (own.weighting, own.bar)
        return bar if same else bar.moved_from(f"{origin} {own.text}")


class GatedOptions(BarOptions):
    """The kappa to gate by, and how to check its interval."""

    bootstrap: Annotated[
        bool, option("Compute a cluster bootstrap of the gated kappa too, to compare.", "--bootstrap")
    ] = False


def refuse(options: Mapping[str, object], why: str) -> None:
    """BadInput for options that would have no effect. `why` continues the sentence after their names."""
    if given := given_in(options):
        raise BadInput(f"{given}{why}")


def given_in(options: Mapping[str, object]) -> str:
    """The names of the options that were given, for a sentence."""
    return ", ".join(f"--{name.replace('_', '-')}" for name, value in options.items() if value is not None)


def bar_origin(policy: "Policy | str | None") -> str:
    """Where the bars come from, for a sentence."""
    return "gates.toml has" if policy else "the default is"
