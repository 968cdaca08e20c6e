"""Planted leaks are each found and named; what is no leak is not called one."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from mesoscope.manifest import ManifestBuilder, Row
from mesoscope_train.data.audit import run
from mesoscope_train.data.audit.duplicates import join_groups
from mesoscope_train.data.audit.leaks import leaks
from mesoscope_train.data.audit.run import examine
from mesoscope_train.data.audit.sides import Sides, scattered, sides_of


def kinds(audit):
    return {finding.kind for finding in audit.findings}


def only(audit, kind):
    (finding,) = [finding for finding in audit.findings if finding.kind == kind]
    return finding


def test_a_clean_set_passes(clean):
    audit = clean.audit()
    assert audit.leaks() == ()
    assert audit.warnings() == ()
    assert audit.rows == audit.readable == audit.groups == 40
    assert audit.counts == {"fake": {"test": 10, "train": 10}, "real": {"test": 10, "train": 10}}
    assert audit.unreadable == ()


def test_frames_of_one_video_on_both_sides(clean, tiles):
    for frame, split in enumerate(("train", "train", "test")):
        clean.add(f"v/{frame}.jpg", tiles[40 + frame], "fake", "video", split=split, frame=frame)
    leak = only(clean.audit(), "group")
    assert (leak.severity, leak.count) == ("leak", 1)
    assert leak.examples == (("set:video", "v/0.jpg", "v/2.jpg"),)
    assert "1 group stands in more than one part of the split (train and test: 1)" in leak.message


def test_a_copy_saved_anew_and_resized_on_the_other_side(clean, tiles, resaved):
    clean.add("copy.png", resaved(tiles[0].resize((70, 70)), 60), "real", split="test")
    leak = only(clean.audit(), "near-duplicate")
    assert (leak.severity, leak.count) == ("leak", 1)
    assert leak.examples == (("real/0.jpg", "copy.png"),)
    assert "(train and test: 1)" in leak.message


def test_a_mirrored_copy(clean, tiles):
    clean.add("mirror.jpg", tiles[0].transpose(Image.Transpose.FLIP_LEFT_RIGHT), "real", split="test")
    assert only(clean.audit(), "near-duplicate").examples == (("real/0.jpg", "mirror.jpg"),)


def test_identical_pixels_on_the_other_side(clean):
    clean.add("copy.png", Image.open(clean.root / "real/0.jpg"), "real", split="test")
    audit = clean.audit()
    leak = only(audit, "duplicate")
    assert (leak.severity, leak.count, leak.examples) == ("leak", 1, (("real/0.jpg", "copy.png"),))
    assert "near-duplicate" not in kinds(audit)


def test_copies_on_the_same_side_are_a_note(clean, tiles, resaved):
    clean.add("same.png", Image.open(clean.root / "real/0.jpg"), "real", split="train")
    clean.add("alike.jpg", resaved(tiles[4], 50), "fake", split="train")
    audit = clean.audit()
    assert audit.leaks() == ()
    assert only(audit, "duplicate-inside").examples == (("real/0.jpg", "same.png"),)
    near = only(audit, "near-duplicate-inside")
    assert near.examples == (("real/4.jpg", "alike.jpg"),)
    assert "1 of them a real and a fake one" in near.message
    assert "--join-duplicates" in near.message


def test_a_group_in_two_folds(clean, tiles):
    manifest = clean.manifest().with_column("fold", [row % 5 for row in range(40)]).with_column("split", [None] * 40)
    assert clean.audit(manifest).leaks() == ()
    groups = manifest.values("group")
    groups[1] = groups[0]
    leak = only(clean.audit(manifest.with_column("group", groups)), "group")
    assert "1 group stands in more than one fold (0 and 1: 1)" in leak.message


def test_a_person_on_both_sides(clean):
    manifest = clean.manifest().with_column("identity", [f"id{row // 2}" for row in range(40)])
    leak = only(clean.audit(manifest), "identity")
    assert (leak.severity, leak.count) == ("leak", 20)
    assert leak.examples[0] == ("id0", "real/0.jpg", "real/1.jpg")


def test_the_same_name_in_another_corpus_is_another_person(clean):
    manifest = clean.manifest().with_column("identity", ["id0"] * 40)
    manifest = manifest.with_column("group", [("a", "b")[row % 2] + f":{row}" for row in range(40)])
    assert "identity" not in kinds(clean.audit(manifest))


def test_a_face_put_in_here_and_seen_there_is_a_note(clean):
    seen = [f"id{row}" for row in range(40)]
    put_in = [None] * 40
    put_in[2], put_in[4] = "id1", "id6"  # rows 0, 2, 4, 6 in train, row 1 in test
    manifest = clean.manifest().with_column("identity", seen).with_column("source_identity", put_in)
    note = only(clean.audit(manifest), "source-identity")
    assert (note.severity, note.count, note.examples) == ("note", 1, (("id1",),))


def test_identical_pixels_with_two_labels(clean):
    clean.add("wrong.png", Image.open(clean.root / "real/0.jpg"), "fake", split="train")
    warning = only(clean.audit(), "label-conflict")
    assert (warning.severity, warning.count, warning.examples) == ("warning", 1, (("real/0.jpg", "wrong.png"),))


def test_a_fake_and_its_original_in_one_group_are_no_conflict(clean, tiles):
    for label in ("real", "fake"):
        clean.add(f"pair/{label}.png", tiles[44], label, "pair", split="train")
    audit = clean.audit()
    assert "label-conflict" not in kinds(audit)
    assert only(audit, "duplicate-inside").count == 1


def test_joining_groups_does_not_hide_a_conflict(clean):
    clean.add("wrong.png", Image.open(clean.root / "real/0.jpg"), "fake", split="train")
    manifest = clean.manifest()
    examined = examine(manifest, cache_dir=clean.root.parent, workers=0)
    joined = join_groups(manifest, examined.duplicates)
    assert len(joined.codes("group")[1]) == 40
    assert only(clean.audit(joined), "label-conflict").count == 1


def test_unreadable_and_missing_files_are_told_apart(clean):
    (clean.root / "broken.jpg").write_bytes((clean.root / "real/0.jpg").read_bytes()[:900])
    clean.row("broken.jpg", "real", split="train")
    clean.row("gone.jpg", "fake", split="test")
    audit = clean.audit()
    assert only(audit, "unreadable").examples == (("broken.jpg",),)
    assert only(audit, "missing").examples == (("gone.jpg",),)
    assert set(audit.unreadable) == {"broken.jpg", "gone.jpg"}
    assert audit.readable == 40


def test_a_picture_of_nothing_is_a_note(clean):
    for split in ("train", "test"):
        clean.add(f"black-{split}.jpg", Image.new("RGB", (60, 60)), "real", split=split)
        clean.add(f"dark-{split}.jpg", Image.new("RGB", (61, 60), (2, 2, 2)), "real", split=split)
    audit = clean.audit()
    assert only(audit, "flat").count == 4
    assert "near-duplicate" not in kinds(audit)
    assert only(audit, "duplicate").count == 2


def test_one_class(tree, tiles):
    for index in range(6):
        tree.add(f"{index}.jpg", tiles[index], "real")
    audit = tree.audit()
    assert only(audit, "one-class").message.startswith("all 6 rows are real")
    assert audit.shortcuts == ()
    assert only(audit, "no-split").severity == "note"


def test_a_part_of_one_class(clean, tiles):
    clean.add("v.jpg", tiles[44], "fake", split="validation")
    assert only(clean.audit(), "one-class").message == "split: validation has only fake rows"


def test_rows_without_a_part(clean, tiles):
    clean.add("v.jpg", tiles[44], "fake")
    assert only(clean.audit(), "no-split").message.startswith("1 row stands in no part")


def test_a_class_that_is_rare_in_a_slice(clean):
    fake = [label == "fake" for label in clean.manifest().values("label")]
    manifest = clean.manifest().with_column("flipped", [True, False] * 20)
    manifest = manifest.with_column("generator", ["gan" if row else None for row in fake])
    animals = ["cat" if row else "dog" for row in fake]
    note = only(clean.audit(manifest.with_column("category", animals)), "imbalance")
    assert (note.severity, note.count) == ("note", 2)
    assert note.message.startswith("in 2 of 2 values of 'category' one class is rare: ")
    assert "dog has 0 fake and 20 real rows" in note.message
    animals[fake.index(True)] = animals[fake.index(False)] = "cow"
    assert "imbalance" not in kinds(clean.audit(manifest.with_column("category", animals)))  # too few rows to say so


def test_a_class_that_is_rare_in_the_whole(tree, tiles):
    for index in range(30):
        tree.add(f"{index}.jpg", tiles[index], "fake" if index < 3 else "real")
    warning = only(tree.audit(), "imbalance")
    assert (warning.severity, warning.message) == ("warning", "the whole has 3 fake and 27 real rows")


def test_a_planted_difference_of_format_is_named(tree, tiles):
    for index, tile in enumerate(tiles[:40]):
        tree.add(f"{index}.{('jpg', 'png')[index % 2]}", tile, ("real", "fake")[index % 2])
    audit = run.audit(tree.manifest(), cache_dir=tree.root.parent / "cache", workers=0)
    assert audit.shortcuts[0].auc == pytest.approx(1.0)
    told = " ".join(finding.message for finding in audit.warnings() if finding.kind == "shortcut")
    assert "format alone tells the label with an AUC of 1.00" in told
    assert "100% of the reals have the format jpeg" in told


@pytest.mark.parametrize(("codes", "expected"), [([0, 0, 1, -1], [(7, 0), (7, 1)]), ([0, 0, -1, 1], [])])
def test_scattered_values(codes, expected):
    values = np.array([7, 7, 7, -1])
    found = scattered(values, Sides("split", ("train", "test"), np.array(codes)))
    assert list(zip(*(each.tolist() for each in found), strict=True)) == expected


def test_sides_keep_the_order_of_a_split(clean):
    manifest = (
        clean.manifest().take(np.arange(39, -1, -1)).with_column("split", ["test", None, "validation", "train"] * 10)
    )
    (sides,) = sides_of(manifest)
    assert sides.names == ("train", "validation", "test")
    assert sides.codes[:4].tolist() == [2, -1, 1, 0]


def test_a_person_in_two_parts_of_a_table_made_by_hand(tmp_path):
    """Groups without a corpus are one corpus, or nobody would be met twice."""
    builder = ManifestBuilder(tmp_path)
    for number, split in enumerate(("train", "test")):
        builder.add(
            Row(path=f"{number}.jpg", label="real", group=str(number), dataset="d", split=split, identity="Ada")
        )
    manifest = builder.build()
    (side,) = sides_of(manifest)
    (leak,) = leaks(manifest, None, side)
    assert (leak.kind, leak.count) == ("identity", 1)
