"""The model card: what a network is, how good it is, and how to ask it, in four languages."""

from __future__ import annotations

import jinja2

from fashioncnn.bundles.facts import Facts


def card(facts: Facts) -> str:
    """Return README.md of a bundle, with the front matter that the Hugging Face hub reads."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("fashioncnn.exporting", "templates"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.filters["plain"] = plain
    return environment.get_template("card.md.j2").render(facts=facts)


def plain(text: str) -> str:
    """Return `text` so that Markdown takes no letter of it for a sign of its own."""
    one_line = " ".join(text.split())
    return "".join(
        f"\\{letter}" if letter in r"\`*_{}[]<>()#+!|~" else letter for letter in one_line
    )
