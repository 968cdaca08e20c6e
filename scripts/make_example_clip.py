"""Make examples/two-people.mp4: two generated portraits drifting side by side for three seconds.

    python scripts/make_example_clip.py examples

The clip exists so that the demo shows tracks; both people are generated (CC0), and nothing in it was recorded.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

import av
import numpy as np
from PIL import Image

SIDE, RATE, SECONDS = 320, 25, 3


def frame_at(portraits: list[Image.Image], time: float) -> np.ndarray:
    """Both portraits beside each other, each seen through a window that drifts and zooms: (S, 2S, 3) uint8."""
    halves = []
    for number, portrait in enumerate(portraits):
        phase = 2 * math.pi * time / SECONDS + number * math.pi
        side = portrait.width * (0.80 + 0.05 * math.cos(phase))
        left = (portrait.width - side) * (0.5 + 0.4 * math.sin(phase))
        top = (portrait.height - side) * (0.3 + 0.2 * math.cos(phase))
        window = (left, top, left + side, top + side)
        halves.append(np.asarray(portrait.resize((SIDE, SIDE), Image.Resampling.BICUBIC, box=window)))
    return np.concatenate(halves, axis=1)


def main(directory: Path) -> None:
    """Write the clip into the directory that holds the portraits."""
    portraits = [Image.open(directory / f"portrait-generated-{n}.jpg").convert("RGB") for n in (1, 2)]
    with av.open(str(directory / "two-people.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"crf": "23"})
        stream.width, stream.height, stream.pix_fmt = 2 * SIDE, SIDE, "yuv420p"
        for number in range(RATE * SECONDS):
            frame = av.VideoFrame.from_ndarray(frame_at(portraits, number / RATE), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
