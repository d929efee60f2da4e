"""data import: any source of labelled pictures written as folders or as one .npz file."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from fashioncnn.console.say import say
from fashioncnn.data.dataset import DataSet
from fashioncnn.data.sources.base import Size
from fashioncnn.data.sources.folders import write_folders
from fashioncnn.data.sources.npz_file import write_npz
from fashioncnn.errors import DataError, StorageError
from fashioncnn.opening.data import Data, open_data


def import_data(source: Data, out: Path | str, *, size: Size | None = None) -> DataSet:
    """Write the splits that `source` brings to `out`, a new folder or a file that ends in .npz.

    Read back, they have the same digests. Pictures that come in several sizes are made `size`,
    (height, width). Returns the data set that was written. Raises DataError when `out` exists or
    the source cannot be read, StorageError when the disk refuses; then nothing is left there.
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
            written.rename(path)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    except OSError as error:
        raise StorageError.from_os_error("write", path, error) from None
    return open_data(path)
