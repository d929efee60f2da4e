"""A network of the user's own: a class of nn.Module in a file, called with keywords."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.parameter import UninitializedParameter

from fashioncnn.errors import CodeError
from fashioncnn.models.family import ModelSettings
from fashioncnn.usercode.faults import user_code
from fashioncnn.usercode.handed import GIVEN
from fashioncnn.usercode.part import Address, OwnPart, parameters

# So many pictures try a network that was just made.
TRIED = 2


class OwnModelSettings(OwnPart, ModelSettings, extra="allow"):
    """A network of your own: every further key is a keyword of its class or function.

    Where that takes `in_channels`, `image_size` or `classes`, it is given them.
    """

    lays_out_itself: ClassVar[bool] = True
    # Not known before it is tried: see sessions/trial.py.
    any_image_size: ClassVar[bool] = True

    family: Address

    @property
    def address(self) -> str:
        """See OwnPart."""
        return self.family

    @property
    def offered(self) -> tuple[str, ...]:
        """See OwnPart."""
        return GIVEN

    def build(self, *, in_channels: int, image_size: tuple[int, int], classes: int) -> nn.Module:
        """See ModelSettings; in channels-last order where the network can take it.

        Raises CodeError for what is no network, or answers with something else than logits
        (n, classes).
        """
        with user_code(self.family):
            network = self.called(in_channels=in_channels, image_size=image_size, classes=classes)
        if not isinstance(network, nn.Module):
            raise CodeError(f"{self.family} makes a {type(network).__name__}, not an nn.Module")
        # Lazy layers get their weights here, too.
        answers = _first_answers(network, (in_channels, *image_size), self.family)
        if not isinstance(answers, Tensor) or answers.shape != (TRIED, classes):
            named = "classes" in parameters(self.target)[0]
            hint = "" if named or "classes" in self.keywords else "; it takes no argument `classes`"
            raise CodeError(
                f"{self.family} answers {_described(answers)} for {TRIED} pictures; it must be "
                f"logits ({TRIED}, {classes}), one for each class{hint}"
            )
        return network


def _first_answers(network: nn.Module, shape: tuple[int, ...], address: str) -> object:
    """Return what the network answers, laid out in channels-last order if that works.

    `x.view(n, -1)` fails in that order, and what fails so is given pictures in NCHW order.
    """
    was_training = network.training
    images_NCHW = torch.zeros(TRIED, *shape)
    network.eval()
    try:
        with torch.no_grad(), user_code(address):
            if any(isinstance(one, UninitializedParameter) for one in network.parameters()):
                # Lazy layers draw their weights here: that belongs to the seed.
                network(images_NCHW)
            with torch.random.fork_rng():
                try:
                    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
                    return network(images_NCHW.to(memory_format=torch.channels_last))
                except (RuntimeError, ValueError):
                    network.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
                    network.register_forward_pre_hook(_in_NCHW_order)
                    return network(images_NCHW)
    except CodeError as error:
        pictures = f"pictures ({TRIED}, {', '.join(map(str, shape))})"
        raise CodeError(f"{address} cannot take {pictures}: {error}") from None
    finally:
        network.train(was_training)


def _in_NCHW_order(network: nn.Module, given: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    del network
    return tuple(one.contiguous() for one in given)


def _described(answers: object) -> str:
    if isinstance(answers, Tensor):
        return f"({', '.join(map(str, answers.shape))})"
    return f"a {type(answers).__name__}"
