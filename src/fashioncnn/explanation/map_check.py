"""What the checks of attribution found about one method."""

from __future__ import annotations

from dataclasses import dataclass

# Beyond this rank correlation, a map is about the picture, whatever the network has learned.
LARGEST_SIMILARITY = 0.5


@dataclass(frozen=True)
class MapCheck:
    """What was found about one method, or one map that asks no network.

    `similarity`: the mean rank correlation of its maps' absolute values with those of the same
    network with random weights (Adebayo et al., arXiv 1810.03292, sec. 3), where the picture is
    not black; None for maps that ask no network. `deletion` and `insertion` (Petsiuk et al., arXiv
    1806.07421, sec. 3.2) are the mean probability of the class while the most important pixels
    turn black, or appear on black: low and high are good. `gain` is how much insertion exceeds
    that of the better of edges and noise, with the lower end of its 95 % interval over pictures.
    """

    similarity: float | None
    deletion: float
    insertion: float
    deletion_curve: tuple[float, ...]
    insertion_curve: tuple[float, ...]
    gain: float | None
    gain_low: float | None

    @property
    def failures(self) -> list[str]:
        """Say what is wrong with the maps; nothing where both checks pass."""
        found = []
        if self.similarity is not None and self.similarity > LARGEST_SIMILARITY:
            found.append("much the same for random weights")
        if self.gain_low is not None and self.gain_low <= 0:
            found.append("no better than edges or noise")
        return found
