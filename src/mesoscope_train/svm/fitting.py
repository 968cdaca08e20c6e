"""Choosing and fitting a support vector machine from features alone. No torch, no files.

Exact: scikit-learn's `SVC` (libsvm). Large sets: a Nystroem approximation of the kernel (Williams and Seeger, "Using
the Nystroem Method to Speed Up Kernel Machines", NIPS 2000) with a linear machine on it. With landmarks L and their
kernel matrix ``U S U'``, a row's approximate features are ``k(x, L) U S^-1/2``; a linear machine w on these is
``k(x, L) c`` with ``c = U S^-1/2 w``: the same form as the exact machine, with landmarks for support vectors. Small
eigenvalues are left out, for their inverses would make c too large for float32.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC

from mesoscope.errors import UsageError
from mesoscope_train.recipes.settings import Svm

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
SMALLEST_EIGENVALUE = 1e-4
"""Of the landmarks' kernel matrix, over its largest."""
STILL = 1e-5
"""A feature whose deviation is below this share of the largest is taken for constant, and is not scaled up."""
_CACHE_MB = 500
_SCORES = {"accuracy": "accuracy", "auc": "roc_auc"}


@dataclass(frozen=True, slots=True)
class Tried:
    """One pair of the grid, with means and deviations over the folds.

    Attributes:
        c, gamma: penalty; kernel width times the number of features.
        accuracy, auc: means over the folds.
        accuracy_deviation, auc_deviation: between folds.
    """

    c: float
    gamma: float
    accuracy: float
    accuracy_deviation: float
    auc: float
    auc_deviation: float


@dataclass(frozen=True)
class Fitted:
    """A machine as plain numbers, all float64; see `mesoscope_train.detectors.svm.SvmHead`.

    Attributes:
        mean, scale: of the features, (D,).
        vectors: scaled, (V, D).
        coefficients: (V,).
        gamma: of the kernel, as it is used.
        intercept: of the decision value.
        exact: False for the approximation.
        decide: scikit-learn's own decision value of unscaled features, (N, D) to (N,).
    """

    mean: Floats
    scale: Floats
    vectors: Floats
    coefficients: Floats
    gamma: float
    intercept: float
    exact: bool
    decide: Callable[[npt.ArrayLike], Floats]


class _Scaler(StandardScaler):
    """Scikit-learn's, but features that hardly move are not blown up: their movement is rounding."""

    def fit(self, X: Floats, y: object = None, sample_weight: object = None) -> _Scaler:  # noqa: N803 - its own names
        super().fit(X, y, sample_weight)
        deviation = np.sqrt(self.var_)
        self.scale_ = np.where(deviation <= STILL * max(deviation.max(), 1e-30), 1.0, deviation)
        return self


class _Landmarks(TransformerMixin, BaseEstimator):
    """The approximate features of the kernel; see the module's text."""

    def __init__(self, gamma: float = 1.0, count: int = 1000, seed: int = 0) -> None:
        self.gamma, self.count, self.seed = gamma, count, seed

    def fit(self, X: Floats, y: object = None) -> _Landmarks:  # noqa: N803 - scikit-learn's own names
        rows = np.random.default_rng(self.seed).permutation(len(X))[: self.count]
        self.landmarks_ = X[np.sort(rows)]
        values, vectors = np.linalg.eigh(rbf_kernel(self.landmarks_, gamma=self.gamma))
        kept = values > SMALLEST_EIGENVALUE * values.max()
        self.projection_ = vectors[:, kept] / np.sqrt(values[kept])
        return self

    def transform(self, X: Floats) -> Floats:  # noqa: N803 - scikit-learn's own names
        projected: Floats = rbf_kernel(X, self.landmarks_, gamma=self.gamma) @ self.projection_
        return projected


def check_classes(fake: Bools, groups: Ints) -> None:
    """Refuse what no machine can be fitted to.

    Raises:
        UsageError: one class only, or all rows of a class are one group.
    """
    for name, rows in (("real", ~fake), ("fake", fake)):
        if not rows.any():
            raise UsageError(
                f"an SVM needs both classes, and none of the {len(fake):,} training pictures is {name}; "
                "choose a manifest whose training part holds both"
            )
        if len(set(groups[rows].tolist())) < 2:
            raise UsageError(
                f"all {name} training pictures are one group: C and gamma cannot be chosen on other groups than the "
                "machine was fitted on; at least two groups of each class are needed"
            )


def folds_of(fake: Bools, groups: Ints, most: int, seed: int) -> list[tuple[Ints, Ints]]:
    """Folds (training rows, held-out rows) that keep groups together, each side with both classes.

    Args:
        fake: (N,).
        groups: (N,), equal numbers are one group.
        most: folds; fewer where there are fewer groups, at least two.
        seed: of the shuffling.

    Raises:
        UsageError: see `check_classes`; or no two folds have both classes on both sides.
    """
    check_classes(fake, groups)
    fewest = min(len(set(groups[rows].tolist())) for rows in (fake, ~fake))
    for count in range(min(most, fewest), 1, -1):
        made = list(StratifiedGroupKFold(count, shuffle=True, random_state=seed).split(fake, fake, groups))
        if all(len(set(fake[side].tolist())) == 2 for fold in made for side in fold):
            return made
    raise UsageError("the groups of the training part cannot be shared out so that both halves hold both classes")


