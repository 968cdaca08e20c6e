"""The five studies, each from data to one page. Every step is an ordinary command of the program.

A study is one file here that registers itself (`plan.register`); `running` runs its steps, `page` writes what came
of them.
"""

from __future__ import annotations

from mesoscope_train.studies import (  # noqa: F401 - each registers itself
    dfdc_transfer,
    gan_faces,
    mesoinception_svm,
    mesonet_visual,
    photo_vs_ai,
)
from mesoscope_train.studies.plan import Inputs, Study, studies
from mesoscope_train.studies.running import Record, run_steps
from mesoscope_train.studies.sources import find_sources

__all__ = ["Inputs", "Record", "Study", "find_sources", "run_steps", "studies"]
