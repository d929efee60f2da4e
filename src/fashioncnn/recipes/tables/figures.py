"""The tables `promise` and `reported`: what a recipe reaches, and what a report says of it."""

from __future__ import annotations

from pydantic import Field

from fashioncnn.settings import Count, NotNegative, Positive, Probability, Settings


class Promise(Settings):
    """What the recipe reaches: written by `benchmarks/publish.py` from measured results."""

    test_accuracy_percent: float
    std_percent: float
    n: Count
    seconds: Positive
    hardware: str
    command: str


class ReportedClass(Settings):
    """Figures of one class, as a published report gives them."""

    precision: Probability | None = None
    recall: Probability | None = None
    f1: Probability | None = None


class Reported(Settings):
    """Figures of the published system that the recipe re-creates."""

    accuracy: Probability
    f1_weighted: Probability | None = None
    train_loss: NotNegative | None = None
    val_loss: NotNegative | None = None
    classes: dict[str, ReportedClass] = Field(default_factory=dict)
