"""How far a reading can be relied on, by fixed bounds that the page states."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from mesoscope_train.evaluation.metrics_schema import Metric, Reading

Level = Literal["good", "care", "half", "unfit", "weak", "chance"]
LEVELS: tuple[Level, ...] = ("good", "care", "half", "unfit", "weak", "chance")
"""From best to worst."""
RANK: Mapping[Level, float] = {"good": 0.9, "care": 0.75, "weak": 0.5}
"""The lower end of the AUC's interval that each level needs; below the last one, chance."""
ERRORS: Mapping[Level, tuple[float, float]] = {"good": (0.1, 0.2), "care": (0.2, 0.5)}
"""The upper ends that false-positive and false-negative rate may have; above the last ones, weak."""
BOUNDS_TOLD = (
    "“Reliable” means: the whole interval of the AUC lies above 0.9, of 100 reals at most 10 are called fake and of "
    "100 fakes at most 20 are missed, each at the unfavourable end of its interval. “With care”: 0.75, 20 and 50. "
    "“Threshold unfit”: the AUC allows at least “with care”, but the bundle’s threshold makes more mistakes than "
    "that. “Not to be relied on”: worse. “No better than a coin”: the AUC’s interval holds 0.5. Where there is only "
    "one class, “few mistakes” is all that can be said (who always says “real” makes none on reals); "
    "where there are too few groups for an interval, there is too little to say."
)


def level_of(reading: Reading) -> Level | None:
    """The worse of how it ranks and how it answers; None where too few groups leave one without an interval."""
    ranks, answers = rank_level(reading), _answer_level(reading)
    if answers is None or (ranks is None and isinstance(reading.metrics.get("auc"), Metric)):
        return None
    if ranks in ("good", "care") and answers == "weak":
        return "unfit"
    if ranks is None:
        # who calls everything real is right on reals only: that is no reason for trust
        return answers if answers == "weak" else "half"
    return max(ranks, answers, key=LEVELS.index)


def rank_level(reading: Reading) -> Level | None:
    """By the AUC alone; None where it has no interval."""
    auc = reading.metrics.get("auc")
    if not isinstance(auc, Metric) or auc.low is None:
        return None
    if auc.low >= RANK["good"]:
        return "good"
    if auc.low >= RANK["care"]:
        return "care"
    return "weak" if auc.low > RANK["weak"] else "chance"


def _answer_level(reading: Reading) -> Level | None:
    """By the mistakes of each class that is there; None where one has no interval, or there is none."""
    ends = []
    for place, name in enumerate(("false_positive_rate", "false_negative_rate")):
        rate = reading.metrics.get(name)
        if isinstance(rate, Metric):
            if rate.high is None:
                return None
            ends.append((place, rate.high))
    if not ends:
        return None
    for level in ERRORS:
        if all(high <= ERRORS[level][place] for place, high in ends):
            return level
    return "weak"
