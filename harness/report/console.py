"""The console. Printed text may be untrusted and must not control the terminal."""

import os
import re
import sys
from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from harness.report.folding import FoldedText
from harness.storage.visible import visible

GLUE = "\ue000"
"""A space that lines are not folded at, of Unicode's private use: printed as a space."""


class SafeConsole(Console):
    """Rich's console, with control characters escaped, which Rich passes through, and long names folded."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Escape control characters in texts. Rich's own control codes are segments of another kind."""
        renderable = FoldedText.of(renderable) if type(renderable) is Text else renderable
        for segment in super().render(renderable, options):
            text, style, control = segment
            # What is printable holds nothing to escape. Most texts are, and each passes here once for every
            # table and padding that it stands in.
            plain = control or text.isprintable()
            yield segment if plain else Segment(visible(text).replace(GLUE, " "), style, control)

    def render_str(self, text: str, **how: Any) -> Text:
        """A string as a text, as in a table's cell."""
        return FoldedText.of(super().render_str(text, **how))

    def put(self, part: RenderableType) -> None:
        """Write a part. A string is not folded: folding would break a path to copy.

        Spaces that fill up the lines of a table are written to a terminal only.
        """
        if isinstance(part, str):
            written = f"{visible(part)}\n"
        else:
            with self.capture() as captured:
                self.print(part)
            written = captured.get()
        try:
            self.file.write(written if self.is_terminal else re.sub(r" +$", "", written, flags=re.MULTILINE))
            self.file.flush()
        except BrokenPipeError:
            self.on_broken_pipe()

    def on_broken_pipe(self) -> None:
        """The reader has stopped, such as `head`: drop the rest, and keep the command's exit code."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
