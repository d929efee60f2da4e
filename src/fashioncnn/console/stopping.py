"""Ctrl-C and SIGTERM as a wish to stop, which the work grants at its next safe moment."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


class StopWish:
    """True once the user asked to stop."""

    def __init__(self) -> None:
        self.asked = False

    def __bool__(self) -> bool:
        return self.asked


@contextmanager
def stop_wish() -> Iterator[StopWish]:
    """While inside, turn the first Ctrl-C or SIGTERM into a wish; a second one ends at once.

    Outside the main thread, where signals cannot be caught, nobody ever asks.
    """
    wish = StopWish()
    if threading.current_thread() is not threading.main_thread():
        yield wish
        return
    earlier: dict[int, Any] = {}

    def ask(number: int, frame: FrameType | None) -> None:
        del frame
        wish.asked = True
        signal.signal(number, earlier[number])

    for name in (signal.SIGINT, signal.SIGTERM):
        earlier[name] = signal.signal(name, ask)
    try:
        yield wish
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
