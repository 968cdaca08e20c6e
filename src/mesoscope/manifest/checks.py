"""Whether a table is a manifest: types, values, paths, and no file twice. Every message names row and column.

Rows are counted from 1, the header of a CSV file not included.
"""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from mesoscope.errors import ManifestError
from mesoscope.manifest.schema import BY_NAME, EXTRA_NAME, REQUIRED, Column, arrow_type

_BAD_PATH = r"^/|^[A-Za-z]:|\\|(^|/)\.{0,2}(/|$)|\x00"
"""Absolute, a drive, a backslash, an empty or dotted part (`..`, `.`, `a//b`): outside the root, or ambiguous."""


def check_table(table: pa.Table, where: str) -> pa.Table:
    """The table with every known column cast to its type.

    Args:
        table: any Arrow table.
        where: name of the file, for messages.

    Raises:
        ManifestError: a column is missing or has a wrong name, a value has the wrong type or is not allowed, a path
            leaves the root, two rows are one file, or there is no row.
    """
    missing = [name for name in REQUIRED if name not in table.column_names]
    if missing:
        raise ManifestError(
            f"{where}: the column {_list(missing)} is missing; found: {_list(table.column_names)}. "
            f"A table with other names is mapped by 'mesoscope data import --format table'"
        )
    for name in table.column_names:
        if name not in BY_NAME and not EXTRA_NAME.fullmatch(name):
            raise ManifestError(
                f"{where}: the column '{name}' has no usable name; small letters, digits and underscores are usable"
            )
    if table.num_rows == 0:
        raise ManifestError(f"{where}: there is no row")
    for index, name in enumerate(table.column_names):
        if name in BY_NAME:
            checked = _check_column(table.column(name), BY_NAME[name], where)
            table = table.set_column(index, name, checked)
    _check_paths(table.column("path"), where)
    return table


def _check_column(values: pa.ChunkedArray, column: Column, where: str) -> pa.ChunkedArray:

    values = _cast(values, column, where)
    if column.required:
        empty = pc.is_null(values)
        if column.kind == "text":
            empty = pc.or_(empty, pc.fill_null(pc.equal(values, ""), False))
        _refuse(empty, values, f"{where}, row {{row}}, column '{column.name}': the value is missing")
    if column.allowed:
        known = pc.or_(pc.is_null(values), pc.is_in(values, value_set=pa.array(column.allowed)))
        _refuse(
            pc.invert(known),
            values,
            f"{where}, row {{row}}, column '{column.name}': {{value!r}} is not one of {_list(column.allowed)}",
        )
    if column.minimum is not None:
        low = pc.fill_null(pc.less(values, column.minimum), False)
        _refuse(
            low,
            values,
            f"{where}, row {{row}}, column '{column.name}': {{value}} is less than {column.minimum:g}",
        )
    return values


def _cast(values: pa.ChunkedArray, column: Column, where: str) -> pa.ChunkedArray:

    wanted = arrow_type(column.kind)
    if values.type == wanted:
        return values
    if (
        column.kind == "text"
        and not pa.types.is_large_string(values.type)
        and not pa.types.is_dictionary(values.type)
    ):
        if not pa.types.is_null(values.type):
            raise ManifestError(f"{where}: the column '{column.name}' holds {values.type} instead of text")
        return values.cast(wanted)
    try:
        return values.cast(wanted)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return _first_that_fails(values, column, where)


def _may_be_text(type_: pa.DataType) -> bool:
    return any(
        test(type_)
        for test in (pa.types.is_null, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_dictionary)
    )


def _first_that_fails(values: pa.ChunkedArray, column: Column, where: str) -> pa.ChunkedArray:
    """Tell which row could not be cast."""
    wanted = arrow_type(column.kind)
    for number, value in enumerate(values, start=1):
        try:
            pa.array([value.as_py()], values.type).cast(wanted)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            what = {"integer": "a whole number", "number": "a number", "boolean": "true or false", "text": "text"}
            raise ManifestError(
                f"{where}, row {number}, column '{column.name}': {value.as_py()!r} is not {what[column.kind]}"
            ) from None
    raise ManifestError(f"{where}: the column '{column.name}' cannot be read as {column.kind}")


def _check_paths(paths: pa.ChunkedArray, where: str) -> None:

    bad = pc.match_substring_regex(paths, _BAD_PATH)
    _refuse(
        bad,
        paths,
        f"{where}, row {{row}}, column 'path': {{value!r}} is not a plain path below the root "
        "(no leading slash, no '..', no '.', no backslash)",
    )
    counts = pc.value_counts(paths)
    twice = pc.greater(counts.field("counts"), 1)
    if pc.any(twice).as_py():
        path = counts.field("values").filter(twice)[0]
        rows = [str(index + 1) for index in pc.indices_nonzero(pc.equal(paths, path)).to_pylist()]
        raise ManifestError(
            f"{where}, rows {_list(rows[:5])}, column 'path': {path.as_py()!r} stands in several rows"
        )


def _refuse(bad: pa.ChunkedArray, values: pa.ChunkedArray, message: str) -> None:
    """Raise for the first row where `bad` is true."""
    index = pc.index(bad, True).as_py()
    if index >= 0:
        count = pc.sum(bad).as_py()
        more = f" (and {count - 1:,} more rows)" if count > 1 else ""
        raise ManifestError(message.format(row=index + 1, value=values[index].as_py()) + more)


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)
