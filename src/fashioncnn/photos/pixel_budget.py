"""How many pixels of pictures are in memory at once, whatever the number of threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from fashioncnn.photos.files import FORMATS, MAX_PIXELS


class PixelBudget:
    """Threads that share it wait until their picture fits beside those of the others."""

    def __init__(self, pixels: int) -> None:
        self.pixels = pixels
        self._spent = 0
        self._changed = threading.Condition()

    @contextmanager
    def spend(self, pixels: int) -> Iterator[None]:
        """Wait for `pixels`, and keep them within the block; a larger picture goes alone."""
        with self._changed:
            self._changed.wait_for(lambda: not self._spent or self._spent + pixels <= self.pixels)
            self._spent += pixels
        try:
            yield
        finally:
            with self._changed:
                self._spent -= pixels
                self._changed.notify_all()


BUDGET = PixelBudget(MAX_PIXELS)


def decoded_pixels(path: Path) -> int:
    """Return the pixels that a file says it has; 0 where it says none, or is decoded smaller."""
    try:
        if not path.is_file():
            return 0
        with Image.open(path, formats=FORMATS) as picture:
            return 0 if picture.format == "JPEG" else picture.width * picture.height
    except Exception:
        return 0
