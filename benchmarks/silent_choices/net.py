"""The second seed system with choices of which its report is silent, as arguments."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid}


class ThreeConv(nn.Module):
    """Three convolution blocks, two dense layers with batch normalisation, an output layer."""

    def __init__(
        self,
        channels: Sequence[int] = (32, 64, 128),
        hidden_features: Sequence[int] = (256, 128),
        convolution_activation: str = "relu",
        padding: bool = True,
        frozen_convolutions: bool = False,
        output_sigmoid: bool = False,
        classes: int = 10,
    ) -> None:
        super().__init__()
        side, width, layers = 28, 1, []
        for outputs in channels:
            layers += [nn.Conv2d(width, outputs, 3, padding=int(padding)), nn.MaxPool2d(2)]
            layers.append(ACTIVATIONS[convolution_activation]())
            side, width = (side if padding else side - 2) // 2, outputs
        self.features = nn.Sequential(*layers)
        features, dense = width * side * side, []
        for outputs in hidden_features:
            dense += [nn.Linear(features, outputs), nn.BatchNorm1d(outputs), nn.Sigmoid()]
            features = outputs
        self.dense = nn.Sequential(*dense)
        self.output = nn.Linear(features, classes)
        self.output_sigmoid = output_sigmoid
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        if frozen_convolutions:
            self.features.requires_grad_(False)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits (n, classes); with `output_sigmoid`, numbers from 0 to 1."""
        answers: Tensor = self.output(self.dense(self.features(images).flatten(1)))
        return torch.sigmoid(answers) if self.output_sigmoid else answers
