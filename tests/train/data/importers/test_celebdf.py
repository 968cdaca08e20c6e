"""Celeb-DF: in the official list 1 means real; the test part shares people with the rest, and that is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesoscope.errors import UsageError
from mesoscope_train.data.importers import ImportOptions
from mesoscope_train.data.importing import import_data

LIST = "List_of_testing_videos.txt"
PUBLISHED = """1 YouTube-real/00170.mp4
1 Celeb-real/id1_0007.mp4
0 Celeb-synthesis/id1_id0_0007.mp4
0 Celeb-synthesis/id4_id1_0003.mp4
"""
"""Lines of the published list."""


def columns(manifest, *names: str) -> list[tuple]:
    return list(zip(*(manifest.values(name) for name in names), strict=True))


def test_the_published_layout_row_by_row(tmp_path: Path, plant) -> None:
    plant(
        tmp_path,
        "Celeb-real/id1_0007.mp4",
        "Celeb-real/id1_0000.mp4",
        "Celeb-real/id4_0003.mp4",
        "Celeb-synthesis/id1_id0_0007.mp4",
        "Celeb-synthesis/id4_id1_0003.mp4",
        "Celeb-synthesis/id4_id1_0000.mp4",
        "YouTube-real/00170.mp4",
        "YouTube-real/00171.mp4",
    )
    (tmp_path / LIST).write_text(PUBLISHED)
    found = import_data("celebdf", tmp_path)
    assert columns(found.manifest, "path", "label", "group", "split", "identity", "source_identity") == [
        ("Celeb-real/id1_0000.mp4", "real", "celebdf:id1", None, "celebdf:id1", None),
        ("Celeb-real/id1_0007.mp4", "real", "celebdf:test:id1", "test", "celebdf:id1", None),
        ("Celeb-real/id4_0003.mp4", "real", "celebdf:id4", None, "celebdf:id4", None),
        ("Celeb-synthesis/id1_id0_0007.mp4", "fake", "celebdf:test:id1", "test", "celebdf:id1", "celebdf:id0"),
        ("Celeb-synthesis/id4_id1_0000.mp4", "fake", "celebdf:id4", None, "celebdf:id4", "celebdf:id1"),
        ("Celeb-synthesis/id4_id1_0003.mp4", "fake", "celebdf:test:id4", "test", "celebdf:id4", "celebdf:id1"),
        ("YouTube-real/00170.mp4", "real", "celebdf:youtube_00170", "test", None, None),
        ("YouTube-real/00171.mp4", "real", "celebdf:youtube_00171", None, None, None),
    ]
    assert found.skips.total == 0
    # in the test part id1 and id4 are seen, id0 and id1 put in; in the rest id1 and id4 are seen, id1 is put in;
    # id4_0003 is real in the rest, swapped in the test part
    assert found.skips.notes == [
        "the official test list shares with the other videos 2 of its 2 identities seen, 1 of its 2 identities "
        "put in, 1 of its 3 pieces of footage",
        "outside the test list 2 identities have groups, and the faces of 1 of them are put into other groups' "
        "footage: train and validation will share faces (source_identity)",
    ]


def test_list_and_folder_must_agree_on_the_label(tmp_path: Path, plant) -> None:
    plant(tmp_path, "Celeb-real/id1_0007.mp4", "Celeb-real/id2_0001.mp4", "Celeb-synthesis/id1_id0_0007.mp4")
    # as if 1 meant fake, as most people expect; and one line twice, with both labels
    (tmp_path / LIST).write_text(
        "0 Celeb-real/id1_0007.mp4\n1 Celeb-synthesis/id1_id0_0007.mp4\n0 Celeb-synthesis/id1_id0_0007.mp4\n"
    )
    found = import_data("celebdf", tmp_path)
    assert found.manifest.values("path") == ["Celeb-real/id2_0001.mp4"]
    assert found.skips.examples == {
        f"{LIST} and the folder disagree on the label": [
            "Celeb-real/id1_0007.mp4",
            "Celeb-synthesis/id1_id0_0007.mp4",
        ]
    }


def test_what_is_missing_or_unknown_is_counted(tmp_path: Path, plant) -> None:
    plant(
        tmp_path,
        "Celeb-real/id1_0007.mp4",
        "Celeb-real/id1_id0_0007.mp4",  # a swap's name among the real
        "Celeb-real/cover.jpg",
        "Celeb-new/id1_0001.mp4",
    )
    (tmp_path / LIST).write_text(PUBLISHED + "\n0 Celeb-synthesis/nobody.mp4\n")
    found = import_data("celebdf", tmp_path)
    assert found.manifest.values("path") == ["Celeb-real/id1_0007.mp4"]
    assert found.skips.reasons == {
        "a picture that belongs to no video": 1,
        "the name is not of the form of Celeb-real": 1,
        f"in {LIST}, but the video is missing": 4,
        "the folder 'Celeb-new' is none of Celeb-real, Celeb-synthesis, YouTube-real": 1,
    }
    assert found.skips.examples[f"in {LIST}, but the video is missing"] == [
        "Celeb-synthesis/id1_id0_0007.mp4",
        "Celeb-synthesis/id4_id1_0003.mp4",
        "Celeb-synthesis/nobody.mp4",
        "YouTube-real/00170.mp4",
    ]


def test_other_places_and_frames(tmp_path: Path, plant) -> None:
    plant(
        tmp_path,
        "data/Celeb-real/frames/id1_0007/000.png",
        "data/Celeb-synthesis/id1_id0_0007.mp4",
        "data/Celeb-synthesis/videos/id1_id0_0007.mp4",  # both are of the test part
        "data/Youtube-real/videos/00170.mp4",  # spelt as in SelfBlendedImages' instructions
    )
    (tmp_path / "list.txt").write_text(PUBLISHED)
    options = ImportOptions(table=tmp_path / "list.txt", dataset="v2")
    found = import_data("celebdf", tmp_path / "data", options)
    assert columns(found.manifest, "path", "group", "split", "source_video", "frame", "dataset") == [
        ("Celeb-real/frames/id1_0007/000.png", "celebdf:test:id1", "test", "Celeb-real/frames/id1_0007", 0, "v2"),
        ("Celeb-synthesis/id1_id0_0007.mp4", "celebdf:test:id1", "test", None, None, "v2"),
        ("Celeb-synthesis/videos/id1_id0_0007.mp4", "celebdf:test:id1", "test", None, None, "v2"),
        ("Youtube-real/videos/00170.mp4", "celebdf:youtube_00170", "test", None, None, "v2"),
    ]


@pytest.mark.parametrize("line", ["2 YouTube-real/00170.mp4", "YouTube-real/00170.mp4", "1 00170.mp4", "1 a/b.avi"])
def test_a_broken_list_is_refused(tmp_path: Path, plant, line: str) -> None:
    plant(tmp_path, "YouTube-real/00170.mp4")
    (tmp_path / LIST).write_text(f"1 Celeb-real/id1_0007.mp4\n{line}\n")
    with pytest.raises(UsageError, match=f"{LIST}, line 2: .* is not of the form '1 YouTube-real/00170.mp4'"):
        import_data("celebdf", tmp_path)


def test_without_the_list_nothing_is_imported(tmp_path: Path, plant) -> None:
    plant(tmp_path, "YouTube-real/00170.mp4")
    with pytest.raises(UsageError, match=f"{LIST} is missing"):
        import_data("celebdf", tmp_path)


def test_another_layout_is_refused(tmp_path: Path, plant) -> None:
    plant(tmp_path, "real/id1_0007.mp4")
    with pytest.raises(UsageError, match="looked for the folders Celeb-real, Celeb-synthesis, YouTube-real"):
        import_data("celebdf", tmp_path)
