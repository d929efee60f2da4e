"""The journal of a study: nothing whole is lost, whatever is killed and wherever."""

from __future__ import annotations

import random
import signal
import sys
import time
from pathlib import Path

import optuna
import pytest
from optuna.storages import JournalStorage

from fashioncnn.errors import StorageError, StudyError
from fashioncnn.runs.json_lines import BLOCK
from fashioncnn.tuning.journal import Journal
from forks import Fork

RECORDS = [{"n": n, "words": "é" * n} for n in range(50)]


def read(path: Path) -> list[dict[str, object]]:
    return list(Journal(path).read_logs(0))


def test_records_come_back_in_order_and_once(tmp_path: Path) -> None:
    one, other = Journal(tmp_path / "a.journal"), Journal(tmp_path / "a.journal")
    one.append_logs(RECORDS[:10])
    assert list(other.read_logs(0)) == RECORDS[:10]
    other.append_logs(RECORDS[10:])
    assert list(one.read_logs(10)) == RECORDS[10:]
    assert list(one.read_logs(45)) == RECORDS[45:]
    assert list(one.read_logs(50)) == []


@pytest.mark.parametrize("length", [BLOCK - 2, BLOCK - 1, BLOCK, 2 * BLOCK - 1])
def test_a_torn_record_may_be_as_long_as_what_is_read_at_once(tmp_path: Path, length: int) -> None:
    path = tmp_path / "a.journal"
    Journal(path).append_logs(RECORDS[:3])
    with path.open("ab") as file:
        file.write(b"x" * length)
    Journal(path).append_logs(RECORDS[3:4])
    assert read(path) == RECORDS[:4]


@pytest.mark.parametrize("lost", range(1, 25))
def test_a_torn_record_is_left_out_and_cut_off(tmp_path: Path, lost: int) -> None:
    path = tmp_path / "a.journal"
    Journal(path).append_logs(RECORDS[:3])
    whole = path.read_bytes()
    path.write_bytes(whole[:-lost])
    kept = [RECORDS[n] for n in range(whole[:-lost].count(b"\n"))]
    assert read(path) == kept
    Journal(path).append_logs(RECORDS[5:6])
    assert read(path) == [*kept, RECORDS[5]]


def test_a_torn_record_longer_than_a_block(tmp_path: Path) -> None:
    path = tmp_path / "a.journal"
    Journal(path).append_logs([{"n": 1}])
    with path.open("ab") as file:
        file.write(b'{"words": "' + b"x" * 200_000)
    Journal(path).append_logs([{"n": 2}])
    assert read(path) == [{"n": 1}, {"n": 2}]


@pytest.mark.parametrize("line", [b"{half", b"[]", b"\xff\xfe"])
def test_damage_in_the_middle_is_told(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "a.journal"
    path.write_bytes(b'{"n": 1}\n' + line + b'\n{"n": 2}\n')
    with pytest.raises(StudyError, match="line 2 is damaged"):
        read(path)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot make"):
        Journal(tmp_path / "nowhere" / "a.journal")


def write_for_ever(path: Path) -> None:
    optuna.logging.disable_default_handler()
    study = optuna.load_study(study_name="s", storage=JournalStorage(Journal(path)))
    while True:
        trial = study.ask()
        study.tell(trial, trial.suggest_float("x", 0, 1))
        sys.stdout.write(f"{trial.number}\n")
        sys.stdout.flush()


def test_writers_are_killed_and_told_trials_stay(tmp_path: Path) -> None:
    """Three at a time, killed at random moments, a torn record added after each."""
    chance = random.Random(7)
    path = tmp_path / "s.journal"
    optuna.create_study(study_name="s", storage=JournalStorage(Journal(path)))
    told: list[int] = []
    for attempt in range(4):
        writers = [Fork(tmp_path / f"{attempt}-{n}", write_for_ever, path) for n in range(3)]
        while writers[0].stdout.count("\n") < 2:
            time.sleep(0.01)
        time.sleep(chance.uniform(0, 0.3))
        for writer in writers:
            writer.send(signal.SIGKILL)
            writer.wait()
            told += map(int, writer.stdout.split("\n")[:-1])
        with path.open("ab") as journal:
            journal.write(path.read_bytes()[: chance.randrange(1, 40)].rstrip(b"\n"))
    study = optuna.load_study(study_name="s", storage=JournalStorage(Journal(path)))
    finished = {
        trial.number
        for trial in study.get_trials(deepcopy=False)
        if trial.state == optuna.trial.TrialState.COMPLETE
    }
    assert len(told) == len(set(told)) > 10
    assert set(told) <= finished
    assert len(finished) <= len(told) + 12  # each killed writer may have told one it did not print
