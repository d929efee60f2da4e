"""A sheet of pictures and words, placed by hand: drawn ten times faster than axes are.

Lengths are inches, from the upper left corner; x goes to the right, y down.
"""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

from fashioncnn.reporting.fonts import in_fonts, own_file
from fashioncnn.reporting.style import INK

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

POINTS_AN_INCH = 72
PADDING = 0.1
# Of a line's height and of its frame's thickness, in points.
LINE_SPACING, FRAME = 1.2, 1.5


@dataclass(frozen=True)
class Picture:
    """Pixels (h, w, 3), enlarged without smoothing to `width` by `height` at (x, y)."""

    pixels_HWC: NDArray[np.uint8]
    x: float
    y: float
    width: float
    height: float
    frame: str | None = None


@dataclass(frozen=True)
class Words:
    """Lines of text; (x, y) is the point of them that `across` and `down` say."""

    text: str
    x: float
    y: float
    points: float = 8
    across: Literal["left", "middle", "right"] = "left"
    down: Literal["top", "middle", "bottom"] = "top"
    colour: str = INK
    bold: bool = False
    upwards: bool = False

    @property
    def lines(self) -> list[str]:
        """The lines, from the upper one."""
        return self.text.split("\n")

    @property
    def line_height(self) -> float:
        """From one baseline to the next."""
        return LINE_SPACING * self.points / POINTS_AN_INCH

    def parts(self, line: str, pixels: float) -> list[tuple[str, FreeTypeFont]]:
        """Return `line` in parts, each with its font of so many pixels."""
        return [(text, _font(file, pixels)) for text, file in in_fonts(line, bold=self.bold)]

    def length(self, line: str) -> float:
        """Return how long `line` is, in points."""
        return sum(font.getlength(text) for text, font in self.parts(line, 100)) * self.points / 100

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom."""
        width = max(map(self.length, self.lines)) / POINTS_AN_INCH
        height = len(self.lines) * self.line_height
        if self.upwards:
            width, height = height, width
        left = self.x - width * {"left": 0, "middle": 0.5, "right": 1}[self.across]
        top = self.y - height * {"top": 0, "middle": 0.5, "bottom": 1}[self.down]
        return left, top, left + width, top + height


@dataclass
class Sheet:
    """Pictures with words over them."""

    pictures: list[Picture] = field(default_factory=list)
    words: list[Words] = field(default_factory=list)

    def png(self, dpi: int) -> Image:
        """Return the sheet as an image, as large as what is on it."""
        from PIL import Image, ImageDraw

        left, top, right, bottom = self._box()
        size = (round((right - left) * dpi), round((bottom - top) * dpi))
        image = Image.new("RGB", size, "white")
        draw = ImageDraw.Draw(image)
        for one in self.pictures:
            x, y = round((one.x - left) * dpi), round((one.y - top) * dpi)
            wide, high = max(1, round(one.width * dpi)), max(1, round(one.height * dpi))
            pixels = Image.fromarray(one.pixels_HWC)
            image.paste(pixels.resize((wide, high), Image.Resampling.NEAREST), (x, y))
            if one.frame:
                thickness = max(1, round(FRAME * dpi / POINTS_AN_INCH))
                draw.rectangle((x, y, x + wide - 1, y + high - 1), None, one.frame, thickness)
        for words in self.words:
            self._write(image, words, (left, top), dpi)
        return image

    def _write(self, image: Image, words: Words, corner: tuple[float, float], dpi: int) -> None:
        from PIL import Image, ImageDraw

        left, top, right, bottom = words.box
        x, y = (left - corner[0]) * dpi, (top - corner[1]) * dpi
        wide, high = (right - left) * dpi, (bottom - top) * dpi
        pixels = words.points * dpi / POINTS_AN_INCH
        if words.upwards:
            turned = Image.new("RGB", (round(high), round(wide)), "white")
            _write_line(ImageDraw.Draw(turned), (0, 0), words, words.text, pixels)
            image.paste(turned.transpose(Image.Transpose.ROTATE_90), (round(x), round(y)))
            return
        draw = ImageDraw.Draw(image)
        for number, line in enumerate(words.lines):
            # Within the box, the lines stand as the whole does.
            room = wide - words.length(line) * dpi / POINTS_AN_INCH
            at = x + room * {"left": 0, "middle": 0.5, "right": 1}[words.across]
            _write_line(draw, (at, y + number * words.line_height * dpi), words, line, pixels)

    def svg(self) -> bytes:
        """Return the sheet as SVG; its pictures are PNG within it, its words are text."""
        left, top, right, bottom = (POINTS_AN_INCH * edge for edge in self._box())
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{right - left:.2f}pt" '
            f'height="{bottom - top:.2f}pt" viewBox="{left:.2f} {top:.2f} {right - left:.2f} '
            f'{bottom - top:.2f}" font-family="DejaVu Sans, Verdana, sans-serif">',
            f'<rect x="{left:.2f}" y="{top:.2f}" width="100%" height="100%" fill="white"/>',
        ]
        parts += [_picture_svg(one) for one in self.pictures]
        parts += [line for words in self.words for line in _words_svg(words)]
        return "\n".join([*parts, "</svg>\n"]).encode()

    def _box(self) -> tuple[float, float, float, float]:
        boxes = [words.box for words in self.words]
        boxes += [(one.x, one.y, one.x + one.width, one.y + one.height) for one in self.pictures]
        left, top, right, bottom = zip(*boxes, strict=True)
        return (
            min(left) - PADDING, min(top) - PADDING, max(right) + PADDING, max(bottom) + PADDING
        )  # fmt: skip


def fitted(
    pixels_HWC: NDArray[np.uint8], x: float, y: float, side: float, frame: str | None = None
) -> Picture:
    """Return a picture in the middle of a square of `side` at (x, y), as wide or high as that."""
    height, width = (side * length / max(pixels_HWC.shape[:2]) for length in pixels_HWC.shape[:2])
    left, top = x + (side - width) / 2, y + (side - height) / 2
    return Picture(pixels_HWC, left, top, width, height, frame)


def colour_bar(
    sheet: Sheet,
    scale: str,
    ends: tuple[float, float],
    x: float,
    top: float,
    height: float,
    words: str,
) -> None:
    """Add the colour `scale` at `x`, with round values between its `ends`, and what they are of."""
    from matplotlib.ticker import MaxNLocator

    low, high = ends
    bar = colours(np.linspace(high, low, 256)[:, None], scale, low, high)
    sheet.pictures.append(Picture(bar, x, top, 0.12, height))
    right = widest = x + 0.12
    tick = one_colour(INK)
    for value in MaxNLocator(6).tick_values(low, high):
        if low <= value <= high:
            y = top + height * float(high - value) / (high - low)
            sheet.pictures.append(Picture(tick, right, y - 0.005, 0.04, 0.01))
            sheet.words.append(Words(f"{value:.6g}", right + 0.07, y, 7.5, "left", "middle"))
            widest = max(widest, sheet.words[-1].box[2])
    sheet.words.append(
        Words(words, widest + 0.06, top + height / 2, 8, "left", "middle", upwards=True)
    )


def colours(
    values_HW: NDArray[Any], scale: str, low: float, high: float, ground: str = "#ffffff"
) -> NDArray[np.uint8]:
    """Return values as pixels (h, w, 3) on matplotlib's colour `scale`; NaN is `ground`."""
    table = _table(scale, ground)
    with np.errstate(invalid="ignore"):
        level = np.nan_to_num((values_HW - low) / max(high - low, 1e-12) * 256, nan=-1)
    index = np.where(np.isnan(values_HW), 256, np.clip(level, 0, 255)).astype(np.intp)
    pixels: NDArray[np.uint8] = table[index]
    return pixels


