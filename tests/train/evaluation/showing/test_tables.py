"""Tables hold scikit-learn's numbers in every format, and no name breaks out of any of them."""

from __future__ import annotations

import csv
import io
import re
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt
from sklearn import metrics as sk

from mesoscope.errors import UsageError
from mesoscope_train.evaluation.content import Table
from mesoscope_train.evaluation.metrics_schema import Metric
from mesoscope_train.evaluation.table_formats import csv_text, html_text, latex_text, markdown_text
from mesoscope_train.evaluation.tables import readings_csv, write_tables

HOSTILE = [
    "<script>alert(1)</script>", "a|b", "*bold* _x_ `code`", "[link](http://x)", r"\input{/etc/passwd}",
    "50 % & $x^2$ #1", "{~^}", "tab\tline\nbreak", "\u202egpj.exe", "name--1", "~~gone~~", "&lt;b&gt;",
]  # fmt: skip
SHOWN = {"tab\tline\nbreak": "tab\\u{9}line\\u{a}break", "\u202egpj.exe": "\\u{202e}gpj.exe"}


class Cells(HTMLParser):
    """Tags and cells of a table."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.rows: list[list[str]] = []
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data):
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data


@pytest.fixture
def files(metrics, tmp_path):
    return {path.name: path.read_text(encoding="utf-8") for path in write_tables(metrics, tmp_path / "tables")}


def hostile_table() -> Table:
    return Table(
        "t", HOSTILE[0], ("name", "number"), tuple((name, "0.5 (0.1 to 0.9)") for name in HOSTILE), numbers=(1,),
        notes=tuple(HOSTILE),
    )  # fmt: skip


def test_every_table_comes_in_every_format(files):
    names = {name.rpartition(".")[0] for name in files}
    assert {"cross-dataset", "tiers", "classes", "slices", "readings"} <= names
    for name in ("cross-dataset", "tiers", "classes", "slices"):
        assert {f"{name}{suffix}" for suffix in (".html", ".md", ".tex")} <= set(files)
    assert "cross-dataset.csv" in files and "readings.csv" in files


@pytest.mark.parametrize("bundle", ["steady-1", "falling-1"])
@pytest.mark.parametrize("manifest", ["first", "second"])
def test_numbers_are_scikit_learns_in_every_format(files, answers, bundle, manifest):
    truth, logits, probability = answers(bundle, manifest)
    threshold = {"steady-1": 0.6, "falling-1": 0.5}[bundle]
    auc, accuracy = sk.roc_auc_score(truth, logits), sk.accuracy_score(truth, probability >= threshold)
    for suffix in (".html", ".md", ".tex"):
        text = files[f"cross-dataset{suffix}"]
        assert f"{auc:.3f} (" in text and f"{accuracy:.3f} (" in text
    (line,) = [
        row
        for row in csv.DictReader(io.StringIO(files["cross-dataset.csv"]))
        if (row["bundle"], row["manifest"], row["unit"]) == (bundle, manifest, "picture")
    ]
    assert float(line["auc"]) == pytest.approx(auc, abs=1e-12)
    assert float(line["accuracy"]) == pytest.approx(accuracy, abs=1e-12)
    assert float(line["average_precision"]) == pytest.approx(sk.average_precision_score(truth, logits), abs=1e-12)
    assert int(line["error_real"]) + int(line["error_fake"]) == (manifest == "second")


def test_the_report_of_classes_is_scikit_learns(files, answers):
    truth, _, probability = answers("falling-1", "second")
    expected = sk.classification_report(truth, probability >= 0.5, target_names=["real", "fake"], output_dict=True)
    rows = [row for row in Cells(files["classes.html"]).rows if row[:3] == ["falling-1", "second", "picture"]]
    for row in rows:
        report = expected[row[3]]
        assert [cell.split(" ")[0] for cell in row[4:7]] == [
            f"{report[name]:.3f}" for name in ("precision", "recall", "f1-score")
        ]
        assert int(row[7]) == report["support"]
    assert len(rows) == 2


def test_the_file_of_all_readings_leaves_nothing_out(files, metrics):
    rows = list(csv.DictReader(io.StringIO(files["readings.csv"])))
    assert len(rows) == len(metrics.readings)
    for row, reading in zip(rows, metrics.readings, strict=True):
        assert (row["bundle"], row["manifest"], row["tier"]) == (reading.bundle, reading.manifest, reading.tier)
        for name, found in reading.metrics.items():
            if isinstance(found, Metric):
                assert float(row[name]) == found.value
                assert row[f"{name}_low"] == ("" if found.low is None else repr(found.low))
            else:
                assert row[name] == ""


def test_marks_say_what_is_known_of_training(files):
    text = files["cross-dataset.md"]
    assert re.search(r"\| first \| accuracy \| 0\.\d+ \([^)]*\) † \| 0\.\d+ \([^)]*\) \? \|", text)
    assert "another part of this data set" in text
    rows = list(csv.DictReader(io.StringIO(files["cross-dataset.csv"])))
    assert {(row["bundle"], row["manifest"]): row["training"] for row in rows} == {
        ("steady-1", "first"): "another part of this set",
        ("steady-1", "second"): "apart",
        ("steady-1", "people"): "apart",
        ("steady-1", "tiny"): "these pictures",
        **{("falling-1", name): "unknown" for name in ("first", "second", "people", "tiny")},
    }


def test_names_stay_text_in_html():
    page = Cells(html_text(hostile_table()))
    assert page.tags == {"table", "caption", "thead", "tbody", "tr", "th", "td", "p"}
    cells = [row[0] for row in page.rows[1:]]
    assert cells[:-1] == [SHOWN.get(name, name) for name in HOSTILE][:-1]


def test_names_stay_text_in_markdown():
    html = MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(markdown_text(hostile_table()))
    page = Cells(html)
    assert page.tags <= {"p", "strong", "table", "thead", "tbody", "tr", "th", "td"}
    cells = [row[0].strip() for row in page.rows[1:]]
    assert cells == [SHOWN.get(name, name) for name in HOSTILE]
    assert {len(row) for row in page.rows} == {2}


def test_names_stay_text_in_latex():
    text = latex_text(hostile_table())
    rows = text.partition("\\midrule\n")[2].partition("\n\\bottomrule")[0].split("\n")
    assert len(rows) == len(HOSTILE)
    for row in rows:
        assert row.endswith(" \\\\")
        # what is no command of ours and not escaped
        plain = re.sub(r"\\(text[a-z]+\{\}|[{}$&%#_])", "", row.removesuffix(" \\\\"))
        plain = plain.replace("-{}-", "")
        assert plain.count("&") == 1
        assert not set(plain) & set("\\{}$%#_^~<>|")
    assert "\\input" not in text and "\u202e" not in text


def test_a_spreadsheet_runs_no_name():
    names = ["=1+1", "+1", "-2", "@x", "-1e-3", "-x", "a=b", "=cmd|' /C calc'!A0"]
    rows = list(csv.reader(io.StringIO(csv_text(["name"], [[name] for name in names]))))
    assert [row[0] for row in rows[1:]] == ["'=1+1", "+1", "-2", "'@x", "-1e-3", "'-x", "a=b", "'=cmd|' /C calc'!A0"]


def test_absent_numbers_are_empty_and_never_zero(metrics):
    people = [one for one in metrics.readings if one.manifest == "people"]
    for row in csv.DictReader(io.StringIO(readings_csv(metrics, people))):
        assert row["auc"] == "" and row["false_positive_rate"] != ""


def test_a_directory_that_is_a_file_is_told(metrics, tmp_path):
    (tmp_path / "tables").write_text("x")
    with pytest.raises(UsageError, match="it is a file"):
        write_tables(metrics, tmp_path / "tables")
