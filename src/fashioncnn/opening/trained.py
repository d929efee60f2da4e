"""A trained network as a verb opens it: recipe, weights, data, device, and what is kept of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fashioncnn.console.say import say, timed
from fashioncnn.data.dataset import DataSet
from fashioncnn.data.images import LabelledImages, Shape
from fashioncnn.data.preparation import Preparation, as_uint8_NCHW
from fashioncnn.data.sources.fashion_mnist import NAME as FASHION_MNIST
from fashioncnn.data.sources.fashion_mnist import FashionMNIST
from fashioncnn.errors import RunError
from fashioncnn.evaluation.answers import Answers, answers
from fashioncnn.evaluation.confidence import Confidence
from fashioncnn.evaluation.predict import predict, predicted_classes
from fashioncnn.evaluation.predictions import Predictions
from fashioncnn.evaluation.sureness import ALWAYS, UNFITTED, Sureness
from fashioncnn.models.parts import keep_inputs
from fashioncnn.opening.data import Data, data_of
from fashioncnn.opening.runs import AnyRun, as_run
from fashioncnn.recipes.build import build_network, build_preparation, build_splits
from fashioncnn.recipes.load import load as load_recipe
from fashioncnn.recipes.schema import Recipe
from fashioncnn.runs import checkpoints, readings
from fashioncnn.runs.artifact import JsonArtifact, Kept
from fashioncnn.runs.artifacts import CONFIDENCE, SplitName
from fashioncnn.runs.directory import Run
from fashioncnn.training.device import DeviceName, choose_device, has_bf16
from fashioncnn.training.state import load_network
from fashioncnn.usercode.modules import may_run
from fashioncnn.usercode.part import OwnPart
from fashioncnn.usercode.source import changed

CheckpointName = Literal["best", "last"]
# Its thresholds were of other probabilities; temperature and sureness were as they are now.
EARLIER_CONFIDENCE = JsonArtifact(CONFIDENCE.path, Confidence, form=1)


@dataclass(frozen=True)
class Trained:
    """The weights of one checkpoint of a run, `weights` being their SHA-256.

    The network, in evaluation mode on the processor, and the pictures are read when they are first
    asked for, and once. `kept` has the run's files that are of these weights.
    """

    run: Run
    recipe: Recipe
    checkpoint: CheckpointName
    epochs: int
    weights: str
    data: DataSet
    device: torch.device
    kept: Kept

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes that the network knows."""
        return self.run.trained_on.class_names

    @property
    def shape(self) -> Shape:
        """Channels, height and width of the pictures that the network knows."""
        return self.run.trained_on.shape

    @property
    def may_run(self) -> bool:
        """Whether the network may be built here: its code is ours, or trusted."""
        model = self.recipe.model
        return not isinstance(model, OwnPart) or may_run(self.recipe.code, [model.address])

    @cached_property
    def network(self) -> nn.Module:
        """The network that predicts. Raises RunError when the checkpoint is damaged."""
        with timed(f"reading the weights of epoch {self.epochs} in {self.run.checkpoints}"):
            saved = checkpoints.load(self.run.checkpoints, self.checkpoint)
        averaged = any(name.startswith("average/") for name in saved.tensors)
        network = build_network(self.recipe, len(self.class_names), self.shape.channels)
        load_network(network, saved.tensors, "average/" if averaged else "model/")
        return network.eval()

    @cached_property
    def preparation(self) -> Preparation:
        """How the network wants its pictures."""
        return build_preparation(self.recipe)

    def pictures(self, split: SplitName, purpose: str) -> LabelledImages:
        """Return the pictures of `split`; each use of test is counted, with its `purpose`.

        Raises RunError when the recipe sets no validation pictures aside, or when the data are not
        those that the network was trained on.
        """
        if split not in get_args(SplitName):
            raise RunError(f"split is {split!r}; it must be {' or '.join(get_args(SplitName))}")
        if split == "validation":
            if not self.recipe.data.validation_images:
                raise RunError(
                    f"{self.run.path} has no validation pictures: its recipe trains on all "
                    "(data.validation_images is 0)"
                )
            self.check_data()
            train = self.data.train
            return build_splits(self.recipe, train, self.data.validation).validation
        self.check_data()
        with timed(f"reading the test pictures of {self.data.source.place}"):
            test = self._known(self.data.test)
        readings.record(self.run, purpose, self.weights)
        return test

    def check_data(self) -> None:
        """Raise RunError unless the training pictures are those that the run was trained on.

        Others may have the run's own among their test pictures.
        """
        known, source = self.run.trained_on, self.data.source
        if known.kind == source.kind == FashionMNIST.kind:
            # Its files are proved.
            return
        train = self._known(self.data.train)
        if known.sha256 not in (None, train.digest):
            raise RunError(
                f"{self.run.path} was trained on other pictures than those of {source.place}, or "
                "on the same in another order"
            )

    def _known(self, pictures: LabelledImages) -> LabelledImages:
        if (pictures.class_names, pictures.shape) != (self.class_names, self.shape):
            raise RunError(
                f"{self.run.path} knows pictures of {self.run.trained_on.name} ({self.shape}, "
                f"{len(self.class_names)} classes), not those of {self.data.source.place} "
                f"({pictures.shape}, {pictures.classes} classes): name others with --data"
            )
        return pictures

    def prepared(self, images_NHWC: NDArray[np.uint8]) -> Tensor:
        """Return pictures (n, h, w, c) as the network takes them, on the processor."""
        return self.preparation(as_uint8_NCHW(images_NHWC, torch.device("cpu")))

    def predictions(self, pictures: LabelledImages) -> Predictions:
        """Return the network's logits for `pictures`, in fp32."""
        return predict(self.network, pictures, self.preparation, self.device)

    def predicted_classes(self, pictures: LabelledImages) -> NDArray[np.int64]:
        """Return the classes (n,) of pictures, by bf16 where recipe and device allow for it.

        All but a few of 100,000 are those of `predictions`; see `evaluation.predict`.
        """
        bf16 = self.recipe.training.precision != "fp32" and has_bf16(self.device.type)
        return predicted_classes(self.network, pictures, self.preparation, self.device, bf16=bf16)

    def predict(self, images: NDArray[np.uint8]) -> Answers:
        """Return what the network says of pictures, uint8 (n, h, w) or (n, h, w, channels).

        They are as those of the data set: of Fashion-MNIST light on dark. Probabilities are at
        `temperature`, which is 1 until the run is evaluated, and then what validation fitted.
        Raises DataError when they are something else.
        """
        return answers(self, images)

    @property
    def photographs(self) -> bool:
        """See evaluation.answers.Model: converted to what networks of Fashion-MNIST know."""
        return self.run.trained_on.name == FASHION_MNIST

    @cached_property
    def temperature(self) -> float:
        """See evaluation.answers.Model: fitted on validation when the run was evaluated, or 1."""
        kept = self._confidence
        return kept.with_temperature.temperature if kept and kept.with_temperature else 1.0

    @property
    def sureness(self) -> Sureness:
        """See evaluation.answers.Model: fitted as the temperature was."""
        if not self.photographs:
            return ALWAYS
        kept = self._confidence
        return (kept and kept.of_photographs) or UNFITTED

    @property
    def _confidence(self) -> Confidence | None:
        return self.kept.get(CONFIDENCE) or self.kept.get(EARLIER_CONFIDENCE)

    def features(self, images_NHWC: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See evaluation.answers.Model."""
        from fashioncnn.explanation.embedding import features

        return features(self.network, self.prepared(images_NHWC))

    def attribution(
        self, images_NHWC: NDArray[np.uint8], answers_N: NDArray[np.int64]
    ) -> NDArray[Any]:
        """See evaluation.answers.Model: by integrated gradients, from black."""
        # Here, as it takes half a second to import.
        from fashioncnn.explanation.attribution import integrated_gradients

        keep_inputs(self.network)
        black = self.preparation.of_grey(0.0)
        images = self.prepared(images_NHWC)
        return integrated_gradients(self.network, images, torch.as_tensor(answers_N), black)

    def training_pictures(self, at_most: int) -> LabelledImages:
        """See evaluation.answers.Model."""
        return self.data.train.take(np.arange(min(at_most, len(self.data.train))))


def open_trained(
    run: AnyRun, checkpoint: CheckpointName, data: Data = None, device: DeviceName = "auto"
) -> Trained:
    """Open a checkpoint of a run. RunError when there is none, or a damaged one."""
    run = as_run(run)
    recipe = load_recipe(run.recipe_file)
    if checkpoint not in get_args(CheckpointName):
        raise RunError(f"checkpoint is {checkpoint!r}; it must be best or last")
    if not checkpoints.exists(run.checkpoints, checkpoint):
        raise RunError(
            f"{run.path} has no checkpoint {checkpoint!r} yet: its first epoch is not finished"
        )
    _tell_of_changes(run, recipe)
    told = checkpoints.describe(run.checkpoints, checkpoint)
    return Trained(
        run,
        recipe,
        checkpoint,
        told.epoch,
        told.tensors_sha256,
        data_of(run, data),
        choose_device(device),
        Kept(run, told.tensors_sha256, say),
    )


def _tell_of_changes(run: Run, recipe: Recipe) -> None:
    """Say that a file of the user's own is no longer what the run was trained with."""
    folder = run.provenance.get("code_folder")
    if not folder or not may_run(recipe.code, recipe.addresses):
        return
    if names := changed(Path(folder), recipe.code):
        say(
            f"{', '.join(names)} in {folder} changed or went since {run.path} was trained: "
            f"the copy in {run.code} is used"
        )
