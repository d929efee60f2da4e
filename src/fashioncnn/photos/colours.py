"""The colours of a part of a photograph, and its contrast with another: in Lab, 0 to 255."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

UInt8 = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]

CLUSTERS = 4
# Fewer pixels say nothing of a spread.
FEWEST = 5
# Added to each variance, as noise and compression spread any colour.
NOISE = 20.0
# Colours on either side of a border are means over squares of so many pixels.
BORDER_WINDOW = 9


@dataclass(frozen=True)
class Cluster:
    """Colours around `middle` (3,), with their covariance (3, 3), which `share` of the part has."""

    middle: Floats
    covariance: Floats
    share: float

    def distance(self, lab_HWC: UInt8) -> Floats:
        """Return the squared Mahalanobis distance (h, w) of each pixel."""
        away = lab_HWC.reshape(-1, 3).astype(np.float64) - self.middle
        inverse = np.linalg.inv(self.covariance)
        squares = np.einsum("pi,ij,pj->p", away, inverse, away)
        return np.asarray(squares.reshape(lab_HWC.shape[:2]))

    def unlikeliness(self, lab_HWC: UInt8) -> Floats:
        """Return minus the log-likelihood (h, w) of each pixel, but for a constant."""
        spread = np.log(np.linalg.det(self.covariance))
        return np.asarray((self.distance(lab_HWC) + spread) / 2 - np.log(self.share))


def clusters(colours_N3: UInt8) -> list[Cluster]:
    """Return the few clusters (k-means) that the colours of a part fall into."""
    # The same photograph has the same clusters.
    cv2.setRNGSeed(0)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 0.5)
    values = colours_N3.astype(np.float32)
    none = np.empty((len(values), 1), np.int32)
    _, member, _ = cv2.kmeans(values, CLUSTERS, none, stop, 2, cv2.KMEANS_PP_CENTERS)
    found = []
    for cluster in range(CLUSTERS):
        own = values[np.asarray(member)[:, 0] == cluster]
        if len(own) >= FEWEST:
            covariance = np.cov(own.T) + NOISE * np.eye(3)
            found.append(Cluster(own.mean(0), covariance, len(own) / len(values)))
    return found


def contrast(lab_HWC: UInt8, inner: Mask, outer: Mask) -> float | None:
    """Return the median colour difference across the border of two parts, None where none is."""
    border = inner & _spread(outer)
    if not border.any():
        return None
    sides = [_mean_near(lab_HWC, side)[border] for side in (inner, outer)]
    return float(np.median(np.linalg.norm(sides[0] - sides[1], axis=1)))


def _spread(mask: Mask) -> Mask:
    return np.asarray(cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)


def _mean_near(lab_HWC: UInt8, part: Mask) -> NDArray[np.float32]:
    """Return the mean colour of the part's pixels around each pixel (h, w, 3)."""
    weight = part.astype(np.float32)
    size = (BORDER_WINDOW, BORDER_WINDOW)
    total = cv2.boxFilter(lab_HWC * weight[..., None], -1, size)
    return np.asarray(total / np.maximum(cv2.boxFilter(weight, -1, size), 1e-6)[..., None])
