"""The page: its numbers, its words, its pictures; nothing of a name becomes markup."""

from __future__ import annotations

import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from mesoscope.errors import UsageError
from mesoscope_train.data.audit.findings import Audit, Finding, Shortcut
from mesoscope_train.data.audit.run import audit
from mesoscope_train.data.explore import ExploreOptions, explore
from mesoscope_train.data.explore.verdict import boxes

HOSTILE = "<img src=x onerror=alert(1)>'\"&</style><script>$x^2$\u202egpj"
SHOWN = "<img src=x onerror=alert(1)>'\"&</style><script>$x^2$\\u{202e}gpj"
VOID = frozenset({"meta", "img"})


class Page(HTMLParser):
    """What a browser would see: elements with their attributes, texts, and tables as rows of cells."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.source = source
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.tables: list[list[list[str]]] = []
        self.feed(source)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" in self.open:
            return
        self.text += data
        if {"td", "th"} & set(self.open):
            self.tables[-1][-1][-1] += data

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]

    def anchors(self):
        return [attributes["id"] for name, attributes in self.tags if name == "section" and "id" in attributes]

    def table(self, first):
        """The table whose first head is this, as dictionaries."""
        (found,) = [table for table in self.tables if table[0][0] == first]
        return [dict(zip(found[0], row, strict=True)) for row in found[1:]]


@pytest.fixture
def page_of(tmp_path):
    """Function that makes a page and parses it."""

    def make(manifest, *, samples=3, columns=(), **parts):
        options = ExploreOptions(
            samples=samples, columns=columns, made="today", source="m.parquet", command="x explore"
        )
        path = explore(manifest, tmp_path / "page", options, **parts)
        assert path == tmp_path / "page" / "index.html"
        return Page(path.read_text(encoding="utf-8"))

    return make


def an_audit(manifest, *findings, shortcuts=(), readable=None):
    rows = len(manifest)
    return Audit(manifest.digest(), rows, rows if readable is None else readable, {}, 1, findings, shortcuts, 0.7)


def check_figures(directory):
    """Every PNG decodes and shows something; returns the names."""
    for path in directory.glob("*.png"):
        pixels = np.asarray(Image.open(path).convert("RGB"))
        assert 0.001 < (pixels.min(axis=2) < 200).mean() < 1, path.name
    return {path.name for path in directory.iterdir()}


def test_everything_of_a_real_set(make_manifest, measure_all, page_of, tmp_path):
    rows = [
        {
            "label": "fake" if index % 3 == 0 else "real",
            "dataset": f"set {index % 2}",
            "split": ("train", "train", "test")[index % 3],
            "generator": "gan" if index % 6 == 0 else "diffusion" if index % 3 == 0 else None,
            "group": f"g:{index // 2}",
            "original_width": 40 + index,
            "original_height": 40,
        }
        for index in range(24)
    ]
    manifest = make_manifest(rows, history=["mesoscope data import <x>"])
    made = audit(manifest, cache_dir=tmp_path / "cache", workers=0)
    page = page_of(manifest, measures=measure_all(manifest), audit=made)
    assert page.anchors() == [
        "verdict", "rows", "samples", "slices", "files", "groups", "findings", "columns", "again",
    ]  # fmt: skip
    numbers = {row["data set"] + row["split"]: row for row in page.table("data set")}
    for name in ("set 0", "set 1"):
        for split in ("train", "test"):
            mine = [row for row in rows if (row["dataset"], row["split"]) == (name, split)]
            row = numbers.get(name + split)
            assert (row is not None) == bool(mine)
            if row:
                assert int(row["rows"]) == len(mine)
                assert int(row["real"]) + int(row["fake"]) == len(mine)
                assert int(row["fake"]) == sum(one["label"] == "fake" for one in mine)
                assert int(row["groups"]) == len({one["group"] for one in mine})
    for words in (
        manifest.digest(),
        "mesoscope data import <x>",
        "x explore",
        "All files are 48 × 64 pixels.",
        "All readable files are JPEG.",
        "All JPEGs have quality 80.",
        "12 groups",
    ):
        assert words in page.text
    assert len(page.all("svg")) == 4
    names = check_figures(tmp_path / "page" / "figures")
    charts = ("rows", "slice-generator", "original-sizes", "groups")
    assert {f"{chart}{suffix}" for chart in charts for suffix in (".png", ".svg")} <= names
    assert {"samples-real.png", "samples-fake.png"} <= names
    assert {finding.kind for finding in made.leaks()} == {"group", "duplicate"}
    assert any(name.startswith("finding-1-group") for name in names)


def test_it_is_one_file_without_scripts_or_addresses(make_manifest, page_of):
    page = page_of(make_manifest([{"label": "real"}, {"label": "fake"}]))
    assert not page.all("script") and not page.all("link")
    addresses = [
        value
        for _, attributes in page.tags
        for name, value in attributes.items()
        if name in ("src", "href", "xlink:href")
    ]
    assert all(address.startswith(("data:image/jpeg;base64,", "#")) for address in addresses)
    targets = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    assert {address[1:] for address in addresses if address.startswith("#")} <= targets
    assert "url(http" not in page.source and "@import" not in page.source
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_samples_are_pictures_of_their_class(make_manifest, page_of):
    manifest = make_manifest([{"label": "real"}, {"label": "fake"}, {"label": "fake"}])
    page = page_of(manifest)
    images = page.all("img")
    assert [
        re.match(r"(\d)\.jpg \((real|fake)", image["alt"]).groups() for image in images if "real" in image["alt"]
    ] == [("0", "real")]
    assert {image["alt"][:12] for image in images if "fake" in image["alt"]} == {"1.jpg (fake,", "2.jpg (fake,"}
    for image in images:
        picture = Image.open(io.BytesIO(base64.b64decode(image["src"].partition(",")[2])))
        expected = np.asarray(Image.open(manifest.file(image["alt"].partition(" ")[0])), float)
        assert np.abs(np.asarray(picture, float) - expected).mean() < 8


def test_hostile_names_stay_text(make_manifest, measure_all, page_of):
    rows = [
        {"label": label, "dataset": HOSTILE, "group": f"{HOSTILE}{index}", "generator": f"{HOSTILE}{index % 2}",
         "path": f"{index}&<b>\".jpg", "category": ("x", HOSTILE)[index % 2]}
        for index, label in enumerate(["fake", "fake", "real"])
    ]  # fmt: skip
    manifest = make_manifest(rows, history=[HOSTILE])
    manifest.file('1&<b>".jpg').write_bytes(b"nothing")
    finding = Finding("group", "leak", HOSTILE, 1, ((HOSTILE, '1&<b>".jpg'), ("</div>",)))
    shortcut = Shortcut("size", 0.9, 0.8, 1.0, 3, 3, True, HOSTILE)
    page = page_of(manifest, measures=measure_all(manifest), audit=an_audit(manifest, finding, shortcuts=(shortcut,)))
    assert not page.all("script")
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert all(image["src"].startswith("data:image/jpeg") for image in page.all("img"))
    assert "\u202e" not in page.source
    assert page.text.count(SHOWN) >= 6
    assert page.table("column")[3]["values"] == SHOWN
    assert '1&<b>".jpg' in page.text


def test_unreadable_files_are_shown_as_such(make_manifest, measure_all, page_of, tmp_path):
    manifest = make_manifest([{"label": "real"}, {"label": "fake"}, {"label": "fake"}])
    manifest.file("1.jpg").write_bytes(b"garbage")
    manifest.file("2.jpg").unlink()
    page = page_of(manifest, measures=measure_all(manifest), audit=an_audit(manifest, readable=1))
    assert [(row["file"], row["reason"]) for row in page.table("file")] == [
        ("1.jpg", "The file is neither a picture nor a video that can be read."),
        ("2.jpg", "The file does not exist."),
    ]
    assert len(page.all("img")) == 1
    assert page.text.count("cannot be read") >= 2
    assert "All files are 48 × 64" in page.text
    assert "samples-fake.png" in {path.name for path in (tmp_path / "page" / "figures").iterdir()}


def test_nothing_readable_at_all(make_manifest, measure_all, page_of):
    manifest = make_manifest([{"label": "fake"}])
    manifest.file("0.jpg").write_bytes(b"garbage")
    page = page_of(manifest, measures=measure_all(manifest), audit=an_audit(manifest, readable=0))
    assert "files" not in page.anchors()
    assert "unreadable" in page.anchors()


def test_one_class_without_split(make_manifest, measure_all, page_of, tmp_path):
    manifest = make_manifest([{"label": "fake", "extra": {"smiling": True, "old": False}}] * 3)
    page = page_of(manifest, measures=measure_all(manifest), audit=audit(manifest, cache_dir=tmp_path, workers=0))
    assert "No split has been made yet." in page.text
    assert "nothing can be learned or measured from one class" in page.text
    assert "shortcuts" not in page.anchors()
    assert not (tmp_path / "page" / "figures" / "samples-real.png").exists()


def test_folds_are_a_split(make_manifest, page_of):
    manifest = make_manifest([{"label": label, "fold": fold} for label in ("real", "fake") for fold in (0, 1)])
    shortcut = Shortcut("size", 0.5, 0.4, 0.6, 4, 4, False)
    page = page_of(manifest, audit=an_audit(manifest, shortcuts=(shortcut,)))
    assert "no split" not in page.text.lower()
    assert "slice-fold" in page.text


def test_thirty_sets_with_long_names(make_manifest, page_of):
    rows = [
        {
            "label": ("real", "fake")[index % 2],
            "dataset": f"a-very-long-name-of-a-data-set-{index:02d}-part-of-a-crawl",
        }
        for index in range(30)
    ]
    page = page_of(make_manifest(rows))
    assert "30 data sets" in page.text
    assert len(page.table("data set")) == 30
    assert len(page.all("details")) == 1
    labels = re.findall(r">([^<>]*…[^<>]*)</text>", page.source)
    assert len(labels) == len(set(labels)) == 19
    assert "11 others" in page.source


def test_without_audit_and_measurements_no_file_but_samples_is_read(make_manifest, page_of):
    manifest = make_manifest([{"label": "real"}, {"label": "fake"}])
    for path in ("0.jpg", "1.jpg"):
        manifest.file(path).unlink()
    page = page_of(manifest, samples=0)
    assert page.anchors() == ["verdict", "rows", "groups", "columns", "again"]
    assert "Not audited" in page.text


def test_yes_and_no_columns_share_a_figure(make_manifest, page_of, tmp_path):
    extra = [{"smiling": True, "old": False}, {"smiling": False, "old": True}, {"smiling": True, "old": None}]
    rows = [{"label": "fake", "extra": values} for values in (*extra, *extra)] + [{"label": "real"}]
    page = page_of(make_manifest(rows))
    assert "Rows in which each of these is true; real rows do not say." in page.text
    names = {path.stem for path in (tmp_path / "page" / "figures").iterdir()}
    assert "slice-true" in names
    assert "slice-smiling" not in names
    (figure,) = [part for part in page.source.split("<figure") if "slice-true" in part]
    assert sorted(re.findall(r">(smiling|old|fake|real|\d+)</text>", figure)) == ["2", "4", "fake", "old", "smiling"]


def test_columns_that_were_asked_for(make_manifest, page_of, tmp_path):
    rows = [{"label": "fake", "category": f"c{index}", "frame": index * 10} for index in range(30)]
    page_of(make_manifest(rows), columns=("category", "frame"))
    names = {path.stem for path in (tmp_path / "page" / "figures").iterdir()}
    assert {"slice-category", "slice-frame"} <= names


@pytest.mark.parametrize(
    ("change", "message"), [({"columns": ["absent"]}, "no column 'absent'"), ({"samples": -1}, "0 or more, not -1")]
)
def test_options_that_cannot_be(make_manifest, tmp_path, change, message):
    with pytest.raises(UsageError, match=message):
        explore(make_manifest([{"label": "real"}]), tmp_path / "page", ExploreOptions(**change))


def test_measurements_of_other_rows_are_refused(make_manifest, measure_all, tmp_path):
    manifest = make_manifest([{"label": "real"}, {"label": "fake"}])
    with pytest.raises(UsageError, match="are of 1 rows, the manifest has 2"):
        explore(manifest, tmp_path / "page", ExploreOptions(), measures=measure_all(manifest).slice(1))


def test_a_file_in_the_way_is_told(make_manifest, tmp_path):
    (tmp_path / "page").write_text("")
    with pytest.raises(UsageError, match="it is a file, not a directory"):
        explore(make_manifest([{"label": "real"}]), tmp_path / "page", ExploreOptions())


def test_the_same_page_again(make_manifest, page_of, tmp_path):
    manifest = make_manifest([{"label": label} for label in ("real", "fake") * 5])
    first = page_of(manifest).source
    figures = {path.name: path.read_bytes() for path in (tmp_path / "page" / "figures").iterdir()}
    assert page_of(manifest).source == first
    assert {path.name: path.read_bytes() for path in (tmp_path / "page" / "figures").iterdir()} == figures


def test_verdict_says_leaks_first_and_colours_them(make_manifest, page_of):
    manifest = make_manifest([{"label": "real"}, {"label": "fake"}])
    found = (
        Finding("group", "leak", "2 groups stand on both sides", 2),
        Finding("imbalance", "warning", "few fakes!", 1),
        Finding("flat", "note", "all black", 1),
    )
    page = page_of(manifest, audit=an_audit(manifest, *found))
    levels = [attributes["class"] for name, attributes in page.tags if name == "div" and "level-" in str(attributes)]
    assert levels == ["box level-leak", "box level-warning", "box level-note"]
    for words in ("1 leak", "2 groups stand on both sides.", "Few fakes!", "All black."):
        assert words in page.text


def test_nothing_found_says_what_was_searched(make_manifest):
    manifest = make_manifest([{"label": "real"}])
    quiet = an_audit(manifest, shortcuts=(Shortcut("jpeg-quality", 0.61, 0.5, 0.7, 9, 9, False),))
    (clear,) = boxes(quiet, split=True)
    assert (clear.level, clear.title) == ("clear", "Nothing found")
    for words in (
        "groups and identities",
        "nearly identical",
        "JPEG quality",
        "AUC of 0.61 (0.50 to 0.70)",
        "0.7 is",
    ):
        assert words in clear.sentences[0]
    (unsplit,) = boxes(quiet, split=False)
    assert "no split yet" in unsplit.title
    assert "groups and identities" not in unsplit.sentences[0]
    (unmeasured,) = boxes(an_audit(manifest), split=True)
    assert unmeasured.level == "note"
    assert "could not be measured" in unmeasured.sentences[0]


def test_shortcuts_are_drawn_with_their_bound_and_explained(make_manifest, measure_all, page_of, pictures, tmp_path):
    rows = [{"label": ("real", "fake")[index % 2]} for index in range(24)]
    manifest = make_manifest(rows)
    for index in range(1, 24, 2):
        pictures[index % 4].resize((24, 32)).resize((48, 64)).save(manifest.file(f"{index}.jpg"))
    made = audit(manifest, cache_dir=tmp_path / "cache", workers=0)
    page = page_of(manifest, measures=measure_all(manifest), audit=made)
    table = {row["measurements"]: row for row in page.table("measurements")}
    for shortcut in made.shortcuts:
        row = table[shortcut.family.replace("jpeg", "JPEG").replace("-", " ")]
        assert row["AUC (95 % interval)"] == f"{shortcut.auc:.2f} ({shortcut.low:.2f} to {shortcut.high:.2f})"
        assert row["what tells the classes apart"] == shortcut.explanation
    assert f"bound {made.bound:g}" in page.text
    assert any(shortcut.above_bound for shortcut in made.shortcuts)
    assert {"shortcuts.png", "telling.png"} <= check_figures(tmp_path / "page" / "figures")
