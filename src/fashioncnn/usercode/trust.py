"""Which code this machine may run: that of runs that it trained, and what the user trusts.

What is trusted are files together with what a recipe calls in them: a helper function of a harmless
file may do harm when somebody else chooses it. An empty file named by the digest of both, in the
user's own state folder, stands for each.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from platformdirs import user_state_path

from fashioncnn.usercode.source import Digests


def is_trusted(digests: Digests, addresses: Iterable[str]) -> bool:
    """Say whether these very files were trusted, with `addresses` called in them."""
    with contextlib.suppress(OSError):
        return (_folder() / _name(digests, addresses)).is_file()
    return False


def trust(digests: Digests, addresses: Iterable[str]) -> bool:
    """Trust these very files from now on; answer whether that could be noted."""
    try:
        _folder().mkdir(parents=True, exist_ok=True)
        (_folder() / _name(digests, addresses)).touch()
    except OSError:
        return False
    return True


def _name(digests: Digests, addresses: Iterable[str]) -> str:
    told = json.dumps([dict(sorted(digests.items())), sorted(set(addresses))])
    return hashlib.sha256(told.encode()).hexdigest()


def _folder() -> Path:
    return user_state_path("fashioncnn", appauthor=False) / "trusted"
