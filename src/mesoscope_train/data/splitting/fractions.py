"""What is asked: fractions of the rows for named parts, or a number of folds."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from mesoscope.errors import UsageError
from mesoscope.manifest import SPLITS

FEWEST, MOST = 2, 100


@dataclass(frozen=True, slots=True)
class Fractions:
    """Shares of the rows for parts of a split.

    Attributes:
        parts: names out of ``train``, ``validation``, ``test``.
        shares: of each, positive, together 1.
    """

    parts: tuple[str, ...]
    shares: tuple[float, ...]

    @classmethod
    def parse(cls, text: str, parts: Sequence[str] | None = None) -> Fractions:
        """Read ``70:20:10`` (or ``0.7:0.2:0.1``, ``7:2:1``).

        Two numbers are train and validation: training chooses its checkpoint and its threshold on validation, and
        must not choose them on test. Whoever wants train and test names them as `parts`.

        Raises:
            UsageError: not two or three positive numbers, or `parts` are not as many different ones of a split.
        """
        try:
            numbers = [float(number) for number in text.split(":")]
        except ValueError:
            numbers = []
        if len(numbers) not in (2, 3) or not all(math.isfinite(number) and number > 0 for number in numbers):
            raise UsageError(f"--fractions {text}: give two or three positive numbers, as in 70:20:10 or 80:20")
        names = tuple(parts) if parts else SPLITS[: len(numbers)]
        unknown = [name for name in names if name not in SPLITS]
        if unknown or len(set(names)) != len(names):
            raise UsageError(f"--parts {','.join(names)}: name different ones of {', '.join(SPLITS)}")
        if len(names) != len(numbers):
            raise UsageError(
                f"--fractions {text} has {len(numbers)} numbers for {len(names)} parts: {', '.join(names)}"
            )
        return cls(names, tuple(number / sum(numbers) for number in numbers))

    def __str__(self) -> str:
        return " : ".join(f"{name} {share:.1%}" for name, share in zip(self.parts, self.shares, strict=True))

    def among(self, parts: Collection[str]) -> Fractions:
        """Only these parts, their shares scaled to 1; all parts where none of these is asked for."""
        kept = [(name, share) for name, share in zip(self.parts, self.shares, strict=True) if name in parts]
        if not kept:
            return self
        total = sum(share for _, share in kept)
        return Fractions(tuple(name for name, _ in kept), tuple(share / total for _, share in kept))


@dataclass(frozen=True, slots=True)
class Folds:
    """A number of folds for cross-validation.

    Attributes:
        count: 2 to 100.

    Raises:
        UsageError: fewer or more.
    """

    count: int

    def __post_init__(self) -> None:
        if not FEWEST <= self.count <= MOST:
            raise UsageError(f"--folds {self.count}: {FEWEST} to {MOST} folds can be made")

    @property
    def parts(self) -> tuple[str, ...]:
        """Names: ``fold 0``, ``fold 1`` and so on."""
        return tuple(f"fold {number}" for number in range(self.count))

    @property
    def shares(self) -> tuple[float, ...]:
        """Of each fold: equal."""
        return (1 / self.count,) * self.count


Plan = Fractions | Folds
