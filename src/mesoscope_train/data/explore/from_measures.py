"""The sections that the measured files give: sizes, formats, and what cannot be read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mesoscope.manifest import Manifest
from mesoscope.report.words import plural, visible
from mesoscope_train.data.explore.bars import draw_bars
from mesoscope_train.data.explore.content import Chart, Section, Table
from mesoscope_train.data.explore.tallies import Mask, label_masks, tally_values
from mesoscope_train.data.explore.telling import Floats, column_of, distributions

ORIGINAL = "original-sizes"
_FEW_SIZES = 8
_SHOWN_ERRORS = 100


def files_section(manifest: Manifest, measures: pa.Table | None) -> Section:
    """Sizes, formats and JPEG quality of each class, and the sizes of crops before they were scaled.

    What is the same in all files is said in words.

    Args:
        manifest: the rows.
        measures: of each row, in the same order; None where files were not measured.
    """
    masks = label_masks(manifest)
    parts = _Parts([], [])
    if measures is not None:
        _sizes(column_of(measures, "width"), column_of(measures, "height"), masks, ("sizes", "files"), parts)
    if "original_width" in manifest and "original_height" in manifest:
        sides = (column_of(manifest.table, "original_width"), column_of(manifest.table, "original_height"))
        _sizes(*sides, masks, (ORIGINAL, "crops before they were scaled"), parts)
    if measures is not None:
        _formats(measures, masks, parts)
        _quality(column_of(measures, "jpeg_quality"), masks, parts)
    return Section("files", "Files", (" ".join(parts.text),) if parts.text else (), tuple(parts.charts))


@dataclass(frozen=True, slots=True)
class _Parts:
    """Collects sentences and charts."""

    text: list[str]
    charts: list[Chart]


def _sizes(width: Floats, height: Floats, masks: Mapping[str, Mask], names: tuple[str, str], parts: _Parts) -> None:
    """Sizes of what `names` says: the name of the figure, and of the things."""
    name, things = names
    known = np.isfinite(width) & np.isfinite(height)
    sizes = Counter(zip(width[known].astype(int).tolist(), height[known].astype(int).tolist(), strict=True))
    if len(sizes) == 1:
        (one,) = sizes
        parts.text.append(f"All {things} are {one[0]} × {one[1]} pixels.")
    elif 1 < len(sizes) <= _FEW_SIZES:
        words = [
            f"{wide} × {high}" for wide, high in zip(width[known].astype(int), height[known].astype(int), strict=True)
        ]
        found = tally_values(pa.chunked_array([words]), {label: mask[known] for label, mask in masks.items()})
        figure = draw_bars({"": found}, width="column")
        parts.charts.append(Chart(name, figure, f"Sizes of {things} in pixels.", wide=False))
    elif sizes:
        _many_sizes(np.maximum(width, height), width / height, masks, names, parts)


def _many_sizes(
    longest: Floats, aspect: Floats, masks: Mapping[str, Mask], names: tuple[str, str], parts: _Parts
) -> None:
    name, things = names
    when = ", before scaling" if name == ORIGINAL else ""
    panels = []
    for title, unit, values in (("Longest side", "pixels", longest), ("Width / height", "1 is square", aspect)):
        if np.nanmin(values) == np.nanmax(values):
            parts.text.append(f"{title} of all {things}: {np.nanmin(values):.4g} ({unit}).")
        else:
            panels.append((f"{title}{when}", unit, values))
    parts.charts.append(distributions(panels, masks, name, f"Sizes of {things}, as shares of each class."))


def _formats(measures: pa.Table, masks: Mapping[str, Mask], parts: _Parts) -> None:
    readable = pc.is_null(measures.column("error")).combine_chunks().to_numpy(zero_copy_only=False)
    if not readable.any():
        return
    of_readable = {label: mask[readable] for label, mask in masks.items()}
    found = tally_values(measures.column("format").filter(pa.array(readable)), of_readable)
    if len(found.values) == 1:
        parts.text.append(f"All readable files are {_format_name(found.names[0])}.")
    else:
        figure = draw_bars({"": found}, width="column")
        parts.charts.append(Chart("formats", figure, "File formats, told by content.", wide=False))


def _quality(quality: Floats, masks: Mapping[str, Mask], parts: _Parts) -> None:
    known = quality[np.isfinite(quality)]
    if not len(known):
        return
    if known.min() == known.max():
        parts.text.append(f"All JPEGs have quality {known[0]:g}.")
        return
    panel = ("JPEG quality", "libjpeg’s nearest setting, by the tables", quality)
    caption = "JPEG quality, as shares of each class’s JPEGs."
    parts.charts.append(distributions([panel], masks, "jpeg-quality", caption))


def unreadable_section(manifest: Manifest, measures: pa.Table) -> Section | None:
    """The files that cannot be read, with the reasons; None where all can."""
    broken = np.flatnonzero(pc.is_valid(measures.column("error")).combine_chunks().to_numpy(zero_copy_only=False))
    if not len(broken):
        return None
    rows = manifest.take(broken[:_SHOWN_ERRORS]).table.select(["path", "label"]).to_pylist()
    errors = measures.column("error").take(pa.array(broken[:_SHOWN_ERRORS])).to_pylist()
    table = Table(
        ("file", "label", "reason"),
        tuple((visible(row["path"]), row["label"], visible(error)) for row, error in zip(rows, errors, strict=True)),
    )
    sentence = (
        f"{plural(len(broken), 'file', 'files')} of {len(manifest):,} cannot be read; no number stands for them."
    )
    if len(broken) > _SHOWN_ERRORS:
        sentence += f" The first {_SHOWN_ERRORS} are listed."
    return Section("unreadable", "Files that cannot be read", (sentence,), tables=(table,))


def _format_name(name: str) -> str:
    return name.upper() if name.islower() and len(name) <= 4 else name
