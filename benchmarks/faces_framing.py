"""How YuNet frames a face beside dlib, and how many faces each finds: the source of `faces/yunet.py`'s constants.

Example, on any folders of pictures with one or more faces:

    python benchmarks/faces_framing.py --model yunet_n_dynamic.onnx portraits/real dfdc-faces/faces_224

Prints a line per folder: share of pictures with a face and milliseconds of processor time a picture for each
finder; over the faces both found, the median (and interquartile range) of dlib's side over YuNet's
sqrt(width * height), the median offset of dlib's centre from YuNet's own and from the mean of its landmarks in
the same unit, and the median overlap of the boxes before and after conversion.
"""

from __future__ import annotations

import argparse
import random
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from mesoscope.faces import FaceFinder, open_finder
from mesoscope.faces.yunet import YuNet, framed_as_dlib
from mesoscope.types import FoundFace

PICTURES = {".jpg", ".jpeg", ".png", ".webp"}


@dataclass
class Finds:
    """What was found in one folder."""

    pairs: list[tuple[FoundFace, FoundFace]] = field(default_factory=list)
    pictures: int = 0
    found: dict[str, int] = field(default_factory=lambda: {"dlib": 0, "yunet": 0})
    seconds: dict[str, float] = field(default_factory=lambda: {"dlib": 0.0, "yunet": 0.0})


def main() -> None:
    """Read the arguments, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--model", type=Path, help="YuNet's ONNX file; without it the pulled one")
    parser.add_argument("--limit", type=int, default=200, help="pictures per folder, drawn with a fixed seed")
    options = parser.parse_args()
    dlib, yunet = open_finder("dlib"), open_finder("yunet", options.model)
    assert isinstance(yunet, YuNet)  # noqa: S101 - find_unframed is its own
    print(
        f"{'folder':24} {'n':>4} {'dlib':>6} {'ms':>5} {'yunet':>6} {'ms':>5} {'both':>5} "
        f"{'side':>6} {'iqr':>5} {'dx box':>7} {'dy box':>7} {'dx lm':>7} {'dy lm':>7} {'IoU raw':>8} "
        f"{'IoU':>6} {'p10':>6}"
    )
    every = []
    for folder in options.folders:
        finds = compare(sample(folder, options.limit), dlib, yunet)
        every += finds.pairs
        print(line("/".join(folder.parts[-2:]), finds))
    if len(options.folders) > 1:
        print(line("all", Finds(every)))


def sample(folder: Path, limit: int) -> list[Path]:
    """At most `limit` pictures anywhere under a folder."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in PICTURES)
    return sorted(random.Random(1).sample(paths, limit)) if len(paths) > limit else paths  # noqa: S311


def compare(paths: list[Path], dlib: FaceFinder, yunet: YuNet) -> Finds:
    """Both finders on the same pictures; faces are pairs where YuNet's centre lies in dlib's box."""
    finds = Finds()
    for path in paths:
        pixels = np.asarray(Image.open(path).convert("RGB"))
        begun = time.process_time()
        ours = dlib(pixels)
        between = time.process_time()
        theirs = yunet.find_unframed(pixels)
        finds.seconds["dlib"] += between - begun
        finds.seconds["yunet"] += time.process_time() - between
        finds.pictures += 1
        finds.found["dlib"] += bool(ours)
        finds.found["yunet"] += bool(theirs)
        finds.pairs += [(one, other) for one in ours for other in theirs if holds(one, other)]
    return finds


def holds(one: FoundFace, other: FoundFace) -> bool:
    """Whether the centre of the other face's box lies in the first one's."""
    x, y = other.box.center
    return one.box.left < x < one.box.right and one.box.top < y < one.box.bottom


def line(name: str, finds: Finds) -> str:
    """One line of the table."""
    head = f"{name[:24]:24} {finds.pictures or '':>4}"
    for finder in ("dlib", "yunet"):
        share, spent = finds.found[finder], finds.seconds[finder]
        count = finds.pictures
        head += f" {share / count:6.3f} {1000 * spent / count:5.1f}" if count else f" {'':6} {'':5}"
    if not finds.pairs:
        return f"{head} {0:5}"
    dlib = np.array([[*one.box.center, one.box.width] for one, _ in finds.pairs])
    unit = np.array([other.box.area**0.5 for _, other in finds.pairs])
    own = np.array([other.box.center for _, other in finds.pairs])
    marks = np.array([np.mean(other.landmarks, axis=0) for _, other in finds.pairs if other.landmarks is not None])
    side = dlib[:, 2] / unit
    low, high = np.percentile(side, [25, 75])
    offsets = [np.median((dlib[:, :2] - center) / unit[:, None], axis=0) for center in (own, marks)]
    raw = [one.box.iou(other.box) for one, other in finds.pairs]
    framed = [one.box.iou(framed_as_dlib(other).box) for one, other in finds.pairs]
    return (
        f"{head} {len(finds.pairs):5} {np.median(side):6.3f} {high - low:5.3f} "
        + " ".join(f"{value:7.3f}" for offset in offsets for value in offset)
        + f" {np.median(raw):8.3f} {np.median(framed):6.3f} {np.percentile(framed, 10):6.3f}"
    )


if __name__ == "__main__":
    main()
