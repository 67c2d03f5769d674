"""Commands whose options are read when one is called: to read those of all took a third of the start."""

import inspect
from collections.abc import Callable
from functools import cached_property, partial
from typing import Any, get_type_hints

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command_from_info
from typer.models import CommandInfo

from harness.cli.help import ending_of
from harness.cli.options import Options
from harness.cli.written import OVERWRITE, refuse_outputs, with_overwrite, written_of


def read_later(app: typer.Typer) -> None:
    """Have the options of every command of an app, and of the apps in it, read when they are needed."""
    for one in app.registered_commands:
        assert one.callback is not None, "a command is a function"
        one.help = one.callback.__doc__
        one.cls = partial(_LazyCommand, one.callback)  # type: ignore[assignment]  # typer only calls it
        one.callback = _without_options
    for group in app.registered_groups:
        assert group.typer_instance is not None, "a group is an app"
        read_later(group.typer_instance)


def _without_options() -> None:
    """What typer reads in place of a command."""


class _Ending:
    """Of a command: its help ends in examples and in how the environment sets its options."""

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """The end of the help."""
        names, at = list[str](), ctx
        while at.parent:
            names, at = [at.info_name, *names], at.parent
        self.__dict__["epilog"] = ending_of(" ".join(["harness", *names]))
        super().format_epilog(ctx, formatter)  # type: ignore[misc]  # of the class it is mixed into


class CommandGroup(_Ending, TyperGroup):
    """A group that is a command too."""


class _LazyCommand(_Ending, TyperCommand):
    """A command that is made of its function when something asks for its options."""

    def __init__(self, function: Callable[..., None], **given: Any) -> None:
        self._function = function
        super().__init__(**given)

    @cached_property
    def _made(self) -> Any:
        info = CommandInfo(callback=_ungrouped(self._function))
        return get_command_from_info(info, pretty_exceptions_short=False, rich_markup_mode=None)

    @property
    def params(self) -> Any:
        """The options and arguments."""
        return self._made.params

    @params.setter
    def params(self, none: object) -> None:
        """What typer has read of the stand-in."""

    def invoke(self, ctx: Any) -> object:
        """Run the command."""
        return self._made.invoke(ctx)


def _ungrouped(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose parameters of type Options become one option for each of their fields, in order.

    What it writes is looked at before it begins: a file that may not be written over ends it.
    """
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
