"""docs/evaluation.md: its example runs and agrees with metrics.json, and it explains every number there is."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from mesoscope_train.evaluation.metrics_schema import CATALOGUE
from mesoscope_train.evaluation.scores import write_scores
from mesoscope_train.evaluation.trust import ERRORS, RANK

DOCS = Path(__file__).parents[4] / "docs" / "evaluation.md"


@pytest.fixture(scope="module")
def text() -> str:
    return DOCS.read_text(encoding="utf-8")


def test_the_example_computes_what_the_product_says(text, scores, metrics, tmp_path):
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    write_scores(scores, tmp_path / "scores.parquet")
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    found = re.findall(
        r"(\S+) (\S+) (\d+) of (\d+) with a score\n  accuracy (\S+) (.*)\n(?:  AUC (\S+)\n)?", done.stdout
    )
    assert len(found) == 8
    for bundle, manifest, answered, rows, accuracy, matrix, auc in found:
        (one,) = metrics.find(bundle=bundle, manifest=manifest, tier="clean", unit="picture", slice=None)
        assert (int(answered), int(rows)) == (one.counts.answered_real + one.counts.answered_fake, one.counts.total)
        assert float(accuracy) == pytest.approx(one.value("accuracy"), abs=1e-9)
        cells = one.confusion
        assert matrix == str([[cells.real_as_real, cells.real_as_fake], [cells.fake_as_real, cells.fake_as_fake]])
        assert (float(auc) == pytest.approx(one.value("auc"), abs=1e-9)) if auc else one.value("auc") is None


def test_every_number_is_explained(text):
    part = text.partition("## Every number, for two readers")[2].partition("\n## ")[0]
    assert set(CATALOGUE) <= set(re.findall(r"`([a-z0-9_]+)`", part))


def test_every_number_has_two_voices(text):
    part = text.partition("## Every number, for two readers")[2].partition("\n## ")[0]
    entries = part.split("\n### ")[1:]
    assert len(entries) >= 10
    for entry in entries:
        assert entry.count("* **J** ") == 1 and entry.count("* **R** ") == 1, entry


def test_the_bounds_are_those_of_the_code(text):
    for level, word in (("good", "reliable"), ("care", "with care")):
        wrong, missed = (round(100 * share) for share in ERRORS[level])
        assert f"| {word} | {RANK[level]:.2f} | {wrong} of 100 | {missed} of 100 |" in text
