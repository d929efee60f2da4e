"""A point of a search space."""

from __future__ import annotations

import json
from typing import Any

# Values by the keys of a recipe.
Setting = dict[str, Any]


def describe(setting: Setting) -> str:
    """Write a setting in one line for people."""
    return ", ".join(f"{key} {json.dumps(value)}" for key, value in setting.items())
