"""The Python API, for notebooks: `from harness import gate1, gate2, compare`."""

from harness.notebook.gates import compare, compare_files, gate1, gate2, gate2_files
from harness.notebook.production import drift, estimate, judged_files, signal_files
from harness.notebook.students import check_student, choose_cascade

__all__ = [
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
