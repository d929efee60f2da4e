"""The network families: one a file, its settings beside its network, registered here."""

from __future__ import annotations

from fashioncnn.models.family import ModelSettings
from fashioncnn.models.own import OwnModelSettings
from fashioncnn.models.plain_cnn import PlainCNNSettings
from fashioncnn.models.separable_cnn import SeparableCNNSettings
from fashioncnn.models.strided_cnn import StridedCNNSettings
from fashioncnn.registry import Choices

FAMILIES: Choices[ModelSettings] = Choices(
    "family", (PlainCNNSettings, StridedCNNSettings, SeparableCNNSettings), own=OwnModelSettings
)
