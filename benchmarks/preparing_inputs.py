"""Preparing an input: the product's table against the plain arithmetic that it stands for.

    python benchmarks/preparing_inputs.py [--size 256] [--rounds 300]

Both turn the same RGB pixels of the network's size into (3, S, S) float32; the outputs must agree to the last bit.
Rounds alternate, so that whatever else the machine does meets both alike; medians and the ratio are printed.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np

from mesoscope.preprocess import Preprocess, to_input
from mesoscope.types import Float32Array, UInt8Image

SPEC = Preprocess(
    size=256,
    resize="bilinear",
    margin=0.0,
    channel_order="rgb",
    mean=[0.485, 0.456, 0.406],
    std=[0.229, 0.224, 0.225],
    min_face=48,
)


def arithmetic(pixels: UInt8Image, spec: Preprocess) -> Float32Array:
    """Scale, shift, divide, transpose."""
    values = np.asarray(pixels, dtype=np.float32) / np.float32(255)
    mean, std = np.array(spec.mean, np.float32), np.array(spec.std, np.float32)
    return np.ascontiguousarray(((values - mean) / std).transpose(2, 0, 1))


def milliseconds(
    way: Callable[[UInt8Image, Preprocess], Float32Array], pixels: UInt8Image, spec: Preprocess
) -> float:
    """Of one call."""
    started = time.perf_counter()
    way(pixels, spec)
    return (time.perf_counter() - started) * 1000


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=300)
    options = parser.parse_args()
    spec = SPEC.model_copy(update={"size": options.size})
    pixels = np.random.default_rng(0).integers(0, 256, (options.size, options.size, 3), np.uint8)
    if not np.array_equal(arithmetic(pixels, spec), to_input(pixels, spec)):
        raise SystemExit("the two do not agree")
    times = [
        (milliseconds(arithmetic, pixels, spec), milliseconds(to_input, pixels, spec)) for _ in range(options.rounds)
    ]
    plain, table = (statistics.median(column) for column in zip(*times, strict=True))
    print(f"{options.size} px: arithmetic {plain:.2f} ms, to_input {table:.2f} ms, {plain / table:.1f} times as fast")


if __name__ == "__main__":
    main()
