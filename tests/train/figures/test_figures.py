"""The house style: its files can be read, its colours are the reports', nothing of it stays behind."""

from __future__ import annotations

import io
import re
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
from PIL import Image

from mesoscope.errors import UsageError
from mesoscope.explain import OUTCOME_COLOURS
from mesoscope.types import Outcome
from mesoscope_train.figures import (
    FAKE,
    FORMATS,
    INK,
    LABEL_COLOURS,
    REAL,
    SERIES,
    WARNING,
    WIDTHS,
    house_style,
    name_classes,
    new_figure,
    save,
    shortened,
    shortened_apart,
    themed_svg,
)

SVG = "{http://www.w3.org/2000/svg}"


@house_style()
def draw(label: str = "a share", width: str = "column"):
    figure = new_figure(width, height=1.5)
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color=FAKE)
    axes.set_xlabel(label)
    name_classes(figure, {"real": "real 3", "fake": "fake 4"})
    return figure


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)  # noqa: S314 - our own


def luminance(colour: str) -> float:
    """WCAG's relative luminance of ``#rrggbb``."""
    parts = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)]) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_the_labels_have_the_colours_of_the_reports():
    assert {"real": OUTCOME_COLOURS[Outcome.REAL], "fake": OUTCOME_COLOURS[Outcome.FAKE]} == LABEL_COLOURS
    assert not {REAL, FAKE} & set(SERIES)


@pytest.mark.parametrize("colour", [REAL, FAKE, INK, WARNING])
def test_what_is_written_in_colour_can_be_read_on_white(colour):
    assert 1.05 / (luminance(colour) + 0.05) >= 4.5  # WCAG AA


@pytest.mark.parametrize("width", ["column", "page"])
def test_png_has_200_dots_an_inch_and_is_not_blank(tmp_path, width):
    save(draw(width=width), tmp_path / "f.png")
    image = Image.open(tmp_path / "f.png")
    assert image.size == (round(WIDTHS[width] * 200), 300)
    pixels = np.asarray(image.convert("RGB")).reshape(-1, 3)
    fake = tuple(int(FAKE[place : place + 2], 16) for place in (1, 3, 5))
    assert (pixels == fake).all(axis=1).any()
    assert (pixels == 255).all(axis=1).mean() > 0.5


@pytest.mark.parametrize("suffix", FORMATS)
def test_the_same_figure_is_the_same_file(tmp_path, suffix):
    for name in ("a", "b"):
        save(draw(), tmp_path / f"{name}{suffix}")
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"a{suffix}", f"b{suffix}"]


def test_svg_files_carry_their_letters_as_shapes(tmp_path):
    save(draw(), tmp_path / "f.svg")
    root = parsed((tmp_path / "f.svg").read_text())
    assert not root.findall(f".//{SVG}text")


@pytest.mark.parametrize("name", ["f.jpg", "f"])
def test_other_formats_are_refused(tmp_path, name):
    with pytest.raises(UsageError, match=r"must end in \.png, \.svg, \.pdf"):
        save(draw(), tmp_path / name)


def test_a_directory_that_is_missing_is_told(tmp_path):
    with pytest.raises(UsageError, match="cannot write"):
        save(draw(), tmp_path / "absent" / "f.png")


def test_nothing_of_the_style_stays_and_what_was_set_comes_back():
    with matplotlib.rc_context({"font.size": 31}):
        draw()
        assert matplotlib.rcParams["font.size"] == 31


def test_a_foreign_style_does_not_reach_the_figure(tmp_path):
    save(draw(), tmp_path / "plain.png")
    with matplotlib.rc_context({"axes.facecolor": "red", "lines.linewidth": 9, "savefig.bbox": "tight"}):
        save(draw(), tmp_path / "styled.png")
    assert (tmp_path / "plain.png").read_bytes() == (tmp_path / "styled.png").read_bytes()


def test_letters_no_font_has_are_no_failure(tmp_path, recwarn):
    save(draw("日本語 \U0001f600"), tmp_path / "f.png")
    assert not [warning for warning in recwarn if "Glyph" in str(warning.message)]


def test_svg_in_a_page_takes_the_pages_colours_and_keeps_names_apart():
    texts = [themed_svg(draw(), name, "what is <seen>") for name in ("one", "two")]
    roots = [parsed(text) for text in texts]
    ids = [{element.get("id") for element in root.iter() if element.get("id")} for root in roots]
    assert ids[0] and not ids[0] & ids[1]
    assert all(name.startswith("one-") for name in ids[0])
    assert not [colour for colour in (INK, REAL, FAKE) if colour in texts[0]]
    assert "var(--fake)" in texts[0]
    assert roots[0].get("aria-label") == "what is <seen>"
    assert {"width", "height"}.isdisjoint(roots[0].attrib)
    used = set(re.findall(r'(?:href="|url\()#([^")]+)', texts[0]))
    assert used <= ids[0]


def test_text_in_a_page_is_text_and_nothing_else():
    hostile = f'$x^2$ <script>alert(1)</script> {FAKE} id="y" url(#z)'
    root = parsed(themed_svg(draw(hostile), "one", "x"))
    assert hostile in ["".join(element.itertext()) for element in root.iter(f"{SVG}text")]
    assert not [element for element in root.iter() if element.tag.endswith("script")]


def test_no_style_sheet_reaches_the_page():
    assert "<style" not in themed_svg(draw(), "one", "x")


def test_a_long_name_loses_its_middle_and_hidden_letters_show():
    assert shortened("abcdefghij", 6) == "abcd…j"
    assert shortened("abc", 6) == "abc"
    assert shortened("a\u202eb") == "a\\u{202e}b"


def test_long_names_stay_apart():
    names = [f"the-same-beginning-of-a-name-{number:02d}-and-the-same-end" for number in range(20)] + ["short"]
    short = shortened_apart(names, 22)
    assert len(set(short)) == 21
    assert all(len(name) <= 22 for name in short)
    assert all(f"{number:02d}" in name for number, name in enumerate(short[:20]))
    assert short[20] == "short"


def test_names_that_are_equal_stay_equal():
    assert shortened_apart(["x" * 40, "x" * 40], 20)[0] == shortened_apart(["x" * 40, "x" * 40], 20)[1]


def test_pdf_is_one_page(tmp_path):
    pypdf = pytest.importorskip("pypdf")
    save(draw(), tmp_path / "f.pdf")
    assert len(pypdf.PdfReader(io.BytesIO((tmp_path / "f.pdf").read_bytes())).pages) == 1
