"""How well columns of numbers tell a label: scores of held-out rows, by two standard classifiers together.

Shortcuts come in two shapes: a class is shifted (softer, larger, redder), or it has values that the other has not
(one exact size, one table, less spread). Logistic regression finds the first in few rows, boosted trees find the
second and whatever is bent. Their log odds are added; the choice was made once, for all families (docs/log.md has
what each gives alone). Both see the same whatever monotone scale a number is on.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import QuantileTransformer, StandardScaler
from threadpoolctl import threadpool_limits

from mesoscope_train.data.audit.evidence import Floats, Mask

FOLDS = 5
_QUANTILES = 200
_SUREST = 1e-4
"""Probabilities nearer to 0 or 1 are taken for this, so that one classifier cannot outvote the other for ever."""

Ints = npt.NDArray[np.int64]


def assign_folds(fake: Mask, group: Ints, *, seed: int) -> Ints:
    """Each row's fold, from 0: no group is split, classes are as even as groups allow. (N,) int64."""
    splitter = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    fold = np.empty(fake.size, np.int64)
    for number, (_, held_out) in enumerate(splitter.split(fake, fake, group)):
        fold[held_out] = number
    return fold


def held_out_scores(columns: Floats, fake: Mask, fold: Ints) -> Floats:
    """Log odds of fake for each row, from classifiers that saw the other folds only.

    Args:
        columns: (N, F) float64, finite, F at least 1.
        fake: (N,) bool.
        fold: (N,); each fold's complement must hold both classes.

    Returns:
        (N,) float64, comparable inside a fold.
    """
    scores = np.empty(fake.size)
    # one thread: the work is small, and threads that wait for each other on a busy machine made it ten times slower
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for number in np.unique(fold):
            inside = fold == number
            scores[inside] = sum(
                _log_odds(model.fit(columns[~inside], fake[~inside]), columns[inside])
                for model in _classifiers(int((~inside).sum()))
            )
    return scores


def _classifiers(rows: int) -> tuple[Pipeline, HistGradientBoostingClassifier]:

    normal = QuantileTransformer(n_quantiles=min(_QUANTILES, rows), output_distribution="normal", random_state=0)
    linear = make_pipeline(normal, StandardScaler(), LogisticRegression(max_iter=1000))
    # small leaves and few of them: sets of a hundred pictures are common
    trees = HistGradientBoostingClassifier(
        max_leaf_nodes=15, min_samples_leaf=10, l2_regularization=1.0, early_stopping=False, random_state=0
    )
    return linear, trees


def _log_odds(model: Any, columns: Floats) -> Floats:  # noqa: ANN401 - scikit-learn has no type for a classifier

    fakes = np.clip(model.predict_proba(columns)[:, 1], _SUREST, 1 - _SUREST)
    return np.asarray(np.log(fakes / (1 - fakes)))
