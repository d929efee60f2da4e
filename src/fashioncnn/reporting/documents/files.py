"""Documents as JSON; docs/reference/page-document.md names their parts."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import pydantic_core
from pydantic import TypeAdapter, ValidationError

from fashioncnn.errors import RunError
from fashioncnn.reporting.documents.audit import AuditDocument
from fashioncnn.reporting.documents.comparison import ComparisonDocument
from fashioncnn.reporting.documents.run import RunDocument
from fashioncnn.reporting.documents.study import StudyDocument
from fashioncnn.runs.files import make_folder, read_json, to_json, write_text

FORM = 1
MAX_BYTES = 64 << 20
D = TypeVar("D")
Document = RunDocument | ComparisonDocument | StudyDocument | AuditDocument
KINDS: dict[str, type[Any]] = {
    "runs": RunDocument,
    "comparison": ComparisonDocument,
    "study": StudyDocument,
    "audit": AuditDocument,
}


def write(document: Document, path: Path) -> Path:
    """Put `document` at `path` as JSON. Raises StorageError."""
    make_folder(path.parent)
    values = pydantic_core.to_jsonable_python(document)
    write_text(path, to_json({"form": FORM} | values))
    return path


def read(path: Path, kind: type[D]) -> D:
    """Return the document of that kind at `path`. Raises RunError when it is something else."""
    found = read_json(path, MAX_BYTES)
    try:
        return TypeAdapter(kind).validate_python(found)
    except (ValidationError, RecursionError):
        raise RunError(f"{path}: not the {kind.__name__} that a page is drawn from") from None
