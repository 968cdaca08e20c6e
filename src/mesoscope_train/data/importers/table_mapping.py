"""Which of a table's columns fill which of the manifest's: ``--column``, ``--constant``, and what is left over."""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mesoscope.errors import UsageError
from mesoscope.manifest.schema import BY_NAME, EXTRA_NAME
from mesoscope_train.data.importers.contract import ImportOptions

Entry = Mapping[str, str]
Read = Callable[[Entry], str]
_LONGEST = 50


@dataclass(frozen=True, slots=True)
class TableMapping:
    """How an entry of the table becomes a row.

    Attributes:
        reads: manifest column to what gives its text, ``""`` where the entry has none.
        extra: manifest column of the set's own to the table's column, whose type is kept.
    """

    reads: Mapping[str, Read]
    extra: Mapping[str, str]


def map_columns(columns: Sequence[str], options: ImportOptions, file: Path) -> TableMapping:
    """Settle the mapping: first what was said, then columns named like the manifest's, the rest as extra.

    Args:
        columns: of the table.
        options: `columns`, `constants` and `group` are heeded.
        file: the table, for messages.

    Raises:
        UsageError: a column is missing, a name is not usable, something is said twice, or path or label is not said.
    """
    _refuse_unusable(options)
    needed = {name: _fields(text, columns, file) for name, text in options.columns.items()}
    used = {field for fields in needed.values() for field in fields}
    reads: dict[str, Read] = {name: _constant(value) for name, value in options.constants.items()}
    extra: dict[str, str] = {}
    for name, text in options.columns.items():
        if name not in BY_NAME and "{" not in text:
            extra[name] = text
        else:
            reads[name] = _column(text) if "{" not in text else _template(text)
    taken = {*reads, *extra, *(["group"] if options.group else []), *(["dataset"] if options.dataset else [])}
    for column in columns:
        if column in used:
            continue
        clean = clean_name(column, columns.index(column))
        if clean in BY_NAME and clean not in taken:
            reads[clean] = _column(column)
        else:
            clean = _free(f"{clean}_in_table" if clean in BY_NAME else clean, {*taken, *BY_NAME})
            extra[clean] = column
        taken.add(clean)
    _refuse_missing(reads, columns, file)
    return TableMapping(reads, extra)


def clean_name(column: str, position: int) -> str:
    """A table's column under a name that a manifest can hold.

    Args:
        column: any text.
        position: of the column in the table, from 0, for a name without any usable letter.
    """
    plain = unicodedata.normalize("NFKD", column.casefold()).casefold().encode("ascii", "ignore").decode()
    words = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:_LONGEST]
    if not words:
        return f"column_{position + 1}"
    return words if words[0].isalpha() else f"column_{words}"


def _free(name: str, taken: set[str]) -> str:
    names = (name, *(f"{name}_{number}" for number in range(2, len(taken) + 3)))
    return next(candidate for candidate in names if candidate not in taken)


def _refuse_unusable(options: ImportOptions) -> None:
    for option, names in (("--column", options.columns), ("--constant", options.constants)):
        for name in names:
            if not EXTRA_NAME.fullmatch(name):
                raise UsageError(
                    f"{option} {name}={names[name]}: '{name}' cannot be a column of the manifest; it is NAME=VALUE "
                    "with a name of small letters, digits and underscores, the manifest's column first"
                )
    said = [*options.columns, *options.constants]
    said += [name for name in ("group", "dataset") if getattr(options, name)]
    twice = sorted({name for name in said if said.count(name) > 1})
    if twice:
        raise UsageError(f"the column '{twice[0]}' is said twice: by --column, --constant or --{twice[0]}")


def _refuse_missing(reads: Iterable[str], columns: Sequence[str], file: Path) -> None:
    ways = {
        "path": "--column path=COLUMN, or a template like --column 'path=real/{id}.jpg'",
        "label": "--column label=COLUMN, or --constant label=real where all are of one label",
    }
    for name, way in ways.items():
        if name not in reads:
            raise UsageError(
                f"{file} has no column '{name}'; say where it stands: {way}; "
                f"its columns are: {', '.join(map(repr, columns))}"
            )


def _fields(text: str, columns: Sequence[str], file: Path) -> list[str]:
    """The table's columns that a column name or a template needs."""
    fields = [text] if "{" not in text else _template_fields(text)
    for field in fields:
        if field not in columns:
            raise UsageError(
                f"--column: {file} has no column '{field}'; its columns are: {', '.join(map(repr, columns))}"
            )
    return fields


def _template_fields(text: str) -> list[str]:
    try:
        parts = list(string.Formatter().parse(text))
    except ValueError as error:
        raise UsageError(f"--column: the template '{text}' is broken: {error}") from error
    if any(spec or conversion for _, _, spec, conversion in parts):
        raise UsageError(f"--column: the template '{text}' may hold column names in braces, but no format after them")
    return [field for _, field, _, _ in parts if field is not None]


def _column(name: str) -> Read:
    return lambda entry: entry[name]


def _constant(value: str) -> Read:
    return lambda _entry: value


def _template(text: str) -> Read:
    """Fill a template; a file name with a hole is no file name, so an empty value makes all of it empty."""
    parts = [(literal, field) for literal, field, _, _ in string.Formatter().parse(text)]

    def read(entry: Entry) -> str:
        if any(field is not None and not entry[field] for _, field in parts):
            return ""
        return "".join(literal + (entry[field] if field is not None else "") for literal, field in parts)

    return read
