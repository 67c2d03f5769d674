"""The teacher that a student has learned from, if its run says it."""

from harness.errors import BadInput
from harness.providers import is_path, is_prompted, saved_digest, split_model
from harness.providers.student_file import load_saved
from harness.providers.student_policy import unknown_to
from harness.providers.student_saved import SavedStudent
from harness.runs.folder import Run
from harness.scorecards.student import StudentOrigin
from harness.storage.project import Project

SHOTS = "the shots of the golden set"


def origin_of(run: Run, teacher: str | None, project: Project) -> StudentOrigin | None:
    """What the student of a run has learned from; None where nothing says so.

    `teacher`: the model that it is held against; None if that is not a run. A student's folder counts where
    it is still the one that the run asked.
    """
    model = run.manifest.asked.model
    if not is_prompted(model) and not is_path(model):
        return StudentOrigin(teacher=SHOTS, held_against=teacher, other=teacher is not None)
    saved = _saved(run, project)
    if saved is None:
        return None
    return StudentOrigin(
        teacher=saved.teacher,
        policy=saved.policy,
        unknown=unknown_to(saved, run.policy, project),
        held_against=teacher,
        other=teacher is not None and teacher != saved.teacher,
    )


def _saved(run: Run, project: Project) -> SavedStudent | None:
    model, digest = run.manifest.asked.model, run.manifest.digests.trained
    if digest is None:
        return None
    try:
        if saved_digest(model, project.root) != digest:
            return None
        return load_saved(project.root / split_model(model)[1])
    except (BadInput, OSError):
        return None
