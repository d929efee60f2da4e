"""Where the figures of a group of runs come from: runs, data, split, weights, machine."""

from __future__ import annotations

from collections.abc import Mapping

from fashioncnn.reporting.groups import Group
from fashioncnn.runs.provenance import TrainedOn


def provenance(one: Group) -> tuple[tuple[str, str], ...]:
    """Return it as (what, said) pairs; what is the same in every run is the first run's."""
    run = one.first
    facts = run.provenance
    validated = facts["split"]["validation_images"] > 0
    checkpoint = run.scores.checkpoint
    readings = ", ".join(str(each.scores.test_readings) for each in one.runs)
    return (
        ("runs", ", ".join(str(each.run.path) for each in one.runs)),
        ("seeds", ", ".join(str(each.provenance["seed"]) for each in one.runs)),
        ("command", facts["command"]),
        ("started", facts["started"]),
        ("hardware", f"{facts['hardware']}, {facts['precision']}"),
        ("versions", ", ".join(f"{name} {value}" for name, value in facts["versions"].items())),
        ("data", _data(run.run.trained_on)),
        ("data, SHA-256", _digests(facts["data"], run.run.trained_on)),
        (
            "validation",
            f"{facts['split']['validation_images']:,} of the training pictures, split seed "
            f"{facts['split']['seed']}, SHA-256 of their positions {facts['split']['sha256']}"
            if validated
            else "none: trained on all the training pictures",
        ),
        (
            "weights scored",
            f"best by validation, after epoch {checkpoint.epochs}"
            if validated and checkpoint.name == "best"
            else f"last, after epoch {checkpoint.epochs}",
        ),
        ("evaluations on test, run by run", readings),
    )


def _data(known: TrainedOn) -> str:
    place = f", from {known.place}" if known.place else ""
    return f"{known.name}: {len(known.class_names)} classes, {known.shape}{place}"


def _digests(files: Mapping[str, str], known: TrainedOn) -> str:
    """Return those of the files that were proved, else that of the training pictures."""
    return ", ".join(f"{name} {sha}" for name, sha in files.items()) or str(known.sha256)
