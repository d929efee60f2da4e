"""bench record: is a recipe the fastest to an accuracy, and the entry that says so."""

from __future__ import annotations

import itertools
import math
import shutil
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scipy import stats

from fashioncnn.console.say import say
from fashioncnn.errors import BenchmarkError
from fashioncnn.recipes.load import as_files, load, validate
from fashioncnn.recipes.schema import Recipe
from fashioncnn.runs.files import make_folder, read_json, to_json, write_text
from fashioncnn.training.device import DeviceName
from fashioncnn.usercode.modules import may_run
from fashioncnn.usercode.trust import trust
from fashioncnn.workflows.bench_speed import bench_speed

DEFAULT_OUT = Path("records")
FEWEST_SEEDS = 10
ORDINARY, ORDINARY_SEEDS = "ordinary", 3
# The chance of a false record, of each of the two questions.
P_VALUE = 0.01
ENTRY = "record.json"


@dataclass(frozen=True)
class Record:
    """What was decided: `reasons` say what stands against it; without any, `folder` is the entry.

    Accuracies are in per cent. `times_previous` and `times_ordinary` are medians of the ratios of
    training times, seed by seed: above 1, the recipe is faster.
    """

    recipe: str
    percent: float
    reasons: tuple[str, ...]
    accuracy_mean: float
    accuracy_std: float
    accuracy_p_value: float
    seconds_mean: float
    seconds_std: float
    n: int
    previous: str | None
    times_previous: float | None
    previous_p_value: float | None
    times_ordinary: float | None
    hardware: str
    date: str
    folder: Path | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the whole as plain values; the folder is where it lies."""
        return {key: value for key, value in vars(self).items() if key != "folder"}


def bench_record(
    recipe: str,
    *,
    percent: float,
    against: str | None = None,
    seeds: int = FEWEST_SEEDS,
    ordinary_seeds: int = ORDINARY_SEEDS,
    data: Path | str | None = None,
    device: DeviceName = "auto",
    out: Path | str = DEFAULT_OUT,
    peers: Path | str | None = None,
    measured: Path | str | None = None,
    resume: bool = False,
) -> Record:
    """Measure `recipe`, the previous record `against` and the ordinary way, alternating; decide.

    It is a record of `percent` test accuracy where ten different seeds or more have a mean above
    that at p < 0.01 (Student's t, one-sided), and where it trains faster than the previous record
    in the same run at p < 0.01 (t of the logarithms of the ratios, seed by seed). The clock runs
    from pictures in memory to the final weights, compilation and preparation inside; test is read
    once a seed. `against` is a recipe, or the folder of an entry; without it, it is the first, and
    `out` may have none of this percentage. A previous recipe of the same name is measured as
    "<name>-previous". A record's entry, with recipe, code, log, environment and results, is written
    to `out`/<percent>/<date>-<recipe>, a second one of a day with a number behind it. `measured` is
    a folder of results that `bench speed` measured in one run, in place of measuring. Raises
    BenchmarkError as `bench_speed`, and for results of other settings.
    """
    chosen = load(recipe)
    previous, origin = (None, None) if against is None else _previous(against)
    folder = Path(out) / f"{percent:g}-percent"
    if against is None and (entries := list(folder.glob(f"*/{ENTRY}"))):
        newest = max(entries, key=lambda entry: entry.stat().st_mtime).parent
        raise BenchmarkError(f"{folder} has entries: measure against the newest, {newest}")
    measuring = folder / f".measuring-{chosen.name}" if measured is None else Path(measured)
    if previous and previous.settings() == chosen.settings():
        raise BenchmarkError(f"{against} has the settings of {recipe}: nothing to compare")
    if previous and previous.name == chosen.name:
        previous = load(previous, [f"name={chosen.name}-previous"])
        if measured is None:
            origin = str(_written(measuring / "previous", previous))
    if measured is None:
        bench_speed(
            [recipe, *([origin] if origin else [])],
            seeds=seeds,
            against=[ORDINARY] if ordinary_seeds else [],
            peer_seeds=ordinary_seeds or None,
            data=data,
            device=device,
            out=measuring,
            peers=peers,
            resume=resume,
        )
    mine, theirs = _of_one_run(measuring, chosen, previous)
    record = _decide(chosen, percent, mine, theirs)
    if record.reasons:
        return record
    entry = _free(folder / f"{record.date}-{chosen.name}")
    _write_entry(entry, chosen, record, {"record": mine, "previous": theirs})
    if measured is None:
        shutil.rmtree(measuring, ignore_errors=True)
    return Record(**{**vars(record), "folder": entry})


def _of_one_run(
    folder: Path, chosen: Recipe, previous: Recipe | None
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Return what was measured of both. BenchmarkError where that was not in one run."""
    mine = _result(folder, chosen)
    theirs = _result(folder, previous) if previous else None
    if theirs and any(mine.get(key) != theirs.get(key) for key in ("command", "machine")):
        raise BenchmarkError(f"{folder}: {chosen.name} and {theirs['name']} are of two runs")
    return mine, theirs


def _previous(against: str) -> tuple[Recipe, str]:
    """Return a previous record's recipe, and what to train it by."""
    path = Path(against) / "recipe.toml"
    origin = str(path) if path.is_file() else against
    return load(origin), origin


def _result(folder: Path, recipe: Recipe) -> dict[str, Any]:
    """Return what was measured of a recipe. BenchmarkError for another one of its name."""
    file = folder / f"{recipe.name}.json"
    if not file.is_file():
        raise BenchmarkError(f"{folder} has no {file.name}: measure {recipe.name} there, too")
    result = read_json(file)
    try:
        settings = validate({"name": recipe.name, **result["settings"]}, str(file)).settings()
        result["metrics"]["train/seconds"]["values"][0]
        result["metrics"]["test/accuracy"]["values"][0]
    except (KeyError, TypeError, IndexError):
        raise BenchmarkError(f"{file} is not a result of bench speed") from None
    if settings != recipe.settings():
        raise BenchmarkError(f"{file} was measured with other settings of {recipe.name}")
    return dict(result)


def _decide(
    recipe: Recipe, percent: float, mine: Mapping[str, Any], theirs: Mapping[str, Any] | None
) -> Record:
    seconds, accuracies = _values(mine, "train/seconds"), _values(mine, "test/accuracy")
    accuracies = [100 * one for one in accuracies]
    n, reasons = len(accuracies), []
    if n < FEWEST_SEEDS:
        reasons.append(f"{n} seeds; a record needs {FEWEST_SEEDS}")
    mean = statistics.fmean(accuracies)
    p_accuracy = _chance_of(accuracies, percent)
    if not (mean > percent and p_accuracy < P_VALUE):
        reasons.append(
            f"test accuracy {mean:.2f} %: that it is above {percent:g} % has p = {p_accuracy:.3g}, "
            f"not below {P_VALUE}"
        )
    if recipe.data.validation_images:
        reasons.append("it sets validation pictures aside: choose its settings, then train on all")
    times, p_times = None, None
    if theirs is not None:
        pairs = list(zip(_values(theirs, "train/seconds"), seconds, strict=False))
        ratios = [before / after for before, after in pairs]
        times = statistics.median(ratios)
        # Of logarithms: twice and half as fast are equally far from 1.
        p_times = _chance_of([math.log(one) for one in ratios], 0.0)
        if not (times > 1 and p_times < P_VALUE):
            reasons.append(
                f"{times:.3f} times as fast as {theirs['name']}, p = {p_times:.3g}: not faster "
                f"at p < {P_VALUE}"
            )
    ordinary = mine.get("ratios", {}).get(ORDINARY)
    if ordinary is None:
        reasons.append("the ordinary way was not measured beside it")
    return Record(
        recipe.name,
        percent,
        tuple(reasons),
        mean,
        statistics.stdev(accuracies) if n > 1 else 0.0,
        p_accuracy,
        statistics.fmean(seconds),
        statistics.stdev(seconds) if n > 1 else 0.0,
        n,
        None if theirs is None else str(theirs["name"]),
        times,
        p_times,
        None if ordinary is None else float(ordinary["median"]),
        str(mine["machine"]["hardware"]),
        str(mine["date"]),
    )


def _values(result: Mapping[str, Any], metric: str) -> list[float]:
    return [float(one) for one in result["metrics"][metric]["values"]]


def _chance_of(values: Sequence[float], bound: float) -> float:
    """Return the one-sided p-value of the mean being above `bound`; 1 for fewer than two."""
    if len(values) < 2:
        return 1.0
    if statistics.stdev(values) == 0:
        return 0.0 if values[0] > bound else 1.0
    return float(stats.ttest_1samp(values, bound, alternative="greater").pvalue)


def _write_entry(
    entry: Path, recipe: Recipe, record: Record, results: Mapping[str, Mapping[str, Any] | None]
) -> None:
    mine = results["record"]
    assert mine is not None
    lines = [
        f"seed {seed}: {100 * accuracy:.2f} % on test, trained in {seconds:.2f} s"
        for seed, (accuracy, seconds) in enumerate(
            zip(_values(mine, "test/accuracy"), _values(mine, "train/seconds"), strict=True)
        )
    ]
    environment = {key: mine.get(key) for key in ("machine", "versions", "command", "commit")}
    files = as_files(recipe) | {
        "log.txt": "\n".join(lines) + "\n",
        "environment.json": to_json(environment),
        "results.json": to_json({key: one for key, one in results.items() if one}),
        # Last, as it is what makes the folder an entry.
        ENTRY: to_json(record.to_json()),
    }
    _write_files(entry, files)
    say(f"a record: {entry}")


def _free(entry: Path) -> Path:
    """Return `entry`, or with a number behind it where there is one of that day."""
    numbers = itertools.count(2)
    free = entry
    while (free / ENTRY).exists():
        free = entry.with_name(f"{entry.name}-{next(numbers)}")
    return free


def _written(folder: Path, recipe: Recipe) -> Path:
    """Write `recipe` with its code to `folder`; return its file, which trains where it may here."""
    _write_files(folder, as_files(recipe))
    if recipe.code and may_run(recipe.code, recipe.addresses):
        trust(recipe.code, recipe.addresses)
    return folder / "recipe.toml"


def _write_files(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        make_folder((folder / name).parent)
        write_text(folder / name, text)
