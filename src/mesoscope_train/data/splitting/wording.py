"""Counts and names in sentences."""

from __future__ import annotations

from collections.abc import Sequence

_SHOWN = 3


def many(count: int, noun: str) -> str:
    """``1 group``, ``2,000 groups``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def few(names: Sequence[str]) -> str:
    """The first few names."""
    return ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
