"""The secret that clients have to bring."""

from __future__ import annotations

import re

from fashioncnn.errors import ServingError


def check_token(token: str | None) -> None:
    """Raise ServingError for a token that no client could bring, such as an empty one."""
    if token is not None and not re.fullmatch(r"[\x21-\x7e]{1,512}", token):
        raise ServingError("the token must be 1 to 512 letters of ASCII, without spaces")
