"""Scale: memory and time of an evaluation, one bundle at all tiers and sweeps, for few pictures and for many.

    python benchmarks/evaluate_scale.py M.parquet --bundle B [--rows 500 16000] [--tiers all|clean]

Each size is one evaluation in a process of its own, on evenly spaced rows of the manifest, without figures. The peak
of resident memory (Python with all that is imported takes most of 300 MiB of it) and the seconds of scoring and of
measuring are printed. Scoring must not grow with the number of pictures; measuring holds the scores of one manifest
(25 tiers of 16,000 pictures are 400,000 rows). The home directory of the register is a temporary one.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from mesoscope.manifest import read_manifest, write_manifest
from mesoscope_train.evaluation import inputs, run
from mesoscope_train.evaluation.measuring import measure
from mesoscope_train.evaluation.metrics_schema import Settings
from mesoscope_train.evaluation.scores import read_scores
from mesoscope_train.evaluation.tiers import SWEEPS, TIERS, chosen_tiers


def sample(path: Path, rows: int, target: Path) -> None:
    """A manifest of evenly spaced rows, without a split."""
    manifest = read_manifest(path)
    wanted = np.unique(np.linspace(0, len(manifest) - 1, rows).round().astype(int))
    write_manifest(manifest.take(wanted).with_column("split", [None] * len(wanted)), target)


def scored(manifest: Path, bundle: str, out: Path, tiers: str, threads: int) -> None:
    """What the process does first: score everything (and stop before measuring)."""
    started = time.perf_counter()
    stop: dict[str, float] = {}

    def write_all(*_: object, **__: object) -> None:
        stop["at"] = time.perf_counter()

    run.write_all = write_all  # measured by itself, below
    every = tiers == "all"
    request = inputs.Request(
        bundles=(bundle,),
        manifests=(manifest,),
        out=out,
        tiers=tuple(TIERS) if every else (),
        sweeps=tuple(SWEEPS) if every else (),
        threads=threads,
    )
    run.evaluate(request, Settings(), "benchmark")
    print(stop["at"] - started)


def measured(out: Path) -> None:
    """What the process does second: all numbers of these scores."""
    started = time.perf_counter()
    measure(read_scores(out / "scores.parquet"), Settings())
    print(time.perf_counter() - started)


def in_a_process(arguments: list[str], home: str) -> tuple[float, float, float]:
    """Seconds of the stage, seconds of processor time, and peak memory in MiB of a process."""
    command = [sys.executable, __file__, *arguments]
    environment = {**os.environ, "MESOSCOPE_HOME": home}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None  # noqa: S101
        said = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit("the stage failed")
    return float(said.split()[-1]), usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main() -> None:
    """Measure all sizes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--bundle", default="mesoscope-face")
    parser.add_argument("--rows", type=int, nargs="*", default=[500, 16_000])
    parser.add_argument("--tiers", choices=["all", "clean"], default="all")
    parser.add_argument("--threads", type=int, default=0, help="of the engine; 0 for all cores")
    parser.add_argument("--keep", type=Path, help="where the evaluations lie, and stay; a killed one goes on")
    parser.add_argument("--stage", choices=["score", "measure"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.stage == "score":
        scored(options.manifest, options.bundle, options.keep, options.tiers, options.threads)
        return
    if options.stage == "measure":
        measured(options.keep)
        return
    print("| pictures | scores | scoring: s | processor s | MiB | measuring: s | processor s | MiB |")
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as workshop:
        for rows in options.rows:
            folder = (options.keep or Path(workshop)) / f"{rows}-{options.tiers}"
            folder.mkdir(parents=True, exist_ok=True)
            manifest = folder / "m.parquet"
            sample(options.manifest, rows, manifest)
            common = [
                str(manifest),
                "--bundle",
                options.bundle,
                "--tiers",
                options.tiers,
                "--keep",
                str(folder / "out"),
                "--threads",
                str(options.threads),
            ]
            scoring = in_a_process(["--stage", "score", *common], workshop)
            numbers = in_a_process(["--stage", "measure", *common], workshop)
            scores = rows * (len(chosen_tiers(list(TIERS), list(SWEEPS))) if options.tiers == "all" else 1)
            cells = [f"{rows:,}", f"{scores:,}", *(f"{value:.0f}" for value in (*scoring, *numbers))]
            print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
