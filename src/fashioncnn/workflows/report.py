"""report: from run directories to one page."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from fashioncnn.data import sources
from fashioncnn.errors import RunError
from fashioncnn.reporting import comparison
from fashioncnn.reporting import page as one_page
from fashioncnn.reporting import study as study_page
from fashioncnn.reporting.facts import groups
from fashioncnn.runs import readings
from fashioncnn.runs.directory import Run
from fashioncnn.tracking.trackers import TrackerName, check, track
from fashioncnn.training.device import DeviceName
from fashioncnn.workflows.attribute import attribute
from fashioncnn.workflows.compare import compare_groups
from fashioncnn.workflows.embed import embed
from fashioncnn.workflows.evaluate import evaluated, open_evaluated
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
    log: Sequence[TrackerName] = (),
) -> Path:
    """Write the page about `runs`, or about the study that `tune` left; return its path.

    For runs of several recipes it is the page of their comparison with the first, as `compare`
    does it. A run whose present weights were not evaluated or explained yet is, first. The page
    lies in the run, or beside several runs, unless `out` names a file; the figures lie in
    `figures/`. With `full`, the first run of each recipe is also put under stress (worse and
    unknown pictures); for one recipe, maps of attribution are drawn and checked too, and test
    pictures laid out on a map. `log` names trackers that get a copy of each run. Raises RunError
    when a run cannot be used, TrackingError when a tracker cannot.
    """
    check(log)
    given = [runs] if isinstance(runs, Run | Path | str) else list(runs)
    if len(given) == 1 and (study := _study(given[0])):
        if log:
            raise RunError(f"{study} is a study: tune --log copies its runs as it trains them")
        return study_page.write(study, Path(out or study / "report.html"))
    opened = open_runs(given)
    if not opened:
        raise RunError("report: no run was given")
    page = _runs_page(opened, out, data, device, full)
    for run in opened:
        track(log, run, say)
    return page


def _runs_page(
    opened: Sequence[Run],
    out: Path | str | None,
    data: Path | str | None,
    device: DeviceName,
    full: bool,
) -> Path:
    for run in opened:
        evaluated(run, data, device)
    folder = _folder(opened)
    page = Path(out or folder / "report.html")
    firsts = [group.first.run for group in groups(opened)]
    if full:
        for run in firsts:
            stress(run, data=data, device=device)
    if len(firsts) > 1:
        return _comparison(opened, page, folder / "figures", data)
    trained, _ = open_evaluated(firsts[0], data, device)
    if not is_explained(trained):
        say(f"explaining {firsts[0].path}")
        explain(firsts[0], checkpoint=trained.checkpoint, data=data)
    if full:
        attribute(firsts[0], data=data, device=device)
        embed(firsts[0], data=data, device=device)
    (group,) = groups(opened)
    return one_page.write(group, page, folder / "figures")


def _study(given: Run | Path | str) -> Path | None:
    """Return the folder where `tune` left a study, if this is one."""
    if isinstance(given, Run) or not (Path(given) / "trials.json").is_file():
        return None
    return Path(given)


def _comparison(runs: Sequence[Run], page: Path, figures: Path, data: Path | str | None) -> Path:
    found = groups(runs)
    compared = compare_groups([[each.run for each in group.runs] for group in found])
    readings.record(runs[0], "pictures", found[0].first.evaluation["checkpoint"]["sha256"])
    test = sources.load(sources.find(data), "test")
    return comparison.write(found, [one.to_json() for one in compared], test, page, figures)


def _folder(runs: Sequence[Run]) -> Path:
    if len(runs) == 1:
        return runs[0].path
    return Path(os.path.commonpath([run.path.absolute() for run in runs]))
