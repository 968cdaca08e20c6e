"""``scores.parquet``: what every bundle said of every picture at every tier, one row each; nothing is dropped.

All numbers and figures of an evaluation are made from this file alone. Its columns: those of `LEAD`, then every
column of the manifests by its own name (empty where one has none), then those of `SCORES`. A manifest's column that
has the name of one of ours becomes ``manifest_NAME``. What is no column (`ScoresFacts`) stands as JSON in Parquet's
key-value metadata under ``mesoscope_scores``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mesoscope.atomic import explained, replacing
from mesoscope.errors import UsageError
from mesoscope.manifest.schema import ordered
from mesoscope_train.evaluation.metrics_schema import Caution, TierFacts

SCHEMA_VERSION = 1
KEY = b"mesoscope_scores"
RENAMED = "manifest_"

LEAD = pa.schema(
    [
        ("bundle", pa.string()),  # name-version
        ("bundle_sha256", pa.string()),
        ("manifest", pa.string()),  # its file's stem, made unique
        ("manifest_sha256", pa.string()),  # Manifest.digest()
        ("tier", pa.string()),  # clean, web, hard, messenger, jpeg-60 ...
    ]
)
SCORES = pa.schema(
    [
        ("width", pa.int32()),  # pixels of the upright picture as it lies on disk; null where it cannot be read
        ("height", pa.int32()),
        ("brightness", pa.float64()),  # its mean luma, 0 to 255
        ("outcome", pa.string()),  # fake, real, inconclusive, not_applicable, error
        ("probability", pa.float64()),  # null for the last two
        ("logit", pa.float64()),
        ("reason", pa.string()),  # of the last two
        ("threshold", pa.float64()),  # of the bundle's verdict at the evaluation's budget
        ("lower", pa.float64()),
        ("calibrated", pa.bool_()),
    ]
)
OUTCOMES = ("fake", "real", "inconclusive", "not_applicable", "error")
_OURS = frozenset([*LEAD.names, *SCORES.names])


class ScoresFacts(BaseModel):
    """What holds for all rows of a ``scores.parquet``.

    Attributes:
        schema_version: of this format.
        mesoscope: version of the program that scored; `command` as typed; `date` ISO 8601, UTC.
        max_fpr: the false-positive budget the thresholds stand for, null where it was the bundles' default.
        tiers: in the order they were asked for, ``clean`` first.
        parts: manifest to the part of it that was judged: ``test``, ``validation``, ``train``, ``all rows``.
        faces: manifest to how faces were found: ``none`` (the pictures are what is judged), ``dlib``, ``yunet``.
        again: manifests whose test part had been evaluated before with one of these bundles.
        cautions: what the gate and the register had to say; part of metrics.json's warnings.
        histories: manifest to the commands that made it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    schema_version: Literal[1] = 1
    mesoscope: str
    command: str
    date: str
    max_fpr: Annotated[float, Field(gt=0, lt=1)] | None = None
    tiers: list[TierFacts]
    parts: dict[str, str] = Field(default_factory=dict)
    faces: dict[str, str] = Field(default_factory=dict)
    again: list[str] = Field(default_factory=list)
    cautions: list[Caution] = Field(default_factory=list)
    histories: dict[str, list[str]] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scores:
    """The content of a ``scores.parquet``.

    Attributes:
        table: columns as the module says.
        facts: what holds for all rows.
    """

    table: pa.Table
    facts: ScoresFacts

    def digest(self) -> str:
        """Sha256 (64 hex digits) of the rows, wherever and however they are stored."""
        sha = hashlib.sha256()
        sink = pa.PythonFile(_Hashing(sha), "w")
        plain = self.table.replace_schema_metadata(None).combine_chunks()
        with pa.ipc.new_stream(sink, plain.schema) as writer:
            writer.write_table(plain, max_chunksize=65_536)
        return sha.hexdigest()


class _Hashing:
    """A file that keeps only the hash of what is written to it."""

    closed = False

    def __init__(self, sha: hashlib._Hash) -> None:
        self._sha = sha

    def write(self, data: bytes) -> int:
        self._sha.update(data)
        return len(data)

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Nothing is open."""


def score_schema(manifests: Iterable[pa.Schema]) -> pa.Schema:
    """The schema of the scores of several manifests.

    A column that is of one kind in one manifest and of another in a second becomes text, whole numbers beside
    fractions become fractions.
    """
    kinds: dict[str, pa.DataType] = {}
    for schema in manifests:
        for field in schema:
            name = own_name(field.name)
            kinds[name] = _common(kinds.get(name, field.type), field.type)
    middle = [pa.field(name, kinds[name]) for name in ordered(kinds)]
    return pa.schema([*LEAD, *middle, *SCORES])


def own_name(column: str) -> str:
    """What a manifest's column is called among the scores."""
    return RENAMED + column if column in _OURS else column


