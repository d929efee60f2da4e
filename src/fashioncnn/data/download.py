"""Downloading over https, with time-outs, retries, a size limit and progress."""

from __future__ import annotations

import logging
import sys
import time
from pathlib import Path
from typing import Any

from fashioncnn.errors import DataError

MIRRORS = (
    "https://fashion-mnist.s3.eu-central-1.amazonaws.com/",
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
)
TIMEOUT_SECONDS = 15
ATTEMPTS = 2
PAUSE_SECONDS = 1.0
MAX_FILE_BYTES = 64 << 20


def download(mirror: str, name: str, folder: Path) -> Path:
    """Download `name`.gz from `mirror` into `folder` and return its path.

    Raises DataError when the mirror does not give the file in ATTEMPTS attempts. What arrives is
    not trusted: the caller verifies it.
    """
    import pooch
    import requests

    pooch.get_logger().setLevel(logging.ERROR)
    url = f"{mirror}{name}.gz"
    for attempt in range(1, ATTEMPTS + 1):
        try:
            fetched = pooch.retrieve(
                url,
                known_hash=None,
                fname=f"{name}.gz",
                path=folder,
                downloader=pooch.HTTPDownloader(
                    progressbar=_Progress(name), timeout=TIMEOUT_SECONDS
                ),
            )
            return Path(fetched)
        except (requests.RequestException, ValueError) as error:
            if attempt == ATTEMPTS:
                raise DataError(f"{url}: {_reason(error)}") from None
            time.sleep(PAUSE_SECONDS)
    raise AssertionError("unreachable")


def _reason(error: Exception) -> str:
    import requests

    if isinstance(error, requests.Timeout):
        return f"no answer within {TIMEOUT_SECONDS} s"
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"the server answered {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    return str(error)


class _Progress:
    """What pooch calls while bytes arrive: shows a bar, and refuses an endless file."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.total = 0
        self._bar: Any = None
        self._received = 0

    def update(self, received: int) -> None:
        from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn

        self._received += received
        if self._received > MAX_FILE_BYTES:
            self.close()
            raise ValueError(f"more than {MAX_FILE_BYTES:,} bytes for {self.name}")
        if self._bar is None and sys.stderr.isatty():
            from rich.console import Console

            self._bar = Progress(
                "{task.description}",
                BarColumn(),
                DownloadColumn(),
                TransferSpeedColumn(),
                console=Console(stderr=True),
            )
            self._bar.start()
            self._task = self._bar.add_task(self.name, total=self.total or None)
        if self._bar is not None:
            self._bar.update(self._task, completed=self._received)

    def reset(self) -> None:
        """Do nothing: pooch resets the bar before it fills it once more at the end."""

    def close(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
