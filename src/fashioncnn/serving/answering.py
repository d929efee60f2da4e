"""From jobs to replies: pictures are read, answered together, and told."""

from __future__ import annotations

import json
import struct
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fashioncnn.bundles.bundle import LOGITS, Bundle, run_session
from fashioncnn.data.images import Shape
from fashioncnn.errors import DataError, FashionCNNError
from fashioncnn.evaluation.answers import Prediction, tell_prepared
from fashioncnn.evaluation.predictions import Predictions
from fashioncnn.photos.files import read_picture_bytes
from fashioncnn.photos.pictures import Prepared, prepare, wanted_side
from fashioncnn.serving import tensors, uploads
from fashioncnn.serving.limits import Limits
from fashioncnn.serving.messages import Job, Reply, error

# Other files take long enough to read that nobody else should wait for them.
QUICK_FILE_BYTES, QUICK_TENSOR_BYTES = 4096, 64 << 10
# A job, and a file of it, by their places.
File = tuple[int, int]
PNG, IHDR = b"\x89PNG\r\n", b"IHDR"
# By the number of channels, as a PNG file's header has it.
COLOUR_TYPE = {1: 0, 3: 2}
# So small a file of one of these may have millions of pixels all the same.
OTHERS = (b"RIFF", b"GIF8", b"BM", b"\xff\xd8")
# Not TIFF: a small one can have millions of strips.
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP")


@dataclass(frozen=True)
class Ready:
    """A job whose pictures are read: by file, or as a tensor."""

    job: Job
    files: tuple[tuple[str, Prepared | str], ...] = ()
    tensor: tensors.Asked | None = None

    @property
    def images_NHWC(self) -> NDArray[np.uint8]:
        """All its pictures, (n, h, w, c); none where no file could be read."""
        if self.tensor:
            return self.tensor.images_NHWC
        read = [one.images_NHWC for _, one in self.files if isinstance(one, Prepared)]
        return np.concatenate(read)


def is_quick(job: Job, shape: Shape) -> bool:
    """Say whether reading a job's pictures, for a network of `shape`, takes next to no time.

    It does where they are small PNG files of the very size, grey or in colour as the network's are.
    """
    body = job.body
    if job.kind == "infer":
        return len(body) <= QUICK_TENSOR_BYTES
    header = struct.pack(">4sIIBB", IHDR, shape.width, shape.height, 8, COLOUR_TYPE[shape.channels])
    small_png = len(body) <= QUICK_FILE_BYTES and PNG in body
    fits = body.count(IHDR) == body.count(header) > 0
    return (
        small_png
        and fits
        and not any(body.startswith(other) or b"\n" + other in body for other in OTHERS)
    )


def read_pictures(job: Job, bundle: Bundle, limits: Limits) -> Ready | Reply:
    """Read a job's pictures, or say why it is refused."""
    try:
        if job.kind == "infer":
            most = limits.pictures
            asked = tensors.parse(job.body, job.head_bytes, bundle.facts, most)
            return Ready(job, tensor=asked)
        found = uploads.files(job.body, job.content_type, limits.files)
    except uploads.WrongType as wrong:
        return error(415, str(wrong))
    except tensors.WrongRequest as wrong:
        return error(400, str(wrong))
    read = tuple((name, _read(name, content, bundle, limits)) for name, content in found)
    faults = [one for _, one in read if isinstance(one, str)]
    if len(faults) == len(read):
        return error(422, faults[0])
    return Ready(replace(job, body=b""), read)


def _read(name: str, content: bytes, bundle: Bundle, limits: Limits) -> Prepared | str:
    shape = bundle.shape
    side = wanted_side(shape.height, shape.width, bundle.photographs)
    try:
        picture = read_picture_bytes(content, name, side, limits.pixels, FORMATS)
        return prepare(picture, shape, bundle.photographs)
    except DataError as wrong:
        return str(wrong)
    except ModuleNotFoundError:
        return f"{name}: photographs need OpenCV on the server: pip install 'fashioncnn[photos]'"
    except FashionCNNError as wrong:
        return str(wrong)


def reply_to(jobs: Sequence[Ready], bundle: Bundle) -> list[Reply]:
    """Answer jobs for one bundle together."""
    counts = [len(one.images_NHWC) for one in jobs]
    images = np.concatenate([one.images_NHWC for one in jobs])
    wanted = {LOGITS, *(name for one in jobs if one.tensor for name in one.tensor.outputs)}
    names = sorted(wanted)
    found = dict(zip(names, run_session(bundle.session, images, names), strict=True))
    told = _tell_files(jobs, counts, found[LOGITS], bundle)
    replies, start = [], 0
    for place, (one, count) in enumerate(zip(jobs, counts, strict=True)):
        part = slice(start, start + count)
        if one.tensor:
            outputs = [found[name][part] for name in one.tensor.outputs]
            answered = found[LOGITS][part].argmax(1)
            replies.append(_tensor_reply(one, outputs, answered, bundle, len(images)))
        else:
            replies.append(_files_reply(one, place, told, len(images)))
        start += count
    return replies


def _tell_files(
    jobs: Sequence[Ready], counts: Sequence[int], logits: NDArray[np.float32], bundle: Bundle
) -> dict[File, Prediction]:
    """Say what is on the files of all jobs: those that wish for the same at once."""
    starts = np.cumsum(counts) - counts
    alike: dict[tuple[int, float | None], list[int]] = {}
    for place, one in enumerate(jobs):
        if not one.tensor:
            alike.setdefault((one.job.top, one.job.not_sure_below), []).append(place)
    told: dict[File, Prediction] = {}
    for (top, not_sure_below), places in alike.items():
        prepared = {
            (place, at): file
            for place in places
            for at, (_, file) in enumerate(jobs[place].files)
            if isinstance(file, Prepared)
        }
        rows = np.concatenate([np.arange(counts[place]) + starts[place] for place in places])
        predictions = Predictions(logits[rows], rows, rows, bundle.class_names)
        told |= tell_prepared(bundle, prepared, predictions, top, not_sure_below)
    return told


def _tensor_reply(
    one: Ready,
    outputs: Sequence[NDArray[np.float32]],
    answered: NDArray[np.int64],
    bundle: Bundle,
    batch: int,
) -> Reply:
    assert one.tensor
    body, kind, headers = tensors.answer(one.tensor, one.job.model, outputs)
    answers = Counter(bundle.class_names[at] for at in answered)
    return Reply(200, body, kind, headers, answers, batch)


def _files_reply(one: Ready, place: int, told: Mapping[File, Prediction], batch: int) -> Reply:
    pictures, answers = [], Counter[str]()
    for at, (name, file) in enumerate(one.files):
        if isinstance(file, Prepared):
            prediction = told[place, at]
            answers[prediction.answer or "not sure"] += 1
        else:
            prediction = Prediction(name, fault=file)
        pictures.append(_picture(name, prediction))
    told_all = {"model": one.job.model, "pictures": pictures}
    body = json.dumps(told_all, ensure_ascii=False, allow_nan=False)
    return Reply(200, body.encode(), answers=answers, batch=batch)


def _picture(name: str, prediction: Prediction) -> dict[str, object]:
    return {
        "picture": name,
        "answer": prediction.answer,
        "probabilities": [
            {"class": of, "probability": value} for of, value in prediction.probabilities
        ],
        "energy": prediction.energy,
        "warnings": prediction.warnings,
        "fault": prediction.fault,
    }
