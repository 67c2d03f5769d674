"""Data sets as plain rows. The only module that uses Hugging Face `datasets`.

The package has no types and takes most of a second to import, so functions here import it when called.
"""

import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.errors import BadInput
from harness.storage.parquet import parquet_file, row_batches


def dataset_rows(source: str, split: str | None) -> Iterator[Mapping[str, Any]]:
    """The rows of a data set: a folder written by `save_to_disk`, a folder of files, or a name on the hub.

    `split` selects one of several splits; without it, there must be exactly one.
    """
    datasets = _datasets()
    folder = Path(source)
    _refuse_bombs(folder)
    try:
        with tempfile.TemporaryDirectory() as cache:
            if any((folder / name).exists() for name in ("state.json", "dataset_dict.json")):
                loaded = datasets.load_from_disk(source)
            elif folder.is_dir():
                loaded = _loaded(source, cache_dir=cache)
            else:
                loaded = _loaded(source)
            yield from _one_split(loaded, source, split)
    except _reading_errors() as error:
        what = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise BadInput.at(source, f"cannot be read as a data set: {what}") from error


def _refuse_bombs(folder: Path) -> None:
    """BadInput for a Parquet file that decodes out of all proportion: `datasets` would write it all out."""
    for path in sorted(folder.rglob("*.parquet")) if folder.is_dir() else ():
        with parquet_file(path) as file:
            for _ in row_batches(file, path):
                pass


def _loaded(source: str, **where: str) -> Any:
    """A data set; every cell of CSV files stays a text: 00123, 10.50, and NA as a brand."""
    datasets = _datasets()
    loaded = datasets.load_dataset(source, **where)
    if type(datasets.load_dataset_builder(source, **where).config).__name__ != "CsvConfig":
        return loaded
    names = next(iter(loaded.values())).column_names
    texts = datasets.Features({name: datasets.Value("string") for name in names})
    return datasets.load_dataset(source, features=texts, keep_default_na=False, **where)


def _one_split(loaded: Any, source: str, split: str | None) -> Any:
    if not isinstance(loaded, dict):
        return loaded
    names = ", ".join(loaded)
    if split is None and len(loaded) == 1:
        return next(iter(loaded.values()))
    if split is None:
        raise BadInput.at(source, f"has several splits: {names}; name one with --dataset-split")
    if split not in loaded:
        raise BadInput.at(source, f"has no split {split!r}; there are: {names}")
    return loaded[split]


def _datasets() -> Any:
    os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    import datasets

    # The package also raises its errors; we report them once.
    datasets.utils.logging.set_verbosity(datasets.utils.logging.CRITICAL)
    return datasets


def _reading_errors() -> tuple[type[Exception], ...]:
    """The exceptions of `datasets` for a source that is absent, unreachable or malformed."""
    import datasets

    return (OSError, ValueError, LookupError, datasets.exceptions.DatasetsError)


def save_parquet_splits(files: Mapping[str, Path], folder: Path) -> None:
    """Parquet files, one for each split, as a folder that `datasets.load_from_disk` reads.

    A file without rows is not a split: `datasets` can neither make nor read an empty one.
    """
    import pyarrow.parquet

    datasets = _datasets()
    filled = {name: file for name, file in files.items() if pyarrow.parquet.read_metadata(file).num_rows}
    with tempfile.TemporaryDirectory() as cache:
        loaded = {
            name: datasets.Dataset.from_parquet(str(file), cache_dir=cache, split=name)
            for name, file in filled.items()
        }
        datasets.DatasetDict(loaded).save_to_disk(str(folder))
