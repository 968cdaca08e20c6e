"""The sheet of self-blended images: what is shown as real, the fake made of it, and the mask between them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mesoscope.errors import MediaError
from mesoscope.manifest import Manifest
from mesoscope.types import Float32Array, UInt8Image
from mesoscope_train.augment.self_blend import SelfBlend
from mesoscope_train.data.audit.run import Stage
from mesoscope_train.data.explore.content import Section, Sheet
from mesoscope_train.data.explore.sampling import sample_rows
from mesoscope_train.data.explore.tallies import label_masks
from mesoscope_train.data.explore.tiles import Tile, first_pixels, make_tiles, tile_of
from mesoscope_train.data.outlines import outlines_of

PICTURES, TIMES = 4, 8
"""How many faces, and how many pairs are drawn of each: a row of reals, one of fakes, one of masks."""


def blending_section(manifest: Manifest, blend: SelfBlend, recipe: str, *, seed: int, progress: Stage) -> Section:
    """Real faces of the training part (of all, where there is no split), each with pairs that are made of it.

    Args:
        manifest: where from.
        blend: of the recipe.
        recipe: its name.
        seed: of the draw, and of the blending.
        progress: shows how far it is.

    Raises:
        UsageError: a face lacks what `blend` needs.
    """
    training = np.array([value == "train" for value in manifest.values("split")]) if "split" in manifest else True
    mask = label_masks(manifest).get("real", np.zeros(len(manifest), bool)) & training
    rows = sample_rows(manifest, mask, PICTURES, seed)
    title = "Self-blended images"
    if not len(rows):
        return Section("blending", title, text=("There is no real face that fakes could be made of.",))
    real = manifest.take(np.flatnonzero(mask))
    known = outlines_of(real, blend.needs).known
    chosen = manifest.take(np.asarray(rows))
    points = outlines_of(chosen, blend.needs).points
    with progress("blending faces", None):
        sheets = tuple(
            Sheet(
                f"blending-{number + 1}",
                "real",
                _pairs(chosen, number, blend, points[number], seed),
                f"{chosen.values('path')[number]}: above what training calls real, below it the fake that is blended "
                "of it, and how much of the other copy there is (white: all of it).",
            )
            for number in range(len(chosen))
        )
    counted = ", ".join(f"{_KNOWN[kind]} {count:,}" for kind, count in sorted(known.items()))
    text = f"The recipe {recipe} makes a fake of each real face of the training part; known of the faces: {counted}."
    return Section("blending", title, text=(text,), sheets=sheets)


_KNOWN = {"landmarks": "landmarks of", "box": "the box of", "crop": "nothing but the crop of"}


def _pairs(manifest: Manifest, row: int, blend: SelfBlend, points: Float32Array, seed: int) -> tuple[Tile, ...]:
    (original,) = make_tiles(manifest, [row])
    try:
        pixels, _ = first_pixels(manifest.file(original.path))
    except MediaError:  # the tile says so
        return (original,)
    pairs = [blend.pair(pixels, points, np.random.default_rng((seed, row, time))) for time in range(TIMES)]
    shown: list[UInt8Image] = [
        *(pair.real for pair in pairs),
        *(pair.fake for pair in pairs),
        *(np.repeat(np.rint(pair.mask * 255).astype(np.uint8)[..., None], 3, 2) for pair in pairs),
    ]
    return tuple(replace(tile_of(picture), path=original.path, group=original.group) for picture in shown)
