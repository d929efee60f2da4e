"""Where the trials of a study are kept: a journal in its folder, or a database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from optuna.storages import BaseStorage, JournalStorage

from fashioncnn.errors import StudyError, reason
from fashioncnn.tuning.journal import Journal

JOURNAL = "study.journal"


@contextmanager
def open_storage(folder: Path, address: str | None) -> Iterator[BaseStorage]:
    """Open the database at `address`, as SQLAlchemy writes it, else the journal in `folder`.

    Raises StudyError when the database cannot be reached, now or later.
    """
    if address is None:
        yield JournalStorage(Journal(folder / JOURNAL))
        return
    # Half a second to import, and few ask for it.
    from optuna.exceptions import StorageInternalError
    from optuna.storages import RDBStorage
    from sqlalchemy.exc import SQLAlchemyError

    storage = None
    try:
        try:
            storage = RDBStorage(address, engine_kwargs={"pool_pre_ping": True})
        except ImportError:
            raise StudyError(
                f"cannot use {address}: its driver is not installed; pip install 'psycopg[binary]' "
                "for postgresql+psycopg://, pymysql for mysql+pymysql://"
            ) from None
        yield storage
    except (SQLAlchemyError, StorageInternalError) as error:
        raise StudyError(f"cannot use {address}: {reason(error)}") from None
    finally:
        if storage:
            storage.remove_session()
            storage.engine.dispose()
