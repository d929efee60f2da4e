"""Drawing figures together with a second process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType

import pydantic_core

from fashioncnn.reporting.documents.files import KINDS, Document, read
from fashioncnn.reporting.documents.inside import Inside
from fashioncnn.reporting.figures.catalogue import makers_of
from fashioncnn.reporting.figures.drawing import draw_missing, missing
from fashioncnn.reporting.style import DPI
from fashioncnn.runs.files import make_folder, write_text

CORES = os.cpu_count() or 1
# With fewer figures, a process takes longer to start than it saves.
FEWEST_SHARED = 6


def draw(
    document: Document | Inside,
    folder: Path,
    dpi: int | None = None,
    helper: Helper | None = None,
) -> list[Path]:
    """Draw the figures of `document` into `folder`, where they are not yet; return the PNG files.

    Without `helper` one is started where it is worth it. Raises StorageError when the disk refuses.
    """
    make_folder(folder)
    dpi = dpi or DPI
    names = missing(document, folder, dpi)
    with ExitStack() as held:
        # Both work from one end until they meet.
        (helper or held.enter_context(Helper())).begin(document, folder, names[::-1], dpi)
        draw_missing(document, folder, names, dpi)
    return [folder / f"{name}.png" for name in makers_of(document)]


class Helper:
    """A second process that draws. It is started when there is enough to draw for it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._scratch = tempfile.TemporaryDirectory(prefix="fashioncnn-")
        self._count = 0

    def __enter__(self) -> Helper:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process:
            if error:
                self._process.terminate()
            # It ends when it hears no more, after the figure that it is at.
            self._process.communicate()
        self._scratch.cleanup()

    def begin(
        self, document: Document | Inside, folder: Path, names: Sequence[str], dpi: int = DPI
    ) -> None:
        """Let it draw those of `names` that are not there when it comes to them."""
        if not self._process and len(names) >= FEWEST_SHARED:
            self._start()
        if not self._process:
            return
        file = Path(self._scratch.name) / f"{self._count}.json"
        self._count += 1
        # Plain ASCII: a path may have a byte that is no UTF-8.
        write_text(file, json.dumps(pydantic_core.to_jsonable_python(document)))
        told = [type(document).__name__, str(file), str(folder), list(names), dpi]
        assert self._process.stdin
        # It may have ended: then all is drawn here.
        with suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(told) + "\n")
            self._process.stdin.flush()

    def _start(self) -> None:
        if CORES > 1:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "fashioncnn.reporting.figures.sharing"],
                stdin=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )


def _help() -> None:
    # Ctrl-C reaches all processes of a terminal: whoever told us what to draw will end us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # As an exception it leaves no half-written file behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    kinds = {one.__name__: one for one in (*KINDS.values(), Inside)}
    for line in sys.stdin:
        kind, file, folder, names, dpi = json.loads(line)
        draw_missing(read(Path(file), kinds[kind]), Path(folder), names, dpi)


if __name__ == "__main__":
    _help()
