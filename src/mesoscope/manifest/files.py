"""Manifests on disk: Parquet, or CSV with its few facts in ``NAME.csv-metadata.json`` beside it.

What a table cannot hold (schema version, root, history) stands in Parquet's own key-value metadata, and for CSV in
the side file that W3C's "CSV on the Web" looks for; a CSV file without one is read too, with its own directory as
the root. The root is kept relative to the manifest, so that both can move together.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import csv, parquet

from mesoscope.atomic import explained, replacing
from mesoscope.errors import ManifestError
from mesoscope.manifest.checks import check_table
from mesoscope.manifest.schema import BY_NAME, SCHEMA_VERSION, ordered
from mesoscope.manifest.table import Manifest
from mesoscope.manifest.text import first_line, read_csv_as_text, typed

_KEY = b"mesoscope"
SUFFIXES = (".parquet", ".csv")


def read_manifest(path: Path, *, root: Path | None = None) -> Manifest:
    """Read and check a manifest.

    Args:
        path: a ``.parquet`` or ``.csv`` file.
        root: directory of the pictures; None for the one the manifest names, or its own where it names none.

    Raises:
        ManifestError: there is no such file, it is damaged, of a newer schema, breaks the schema, or the root is
            no directory.
    """
    format_of(path)
    if not path.is_file():
        raise ManifestError(f"there is no manifest {path}; 'mesoscope data import' makes one")
    table, facts = _read_parquet(path) if path.suffix.lower() == ".parquet" else _read_csv(path)
    version = facts.get("schema", SCHEMA_VERSION)
    if version != SCHEMA_VERSION:
        raise ManifestError(f"{path} has schema {version}; this version of mesoscope reads schema {SCHEMA_VERSION}")
    table = check_table(table, str(path))
    found = root or path.parent / facts.get("root", ".")
    if not found.is_dir():
        raise ManifestError(
            f"{path} says that its files are below {found}, which is no directory; name the right one with --root"
        )
    history = tuple(str(command) for command in facts.get("history", ()))
    return Manifest(table.select(ordered(table.column_names)), Path(os.path.normpath(found)), history)


def write_manifest(manifest: Manifest, path: Path) -> None:
    """Write a manifest; the file is there whole or not at all.

    Raises:
        ManifestError: the name ends neither in ``.parquet`` nor in ``.csv``.
        UsageError: the file cannot be written.
    """
    facts = {"schema": SCHEMA_VERSION, "root": _relative(manifest.root, path), "history": list(manifest.history)}
    if format_of(path) == "parquet":
        table = manifest.table.replace_schema_metadata({_KEY: json.dumps(facts).encode()})
        with replacing(path) as partial, explained(path):
            parquet.write_table(table, partial, compression="zstd")
        return
    side = side_file(path)
    with replacing(side) as partial, explained(side):
        columns = [{"name": name, "type": str(manifest.table.schema.field(name).type)} for name in manifest.columns]
        partial.write_text(json.dumps({**facts, "columns": columns}, indent=2) + "\n", encoding="utf-8")
    with replacing(path) as partial, explained(path):
        csv.write_csv(manifest.table, partial)


def format_of(path: Path) -> str:
    """``parquet`` or ``csv``, by the name.

    Raises:
        ManifestError: neither.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise ManifestError(f"{path} is no manifest by its name: it must end in .parquet or .csv")
    return path.suffix.lower().lstrip(".")


def side_file(path: Path) -> Path:
    """Where the facts about a CSV manifest stand."""
    return path.with_name(f"{path.name}-metadata.json")


def _relative(root: Path, manifest: Path) -> str:
    """The root as seen from the manifest's directory; absolute where no relative way leads there."""
    try:
        return Path(os.path.relpath(root.resolve(), manifest.parent.resolve())).as_posix()
    except ValueError:  # another drive
        return root.resolve().as_posix()


def _read_parquet(path: Path) -> tuple[pa.Table, dict[str, Any]]:

    try:
        # one file, never a data set of partitions whose folder names would become columns
        table = parquet.ParquetFile(path).read()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise ManifestError(f"{path} cannot be read as Parquet: {first_line(error)}") from error
    return table.replace_schema_metadata(None), _facts((table.schema.metadata or {}).get(_KEY, b"{}"), path)


def _read_csv(path: Path) -> tuple[pa.Table, dict[str, Any]]:

    side = side_file(path)
    facts = _facts(side.read_bytes(), side) if side.is_file() else {}
    table = read_csv_as_text(path)
    stated = {entry["name"]: entry["type"] for entry in facts.get("columns", ())}
    for index, name in enumerate(table.column_names):
        if name not in BY_NAME:
            table = table.set_column(index, name, typed(table.column(name), stated.get(name)))
    return table, facts


def _facts(content: bytes, path: Path) -> dict[str, Any]:
    try:
        facts = json.loads(content)
    except ValueError as error:
        raise ManifestError(f"{path}: the facts about the manifest are not JSON: {error}") from error
    if not isinstance(facts, dict):
        raise ManifestError(f"{path}: the facts about the manifest are not a JSON object")
    return facts
