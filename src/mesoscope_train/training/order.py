"""In which order rows are read: a function of seed and epoch alone, for any number of workers and processes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Ints = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class Draw:
    """One picture of an epoch.

    Attributes:
        row: index of the row.
        chance: seed of its augmentation; the two of a pair share it, so that they are changed alike.
        blended: the fake that is made of the row (`mesoscope_train.augment.self_blend`), not the row's own picture.
    """

    row: int
    chance: tuple[int, int, int]
    blended: bool = False


@dataclass(frozen=True)
class EpochOrder:
    """All batches of each epoch.

    Attributes:
        fake: (N,) bool, the rows' labels.
        groups: (N,) int64, equal numbers are one group.
        batch_size: of one process.
        seed: of the run.
        balance: ``even`` draws as many fakes as reals.
        pairs: batches hold real and fake side by side, of one group where it has both; even places are real.
        twins: every row is real and comes twice side by side: as it is, and blended with itself.
        rank, world: this process and how many there are; each takes every world-th batch.
    """

    fake: np.ndarray[Any, np.dtype[np.bool_]]
    groups: Ints
    batch_size: int
    seed: int
    balance: Literal["none", "even"] = "none"
    pairs: bool = False
    twins: bool = False
    rank: int = 0
    world: int = 1

    def __len__(self) -> int:
        """Batches an epoch and a process; what does not fill a batch on every process is left for another epoch."""
        return len(self.rows(0)) // (self.batch_size * self.world)

    def batches(self, epoch: int, skip: int = 0) -> Iterator[list[Draw]]:
        """The batches of an epoch for this process, without the first `skip`."""
        rows = self.rows(epoch)
        for index in range(skip, len(self)):
            start = (index * self.world + self.rank) * self.batch_size
            yield [
                Draw(int(rows[place]), (self.seed, epoch, self._chance(place)), self.twins and place % 2 == 1)
                for place in range(start, start + self.batch_size)
            ]

    def _chance(self, place: int) -> int:
        return place // 2 if self.pairs or self.twins else place

    def rows(self, epoch: int) -> Ints:
        """All rows of an epoch in order."""
        random = np.random.default_rng([self.seed, epoch])
        if self.twins:
            return np.repeat(random.permutation(len(self.fake)), 2).astype(np.int64)
        if self.pairs:
            return paired(self.fake, self.groups, random)
        if self.balance == "even":
            return even(self.fake, random)
        return random.permutation(len(self.fake)).astype(np.int64)


def even(fake: np.ndarray[Any, np.dtype[np.bool_]], random: np.random.Generator) -> Ints:
    """As many fakes as reals: the larger class whole, the smaller one again and again, each round in a new order."""
    real_rows, fake_rows = np.flatnonzero(~fake), np.flatnonzero(fake)
    wanted = max(len(real_rows), len(fake_rows))
    drawn = np.concatenate([_rounds(rows, wanted, random) for rows in (real_rows, fake_rows)])
    return drawn[random.permutation(len(drawn))]


def paired(fake: np.ndarray[Any, np.dtype[np.bool_]], groups: Ints, random: np.random.Generator) -> Ints:
    """(real, fake, real, fake, …): first one pair of every group that has both, then the rest by chance.

    Every row of the larger class comes about once; rows of the smaller class come again where they are too few.
    """
    by_group: dict[int, tuple[list[int], list[int]]] = {}
    for row in random.permutation(len(fake)):
        by_group.setdefault(int(groups[row]), ([], []))[int(fake[row])].append(int(row))
    pairs: list[tuple[int, int]] = []
    rest: tuple[list[int], list[int]] = ([], [])
    for members in by_group.values():
        together = min(map(len, members))
        pairs.extend(zip(members[0], members[1], strict=False))
        for side, rows in zip(rest, members, strict=True):
            side.extend(rows[together:])
    wanted = max(map(len, rest))
    everything = tuple(np.flatnonzero(fake == label) for label in (False, True))
    sides = [
        np.concatenate([np.array(side, np.int64), _rounds(rows, wanted - len(side), random)])
        for side, rows in zip(rest, everything, strict=True)
    ]
    pairs.extend(zip(*(side[random.permutation(wanted)].tolist() for side in sides), strict=True))
    order = random.permutation(len(pairs))
    return np.array(pairs, np.int64)[order].ravel()


def _rounds(rows: Ints, wanted: int, random: np.random.Generator) -> Ints:
    """`wanted` of the rows, none twice before all came once."""
    rounds = [random.permutation(rows) for _ in range(-(-wanted // len(rows)))]
    return np.concatenate([np.zeros(0, np.int64), *rounds])[:wanted].astype(np.int64)
