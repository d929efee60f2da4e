"""One contract for every network family; the plain one against plain functions in float64."""

from __future__ import annotations

import inspect
import math
from typing import Any, Literal

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from fashioncnn.models import FAMILIES
from fashioncnn.models.family import ModelSettings
from fashioncnn.models.freezing import freeze
from fashioncnn.models.plain_cnn import PlainCNN
from fashioncnn.models.separable_cnn import SeparableCNN
from fashioncnn.models.strided_cnn import Pooling, StridedCNN, StridedCNNSettings
from fashioncnn.recipes.build import build_network
from fashioncnn.recipes.files import builtin_names
from fashioncnn.recipes.load import load
from fashioncnn.training.device import has_bf16

pytestmark = pytest.mark.fast


def example(family: str) -> ModelSettings:
    """Return settings of a small network: the examples that the family's own keys give."""
    settings = FAMILIES[family]
    needed = {
        name: (field.examples or [None])[0]
        for name, field in settings.model_fields.items()
        if field.is_required()
    }
    return settings(**needed)


@pytest.mark.parametrize("family", FAMILIES)
class TestContract:
    def make(self, family: str, seed: int = 0) -> nn.Module:
        torch.manual_seed(seed)
        return example(family).build(in_channels=1, image_size=(28, 28), classes=10)

    def test_logits_of_any_batch(self, family: str) -> None:
        network = self.make(family).eval()
        for n in (1, 5):
            logits = network(torch.randn(n, 1, 28, 28))
            assert logits.shape == (n, 10)
            assert logits.isfinite().all()

    def test_every_weight_learns(self, family: str) -> None:
        network = self.make(family)
        loss = functional.cross_entropy(network(torch.randn(64, 1, 28, 28)), torch.arange(64) % 10)
        loss.backward()  # type: ignore[no-untyped-call]
        for name, parameter in network.named_parameters():
            assert parameter.grad is not None, name
            assert parameter.grad.abs().sum() > 0, name

    def test_weights_are_a_function_of_the_seed(self, family: str) -> None:
        one, same, other = (self.make(family, seed).state_dict() for seed in (1, 1, 2))
        assert all(torch.equal(one[name], same[name]) for name in one)
        assert any(not torch.equal(one[name], other[name]) for name in one)

    def test_memory_order_changes_nothing(self, family: str) -> None:
        network = self.make(family).eval()
        images = torch.randn(8, 1, 28, 28)
        before = network(images)
        after = network.to(memory_format=torch.channels_last)(images)  # type: ignore[call-overload]
        torch.testing.assert_close(after, before, atol=1e-5, rtol=1e-5)

    def test_bf16_is_close_to_fp32(self, family: str) -> None:
        network = self.make(family)
        images, labels = torch.randn(32, 1, 28, 28), torch.arange(32) % 10
        gradients = []
        for enabled in (False, True):
            network.zero_grad()
            with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
                logits = network(images)
            functional.cross_entropy(logits.float(), labels).backward()  # type: ignore[no-untyped-call]
            flat = torch.cat([p.grad.flatten() for p in network.parameters() if p.grad is not None])
            gradients.append(flat)
        fp32, bf16 = gradients
        # A maximum over noise is another pixel now and then, after rounding.
        assert functional.cosine_similarity(fp32, bf16, dim=0) > 0.97


