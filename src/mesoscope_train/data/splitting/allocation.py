"""Units to parts, so that every part gets its share of every stratum as nearly as whole units allow.

What counts is the sum over parts p and strata s of (A_ps - f_p N_s)² / (f_p N_s²), with A the rows a part has of a
stratum, N all its rows and f the part's share. Divided by f_p, the part that is filled least takes the next unit, so
that large groups do not all end in the largest part; divided by N_s², every stratum counts alike, whatever its size.

Units are placed greedily, large ones first, as scikit-learn's StratifiedGroupKFold does with equal parts. A part that
a unit would overfill takes it only where each would be overfilled; there the sums over several strata (a label, a
set, all rows) count as well, so that the rounding of many small strata does not add up. Units of one profile are
placed at once: the cost is then convex and separable over the parts, and the greedy way its exact optimum (Ibaraki
and Katoh, *Resource Allocation Problems*, 1988), found by the level to which all parts are filled. Where there are
few units, several orders are tried, units change places while that helps, and the best result is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from mesoscope_train.data.splitting.exchange import Floats, exchange
from mesoscope_train.data.splitting.groups import Ints
from mesoscope_train.data.splitting.profiles import Profile, profiles_of
from mesoscope_train.data.splitting.seeded import Keys, mixed

_TRIES, _PLACED = 16, 4000
"""Orders that are tried at most, and units that are placed at most for it."""
_EXCHANGED = 300
"""Up to so many units change places."""
_SUMS = 0.1
"""Weight of the sums over strata against strata: enough that many roundings do not add up, too little for a stratum
to miss its shares only because another one does."""
_HALVINGS = 64
_SLACK = 1e-9


@dataclass(frozen=True, slots=True)
class _Goal:
    """What is wanted.

    Attributes:
        share: (P,) of each part.
        rows: (S,) of each stratum.
        sums: (S, C) 0 or 1, see `Strata`.
    """

    share: Floats
    rows: Ints
    sums: Ints

    def scaled(self, rows: Ints | Floats) -> Floats:
        """(…, S) rows as (…, S + C) numbers of which a square counts the same in every stratum.

        A row in a sum of n strata weighs as one in a stratum of average size, and all sums together `_SUMS`.
        """
        strata = rows / np.maximum(self.rows, 1)
        sizes = self.sums.sum(axis=0) / np.maximum(self.rows @ self.sums, 1)
        sums = (rows @ self.sums) * sizes * np.sqrt(_SUMS / max(1, self.sums.shape[1]))
        return np.concatenate([strata, sums], axis=-1)

    def cost(self, part: Ints, stratum: Ints) -> float:
        """How far rows (N,) of these parts and strata are from the goal."""
        rows = _table(part, stratum, len(self.share), len(self.rows))
        excess = self.scaled(rows - self.share[:, None] * self.rows)
        return float(((excess**2).sum(axis=1) / self.share).sum())


def allocate(unit: Ints, stratum: Ints, sums: Ints, shares: Sequence[float], keys: Keys) -> Ints:
    """A part for every unit.

    Args:
        unit: (N,) of each row, 0…U-1, each at least once.
        stratum: (N,) of each row, 0…S-1.
        sums: (S, C) 0 or 1, see `Strata`.
        shares: (P,) wanted of each part, positive, together 1.
        keys: (U,) seeded; the result depends on them and on no order of rows or units.

    Returns:
        (U,) 0…P-1.
    """
    goal = _Goal(np.asarray(shares, np.float64), np.bincount(stratum, minlength=len(sums)), sums)
    held = goal.scaled(_table(unit, stratum, len(keys), len(sums))) if len(keys) <= _EXCHANGED else None
    found = []
    for number in range(min(_TRIES, max(1, _PLACED // len(keys)))):
        order = mixed(keys + np.uint64(number)) if number else keys
        parts = _greedy(
            profiles_of(unit, stratum, len(sums), order), len(keys), goal, round_over_sums=number % 2 == 0
        )
        found.append(parts if held is None else exchange(parts, held, goal.share, keys))
    return found[0] if len(found) == 1 else min(found, key=lambda parts: goal.cost(parts[unit], stratum))


def _table(one: Ints, other: Ints, ones: int, others: int) -> Ints:
    """(ones, others) How often each pair of codes occurs."""
    return np.bincount(one * others + other, minlength=ones * others).reshape(ones, others)


def _greedy(profiles: Iterable[Profile], units: int, goal: _Goal, *, round_over_sums: bool) -> Ints:
    """Parts of the units, placed once and for all.

    Args:
        profiles: all units.
        units: how many.
        goal: shares and strata.
        round_over_sums: whether a unit that fits nowhere also heeds the sums over strata.
    """
    parts = np.empty(units, np.int64)
    excess = -goal.share[:, None] * goal.rows
    weight = 1 / np.maximum(goal.rows, 1).astype(np.float64) ** 2
    for profile in profiles:
        number, strata, rows = len(profile.units), profile.strata, profile.rows
        pull = weight[strata] * rows
        curve = float(pull @ rows)
        room = np.floor((-excess[:, strata] / rows).min(axis=1) + _SLACK).clip(min=0).astype(np.int64)
        taken = _fill(min(number, int(room.sum())), excess[:, strata] @ pull, curve, goal.share, room)
        excess[:, strata] += taken[:, None] * rows
        rest = number - int(taken.sum())
        if rest:
            slope = excess[:, strata] @ pull
            if round_over_sums and goal.sums.size:
                slope, curve = slope + _slope_of_sums(profile, excess, goal.sums, curve), 2 * curve
            more = _fill(rest, slope, curve, goal.share, np.full(len(goal.share), rest))
            excess[:, strata] += more[:, None] * rows
            taken = taken + more
        parts[profile.units] = np.repeat(np.arange(len(goal.share)), taken)
    return parts


def _slope_of_sums(profile: Profile, excess: Floats, sums: Ints, curve: float) -> Floats:
    """(P,) What a unit adds to the sums it counts in, weighed so that they together curve as the strata do."""
    rows = profile.rows @ sums[profile.strata]
    held = np.flatnonzero(rows)
    slope: Floats = (excess @ sums[:, held]) @ (1 / rows[held]) * (curve / len(held))
    return slope


def _fill(number: int, slope: Floats, curve: float, share: Floats, room: Ints) -> Ints:
    """The integers m with sum `number` and 0 <= m <= room that minimise the sum of (curve m² + 2 slope m) / share."""
    taken = np.zeros(len(share), np.int64)
    if number > len(share):
        low, high = (slope / share).min(), ((slope + curve * number) / share).max()
        for _ in range(_HALVINGS):
            level = (low + high) / 2
            if ((level * share - slope) / curve).clip(0, room).sum() < number:
                low = level
            else:
                high = level
        # one less than the level says: rounding may hide a unit, and what is missing is placed one by one
        taken = (np.floor(((low * share - slope) / curve).clip(0, room)).astype(np.int64) - 1).clip(min=0)
    for _ in range(number - int(taken.sum())):
        cost = np.where(taken < room, (curve * (2 * taken + 1) + 2 * slope) / share, np.inf)
        taken[cost.argmin()] += 1
    return taken
