"""Making files of figures: PNG for looking at and embedding, SVG for print.

A PNG carries the digest of what it shows, so that the same figure is not drawn twice.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pydantic_core

from fashioncnn.reporting.documents.files import Document
from fashioncnn.reporting.documents.inside import Inside
from fashioncnn.reporting.figures.catalogue import Maker, makers_of
from fashioncnn.reporting.figures.sheet import PADDING, Sheet
from fashioncnn.reporting.fonts import families_for
from fashioncnn.reporting.style import SETTINGS
from fashioncnn.runs.files import write_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from PIL.Image import Image

DIGEST = "fashioncnn-digest"


def draw_missing(document: Document | Inside, folder: Path, names: Sequence[str], dpi: int) -> None:
    """Draw those figures of `document` called `names` that are not in `folder` yet."""
    makers = makers_of(document)
    for name in names:
        make = makers[name]
        settings, digest = _style_and_digest(make, dpi)
        if _digest_of(folder, name) != digest:
            _keep(make, folder / f"{name}.png", settings, digest, dpi)


def missing(document: Document | Inside, folder: Path, dpi: int) -> list[str]:
    """Return the names of the figures of `document` that are not in `folder` yet."""
    return [
        name
        for name, make in makers_of(document).items()
        if _digest_of(folder, name) != _style_and_digest(make, dpi)[1]
    ]


def _style_and_digest(make: Maker, dpi: int) -> tuple[dict[Any, Any], str]:
    """Return the style of all, with fonts for this figure's letters; and a SHA-256.

    It is of everything that decides a figure but the code that draws it.
    """
    function: Any = make
    shown = pydantic_core.to_json((function.func.__qualname__, function.args))
    settings = {**SETTINGS, "font.family": families_for(shown.decode())}
    style = sorted((str(key), str(value)) for key, value in settings.items())
    rest = pydantic_core.to_json((style, dpi, version("fashioncnn")))
    return settings, hashlib.sha256(shown + rest).hexdigest()


def _digest_of(folder: Path, name: str) -> str | None:
    """Return the digest of the figure that lies in `folder` under `name`, if it is whole."""
    from PIL import Image

    path = folder / f"{name}.png"
    try:
        if not path.with_suffix(".svg").exists():
            return None
        with Image.open(path, formats=("PNG",)) as picture:
            return str(picture.info.get(DIGEST))
    except (OSError, ValueError, SyntaxError):
        return None


def _keep(make: Maker, path: Path, settings: dict[Any, Any], digest: str, dpi: int) -> None:
    """Make a figure in this style and keep it at `path`, and as SVG beside it."""
    import matplotlib as mpl
    from PIL.Image import Quantize
    from PIL.PngImagePlugin import PngInfo

    with mpl.rc_context(settings), warnings.catch_warnings():
        # Letters that no font has are boxes; the page beside the figure has them.
        warnings.filterwarnings("ignore", message="Glyph")
        # Of many or long names, as much is shown as there is room for.
        warnings.filterwarnings("ignore", message="constrained_layout not applied")
        figure = make()
        picture, svg = (
            (figure.png(dpi), figure.svg()) if isinstance(figure, Sheet) else _drawn(figure, dpi)
        )
    told = PngInfo()
    told.add_text(DIGEST, digest)
    png = io.BytesIO()
    # 256 colours are plenty for a figure, and a third of the bytes; white stays white.
    few = picture.quantize(256, Quantize.FASTOCTREE)
    few.putpalette([255 if level > 251 else level for level in few.getpalette() or ()])
    few.save(png, "PNG", pnginfo=told, compress_level=4)
    write_bytes(path.with_suffix(".svg"), svg)
    # Last, as its digest says that both are there.
    write_bytes(path, png.getvalue())


def _drawn(figure: Figure, dpi: int) -> tuple[Image, bytes]:
    """Return a figure as an image and as SVG, laid out once."""
    import numpy as np
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    figure.set_dpi(dpi)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    inked = figure.get_tightbbox(canvas.get_renderer())  # type: ignore[no-untyped-call]
    bounds = inked.padded(PADDING)
    # The second file has everything where the first has it.
    figure.set_layout_engine("none")
    if _on_canvas(figure, inked):
        pixels_HWC = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
        picture = _cut(Image.fromarray(pixels_HWC[..., :3]), bounds, dpi)
    else:
        png = io.BytesIO()
        figure.savefig(png, format="png", dpi=dpi, bbox_inches=bounds)
        picture = Image.open(png).convert("RGB")
    svg = io.BytesIO()
    figure.savefig(svg, format="svg", bbox_inches=bounds, metadata={"Date": None})
    return picture, svg.getvalue()


def _on_canvas(figure: Figure, inked: Any) -> bool:
    """Say whether everything drawn, within `inked` (inches), lies on the figure's canvas."""
    width, height = figure.get_size_inches()
    return bool(min(inked.x0, inked.y0) >= 0 and inked.x1 <= width and inked.y1 <= height)


def _cut(canvas: Image, bounds: Any, dpi: int) -> Image:
    """Return the part of a canvas within `bounds` (inches); beyond the canvas it is white."""
    from PIL import Image

    size = round(bounds.width * dpi), round(bounds.height * dpi)
    picture = Image.new("RGB", size, "white")
    picture.paste(canvas, (-round(bounds.x0 * dpi), round(bounds.y1 * dpi) - canvas.height))
    return picture
