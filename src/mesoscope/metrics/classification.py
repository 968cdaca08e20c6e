"""Measures of the answers at a threshold, each a ratio of sums over units: accuracy, recall and the like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mesoscope.metrics.sample import Sample
from mesoscope.metrics.undefined import NO_FAKE, NO_REAL, NOTHING, Floats, Undefined

Columns = Mapping[str, Floats]
"""Name to what a unit adds to that sum, (N,); or to the sums themselves, of any shape."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """Sums of columns over sums of columns; a name that stands twice counts twice.

    Attributes:
        part, whole: names of columns.
        empty: why it is undefined where the whole is 0.
        root: whether the square root is taken.
        proportion: whether it is "so many of so many" (then Clopper and Pearson bound it at 0 and 1).
    """

    part: tuple[str, ...]
    whole: tuple[str, ...]
    empty: Undefined
    root: bool = False
    proportion: bool = True

    def of(self, sums: Columns) -> Floats:
        """The ratio of sums of any shape, NaN where the whole is 0."""
        part, whole = _total(self.part, sums), _total(self.whole, sums)
        ratio = np.divide(part, whole, out=np.full_like(whole, np.nan), where=whole > 0)
        return np.asarray(np.sqrt(ratio) if self.root else ratio)

    def counted(self, columns: Columns) -> Floats:
        """(N,) which units the whole counts."""
        return np.asarray(sum((columns[name] for name in sorted(set(self.whole))), np.zeros(())) > 0, np.float64)


def _total(names: tuple[str, ...], sums: Columns) -> Floats:
    return np.asarray(np.sum([sums[name] for name in names], axis=0))


_ANSWERED = ("tn", "fp", "fn", "tp")
_CALLED_FAKE = Undefined("nothing was called fake")
_CALLED_REAL = Undefined("nothing was called real")
_NOTHING_AT_ALL = Undefined("there is no unit at all")

RATIOS: Mapping[str, Ratio] = {
    "accuracy": Ratio(("tn", "tp"), _ANSWERED, NOTHING),
    "accuracy_at_half": Ratio(("right_at_half",), _ANSWERED, NOTHING),
    "accuracy_real": Ratio(("tn",), ("tn", "fp"), NO_REAL),
    "accuracy_fake": Ratio(("tp",), ("tp", "fn"), NO_FAKE),
    "false_positive_rate": Ratio(("fp",), ("tn", "fp"), NO_REAL),
    "false_negative_rate": Ratio(("fn",), ("tp", "fn"), NO_FAKE),
    "accuracy_all": Ratio(("conclusive_right",), ("all",), _NOTHING_AT_ALL),
    "answered": Ratio(_ANSWERED, ("all",), _NOTHING_AT_ALL),
    "coverage": Ratio(("conclusive",), ("all",), _NOTHING_AT_ALL),
    "conclusive_accuracy": Ratio(("conclusive_right",), ("conclusive",), Undefined("no answer is outside the band")),
    "mse_labels": Ratio(("fp", "fn"), _ANSWERED, NOTHING),
    "rmse_labels": Ratio(("fp", "fn"), _ANSWERED, NOTHING, root=True),
    "log_loss": Ratio(("log_loss",), _ANSWERED, NOTHING, proportion=False),
    "brier": Ratio(("squared",), _ANSWERED, NOTHING, proportion=False),
    "mse_scores": Ratio(("squared",), _ANSWERED, NOTHING, proportion=False),
    "rmse_scores": Ratio(("squared",), _ANSWERED, NOTHING, root=True, proportion=False),
    "prevalence": Ratio(("tp", "fn"), _ANSWERED, NOTHING),
    "precision_fake": Ratio(("tp",), ("tp", "fp"), _CALLED_FAKE),
    "f1_fake": Ratio(("tp", "tp"), ("tp", "tp", "fp", "fn"), Undefined("no fake, and nothing called fake")),
    "precision_real": Ratio(("tn",), ("tn", "fn"), _CALLED_REAL),
    "f1_real": Ratio(("tn", "tn"), ("tn", "tn", "fn", "fp"), Undefined("no real, and nothing called real")),
}


def columns_of(sample: Sample) -> dict[str, Floats]:
    """What each unit adds to the sums of `RATIOS`, (N,) float64; ``all`` lacks those without an answer."""
    fake, called = sample.fake, sample.called_fake
    clear = ~sample.inconclusive
    step = np.finfo(np.float64).eps
    probability = np.clip(sample.probability, step, 1 - step)
    booleans = {
        "tn": ~fake & ~called,
        "fp": ~fake & called,
        "fn": fake & ~called,
        "tp": fake & called,
        "conclusive": clear,
        "conclusive_right": clear & (fake == called),
        "all": np.ones_like(fake),
        "right_at_half": fake == (sample.logit >= 0),
    }
    return {
        **{name: column.astype(np.float64) for name, column in booleans.items()},
        "log_loss": -np.where(fake, np.log(probability), np.log1p(-probability)),
        "squared": (sample.probability - fake) ** 2,
    }
