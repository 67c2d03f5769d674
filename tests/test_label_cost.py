"""The forecast of a labelling, and the page of prices that is made of it."""

import os
import re
from pathlib import Path

import pytest
from builders import examples, harness, write_project
from fault_server import fault_server
from labelling import answers, by_title, label, rows, write_rows
from oracle import KEYS
from shipped import ROOT, ship

from harness.production.forecast import foresee_labels
from harness.production.label import LabelRequest
from harness.production.pairs import Input
from harness.report.labels import hours_words, month_words
from harness.runs.manifest import Asked
from harness.scorecards.label_forecast import LabelForecast
from harness.storage.project import Project

PRICES = '[models."openai/m"]\ninput = 2.0\noutput = 0.0\ncached = 1.0\nbatch = 0.5\n'
MODEL = "openai/gpt-6-luna"
RPM, TPM = 10_000, 10_000_000


def forecast_of(root: Path, model: str) -> LabelForecast:
    asked = Asked(model=model, policy="product-search", prompt="teacher", splits=(), pairs="pairs")
    request = LabelRequest([str(ROOT / "docs/pairs-example.csv")], None, asked, Input())
    return foresee_labels(Project(root), request, RPM, TPM)


def table_of(found: LabelForecast) -> list[str]:
    lines = [f"`{found.forecast.model}`, in USD ({found.forecast.source}):", ""]
    lines += [
        "| pairs a month | plain | cached | batch | batch, cached | hours |",
        "|---|---|---|---|---|---|",
    ]
    for month in found.table:
        cost = month.cost
        prices = map(month_words, (cost.plain, cost.cached, cost.batch, cost.batch_cached))
        lines.append(f"| {month.pairs:,} | {' | '.join(prices)} | {hours_words(month)} |")
    return lines


def test_an_unknown_cost_is_said_once() -> None:
    from harness.report.labels import spending_words
    from harness.scorecards.labels import LabelSpending

    none = dict.fromkeys(("input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens"))
    found = LabelSpending(asked=40, reused=0, cost=None, known=0.0, unknown=40, reason="why", **none)
    assert spending_words(found) == "Cost: unknown for 40 pairs."
    some = found.model_copy(update={"unknown": 30, "known": 0.5})
    assert spending_words(some) == "Cost: unknown: why; the others cost $0.50 for 40 pairs."


def test_golden_file_of_the_cost_page(here: Path) -> None:
    ship(here)
    table = "\n".join(table_of(forecast_of(here, MODEL)))
    path = ROOT / "docs/production-cost.md"
    text = path.read_text(encoding="utf-8")
    made = re.sub(
        r"(<!-- table -->\n).*?(<!-- end -->)",
        lambda found: f"{found[1]}\n{table}\n\n{found[2]}",
        text,
        flags=re.DOTALL,
    )
    if os.environ.get("UPDATE_CASES"):
        path.write_text(made, encoding="utf-8")
    assert made == path.read_text(encoding="utf-8")


def test_a_dry_run_counts_distinct_pairs_and_writes_nothing(here: Path) -> None:
    write_project(here)
    (here / "prices.toml").write_text(PRICES, encoding="utf-8")
    table = write_rows(here / "pairs.csv", rows(30, distinct=10))
    there = sorted(here.iterdir())
    words = ("--policy", "small", "--model", "openai/m", "--dry-run", "--json")
    found = harness("label", table, *words, "--rpm", "600", **KEYS).json
    assert sorted(here.iterdir()) == there
    assert (found["rows"], found["distinct"], found["answered"]) == (30, 10, 0)
    assert (found["forecast"]["requests"], found["proven"]) == (10, None)
    assert "is not proven" in found["warnings"][0]
    thousand, ten = found["table"][:2]
    assert (thousand["pairs"], ten["pairs"], found["table"][-1]["pairs"]) == (1_000, 10_000, 10**9)
    for span in ("low", "high"):
        plain = found["forecast"]["cost"]["plain"][span]
        assert thousand["cost"]["plain"][span] == pytest.approx(100 * plain)
        assert ten["cost"]["batch"][span] == pytest.approx(1000 * plain / 2)
        assert thousand["cost"]["cached"][span] <= thousand["cost"]["plain"][span]
    assert thousand["hours"] == {"low": 1000 / 600 / 60, "high": 1000 / 600 / 60}
    assert thousand["bound_by"] == "rpm"
    slow = harness("label", table, *words, "--rpm", "600", "--tpm", "60", **KEYS).json
    tokens = slow["forecast"]["input_tokens"]["high"] + slow["forecast"]["output_tokens"]["high"]
    assert slow["table"][0]["bound_by"] == "tpm"
    assert slow["table"][0]["hours"]["high"] == pytest.approx(100 * tokens / 60 / 60)


def test_a_dry_run_of_a_set_that_was_begun_is_about_the_rest(here: Path) -> None:
    write_project(here, golden=examples())
    table = write_rows(here / "pairs.csv", rows(6))
    with fault_server(by_title) as server:
        assert label(server, table, "--unproven").code == 0
        write_rows(table, rows(10))
        found = label(server, table, "--dry-run", "--json").json
        assert (found["answered"], found["forecast"]["requests"], len(server.requests)) == (6, 4, 6)
    assert answers() == 6


def test_limits_without_a_dry_run_are_refused(here: Path) -> None:
    write_project(here)
    table = write_rows(here / "pairs.csv", rows(2))
    for words, what in ((("--rpm", "9"), "go with --dry-run"), ((), "-o LABELS")):
        ended = harness("label", table, "--policy", "small", *words)
        assert ended.code == 2 and what in ended.err
