"""Published results: reading one, and writing its figures."""

from __future__ import annotations

import json
from typing import Any

from shared import RESULTS

Result = dict[str, Any]


def result(name: str) -> Result | None:
    """Return one published result, or None when it was not measured.

    It lies beside the others, or, measured in a run of its own, in a folder with its peers.
    """
    for path in (RESULTS / f"{name}.json", RESULTS / name / f"{name}.json"):
        if path.exists():
            content: Result = json.loads(path.read_text())
            return content
    return None


def spread(result: Result, metric: str, scale: float = 1.0, digits: int = 2) -> str:
    """Write a metric as mean ± standard deviation."""
    one = result["metrics"][metric]
    mean = f"{scale * one['mean']:.{digits}f}"
    return mean if one["std"] is None else f"{mean} ± {scale * one['std']:.{digits}f}"


def command(measured: Result) -> str:
    """Return the command that measures a result today."""
    return str(measured.get("again", measured["command"]))


def named(name: str) -> Result:
    """Return one published result that is there."""
    found = result(name)
    assert found is not None
    return found
