"""metrics.jsonl: a line an epoch, each complete on disk before the next checkpoint."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, NotRequired

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from fashioncnn.errors import RunError
from fashioncnn.runs import json_lines
from fashioncnn.runs.files import write_text

Share = Annotated[float, Field(ge=0, le=1)]
NotNegative = Annotated[float, Field(ge=0)]
append = json_lines.append

_Record = TypedDict(
    "_Record",
    {
        "epoch": Annotated[int, Field(ge=1)],
        "train/loss": float,
        "train/accuracy": Share,
        "val/loss": NotRequired[float | None],
        "val/accuracy": NotRequired[Share | None],
        "val/accuracy_by_class": NotRequired[list[Share] | None],
        "train/learning_rate": NotNegative,
        "train/images": Annotated[int, Field(ge=1)],
        "train/seconds": NotNegative,
        "train/first_step_seconds": NotRequired[NotNegative],
        "train/images_per_second": NotNegative,
    },
)
_Record.__pydantic_config__ = ConfigDict(strict=True)  # type: ignore[attr-defined]
_RECORD = TypeAdapter(_Record)


def read(path: Path) -> list[dict[str, Any]]:
    """Return the records, oldest first; an unfinished last line is left out.

    Raises RunError when another line is damaged, or is not the record of its epoch.
    """
    records = json_lines.read(path)
    for number, record in enumerate(records, start=1):
        try:
            _RECORD.validate_python(record)
            if record["epoch"] != number:
                raise ValueError
        except (ValidationError, ValueError):
            raise RunError(f"{path}: line {number} is not the record of epoch {number}") from None
    # Those of earlier versions have none.
    counts = {len(found) for one in records if (found := one.get("val/accuracy_by_class"))}
    if len(counts) > 1:
        raise RunError(f"{path}: its epochs are of {' and '.join(map(str, counts))} classes")
    return records


def trim(path: Path, epochs: int) -> list[dict[str, Any]]:
    """Cut the file back to its first `epochs` records and return them.

    What was noted after the last checkpoint is trained and noted again. Raises RunError when
    the file has fewer.
    """
    records = read(path)
    if len(records) < epochs:
        raise RunError(f"{path}: has {len(records)} epochs, the checkpoint has {epochs}")
    write_text(path, "".join(json.dumps(record) + "\n" for record in records[:epochs]))
    return records[:epochs]
