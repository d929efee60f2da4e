"""From jobs to replies: pictures are read, answered together, and told."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fashioncnn.bundles.bundle import LOGITS, Bundle, run_session
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
PNG = b"\x89PNG\r\n"
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

    @property
    def is_empty(self) -> bool:
        """Whether no file could be read."""
        return not self.tensor and not any(isinstance(one, Prepared) for _, one in self.files)


def is_quick(job: Job) -> bool:
    """Say whether reading a job's pictures takes next to no time."""
    body = job.body
    if job.kind == "infer":
        return len(body) <= QUICK_TENSOR_BYTES
    small_png = len(body) <= QUICK_FILE_BYTES and PNG in body
    return small_png and not any(
        body.startswith(other) or b"\n" + other in body for other in OTHERS
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
    images = np.concatenate([one.images_NHWC for one in jobs])
    wanted = {LOGITS, *(name for one in jobs if one.tensor for name in one.tensor.outputs)}
    names = sorted(wanted)
    found = dict(zip(names, run_session(bundle.session, images, names), strict=True))
    replies, start = [], 0
    for one in jobs:
        end = start + len(one.images_NHWC)
        part = {name: values[start:end] for name, values in found.items()}
        tell = _tell_tensor if one.tensor else _tell_files
        replies.append(replace(tell(one, part, bundle), batch=len(images)))
        start = end
    return replies


def _tell_tensor(one: Ready, found: Mapping[str, NDArray[np.float32]], bundle: Bundle) -> Reply:
    assert one.tensor
    outputs = [found[name] for name in one.tensor.outputs]
    body, kind, headers = tensors.answer(one.tensor, one.job.model, outputs)
    answers = Counter(bundle.class_names[at] for at in found[LOGITS].argmax(1))
    return Reply(200, body, kind, headers, dict(answers))


def _tell_files(one: Ready, found: Mapping[str, NDArray[np.float32]], bundle: Bundle) -> Reply:
    # Two files may have the same name.
    keyed = {f"{at}": file for at, (_, file) in enumerate(one.files) if isinstance(file, Prepared)}
    rows = np.arange(len(found[LOGITS]))
    predictions = Predictions(found[LOGITS], rows, rows, bundle.class_names)
    told = tell_prepared(bundle, keyed, predictions, one.job.top, one.job.not_sure_below)
    pictures = [
        _picture(name, told.get(f"{at}") or Prediction(name, fault=str(file)))
        for at, (name, file) in enumerate(one.files)
    ]
    answers = Counter(prediction.answer or "not sure" for prediction in told.values())
    told_all = {"model": one.job.model, "pictures": pictures}
    body = json.dumps(told_all, ensure_ascii=False, allow_nan=False)
    return Reply(200, body.encode(), answers=dict(answers))


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
