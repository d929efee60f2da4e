"""The losses that are optimised: one a file, registered here."""

from __future__ import annotations

from fashioncnn.registry import Choices
from fashioncnn.training.losses.base import LossSettings
from fashioncnn.training.losses.cross_entropy import CrossEntropySettings
from fashioncnn.training.losses.own import OwnLossSettings

LOSSES: Choices[LossSettings] = Choices("name", (CrossEntropySettings,), own=OwnLossSettings)
