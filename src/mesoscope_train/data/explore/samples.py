"""The section of sample pictures, a sheet a class."""

from __future__ import annotations

from mesoscope.manifest import Manifest
from mesoscope.report.words import plural
from mesoscope_train.data.audit.run import Stage
from mesoscope_train.data.explore.content import Section, Sheet
from mesoscope_train.data.explore.sampling import sample_rows
from mesoscope_train.data.explore.tallies import label_masks
from mesoscope_train.data.explore.tiles import Tile, make_tiles


def samples_section(manifest: Manifest, count: int, *, seed: int, workers: int, progress: Stage) -> Section:
    """Pictures of each class, drawn from different groups.

    Args:
        manifest: where from.
        count: of each class; 0 for none.
        seed: of the draw.
        workers: files that are read at once.
        progress: shows how far it is.
    """
    masks = label_masks(manifest)
    drawn = {label: sample_rows(manifest, mask, count, seed) for label, mask in masks.items()}
    sheets = []
    with progress("reading samples", sum(len(rows) for rows in drawn.values())) as step:
        for label, rows in drawn.items():
            tiles = make_tiles(manifest, rows, workers=workers, progress=step)
            if tiles:
                caption = _caption(label, tiles, int(masks[label].sum()), seed)
                sheets.append(Sheet(f"samples-{label}", label, tiles, caption))
    return Section("samples", "Samples", sheets=tuple(sheets))


def _caption(label: str, tiles: tuple[Tile, ...], rows: int, seed: int) -> str:
    groups = len({tile.group for tile in tiles})
    which = f"{len(tiles):,} of {plural(rows, f'{label} row', f'{label} rows')}"
    return f"{which}, from {plural(groups, 'group', 'groups')}, drawn at random (seed {seed})."