def choose(
    features: Floats, fake: Bools, groups: Ints, how: Svm, *, seed: int = 0, workers: int = 1
) -> tuple[Tried, list[Tried]]:
    """Every pair of the grid by cross-validation with groups, and the best; of equals the smaller C, then gamma.

    Args:
        features: (N, D), not scaled: scaling is fitted within each fold.
        fake: (N,).
        groups: (N,), equal numbers are one group.
        how: the grid, the measure, the folds.
        seed: of the folds, and of the landmarks.
        workers: processes.

    Raises:
        UsageError: see `folds_of`.
    """
    folds = folds_of(fake, groups, how.folds, seed)
    machine = _machine(how, exact=len(features) <= how.exact_rows, seed=seed)
    gammas = [gamma / features.shape[1] for gamma in sorted(how.gamma)]
    kernel = "svc" if "svc" in machine.named_steps else "_landmarks"
    c = "svc__C" if kernel == "svc" else "linearsvc__C"
    search = GridSearchCV(
        machine,
        {c: sorted(how.c), f"{kernel}__gamma": gammas},
        scoring=_SCORES,
        refit=False,
        cv=folds,
        n_jobs=workers,
        error_score="raise",
    ).fit(np.asarray(features, np.float64), fake)
    found = search.cv_results_
    tried = [
        Tried(
            c=float(parameters[c]),
            gamma=float(parameters[f"{kernel}__gamma"] * features.shape[1]),
            **{name: float(found[f"mean_test_{name}"][index]) for name in _SCORES},
            **{f"{name}_deviation": float(found[f"std_test_{name}"][index]) for name in _SCORES},
        )
        for index, parameters in enumerate(found["params"])
    ]
    return max(tried, key=lambda one: (round(getattr(one, how.measure), 6), -one.c, -one.gamma)), tried


def fit(features: Floats, fake: Bools, how: Svm, *, c: float, gamma: float, seed: int = 0) -> Fitted:
    """The machine of one pair, on all rows.

    Args:
        features: (N, D).
        fake: (N,).
        how: what it is told beside c and gamma.
        c: penalty.
        gamma: times the number of features.
        seed: of the landmarks.
    """
    features = np.asarray(features, np.float64)
    exact = len(features) <= how.exact_rows
    width = gamma / features.shape[1]
    machine = _machine(how, exact=exact, seed=seed)
    names = {"svc__C": c, "svc__gamma": width} if exact else {"linearsvc__C": c, "_landmarks__gamma": width}
    machine.set_params(**names).fit(features, fake)
    scaler = machine[0]
    vectors, coefficients = _kernel_sum(machine)
    order = alternating(coefficients)
    return Fitted(
        mean=scaler.mean_,
        scale=scaler.scale_,
        vectors=vectors[order],
        coefficients=coefficients[order],
        gamma=width,
        intercept=float(machine[-1].intercept_[0]),
        exact=exact,
        decide=lambda given: machine.decision_function(np.asarray(given, np.float64)),
    )


def _kernel_sum(machine: Pipeline) -> tuple[Floats, Floats]:
    """Vectors (V, D) and coefficients (V,)."""
    last: Any = machine[-1]
    if isinstance(last, SVC):
        return last.support_vectors_, last.dual_coef_[0]
    landmarks: Any = machine[1]
    return landmarks.landmarks_, landmarks.projection_ @ last.coef_[0]


def alternating(coefficients: Floats) -> Ints:
    """An order (V,) in which negative and positive coefficients alternate, each sign as evenly as it can.

    Libsvm puts one class before the other, so that a sum over ten thousand vectors climbs into the thousands and
    comes back: in an engine that adds one after the other in float32, decision values were off by 0.003, in this
    order by 0.0001.
    """
    positive = coefficients > 0
    place = np.empty(len(coefficients))
    for rows in (np.flatnonzero(positive), np.flatnonzero(~positive)):
        place[rows] = (np.arange(len(rows)) + 0.5) / max(1, len(rows))
    return np.argsort(place, kind="stable")


def _machine(how: Svm, *, exact: bool, seed: int) -> Pipeline:
    weights = "balanced" if how.balanced else None
    if exact:
        return make_pipeline(_Scaler(), SVC(kernel="rbf", class_weight=weights, cache_size=_CACHE_MB))
    linear = LinearSVC(class_weight=weights, dual=False, random_state=seed)
    return make_pipeline(_Scaler(), _Landmarks(count=how.landmarks, seed=seed), linear)
