"""The columns of a manifest: names, types, meanings. Schema version 1."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

import pyarrow as pa

from mesoscope.errors import ManifestError

SCHEMA_VERSION = 1
LABELS = ("real", "fake")
SPLITS = ("train", "validation", "test")
Kind = Literal["text", "integer", "number", "boolean"]
Value = str | int | float | bool | None
EXTRA_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
"""What a column of the user's own may be called."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column that has a meaning here.

    Attributes:
        name: in the table.
        kind: of its values.
        meaning: one sentence for the documentation.
        required: whether every manifest has it, with a value in every row.
        allowed: the only values, where they are few.
        minimum: the least value of a number.
    """

    name: str
    kind: Kind
    meaning: str
    required: bool = False
    allowed: tuple[str, ...] = ()
    minimum: float | None = None


COLUMNS: tuple[Column, ...] = (
    Column("path", "text", "The file, relative to the manifest's root, with forward slashes.", True),
    Column(
        "label", "text", "`real` (a camera's) or `fake` (manipulated or generated).", required=True, allowed=LABELS
    ),
    Column(
        "group",
        "text",
        "What must never be split: source video, base photo, identity. Equal text, equal group.",
        True,
    ),
    Column("dataset", "text", "Name of the set the row came from; survives merging.", True),
    Column("split", "text", "`train`, `validation` or `test`; empty where none was made.", allowed=SPLITS),
    Column("fold", "integer", "Number of the fold, from 0, after `data split --folds`.", minimum=0),
    Column("generator", "text", "Method or model that made the fake, in the publisher's words."),
    Column("compression", "text", "The publisher's word for the compression (`c0`, `c23`, `c40`)."),
    Column("difficulty", "text", "The publisher's degree of difficulty."),
    Column("category", "text", "What the picture shows, in the publisher's words."),
    Column("identity", "text", "Who is seen (of a swap: whose footage it is, the target)."),
    Column("source_identity", "text", "Whose face was put in, where a swap names both."),
    Column("source_video", "text", "Video the picture was taken from: its path, or the publisher's name."),
    Column("frame", "integer", "Index of the frame in that video, as its publisher or we count.", minimum=0),
    Column("time", "number", "Presentation time of the frame in seconds.", minimum=0),
    Column("face", "integer", "Number of the face in its frame, from 0, left to right.", minimum=0),
    Column("original_width", "integer", "Width in pixels before the crop was scaled.", minimum=1),
    Column("original_height", "integer", "Height in pixels before the crop was scaled.", minimum=1),
    Column("box_left", "number", "Left edge of the face's box in pixels of the upright frame."),
    Column("box_top", "number", "Upper edge of that box."),
    Column("box_right", "number", "Right edge of that box."),
    Column("box_bottom", "number", "Lower edge of that box."),
    Column("finder", "text", "Face finder that found the box."),
    Column("finder_score", "number", "Score that finder gave the face, on its own scale."),
    Column("landmarks", "text", "Points of the face, x,y in shares of the picture's width and height, with spaces."),
)
BY_NAME: Mapping[str, Column] = {column.name: column for column in COLUMNS}
REQUIRED = tuple(column.name for column in COLUMNS if column.required)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row, as importers make it. Fields are the columns of `COLUMNS`; None stands for 'not known'.

    Attributes:
        extra: columns of the set's own (``gender``, ``edited_nose``), by a name that fits `EXTRA_NAME`.
    """

    path: str
    label: str
    group: str
    dataset: str
    split: str | None = None
    fold: int | None = None
    generator: str | None = None
    compression: str | None = None
    difficulty: str | None = None
    category: str | None = None
    identity: str | None = None
    source_identity: str | None = None
    source_video: str | None = None
    frame: int | None = None
    time: float | None = None
    face: int | None = None
    original_width: int | None = None
    original_height: int | None = None
    box_left: float | None = None
    box_top: float | None = None
    box_right: float | None = None
    box_bottom: float | None = None
    finder: str | None = None
    finder_score: float | None = None
    landmarks: str | None = None
    extra: Mapping[str, Value] = field(default_factory=dict)

    @classmethod
    def of(cls, values: Mapping[str, Value]) -> Row:
        """A row from column names and values; names that are no known column become `extra`.

        Raises:
            ManifestError: a required column is missing.
        """
        missing = [name for name in REQUIRED if values.get(name) is None]
        if missing:
            raise ManifestError(f"a row lacks its {', '.join(missing)}: {dict(values)}")
        known: dict[str, Any] = {name: value for name, value in values.items() if name in BY_NAME}
        return cls(**known, extra={name: value for name, value in values.items() if name not in BY_NAME})

    def values(self) -> dict[str, Value]:
        """Column name to value: all known columns, then the extra ones."""
        known: dict[str, Value] = {name: getattr(self, name) for name in _FIELDS}
        return {**known, **self.extra}


_FIELDS = tuple(entry.name for entry in fields(Row) if entry.name != "extra")


def arrow_type(kind: Kind) -> pa.DataType:
    """The Arrow type a kind is stored as."""
    return {"text": pa.string(), "integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_()}[kind]


def kind_of(value: Value, column: str) -> Kind:
    """The kind of a Python value.

    Raises:
        ManifestError: it is of none of the four.
    """
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "text"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "number"
    raise ManifestError(f"column '{column}' cannot hold a {type(value).__name__}; text, numbers or true/false can")


def ordered(names: Iterable[str]) -> list[str]:
    """Column names in the order of `COLUMNS`, then the extra ones by name."""
    present = set(names)
    return [name for name in BY_NAME if name in present] + sorted(present - set(BY_NAME))
