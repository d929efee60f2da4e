"""The table `reported`: what a report says of the system that a recipe re-creates."""

from __future__ import annotations

from pydantic import Field

from fashioncnn.settings import NotNegative, Probability, Settings


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
