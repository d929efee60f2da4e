"""data import: any source of labelled pictures written as folders or as one .npz file."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from fashioncnn.console.say import say
from fashioncnn.data.dataset import DataSet
from fashioncnn.data.images import LabelledImages
from fashioncnn.data.sources.base import Part, Size
from fashioncnn.data.sources.folders import write_folders
from fashioncnn.data.sources.npz_file import write_npz
from fashioncnn.errors import DataError, StorageError
from fashioncnn.opening.data import Data, open_data


def import_data(source: Data, out: Path | str, *, size: Size | None = None) -> DataSet:
    """Write the splits that `source` brings to `out`, a new folder or a file that ends in .npz.

    Read back, they have the same digests. Pictures that come in several sizes are made `size`,
    (height, width). Returns the data set that was written. Raises DataError when `out` exists, the
    source cannot be read, or such files cannot hold it; StorageError when the disk refuses. Then
    nothing is left there.
    """
    path = Path(out)
    if path.exists():
        raise DataError(f"{path} exists already: choose another place")
    data = open_data(source, size)
    parts = data.brought()
    for line in data.source.left_out:
        say(f"left out: {line}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=".import-", dir=path.parent))
        try:
            written = scratch / path.name
            if path.suffix.lower() == ".npz":
                write_npz(written, parts)
            else:
                written.mkdir()
                write_folders(written, parts)
            _compare(parts, open_data(written).brought(), path)
            written.rename(path)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    except OSError as error:
        raise StorageError.from_os_error("write", path, error) from None
    return open_data(path)


def _compare(
    parts: dict[Part, LabelledImages], again: dict[Part, LabelledImages], path: Path
) -> None:
    """Raise DataError where pictures read back are not those that were written."""
    for part, pictures in parts.items():
        if again[part].digest != pictures.digest:
            raise DataError(
                f"{path}: pictures for {part}, {pictures.shape}, would be read back as "
                f"{again[part].shape}, as grey ones in three channels are; choose a name that ends "
                "in .npz"
            )
