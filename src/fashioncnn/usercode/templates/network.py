"""A network of my own, for fashioncnn.

fashioncnn check FILE.py          is it sound, how large, how fast?
fashioncnn train FILE.toml        train it; every key of [model] is an argument below
fashioncnn compare RUNS OTHERS    is it better, and how sure is that?
"""

from torch import Tensor, nn


class MyNet(nn.Module):
    """Two convolution blocks and a dense layer."""

    def __init__(
        self,
        width: int = 32,
        dropout: float = 0.25,
        # Arguments of these names are given the pictures' own: leave out what you do not need.
        in_channels: int = 1,
        image_size: tuple[int, int] = (28, 28),
        classes: int = 10,
    ) -> None:
        super().__init__()
        height, length = image_size[0] // 4, image_size[1] // 4
        self.block1 = nn.Sequential(
            nn.Conv2d(in_channels, width, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)
        )
        self.block2 = nn.Sequential(
            nn.Conv2d(width, 2 * width, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)
        )
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(2 * width * height * length, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return one number a class, no softmax: (n, classes) for images (n, channels, h, w)."""
        features = self.block2(self.block1(images))
        answers: Tensor = self.output(self.dropout(features.flatten(1)))
        return answers
