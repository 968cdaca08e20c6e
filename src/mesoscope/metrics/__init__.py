"""The measures of a detector, as pure functions of arrays. Imports numpy and scipy alone.

Everywhere: ``fake`` is (N,) bool, the positive class; scores are (N,) float64, higher = more likely fake; groups are
(N,) int64 codes from 0. What cannot be computed comes back as `Undefined` with the reason, never as a number.
"""

from mesoscope.metrics.aggregation import aggregate
from mesoscope.metrics.correction import benjamini_hochberg, holm
from mesoscope.metrics.estimates import Estimate, Intervals, estimate_all
from mesoscope.metrics.paired import Difference, delong, mcnemar
from mesoscope.metrics.proportions import clopper_pearson, wilson
from mesoscope.metrics.ranking import (
    auc_draws,
    average_precision,
    equal_error_rate,
    recall_at_fpr,
    roc_auc,
)
from mesoscope.metrics.sample import Sample
from mesoscope.metrics.undefined import Number, Undefined

__all__ = [
    "Difference",
    "Estimate",
    "Intervals",
    "Number",
    "Sample",
    "Undefined",
    "aggregate",
    "auc_draws",
    "average_precision",
    "benjamini_hochberg",
    "clopper_pearson",
    "delong",
    "equal_error_rate",
    "estimate_all",
    "holm",
    "mcnemar",
    "recall_at_fpr",
    "roc_auc",
    "wilson",
]
