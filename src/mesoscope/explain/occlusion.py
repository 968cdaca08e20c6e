"""``occlusion``: how far the logit falls when a patch loses its detail. Asks nothing of the network but its answers.

M. Zeiler, R. Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014. The windows overlap by half;
a cell's value is the mean over the windows that cover it.
"""

from __future__ import annotations

import numpy as np

from mesoscope.explain.methods import Explainer, Method, Subject, methods
from mesoscope.explain.neutral import without_detail
from mesoscope.registry import Elsewhere
from mesoscope.types import Float32Array

CELLS = 16
WINDOW = 2
"""Cells a side; a window moves by one cell."""
_BATCH = 32


def occlude(
    one: Float32Array, subject: Subject, neutral: Float32Array, *, cells: int = CELLS, window: int = WINDOW
) -> Float32Array:
    """The map of one input.

    Args:
        one: (3, S, S) float32.
        subject: judges.
        neutral: (3, S, S) float32, what a window shows instead.
        cells: of the map, a side.
        window: cells a side that are hidden at once.

    Returns:
        (cells, cells) float32: positive where the logit falls without the cell, so that it speaks for fake.
    """
    size = one.shape[-1]
    edges = [place * size // cells for place in range(cells + 1)]
    places = [(row, column) for row in range(cells - window + 1) for column in range(cells - window + 1)]
    whole = float(subject.logits(one[None])[0])
    total, count = np.zeros((cells, cells)), np.zeros((cells, cells))
    for start in range(0, len(places), _BATCH):
        some = places[start : start + _BATCH]
        batch = np.repeat(one[None], len(some), 0)
        for hidden, (row, column) in zip(batch, some, strict=True):
            area = slice(edges[row], edges[row + window]), slice(edges[column], edges[column + window])
            hidden[:, area[0], area[1]] = neutral[:, area[0], area[1]]
        for (row, column), logit in zip(some, subject.logits(batch), strict=True):
            total[row : row + window, column : column + window] += whole - float(logit)
            count[row : row + window, column : column + window] += 1
    return (total / count).astype(np.float32)


def open_occlusion(subject: Subject, layer: str | None = None) -> Explainer:
    """See `Method.open`; there is no layer."""

    def explain(batch: Float32Array) -> Float32Array:
        return np.stack([occlude(one, subject, without_detail(one)) for one in batch])

    return explain


methods.register("occlusion")(
    Method(
        "occlusion",
        "how far the logit falls when a patch is blurred; signed; no layer, any detector",
        "logits lost with the patch",
        Elsewhere("mesoscope.explain.occlusion:open_occlusion"),
        False,
        "Zeiler, Fergus, Visualizing and Understanding Convolutional Networks, ECCV 2014",
    )
)
