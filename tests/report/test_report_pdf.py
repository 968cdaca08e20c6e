from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pypdf import PdfReader

from mesoscope.bundle import Bundle
from mesoscope.calibrate import Verdict
from mesoscope.report import content, open_report, pdf
from mesoscope.types import Detection, FileResult, Outcome

MakeDetection = Callable[..., Detection]
MakeResult = Callable[..., FileResult]
MADE = datetime(2026, 3, 4, 5, 6, tzinfo=UTC)
WritePdf = Callable[..., PdfReader]


@pytest.fixture
def write(tmp_path: Path, bundle: Bundle, verdict: Verdict) -> WritePdf:
    def write_report(*detections: Detection, command: str = "mesoscope detect x", limit: int = 200) -> PdfReader:
        path = tmp_path / "report.pdf"
        with open_report(path, bundle, command, verdict, limit=limit, made=MADE) as writer:
            for detection in detections:
                writer.add(detection)
        return PdfReader(path, strict=True)

    return write_report


def words(page: object) -> str:
    return re.sub(r"\s+", " ", page.extract_text())


def test_a_picture_takes_one_page_and_the_limits_another(write: WritePdf, picture: MakeDetection) -> None:
    reader = write(picture())
    first, *rest = (words(page) for page in reader.pages)
    last = " ".join(rest)
    assert rest[0].startswith("What this report can and cannot say")
    assert "Likely manipulated or generated: face 1 scores 0.93, above the threshold 0.87." in first
    assert picture().result.sha256 in first.replace(" ", "")
    assert "map from" in first
    assert len(reader.pages[0].images) == 4
    assert "It knows <b>nothing</b> of drawings." in last
    assert "<script>alert(1)</script>" in last
    assert "mesoscope detect x" in last
    assert "test groups" in last
    assert not any(page.images for page in reader.pages[1:])


SEVEN = (
    "| data | real / fake | no answer | AUC (95 %) | reals called fake | inconclusive | seen in training |",
    "| tpdne-vs-unsplash | 148 / 186 | 11 | 0.526 (0.455–0.587) | 3.4 % | 18.6 % | other groups of it |",
)
TEN = (
    "| manifest | part | real | fake | without answer | inconclusive | AUC | accuracy | reals called fake | found |",
    "| dfdc (`395129cf86f7`) | test | 800 | 800 | 0 | 455 " + "| 0.894 (0.879–0.907) " * 4 + "|",
)


@pytest.mark.parametrize("table", [SEVEN, TEN], ids=["seven columns", "ten columns"])
def test_a_wide_table_of_a_card_breaks_no_word(
    tmp_path: Path, verdict: Verdict, picture: MakeDetection, bundle: Bundle, table: tuple[str, str]
) -> None:
    head, row = table
    (tmp_path / "card.md").write_text(f"{head}\n{'|---' * (head.count('|') - 1)}|\n{row}\n", encoding="utf-8")
    wide = replace(bundle, path=tmp_path)
    with open_report(tmp_path / "report.pdf", wide, "mesoscope detect x", verdict, made=MADE) as writer:
        writer.add(picture())
    text = words(PdfReader(tmp_path / "report.pdf", strict=True).pages[-1])
    for word in re.sub(r"[|`]", " ", f"{head} {row}").split():
        assert text.count(word) >= f"{head} {row}".count(word), word


def test_every_page_says_which_bundle_which_input_and_which_page(
    write: WritePdf, picture: MakeDetection, video: Detection, make_result: MakeResult
) -> None:
    empty = Detection(make_result("e.jpg", Outcome.ERROR, None, error="the file is empty"))
    reader = write(picture("a.jpg"), picture("b.jpg", (0.1,)), empty, video)
    pages = [words(page) for page in reader.pages]
    for place, text in enumerate(pages, start=1):
        assert "bundle test-face-1.2" in text
        assert f"page {place} of {len(pages)}" in text
    owners = [re.findall(r"input (\d+)", text) for text in pages]
    assert owners[0] == owners[-1] == []
    assert [owner for owner in owners if owner] in (
        [[*"1"], [*"2"], [*"3"], [*"4"], [*"4"]],
        [[*"1"], [*"2"], [*"3"], [*"4"]],
    )
    assert all((number == "3") == ("the file is empty" in pages[n]) for n, o in enumerate(owners) for number in o)
    assert f"input 1 · sha256 {picture('a.jpg').result.sha256[:12]}" in pages[1]


