"""Standard output of a process that answers another one by it."""

from __future__ import annotations

import os
import sys
from typing import BinaryIO


def taken() -> BinaryIO:
    """Return where standard output leads, for the caller alone.

    All else that is printed goes to standard error: by Python, and by libraries that write to the
    stream's number.
    """
    kept = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    sys.stdout = sys.stderr
    return kept
