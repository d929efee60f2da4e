"""Which code this machine may run: that of runs that it trained, and what the user trusts.

An empty file named by the digest, in the user's own state folder, stands for each.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from platformdirs import user_state_path

from fashioncnn.usercode.source import Digests, digest_of


def is_trusted(digests: Digests) -> bool:
    """Say whether these very files were trusted."""
    with contextlib.suppress(OSError):
        return (_folder() / digest_of(digests)).is_file()
    return False


def trust(digests: Digests) -> None:
    """Trust these very files from now on; without a folder of state, for this process alone."""
    with contextlib.suppress(OSError):
        _folder().mkdir(parents=True, exist_ok=True)
        (_folder() / digest_of(digests)).touch()


def _folder() -> Path:
    return user_state_path("fashioncnn", appauthor=False) / "trusted"
