"""How the packaged bundle is made: nothing leaks, thresholds keep their promise, pairs are pairs."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import roc_auc_score

pytest.importorskip("torch", reason="the learning side needs the 'train' extra")

from mesoscope.errors import UsageError
from mesoscope_train.detectors import parse_architecture
from mesoscope_train.face_bundle.batches import (
    Augmentation,
    Pictures,
    augmented_pair,
    batches,
    pairs_of_epoch,
)
from mesoscope_train.face_bundle.measuring import as_markdown, auc_by_group
from mesoscope_train.face_bundle.rows import Row, as_csv, read_rows, split_of

SPEC = parse_architecture("slim-resnet").at_size(32)[1]
AS_IS = Augmentation(smallest_window=1.0, jpeg=0, blur=0, brightness=0, contrast=0, saturation=0, tint=0)


@pytest.fixture
def data(tmp_path: Path, portrait: Path) -> Path:
    """Both sets in their published layout, small: 12 originals with a fake each, 3 + 3 MesoNet crops."""
    (tmp_path / "dfdc-faces" / "faces_224").mkdir(parents=True)
    lines = ["videoname,original_width,original_height,label,original"]
    face = Image.open(portrait).convert("RGB").resize((48, 48))
    for number in range(12):
        lines += [f"r{number}.mp4,48,48,REAL,", f"f{number}.mp4,48,48,FAKE,r{number}.mp4"]
        for name in (f"r{number}", f"f{number}"):
            face.save(tmp_path / "dfdc-faces" / "faces_224" / f"{name}.jpg")
    (tmp_path / "dfdc-faces" / "metadata.csv").write_text("\n".join(lines))
    for label in ("real", "fake"):
        folder = tmp_path / "mesonet-faces" / label
        folder.mkdir(parents=True)
        for name in ("7_1", "7_2", "8_1"):
            face.save(folder / f"{name}.jpg")
    return tmp_path


def test_a_fake_stays_with_the_video_it_was_made_from(data: Path) -> None:
    rows = {row.path: row for row in read_rows(data)}
    assert len(rows) == 30
    for number in range(12):
        real = rows[f"dfdc-faces/faces_224/r{number}.jpg"]
        fake = rows[f"dfdc-faces/faces_224/f{number}.jpg"]
        assert (real.label, fake.label) == ("real", "fake")
        assert (real.group, real.split) == (fake.group, fake.split)
    assert rows["mesonet-faces/fake/7_1.jpg"].group == rows["mesonet-faces/fake/7_2.jpg"].group
    assert rows["mesonet-faces/fake/7_1.jpg"].group != rows["mesonet-faces/real/7_1.jpg"].group


def test_the_split_depends_on_the_name_alone_and_has_the_stated_shares() -> None:
    splits = [split_of(f"group-{number}") for number in range(20_000)]
    assert splits.count("test") / 20_000 == pytest.approx(0.15, abs=0.01)
    assert splits.count("validation") / 20_000 == pytest.approx(0.15, abs=0.01)
    assert split_of("group-1") == split_of("group-1")


def test_the_manifest_lists_every_row(data: Path) -> None:
    rows = read_rows(data)
    listed = list(csv.DictReader(io.StringIO(as_csv(rows))))
    assert [entry["path"] for entry in listed] == [row.path for row in rows]
    assert set(listed[0]) == {"path", "label", "group", "dataset", "split"}


@pytest.mark.parametrize("missing", ["dfdc-faces/metadata.csv", "dfdc-faces/faces_224/r3.jpg", "mesonet-faces/fake"])
def test_what_is_missing_is_named(data: Path, missing: str) -> None:
    target = data / missing
    target.rename(data / "elsewhere")
    with pytest.raises(UsageError, match=Path(missing).name):
        read_rows(data)


def test_pairs_are_of_one_frame_and_of_both_labels(data: Path) -> None:
    pairs = pairs_of_epoch(read_rows(data), np.random.default_rng(0))
    dfdc = [pair for pair in pairs if pair[0].dataset == "dfdc-faces"]
    assert len(dfdc) == 12
    assert all(real.group == fake.group for real, fake in dfdc)
    assert all((real.label, fake.label) == ("real", "fake") for real, fake in pairs)


def test_without_change_both_of_a_pair_are_the_plain_input(data: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)

    class Never:
        def random(self) -> float:
            return 0.99

        def uniform(self, low: float, _high: float, count: int | None = None) -> object:
            return low if count is None else np.full(count, low)

    real, fake = augmented_pair(pixels, pixels, SPEC, AS_IS, Never())  # type: ignore[arg-type]
    want = (pixels.transpose(2, 0, 1) / 255 - 0.5) / 0.25
    # Pillow's colour matrix works in float and rounds: at most one level off
    np.testing.assert_allclose(real, want, atol=1.01 / 255 / 0.25)
    np.testing.assert_array_equal(real, fake)


def test_the_same_seed_gives_the_same_batches(data: Path) -> None:
    rows = read_rows(data)
    pictures = Pictures(data, rows)

    def first() -> np.ndarray:
        made = batches(pictures, rows, SPEC, pairs_per_batch=4, how=Augmentation(), random=np.random.default_rng(5))
        return next(made)

    one, two = first(), first()
    assert one.shape == (8, 3, 32, 32)
    assert one.dtype == np.float32
    np.testing.assert_array_equal(one, two)


def test_auc_and_its_interval_by_group() -> None:
    random = np.random.default_rng(3)
    fake = np.repeat([False, True], 100)
    logits = random.normal(0, 1, 200) + fake
    groups = np.array([str(number // 4) for number in range(200)])
    found = auc_by_group(logits, fake, groups)
    assert found is not None
    auc, low, high = found
    assert auc == roc_auc_score(fake, logits)
    assert low < auc < high
    assert auc_by_group(logits[:100], fake[:100], groups[:100]) is None


def test_the_table_has_a_line_for_each_set() -> None:
    assert as_markdown([]).count("\n") == 1


def test_a_row_knows_its_side() -> None:
    assert Row("a", "fake", "g", "d", "train").is_fake
    assert not Row("a", "real", "g", "d", "train").is_fake
