"""Telling people what happens: lines and bars on standard error, never on standard output."""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from fashioncnn.errors import printable

if TYPE_CHECKING:
    from rich.console import Console

SECONDS_BETWEEN_LINES = 10
T = TypeVar("T")

_details = False


@functools.cache
def console() -> Console:
    """Return the console on standard error."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True, markup=False)


@contextmanager
def silence() -> Iterator[None]:
    """Say nothing while inside."""
    before, console().quiet = console().quiet, True
    try:
        yield
    finally:
        console().quiet = before


def say_as_much(level: int) -> None:
    """From now on say nothing (-1), what people want to know (0), or details, too (1)."""
    global _details
    console().quiet, _details = level < 0, level > 0


@contextmanager
def timed(words: str) -> Iterator[None]:
    """Print `words`, and how long it took, for a user who asked for details."""
    started = time.perf_counter()
    yield
    if _details:
        say(f"{words}: {duration(time.perf_counter() - started)}")


def say(line: str) -> None:
    """Print one line for the user."""
    console().print(printable(line))


def duration(seconds: float) -> str:
    """Write a time span for people: "8.2 s", "2 min 05 s", "1 h 04 min"."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    return f"{minutes // 60} h {minutes % 60:02} min"


def with_progress(items: Iterable[T], count: int, words: str) -> Iterator[T]:
    """Yield `items`, `count` of them, with a bar on a terminal, elsewhere a line now and then."""
    if sys.stderr.isatty():
        from rich.progress import track

        yield from track(items, words, count, console=console(), transient=True)
        return
    started = told = time.perf_counter()
    for done, item in enumerate(items, start=1):
        now = time.perf_counter()
        if now - told > SECONDS_BETWEEN_LINES:
            told = now
            left = (now - started) / done * (count - done)
            say(f"{words}: {done} of {count}, about {duration(left)} left")
        yield item
