"""Cold start: `mesoscope detect one.jpg` beside single-picture scripts in Keras and torch, in one run.

    python benchmarks/cold_start.py photo.jpg Meso4_DF.h5 [--keras-python PYTHON] [--runs 7]

All find the face with dlib, judge it with Meso-4 and compute Grad-CAM. Whole processes are timed, turn by turn
after one warm-up each (so that files are in the page cache, as on any machine that was used before); medians are
printed, and their ratio to ours. PYTHON is one that has tensorflow and dlib-bin; without it Keras is left out.
`mesoscope` is also timed with its own default bundle, and writing an HTML report.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from mesoscope_train.weight_formats.mesonet import import_mesonet

PEERS = Path(__file__).parent / "peers"


def seconds(command: list[str]) -> float:
    """Wall time of one process that must succeed."""
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    elapsed = time.perf_counter() - started
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    return elapsed


def main() -> None:
    """Time all, turn by turn, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photo")
    parser.add_argument("weights", type=Path)
    parser.add_argument("--keras-python")
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as workshop:
        bundle = str(import_mesonet(options.weights, Path(workshop)).path)
        detect = [sys.executable, "-m", "mesoscope", "detect", options.photo]
        commands = {
            "mesoscope, Meso-4": [*detect, "--bundle", bundle],
            "mesoscope, own bundle": detect,
            "mesoscope, own bundle, report": [*detect, "--report", f"{workshop}/report.html"],
            "torch script": [sys.executable, str(PEERS / "torch_single.py"), bundle, options.photo],
        }
        if options.keras_python:
            keras = str(PEERS / "keras_single.py")
            commands["Keras script"] = [options.keras_python, keras, str(options.weights), options.photo]
        times: dict[str, list[float]] = {name: [] for name in commands}
        for turn in range(options.runs + 1):
            for name, command in commands.items():
                taken = seconds(command)
                if turn:  # the first turn warms up
                    times[name].append(taken)
    ours = statistics.median(times["mesoscope, Meso-4"])
    print("| | median s | min | max | ratio to ours |\n|---|---|---|---|---|")
    for name, taken in times.items():
        median = statistics.median(taken)
        print(f"| {name} | {median:.2f} | {min(taken):.2f} | {max(taken):.2f} | {median / ours:.2f} |")


if __name__ == "__main__":
    main()
