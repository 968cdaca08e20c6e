"""Processes that die take nothing with them but the item they died of."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mesoscope_train.data.audit.measures.pool import map_batches

DIES = ["__import__('os')._exit(3)"]


def evaluate(batches, workers=2):
    """Batches of one expression each, as text; a process knows `str.join` and `eval` by name."""
    return sorted(map_batches(_run, batches, workers=workers, on_crash=lambda item: f"crashed: {item[:10]}"))


class _Run:
    """Evaluates the expressions of a batch; found by processes because it is made of built-in parts only."""

    def __reduce__(self):
        return eval, ("lambda batch: ' '.join(str(eval(expression)) for expression in batch)",)

    def __call__(self, batch):
        return " ".join(str(eval(expression)) for expression in batch)  # noqa: S307 - the test's own


_run = _Run()


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_every_batch_has_its_result(workers):
    assert evaluate([["1 + 1", "2 + 2"], ["3 + 3"]], workers) == ["2 4", "6"]


def test_a_process_that_dies_costs_one_item():
    batches = [["1 + 1"], ["2 + 2", *DIES, "3 + 3"], *([f"{number} * 10"] for number in range(5, 15))]
    found = evaluate(batches)
    assert "crashed: __import__" in found
    assert {"4", "6"} <= set(found)  # the dead one's batch comes item by item
    assert {str(number * 10) for number in range(5, 15)} <= set(found)
    assert len(found) == 1 + 3 + 10


def test_an_error_is_raised_and_not_swallowed():
    with pytest.raises(ZeroDivisionError):
        evaluate([["1 // 0"]])


def test_processes_end_with_a_parent_that_was_killed():
    """Each process holds the pipe open that is read here; its end means that all of them are gone."""
    code = (
        "from mesoscope_train.data.audit.measures.pool import map_batches\n"
        "work = \"print('at work', flush=True) or __import__('time').sleep(60)\"\n"
        "list(map_batches(eval, [work, work], workers=2, on_crash=str))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout.readline().startswith(b"at work")
    process.kill()
    process.communicate(timeout=30)


def test_a_script_without_a_guard_is_told(tmp_path):
    """Its processes run it anew and die; without a check every file would be blamed for that, one after the other."""
    script = tmp_path / "script.py"
    script.write_text(
        "from mesoscope_train.data.audit.measures.pool import map_batches\n"
        "print(list(map_batches(len, [[1], [2]], workers=1, on_crash=str)))\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert "if __name__ ==" in done.stderr.splitlines()[-1]
