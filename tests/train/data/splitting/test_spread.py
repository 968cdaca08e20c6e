"""Frames far apart first."""

from __future__ import annotations

import numpy as np
import pytest

from mesoscope_train.data.splitting.seeded import keys, mixed
from mesoscope_train.data.splitting.spread import ranks_within, spread_ranks


def ranks(frames: list[float], seed: int = 0, video: list[int] | None = None) -> list[int]:
    codes = np.array(video or [0] * len(frames))
    video_key = mixed(codes + seed)
    return spread_ranks(
        codes, np.array(frames, float), video_key, keys(seed, "row", map(str, range(len(frames))))
    ).tolist()


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("frames", [list(range(64)), list(range(0, 3000, 7)), list(range(100, 400))])
def test_every_beginning_lies_far_apart(frames: list[int], seed: int) -> None:
    order = np.argsort(ranks(frames, seed))
    span = frames[-1] - frames[0] + 1
    for number in (2, 4, 8):
        chosen = np.sort(np.array(frames)[order[:number]])
        around = np.append(np.diff(chosen), chosen[0] + span - chosen[-1])
        # frames at equal distances, each moved by less than one frame's distance
        assert around.min() >= span / number - 2 * (frames[1] - frames[0])


def test_videos_do_not_all_begin_with_their_first_frame() -> None:
    firsts = {int(np.argmin(ranks(list(range(30)), seed))) for seed in range(20)}
    assert len(firsts) > 5


def test_uneven_frames_are_spread_by_time_not_by_count() -> None:
    for seed in range(10):
        order = np.argsort(ranks([0, 1, 2, 3, 4, 1000], seed)).tolist()
        assert 5 in order[:2], "the lonely frame is one of the first two"


def test_a_second_face_of_a_frame_comes_last() -> None:
    order = np.argsort(ranks([0, 0, 10, 10, 20, 20])).tolist()
    assert {index // 2 for index in order[:3]} == {0, 1, 2}


def test_videos_are_ranked_apart_and_unknown_frames_by_chance() -> None:
    found = ranks([5, 6, np.nan, np.nan, np.nan], video=[1, 1, 0, 0, 0])
    assert sorted(found[:2]) == [0, 1]
    assert sorted(found[2:]) == [0, 1, 2]
    orders = {tuple(ranks([np.nan] * 4, seed)) for seed in range(20)}
    assert len(orders) > 5


def test_the_order_of_rows_does_not_matter() -> None:
    rng = np.random.default_rng(0)
    frame, video = rng.integers(0, 50, 200).astype(float), rng.integers(0, 5, 200)
    row = keys(0, "row", map(str, range(200)))
    found = spread_ranks(video, frame, mixed(video), row)
    order = rng.permutation(200)
    assert spread_ranks(video[order], frame[order], mixed(video)[order], row[order]).tolist() == found[order].tolist()


def test_ranks_within() -> None:
    codes = np.array([1, 0, 1, 0, 1])
    assert ranks_within(codes, np.array([3, 1, 4, 0, 2])).tolist() == [1, 1, 2, 0, 0]
