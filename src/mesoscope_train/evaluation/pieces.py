"""Scores kept piece by piece, so that an evaluation that was killed goes on where it stood.

Below the output folder lies ``.scoring/``: ``evaluation.json`` names the evaluation (a number drawn at its
beginning), its settings and whether it is finished; each piece is a Parquet file of the scores of some hundred rows
at all tiers and by all bundles, there whole or not at all. When all are there they become ``scores.parquet``, and
vanish when the evaluation is finished.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import pyarrow as pa
from pyarrow import parquet

from mesoscope.atomic import explained, make_directory, replacing
from mesoscope.errors import UsageError
from mesoscope_train.evaluation.scores import ScoresFacts, scores_file

FOLDER = ".scoring"
SCORES_FILE = "scores.parquet"
VERSION = 1
Settings = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a folder holds.

    Attributes:
        id: drawn when it began.
        begun: when, ISO 8601, UTC.
        command: that began it.
        settings: all that scores depend on.
        finished: whether its numbers were shown.
    """

    id: str
    begun: str
    command: str
    settings: Settings
    finished: bool = False


def evaluation_in(out: Path) -> Evaluation | None:
    """The evaluation a folder holds, begun or finished; None where there is none.

    Raises:
        UsageError: what says so cannot be read.
    """
    path = out / FOLDER / "evaluation.json"
    if not path.is_file():
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if found.pop("mesoscope_evaluation") != VERSION:
            raise UsageError(f"{path} was written by another version of mesoscope; choose another directory")
        return Evaluation(**found)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise UsageError(f"{path} cannot be read; choose another directory, or delete that one") from None


class Pieces:
    """The pieces of one folder, held by one process at a time; use it in a ``with`` block.

    Args:
        out: the folder; made where it is missing.
        settings: all that scores depend on.
        command: as typed.
        anew: begin from nothing, also where an evaluation with these settings is there.

    Raises:
        UsageError: the folder holds an evaluation with other settings, is used by another process, or cannot be
            written.
    """

    def __init__(self, out: Path, settings: Settings, command: str, *, anew: bool = False) -> None:
        self.out, self._folder = out, out / FOLDER
        found = evaluation_in(out)
        if found is not None and found.settings != settings:
            raise UsageError(
                f"{out} holds another evaluation ({_difference(found.settings, settings)}); scores are not mixed: "
                "give the same options to go on, or choose another directory"
            )
        make_directory(self._folder)
        self._lock = _locked(self._folder / "lock", out)
        if found is None or anew:
            for stale in self._folder.glob("*.parquet"):
                stale.unlink()
            begun = datetime.now(UTC).isoformat(timespec="seconds")
            found = Evaluation(secrets.token_hex(8), begun, command, settings)
            self._write(found)
        self.evaluation = found

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.close()

    @property
    def scored(self) -> bool:
        """Whether all scores are there."""
        return self.evaluation.finished and (self.out / SCORES_FILE).is_file()

    def has(self, name: str) -> bool:
        """Whether a piece is there, and whole: a power cut may leave an empty file of its name."""
        try:
            parquet.read_metadata(self._folder / f"{name}.parquet")
        except (OSError, pa.ArrowInvalid):
            return False
        return True

    def add(self, name: str, scores: pa.Table) -> None:
        """Keep a piece.

        Raises:
            UsageError: it cannot be written.
        """
        target = self._folder / f"{name}.parquet"
        with replacing(target) as partial, explained(target):
            parquet.write_table(scores, partial, compression="zstd")

    def assemble(self, names: Iterator[str], schema: pa.Schema, facts: ScoresFacts) -> Path:
        """Make ``scores.parquet`` of all pieces, one after the other.

        Raises:
            UsageError: it cannot be written.
        """
        path = self.out / SCORES_FILE
        with scores_file(path, schema, facts) as writer:
            for name in names:
                piece = parquet.ParquetFile(self._folder / f"{name}.parquet").read()
                writer.write_table(piece.cast(schema).replace_schema_metadata(writer.schema.metadata))
        return path

    def finish(self) -> None:
        """Note that the numbers were shown, and remove the pieces.

        Raises:
            UsageError: the folder cannot be written.
        """
        old = self.evaluation
        self._write(Evaluation(old.id, old.begun, old.command, old.settings, finished=True))
        for piece in self._folder.glob("*.parquet"):
            piece.unlink()

    def _write(self, evaluation: Evaluation) -> None:
        target = self._folder / "evaluation.json"
        facts = {"mesoscope_evaluation": VERSION, **{name: getattr(evaluation, name) for name in _FIELDS}}
        with replacing(target) as partial, explained(target):
            partial.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
        self.evaluation = evaluation


_FIELDS = ("id", "begun", "command", "settings", "finished")


def _difference(found: Settings, wanted: Settings) -> str:
    changed = [name for name in {**found, **wanted} if found.get(name) != wanted.get(name)]
    return ", ".join(f"other {name}" for name in changed)


def _locked(path: Path, out: Path) -> IO[bytes]:
    """Keep a second run out of the folder. The lock ends with the process, however it ends."""
    with explained(path):
        file = path.open("ab")
    try:
        import fcntl  # noqa: PLC0415 - Windows has none, and goes without
    except ImportError:
        return file
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise UsageError(
            f"another evaluation is writing into {out}; wait for it, or choose another directory"
        ) from None
    except OSError:  # a file system without locks
        pass
    return file
