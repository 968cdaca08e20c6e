"""Training throughput of Meso-4: from pictures on disk, from synthetic tensors, and beside Keras' `fit`.

    python benchmarks/training_throughput.py split.parquet --keras-python path/to/python

Every way trains the same network (float32 unless --precision says otherwise, Adam, batches of 32) on the same
pictures, without augmentation, for three epochs of which the first is not counted. Ours reads through
`mesoscope_train`'s own loader; "synthetic" hands the same loop tensors that are there already; Keras reads through
tf.data with its parallel map and prefetch. Rounds alternate, so that whatever else the machine does meets all alike;
medians and ratios are printed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

from mesoscope.manifest import read_manifest
from mesoscope_train.detectors import build_detector, parse_architecture
from mesoscope_train.recipes.settings import Data, Loop, Loss, Model, Recipe, Stage
from mesoscope_train.training import run
from mesoscope_train.training.examples import Examples, examples_of
from mesoscope_train.training.history import read_history
from mesoscope_train.training.loop import Parts, run_stages
from mesoscope_train.training.pictures import Pictures
from mesoscope_train.training.pixels import pixel_file

EPOCHS, BATCH = 3, 32
KERAS = Path(__file__).parent / "peers" / "meso4_keras_fit.py"


class Synthetic(Pictures):
    """As many pictures, all the same tensor."""

    def __init__(self, examples: Examples, size: int) -> None:
        self._files, self._fake = examples.files, examples.fake
        self._tensor = torch.rand(3, size, size)

    def __getitem__(self, draw: object) -> tuple[torch.Tensor, float, int]:
        row = draw if isinstance(draw, int) else draw.row  # type: ignore[attr-defined]
        return self._tensor, float(self._fake[row]), row


def ours(
    train: Pictures, validation: Pictures, examples: Examples, workers: int, precision: str
) -> tuple[float, float]:
    """Images a second, and the share of time spent waiting for pictures."""
    recipe = Recipe(
        name="throughput",
        about="Meso-4, nothing else.",
        data=Data(workers=workers),
        model=Model(detector="meso4"),
        stages=(Stage(epochs=EPOCHS),),
        loss=Loss(),
        loop=Loop(batch_size=BATCH, accelerator="cpu", channels_last=False, precision=precision),
    )
    with tempfile.TemporaryDirectory() as directory:
        where = run.begin(Path(directory) / "run", recipe, "benchmark")
        run_stages(where, recipe, build_detector("meso4"), Parts(train, validation, examples))
        history = read_history(where.history_file)[1:]
    return (
        statistics.median(epoch.images_per_second for epoch in history),
        statistics.median(epoch.data_share for epoch in history),
    )


def keras(python: str, examples: Examples) -> float:
    """Images a second of Keras' `fit`."""
    files = json.dumps([[str(file), bool(fake)] for file, fake in zip(examples.files, examples.fake, strict=True)])
    done = subprocess.run(
        [python, str(KERAS), str(EPOCHS), str(BATCH)], input=files, capture_output=True, text=True, check=True
    )
    return float(done.stdout.split()[-1])


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--rows", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--precision", default="32-true", help="of ours; Keras stays at float32")
    parser.add_argument("--keras-python", help="a Python that has tensorflow")
    arguments = parser.parse_args()
    manifest = read_manifest(arguments.manifest)
    chosen = np.random.default_rng(0).permutation(len(manifest))[: arguments.rows + BATCH]
    examples = examples_of(manifest.take(np.sort(chosen[: arguments.rows])))
    few = examples_of(manifest.take(np.sort(chosen[arguments.rows :])))
    spec = parse_architecture("meso4").preprocess
    rates: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as directory:
        cache = pixel_file(examples.files, Path(directory))
        validation = Pictures(few.files, few.fake, spec)
        for _ in range(arguments.rounds):
            pictures = Pictures(examples.files, examples.fake, spec, (), cache)
            how = (arguments.workers, arguments.precision)
            real, share = ours(pictures, validation, examples, *how)
            synthetic, _ = ours(Synthetic(examples, spec.size), validation, examples, *how)
            rates.setdefault("pictures", []).append(real)
            rates.setdefault("synthetic", []).append(synthetic)
            rates.setdefault("waiting", []).append(share)
            if arguments.keras_python:
                rates.setdefault("keras", []).append(keras(arguments.keras_python, examples))
    median = {name: statistics.median(values) for name, values in rates.items()}
    print(f"from pictures      {median['pictures']:8.1f} images/s, waiting {median['waiting']:.1%} of the time")
    print(f"synthetic tensors  {median['synthetic']:8.1f} images/s")
    print(f"ratio              {median['pictures'] / median['synthetic']:8.3f}  (pictures / synthetic)")
    if "keras" in median:
        print(f"Keras' fit         {median['keras']:8.1f} images/s")
        print(f"ratio              {median['pictures'] / median['keras']:8.3f}  (ours / Keras)")


if __name__ == "__main__":
    sys.exit(main())
