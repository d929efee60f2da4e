"""Pages: one HTML file each, with everything inside, so that they open offline."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

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


def write_page(template: str, page: Path, **values: Any) -> Path:
    """Fill `template` of this folder with `values` and write `page`; returns its path."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("fashioncnn.reporting", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["percent"] = lambda value: f"{100 * value:.2f} %"
    html = environment.get_template(template).render(**values)
    make_folder(page.parent)
    write_text(page, html)
    return page


@dataclass(frozen=True)
class Picture:
    """A figure as a page embeds it."""

    name: str
    source: str
    caption: str


def picture(path: Path, caption: str) -> Picture:
    """Embed the figure whose PNG file is `path`, in the form that suits it."""
    return Picture(
        path.stem, _embedded(path.with_suffix(".svg") if path.stem in SHARP else path), caption
    )


def _embedded(path: Path) -> str:
    """Return a PNG or SVG file as an address that holds the picture itself."""
    kind = {".png": "png", ".svg": "svg+xml"}[path.suffix]
    return f"data:image/{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"
