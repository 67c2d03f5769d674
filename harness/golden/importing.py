"""Import graded pairs as a golden set, with splits, provenance and, if needed, a policy skeleton."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import BadInput, Fault, refuse_faults
from harness.golden.dropped import dropped_by
from harness.golden.examples import FILE
from harness.golden.grade_tables import GradedRow, by_item, graded_rows, parse_scale, scale_text
from harness.golden.rows import JUDGEMENT, check_attributes, text_of, texts_of
from harness.golden.similarity import near_duplicates, text_tokens
from harness.golden.skeleton import GATES_SKELETON, golden_readme, policy_skeleton
from harness.golden.splits import SPLITS, assign_splits
from harness.nouns.base import Split
from harness.nouns.pair import Example, Provenance, query_key
from harness.nouns.policy import Policy
from harness.policy.lint import unfinished
from harness.policy.load import load_policy, policy_path
from harness.storage.digest import digest, digest_bytes
from harness.storage.files import build, read_bytes, to_line, too_long, write_atomic, write_lines
from harness.storage.formats import dataset_table, read_table
from harness.storage.plural import plural
from harness.storage.project import Project, folder_names, is_name
from harness.storage.tables import RESULT_TEXTS, Layout, Table, refuse_controls

LONG_TEXT = 20_000
"""Letters; the longest product descriptions of shops have a few thousand."""
LONG_SHOWN = 5
DEFAULT_SHARES = (20, 40, 40)
_TEXTS = ("item", "query", "reasoning", "clauses", "tags", *RESULT_TEXTS)


@dataclass(frozen=True, slots=True)
class Import:
    """What to import, and how."""

    source: str
    policy: str
    layout: Layout = field(default_factory=Layout)
    attributes: tuple[str, ...] = ()
    shares: tuple[int, int, int] | None = None
    seed: int = 0
    scale: str | None = None
    licence: str | None = None
    dataset_split: str | None = None
    replace: bool = False
    discard: bool = False


@dataclass(frozen=True, slots=True)
class Imported:
    """The result of an import. `columns_left`: those not imported. `empty_splits`: those without a pair."""

    path: Path
    examples: list[Example]
    new_policy: Path | None
    columns_left: tuple[str, ...]
    empty_splits: tuple[Split, ...]
    long_texts: tuple[str, ...] = ()
    """The first texts that are too long for any surface, in words."""


def import_golden(project: Project, request: Import) -> Imported:
    """Write golden/<policy>/, and a policy skeleton if the policy does not exist.

    BadInput, with nothing written, for any fault in any row. Unmapped columns are not imported: they might
    contain the grade.
    """
    if not is_name(request.policy):
        raise BadInput(f"--policy: {request.policy!r} is not a valid policy name")
    target = project.golden / request.policy / FILE
    if target.exists() and not request.replace:
        raise BadInput([Fault(str(target), "already exists; --replace overwrites it")])
    known = request.policy in folder_names(project.policies)
    policy = load_policy(policy_path(project, request.policy)) if known else None
    scale = _scale(request, policy)
    table = _table(request)
    examples = _examples(table, request, policy, scale)
    if target.exists() and not request.discard and (lost := dropped_by(examples, target)):
        raise BadInput(
            [Fault(str(target), f"--replace would drop {lost}; --discard-judgements says that it may")]
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    new_policy = None if policy else _write_skeleton(project, request.policy, scale)
    write_lines(target, examples)
    readme = target.with_name("README.md")
    if not readme.exists() or request.replace:
        write_atomic(readme, golden_readme(request.policy, examples))
    empty = _empty_splits(examples, request)
    return Imported(target, examples, new_policy, _columns_left(table, request), empty, _long_texts(examples))


def _empty_splits(examples: Sequence[Example], request: Import) -> tuple[Split, ...]:
    """The splits that should have pairs and got none, since a query is never divided."""
    filled = {example.split for example in examples}
    shares = zip(SPLITS, request.shares or DEFAULT_SHARES, strict=True)
    return tuple(split for split, share in shares if share and split not in filled)


def _long_texts(examples: Sequence[Example]) -> tuple[str, ...]:
    """Texts longer than a surface shows: likely cells that ran together."""
    found = [
        f"{example.id}: {name} has {plural(len(text), 'letter')}"
        for example in examples
        for name, text in _texts_shown(example)
        if len(text) > LONG_TEXT
    ]
    if len(found) > LONG_SHOWN:
        found[LONG_SHOWN:] = [
            f"{plural(len(found) - LONG_SHOWN, 'more text is', 'more texts are')} that long"
        ]
    return tuple(found)


def _texts_shown(example: Example) -> Iterator[tuple[str, str]]:
    yield "query", example.query
    yield from ((name, getattr(example.result, name) or "") for name in RESULT_TEXTS)
    yield from example.result.attributes.items()


def _scale(request: Import, policy: Policy | None) -> tuple[int, ...]:
    given = parse_scale(request.scale) if request.scale else None
    if policy is None:
        if given is None:
            raise BadInput(f"unknown policy {request.policy!r}; give --scale, such as 0-3, to make it")
        return given
    if given is not None and given != policy.scale:
        raise BadInput(f"--scale {request.scale}: {policy.label} has the scale {scale_text(policy.scale)}")
    return policy.scale


def _table(request: Import) -> Table:
    """A table, or a data set: a folder, or with `--format dataset` a name on the hub."""
    path = Path(request.source)
    if request.layout.format == "dataset" or path.is_dir():
        return dataset_table(request.source, request.dataset_split)
    if not path.exists():
        raise BadInput(f"{path}: no such file (for a data set on the hub, add --format dataset)")
    if request.dataset_split is not None:
        raise BadInput(f"--dataset-split needs a data set, but {path} is a table")
    return read_table(path, request.layout)


def _examples(table: Table, request: Import, policy: Policy | None, scale: tuple[int, ...]) -> list[Example]:
    """Every row as an example, or every fault of every row."""
    table.require(("item", "query", "title", "grade"), request.layout)
    check_attributes(table, request.layout, request.attributes)
    nested = [name for name in table.columns if "." in name]
    refuse_controls(table, _TEXTS, request.layout, [*request.attributes, *nested])
    graded = by_item(table, graded_rows(table, request.layout, scale, ("query", "grade")), request.layout)
    splits = _splits(table, request, graded.values())
    rules = policy.rules if policy and not unfinished(policy) else None
    provenance = _provenance(table, request)
    examples: list[Example] = []
    faults: list[Fault] = []
    for row, (item, found) in zip(table.rows, graded.items(), strict=True):
        data = texts_of(table, row, request.layout, request.attributes)
        version = text_of(table, row, "policy_version", request.layout)
        data |= {
            "id": item,
            "query": found.query,
            "grade": found.grade,
            "policy_version": version or (policy.version if policy else "v1"),
            # Nobody can have graded by a skeleton's empty texts.
            "rules": row.cells.get("rules") if version else rules,
            "split": splits[query_key(found.query or "")]
            if splits
            else text_of(table, row, "split", request.layout),
            "provenance": provenance.model_copy(update={"line": row.line}),
        }
        example, wrong = build(Example, data, table.where(row))
        faults += wrong or (too_long(to_line(example, sparse=True), table.where(row)) if example else [])
        examples += [example] if example else []
    refuse_faults(faults)
    return examples


def _splits(table: Table, request: Import, graded: Collection[GradedRow]) -> dict[str, Split] | None:
    """New splits, unless the table brings its own and no others are asked for."""
    if request.shares is None and table.find("split", request.layout):
        _refuse_other_splits(table, request.layout)
        return None
    pairs = [(row.query, row.grade) for row in graded if row.query is not None and row.grade is not None]
    return assign_splits(pairs, request.shares or DEFAULT_SHARES, request.seed, _alike(table, request, pairs))


def _refuse_other_splits(table: Table, layout: Layout) -> None:
    """BadInput for each word in the split column that is no split of ours, with its first line."""
    first: dict[str, str] = {}
    for row in table.rows:
        first.setdefault(text_of(table, row, "split", layout) or "", table.where(row))
    faults = [
        Fault(where, f"split: {word!r} is not one of {', '.join(SPLITS)}")
        for word, where in first.items()
        if word not in SPLITS
    ]
    if faults:
        shares = "/".join(map(str, DEFAULT_SHARES))
        raise BadInput([*faults, Fault("", f"rename them, or deal new splits by query: --splits {shares}")])


def _alike(table: Table, request: Import, pairs: Sequence[tuple[str, int]]) -> Iterator[tuple[str, str]]:
    """Every two queries with near-duplicate pairs: in different splits, one would leak the other."""
    titles = (text_of(table, row, "title", request.layout) for row in table.rows)
    words = [text_tokens(query, title or "") for (query, _), title in zip(pairs, titles, strict=True)]
    for one, other in near_duplicates(words, words):
        if one < other and pairs[one][0] != pairs[other][0]:
            yield pairs[one][0], pairs[other][0]


def _provenance(table: Table, request: Import) -> Provenance:
    """The source by name, not by path: a path reveals who imported it, and where."""
    content = Path(request.source)
    source = content.name if content.exists() else request.source
    if content.is_file():
        known = digest_bytes(read_bytes(content))
    else:
        known = digest([{name: row.text(name) for name in table.columns} for row in table.rows])
    return Provenance(source=source, digest=known, licence=request.licence)


def _columns_left(table: Table, request: Import) -> tuple[str, ...]:
    """The columns that were not imported."""
    names = ("item", "query", "tags", "policy_version", *JUDGEMENT, *RESULT_TEXTS)
    used = {header for name in names for header in table.find(name, request.layout)}
    used |= {*request.attributes, "history", "rules"}
    objects = ("attributes.", "result.attributes.", "context.", "provenance.")
    return tuple(name for name in table.columns if name not in used and not name.startswith(objects))


def _write_skeleton(project: Project, name: str, scale: tuple[int, ...]) -> Path:
    folder = project.policies / name
    folder.mkdir(parents=True)
    write_atomic(folder / "gates.toml", GATES_SKELETON)
    write_atomic(folder / "v1.toml", policy_skeleton(name, scale))
    return folder / "v1.toml"