@pytest.mark.parametrize("name", builtin_names())
def test_every_bf16_kernel_of_a_recipe_against_fp32(name: str) -> None:
    """Some of PyTorch's were wrong (issues 163347, 169688), so each layer is run by itself.

    Both take what the layer really gets, rounded to bf16, in channels-last order.
    """
    recipe = load(name)
    torch.manual_seed(0)
    network = build_network(recipe, 10).train()
    seen: dict[nn.Module, Tensor] = {}

    def keep(module: nn.Module, inputs: Any, output: Tensor) -> None:
        seen[module] = (
            inputs[0].detach().bfloat16().float().clone(memory_format=torch.preserve_format)
        )

    kinds = (nn.Conv2d, nn.Linear, nn.MaxPool2d, nn.BatchNorm1d, nn.BatchNorm2d)
    layers: list[nn.Module] = [m for m in network.modules() if isinstance(m, kinds)]
    for layer in layers:
        layer.register_forward_hook(keep)
    # Without the instructions "auto" is fp32, and bf16 takes minutes; large networks take seconds.
    small = sum(weight.numel() for weight in network.parameters()) < 2_000_000
    pictures = 64 if small and has_bf16("cpu") else 4
    network(torch.randn(pictures, 1, *recipe.data.size))
    assert len(seen) == len(layers)

    for layer, inputs in seen.items():
        answers = []
        for enabled in (False, True):
            layer.zero_grad()
            taken = inputs.bfloat16() if enabled else inputs
            taken = taken.clone(memory_format=torch.preserve_format).requires_grad_()
            with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
                output = layer(taken)
            random = torch.Generator().manual_seed(1)
            slope = torch.randn(output.shape, generator=random).bfloat16()
            output.backward(slope.to(output.dtype))
            assert taken.grad is not None
            weights = [p.grad for p in layer.parameters() if p.grad is not None]
            answers.append([t.detach().float() for t in (output, taken.grad, *weights)])
        for fp32, bf16 in zip(*answers, strict=True):
            error = (fp32 - bf16).norm() / fp32.norm()
            assert error < 0.02, (layer, float(error))


@pytest.mark.parametrize("name", builtin_names())
def test_built_in_networks_lie_in_channels_last_order(name: str) -> None:
    for weight in build_network(load(name), 10).parameters():
        assert weight.dim() != 4 or weight.is_contiguous(memory_format=torch.channels_last)


