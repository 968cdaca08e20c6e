"""Balanced samples: counts, groups, frames, and what cannot be."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from mesoscope.errors import ManifestError, UsageError
from mesoscope_train.data.splitting import sample_even, sample_per_class


def test_as_many_of_each_class_and_each_group_once_before_any_twice(skewed) -> None:
    for seed in range(5):
        manifest = skewed(seed)
        for number in (10, 40, 100):
            sample = sample_per_class(manifest, number, seed=seed)
            labels = sample.manifest.values("label")
            assert labels.count("fake") == labels.count("real") == number
            for entry in sample.classes:
                there = Counter(
                    group
                    for group, label in zip(manifest.values("group"), manifest.values("label"), strict=True)
                    if label == entry.name
                )
                taken = Counter(
                    group
                    for group, label in zip(sample.manifest.values("group"), labels, strict=True)
                    if label == entry.name
                )
                assert (entry.rows, entry.groups) == (sum(there.values()), len(there))
                assert (entry.taken, entry.taken_groups, entry.most) == (number, len(taken), max(taken.values()))
                assert len(taken) == min(number, len(there))
                # who gave fewer than the most had no more to give, up to the turn that was not finished
                assert all(taken[group] >= min(there[group], entry.most - 1) for group in there)


def test_rows_keep_their_order_and_content(manifest_of) -> None:
    manifest = manifest_of(label=["real", "fake"] * 20)
    sample = sample_per_class(manifest, 5).manifest
    rows = [manifest.values("path").index(path) for path in sample.values("path")]
    assert rows == sorted(rows)
    assert sample.table.equals(manifest.take(rows).table)


def test_the_seed_counts_and_the_order_of_rows_does_not(skewed) -> None:
    manifest = skewed(1)
    chosen = set(sample_even(manifest, 60, seed=1).manifest.values("path"))
    order = np.random.default_rng(0).permutation(len(manifest))
    assert set(sample_even(manifest.take(order), 60, seed=1).manifest.values("path")) == chosen
    assert set(sample_even(manifest, 60, seed=2).manifest.values("path")) != chosen


def test_the_mix_of_the_study_is_evened_out(manifest_of) -> None:
    manifest = manifest_of(label=["fake"] * 793 + ["real"] * 163)
    assert Counter(sample_even(manifest).manifest.values("label")) == {"fake": 163, "real": 163}
    assert Counter(sample_even(manifest, 160).manifest.values("label")) == {"fake": 80, "real": 80}
    assert len(sample_even(manifest, 161).manifest) == 160


def test_classes_of_several_columns(manifest_of) -> None:
    manifest = manifest_of(label=["fake", "real"] * 30 + ["fake"] * 20, dataset=["a"] * 60 + ["b"] * 20)
    sample = sample_per_class(manifest, 10, by=("label", "dataset"))
    assert [(entry.name, entry.taken) for entry in sample.classes] == [
        ("fake of a", 10),
        ("fake of b", 10),
        ("real of a", 10),
    ]
    assert sample.warnings == ("the labels are not even (20 fake, 10 real): not every set or value has both",)
    assert not sample_per_class(manifest, 10).warnings


def test_classes_draw_from_different_groups(manifest_of) -> None:
    groups = [f"g{index}" for index in range(100)]
    manifest = manifest_of(label=["fake"] * 100 + ["real"] * 100, group=groups * 2)
    sample = sample_per_class(manifest, 20).manifest
    assert len(set(sample.values("group"))) > 30, "a fake does not draw its own original"


def test_videos_of_a_group_take_turns_and_frames_lie_far_apart(manifest_of) -> None:
    manifest = manifest_of(
        group=["g"] * 200,
        source_video=["v1"] * 100 + ["v2"] * 100,
        frame=[*range(100), *range(100)],
    )
    for seed in range(5):
        sample = sample_per_class(manifest, 8, seed=seed).manifest
        for video in ("v1", "v2"):
            frames = sorted(
                frame
                for frame, name in zip(sample.values("frame"), sample.values("source_video"), strict=True)
                if name == video
            )
            assert len(frames) == 4
            assert min(np.diff(frames)) >= 23


def test_frames_without_videos(manifest_of) -> None:
    manifest = manifest_of(group=["g"] * 100 + ["h"] * 50, frame=[*range(100), *[None] * 50])
    frames = sorted(frame for frame in sample_per_class(manifest, 8).manifest.values("frame") if frame is not None)
    assert len(frames) == 4
    assert min(np.diff(frames)) >= 23


def test_more_than_there_is_says_what_there_is(manifest_of) -> None:
    manifest = manifest_of(label=["real"] * 3 + ["fake"])
    with pytest.raises(UsageError, match=r"not 2 rows of each class; there are: fake 1, real 3"):
        sample_per_class(manifest, 2)
    with pytest.raises(UsageError, match=r"not 50 rows of each class"):
        sample_even(manifest, 100)


def test_what_cannot_be_asked(manifest_of) -> None:
    manifest = manifest_of(label=["real", "fake"], time=[0.1, 0.2])
    with pytest.raises(UsageError, match="at least 1 row"):
        sample_per_class(manifest, 0)
    with pytest.raises(UsageError, match="a total of 1 rows is less than one of each of 2 classes"):
        sample_even(manifest, 1)
    with pytest.raises(ManifestError, match="no column 'generator'"):
        sample_even(manifest, by=("generator",))
    with pytest.raises(UsageError, match="measured numbers"):
        sample_even(manifest, by=("time",))
