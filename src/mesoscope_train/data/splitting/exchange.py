"""The last rows: two units of different parts change places, or one moves, while that brings the goal nearer."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mesoscope_train.data.splitting.groups import Ints
from mesoscope_train.data.splitting.seeded import Keys

Floats = npt.NDArray[np.float64]
_LEAST = 1e-9
"""Gains below this are rounding."""


def exchange(parts: Ints, held: Floats, share: Floats, keys: Keys) -> Ints:
    """Take the exchange that lowers the cost most, until none does.

    The cost is the sum over parts p of the squared distance of A_p from f_p A, divided by f_p, with A_p the sum of
    what a part's units hold, A that of all units, and f the share. It takes U² numbers of memory.

    Args:
        parts: (U,) of each unit, 0…P-1.
        held: (U, K) what each unit holds.
        share: (P,) of each part.
        keys: (U,) that order the units, so that equal gains do not depend on how units are numbered.

    Returns:
        (U,) the new parts.
    """
    order = np.argsort(keys)
    # a unit that holds nothing stands in every part, so that moving one is an exchange too
    held = np.concatenate([held[order], np.zeros((len(share), held.shape[1]))])
    place = np.concatenate([parts[order], np.arange(len(share))])
    square = (held**2).sum(axis=1)
    apart = square[:, None] + square[None] - 2 * held @ held.T
    total = held.sum(axis=0)
    for _ in range(len(place)):
        filled = np.stack([held[place == part].sum(axis=0) for part in range(len(share))])
        pull = held @ ((filled - share[:, None] * total) / share[:, None]).T
        lift = pull[:, place] - np.take_along_axis(pull, place[:, None], 1)
        gain = apart * (1 / share[place][:, None] + 1 / share[place][None]) + 2 * (lift + lift.T)
        gain[place[:, None] == place[None]] = 0
        one, other = np.unravel_index(gain.argmin(), gain.shape)
        if gain[one, other] > -_LEAST:
            break
        place[one], place[other] = place[other], place[one]
        place[len(parts) :] = np.arange(len(share))
    settled = np.empty_like(parts)
    settled[order] = place[: len(parts)]
    return settled
