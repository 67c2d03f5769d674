"""`harness view`: the project's runs, policies and prompts as local web pages."""

from contextlib import suppress
from typing import Annotated

import typer

from harness.cli.groups import Host, Port
from harness.cli.options import Root, option, project_at
from harness.cli.output import say


def view_command(
    host: Host = "127.0.0.1",
    port: Port = 8765,
    open: Annotated[bool, option("Open the browser too.", "--open")] = False,
    root: Root = None,
) -> None:
    """Show runs, reports and comparisons as local web pages.

    Runs until Ctrl-C. The pages are read-only, and only this machine can reach them unless --host is given.
    """
    from harness.web.serve import address_of, is_open, listen, viewer

    project = project_at(root)
    server = viewer(project, host)
    # Ctrl-C ends it: uvicorn finishes what it is sending, and then raises KeyboardInterrupt.
    with suppress(KeyboardInterrupt), listen(host, port) as listening:
        address = address_of(listening)
        if is_open(listening):
            say(f"warning: anyone who can reach {host} can read every run of {project.root}")
        typer.echo(address)
        say("Ctrl-C stops it.")
        if open:
            typer.launch(address)
        server.run(sockets=[listening])
