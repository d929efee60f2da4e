"""The learning-rate schedules: one a file, registered here; each a pure function of the step."""

from __future__ import annotations

from fashioncnn.registry import Choices
from fashioncnn.training.schedules.base import ScheduleSettings
from fashioncnn.training.schedules.constant import ConstantSettings
from fashioncnn.training.schedules.cosine import CosineSettings
from fashioncnn.training.schedules.one_cycle import OneCycleSettings
from fashioncnn.training.schedules.own import OwnScheduleSettings

SCHEDULES: Choices[ScheduleSettings] = Choices(
    "name", (ConstantSettings, CosineSettings, OneCycleSettings), own=OwnScheduleSettings
)
