"""Estimates with their bootstrap draws, made once where a reading and a comparison need the same."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from mesoscope.metrics import Estimate, Intervals, Sample, Undefined
from mesoscope.metrics.estimates import estimate_with_draws
from mesoscope.metrics.undefined import Floats, Ints
from mesoscope_train.evaluation.metrics_schema import Settings
from mesoscope_train.evaluation.parts import Units

PAIRED = ("auc", "accuracy")
"""What is compared between bundles, tiers and manifests."""
Found = tuple[dict[str, Estimate | Undefined], dict[str, Floats]]
"""Estimates by name, and of those of `PAIRED` their draws."""


@dataclass(slots=True)
class Drawing:
    """Estimates of one manifest's units, and the draws that comparisons pair.

    Attributes:
        settings: level, draws, seed.
        whole: units (this very object) to what was found of all of them.
        some: units and rows to what was found of a part.
    """

    settings: Settings
    whole: dict[Units, Found] = field(default_factory=dict)
    some: dict[tuple[Units, bytes], Found] = field(default_factory=dict)

    @property
    def intervals(self) -> Intervals:
        """How numbers get their intervals."""
        return Intervals(self.settings.level, self.settings.draws, self.settings.seed, self.settings.bins)

    def reading(self, units: Units, names: Collection[str]) -> dict[str, Estimate | Undefined]:
        """Estimates of all units; the draws of `PAIRED` are kept for `pair`."""
        estimates, draws = estimate_with_draws(units.sample.compact(), self.intervals, names)
        self.whole[units] = (estimates, {name: draws[name] for name in PAIRED if name in draws})
        return estimates

    def part(self, units: Units, sample: Sample, rows: Ints) -> Found:
        """Estimates and draws of `PAIRED` of `sample`: the answered `rows` of the units, with compact groups."""
        # where all units were answered their groups are the same as the sample's, and so are the draws
        if rows.size == units.fake.size and units in self.whole:
            return self.whole[units]
        key = (units, rows.tobytes())
        if key not in self.some:
            self.some[key] = estimate_with_draws(sample, self.intervals, PAIRED)
        return self.some[key]
