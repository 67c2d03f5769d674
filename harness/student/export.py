"""`harness student export`: a training set from a label set, without anything of dev or test."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import BadInput
from harness.golden.leakage import withhold_worked
from harness.prompting.prompt import PromptWriter, bind_prompt, load_prompt
from harness.providers import is_prompted
from harness.report.training_set import card_text
from harness.runs.labels import LabelSet, load_labels
from harness.scaffold.new_folder import whole_folder
from harness.scorecards.training import TrainedGrade, TrainingFile, TrainingSet
from harness.storage.files import write_atomic
from harness.storage.plural import plural
from harness.storage.project import Project
from harness.student.forms import (
    DATASETS,
    NAMES,
    OPENAI,
    PARTS,
    WITH_MESSAGES,
    How,
    files_of,
    soft_label,
    write_forms,
)
from harness.student.golden import GradedSet, graded_set
from harness.student.pairs import Choice, TrainingPair, TrainingPairs

CARD, SUMMARY = "README.md", "training.json"
LEAST_OPENAI = 10
"""The fewest lines that OpenAI's fine-tuning accepts."""


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What to export, and how. `prompt`: whose messages the chat lines have; None: the teacher's own."""

    labels: Path
    folder: Path
    choice: Choice
    forms: Sequence[str] = NAMES
    reasoning: bool = True
    prompt: str | None = None


def export(project: Project, request: ExportRequest) -> TrainingSet:
    """Write the training set and its card. BadInput where the labels or the golden set do not allow it."""
    if unknown := [name for name in request.forms if name not in NAMES]:
        raise BadInput(f"--forms {', '.join(unknown)}: unknown; there are: {', '.join(NAMES)}")
    labels = load_labels(request.labels)
    golden = graded_set(project, labels.policy)
    writer = _writer(project, request, labels, golden)
    pairs = TrainingPairs(labels, golden, request.choice)
    parts = PARTS if request.choice.validation else PARTS[:1]
    how = How(labels.policy.scale, writer, reasoning=request.reasoning, parts=parts)
    with whole_folder(request.folder) as draft:
        counts = _Counts(labels)
        write_forms(draft, counts.counted(pairs), request.forms, how)
        found = _training_set(request, pairs, golden, counts, how)
        write_atomic(draft / SUMMARY, found.model_dump_json(indent=2) + "\n")
        write_atomic(draft / CARD, card_text(found))
    return found


def _writer(
    project: Project, request: ExportRequest, labels: LabelSet, golden: GradedSet
) -> PromptWriter | None:
    """The prompt of the chat lines; None if there are no chat lines."""
    if not {*request.forms} & {*WITH_MESSAGES}:
        return None
    asked = labels.manifest.asked
    files = load_prompt(project, request.prompt or asked.prompt)
    shown, _ = withhold_worked(labels.policy, golden.examples)
    return bind_prompt(files, shown, (), 0)


class _Counts:
    """Counts the pairs as they pass."""

    def __init__(self, labels: LabelSet) -> None:
        self._policy = labels.policy
        self.parts: dict[int, Counter[str]] = defaultdict(Counter)
        self.weights: dict[int, float] = defaultdict(float)
        self.soft = 0
        self._seen: set[float] = set()

    def counted(self, pairs: TrainingPairs) -> Iterator[TrainingPair]:
        """The pairs again."""
        for one in pairs:
            self.parts[one.grade][one.part] += 1
            self.weights[one.grade] += one.weight
            self.soft += soft_label(one, self._policy.scale) is not None
            if len(self._seen) < 2:
                self._seen.add(one.weight)
            yield one

    @property
    def weighted(self) -> bool:
        """Whether the pairs weigh differently."""
        return len(self._seen) > 1

    def part(self, name: str) -> int:
        """The pairs of a part."""
        return sum(counts[name] for counts in self.parts.values())

    def grades(self) -> tuple[TrainedGrade, ...]:
        """Each grade of the scale, with its pairs."""
        return tuple(
            TrainedGrade(
                grade=level.value,
                name=level.name,
                train=self.parts[level.value]["train"],
                validation=self.parts[level.value]["validation"],
                weight=self.weights[level.value],
            )
            for level in sorted(self._policy.grades, key=lambda level: level.value)
        )


def _training_set(
    request: ExportRequest, pairs: TrainingPairs, golden: GradedSet, counts: _Counts, how: How
) -> TrainingSet:
    labels, choice = pairs.labels, request.choice
    manifest = labels.manifest
    rows = {part: counts.part(part) for part in PARTS}
    if not rows["train"]:
        raise BadInput(f"all {plural(pairs.count, 'pair')} would be held back: lower --validation")
    files = tuple(
        TrainingFile(path=path, form=form, rows=rows[part])
        for path, form, part in files_of(request.forms, how.parts)
        if rows[part] or form != DATASETS
    )
    return TrainingSet(
        folder=str(request.folder),
        labels=labels.folder.name,
        policy=labels.policy.label,
        teacher=manifest.asked.model,
        proven=manifest.proven.run if manifest.proven else None,
        messages=how.writer.files.label if how.writer else None,
        reasoning=request.reasoning,
        balance=choice.balance,
        seed=choice.seed,
        rows=pairs.rows,
        distinct=pairs.distinct,
        pairs=pairs.count,
        train=rows["train"],
        validation=rows["validation"],
        soft=counts.soft,
        weighted=counts.weighted,
        left_out=pairs.left_out,
        grades=counts.grades(),
        scale=labels.policy.scale,
        golden=golden.path.parent.name,
        golden_digest=golden.digest,
        golden_pairs=len(golden.examples),
        canary_pairs=golden.canaries.count,
        labels_made=manifest.finished_at or "",
        digests=manifest.facts,
        files=files,
        warnings=tuple(_warnings(request, pairs, counts, rows["train"])),
    )


def _warnings(request: ExportRequest, pairs: TrainingPairs, counts: _Counts, train: int) -> Iterator[str]:
    manifest = pairs.labels.manifest
    if not manifest.proven:
        yield "no gate has passed the teacher: a student learns its errors too"
    if OPENAI in request.forms and train < LEAST_OPENAI:
        yield f"OpenAI takes {LEAST_OPENAI} lines or more, and there are {train}"
    missing = [one.grade for one in counts.grades() if not one.train]
    if missing:
        yield f"no pair to train on has grade {', '.join(map(str, missing))}: a student never learns it"
    if counts.weighted and request.choice.balance == "traffic":
        if pairs.left_out.not_drawn:
            yield "the pairs were drawn by their weight: count each once, or the weight counts twice"
        elif {*request.forms} & {*WITH_MESSAGES}:
            yield "chat lines have no weights: every pair counts once in them; --limit draws by the weight"
    if request.reasoning and not is_prompted(manifest.asked.model):
        yield f"{manifest.asked.model} reads no prompt, so that its reasoning teaches none: --no-reasoning"
