"""Where trials are kept: an SQLite file by default, or any storage of Optuna that several workers share.

A trial that was running when its worker was killed stays ``running`` in the storage. A worker of this machine that is
gone is seen at once, by its process number; one of another machine when its heartbeat has stopped (`GRACE` seconds).
The trial is then marked as failed and its settings are tried once more.
"""

from __future__ import annotations

import os
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import optuna
from optuna.exceptions import ExperimentalWarning, StorageInternalError
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend, JournalRedisBackend
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from mesoscope.atomic import explained
from mesoscope.errors import MesoscopeError, UsageError

JOURNAL, REDIS = "journal:", "redis:"
BEAT, GRACE = 20, 120
"""Seconds between signs of life, and without one after which a trial is lost."""
PATIENCE = 30
"""Seconds that a locked SQLite file is waited for."""
WORKER, ERROR, RETRY_OF = "worker", "error", "retry_of"
"""What is noted at a trial: whose it is; what stopped it; whose settings it tries again."""


class StorageError(MesoscopeError):
    """The storage is locked, gone or damaged; what was finished is kept in it."""


def default_url(out: Path) -> str:
    """The SQLite file of a search's directory."""
    return f"sqlite:///{out.resolve() / 'study.db'}"


def open_storage(url: str) -> BaseStorage:
    """Open a storage.

    Args:
        url: of a database as SQLAlchemy writes it, ``journal:FILE`` or ``redis://…``.

    Raises:
        UsageError: it is no such address, or the database's driver is not installed.
        StorageError: it cannot be reached.
    """
    with told(url), warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)  # of heartbeats: nothing a user could do about it
        if url.startswith(JOURNAL):
            with explained(Path(url.removeprefix(JOURNAL))):
                return JournalStorage(JournalFileBackend(url.removeprefix(JOURNAL)))
        if url.startswith(REDIS):
            return JournalStorage(JournalRedisBackend(url))
        waits = {"connect_args": {"timeout": PATIENCE}} if url.startswith("sqlite") else {}
        return RDBStorage(url, engine_kwargs=waits, heartbeat_interval=BEAT, grace_period=GRACE)


@contextmanager
def told(url: str) -> Iterator[None]:
    """Turn what a storage raises into sentences, without the password that stands in its address.

    Raises:
        UsageError: no address, or no driver for it.
        StorageError: locked, gone, damaged.
    """
    try:
        yield
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise UsageError(
            f"--storage {shown(url)}: no storage that can be opened here ({_first_line(error)}); write an address "
            "such as sqlite:///study.db, postgresql://user@host/db or journal:FILE"
        ) from None
    except (StorageInternalError, SQLAlchemyError) as error:
        raise StorageError(
            f"the storage {shown(url)} cannot be used ({_first_line(error.__cause__ or error)}): is it locked by "
            "another program, moved or full? Finished trials are kept in it; the same command goes on with them"
        ) from error


def shown(url: str) -> str:
    """An address without its password."""
    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return url


def this_worker() -> str:
    """A name of this process that another one can look for."""
    return f"{socket.gethostname()}:{os.getpid()}"


def take_up_lost(study: optuna.Study) -> list[int]:
    """Mark trials whose worker is gone as failed, and queue the settings of all that were lost once more.

    Returns:
        the numbers of the trials that are tried again.
    """
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        if _is_gone(trial.user_attrs.get(WORKER, "")):
            study.tell(trial.number, state=TrialState.FAIL)
    trials = study.get_trials(deepcopy=False)
    retried = {trial.user_attrs.get(RETRY_OF) for trial in trials}
    again = [trial for trial in trials if _was_lost(trial) and trial.number not in retried]
    for trial in again:
        notes = {name: value for name, value in trial.user_attrs.items() if name == "defaults"}
        study.enqueue_trial(trial.params, user_attrs={**notes, RETRY_OF: trial.number})
    return [trial.number for trial in again]


def _was_lost(trial: FrozenTrial) -> bool:
    """Failed without a reason, and no second try itself."""
    return trial.state is TrialState.FAIL and ERROR not in trial.user_attrs and RETRY_OF not in trial.user_attrs


def _is_gone(worker: str) -> bool:
    host, _, process = worker.rpartition(":")
    if host != socket.gethostname() or not process.isdecimal() or int(process) == os.getpid():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # it lives, as somebody else's
        return False
    return False


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
