"""Which means a picture belongs to: by label, by outcome, by a column of the manifest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mesoscope.errors import UsageError
from mesoscope.manifest import Manifest
from mesoscope.report.words import visible
from mesoscope.types import Outcome

LABEL, OUTCOME = "label", "outcome"
MOST_VALUES = 12
"""A column with more values is no slice that a page could show."""
_NAMES: Mapping[tuple[str, Outcome], str] = {
    ("fake", Outcome.FAKE): "true positive",
    ("fake", Outcome.REAL): "false negative",
    ("real", Outcome.FAKE): "false positive",
    ("real", Outcome.REAL): "true negative",
    ("fake", Outcome.INCONCLUSIVE): "inconclusive, fake",
    ("real", Outcome.INCONCLUSIVE): "inconclusive, real",
}
MEANINGS: Mapping[str, str] = {
    "true positive": "fakes called fake",
    "false negative": "fakes called real",
    "false positive": "real pictures called fake",
    "true negative": "real pictures called real",
    "inconclusive, fake": "fakes inside the band",
    "inconclusive, real": "real pictures inside the band",
}
_PAIRS: Mapping[str, Sequence[tuple[str, str]]] = {
    LABEL: (("fake", "real"),),
    OUTCOME: (("true positive", "false negative"), ("false positive", "true negative")),
}


@dataclass(frozen=True, slots=True)
class Grouping:
    """One way to part the pictures.

    Attributes:
        by: ``label``, ``outcome``, or a column's name.
        values: of each of the manifest's rows, as text; None where empty. Of ``outcome``: the labels.
        order: the cells in the order in which they are shown; of a column the most frequent first.
    """

    by: str
    values: Sequence[str | None]
    order: tuple[str, ...]

    def cell(self, row: int, outcome: Outcome) -> str | None:
        """The cell of a row; None where the manifest says nothing."""
        value = self.values[row]
        if self.by != OUTCOME:
            return value
        return None if value is None else _NAMES[value, outcome]

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Which cells are compared, the first minus the second."""
        if self.by in _PAIRS:
            return tuple(_PAIRS[self.by])
        first, *others = self.order
        return tuple((other, first) for other in others)


def groupings(manifest: Manifest, by: Sequence[str], rows: Sequence[int]) -> tuple[Grouping, ...]:
    """The ways that were asked for.

    Args:
        manifest: all rows.
        by: ``label``, ``outcome``, columns.
        rows: those that are looked at.

    Raises:
        UsageError: none was asked for, no such column, or one with no value or too many.
    """
    if not by:
        raise UsageError("--by names at least one of label, outcome, or a column of the manifest")
    return tuple(_grouping(manifest, name, rows) for name in dict.fromkeys(by))


def _grouping(manifest: Manifest, name: str, rows: Sequence[int]) -> Grouping:
    if name in (LABEL, OUTCOME):
        order = ("real", "fake") if name == LABEL else tuple(_NAMES.values())
        return Grouping(name, manifest.values(LABEL), order)
    if name not in manifest:
        raise UsageError(
            f"the manifest has no column {name!r} to part pictures by; it has: {', '.join(manifest.columns)}; "
            "label and outcome can be asked for of any manifest"
        )
    texts = [None if value is None else _text(value) for value in manifest.values(name)]
    counts = Counter(text for row in rows if (text := texts[row]) is not None)
    if not counts:
        raise UsageError(f"the column {name!r} is empty in every row that is looked at")
    if len(counts) > MOST_VALUES:
        raise UsageError(
            f"the column {name!r} has {len(counts):,} values; means of at most {MOST_VALUES} are told apart"
        )
    return Grouping(name, texts, tuple(sorted(counts, key=lambda text: (-counts[text], text))))


def _text(value: Any) -> str:  # noqa: ANN401 - a value of any kind of column
    if isinstance(value, bool):
        return "yes" if value else "no"
    return visible(str(value))
