"""Trains in double precision, alone or as one of torchrun's processes; writes what came of it."""

from __future__ import annotations

import os
import tomllib
from dataclasses import asdict
from pathlib import Path

import safetensors.torch
import torch
from lightning_fabric import Fabric

from conftest import make_pictures
from fashioncnn.recipes.build import build_splits, build_state, build_training
from fashioncnn.recipes.load import validate
from fashioncnn.training.processes import together

# What depends on the batch as a whole: norms, dropout, class weights, the hardest pictures' losses,
# averages; and members, small pictures, frozen stages. 590 pictures: last batches are smaller, and
# odd where half are kept.
STRIDED = """
name = "worker"
[data]
validation_images = 10
[augmentation]
shift_pixels = 1
erasing_probability = 0.5
[model]
family = "strided-cnn"
channels = [4, 8]
blocks = [1, 1]
members = 2
[optimizer]
name = "sgd"
learning_rate = 0.02
[selection]
full_epochs = 1
kept_share = 0.5
[averaging]
ema_decay = 0.9
[progressive_resizing]
image_scales = [0.5]
epoch_shares = [0.34]
[freezing]
after_share = 0.67
[training]
epochs = 3
batch_size = 46
precision = "fp32"
"""
PLAIN = """
name = "worker"
[data]
validation_images = 10
[model]
channels = [4, 8]
hidden_features = [16]
hidden_batch_norm = true
dropout = 0.3
[optimizer]
name = "sgd"
learning_rate = 0.02
[loss]
label_smoothing = 0.1
class_weights = { Shirt = 2.0 }
[training]
epochs = 2
batch_size = 46
precision = "fp32"
"""


RECIPES = {"strided": STRIDED, "plain": PLAIN}


def train(name: str, file: Path) -> None:
    """Train by the recipe `name` on synthetic pictures; the first process writes `file`."""
    recipe = validate(tomllib.loads(RECIPES[name]), name)
    count = int(os.environ.get("WORLD_SIZE", 1))
    fabric = Fabric(
        accelerator="cpu",
        devices=count,
        strategy="ddp" if count > 1 else "auto",
        precision="64-true",
    )
    fabric.launch()
    splits = build_splits(recipe, make_pictures())
    with together(fabric) as processes:
        state = build_state(recipe, 10, 0, fabric.device, image_count=len(splits.train))
        # Validation takes the bare network, which Fabric does not hand doubles.
        for network in {state.network, state.predictor}:
            network.double().register_forward_pre_hook(lambda _, given: given[0].double())
        training = build_training(recipe, splits, 0, processes)
        records = [asdict(record) for record in training.run(state)]
        found = {key: value.contiguous() for key, value in state.tensors().items()}
        for key in ("train_loss", "train_accuracy", "val_loss", "val_accuracy"):
            values = [record[key] for record in records]
            found[f"record/{key}"] = torch.tensor(values, dtype=torch.float64)
        if processes.first:
            safetensors.torch.save_file(found, file)
