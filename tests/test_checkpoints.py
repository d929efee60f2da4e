from __future__ import annotations

import json
import os
import random
from pathlib import Path

import pytest
import torch

from fashioncnn.errors import RunError, StorageError
from fashioncnn.runs import arrays, checkpoints, files, metrics

pytestmark = pytest.mark.fast

RECORD = {
    "train/loss": 0.5,
    "train/accuracy": 0.8,
    "train/learning_rate": 0.1,
    "train/images": 100,
    "train/seconds": 1.5,
    "train/images_per_second": 66.7,
}


def tensors(value: float = 1.0) -> dict[str, torch.Tensor]:
    return {"model/w": torch.full((16, 4), value), "sums/correct": torch.tensor(7)}


def values(epoch: int, step: int = 0) -> dict[str, int]:
    return {"epoch": epoch, "step": step}


def test_loads_what_was_saved(tmp_path: Path) -> None:
    checkpoints.save(tmp_path, tensors(), values(1), ["last", "best"])
    for name in ("last", "best"):
        loaded = checkpoints.load(tmp_path, name)
        assert loaded.values == values(1)
        assert loaded.tensors.keys() == tensors().keys()
        assert torch.equal(loaded.tensors["model/w"], tensors()["model/w"])
    assert len(list(tmp_path.glob("*.safetensors"))) == 1


def test_only_what_a_name_stands_for_is_kept(tmp_path: Path) -> None:
    checkpoints.save(tmp_path, tensors(1), values(1), ["last", "best"])
    checkpoints.save(tmp_path, tensors(2), values(2))
    checkpoints.save(tmp_path, tensors(3), values(3))
    (tmp_path / ".last.json.123.tmp").write_text("left by a kill")
    checkpoints.save(tmp_path, tensors(4), values(3, 20))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "best.json",
        "epoch-0001-step-000000.safetensors",
        "epoch-0003-step-000020.safetensors",
        "last.json",
    ]
    assert checkpoints.load(tmp_path, "best").tensors["model/w"][0, 0] == 1
    assert checkpoints.load(tmp_path, "last").tensors["model/w"][0, 0] == 4


def test_every_flipped_bit_and_every_cut_is_noticed(tmp_path: Path) -> None:
    checkpoints.save(tmp_path, tensors(), values(1))
    chance = random.Random(0)
    for path in (tmp_path / "last.json", next(tmp_path.glob("*.safetensors"))):
        whole = path.read_bytes()
        for attempt in range(500):
            damaged = bytearray(whole)
            if attempt % 5 == 0:
                del damaged[chance.randrange(len(damaged)) :]
            else:
                damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
            path.write_bytes(damaged)
            try:
                loaded = checkpoints.load(tmp_path, "last")
            except RunError:
                continue
            # White space in JSON carries nothing: then, all that counts is still there.
            assert path.suffix == ".json"
            assert loaded.values == values(1)
        path.write_bytes(whole)
    checkpoints.load(tmp_path, "last")


def test_a_damaged_last_falls_back_to_best_and_says_so(tmp_path: Path) -> None:
    checkpoints.save(tmp_path, tensors(1), values(1), ["last", "best"])
    checkpoints.save(tmp_path, tensors(2), values(2))
    path = tmp_path / "epoch-0002-step-000000.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    loaded, faults = checkpoints.load_newest(tmp_path)
    assert loaded.values["epoch"] == 1
    assert len(faults) == 1
    assert "damaged" in faults[0]
    (tmp_path / "best.json").unlink()
    with pytest.raises(RunError, match=r"damaged.*best\.json is missing"):
        checkpoints.load_newest(tmp_path)


def test_the_name_of_another_folder_is_not_followed(tmp_path: Path) -> None:
    checkpoints.save(tmp_path, tensors(), values(1))
    facts = files.read_json(tmp_path / "last.json")
    facts["tensors"] = "../../etc/passwd"
    facts.pop("sha256")
    facts["sha256"] = checkpoints.digest(facts)
    (tmp_path / "last.json").write_text(files.to_json(facts))
    with pytest.raises(RunError, match="damaged"):
        checkpoints.load(tmp_path, "last")


def test_a_refused_write_leaves_the_old_file_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    files.write_text(path, "old")

    def no_space(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(StorageError, match=r"cannot write .*file: No space left on device"):
        files.write_text(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_torn_log_line_is_left_out_and_a_damaged_one_refused(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    for epoch in (1, 2, 3):
        metrics.append(path, RECORD | {"epoch": epoch, "val/loss": 0.1 * epoch})
    with path.open("a") as file:
        file.write('{"epoch": 4, "val/l')
    assert [record["epoch"] for record in metrics.read(path)] == [1, 2, 3]
    assert len(metrics.trim(path, 2)) == 2
    assert path.read_text().count("\n") == 2
    with pytest.raises(RunError, match="has 2 epochs, the checkpoint has 5"):
        metrics.trim(path, 5)
    whole = json.dumps(RECORD | {"epoch": 1})
    path.write_text(f"{whole}\nnonsense\n{whole}\n")
    with pytest.raises(RunError, match="line 2"):
        metrics.read(path)


def test_arrays_are_never_unpickled(tmp_path: Path) -> None:
    import numpy as np

    path = tmp_path / "file.npz"
    np.savez(path, allow_pickle=True, evil=np.array([{"a": 1}], dtype=object))
    with pytest.raises(RunError, match="damaged"):
        arrays.read(path)


def test_best_is_written_before_last(tmp_path: Path) -> None:
    # A last that is newer than best would not be trained again, and best would be lost.
    (tmp_path / "best.json").mkdir()
    with pytest.raises(StorageError):
        checkpoints.save(tmp_path, tensors(), values(1), ["last", "best"])
    assert not (tmp_path / "last.json").exists()
