"""The published MesoNet weights, imported as bundles and judged by the product's own preprocessing and engine.

    python benchmarks/mesonet_table.py DATA WEIGHTS [--dataset dfdc-faces] [--only Meso4_DF ...] [--json]

DATA holds the data sets, WEIGHTS the four ``.h5`` files. Whole crops are judged (no face finder), at the
threshold 0.5. Intervals are 95 % percentile bootstraps over groups (source videos), not over pictures.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mesoscope.bundle import Bundle
from mesoscope.engine import DEFAULT_ENGINE, Judge
from mesoscope.media import open_picture
from mesoscope.metrics import Estimate, Intervals, Sample, Undefined, estimate_all
from mesoscope.metrics.undefined import group_codes
from mesoscope.preprocess import to_batch
from mesoscope_train.weight_formats.mesonet import import_mesonet

WEIGHTS = ("Meso4_DF", "MesoInception_DF", "Meso4_F2F", "MesoInception_F2F")
PIECE = 64
RESAMPLES = 300
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Item:
    """A crop: where it is, whether it is a fake, and what must not be split."""

    path: Path
    fake: bool
    group: str


@dataclass(frozen=True)
class Row:
    """What one set of weights did; shares and areas in [0, 1], intervals as (low, high)."""

    weights: str
    n_fake: int
    n_real: int
    fake_recall: float
    fake_interval: tuple[float, float]
    real_recall: float
    real_interval: tuple[float, float]
    auc: float
    auc_interval: tuple[float, float]
    map_peaks: list[float]


def mesonet_faces(data: Path) -> Iterator[Item]:
    """Folders fake/ and real/; the number before ``_``, with the label, is the source video."""
    for label in ("fake", "real"):
        for path in sorted((data / "mesonet-faces" / label).glob("*.jpg")):
            yield Item(path, label == "fake", f"{label}-{path.stem.split('_')[0]}")


def dfdc_faces(data: Path) -> Iterator[Item]:
    """``metadata.csv`` as published; a fake and its original belong together."""
    folder = data / "dfdc-faces"
    with (folder / "metadata.csv").open(newline="") as table:
        for row in csv.DictReader(table):
            path = folder / "faces_224" / f"{Path(row['videoname']).stem}.jpg"
            if path.is_file():
                fake = row["label"] == "FAKE"
                yield Item(path, fake, row["original"] if fake else row["videoname"])


DATASETS: dict[str, Callable[[Path], Iterator[Item]]] = {"mesonet-faces": mesonet_faces, "dfdc-faces": dfdc_faces}


def measure(bundles: Sequence[tuple[str, Bundle]], items: Sequence[Item], engine: str) -> list[Row]:
    """Judge every crop with every bundle; a crop is decoded and resized once."""
    judges = [Judge.open(bundle, engine) for _, bundle in bundles]
    spec = bundles[0][1].contract.preprocess
    if any(bundle.contract.preprocess != spec for _, bundle in bundles):
        raise SystemExit("the bundles do not share their preprocessing")
    logits: list[list[Floats]] = [[] for _ in bundles]
    peaks: list[list[Floats]] = [[] for _ in bundles]
    for start in range(0, len(items), PIECE):
        batch = to_batch([open_picture(item.path).pixels for item in items[start : start + PIECE]], spec)
        for index, judge in enumerate(judges):
            logit, maps = judge(batch)
            logits[index].append(logit.astype(np.float64))
            peaks[index].append(np.abs(maps).max((1, 2)).astype(np.float64))
        print(f"\r{start + len(batch)} / {len(items)}", end="", file=sys.stderr)
    print(file=sys.stderr)
    return [
        _row(name, np.concatenate(logits[index]), np.concatenate(peaks[index]), items)
        for index, (name, _) in enumerate(bundles)
    ]


def _row(name: str, logits: Floats, peaks: Floats, items: Sequence[Item]) -> Row:
    fake = np.array([item.fake for item in items])
    group, groups = group_codes([item.group for item in items])
    probability = 1 / (1 + np.exp(-logits))
    sample = Sample(fake, logits, probability, group, groups, 0.5, 0.5, np.zeros(groups, np.int64))
    found = estimate_all(sample, Intervals(draws=RESAMPLES), ("accuracy_fake", "accuracy_real", "auc"))
    fakes, reals, auc = (_numbers(name, one) for name, one in found.items())
    quantiles = np.quantile(peaks, [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99])
    return Row(
        name, int(fake.sum()), int((~fake).sum()), *fakes, *reals, *auc, [float(value) for value in quantiles]
    )  # fmt: skip


def _numbers(name: str, found: Estimate | Undefined) -> tuple[float, tuple[float, float]]:
    if isinstance(found, Undefined) or found.low is None or found.high is None:
        raise SystemExit(f"{name} has no interval here: {found}")
    return found.value, (found.low, found.high)


def _print_table(rows: Sequence[Row]) -> None:
    print(f"{'weights':18} {'fake recall':>22} {'real recall':>22} {'AUC':>22}   n fake / real")
    for row in rows:
        cells = [
            f"{value:.3f} ({low:.3f}-{high:.3f})"
            for value, (low, high) in (
                (row.fake_recall, row.fake_interval),
                (row.real_recall, row.real_interval),
                (row.auc, row.auc_interval),
            )
        ]
        print(f"{row.weights:18} {cells[0]:>22} {cells[1]:>22} {cells[2]:>22}   {row.n_fake} / {row.n_real}")
    print("\nlargest |value| of the map, quantiles 1 5 25 50 75 95 99 %")
    for row in rows:
        print(f"{row.weights:18} " + " ".join(f"{value:9.4f}" for value in row.map_peaks))


def main() -> None:
    """Read the command line and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--dataset", choices=sorted(DATASETS), default="mesonet-faces")
    parser.add_argument("--only", nargs="+", choices=WEIGHTS, default=WEIGHTS, metavar="NAME")
    parser.add_argument("--engine", default=DEFAULT_ENGINE)
    parser.add_argument("--json", action="store_true", help="print JSON, not a table")
    arguments = parser.parse_args()
    items = list(DATASETS[arguments.dataset](arguments.data))
    if not items:
        raise SystemExit(f"no pictures of {arguments.dataset} in {arguments.data}")
    with tempfile.TemporaryDirectory() as folder:
        bundles = [(name, import_mesonet(arguments.weights / f"{name}.h5", Path(folder))) for name in arguments.only]
        rows = measure(bundles, items, arguments.engine)
    if arguments.json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
    else:
        _print_table(rows)


if __name__ == "__main__":
    main()
