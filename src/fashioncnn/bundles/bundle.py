"""A bundle: a folder with an ONNX file that holds everything, and what is known of it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from fashioncnn.bundles.facts import Config, Facts
from fashioncnn.bundles.occlusion import occlusion
from fashioncnn.bundles.shipped import place_of, shipped
from fashioncnn.bundles.wire import NotWanted, check_model
from fashioncnn.data.dataset import DataSet
from fashioncnn.data.images import LabelledImages, Shape
from fashioncnn.data.sources.fashion_mnist import NAME as FASHION_MNIST
from fashioncnn.errors import BundleError, DataError, RunError, StorageError, reason
from fashioncnn.evaluation.answers import Answers, answers
from fashioncnn.evaluation.predictions import Predictions
from fashioncnn.evaluation.sureness import Sureness
from fashioncnn.runs.files import read_json

CONFIG, MODEL, WEIGHTS, CARD = "config.json", "model.onnx", "model.safetensors", "README.md"
RECIPE, EXPLORER = "recipe.toml", "explorer.html"
FILES = (MODEL, WEIGHTS, CARD, RECIPE, EXPLORER)
INPUT, LOGITS, PROBABILITIES, ENERGY, EMBEDDING = (
    *("images", "logits", "probabilities", "energy"),
    "embedding",
)
MAX_CONFIG_BYTES = 1 << 20
MAX_FILE_BYTES = 512 << 20
MAX_EXPLORER_BYTES = 64 << 20
BATCH = 250


@dataclass(frozen=True)
class Bundle:
    """What lies at `path`, checked; `model` is the content of its ONNX file.

    It is opened by ONNX Runtime when it is first asked, with `threads` threads, 0 being one a core.
    `explorer` is the page in which the network runs, with scripts of its maker's, where the bundle
    names one.
    """

    path: Path
    facts: Facts
    model: bytes
    threads: int = 0
    explorer: bytes | None = None

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes that the network knows."""
        return self.facts.class_names

    @property
    def shape(self) -> Shape:
        """Channels, height and width of the pictures that it takes."""
        return self.facts.shape

    @property
    def photographs(self) -> bool:
        """See evaluation.answers.Model."""
        return self.facts.photographs

    @property
    def temperature(self) -> float:
        """See evaluation.answers.Model."""
        return self.facts.temperature

    @property
    def sureness(self) -> Sureness:
        """See evaluation.answers.Model."""
        return self.facts.sureness

    @cached_property
    def session(self) -> Any:
        """The onnxruntime.InferenceSession. Raises BundleError when the file is none for it."""
        session = open_session(self.model, self.threads, str(self.path / MODEL))
        self._check_interface(session)
        return session

    def _check_interface(self, session: Any) -> None:
        facts, file = self.facts, self.path / MODEL
        given = {one.name: (one.type, one.shape) for one in session.get_inputs()}
        found = {one.name: (one.type, one.shape) for one in session.get_outputs()}
        classes = [len(facts.class_names)]
        wanted = {LOGITS: classes, PROBABILITIES: classes, ENERGY: [], EMBEDDING: [facts.features]}
        size = [facts.height, facts.width, facts.channels]
        if list(given) != [INPUT] or not _fits(given[INPUT], "tensor(uint8)", size):
            raise BundleError(f"{file}: takes {str(given)[:100]}, which config.json does not say")
        for name, shape in wanted.items():
            if not _fits(found.get(name), "tensor(float)", shape):
                raise BundleError(f"{file}: its output {name} is not as config.json says")
        for name in facts.maps:
            if name not in found or not _fits(found[name], "tensor(float)", found[name][1][1:]):
                raise BundleError(f"{file}: it has no feature maps {name!r}")

    def run(
        self, images_NHWC: NDArray[np.uint8], outputs: Sequence[str]
    ) -> list[NDArray[np.float32]]:
        """Return these outputs for pictures (n, h, w, c), 250 at a time."""
        return run_session(self.session, images_NHWC, outputs)

    def predictions(self, pictures: LabelledImages) -> Predictions:
        """Return the logits for pictures. Raises DataError when they have another shape."""
        if pictures.shape != self.shape:
            raise DataError(f"{self.path} takes pictures {self.shape}, not {pictures.shape}")
        (logits,) = self.run(pictures.images_NHWC, [LOGITS])
        rows = np.arange(len(pictures))
        return Predictions(logits, pictures.labels, rows, pictures.class_names)

    def predict(self, images: NDArray[np.uint8]) -> Answers:
        """Return what the network says of pictures, uint8 (n, h, w) or (n, h, w, channels).

        They are as those of the data set: of Fashion-MNIST light on dark. Raises DataError when
        they are something else.
        """
        return answers(self, images)

    def features(self, images_NHWC: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See evaluation.answers.Model."""
        return self.run(images_NHWC, [EMBEDDING])[0]

    def attribution(
        self, images_NHWC: NDArray[np.uint8], answers_N: NDArray[np.int64]
    ) -> NDArray[Any]:
        """See evaluation.answers.Model: by occlusion."""

        def log_probabilities(covered_NHWC: NDArray[np.uint8]) -> NDArray[np.float64]:
            (found,) = self.run(covered_NHWC, [PROBABILITIES])
            return np.log(np.maximum(found.astype(np.float64), 1e-12))

        return occlusion(log_probabilities, images_NHWC, answers_N)

    def training_pictures(self, at_most: int) -> LabelledImages:
        """See evaluation.answers.Model: those of Fashion-MNIST alone can be found again."""
        if self.facts.trained_on.name != FASHION_MNIST:
            raise DataError(f"{self.path} does not say where its training pictures lie")
        train = DataSet().train
        return train.take(np.arange(min(at_most, len(train))))


def open_session(model: bytes, threads: int = 0, name: str = MODEL) -> Any:
    """Return the onnxruntime.InferenceSession of an ONNX file's content.

    Raises BundleError, naming `name`, when ONNX Runtime refuses it.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4
    # Batches vary in size: an arena would keep the largest of each, and patterns one of every size.
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False
    # Else a file may be taken for one in ONNX Runtime's own form.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        # What ONNX Runtime raises has no type in common.
        words = " ".join(str(error).split())[:200]
        raise BundleError(f"{name}: ONNX Runtime refuses it: {words}") from None


def run_session(
    session: Any, images_NHWC: NDArray[np.uint8], outputs: Sequence[str], batch: int = BATCH
) -> list[NDArray[np.float32]]:
    """Return these outputs of a session for pictures (n, h, w, c), `batch` at a time.

    Raises BundleError where the network cannot be computed, or answers with what is no number.
    """
    pictures = np.ascontiguousarray(images_NHWC)
    try:
        parts = [
            session.run(outputs, {INPUT: pictures[start : start + batch]})
            for start in range(0, len(pictures), batch)
        ]
    except Exception as error:
        # ONNX Runtime's exceptions have no type in common.
        raise BundleError(f"{MODEL} cannot be computed: {reason(error)}") from None
    answers = [np.concatenate(of_output) for of_output in zip(*parts, strict=True)]
    if any(np.isnan(one).any() for one in answers):
        raise BundleError(f"{MODEL} answers with what is no number")
    return answers


def _fits(found: tuple[str, list[Any]] | None, kind: str, size: list[Any]) -> bool:
    """Say whether a tensor is of this kind and size, for any number of pictures."""
    if found is None or not found[1]:
        return False
    return found[0] == kind and not isinstance(found[1][0], int) and found[1][1:] == size


def is_bundle(path: Path) -> bool:
    """Say whether `path` is a bundle, or the name of one that comes with the package."""
    try:
        path = place_of(path)
        return (path / CONFIG).is_file() and (path / MODEL).is_file()
    except OSError:
        # Too long a name, or a folder that may not be looked into.
        return False


def open_bundle(path: Path | str, threads: int = 0) -> Bundle:
    """Open and check a bundle: sizes, names, digests, and what its ONNX file holds.

    `path` may be the name of one that comes with the package, see `shipped`. Raises BundleError,
    naming what is wrong.
    """
    path = place_of(path)
    if not is_bundle(path):
        if path.exists():
            raise BundleError(f"{path}: not a bundle (it has no config.json and model.onnx)")
        names = ", ".join(shipped()) or "none"
        raise BundleError(f"{path}: no such bundle (these come along: {names})")
    config = _config(path)
    for name in config.files:
        _check_file(path, name, config)
    model = _content(path, MODEL, config)
    try:
        check_model(model)
    except NotWanted as error:
        raise BundleError(f"{path / MODEL} is refused: {error}") from None
    page = _content(path, EXPLORER, config) if EXPLORER in config.files else None
    return Bundle(path, config.facts, model, threads, page)


def _config(path: Path) -> Config:
    file = path / CONFIG
    if file.is_symlink():
        raise BundleError(f"{file}: a link, and no plain file")
    try:
        config = Config.model_validate(read_json(file, MAX_CONFIG_BYTES))
    except RunError as error:
        raise BundleError(str(error)) from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = f"{'.'.join(map(repr, first['loc']))[:60]}: {' '.join(first['msg'].split())[:80]}"
        raise BundleError(f"{file}: not what a bundle says of itself ({where})") from None
    if unknown := sorted(set(config.files) - set(FILES)):
        raise BundleError(f"{file}: names {unknown[0]!r}; a bundle has {', '.join(FILES)}")
    if MODEL not in config.files:
        raise BundleError(f"{file}: has no digest of {MODEL}")
    return config


def _content(path: Path, name: str, config: Config) -> bytes:
    """Return a checked file's content, if it is still what was checked."""
    content = (path / name).read_bytes()
    if hashlib.sha256(content).hexdigest() != config.files[name].sha256:
        raise BundleError(f"{path / name} is refused: it changes while it is read")
    return content


def _check_file(path: Path, name: str, config: Config) -> None:
    file, said = path / name, config.files[name]
    allowed = MAX_EXPLORER_BYTES if name == EXPLORER else MAX_FILE_BYTES
    try:
        if file.is_symlink() or not file.is_file():
            raise BundleError(f"{file}: missing, or no plain file")
        size = file.stat().st_size
        if size != said.bytes or size > allowed:
            raise BundleError(
                f"{file}: {size:,} bytes; {said.bytes:,} are said, and {allowed:,} allowed"
            )
        with file.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        raise StorageError.from_os_error("read", file, error) from None
    if digest != said.sha256:
        raise BundleError(f"{file}: damaged, or changed since it was made (SHA-256)")
