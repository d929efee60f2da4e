"""Tables as HTML, which notebooks show in place of an object's repr."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape


def html_table(caption: str, heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table; the first column has words, the others figures."""
    head = "".join(f"<th>{escape(one)}</th>" for one in heading)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(one)}</td>" for one in row) + "</tr>" for row in rows
    )
    return (
        f"<table><caption>{escape(caption)}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )
