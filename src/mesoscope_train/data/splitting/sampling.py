"""Balanced samples that come from as many different groups as there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mesoscope.errors import UsageError
from mesoscope.manifest import Manifest
from mesoscope_train.data.splitting.groups import Ints
from mesoscope_train.data.splitting.seeded import keys, mixed
from mesoscope_train.data.splitting.spread import ranks_within, spread_ranks
from mesoscope_train.data.splitting.strata import Strata, strata_of


@dataclass(frozen=True, slots=True)
class Drawn:
    """What was drawn of one class.

    Attributes:
        name: values of the columns the classes are made of.
        rows: there are.
        groups: there are.
        taken: rows that were drawn.
        taken_groups: groups they come from.
        most: rows that came from one group.
    """

    name: str
    rows: int
    groups: int
    taken: int
    taken_groups: int
    most: int


@dataclass(frozen=True, slots=True)
class Sample:
    """A balanced sample.

    Attributes:
        manifest: the rows that were drawn, in their old order.
        classes: what was drawn of each.
        warnings: where it is less even than it looks.
    """

    manifest: Manifest
    classes: tuple[Drawn, ...]
    warnings: tuple[str, ...]


def sample_per_class(manifest: Manifest, number: int, *, by: Sequence[str] = ("label",), seed: int = 0) -> Sample:
    """Draw `number` rows of every class; the same for the same seed, whatever the order of the rows.

    One row of every group is drawn, in random order, before any group gives a second one. Within a group its videos
    take turns, and of a video frames far apart come first.

    Args:
        manifest: any.
        number: of rows of each class, at least 1.
        by: columns whose combinations are the classes.
        seed: of the shuffle.

    Raises:
        UsageError: a class has fewer rows; the message says what there is.
    """
    if number < 1:
        raise UsageError(f"at least 1 row of each class must be drawn, not {number}")
    classes = strata_of(manifest, by)
    rows = np.bincount(classes.of_row, minlength=len(classes))
    if (rows < number).any():
        there = ", ".join(f"{classes.name(index)} {count:,}" for index, count in enumerate(rows.tolist()))
        raise UsageError(f"there are not {number:,} rows of each class; there are: {there}")
    taken = _turns(manifest, classes, seed) < number
    group, _ = manifest.codes("group")
    drawn = tuple(_drawn(classes.name(index), group, classes.of_row == index, taken) for index in range(len(classes)))
    sampled = manifest.take(taken)
    return Sample(sampled, drawn, tuple(_uneven(sampled)))


def sample_even(
    manifest: Manifest, total: int | None = None, *, by: Sequence[str] = ("label",), seed: int = 0
) -> Sample:
    """Draw equally many rows of every class: as many as the smallest has, or `total` together.

    A total that is no multiple of the number of classes is rounded down to one. For the rest see `sample_per_class`.
    """
    classes = strata_of(manifest, by)
    smallest = int(np.bincount(classes.of_row).min())
    number = smallest if total is None else total // len(classes)
    if number < 1:
        raise UsageError(f"a total of {total} rows is less than one of each of {len(classes)} classes")
    return sample_per_class(manifest, number, by=by, seed=seed)


def _turns(manifest: Manifest, classes: Strata, seed: int) -> Ints:
    """(N,) The place of each row among those of its class in the order of drawing."""
    group, groups = manifest.codes("group")
    class_key = keys(seed, "class", map(classes.name, range(len(classes))))
    group_key = mixed(keys(seed, "group", groups)[group] ^ class_key[classes.of_row])
    row_key = keys(seed, "row", manifest.values("path"))
    owner = _joint(classes.of_row, group)
    video, video_key = owner, group_key
    if "source_video" in manifest:
        clip, clips = manifest.codes("source_video")
        video = _joint(owner, clip + 1)
        video_key = mixed(group_key ^ np.append(keys(seed, "video", clips), np.uint64(0))[clip])
    rank = spread_ranks(video, _frames(manifest), video_key, row_key)
    turn = ranks_within(owner, np.lexsort((row_key, video_key, rank, owner)))
    return ranks_within(classes.of_row, np.lexsort((row_key, group_key, turn, classes.of_row)))


def _joint(one: Ints, other: Ints) -> Ints:
    """(N,) A code of each pair."""
    _, codes = np.unique(one * (int(other.max()) + 1) + other, return_inverse=True)
    return np.asarray(codes, np.int64)


def _frames(manifest: Manifest) -> npt.NDArray[np.float64]:
    """(N,) Frame indices, NaN where unknown."""
    if "frame" not in manifest:
        return np.full(len(manifest), np.nan)
    return np.asarray(manifest.table.column("frame").to_numpy(), np.float64)


def _drawn(name: str, group: Ints, there: npt.NDArray[np.bool_], taken: npt.NDArray[np.bool_]) -> Drawn:

    _, from_each = np.unique(group[there & taken], return_counts=True)
    groups = len(np.unique(group[there]))
    return Drawn(name, int(there.sum()), groups, int(from_each.sum()), len(from_each), int(from_each.max()))


def _uneven(sampled: Manifest) -> list[str]:
    """A warning where classes are even and labels are not, because a set has one label only."""
    codes, labels = sampled.codes("label")
    counts = dict(zip(labels, np.bincount(codes).tolist(), strict=True))
    if len(set(counts.values())) == 1:
        return []
    numbers = ", ".join(f"{count:,} {label}" for label, count in sorted(counts.items()))
    return [f"the labels are not even ({numbers}): not every set or value has both"]
