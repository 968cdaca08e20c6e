"""Tables with any column names."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from mesoscope.errors import UsageError
from mesoscope_train.data.importers import ImportOptions
from mesoscope_train.data.importers.table_mapping import clean_name
from mesoscope_train.data.importing import import_data


def columns(manifest, *names: str) -> list[tuple]:
    return list(zip(*(manifest.values(name) for name in names), strict=True))


def write(root: Path, *lines: str, name: str = "index.csv") -> None:
    (root / name).write_text("\n".join(lines) + "\n")


def test_a_mapped_table_row_by_row(tmp_path: Path, plant) -> None:
    plant(tmp_path, "pics/a.jpg", "pics/b.jpg", "pics/c.jpg", "elsewhere/d.jpg")
    write(
        tmp_path,
        "File Name,Klasse,Video,Frame No.,Größe (px),sex,code",
        "a.jpg,FAKE,v1,007,1.5,f,01",
        "b.jpg,genuine,v1,8,2,m,02",
        "c.jpg,genuine,other:v2,,3,,03",
    )
    options = ImportOptions(
        dataset="mine",
        columns={
            "path": "pics/{File Name}",
            "label": "Klasse",
            "group": "Video",
            "frame": "Frame No.",
            "gender": "sex",
        },
        constants={"split": "Train", "generator": "SwapNet", "licence": "none"},
        labels={"genuine": "real", "absent": "fake"},
    )
    found = import_data("table", tmp_path, options)
    assert columns(found.manifest, "path", "label", "group", "dataset", "split", "frame", "generator") == [
        ("pics/a.jpg", "fake", "mine:v1", "mine", "train", 7, "SwapNet"),
        ("pics/b.jpg", "real", "mine:v1", "mine", "train", 8, "SwapNet"),
        ("pics/c.jpg", "real", "other:v2", "mine", "train", None, "SwapNet"),
    ]
    assert columns(found.manifest, "gender", "grosse_px", "code", "licence") == [
        ("f", 1.5, "01", "none"),
        ("m", 2.0, "02", "none"),
        (None, 3.0, "03", "none"),
    ]
    assert found.skips.total == 0  # elsewhere/ is no folder the table uses
    assert found.skips.notes == ["--label absent=fake: no entry has the label 'absent'"]


def test_columns_that_bear_the_manifests_names_need_no_mapping(tmp_path: Path, plant) -> None:
    plant(tmp_path, "a.jpg", "b.jpg")
    write(tmp_path, "Path;Label;Difficulty;frame;Group;split", "a.jpg;real;easy;3;x;val", "b.jpg;fake;;4;y;test")
    found = import_data("table", tmp_path, ImportOptions(dataset="d", columns={"shot": "frame"}))
    assert columns(found.manifest, "path", "label", "difficulty", "group", "split", "shot") == [
        ("a.jpg", "real", "easy", "d:x", "validation", 3),
        ("b.jpg", "fake", None, "d:y", "test", 4),
    ]
    assert "frame" not in found.manifest


def test_parquet_keeps_its_types(tmp_path: Path, plant) -> None:
    plant(tmp_path, "a.jpg", "b.jpg", "c.jpg")
    table = pa.table(
        {
            "path": ["a.jpg", "b.jpg", "c.jpg"],
            "target": [1.0, 0.0, None],
            "age": [30.5, float("nan"), 2.0],
            "old": [True, False, None],
            "day": pa.array([0, 1, 2], pa.date32()),
        }
    )
    parquet.write_table(table, tmp_path / "t.parquet")
    options = ImportOptions(columns={"label": "target"}, labels={"1": "fake", "0": "real"})
    found = import_data("table", tmp_path, options)
    assert columns(found.manifest, "path", "label", "age", "old", "day") == [
        ("a.jpg", "fake", 30.5, True, "1970-01-01"),
        ("b.jpg", "real", None, False, "1970-01-02"),
    ]
    assert found.skips.reasons == {"the label is empty": 1}


def test_paths_of_every_kind(tmp_path: Path, plant) -> None:
    root = tmp_path / "root"
    plant(root, "a/1.jpg", "a/2.jpg", "a/3.jpg", "a/4.jpg", "a/unlisted.jpg")
    plant(tmp_path, "outside.jpg")
    (root / "a" / "5.jpg").touch()
    write(
        root,
        "path,label",
        "a/1.jpg,real",
        f"{root}/a/2.jpg,real",
        "a\\3.jpg,real",
        "a/b/../4.jpg,real",
        "a/5.jpg,real",
        "a/6.jpg,real",
        "../outside.jpg,real",
        f"{tmp_path}/outside.jpg,real",
        "C:\\outside.jpg,real",
        ",real",
        "a/1.jpg,real",
    )
    found = import_data("table", root)
    assert found.manifest.values("path") == ["a/1.jpg", "a/2.jpg", "a/3.jpg", "a/4.jpg"]
    assert found.skips.reasons == {
        "the file is empty (0 bytes)": 1,
        "the file is missing": 1,
        "the path is empty or leads outside ROOT": 4,
        "a second entry for the same file": 1,
        "no entry in index.csv": 1,
    }
    assert found.skips.examples["no entry in index.csv"] == ["a/unlisted.jpg"]


def test_a_linked_root_is_the_same_root(tmp_path: Path, plant) -> None:
    plant(tmp_path / "root", "1.jpg")
    (tmp_path / "link").symlink_to(tmp_path / "root")
    write(tmp_path / "root", "path,label", f"{tmp_path}/root/1.jpg,real")
    assert import_data("table", tmp_path / "link").manifest.values("path") == ["1.jpg"]


@pytest.mark.parametrize(
    ("group", "kept"),
    [
        ("v1", "d:v1"),
        ("dfdc:abc", "dfdc:abc"),
        ("1m_faces:a", "1m_faces:a"),
        ("12:30", "d:12:30"),
        ("A: b", "d:A: b"),
    ],
)
def test_a_group_that_names_its_corpus_is_kept(tmp_path: Path, plant, group: str, kept: str) -> None:
    plant(tmp_path, "1.jpg")
    write(tmp_path, "path,label,group", f"1.jpg,real,{group}")
    assert import_data("table", tmp_path, ImportOptions(dataset="d")).manifest.values("group") == [kept]


def test_two_labels_for_one_file_are_no_label(tmp_path: Path, plant) -> None:
    plant(tmp_path, "1.jpg", "2.jpg", "3.jpg")
    write(tmp_path, "path,label", "1.jpg,real", "./1.jpg,fake", "2.jpg,real", "2.jpg,unclear", "3.jpg,fake")
    found = import_data("table", tmp_path)
    assert columns(found.manifest, "path", "label") == [("2.jpg", "real"), ("3.jpg", "fake")]
    assert found.skips.reasons == {
        "several entries give this file different labels": 2,
        "the label 'unclear' is unknown: say --label 'unclear=real' or --label 'unclear=fake'": 1,
    }


def test_many_unknown_words_are_counted_together(tmp_path: Path, plant) -> None:
    plant(tmp_path, *(f"{number}.jpg" for number in range(30)))
    write(tmp_path, "path,label", *(f"{number}.jpg,word {number}" for number in range(29)), "29.jpg,real")
    found = import_data("table", tmp_path)
    assert len(found.skips.reasons) == 21
    assert found.skips.reasons["the label is another unknown word (is this the column of the labels?)"] == 9


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("frame", "three", "the frame is no whole number from 0 on"),
        ("frame", "-3", "the frame is no whole number from 0 on"),
        ("original_width", "0", "the original_width is no whole number from 1 on"),
        ("box_left", "inf", "the box_left is no number"),
        ("split", "holdout", "the split 'holdout' is none of train, validation, test"),
        ("group", "", "the group is empty"),
    ],
)
def test_a_value_that_does_not_fit_its_column(tmp_path: Path, plant, column: str, value: str, reason: str) -> None:
    plant(tmp_path, "1.jpg", "2.jpg")
    good = {"group": "g", "split": "test"}.get(column, "1")
    write(tmp_path, f"path,label,{column}", f"1.jpg,real,{value}", f"2.jpg,real,{good}")
    found = import_data("table", tmp_path)
    assert found.manifest.values("path") == ["2.jpg"]
    assert found.skips.examples == {reason: ["1.jpg"]}


def test_a_group_rule_goes_before_a_column_of_that_name(tmp_path: Path, plant) -> None:
    plant(tmp_path, "v1_1.jpg", "v1_2.jpg", "x.jpg")
    write(tmp_path, "path,label,group", "v1_1.jpg,real,1", "v1_2.jpg,real,2", "x.jpg,real,3")
    found = import_data("table", tmp_path, ImportOptions(dataset="d", group=r"(v\d)_"))
    assert columns(found.manifest, "path", "group", "group_in_table") == [
        ("v1_1.jpg", "d:v1", 1),
        ("v1_2.jpg", "d:v1", 2),
    ]
    assert found.skips.reasons == {r"the path does not fit --group '(v\d)_'": 1}


def test_columns_with_the_same_clean_name(tmp_path: Path, plant) -> None:
    plant(tmp_path, "1.jpg")
    write(tmp_path, "path,label,Age,age!,Label,№", "1.jpg,real,1,2,3,4")
    found = import_data("table", tmp_path)
    assert found.manifest.columns[4:] == ("age", "age_2", "label_in_table", "no")


@pytest.mark.parametrize(
    ("column", "name"),
    [("Original Width", "original_width"), ("2nd", "column_2nd"), ("日本", "column_3"), ("é", "e")],
)
def test_clean_names(column: str, name: str) -> None:
    assert clean_name(column, 2) == name


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "has no column 'path'; say where it stands: --column path=COLUMN.*'file', 'kind'"),
        ({"columns": {"path": "file"}}, "has no column 'label'.*--constant label=real"),
        (
            {"columns": {"path": "name"}},
            "--column: .*index.csv has no column 'name'; its columns are: 'file', 'kind'",
        ),
        ({"columns": {"path": "real/{nme}.jpg"}}, "has no column 'nme'"),
        ({"columns": {"path": "real/{file"}}, "the template 'real/{file' is broken"),
        ({"columns": {"path": "{file:03d}"}}, "no format after them"),
        ({"columns": {"path": "{file.stem}"}}, "has no column 'file.stem'"),
        ({"columns": {"Path": "file"}}, "'Path' cannot be a column of the manifest"),
        ({"columns": {"path": "file", "label": "kind"}, "constants": {"label": "real"}}, "'label' is said twice"),
        ({"columns": {"path": "file", "group": "kind"}, "group": "file"}, "'group' is said twice"),
        ({"table": Path("other.csv")}, "--table other.csv: there is no such file"),
    ],
)
def test_what_cannot_be_mapped_is_refused(tmp_path: Path, plant, options: dict, message: str) -> None:
    plant(tmp_path, "1.jpg")
    write(tmp_path, "file,kind", "1.jpg,real")
    with pytest.raises(UsageError, match=message):
        import_data("table", tmp_path, ImportOptions(**options))


def test_which_table(tmp_path: Path, plant) -> None:
    plant(tmp_path, "1.jpg")
    with pytest.raises(UsageError, match=r"looked for one table .* and found none; name it with --table"):
        import_data("table", tmp_path)
    write(tmp_path, "path,label", "1.jpg,real", name="a.csv")
    write(tmp_path, "path\tlabel", "1.jpg\tfake", name="b.tsv")
    with pytest.raises(UsageError, match=r"found a\.csv, b\.tsv"):
        import_data("table", tmp_path)
    assert import_data("table", tmp_path, ImportOptions(table=Path("b.tsv"))).manifest.values("label") == ["fake"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", b"path,label\n1.jpg\n", "t.csv cannot be read as CSV"),
        ("t.csv", b"path,path\n1.jpg,real\n", "the column path stands twice"),
        ("t.csv", b"", "t.csv cannot be read as CSV"),
        ("t.parquet", b"PAR1 and no more", "t.parquet cannot be read as Parquet"),
    ],
)
def test_a_damaged_table(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=message):
        import_data("table", tmp_path)


def test_nothing_that_could_be_imported(tmp_path: Path) -> None:
    write(tmp_path, "path,label", "1.jpg,real", "2.jpg,AI")
    with pytest.raises(
        UsageError, match=r"could be imported as 'table': 1 x the file is missing \(1\.jpg\); 1 x the l"
    ):
        import_data("table", tmp_path)


@pytest.mark.parametrize(
    ("body", "rows", "missing", "unlisted"),
    [("house", 344, 91, 113), ("senate", 70, 30, 387), ("governors", 38, 12, 419)],
)
def test_the_real_set(data_dir: Path, body: str, rows: int, missing: int, unlisted: int) -> None:
    if not (data_dir / "portraits").is_dir():
        pytest.skip("no portraits")
    options = ImportOptions(
        columns={"path": f"real/{body}-{{file_stem}}.jpg"}, constants={"label": "real"}, table=Path(f"us-{body}.csv")
    )
    found = import_data("table", data_dir / "portraits", options)
    assert len(found.manifest) == rows
    assert set(found.manifest.values("gender")) == {"female", "male"}
    assert found.skips.reasons == {"the file is missing": missing, f"no entry in us-{body}.csv": unlisted}
