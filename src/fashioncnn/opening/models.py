"""Trained networks that can be asked: of a run, or shipped as a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fashioncnn.bundles.bundle import Bundle, is_bundle, open_bundle
from fashioncnn.bundles.shipped import shipped
from fashioncnn.errors import BundleError

OWN = "photo"

if TYPE_CHECKING:
    from fashioncnn.opening.trained import CheckpointName, Trained
    from fashioncnn.runs.directory import Run
    from fashioncnn.training.device import DeviceName

    AnyModel = Run | Path | str | Trained | Bundle
else:
    AnyModel = Any


def open_model(
    given: AnyModel | None = None,
    device: DeviceName = "auto",
    checkpoint: CheckpointName = "best",
) -> Trained | Bundle:
    """Return the network of a bundle or a run; of nothing, the one that comes along.

    PyTorch is loaded for runs alone. Raises RunError or BundleError where it cannot be opened.
    """
    if given is None:
        return own_bundle()
    if isinstance(given, Bundle):
        return given
    if isinstance(given, Path | str) and is_bundle(Path(given)):
        return open_bundle(Path(given))
    from fashioncnn.opening.trained import Trained, open_trained

    return given if isinstance(given, Trained) else open_trained(given, checkpoint, device=device)


def own_bundle() -> Bundle:
    """Return the bundle that answers where none is named. Raises BundleError where it is not."""
    if OWN not in shipped():
        raise BundleError("no networks come with this installation: name a run or a bundle")
    return open_bundle(shipped()[OWN])
