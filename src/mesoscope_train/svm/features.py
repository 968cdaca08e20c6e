"""Features of pictures: what a detector's last dense layer sees."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from mesoscope.pipeline.ahead import map_ahead
from mesoscope_train.detectors import Detector
from mesoscope_train.memory import keep_freed_memory
from mesoscope_train.training.pictures import Pictures

CHUNK = 64
Features = np.ndarray[Any, np.dtype[np.float32]]


def features_of(detector: Detector, pictures: Pictures, step: Callable[[int], None] = lambda count: None) -> Features:
    """Features of all pictures, as the product prepares them.

    Args:
        detector: in eval mode, on any device.
        pictures: without augmentation.
        step: called with the number of pictures after each batch.

    Returns:
        (N, D) float32.

    Raises:
        MediaError: a picture cannot be read.
    """
    device = next(detector.parameters()).device

    def batch_from(start: int) -> torch.Tensor:
        rows = range(start, min(start + CHUNK, len(pictures)))
        batch = torch.stack([pictures[row][0] for row in rows])
        return batch.contiguous(memory_format=torch.channels_last)  # faster on a processor

    keep_freed_memory()
    pieces = []
    for batch in map_ahead(batch_from, range(0, len(pictures), CHUNK), workers=1, ahead=1):
        with torch.inference_mode():
            pieces.append(detector.features(batch.to(device)).float().cpu().numpy())
        step(len(batch))
    return np.concatenate(pieces)
