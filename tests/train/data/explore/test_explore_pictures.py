"""Tiles and sheets: upright, whole, in their place; unreadable files are said to be so."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from mesoscope_train.data.audit.findings import Audit, Finding
from mesoscope_train.data.explore.content import Case
from mesoscope_train.data.explore.examples import save_cases, show_findings
from mesoscope_train.data.explore.sheets import PER_ROW, draw_sheet, in_rows, save_sheet
from mesoscope_train.data.explore.tiles import HEIGHT, WIDEST, Tile, make_tiles
from mesoscope_train.figures import LABEL_COLOURS


def tile(ratio: float, label: str = "real", jpeg: bytes | None = None) -> Tile:
    return Tile("p.jpg", label, "g", "set", None, jpeg, ratio, (10, 10), False, None if jpeg else "It is broken.")


def coloured(ratio: float, colour: tuple[int, int, int]) -> Tile:
    buffer = io.BytesIO()
    Image.new("RGB", (round(100 * ratio), 100), colour).save(buffer, "JPEG", quality=95, subsampling=0)
    return tile(ratio, jpeg=buffer.getvalue())


def test_a_tile_is_the_picture_upright(make_manifest, examples):
    manifest = make_manifest([{"label": "real"}, {"label": "real"}])
    turned = (
        Image.open(examples / "portrait-photo-1.jpg")
        .convert("RGB")
        .resize((60, 90))
        .transpose(Image.Transpose.ROTATE_90)
    )
    exif = Image.Exif()
    exif[0x0112] = 6
    turned.save(manifest.file("1.jpg"), exif=exif, quality=95)
    plain, upright = make_tiles(manifest, [0, 1])
    assert (plain.size, upright.size) == ((48, 64), (60, 90))
    assert upright.ratio == pytest.approx(60 / 90)
    expected = np.asarray(Image.open(examples / "portrait-photo-1.jpg").convert("RGB").resize((60, 90)), float)
    shown = np.asarray(Image.open(io.BytesIO(upright.jpeg)), float)
    assert np.abs(shown - expected).mean() < 6


def test_large_pictures_become_small(make_manifest, portrait):
    manifest = make_manifest([{"label": "real"}])
    manifest.file("0.jpg").write_bytes(portrait.read_bytes())
    (one,) = make_tiles(manifest, [0])
    assert Image.open(io.BytesIO(one.jpeg)).size == (HEIGHT, HEIGHT)
    assert one.size == (512, 512)
    assert "512 × 512" in one.caption


def test_a_panorama_has_a_tile_of_bounded_width(make_manifest, pictures):
    manifest = make_manifest([{"label": "real"}])
    pictures[0].resize((900, 90)).save(manifest.file("0.jpg"))
    (one,) = make_tiles(manifest, [0])
    assert one.ratio == WIDEST
    assert Image.open(io.BytesIO(one.jpeg)).size == (round(HEIGHT * WIDEST), round(HEIGHT * WIDEST / 10))


def test_a_video_shows_its_first_frame_with_a_mark(with_video, clip):
    from mesoscope.media import open_video

    (one,) = make_tiles(with_video, [1])
    assert one.video
    assert "first frame of a video" in one.caption
    shown = np.asarray(Image.open(io.BytesIO(one.jpeg)).convert("RGB"), float)
    frame = Image.fromarray(next(iter(open_video(clip).frames())).pixels)
    frame.thumbnail((shown.shape[1], shown.shape[0]))
    difference = np.abs(shown - np.asarray(frame, float)).mean(axis=2)
    corner = (slice(int(0.7 * len(difference)), None), slice(0, int(0.25 * len(difference[0]))))
    assert difference[corner].mean() > 15
    difference[corner] = 0
    assert difference.mean() < 4


def test_what_cannot_be_read_says_why(make_manifest):
    manifest = make_manifest([{"label": "real"}, {"label": "fake"}, {"label": "fake"}])
    manifest.file("1.jpg").write_bytes(b"no picture")
    manifest.file("2.jpg").unlink()
    good, broken, missing = make_tiles(manifest, [0, 1, 2], workers=3)
    assert (good.error, broken.jpeg, missing.jpeg) == (None, None, None)
    assert "neither a picture nor a video" in broken.caption
    assert "does not exist" in missing.caption
    assert draw_sheet([good, broken, missing]).getcolors(1000) is None


def test_rows_are_full_and_keep_the_order():
    tiles = [tile(ratio) for ratio in (1.0, 1.5, 0.7, 1.0, 1.8, 0.6, 0.7, 1.3, 1.0, 0.8) * 4]
    rows = in_rows(tiles)
    assert [one for row, _ in rows for one in row] == tiles
    assert all(spare == 0 for _, spare in rows)
    widths = [sum(one.ratio for one in row) for row, _ in rows]
    assert max(widths) < 1.3 * PER_ROW
    assert min(widths) > 0.7 * PER_ROW


def test_squares_stand_in_a_grid_and_few_tiles_are_not_blown_up():
    assert [len(row) for row, _ in in_rows([tile(1.0)] * 24)] == [8, 8, 8]
    ((row, spare),) = in_rows([tile(1.0)] * 3)
    assert (len(row), spare) == (3, 5.0)


def test_pictures_are_where_they_should_be(tmp_path):
    colours = [(200, 30, 30), (30, 200, 30), (30, 30, 200), (200, 200, 30)]
    save_sheet(
        draw_sheet([coloured(ratio, each) for ratio, each in zip((1, 2, 1, 1.5), colours, strict=True)]),
        tmp_path / "s.png",
    )
    image = Image.open(tmp_path / "s.png")
    pixels = np.asarray(image).astype(int)
    assert image.width == 1380
    # four tiles of 1 : 2 : 1 : 1.5, and room for another 2.5
    height = image.height
    edges = np.cumsum([0, *(ratio * height + 6 for ratio in (1, 2, 1, 1.5))])
    for left, ratio, colour in zip(edges, (1, 2, 1, 1.5), colours, strict=False):
        field = pixels[5 : height - 5, int(left) + 5 : int(left + ratio * height) - 5]
        assert np.abs(field - colour).max() < 12
    assert (pixels[:, int(edges[-1]) + 5 :] == 255).all()


def audit_of(manifest, *findings: Finding) -> Audit:
    return Audit(manifest.digest(), len(manifest), len(manifest), {}, 1, findings, (), 0.7)


def test_findings_show_the_pictures_they_name(make_manifest):
    manifest = make_manifest(
        [
            {"label": label, "split": split}
            for label, split in (("real", "train"), ("fake", "test"), ("fake", "train"))
        ]
    )
    pair = Finding("near-duplicate", "leak", "two look alike", 9, (("0.jpg", "1.jpg"), ("g:7", "2.jpg")))
    plain = Finding("imbalance", "warning", "few fakes", 1)
    (shown,) = show_findings(manifest, audit_of(manifest, pair, plain))
    assert (shown.kind, shown.level, shown.message, shown.more) == ("near duplicate", "leak", "Two look alike.", 7)
    assert [[one.path for one in case.tiles] for case in shown.cases] == [["0.jpg", "1.jpg"], ["2.jpg"]]
    assert shown.cases[1].words == ("g:7",)


def test_a_group_is_shown_by_a_row_of_each_split_and_label(make_manifest):
    parts = [("real", "train"), ("real", "train"), ("fake", "test"), ("real", "test")]
    manifest = make_manifest([{"label": label, "split": split, "group": "g:<b>"} for label, split in parts])
    finding = Finding("group", "leak", "torn", 1, (("g:<b>",), ("unknown",)))
    first, second = show_findings(manifest, audit_of(manifest, finding))[0].cases
    assert [one.path for one in first.tiles] == ["0.jpg", "2.jpg", "3.jpg"]
    assert first.words == ("g:<b>",)
    assert second == Case((), ("unknown",))


def test_large_sets_of_copies_are_cut_and_say_so(make_manifest):
    manifest = make_manifest([{"label": "real"}] * 7)
    finding = Finding("duplicate", "leak", "copies", 1, (tuple(f"{index}.jpg" for index in range(7)),))
    (case,) = show_findings(manifest, audit_of(manifest, finding))[0].cases
    assert len(case.tiles) == 4
    assert case.words == ("and 3 more pictures",)


def test_cases_as_a_picture(tmp_path):
    one = coloured(1.0, (30, 200, 30))
    save_cases([Case((), ("name",)), Case((one, tile(1.0, "fake")))], tmp_path / "c.png")
    pixels = np.asarray(Image.open(tmp_path / "c.png").convert("RGB")).astype(int)
    found = {colour for _, colour in Image.open(tmp_path / "c.png").convert("RGB").getcolors(100_000)}
    for label in ("real", "fake"):
        assert tuple(int(LABEL_COLOURS[label][place : place + 2], 16) for place in (1, 3, 5)) in found
    assert np.abs(pixels[100, 100] - (30, 200, 30)).max() < 12
    save_cases([Case((), ("name",))], tmp_path / "none.png")
    assert not (tmp_path / "none.png").exists()
