"""Learning-rate schedules: the factor on the peak rate at a step, a pure function of the step."""

from __future__ import annotations

import math
from collections.abc import Callable

# A schedule maps (share of the decay done, 0 to 1; the factor at the end) to a factor.
Decay = Callable[[float, float], float]


def constant(share: float, final_factor: float) -> float:
    """Stay at the peak."""
    del share, final_factor
    return 1.0


def cosine(share: float, final_factor: float) -> float:
    """Fall along half a cosine (Loshchilov and Hutter, arXiv 1608.03983, eq. 5, no restart)."""
    return final_factor + (1 - final_factor) * (1 + math.cos(math.pi * share)) / 2


def one_cycle(share: float, final_factor: float) -> float:
    """Fall in a straight line (Smith, arXiv 1803.09820, sec. 4.3)."""
    return 1 + (final_factor - 1) * share


SCHEDULES: dict[str, Decay] = {
    "constant": constant,
    "cosine": cosine,
    "one-cycle": one_cycle,
}


def learning_rate_factor(
    name: str,
    step: int,
    *,
    total_steps: int,
    warmup_steps: int = 0,
    initial_factor: float = 0.0,
    final_factor: float = 0.0,
) -> float:
    """Return the factor for `step` (from 0) of `total_steps`.

    The first `warmup_steps` steps climb in a straight line from `initial_factor` to 1, which the
    step after them has; then the schedule falls to `final_factor`, which the last step has.
    """
    if step < warmup_steps:
        return initial_factor + (1 - initial_factor) * step / warmup_steps
    decay_steps = max(1, total_steps - 1 - warmup_steps)
    return SCHEDULES[name](min(1.0, (step - warmup_steps) / decay_steps), final_factor)
