"""How well scores rank fakes above reals: ROC, AUC, average precision, EER, recall at a false-positive rate.

One descent through the sorted scores serves all of them, and serves many weightings of the rows at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mesoscope.metrics.bootstrap import draw_groups
from mesoscope.metrics.undefined import ALL_EQUAL, Bools, Floats, Ints, Number, Undefined, one_class, unfit

_ROUNDING = 1e-12
"""Relative: 0.05 times 20 is one real, though a float may say a little less."""
_LEAST = 1e-300


@dataclass(frozen=True, slots=True, eq=False)
class Ladder:
    """Rows by falling score; equal scores are one rung.

    Attributes:
        order: (N,) indices of the rows, highest score first.
        fake: (N,) labels in that order.
        ends: (K,) the last place of each rung in that order.
        scores: (K,) the rungs' scores, falling.
    """

    order: Ints
    fake: Bools
    ends: Ints
    scores: Floats

    @classmethod
    def of(cls, fake: Bools, scores: Floats) -> Ladder:
        """Sort once. Scores are finite and there is at least one."""
        order = np.argsort(-scores, kind="stable")
        fallen = scores[order]
        ends = np.append(np.flatnonzero(np.diff(fallen)), scores.size - 1)
        return cls(np.asarray(order, np.int64), fake[order], np.asarray(ends, np.int64), fallen[ends])

    def descend(self, weights: Floats | None = None, group: Ints | None = None) -> Descent:
        """Fakes and reals at or above each rung, rows (or their groups) weighted in D ways.

        Args:
            weights: (D, groups); None counts each row once (D = 1).
            group: (N,) the column of `weights` for each row; None where there is one for each row.
        """
        if weights is None:
            each = np.ones((1, self.order.size))
        else:
            each = np.take(weights, self.order if group is None else group[self.order], axis=1)
        everything = np.cumsum(each, axis=1)
        fakes = np.cumsum(np.multiply(each, self.fake, out=each), axis=1)
        if self.ends.size < self.order.size:
            everything, fakes = everything[:, self.ends], fakes[:, self.ends]
        return Descent(fakes, np.subtract(everything, fakes, out=everything))


@dataclass(frozen=True, eq=False)
class Descent:
    """Weighted counts at or above each of K rungs, for D weightings.

    Attributes:
        true: (D, K) fakes (true positives, if the threshold stands there).
        false: (D, K) reals (false positives).

    The methods give (D,) float64, NaN for a weighting that has only one class.
    """

    true: Floats
    false: Floats

    @cached_property
    def tpr(self) -> Floats:
        """(D, K) share of the fakes."""
        return _share(self.true, self.true[:, -1:])

    @cached_property
    def fpr(self) -> Floats:
        """(D, K) share of the reals."""
        return _share(self.false, self.false[:, -1:])

    def auc(self) -> Floats:
        """Area under the ROC curve by trapezoids: a pair of equal scores counts half."""
        true, false = self.true, self.false
        both = true[:, -1] * false[:, -1]
        # twice the area is the sum of false[k] * true[k - 1] - false[k - 1] * true[k], and the corner's product
        crossed = np.einsum("dk,dk->d", false[:, 1:], true[:, :-1]) - np.einsum(
            "dk,dk->d", false[:, :-1], true[:, 1:]
        )
        return _share((crossed + both) / 2, both)

    def average_precision(self) -> Floats:
        """Sum of precision times the step in recall, without interpolation."""
        # at a rung without any weight the step is 0, whatever is divided by
        precision = self.true / np.maximum(self.true + self.false, _LEAST)
        steps = np.einsum("dk,dk->d", np.diff(self.true, axis=1, prepend=0.0), precision)
        return np.where(self.false[:, -1] > 0, _share(steps, self.true[:, -1]), np.nan)

    def eer(self) -> Floats:
        """Where the ROC curve, rungs joined by straight lines, crosses fpr = 1 - tpr."""
        fpr, tpr = self.fpr, self.tpr
        # fpr + tpr rises down the rungs
        place = np.minimum(np.count_nonzero(fpr + tpr < 1, axis=1), fpr.shape[1] - 1)
        rows, before = np.arange(len(fpr)), np.maximum(place - 1, 0)
        fpr_start, tpr_start = (np.where(place > 0, rate[rows, before], 0.0) for rate in (fpr, tpr))
        fpr_end, tpr_end = fpr[rows, place], tpr[rows, place]
        walked = _share(1 - fpr_start - tpr_start, fpr_end + tpr_end - fpr_start - tpr_start)
        return np.asarray(fpr_start + (fpr_end - fpr_start) * walked)

    def recall_at(self, fpr: float) -> Floats:
        """Highest share of fakes at a threshold that calls at most the share `fpr` of the reals fake."""
        allowed = fpr * self.false[:, -1:] * (1 + _ROUNDING)
        # counts rise down the rungs: as many as are within stand before the first that is not
        place = np.count_nonzero(self.false <= allowed, axis=1)
        best = np.take_along_axis(self.true, np.maximum(place - 1, 0)[:, None], axis=1)[:, 0]
        share = _share(np.where(place > 0, best, 0.0), self.true[:, -1])
        return np.where(self.false[:, -1] > 0, share, np.nan)


def roc_auc(fake: Bools, scores: Floats) -> Number:
    """Area under the ROC curve: the chance that a fake scores above a real one, a tie counting half."""
    return _unrankable(fake, scores) or float(Ladder.of(fake, scores).descend().auc()[0])


def average_precision(fake: Bools, scores: Floats) -> Number:
    """Area under precision over recall, as a sum of steps."""
    return _unrankable(fake, scores) or float(Ladder.of(fake, scores).descend().average_precision()[0])


def equal_error_rate(fake: Bools, scores: Floats) -> Number:
    """The rate of errors at the threshold that mistakes as large a share of reals as of fakes."""
    return _unrankable(fake, scores) or float(Ladder.of(fake, scores).descend().eer()[0])


def recall_at_fpr(fake: Bools, scores: Floats, fpr: float) -> Number:
    """Highest share of fakes found while at most the share `fpr` of these reals is called fake.

    Undefined where there are fewer reals than 1 / `fpr`: not one of them may then be mistaken, which says nothing
    of a rate of `fpr`.
    """
    return (
        _unrankable(fake, scores)
        or too_few_reals(int((~fake).sum()), fpr)
        or float(Ladder.of(fake, scores).descend().recall_at(fpr)[0])
    )


def too_few_reals(reals: int, fpr: float) -> Undefined | None:
    """Why a false-positive rate of `fpr` cannot be told from none among so many reals, or None."""
    needed = int(np.ceil(1 / fpr - 1e-9))
    if reals >= needed:
        return None
    return Undefined(f"{reals} reals are too few for a rate of {100 * fpr:g} %: it takes {needed}")


def _unrankable(fake: Bools, scores: Floats) -> Undefined | None:
    return unfit(fake, scores) or unrankable(fake, scores)


def unrankable(fake: Bools, scores: Floats) -> Undefined | None:
    """Why finite scores rank nothing here (one class, or all scores equal), or None."""
    return one_class(fake) or (ALL_EQUAL if scores.min() == scores.max() else None)


def auc_draws(fake: Bools, scores: Floats, group: Ints, groups: int, *, draws: int, seed: int) -> Floats:
    """AUC of each bootstrap draw of groups; (draws,) float64, NaN for a draw with one class.

    Two calls with the same groups and seed make the same draws: their difference is a paired one.

    Groups without a row here are drawn too.
    """
    ladder = Ladder.of(fake, scores)
    blocks = draw_groups(groups, draws, seed, rows=scores.size)
    return np.concatenate([ladder.descend(weights, group).auc() for weights in blocks])


def roc_vertices(fake: Bools, scores: Floats) -> tuple[Floats, Floats, Floats]:
    """Every corner of the ROC curve: fpr, tpr, score, each (K + 1,), from (0, 0) at the score infinity to (1, 1).

    Both classes are present.
    """
    ladder = Ladder.of(fake, scores)
    descent = ladder.descend()
    return (
        np.append(0.0, descent.fpr[0]),
        np.append(0.0, descent.tpr[0]),
        np.append(np.inf, ladder.scores),
    )


def curves_of(descent: Descent) -> Iterator[tuple[Floats, Floats, Floats]]:
    """For each weighting with both classes: fpr, tpr and precision at the rungs, (K,) each."""
    precision = _share(descent.true, descent.true + descent.false)
    for fpr, tpr, precise in zip(descent.fpr, descent.tpr, precision, strict=True):
        if np.isfinite(fpr[-1]) and np.isfinite(tpr[-1]):
            yield fpr, tpr, precise


def _share(part: Floats, whole: Floats) -> Floats:
    """`part` over `whole`, NaN where the whole is 0."""
    out = np.full(np.broadcast(part, whole).shape, np.nan)
    return np.asarray(np.divide(part, whole, out=out, where=whole > 0))
