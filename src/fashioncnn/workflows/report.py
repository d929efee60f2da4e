"""report: from run directories to one page."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from urllib.parse import quote

from fashioncnn.console.say import say, timed
from fashioncnn.errors import BundleError, RunError
from fashioncnn.opening.data import Data, data_of
from fashioncnn.opening.runs import AnyRun, as_list, open_runs
from fashioncnn.opening.scored import scored_run
from fashioncnn.opening.trained import Trained
from fashioncnn.reporting.documents.files import Document
from fashioncnn.reporting.figures import Helper, makers_of
from fashioncnn.reporting.groups import groups
from fashioncnn.reporting.html import write_page
from fashioncnn.reporting.run_document import run_document
from fashioncnn.reporting.study import TRIALS, study_document
from fashioncnn.runs.directory import Run
from fashioncnn.runs.files import make_folder, write_text
from fashioncnn.tracking.trackers import TrackerName, check, copy_run
from fashioncnn.training.device import DeviceName, one_core_free
from fashioncnn.usercode.faults import user_code
from fashioncnn.workflows.attribute import attribute_trained
from fashioncnn.workflows.compare import compare_groups
from fashioncnn.workflows.embed import embed_trained
from fashioncnn.workflows.evaluate import open_evaluated
from fashioncnn.workflows.explain import explain_layers, explain_units, is_explained
from fashioncnn.workflows.explore import PAGE as EXPLORER
from fashioncnn.workflows.explore import explorer_page
from fashioncnn.workflows.stress import stress_trained

PAGE, FIGURES = "report.html", "figures"


@user_code()
def report(
    runs: AnyRun | Sequence[AnyRun],
    *,
    out: Path | str | None = None,
    data: Data = None,
    device: DeviceName = "auto",
    full: bool = False,
    track: Sequence[TrackerName] = (),
) -> Path:
    """Write the page about `runs`, or about the study that `tune` left; return its path.

    For runs of several recipes it is the page of their comparison with the first, as `compare`
    does it. A run whose present weights were not evaluated or explained yet is, first. The page
    lies in the run, or beside several runs, unless `out` names a file; its document, which has
    every figure for programs, lies beside it as .json, and the figures in `figures/`. With `full`,
    the first run of each recipe is also put under stress (worse and unknown pictures); for one
    recipe, maps of attribution are drawn and checked too, test pictures laid out on a map, and
    explorer.html is written (see `explore`).
    `track` names trackers that get a copy of each run. Raises RunError when a run cannot be used,
    TrackingError when a tracker cannot.
    """
    check(track)
    if out is not None and Path(out).is_dir():
        raise RunError(f"report: {out} is a folder; give the page's file")
    given = as_list(runs)
    if len(given) == 1 and (study := _study(given[0])):
        if track:
            raise RunError(f"{study} is a study: tune --track copies its runs as it trains them")
        return write_page(study_document(study), Path(out or study / PAGE), study / FIGURES)
    opened = open_runs(given)
    if not opened:
        raise RunError("report: no run was given")
    shared = data_of(opened[0], data)
    folder = _folder(opened)
    page, figures = Path(out or folder / PAGE), folder / FIGURES
    # Evaluation measures how fast the network answers: nothing else may work meanwhile.
    trained = [open_evaluated(run, shared, device) for run in opened]
    if data is not None:
        for one in trained:
            one.check_data()
    with Helper() as helper:
        document = _document(trained, full, page, partial(_draw_ahead, helper, figures))
        with timed(f"drawing {figures} and {page}"):
            page = write_page(document, page, figures, helper)
    for run in opened:
        copy_run(track, run, say)
    return page


def _draw_ahead(helper: Helper, figures: Path, document: Document) -> None:
    """Let figures be drawn while we compute more."""
    helper.begin(document, make_folder(figures), list(makers_of(document)))


def _document(
    trained: Sequence[Trained], full: bool, page: Path, draw_ahead: Callable[[Document], None]
) -> Document:
    scored = [scored_run(one) for one in trained]
    by_run = {one.run.path: one for one in trained}
    found = groups(scored)
    firsts = [by_run[group.first.run.path] for group in found]
    if full:
        for one in firsts:
            stress_trained(one)
    if len(found) > 1:
        members = [[by_run[run.run.path] for run in group.runs] for group in found]
        folder = _folder([one.run for one in trained])
        names = [os.path.relpath(several[0].run.path, folder) for several in members]
        return compare_groups(members, names)
    (first,) = firsts
    if not is_explained(first) and not first.may_run:
        say(f"{first.run.path} is shown as it was left: its own code is not trusted (--trust)")
    elif not is_explained(first):
        draw_ahead(run_document(found[0]))
        say(f"explaining {first.run.path}")
        with one_core_free():
            explain_layers(first)
            draw_ahead(run_document(found[0]))
            explain_units(first)
    if full:
        attribute_trained(first)
        embed_trained(first)
        _explore(first)
    return run_document(found[0], _address(first.run.path / EXPLORER, page))


def _explore(trained: Trained) -> None:
    """Leave the page in which the network runs in its run, where that page can compute it.

    One that is younger than all weights is left as it is.
    """
    page = trained.run.path / EXPLORER
    weights = [one.stat().st_mtime for one in trained.run.checkpoints.iterdir()]
    if page.is_file() and page.stat().st_mtime >= max(weights):
        return
    try:
        write_text(page, explorer_page([trained]))
    except BundleError as error:
        say(f"leaving {EXPLORER} out: {error}")


def _address(file: Path, page: Path) -> str | None:
    """Return where `file` lies as a link of `page` says it, if it is there."""
    if not file.is_file():
        return None
    return quote(Path(os.path.relpath(file, page.parent)).as_posix())


def _study(given: AnyRun) -> Path | None:
    """Return the folder where `tune` left a study, if this is one."""
    if isinstance(given, Run) or not (Path(given) / TRIALS).is_file():
        return None
    return Path(given)


def _folder(runs: Sequence[Run]) -> Path:
    """Return where the page goes: into the run, else into the folder that all runs share.

    Raises RunError when they share none but the root of the file system.
    """
    if len(runs) == 1:
        return runs[0].path
    try:
        shared = Path(os.path.commonpath([run.path.absolute() for run in runs]))
    except ValueError:
        shared = Path("/")
    if shared == Path(shared.anchor):
        raise RunError("these runs share no folder for the page: name its file by --out")
    return shared
