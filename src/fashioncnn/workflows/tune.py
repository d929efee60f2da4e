"""tune: from a search space to a ranking of settings, and the best one as a recipe."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

from fashioncnn.console.say import say
from fashioncnn.console.stopping import stop_wish
from fashioncnn.errors import SpaceError, StudyError
from fashioncnn.executors.base import Executor
from fashioncnn.executors.here import Here
from fashioncnn.opening.data import Data, open_data
from fashioncnn.opening.trained import open_trained
from fashioncnn.recipes.load import as_files, load
from fashioncnn.reporting.html import write_page
from fashioncnn.reporting.study import RANKING, TRIALS, study_document
from fashioncnn.runs.directory import Run, open_run
from fashioncnn.runs.files import make_folder, to_json, write_text
from fashioncnn.sessions.begun_study import BegunStudy
from fashioncnn.sessions.session import at_size_of
from fashioncnn.sessions.study import Study
from fashioncnn.tracking.trackers import TrackerName, check
from fashioncnn.training.device import DeviceName
from fashioncnn.tuning.open_search import SamplerName, open_search
from fashioncnn.tuning.outcome import Outcome
from fashioncnn.tuning.ranking import Ranking, Tried, rank
from fashioncnn.tuning.space import Choices, Range, Space, digest, read_space
from fashioncnn.usercode.faults import user_code
from fashioncnn.workflows.evaluate import evaluate, evaluate_trained, predictions_of

DEFAULT_OUT = Path("studies")
DEFAULT_TRIALS = 30
WINNER = "winner.toml"


@dataclass(frozen=True)
class Tuned:
    """What a study came to: its folder, the ranking, and the runs of the best setting.

    `page` shows it; `winner` is the best setting as a recipe; `pruned` counts the settings given up
    early; `test_accuracies` are those of `runs`, read once for each.
    """

    folder: Path
    ranking: Ranking
    winner: Path
    page: Path
    runs: tuple[Run, ...]
    pruned: int
    test_accuracies: tuple[float, ...]


@user_code()
def tune(
    space: str | Path,
    *,
    sampler: SamplerName | None = None,
    trials: int | None = None,
    seeds: int = 1,
    budget_minutes: float | None = None,
    executor: Executor | None = None,
    out: Path | str | None = None,
    storage: str | None = None,
    resume: bool = False,
    data: Data = None,
    device: DeviceName = "auto",
    track: Sequence[TrackerName] = (),
) -> Tuned:
    """Try settings of `space` (a built-in name, or a path), rank them by validation accuracy.

    Without `sampler` and `trials`, a space of lists is tried whole (grid), and of one with ranges
    30 settings, proposed by TPE. Every setting is trained with `seeds` seeds; hopeless ones are
    given up early, by successive halving on the first seed (Jamieson and Talwalkar, arXiv
    1502.07943). `executor` says where: in this process, in processes of this machine, or on a Ray
    cluster. The study lies in `out`, by default studies/<space>; with `resume` it goes on where it
    was stopped. `track` names trackers that get a copy of each run. Test is read for the best
    setting alone, once a run. Raises SpaceError, StudyError, RunError, TrackingError, WorkerError;
    Stopped when the user asks.
    """
    check(track)
    _check_counts(seeds=seeds, trials=trials, budget_minutes=budget_minutes)
    chosen = read_space(space)
    _check_validation(chosen)
    sampler = _sampler(chosen, sampler, trials)
    folder = make_folder(Path(out or DEFAULT_OUT / chosen.name))
    recipe = load(chosen.recipe)
    opened = at_size_of(recipe, open_data(data))
    begun = BegunStudy(str(space), sampler, seeds, digest(recipe), recipe.code, opened.train.digest)
    begun.check(folder, resume)
    deadline = time.time() + 60 * budget_minutes if budget_minutes else None
    with (
        stop_wish() as wish,
        open_search(
            chosen, folder, sampler=sampler, trials=trials or DEFAULT_TRIALS, address=storage
        ) as search,
    ):
        begun.write(folder)
        done = len(search.outcomes())
        say(
            f"{chosen.name}: {search.wanted} settings by {sampler}, "
            + ("one seed each, " if seeds == 1 else f"{seeds} seeds each, ")
            + (f"{done} of them tried already, in {folder}" if done else f"in {folder}")
        )
        study = Study(
            search, folder, seeds, opened, device, track, executor or Here(), wish, deadline
        )
        study.work()
        return _conclude(chosen, study, sampler)


def _check_counts(**counts: float | None) -> None:
    for name, value in counts.items():
        if value is not None and not 0 < value < math.inf:
            raise SpaceError(f"{name} is {value}; it must be more than 0, and finite")


def _sampler(space: Space, sampler: SamplerName | None, trials: int | None) -> SamplerName:
    if sampler is not None and sampler not in get_args(SamplerName):
        known = " or ".join(get_args(SamplerName))
        raise SpaceError(f"sampler is {sampler!r}; it must be {known}")
    if sampler is None:
        ranges = any(isinstance(values, Range) for values in space.keys.values())
        return "tpe" if ranges or trials else "grid"
    if sampler == "grid" and trials:
        raise SpaceError(f"a grid tries every setting; {trials} trials cannot be asked for")
    return sampler


def _conclude(space: Space, study: Study, sampler: SamplerName) -> Tuned:
    folder, outcomes = study.folder, study.search.outcomes()
    tried = [_tried(one, study) for one in outcomes if one.complete]
    if not tried:
        raise StudyError(f"{folder}: no setting was trained to its end yet")
    ranking = rank(tried, list(space.keys))
    write_text(folder / RANKING, to_json(ranking.to_json()))
    best = ranking.best
    recipe = space.apply(best.setting)
    winner = folder / WINNER
    called = recipe.model_copy(update={"name": f"{space.name}-winner"[:64]})
    for name, text in as_files(called, WINNER).items():
        make_folder((folder / name).parent)
        write_text(folder / name, text)
    outcome = next(one for one in outcomes if one.number == best.number)
    runs = tuple(open_run(folder / path) for path in outcome.runs)
    say(f"reading test for the best setting, once for each of its {len(runs)} runs")
    scores = [evaluate(run, data=study.data, device=study.device) for run in runs]
    test = tuple(one.accuracy for one in scores)
    facts = _facts(space, outcomes, outcome, runs, test)
    facts["importance"] = study.search.importance()
    facts["provenance"].insert(1, ("sampler", sampler))
    write_text(folder / TRIALS, to_json(facts))
    page = write_page(study_document(folder), folder / "report.html", folder / "figures")
    return Tuned(folder, ranking, winner, page, runs, len(outcomes) - len(tried), test)


def _tried(one: Outcome, study: Study) -> Tried:
    predictions = []
    for path in one.runs:
        trained = open_trained(open_run(study.folder / path), "best", study.data, study.device)
        evaluate_trained(trained, "validation")
        predictions.append(predictions_of(trained, "validation"))
    return Tried(one.number, one.setting, tuple(predictions))


def _facts(
    space: Space,
    outcomes: Sequence[Outcome],
    best: Outcome,
    runs: Sequence[Run],
    test: Sequence[float],
) -> dict[str, Any]:
    """Return what the page tells beside the ranking."""
    first = runs[0].provenance
    spread = f" ± {100 * statistics.stdev(test):.2f}" if len(test) > 1 else ""
    return {
        "name": space.name,
        "summary": space.summary,
        "keys": list(space.keys),
        "trials": [asdict(one) for one in outcomes],
        "test": f"{100 * statistics.fmean(test):.2f}{spread} %",
        "provenance": [
            ("recipe", space.recipe),
            ("pruning", "successive halving on the first seed, by epochs, a third goes on"),
            ("hardware", f"{first['hardware']}, {first['precision']}"),
            ("versions", ", ".join(f"{name} {value}" for name, value in first["versions"].items())),
            ("validation", f"{first['split']['validation_images']:,} pictures"),
            ("best runs", ", ".join(best.runs)),
        ],
    }


def _check_validation(space: Space) -> None:
    """Raise SpaceError where settings would not be ranked on the same validation pictures."""
    for key in ("data.split_seed", "data.validation_images"):
        values = space.keys.get(key)
        if isinstance(values, Range) or (values is not None and len(values.values) > 1):
            raise SpaceError(
                f"space {space.name}: {key} varies; settings are ranked on the same validation "
                "pictures, so give it one value"
            )
    setting = {
        key: values.values[0] if isinstance(values, Choices) else values.low
        for key, values in space.keys.items()
    }
    if not space.apply(setting).data.validation_images:
        raise SpaceError(
            f"space {space.name}: recipe {space.recipe} sets no pictures aside to select by; add "
            "data.validation_images = [5000] to [space]"
        )
