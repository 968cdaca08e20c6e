"""Connected components, against scipy's."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from mesoscope_train.data.links import components


def test_by_hand() -> None:
    assert components([("3", "10"), ("10", "7"), ("4", "5")]) == {"3": "3", "10": "3", "7": "3", "4": "4", "5": "4"}
    assert components([]) == {}
    assert components([("a", "a")]) == {"a": "a"}


def test_numbers_count_as_numbers() -> None:
    assert components([("10", "9")])["10"] == "9"


def test_against_scipy_in_any_order() -> None:
    rng = np.random.default_rng(0)
    pairs = rng.integers(0, 60, (45, 2)).tolist()
    graph = coo_matrix((np.ones(len(pairs)), tuple(np.array(pairs).T)), shape=(60, 60))
    _, of = connected_components(graph, directed=False)
    expected = {str(n): str(min(m for m in range(60) if of[m] == of[n])) for pair in pairs for n in pair}
    texts = [(str(a), str(b)) for a, b in pairs]
    assert components(texts) == expected
    rng.shuffle(texts)
    assert components((b, a) for a, b in texts) == expected