def test_files_without_pictures_share_a_page(write: WritePdf, make_result: MakeResult) -> None:
    failures = [Detection(make_result(f"{n}.jpg", Outcome.NOT_APPLICABLE, None)) for n in range(5)]
    pages = [words(page) for page in write(*failures).pages]
    assert "input 1 ·" in pages[1]
    assert "input 3 ·" in pages[1]
    assert "and 2 more" in pages[1]
    assert "4.jpg" in pages[1]
    assert pages[2].startswith("What this report can and cannot say")


def test_a_video_shows_timelines_and_deciding_frames(write: WritePdf, video: Detection) -> None:
    reader = write(video)
    text = " ".join(words(page) for page in reader.pages)
    assert "Track 1 · Likely manipulated or generated" in text
    assert "Frame 50 at 2.00 s" in text
    assert "seconds" in text
    assert "No answer: the face is too small on every frame." in text
    # pypdf lists a picture for every page that names it; pictures are shared between none here
    assert sum(len(page.images) for page in reader.pages) == 2 * 3


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("家.jpg", r"\u{5bb6}.jpg"),
        ("صورة.jpg", r"\u{635}\u{648}\u{631}\u{629}.jpg"),
        ("😀.jpg", r"\u{1f600}.jpg"),
        ("Ærøskøbing é.jpg", "Ærøskøbing é.jpg"),
        ("<b>&amp;</b>.jpg", "<b>&amp;</b>.jpg"),
        ("a\nb\x00.jpg", r"a\u{a}b\u{0}.jpg"),
    ],
)
def test_any_name_can_be_printed(write: WritePdf, picture: MakeDetection, name: str, shown: str) -> None:
    reader = write(picture(name))
    assert shown.replace(" ", "") in words(reader.pages[0]).replace(" ", "")


def test_a_long_name_is_wrapped_not_cut(write: WritePdf, picture: MakeDetection, make_result: MakeResult) -> None:
    name = "folder/" + "0123456789abcdef" * 15 + ".jpg"
    reader = write(picture(name), Detection(make_result(name, Outcome.ERROR, None, error=name)))
    for page in reader.pages[:2]:
        assert name in re.sub(r"\s", "", page.extract_text())
    for page in reader.pages:
        edges: list[float] = []
        page.extract_text(visitor_text=lambda text, cm, tm, *_, seen=edges: seen.append(cm[0] * tm[4] + cm[4]))
        assert all(0 <= edge < 595 for edge in edges)


def test_many_faces_run_over_pages(write: WritePdf, picture: MakeDetection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "MAX_FACES_SHOWN", 20)
    many = picture("crowd.jpg", tuple(0.01 * n for n in range(1, 26)))
    text = " ".join(words(page) for page in write(many).pages)
    assert "Face 20 ·" in text
    assert "Face 21 ·" not in text
    assert "25 faces were judged; 20 are shown here" in text


def test_a_long_table_is_cut_and_says_so(
    write: WritePdf, picture: MakeDetection, make_result: MakeResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf, "MAX_ROWS", 120)
    dull = [Detection(make_result(f"dull-{n}.jpg", Outcome.REAL, 0.1, decided_by="picture")) for n in range(150)]
    reader = write(*dull, picture("last.jpg"), limit=1)
    text = " ".join(words(page) for page in reader.pages)
    assert "The table holds 120 of 151 files" in text
    assert "Of 151 files, 1 is shown with pictures" in text
    assert text.count("dull-") == 119
    assert text.count("last.jpg") == 3  # table, heading, facts


def test_the_same_report_gives_the_same_bytes(
    tmp_path: Path, bundle: Bundle, verdict: Verdict, picture: MakeDetection
) -> None:
    for name in ("a.pdf", "b.pdf"):
        with open_report(tmp_path / name, bundle, "x", verdict, made=MADE) as writer:
            writer.add(picture())
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()
