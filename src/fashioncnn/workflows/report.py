"""report: from run directories to one page."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from fashioncnn.errors import RunError
from fashioncnn.reporting import page
from fashioncnn.reporting.facts import groups
from fashioncnn.runs.directory import Run
from fashioncnn.training.device import DeviceName
from fashioncnn.workflows.attribute import attribute
from fashioncnn.workflows.compare import compare_groups
from fashioncnn.workflows.evaluate import evaluate, is_evaluated
from fashioncnn.workflows.explain import explain, is_explained
from fashioncnn.workflows.opening import open_runs
from fashioncnn.workflows.say import say
from fashioncnn.workflows.stress import stress


def report(
    runs: Run | Path | str | Sequence[Run | Path | str],
    *,
    out: Path | str | None = None,
    data: Path | str | None = None,
    device: DeviceName = "auto",
    full: bool = False,
) -> Path:
    """Write the page about `runs` and return its path.

    Runs of several recipes are compared with those of the first, as `compare` does. A run whose
    present weights were not evaluated or explained yet is, first. The page lies in the run, or
    beside several runs, unless `out` names a file; the figures lie in `figures/` beside it. With
    `full`, the first run of each recipe is also put under stress (worse and unknown pictures), and
    maps of attribution are drawn and checked. Raises RunError when a run cannot be used.
    """
    opened = open_runs([runs] if isinstance(runs, Run | Path | str) else runs)
    if not opened:
        raise RunError("report: no run was given")
    for run in opened:
        if not is_evaluated(run):
            say(f"evaluating {run.path} on the test pictures")
            evaluate(run, data=data, device=device)
    for group in groups(opened):
        run = group.first.run
        if not is_explained(run):
            say(f"explaining {run.path}")
            explain(run, data=data)
        if full:
            stress(run, data=data, device=device)
            attribute(run, data=data)
    folder = _folder(opened)
    found = groups(opened)
    of_groups = [[each.run for each in group.runs] for group in found]
    comparisons = compare_groups(of_groups) if len(found) > 1 else []
    return page.write(
        found,
        Path(out or folder / "report.html"),
        folder / "figures",
        [one.to_json() for one in comparisons],
    )


def _folder(runs: Sequence[Run]) -> Path:
    if len(runs) == 1:
        return runs[0].path
    return Path(os.path.commonpath([run.path.absolute() for run in runs]))
