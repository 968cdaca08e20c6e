"""Measurements as distributions of the classes, and which of them tells the classes apart the most."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mesoscope.manifest import Manifest
from mesoscope_train.data.audit.evidence import Number
from mesoscope_train.data.audit.families import families
from mesoscope_train.data.audit.shortcuts import MAX_ROWS, draw_rows
from mesoscope_train.data.explore.content import Chart
from mesoscope_train.data.explore.distributions import Panel, draw_distributions
from mesoscope_train.data.explore.forest import family_name
from mesoscope_train.data.explore.histograms import histogram
from mesoscope_train.data.explore.tallies import Mask
from mesoscope_train.figures import shortened

Floats = npt.NDArray[np.float64]
_TELLING = 0.1
"""`Number.separation` from which on a measurement's distribution is shown."""
_MOST_TELLING = 4


def telling_chart(manifest: Manifest, measures: pa.Table, *, seed: int = 0) -> Chart | None:
    """Distributions of the single measurements that tell the classes apart the most, at most one of each family.

    Args:
        manifest: the rows.
        measures: of each row, in the same order.
        seed: of the rows that are drawn where there are more than the audit looks at.

    Returns:
        None where there is one class only, or nothing that tells anything.
    """
    readable = np.flatnonzero(pc.is_null(measures.column("error")).to_numpy())
    fake = pc.equal(manifest.table.column("label"), "fake").to_numpy()[readable]
    if fake.all() or not fake.any():
        return None
    drawn = draw_rows(fake, manifest.codes("group")[0][readable], MAX_ROWS, seed=seed)
    rows, fake = readable[drawn], fake[drawn]
    found = sorted(_best_of_each(manifest.take(rows), measures.take(pa.array(rows)), fake), key=lambda one: -one[0])
    if not found:
        return None
    panels = [
        (family_name(family).capitalize(), shortened(number.noun, 56), number.values)
        for _, family, number in found[:_MOST_TELLING]
    ]
    caption = (
        "Of each family the single measurement that by itself tells the classes apart best, as shares of each class. "
        "The table below says more of it."
    )
    return distributions(panels, {"real": ~fake, "fake": fake}, "telling", caption)


def _best_of_each(manifest: Manifest, measures: pa.Table, fake: Mask) -> Iterator[tuple[float, str, Number]]:
    """For each family how far its best number separates the classes, if it does, and the number."""
    for family in families(manifest, measures):
        there = np.flatnonzero(family.present())
        of_there = fake[there]
        if of_there.all() or not of_there.any():
            continue
        numbers = zip(family.measurements, family.take(there).measurements, strict=True)
        found = [(part.separation(of_there), whole) for whole, part in numbers if isinstance(whole, Number)]
        distance, number = max(found, key=lambda one: one[0], default=(0.0, None))
        if number is not None and distance >= _TELLING:
            yield distance, family.name, number


def distributions(
    panels: Sequence[tuple[str, str, Floats]], masks: Mapping[str, Mask], name: str, caption: str
) -> Chart:
    """A chart of panels: title, unit, (N,) values (NaN where there is none)."""
    known = []
    for title, unit, values in panels:
        shares = histogram({label: values[mask] for label, mask in masks.items()})
        if shares is not None:
            known.append(Panel(title, unit, shares))
    return Chart(name, draw_distributions(known), caption, wide=len(known) > 1)


def column_of(table: pa.Table, name: str) -> Floats:
    """(N,) float64, NaN where there is none."""
    numbers: npt.NDArray[Any] = table.column(name).cast(pa.float64()).combine_chunks().to_numpy(zero_copy_only=False)
    return np.asarray(numbers, np.float64)
