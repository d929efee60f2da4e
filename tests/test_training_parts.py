"""Schedules, optimisers and averaging, against PyTorch's own or a hand-made table."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import CosineAnnealingLR, OneCycleLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from fashioncnn.errors import RunError
from fashioncnn.training.averaging import MovingAverage
from fashioncnn.training.device import fabric_for, one_core_free
from fashioncnn.training.optimizers import OPTIMIZERS
from fashioncnn.training.optimizers.muon import MuonSettings, orthogonal
from fashioncnn.training.processes import Processes
from fashioncnn.training.schedules import SCHEDULES
from fashioncnn.training.schedules.cosine import CosineSettings
from fashioncnn.training.schedules.one_cycle import OneCycleSettings
from fashioncnn.training.state import TrainingState
from fashioncnn.training.whole_batch import span_processes

pytestmark = pytest.mark.fast


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("warmup", [0, 1, 7, 19])
def test_schedule_contract(name: str, warmup: int) -> None:
    table = SCHEDULES[name]
    ends = {"final_factor": 0.05} if "final_factor" in table.model_fields else {}
    schedule = table(name=name, initial_factor=0.1, **ends)
    factors = [schedule.factor(step, total_steps=20, warmup_steps=warmup) for step in range(20)]
    assert all(0 <= factor <= 1 for factor in factors)
    assert factors[warmup] == 1.0
    assert factors[:warmup] == sorted(factors[:warmup])
    assert factors[warmup:] == sorted(factors[warmup:], reverse=True)
    if warmup:
        assert factors[0] == pytest.approx(0.1)
    if ends and warmup < 19:
        assert factors[-1] == pytest.approx(0.05)


def rates(scheduler: Any, optimizer: torch.optim.Optimizer, steps: int) -> list[float]:
    seen = []
    for _ in range(steps):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return seen


def test_cosine_against_pytorch() -> None:
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    expected = rates(CosineAnnealingLR(optimizer, T_max=49, eta_min=0.1), optimizer, 50)
    schedule = CosineSettings(final_factor=0.1)
    ours = [schedule.factor(step, total_steps=50, warmup_steps=0) for step in range(50)]
    assert ours == pytest.approx(expected)


def test_one_cycle_against_pytorch() -> None:
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    # PyTorch's peak lies at pct_start * total - 1.
    scheduler = OneCycleLR(
        optimizer,
        max_lr=1.0,
        total_steps=50,
        pct_start=11 / 50,
        anneal_strategy="linear",
        cycle_momentum=False,
        div_factor=25,
        final_div_factor=4,
    )
    expected = [optimizer.param_groups[0]["lr"]]
    for _ in range(49):
        optimizer.step()
        scheduler.step()
        expected.append(optimizer.param_groups[0]["lr"])
    schedule = OneCycleSettings(initial_factor=1 / 25, final_factor=1 / 100)
    ours = [schedule.factor(step, total_steps=50, warmup_steps=10) for step in range(50)]
    assert ours == pytest.approx(expected)


PLAIN: dict[str, Any] = {
    "adam": lambda p: torch.optim.Adam(p, 0.01, weight_decay=0.1, foreach=False),
    "adamw": lambda p: torch.optim.AdamW(p, 0.01, weight_decay=0.1, foreach=False),
    "sgd": lambda p: torch.optim.SGD(
        p, 0.01, momentum=0.9, nesterov=True, weight_decay=0.1, foreach=False
    ),
}


@pytest.mark.parametrize("name", PLAIN)
def test_fused_optimisers_follow_the_plain_ones_in_float64(name: str) -> None:
    torch.manual_seed(0)
    one = nn.Linear(5, 3).double()
    other = copy.deepcopy(one)
    fused = OPTIMIZERS[name](name=name, learning_rate=0.01, weight_decay=0.1).build(one)
    plain = PLAIN[name](other.parameters())
    for _ in range(6):
        inputs = torch.randn(4, 5, dtype=torch.float64)
        for network, optimizer in ((one, fused), (other, plain)):
            optimizer.zero_grad()
            network(inputs).square().sum().backward()
            optimizer.step()
    for left, right in zip(one.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(left, right)


def test_muon_against_pytorch_and_by_hand() -> None:
    """One step from rest: rows of length 1 on the average, then torch's own orthogonal step."""
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(1, 6, 3, bias=False), nn.Conv2d(6, 4, 3), nn.Flatten(), nn.Linear(4 * 16, 3)
    )
    before = copy.deepcopy(network)
    settings = MuonSettings(
        learning_rate=0.1, weight_decay=0.01, momentum=0.6, sgd_learning_rate=0.5
    )
    optimizer = settings.build(network)
    network(torch.randn(5, 1, 8, 8)).square().mean().backward()
    optimizer.step()

    changes = list(zip(network.parameters(), before.parameters(), strict=True))
    new, old = (weight.detach() for weight in changes.pop(1))
    gradient = network.get_parameter("1.weight").grad
    assert gradient is not None
    flat = nn.Parameter(torch.zeros(4, 54))
    flat.grad = gradient.flatten(1)
    torch.optim.Muon([flat], lr=1.0, weight_decay=0.0, momentum=0.0, ns_steps=3).step()  # type: ignore[no-untyped-call]
    expected = old * (4**0.5 / old.norm()) + 0.1 * flat.detach().view_as(old)
    torch.testing.assert_close(new, expected, atol=2e-3, rtol=0)

    assert len(changes) == 4
    for weight, start in changes:
        assert weight.grad is not None
        gradient = weight.grad + 0.01 * start.detach()
        # Nesterov's first step is 1 + momentum, 0.85 beside Muon, times the gradient.
        torch.testing.assert_close(weight.detach(), start.detach() - 0.5 * 1.85 * gradient)


