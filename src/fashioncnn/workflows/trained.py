"""Opening a finished run: its recipe, its network, its pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import nn

from fashioncnn.data import sources
from fashioncnn.data.images import FASHION_MNIST_CLASSES, LabelledImages
from fashioncnn.errors import RunError
from fashioncnn.recipes.build import build_network, build_splits
from fashioncnn.recipes.load import load
from fashioncnn.recipes.schema import Recipe
from fashioncnn.runs import checkpoints, readings
from fashioncnn.runs.directory import Run
from fashioncnn.training.state import load_network

CheckpointName = Literal["best", "last"]
SplitName = Literal["test", "validation"]


@dataclass(frozen=True)
class Trained:
    """A network with the weights of one checkpoint, in evaluation mode on the processor."""

    run: Run
    recipe: Recipe
    network: nn.Module
    checkpoint: CheckpointName
    checkpoint_epochs: int
    checkpoint_sha256: str

    def pictures(self, source: sources.Source, split: SplitName, purpose: str) -> LabelledImages:
        """Read the pictures of `split`; each reading of test is counted, with its `purpose`.

        Raises RunError when the recipe sets no validation pictures aside.
        """
        if split == "validation":
            if not self.recipe.data.validation_images:
                raise RunError(
                    f"{self.run.path} has no validation pictures: its recipe trains on all "
                    "(data.validation_images is 0)"
                )
            return build_splits(self.recipe, sources.load(source, "train")).validation
        readings.record(self.run, purpose, self.checkpoint_sha256)
        return sources.load(source, "test")


def open_trained(run: Run, checkpoint: CheckpointName) -> Trained:
    """Load the weights that predict. RunError when the run has no such checkpoint, or a bad one."""
    recipe = load(run.recipe_file)
    if not checkpoints.exists(run.checkpoints, checkpoint):
        raise RunError(
            f"{run.path} has no checkpoint {checkpoint!r} yet: its first epoch is not finished"
        )
    saved = checkpoints.load(run.checkpoints, checkpoint)
    averaged = any(name.startswith("average/") for name in saved.tensors)
    network = build_network(recipe, len(FASHION_MNIST_CLASSES))
    load_network(network, saved.tensors, "average/" if averaged else "model/")
    return Trained(run, recipe, network.eval(), checkpoint, saved.values["epoch"], saved.sha256)
