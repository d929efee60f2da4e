"""A network of the user's own: a class of nn.Module in a file, called with keywords."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from fashioncnn.errors import CodeError
from fashioncnn.models.family import ModelSettings
from fashioncnn.usercode.faults import in_words, told_by_lines, user_code
from fashioncnn.usercode.part import Address, OwnPart

# So many pictures try a network that was just made.
TRIED = 2


class OwnModelSettings(OwnPart, ModelSettings, extra="allow"):
    """A network of your own: every further key is a keyword of its class or function.

    Where that takes `in_channels`, `image_size` or `classes`, it is given them.
    """

    lays_out_itself: ClassVar[bool] = True

    family: Address

    @property
    def address(self) -> str:
        """See OwnPart."""
        return self.family

    @property
    def offered(self) -> tuple[str, ...]:
        """See OwnPart."""
        return ("in_channels", "image_size", "classes")

    def build(self, *, in_channels: int, image_size: tuple[int, int], classes: int) -> nn.Module:
        """See ModelSettings; in channels-last order where the network can take it.

        Raises CodeError for what is no network, or answers with something else than logits
        (n, classes).
        """
        with user_code():
            network = self.called(in_channels=in_channels, image_size=image_size, classes=classes)
        if not isinstance(network, nn.Module):
            raise CodeError(f"{self.family} makes a {type(network).__name__}, not an nn.Module")
        # Lazy layers get their weights here, too.
        answers = _first_answers(network, (in_channels, *image_size), self.family)
        if not isinstance(answers, Tensor) or answers.shape != (TRIED, classes):
            raise CodeError(
                f"{self.family} answers {_described(answers)} for {TRIED} pictures; it must be "
                f"logits ({TRIED}, {classes}), one for each class"
            )
        return network


def _first_answers(network: nn.Module, shape: tuple[int, ...], address: str) -> object:
    """Return what the network answers, laid out in channels-last order if that works.

    `x.view(n, -1)` fails in that order, and what fails so is given pictures in NCHW order.
    """
    was_training = network.training
    with torch.random.fork_rng(), torch.no_grad(), user_code():
        images_NCHW = torch.rand(TRIED, *shape)
        try:
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            answers = network.eval()(images_NCHW.to(memory_format=torch.channels_last))
        except RuntimeError as error:
            if "view size is not compatible" not in str(error):
                raise _ours(error, address, shape) from None
            network.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
            network.register_forward_pre_hook(_in_NCHW_order)
            answers = network(images_NCHW)
    network.train(was_training)
    return answers


def _in_NCHW_order(network: nn.Module, given: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    del network
    return tuple(one.contiguous() for one in given)


def _ours(error: RuntimeError, address: str, shape: tuple[int, ...]) -> Exception:
    """Say with the error which pictures it was; it keeps the user's lines."""
    told = told_by_lines(error)
    pictures = f"pictures ({TRIED}, {', '.join(map(str, shape))})"
    return CodeError(f"{address} cannot take {pictures}: {told or in_words(error)}")


def _described(answers: object) -> str:
    if isinstance(answers, Tensor):
        return f"({', '.join(map(str, answers.shape))})"
    return f"a {type(answers).__name__}"
