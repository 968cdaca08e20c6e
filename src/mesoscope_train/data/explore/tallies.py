"""Counting rows by the values of a column and by label; one pass over codes, whatever the number of rows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mesoscope.manifest import LABELS, SPLITS, Manifest

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
MOST = 20
"""Values that are shown one by one; the rarer ones become one entry."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Rows by value and label, in the order in which they are shown.

    Attributes:
        values: the K values as text; None stands for rows that have none.
        counts: label to the K numbers of rows. A label that the set lacks is left out.
        folded: how many values the last entry stands for; 0 where each stands for itself.
    """

    values: tuple[str | None, ...]
    counts: dict[str, tuple[int, ...]]
    folded: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        """The values as they are called on the page."""
        shown = [value if value is not None else "not stated" for value in self.values]
        if self.folded:
            shown[-1] = f"{self.folded:,} others"
        return tuple(shown)

    def total(self, label: str) -> int:
        """Rows of a label."""
        return sum(self.counts.get(label, ()))

    def largest(self) -> int:
        """The largest number."""
        return max((count for counts in self.counts.values() for count in counts), default=0)


def label_masks(manifest: Manifest) -> dict[str, Mask]:
    """Label to (N,) whether a row has it; ``real`` first, only labels that are there."""
    codes, names = manifest.codes("label")
    return {label: codes == names.index(label) for label in LABELS if label in names}


def tally(manifest: Manifest, column: str, *, most: int = MOST) -> Tally:
    """Rows by the values of a manifest's column; see `tally_values`.

    Raises:
        ManifestError: there is no such column.
    """
    codes, values = manifest.codes(column)
    return tally_codes(codes, values, label_masks(manifest), most=most)


def tally_values(column: pa.ChunkedArray, masks: Mapping[str, Mask], *, most: int = MOST) -> Tally:
    """Rows by the values of a column.

    Text goes by frequency, numbers and true/false by size; a row without a value counts as such. A label of which no
    row has a value (the generator of real pictures) is left out.

    Args:
        column: (N,) text, whole numbers or true/false.
        masks: label to (N,) whether a row has it.
        most: values shown one by one.
    """
    encoded = column.combine_chunks().dictionary_encode()
    codes = np.asarray(pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False), np.int64)
    return tally_codes(codes, encoded.dictionary.to_pylist(), masks, most=most)


def tally_codes(codes: Ints, values: Sequence[Any], masks: Mapping[str, Mask], *, most: int = MOST) -> Tally:
    """As `tally_values`, of (N,) indices into `values`, -1 where there is none."""
    counts = {label: _count(codes[mask], len(values)) for label, mask in masks.items()}
    # the last place of each count is that of the rows without a value
    heard = {label: numbers for label, numbers in counts.items() if numbers[:-1].any()} or counts
    return _folded([*values, None], heard, most)


def split_tallies(manifest: Manifest, *, most: int = MOST) -> dict[str | None, Tally]:
    """Rows by data set for each split that is there (None: rows without one); all in the same order of sets."""
    whole = tally(manifest, "dataset", most=most)
    if "split" not in manifest:
        return {None: whole}
    codes, names = manifest.codes("split")
    parts: dict[str | None, Tally] = {}
    for split in (*SPLITS, None):
        wanted = codes == (names.index(split) if split in names else -1 if split is None else -2)
        if wanted.any():
            parts[split] = _reordered(tally(manifest.take(wanted), "dataset", most=10**9), whole)
    return parts


def group_sizes(manifest: Manifest) -> dict[str, Ints]:
    """Label to the number of its rows in each group that has any; sorted."""
    codes, names = manifest.codes("group")
    counted = {label: np.bincount(codes[mask], minlength=len(names)) for label, mask in label_masks(manifest).items()}
    return {label: np.sort(numbers[numbers > 0]).astype(np.int64) for label, numbers in counted.items()}


def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """A sorting key under which ``c9`` comes before ``c10``."""
    parts = re.findall(r"\d{1,18}|\D+|\d+", text)
    return tuple((0, int(part), "") if part.isdecimal() and len(part) <= 18 else (1, 0, part) for part in parts)


def _count(codes: Ints, values: int) -> Ints:
    """(values + 1,) rows of each code; the last is that of code -1."""
    return np.bincount(np.where(codes < 0, values, codes), minlength=values + 1).astype(np.int64)


def _folded(values: Sequence[Any], counts: dict[str, Ints], most: int) -> Tally:
    sums = np.sum([*counts.values()], axis=0)
    order = [index for index in _order(values, sums) if sums[index]]
    stated = [index for index in order if values[index] is not None]
    kept, rest = (stated, []) if len(stated) <= most else (stated[: most - 1], stated[most - 1 :])
    kept = kept + [index for index in order if values[index] is None]
    shown = {
        label: tuple(int(numbers[index]) for index in kept) + ((int(numbers[rest].sum()),) if rest else ())
        for label, numbers in counts.items()
    }
    names = tuple(_text(values[index]) for index in kept) + (("",) if rest else ())
    return Tally(names, shown, len(rest))


def _order(values: Sequence[Any], sums: Ints) -> list[int]:
    """Indices of the values as they are shown; the empty one last."""
    numeric = all(value is None or not isinstance(value, str) for value in values)
    if numeric:
        return sorted(range(len(values)), key=lambda index: (values[index] is None, values[index] or 0))
    return sorted(
        range(len(values)),
        key=lambda index: (values[index] is None, -int(sums[index]), natural(str(values[index]))),
    )


def _text(value: object) -> str | None:
    if value is None:
        return None
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _reordered(part: Tally, whole: Tally) -> Tally:
    """The numbers of a part in the order of the whole, folded as the whole is."""
    places = {value: index for index, value in enumerate(whole.values[: -1 if whole.folded else None])}
    counts = {}
    for label in whole.counts:
        numbers = [0] * len(whole.values)
        for value, count in zip(part.values, part.counts.get(label, (0,) * len(part.values)), strict=True):
            numbers[places.get(value, -1)] += count
        counts[label] = tuple(numbers)
    return Tally(whole.values, counts, whole.folded)
