"""The optimisers: one a file, registered here."""

from __future__ import annotations

from fashioncnn.registry import Choices
from fashioncnn.training.optimizers.adam import AdamSettings
from fashioncnn.training.optimizers.adamw import AdamWSettings
from fashioncnn.training.optimizers.base import OptimizerSettings
from fashioncnn.training.optimizers.muon import MuonSettings
from fashioncnn.training.optimizers.own import OwnOptimizerSettings
from fashioncnn.training.optimizers.sgd import SGDSettings

OPTIMIZERS: Choices[OptimizerSettings] = Choices(
    "name", (AdamSettings, AdamWSettings, SGDSettings, MuonSettings), own=OwnOptimizerSettings
)
