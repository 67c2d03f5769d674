"""`harness demo-server`: every model API on loopback, without a model behind it."""

from contextlib import suppress
from typing import Annotated

import typer

from harness.cli.groups import Port
from harness.cli.options import Root, option, policy_or_only, project_at
from harness.cli.output import say


def demo_server_command(
    policy: Annotated[str | None, option("The policy that gives the scale and the shots.")] = None,
    port: Port = 8123,
    latency: Annotated[float, option("Milliseconds before every answer.", min=0)] = 0.0,
    faults: Annotated[float, option("Share of requests that fail.", min=0, max=1)] = 0.0,
    seed: Annotated[int, option("Seed that chooses the requests that fail.")] = 0,
    batch: Annotated[float, option("Seconds that a batch takes.", min=0)] = 10.0,
    canned: Annotated[
        bool, option("Answer each grade in turn without reading, to measure clients.", "--canned")
    ] = False,
    root: Root = None,
) -> None:
    """Answer as the model APIs do, to try the network path without a key.

    Runs until Ctrl-C, and only this machine can reach it. It is not a model: builtin/lexical grades, and
    every answer says so.
    """
    import asyncio

    from harness.demo.answers import SAYS
    from harness.demo.server import Conduct, answers_of, serve_until_interrupted

    project = project_at(root)
    conduct = Conduct(latency / 1000, faults, seed, batch, canned)
    serve = answers_of(project, policy_or_only(policy, project), conduct)

    def tell(url: str) -> None:
        typer.echo(url)
        say(f"Ctrl-C stops it. {SAYS}")
        say(f"In another terminal: harness eval --model openai/demo --base-url {url}")

    with suppress(KeyboardInterrupt):
        asyncio.run(serve_until_interrupted(serve, port, tell))
