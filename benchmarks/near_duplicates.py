"""Near duplicates: how far copies are from their originals, and other pictures from each other.

    python benchmarks/near_duplicates.py M.parquet... [--altered 300]

For each manifest two tables. The first alters some pictures in known ways and prints the bits of 256 by which the
DCT's hash then differs, and the share that the audit's rule calls alike. The second compares all pairs of different
groups, as they are and with one of them mirrored: hardly a mirrored pair shows the same scene, so that its counts
say how often pictures of *different* scenes come so near.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from mesoscope.manifest import read_manifest
from mesoscope.media import open_picture
from mesoscope_train.data.audit.fingerprint import HASH_BYTES, LENGTH, Fingerprints, fingerprint, mirrored
from mesoscope_train.data.audit.near_pairs import NEAR_DCT, NEAR_GRADIENT, SURE_DCT, alike, distances

STEPS = (0, 16, 24, 32, 40, 48, 56, 64)
ROWS_AT_ONCE = 500


def saved(picture: Image.Image, quality: int, format: str = "JPEG") -> Image.Image:
    """As it comes out of a file."""
    buffer = io.BytesIO()
    picture.save(buffer, format, quality=quality)
    return Image.open(buffer).convert("RGB")


def resized(picture: Image.Image, factor: float) -> Image.Image:
    """Scaled with a bicubic filter."""
    return picture.resize((round(picture.width * factor), round(picture.height * factor)), Image.Resampling.BICUBIC)


def cropped(picture: Image.Image, left: float, top: float, right: float, bottom: float) -> Image.Image:
    """Without these shares of its sides."""
    width, height = picture.size
    return picture.crop(
        (round(width * left), round(height * top), round(width * (1 - right)), round(height * (1 - bottom)))
    )


def messenger(picture: Image.Image) -> Image.Image:
    """Halved and saved twice."""
    return saved(saved(resized(picture, 0.5), 60), 75)


def cut(picture: Image.Image, share: float) -> Image.Image:
    """Without this share at every edge."""
    return cropped(picture, share, share, share, share)


def turned(picture: Image.Image) -> Image.Image:
    """Mirrored, halved and saved."""
    return saved(resized(picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT), 0.5), 60)


ALTERATIONS: dict[str, Callable[[Image.Image], Image.Image]] = {
    **{f"JPEG {quality}": partial(saved, quality=quality) for quality in (40, 60, 80, 95)},
    "WebP 50": partial(saved, quality=50, format="WEBP"),
    **{f"resized to {factor:.0%}": partial(resized, factor=factor) for factor in (0.5, 0.75, 2.0)},
    "resized to 50%, JPEG 60, JPEG 75": messenger,
    "mirrored, resized to 50%, JPEG 60": turned,
    "blurred by 2 px": lambda picture: picture.filter(ImageFilter.GaussianBlur(2)),
    "brighter by a fifth": lambda picture: ImageEnhance.Brightness(picture).enhance(1.2),
    "more contrast by a quarter": lambda picture: ImageEnhance.Contrast(picture).enhance(1.25),
    "grey": lambda picture: picture.convert("L").convert("RGB"),
    **{f"cropped by {share:.0%} at every edge": partial(cut, share=share) for share in (0.01, 0.02, 0.03, 0.05)},
    "cropped by 4% at two edges": partial(cropped, left=0.04, top=0, right=0, bottom=0.04),
}


def print_of(picture: Image.Image) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    """Its fingerprint as an array."""
    return np.frombuffer(fingerprint(np.asarray(picture)), np.uint8)


def altered_table(files: list[Path]) -> None:
    """Distances of altered copies."""
    pictures = [Image.fromarray(open_picture(file).pixels) for file in files]
    originals = np.stack([print_of(picture) for picture in pictures])
    print("\n| altered | median | 90 % | 99 % | called alike |\n|---|---|---|---|---|")
    for name, alter in ALTERATIONS.items():
        copies = np.stack([print_of(alter(picture)) for picture in pictures])
        if alter is turned:
            copies = mirrored(copies)
        bits = np.quantile(distances(originals, copies)[0], [0.5, 0.9, 0.99])
        print(
            f"| {name} | "
            + " | ".join(f"{value:.0f}" for value in bits)
            + f" | {alike(originals, copies).mean():.1%} |"
        )


def pairs_table(prints: Fingerprints, groups: np.ndarray[tuple[int], np.dtype[np.int64]]) -> None:
    """How near pictures of different groups come."""
    print("\n| pairs of different groups | " + " | ".join(f"≤ {step}" for step in STEPS) + " | called alike |")
    print("|---" * (len(STEPS) + 2) + "|")
    for name, other in (("as they are", prints), ("one mirrored", mirrored(prints))):
        near, called, all_pairs = np.zeros(len(STEPS), np.int64), 0, 0
        for start in range(0, len(prints), ROWS_AT_ONCE):
            dct, gradient = (_bits(prints[start : start + ROWS_AT_ONCE, part], other[:, part]) for part in HALVES)
            rows = np.arange(start, start + len(dct))
            apart = (rows[:, None] < np.arange(len(prints))) & (groups[rows][:, None] != groups)
            near += [(apart & (dct <= step)).sum() for step in STEPS]
            called += (apart & ((dct <= SURE_DCT) | ((dct <= NEAR_DCT) & (gradient <= NEAR_GRADIENT)))).sum()
            all_pairs += apart.sum()
        print(f"| {name}: {all_pairs:,} | " + " | ".join(f"{count:,}" for count in near) + f" | {called:,} |")


HALVES = (slice(0, HASH_BYTES), slice(HASH_BYTES, LENGTH))


def _bits(first: Fingerprints, second: Fingerprints) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Differing bits of all pairs: as a product of matrices of -1 and 1."""
    one, two = (np.unpackbits(each, axis=1).astype(np.float32) * 2 - 1 for each in (first, second))
    return (one.shape[1] - one @ two.T) / 2


def main() -> None:
    """Both tables for each manifest."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifests", type=Path, nargs="+")
    parser.add_argument("--altered", type=int, default=300, help="pictures that are altered")
    options = parser.parse_args()
    for path in options.manifests:
        manifest = read_manifest(path)
        files = [manifest.file(name) for name in manifest.values("path")]
        chosen = np.random.default_rng(0).permutation(len(files))[: options.altered]
        print(f"\n{path.stem}: {len(files):,} pictures, {len(chosen)} of them altered")
        altered_table([files[index] for index in chosen])
        prints = np.stack([np.frombuffer(fingerprint(open_picture(file).pixels), np.uint8) for file in files])
        pairs_table(prints, manifest.codes("group")[0])


if __name__ == "__main__":
    main()
