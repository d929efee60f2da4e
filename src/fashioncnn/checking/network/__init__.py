"""Checks of a network."""

from __future__ import annotations

from fashioncnn.checking.finding import Check
from fashioncnn.checking.network.answers import leaves_the_input, logits, one_picture, shapes
from fashioncnn.checking.network.keeping import exports, keeps_no_state, registered, saves_and_loads
from fashioncnn.checking.network.learning import finite, gradients, learns
from fashioncnn.checking.network.repeating import (
    by_itself,
    differs_where_it_should,
    same_for_a_seed,
    same_in_evaluation,
)
from fashioncnn.checking.subject import NetworkSubject

CHECKS: tuple[Check[NetworkSubject], ...] = (
    shapes,
    one_picture,
    registered,
    leaves_the_input,
    logits,
    finite,
    gradients,
    same_for_a_seed,
    same_in_evaluation,
    by_itself,
    differs_where_it_should,
    keeps_no_state,
    saves_and_loads,
    learns,
    exports,
)
