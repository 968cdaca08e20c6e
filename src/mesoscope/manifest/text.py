"""CSV files as text, and text columns as numbers where nothing is lost: '004' is a name and not the number 4."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from mesoscope.errors import ManifestError


def read_csv_as_text(path: Path, delimiter: str = ",") -> pa.Table:
    """A CSV file with a header, every column as text, empty fields as null.

    Raises:
        ManifestError: it cannot be read as CSV in UTF-8, or a column stands twice in the header.
    """
    parsing = csv.ParseOptions(delimiter=delimiter, newlines_in_values=True)
    try:
        with csv.open_csv(path, parse_options=parsing) as reader:
            names = reader.schema.names
        text = csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True, null_values=[""]
        )
        table = csv.read_csv(path, convert_options=text, parse_options=parsing)
    except (pa.ArrowInvalid, pa.ArrowKeyError, OSError, UnicodeDecodeError) as error:
        raise ManifestError(f"{path} cannot be read as CSV: {first_line(error)}") from error
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise ManifestError(f"{path}: the column {', '.join(doubled)} stands twice in the header")
    return table


def typed(text: pa.ChunkedArray, stated: str | None = None) -> pa.ChunkedArray:
    """A text column as its own type.

    Args:
        text: strings and nulls.
        stated: Arrow's name of the type (``int64``, ``double``, ``bool``, ``string``) where it is known; None for
            booleans or numbers where every value survives the way back.
    """
    codes = stated is None and pc.any(pc.match_substring_regex(text, r"^[+-]?0\d")).as_py()
    if codes:  # '007' is a name, not a number
        return text
    types = {"int64": pa.int64(), "double": pa.float64(), "bool": pa.bool_(), "string": pa.string()}
    for wanted in [types[stated]] if stated in types else [pa.bool_(), pa.int64(), pa.float64()]:
        try:
            cast = text.cast(wanted)
        except pa.ArrowInvalid:
            continue
        if stated or wanted == pa.float64() or cast.cast(pa.string()).equals(text):
            return cast
    return text


def first_line(error: BaseException) -> str:
    """What an error says, without the lines that follow."""
    return (str(error).splitlines() or [type(error).__name__])[0]
