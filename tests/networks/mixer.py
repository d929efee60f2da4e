"""An MLP-mixer: dense layers over the patches, then over the channels."""

from torch import nn


def mlp(inputs, hidden):
    return nn.Sequential(nn.Linear(inputs, hidden), nn.GELU(), nn.Linear(hidden, inputs))


class Layer(nn.Module):
    def __init__(self, tokens, dim):
        super().__init__()
        self.norm1 = nn.LayerNorm(dim)
        self.token_mixing = mlp(tokens, 32)
        self.norm2 = nn.LayerNorm(dim)
        self.channel_mixing = mlp(dim, 2 * dim)

    def forward(self, x):
        x = x + self.token_mixing(self.norm1(x).transpose(1, 2)).transpose(1, 2)
        return x + self.channel_mixing(self.norm2(x))


class Mixer(nn.Module):
    def __init__(self, dim=32, depth=2, patch=4, classes=10, in_channels=1, image_size=(28, 28)):
        super().__init__()
        self.patch = patch
        tokens = (image_size[0] // patch) * (image_size[1] // patch)
        self.embed = nn.Linear(in_channels * patch * patch, dim)
        self.layers = nn.ModuleList(Layer(tokens, dim) for _ in range(depth))
        self.norm = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, classes)

    def forward(self, x):
        n, c, h, w = x.shape
        p = self.patch
        x = x.reshape(n, c, h // p, p, w // p, p).permute(0, 2, 4, 1, 3, 5)
        x = x.reshape(n, (h // p) * (w // p), c * p * p)
        x = self.embed(x)
        for layer in self.layers:
            x = layer(x)
        return self.head(self.norm(x).mean(1))
