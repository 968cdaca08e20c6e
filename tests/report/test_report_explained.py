"""The document of explanations: what stands in it, in both formats, and what happens where it cannot be written."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mesoscope.bundle import Bundle
from mesoscope.calibrate import Verdict
from mesoscope.errors import UsageError
from mesoscope.explain.colours import MapScale
from mesoscope.explain.faithfulness import FRACTIONS, Faithfulness
from mesoscope.explain.findings import ExplainedFace, ExplainedTrack, Explanation, FeatureMaps, Shot, Units, View
from mesoscope.explain.methods import find_method
from mesoscope.explain.sanity import Sanity
from mesoscope.report.beside import check_pair, maps_of, write_beside
from mesoscope.report.explain_charts import faithfulness_chart, jet_bar, spread_bar, units_chart
from mesoscope.report.explained import NO_EVIDENCE, ExplainedBuilder, honest_scale, jet_overlay
from mesoscope.report.explained_writer import ExplanationWriter
from mesoscope.report.strips import MOST_SHOTS, STRIP, evenly, paired, rows, tile
from mesoscope.types import Box, FileResult, FrameResult, Outcome, TrackResult

MakeResult = Callable[..., FileResult]
SIZE = 32


def curves_of(*, good: bool, towards: int = 1) -> Faithfulness:
    steps = len(FRACTIONS)
    falls, stays = np.linspace(3, 0, steps, dtype=np.float32), np.full(steps, 2, np.float32)
    own = (falls, falls[::-1].copy()) if not good else (falls * falls / 3, 3 - falls * falls / 3)
    random = np.tile(falls if good else falls * falls / 3, (19, 1)).astype(np.float32)
    other = np.tile(falls[::-1] if good else 3 - falls * falls / 3, (19, 1)).astype(np.float32)
    assert stays.shape == own[0].shape
    return Faithfulness(towards, towards * own[0], towards * own[1], towards * random, towards * other)


def view(*, good: bool = True, peak: float = 0.04, **changes: object) -> View:
    values = np.random.default_rng(0).normal(size=(8, 8)).astype(np.float32)
    values *= peak / np.abs(values).max()
    scale = MapScale(float(values.min()), float(values.max()), 0.01)
    settings = {"faithfulness": curves_of(good=good), "sanity": Sanity((0.1, 0.2, 0.05))} | changes
    return View("graph-map", "logit units per cell", "conv4_relu", values, scale, **settings)


def face(*, title: str = "face 1", when: str = "", **changes: object) -> ExplainedFace:
    rng = np.random.default_rng(1)
    layers = [
        FeatureMaps("conv1.0", rng.normal(size=(20, 16, 16)).astype(np.float32), "after its ReLU"),
        FeatureMaps("conv4", np.stack([np.zeros((4, 4)), np.eye(4)]).astype(np.float32), "after its ReLU"),
    ]
    units = Units("fc2", np.ones(4, np.float32), np.array([1.0, -0.5, 0.25, 0], np.float32), 0.1)
    pixels = rng.integers(0, 256, (SIZE, SIZE, 3)).astype(np.uint8)
    whole = Box(0, 0, SIZE, SIZE)
    settings = {"views": [view()], "layers": layers, "units": units} | changes
    return ExplainedFace(title, whole, pixels, Outcome.FAKE, 0.93, 2.59, when=when, **settings)


@pytest.fixture
def explanation(make_result: MakeResult) -> Callable[..., Explanation]:
    def make(path: str = "photo.jpg", truth: str | None = None, **changes: object) -> Explanation:
        result = make_result(path, Outcome.FAKE, 0.93, decided_by="face 1")
        settings = {"scene": None, "faces": [face()], "tracks": []} | changes
        return Explanation(result, truth, **settings)

    return make


@pytest.fixture
def filmed(make_result: MakeResult) -> Callable[..., Explanation]:
    def make(path: str = "clip.mp4", count: int = 3, offset: float = 0.0, logit: float = 2.0) -> Explanation:
        frames = [
            FrameResult(
                frame=10 * n,
                time=0.4 * n + offset,
                box=(20.0, 20.0, 60.0, 60.0),
                probability=0.9,
                logit=logit,
                finder_score=1.0,
            )
            for n in range(count)
        ]
        track = TrackResult(
            id=1, start=0, end=1, frames=frames, decided_by=[10], outcome="fake", probability=0.9, logit=logit
        )
        pixels = np.full((16, 16, 3), 90, np.uint8)
        shots = [
            Shot(one.frame, one.time, Box(10, 10, 70, 70), pixels, np.full((4, 4), 0.02, np.float32), 0.9, logit)
            for one in frames
        ]
        result = make_result(path, Outcome.FAKE, 0.9, kind="video", tracks=[track], decided_by="track 1")
        deciding = face(title="track 1", when="frame 10 at 0.40 s")
        return Explanation(result, None, None, [], [ExplainedTrack(track, shots, deciding)])

    return make


@pytest.fixture
def write(bundle: Bundle, verdict: Verdict, tmp_path: Path) -> Callable[..., str]:
    def make(suffix: str, *explanations: Explanation, **settings: object) -> str:
        path = tmp_path / f"out{suffix}"
        methods = [find_method("graph-map")]
        with ExplanationWriter([path], bundle, verdict, "mesoscope explain x", methods=methods, **settings) as writer:
            for one in explanations:
                writer.add(one)
        return text_of(path)

    return make


def text_of(path: Path) -> str:
    if path.suffix == ".html":
        return path.read_text(encoding="utf-8")
    pypdf = pytest.importorskip("pypdf")
    pages = (page.extract_text() for page in pypdf.PdfReader(path).pages)
    return " ".join(" ".join(pages).split())


@pytest.mark.parametrize("suffix", [".pdf", ".html"])
def test_a_page_says_everything(
    suffix: str, write: Callable[..., str], explanation: Callable[..., Explanation]
) -> None:
    text = write(suffix, explanation(truth="fake"), explanation("other.jpg", truth="real"))
    for words in (
        "photo.jpg",
        "labelled fake: right",
        "labelled real: wrong",
        "1 right and 1 wrong",
        "graph-map of conv4_relu",
        "logit units per cell; floor 0.01",
        "Better than all but 0 of 19 random maps",
        "Rank correlation with the maps of networks with random weights: 0.10, 0.20, 0.05",
        "conv1.0 · 16 of 20 channels · 16 × 16 · after its ReLU",
        "conv4 · 2 channels · 4 × 4 · after its ReLU; 1 of them silent (grey)",
        "the first 16 are shown (--channels)",
        "Final feature activation: mean of all channels of conv4",
        "logit +0.85",
        "mesoscope explain x",
        "Selvaraju",
    ):
        assert words in text, words
    assert "No localised evidence" not in text.replace("says “no localised evidence”", "")


@pytest.mark.parametrize("suffix", [".pdf", ".html"])
@pytest.mark.parametrize("weak", [{"good": False}, {"peak": 0.005}], ids=["no better than chance", "below the floor"])
def test_a_map_without_worth_says_so(
    suffix: str, weak: dict, write: Callable[..., str], explanation: Callable[..., Explanation]
) -> None:
    text = write(suffix, explanation(faces=[face(views=[view(**weak)])]))
    assert "No localised evidence · graph-map" in text
    assert "No localised evidence: " in text


@pytest.mark.parametrize("suffix", [".pdf", ".html"])
def test_without_the_network_it_says_what_is_missing(
    suffix: str, write: Callable[..., str], explanation: Callable[..., Explanation]
) -> None:
    bare = face(layers=[], units=None, views=[view(sanity=None, faithfulness=None)])
    text = write(suffix, explanation(faces=[bare]), missing=["feature maps: pip install 'mesoscope[train]'"])
    assert "Missing here:" in text
    assert "mesoscope[train]" in text
    assert "Not tested for faithfulness." in text
    assert "Final feature activation" not in text


@pytest.mark.parametrize("suffix", [".pdf", ".html"])
def test_what_has_no_answer_stands_in_the_table_with_its_reason(
    suffix: str, write: Callable[..., str], make_result: MakeResult
) -> None:
    nobody = Explanation(make_result("tree.jpg", Outcome.NOT_APPLICABLE, None), None, None, [], [])
    text = write(suffix, nobody)
    assert "tree.jpg" in text
    assert "no face was found" in text


@pytest.mark.parametrize("suffix", [".pdf", ".html"])
def test_videos_have_a_strip_a_timeline_and_the_frame_that_decided(
    suffix: str, write: Callable[..., str], filmed: Callable[..., Explanation]
) -> None:
    text = write(suffix, filmed())
    assert "Track 1, frame 10 at 0.40 s" in text
    assert "a frame that decided has a thick edge" in text
    assert "Diamonds mark the frames that decided" in text


def test_hostile_names_are_harmless(write: Callable[..., str], explanation: Callable[..., Explanation]) -> None:
    text = write(".html", explanation("<script>alert(1)</script>\u202e.jpg"))
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    assert "\\u{202e}" in text


def test_the_same_document_has_the_same_bytes(
    write: Callable[..., str], explanation: Callable[..., Explanation], tmp_path: Path
) -> None:
    from datetime import UTC, datetime

    made = datetime(2026, 1, 1, tzinfo=UTC)
    kept = []
    for _ in range(2):
        write(".pdf", explanation(), made=made)
        kept.append((tmp_path / "out.pdf").read_bytes())
    assert kept[0] == kept[1]


def test_a_place_that_cannot_be_written_is_told_at_once(bundle: Bundle, verdict: Verdict, tmp_path: Path) -> None:
    occupied = tmp_path / "file"
    occupied.write_text("x")
    for place, words in (
        (tmp_path / "why.docx", "its name must end in .html or .pdf"),
        (occupied / "why.pdf", "it is a file, not a directory"),
    ):
        with pytest.raises(UsageError, match=words):
            ExplanationWriter([place], bundle, verdict, "x", methods=[])
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_nothing_is_left_after_a_failure(
    bundle: Bundle, verdict: Verdict, tmp_path: Path, explanation: Callable[..., Explanation]
) -> None:
    def fail() -> None:
        with ExplanationWriter([tmp_path / "why.pdf"], bundle, verdict, "x", methods=[]) as writer:
            writer.add(explanation())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told(
    bundle: Bundle,
    verdict: Verdict,
    tmp_path: Path,
    explanation: Callable[..., Explanation],
    full_disk: Callable[[], AbstractContextManager[None]],
) -> None:
    with (
        pytest.raises(UsageError, match="cannot write"),
        full_disk(),
        ExplanationWriter([tmp_path / "why.pdf"], bundle, verdict, "x", methods=[]) as writer,
    ):
        writer.add(explanation())
    assert list(tmp_path.iterdir()) == []


def test_a_map_that_no_test_bears_out_is_drawn_faintly() -> None:
    assert honest_scale(view()).localised
    weak = honest_scale(view(good=False))
    assert not weak.localised
    assert weak.limit == pytest.approx(view().scale.limit, rel=1e-4)


def test_jet_keeps_the_two_sides_apart() -> None:
    grey = np.full((8, 8, 3), 128, np.uint8)
    values = np.zeros((8, 8), np.float32)
    values[:, :4], values[:, 4:] = 0.04, -0.02
    one = replace(view(), map=values, scale=MapScale(-0.02, 0.04, 0.01))
    for_fake, for_real = jet_overlay(grey, one, 1).astype(int), jet_overlay(grey, one, -1).astype(int)
    assert for_fake[4, 0, 0] > for_fake[4, 0, 2] + 50  # strongest: red
    assert for_fake[4, 7, 2] > for_fake[4, 7, 0] + 50  # nothing: blue
    assert for_real[4, 0, 2] > for_real[4, 0, 0] + 50
    assert for_real[4, 7, 1] > for_real[4, 0, 1]  # half of the limit: green, not red
    flat = replace(one, faithfulness=curves_of(good=False))
    assert np.abs(jet_overlay(grey, flat, 1).astype(int) - 128).max() < np.abs(for_fake - 128).max()


def test_the_words_stand_on_the_figure_itself(
    verdict: Verdict, tmp_path: Path, explanation: Callable[..., Explanation]
) -> None:
    pictures = []
    for place, good in enumerate((True, False), start=1):
        builder = ExplainedBuilder(tmp_path, verdict, "diverging", 4)
        section = builder.build(place, explanation(faces=[face(views=[view(good=good)])]))
        pictures.append(np.asarray(Image.open(section.faces[0].views[0].figures[0].path).convert("L")))
    assert pictures[1][-3:].mean() < 60 < pictures[0][-3:].mean(), NO_EVIDENCE


def test_a_whole_picture_is_shown_only_where_the_face_is_a_part(
    verdict: Verdict, tmp_path: Path, explanation: Callable[..., Explanation], picture
) -> None:
    builder = ExplainedBuilder(tmp_path, verdict, "diverging", 4)
    scene = picture().evidence.scenes[0]
    assert builder.build(1, explanation(scene=scene)).scene is not None
    whole = Box(0, 0, 512, 512)
    crop = replace(scene, faces=[replace(scene.faces[0], square=whole, box=whole)])
    assert builder.build(2, explanation(scene=crop)).scene is None


def test_charts_say_what_they_show() -> None:
    chart = faithfulness_chart(curves_of(good=True, towards=-1))
    assert "Better than all but 0 of 19" in chart.label
    assert any("evidence for real" in getattr(shape, "text", "") for shape in chart.shapes)
    flat = np.zeros(len(FRACTIONS), np.float32)
    empty = np.zeros((0, len(FRACTIONS)), np.float32)
    assert faithfulness_chart(Faithfulness(1, flat, flat, empty, empty)).shapes
    many = Units("fc", np.ones(100, np.float32), np.linspace(-1, 1, 100, dtype=np.float32), 0.0)
    assert "the 32 units of 100 that add most" in units_chart(many).label
    assert "0.5" in jet_bar(0.5).label
    assert "-2" in spread_bar().label


def test_strips_show_all_frames_or_an_even_choice_with_those_that_decided(filmed: Callable[..., Explanation]) -> None:
    shots = filmed(count=200).tracks[0].shots
    chosen = evenly(shots, [770])
    assert len(chosen) <= MOST_SHOTS
    assert 770 in [shot.frame for shot in chosen]
    assert [shot.frame for shot in chosen] == sorted(shot.frame for shot in chosen)
    assert evenly(shots[:5], [10]) == shots[:5]
    plain, marked = tile(shots[0], None, decided=False), tile(shots[0], None, decided=True)
    assert plain.shape == marked.shape
    assert (plain != marked).any()
    assert rows([[plain]]).shape == rows([[plain]] * STRIP).shape


def test_pairs_are_frames_of_the_same_time(filmed: Callable[..., Explanation]) -> None:
    first, near, far = (filmed(count=4, offset=offset).tracks[0].shots for offset in (0, 0.1, 50))
    assert [(one.frame, other.frame) for one, other in paired(first, near)] == [(n, n) for n in (0, 10, 20, 30)]
    assert paired(first, far) == []
    assert len(paired(first[:1], near)) == 1
    assert paired(first, []) == []


def test_a_pair_of_videos_becomes_one(
    clip: Path, tmp_path: Path, filmed: Callable[..., Explanation], explanation: Callable[..., Explanation]
) -> None:
    av = pytest.importorskip("av")
    one, other = filmed(str(clip)), filmed(str(clip))
    out = tmp_path / "pair.mp4"
    write_beside(one, other, 0.01, out)
    with av.open(str(out)) as made, av.open(str(clip)) as source:
        ours, theirs = made.streams.video[0], source.streams.video[0]
        assert (ours.width, ours.height) == (2 * theirs.width, theirs.height + 36)
        assert sum(1 for _ in made.decode(video=0)) == sum(1 for _ in source.decode(video=0))
    assert list(maps_of(one)) == [1]
    with pytest.raises(UsageError, match="no video with a judged face"):
        check_pair(one, explanation())


def test_a_pair_has_a_page(
    bundle: Bundle, verdict: Verdict, tmp_path: Path, filmed: Callable[..., Explanation]
) -> None:
    path = tmp_path / "pair.html"
    with ExplanationWriter([path], bundle, verdict, "x", methods=[]) as writer:
        one, other = filmed("real.mp4"), filmed("fake.mp4")
        writer.add(one)
        writer.add(other)
        writer.add_pair(one, other)
    text = text_of(path)
    assert "Left in each pair: real.mp4: likely manipulated or generated 0.90. Right: fake.mp4" in text


def test_the_numbers_are_json(explanation: Callable[..., Explanation], filmed: Callable[..., Explanation]) -> None:
    from mesoscope.cli.explain_outputs import numbers_of

    numbers = json.loads(json.dumps(numbers_of(explanation(truth="real"))))
    assert numbers["label"] == "real"
    assert numbers["right"] is False
    (shown,) = numbers["faces"][0]["views"]
    assert shown["localised"] is True
    assert len(shown["random_gains"]) == 19
    assert json.loads(json.dumps(numbers_of(filmed())))["faces"][0]["when"] == "frame 10 at 0.40 s"
