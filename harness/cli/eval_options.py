"""The options of `harness eval`, and of whatever else has a teacher grade."""

from typing import Annotated

import typer

Model = Annotated[
    str | None, typer.Option(help="provider/model. Default: builtin/lexical, no key, no network.")
]
Policy = Annotated[str | None, typer.Option(help="name or name@v1. Default: product-search.")]
Prompt = Annotated[str | None, typer.Option(help="name or name@v2. Default: teacher, the latest.")]
Split = Annotated[str | None, typer.Option(help="dev, test or dev+test. Default: dev.")]
Canaries = Annotated[
    bool, typer.Option("--canaries", help="Grade the canaries instead: does text in a product steer it?")
]
Limit = Annotated[int | None, typer.Option(min=1, help="Grade a sample of this many examples.")]
Only = Annotated[str | None, typer.Option(help="Grade just these examples, by id: a,b,c")]
DisagreementsOf = Annotated[
    str | None,
    typer.Option(metavar="RUN", help="Grade just what this run got wrong, or gave no readable answer to."),
]
Shots = Annotated[
    int | None, typer.Option(min=0, help="Golden examples in the prompt. Default: as the prompt says.")
]
Repeats = Annotated[
    int | None, typer.Option(min=1, max=100, help="Ask about every example this many times. Default: 1.")
]
Aggregate = Annotated[
    str | None, typer.Option(help="What repeats count for: mean (each its share) or vote. Default: mean.")
]
Seed = Annotated[int | None, typer.Option(help="For the sample of --limit; sent to the model where given.")]
Temperature = Annotated[
    float | None, typer.Option(min=0, max=10, help="Sent to the model where given; some models refuse it.")
]
BaseUrl = Annotated[str | None, typer.Option(help="A server of your own that speaks the provider's API.")]
Connections = Annotated[
    int | None,
    typer.Option(min=1, max=5000, help="Calls in flight at most. Default: as many as the server bears."),
]
NoCache = Annotated[
    bool,
    typer.Option("--no-cache", help="Ask anew, whatever earlier runs were answered, and keep nothing."),
]
Batch = Annotated[
    bool, typer.Option("--batch", help="Through the provider's batch API: half the price, within a day.")
]
Resume = Annotated[
    str | None, typer.Option(metavar="RUN", help="Go on with a run: ask only what has no answer.")
]
RetryFailed = Annotated[
    bool,
    typer.Option("--retry-failed", help="Go on with a run (latest, or --resume): ask only what failed."),
]
MaxCost = Annotated[
    float | None, typer.Option(min=0, metavar="USD", help="Stop before the run costs more than this.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be asked and cost, and ask nothing.")]
NoReport = Annotated[
    bool, typer.Option("--no-report", help="Leave out report.html, which up to 2,000 pairs get.")
]
