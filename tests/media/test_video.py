from __future__ import annotations

import gc
import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest
from PIL import Image

from mesoscope.errors import MediaError, MediaTooLarge, UsageError
from mesoscope.media import Frame, MediaLimits, Video, open_media, open_video, sniff
from mesoscope.media.packets import PacketTable, packets

MakeVideo = Callable[..., Path]
WIDTH, HEIGHT = 96, 64


def drawing(index: int) -> np.ndarray:
    """Frame `index`: a coarse code of the index (top), a red left half, and a moving white column."""
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    pixels[:, : WIDTH // 2] = (255, 0, 0)
    for bit in range(8):
        pixels[:16, bit * 12 : bit * 12 + 12] = 255 * (index >> bit & 1)
    column = 16 + 2 * index % (WIDTH - 24)
    pixels[40:, column : column + 8] = 255
    return pixels


def drawn_index(pixels: np.ndarray) -> int:
    """The index that `drawing` wrote into a frame."""
    return sum(int(pixels[4:12, bit * 12 + 3 : bit * 12 + 9].mean() > 127) << bit for bit in range(8))


def write_video(
    path: Path,
    frames: int = 60,
    *,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    options: dict[str, str] | None = None,
    container: dict[str, str] | None = None,
    rotation: int | None = None,
    gop: int = 12,
    times: Sequence[int] | None = None,
    metadata: dict[str, str] | None = None,
) -> Path:
    """Encode drawings at 25 frames a second, or at `times` in milliseconds."""
    with av.open(str(path), "w", options=container or {}) as output:
        output.metadata.update(metadata or {})
        stream = output.add_stream(codec, rate=25, options=options or {})
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = WIDTH, HEIGHT, pixel_format, gop
        if rotation is not None:
            stream.set_display_rotation(rotation)
        base = Fraction(1, 1000) if times else Fraction(1, 25)
        stream.time_base = stream.codec_context.time_base = base
        for index in range(frames):
            frame = av.VideoFrame.from_ndarray(drawing(index), format="rgb24")
            frame.pts, frame.time_base = times[index] if times else index, base
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return path


@pytest.fixture
def make_video(tmp_path: Path) -> MakeVideo:
    """`make_video("name.mp4", frames, ...)`: see `write_video`."""

    def make(name: str, frames: int = 60, **settings: object) -> Path:
        return write_video(tmp_path / name, frames, **settings)  # type: ignore[arg-type]

    return make


KINDS: dict[str, dict[str, object]] = {
    "h264.mp4": {"options": {"bf": "3", "b-pyramid": "normal"}},
    "faststart.mp4": {"container": {"movflags": "faststart"}},
    "fragments.mp4": {"container": {"movflags": "frag_keyframe+empty_moov"}},
    "open-gop.mkv": {"options": {"bf": "2", "x264-params": "open-gop=1:scenecut=0"}},
    "open-gop.mp4": {"options": {"bf": "2", "x264-params": "open-gop=1:scenecut=0"}},
    "refresh.mkv": {"options": {"x264-params": "intra-refresh=1"}},
    "refresh.mp4": {"options": {"x264-params": "intra-refresh=1"}},
    "ten-bit.mp4": {"pixel_format": "yuv420p10le"},
    "444.mp4": {"pixel_format": "yuv444p"},
    "mpeg4.mp4": {"codec": "mpeg4", "options": {"bf": "2"}},
    "vp9.webm": {"codec": "libvpx-vp9", "options": {"lag-in-frames": "16", "auto-alt-ref": "1", "cpu-used": "8"}},
    "xvid.avi": {"codec": "mpeg4"},
    "b-frames.avi": {"codec": "mpeg4", "options": {"bf": "2"}},
    "stream.ts": {},
    "program.mpg": {"codec": "mpeg2video", "options": {"bf": "2"}},
    "flash.flv": {"codec": "flv"},
    "windows.wmv": {"codec": "wmv2"},
    "motion.mov": {"codec": "mjpeg", "pixel_format": "yuvj420p"},
}


def codes(video: Video) -> list[str]:
    return [notice.code for notice in video.notices]


def prints(frames: Iterable[Frame]) -> dict[int, tuple[float, str]]:
    return {frame.index: (frame.time_s, hashlib.sha256(frame.pixels.tobytes()).hexdigest()) for frame in frames}


def decoded_by_pyav(path: Path) -> list[str]:
    """An independent full decode."""
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    return [hashlib.sha256(frame.tobytes()).hexdigest() for frame in frames]


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_video_is_read_whole_and_sampled_exactly(name: str, make_video: MakeVideo) -> None:
    path = make_video(name, **KINDS[name])
    assert sniff(path) == "video"
    video = open_video(path)
    assert (video.width, video.height, video.n_frames) == (WIDTH, HEIGHT, 60)
    assert video.duration_s == pytest.approx(2.4, abs=0.001)
    assert video.frame_rate == pytest.approx(25, abs=0.1)
    whole = prints(video.frames())
    assert [print_ for _, print_ in whole.values()] == decoded_by_pyav(path)
    assert list(whole) == list(range(60))
    for count in (1, 2, 3, 7, 30, 59):
        sampled = prints(video.sample(frames=count))
        assert list(sampled) == [(2 * part + 1) * 60 // (2 * count) for part in range(count)]
        assert sampled == {index: whole[index] for index in sampled}
    assert video.notices == []


def test_seeking_is_used_and_skips_frames(make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch) -> None:
    video = open_video(make_video("a.mp4", 120, gop=12))
    sought: list[int] = []
    key_before = PacketTable.key_before

    def watch(table: PacketTable, rank: int) -> object:
        key = key_before(table, rank)
        sought.append(key.rank if key else -1)
        return key

    monkeypatch.setattr(PacketTable, "key_before", watch)
    frames = list(video.sample(frames=3))
    assert [frame.index for frame in frames] == [20, 60, 100]
    assert sought == [12, 60, 96]
    assert [drawn_index(frame.pixels) for frame in frames] == [20, 60, 100]


def test_a_seek_that_lands_too_late_is_noticed(make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch) -> None:
    video = open_video(make_video("a.mp4", 120, gop=12))
    expected = prints(video.sample(frames=3))
    real, seen = packets, set()

    def late(container: object, *streams: object) -> object:
        source = real(container, *streams)
        if container in seen:  # after a seek
            list(zip(range(30), source, strict=False))
        seen.add(container)
        return source

    monkeypatch.setattr("mesoscope.media.reader.packets", late)
    assert prints(video.sample(frames=3)) == expected


def test_a_stream_without_time_stamps_is_counted(make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_video("a.mp4", 100)
    timed = prints(open_video(path).sample(frames=4))
    monkeypatch.setattr("mesoscope.media.packets._timed", lambda *_: None)
    video = open_video(path)
    assert (video.duration_s, video.n_frames) == (None, 100)
    assert prints(video.sample(frames=4)) == timed
    assert len(list(video.frames())) == 100


@pytest.mark.parametrize("error", [IndexError("a stream came late"), av.error.InvalidDataError(1, "broken")])
def test_reading_ends_where_the_container_breaks(error: Exception) -> None:
    def demux() -> object:
        yield SimpleNamespace(size=3, pts=None, dts=None)
        yield SimpleNamespace(size=0, pts=None, dts=None)  # what PyAV sends at the end
        raise error

    failures: list[str] = []
    container = SimpleNamespace(demux=demux)
    assert len(list(packets(container, failures=failures))) == 1  # type: ignore[arg-type]
    assert len(failures) == isinstance(error, av.error.FFmpegError)


def test_frames_that_cannot_be_turned_into_colours_are_lost(
    make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = open_video(make_video("a.mp4", 3))

    def fail(*_: object) -> None:
        raise av.error.OSError(95, "Operation not supported")

    monkeypatch.setattr("mesoscope.media.video._Turn.apply", fail)
    for frames in (video.frames(), video.sample(frames=2)):
        with pytest.raises(MediaError, match="No frame of the video can be decoded"):
            list(frames)


def test_frames_are_what_was_drawn_with_their_times(make_video: MakeVideo) -> None:
    frames = list(open_video(make_video("a.mp4", options={"crf": "10"})).frames())
    assert [drawn_index(frame.pixels) for frame in frames] == list(range(60))
    assert [frame.time_s for frame in frames] == pytest.approx([index / 25 for index in range(60)])
    for frame in frames:
        assert frame.pixels.dtype == np.uint8
        assert frame.pixels.flags.c_contiguous
        assert np.abs(frame.pixels.astype(int) - drawing(frame.index)).mean() < 10


def test_samples_lie_at_the_centres_of_equal_parts(make_video: MakeVideo) -> None:
    video = open_video(make_video("a.mp4", 100))
    assert [frame.index for frame in video.sample(frames=4)] == [12, 37, 62, 87]
    assert [frame.index for frame in video.sample(frames=1)] == [50]
    assert [frame.index for frame in video.sample(fps=1)] == [12, 37, 62, 87]
    assert [frame.index for frame in video.sample(fps=0.001)] == [50]
    assert [frame.index for frame in video.sample(fps=1000)] == list(range(100))


def test_fewer_frames_than_asked_come_all_once(make_video: MakeVideo) -> None:
    video = open_video(make_video("a.mp4", 5))
    assert [frame.index for frame in video.sample(frames=32)] == [0, 1, 2, 3, 4]
    (only,) = open_video(make_video("b.mp4", 1)).sample(frames=32)
    assert (only.index, only.time_s) == (0, 0.0)


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4"])
def test_variable_frame_rate_goes_by_time(name: str, make_video: MakeVideo) -> None:
    # Forty frames in the first second, then one each second up to the tenth.
    times = [*range(0, 1000, 25), *range(1000, 10_000, 1000)]
    video = open_video(make_video(name, len(times), times=times))
    assert video.n_frames == 49
    assert video.duration_s is not None
    assert 9.0 < video.duration_s <= 10.0  # how long the last frame lasts is not written in every container
    centres = [(part + 0.5) * video.duration_s / 10 for part in range(10)]
    expected = sorted({sum(time / 1000 <= centre for time in times) - 1 for centre in centres})
    frames = list(video.sample(frames=10))
    assert [frame.index for frame in frames] == expected
    assert [drawn_index(frame.pixels) for frame in frames] == expected
    assert [frame.time_s for frame in frames] == pytest.approx([times[index] / 1000 for index in expected])


def test_a_frame_that_stands_long_comes_once(make_video: MakeVideo) -> None:
    video = open_video(make_video("a.mkv", 4, times=[0, 100, 5000, 5100]))
    assert [frame.index for frame in video.sample(frames=3)] == [1]
    assert [frame.index for frame in video.sample(frames=4)] == [0, 1, 2, 3]


@pytest.mark.parametrize("arguments", [{}, {"frames": 1, "fps": 1.0}, {"frames": 0}, {"fps": 0.0}, {"fps": -1.0}])
def test_wrong_requests_are_refused_before_reading(arguments: dict[str, float], make_video: MakeVideo) -> None:
    video = open_video(make_video("a.mp4", 3))
    with pytest.raises(UsageError):
        video.sample(**arguments)  # type: ignore[arg-type]
    with pytest.raises(UsageError):
        video.sample(fps=float("nan"))
    with pytest.raises(UsageError):
        video.sample(fps=float("inf"))


def test_choose_against_plain_counting() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        times = np.unique(rng.integers(0, 5000, rng.integers(1, 60))).tolist()
        end = times[-1] + int(rng.integers(1, 200))
        parts = int(rng.integers(1, 80))
        table = PacketTable(times, end, Fraction(1, 1000))
        length = end - times[0]
        centres = [times[0] + Fraction(2 * part + 1, 2 * parts) * length for part in range(parts)]
        expected = sorted({max(i for i, time in enumerate(times) if time <= centre) for centre in centres})
        assert table.choose(Fraction(parts, length)) == expected


@pytest.mark.parametrize(
    ("rotation", "turned"), [(90, 1), (-90, 3), (180, 2), (-180, 2), (270, 3), (0, 0), (89, 1), (5, 0)]
)
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_rotation_is_undone(rotation: int, turned: int, name: str, make_video: MakeVideo) -> None:
    video = open_video(make_video(name, 3, rotation=rotation))
    expected = np.rot90(drawing(0), turned)
    assert (video.height, video.width) == expected.shape[:2]
    (frame,) = video.sample(frames=1)
    expected = np.rot90(drawing(frame.index), turned)
    assert frame.pixels.shape == expected.shape
    assert np.abs(frame.pixels.astype(int) - expected).mean() < 12


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ((-1, 0, 0, 1), lambda a: a[:, ::-1]),
        ((1, 0, 0, -1), lambda a: a[::-1]),
        ((0, 1, 1, 0), lambda a: a.transpose(1, 0, 2)),
        ((0, -1, -1, 0), lambda a: a.transpose(1, 0, 2)[::-1, ::-1]),
    ],
)
def test_mirrored_video(
    matrix: tuple[int, ...], expected: Callable[[np.ndarray], np.ndarray], tmp_path: Path, make_video: MakeVideo
) -> None:
    plain = make_video("a.mp4", 2, rotation=90)
    data = plain.read_bytes()
    stored = b"".join(value.to_bytes(4, "big", signed=True) for value in (0, -65536, 0, 65536, 0, 0))
    if data.count(stored) != 1:  # the writer's own order of the matrix
        stored = b"".join(value.to_bytes(4, "big", signed=True) for value in (0, 65536, 0, -65536, 0, 0))
    assert data.count(stored) == 1
    a, b, c, d = (value * 65536 for value in matrix)
    changed = b"".join(value.to_bytes(4, "big", signed=True) for value in (a, b, 0, c, d, 0))
    first = next(open_video(data.replace(stored, changed)).frames())
    wanted = expected(drawing(0))
    assert first.pixels.shape == wanted.shape
    assert np.abs(first.pixels.astype(int) - wanted).mean() < 12


def test_what_an_edit_list_cuts_away_is_not_missing(make_video: MakeVideo, tmp_path: Path) -> None:
    path = tmp_path / "edited.mp4"
    options = {"avoid_negative_ts": "disabled", "use_editlist": "1"}
    with av.open(str(make_video("a.mp4"))) as source, av.open(str(path), "w", options=options) as output:
        stream = output.add_stream_from_template(source.streams.video[0])
        step = int(1 / (25 * source.streams.video[0].time_base))
        for packet in source.demux(video=0):
            if packet.dts is not None and packet.pts is not None:
                packet.pts, packet.dts, packet.stream = packet.pts - 17 * step, packet.dts - 17 * step, stream
                output.mux(packet)
    video = open_video(path)
    frames = list(video.frames())
    assert [drawn_index(frame.pixels) for frame in frames] == list(range(17, 60))
    assert [frame.index for frame in frames] == list(range(43))
    assert frames[0].time_s == 0
    assert prints(video.sample(frames=5)).items() <= prints(frames).items()
    assert codes(video) == []


CUT = {
    "faststart.mp4": 0.6,
    "fragments.mp4": 0.6,
    "open-gop.mkv": 0.6,
    "vp9.webm": 0.6,
    "xvid.avi": 0.6,
    "flash.flv": 0.6,
    "stream.ts": 0.6,
    "program.mpg": 0.6,
}


@pytest.mark.parametrize("name", CUT)
def test_a_broken_tail_leaves_what_can_be_read(name: str, make_video: MakeVideo) -> None:
    path = make_video(name, 200, **KINDS[name])
    whole = decoded_by_pyav(path)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    video = open_video(path)
    frames = prints(video.frames())
    assert 20 < len(frames) < 190
    same = [print_ == whole[index] for index, (_, print_) in frames.items() if index < 200]
    assert sum(not equal for equal in same) <= 2  # at most the torn frames at the end
    sampled = prints(video.sample(frames=8))
    assert len(sampled) == 8
    assert sampled.items() <= frames.items()
    assert max(sampled) > 0.8 * max(frames)  # over all that is there
    if name not in ("stream.ts", "program.mpg"):  # these announce no length
        (notice,) = video.notices
        assert notice.code == "video_truncated"
        if name == "fragments.mp4":  # how many fragments should follow is not written anywhere
            return
        missing = int(notice.message.split("about ")[1].split()[0])
        assert missing == pytest.approx(200 - len(frames), abs=6)


def test_a_tail_with_frames_lost_in_the_threads_of_the_decoder(make_video: MakeVideo) -> None:
    path = make_video("a.mp4", 60, container={"movflags": "faststart"})
    with av.open(str(path)) as container:
        ends = [packet.pos + packet.size for packet in container.demux(video=0) if packet.pos is not None]
    path.write_bytes(path.read_bytes()[: ends[5] - 3])
    video = open_video(path)
    assert len(list(video.frames())) == video.n_frames == 5
    assert codes(video) == ["video_truncated"]


def test_damage_in_the_middle_loses_some_frames_only(make_video: MakeVideo) -> None:
    path = make_video("a.mp4", 120, options={"bf": "0"})
    with av.open(str(path)) as container:
        places = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.pos is not None]
    data = bytearray(path.read_bytes())
    for place, size in places[30:33]:
        data[place : place + size] = b"\xff" * size
    path.write_bytes(data)
    video = open_video(path)
    frames = list(video.frames())
    assert 100 <= len(frames) <= 117
    assert frames[-1].index == 119
    assert codes(video) == ["video_damaged"]
    assert len(list(video.sample(frames=12))) == 12
    list(video.frames())
    assert codes(video) == ["video_damaged"]  # said once


def test_all_samples_in_a_damaged_tail_fall_back_to_what_there_is(make_video: MakeVideo) -> None:
    path = make_video("a.mp4", 24, options={"bf": "0"}, gop=250)
    with av.open(str(path)) as container:
        places = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.pos is not None]
    data = bytearray(path.read_bytes())
    for place, size in places[5:]:
        data[place : place + size] = b"\xff" * size
    (frame,) = open_video(bytes(data)).sample(frames=1)
    assert frame.index < 5


