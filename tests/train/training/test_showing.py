"""Progress goes to stderr, an epoch's figures are told once, and a failure closes the bar."""

from __future__ import annotations

import contextlib
import importlib.util
from pathlib import Path
from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch", reason="the learning side needs the 'train' extra")

from mesoscope_train.training import showing  # noqa: E402

SCRIPT = Path(__file__).with_name("tiny_run.py")


def tiny(out: Path, manifest: Path) -> None:
    spec = importlib.util.spec_from_file_location("tiny_run", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.main(out, manifest, 0, ["stages.0.epochs=2"])


def test_a_run_writes_nothing_to_stdout_and_a_line_an_epoch_to_stderr(tiny_manifest, tmp_path, capfd):
    tiny(tmp_path / "run", tiny_manifest)
    told = capfd.readouterr()
    assert told.out == ""
    lines = [line for line in told.err.splitlines() if line.startswith("all: epoch")]
    assert [line.partition(": validation")[0] for line in lines] == ["all: epoch 1 of 2", "all: epoch 2 of 2"]
    assert all("loss" in line and "AUC" in line for line in lines)


def trainer(ready: int = 0) -> SimpleNamespace:
    progress = SimpleNamespace(current=SimpleNamespace(ready=ready))
    loop = SimpleNamespace(epoch_loop=SimpleNamespace(batch_progress=progress))
    return SimpleNamespace(
        is_global_zero=True, current_epoch=4, max_epochs=9, num_training_batches=7, fit_loop=loop, callback_metrics={}
    )


def test_a_resumed_epoch_begins_where_it_was_left_and_a_failure_closes_it(monkeypatch):
    seen: list[object] = []

    class Bar:
        def __enter__(self):
            seen.append("open")
            return lambda count=1: seen.append(count)

        def __exit__(self, *_reason):
            seen.append("closed")

    def bar(what, total):
        seen.append((what, total))
        return Bar()

    monkeypatch.setattr(showing, "progress", bar)
    shown = showing.EpochProgress("head")
    shown.on_train_epoch_start(trainer(ready=3), None)
    shown.on_train_batch_end(trainer(), None, None, None, 3)
    shown.on_exception(trainer(), None, RuntimeError())
    shown.on_train_batch_end(trainer(), None, None, None, 4)
    assert seen == [("head: epoch 5 of 9", 7), "open", 3, 1, "closed"]


def test_the_next_epoch_begins_at_nothing(monkeypatch):
    """Lightning counts the batches of the epoch before until the new one's first."""
    steps: list[int] = []

    @contextlib.contextmanager
    def bar(_what, _total):
        yield lambda count=1: steps.append(count)

    monkeypatch.setattr(showing, "progress", bar)
    showing.EpochProgress("head").on_train_epoch_start(trainer(ready=7), None)
    assert steps == []
