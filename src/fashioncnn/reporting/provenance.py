"""Where the figures of a group of runs come from: runs, data, split, weights, machine."""

from __future__ import annotations

from fashioncnn.reporting.groups import Group


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
        ("data, SHA-256", ", ".join(f"{name} {sha}" for name, sha in facts["data"].items())),
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
