"""Can we trust this LLM's judgement of our product? An eval harness for LLM teacher models.

In a notebook: `from harness import gate1, gate2, compare, estimate, signal_files, drift`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.notebook import (
        check_student,
        choose_cascade,
        compare,
        compare_files,
        drift,
        estimate,
        gate1,
        gate2,
        gate2_files,
        judged_files,
        signal_files,
    )

__version__ = "0.1.0"
__all__ = [
    "__version__",
    "check_student",
    "choose_cascade",
    "compare",
    "compare_files",
    "drift",
    "estimate",
    "gate1",
    "gate2",
    "gate2_files",
    "judged_files",
    "signal_files",
]


def __getattr__(name: str) -> Any:
    """The notebook's functions, loaded at their first use: the command line does not need them."""
    if name in __all__:
        from harness import notebook

        return getattr(notebook, name)
    raise AttributeError(f"module 'harness' has no attribute {name!r}")
