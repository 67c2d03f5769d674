"""Pictures for documents: the numbers are in them, the same run makes the same file, names are names."""

import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from builders import harness
from comparing import perfect, run_of, unread_on, wrong_on
from matplotlib.figure import Figure
from viewing import change_manifest, names, shop

from harness.report.pictures import DAY, draw_trend
from harness.report.trend import series_of
from harness.runs.folder import load_run
from harness.runs.listing import Listing
from harness.storage.project import Project
from harness.verdicts.assessment import assess

TEXT = "{http://www.w3.org/2000/svg}text"
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def project(here: Path) -> Project:
    """Four runs under two prompt versions and two models."""
    return shop(here)


def texts(path: Path) -> list[str]:
    """Every text of an SVG."""
    return ["".join(text.itertext()) for text in ElementTree.parse(path).iter(TEXT)]


def draw(run: str, *words: str) -> dict[str, Path]:
    """The pictures that the command says it has drawn."""
    ended = harness("report", run, *words, "--json")
    assert ended.code == 0, ended.err
    return {Path(path).name: Path(path) for path in ended.json["pictures"]}


def test_three_pictures_are_drawn_in_each_form_and_nothing_else(project: Project) -> None:
    drawn = draw(names(project)[0], "--png", "a/b", "--svg", "c")
    assert sorted(drawn) == [
        "confusion.png", "confusion.svg", "intervals.png", "intervals.svg", "trend.png", "trend.svg",
    ]  # fmt: skip
    assert all(drawn[name].read_bytes().startswith(PNG) for name in drawn if name.endswith("png"))
    assert {path.parent.name for path in drawn.values()} == {"b", "c"}
    assert sorted(path.name for path in Path("c").iterdir()) == [
        "confusion.svg",
        "intervals.svg",
        "trend.svg",
    ]


def test_pictures_alone_make_no_report_unless_it_is_named(project: Project) -> None:
    name = names(project)[0]
    (project.runs / name / "report.html").unlink(missing_ok=True)
    draw(name, "--svg", "c")
    assert not (project.runs / name / "report.html").exists()
    draw(name, "--svg", "c", "-o", "both.html")
    assert Path("both.html").exists()


def test_the_heat_map_holds_every_count_with_its_share_of_the_row(project: Project) -> None:
    score = assess(load_run(project.runs / names(project)[0])).gate2
    found = texts(draw(names(project)[0], "--svg", "c")["confusion.svg"])
    for row in score.confusion.matrix:
        for count in row:
            assert str(count) in found
            assert not count or f"{count / sum(row):.0%}" in found


def test_the_intervals_are_those_of_the_scorecard(project: Project) -> None:
    score = assess(load_run(project.runs / names(project)[0])).gate2
    found = texts(draw(names(project)[0], "--svg", "c")["intervals.svg"])
    kappas = [(one.value, one.ci) for one in (score.kappa, score.kappa_linear, score.kappa_quadratic)]
    for value, ci in [*kappas, *((one.kappa, one.ci) for one in score.boundaries)]:
        assert value is not None
        assert ci is not None
        assert f"{value:.3f} [{ci[0]:.3f}, {ci[1]:.3f}]" in found
    assert "kappa (gated)" in found


def test_a_kappa_without_an_interval_or_value_is_said(project: Project) -> None:
    found = texts(draw(names(project)[-1], "--svg", "c")["intervals.svg"])
    assert "0.000" in found


def test_the_trend_has_every_prompt_version_of_this_policy_and_split(project: Project) -> None:
    found = texts(draw(names(project)[0], "--svg", "c")["trend.svg"])
    assert {"teacher@v1", "teacher@v2", "this run", "small@v1 (dev)"} <= set(found)


def test_the_trend_joins_no_run_that_stands_apart(project: Project) -> None:
    """Too few answers, stale grades, fewer examples: hollow, with the reason, and on no line with others."""
    words = ("--prompt", "teacher@v2")
    grades = [wrong_on(1), unread_on(*range(45)), perfect, wrong_on(2), perfect, wrong_on(3)]
    limits: list[tuple[str, ...]] = [(), (), (), (), ("--limit", "30"), ()]
    made = [
        run_of(project.root, grade, *words, *limit, file="best.csv")
        for grade, limit in zip(grades, limits, strict=True)
    ]
    for minute, name in enumerate(made):
        change_manifest(project.runs / name, created_at=f"2031-01-01T10:{minute:02}:00+00:00")
    one, unread, stale, two, few, three = made
    change_manifest(project.runs / stale, stale=60)
    reasons = {
        unread: "coverage 25.0% is under 99.0%",
        stale: "60 of 60 examples not yet judged under small@v1",
        few: "30 examples, not 60",
    }
    runs = Listing(project).runs()
    for main in (None, next(run for run in runs if run.name == one)):
        points = [point for series in series_of(runs, main) for point in series.points]
        assert {point.run: point.apart for point in points if point.run in made} == {
            **dict.fromkeys(made), **reasons
        }  # fmt: skip
    figure = Figure()
    draw_trend(figure, runs, 0.8, "small@v1 (dev)", one)
    at = {point.run: point.at / DAY for point in points}
    drawn = [(line, np.asarray(line.get_xdata()).tolist()) for line in figure.axes[0].get_lines()]
    joined = [times for line, times in drawn if line.get_linewidth() == 0.8 and len(times) > 1]
    (together,) = [times for times in joined if at[one] in times]
    assert together[-3:] == [at[one], at[two], at[three]]
    assert not [name for name in reasons if any(at[name] in times for times in joined)]
    marks = {times[0]: line for line, times in drawn if line.get_markersize() == 7 and times}
    assert {name for name in made if marks[at[name]].get_color() == "white"} == set(reasons)
    found = texts(draw(one, "--svg", "c")["trend.svg"])
    assert {f"not comparable: {why}" for why in reasons.values()} <= set(found)


@pytest.mark.slow
def test_the_same_run_makes_the_same_file(project: Project) -> None:
    first = {name: path.read_bytes() for name, path in draw("latest", "--png", "a", "--svg", "a").items()}
    again = {name: path.read_bytes() for name, path in draw("latest", "--png", "b", "--svg", "b").items()}
    assert first == again


def test_a_name_is_no_formula_and_no_markup(project: Project) -> None:
    name = names(project)[0]
    asked = load_run(project.runs / name).manifest.asked.model_dump(mode="json")
    change_manifest(project.runs / name, asked={**asked, "model": r"replay/$\frac{1}{ <b>&"})
    (title,) = [text for text in texts(draw(name, "--svg", "c")["confusion.svg"]) if "replay/" in text]
    assert r"replay/$\frac{1}{ <b>&" in title


def test_pictures_that_would_leave_something_out_are_refused(project: Project) -> None:
    first, second, *_ = names(project)
    ended = harness("report", first, second, "--png", "a")
    assert ended.code == 2
    assert "add -o FILE" in ended.err


def test_pictures_without_matplotlib_say_what_to_install(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    ended = harness("report", "latest", "--png", tmp_path / "png")
    assert ended.code == 2
    assert "pip install 'teacher-harness[pictures]'" in ended.err
    assert not (tmp_path / "png").exists()
    assert harness("report", "latest").code == 0
