"""The page: one HTML file with networks, pictures, styles and scripts inside."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from string import Template

import numpy as np
from numpy.typing import NDArray

from fashioncnn.data.images import LabelledImages
from fashioncnn.evaluation.sureness import Sureness
from fashioncnn.explorer.program import Program
from fashioncnn.version import VERSION

# In the order in which they are read; those that work are given to the worker, too.
WORKING = ("tensors", "network", "insight", "transform", "worker")
SCRIPTS = (
    *WORKING,
    *("words", "dom", "colours", "numbers", "state", "input", "answer", "live", "overview"),
    *("channel", "whatif", "why", "beside", "about", "lessons", "share", "main"),
)
# A text for the worker, and nothing that runs in the page.
WORKER_START = "start_worker"


@dataclass(frozen=True)
class Network:
    """A network as the page has it.

    `probabilities_NC` are PyTorch's for the test pictures that come along, to compare with;
    `accuracy` is in words.
    """

    title: str
    program: Program
    temperature: float
    sureness: Sureness
    parameters: int
    accuracy: str
    trained_on: str
    probabilities_NC: NDArray[np.float32]


@dataclass(frozen=True)
class Pictures:
    """Pictures that come along: `rows` are their places in their split."""

    pictures: LabelledImages
    rows: NDArray[np.int64]
    kinds: tuple[str, ...] = ()


def page(
    title: str,
    networks: Sequence[Network],
    test: Pictures,
    training: Pictures,
    colours: Sequence[str],
    hardest: int,
    *,
    photographs: bool = False,
) -> str:
    """Return the page. The networks know the same classes and the same shape of pictures.

    `colours` is one a class, `hardest` the class that the first network does worst on. The reader's
    `photographs` are of garments, to be cut out; else they are resized.
    """
    shape = test.pictures.shape
    data = {
        "title": title,
        "version": VERSION,
        "working": WORKING,
        "classes": test.pictures.class_names,
        "colours": list(colours),
        "hardest": hardest,
        "photographs": photographs,
        "shape": shape._asdict(),
        "ground": _ground(training.pictures.images_NHWC),
        "networks": [_network(one) for one in networks],
        "test": _pictures(test),
        "training": _pictures(training),
    }
    style = _read("style.css")
    scripts = {name: _read(f"{name}.js") for name in SCRIPTS}
    tags = [f'<script id="script_{name}">{text}</script>' for name, text in scripts.items()]
    start = _read(f"{WORKER_START}.js")
    # The scripts look for it when they run, so it stands before them.
    tags.insert(0, f'<script type="text/plain" id="script_{WORKER_START}">{start}</script>')
    return Template(_read("page.html")).substitute(
        title=html.escape(title),
        policy=_policy(scripts.values(), style),
        style=style,
        # "</script>" and "<!--" within a text would end the data.
        data=json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c"),
        scripts="\n".join(tags),
    )


def _policy(scripts: Iterable[str], style: str) -> str:
    """Return the policy under which a page runs these alone."""
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src {' '.join(map(_hash, scripts))}",
            f"style-src {_hash(style)}",
            "img-src data: blob:",
            "worker-src blob:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def _network(network: Network) -> dict[str, object]:
    answers = np.ascontiguousarray(network.probabilities_NC, "<f4").tobytes()
    energy = network.sureness.energy
    return {
        "title": network.title,
        "temperature": network.temperature,
        "not_sure_below": network.sureness.probability,
        "not_sure_energy": energy if math.isfinite(energy) else None,
        "parameters": network.parameters,
        "accuracy": network.accuracy,
        "trained_on": network.trained_on,
        "answers": base64.b64encode(answers).decode(),
        "program": network.program.as_json(),
    }


def _pictures(given: Pictures) -> dict[str, object]:
    pixels = np.ascontiguousarray(given.pictures.images_NHWC)
    return {
        "pixels": base64.b64encode(pixels.tobytes()).decode(),
        "labels": [int(one) for one in given.pictures.labels],
        "rows": [int(one) for one in given.rows],
        "kinds": list(given.kinds),
    }


def _ground(images_NHWC: NDArray[np.uint8]) -> int:
    """Return what most pictures have in their corners: what an empty picture is made of."""
    return int(np.median(images_NHWC[:, [0, 0, -1, -1], [0, -1, 0, -1]]))


def _read(name: str) -> str:
    return files("fashioncnn.explorer").joinpath(f"page/{name}").read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