def test_bytes_are_read_like_files(make_video: MakeVideo) -> None:
    path = make_video("a.mp4")
    assert sniff(path.read_bytes()) == "video"
    assert prints(open_video(path.read_bytes()).sample(frames=5)) == prints(open_video(path).sample(frames=5))


def test_names_that_ffmpeg_would_misread(make_video: MakeVideo, tmp_path: Path) -> None:
    plain = make_video("a.mp4", 3)
    for name in (
        b"http:a.mp4",
        b"a%03d.jpg",
        b"- x",
        b"caf\xe9.mp4",
        "ä ü.txt".encode(),
        b"concat:a|b.mp4",
        b"photo.jpg",
    ):
        path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
        path.write_bytes(plain.read_bytes())
        assert isinstance(open_media(path), Video)


def test_a_relative_path_survives(make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(make_video("a.mp4", 3).parent)
    assert open_video(Path("a.mp4")).n_frames == 3


def sound(path: Path, cover: bytes | None = None) -> Path:
    with av.open(str(path), "w") as output:
        stream = output.add_stream("aac", rate=44100)
        picture = output.add_stream("mjpeg", rate=1) if cover else None
        if picture is not None:
            picture.width = picture.height = 32
            picture.pix_fmt = "yuvj420p"
            picture.disposition = av.stream.Disposition.attached_pic
        for _ in range(20):
            frame = av.AudioFrame(format="fltp", layout="stereo", samples=1024)
            for plane in frame.planes:
                plane.update(bytes(plane.buffer_size))
            frame.rate = 44100
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
        if picture is not None:
            output.mux(picture.encode(av.VideoFrame(32, 32, "yuvj420p")))
            output.mux(picture.encode())
    return path


def test_a_file_with_sound_only_says_so(tmp_path: Path) -> None:
    path = sound(tmp_path / "song.m4a")
    assert sniff(path) == "video"
    for read in (open_video, open_media):
        with pytest.raises(MediaError, match="has no video stream"):
            read(path)


def test_an_album_cover_is_not_a_video(tmp_path: Path) -> None:
    path = sound(tmp_path / "song.mp4", cover=b"yes")
    with av.open(str(path)) as container:
        if not container.streams.video[0].disposition & av.stream.Disposition.attached_pic:
            pytest.skip("this FFmpeg does not write covers into MP4")
    with pytest.raises(MediaError, match="has no video stream"):
        open_video(path)


def test_an_unknown_codec_is_an_error(make_video: MakeVideo) -> None:
    data = make_video("a.mp4", 3).read_bytes().replace(b"avc1", b"zzz1").replace(b"avcC", b"zzzC")
    with pytest.raises(MediaError, match="codec that cannot be decoded"):
        open_video(data)


def test_a_video_of_length_zero_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.avi"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        output.start_encoding()
    with pytest.raises(MediaError, match=r"length zero|table of contents"):
        open_video(path)


def test_a_video_without_a_decodable_frame_is_an_error(make_video: MakeVideo) -> None:
    path = make_video("a.mp4", 10)
    with av.open(str(path)) as container:
        places = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.pos is not None]
    data = bytearray(path.read_bytes())
    for place, size in places:
        data[place : place + size] = bytes(size)
    with pytest.raises(MediaError, match="No frame of the video can be decoded"):
        open_video(bytes(data))


