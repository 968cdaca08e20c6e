"""Label folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesoscope.errors import UsageError
from mesoscope_train.data.importers import ImportOptions
from mesoscope_train.data.importers.grouping import grouping
from mesoscope_train.data.importing import import_data


def columns(manifest, *names: str) -> list[tuple]:
    return list(zip(*(manifest.values(name) for name in names), strict=True))


def test_label_folders_row_by_row(tmp_path: Path, plant) -> None:
    plant(tmp_path, "real/b.jpg", "real/a.png", "Fake/deep/er/c.jpg", "Fake/d.jpg")
    found = import_data("folders", tmp_path, ImportOptions(dataset="mine"))
    assert columns(found.manifest, "path", "label", "group", "dataset") == [
        ("Fake/d.jpg", "fake", "mine:Fake/d.jpg", "mine"),
        ("Fake/deep/er/c.jpg", "fake", "mine:Fake/deep/er/c.jpg", "mine"),
        ("real/a.png", "real", "mine:real/a.png", "mine"),
        ("real/b.jpg", "real", "mine:real/b.jpg", "mine"),
    ]
    assert "split" not in found.manifest
    assert found.skips.total == 0
    assert found.skips.notes == []


def test_names_are_explained_and_what_is_not_is_counted(tmp_path: Path, plant) -> None:
    plant(tmp_path, "Pristine/1.jpg", "df/2.jpg", "unsure/3.jpg", "unsure/4.jpg", "loose.jpg")
    (tmp_path / "df" / "empty.jpg").touch()
    (tmp_path / "df" / "notes.txt").write_text("no picture")
    options = ImportOptions(labels={"Pristine": "real", "df": "fake", "misspelt": "fake"})
    found = import_data("folders", tmp_path, options)
    assert columns(found.manifest, "path", "label") == [("Pristine/1.jpg", "real"), ("df/2.jpg", "fake")]
    assert found.skips.reasons == {
        "the file is empty (0 bytes)": 1,
        "the folder 'unsure' has no label: name it with --label 'unsure=real' or --label 'unsure=fake'": 2,
        "the file lies outside the folders of the layout": 1,
    }
    assert found.skips.notes == ["--label misspelt=fake: there is no folder 'misspelt'"]


def test_split_folders_are_official_splits(tmp_path: Path, plant) -> None:
    plant(tmp_path, "train/real/1.jpg", "Valid/fake/2.jpg", "test/fake/3.jpg", "test/other/4.jpg", "docs/5.jpg")
    found = import_data("folders", tmp_path, ImportOptions(dataset="d"))
    assert columns(found.manifest, "path", "label", "split", "group") == [
        ("Valid/fake/2.jpg", "fake", "validation", "d:Valid/fake/2.jpg"),
        ("test/fake/3.jpg", "fake", "test", "d:test/fake/3.jpg"),
        ("train/real/1.jpg", "real", "train", "d:train/real/1.jpg"),
    ]
    assert found.skips.examples == {
        "the folder 'other' has no label: name it with --label 'other=real' or --label 'other=fake'": [
            "test/other/4.jpg"
        ],
        "the folder 'docs' is no split": ["docs/5.jpg"],
    }


def test_subfolders_become_a_column(tmp_path: Path, plant) -> None:
    plant(tmp_path, "real/city/x/1.jpg", "fake/people/2.jpg", "fake/3.jpg", "train/fake/people/9.jpg")
    found = import_data("folders", tmp_path, ImportOptions(subfolders="category"))
    assert columns(found.manifest, "path", "category") == [
        ("fake/3.jpg", None),
        ("fake/people/2.jpg", "people"),
        ("real/city/x/1.jpg", "city"),
    ]


@pytest.mark.parametrize(
    ("rule", "groups"),
    [
        ("file", ["d:real/p1/a_1.jpg", "d:real/p1/a_2.jpg", "d:real/p2/b_1.jpg"]),
        ("folder", ["d:real/p1", "d:real/p1", "d:real/p2"]),
        (r"([a-z])_\d", ["d:a", "d:a", "d:b"]),
    ],
)
def test_group_rules(tmp_path: Path, plant, rule: str, groups: list[str]) -> None:
    plant(tmp_path, "real/p1/a_1.jpg", "real/p1/a_2.jpg", "real/p2/b_1.jpg")
    found = import_data("folders", tmp_path, ImportOptions(dataset="d", group=rule))
    assert found.manifest.values("group") == groups


def test_a_path_that_does_not_fit_the_rule_is_counted(tmp_path: Path, plant) -> None:
    plant(tmp_path, "real/a_1.jpg", "real/other.jpg")
    found = import_data("folders", tmp_path, ImportOptions(group=r"([a-z])_\d"))
    assert found.skips.examples == {r"the path does not fit --group '([a-z])_\d'": ["real/other.jpg"]}


@pytest.mark.parametrize("rule", ["([a-z", "no parenthesis"])
def test_a_broken_rule_is_refused(rule: str) -> None:
    with pytest.raises(UsageError, match="--group"):
        grouping(rule)


def test_an_empty_match_is_no_group() -> None:
    assert grouping("([0-9]*)x")("real/x.jpg") is None
    assert grouping("(a)|b")("b") is None


def test_no_label_folder_at_all(tmp_path: Path, plant) -> None:
    plant(tmp_path, "Pristine/1.jpg")
    with pytest.raises(UsageError, match=r"no folder named real or fake.*found: Pristine.*--label NAME=real"):
        import_data("folders", tmp_path)


@pytest.mark.parametrize("column", ["Category", "label", "2nd"])
def test_subfolders_need_a_column_that_can_be_filled(tmp_path: Path, plant, column: str) -> None:
    plant(tmp_path, "real/city/1.jpg")
    with pytest.raises(UsageError, match=f"--subfolders {column}"):
        import_data("folders", tmp_path, ImportOptions(subfolders=column))


@pytest.mark.parametrize(
    ("name", "options", "counts"),
    [
        ("stylegan2-vs-ffhq", {}, (70, 61, 131, 0)),
        ("tpdne-vs-unsplash", {}, (186, 148, 334, 0)),
        ("sd3-portraits", {}, (154, 0, 154, 0)),
        ("portraits", {}, (0, 457, 457, 0)),
        ("photo-vs-ai", {"subfolders": "category"}, (114, 113, 227, 0)),
        ("playground-photo-vs-ai", {}, (50, 50, 100, 0)),
        ("object-photos", {"group": "folder"}, (0, 18, 18, 0)),
        ("scene-photos", {}, (0, 63, 63, 0)),
        ("videos", {"group": r"_([a-z0-9]+)(?:_\d+)?\.mp4$"}, (3, 2, 3, 0)),
        ("group-photos", {}, (0, 26, 26, 2)),
        ("profile-faces", {"group": r"(\d+)-"}, (0, 28, 2, 0)),
    ],
)
def test_the_real_sets(data_dir: Path, name: str, options: dict[str, str], counts: tuple[int, ...]) -> None:
    """`counts`: fake, real, groups, left out."""
    if not (data_dir / name).is_dir():
        pytest.skip(f"no {name}")
    found = import_data("folders", data_dir / name, ImportOptions(**options))
    labels, groups = found.manifest.values("label"), found.manifest.values("group")
    assert (labels.count("fake"), labels.count("real"), len(set(groups)), found.skips.total) == counts


def test_the_categories_of_photo_vs_ai(data_dir: Path) -> None:
    if not (data_dir / "photo-vs-ai").is_dir():
        pytest.skip("no photo-vs-ai")
    manifest = import_data("folders", data_dir / "photo-vs-ai", ImportOptions(subfolders="category")).manifest
    assert set(manifest.values("category")) == {"people", "nature", "city", "interior"}
