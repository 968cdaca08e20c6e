"""What the evaluation's page and tables are made of: plain data that template and files are written from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from matplotlib.figure import Figure

Level = Literal["leak", "warning", "clear", "note"]
"""Of a box: red, amber, green, grey; named as on the page of a data set, whose style sheet it shares."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawn figure.

    Attributes:
        name: of its files, without suffix; letters, digits, hyphens.
        figure: in the house style.
        caption: what it shows, in a sentence or two.
        manifest: whose section it belongs to; empty for figures over all manifests.
        kind: ``roc``, ``confusion`` …: which of the page's explanations goes with it.
        wide: whether it takes the page's full width.
    """

    name: str
    figure: Figure
    caption: str
    manifest: str
    kind: str
    wide: bool = True


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under a head.

    Attributes:
        name: of its files, without suffix, and its anchor.
        title: what it shows.
        head: names of the columns.
        rows: as long as the head each.
        numbers: indices of the columns that are set as numbers.
        names: indices of the columns that hold strangers' names.
        notes: sentences that belong under it.
        folded: whether the page shows it closed.
    """

    name: str
    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...] = ()
    names: tuple[int, ...] = (0,)
    notes: tuple[str, ...] = ()
    folded: bool = False


@dataclass(frozen=True, slots=True)
class Box:
    """A part of the answer.

    Attributes:
        level: gives the colour.
        title: one sentence.
        sentences: what belongs to it.
        details: what is folded away under it.
        more: what that is called.
    """

    level: Level
    title: str
    sentences: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    more: str = "The others"


@dataclass(frozen=True, slots=True)
class Step:
    """A number on one data set: as `number`, `where`, and how far it stands `above` chance, 0 to 1."""

    number: str
    where: str
    above: float


@dataclass(frozen=True, slots=True)
class Fallen:
    """A number that falls from one data set to others, to be shown large.

    Attributes:
        bundle: whose.
        start: the number where it is highest.
        ends: where less is left of it, least first; at least one.
        words: the deepest fall as sentences, with intervals.
    """

    bundle: str
    start: Step
    ends: tuple[Step, ...]
    words: str


@dataclass(frozen=True, slots=True)
class CrossCell:
    """One bundle on one manifest, in the table at the top.

    Attributes:
        auc, accuracy: with interval, or a dash.
        missing: why a number is a dash; may be empty.
        left_out: counts without an answer, in words.
        mark: what the bundle knows of this data, as a sign; may be empty.
        level: of the AUC, in words that are classes of the style sheet: ``good`` … ``chance``.
        strength: 0 to 1, how dark its ground is.
    """

    auc: str
    accuracy: str
    missing: str
    left_out: str
    mark: str
    level: str
    strength: float


@dataclass(frozen=True, slots=True)
class Explained:
    """An entry of the page's explanations: `anchor`, `title`, and what it `means` in a sentence or two."""

    anchor: str
    title: str
    means: str


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page under one heading; whatever is empty is left out.

    Attributes:
        anchor: of the heading.
        title: its text.
        text: paragraphs under it.
        charts, tables: in order.
        absent: what could not be computed, and why.
    """

    anchor: str
    title: str
    text: tuple[str, ...] = ()
    charts: tuple[Chart, ...] = ()
    tables: tuple[Table, ...] = ()
    absent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """The whole page.

    Attributes:
        title: what was measured.
        headline: the deepest fall in one sentence; may be empty.
        falls: what falls from one data set to another.
        boxes: the answer: what can be trusted, and what must be known.
        bounds: by which bounds a bundle is called reliable.
        cross: bundle to its cells, in the order of `manifests`.
        manifests: names with their counts, in words.
        signs: marks of the cells with their meanings.
        sections: in order.
        explained: what each number means.
        facts: name and value: provenance.
        commands: that made the manifests and the scores.
        made: when, in words.
        program: version of mesoscope.
    """

    title: str
    headline: str
    falls: Sequence[Fallen]
    boxes: Sequence[Box]
    bounds: str
    cross: Sequence[tuple[str, Sequence[CrossCell]]]
    manifests: Sequence[tuple[str, str]]
    signs: Sequence[tuple[str, str]]
    sections: Sequence[Section]
    explained: Sequence[Explained]
    facts: Sequence[tuple[str, str]]
    commands: Sequence[str]
    made: str
    program: str
