"""An augmentation of the user's own, in a file: a function of pictures and random numbers."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import Field
from torch import Tensor

from fashioncnn.data.augmentations.base import Augmentation, PixelAugmentation
from fashioncnn.errors import CodeError
from fashioncnn.usercode import modules
from fashioncnn.usercode.faults import user_code
from fashioncnn.usercode.source import Digests

# What a function gets for each picture, whether it needs as many or not.
UNIFORMS = 8


class FunctionAugmentation(PixelAugmentation):
    """Calls `function(images_NCHW, uniforms_NU, strength_N)`."""

    key = ""
    strength = Annotated[float, Field(ge=0)]
    uniforms = UNIFORMS

    def __init__(self, function: Callable[[Tensor, Tensor, Tensor], Any], address: str) -> None:
        self.function = function
        self.address = address

    def change(self, images_NCHW: Tensor, uniforms_NU: Tensor, strength_N: Tensor) -> Tensor:
        """See PixelAugmentation. Raises CodeError when other pictures come back."""
        with user_code(self.address):
            changed = self.function(images_NCHW, uniforms_NU, strength_N)
        wanted = (images_NCHW.shape, images_NCHW.dtype)
        if not isinstance(changed, Tensor) or (changed.shape, changed.dtype) != wanted:
            got = (
                f"{changed.dtype} {tuple(changed.shape)}"
                if isinstance(changed, Tensor)
                else type(changed).__name__
            )
            raise CodeError(
                f"{self.address} returns {got}; it must return pictures as it got them, "
                f"torch.uint8 {tuple(images_NCHW.shape)}"
            )
        return changed


def own_augmentation(code: Digests, address: str) -> Augmentation:
    """Return what "file.py:Name" is: a class of Augmentation, or a function as above.

    Raises TrustError, CodeError.
    """
    found = modules.find(code, address)
    if inspect.isclass(found) and issubclass(found, Augmentation):
        with user_code(address):
            return found()
    if not inspect.isfunction(found):
        raise CodeError(
            f"{address} is neither a function of (images, uniforms, strength) nor a class of "
            "fashioncnn's Augmentation"
        )
    return FunctionAugmentation(found, address)
