"""A plan as a new run folder: its manifest and copies of its inputs."""

import os
import platform
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from harness import __version__
from harness.errors import BadInput, Fault
from harness.golden.rating.raters import RATERS, rater_kinds
from harness.golden.rating.ratings import RATINGS
from harness.grading.executors import executor_of
from harness.grading.plan import Plan
from harness.policy.load import gates_digest
from harness.providers import SDKS, is_path, is_prompted, is_recorded, reads_grades, sold_as, split_model
from harness.runs.folder import EXAMPLES, PAIRS
from harness.runs.manifest import Manifest
from harness.storage.files import Content, read_bytes, stamp_of, to_lines
from harness.storage.project import Project

PACKAGES = (*SDKS, "jinja2", "scikit-learn", "tenacity", "pydantic", "datasets", "numpy")


def new_manifest(project: Project, plan: Plan) -> Manifest:
    """The manifest of a run that begins now."""
    now = datetime.now(UTC)
    commit, dirty = _commit(project.root)
    vendor = sold_as(plan.asked.model).vendor_at(plan.asked.base_url)
    return Manifest(
        name=_run_name(plan, now),
        created_at=now.isoformat(timespec="seconds"),
        asked=plan.asked,
        digests=plan.digests,
        gates=gates_digest(plan.gates),
        examples=plan.size,
        shots=tuple(shot.id for shot in plan.writer.shown),
        shots_dropped=tuple(drop.shot for drop in plan.dropped),
        worked_withheld=plan.withheld,
        stale=plan.stale,
        sources=plan.sources,
        rated_under=plan.rated_under,
        rating_open=plan.rating_open,
        rating_early=plan.rating_early,
        vendor=vendor.id if vendor else None,
        waits=executor_of(plan.asked).waits or is_recorded(plan.asked.model),
        unprompted=not is_prompted(plan.asked.model),
        harness=__version__,
        python=platform.python_version(),
        packages=package_versions(),
        commit=commit,
        dirty=dirty,
    )


def package_versions() -> dict[str, str]:
    """The installed versions of the packages that answers depend on."""
    return {name: _version(name) for name in PACKAGES}


@cache
def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def run_contents(plan: Plan) -> dict[str, Content]:
    """The inputs that a run folder keeps, so that it can be read after they have changed."""
    contents = teacher_contents(plan)
    if plan.pairs:
        return {**contents, PAIRS: to_lines(plan.pairs)}
    contents[EXAMPLES] = _golden_lines(plan)
    raters = plan.golden_file.with_name(RATERS)
    if plan.ratings:
        contents[RATINGS] = to_lines(plan.ratings)
    if raters.exists():
        rater_kinds(raters)
        contents[RATERS] = read_bytes(raters)
    return contents


def teacher_contents(plan: Plan) -> dict[str, Content]:
    """What a teacher sees besides the pair, as it is now."""
    gates_file = plan.policy_file.with_name("gates.toml")
    return {
        "policy.toml": read_bytes(plan.policy_file),
        "gates.toml": read_bytes(gates_file) if gates_file.exists() else "",
        "prefix.txt": f"{plan.writer.system}\n\n{plan.writer.lead}",
        "shots.jsonl": to_lines(plan.writer.shown),
    }


def _golden_lines(plan: Plan) -> Iterator[str]:
    """The examples, read again. BadInput if the file has changed since it was planned."""
    yield from to_lines(plan.examples)
    if stamp_of(plan.golden_file) != plan.stamp:
        raise BadInput(
            [Fault(str(plan.golden_file), "was changed while the run was planned; start it again")]
        )


def _run_name(plan: Plan, now: datetime) -> str:
    """Begins with the time, so that names sort by it; no longer than file systems allow."""
    asked = plan.asked
    provider, model = split_model(asked.model)
    if reads_grades(asked.model):
        model = "-".join(filter(None, (Path(model).stem, asked.rater)))
    elif is_path(asked.model):
        model = Path(model).name
    began = f"{now:%Y%m%dT%H%M%S}.{now.microsecond // 1000:03d}"
    text = "-".join((began, asked.policy, asked.prompt, provider, model, asked.part))
    name = "".join(letter if letter.isalnum() or letter in "-_.@+" else "-" for letter in text)
    return name.encode("utf-8")[:200].decode("utf-8", "ignore")


def _commit(root: Path) -> tuple[str | None, bool | None]:
    """The commit of the project, and whether files differ from it; None if unknown.

    Settings of an untrusted repository can name programs for git to run. Hooks and monitors are switched off;
    a filter cannot be, so with one the second value is None.
    """
    try:
        head = _git(root, "rev-parse", "HEAD")
        settings = _git(root, "config", "--show-scope", "--name-only", "--list")
        own = [line for line in settings.split("\n") if line.startswith(("local\t", "worktree\t"))]
        if any("\tfilter." in line for line in own):
            return head, None
        return head, bool(_git(root, "status", "--porcelain", "--ignore-submodules=all"))
    except (OSError, subprocess.CalledProcessError):
        return None, None


def _git(root: Path, *words: str) -> str:
    """What git says, without hooks, monitors, or a fetch of what is missing."""
    harmless = ("-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}", "--no-optional-locks")
    environment = {**os.environ, "GIT_ALLOW_PROTOCOL": "none", "GIT_NO_LAZY_FETCH": "1"}
    done = subprocess.run(
        ["git", *harmless, *words], cwd=root, capture_output=True, text=True, check=True, env=environment
    )
    return done.stdout.strip()
