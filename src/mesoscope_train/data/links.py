"""What hangs together through pairs: if A was put into B and B into C, no split may come between the three."""

from __future__ import annotations

from collections.abc import Iterable


def components(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Each name that stands in a pair to the smallest name it is connected with, over any number of pairs.

    Numbers in names of equal form count as numbers: ``9`` is smaller than ``10``. A name in no pair is not there.

    >>> components([("3", "10"), ("10", "7"), ("4", "5")])
    {'3': '3', '10': '3', '7': '3', '4': '4', '5': '4'}
    """
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        parent.setdefault(name, name)
        while parent[name] != name:
            parent[name] = parent[parent[name]]  # halves the way for whoever comes next
            name = parent[name]
        return name

    for first, second in pairs:
        low, high = sorted((root(first), root(second)), key=_size)
        parent[high] = low
    return {name: root(name) for name in parent}


def _size(name: str) -> tuple[int, str]:
    return len(name), name
