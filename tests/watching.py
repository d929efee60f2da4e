"""A page of Playwright's, with what it asks for and what it complains of."""

from __future__ import annotations

from dataclasses import dataclass, field

from playwright.sync_api import Page


@dataclass(frozen=True)
class Watched:
    """What a page `asked` for, as addresses, and its `complaints`."""

    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


def watch(page: Page) -> Watched:
    """Begin to watch a page, before it goes anywhere."""
    seen = Watched()
    page.on("request", lambda request: seen.asked.append(request.url))
    page.on("console", lambda message: seen.complaints.append(message.text))
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    return seen
