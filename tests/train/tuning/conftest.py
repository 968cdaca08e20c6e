"""Searches whose trials are made up: a run that takes no time and whose values follow from its settings."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mesoscope.manifest import ManifestBuilder, Row, write_manifest

VALUES = np.random.default_rng(0).integers(0, 255, (60, 16, 16, 3), dtype=np.uint8)


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """60 pictures of noise, reds fake: 32 for training, 16 for validation, 12 for test."""
    root = tmp_path / "data"
    root.mkdir()
    builder = ManifestBuilder(root)
    for number, pixels in enumerate(VALUES):
        fake = number % 2 == 1
        shown = pixels.copy()
        shown[..., 0] = 255 if fake else shown[..., 0]
        Image.fromarray(shown).resize((40, 40)).save(root / f"{number:02}.png")
        split = "train" if number < 32 else "validation" if number < 48 else "test"
        label = "fake" if fake else "real"
        builder.add(Row(path=f"{number:02}.png", label=label, group=f"g:{number}", dataset="noise", split=split))
    path = root / "noise.parquet"
    write_manifest(builder.build(), path)
    return path


@pytest.fixture
def made_up(monkeypatch):
    """Puts a made-up run in the place of training; returns the recipes it was called with."""
    from mesoscope_train.training import session
    from mesoscope_train.training.history import Epoch

    called = []

    def start(recipe, out, *, allow_leaks=(), command="", watch=None):
        called.append(recipe)
        out.mkdir(parents=True)
        for number in range(1, recipe.stages[-1].epochs + 1):
            loss = loss_of(recipe) + 1 / number
            watch(
                Epoch(
                    stage=recipe.stages[-1].name,
                    epoch=number,
                    steps=number,
                    learning_rate=1.0,
                    train_loss=1.0,
                    train_accuracy=0.5,
                    val_loss=loss,
                    val_accuracy=1 / (1 + loss),
                    val_auc=1 / (1 + loss / 2),
                    seconds=1.0,
                    images_per_second=1.0,
                    data_share=0.0,
                )
            )

    monkeypatch.setattr(session, "start", start)
    return called


def loss_of(recipe) -> float:
    """Best at a learning rate of 1e-3."""
    return abs(math.log10(recipe.stages[0].optimiser.learning_rate) + 3)


@pytest.fixture
def plan(manifest, tmp_path):
    """Function to a plan of a search of the learning rate and optimiser, with changes."""
    from mesoscope_train.recipes import recipe_named, settings_from
    from mesoscope_train.tuning.search import Plan
    from mesoscope_train.tuning.space import parse_search

    def make(search="learning_rate=1e-4..1e-1,optimizer", settings=(), **changes):
        recipe = settings_from(
            recipe_named("dfdc-transfer:cnn-small"),
            None,
            [f"data.manifests=['{manifest}']", "stages.0.epochs=4", *settings],
        )
        given = {"out": tmp_path / "search", "trials": 8, "name": "test", "measure": "loss", "seed": 0}
        # faster than a database; the tests that are about one name it
        given = {**given, "storage": f"journal:{tmp_path}/trials.log", **changes}
        return Plan(recipe=recipe, search=parse_search(search), **given)

    return make
