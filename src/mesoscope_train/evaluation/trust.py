"""How far a reading can be relied on, by fixed bounds that the page states."""

from __future__ import annotations

from typing import Literal

from mesoscope_train.evaluation.metrics_schema import Metric, Reading

Level = Literal["good", "care", "unfit", "weak", "chance"]
LEVELS: tuple[Level, ...] = ("good", "care", "unfit", "weak", "chance")
"""From best to worst."""
RANK = {"good": 0.9, "care": 0.75, "weak": 0.5}
"""The lower end of the AUC's interval that each level needs; below the last one, chance."""
ERRORS = {"good": (0.1, 0.2), "care": (0.2, 0.5)}
"""The upper ends that false-positive and false-negative rate may have; above the last ones, weak."""
BOUNDS_TOLD = (
    "“Reliable” means: the whole interval of the AUC lies above 0.9, of 100 reals at most 10 are called fake and of "
    "100 fakes at most 20 are missed, each at the unfavourable end of its interval. “With care”: 0.75, 20 and 50. "
    "“Threshold unfit”: the AUC allows at least “with care”, but the bundle’s threshold makes more mistakes than "
    "that. “Not to be relied on”: worse. “No better than a coin”: the AUC’s interval holds 0.5. Where there is only "
    "one class, its own mistakes decide."
)


def level_of(reading: Reading) -> Level | None:
    """The worse of how it ranks and how it answers; None where neither is known.

    An estimate without an interval (too few groups) is never called good.
    """
    ranks, answers = rank_level(reading), _answer_level(reading)
    if ranks in ("good", "care") and answers == "weak":
        return "unfit"
    levels = [level for level in (ranks, answers) if level is not None]
    return max(levels, key=LEVELS.index) if levels else None


def rank_level(reading: Reading) -> Level | None:
    """By the AUC alone; None where it is absent."""
    auc = reading.metrics.get("auc")
    if not isinstance(auc, Metric):
        return None
    low = auc.value if auc.low is None else auc.low
    if low >= RANK["good"] and auc.low is not None:
        return "good"
    if low >= RANK["care"]:
        return "care"
    return "weak" if low > RANK["weak"] else "chance"


def _answer_level(reading: Reading) -> Level | None:
    rates = [reading.metrics.get(name) for name in ("false_positive_rate", "false_negative_rate")]
    if not any(isinstance(rate, Metric) for rate in rates):
        return None
    for level in ("good", "care"):
        if all(_within(rate, bound, level) for rate, bound in zip(rates, ERRORS[level], strict=True)):
            return level
    return "weak"


def _within(rate: object, bound: float, level: Level) -> bool:
    """Whether a rate, if there is one, keeps below a bound even at the bad end of its interval."""
    if not isinstance(rate, Metric):
        return True
    if rate.high is None:
        return level != "good" and rate.value <= bound
    return rate.high <= bound