def test_a_video_without_its_table_of_contents_says_so(make_video: MakeVideo) -> None:
    data = make_video("a.mp4").read_bytes()
    for read in (open_video, open_media, sniff):
        with pytest.raises(MediaError, match="MP4 or MOV video is damaged or incomplete"):
            read(data[: len(data) // 2])
    with pytest.raises(MediaError, match="Matroska"):
        open_video(make_video("a.mkv").read_bytes()[:40])


def test_playlists_and_pictures_are_not_opened_as_videos(tmp_path: Path, make_video: MakeVideo) -> None:
    inner = make_video("a.mp4", 3)
    lists = {
        "list.m3u8": f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{inner}\n#EXT-X-ENDLIST\n",
        "list.ffconcat": f"ffconcat version 1.0\nfile '{inner.name}'\n",
        "list.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 1 RTP/AVP 96\n",
    }
    for name, text in lists.items():
        (tmp_path / name).write_text(text)
        with pytest.raises(MediaError, match="neither a picture nor a video"):
            open_video(tmp_path / name)
    Image.new("RGB", (8, 8)).save(tmp_path / "a.gif")
    with pytest.raises(MediaError, match="neither"):
        open_video(tmp_path / "a.gif")
    with pytest.raises(MediaError, match="HEIC"):
        open_video(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100))


def test_limits(make_video: MakeVideo) -> None:
    path = make_video("a.mp4", 3)
    with pytest.raises(MediaTooLarge, match="video's frame has 96 x 64 = 6,144 pixels; the limit is 6,143"):
        open_video(path, MediaLimits(max_pixels=6143))
    with pytest.raises(MediaTooLarge, match="limit is 1,000 bytes"):
        open_video(path, MediaLimits(max_bytes=1000))
    assert open_video(path, MediaLimits(max_pixels=6144, max_picture_bytes=1)).width == 96


def test_a_title_that_is_no_unicode_does_not_matter(make_video: MakeVideo) -> None:
    data = make_video("a.avi", 3, codec="mpeg4", metadata={"title": "Cafeteria"}).read_bytes()
    assert data.count(b"Cafeteria") == 1
    assert open_video(data.replace(b"Cafeteria", b"Caf\xe9t\xe9ria")).n_frames == 3


def test_a_size_that_changes_midway_is_evened_out(tmp_path: Path, make_video: MakeVideo) -> None:
    path = tmp_path / "a.ts"
    small = av.VideoFrame.from_ndarray(drawing(0)[:32, :48].copy(), format="rgb24")
    with av.open(str(tmp_path / "b.ts"), "w") as output:
        stream = output.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 48, 32, "yuv420p"
        for index in range(5):
            small.pts = 100 + index
            output.mux(stream.encode(small))
        output.mux(stream.encode())
    path.write_bytes(make_video("first.ts", 5).read_bytes() + (tmp_path / "b.ts").read_bytes())
    shapes = {frame.pixels.shape for frame in open_video(path).frames()}
    assert shapes == {(HEIGHT, WIDTH, 3)}


def test_colour_matrix_of_the_stream_is_used(tmp_path: Path) -> None:
    """Against the definition of BT.601 and BT.709, limited range."""
    for tag, (red, blue) in {"smpte170m": (0.299, 0.114), "bt709": (0.2126, 0.0722)}.items():
        path = tmp_path / f"{tag}.mp4"
        with av.open(str(path), "w") as output:
            stream = output.add_stream("libx264", rate=25, options={"crf": "1", "colorspace": tag})
            stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv444p"
            frame = av.VideoFrame(64, 64, "yuv444p")
            for plane, value in zip(frame.planes, (100, 90, 170), strict=True):
                plane.update(bytes([value]) * plane.buffer_size)
            frame.pts = 0
            output.mux(stream.encode(frame))
            output.mux(stream.encode())
        y, u, v = (100 - 16) / 219, (90 - 128) / 224, (170 - 128) / 224
        r, b = y + 2 * (1 - red) * v, y + 2 * (1 - blue) * u
        g = (y - red * r - blue * b) / (1 - red - blue)
        (first,) = open_video(path).frames()
        np.testing.assert_allclose(first.pixels[30, 30], [255 * c for c in (r, g, b)], atol=3, err_msg=tag)


def test_frames_are_let_go_as_they_come(make_video: MakeVideo) -> None:
    """PyAV's frames must not wait for the garbage collector: a 4K frame has 25 MB."""
    video = open_video(make_video("a.mp4", 100, rotation=90))
    gc.collect()
    gc.disable()
    try:
        for _ in video.frames():
            pass
        alive = sum(type(thing).__name__ == "VideoFrame" for thing in gc.get_objects())
    finally:
        gc.enable()
    assert alive <= 4


def test_threads_agree_and_leave_no_file_open(make_video: MakeVideo) -> None:
    video = open_video(make_video("a.mp4"))
    alone = prints(video.sample(frames=9))
    with ThreadPoolExecutor(4) as pool:
        assert all(result == alone for result in pool.map(lambda _: prints(video.sample(frames=9)), range(12)))
    abandoned = video.frames()
    next(abandoned)
    abandoned.close()
    if (handles := Path("/proc/self/fd")).is_dir():
        open_files = [handle.readlink().name for handle in handles.iterdir() if handle.exists()]
        assert "a.mp4" not in open_files


def test_a_long_video_is_found_at_the_places_asked_for(tmp_path: Path) -> None:
    times = [index * 1000 for index in range(200)]  # three minutes, few frames
    video = open_video(write_video(tmp_path / "a.mkv", 200, times=times, gop=30))
    frames = list(video.sample(fps=0.1))
    assert [frame.index for frame in frames] == [drawn_index(frame.pixels) for frame in frames]
    assert [frame.time_s for frame in frames] == pytest.approx([5 + 10 * part for part in range(len(frames))])
    assert len(frames) == 20


def test_real_videos(data_dir: Path) -> None:
    sizes = {"dfdc_abofeumbvv": (1920, 1080, 300), "ffpp_004": (1280, 720, 309), "ffpp_634": (1280, 720, 338)}
    for path in sorted((data_dir / "videos").glob("*/*.mp4")):
        video = open_video(path)
        size = (video.width, video.height, video.n_frames)
        assert size == sizes.get(path.stem, size)
        assert video.notices == []
        if path.stem != "ffpp_004":
            continue
        (frame,) = video.sample(frames=1)
        assert frame.index == video.n_frames // 2
        assert frame.time_s == pytest.approx(frame.index / video.frame_rate, abs=0.04)
        assert frame.pixels.std() > 20
