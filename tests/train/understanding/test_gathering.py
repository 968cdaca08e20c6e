"""One pass over pictures: means are those of single passes, the runtime's engine agrees, memory is of the cells."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mesoscope.engine import Judge
from mesoscope.errors import UsageError
from mesoscope.manifest import read_manifest
from mesoscope.media import open_picture
from mesoscope.preprocess import to_input
from mesoscope_train.understanding.layers import convolutions
from mesoscope_train.understanding.means.cells import groupings
from mesoscope_train.understanding.means.figures import difference
from mesoscope_train.understanding.means.gathering import gather
from mesoscope_train.understanding.means.shares import SHOWN, shares
from mesoscope_train.understanding.seen import Reader, chosen_rows


@pytest.fixture
def manifest(faces):
    return read_manifest(faces)


def inputs_of(manifest, subject):
    files = [manifest.file(path) for path in manifest.values("path")]
    return torch.from_numpy(np.stack([to_input(open_picture(file).pixels, subject.spec) for file in files]))


def test_means_are_those_of_single_pictures(subject, manifest):
    rows = chosen_rows(manifest, None, None, 0)
    ways = groupings(manifest, ("label", "outcome", "light"), rows)
    layers = convolutions(subject.module, subject.spec.size)
    found = gather(subject, Reader(manifest, subject.spec), rows, ways, layers=layers, channels=3, align=False)
    with torch.no_grad():
        logits, maps = subject.module.forward_with_map(inputs_of(manifest, subject))
        first = torch.relu(subject.module.conv1(inputs_of(manifest, subject)))
    labels = np.array(manifest.values("label"))
    for label in ("real", "fake"):
        cell = found.cells["label", label]
        mine = torch.from_numpy(labels == label)
        assert cell.pictures == 6
        np.testing.assert_allclose(cell.map.mean, maps[mine].mean(0), rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(cell.spread.std[0], maps[mine].std(0), rtol=1e-3, atol=1e-6)
        planes = cell.layers["conv1"].mean
        np.testing.assert_allclose(planes[:3], first[mine, :3].mean(0), rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(planes[3], first[mine].mean((0, 1)), rtol=1e-4, atol=1e-5)
    called_fake = logits.numpy() >= 0
    counted = {cell: held.pictures for (by, cell), held in found.cells.items() if by == "outcome"}
    assert counted.get("true positive", 0) == int((called_fake & (labels == "fake")).sum())
    assert counted.get("true negative", 0) == int((~called_fake & (labels == "real")).sum())
    assert sum(counted.values()) == 12
    assert found.cells["light", "dim"].pictures == 6


def test_the_runtimes_engine_gives_the_same_maps(subject, manifest):
    rows = chosen_rows(manifest, None, None, 0)
    ways = groupings(manifest, ("label",), rows)
    reader = Reader(manifest, subject.spec)
    torch_found = gather(subject, reader, rows, ways)
    engine = gather(subject, reader, rows, ways, judge=Judge.open(subject.bundle, threads=1))
    for key, cell in torch_found.cells.items():
        np.testing.assert_allclose(engine.cells[key].map.mean, cell.map.mean, rtol=1e-3, atol=1e-5)
    assert torch_found.aligned and torch_found.common is not None


def test_alignment_brings_the_bright_eye_to_one_place(subject, manifest):
    rows = chosen_rows(manifest, None, None, 0)
    ways = groupings(manifest, ("label",), rows)
    reader = Reader(manifest, subject.spec)
    aligned = gather(subject, reader, rows, ways).cells["label", "fake"].face.mean.mean(0)
    loose = gather(subject, reader, rows, ways, align=False).cells["label", "fake"].face.mean.mean(0)
    assert np.nanmax(aligned) > 1.25 * np.nanmax(loose)
    eyes = gather(subject, reader, rows, ways).common
    y, x = np.unravel_index(np.nanargmax(aligned), aligned.shape)
    assert abs((x + 0.5) / 128 - eyes[0, 0]) < 0.06 and abs((y + 0.5) / 128 - eyes[0, 1]) < 0.06


def test_shares_sum_to_one_and_know_chance(subject, manifest):
    rows = chosen_rows(manifest, None, None, 0)
    layers = convolutions(subject.module, subject.spec.size)
    found = gather(
        subject, Reader(manifest, subject.spec), rows, groupings(manifest, ("label",), rows), layers=layers
    )
    np.testing.assert_allclose(found.area.sum(1), 1, rtol=1e-5)
    np.testing.assert_allclose(np.nansum(found.mass, 2)[~np.isnan(found.mass[..., 0])], 1, rtol=1e-4)
    by_region = shares(found, manifest, [layer.name for layer in layers])
    weights = found.area.mean(0)
    eyes = by_region.mass["either way", "fake", "eyes"]
    assert eyes.n == 6 and eyes.groups == 6 and np.isfinite(eyes.low)
    mass = sum(
        by_region.lit["conv1", "real", region].value * size
        for region, size in zip(SHOWN, [weights[:2].sum(), *weights[2:]], strict=True)
    )
    assert mass == pytest.approx(0, abs=0.15), "standardised maps have mean 0"


def test_few_groups_are_not_compared(subject, manifest):
    rows = chosen_rows(manifest, None, None, 0)
    found = gather(subject, Reader(manifest, subject.spec), rows, groupings(manifest, ("label",), rows), align=False)
    apart = difference(found.cells["label", "fake"], found.cells["label", "real"])
    assert apart.groups == 6 and not apart.enough and not apart.beyond.any()


def test_what_cannot_be_read_is_counted_and_never_averaged(subject, manifest):
    manifest.file("00.png").write_bytes(b"no picture")
    rows = chosen_rows(manifest, None, None, 0)
    found = gather(subject, Reader(manifest, subject.spec), rows, groupings(manifest, ("label",), rows), align=False)
    assert sum(found.left_out.values()) == 1
    assert found.cells["label", "real"].pictures == 5


def test_nothing_to_look_at(subject, manifest):
    for path in manifest.values("path"):
        manifest.file(path).write_bytes(b"")
    rows = chosen_rows(manifest, None, None, 0)
    with pytest.raises(UsageError, match="none of 12 pictures"):
        gather(subject, Reader(manifest, subject.spec), rows, groupings(manifest, ("label",), rows), align=False)


def test_without_landmarks_nothing_is_aligned(subject, manifest):
    bare = manifest.with_column("landmarks", [None] * len(manifest))
    rows = chosen_rows(bare, None, None, 0)
    ways = groupings(bare, ("label",), rows)
    with pytest.raises(UsageError, match="--align none"):
        gather(subject, Reader(bare, subject.spec), rows, ways)
    with pytest.raises(UsageError, match="no face's landmarks"):
        gather(subject, Reader(bare, subject.spec, lambda _pixels: []), rows, ways)
    one = manifest.with_column("landmarks", [*manifest.values("landmarks")[:-1], None])
    found = gather(subject, Reader(one, subject.spec), rows, ways)
    assert found.left_out == {"no landmarks were found": 1}


def test_rows_come_group_by_group(manifest):
    rows = chosen_rows(manifest, "test", None, 0)
    assert sorted(rows) == list(range(8))
    groups = manifest.codes("group")[0][rows]
    assert (np.diff(groups) >= 0).all()
    assert len(chosen_rows(manifest, None, 5, 0)) == 5
    assert (chosen_rows(manifest, None, 5, 0) == chosen_rows(manifest, None, 5, 0)).all()
    with pytest.raises(UsageError, match="no row in the split 'validation'; its splits: test, train"):
        chosen_rows(manifest, "validation", None, 0)
    with pytest.raises(UsageError, match="1 or more"):
        chosen_rows(manifest, None, 0, 0)


def test_groupings_that_cannot_be(manifest):
    rows = chosen_rows(manifest, None, None, 0)
    with pytest.raises(UsageError, match="no column 'gender'"):
        groupings(manifest, ("gender",), rows)
    with pytest.raises(UsageError, match="at least one"):
        groupings(manifest, (), rows)
    many = manifest.with_column("camera", [f"c{number}" for number in range(12)])
    assert groupings(many, ("camera",), rows)[0].order[0] == "c0"
    many = manifest.with_column("camera", [None] * 11 + ["x"])
    with pytest.raises(UsageError, match="empty"):
        groupings(many, ("camera",), rows[:3])
    wide = manifest.with_column("path2", list(range(12)))
    assert len(groupings(wide, ("path2",), rows)[0].pairs()) == 11
