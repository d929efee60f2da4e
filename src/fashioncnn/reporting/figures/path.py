"""The path of one picture through the whole network, on one sheet."""

from __future__ import annotations

from collections.abc import Sequence

from fashioncnn.reporting.documents.inside import ExplainedPictures, PathStage, PathThroughNetwork
from fashioncnn.reporting.figures.pictures import on_dark, shown
from fashioncnn.reporting.figures.sheet import Picture, Sheet, Words, colours, fitted, one_colour
from fashioncnn.reporting.style import class_colours, ink_of

PICTURE, SIDE, GAP = 1.6, 0.94, 0.05
# Of one stage to the next, and of the bars of the answer.
STEP, BARS = 1.12, 1.5


def sheet(
    found: PathThroughNetwork, pictures: ExplainedPictures, class_names: Sequence[str]
) -> Sheet:
    """Draw the first explained picture, its strongest channels stage by stage, the answer."""
    drawn = Sheet()
    # Features without a place are one stripe, as high as the maps of the others.
    rows = [stage.answer.shape[0] for stage in found.stages if len(stage.answer.shape) > 1]
    height = max(rows, default=5) * (SIDE + GAP) - GAP
    name, number = class_names[pictures.labels[0]], pictures.indices[0]
    image = pictures.images.values[0]
    pixels = shown(image, on_dark(pictures.images.values))
    drawn.pictures.append(fitted(pixels, 0, (height - PICTURE) / 2, PICTURE))
    top, ink = (height - PICTURE) / 2 - 0.05, ink_of(class_colours(class_names)[name])
    drawn.words.append(Words(f"{name}\n#{number}", PICTURE / 2, top, 9, "middle", "bottom", ink))
    x = PICTURE + 0.25
    for stage in found.stages:
        _stage(drawn, stage, x, height)
        x += STEP
    _answer(drawn, found.probabilities, class_names, x + 0.75, height)
    return drawn


def _stage(drawn: Sheet, stage: PathStage, x: float, height: float) -> None:
    answer, ends = stage.answer.values, (stage.answer.low, stage.answer.high)
    middle = x + SIDE / 2
    drawn.words.append(Words(stage.layer, middle, -0.06, 7.5, "middle", "bottom"))
    if answer.ndim == 1:
        stripe = colours(answer[:, None], "viridis", *ends)
        drawn.pictures.append(Picture(stripe, middle - 0.15, 0, 0.3, height))
        words = f"{len(answer)}\nfeatures"
    else:
        for row, values in enumerate(answer):
            pixels = colours(values, "viridis", *ends)
            drawn.pictures.append(fitted(pixels, x, row * (SIDE + GAP), SIDE))
        channels, high, wide = stage.shape
        words = f"{channels} of\n{high}x{wide}\nhere {', '.join(map(str, stage.channels[:3]))},\n"
        words += ", ".join(map(str, stage.channels[3:]))
    drawn.words.append(Words(words, middle, height + 0.05, 7.5, "middle"))


def _answer(
    drawn: Sheet, probabilities: Sequence[float], names: Sequence[str], x: float, height: float
) -> None:
    drawn.words.append(Words("probability", x + BARS / 2, -0.06, 9, "middle", "bottom"))
    step = height / len(names)
    for row, (name, value) in enumerate(zip(names, probabilities, strict=True)):
        middle, width = (row + 0.5) * step, max(0.01, BARS * value)
        bar = one_colour(class_colours(names)[name])
        drawn.pictures.append(Picture(bar, x, middle - 0.4 * step, width, 0.8 * step))
        drawn.words += [
            Words(name, x - 0.06, middle, 8, "right", "middle"),
            Words(f"{value:.1%}", x + width + 0.05, middle, 7.5, "left", "middle"),
        ]
