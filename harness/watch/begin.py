"""Begin a watch: choose the sentinels once, and save what is asked."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from harness.errors import BadInput, Fault, refuse_faults
from harness.golden.examples import checked_examples, golden_path
from harness.golden.splits import choose_examples
from harness.grading.plan import Plan, make_plan
from harness.policy.load import load_with_gates, policy_path
from harness.providers import confirmed, reads_grades
from harness.runs.manifest import IN_WORDS, Asked
from harness.runs.watch_folder import WatchSettings, alone_in, is_watch, load_settings, save_settings
from harness.score.watch import ALPHA, DELTA, LEAST_REPEATS, refuse_few
from harness.storage.project import Project

SENTINELS = 50
"""Golden pairs that are asked again each day."""
FIXED = (
    "policy",
    "prompt",
    "splits",
    "seed",
    "shots",
    "temperature",
    "max_tokens",
    "no_schema",
    "fold_system",
)
"""Settings that a watch keeps from its first day on."""


@dataclass(frozen=True, slots=True)
class WatchRequest:
    """What the user asks for. None means not given: an existing watch keeps its setting."""

    asked: Asked
    given: frozenset[str]
    sentinels: int | None = None
    repeats: int | None = None
    alpha: float | None = None
    delta: float | None = None


def settled(project: Project, folder: Path, wanted: WatchRequest) -> WatchSettings:
    """The settings of a watch, or of a new one, not saved yet. BadInput for changes to an existing one."""
    return _same(folder, load_settings(folder), wanted) if is_watch(folder) else _planned(project, wanted)


def begin(folder: Path, settings: WatchSettings, wanted: WatchRequest) -> WatchSettings:
    """Save the settings of a new watch, unless another process has begun it; returns those that hold."""
    folder.mkdir(parents=True, exist_ok=True)
    with alone_in(folder):
        if is_watch(folder):
            return _same(folder, load_settings(folder), wanted)
        save_settings(folder, settings)
    return settings


def _planned(project: Project, wanted: WatchRequest) -> WatchSettings:
    """The settings of a new watch. The sentinels are a seeded sample, the same for every teacher."""
    asked = wanted.asked
    if reads_grades(asked.model):
        raise BadInput(f"{asked.model}: a file of grades is the same every day; name a model")
    repeats = LEAST_REPEATS if wanted.repeats is None else wanted.repeats
    refuse_few(repeats, f"--repeats {repeats}")
    policy, gates = load_with_gates(policy_path(project, asked.policy))
    golden = list(checked_examples(golden_path(project, policy.name), policy))
    chosen = choose_examples(golden, asked.splits, wanted.sentinels or SENTINELS, asked.seed or 0)
    asked = asked.model_copy(update={"only": tuple(one.id for one in chosen), "no_cache": True})
    plan = make_plan(project, asked)
    return WatchSettings(
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        asked=plan.asked,
        digests=plan.digests,
        repeats=repeats,
        weighting=gates.weighting,
        alpha=ALPHA if wanted.alpha is None else wanted.alpha,
        delta=DELTA if wanted.delta is None else wanted.delta,
        scale=policy.scale,
    )


def _same(folder: Path, settings: WatchSettings, wanted: WatchRequest) -> WatchSettings:
    """The settings of an existing watch, with the address that the user names."""
    before, now = settings.asked, wanted.asked
    pairs = [(name, getattr(before, name), getattr(now, name)) for name in ("model", *FIXED)]
    pairs += [
        ("sentinels", len(before.only), wanted.sentinels),
        ("repeats", settings.repeats, wanted.repeats),
        ("alpha", settings.alpha, wanted.alpha),
        ("delta", settings.delta, wanted.delta),
    ]
    refuse_faults(
        Fault(
            str(folder),
            f"was begun with {_option(name)} {_shown(then)}, not {_shown(now)}; begin another watch",
        )
        for name, then, now in pairs
        if name in wanted.given and not _fits(name, then, now)
    )
    address = confirmed(before.model, before.base_url, now.base_url, folder)
    asked = before.model_copy(update={"base_url": address})
    return settings.model_copy(update={"asked": asked})


def _fits(name: str, then: object, now: object) -> bool:
    """Whether a setting is the same; a policy or prompt without a version means the watch's own."""
    if name in ("policy", "prompt"):
        return str(now) in (str(then), str(then).partition("@")[0])
    if name == "sentinels":
        # A golden set can have fewer pairs than were asked for.
        return int(str(then)) <= int(str(now))
    return then == now


def _option(name: str) -> str:
    return "--split" if name == "splits" else f"--{name.replace('_', '-')}"


def _shown(value: object) -> str:
    return "+".join(map(str, value)) if isinstance(value, tuple) else str(value)


def plan_of(project: Project, folder: Path, settings: WatchSettings, repeats: int) -> Plan:
    """The plan of a day. BadInput if an input of the teacher has changed since the watch began."""
    plan = make_plan(project, settings.asked.model_copy(update={"repeats": repeats}))
    if changed := settings.digests.changed(plan.digests):
        names = ", ".join(IN_WORDS[name] for name in changed)
        why = "a loss would move with it: begin another watch, in another folder"
        raise BadInput.at(folder, f"changed since the watch began: {names}; {why}")
    return plan
