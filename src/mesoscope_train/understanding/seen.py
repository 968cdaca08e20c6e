"""The rows of a manifest as a stream of inputs with landmarks: read ahead by threads, in bounded memory.

A row is one picture of what the bundle judges (a face crop for a face bundle), as training and evaluation take it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mesoscope.errors import MediaError, UsageError
from mesoscope.faces import NO_FINDER, FaceFinder, finders, open_finder
from mesoscope.manifest import Manifest
from mesoscope.media import open_picture
from mesoscope.pipeline.ahead import map_ahead
from mesoscope.pipeline.framing import Framing
from mesoscope.preprocess import Preprocess
from mesoscope.types import Float32Array, UInt8Image
from mesoscope_train.data.landmarks import FIVE, points_of
from mesoscope_train.understanding.landmarks import landmarks_of

WORKERS = 2
AHEAD = 64
"""Inputs that wait: 50 MB at 256 pixels."""
BATCH = 32
LANDMARKS = "landmarks"
"""The manifest's column, where `mesoscope data faces` wrote landmarks."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """One row.

    Attributes:
        row: its index in the manifest.
        input: (3, S, S) float32; None where `reason` says why.
        landmarks: (5, 2) float32 in fractions of the input, or None where none were found or looked for.
        reason: why there is no input.
    """

    row: int
    input: Float32Array | None
    landmarks: Float32Array | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads rows for one bundle.

    Attributes:
        manifest: all rows.
        spec: the bundle's.
        finder: gives landmarks of faces for which the manifest has none; None where none are looked for.
        found: row to landmarks that were found before; added to, so that several bundles look for them once.
    """

    manifest: Manifest
    spec: Preprocess
    finder: FaceFinder | None = None
    found: dict[int, Float32Array | None] = field(default_factory=dict)

    def rows(self, rows: Iterable[int]) -> Iterator[Seen]:
        """Rows in their order; one that cannot be judged comes without input and with the reason."""
        paths = self.manifest.table.column("path")
        framing = Framing(self.spec, None)

        def read(row: int) -> Seen:
            try:
                pixels = open_picture(self.manifest.file(paths[row].as_py())).pixels
            except MediaError as error:
                return Seen(row, None, reason=str(error))
            (face,) = framing.find(pixels)
            candidate = framing.cut(pixels, face)
            if candidate.input is None:
                return Seen(row, None, reason=candidate.reason)
            return Seen(row, candidate.input, self._landmarks(row, pixels))

        return map_ahead(read, (int(row) for row in rows), workers=WORKERS, ahead=AHEAD)

    @property
    def has_landmarks(self) -> bool:
        """Whether faces' landmarks are looked for, or stand in the manifest."""
        return self.finder is not None or LANDMARKS in self.manifest

    def _landmarks(self, row: int, pixels: UInt8Image) -> Float32Array | None:
        """Those of the manifest where it has five, else those that are found."""
        if LANDMARKS in self.manifest:
            text = self.manifest.table.column(LANDMARKS)[row].as_py()
            points = points_of(text, self.manifest.table.column("path")[row].as_py()) if text else ()
            if len(points) == FIVE:
                return points
        if self.finder is None:
            return None
        if row not in self.found:
            self.found[row] = landmarks_of(pixels, self.finder)
        return self.found[row]

    def batches(self, rows: Iterable[int], left_out: Callable[[Seen], None]) -> Iterator[list[Seen]]:
        """Up to `BATCH` rows at once, all with inputs; the others are handed to `left_out`."""
        batch: list[Seen] = []
        for seen in self.rows(rows):
            if seen.input is None:
                left_out(seen)
                continue
            batch.append(seen)
            if len(batch) == BATCH:
                yield batch
                batch = []
        if batch:
            yield batch


def landmark_finder(name: str, model: Path | None) -> FaceFinder | None:
    """The finder of that name; None for ``none``.

    Raises:
        UsageError: no such finder, it gives no landmarks, or its model file is missing or of another kind.
    """
    if name == NO_FINDER:
        if model is not None:
            raise UsageError("--face-model names a finder's file, and --faces none looks for no face; leave one out")
        return None
    if name != "yunet":
        known = "yunet, none"
        why = f"the face finder {name!r} gives no landmarks" if name in finders else f"no face finder {name!r}"
        raise UsageError(f"{why}; faces are aligned by the eyes of: {known}")
    return open_finder(name, model)


def chosen_rows(manifest: Manifest, split: str | None, pictures: int | None, seed: int) -> npt.NDArray[np.int64]:
    """Indices of the rows that are looked at, in the order of their groups, so that a group comes in one piece.

    Args:
        manifest: all rows.
        split: only this part; None for all.
        pictures: at most so many, drawn by chance; None for all.
        seed: of the draw.

    Raises:
        UsageError: the manifest has no such part, or no row is left.
    """
    rows = np.arange(len(manifest), dtype=np.int64)
    if split is not None:
        there = manifest.values("split") if "split" in manifest else []
        rows = np.array([row for row, value in enumerate(there) if value == split], np.int64)
        if not len(rows):
            known = ", ".join(sorted({value for value in there if value})) or "none; mesoscope data split makes some"
            raise UsageError(f"the manifest has no row in the split {split!r}; its splits: {known}")
    if pictures is not None and pictures < 1:
        raise UsageError(f"--pictures must be 1 or more, not {pictures}")
    if pictures is not None and pictures < len(rows):
        rows = np.sort(np.random.default_rng(seed).choice(rows, pictures, replace=False))
    groups = manifest.codes("group")[0][rows]
    return rows[np.argsort(groups, kind="stable")]