def one_colour(colour: str) -> NDArray[np.uint8]:
    """Return one pixel (1, 1, 3), which a picture enlarges to a bar."""
    from matplotlib.colors import to_rgb

    pixel: NDArray[np.uint8] = np.rint(255 * np.array([[to_rgb(colour)]])).astype(np.uint8)
    return pixel


@lru_cache
def _table(scale: str, ground: str) -> NDArray[np.uint8]:
    from matplotlib import colormaps
    from matplotlib.colors import to_rgb

    steps = colormaps[scale](np.arange(256))[:, :3]
    table: NDArray[np.uint8] = np.rint(255 * np.vstack([steps, to_rgb(ground)])).astype(np.uint8)
    return table


@lru_cache
def _font(file: Path, pixels: float) -> FreeTypeFont:
    from PIL import ImageFont

    return ImageFont.truetype(file, pixels)


def _write_line(
    draw: ImageDraw, place: tuple[float, float], words: Words, line: str, pixels: float
) -> None:
    """Write `line` from its upper left corner; all its fonts stand on one baseline."""
    x, y = place[0], place[1] + _font(own_file(bold=words.bold), pixels).getmetrics()[0]
    for text, font in words.parts(line, pixels):
        draw.text((x, y), text, words.colour, font, anchor="ls")
        x += font.getlength(text)


def _picture_svg(one: Picture) -> str:
    from PIL import Image

    png = io.BytesIO()
    Image.fromarray(one.pixels_HWC).save(png, "PNG")
    box = " ".join(
        f'{name}="{POINTS_AN_INCH * value:.2f}"'
        for name, value in (
            ("x", one.x),
            ("y", one.y),
            ("width", one.width),
            ("height", one.height),
        )
    )
    told = base64.b64encode(png.getvalue()).decode()
    frame = f'\n<rect {box} fill="none" stroke="{one.frame}" stroke-width="{FRAME}"/>'
    return (
        f'<image {box} preserveAspectRatio="none" style="image-rendering:pixelated" '
        f'href="data:image/png;base64,{told}"/>{frame if one.frame else ""}'
    )


def _words_svg(words: Words) -> list[str]:
    left, top, right, bottom = (POINTS_AN_INCH * edge for edge in words.box)
    font = _font(own_file(bold=words.bold), 100)
    ascent = font.getmetrics()[0] / 100 * words.points
    style = f'font-size="{words.points}" fill="{words.colour}"'
    style += ' font-weight="bold"' if words.bold else ""
    if words.upwards:
        turn = f'transform="translate({left + ascent:.2f} {bottom:.2f}) rotate(-90)"'
        return [f"<text {turn} {style}>{escape(words.text)}</text>"]
    x = {"left": left, "middle": (left + right) / 2, "right": right}[words.across]
    anchor = {"left": "start", "middle": "middle", "right": "end"}[words.across]
    step = POINTS_AN_INCH * words.line_height
    return [
        f'<text x="{x:.2f}" y="{top + ascent + number * step:.2f}" text-anchor="{anchor}" {style}>'
        f"{escape(line)}</text>"
        for number, line in enumerate(words.lines)
    ]
