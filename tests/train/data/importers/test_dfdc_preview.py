"""The preview of the Deepfake Detection Challenge: actors whom swaps connect are one group."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mesoscope.errors import UsageError
from mesoscope_train.data.importing import import_data

ORIGINAL = "original_videos/643049/643049_A_001.mp4"
OTHER = "original_videos/1255229/1255229_B_001.mp4"
ALONE = "original_videos/99/99_A_001.mp4"
SWAP = "method_A/643049/643049_A/1255229_643049_A_001.mp4"
TEST = "method_B/1260311/1260311_C/1110927_1260311_C_001.mp4"


def columns(manifest, *names: str) -> list[tuple]:
    return list(zip(*(manifest.values(name) for name in names), strict=True))


def entry(label: str, target: str, source: str | None = None, part: str = "train", **more: Any) -> dict[str, Any]:
    return {"label": label, "target_id": target, "swapped_id": source, "set": part, "augmentations": [], **more}


ENTRIES = {
    SWAP: entry("fake", "643049", "1255229"),
    TEST: entry("fake", "1260311", "1110927", "test", augmentations=["reduce_FPS_to_15"]),
    OTHER: entry("real", "1255229"),
    ORIGINAL: entry("real", "643049"),
    ALONE: entry("real", "99", part="test"),
}


@pytest.mark.parametrize("place", ["", "dfdc_preview_set/"])
def test_the_published_layout_row_by_row(tmp_path: Path, plant, place: str) -> None:
    plant(tmp_path, *(place + name for name in ENTRIES))
    (tmp_path / place / "dataset.json").write_text(json.dumps(ENTRIES))
    found = import_data("dfdc", tmp_path)
    rows = columns(found.manifest, "path", "label", "group", "split", "generator", "identity", "source_identity")
    assert rows == [
        (place + SWAP, "fake", "dfdc:preview-643049", "train", "method_A", "dfdc:643049", "dfdc:1255229"),
        (place + TEST, "fake", "dfdc:preview-1110927", "test", "method_B", "dfdc:1260311", "dfdc:1110927"),
        (place + OTHER, "real", "dfdc:preview-643049", "train", None, "dfdc:1255229", None),
        (place + ORIGINAL, "real", "dfdc:preview-643049", "train", None, "dfdc:643049", None),
        (place + ALONE, "real", "dfdc:preview-99", "test", None, "dfdc:99", None),
    ]
    assert found.manifest.values("augmentation") == [None, "reduce_FPS_to_15", None, None, None]
    assert found.skips.total == 0
    assert found.skips.notes == [
        "preview: swaps tie the actors into 3 groups, the largest with 3 of 5 videos; no split divides a group"
    ]


def test_index_and_folders_must_agree(tmp_path: Path, plant) -> None:
    plant(tmp_path, SWAP, ORIGINAL, OTHER, "original_videos/7/7_A_001.mp4", "method_C/1.mp4", "extras/2.mp4")
    (tmp_path / "original_videos/7/7_A_002.mp4").touch()
    entries = {
        SWAP: entry("real", "643049"),
        ORIGINAL: entry("real", "643049"),
        OTHER: {"label": "real", "set": "train"},
        TEST: entry("fake", "1260311", "1110927"),
        "original_videos/7/7_A_002.mp4": entry("real", "7"),
        "method_A/8.mp4": entry("fake", "8"),
        "method_A/9.mp4": entry("unknown", "9"),
        "method_C/1.mp4": entry("fake", "1", "2"),
        "original_videos/../../out.mp4": entry("real", "1"),
        "/original_videos/out.mp4": entry("real", "1"),
    }
    (tmp_path / "dataset.json").write_text(json.dumps(entries))
    found = import_data("dfdc", tmp_path)
    assert found.manifest.values("path") == [ORIGINAL]
    assert found.skips.examples == {
        "dataset.json and the folder disagree on the label": [SWAP],
        "the entry does not say who is seen, so that its group is unknown": ["method_A/8.mp4", OTHER],
        "the label 'unknown' is unknown": ["method_A/9.mp4"],
        "the file is missing": [TEST],
        "the folder 'method_C' is none of original_videos, method_A, method_B": ["method_C/1.mp4"],
        "the path leads out of the folder": ["/original_videos/out.mp4", "original_videos/../../out.mp4"],
        "the file is empty (0 bytes)": ["original_videos/7/7_A_002.mp4"],
        "no entry in dataset.json": ["original_videos/7/7_A_001.mp4"],
        "the folder 'extras' is no part of the preview": ["extras/2.mp4"],
    }


def test_sets_that_cut_through_a_group_are_said(tmp_path: Path, plant) -> None:
    plant(tmp_path, SWAP, ORIGINAL)
    entries = {**ENTRIES, ORIGINAL: entry("real", "643049", part="test")}
    (tmp_path / "dataset.json").write_text(json.dumps({name: entries[name] for name in (SWAP, ORIGINAL)}))
    notes = import_data("dfdc", tmp_path).skips.notes
    assert notes[-1] == "preview: groups that the official sets cut through (an audit will say so): 1"


def test_it_merges_with_the_full_set(tmp_path: Path, plant) -> None:
    plant(tmp_path, f"preview/{ORIGINAL}", "dfdc_train_part_0/abcdefghij.mp4")
    (tmp_path / "preview" / "dataset.json").write_text(json.dumps({ORIGINAL: ENTRIES[ORIGINAL]}))
    (tmp_path / "dfdc_train_part_0" / "metadata.json").write_text('{"abcdefghij.mp4": {"label": "REAL"}}')
    found = import_data("dfdc", tmp_path)
    assert found.manifest.values("group") == ["dfdc:abcdefghij", "dfdc:preview-643049"]
    assert found.skips.total == 0


def test_a_broken_index_is_refused(tmp_path: Path, plant) -> None:
    plant(tmp_path, ORIGINAL)
    (tmp_path / "dataset.json").write_text('{"a": 1}')
    with pytest.raises(UsageError, match="the entry 'a' must be a JSON object"):
        import_data("dfdc", tmp_path)
