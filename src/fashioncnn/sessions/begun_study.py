"""What a study was begun with: study.json in its folder, by which it can be gone on with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from fashioncnn.errors import StudyError
from fashioncnn.runs.files import read_json, to_json, write_text

STUDY = "study.json"


@dataclass(frozen=True)
class BegunStudy:
    """The settings of a study that must not change between two sittings.

    `recipe_digest` stands for what decides the weights; `code` maps each file of the user's own
    code to its digest; `train_sha256` is the digest of the training pictures.
    """

    space: str
    sampler: str
    seeds: int
    recipe_digest: str
    code: Mapping[str, str]
    train_sha256: str

    def write(self, folder: Path) -> None:
        """Write study.json into `folder`."""
        write_text(folder / STUDY, to_json(asdict(self)))

    def check(self, folder: Path, resume: bool) -> None:
        """Raise StudyError if `folder` holds a study that this one does not go on with."""
        if not (folder / STUDY).exists():
            return
        if not resume:
            raise StudyError(
                f"{folder} holds a study: --resume goes on with it, or choose another --out"
            )
        told = read_json(folder / STUDY)
        earlier = told if isinstance(told, dict) else {}
        if earlier.get("seeds") != self.seeds:
            raise StudyError(
                f"the study in {folder} was begun with {json.dumps(earlier.get('seeds'))} seeds, "
                f"not {self.seeds}: choose another --out, or the seeds that it was begun with"
            )
        if earlier.get("train_sha256", self.train_sha256) != self.train_sha256:
            raise StudyError(
                f"the study in {folder} was begun with other pictures: choose another --out, as "
                "settings tried on two data sets cannot be ranked"
            )
        if earlier.get("recipe_digest", self.recipe_digest) != self.recipe_digest:
            raise StudyError(
                f"the recipe changed since the study in {folder} was begun: put it back, or choose "
                "another --out, as settings of two recipes cannot be ranked"
            )
        if earlier.get("code", self.code) != self.code:
            raise StudyError(
                f"{', '.join(self.code)} changed since the study in {folder} was begun: put it "
                "back, or choose another --out, as settings of two versions cannot be ranked"
            )
