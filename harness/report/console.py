"""The console: what it prints may come from a server or a stranger, and must not steer the terminal."""

from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from harness.storage.visible import visible


class SafeConsole(Console):
    """Rich's console, which lets an escape in a text through."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Every text with its control characters visible; Rich's own are segments of another kind."""
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else visible(text), style, control)
