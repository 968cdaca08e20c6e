"""Steps are kept, gone on with, run again where what they need changed; one that fails stops only what needs it."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from mesoscope.errors import UsageError
from mesoscope_train.studies import running
from mesoscope_train.studies.plan import Step

FIRST = Step("first", "Make a", ("make", "a"), ("a.txt",))
SECOND = Step("second", "Make b of a", ("make", "b"), ("b.txt",), needs=("first",))
THIRD = Step("third", "Make c of b", ("make", "c"), ("c.txt",), needs=("second",))
OTHER = Step("other", "Make d", ("make", "d"), ("d.txt",))
STEPS = (FIRST, SECOND, THIRD, OTHER)


class Program:
    """Stands for the program: `make X` writes X.txt."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, ...]] = []
        self.content = "one"
        self.fails: dict[str, int] = {}

    def __call__(self, command, out: Path, log: Path):
        self.calls.append(tuple(command))
        code = self.fails.get(command[1], 0)
        if code == 0:
            (out / f"{command[1]}.txt").write_text(self.content)
        return code, [f"{command[1]} cannot be made"] if code else []

    def names(self) -> list[str]:
        names = [call[1] for call in self.calls]
        self.calls.clear()
        return names


@pytest.fixture
def program(monkeypatch) -> Program:
    stand_in = Program()
    monkeypatch.setattr(running, "_process", stand_in)
    return stand_in


def states(records) -> dict[str, str]:
    return {name: record.state for name, record in records.items()}


def test_what_is_done_is_kept(program, tmp_path):
    assert set(states(running.run_steps(STEPS, tmp_path)).values()) == {"done"}
    assert program.names() == ["a", "b", "c", "d"]
    assert set(states(running.run_steps(STEPS, tmp_path)).values()) == {"kept"}
    assert program.names() == []


def test_what_can_be_spared_is_left_out_and_made_up_for(program, tmp_path):
    both = Step(
        "both",
        "Make e of a and d",
        ("make", "e", "--of", "a", "--of", "d"),
        ("e.txt",),
        needs=("first", "other"),
        spares=(("first", ("--of", "a")), ("other", ("--of", "d"))),
    )
    program.fails["d"] = 1
    records = running.run_steps((FIRST, OTHER, both), tmp_path)
    assert (records["both"].state, records["both"].reason) == ("done", "without other")
    assert program.calls[-1] == ("make", "e", "--of", "a")
    assert running.run_steps((FIRST, OTHER, both), tmp_path)["both"].reason == "without other"  # kept as it is
    program.fails.clear()
    records = running.run_steps((FIRST, OTHER, both), tmp_path)
    assert (records["both"].state, records["both"].reason) == ("done", "")
    assert program.calls[-1] == both.command
    program.fails.update(a=1, d=1)
    records = running.run_steps((FIRST, OTHER, both), tmp_path / "anew")
    assert records["both"].reason == "it needs first, other"


def test_a_lost_file_is_made_again(program, tmp_path):
    running.run_steps(STEPS, tmp_path)
    program.names()
    (tmp_path / "d.txt").unlink()
    assert states(running.run_steps(STEPS, tmp_path)) == {
        "first": "kept", "second": "kept", "third": "kept", "other": "done",
    }  # fmt: skip


def test_what_stands_on_something_that_changed_is_run_again(program, tmp_path):
    running.run_steps(STEPS, tmp_path)
    program.names()
    program.content = "two"
    running.run_steps(STEPS, tmp_path, redo=["second"])
    assert program.names() == ["b", "c"]
    # another command is another step, and what it left differs, so that what follows is run again too
    changed = (Step("first", "Make a", ("make", "a", "differently"), ("a.txt",)), *STEPS[1:])
    running.run_steps(changed, tmp_path)
    assert program.names() == ["a", "b"]  # b's content is as before, so c stands on the same


