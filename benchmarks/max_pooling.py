"""Max-pooling in a training step on the processor: PyTorch's kernel for planes that lie apart, and ours beside it.

    python benchmarks/max_pooling.py [--threads 2] [--repeats 10]

Forward and backward on the activations of Meso-4 (batches of 32); the median of the repeats, ways in turn.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time

import torch
from torch import Tensor, nn

from mesoscope_train.detectors.pooling import MaxPool2d
from mesoscope_train.memory import keep_freed_memory

SHAPES = ((8, 256, 2), (8, 128, 2), (16, 64, 2), (16, 32, 4))
"""Planes, side of the picture, side of the window."""


def milliseconds(pool: nn.Module, planes: Tensor, gradient: Tensor) -> float:
    """Of one pass there and back."""
    started = time.perf_counter()
    torch.autograd.grad(pool(planes), planes, gradient)
    return 1e3 * (time.perf_counter() - started)


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=10)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    keep_freed_memory()
    print(f"{'planes':>22} {'PyTorch, ms':>12} {'ours, ms':>10} {'ratio':>7}")
    for count, side, window in SHAPES:
        planes = torch.randn(32, count, side, side).requires_grad_()
        gradient = torch.randn(32, count, side // window, side // window)
        ways = {"plain": nn.MaxPool2d(window), "ours": MaxPool2d(window).train()}
        times: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(options.repeats + 2):
            for name, pool in ways.items():
                times[name].append(milliseconds(pool, planes, gradient))
        plain, ours = (statistics.median(values[2:]) for values in times.values())
        print(f"{f'32 x {count} x {side} x {side}':>22} {plain:12.1f} {ours:10.1f} {plain / ours:7.2f}")


if __name__ == "__main__":
    sys.exit(main())
