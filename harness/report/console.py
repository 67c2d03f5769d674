"""The console. Printed text may be untrusted and must not control the terminal."""

import os
import sys
from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from harness.storage.visible import visible


class SafeConsole(Console):
    """Rich's console, with control characters escaped: Rich passes them through."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Escape control characters in texts. Rich's own control codes are segments of another kind."""
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else visible(text), style, control)

    def on_broken_pipe(self) -> None:
        """The reader has stopped, such as `head`: drop the rest, and keep the command's exit code."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
