"""What the page is made of: plain data that templates and files are written from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from matplotlib.figure import Figure

from mesoscope_train.data.explore.tiles import Tile

Level = Literal["leak", "warning", "clear", "note"]


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawn figure.

    Attributes:
        name: of its files, without suffix; letters, digits, hyphens, underscores.
        figure: in the house style.
        caption: what it shows, in a sentence or two.
        wide: whether it takes the page's full width.
    """

    name: str
    figure: Figure
    caption: str
    wide: bool = True


@dataclass(frozen=True, slots=True)
class Sheet:
    """Pictures of one class.

    Attributes:
        name: as a `Chart`'s.
        label: ``real`` or ``fake``.
        tiles: at least one, in the order in which they are shown.
        caption: what was drawn from what.
    """

    name: str
    label: str
    tiles: tuple[Tile, ...]
    caption: str


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under a head.

    Attributes:
        head: names of the columns.
        rows: as long as the head each.
        numbers: indices of the columns that are set as numbers.
        names: indices of the columns that hold strangers' names.
        title: stands above where the table is folded away.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...] = ()
    names: tuple[int, ...] = (0,)
    title: str = ""


@dataclass(frozen=True, slots=True)
class Box:
    """A part of the verdict.

    Attributes:
        level: gives the colour.
        title: one short sentence.
        sentences: what belongs to it.
    """

    level: Level
    title: str
    sentences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """Rows that belong together in a finding.

    Attributes:
        tiles: their pictures.
        words: what has no picture: names, and how many rows are not shown.
    """

    tiles: tuple[Tile, ...]
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """A finding of the audit with its examples.

    Attributes:
        name: of the picture's file, without suffix.
        kind: in words.
        level: gives the colour.
        message: the finding's own.
        cases: the first examples.
        more: how many examples are not shown; 0 where all are.
    """

    name: str
    kind: str
    level: Level
    message: str
    cases: tuple[Case, ...]
    more: int


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page under one heading; whatever is empty is left out."""

    anchor: str
    title: str
    text: tuple[str, ...] = ()
    charts: tuple[Chart, ...] = ()
    sheets: tuple[Sheet, ...] = ()
    shown: tuple[Shown, ...] = ()
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """The whole page.

    Attributes:
        title: the set's name.
        facts: name and value: what, where, when.
        figures: name and value of the few numbers that stand large at the top.
        boxes: the audit's verdict.
        sections: in order.
        commands: that made the manifest and this page, oldest first.
        digest: of the manifest.
        made: when, in words.
        program: version of mesoscope.
    """

    title: str
    facts: Sequence[tuple[str, str]]
    figures: Sequence[tuple[str, str]]
    boxes: Sequence[Box]
    sections: Sequence[Section]
    commands: Sequence[str]
    digest: str
    made: str
    program: str
