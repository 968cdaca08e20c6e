"""What a recipe makes of training pictures, on the page."""

from __future__ import annotations

import shutil
from pathlib import Path

from typer.testing import CliRunner

from mesoscope.cli import application
from mesoscope.manifest import Manifest, ManifestBuilder, Row, write_manifest
from mesoscope_train.augment import Blur, Flip, OneOf
from mesoscope_train.augment.self_blend import SelfBlend
from mesoscope_train.data.audit.run import silent
from mesoscope_train.data.explore.augmentation import TIMES, augmentation_section
from mesoscope_train.data.explore.blending import TIMES as PAIRS
from mesoscope_train.data.explore.blending import blending_section


def manifest(examples: Path, root: Path) -> Manifest:
    builder = ManifestBuilder(root)
    for kind, label in (("photo", "real"), ("generated", "fake")):
        for number, split in ((1, "train"), (2, "test")):
            name = f"portrait-{kind}-{number}.jpg"
            shutil.copy(examples / name, root / name)
            builder.add(Row(path=name, label=label, group=name, dataset="d", split=split))
    return builder.build()


def test_training_pictures_many_times(examples: Path, tmp_path: Path) -> None:
    steps = (Flip(left_right=1.0), OneOf(of=(Blur(kernels=(3,)), Blur(kernels=(9, 15))), p=0.5))
    section = augmentation_section(manifest(examples, tmp_path), steps, "mine", seed=0, progress=silent)
    assert {sheet.tiles[0].path for sheet in section.sheets} == {"portrait-photo-1.jpg", "portrait-generated-1.jpg"}
    for sheet in section.sheets:
        assert len(sheet.tiles) == 1 + TIMES
        assert sheet.tiles[0].jpeg != sheet.tiles[1].jpeg
        assert len({tile.jpeg for tile in sheet.tiles}) > 2
    assert section.text == (
        "The recipe mine: flip left_right 1, then one of [blur kernels 3; blur kernels 9 to 15] (50% of pictures).",
    )


def test_no_augmentation_is_said(examples: Path, tmp_path: Path) -> None:
    section = augmentation_section(manifest(examples, tmp_path), (), "plain", seed=0, progress=silent)
    assert section.text == ("The recipe plain changes no picture.",)
    assert not section.sheets


def test_a_picture_that_cannot_be_read_is_said(examples: Path, tmp_path: Path) -> None:
    made = manifest(examples, tmp_path)
    (tmp_path / "portrait-photo-1.jpg").write_bytes(b"no picture")
    section = augmentation_section(made, (Flip(),), "mine", seed=0, progress=silent)
    (sheet,) = [sheet for sheet in section.sheets if sheet.label == "real"]
    (tile,) = sheet.tiles
    assert tile.error


def test_by_command(examples: Path, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    path = tmp_path / "m.parquet"
    write_manifest(manifest(examples, tmp_path / "data"), path)
    out = tmp_path / "page"
    arguments = ["data", "explore", str(path), "--out", str(out), "--no-audit", "--samples", "1"]
    done = CliRunner().invoke(application(), [*arguments, "--recipe", "mesoinception-svm"])
    assert done.exit_code == 0, done.output
    assert (out / "figures" / "augmentation-fake-1.png").is_file()
    assert "one of [blur" in (out / "index.html").read_text()
    assert CliRunner().invoke(application(), [*arguments, "--recipe", "nobody"]).exit_code == 2


def test_self_blended_faces_on_the_page(examples: Path, tmp_path: Path) -> None:
    section = blending_section(manifest(examples, tmp_path), SelfBlend(), "mine", seed=0, progress=silent)
    (sheet,) = section.sheets
    assert len(sheet.tiles) == 3 * PAIRS
    assert {tile.path for tile in sheet.tiles} == {"portrait-photo-1.jpg"}
    assert len({tile.jpeg for tile in sheet.tiles[: 2 * PAIRS]}) > PAIRS
    assert section.text == (
        "The recipe mine makes a fake of each real face of the training part; "
        "known of the faces: nothing but the crop of 1.",
    )
    fakes = manifest(examples, tmp_path).take([row for row in range(4) if row >= 2])
    assert "no real face" in blending_section(fakes, SelfBlend(), "mine", seed=0, progress=silent).text[0]
