"""The work is what a spawned process can import: functions of the standard library."""

from __future__ import annotations

import operator
import signal
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from mesoscope.errors import MesoscopeError, UsageError
from mesoscope_train.data.crops import processes
from mesoscope_train.data.crops.cutting import open_cutter
from mesoscope_train.data.crops.options import CropOptions
from mesoscope_train.data.crops.processes import Died, spread

add_one = partial(partial, operator.add, 1)
"""An opener whose function adds 1."""
raise_signal = partial(partial, signal.raise_signal)
"""An opener whose function sends its own process the signal of that number; 0 is none."""


def test_every_item_has_its_answer() -> None:
    assert sorted(spread(add_one, range(30), 2)) == [(item, item + 1) for item in range(30)]


def test_no_item_is_no_work() -> None:
    assert list(spread(add_one, [], 0)) == []


def test_an_item_that_kills_its_process_costs_only_itself() -> None:
    answers = dict(spread(raise_signal, [0, signal.SIGSEGV, 0, signal.SIGKILL, 0], 1))
    assert answers == {
        0: None,
        signal.SIGSEGV: Died("the process was ended by SIGSEGV"),
        signal.SIGKILL: Died("the process was ended by SIGKILL"),
    }


def test_a_defect_costs_only_its_item(capfd: pytest.CaptureFixture[str]) -> None:
    answers = dict(spread(add_one, ["no number", 1], 1))
    assert answers == {"no number": Died("the process ended with exit code 1"), 1: 2}
    assert "TypeError" in capfd.readouterr().err


def test_many_deaths_in_a_row_end_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "MANY_DEATHS", 2)
    with pytest.raises(MesoscopeError, match="2 files in a row ended the process that read them"):
        list(spread(raise_signal, [signal.SIGKILL] * 4, 1))


def test_what_the_opener_refuses_ends_the_run(tmp_path: Path) -> None:
    options = CropOptions(finder="yunet", face_model=tmp_path / "absent.onnx")
    with pytest.raises(UsageError, match=r"there is no file .*absent.onnx"):
        list(spread(partial(open_cutter, tmp_path, tmp_path, options), [1], 1))


def test_a_process_that_cannot_start_ends_the_run() -> None:
    with pytest.raises(MesoscopeError, match="could not start: the process was ended by SIGKILL"):
        list(spread(partial(signal.raise_signal, signal.SIGKILL), [1], 1))


def test_closing_ends_the_processes() -> None:
    started = []
    start = processes._start
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(processes, "_start", lambda opener: started.append(start(opener)) or started[-1])
        with closing(spread(add_one, range(1000), 1)) as answers:
            next(answers)
    assert not started[0].process.is_alive()
