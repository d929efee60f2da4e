"""tune: from a search space to a ranking of settings, and the best one as a recipe."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fashioncnn.errors import SpaceError, StudyError
from fashioncnn.recipes.load import dump
from fashioncnn.reporting import study as study_page
from fashioncnn.runs.directory import Run, open_run
from fashioncnn.runs.files import make_folder, read_json, to_json, write_text
from fashioncnn.tracking.trackers import TrackerName, check
from fashioncnn.training.device import DeviceName
from fashioncnn.tuning.ranking import Ranking, Tried, rank
from fashioncnn.tuning.search import Answer, SamplerName, Search
from fashioncnn.tuning.space import Choices, Range, Space, read_space
from fashioncnn.workflows.evaluate import evaluate, predictions_of
from fashioncnn.workflows.ray_cluster import Cluster
from fashioncnn.workflows.say import say
from fashioncnn.workflows.stopping import StopWish, stop_wish
from fashioncnn.workflows.tune_ray import work_on_cluster
from fashioncnn.workflows.tune_worker import Order, Worker, helpers

DEFAULT_OUT = Path("studies")
DEFAULT_TRIALS = 30


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


def tune(
    space: str | Path,
    *,
    sampler: SamplerName | None = None,
    trials: int | None = None,
    seeds: int = 1,
    budget_minutes: float | None = None,
    workers: int = 1,
    cluster: Cluster | None = None,
    out: Path | str | None = None,
    storage: str | None = None,
    resume: bool = False,
    data: Path | str | None = None,
    device: DeviceName = "auto",
    log: Sequence[TrackerName] = (),
) -> Tuned:
    """Try settings of `space` (a built-in name, or a path), rank them by validation accuracy.

    Without `sampler` and `trials`, a space of lists is tried whole (grid), and of one with ranges
    30 settings, proposed by TPE. Every setting is trained with `seeds` seeds; hopeless ones are
    given up early, by successive halving on the first seed (Jamieson and Talwalkar, arXiv
    1502.07943). `workers` processes share the processor; with `cluster`, settings are tried on a
    Ray cluster instead. The study lies in `out`, by default studies/<space>; with `resume` it goes
    on where it was stopped. `log` names trackers that get a copy of each run. Test is read for the
    best setting alone, once a run. Raises SpaceError, StudyError, RunError, TrackingError; Stopped
    when the user asks.
    """
    check(log)
    chosen = read_space(space)
    _check_validation(chosen)
    sampler = _sampler(chosen, sampler, trials)
    folder = make_folder(Path(out or DEFAULT_OUT / chosen.name))
    file = folder / "study.json"
    if file.exists():
        _check_earlier(file, seeds, resume)
    order = Order(
        space=str(space),
        sampler=sampler,
        trials=trials or DEFAULT_TRIALS,
        seeds=seeds,
        folder=str(folder.absolute()),
        storage=storage,
        data=str(data) if data else None,
        device=device,
        deadline=time.time() + 60 * budget_minutes if budget_minutes else None,
        log=tuple(log),
    )
    with stop_wish() as wish, order.search(chosen) as search:
        write_text(file, to_json(asdict(order)))
        done = len(search.answered())
        say(
            f"{chosen.name}: {search.wanted} settings by {sampler}, "
            + ("one seed each, " if seeds == 1 else f"{seeds} seeds each, ")
            + (f"{done} of them tried already, in {folder}" if done else f"in {folder}")
        )
        _work(search, order, wish, workers, cluster)
        if search.queue_finalists():
            _work(search, order, wish, 1, cluster)
        return _conclude(chosen, folder, search, order)


def _check_earlier(file: Path, seeds: int, resume: bool) -> None:
    """Raise StudyError unless the study that `file` tells of can be gone on with."""
    if not resume:
        raise StudyError(
            f"{file.parent} holds a study: --resume goes on with it, or choose another --out"
        )
    earlier = read_json(file)
    begun = earlier.get("seeds") if isinstance(earlier, dict) else None
    if begun != seeds:
        raise StudyError(
            f"the study in {file.parent} was begun with {begun} seeds, not {seeds}: choose another "
            "--out, or the seeds that it was begun with"
        )


def _work(
    search: Search, order: Order, wish: StopWish, workers: int, cluster: Cluster | None
) -> None:
    if cluster:
        work_on_cluster(search, order, cluster, wish)
        return
    with helpers(order, workers - 1):
        Worker(search, order, wish).work()
    # A helper that was killed leaves its setting to us.
    Worker(search, order, wish).work()


def _sampler(space: Space, sampler: SamplerName | None, trials: int | None) -> SamplerName:
    if sampler is None:
        ranges = any(isinstance(values, Range) for values in space.keys.values())
        return "tpe" if ranges or trials else "grid"
    if sampler == "grid" and trials:
        raise SpaceError(f"a grid tries every setting; {trials} trials cannot be asked for")
    return sampler


def _conclude(space: Space, folder: Path, search: Search, order: Order) -> Tuned:
    answers = search.answered()
    tried = [_tried(one, folder, order) for one in answers if one.complete]
    if not tried:
        raise StudyError(f"{folder}: no setting was trained to its end yet")
    ranking = rank(tried, list(space.keys))
    write_text(folder / "ranking.json", to_json(ranking.to_json()))
    best = ranking.best
    recipe = space.apply(best.setting)
    winner = folder / "winner.toml"
    write_text(winner, dump(recipe.model_copy(update={"name": f"{space.name}-winner"[:64]})))
    answer = next(one for one in answers if one.number == best.number)
    runs = tuple(open_run(folder / path) for path in answer.runs)
    say(f"reading test for the best setting, once for each of its {len(runs)} runs")
    scores = [evaluate(run, data=order.data, device=order.device) for run in runs]
    test = tuple(one.accuracy for one in scores)
    facts = _facts(space, answers, answer, runs, test)
    facts["importance"] = search.importance()
    facts["provenance"].insert(1, ("sampler", order.sampler))
    write_text(folder / "trials.json", to_json(facts))
    page = study_page.write(folder, folder / "report.html")
    return Tuned(folder, ranking, winner, page, runs, len(answers) - len(tried), test)


def _tried(one: Answer, folder: Path, order: Order) -> Tried:
    predictions = []
    for path in one.runs:
        run = open_run(folder / path)
        evaluate(run, split="validation", data=order.data, device=order.device)
        predictions.append(predictions_of(run, "validation"))
    return Tried(one.number, one.setting, tuple(predictions))


def _facts(
    space: Space,
    answers: Sequence[Answer],
    best: Answer,
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
        "trials": [asdict(one) for one in answers],
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
    setting = {
        key: values.values[0] if isinstance(values, Choices) else values.low
        for key, values in space.keys.items()
    }
    if not space.apply(setting).data.validation_images:
        raise SpaceError(
            f"space {space.name}: recipe {space.recipe} sets no pictures aside to select by; add "
            "data.validation_images = [5000] to [space]"
        )
