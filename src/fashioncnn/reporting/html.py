"""Pages: one HTML file each, with everything inside, so that they open offline."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from fashioncnn.reporting.captions import caption
from fashioncnn.reporting.documents.files import Document, write
from fashioncnn.reporting.figures import Helper, draw
from fashioncnn.reporting.style import class_colours
from fashioncnn.runs.files import make_folder, write_text

# Lines and letters stay sharp as SVG; pictures made of pixels are smaller as PNG.
SHARP = (
    "training_validation_loss",
    "training_validation_accuracy",
    "learning_by_class",
    "confusion_matrix",
    "f1_by_class",
    "reliability",
    "risk_coverage",
    "effects",
    "robustness",
    "attribution_curves",
)


@dataclass(frozen=True)
class Picture:
    """A figure as a page embeds it."""

    name: str
    source: str
    caption: str


def write_page(document: Document, page: Path, figures: Path, helper: Helper | None = None) -> Path:
    """Write `document` as JSON beside `page`, draw its figures, and write the page from them.

    A `helper` draws with us. Returns the page's path. Raises StorageError when the disk refuses.
    """
    write(document, page.with_suffix(".json"))
    return draw_page(document, page, figures, helper)


def draw_page(document: Document, page: Path, figures: Path, helper: Helper | None = None) -> Path:
    """Write the page of `document`; see `write_page`."""
    drawn = {path.stem: _picture(path) for path in draw(document, figures, helper=helper)}
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("fashioncnn.reporting", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["percent"] = lambda value: f"{100 * value:.2f} %"
    template = environment.get_template(f"{document.kind}.html.j2")
    make_folder(page.parent)
    colours = class_colours(getattr(document, "class_names", ()))
    html = template.render(d=document, figures=drawn, named=_named(drawn), colours=colours)
    # A path may have a byte that is no UTF-8.
    write_text(page, html.encode(errors="backslashreplace").decode())
    return page


def _named(drawn: dict[str, Picture]) -> Any:
    """Return a function of a prefix: the figures whose names begin so, in their order."""
    return lambda prefix: [one for name, one in drawn.items() if name.startswith(prefix)]


def _picture(path: Path) -> Picture:
    """Embed the figure whose PNG file is `path`, in the form that suits it."""
    embedded = path.with_suffix(".svg") if path.stem in SHARP else path
    return Picture(path.stem, _embedded(embedded), caption(path.stem))


def _embedded(path: Path) -> str:
    """Return a PNG or SVG file as an address that holds the picture itself."""
    kind = {".png": "png", ".svg": "svg+xml"}[path.suffix]
    return f"data:image/{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"
