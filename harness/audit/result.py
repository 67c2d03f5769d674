"""An audit of a run, of a model's grades of rewritten pairs, or of two files."""

from collections.abc import Sequence

from harness.audit.asking import Rewrites
from harness.audit.effects import effects
from harness.audit.features import Subject
from harness.audit.moves import moves, steered
from harness.audit.reading import subjects_of_items, subjects_of_plain, subjects_of_run
from harness.errors import BadInput
from harness.golden.examples import stale
from harness.golden.grade_tables import read_grades
from harness.golden.graded_files import Golden, GradesFile, Levels
from harness.nouns.policy import UNDECIDED
from harness.runs.manifest import Manifest
from harness.runs.pair_run import PairRun
from harness.score.items import independence, items_of_files, names_query
from harness.score.reading import Reading
from harness.scorecards.audit import Audit, Paraphrased
from harness.storage.plural import plural
from harness.storage.visible import shown_name


def audit_model(work: Rewrites, found: PairRun) -> Audit:
    """Audit a model by its grades of plain and rewritten pairs."""
    grades = _grades(found)
    order = [id_ for id_, _ in found.outcomes]
    subjects = list(subjects_of_plain(work.examples, grades, order))
    left, policy = stale(work.examples, work.plan.policy), work.plan.policy
    count = plural(len(left), "golden grade was", "golden grades were")
    warnings = (f"{count} not yet judged under {policy.label}",) if left else ()
    audit = _audit(subjects, len(work.examples), found.manifest, found.folder.name, warnings)
    return with_rewrites(audit, work, found)


def audit_run(reading: Reading) -> Audit:
    """Audit a run by its answers. BadInput for a run without golden grades."""
    manifest = reading.run.manifest
    if not manifest.asked.kind.scored:
        what = f"{manifest.asked.kind.apart}: name a run over the golden set, such as latest~1"
        raise BadInput(f"{reading.run.folder.name}: {what}")
    subjects = list(subjects_of_run(reading))
    return _audit(subjects, len(reading.items), manifest, reading.run.folder.name, reading.mixed)


def audit_files(golden: Golden, file: GradesFile, levels: Levels) -> Audit:
    """Audit a file of grades against a file of golden grades."""
    grades = read_grades(file.path, file.table, levels.scale, file.rater)
    items, warnings = items_of_files(golden, grades, shown_name(file.path))
    subjects = list(subjects_of_items(items))
    named = independence(sum(map(names_query, items)), len(items))
    stale = golden.stale_under(levels.policy)
    return Audit(
        grader=file.name,
        graded=golden.name,
        run=shown_name(file.path),
        **_counts(subjects, len(items)),
        effects=effects(subjects),
        warnings=(*warnings, *named, *([stale] if stale else [])),
    )


def _audit(
    subjects: Sequence[Subject], items: int, manifest: Manifest, run: str, warnings: tuple[str, ...]
) -> Audit:
    asked = manifest.asked
    return Audit(
        grader=manifest.grader,
        graded=f"{asked.policy} ({'+'.join(asked.splits)})",
        run=run,
        **_counts(subjects, items),
        effects=effects(subjects),
        warnings=warnings,
    )


def _counts(subjects: Sequence[Subject], items: int) -> dict[str, int]:
    clusters = len({one.cluster for one in subjects})
    return {"n": len(subjects), "n_clusters": clusters, "unread": items - len(subjects)}


def with_rewrites(audit: Audit, work: Rewrites, found: PairRun) -> Audit:
    """Add to an audit the teacher's grades of the rewritten pairs."""
    asked, grades = frozenset(one.id for one in work.pairs()), _grades(found)
    rewrites, actions = moves(work.examples, asked, grades, found.policy, work.ways)
    return audit.model_copy(
        update={
            "rewritten": found.folder.name,
            "unanswered": found.unanswered,
            "rewrites": rewrites,
            "actions": actions,
            "paraphrases": paraphrased(work),
            "undecided": None if found.policy.decided_actions else f"{found.policy.label} {UNDECIDED}",
            "canaries": steered(work.canaries, grades),
        }
    )


def paraphrased(work: Rewrites) -> Paraphrased | None:
    """How many of the audited examples a file of paraphrases changes."""
    given, ids = work.paraphrases, {one.id for one in work.examples}
    if given is None:
        return None
    known = given.results.keys() | given.unchanged
    return Paraphrased(
        file=given.file,
        digest=given.digest,
        items=len(ids & given.results.keys()),
        of=len(ids),
        unchanged=len(ids & given.unchanged),
        elsewhere=len(known - ids),
        columns_left=given.columns_left,
    )


def _grades(found: PairRun) -> dict[str, int]:
    return {id_: grade.value for id_, grade in found.grades().items()}
