"""The families of trivial measurements, made from the table of measurements and the manifest."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mesoscope.manifest import Manifest
from mesoscope_train.data.audit.evidence import Family, Floats, Measurement, Number, Sort
from mesoscope_train.data.audit.measures.schema import RINGS

ORIGINAL_SIZE = ("original_width", "original_height")
_COLOURS = {
    "red_mean": ("level of red", "have more red", "have less red"),
    "green_mean": ("level of green", "have more green", "have less green"),
    "blue_mean": ("level of blue", "have more blue", "have less blue"),
    "red_spread": ("spread of red", "vary more in red", "vary less in red"),
    "green_spread": ("spread of green", "vary more in green", "vary less in green"),
    "blue_spread": ("spread of blue", "vary more in blue", "vary less in blue"),
    "saturation_mean": ("saturation", "are more saturated", "are less saturated"),
    "saturation_spread": ("spread of saturation", "vary more in saturation", "vary less in saturation"),
    "grey_share": ("share of grey pixels", "have more grey", "have less grey"),
    "dark_share": ("share of nearly black pixels", "have more black", "have less black"),
    "bright_share": ("share of nearly white pixels", "have more white", "have less white"),
}
_SHARPNESS = {
    "laplacian_native": ("Laplacian variance", "are sharper", "are softer"),
    "gradient_native": ("gradient energy", "have more contrast at edges", "have less contrast at edges"),
    "laplacian_fixed": ("Laplacian variance at 128 px", "have more detail", "have less detail"),
    "gradient_fixed": ("gradient energy at 128 px", "have more contrast", "have less contrast"),
}
_SPECTRA = {"spectrum_native": "as stored", "spectrum_fixed": "at 128 px"}


def families(manifest: Manifest, measures: pa.Table) -> list[Family]:
    """Every family, in the order in which equally strong ones are named.

    A family may be measured on no row: ``jpeg`` where nothing is a JPEG, ``video`` where nothing is a video.

    Args:
        manifest: N rows; its original sizes are measured too where every row has them.
        measures: the rows' measurements (`measures.SCHEMA`), in the same order.
    """
    return [Family(name, tuple(make(manifest, measures))) for name, make in _FAMILIES.items()]


def _format(_: Manifest, measures: pa.Table) -> Iterator[Measurement]:
    yield Sort("format", _words(measures, "format"))


def _size(manifest: Manifest, measures: pa.Table) -> Iterator[Measurement]:
    width, height = _numbers(measures, "width"), _numbers(measures, "height")
    yield Sort("size", _pairs(width, height))
    yield from _sides("", width, height)
    if _has_originals(manifest):
        yield from _sides("original ", *(_numbers(manifest.table, name) for name in ORIGINAL_SIZE))


def _sides(prefix: str, width: Floats, height: Floats) -> Iterator[Measurement]:
    for noun, values in (("width", width), ("height", height), ("area", width * height)):
        name = f"{prefix}{noun}"
        yield Number(name, f"have a larger {name}", f"have a smaller {name}", values)
    for noun, values in (("width", width), ("height", height)):
        # generators make multiples of 8 or 64; cameras, crops and pages rarely do
        rounder = f"have a rounder {prefix}{noun}"
        name = f"largest power of two that divides the {prefix}{noun}"
        yield Number(name, rounder, rounder.replace("rounder", "less round"), _power_of_two(values))


def _aspect(manifest: Manifest, measures: pa.Table) -> Iterator[Measurement]:
    sizes = {"": [_numbers(measures, name) for name in ("width", "height")]}
    if _has_originals(manifest):
        sizes["original "] = [_numbers(manifest.table, name) for name in ORIGINAL_SIZE]
    for prefix, (width, height) in sizes.items():
        yield Number(f"{prefix}width over height", "are wider", "are narrower", width / height, ".2f")
        longer, shorter = np.maximum(width, height), np.minimum(width, height)
        noun = f"{prefix}longer over shorter side"
        yield Number(noun, "are further from square", "are nearer to square", longer / shorter, ".2f")


def _jpeg(_: Manifest, measures: pa.Table) -> Iterator[Measurement]:
    quality = _numbers(measures, "jpeg_quality")
    yield Number("JPEG quality", "are saved at a higher quality", "are saved at a lower quality", quality)
    tables = pc.binary_join_element_wise(
        measures.column("jpeg_tables"), " (quality ", pc.cast(measures.column("jpeg_quality"), pa.string()), ")", ""
    )
    yield Sort("quantisation tables", np.array(tables.to_pylist(), object))
    yield Sort("chroma subsampling", _words(measures, "jpeg_subsampling"))
    named = pc.if_else(measures.column("jpeg_progressive"), "progressive", "baseline")
    yield Sort("JPEG process", np.array(named.to_pylist(), object))


def _bits(_: Manifest, measures: pa.Table) -> Iterator[Measurement]:
    frames = np.nan_to_num(_numbers(measures, "frames"), nan=1.0)
    pixels = _numbers(measures, "width") * _numbers(measures, "height") * frames
    bits = 8 * _numbers(measures, "size_bytes") / pixels
    yield Number("bits a pixel", "are larger files for their size", "are smaller files for their size", bits, ".2f")


def _sharpness(_: Manifest, measures: pa.Table) -> Iterator[Measurement]:
    for name, words in _SHARPNESS.items():
        yield Number(*words, _numbers(measures, name))
    noun = "border's gradient energy over the centre's (log10)"
    ratio = _numbers(measures, "edge_ratio")
    yield Number(noun, "have a sharper border", "have a softer border", ratio, ".2f")


def _colour(_: Manifest, measures: pa.Table) -> Iterator[Measurement]:
    for name, words in _COLOURS.items():
        levels = name.startswith(("red", "green", "blue"))
        yield Number(*words, _numbers(measures, name), ",.0f" if levels else ".2%")


def _spectrum(_: Manifest, measures: pa.Table) -> Iterator[Measurement]:
    for name, scale in _SPECTRA.items():
        rings = _rings(measures, name)
        level = rings.mean(axis=1)
        more = f"have more contrast at all frequencies ({scale})"
        yield Number(f"log10 power ({scale})", more, more.replace("more", "less"), level, ".2f")
        for ring in range(RINGS):
            noun = f"relative log10 power at {(ring + 0.5) / (2 * RINGS):.2f} cycles a pixel ({scale})"
            more, values = f"have relatively more {_fineness(ring)}", rings[:, ring] - level
            yield Number(noun, more, more.replace("more", "less"), values, ".2f")


def _fineness(ring: int) -> str:
    return "coarse structure" if ring < RINGS // 4 else "fine detail" if ring >= RINGS // 2 else "middle detail"


def _video(_: Manifest, measures: pa.Table) -> Iterator[Measurement]:
    rate, duration = _numbers(measures, "frame_rate"), _numbers(measures, "duration")
    yield Number("frames a second", "have more frames a second", "have fewer frames a second", rate, ".2f")
    yield Number("seconds", "are longer", "are shorter", duration, ",.1f")
    rate = 8e-3 * _numbers(measures, "size_bytes") / np.where(duration > 0, duration, np.nan)
    yield Number("kilobits a second", "have a higher bitrate", "have a lower bitrate", rate)


_FAMILIES: dict[str, Callable[[Manifest, pa.Table], Iterator[Measurement]]] = {
    "format": _format,
    "jpeg": _jpeg,
    "size": _size,
    "aspect": _aspect,
    "bits-per-pixel": _bits,
    "sharpness": _sharpness,
    "colour": _colour,
    "spectrum": _spectrum,
    "video": _video,
}


FAMILIES = tuple(_FAMILIES)
"""Their names."""


def _numbers(table: pa.Table, name: str) -> Floats:
    return np.asarray(pc.cast(table.column(name), pa.float64()).to_numpy(zero_copy_only=False), np.float64)


def _words(table: pa.Table, name: str) -> npt.NDArray[np.object_]:
    return np.array(table.column(name).to_pylist(), object)


def _rings(table: pa.Table, name: str) -> Floats:
    """(N, RINGS) float64; NaN where null."""
    column = table.column(name).combine_chunks()
    rings = np.full((len(column), RINGS), np.nan)
    rings[column.is_valid().to_numpy(zero_copy_only=False)] = column.flatten().to_numpy().reshape(-1, RINGS)
    return rings


def _pairs(width: Floats, height: Floats) -> npt.NDArray[np.object_]:
    known = np.isfinite(width) & np.isfinite(height)
    named = [f"{w:.0f} x {h:.0f}" if there else None for w, h, there in zip(width, height, known, strict=True)]
    return np.array(named, object)


def _power_of_two(sides: Floats) -> Floats:
    whole = np.nan_to_num(sides, nan=1.0).astype(np.int64)
    return np.where(np.isfinite(sides), whole & -whole, np.nan).astype(np.float64)


def _has_originals(manifest: Manifest) -> bool:
    return all(name in manifest and manifest.table.column(name).null_count == 0 for name in ORIGINAL_SIZE)
