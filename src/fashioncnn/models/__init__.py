"""The network families, built from plain keywords. A new one is a file and a line here."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from fashioncnn.models.plain_cnn import PlainCNN
from fashioncnn.models.strided_cnn import StridedCNN

MODELS: dict[str, Callable[..., nn.Module]] = {
    "plain-cnn": PlainCNN,
    "strided-cnn": StridedCNN,
}
