"""Max-pooling that trains faster on a processor, with the same bits."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class MaxPool2d(nn.MaxPool2d):
    """Windows of a square side that do not overlap, (B, K, H, W) to (B, K, H / side, W / side), rounded down.

    PyTorch's kernel for planes that lie apart goes window by window; the one for interleaved planes takes many planes
    at once. On a processor the way through it, there and back, takes 0.5 to 0.6 of the time, interleaving a copy
    included (`benchmarks/max_pooling.py`), so training goes that way. Both choose the first of equal values, row by
    row, so values and gradients are the same to the last bit. Only in training mode: an exported graph holds the
    plain operation.

    Args:
        side: of a window.
    """

    def __init__(self, side: int) -> None:
        super().__init__(side)
        self._side = side

    def forward(self, planes: Tensor) -> Tensor:
        """Pool."""
        if self.training and planes.device.type == "cpu" and planes.is_contiguous():
            pooled: Tensor = _ThroughInterleaved.apply(planes, self._side)  # type: ignore[no-untyped-call]
            return pooled
        return super().forward(planes)


class _ThroughInterleaved(torch.autograd.Function):
    """The gradient goes the plain way: its kernel is as fast, and what came before wants planes that lie apart."""

    @staticmethod
    def forward(ctx: Any, planes: Tensor, side: int) -> Tensor:  # noqa: ANN401 - torch's own
        interleaved = planes.contiguous(memory_format=torch.channels_last)
        pooled, positions = F.max_pool2d(interleaved, side, return_indices=True)
        ctx.side = side
        ctx.save_for_backward(planes, positions.contiguous())
        return pooled.contiguous()

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor, None]:  # noqa: ANN401 - torch's own
        planes, positions = ctx.saved_tensors
        window = [ctx.side, ctx.side]
        gradient: Tensor = torch.ops.aten.max_pool2d_with_indices_backward(
            gradients[0].contiguous(), planes, window, window, [0, 0], [1, 1], False, positions
        )
        return gradient, None
