"""Ways to train that are measured beside each other, and a file of results for each."""

from __future__ import annotations

import statistics
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fashioncnn.benchmarking.machine import Machine
from fashioncnn.errors import BenchmarkError
from fashioncnn.evaluation.summary import summarise
from fashioncnn.runs.files import read_json, to_json, write_text
from fashioncnn.runs.provenance import command, versions

Metrics = dict[str, float]


@dataclass(frozen=True)
class Way:
    """One way to train: `once` trains and tests with a seed; `facts` go into its result."""

    name: str
    seeds: int
    once: Callable[[int], Metrics]
    facts: Mapping[str, Any]


class Measured:
    """What each of `ways` came to, seed by seed: FOLDER/<name>.json, written anew after each.

    With `resume`, what the files hold already is kept. Raises BenchmarkError where two ways have
    one name, or a file was measured with other settings.
    """

    def __init__(
        self, folder: Path, ways: Sequence[Way], against: Sequence[str], resume: bool
    ) -> None:
        self.files = {way.name: folder / f"{way.name}.json" for way in ways}
        if len(self.files) < len(ways):
            raise BenchmarkError("two of the recipes have the same name: measure them one by one")
        self._ways, self._against = ways, against
        self._values = {
            way.name: _earlier(self.files[way.name], way) if resume else [] for way in ways
        }

    @property
    def missing(self) -> list[tuple[Way, int]]:
        """What is to be measured still, as way and seed: every way with seed 0, then with 1, …"""
        return [
            (way, seed)
            for seed in range(max(way.seeds for way in self._ways))
            for way in self._ways
            if len(self._values[way.name]) <= seed < way.seeds
        ]

    def add(self, way: Way, metrics: Metrics, machine: Machine) -> None:
        """Note what the next seed of a way came to on `machine`."""
        self._values[way.name].append(metrics)
        for each in self._ways:
            if self._values[each.name]:
                self._write(each, machine)

    def _write(self, way: Way, machine: Machine) -> None:
        values, file = self._values[way.name], self.files[way.name]
        result = {
            "name": way.name,
            **way.facts,
            "n": len(values),
            "metrics": summarise(values),
            "ratios": {
                peer: ratios(self._values[peer], values)
                for peer in self._against
                if peer != way.name and self._values[peer]
            },
            "machine": machine.to_json(),
            "versions": versions(),
            "command": command(),
            "commit": _commit(file.parent),
            "date": datetime.now(UTC).date().isoformat(),
        }
        write_text(file, to_json(result))


def _earlier(file: Path, way: Way) -> list[Metrics]:
    if not file.exists():
        return []
    result = read_json(file)
    try:
        same = result.get("settings") == way.facts.get("settings")
        same = same and result.get("warm", False) == way.facts.get("warm", False)
        metrics = result["metrics"].items()
        values = [{key: one["values"][n] for key, one in metrics} for n in range(result["n"])]
    except (KeyError, TypeError, IndexError, AttributeError):
        raise BenchmarkError(f"{file} is not a result of bench speed") from None
    if not same:
        raise BenchmarkError(
            f"{file} was measured with other settings of {way.name}: measure it without --resume, "
            "or choose another --out"
        )
    return values


def _commit(folder: Path) -> str | None:
    """Return the commit that is checked out around `folder`, if any."""
    git = ["git", "-C", str(folder), "rev-parse", "HEAD"]
    try:
        return subprocess.run(git, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def ratios(slow: Sequence[Metrics], fast: Sequence[Metrics]) -> dict[str, Any]:
    """Return how many times faster `fast` trained than `slow`, seed by seed, and the median."""
    values = [
        one["train/seconds"] / other["train/seconds"]
        for one, other in zip(slow, fast, strict=False)
    ]
    return {"of": "train/seconds", "median": statistics.median(values), "values": values}
