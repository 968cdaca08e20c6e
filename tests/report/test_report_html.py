from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mesoscope.bundle import Bundle
from mesoscope.calibrate import Verdict
from mesoscope.report import open_report
from mesoscope.types import Detection, Evidence, FileResult, Outcome

MakeDetection = Callable[..., Detection]
MakeResult = Callable[..., FileResult]
HOSTILE = "<img src=x onerror=alert(1)>'\"&</script>\u202egpj.jpg"
MADE = datetime(2026, 3, 4, 5, 6, tzinfo=UTC)


class Page(HTMLParser):
    """What a browser would see: elements with their attributes, and the text outside styles and data."""

    VOID = frozenset({"meta", "img", "br"})

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.data = ""
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID and not (self.get_starttag_text() or "").endswith("/>"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("rect", "polygon", "polyline", "circle"):
            return
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "script" in self.open:
            self.data += data
        elif "style" not in self.open:
            self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


WriteReport = Callable[..., Page]


@pytest.fixture
def write(tmp_path: Path, bundle: Bundle, verdict: Verdict) -> WriteReport:
    def write_report(*detections: Detection, command: str = "mesoscope detect x", limit: int = 200) -> Page:
        path = tmp_path / "report.html"
        with open_report(path, bundle, command, verdict, limit=limit, made=MADE) as writer:
            for detection in detections:
                writer.add(detection)
        page = Page(path.read_text(encoding="utf-8"))
        assert page.open == []
        return page

    return write_report


def test_a_picture_is_explained(write: WriteReport, picture: MakeDetection) -> None:
    page = write(picture("photo.jpg", (0.1, 0.93, None)))
    assert "Likely manipulated or generated: face 2 of 3 scores 0.93, above the threshold 0.87." in page.text
    assert "the face is 31 pixels wide; this bundle needs 40" in page.text
    assert "map from" in page.text
    assert "2026-03-04 05:06 UTC" in page.text
    assert "test-face-1.2" in page.text
    assert "ab" * 32 in page.text
    assert picture("photo.jpg").result.sha256 in page.text
    # the picture, the picture with maps, three crops, two of them with a map
    assert len(page.all("img")) == 2 + 3 + 2
    assert len(page.all("svg")) == 2


def test_nothing_is_loaded_and_nothing_runs(write: WriteReport, picture: MakeDetection, video: Detection) -> None:
    page = write(picture(), video)
    for attributes in page.all("img"):
        kind, _, data = (attributes["src"] or "").partition(",")
        assert kind == "data:image/jpeg;base64"
        image = Image.open(io.BytesIO(base64.b64decode(data)))
        image.load()
        assert max(image.size) <= 1000
        assert attributes["alt"]
    assert [attributes.get("type") for attributes in page.all("script")] == ["application/json"]
    assert not page.all("link")
    assert not page.all("iframe")
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert all(not re.match(r"(?i)javascript|data|//", a.get("href") or "") for a in page.all("a"))
    policy = next(a["content"] for a in page.all("meta") if a.get("http-equiv") == "Content-Security-Policy")
    assert policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def test_hostile_text_stays_text(write: WriteReport, picture: MakeDetection, make_result: MakeResult) -> None:
    warned = picture(HOSTILE).result.model_copy(update={"warnings": ["squeezed"], "messages": {"squeezed": HOSTILE}})
    failed = make_result(HOSTILE, Outcome.ERROR, None, error=HOSTILE)
    page = write(Detection(warned, picture().evidence), Detection(failed), command=f"mesoscope detect {HOSTILE}")
    shown = HOSTILE.replace("\u202e", r"\u{202e}")
    # name: table and section (heading, facts) of both; warning; error: table and section; command
    assert page.text.count(shown) == 6 + 1 + 2 + 1
    assert all((a["src"] or "").startswith("data:") for a in page.all("img"))
    assert "\u202e" not in page.text
    assert [entry["path"] for entry in json.loads(page.data)] == [HOSTILE, HOSTILE]


def test_the_card_is_rendered_safely(write: WriteReport, picture: MakeDetection) -> None:
    page = write(picture())
    assert "<script>alert(1)</script>" in page.text
    assert "It knows <b>nothing</b> of drawings." in page.text
    assert "weight" in page.text
    assert ("th", {}) in page.tags
    assert not any("example.org" in (a.get("src") or "") for a in page.all("img"))


def test_data_are_the_results(write: WriteReport, picture: MakeDetection, video: Detection) -> None:
    given = [picture("a.jpg"), video, picture("b.jpg", (0.2,))]
    page = write(*given)
    assert [FileResult.model_validate(entry) for entry in json.loads(page.data)] == [d.result for d in given]


def test_a_video_shows_who_when_and_what_decided(write: WriteReport, video: Detection) -> None:
    page = write(video)
    assert "Likely manipulated or generated: track 1 of 3 scores 0.92" in page.text
    assert "Frame 30 at 1.20 s: track 1 scores 0.93" in page.text
    assert "Seen on 6 sampled frames from 0.0 to 2.0 seconds" in page.text
    assert "No answer: the face is too small on every frame." in page.text
    labels = [a["aria-label"] or "" for a in page.all("svg")]
    assert [label.partition(":")[0] for label in labels[1:]] == ["track 1", "track 2"]
    assert len(page.all("img")) == 2 * 3
    # two deciding frames of track 1, one of track 2, each a diamond; the gauge's pointer has three corners
    assert sum(len((a["points"] or "").split()) == 4 for a in page.all("polygon")) == 3


def test_a_map_below_the_floor_is_said_to_show_nothing(write: WriteReport, picture: MakeDetection) -> None:
    assert "no localised evidence (peak 0.0004, floor 0.001)" in write(picture(peak=0.0004)).text


def test_a_fake_without_evidence_for_fake_is_said_to_rest_on_no_place(
    write: WriteReport, picture: MakeDetection
) -> None:
    given = picture()
    (scene,) = given.evidence.scenes
    (face,) = scene.faces
    against = replace(scene, faces=[replace(face, map=-np.abs(face.map))])
    note = "nothing in the map speaks for fake above the floor"
    assert note in write(Detection(given.result, Evidence([against]))).text
    assert note not in write(given).text


def test_the_summary_counts_and_links(write: WriteReport, picture: MakeDetection, make_result: MakeResult) -> None:
    page = write(
        picture("a.jpg"),
        picture("b.jpg", (0.5,)),
        picture("c.jpg", (0.1,)),
        Detection(make_result("d.jpg", Outcome.NOT_APPLICABLE, None)),
        Detection(make_result("e.jpg", Outcome.ERROR, None, error="the file is empty", sha256=None, kind=None)),
    )
    words = re.sub(r"\s+", " ", page.text)
    for title in ("Likely manipulated or generated", "Inconclusive", "Likely real", "No answer", "Error"):
        assert f"{title} 1 " in words or re.search(f"{title} ?1 ?[a-z]", words)
    links = [a["href"] for a in page.all("a") if (a.get("href") or "").startswith("#file")]
    targets = {f"#{a['id']}" for a in page.all("section")}
    assert len(links) == 5
    assert set(links) <= targets
    assert "Error: the file is empty." in page.text


def test_one_file_needs_no_table_of_files(write: WriteReport, picture: MakeDetection) -> None:
    assert "All files" not in write(picture()).text


def test_no_files_are_said_to_be_none(write: WriteReport) -> None:
    assert "No file was judged." in write().text


def test_beyond_the_limit_those_that_score_highest_are_shown(write: WriteReport, picture: MakeDetection) -> None:
    scores = [0.1, 0.95, 0.2, 0.5, 0.99, 0.3]
    page = write(*(picture(f"{n}.jpg", (score,)) for n, score in enumerate(scores)), limit=3)
    shown = [a["id"] for a in page.all("section") if (a.get("id") or "").startswith("file-")]
    assert shown == ["file-2", "file-4", "file-5"]
    assert "Of 6 files, 3 are shown with pictures" in page.text
    assert "The other 3 files are in the table only." in page.text
    assert [a["href"] for a in page.all("a") if (a.get("href") or "").startswith("#file")] == [f"#{i}" for i in shown]
    assert len(json.loads(page.data)) == 6


def test_names_of_all_scripts_are_shown(write: WriteReport, picture: MakeDetection) -> None:
    assert "家族 صورة 😀.jpg" in write(picture("家族 صورة 😀.jpg")).text


def test_the_same_report_gives_the_same_bytes(
    tmp_path: Path, bundle: Bundle, verdict: Verdict, picture: MakeDetection
) -> None:
    for name in ("a.html", "b.html"):
        with open_report(tmp_path / name, bundle, "x", verdict, made=MADE) as writer:
            writer.add(picture())
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()
