"""A study as people see it: a line a setting, with the best so far and the time that is left."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from fashioncnn.console.say import duration, say
from fashioncnn.evaluation.intervals import wilson
from fashioncnn.runs.directory import open_run
from fashioncnn.tuning.outcome import Outcome, Ticket
from fashioncnn.tuning.search import Search
from fashioncnn.tuning.setting import describe


class StudyProgress:
    """Counts from when it is made; the best has its 95 % interval over pictures."""

    def __init__(self, search: Search, folder: Path) -> None:
        self._search, self._folder = search, folder
        self._started, self._at_start = time.monotonic(), len(search.outcomes())

    def one_more(self, ticket: Ticket) -> None:
        """Say what a setting came to, the best so far, and how long the others will take."""
        outcomes, wanted = self._search.outcomes(), self._search.wanted
        tried = max(1, len(outcomes) - self._at_start)
        seconds = (time.monotonic() - self._started) / tried
        done = [one for one in outcomes if one.complete]
        mine = next(one for one in outcomes if one.number == ticket.number)
        words = f"{mine.accuracy:.2%}" if mine.complete else "given up"
        left = wanted - len(outcomes)
        say(
            f"{len(outcomes)} of {wanted} settings  {describe(ticket.setting)}: {words}"
            + (f"  best {_with_interval(self._folder, done)}" if done else "")
            + (f"  about {duration(seconds * left)} left" if left > 0 else "")
        )


def _with_interval(folder: Path, done: Sequence[Outcome]) -> str:
    best = max(done, key=lambda one: one.accuracy or 0.0)
    # As many as there were, which may be fewer than the recipe asks for.
    pictures = open_run(folder / best.runs[0]).provenance["split"]["validation_images"]
    accuracy = best.accuracy or 0.0
    found = wilson(round(accuracy * pictures), pictures)
    return f"{accuracy:.2%} [{100 * found.low:.2f}, {100 * found.high:.2f}]"
