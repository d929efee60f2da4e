"""Maps of attribution: by hand, by their axioms, and the alarm for a network that knows nothing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import nn

import fashioncnn as fc
from conftest import make_pictures
from fashioncnn.data.preparation import Preparation, as_uint8_NCHW
from fashioncnn.explanation.attribution import METHODS, attributions, edges, randomised
from fashioncnn.explanation.checks import check_maps
from fashioncnn.explanation.embedding import features
from fashioncnn.explanation.map_check import MapCheck
from fashioncnn.models.plain_cnn import PlainCNN
from fashioncnn.opening.trained import open_trained
from fashioncnn.runs.arrays import read as read_arrays
from fashioncnn.workflows.attribute import attribute

CPU = torch.device("cpu")
BLACK = torch.tensor(0.0)


class Corner(nn.Module):
    """Says class 1 by as much as is bright in the upper left corner."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 1, bias=False)
        self.conv.weight.data.fill_(1.0)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        bright = self.conv(images)[:, 0, :8, :8].mean((1, 2))
        return torch.stack([torch.zeros_like(bright), 4 * bright], 1)


@pytest.mark.parametrize("method", METHODS)
def test_a_network_that_looks_at_a_corner(method: str) -> None:
    images = torch.rand(5, 1, 28, 28)
    network = Corner()
    maps = attributions(network, images, torch.ones(5, dtype=torch.int64), BLACK)[method]
    assert maps.shape == (5, 28, 28)
    assert maps.dtype == np.float32
    inside, outside = maps[:, :8, :8].mean(), maps[:, 14:, 14:]
    assert inside > 0
    # Grad-CAM weighs whole maps by their mean gradient: it cannot tell corners apart.
    if method != "Grad-CAM":
        np.testing.assert_allclose(outside, 0, atol=1e-6)


def test_integrated_gradients_sum_to_what_the_logit_gained() -> None:
    torch.manual_seed(0)
    network = PlainCNN(
        in_channels=1, image_size=(28, 28), classes=10, channels=(4,), hidden_features=(8,)
    ).eval()
    images, classes = torch.rand(6, 1, 28, 28), torch.arange(6)
    maps = attributions(network, images, classes, torch.tensor(0.25))["integrated gradients"]
    rows = torch.arange(6)
    with torch.no_grad():
        gained = (network(images) - network(torch.full_like(images, 0.25)))[rows, classes]
    np.testing.assert_allclose(maps.sum((1, 2)), gained, rtol=0.05, atol=5e-3)


def test_edges_are_where_pictures_change() -> None:
    images = torch.zeros(3, 1, 28, 28)
    images[1, 0, :, 14:] = 1
    empty, found, other = edges(images)
    assert not empty.any()
    assert not other.any()
    np.testing.assert_allclose(found, ndimage.sobel(images[1, 0].numpy(), axis=1))
    assert (found[:, 13:15] > 0).all()
    assert (found[:, :12] == 0).all()
    assert (found[:, 17:] == 0).all()


def test_random_weights_are_random_and_leave_the_network_alone() -> None:
    network = PlainCNN(
        in_channels=1, image_size=(28, 28), classes=10, channels=(4,), hidden_features=(8,)
    )
    before = [weight.clone() for weight in network.parameters()]
    state = torch.get_rng_state()
    fresh, again = randomised(network, 1), randomised(network, 1)
    assert torch.equal(torch.get_rng_state(), state)
    for old, now, new, same in zip(
        before, network.parameters(), fresh.parameters(), again.parameters(), strict=True
    ):
        assert torch.equal(old, now)
        assert torch.equal(new, same)
        assert not torch.equal(old, new)


@pytest.mark.usefixtures("tiny_data")
def test_a_trained_network_passes_and_a_random_one_trips_the_alarm(
    tiny_recipe: Path, tmp_path: Path
) -> None:
    run = fc.train(tiny_recipe, changes=["training.epochs=5"], out=tmp_path, device="cpu")
    network = open_trained(run, "best").network
    images = Preparation()(as_uint8_NCHW(make_pictures(40, seed=9).images_NHWC, CPU))
    found = check_maps(network, images, network(images).argmax(1), BLACK)
    assert found.keys() == {*METHODS, "edges", "random"}
    assert found["occlusion"].failures == []
    assert found["occlusion"].deletion < found["random"].deletion
    for check in found.values():
        assert len(check.deletion_curve) == 21
        # All pixels there at the one end, none at the other.
        assert check.deletion_curve[0] == pytest.approx(check.insertion_curve[-1])
        assert check.deletion_curve[-1] == pytest.approx(check.insertion_curve[0])
    assert found["edges"].similarity is None

    unknowing = randomised(network, seed=7)
    answers = unknowing(images).argmax(1)
    alarms = check_maps(unknowing, images, answers, BLACK)
    assert any(alarms[name].failures for name in METHODS)


