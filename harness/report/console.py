"""The console. Printed text may be untrusted and must not control the terminal."""

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
