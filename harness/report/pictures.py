"""Pictures for documents, by matplotlib: heat map, intervals, and kappa over time.

PNG or SVG, on white paper, in colours that are safe for the colour-blind, with a shape for each. Text in an
SVG stays text. The same run gives the same file, byte for byte.
"""

import textwrap
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from harness.errors import BadInput
from harness.report.figures import KAPPAS
from harness.report.formats import number, with_interval
from harness.report.trend import Series, series_of
from harness.runs.folder import Run
from harness.runs.leaderboard import own_reason
from harness.runs.listing import ListedRun
from harness.scorecards.gate2 import Gate2
from harness.scorecards.shared import Estimate
from harness.verdicts.assessment import Assessment

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    Drawing = Callable[[Figure], None]

Form = Literal["png", "svg"]
DPI = 200
DAY = 86_400
"""Seconds: matplotlib counts time in days."""
TONES = ("#0b5f8a", "#b34700", "#4b6b00", "#7a3fa0", "#8a5a00", "#a8235f")
MARKS = ("o", "s", "^", "D", "v", "P")
BANDS = ((-1.0, 0.6, "#f4d9c6"), (0.6, 0.8, "#f3ebc0"), (0.8, 1.0, "#cfe5f5"))
"""From, to and colour of weak, moderate and strong."""


class PlotLine(NamedTuple):
    """A line of the interval plot."""

    name: str
    estimate: Estimate


def write_pictures(folder: Path, form: Form, found: Assessment, runs: Sequence[ListedRun]) -> list[Path]:
    """Write heat map, intervals and trend of a run into a folder; returns the files.

    `runs`: those over the same policy and split. Without a kappa among them no trend is written.
    BadInput without matplotlib, which is an extra.
    """
    if find_spec("matplotlib") is None:
        raise BadInput("pictures take one more package: pip install 'teacher-harness[pictures]'")
    run, score = found.run, found.gate2
    grader, golden = run.manifest.sides
    title = f"{grader} on {golden}"
    drawings: dict[str, Drawing] = {
        "confusion": lambda figure: draw_heat_map(figure, score, title),
        "intervals": lambda figure: draw_intervals(figure, score, title),
    }
    if any(one.kappa is not None for one in runs):
        drawings["trend"] = lambda figure: draw_trend(figure, runs, score.bar, golden, run.folder.name)
    folder.mkdir(parents=True, exist_ok=True)
    return [_save(folder / f"{name}.{form}", form, draw) for name, draw in drawings.items()]


def like(run: Run, runs: Sequence[ListedRun]) -> list[ListedRun]:
    """The runs over the same policy and split, whose kappas are comparable."""
    sides = run.manifest.sides[1]
    return [one for one in runs if one.manifest and one.manifest.sides[1] == sides]


def _save(path: Path, form: Form, draw: "Drawing") -> Path:
    # A bare Figure needs neither pyplot nor a display: savefig chooses the backend by the file's format.
    import matplotlib as mpl
    from matplotlib.figure import Figure

    style = mpl.rc_context(
        {
            "font.family": ["DejaVu Sans"],
            "font.size": 10,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "date.converter": "concise",
            "figure.constrained_layout.use": True,
            "text.parse_math": False,  # do not read a dollar sign in a name as mathtext
            "svg.fonttype": "none",
            "svg.hashsalt": "harness",
        }
    )
    with style:
        figure = Figure()
        draw(figure)
        # Without a date, the same run gives the same bytes.
        metadata = {"Date": None, "Creator": "harness"} if form == "svg" else {"Software": "harness"}
        figure.savefig(path, format=form, dpi=DPI, metadata=metadata)
    return path


def draw_heat_map(figure: "Figure", score: Gate2, title: str) -> None:
    """Counts and their shares of the row, with agreements framed."""
    labels, matrix = score.confusion.labels, score.confusion.matrix
    size = max(3.6, 0.85 * len(labels) + 1.6)
    figure.set_size_inches(size + 0.6, size)
    axes = figure.add_subplot()
    shares = [[count / (sum(row) or 1) for count in row] for row in matrix]
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for at, row in enumerate(matrix):
        for beside, count in enumerate(row):
            share = shares[at][beside]
            text = f"{count:,}\n{share:.0%}" if count else "0"
            tone = "white" if share > 0.55 else "black"
            axes.text(beside, at, text, ha="center", va="center", color=tone, fontsize=9)
        axes.add_patch(_frame(at))
    axes.set_xticks(range(len(labels)), [str(label) for label in labels])
    axes.set_yticks(range(len(labels)), [str(label) for label in labels])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("grader's grade")
    axes.set_ylabel("golden grade")
    axes.set_title(_fitted(title, size), fontsize=10, loc="left")


def _frame(at: int) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((at - 0.48, at - 0.48), 0.96, 0.96, fill=False, edgecolor="#525d6b", linewidth=1.5)