def test_maps_without_anything_in_them_are_like_no_others() -> None:
    blind = Corner().eval()
    blind.conv.weight.data.zero_()
    images = torch.rand(3, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    found = check_maps(blind, images, blind(images).argmax(1), BLACK)
    assert {found[name].similarity for name in METHODS} == {0.0}


@pytest.mark.usefixtures("tiny_data")
def test_the_page_shows_maps_and_their_verdicts(reported: fc.Run) -> None:
    run = reported
    page = run.report_file.read_text()
    kept = json.loads((run.explanations / "attributions.json").read_text())
    assert "What it looks at" in page
    for name, check in kept["checks"].items():
        assert f"{check['insertion']:.3f}" in page
        assert name in METHODS or name in ("edges", "random")
    drawn = {path.name for path in run.figures_folder.glob("*.png")}
    assert {"attributions.png", "attribution_curves.png", "embedding.png"} <= drawn
    kept_at = (run.explanations / "attributions.npz").stat().st_mtime_ns
    assert attribute(run, device="cpu").checks.keys() == kept["checks"].keys()
    assert (run.explanations / "attributions.npz").stat().st_mtime_ns == kept_at
    arrays = read_arrays(run.explanations / "embedding.npz")
    assert arrays["places"].shape == (200, 2)
    # Ten classes that are easily told apart: a picture's neighbour is nearly always of its class.
    gaps = ((arrays["places"][:, None] - arrays["places"][None]) ** 2).sum(-1)
    np.fill_diagonal(gaps, np.inf)
    neighbours = arrays["labels"][gaps.argmin(1)]
    assert (neighbours == arrays["labels"]).mean() > 0.8


def test_features_are_what_the_last_layer_is_given() -> None:
    network = PlainCNN(
        in_channels=1, image_size=(28, 28), classes=10, channels=(4,), hidden_features=(8,)
    ).eval()
    images = torch.rand(300, 1, 28, 28)
    found = torch.from_numpy(features(network, images))
    last = [module for module in network.modules() if isinstance(module, nn.Linear)][-1]
    assert found.shape == (300, 8)
    torch.testing.assert_close(last(found), network(images))


@pytest.mark.parametrize(
    ("similarity", "gain_low", "failures"),
    [
        (0.5, 0.1, []),
        (0.51, 0.1, ["much the same for random weights"]),
        (0.1, 0.0, ["no better than edges or noise"]),
        (0.9, -0.1, ["much the same for random weights", "no better than edges or noise"]),
        (None, None, []),
    ],
)
def test_what_a_map_fails_by(
    similarity: float | None, gain_low: float | None, failures: list[str]
) -> None:
    gain = None if gain_low is None else gain_low + 0.1
    assert MapCheck(similarity, 0.2, 0.6, (), (), gain, gain_low).failures == failures


def test_maps_of_the_same_weights_ring_the_alarm() -> None:
    """Drawn anew from the seed that made them, the weights are the same: the alarm rings."""
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 3, bias=False))
    images = torch.rand(6, 1, 8, 8) + 0.1
    torch.manual_seed(0)
    same = randomised(network, seed=4)
    check = check_maps(same, images, same(images).argmax(1), BLACK, seed=4)
    assert check["occlusion"].similarity == pytest.approx(1)
    assert "much the same for random weights" in check["occlusion"].failures


def test_a_margin_is_students() -> None:
    """The same two pictures twice have less of a margin: by the square root of 3, and by t."""
    network = Corner().eval()
    pair = torch.zeros(2, 1, 8, 8)
    pair[0, 0, :4, :4], pair[1, 0, :2, :6] = 1, 0.5
    once, twice = (
        check_maps(network, images, torch.ones(len(images), dtype=torch.int64), BLACK)["occlusion"]
        for images in (pair, pair.repeat(2, 1, 1, 1))
    )
    assert twice.gain == pytest.approx(once.gain)
    margins = [(one.gain or 0.0) - (one.gain_low or 0.0) for one in (once, twice)]
    # The quantiles of 97.5 % at 1 and 3 degrees of freedom.
    assert margins[0] / margins[1] == pytest.approx(12.7062 / 3.1824 * 3**0.5, rel=1e-4)
