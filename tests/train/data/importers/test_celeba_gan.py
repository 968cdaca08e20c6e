"""CelebA against GAN faces: photographs of one person are one group, every fake is its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesoscope.errors import UsageError
from mesoscope_train.data.importers import ImportOptions
from mesoscope_train.data.importing import import_data

IDENTITIES = "000001.jpg 2880\n000002.jpg 2937\n000003.jpg 2880\n"
PARTITION = "000001.jpg 0\n000002.jpg 2\n000003.jpg 0\n"
ATTRIBUTES = """3
5_o_Clock_Shadow Male Young
000001.jpg -1 -1  1
000002.jpg -1  1  1
000003.jpg  1 -1 -1
"""
PHOTOS = ("000001.jpg", "000002.jpg", "000003.jpg")


def columns(manifest, *names: str) -> list[tuple]:
    return list(zip(*(manifest.values(name) for name in names), strict=True))


def lists(
    root: Path,
    identities: str | None = IDENTITIES,
    partition: str | None = PARTITION,
    attributes: str | None = None,
    *,
    anno: str = "",
    evaluation: str = "",
) -> None:
    for place, name, text in (
        (anno, "identity_CelebA.txt", identities),
        (evaluation, "list_eval_partition.txt", partition),
        (anno, "list_attr_celeba.txt", attributes),
    ):
        if text is not None:
            (root / place).mkdir(parents=True, exist_ok=True)
            (root / place / name).write_text(text)


def test_the_published_layout_row_by_row(tmp_path: Path, plant) -> None:
    plant(tmp_path, *(f"Img/img_align_celeba/{name}" for name in PHOTOS))
    plant(tmp_path, "1m_faces_00/1m_faces_00/FZV5C5L0AI.jpg", "1m_faces_01_02/000/A.jpg", "nvidia/00000/000001.png")
    lists(tmp_path, attributes=ATTRIBUTES, anno="Anno", evaluation="Eval")
    found = import_data("celeba-gan", tmp_path, ImportOptions(labels={"nvidia": "fake"}))
    photo = "Img/img_align_celeba/00000"
    assert columns(found.manifest, "path", "label", "group", "split", "identity", "gender", "generator") == [
        (f"{photo}1.jpg", "real", "celeba:2880", "train", "celeba:2880", "female", None),
        (f"{photo}2.jpg", "real", "celeba:2937", "test", "celeba:2937", "male", None),
        (f"{photo}3.jpg", "real", "celeba:2880", "train", "celeba:2880", "female", None),
        ("1m_faces_00/1m_faces_00/FZV5C5L0AI.jpg", "fake", "1m_faces:FZV5C5L0AI", None, None, None, "StyleGAN"),
        ("1m_faces_01_02/000/A.jpg", "fake", "1m_faces:A", None, None, None, "StyleGAN"),
        ("nvidia/00000/000001.png", "fake", "celeba-gan:nvidia/00000/000001.png", None, None, None, "nvidia"),
    ]
    assert set(found.manifest.values("dataset")) == {"celeba-gan"}
    assert found.skips.total == 0
    assert found.skips.notes == []


def test_torchvision_puts_all_into_one_folder(tmp_path: Path, plant) -> None:
    plant(tmp_path, *(f"celeba/img_align_celeba/{name}" for name in PHOTOS))
    lists(tmp_path / "celeba")
    found = import_data("celeba-gan", tmp_path)
    assert found.manifest.values("group") == ["celeba:2880", "celeba:2937", "celeba:2880"]
    assert found.skips.notes == ["no folder of fakes: name it with --label FOLDER=fake"]


def test_kaggle_has_csv_and_a_folder_more(tmp_path: Path, plant) -> None:
    plant(tmp_path, "img_align_celeba/img_align_celeba/000002.jpg", "1m_faces_00/A.jpg")
    lists(tmp_path, IDENTITIES.splitlines()[1], None)
    (tmp_path / "list_eval_partition.csv").write_text("image_id,partition\n000002.jpg,1\n")
    (tmp_path / "list_attr_celeba.csv").write_text("image_id,5_o_Clock_Shadow,Male,Young\n000002.jpg,-1,1,-1\n")
    found = import_data("celeba-gan", tmp_path)
    assert columns(found.manifest, "group", "split", "gender") == [
        ("celeba:2937", "validation", "male"),
        ("1m_faces:A", None, None),
    ]


def test_what_the_lists_and_folders_do_not_share_is_counted(tmp_path: Path, plant) -> None:
    plant(tmp_path, "img_align_celeba/000001.jpg", "img_align_celeba/900000.jpg", "faces/1.jpg", "faces/2.jpg")
    (tmp_path / "img_align_celeba" / "000002.jpg").touch()
    lists(tmp_path, partition="000001.jpg 0\n000003.jpg 1\n")
    found = import_data("celeba-gan", tmp_path, ImportOptions(labels={"misspelt": "fake"}))
    assert columns(found.manifest, "path", "split") == [("img_align_celeba/000001.jpg", "train")]
    assert found.skips.reasons == {
        "the file is empty (0 bytes)": 1,
        "no entry in identity_CelebA.txt": 1,
        "in identity_CelebA.txt, but the picture is missing": 1,
        "the folder 'faces' has no label: name it with --label 'faces=fake'": 2,
    }
    assert found.skips.notes == [
        "--label misspelt=fake: there is no folder 'misspelt'",
        "no folder of fakes: name it with --label FOLDER=fake",
        "photographs in no official partition, so that their split is empty: 1",
        "people whom the official partition cuts through (an audit will say so): 1",
    ]


def test_without_identities_nothing_is_imported(tmp_path: Path, plant) -> None:
    plant(tmp_path, "img_align_celeba/000001.jpg")
    lists(tmp_path, identities=None)
    with pytest.raises(UsageError, match=r"identity_CelebA\.txt is missing: without it photographs of one person"):
        import_data("celeba-gan", tmp_path)
    (tmp_path / "people.txt").write_text("000001.jpg 7\n")
    found = import_data("celeba-gan", tmp_path, ImportOptions(table=tmp_path / "people.txt"))
    assert found.manifest.values("group") == ["celeba:7"]


@pytest.mark.parametrize("word", ["img_align_celeba=fake", "others=real"])
def test_photographs_have_no_other_label_and_no_other_folder(tmp_path: Path, plant, word: str) -> None:
    plant(tmp_path, "img_align_celeba/000001.jpg", "others/1.jpg")
    lists(tmp_path)
    name, label = word.split("=")
    with pytest.raises(UsageError, match="the photographs are those of img_align_celeba"):
        import_data("celeba-gan", tmp_path, ImportOptions(labels={name: label}))


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (
            {"identities": "000001.jpg 1\n\n\n000002.jpg\n"},
            r"identity_CelebA\.txt, line 4: '000002.jpg' is not a picture",
        ),
        ({"identities": IDENTITIES + "no picture 4\n"}, r"line 4: 'no picture 4' is not a picture and its value"),
        (
            {"identities": IDENTITIES + "000001.jpg 9\n"},
            r"line 4: 000001.jpg stands in it before, with another value",
        ),
        ({"partition": "000001.jpg 3\n"}, r"list_eval_partition\.txt, line 1: '3' is none of 0, 1, 2"),
        ({"attributes": "1\nYoung Smiling\n000001.jpg 1 1\n"}, "has no column 'Male' in its header"),
        ({"attributes": "1\nMale\n000001.jpg 0\n"}, "line 3: '0' is none of 1, -1"),
    ],
)
def test_broken_lists_are_refused(tmp_path: Path, plant, broken: dict[str, str], message: str) -> None:
    plant(tmp_path, "img_align_celeba/000001.jpg")
    lists(tmp_path, **broken)
    with pytest.raises(UsageError, match=message):
        import_data("celeba-gan", tmp_path)


def test_another_layout_is_refused(tmp_path: Path, plant) -> None:
    plant(tmp_path, "img_celeba/000001.jpg")
    with pytest.raises(UsageError, match="looked for the folder img_align_celeba"):
        import_data("celeba-gan", tmp_path)