def reference(network: PlainCNN, x: Tensor, blocks: int) -> Tensor:
    """Compute a plain network the way textbooks write it: convolution, ReLU, pooling."""
    weights = network.state_dict()
    for block in range(1, blocks + 1):
        name = f"layers.conv{block}"
        kernel = weights[f"{name}.weight"]
        x = functional.conv2d(x, kernel, weights[f"{name}.bias"], padding=kernel.shape[-1] // 2)
        x = functional.max_pool2d(functional.relu(x), 2)
    x = x.permute(0, 2, 3, 1).flatten(1)
    x = functional.relu(x @ weights["layers.dense1.weight"].T + weights["layers.dense1.bias"])
    logits: Tensor = x @ weights["layers.output.weight"].T + weights["layers.output.bias"]
    return logits


@pytest.mark.parametrize("kernel_size", [1, 3, 5])
@pytest.mark.parametrize("channels", [[3], [4, 6], [4, 6, 8]])
def test_plain_cnn_against_the_textbook(channels: list[int], kernel_size: int) -> None:
    torch.manual_seed(0)
    network = PlainCNN(
        in_channels=1,
        image_size=(32, 32),
        classes=10,
        channels=channels,
        hidden_features=[12],
        kernel_size=kernel_size,
        dropout=0.5,
    )
    network = network.double().eval()
    images = torch.randn(4, 1, 32, 32, dtype=torch.float64)
    expected = reference(network, images, len(channels))
    torch.testing.assert_close(network(images), expected)


@pytest.mark.parametrize("network", [PlainCNN, StridedCNN, SeparableCNN])
def test_what_a_network_is_not_told_is_as_in_a_recipe(network: type[nn.Module]) -> None:
    (settings,) = [
        one for one in FAMILIES.values() if one.__name__ == f"{network.__name__}Settings"
    ]
    for name, parameter in inspect.signature(network).parameters.items():
        if parameter.default is not inspect.Parameter.empty:
            assert settings.model_fields[name].default == parameter.default, name


def test_three_conv_has_the_layers_that_its_report_names() -> None:
    network = PlainCNN(
        in_channels=1,
        image_size=(28, 28),
        classes=10,
        channels=[32, 64, 128],
        hidden_features=[256, 128],
        hidden_activation="sigmoid",
        hidden_batch_norm=True,
        initialisation="xavier",
    )
    kinds = [type(module).__name__ for module in network.layers]
    assert kinds.count("Conv2d") == kinds.count("MaxPool2d") == kinds.count("ReLU") == 3
    assert kinds.count("BatchNorm1d") == kinds.count("Sigmoid") == 2
    for module in network.layers:
        if isinstance(module, nn.Conv2d | nn.Linear):
            fan_in, fan_out = nn.init._calculate_fan_in_and_fan_out(module.weight)
            bound = math.sqrt(6 / (fan_in + fan_out))
            assert 0.9 * bound < module.weight.abs().max() <= bound
            assert module.bias is not None
            assert not module.bias.any()


def test_too_many_blocks_are_refused() -> None:
    with pytest.raises(ValueError, match=r"5 blocks halve pictures of \(28, 28\) to nothing"):
        PlainCNN(
            in_channels=1, image_size=(28, 28), classes=10, channels=[4] * 5, hidden_features=[]
        )


@pytest.mark.parametrize(("stride", "side"), [(1, 28), (2, 14)])
def test_the_first_stage_of_a_strided_network(stride: int, side: int) -> None:
    network = StridedCNN(
        in_channels=1,
        image_size=(28, 28),
        classes=10,
        channels=[4, 8],
        blocks=[1, 1],
        stem_stride=stride,
    )
    stem = network.layers[:3](torch.randn(2, 1, 28, 28))
    assert stem.shape == (2, 4, side, side)
    assert network.layers[:-2](torch.randn(2, 1, 28, 28)).shape == (2, 8, side // 2, side // 2)


def strided_reference(network: StridedCNN, x: Tensor, *, residual: bool, pooling: str) -> Tensor:
    """Compute a strided network of two stages from its weights with plain functions."""
    weights = network.state_dict()

    def unit(x: Tensor, convolution: str, norm: str, stride: int) -> Tensor:
        x = functional.conv2d(x, weights[f"{convolution}.weight"], stride=stride, padding=1)
        mean, variance, scale, shift = (
            weights[f"{norm}.{name}"][:, None, None]
            for name in ("running_mean", "running_var", "weight", "bias")
        )
        return functional.relu((x - mean) / (variance + 1e-5).sqrt() * scale + shift)

    for stage in ("layers.conv1", "layers.conv2"):
        x = unit(x, stage, f"{stage}_norm", 2)
        block = unit(x, f"{stage}_1.conv", f"{stage}_1.norm", 1)
        x = x + block if residual else block
    x = x.amax((2, 3)) if pooling == "max" else x.mean((2, 3))
    logits: Tensor = 0.5 * x @ weights["layers.output.weight"].T
    return logits


@pytest.mark.parametrize("pooling", ["max", "average"])
@pytest.mark.parametrize("residual", [False, True])
def test_strided_cnn_against_plain_functions(residual: bool, pooling: Pooling) -> None:
    torch.manual_seed(0)
    network = StridedCNN(
        in_channels=1, image_size=(28, 28), classes=10, channels=[4, 6], blocks=[1, 1],
        residual=residual, pooling=pooling, logit_scale=0.5,
    ).double()  # fmt: skip
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            for values in (module.running_mean, module.weight, module.bias):
                assert values is not None
                nn.init.normal_(values)
            assert module.running_var is not None
            nn.init.uniform_(module.running_var, 0.5, 2)
    network.eval()
    images = torch.randn(4, 1, 28, 28, dtype=torch.float64)
    expected = strided_reference(network, images, residual=residual, pooling=pooling)
    torch.testing.assert_close(network(images), expected)


@pytest.mark.parametrize("stages", [1, 2])
def test_frozen_stages_train_as_they_are_in_evaluation(stages: int) -> None:
    torch.manual_seed(0)
    settings = StridedCNNSettings(channels=(4, 6, 8), blocks=(1, 1, 0), residual=True)
    network = settings.build(in_channels=1, image_size=(28, 28), classes=10).double()
    images = torch.randn(16, 1, 28, 28, dtype=torch.float64)
    for _ in range(3):
        network.train()(images)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    evaluated = network.eval()(images)
    first = list(network.layers._modules).index(f"conv{stages + 1}")
    features = network.layers[:first](images)
    freeze(network, stages)
    expected = network.layers[first:].train()(features) * network.logit_scale

    trained = network.train()(images)
    torch.testing.assert_close(trained, expected)
    trained.sum().backward()
    rest = {f"layers.{name}" for name in list(network.layers._modules)[:first]}
    for name, weight in network.named_parameters():
        frozen = ".".join(name.split(".")[:2]) in rest
        assert (weight.grad is None) == frozen, name
    after = network.state_dict()
    assert after.keys() == before.keys()
    for name, value in before.items():
        if ".".join(name.split(".")[:2]) in rest:
            assert torch.equal(after[name], value), name
    # What learns has new running statistics; with the old ones, evaluation is as it was.
    network.load_state_dict(before)
    torch.testing.assert_close(network.eval()(images), evaluated)


def test_not_every_network_has_stages_that_can_rest() -> None:
    with pytest.raises(TypeError, match="PlainCNN has no stages that can rest"):
        freeze(example("plain-cnn").build(in_channels=1, image_size=(28, 28), classes=10), 1)


def test_separable_cnn_against_plain_functions() -> None:
    torch.manual_seed(0)
    network = SeparableCNN(
        in_channels=3, classes=5, channels=[4, 6], blocks=[1, 2], logit_scale=0.5
    ).double()
    with torch.no_grad():
        for _ in range(3):
            network.train()(torch.randn(8, 3, 28, 20, dtype=torch.float64))
    network.eval()
    weights = network.state_dict()

    def norm(x: Tensor, name: str) -> Tensor:
        mean, variance, scale, shift = (
            weights[f"{name}.{part}"][:, None, None]
            for part in ("running_mean", "running_var", "weight", "bias")
        )
        normalised: Tensor = (x - mean) / (variance + 1e-5).sqrt() * scale + shift
        return normalised

    images = torch.randn(4, 3, 28, 20, dtype=torch.float64)
    x = functional.conv2d(images, weights["stem.weight"], padding=1)
    x = functional.relu(norm(x, "stem_norm"))
    for name, stride, adds in (("1_1", 1, True), ("2_1", 2, False), ("2_2", 1, True)):
        block = f"layers.block{name}"
        # One filter a channel: each channel is convolved by itself.
        each = [
            functional.conv2d(x[:, [at]], one[None], stride=stride, padding=1)
            for at, one in enumerate(weights[f"{block}.depthwise.weight"])
        ]
        inner = norm(torch.cat(each, 1), f"{block}.depthwise_norm")
        mixed = torch.einsum("nchw,oc->nohw", inner, weights[f"{block}.mix.weight"][..., 0, 0])
        y = functional.relu(norm(mixed, f"{block}.mix_norm"))
        x = x + y if adds else y
    expected = 0.5 * x.mean((2, 3)) @ weights["output.weight"].T
    torch.testing.assert_close(network(images), expected)


@pytest.mark.parametrize(("stride", "pixels"), [(1, 16), (2, 32)])
def test_how_often_a_strided_network_halves(stride: Literal[1, 2], pixels: int) -> None:
    settings = StridedCNNSettings(channels=(4,) * 5, blocks=(0,) * 5, stem_stride=stride)
    assert settings.fault((pixels, pixels)) is None
    assert settings.fault((40, pixels - 1)) is not None
    with pytest.raises(ValueError, match="to nothing"):
        settings.build(in_channels=1, image_size=(pixels - 1, 40), classes=10)
