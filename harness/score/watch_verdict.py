"""The verdict of a watch, and why, in words."""

from harness.score.watched_traffic import Moved
from harness.scorecards.watch import Direction, Drifted, Process, WatchPower
from harness.storage.plural import plural

GROWING = 10.0
"""Evidence that is reported before it is an alarm: at most one quiet watch in ten reaches it by chance."""


ToldVerdict = tuple[Drifted | None, str]
"""A verdict and its reason."""


def verdict_of(
    teacher: Process, moved: Moved, leans: Direction | None, finds: WatchPower | None
) -> ToldVerdict:
    """Who drifted. `leans`: where the evidence of the teacher points; `finds`: what the watch can see."""
    by_teacher, by_traffic = teacher.alarmed_at, moved.alarmed_at
    if by_teacher and by_traffic:
        both = f"the teacher drifted (alarm on {by_teacher}), and so did the traffic (on {by_traffic})"
        return "both", both
    if by_teacher:
        said = f"the teacher is {teacher.direction} on the sentinels (alarm on {by_teacher})"
        return "teacher", said if moved.process.e_value is None else f"{said}; the traffic is quiet"
    if by_traffic:
        quiet = "the teacher is quiet" if teacher.e_value is not None else "no sentinel says otherwise"
        return "traffic", f"{moved.words}, alarm on {by_traffic}; {quiet}"
    return _without_alarm(teacher, moved, leans, finds)


def _without_alarm(
    teacher: Process, moved: Moved, leans: Direction | None, finds: WatchPower | None
) -> ToldVerdict:
    """`none` where the teacher is watched and could have been found, and the traffic if there is any."""
    if teacher.e_value is None:
        if moved.process.e_value is None:
            return None, "no day after the baseline says anything yet"
        return None, "no drift of the traffic is shown, and the teacher was not watched: no day has sentinels"
    if finds is not None and finds.shift is None:
        days = plural(finds.days, "day")
        return None, f"even a teacher that is always wrong would not be found within {days}"
    grows = _growing(teacher, moved, leans)
    if moved.process.e_value is None:
        return "none", f"no drift of the teacher is shown{grows}; the traffic is not watched yet"
    return "none", f"no drift is shown{grows or ': neither process reached its threshold'}"


def _growing(teacher: Process, moved: Moved, leans: Direction | None) -> str:
    """The sentence about growing evidence, which is not a finding yet."""
    found = []
    if (teacher.e_value or 0.0) >= GROWING:
        found.append(f"that the teacher is {leans} is growing ({_of(teacher)})")
    if (moved.process.e_value or 0.0) >= GROWING:
        found.append(f"that the traffic moved is growing ({_of(moved.process)})")
    return f", but evidence {' and evidence '.join(found)}" if found else ""


def _of(process: Process) -> str:
    return f"{process.e_value:.3g}, and {process.threshold:g} is an alarm"
