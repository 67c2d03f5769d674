"""`harness rate` without a further command: serve a round's pages to its raters."""

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from harness.cli.groups import Host, Port, PublicUrl
from harness.cli.options import Root, option, policy_or_only, project_at
from harness.cli.output import say
from harness.cli.policy_options import named
from harness.errors import BadInput

if TYPE_CHECKING:
    from harness.web.rating.desk import Desk

PORT = 8766


def serve_command(
    context: typer.Context,
    policy: Annotated[str | None, named("name or name@v1.")] = None,
    rater: Annotated[str | None, option("Rate as this rater, on this machine; prints the address.")] = None,
    round: Annotated[str | None, option("The round. Default: the latest.", "--round", metavar="NAME")] = None,
    host: Host = "127.0.0.1",
    port: Port = PORT,
    public_url: PublicUrl = None,
    open: Annotated[bool, option("Open the browser too (with --rater).", "--open")] = False,
    root: Root = None,
) -> None:
    """Rounds of rating: people grade pairs, blind, in the browser.

    Without a command: serve a round until Ctrl-C. `--rater ann` is for one person on this machine; a team
    has a link each (`harness rate invite ann`). Only rating pages are served, with no grade but one's own.
    """
    if context.invoked_subcommand is not None:
        _refuse_options(context)
        return
    from harness.golden.rating.rounds import open_round
    from harness.web.rating.desk import Desk

    project = project_at(root)
    origin = public_origin(public_url)
    desk = Desk(project, open_round(project, policy_or_only(policy, project), round))
    if desk.opened.policy_changed:
        say(f"warning: {desk.opened.policy_changed}")
    try:
        _serve(desk, rater, host, port, origin, open)
    finally:
        desk.close()


def _serve(desk: "Desk", rater: str | None, host: str, port: int, public: str | None, browse: bool) -> None:
    from harness.web.rating.serve import rating_server
    from harness.web.serve import address_of, is_open, is_unspecified, listen

    # Ctrl-C ends it: uvicorn finishes what it is sending, and then raises KeyboardInterrupt.
    with suppress(KeyboardInterrupt), listen(host, port) as listening:
        _check_links(desk, rater, open_to_others=is_open(listening) or public is not None)
        server = rating_server((desk,), host, public)
        address = address_of(listening).rstrip("/")
        if rater is None:
            typer.echo(public or address)
            say("raters open their own links (`harness rate invite NAME`); Ctrl-C stops it.")
            if public is None and is_unspecified(listening):
                port = listening.getsockname()[1]
                say(f"from other machines: http://ADDRESS:{port}, with this machine's IP address")
        else:
            link = f"{address}/rate/{desk.session(rater)}"
            typer.echo(link)
            say(f"{rater} rates round {desk.opened.round.name} at this address; Ctrl-C stops it.")
            if browse:
                typer.launch(link)
        if is_open(listening) and not (public or "").startswith("https:"):
            say(f"warning: links go over the network in clear text; put a proxy with TLS in front of {host}")
        server.run(sockets=[listening])


def _check_links(desk: "Desk", rater: str | None, *, open_to_others: bool) -> None:
    """BadInput if no rater could open the pages, or if others could without a link."""
    from harness.golden.rating.links import linked

    if rater is not None and open_to_others:
        raise BadInput("--rater is for one person on this machine; for others: `harness rate invite NAME`")
    if rater is None and not linked(desk.folder):
        who = ", ".join(desk.opened.round.raters)
        raise BadInput(
            f"no rater has a link: `harness rate invite NAME` makes one ({who}), or give --rater NAME"
        )


def _refuse_options(context: typer.Context) -> None:
    """BadInput for an option before the command's name, which the command would not see."""
    given = [
        name
        for name in context.params
        if getattr(context.get_parameter_source(name), "name", "") == "COMMANDLINE"
    ]
    if given:
        word = context.invoked_subcommand
        options = ["--" + name.replace("_", "-") for name in given]
        raise BadInput(
            f"{', '.join(options)}: give it after the command: harness rate {word} {options[0]} ..."
        )


def public_origin(url: str | None) -> str | None:
    """The scheme and host of an address. BadInput for anything else in it."""
    if url is None:
        return None
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port)
    except ValueError:
        sound = None
    if not sound or parts.username or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise BadInput(f"--public-url: {url!r} is not an address such as https://rate.example.com")
    return f"{parts.scheme}://{parts.netloc}"
