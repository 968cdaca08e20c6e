"""Chance that hangs on names."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np

from mesoscope_train.data.splitting.seeded import keys, mixed


def test_a_key_hangs_on_seed_purpose_and_name_only() -> None:
    both = keys(0, "unit", ["a", "b"])
    assert both.tolist() == keys(0, "unit", ["b", "a"]).tolist()[::-1]
    assert len({*both.tolist(), *keys(1, "unit", ["a", "b"]).tolist(), *keys(0, "row", ["a", "b"]).tolist()}) == 6
    key = blake2b(b"0/unit", digest_size=32).digest()
    assert both[0] == int.from_bytes(blake2b(b"a", digest_size=8, key=key).digest(), "little")


def test_keys_are_spread_evenly() -> None:
    shares = keys(3, "unit", [f"g{index}" for index in range(20_000)]).astype(np.float64) / 2.0**64
    assert np.abs(np.histogram(shares, 10, (0, 1))[0] / 2000 - 1).max() < 0.1


def test_mixing_keeps_numbers_apart() -> None:
    # the first value of SplitMix64 from the state 0, whose increment is added before the finaliser
    assert mixed(np.array([0x9E3779B97F4A7C15], np.uint64)).tolist() == [0xE220A8397B1DCDAF]
    assert len(np.unique(mixed(np.arange(100_000)))) == 100_000
