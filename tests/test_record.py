"""bench record: what is a record, what is none, and what an entry holds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import fashioncnn as fc
from fashioncnn.errors import BenchmarkError


def measured(
    folder: Path, recipe: str, accuracies: Sequence[float], seconds: Sequence[float]
) -> Path:
    """Write what bench speed writes of a recipe."""
    folder.mkdir(exist_ok=True)
    result = {
        "name": recipe,
        "settings": fc.load_recipe(recipe).settings(),
        "n": len(accuracies),
        "metrics": {
            "test/accuracy": {"values": list(accuracies)},
            "train/seconds": {"values": list(seconds)},
        },
        "ratios": {"ordinary": {"of": "train/seconds", "median": 7.5, "values": [7.5]}},
        "machine": {"hardware": "two cores"},
        "versions": {},
        "command": "bench speed",
        "commit": None,
        "date": "2026-11-22",
    }
    (folder / f"{recipe}.json").write_text(json.dumps(result))
    return folder


def about(mean: float, spread: float, n: int = 10) -> list[float]:
    """Return n values with this mean and standard deviation, exactly."""
    values = np.random.default_rng(0).normal(size=n)
    values = (values - values.mean()) / values.std(ddof=1)
    return [float(one) for one in mean + spread * values]


def test_an_entry_has_recipe_log_environment_and_results(tmp_path: Path) -> None:
    folder = measured(tmp_path / "m", "fast-94", about(0.942, 0.001), about(130, 5))
    measured(folder, "fast-93", about(0.931, 0.001), about(160, 5))
    found = fc.bench_record(
        "fast-94", percent=94, against="fast-93", measured=folder, out=tmp_path / "records"
    )
    assert found.reasons == ()
    assert found.folder == tmp_path / "records" / "94-percent" / "2026-11-22-fast-94"
    assert found.accuracy_p_value < 0.001
    assert found.times_previous == pytest.approx(160 / 130, rel=0.02)
    assert found.times_ordinary == 7.5
    names = {one.name for one in found.folder.iterdir()}
    assert names == {"recipe.toml", "log.txt", "environment.json", "results.json", "record.json"}
    assert fc.load_recipe(found.folder / "recipe.toml").name == "fast-94"
    assert len((found.folder / "log.txt").read_text().splitlines()) == 10
    # A second one of that day does not take its place.
    second = fc.bench_record(
        "fast-94", percent=94, against="fast-93", measured=folder, out=tmp_path / "records"
    )
    assert second.folder == found.folder.with_name("2026-11-22-fast-94-2")
    # Where there are entries, the next one is measured against the newest.
    with pytest.raises(BenchmarkError, match=r"has entries: measure against the newest, .*-94-2$"):
        fc.bench_record("fast-94", percent=94, measured=folder, out=tmp_path / "records")
    measured(folder, "fast-92", about(0.942, 0.001), about(90, 5))
    following = fc.bench_record(
        "fast-92", percent=94, against=str(found.folder), measured=folder, out=tmp_path / "records"
    )
    assert following.previous == "fast-94"
    assert following.folder is not None


@pytest.mark.parametrize(
    ("accuracies", "seconds", "told"),
    [
        (about(0.942, 0.001, 9), about(130, 5, 9), "9 seeds; a record needs 10"),
        (about(0.9402, 0.001), about(130, 5), "that it is above 94 % has p ="),
        (about(0.93, 0.001), about(130, 5), "test accuracy 93.00 %"),
        (about(0.942, 0.001), about(159, 5), "not faster"),
        (about(0.942, 0.001), about(170, 5), "0.94. times as fast"),
    ],
)
def test_what_is_no_record_leaves_no_entry(
    accuracies: Sequence[float], seconds: Sequence[float], told: str, tmp_path: Path
) -> None:
    import re

    folder = measured(tmp_path / "m", "fast-94", accuracies, seconds)
    noisy = [one * (1 + 0.05 * (-1) ** at) for at, one in enumerate(about(160, 5))]
    measured(folder, "fast-93", about(0.931, 0.001), noisy)
    found = fc.bench_record(
        "fast-94", percent=94, against="fast-93", measured=folder, out=tmp_path / "records"
    )
    assert re.search(told, "; ".join(found.reasons)), found.reasons
    assert found.folder is None
    assert not (tmp_path / "records").exists()


def test_results_of_something_else_are_refused(tmp_path: Path) -> None:
    folder = measured(tmp_path / "m", "fast-94", about(0.942, 0.001), about(130, 5))
    with pytest.raises(BenchmarkError, match=r"has no fast-93\.json"):
        fc.bench_record("fast-94", percent=94, against="fast-93", measured=folder)
    told = json.loads((folder / "fast-94.json").read_text())
    measured(folder, "fast-93", about(0.931, 0.001), about(160, 5))
    other = json.loads((folder / "fast-93.json").read_text()) | {"command": "another"}
    (folder / "fast-93.json").write_text(json.dumps(other))
    with pytest.raises(BenchmarkError, match="are of two runs"):
        fc.bench_record("fast-94", percent=94, against="fast-93", measured=folder)
    told["settings"]["training"]["epochs"] = 3
    (folder / "fast-94.json").write_text(json.dumps(told))
    with pytest.raises(BenchmarkError, match="other settings of fast-94"):
        fc.bench_record("fast-94", percent=94, measured=folder, out=tmp_path)
    (folder / "fast-94.json").write_text("{}")
    with pytest.raises(BenchmarkError, match="not a result of bench speed"):
        fc.bench_record("fast-94", percent=94, measured=folder, out=tmp_path)


@pytest.mark.usefixtures("tiny_data")
def test_it_measures_where_nothing_is_measured_yet(tmp_path: Path, tiny_recipe: Path) -> None:
    # A new version is measured against the one before, which has the same name.
    entry = tmp_path / "entry"
    entry.mkdir()
    (entry / "recipe.toml").write_text(tiny_recipe.read_text().replace("epochs = 3", "epochs = 2"))
    found = fc.bench_record(
        str(tiny_recipe),
        percent=50,
        against=str(entry),
        seeds=1,
        ordinary_seeds=0,
        out=tmp_path / "records",
    )
    assert found.n == 1
    assert found.previous == "tiny-previous"
    assert found.times_previous is not None
    assert any("a record needs 10" in reason for reason in found.reasons)
    assert any("sets validation pictures aside" in reason for reason in found.reasons)
    assert any("ordinary way was not measured" in reason for reason in found.reasons)
    with pytest.raises(BenchmarkError, match=r"has the settings of .*: nothing to compare"):
        fc.bench_record(str(tiny_recipe), percent=50, against=str(tiny_recipe))
    # What was measured stays, for --resume with more seeds.
    assert (tmp_path / "records" / "50-percent" / ".measuring-tiny" / "tiny.json").is_file()