def test_muon_over_several_steps_against_pytorch() -> None:
    """Gradients are handed in, so that only momentum, rescaling and direction are compared."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 6, 3, bias=False), nn.Conv2d(6, 4, 3))
    settings = MuonSettings(
        learning_rate=0.1, weight_decay=0.01, momentum=0.6, sgd_learning_rate=0.5
    )
    optimizer = settings.build(network)
    first, hidden, bias = network.parameters()
    expected = hidden.detach().clone()
    turned = nn.Parameter(torch.zeros(4, 54))
    direction = torch.optim.Muon([turned], lr=1.0, weight_decay=0.0, momentum=0.6, ns_steps=3)
    rest = [nn.Parameter(weight.detach().clone()) for weight in (first, bias)]
    sgd = torch.optim.SGD(rest, 0.5, momentum=0.85, nesterov=True, weight_decay=0.01)
    for _ in range(4):
        for weight in (first, hidden, bias):
            weight.grad = torch.randn_like(weight)
        turned.grad = hidden.grad.flatten(1)  # type: ignore[union-attr]
        rest[0].grad, rest[1].grad = first.grad, bias.grad
        before = turned.detach().clone()
        direction.step()  # type: ignore[no-untyped-call]
        sgd.step()
        optimizer.step()
        step = (turned.detach() - before).view_as(expected)
        expected = expected * (4**0.5 / expected.norm()) + 0.1 * step
        torch.testing.assert_close(hidden.detach(), expected, atol=5e-3, rtol=0)
        for ours, theirs in zip((first, bias), rest, strict=True):
            torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("shape", [(16, 72), (64, 4), (8, 72)])
def test_orthogonal_brings_singular_values_near_one(shape: tuple[int, ...]) -> None:
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    result = orthogonal(matrix, iterations=5)
    values = torch.linalg.svdvals(result)
    assert 0.5 < values.min() <= values.max() < 1.4
    several = orthogonal(torch.stack([matrix, -matrix]), iterations=5)
    torch.testing.assert_close(several, torch.stack([result, -result]), atol=0.01, rtol=0)
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    assert nn.functional.cosine_similarity(result.flatten(), (left @ right).flatten(), dim=0) > 0.96


def test_muon_takes_its_rate_as_a_number_or_a_tensor() -> None:
    def stepped(as_tensor: bool) -> list[Tensor]:
        torch.manual_seed(0)
        network = nn.Sequential(
            nn.Conv2d(1, 4, 3), nn.Conv2d(4, 8, 3), nn.Flatten(), nn.Linear(8, 2)
        )
        optimizer = MuonSettings(learning_rate=0.1, sgd_learning_rate=0.03).build(network)
        for group in optimizer.param_groups:
            group["lr"] = torch.tensor(group["lr"]) if as_tensor else group["lr"]
        for _ in range(3):
            optimizer.zero_grad()
            network(torch.ones(2, 1, 5, 5)).square().mean().backward()
            optimizer.step()
        return list(network.parameters())

    for one, other in zip(stepped(True), stepped(False), strict=True):
        torch.testing.assert_close(one, other)


def test_moving_average_against_pytorch() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3))
    ours = MovingAverage(network, 0.9)
    average = get_ema_multi_avg_fn(0.9)  # type: ignore[no-untyped-call]
    theirs = AveragedModel(network, multi_avg_fn=average)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    for _ in range(10):
        optimizer.zero_grad()
        network(torch.randn(8, 4)).square().sum().backward()
        optimizer.step()
        ours.update()
        theirs.update_parameters(network)
    for left, right in zip(ours.network.parameters(), theirs.module.parameters(), strict=True):
        torch.testing.assert_close(left, right)
    statistics = dict(network.named_buffers())
    for name, buffer in ours.network.named_buffers():
        assert torch.equal(buffer, statistics[name])
    assert not any(p.requires_grad for p in ours.network.parameters())


def test_a_checkpoint_of_a_gpu_goes_on_without_one() -> None:
    def begun() -> TrainingState:
        network = nn.Linear(2, 2)
        optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
        return TrainingState(network, optimizer, None, torch.device("cpu"))

    first, second = begun(), begun()
    tensors = first.tensors() | {"random/cuda": torch.zeros(16, dtype=torch.uint8)}
    second.restore(tensors, first.values())
    torch.testing.assert_close(second.network.state_dict(), first.network.state_dict())


def test_a_core_is_left_free_for_a_while() -> None:
    before = torch.get_num_threads()
    try:
        for threads, inside in ((3, 2), (1, 1)):
            torch.set_num_threads(threads)
            with one_core_free():
                assert torch.get_num_threads() == inside
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)


def stepped() -> TrainingState:
    """Return a network and its optimiser after a step."""
    torch.manual_seed(0)
    network = nn.Linear(3, 2)
    optimizer = torch.optim.Adam(network.parameters())
    network(torch.randn(4, 3)).square().sum().backward()
    optimizer.step()
    state = TrainingState(network, optimizer, None, torch.device("cpu"))
    state.position.step = 1
    return state


def without_state(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: one for name, one in tensors.items() if not name.startswith("optimizer/")}


def without_a_key(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: one for name, one in tensors.items() if name != "optimizer/0/exp_avg_sq"}


def of_another_shape(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return tensors | {"optimizer/0/exp_avg": torch.zeros(5)}


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (without_state, "it lacks the state of the optimiser"),
        (without_a_key, "its state of the optimiser does not fit"),
        (of_another_shape, "its state of the optimiser does not fit"),
    ],
)
def test_training_does_not_go_on_with_half_an_optimiser(damage: Any, words: str) -> None:
    state = stepped()
    tensors, values = {name: one.clone() for name, one in state.tensors().items()}, state.values()
    stepped().restore(tensors, values)
    with pytest.raises(RunError, match=words):
        stepped().restore(damage(tensors), values)


@pytest.mark.parametrize(
    "layer",
    [
        nn.BatchNorm2d(3),
        nn.BatchNorm2d(3, affine=False),
        nn.BatchNorm2d(3, momentum=None),
        nn.BatchNorm2d(3, track_running_stats=False),
        nn.Dropout(0.5),
        nn.Dropout2d(0.5),
    ],
    ids=str,
)
def test_layers_that_span_processes_against_pytorch(layer: nn.Module) -> None:
    processes = Processes(fabric_for("cpu", "fp32"))
    theirs = nn.Sequential(layer).train()
    ours = copy.deepcopy(theirs)
    span_processes(ours, processes)
    assert type(ours[0]) is not type(layer)
    for _ in range(3):
        images = torch.randn(5, 3, 4, 4)
        processes.begin_batch(len(images))
        torch.manual_seed(1)
        expected = theirs(images)
        torch.manual_seed(1)
        torch.testing.assert_close(ours(images), expected)
    assert ours.state_dict().keys() == theirs.state_dict().keys()
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict())
    ours.eval(), theirs.eval()
    torch.testing.assert_close(ours(images), theirs(images))


class Lookahead(torch.optim.SGD):
    """Keeps its slow weights from the second step on, as users' own optimisers may."""

    def step(self, closure: Any = None) -> Any:
        loss = super().step(closure)
        for group in self.param_groups:
            for parameter in group["params"]:
                state = self.state[parameter]
                state["step"] = state.get("step", 0) + 1
                if state["step"] == 2:
                    state["slow"] = parameter.detach().clone()
        return loss


def test_an_optimiser_of_the_users_own_keeps_what_it_will_when_it_will() -> None:
    def begun() -> TrainingState:
        torch.manual_seed(0)
        network = nn.Linear(3, 2)
        return TrainingState(network, Lookahead(network.parameters()), None, torch.device("cpu"))

    state = begun()
    for _ in range(3):
        state.network(torch.randn(4, 3)).square().sum().backward()
        state.optimizer.step()
    state.position.step = 3
    other = begun()
    other.restore(state.tensors(), state.values())
    torch.testing.assert_close(other.tensors(), state.tensors())


@pytest.mark.parametrize("kind", [float, torch.tensor])
def test_a_rate_that_is_a_tensor_is_scaled_as_a_number_is(kind: Any) -> None:
    network = nn.Linear(2, 2)
    optimizer = torch.optim.Adam(network.parameters(), lr=kind(0.5), capturable=False)
    state = TrainingState(network, optimizer, None, torch.device("cpu"))
    rates = []
    for factor in (0.5, 0.1, 1.0):
        state.set_learning_rates(factor)
        rates.append(state.learning_rate)
    assert rates == pytest.approx([0.25, 0.05, 0.5])
