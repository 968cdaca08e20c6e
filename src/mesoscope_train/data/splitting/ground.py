"""What every cut of one manifest stands on: its units, its strata and the seeded shuffle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mesoscope.manifest import Manifest
from mesoscope_train.data.splitting.groups import Units, units_of
from mesoscope_train.data.splitting.seeded import Keys
from mesoscope_train.data.splitting.strata import Strata, strata_of


@dataclass(frozen=True, slots=True)
class Ground:
    """See the module.

    Attributes:
        units: what is placed whole.
        strata: whose shares are kept.
        keys: (U,) a seeded number a unit.
    """

    units: Units
    strata: Strata
    keys: Keys

    @classmethod
    def of(cls, manifest: Manifest, by: Sequence[str], stratify: Sequence[str], seed: int) -> Ground:
        """Of a manifest; see `units_of` and `strata_of` for the errors."""
        units = units_of(manifest, by)
        return cls(units, strata_of(manifest, stratify), units.keys(seed))
