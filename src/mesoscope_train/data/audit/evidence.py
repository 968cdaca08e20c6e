"""Measurements with the words for them, gathered in families, and what they show of two classes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import stats

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_COMMON = 16
"""So many of the most frequent words of a `Sort` become columns; the others are one."""
_HARDLY = 0.1
"""A single measurement whose AUC is nearer to 0.5 than this explains nothing by itself."""


@dataclass(frozen=True, slots=True, eq=False)
class Number:
    """A measurement that is a number.

    Attributes:
        noun: what it is.
        more, less: what is said of the class with the higher, the lower values ("are sharper").
        values: (N,) float64; NaN where there is none.
        form: format of a printed value.
    """

    noun: str
    more: str
    less: str
    values: Floats
    form: str = ",.0f"

    def present(self) -> Mask:
        """Rows that have it. (N,) bool."""
        return np.isfinite(self.values)

    def columns(self) -> Floats:
        """For a classifier. (N, 1) float64."""
        return self.values[:, None]

    def separation(self, fake: Mask) -> float:
        """Distance from 0.5 of the AUC of the values, or of their distance from the middle. In [0, 0.5]."""
        return max(abs(self._shift(fake)), abs(self._spread(fake)))

    def told(self, fake: Mask) -> str:
        """How the classes differ: medians, and the middle halves in brackets."""
        shift, spread = self._shift(fake), self._spread(fake)
        if abs(spread) > abs(shift) + _HARDLY:
            how = f"differ {'more' if spread > 0 else 'less'} from each other in {self.noun}: median"
        else:
            how = f"{self.more if shift > 0 else self.less}: median {self.noun}"
        return f"fakes {how} {self._quartiles(fake)} against {self._quartiles(~fake)} for reals"

    def take(self, rows: Ints) -> Number:
        """The same of fewer rows."""
        return replace(self, values=self.values[rows])

    def alike(self) -> str:
        """The value that all rows have."""
        return f"the {self.noun} is {format(self.values[0], self.form)}"

    def _shift(self, fake: Mask) -> float:
        return _auc(self.values, fake) - 0.5

    def _spread(self, fake: Mask) -> float:
        return _auc(np.abs(self.values - np.median(self.values)), fake) - 0.5

    def _quartiles(self, rows: Mask) -> str:
        middle, low, high = (format(value, self.form) for value in np.percentile(self.values[rows], (50, 25, 75)))
        return f"{middle} ({low} to {high})"


@dataclass(frozen=True, slots=True, eq=False)
class Sort:
    """A measurement that is one of several words.

    Attributes:
        noun: what it is.
        values: (N,) str as objects; None where there is none.
    """

    noun: str
    values: npt.NDArray[np.object_]

    def present(self) -> Mask:
        """Rows that have it. (N,) bool."""
        return np.array([value is not None for value in self.values], bool)

    def columns(self) -> Floats:
        """For a classifier: which of the most frequent words it is. (N, at most `_COMMON`) float64, 0 or 1."""
        words, codes, counts = np.unique(self.values.astype(str), return_inverse=True, return_counts=True)
        common = np.argsort(-counts, kind="stable")[: min(_COMMON, words.size)]
        return np.asarray(codes[:, None] == common[None], np.float64)

    def separation(self, fake: Mask) -> float:
        """Distance from 0.5 of the AUC of the word that separates best, in [0, 0.5]."""
        return abs(self._telling(fake)[1]) / 2

    def told(self, fake: Mask) -> str:
        """The word whose share differs most between the classes."""
        word = self._telling(fake)[0]
        shares = [float(np.mean(self.values[rows] == word)) for rows in (fake, ~fake)]
        return f"{shares[0]:.0%} of the fakes and {shares[1]:.0%} of the reals have the {self.noun} {word}"

    def take(self, rows: Ints) -> Sort:
        """The same of fewer rows."""
        return replace(self, values=self.values[rows])

    def alike(self) -> str:
        """The value that all rows have."""
        return f"the {self.noun} is {self.values[0]}"

    def _telling(self, fake: Mask) -> tuple[str, float]:
        """That word and the difference of its shares; of equally telling ones the most frequent."""
        words, codes, counts = np.unique(self.values.astype(str), return_inverse=True, return_counts=True)
        differences = np.bincount(codes[fake], minlength=words.size) / fake.sum()
        differences -= np.bincount(codes[~fake], minlength=words.size) / (~fake).sum()
        best = np.lexsort((-counts, -np.abs(differences).round(9)))[0]
        return str(words[best]), float(differences[best])


Measurement = Number | Sort


@dataclass(frozen=True, slots=True, eq=False)
class Family:
    """Measurements of one kind, of N rows; the first is told where all rows are alike.

    Attributes:
        name: for `Shortcut.family`.
        measurements: at least one.
    """

    name: str
    measurements: tuple[Measurement, ...]

    def present(self) -> Mask:
        """Rows that have every measurement. (N,) bool."""
        return np.asarray(np.stack([one.present() for one in self.measurements]).all(axis=0))

    def take(self, rows: Ints) -> Family:
        """The same of fewer rows."""
        return Family(self.name, tuple(one.take(rows) for one in self.measurements))

    def columns(self) -> Floats:
        """For a classifier: (N, F) float64 without those that are equal in all rows; F may be 0."""
        columns = np.hstack([one.columns() for one in self.measurements])
        return np.asarray(columns[:, (columns != columns[:1]).any(axis=0)])

    def explain(self, fake: Mask) -> str:
        """A clause about the measurement that by itself separates the classes best.

        Args:
            fake: (N,) bool, both classes in it.
        """
        separations = [one.separation(fake) for one in self.measurements]
        best = int(np.argmax(separations))
        told = self.measurements[best].told(fake)
        return told if separations[best] >= _HARDLY else f"no single measurement says much; the strongest: {told}"

    def alike(self) -> str:
        """A clause about the value that all rows have."""
        return f"all alike: {self.measurements[0].alike()}"


def _auc(values: Floats, fake: Mask) -> float:
    """Share of pairs of a fake and a real in which the fake has the higher value; a tie counts half."""
    fakes = int(fake.sum())
    above = stats.rankdata(values)[fake].sum() - fakes * (fakes + 1) / 2
    return float(above) / (fakes * (fake.size - fakes))
