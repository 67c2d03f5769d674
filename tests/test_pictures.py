"""Pictures for documents: the numbers are in them, the same run makes the same file, names are names."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
from builders import harness
from viewing import change_manifest, names, shop

from harness.runs.folder import load_run
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
