"""Whether a student may stand in for its teacher, for a terminal."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from harness.report.formats import interval, number, percent, signed, with_interval
from harness.report.parts import below, columns, indented, table_of, verdict_line, warnings, whole
from harness.score.rating_matrix import MIN_COMMON
from harness.scorecards.student import Finding, OnProduction, Stack, StudentCheck, StudentSlice, teacher_words
from harness.storage.plural import plural

SLICES = 8
TAUGHT: dict[Finding, str] = {
    "broken_slice": "On some items it loses more than on the rest: see the slices.",
    "lossy": "It has lost what its teacher knows: train it on more pairs, or a larger one.",
    "better": "It is better than its teacher.",
    "inherits": "It has learned its teacher's errors: a better student needs a better teacher.",
}
OTHER: dict[Finding, str] = {
    "broken_slice": TAUGHT["broken_slice"],
    "lossy": "It is worse than {teacher}, and learned from {origin}.",
    "better": "It is better than {teacher}, and learned from {origin}.",
    "inherits": "It repeats most errors of {teacher}, and learned from {origin}.",
}
"""The findings about a student that learned from another teacher than the one it is compared with."""


def check_view(found: StudentCheck) -> Iterator[RenderableType]:
    """The verdict, the kappas, what was lost and inherited, and where."""
    what = f" under {found.policy}" if found.policy else ""
    where = f" ({found.part})" if found.part else ""
    student, teacher = whole(found.student.name), whole(found.teacher.name)
    yield Text(f"May {student} stand in for {teacher}{what}{where}?", "bold")
    yield verdict_line(found.verdict, found.reason)
    pairs, queries = plural(found.n, "item"), plural(found.n_clusters, "query")
    yield Text(f"On {pairs} of {queries} that both graded.{_left(found)}")
    yield indented(_kappas(found))
    delta = found.delta
    why = f" ({delta.reason})" if delta.reason else ""
    yield Text(f"Student minus teacher, {found.gated}: {with_interval(signed(delta.value), delta.ci)}{why}")
    yield indented(_shares(found))
    yield from _slices(found)
    yield from _stack(found.stack)
    yield from _confidence(found)
    yield from _production(found.production)
    if found.production is None and found.verdict == "pass":
        yield Text("Production was not looked at; add --student-labels, --teacher-labels and --ratings.")
    if found.cuts:
        cuts = ", ".join(number(cut) for cut in found.cuts.cuts)
        of = plural(found.cuts.n, "item")
        yield Text(
            f"Cuts {cuts}: chosen on {of} of dev, where kappa is {number(found.cuts.kappa)}; judged on test."
        )
    for finding in found.findings:
        yield Text(_finding(finding, found))
    yield from map(Text, found.notes)
    yield from warnings(found.warnings, above=True)


def _finding(finding: Finding, found: StudentCheck) -> str:
    """A finding in words, which name who taught the student if that is known."""
    origin = found.origin
    if finding == "miscalibrated":
        sure = found.overconfidence and found.overconfidence.value
        which = "surer" if sure and sure > 0 else "less sure"
        return f"It is {which} than it is right: a cascade takes a threshold chosen on dev."
    if origin is None or not origin.other:
        return TAUGHT[finding]
    return OTHER[finding].format(teacher=teacher_words(origin), origin=origin.teacher)


def _left(found: StudentCheck) -> str:
    lost = {
        "only the student was asked": found.only_student,
        "only the teacher was asked": found.only_teacher,
        "the student's answer is unread": found.unread_student,
        "the teacher's answer is unread": found.unread_teacher,
    }
    said = "; ".join(f"{count:,} where {why}" for why, count in lost.items() if count)
    return f" Left out: {said}." if said else ""


def _kappas(found: StudentCheck) -> RenderableType:
    table = columns("", "kappa", "95 % interval", "linear", "quadratic", "coverage")
    sides = {
        "student, golden": found.student,
        "teacher, golden": found.teacher,
        "student, teacher": found.student_vs_teacher,
    }
    for name, one in sides.items():
        figures = one.kappa_linear.value, one.kappa_quadratic.value, one.coverage
        table.add_row(name, number(one.kappa.value), interval(one.kappa.ci) or "-", *map(number, figures))
    return table


def _shares(found: StudentCheck) -> RenderableType:
    shares = {
        "lost: teacher right, student differs": found.distillation_loss,
        "inherited: teacher wrong, student alike": found.inherited_error,
        "gained: teacher wrong, student right": found.gain,
    }
    rows = (
        (name, percent(one.value), interval(one.ci) or str(one.reason or "-"), f"{one.n:,}")
        for name, one in shares.items()
    )
    return columns("", "share", "95 % interval", "of", rows=rows)


def _slices(found: StudentCheck) -> Iterator[RenderableType]:
    if not found.slices:
        return
    enough = [one for one in found.slices if one.kind == "boundary" or one.n >= MIN_COMMON]
    table = columns("where", "items", "its own", "teacher's", "difference", "95 % interval", "p")
    # A name is folded rather than an interval.
    table.columns[5].no_wrap = True
    few_enough = sorted(enough, key=lambda one: (one.ci is None, one.difference))[:SLICES]
    for one in few_enough:
        table.add_row(*_slice(one))
    if enough:
        yield indented(table)
    for reason in dict.fromkeys(one.reason for one in few_enough if one.reason):
        names = ", ".join(one.slice for one in few_enough if one.reason == reason)
        yield below(f"{names}: {reason}.")
    if (more := len(enough) - SLICES) > 0:
        yield Text(f"... and {plural(more, 'slice')} more with --json.")
    if few := len(found.slices) - len(enough):
        have = plural(few, "slice has", "slices have")
        yield Text(f"{have} fewer than {MIN_COMMON} items, and no interval: see --json.")


def _slice(one: StudentSlice) -> tuple[str, ...]:
    shown = (f"{one.n:,}", percent(one.student), percent(one.teacher), signed(one.difference))
    return (whole(one.slice), *shown, interval(one.ci) or "-", number(one.p))


def _stack(found: Stack | None) -> Iterator[RenderableType]:
    if found is None:
        return
    rows = ((one.name, percent(one.value), interval(one.ci) or "-", one.words) for one in found.stages)
    yield from table_of("stage", "right", "95 % interval", "", rows=rows)
    by_chance = f"{percent(found.product)} if they were independent"
    yield Text(f"All three are right on {percent(found.kept)} {interval(found.ci)}; {by_chance}.")


def _confidence(found: StudentCheck) -> Iterator[RenderableType]:
    sure = found.overconfidence
    if sure is None or found.calibration is None:
        return
    error = f"calibration error {number(found.calibration.ece)}"
    yield Text(f"Sure minus right: {signed(sure.value)} {interval(sure.ci)}; {error}.")


def _production(found: OnProduction | None) -> Iterator[RenderableType]:
    if found is None:
        return
    rated = f"{plural(found.n, 'rated pair')} of {plural(found.n_queries, 'query')}"
    each = f"the student is right on {percent(found.student)}, its teacher on {percent(found.teacher)}"
    yield Text(f"On production, by traffic ({rated}): {each} ({signed(found.difference)}).")
    one = found.estimate
    alone = f"the student alone says {number(one.teacher_only)}"
    yield Text(f"Production, {one.words}: {number(one.value)} {interval(one.ci)}; {alone}.")
