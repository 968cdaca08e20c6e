"""The loop: it learns, survives a kill to the same result, stops when it diverges, shares out to processes."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the learning side needs the 'train' extra")

from safetensors.torch import load_file  # noqa: E402

from mesoscope.errors import UsageError  # noqa: E402
from mesoscope_train.errors import TrainingDiverged  # noqa: E402
from mesoscope_train.training.history import read_history  # noqa: E402
from mesoscope_train.training.run import Run  # noqa: E402

SCRIPT = Path(__file__).with_name("tiny_run.py")


def tiny_run(out: Path, manifest: Path, *settings: str, kill_after: int = 0) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(SCRIPT), str(out), str(manifest), str(kill_after), *settings]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)


def inside(out: Path, manifest: Path, *settings: str) -> Run:
    """The same run in this process."""
    spec = importlib.util.spec_from_file_location("tiny_run", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as the process that is killed: sums in another order are other numbers
    try:
        module.main(out, manifest, 0, list(settings))
    finally:
        torch.set_num_threads(threads)
    return Run(out)


@pytest.fixture(scope="module")
def unbroken(tiny_manifest, tmp_path_factory):
    return inside(tmp_path_factory.mktemp("unbroken") / "run", tiny_manifest)


def test_it_learns_and_writes_everything(unbroken):
    history = read_history(unbroken.history_file)
    assert [epoch.epoch for epoch in history] == [1, 2, 3]
    assert [epoch.steps for epoch in history] == [4, 8, 12]
    assert history[-1].train_loss < history[0].train_loss
    assert history[-1].learning_rate == pytest.approx(0, abs=1e-12)
    for epoch in history:
        assert 0 <= epoch.data_share <= 1
        assert 0 <= epoch.val_auc <= 1
        assert epoch.images_per_second > 0
    stage = unbroken.stage(1, "all")
    assert {path.name for path in stage.iterdir()} == {"best.ckpt", "last.ckpt", "model.safetensors"}
    assert list((unbroken.path / "tensorboard").rglob("events.out.tfevents.*"))


@pytest.mark.parametrize("kill_after", [2, 5, 8])
def test_a_killed_run_goes_on_to_the_same_weights(unbroken, tiny_manifest, tmp_path, kill_after):
    """Before the first checkpoint, in the middle of an epoch, and at the end of one."""
    out = tmp_path / "run"
    killed = tiny_run(out, tiny_manifest, kill_after=kill_after)
    assert killed.returncode == -signal.SIGKILL
    assert not Run(out).weights_file.exists()
    inside(out, tiny_manifest)
    ours, theirs = load_file(Run(out).weights_file), load_file(unbroken.weights_file)
    assert ours.keys() == theirs.keys()
    for name, value in theirs.items():
        assert torch.equal(ours[name], value), name
    columns = ("stage", "epoch", "steps", "learning_rate", "val_loss", "val_auc")
    again, once = (read_history(run.history_file) for run in (Run(out), unbroken))
    assert [[getattr(e, c) for c in columns] for e in again] == [[getattr(e, c) for c in columns] for e in once]


def test_the_number_of_workers_changes_nothing(unbroken, tiny_manifest, tmp_path):
    other = inside(tmp_path / "run", tiny_manifest, "data.workers=2")
    ours, theirs = load_file(other.weights_file), load_file(unbroken.weights_file)
    assert all(torch.equal(ours[name], value) for name, value in theirs.items())


def test_two_processes_train_together(tiny_manifest, tmp_path):
    out = tmp_path / "run"
    done = tiny_run(out, tiny_manifest, "loop.devices=2", "loop.batch_size=4", "stages.0.epochs=2")
    assert done.returncode == 0, done.stderr[-2000:]
    history = read_history(Run(out).history_file)
    assert [epoch.steps for epoch in history] == [4, 8], "each process takes half of the 32 rows"
    assert Run(out).weights_file.is_file()


def test_divergence_stops_the_run_and_keeps_the_last_good_checkpoint(tiny_manifest, tmp_path):
    out = tmp_path / "run"
    settings = ["stages.0.optimiser.learning_rate=1e30", "stages.0.schedule={kind: constant}", "loop.ema=null"]
    with pytest.raises(TrainingDiverged, match="smaller learning rate"):
        inside(out, tiny_manifest, *settings, "loop.checkpoint_steps=1")
    last = torch.load(Run(out).stage(1, "all") / "last.ckpt", weights_only=True)
    assert all(torch.isfinite(value).all() for value in last["state_dict"].values())


def test_early_stopping_and_plateau(tiny_manifest, tmp_path):
    settings = [
        "stages.0.epochs=6",
        "loop.early_stopping=1",
        "stages.0.optimiser.learning_rate=1e-12",
        "loop.ema=null",
    ]
    settings += ["stages.0.schedule={kind: plateau, patience: 0, factor: 0.5, floor: 0}", "loop.monitor=auc"]
    history = read_history(inside(tmp_path / "run", tiny_manifest, *settings).history_file)
    assert len(history) < 6
    assert history[-1].learning_rate <= history[0].learning_rate


def test_stages_follow_each_other_and_a_finished_one_is_not_run_again(tiny_manifest, tmp_path):
    settings = ["model.weights=somewhere", "loop.ema=null"]
    stages = "stages=[{name: head, epochs: 1, train: head}, {name: rest, epochs: 1, train: all}]"
    run = inside(tmp_path / "run", tiny_manifest, *settings, stages)
    assert [(epoch.stage, epoch.epoch) for epoch in read_history(run.history_file)] == [("head", 1), ("rest", 1)]
    head, rest = (
        load_file(run.stage(number, name) / "model.safetensors") for number, name in ((1, "head"), (2, "rest"))
    )
    changed = {name for name in head if not torch.equal(head[name], rest[name])}
    assert any(name.startswith("stages") for name in changed), "the second stage moves the backbone"
    written = run.stage(1, "head") / "model.safetensors"
    before = written.stat().st_mtime_ns
    (run.stage(2, "rest") / "model.safetensors").unlink()
    inside(run.path, tiny_manifest)
    assert written.stat().st_mtime_ns == before


def test_a_batch_larger_than_the_set_is_refused(tiny_manifest, tmp_path):
    with pytest.raises(UsageError, match="do not fill one batch of 64"):
        inside(tmp_path / "run", tiny_manifest, "loop.batch_size=64")


def test_the_moving_average_forgets_its_first_weights():
    from mesoscope_train.training.loop import warmed_average

    average, value = warmed_average(0.998), torch.tensor([100.0])  # the first weights
    for step in range(1, 301):
        value = average(value, torch.tensor([1.0]), step)
    assert value.item() == pytest.approx(1.0, abs=1e-3)
    # once warm it is the plain average
    assert average(torch.tensor([2.0]), torch.tensor([1.0]), 10**6).item() == pytest.approx(1.998)
