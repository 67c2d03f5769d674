"""`harness rate`: people rate pairs."""

import typer

app = typer.Typer(help="Rounds of rating: people's blind grades.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Without a callback, typer would take a single command for the whole group."""