def _common(first: pa.DataType, second: pa.DataType) -> pa.DataType:
    if first == second:
        return first
    numbers = all(pa.types.is_integer(each) or pa.types.is_floating(each) for each in (first, second))
    return pa.float64() if numbers else pa.string()


def score_rows(
    schema: pa.Schema, manifest: pa.Table, lead: Mapping[str, str], columns: Mapping[str, Sequence[object]]
) -> pa.Table:
    """Rows of one bundle, manifest and tier in the schema of the scores.

    Args:
        schema: of `score_schema`.
        manifest: N rows of a manifest.
        lead: the values of `LEAD`, the same for all rows.
        columns: the columns of `SCORES`, N values each.
    """
    count = manifest.num_rows
    known: dict[str, pa.Array | pa.ChunkedArray] = {
        own_name(name): manifest.column(name) for name in manifest.column_names
    }
    known |= {name: pa.array([value] * count, pa.string()) for name, value in lead.items()}
    known |= {name: pa.array(values, SCORES.field(name).type) for name, values in columns.items()}
    arrays = [
        known[field.name].cast(field.type) if field.name in known else pa.nulls(count, field.type) for field in schema
    ]
    return pa.table(arrays, schema=schema)


@contextmanager
def scores_file(path: Path, schema: pa.Schema, facts: ScoresFacts) -> Iterator[parquet.ParquetWriter]:
    """A new ``scores.parquet`` to write tables into; there whole or not at all.

    Raises:
        UsageError: the file cannot be written.
    """
    described = schema.with_metadata({KEY: facts.model_dump_json().encode()})
    with (
        replacing(path) as partial,
        explained(path),
        parquet.ParquetWriter(partial, described, compression="zstd") as writer,
    ):
        yield writer


def write_scores(scores: Scores, path: Path) -> None:
    """Write scores that are in memory.

    Raises:
        UsageError: the file cannot be written.
    """
    with scores_file(path, scores.table.schema, scores.facts) as writer:
        writer.write_table(scores.table.replace_schema_metadata(writer.schema.metadata))


def read_scores(path: Path) -> Scores:
    """Read a ``scores.parquet`` and check that it keeps what this module promises.

    Raises:
        UsageError: there is none, it is damaged, of another version, lacks a column, or holds a number for a failure.
    """
    if not path.is_file():
        raise UsageError(f"there is no file {path}; 'mesoscope evaluate' writes scores.parquet into its folder")
    try:
        table = parquet.ParquetFile(path).read()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise UsageError(f"{path} cannot be read as Parquet: {str(error).splitlines()[0]}") from error
    raw = (table.schema.metadata or {}).get(KEY)
    if raw is None:
        raise UsageError(f"{path} is not the scores of an evaluation: it does not say how they were made")
    try:
        facts = ScoresFacts.model_validate_json(raw)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"{path}: what it says of itself cannot be read: {where}: {first['msg']}") from None
    table = table.replace_schema_metadata(None)
    _check(table, path)
    return Scores(table, facts)


def _check(table: pa.Table, path: Path) -> None:
    for field in [*LEAD, pa.field("path", pa.string()), pa.field("label", pa.string()), *SCORES]:
        if field.name not in table.column_names:
            raise UsageError(f"{path} has no column '{field.name}'; it is not the scores of an evaluation")
        if table.schema.field(field.name).type != field.type:
            raise UsageError(
                f"{path}: the column '{field.name}' holds {table.schema.field(field.name).type}, not {field.type}"
            )
    outcome = table.column("outcome")
    known = pc.fill_null(pc.is_in(outcome, value_set=pa.array(OUTCOMES)), False)
    if not pc.all(known, min_count=0).as_py():
        raise UsageError(f"{path} has an outcome that is none of {', '.join(OUTCOMES)}")
    failed = pc.is_in(outcome, value_set=pa.array(OUTCOMES[-2:]))
    for name in ("probability", "logit"):
        given = table.column(name)
        if pc.any(pc.equal(pc.is_valid(given), failed), min_count=0).as_py():
            raise UsageError(f"{path} has a {name} for a failure, or an answer without one")
        if not pc.all(pc.is_finite(given), min_count=0).as_py():
            raise UsageError(f"{path} has a {name} that is not finite")
