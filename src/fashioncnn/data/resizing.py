"""Small pictures first: early epochs see little and cost little.

Progressive resizing, as in Tan and Le, "EfficientNetV2: smaller models and faster training", arXiv
2104.00298, sec. 4; without their growing regularisation.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ProgressiveResizing:
    """Epochs (from 0) before `ends[0]` see pictures of `image_sizes[0]`, (height, width).

    Then, before `ends[1]`, of `image_sizes[1]`, and so on; after the last end, of their own size.
    """

    image_sizes: tuple[tuple[int, int], ...]
    ends: tuple[int, ...]

    def image_size(self, epoch: int, whole: tuple[int, int]) -> tuple[int, int]:
        """Return the size that epoch `epoch` (from 0) sees, `whole` being the size at the end."""
        for size, end in zip(self.image_sizes, self.ends, strict=True):
            if epoch < end:
                return size
        return whole
