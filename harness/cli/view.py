"""`harness view`: the project's runs, policies and prompts as local web pages."""

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.groups import Host, Port
from harness.cli.options import Root, option, project_at
from harness.cli.output import say

if TYPE_CHECKING:
    from uvicorn import Server


def view_command(
    host: Host = "127.0.0.1",
    port: Port = 8765,
    open: Annotated[bool, option("Open the browser too.", "--open")] = False,
    root: Root = None,
) -> None:
    """Show runs, reports and comparisons as local web pages.

    Runs until Ctrl-C. The pages are read-only, and only this machine can reach them unless --host is given.
    """
    from harness.web.serve import viewer

    project = project_at(root)
    warning = f"warning: anyone who can reach {host} can read every run of {project.root}"
    serve_pages(viewer(project, host), host, port, browse=open, if_open=warning)


def serve_pages(server: "Server", host: str, port: int, *, browse: bool, if_open: str = "") -> None:
    """Serve pages until Ctrl-C. `if_open`: what to say where other machines can reach them."""
    from harness.web.serve import address_of, is_open, listen

    # Ctrl-C ends it: uvicorn finishes what it is sending, and then raises KeyboardInterrupt.
    with suppress(KeyboardInterrupt), listen(host, port) as listening:
        address = address_of(listening)
        if is_open(listening):
            say(if_open)
        typer.echo(address)
        say("Ctrl-C stops it.")
        if browse:
            typer.launch(address)
        server.run(sockets=[listening])
