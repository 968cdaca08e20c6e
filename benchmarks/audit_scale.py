"""Scale: how long it takes to list, import, split, measure and audit many pictures, and how much memory.

    python benchmarks/audit_scale.py [--files 1000 10000 100000] [--rows 100000 1000000] [--workers 2] [--keep DIR]

Two tables are printed. In the first, real trees of small JPEGs (64 px, blends of windows of the example pictures, ten
frames a group) go the whole way. In the second, manifests of made-up rows with made-up measurements go through what
follows the measuring, so that a million rows can be tried in minutes. Each stage is a process of its own; its peak
of resident memory is the largest of any of its processes (Python with all that is imported takes 190 MiB of it). The
last column is the time for the last size over that for the one before, made good for ten times as much: 10 is linear.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
from PIL import Image

from mesoscope.manifest import Manifest, read_manifest, write_manifest
from mesoscope.media import find_inputs
from mesoscope_train.data.audit.duplicates import find_duplicates
from mesoscope_train.data.audit.fingerprint import LENGTH
from mesoscope_train.data.audit.measures import SCHEMA, measure
from mesoscope_train.data.audit.run import Examined, conclude, measures_file
from mesoscope_train.data.audit.shortcuts import DEFAULT_BOUND, Shortcuts, find_shortcuts
from mesoscope_train.data.importers import ImportOptions
from mesoscope_train.data.importing import import_data
from mesoscope_train.data.splitting import Fractions, split

EXAMPLES = Path(__file__).parent.parent / "examples"
SIDE, FRAMES, A_FOLDER = 64, 10, 1000
CONFUSED = 1000
"""Every so many rows of the made-up ones are a copy of another."""


def generate(folder: Path, count: int) -> None:
    """`count` JPEGs below real/ and fake/: each group ten shifted views of one blend of two random windows."""
    pictures = [Image.open(file).convert("RGB") for file in sorted(EXAMPLES.glob("*.jpg"))]
    random = np.random.default_rng(count)
    for group in range(count // FRAMES):
        chosen = [pictures[index] for index in random.choice(len(pictures), 2, replace=False)]
        views = []
        for picture in chosen:
            size = int(random.integers(100, min(picture.size) - 20))
            left, top = (int(random.integers(0, side - size - 12)) for side in picture.size)
            views.append((picture, left, top, size, int(random.integers(0, 8))))
        below = folder / ("real", "fake")[group % 2] / f"{group // A_FOLDER:04d}"
        below.mkdir(parents=True, exist_ok=True)
        for frame in range(FRAMES):
            first, second = (
                picture.crop((left + frame, top, left + size + frame, top + size))
                .resize((SIDE, SIDE))
                .transpose(Image.Transpose(turn % 7))
                for picture, left, top, size, turn in views
            )
            Image.blend(first, second, 0.4).save(below / f"{group}_{frame}.jpg", quality=85)


def list_files(folder: Path, _: int) -> None:
    """Find every file."""
    assert sum(1 for _ in find_inputs([str(folder / "tree")]))  # noqa: S101


def import_files(folder: Path, _: int) -> None:
    """`data import`."""
    options = ImportOptions(group=r"(\d+)_\d+\.jpg$")
    write_manifest(import_data("folders", folder / "tree", options).manifest, folder / "m.parquet")


def split_files(folder: Path, _: int) -> None:
    """`data split`."""
    write_manifest(
        split(read_manifest(folder / "m.parquet"), Fractions.parse("70:20:10")).manifest, folder / "s.parquet"
    )


def measure_files(folder: Path, workers: int) -> None:
    """The reading part of `data audit`; with the cache there, what a second audit spends on it."""
    manifest = read_manifest(folder / "s.parquet")
    measure(manifest, measures_file(manifest, folder), workers=workers)


def search_files(folder: Path, _: int) -> None:
    """Identical and near pictures."""
    manifest = read_manifest(folder / "s.parquet")
    find_duplicates(measure(manifest, measures_file(manifest, folder)), manifest.codes("group")[0])


def made_up(rows: int) -> tuple[Manifest, pa.Table]:
    """A manifest and measurements of no files: ten rows a group, of a thousand rows one a copy of another."""
    random = np.random.default_rng(0)
    number = np.arange(rows)
    group = number // FRAMES
    columns = {
        "path": [f"{row // A_FOLDER}/{row}.jpg" for row in number.tolist()],
        "label": np.where(group % 2, "fake", "real"),
        "group": [f"set:{value}" for value in group.tolist()],
        "dataset": ["set"] * rows,
        "split": np.array(["train", "validation", "test"])[(group % 10 > 6).astype(int) + (group % 10 > 8)],
    }
    prints = random.integers(0, 256, (rows, LENGTH), np.uint8)
    copies = number[CONFUSED - 1 :: CONFUSED]
    prints[copies] = prints[copies - 57]
    pixels = random.integers(0, 256, (rows, 16), np.uint8)
    pixels[copies[::2]] = pixels[copies[::2] - 57]
    known = {
        "path": pa.array(columns["path"]),
        "size_bytes": pa.array(random.integers(2000, 3000, rows)),
        "width": pa.array(np.full(rows, SIDE, np.int32)),
        "height": pa.array(np.full(rows, SIDE, np.int32)),
        "format": pa.array(["jpeg"] * rows),
        "pixels": _binary(pixels),
        "fingerprint": _binary(prints).cast(pa.binary()),
    }
    arrays = []
    for field in SCHEMA:
        if field.type == pa.float32():
            known[field.name] = pa.array(random.random(rows, np.float32))
        arrays.append(known.get(field.name, pa.nulls(rows, field.type)))
    return Manifest(pa.table(columns), Path()), pa.table(arrays, schema=SCHEMA)


def _binary(values: np.ndarray[tuple[int, int], np.dtype[np.uint8]]) -> pa.Array:
    return pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(values.shape[1]), len(values), [None, pa.py_buffer(np.ascontiguousarray(values))]
    )


def search_rows(manifest: Manifest, measures: pa.Table) -> None:
    """Identical and near pictures."""
    found = find_duplicates(measures, manifest.codes("group")[0])
    assert len(found.near.rows) == len(manifest) // CONFUSED // 2  # noqa: S101


def shortcut_rows(manifest: Manifest, measures: pa.Table) -> None:
    """Shortcuts: of more than 20,000 rows, 20,000 are drawn."""
    find_shortcuts(manifest, measures)


def conclude_rows(manifest: Manifest, measures: pa.Table) -> None:
    """Leaks, contents, balance and the digest, near copies not searched."""
    rows = len(manifest)
    few = measures.set_column(SCHEMA.get_field_index("fingerprint"), "fingerprint", pa.nulls(rows, pa.binary()))
    conclude(
        manifest, Examined(measures, find_duplicates(few, np.zeros(rows, np.int64))), Shortcuts((), ()), DEFAULT_BOUND
    )


FILES: dict[str, Callable[[Path, int], None]] = {
    "list": list_files,
    "import": import_files,
    "split": split_files,
    "measure": measure_files,
    "measure again, cached": measure_files,
    "search copies": search_files,
}
ROWS: dict[str, Callable[[Manifest, pa.Table], None]] = {
    "search copies": search_rows,
    "shortcuts": shortcut_rows,
    "conclude": conclude_rows,
}


def in_a_process(table: str, stage: str, folder: Path, number: int) -> tuple[float, float]:
    """Seconds (without starting and making up) and peak memory in MiB of a stage."""
    command = [sys.executable, __file__, "--stage", table, stage, str(folder), str(number)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None  # noqa: S101
        said = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{stage} failed")
    return float(said), usage.ru_maxrss / 1024


def in_this_process(table: str, stage: str, folder: Path, number: int) -> None:
    """Run a stage and print the seconds it took."""
    if table == "files":
        started = time.perf_counter()
        FILES[stage](folder, number)
    else:
        manifest, measures = made_up(number)
        started = time.perf_counter()
        ROWS[stage](manifest, measures)
    print(time.perf_counter() - started)


def show(title: str, sizes: list[int], measured: dict[str, list[tuple[float, float]]]) -> None:
    """A table: a row a stage, seconds and MiB for each size, and the growth from the last but one to the last."""
    print(f"\n| {title} | " + " | ".join(f"{size:,}: s | MiB" for size in sizes) + " | growth |")
    print("|---" * (2 * len(sizes) + 2) + "|")
    for stage, results in measured.items():
        cells = [f"{seconds:.1f} | {memory:.0f}" for seconds, memory in results]
        factor = sizes[-1] / sizes[-2] if len(sizes) > 1 else 1
        growth = results[-1][0] / results[-2][0] * 10 / factor if len(sizes) > 1 else float("nan")
        print(f"| {stage} | " + " | ".join(cells) + f" | {growth:.1f} |")


def main() -> None:
    """Measure all stages at all sizes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, nargs="*", default=[1_000, 10_000, 100_000])
    parser.add_argument("--rows", type=int, nargs="*", default=[100_000, 1_000_000])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="where the trees lie, and stay")
    parser.add_argument("--stage", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.stage:
        table, stage, folder, number = options.stage
        in_this_process(table, stage, Path(folder), int(number))
        return
    with tempfile.TemporaryDirectory() as workshop:
        measured: dict[str, list[tuple[float, float]]] = {stage: [] for stage in FILES}
        for count in options.files:
            folder = (options.keep or Path(workshop)) / str(count)
            if not (folder / "tree").is_dir():
                generate(folder / "tree", count)
            for stale in folder.glob("*.parquet"):
                stale.unlink()
            for stage in FILES:
                measured[stage].append(in_a_process("files", stage, folder, options.workers))
        if options.files:
            show(f"files, {options.workers} workers", options.files, measured)
    measured = {stage: [in_a_process("rows", stage, Path(), rows) for rows in options.rows] for stage in ROWS}
    if options.rows:
        show("rows", options.rows, measured)


if __name__ == "__main__":
    main()
