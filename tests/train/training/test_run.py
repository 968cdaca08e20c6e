"""A run's directory: begun once, gone on with, read back."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from pathlib import Path

import pytest

from mesoscope.errors import UsageError
from mesoscope_train.recipes import recipe_named
from mesoscope_train.training.comparing import compared
from mesoscope_train.training.history import Epoch, read_history, write_history
from mesoscope_train.training.run import Run, begin, go_on

EPOCH = Epoch("all", 1, 10, 1e-3, 0.7, 0.5, 0.69, 0.55, 0.6, 12.5, 100.0, 0.02)


def finished(path: Path, *, val_loss: float = 0.6, digest: str = "a" * 64) -> Run:
    run = begin(path, recipe_named("mesonet-visual"), "mesoscope train")
    write_history(run.history_file, [EPOCH, replace(EPOCH, epoch=2, val_loss=val_loss, data_share=0.04)])
    run.write_facts("data", {"manifest_sha256": digest})
    run.write_facts(
        "result",
        {"val_loss": val_loss, "val_accuracy": 0.6, "val_auc": 0.7, "parameters": 27977, "seconds_per_epoch": 12.5,
         "images_per_second": 100.0},
    )  # fmt: skip
    return run


def test_what_is_begun_can_be_read(tmp_path: Path) -> None:
    recipe = recipe_named("dfdc-transfer:slim-resnet")
    run = begin(tmp_path / "run", recipe, "mesoscope train --recipe dfdc-transfer")
    assert run.recipe() == recipe
    (environment,) = run.facts("environment")["sessions"]
    assert environment["command"] == "mesoscope train --recipe dfdc-transfer"
    assert environment["versions"]["torch"]
    again = go_on(tmp_path / "run", "mesoscope train --resume run")
    assert again.facts("environment")["sessions"][1]["command"] == "mesoscope train --resume run"
    assert again.facts("result") == {}


def test_places_that_are_refused(tmp_path: Path) -> None:
    recipe = recipe_named("mesonet-visual")
    begin(tmp_path / "run", recipe, "")
    with pytest.raises(UsageError, match="holds a run already"):
        begin(tmp_path / "run", recipe, "")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("x")
    with pytest.raises(UsageError, match="not empty and holds no run"):
        begin(tmp_path / "full", recipe, "")
    with pytest.raises(UsageError, match="is no run"):
        go_on(tmp_path / "full", "")
    (tmp_path / "run" / "recipe.yaml").write_text("name: x\nloop: {batchsize: 3}\n")
    with pytest.raises(UsageError, match="cannot be read"):
        go_on(tmp_path / "run", "")
    (tmp_path / "run" / "data.json").write_text("{")
    with pytest.raises(UsageError, match="is not JSON"):
        Run(tmp_path / "run").facts("data")


def test_history_and_back(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    assert read_history(path) == []
    write_history(path, [EPOCH])
    assert read_history(path) == [EPOCH]
    path.write_text("a,b\n1,2\n")
    with pytest.raises(UsageError, match="is no history"):
        read_history(path)


def test_runs_side_by_side(tmp_path: Path) -> None:
    finished(tmp_path / "a", val_loss=0.6)
    finished(tmp_path / "b", val_loss=0.5)
    lines = compared([tmp_path / "a", tmp_path / "b"])
    assert [line.run for line in lines] == ["b", "a"], "the best first"
    assert lines[0].epochs == 2
    assert lines[0].data_share == pytest.approx(0.03)
    finished(tmp_path / "c", digest="b" * 64)
    with pytest.raises(UsageError, match="different manifests"):
        compared([tmp_path / "a", tmp_path / "c"])
    begin(tmp_path / "d", recipe_named("mesonet-visual"), "")
    with pytest.raises(UsageError, match="is not finished"):
        compared([tmp_path / "d"])


@pytest.mark.skipif(importlib.util.find_spec("matplotlib") is None, reason="figures need the 'train' extra")
def test_curves_and_comparison_are_drawn(tmp_path: Path) -> None:
    from mesoscope_train.figures import save
    from mesoscope_train.training.comparing import comparison
    from mesoscope_train.training.curves import curves, write_curves

    run = finished(tmp_path / "a")
    write_curves(run)
    assert (run.path / "curves.png").read_bytes().startswith(b"\x89PNG")
    figure = curves([EPOCH, replace(EPOCH, stage="top", epoch=1, val_loss=0.4)])
    loss = figure.axes[0].get_lines()[1]
    assert list(loss.get_ydata()) == [0.69, 0.4]
    ticks = [label.get_text() for label in figure.axes[2].get_yticklabels()]
    assert not any("$" in tick for tick in ticks), "powers are written as plain numbers"
    with pytest.raises(UsageError, match="nothing to draw"):
        curves([])
    finished(tmp_path / "b", val_loss=0.5)
    save(comparison([tmp_path / "a", tmp_path / "b"]), tmp_path / "five.png")
    assert json.dumps([line.run for line in compared([tmp_path / "a", tmp_path / "b"])]) == '["b", "a"]'
