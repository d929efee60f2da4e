"""explore: from runs to one page in which their networks run, in the reader's browser."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from fashioncnn.console.say import say
from fashioncnn.data.images import LabelledImages
from fashioncnn.errors import BundleError, RunError
from fashioncnn.evaluation.intervals import Interval
from fashioncnn.evaluation.predictions import Predictions
from fashioncnn.evaluation.run_groups import intervals
from fashioncnn.explorer.choice import choose, prototypes
from fashioncnn.explorer.page import Network, Pictures, page
from fashioncnn.explorer.program import program
from fashioncnn.exporting.graph import to_onnx
from fashioncnn.opening.data import Data
from fashioncnn.opening.epochs import networks_by_epoch
from fashioncnn.opening.runs import AnyRun, open_runs
from fashioncnn.opening.trained import Trained
from fashioncnn.reporting.style import class_colours
from fashioncnn.runs.files import make_folder, write_text
from fashioncnn.usercode.faults import user_code
from fashioncnn.workflows.evaluate import open_evaluated, predictions_of

PAGE = "explorer.html"
PICTURES, MOST_PICTURES = 200, 2000
PROTOTYPES = 300
# Of the pictures of one split: 200 in colour with 100 pixels a side.
MAX_PIXEL_BYTES = 6 << 20
MOST_NETWORKS = 8


@user_code()
def explore(
    runs: AnyRun | Sequence[AnyRun],
    out: Path | str | None = None,
    *,
    epochs: Sequence[int] = (),
    pictures: int = PICTURES,
    data: Data = None,
) -> Path:
    """Write one page in which the networks of `runs` run, and return its path.

    It goes to `out`, else as explorer.html into the first run. Of the first run, `epochs` adds the
    networks of these epochs, as far as the run kept them; 0 is before training. `pictures` test
    pictures come along, chosen by the first run's answers, and 300 training pictures; fewer where
    pictures are large. All networks must know the same classes and the same shape of pictures.
    Raises RunError, BundleError where the page cannot compute a network; nothing is written then.
    """
    found = open_runs(runs)
    if not found:
        raise RunError("explore: no run was given")
    if not 1 <= pictures <= MOST_PICTURES:
        raise RunError(f"pictures is {pictures}; it must be 1 to {MOST_PICTURES}")
    if len(found) + len(epochs) > MOST_NETWORKS:
        raise RunError(
            f"{len(found) + len(epochs)} networks; a page takes {MOST_NETWORKS} at most: name runs"
        )
    opened = [open_evaluated(run, data, "cpu") for run in found]
    for other in opened[1:]:
        _check_alike(opened[0], other)
    say("making the page")
    text = explorer_page(opened, epochs=epochs, pictures=pictures)
    path = Path(out) if out is not None else opened[0].run.path / PAGE
    make_folder(path.parent)
    write_text(path, text)
    return path


def explorer_page(
    opened: Sequence[Trained],
    *,
    epochs: Sequence[int] = (),
    pictures: int = PICTURES,
    onnx_file: bytes | None = None,
    note: str = "",
) -> str:
    """Return the page of evaluated networks; see `explore`.

    `onnx_file` is the first one's, where it is written already; a `note` stands behind the title.
    """
    first = opened[0]
    test, predictions = first.pictures("test", "explore"), predictions_of(first)
    rows, kinds = choose(predictions, _at_most(pictures, test))
    shown = Pictures(test.take(rows), rows, kinds)
    train = first.data.train
    of_training = prototypes(train, _at_most(PROTOTYPES, train))
    titles = _titles(opened)
    files = [onnx_file, *[None] * (len(opened) - 1)]
    networks = [
        _network(one, one.network, title, shown, _accuracy(one), file)
        for one, title, file in zip(opened, titles, files, strict=True)
    ]
    networks += list(_earlier(first, epochs, shown))
    of = first.run.trained_on.name
    what = titles[0] if len(networks) == 1 else f"{len(networks)} networks"
    return page(
        f"{what} on {of}{note}",
        networks,
        shown,
        Pictures(train.take(of_training), of_training),
        list(class_colours(first.class_names).values()),
        _hardest(predictions),
        photographs=first.photographs,
    )


def _check_alike(first: Trained, other: Trained) -> None:
    if (other.class_names, other.shape) != (first.class_names, first.shape):
        raise RunError(
            f"{other.run.path} knows other pictures ({other.shape}, {len(other.class_names)} "
            f"classes) than {first.run.path} ({first.shape}, {len(first.class_names)})"
        )


def _at_most(count: int, pictures: LabelledImages) -> int:
    """Return how many pictures may come along, so that the page stays small."""
    return min(count, len(pictures), max(1, MAX_PIXEL_BYTES // int(pictures.images_NHWC[0].nbytes)))


def _titles(opened: Sequence[Trained]) -> list[str]:
    """Return what each run is called: its recipe, with its seed where that is needed."""
    names = [one.recipe.name for one in opened]
    return [
        name if names.count(name) == 1 else f"{name}, seed {one.run.seed} ({at})"
        for at, (name, one) in enumerate(zip(names, opened, strict=True), 1)
    ]


def _network(
    trained: Trained,
    network: nn.Module,
    title: str,
    shown: Pictures,
    accuracy: str,
    onnx_file: bytes | None = None,
) -> Network:
    try:
        file = onnx_file or to_onnx(network, trained.preparation, trained.shape).content
        made = program(file, trained.shape)
    except BundleError as error:
        raise BundleError(f"{trained.run.path}: {error}") from None
    with torch.no_grad():
        logits = network(trained.prepared(shown.pictures.images_NHWC)).float().numpy()
    return Network(
        title,
        made,
        trained.temperature,
        trained.sureness,
        sum(one.numel() for one in network.parameters()),
        accuracy,
        trained.run.trained_on.name,
        _probabilities(logits, trained.temperature),
    )


def _earlier(trained: Trained, epochs: Sequence[int], shown: Pictures) -> Iterator[Network]:
    """Yield the networks of the run after these epochs. Raises RunError where it kept none."""
    if not epochs:
        return
    kept = networks_by_epoch(trained)
    for epoch in dict.fromkeys(epochs):
        if epoch not in kept:
            raise RunError(
                f"{trained.run.path} has no weights of epoch {epoch}; it has those of "
                f"{', '.join(map(str, kept))}"
            )
        title = f"{trained.recipe.name}, epoch {epoch}"
        yield _network(trained, kept[epoch], title, shown, "not measured")


def _accuracy(trained: Trained) -> str:
    found: Interval = intervals([predictions_of(trained)])["test/accuracy"]
    return f"{100 * found.value:.2f} % [{100 * found.low:.2f}, {100 * found.high:.2f}]"


def _probabilities(logits: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    rows = np.zeros(len(logits), np.int64)
    scaled = Predictions(logits, rows, rows, ()).at_temperature(temperature)
    return np.exp(scaled.log_probabilities).astype(np.float32)


def _hardest(predictions: Predictions) -> int:
    """Return the class of which the fewest pictures are answered right."""
    right = predictions.predicted == predictions.labels
    classes = np.unique(predictions.labels)
    shares = [right[predictions.labels == one].mean() for one in classes]
    return int(classes[int(np.argmin(shares))])
