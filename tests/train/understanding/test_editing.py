"""Editing evidence on maps whose answer is known: all on the edited part, always on the eyes, and nowhere."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mesoscope.errors import UsageError
from mesoscope.manifest import ManifestBuilder, Row
from mesoscope_train.understanding.editing.evidence import PARTS, Faces, edited_parts, shares_of, weigh

LANDMARKS = np.array([[0.35, 0.4], [0.65, 0.4], [0.5, 0.57], [0.4, 0.72], [0.6, 0.72]], np.float32)


def faces(maps, edited, fake):
    area, mass = shares_of(torch.from_numpy(maps.astype(np.float32)), [LANDMARKS] * len(maps))
    return Faces(fake, edited, np.arange(len(maps)), area, mass, np.zeros(len(maps), bool))


@pytest.fixture
def setting():
    """Forty fakes with one edited part each, by turns, and twenty real faces; where parts lie on a 24 x 24 map."""
    edited = np.zeros((60, 4), bool)
    edited[np.arange(40), np.arange(40) % 4] = True
    fake = np.arange(60) < 40
    cells = np.zeros((4, 24, 24))
    for part, (x, y) in enumerate([(0.35, 0.4), (0.65, 0.4), (0.5, 0.55), (0.5, 0.74)]):
        cells[part, int(y * 24) - 1 : int(y * 24) + 1, int(x * 24) - 1 : int(x * 24) + 1] = 1
    return edited, fake, cells


def noise(count, seed=0):
    return 0.1 + np.abs(np.random.default_rng(seed).normal(0, 0.02, (count, 24, 24)))


def test_a_map_that_finds_edits_is_told_so(setting):
    edited, fake, cells = setting
    maps = noise(60) + 3 * np.einsum("np,phw->nhw", edited, cells)
    found = weigh(faces(maps, edited, fake), 0)
    assert found.against_area.low > 1.2
    assert found.against_unedited.low > 0.3 and found.against_real.low > 0.3
    assert found.verdict[0] == "clear" and "real faces" in found.verdict[1]


def test_a_map_that_always_marks_the_eyes_is_no_evidence(setting):
    """It beats its area on faces whose eyes were edited, and still knows nothing of edits."""
    edited, fake, cells = setting
    edited[:40] = np.arange(40)[:, None] % 2 == 0
    edited[:40] &= np.array([True, True, False, False])
    edited[1:40:2, 3] = True
    maps = noise(60) + 3 * (cells[0] + cells[1])
    found = weigh(faces(maps, edited, fake), 0)
    assert found.against_area.low > 1
    assert found.against_unedited.beyond(0) == 0 and found.against_real.beyond(0) == 0
    level, words = found.verdict
    assert level == "note" and "No better than chance" in words and "whether edited or not" in words


def test_a_map_that_knows_nothing(setting):
    edited, fake, _ = setting
    found = weigh(faces(noise(60), edited, fake), 0)
    assert found.against_area.value == pytest.approx(1, abs=0.05)
    assert "No better than chance" in found.verdict[1]


def test_a_map_that_avoids_edits_is_told_so(setting):
    edited, fake, cells = setting
    maps = noise(60) + 3 * np.einsum("np,phw->nhw", ~edited & fake[:, None], cells)
    assert weigh(faces(maps, edited, fake), 0).verdict[1].startswith("LESS")


def test_maps_without_evidence_for_fake_do_not_count(setting):
    edited, fake, cells = setting
    maps = noise(60) + 3 * np.einsum("np,phw->nhw", edited, cells)
    maps[:5] *= -1
    both = faces(maps, edited, fake)
    assert weigh(both, 0).without_mass == 5 and weigh(both, 0).share.n == 35
    assert weigh(both, 1).without_mass == 0 and weigh(both, 1).share.n == 40


def test_shares_of_a_flat_map_are_areas():
    area, mass = shares_of(torch.ones(1, 12, 12), [LANDMARKS])
    np.testing.assert_allclose(mass[0, 0], area[0], rtol=1e-5)
    assert area.shape == (1, len(PARTS)) and (area > 0.01).all()


def test_too_few_faces_have_no_verdict(setting):
    edited, fake, _ = setting
    few = faces(noise(2), edited[:2], fake[:2])
    assert weigh(few, 0).verdict == ("note", "There are too few faces for an answer.")


def test_a_manifest_must_say_what_was_edited(tmp_path):
    builder = ManifestBuilder(tmp_path)
    builder.add(Row(path="a.jpg", label="fake", group="a", dataset="d", extra={"edited_nose": True}))
    with pytest.raises(UsageError, match="edited_left_eye, edited_right_eye, edited_mouth"):
        edited_parts(builder.build())
    builder = ManifestBuilder(tmp_path)
    parts = {f"edited_{part}": False for part in ("left_eye", "right_eye", "nose", "mouth")}
    builder.add(Row(path="a.jpg", label="fake", group="a", dataset="d", extra=parts))
    with pytest.raises(UsageError, match="no row"):
        edited_parts(builder.build())
