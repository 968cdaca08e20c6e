"""The table of a data set: round trips, and the bad path of every check."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from mesoscope.errors import ManifestError
from mesoscope.manifest import COLUMNS, Manifest, ManifestBuilder, Row, check_table, read_manifest, write_manifest

GOOD = {"path": ["a/1.jpg", "b/2.jpg"], "label": ["real", "fake"], "group": ["1", "2"], "dataset": ["d", "d"]}


def small(root: Path, **extra: object) -> Manifest:
    builder = ManifestBuilder(root)
    builder.add(Row(path="a/1.jpg", label="real", group="1", dataset="d", extra=dict(extra)))  # type: ignore[arg-type]
    builder.add(Row(path="b/2.jpg", label="fake", group="004", dataset="d", generator="FaceSwap", frame=7))
    return builder.build("data import --format test")


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_what_is_written_is_read_again(tmp_path: Path, suffix: str) -> None:
    data = tmp_path / "data"
    data.mkdir()
    manifest = small(data, gender="female", code="007", count=3, share=0.5, upright=True)
    path = tmp_path / "tables" / f"m{suffix}"
    path.parent.mkdir()
    write_manifest(manifest, path)
    again = read_manifest(path)
    assert again.table.equals(manifest.table)
    assert again.root.resolve() == data.resolve()
    assert again.history == ("data import --format test",)
    assert again.digest() == manifest.digest()
    assert again.values("code") == ["007", None]
    assert again.values("upright") == [True, None]


def test_root_moves_with_the_manifest_and_can_be_named(tmp_path: Path) -> None:
    (tmp_path / "one" / "data").mkdir(parents=True)
    write_manifest(small(tmp_path / "one" / "data"), tmp_path / "one" / "m.parquet")
    (tmp_path / "one").rename(tmp_path / "two")
    moved = read_manifest(tmp_path / "two" / "m.parquet")
    assert moved.file("a/1.jpg").resolve() == (tmp_path / "two" / "data" / "a" / "1.jpg").resolve()
    assert read_manifest(tmp_path / "two" / "m.parquet", root=tmp_path).root == tmp_path
    (tmp_path / "two" / "data").rename(tmp_path / "elsewhere")
    with pytest.raises(ManifestError, match="--root"):
        read_manifest(tmp_path / "two" / "m.parquet")


def test_csv_without_side_file_lies_beside_its_pictures(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text("path,label,group,dataset,frame,age,code\na.jpg,real,1,d,3,40,007\nb.jpg,fake,2,d,,,010\n")
    manifest = read_manifest(path)
    assert manifest.root == tmp_path
    assert manifest.values("frame") == [3, None]
    assert manifest.values("age") == [40, None]
    assert manifest.values("code") == ["007", "010"], "leading zeros belong to a name"


def test_empty_columns_are_left_out_and_parts_agree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mesoscope.manifest.table._CHUNK", 1)
    manifest = small(tmp_path, share=1)
    assert manifest.columns == ("path", "label", "group", "dataset", "generator", "frame", "share")
    builder = ManifestBuilder(tmp_path)
    builder.add(Row(path="1", label="real", group="1", dataset="d", extra={"share": 1}))
    builder.add(Row(path="2", label="real", group="1", dataset="d", extra={"share": 0.5}))
    assert builder.build().values("share") == [1.0, 0.5]


def test_rows_codes_take_and_columns(tmp_path: Path) -> None:
    manifest = small(tmp_path)
    codes, values = manifest.codes("generator")
    assert codes.tolist() == [-1, 0]
    assert values == ["FaceSwap"]
    assert [row["path"] for row in manifest.rows()] == ["a/1.jpg", "b/2.jpg"]
    assert manifest.take(np.array([False, True])).values("path") == ["b/2.jpg"]
    assert manifest.take([1, 0]).values("path") == ["b/2.jpg", "a/1.jpg"]
    split = manifest.with_column("split", ["train", "test"])
    assert split.columns == ("path", "label", "group", "dataset", "split", "generator", "frame")
    assert "split" not in manifest
    assert split.digest() != manifest.digest()
    assert "split" not in split.with_column("split", [None, None])
    with pytest.raises(ManifestError, match="row 2, column 'split'"):
        manifest.with_column("split", ["train", "exam"])
    with pytest.raises(ManifestError, match="no column 'fold'"):
        manifest.values("fold")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label": ["real", "FAKE"]}, r"row 2, column 'label': 'FAKE' is not one of real, fake"),
        ({"label": ["real", None]}, r"row 2, column 'label': the value is missing"),
        ({"group": ["", "2"]}, r"row 1, column 'group': the value is missing"),
        ({"path": ["a/1.jpg", "/etc/2.jpg"]}, r"row 2, column 'path': '/etc/2.jpg' is not a plain path"),
        ({"path": ["a/1.jpg", "../2.jpg"]}, r"row 2, column 'path'"),
        ({"path": ["a/1.jpg", "b\\2.jpg"]}, r"row 2, column 'path'"),
        ({"path": ["a/1.jpg", "a/./1.jpg"]}, r"row 2, column 'path'"),
        ({"path": ["a/1.jpg", "C:/1.jpg"]}, r"row 2, column 'path'"),
        ({"path": ["a/1.jpg", "a/1.jpg"]}, r"rows 1, 2, column 'path': 'a/1.jpg' stands in several rows"),
        ({"path": [1, 2]}, r"the column 'path' holds int64 instead of text"),
        ({"split": ["train", "val"]}, r"row 2, column 'split': 'val' is not one of train, validation, test"),
        ({"frame": ["7", "x"]}, r"row 2, column 'frame': 'x' is not a whole number"),
        ({"frame": [7, -1]}, r"row 2, column 'frame': -1 is less than 0"),
        ({"Bad Name": ["1", "2"]}, r"the column 'Bad Name' has no usable name"),
    ],
)
def test_what_breaks_the_schema_is_told_by_row_and_column(change: dict[str, list[object]], message: str) -> None:
    with pytest.raises(ManifestError, match=message):
        check_table(pa.table({**GOOD, **change}), "m.csv")


def test_missing_columns_and_rows() -> None:
    with pytest.raises(ManifestError, match="column label, group is missing; found: path, dataset"):
        check_table(pa.table({"path": ["a"], "dataset": ["d"]}), "m.csv")
    with pytest.raises(ManifestError, match="there is no row"):
        check_table(pa.table(GOOD).slice(0, 0), "m.csv")
    with pytest.raises(ManifestError, match="and 1 more rows"):
        check_table(pa.table({**GOOD, "label": ["x", "y"]}), "m.csv")


def test_damaged_files(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="there is no manifest"):
        read_manifest(tmp_path / "m.parquet")
    with pytest.raises(ManifestError, match=r"must end in \.parquet or \.csv"):
        read_manifest(tmp_path / "m.xlsx")
    (tmp_path / "m.parquet").write_bytes(b"PAR1 nonsense")
    with pytest.raises(ManifestError, match="cannot be read as Parquet"):
        read_manifest(tmp_path / "m.parquet")
    (tmp_path / "m.csv").write_text("path,label\na,real,3\n")
    with pytest.raises(ManifestError, match="cannot be read as CSV"):
        read_manifest(tmp_path / "m.csv")
    (tmp_path / "e.csv").write_bytes(b"")
    with pytest.raises(ManifestError, match="cannot be read as CSV"):
        read_manifest(tmp_path / "e.csv")
    (tmp_path / "t.csv").write_text("path,label,group,dataset,label\na,real,1,d,fake\n")
    with pytest.raises(ManifestError, match="stands twice in the header"):
        read_manifest(tmp_path / "t.csv")


def test_newer_schema_and_broken_facts(tmp_path: Path) -> None:
    write_manifest(small(tmp_path), tmp_path / "m.csv")
    side = tmp_path / "m.csv-metadata.json"
    facts = json.loads(side.read_text())
    side.write_text(json.dumps({**facts, "schema": 99}))
    with pytest.raises(ManifestError, match="has schema 99"):
        read_manifest(tmp_path / "m.csv")
    side.write_text("[]")
    with pytest.raises(ManifestError, match="not a JSON object"):
        read_manifest(tmp_path / "m.csv")
    side.write_text("{")
    with pytest.raises(ManifestError, match="not JSON"):
        read_manifest(tmp_path / "m.csv")


def test_builder_refuses_what_no_table_can_hold(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="no row was found"):
        ManifestBuilder(tmp_path).build()
    with pytest.raises(ManifestError, match="cannot be the name of a column"):
        small(tmp_path, **{"Edited Nose": True})
    with pytest.raises(ManifestError, match="cannot hold a list"):
        small(tmp_path, parts=["nose"])
    builder = ManifestBuilder(tmp_path)
    builder.add(Row(path="1", label="real", group="1", dataset="d", extra={"x": "a"}))
    builder.add(Row(path="2", label="real", group="1", dataset="d", extra={"x": 1}))
    with pytest.raises(ManifestError, match="values of different kinds"):
        builder.build()


def test_other_writers_types_are_accepted(tmp_path: Path) -> None:
    table = pa.table(GOOD)
    table = table.set_column(1, "label", table.column("label").dictionary_encode())
    table = table.set_column(2, "group", table.column("group").cast(pa.large_string()))
    parquet.write_table(table, tmp_path / "m.parquet")
    assert read_manifest(tmp_path / "m.parquet").values("label") == ["real", "fake"]


def test_every_column_is_a_field_of_a_row() -> None:
    row = Row(path="p", label="real", group="g", dataset="d")
    assert list(row.values()) == [column.name for column in COLUMNS]


def test_a_row_of_plain_values() -> None:
    values = {"path": "p", "label": "real", "group": "g", "dataset": "d", "frame": 3, "nose": True}
    row = Row.of(values)
    assert row.frame == 3
    assert row.extra == {"nose": True}
    with pytest.raises(ManifestError, match="a row lacks its label"):
        Row.of({**values, "label": None})
