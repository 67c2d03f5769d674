"""Import graded pairs as a golden set, with splits, provenance and, if needed, a policy skeleton."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.errors import BadInput, Fault, refuse_faults
from harness.golden.dropped import Replaced
from harness.golden.examples import FILE
from harness.golden.grade_rows import GradedRow, by_item, graded_rows
from harness.golden.rows import JUDGEMENT, RowTexts, check_attributes, text_of
from harness.golden.scales import parse_scale, scale_text
from harness.golden.similarity import near_duplicates, text_tokens
from harness.golden.skeleton import golden_readme, write_skeleton
from harness.golden.splits import SPLITS, assign_splits
from harness.golden.tally import GoldenTally
from harness.nouns.base import Split
from harness.nouns.pair import Example, Provenance, query_key
from harness.nouns.policy import Policy
from harness.policy.lint import noted_rules
from harness.policy.load import load_policy, policy_path
from harness.storage.digest import digest, digest_file
from harness.storage.files import build, to_line, too_long, write_atomic
from harness.storage.formats import dataset_table, read_table
from harness.storage.project import Project, folder_names, is_name
from harness.storage.tables import RESULT_TEXTS, Layout, Table, joined, refuse_controls

DEFAULT_SHARES = (20, 40, 40)
_TEXTS = ("item", "query", "reasoning", "clauses", "tags", *RESULT_TEXTS)


@dataclass(frozen=True, slots=True)
class Import:
    """The source of an import, and its options."""

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
    """The result of an import. `columns_left`: those not imported. `empty_splits`: splits without a pair.

    `long_texts`: the first texts that are too long for any surface, in words.
    """

    path: Path
    examples: int
    queries: int
    new_policy: Path | None
    columns_left: tuple[str, ...]
    empty_splits: tuple[Split, ...]
    long_texts: tuple[str, ...]
    shots: int
    rules_noted: bool


def import_golden(project: Project, request: Import) -> Imported:
    """Write golden/<policy>/, and a policy skeleton if the policy does not exist.

    BadInput, with nothing written, for any fault in any row. Unmapped columns are not imported: they might
    contain the grade.
    """
    if not is_name(request.policy):
        version = "; a column policy_version says the version" if "@" in request.policy else ""
        raise BadInput(f"--policy: {request.policy!r} is not a valid policy name{version}")
    target = project.golden / request.policy / FILE
    if target.exists() and not request.replace:
        raise BadInput([Fault(str(target), "already exists; --replace overwrites it")])
    known = request.policy in folder_names(project.policies)
    policy = load_policy(policy_path(project, request.policy)) if known else None
    scale = _scale(request, policy)
    table, tally = source_table(request), GoldenTally()
    old = Replaced(target) if target.exists() and not request.discard else None
    with _new_folder(target.parent):
        write_atomic(target, _lines(_each(table, request, policy, scale), tally, old))
    new_policy = None if policy else write_skeleton(project, request.policy, scale)
    readme = target.with_name("README.md")
    if not readme.exists() or request.replace:
        write_atomic(readme, golden_readme(request.policy, tally))
    shares = zip(SPLITS, request.shares or DEFAULT_SHARES, strict=True)
    return Imported(
        path=target,
        examples=tally.examples,
        queries=len(tally.queries),
        new_policy=new_policy,
        columns_left=_columns_left(table, request),
        # A query is never divided.
        empty_splits=tuple(split for split, share in shares if share and not tally.splits[split]),
        long_texts=tally.long_texts,
        shots=tally.splits["shots"],
        rules_noted=policy is not None and noted_rules(policy) is not None,
    )


@contextmanager
def _new_folder(folder: Path) -> Iterator[None]:
    """A folder to write into; if writing fails, a new folder is removed."""
    new = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        for one in new:
            one.rmdir()
        raise


def _scale(request: Import, policy: Policy | None) -> tuple[int, ...]:
    given = parse_scale(request.scale) if request.scale else None
    if policy is None:
        if given is None:
            raise BadInput(f"unknown policy {request.policy!r}; give --scale, such as 0-3, to make it")
        return given
    if given is not None and given != policy.scale:
        raise BadInput(f"--scale {request.scale}: {policy.label} has the scale {scale_text(policy.scale)}")
    return policy.scale


def source_table(request: Import) -> Table:
    """A table, or a data set: a folder, or with `--format dataset` a name on the hub."""
    path = Path(request.source)
    if request.layout.format == "dataset" or path.is_dir():
        return dataset_table(request.source, request.dataset_split)
    if not path.exists():
        raise BadInput.at(path, "no such file (for a data set on the hub, add --format dataset)")
    if request.dataset_split is not None:
        raise BadInput(f"--dataset-split needs a data set, but {path} is a table")
    return read_table(path, request.layout)


def _lines(
    rows: Iterable[tuple[dict[str, Any], str]], tally: GoldenTally, old: Replaced | None
) -> Iterator[str]:
    """Every row as the line of an example, one by one; then BadInput for every fault of every row."""
    faults: list[Fault] = []
    for data, where in rows:
        example, wrong = build(Example, data, where)
        line = to_line(example, sparse=True) if example else ""
        faults += wrong or too_long(line, where)
        if example and not faults:
            tally.see(example, line)
            if old:
                old.see(example)
            yield line
    refuse_faults(faults)
    if old and (lost := old.lost()):
        what = f"--replace would drop {lost}; --discard-judgements says that it may"
        raise BadInput([Fault(str(old.path), what)])


def _each(
    table: Table, request: Import, policy: Policy | None, scale: tuple[int, ...]
) -> Iterator[tuple[dict[str, Any], str]]:
    """The data of an example for each row, and its place."""
    layout = request.layout
    table.require(("item", "query", "title", "grade"), layout)
    check_attributes(table, layout, request.attributes)
    nested = [name for name in table.columns if "." in name]
    refuse_controls(table, _TEXTS, layout, [*request.attributes, *nested])
    rows = graded_rows(table, layout, scale, ("query", "grade"), notes=False)
    graded = by_item(table, rows, layout)
    splits = _splits(table, request, graded.values())
    rules = noted_rules(policy) if policy else None
    provenance = _provenance(table, request).model_dump()
    texts = RowTexts(table, layout, request.attributes)
    named_version, named_split = (table.find(name, layout) for name in ("policy_version", "split"))
    for row, (item, found) in zip(table.rows, graded.items(), strict=True):
        version = joined(row, named_version)
        yield (
            texts.of(row)
            | {
                "id": item,
                "query": found.query,
                "grade": found.grade,
                "policy_version": version or (policy.version if policy else "v1"),
                "rules": row.cells.get("rules") if version else rules,
                "split": splits[query_key(found.query or "")] if splits else joined(row, named_split) or None,
                "provenance": provenance | {"line": row.line},
            },
            table.where(row),
        )


def _splits(table: Table, request: Import, graded: Collection[GradedRow]) -> dict[str, Split] | None:
    """New splits, unless the table brings its own and no others are asked for."""
    if request.shares is None and table.find("split", request.layout):
        _refuse_other_splits(table, request.layout)
        return None
    pairs = [(row.query, row.grade) for row in graded if row.query is not None and row.grade is not None]
    return assign_splits(pairs, request.shares or DEFAULT_SHARES, request.seed, _alike(table, request, pairs))


def _refuse_other_splits(table: Table, layout: Layout) -> None:
    """BadInput for each word in the split column that is not a split of ours, with its first line."""
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
    words = (text_tokens(query, title or "") for (query, _), title in zip(pairs, titles, strict=True))
    for one, other in near_duplicates(words, [query_key(query) for query, _ in pairs]):
        yield pairs[one][0], pairs[other][0]


def _provenance(table: Table, request: Import) -> Provenance:
    """The source by name, not by path: a path reveals who imported it, and where."""
    content = Path(request.source)
    source = content.name if content.exists() else request.source
    if content.is_file():
        known = digest_file(content)
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
