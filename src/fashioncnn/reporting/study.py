"""From the files of a study to the document of its page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from fashioncnn.errors import RunError
from fashioncnn.reporting.documents.files import MAX_BYTES
from fashioncnn.reporting.documents.study import StudyDocument
from fashioncnn.runs.files import read_json

TRIALS, RANKING = "trials.json", "ranking.json"


def study_document(folder: Path) -> StudyDocument:
    """Return what the files in `folder` say. RunError when they are missing or damaged."""
    found = read_json(folder / TRIALS, MAX_BYTES)
    ranking = read_json(folder / RANKING, MAX_BYTES)
    adapter: TypeAdapter[Any] = TypeAdapter(StudyDocument)
    try:
        document: StudyDocument = adapter.validate_python({"kind": "study"} | found | ranking)
        keys = set(document.keys)
        settings = [one.setting for one in document.trials]
        settings += [one.setting for one in document.ranks]
        whole = bool(document.ranks) and all(keys <= one.keys() for one in settings)
    except (ValidationError, TypeError, RecursionError):
        whole = False
    if not whole:
        raise RunError(f"{folder}: {TRIALS} and {RANKING} are not of a study")
    return document
