"""A tiny run in a process of its own, to be killed: ``python tiny_run.py OUT MANIFEST KILL_AFTER SETTING…``."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import lightning
import torch

from mesoscope.manifest import read_manifest
from mesoscope_train.augment import Flip, Jpeg
from mesoscope_train.detectors import build_detector, parse_architecture
from mesoscope_train.recipes import settings_from
from mesoscope_train.recipes.settings import Cosine, Data, Loop, Loss, Model, Optimiser, Recipe, Stage
from mesoscope_train.training import loop, run
from mesoscope_train.training.examples import parts_of
from mesoscope_train.training.pictures import Pictures

RECIPE = Recipe(
    name="tiny",
    about="A tiny run.",
    data=Data(workers=0, pairs=True),
    model=Model(detector="slim-resnet", size=64),
    augment=(Flip(), Jpeg()),
    stages=(
        Stage(
            name="all",
            epochs=3,
            optimiser=Optimiser(name="adamw", learning_rate=1e-3, weight_decay=0.01),
            schedule=Cosine(),
        ),
    ),
    loss=Loss(ranking=1.0),
    loop=Loop(batch_size=8, ema=0.9, clip=1.0, checkpoint_steps=3, accelerator="cpu"),
)


class Killer(lightning.Callback):
    """Ends this process without a word after a number of batches."""

    def __init__(self, after: int) -> None:
        self.after = after

    def on_train_batch_end(self, trainer, *_rest):
        if trainer.fit_loop.total_batch_idx + 1 == self.after:
            os.kill(os.getpid(), signal.SIGKILL)


def main(out: Path, manifest: Path, kill_after: int, settings: list[str]) -> None:
    if kill_after:
        callbacks = loop._callbacks
        loop._callbacks = lambda *given: [*callbacks(*given), Killer(kill_after)]
    there = run.Run(out).recipe_file.is_file()
    directory = run.go_on(out, "again") if there else run.begin(out, settings_from(RECIPE, None, settings), "first")
    recipe = directory.recipe()
    train, validation = parts_of(read_manifest(manifest), None, set())
    spec = parse_architecture(recipe.model.detector).preprocess.model_copy(update={"size": 64})
    torch.manual_seed(0)
    parts = loop.Parts(
        Pictures(train.files, train.fake, spec, recipe.augment),
        Pictures(validation.files, validation.fake, spec),
        train,
    )
    loop.run_stages(directory, recipe, build_detector(recipe.model.detector), parts)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
