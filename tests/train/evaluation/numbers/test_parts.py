"""What is counted: pictures, videos, groups, tracks."""

from __future__ import annotations

import numpy as np
import pytest

from mesoscope_train.evaluation.parts import ANSWERED, ERROR, NOT_APPLICABLE, Grouping, parts_of, units_of


def units(known):
    part = next(parts_of(known, "m", ["clean"]))
    return list(units_of(part, Grouping(part)))


def test_parts_come_by_bundle_then_tier(rows, logits_of, table, scores):
    made = rows(12)
    known = scores(
        *(table(made, logits_of(made), bundle=b, tier=t) for t in ("web", "clean") for b in ("b-1", "a-1")),
        table(made, logits_of(made), manifest="other"),
    )
    found = [(p.where.bundle, p.where.tier) for p in parts_of(known, "m", ["clean", "web"])]
    assert found == [("b-1", "clean"), ("b-1", "web"), ("a-1", "clean"), ("a-1", "web")]


def test_a_group_with_a_fake_and_its_original_is_two_units(rows, table, scores):
    made = [{**row, "group": "same", "label": ("real", "fake")[i % 2]} for i, row in enumerate(rows(6))]
    _, mean, _ = units(scores(table(made, [0.0, 3.0, 1.0, 4.0, 2.0, 5.0])))
    assert mean.unit == "group"
    assert mean.fake.tolist() == [False, True]
    assert mean.sample.logit.tolist() == [1.0, 4.0]
    assert mean.sample.groups == 1


def test_videos_come_before_groups(rows, logits_of, table, scores):
    made = [{**row, "source_video": f"v{i // 2}"} for i, row in enumerate(rows(12))]
    pictures, mean, top = units(scores(table(made, logits_of(made))))
    assert [(u.unit, u.aggregation, u.fake.size) for u in (pictures, mean, top)] == [
        ("picture", None, 12), ("video", "mean", 8), ("video", "top-k", 8),
    ]  # fmt: skip


def test_a_picture_of_no_video_stands_alone_beside_videos(rows, logits_of, table, scores):
    made = [{**row, "source_video": "v" if i < 3 else None} for i, row in enumerate(rows(6))]
    _, mean, _ = units(scores(table(made, logits_of(made))))
    assert mean.fake.size == 4


def test_tracks_are_told_apart_where_faces_are_numbered(rows, table, scores):
    made = [{**row, "source_video": f"v{i // 4}", "label": "real", "face": i % 2} for i, row in enumerate(rows(8))]
    logits = [0.0, 4.0, 2.0, 6.0, 9.0, -1.0, 7.0, -3.0]
    *_, tracks = units(scores(table(made, logits)))
    assert tracks.aggregation == "per-track"
    assert tracks.sample.logit.tolist() == [5.0, 8.0]


@pytest.mark.parametrize("face", [lambda _: 0, lambda i: None if i == 3 else i % 2])
def test_tracks_need_several_faces_all_of_them_known(rows, logits_of, table, scores, face):
    made = [{**row, "source_video": f"v{i // 4}", "face": face(i)} for i, row in enumerate(rows(8))]
    assert [u.aggregation for u in units(scores(table(made, logits_of(made))))] == [None, "mean", "top-k"]


def test_pictures_of_one_row_each_make_no_groups(rows, logits_of, table, scores):
    made = rows(8, frames=1)
    assert len(units(scores(table(made, logits_of(made))))) == 1


def test_a_video_is_answered_by_its_answered_rows(rows, table, scores):
    made = [{**row, "source_video": f"v{i // 3}"} for i, row in enumerate(rows(9))]
    known = scores(table(made[:6], [1.0, None, 3.0, None, None, None]), table(made[6:], [None] * 3, outcome="error"))
    _, mean, _ = units(known)
    assert mean.state.tolist() == [ANSWERED, NOT_APPLICABLE, ERROR]
    assert mean.sample.logit.tolist() == [2.0]
    assert mean.sample.silent.sum() == 2
    counts = mean.counts()
    assert (counts.answered_real, counts.not_applicable_fake, counts.error_real) == (1, 1, 1)


def test_taken_units_keep_their_silent_ones(rows, table, scores):
    made = rows(9)
    pictures = units(scores(table(made, [1.0, None, 3.0, 4.0, None, None, 5.0, 6.0, 7.0])))[0]
    part = pictures.take(np.arange(9) < 5)
    assert part.sample.logit.tolist() == [1.0, 3.0, 4.0]
    assert part.sample.silent.tolist() == [1, 1, 0]
    assert part.sample.compact().groups == 2
    assert part.counts().total == 5


def test_names_are_the_same_in_all_parts(rows, logits_of, table, scores):
    made = rows(12)
    known = scores(table(made, logits_of(made)), table(made[::-1], logits_of(made), bundle="c-1"))
    first, second = parts_of(known, "m", ["clean"])
    grouping = Grouping(first)
    (one, *_), (other, *_) = units_of(first, grouping), units_of(second, grouping)
    assert one.name.tolist() == other.name.tolist()[::-1]
    assert one.group.tolist() == other.group.tolist()[::-1]


@pytest.mark.parametrize(
    ("group", "told"),
    [
        (lambda _: None, ("names no groups", 120)),
        (lambda index: f"own-{index}", ("no two have the same group", 120)),
        (lambda index: None if index < 20 else "g" + str(index // 4), ("20 pictures without one", 45)),
    ],
)
def test_what_is_drawn_again_is_said(rows, table, scores, group, told):
    made = [{**row, "group": group(index)} for index, row in enumerate(rows())]
    grouping = Grouping(next(parts_of(scores(table(made, range(120))), "m", ["clean"])))
    assert told[0] in grouping.words
    assert grouping.groups == told[1]
