from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from mesoscope.errors import UsageError
from mesoscope.explain import OUTCOME_COLOURS
from mesoscope.report import OverlayWriter, annotate_video, overlay_name, write_overlays
from mesoscope.types import Box, Detection, Evidence, FileResult, FrameMap, FrameResult, Outcome, TrackResult

MakeDetection = Callable[..., Detection]
MakeResult = Callable[..., FileResult]
FullDisk = Callable[[], AbstractContextManager[None]]
FLOOR = 0.001
Frames = list[tuple[int, float, np.ndarray]]


def plain_frames(count: int = 60, width: int = 256, height: int = 256, rate: float = 25) -> Frames:
    return [(n, n / rate, np.full((height, width, 3), 128, np.uint8)) for n in range(count)]


def read(path: Path) -> tuple[list[np.ndarray], list[float], object]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = list(container.decode(stream))
        info = (stream.codec_context.name, stream.codec_context.pix_fmt, stream.average_rate)
        assert not container.streams.audio
    return [frame.to_ndarray(format="rgb24") for frame in frames], [float(frame.time) for frame in frames], info


def line_of(frame: np.ndarray, outcome: Outcome) -> np.ndarray:
    """Pixels near the colour of an outcome's box."""
    colour = [int(OUTCOME_COLOURS[outcome][i : i + 2], 16) for i in (1, 3, 5)]
    return (np.abs(frame.astype(int) - colour) < 40).all(axis=2)


def left_edge(frame: np.ndarray, outcome: Outcome = Outcome.FAKE) -> int:
    """The first column that is mostly line between the rows of the box."""
    columns = line_of(frame, outcome)[70:115].mean(axis=0)
    return int(np.argmax(columns > 0.8))


def test_a_picture_becomes_one_png_with_its_origin(tmp_path: Path, picture: MakeDetection) -> None:
    detection = picture("in/Photo one.jpg", (0.93, 0.1))
    (path,) = write_overlays(detection, tmp_path / "new" / "deep", FLOOR)
    assert path.parent == tmp_path / "new" / "deep"
    image = Image.open(path)
    assert image.format == "PNG"
    assert image.info["Source"] == "in/Photo one.jpg"
    assert image.info["Source-sha256"] == detection.result.sha256
    shown = np.asarray(image)
    drawn = shown[:256, (shown.shape[1] - 256) // 2 :][:, :256]
    assert line_of(drawn, Outcome.FAKE).sum() > 300
    assert (drawn != detection.evidence.scenes[0].pixels).any(axis=2).sum() > 10_000


def test_nothing_to_show_writes_nothing(tmp_path: Path, picture: MakeDetection, video: Detection) -> None:
    bare = Detection(picture().result)
    for detection in (bare, Detection(bare.result, Evidence()), video):
        assert write_overlays(detection, tmp_path / "none", FLOOR) == []
    assert not (tmp_path / "none").exists()


def test_names_are_safe_and_never_meet(make_result: MakeResult) -> None:
    def name(path: str, **changes: object) -> str:
        return overlay_name(make_result(path, Outcome.FAKE, 0.9, **changes), ".png")

    same = {"sha256": "cd" * 32}
    assert name("a/x.jpg", **same) != name("b/x.jpg", **same)
    assert name("a/x.jpg", **same) != name("a/x.png", **same)
    assert name("a/x.jpg", **same) == name("a/x.jpg", **same)
    assert name("x.jpg", **same).startswith("x-cdcdcdcdcd-")
    assert name("../../etc/passwd").startswith("passwd-")
    assert name("-rf ;|<>:*?.jpg").startswith("rf-")
    assert name("-").startswith("input-")
    assert name("家族.jpg").startswith("家族-")
    assert len(name("x" * 250 + ".jpg").encode()) < 100
    assert len(name("家" * 80 + ".jpg").encode()) < 250


def test_an_overlay_directory_that_is_a_file_is_refused(tmp_path: Path, picture: MakeDetection) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="it is a file, not a directory"):
        write_overlays(picture(), tmp_path / "file", FLOOR)
    with pytest.raises(UsageError, match="it is a file, not a directory"):
        OverlayWriter(tmp_path / "file", FLOOR)


