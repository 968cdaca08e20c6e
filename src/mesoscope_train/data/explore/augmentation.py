"""The section that shows what a recipe makes of training pictures: the same picture many times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from PIL import Image

from mesoscope.errors import MediaError
from mesoscope.manifest import Manifest
from mesoscope.types import UInt8Image
from mesoscope_train.augment import Step, augmented
from mesoscope_train.data.audit.run import Stage
from mesoscope_train.data.explore.content import Section, Sheet
from mesoscope_train.data.explore.sampling import sample_rows
from mesoscope_train.data.explore.tallies import label_masks
from mesoscope_train.data.explore.tiles import Tile, first_pixels, make_tiles, tile_of

PICTURES, TIMES = 3, 15
"""Of each class, and how often each is drawn anew; with the original they fill two rows of a sheet."""


def augmentation_section(
    manifest: Manifest, steps: Sequence[Step], recipe: str, *, seed: int, progress: Stage
) -> Section:
    """Pictures of the training part (of all, where there is no split), each followed by what training sees of it.

    Args:
        manifest: where from.
        steps: the recipe's operations, in order.
        recipe: its name.
        seed: of the draw, and of the changes.
        progress: shows how far it is.
    """
    if not steps:
        return Section("augmentation", "Augmentation", text=(f"The recipe {recipe} changes no picture.",))
    training = np.array([value == "train" for value in manifest.values("split")]) if "split" in manifest else True
    sheets = []
    with progress("changing pictures", None):
        for label, mask in label_masks(manifest).items():
            for number, row in enumerate(sample_rows(manifest, mask & training, PICTURES, seed), start=1):
                tiles = _changed(manifest, int(row), steps, seed)
                caption = f"{tiles[0].path} ({label}): the picture as it is, then as training sees it {TIMES} times."
                sheets.append(Sheet(f"augmentation-{label}-{number}", label, tiles, caption))
    told = ", then ".join(_told(step) for step in steps)
    return Section("augmentation", "Augmentation", text=(f"The recipe {recipe}: {told}.",), sheets=tuple(sheets))


def _changed(manifest: Manifest, row: int, steps: Sequence[Step], seed: int) -> tuple[Tile, ...]:
    (original,) = make_tiles(manifest, [row])
    try:
        pixels, _ = first_pixels(manifest.file(original.path))
    except MediaError:  # the tile says so
        return (original,)
    random = [np.random.default_rng((seed, row, time)) for time in range(TIMES)]
    # as the network is shown them: squares of one size, which is what becomes of a window or of a lower resolution
    shown = [_square(augmented(pixels, steps, chance), pixels.shape) for chance in random]
    return (original, *(replace(tile_of(changed), path=original.path, group=original.group) for changed in shown))


def _square(pixels: UInt8Image, shape: tuple[int, ...]) -> UInt8Image:
    """Back to the size before, as the resize to the network's input does."""
    if pixels.shape == shape:
        return pixels
    return np.asarray(Image.fromarray(pixels).resize((shape[1], shape[0]), Image.Resampling.BILINEAR))


def _told(step: Step) -> str:
    settings = step.model_dump(mode="json", exclude={"kind", "p", "of"}, exclude_defaults=False)
    facts = [f"{name} {_value(value)}" for name, value in settings.items() if value not in (0, 0.0, [], None)]
    often = "" if step.p >= 1 else f" ({step.p:.0%} of pictures)"
    inside = getattr(step, "of", ())
    kind = str(step.model_dump()["kind"])
    if inside:
        return f"one of [{'; '.join(_told(part) for part in inside)}]{often}"
    return f"{kind}{' ' if facts else ''}{', '.join(facts)}{often}"


def _value(value: object) -> str:
    if isinstance(value, list):
        return " to ".join(map(_value, value)) if len(value) == 2 else "/".join(map(_value, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
