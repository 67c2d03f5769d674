"""Commands that are imported when one is called: to import them all took a third of the start."""

import inspect
from collections.abc import Callable
from functools import cached_property, partial
from importlib import import_module
from typing import Any, get_type_hints

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command_from_info
from typer.models import CommandInfo

from harness.cli.commands import COMMANDS, GROUPS
from harness.cli.help import ending_of
from harness.cli.options import Options


def add_commands(app: typer.Typer) -> None:
    """Add every command to an app; those of two words to the group of their first one."""
    groups = {name: _group(name) for name in GROUPS}
    for name, group in groups.items():
        app.add_typer(group, name=name, short_help=GROUPS[name])
    for words, one in COMMANDS.items():
        if words not in GROUPS:
            first, _, last = words.rpartition(" ")
            later: Any = partial(_LazyCommand, one.place)  # typer only calls it
            groups.get(first, app).command(last, cls=later, short_help=one.summary)(_without_options)


def _group(name: str) -> typer.Typer:
    if name not in COMMANDS:
        return typer.Typer(help=GROUPS[name], no_args_is_help=True)
    app = typer.Typer(cls=type("_CommandGroup", (_LazyGroup,), {"_place": COMMANDS[name].place}))
    app.callback(invoke_without_command=True)(_without_options)
    return app


def _without_options() -> None:
    """The stand-in that typer reads in place of a command."""


def _of_the_made(name: str) -> Any:
    """An attribute that typer sets from the stand-in, and that is read from the command itself."""
    return property(lambda self: getattr(self._made, name), lambda self, _: None)


class _Lazy:
    """A command that is imported when its options are needed, and whose help has an ending."""

    _place: str
    params = _of_the_made("params")
    callback = _of_the_made("callback")
    help = _of_the_made("help")

    @property
    def function(self) -> Callable[..., None]:
        """The command."""
        module, name = self._place.split(":")
        command: Callable[..., None] = getattr(import_module(f"harness.cli.{module}"), name)
        return command

    @cached_property
    def _made(self) -> Any:
        info = CommandInfo(callback=_ungrouped(self.function), help=self.function.__doc__)
        return get_command_from_info(info, pretty_exceptions_short=False, rich_markup_mode=None)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """The end of the help: examples, and how the environment sets the options."""
        names, at = list[str](), ctx
        while at.parent:
            names, at = [at.info_name, *names], at.parent
        self.__dict__["epilog"] = ending_of(" ".join(["harness", *names]))
        super().format_epilog(ctx, formatter)  # type: ignore[misc]  # of the class it is mixed into


class _LazyGroup(_Lazy, TyperGroup):
    """A group that is a command too."""


class _LazyCommand(_Lazy, TyperCommand):
    """A command that is not a group."""

    def __init__(self, place: str, **given: Any) -> None:
        self._place = place
        super().__init__(**given)


def _ungrouped(command: Callable[..., None]) -> Callable[..., None]:
    """A command with one option for each field of its parameters of type Options, in order.

    It checks the files that it is to write before it begins, and ends if one may not be overwritten.
    """
    # The list of commands needs neither this nor what it imports.
    from harness.cli.written import OVERWRITE, refuse_outputs, with_overwrite, written_of

    hints = get_type_hints(command, include_extras=True)
    groups = {
        name: kind for name, kind in hints.items() if isinstance(kind, type) and issubclass(kind, Options)
    }

    own = inspect.signature(command, eval_str=True).parameters

    def run(**given: Any) -> None:  # the values are as typed as their options: typer parses them
        refuse_outputs(given, written)
        if OVERWRITE not in own:
            given.pop(OVERWRITE, None)
        for name, kind in groups.items():
            given[name] = kind(**{field: given.pop(field) for field in kind.fields()})
        command(**given)

    shown = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for one in own.values()
        for parameter in (groups[one.name].parameters() if one.name in groups else [one])
    ]
    written = written_of(shown)
    shown = with_overwrite(shown, written)
    run.__dict__["__signature__"] = inspect.Signature(shown)
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in shown}
    return run