def test_the_box_follows_the_face(tmp_path: Path, video: Detection) -> None:
    out = tmp_path / "out.mp4"
    annotate_video(plain_frames(51), 25, video.result.tracks, maps=video.evidence.maps, floor=FLOOR, out=out)
    frames, times, (_, pixel_format, rate) = read(out)
    assert len(frames) == 51
    assert frames[0].shape == (256, 256, 3)
    assert times == pytest.approx([n / 25 for n in range(51)], abs=1e-3)
    assert rate == pytest.approx(25, rel=0.01)
    assert pixel_format == "yuv420p"
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.mp4"]
    # 50 px a second, also between the sampled frames (every tenth)
    edges = [left_edge(frames[n]) for n in (0, 5, 10, 15, 25, 50)]
    assert np.diff(edges) == pytest.approx([10, 10, 10, 20, 50], abs=2)
    assert edges[0] == pytest.approx(20, abs=4)


def test_the_map_is_inside_the_box_and_moves_with_it(tmp_path: Path, video: Detection) -> None:
    out = tmp_path / "out.mp4"
    maps = video.evidence.maps
    annotate_video(plain_frames(26), 25, video.result.tracks[:1], maps=maps, floor=FLOOR, out=out)
    frames, *_ = read(out)
    for n in (0, 25):
        left = 20 + 2 * n
        inside = frames[n][80:110, left + 15 : left + 50].astype(int)
        assert (inside[..., 0] - inside[..., 2]).min() > 30
        assert np.abs(frames[n][200:250].astype(int) - 128).max() < 12


def test_a_face_not_seen_for_long_has_no_box(tmp_path: Path, video: Detection) -> None:
    out = tmp_path / "out.mp4"
    frames = plain_frames(60)
    # track 2 is seen at 0, 0.4 and 2.0 s: the gap is longer than a straight line may bridge
    annotate_video(frames, 25, video.result.tracks[1:2], maps={}, floor=FLOOR, out=out)
    seen = [line_of(frame, Outcome.REAL).any() for frame in read(out)[0]]
    assert all(seen[:16])
    assert not any(seen[17:43])
    assert all(seen[45:56])
    assert not any(seen[57:])


