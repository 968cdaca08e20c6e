"""AUC of scores from a cross-validation, with an interval that is honest about groups and about the folds.

Three decisions, each for a known fault of the plain way:

* Pairs are compared inside a fold only. Scores of different folds come from different models; where a held-out
  fold has more fakes than its share, its training part has fewer, and a pooled AUC falls below 0.5 where there is
  nothing to learn. Inside a fold, labels that mean nothing give 0.5 on average.
* The bootstrap draws groups, not rows: twenty frames of a video are one observation.
* Held-out folds are training data of each other, so that their AUCs vary together, and a bootstrap of the scores is
  blind to it. The interval is widened as C. Nadeau and Y. Bengio propose (Inference for the generalization error,
  Machine Learning 52, 2003): variance times 1 + K / (K - 1) for K folds. docs/log.md has the coverage measured with
  and without.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import stats

from mesoscope.metrics.bootstrap import draw_groups

DRAWS = 1000

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """What is known of N rows beside their scores. Arrays of N.

    Attributes:
        fake: bool.
        group: which rows belong together; any whole numbers.
        fold: which model scored the row.
    """

    fake: npt.NDArray[np.bool_]
    group: Ints
    fold: Ints

    def group_counts(self) -> tuple[int, int]:
        """Groups that hold a real, and groups that hold a fake."""
        return int(np.unique(self.group[~self.fake]).size), int(np.unique(self.group[self.fake]).size)


@dataclass(frozen=True, slots=True)
class Estimate:
    """An AUC with its interval, all in [0, 1]."""

    auc: float
    low: float
    high: float


def estimate_auc(
    scores: Floats, rows: Labelled, *, level: float = 0.95, seed: int = 0, draws: int = DRAWS
) -> Estimate:
    """AUC inside the folds and its interval.

    The interval is normal around the AUC on the scale of arcsin(sqrt(AUC)), where a proportion varies as much near 1
    as near 0.5. Where the classes are apart no draw of the bootstrap differs from another: the interval then ends
    where it would if none were misplaced of as many as the rarer class has groups (Clopper and Pearson).

    Args:
        scores: (N,), higher = more likely fake, comparable inside a fold.
        rows: both classes in at least one fold.
        level: of the interval.
        seed: of the bootstrap.
        draws: of the bootstrap.
    """
    pairs, concordant = fold_pairs(scores, rows, np.ones((1, rows.group.max() + 1)))
    auc = float(concordant[0] / pairs[0])
    spread = float(np.std(_angle(bootstrap_aucs(scores, rows, seed=seed, draws=draws))))
    folds = np.unique(rows.fold).size
    correction = np.sqrt(1 + folds / (folds - 1)) if folds > 1 else 1.0
    reach = stats.norm.ppf((1 + level) / 2) * spread * correction
    centre = float(_angle(np.array(auc)))
    low, high = np.sin(max(centre - reach, 0)) ** 2, np.sin(min(centre + reach, np.pi / 2)) ** 2
    none_misplaced = float(((1 - level) / 2) ** (1 / min(rows.group_counts())))
    return Estimate(auc, float(min(low, auc, none_misplaced)), float(max(high, auc, 1 - none_misplaced)))


def bootstrap_aucs(scores: Floats, rows: Labelled, *, seed: int, draws: int = DRAWS) -> Floats:
    """The AUC of each draw of as many groups as there are, with replacement. (at most `draws`,) float64.

    Draws in which no fold has both classes are left out.
    """
    names, codes = np.unique(rows.group, return_inverse=True)
    rows = replace(rows, group=codes)
    found = []
    for weights in draw_groups(names.size, draws, seed, rows=scores.size):
        pairs, concordant = fold_pairs(scores, rows, weights)
        found.append(concordant[pairs > 0] / pairs[pairs > 0])
    return np.concatenate(found)


def fold_pairs(scores: Floats, rows: Labelled, weights: Floats) -> tuple[Floats, Floats]:
    """Pairs of a fake and a real in one fold, and how many of them the scores put right (a tie counts half).

    Args:
        scores: (N,).
        rows: their groups are columns of `weights`.
        weights: (D, groups) how often each group counts.

    Returns:
        (D,) and (D,); the second over the first is the AUC.
    """
    pairs, concordant = np.zeros(len(weights)), np.zeros(len(weights))
    for fold in np.unique(rows.fold):
        inside = rows.fold == fold
        fakes, reals = np.flatnonzero(inside & rows.fake), np.flatnonzero(inside & ~rows.fake)
        reals = reals[np.argsort(scores[reals], kind="stable")]
        of_fakes, of_reals = weights[:, rows.group[fakes]], weights[:, rows.group[reals]]
        below = np.concatenate([np.zeros((len(weights), 1)), np.cumsum(of_reals, axis=1)], axis=1)
        first = np.searchsorted(scores[reals], scores[fakes], "left")
        last = np.searchsorted(scores[reals], scores[fakes], "right")
        concordant += (of_fakes * (below[:, first] + below[:, last])).sum(axis=1) / 2
        pairs += of_fakes.sum(axis=1) * below[:, -1]
    return pairs, concordant


def _angle(auc: Floats) -> Floats:

    return np.asarray(np.arcsin(np.sqrt(auc)))
