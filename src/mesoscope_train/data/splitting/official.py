"""Splits that a publisher made: rows keep them, and what belongs to them goes with them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from mesoscope.manifest import SPLITS, Manifest
from mesoscope_train.data.splitting.groups import PEOPLE, Ints, Units
from mesoscope_train.data.splitting.wording import few, many
from mesoscope_train.errors import LeakError

NONE = -1
TEST = SPLITS.index("test")


@dataclass(frozen=True, slots=True)
class Leak:
    """Units that stand in two official splits.

    Attributes:
        kind: ``group``, or the column that ties its groups: ``identity``.
        count: of groups, or of units where no single group is split.
        message: a clause with the first few.
    """

    kind: str
    count: int
    message: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Where rows stand before anything is cut.

    Attributes:
        part: (N,) index into `SPLITS`, `NONE` for rows that wait to be cut.
        joined: rows without a split that go where the rest of their unit officially stands.
        leaks: what the publisher's split leaks.
    """

    part: Ints
    joined: int
    leaks: tuple[Leak, ...]


def official_parts(manifest: Manifest, reopened: Collection[str] = ()) -> Ints:
    """(N,) index into `SPLITS` of the split each row came with; `NONE` where it has none or it is reopened."""
    if "split" not in manifest:
        return np.full(len(manifest), NONE, np.int64)
    codes, names = manifest.codes("split")
    known = [NONE if name in reopened else SPLITS.index(name) for name in names]
    parts: Ints = np.array([*known, NONE], np.int64)[codes]
    return parts


def pooled(official: Ints) -> Ints:
    """The same for folds: official train and validation are one pool that is cut; only test stays apart."""
    one_pool: Ints = np.where(np.isin(official, (NONE, TEST)), official, SPLITS.index("train"))
    return one_pool


def stand(official: Ints, units: Units, by: Sequence[str]) -> Standing:
    """Let units that touch an official part go there whole.

    Of a unit in several parts the official rows stay as published, and its other rows go where most of it stands.
    """
    rows = _standing_rows(official, units.of_row, len(units))
    place = np.where(rows.any(axis=1), rows.argmax(axis=1), NONE)
    part = np.where(official == NONE, place[units.of_row], official)
    joined = int(np.count_nonzero(part != official))
    return Standing(part, joined, tuple(_leaks(official, rows, units, by)))


def refuse_leaks(leaks: Sequence[Leak], allowed: Collection[str]) -> None:
    """Stop unless every kind of leak is allowed by name.

    Raises:
        LeakError: one is not.
    """
    wrong = [leak for leak in leaks if leak.kind not in allowed]
    if wrong:
        found = "; ".join(leak.message for leak in wrong)
        allowing = " ".join(f"--allow-leak {leak.kind}" for leak in wrong)
        raise LeakError(
            f"the split that the data came with leaks: {found}. Keep it as published with {allowing}, or cut anew "
            "with --ignore-official"
        )


def _standing_rows(official: Ints, codes: Ints, count: int) -> Ints:
    """(count, 3) official rows that each code has in each split."""
    marked = official != NONE
    places = codes[marked] * len(SPLITS) + official[marked]
    return np.bincount(places, minlength=count * len(SPLITS)).reshape(count, len(SPLITS))


def _leaks(official: Ints, rows: Ints, units: Units, by: Sequence[str]) -> list[Leak]:
    leaky = np.flatnonzero(np.count_nonzero(rows, axis=1) > 1)
    if not len(leaky):
        return []
    in_parts = np.count_nonzero(_standing_rows(official, units.group_of_row, len(units.groups)), axis=1)
    groups = np.flatnonzero(in_parts > 1)
    tied = np.setdiff1d(leaky, units.of_group[groups])
    found = []
    if len(groups):
        names = sorted(units.groups[group] for group in groups)
        found.append(Leak("group", len(groups), f"{many(len(groups), 'group')} in several parts ({few(names)})"))
    if len(tied):
        column = next(column for column in by if column != "group")
        kind = "identity" if column in PEOPLE else column
        names = sorted(units.name(unit) for unit in tied)
        message = f"{many(len(tied), 'set')} of groups tied by '{kind}' in several parts ({few(names)})"
        found.append(Leak(kind, len(tied), message))
    return found
