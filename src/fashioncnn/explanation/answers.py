"""What a layer answers, as maps or features, whatever form its network works in."""

from __future__ import annotations

import math

import torch
from torch import Tensor

# More than so many features are not listed one by one.
MOST_FEATURES = 65536


def as_maps(output: object, image_size: tuple[int, int]) -> Tensor | None:
    """Return maps (n, channels, h, w) or features (n, features); None for what is neither.

    Tokens (n, tokens, features), as transformers and mixers have them, become maps where they lie
    on a grid of the picture's proportions, (height, width); one token more than that, a class
    token, is left out. What is mixed over the tokens is (n, features, tokens).
    """
    if isinstance(output, tuple | list) and output:
        output = output[0]
    if not isinstance(output, Tensor) or not output.is_floating_point():
        return None
    if output.dim() in (2, 4):
        return output
    if output.dim() != 3:
        return None
    tokens, last = output.shape[1:]
    for extra in (0, 1):
        if grid := _grid(tokens - extra, image_size):
            return output[:, extra:].transpose(1, 2).reshape(len(output), last, *grid)
    if grid := _grid(last, image_size):
        return output.reshape(len(output), tokens, *grid)
    flat = torch.flatten(output, 1)
    return flat if flat.shape[1] <= MOST_FEATURES else None


def _grid(positions: int, image_size: tuple[int, int]) -> tuple[int, int] | None:
    """Return (h, w) with h · w positions in the picture's proportions, 2 x 2 at the least."""
    height, width = image_size
    high = math.isqrt(positions * height // width) if positions > 0 else 0
    wide = positions // high if high else 0
    fits = high > 1 and wide > 1 and high * wide == positions and high * width == wide * height
    return (high, wide) if fits else None