def test_a_failure_stops_only_what_needs_it_and_is_tried_again(program, tmp_path):
    program.fails["b"] = 2
    records = running.run_steps(STEPS, tmp_path)
    assert states(records) == {"first": "done", "second": "failed", "third": "skipped", "other": "done"}
    assert records["second"].reason == "b cannot be made"
    assert "second" in records["third"].reason
    program.names()
    program.fails.clear()
    assert states(running.run_steps(STEPS, tmp_path)) == {
        "first": "kept", "second": "done", "third": "done", "other": "kept",
    }  # fmt: skip


def test_an_allowed_exit_code_is_done_and_files_that_are_not_there_are_not(program, tmp_path):
    program.fails["a"] = 1
    told = Step("first", "Make a", ("make", "a"), ("a.txt",), codes=(0, 1))
    assert "left no a.txt" in running.run_steps([told], tmp_path)["first"].reason
    (tmp_path / "kept").mkdir()
    told = Step("told", "Find", ("make", "a"), (), codes=(0, 1))
    assert running.run_steps([told], tmp_path)["told"].state == "done"


def test_an_interrupted_step_is_gone_on_with_and_others_begin_anew(program, tmp_path):
    resumable = Step("first", "Make a", ("make", "a"), ("a.txt",), resume=("make", "a", "on"))
    (tmp_path / "a.txt").write_text("half")
    running.run_steps([resumable], tmp_path)
    assert program.calls == [("make", "a", "on")]
    program.calls.clear()
    running.run_steps([resumable], tmp_path, redo=["first"])
    assert program.calls == [("make", "a")]
    program.calls.clear()

    seen: list[bool] = []

    def looks(command, out, log):
        seen.append((out / "b.txt").exists())
        return program(command, out, log)

    (tmp_path / "b.txt").write_text("half")
    running._process, kept = looks, running._process
    try:
        running.run_steps([Step("second", "Make b", ("make", "b"), ("b.txt",))], tmp_path)
    finally:
        running._process = kept
    assert seen == [False]


def test_what_is_not_run_here_keeps_its_reason_and_what_needs_it_out(program, tmp_path):
    far = Step("first", "Make a", ("make", "a"), ("a.txt",), not_here="it needs a download")
    records = running.run_steps([far, SECOND], tmp_path)
    assert states(records) == {"first": "not here", "second": "skipped"}
    assert records["first"].reason == "it needs a download"
    assert program.names() == []


def test_an_unknown_step_is_refused_with_those_there_are(program, tmp_path):
    with pytest.raises(UsageError, match="no step 'fourth'; the steps are: first, second, third, other"):
        running.run_steps(STEPS, tmp_path, redo=["fourth"])


def test_a_real_command_runs_in_the_studys_directory_and_its_error_is_the_reason(tmp_path, capsys):
    good = Step("list", "List", ("bundle", "list"), ("steps/list.log",))
    bad = Step("show", "Show", ("bundle", "show", "no-such-bundle"), ("nothing",))
    records = running.run_steps([good, bad], tmp_path)
    assert records["list"].state == "done"
    assert "mesoscope-face" in (tmp_path / "steps" / "list.log").read_text(encoding="utf-8")
    assert records["show"].state == "failed"
    assert records["show"].reason.startswith("no bundle 'no-such-bundle'")
    assert "no-such-bundle" in capsys.readouterr().err


def test_what_a_step_leaves_running_does_not_hold_the_study_up(tmp_path, monkeypatch):
    # a process that outlives the step and has its pipes, as readers of a killed training run once did
    sleeper = "[sys.executable, '-c', 'import time; time.sleep(600)']"
    left = f"import subprocess, sys; print(subprocess.Popen({sleeper}).pid)"
    monkeypatch.setattr(running, "_LAST_WORDS", 1.0)
    monkeypatch.setattr(running, "_PROGRAM", (sys.executable, "-c", left))
    code, _ = running._process((), tmp_path, tmp_path / "step.log")
    assert code == 0
    process = int((tmp_path / "step.log").read_text())
    os.kill(process, signal.SIGKILL)  # it was still there, or this fails