def test_the_label_says_what_was_measured_not_what_lies_between(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from mesoscope.report import annotate

    texts = []

    def remember(pixels: np.ndarray, marks: list) -> np.ndarray:
        texts.append([mark.texts[0] for mark in marks])
        return pixels

    monkeypatch.setattr(annotate, "draw_marks", remember)
    frames = [
        FrameResult(frame=n * 25, time=float(n), box=(0, 0, 9, 9), probability=p, logit=0, finder_score=None)
        for n, p in enumerate((0.2, 0.8))
    ]
    track = TrackResult(
        id=7, start=0, end=1, frames=frames, decided_by=[25], outcome="inconclusive", probability=0.5, logit=0
    )
    annotate_video(plain_frames(26), 25, [track], maps={}, floor=FLOOR, out=tmp_path / "out.mp4")
    assert texts[5] == ["track 7 · inconclusive 0.50 · now 0.20"]
    assert texts[20] == ["track 7 · inconclusive 0.50 · now 0.80"]


@pytest.mark.parametrize("rate", [25, 24, 30, Fraction(30000, 1001), Fraction(24000, 1001), 59.94])
def test_rates_are_kept(tmp_path: Path, video: Detection, rate: Fraction | float) -> None:
    out = tmp_path / "out.mp4"
    annotate_video(plain_frames(30, 64, 64, float(rate)), rate, [], maps={}, floor=FLOOR, out=out)
    frames, times, (_, _, found) = read(out)
    assert len(frames) == 30
    assert float(found) == pytest.approx(float(rate), rel=0.002)
    assert times[-1] == pytest.approx(29 / float(rate), abs=1e-3)


def test_uneven_and_backward_times_keep_every_frame(tmp_path: Path) -> None:
    frames = plain_frames(6, 64, 64)
    times = [1.0, 1.04, 1.5, 1.5, 1.4, 2.0]
    annotate_video(
        [(n, time, pixels) for (n, _, pixels), time in zip(frames, times, strict=True)],
        25,
        [],
        maps={},
        floor=FLOOR,
        out=tmp_path / "out.mp4",
    )
    _, found, _ = read(tmp_path / "out.mp4")
    assert found == pytest.approx([0, 0.04, 0.5, 0.54, 0.58, 1.0], abs=1e-3)


def test_odd_sides_are_padded_and_other_sizes_scaled(tmp_path: Path) -> None:
    frames = [(0, 0.0, np.zeros((33, 47, 3), np.uint8)), (1, 0.04, np.zeros((66, 94, 3), np.uint8))]
    annotate_video(frames, 25, [], maps={}, floor=FLOOR, out=tmp_path / "out.mp4")
    found, *_ = read(tmp_path / "out.mp4")
    assert [frame.shape for frame in found] == [(34, 48, 3)] * 2


def test_a_video_without_frames_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no frame to draw on"):
        annotate_video([], 25, [], maps={}, floor=FLOOR, out=tmp_path / "out.mp4")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("rate", [0, -25])
def test_a_rate_that_is_none_is_refused(tmp_path: Path, rate: float) -> None:
    with pytest.raises(UsageError, match="the rate must be above 0"):
        annotate_video(plain_frames(1), rate, [], maps={}, floor=FLOOR, out=tmp_path / "out.mp4")


def test_frames_that_break_off_leave_what_was_there(tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    out.write_text("yesterday's")

    def broken() -> object:
        yield from plain_frames(5, 64, 64)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        annotate_video(broken(), 25, [], maps={}, floor=FLOOR, out=out)
    assert out.read_text() == "yesterday's"
    assert list(tmp_path.iterdir()) == [out]


def test_a_place_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot write"):
        annotate_video(plain_frames(1), 25, [], maps={}, floor=FLOOR, out=tmp_path / "nowhere" / "out.mp4")


def test_the_writer_reads_the_video_again(tmp_path: Path, clip: Path, make_result: MakeResult) -> None:
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        count = sum(1 for _ in container.decode(stream))
        width, height = stream.codec_context.width, stream.codec_context.height
    frame = FrameResult(frame=0, time=0.0, box=(10, 10, 80, 80), probability=0.9, logit=2, finder_score=None)
    track = TrackResult(
        id=1, start=0, end=0, frames=[frame], decided_by=[0], outcome="fake", probability=0.9, logit=2
    )
    maps = {1: [FrameMap(0, Box(0, 0, 90, 90), np.full((4, 4), 0.1, np.float32))]}
    answer = make_result(str(clip), Outcome.FAKE, 0.9, kind="video", tracks=[track], decided_by="track 1")
    (path,) = OverlayWriter(tmp_path / "out", FLOOR).add(Detection(answer, Evidence(maps=maps)))
    assert path.suffix == ".mp4"
    frames, *_ = read(path)
    assert len(frames) == count
    assert frames[0].shape == (height + height % 2, width + width % 2, 3)
    assert line_of(frames[0], Outcome.FAKE).sum() > 100


def test_a_video_that_cannot_be_read_again_is_a_warning(tmp_path: Path, video: Detection) -> None:
    warnings: list[str] = []
    writer = OverlayWriter(tmp_path, FLOOR, warn=warnings.append)
    for path in ("-", str(tmp_path / "gone.mp4")):
        result = video.result.model_copy(update={"path": path})
        assert writer.add(Detection(result, video.evidence)) == []
    assert "standard input cannot be read twice" in warnings[0]
    assert "cannot be read again" in warnings[1]
    assert writer.add(Detection(video.result)) == []
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_a_sentence_and_leaves_nothing(
    tmp_path: Path, picture: MakeDetection, full_disk: FullDisk
) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (256, 256, 3), np.uint8)
    with full_disk(), pytest.raises(UsageError, match=r"cannot write .*png: File too large"):
        write_overlays(picture(), tmp_path, FLOOR)
    with full_disk(), pytest.raises(UsageError, match=r"cannot write .*mp4: "):
        frames = [(n, n / 25, noise) for n in range(40)]
        annotate_video(frames, 25, [], maps={}, floor=FLOOR, out=tmp_path / "out.mp4")
    assert list(tmp_path.iterdir()) == []
