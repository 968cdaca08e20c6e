"""Reading processes and the end of the process they read for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCRIPT = """
import os, signal, sys
from pathlib import Path

import numpy as np

from mesoscope.preprocess import Preprocess
from mesoscope_train.training.pictures import Pictures, validation_loader

if __name__ == "__main__":
    spec = Preprocess(
        size=16, resize="nearest", margin=0.0, channel_order="rgb", mean=[0.0] * 3, std=[1.0] * 3, min_face=1
    )
    pictures = Pictures([Path(sys.argv[1])] * 8, np.zeros(8, bool), spec)
    loader = validation_loader(pictures, 2, workers=1, rank=0, world=1)
    reading = iter(loader)
    next(reading)
    print(*(process.pid for process in reading._workers), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="POSIX only")
def test_readers_end_with_the_process_they_read_for(portrait: Path, tmp_path: Path) -> None:
    script = tmp_path / "read.py"
    script.write_text(SCRIPT)
    done = subprocess.Popen([sys.executable, str(script), str(portrait)], stdout=subprocess.PIPE, text=True)
    assert done.stdout is not None
    reader = int(done.stdout.readline())
    assert done.wait(60) == -signal.SIGKILL
    until = time.monotonic() + 30
    while time.monotonic() < until and _runs(reader):
        time.sleep(0.1)
    assert not _runs(reader)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{process}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"
