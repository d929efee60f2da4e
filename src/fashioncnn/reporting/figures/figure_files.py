"""Keeping a figure as files: PNG for looking at and embedding, SVG for print."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from fashioncnn.reporting.style import DPI, SETTINGS
from fashioncnn.runs.files import make_folder, write_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PADDING = 0.1


def keep(name: str, make: Callable[[], Figure], folder: Path) -> Path:
    """Make a figure in the style of all and keep it in `folder`; return the PNG file."""
    import matplotlib as mpl
    from PIL import Image

    make_folder(folder)
    with mpl.rc_context(SETTINGS):
        figure = make()
        png = io.BytesIO()
        figure.savefig(png, format="png", dpi=DPI, bbox_inches="tight", pad_inches=PADDING)
        # 256 colours are plenty for a figure, and a third of the bytes.
        picture = Image.open(png).convert("RGB").quantize(256)
        png = io.BytesIO()
        picture.save(png, "PNG")
        write_bytes(folder / f"{name}.png", png.getvalue())
        # Laid out once: the second file has everything where the first has it.
        figure.set_layout_engine("none")
        svg = io.BytesIO()
        figure.savefig(
            svg, format="svg", bbox_inches="tight", pad_inches=PADDING, metadata={"Date": None}
        )
        write_bytes(folder / f"{name}.svg", svg.getvalue())
    return folder / f"{name}.png"