def draw_intervals(figure: "Figure", score: Gate2, title: str) -> None:
    """Every kappa of the scorecard with its interval, with the bands and the threshold."""
    lines = list(_lines(score))
    figure.set_size_inches(7.2, 0.42 * len(lines) + 1.5)
    axes = figure.add_subplot()
    ends = [
        end for line in lines for end in (line.estimate.value, *(line.estimate.ci or ())) if end is not None
    ]
    floor = min([0.0, *ends])
    for low, high, colour in BANDS:
        axes.axvspan(max(low, floor), high, color=colour, linewidth=0, zorder=0)
    axes.axvline(score.bar, color="black", linestyle=(0, (4, 2)), linewidth=1.2)
    for at, line in enumerate(lines):
        _draw_line(axes, at, line, floor)
    axes.set_yticks(range(len(lines)), [line.name for line in lines])
    axes.set_ylim(len(lines) - 0.4, -0.6)
    axes.set_xlim(floor, 1)
    axes.set_xlabel(f"kappa, 95 % interval; the dashed line is the bar of the gated one, {score.bar:g}")
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.set_title(_fitted(title, 7.2), fontsize=10, loc="left")


def _draw_line(axes: "Axes", at: int, line: PlotLine, floor: float) -> None:
    value, ci = line.estimate.value, line.estimate.ci
    if value is None:
        axes.text(floor + 0.01, at, f"undefined: {line.estimate.reason}", va="center", fontsize=8)
        return
    if ci:
        axes.plot(ci, (at, at), color="black", linewidth=2.2, solid_capstyle="butt")
    axes.plot([value], [at], "o", color="black", markeredgecolor="white", markersize=8)
    said = with_interval(number(value), ci)
    axes.annotate(said, (1.01, at), xycoords=("axes fraction", "data"), va="center", fontsize=9)


def _lines(score: Gate2) -> Iterator[PlotLine]:
    """Kappa under each weighting, then of the actions, the boundaries, and people."""
    for figure in KAPPAS:
        name, estimate = figure.row.strip() or figure.column, figure.of(score)
        yield PlotLine(f"{name} (gated)" if estimate == score.gated_kappa else name, estimate)
    if score.actions:
        actions = score.actions
        yield PlotLine(
            "kappa of actions", Estimate(value=actions.kappa, ci=actions.ci, reason=actions.reason)
        )
    for one in score.boundaries:
        name = f"grade {one.at_least} or more"
        yield PlotLine(name, Estimate(value=one.kappa, ci=one.ci, reason=one.reason))


def draw_trend(figure: "Figure", runs: Sequence[ListedRun], bar: float, title: str, ringed: str) -> None:
    """Each run's kappa over time with its interval; a colour and a shape per prompt version."""
    figure.set_size_inches(7.2, 4.2)
    axes = figure.add_subplot()
    axes.xaxis_date()
    axes.axhline(bar, color="black", linestyle=(0, (4, 2)), linewidth=1.2)
    series = series_of(
        runs, next((one for one in runs if one.name == ringed and own_reason(one) is None), None)
    )
    for at, one in enumerate(series):
        _draw_series(axes, one, TONES[at % len(TONES)], MARKS[at % len(MARKS)])
    for point in [point for one in series for point in one.points if point.run == ringed]:
        axes.plot(
            [point.at / DAY], [point.kappa], "o", color="none", markeredgecolor="black", markersize=14,
            label="this run",
        )  # fmt: skip
    for why in dict.fromkeys(point.apart for one in series for point in one.points if point.apart):
        axes.plot([], [], "o", color="none", markeredgecolor="black", label=f"not comparable: {why}")
    axes.set_ylim(top=1)
    axes.set_ylabel("kappa, 95 % interval")
    axes.grid(axis="y", color="#d5dae1", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.legend(loc="best", frameon=False)
    axes.set_title(_fitted(title, 7.2), fontsize=10, loc="left")


def _draw_series(axes: "Axes", series: Series, tone: str, mark: str) -> None:
    """One prompt version: a thin line joins comparable runs of one model; a hollow mark is not comparable."""
    for line in series.lines:
        times, kappas = [point.at / DAY for point in line], [point.kappa for point in line]
        axes.plot(times, kappas, color=tone, linewidth=0.8, alpha=0.6)
    for point in series.points:
        if point.ci:
            axes.plot((point.at / DAY,) * 2, point.ci, color=tone, linewidth=1.6, alpha=0.85)
        fill, edge = ("white", tone) if point.apart else (tone, "white")
        axes.plot(point.at / DAY, point.kappa, mark, color=fill, markeredgecolor=edge, markersize=7)
    axes.plot([], [], mark, color=tone, markeredgecolor="white", markersize=7, label=series.prompt)


def _fitted(title: str, inches: float) -> str:
    return textwrap.fill(title, int(inches * 12))
