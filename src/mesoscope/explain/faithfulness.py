"""Does a map show what the score rests on? Measured by taking away and putting back, against random maps.

Deletion and insertion: V. Petsiuk, A. Das, K. Saenko, "RISE: Randomized Input Sampling for Explanation of Black-box
Models", BMVC 2018. Cells are taken away from the input, those that speak most for the answer first, and the logit
falls the sooner the truer the map is; put back in the same order into an input without detail, it rises the sooner.

Two things differ from the paper. The logit is measured and not the probability, which saturates. And the map is held
against *the same map moved elsewhere* (shifted round the edges, turned and mirrored at random): such maps have the
same patches, so that nothing but the place makes the difference. Noise would scatter holes over the input, whose
edges alone move the score of a network that looks at fine detail.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mesoscope.explain.cells import at_pixels, ranks, to_cells
from mesoscope.types import Float32Array

FRACTIONS = (0.0, 0.05, 0.1, 0.2, 0.4, 0.7, 1.0)
"""Shares of the input taken away (or put back); dense where curves are steep."""
CONTROLS = 19
"""Random maps: the least number of which none may be as good for chance to be at most one in twenty."""
CHANCE = 0.05
Logits = Callable[[Float32Array], Float32Array]
"""(N, 3, S, S) float32 to (N,) float32."""
_Curves = tuple[Float32Array, Float32Array]


@dataclass(frozen=True, slots=True, eq=False)
class Faithfulness:
    """Deletion and insertion of one map and of random ones.

    Attributes:
        towards: 1 where the answer leans to fake, -1 where it leans to real.
        deletion, insertion: (F,) float32, the logit at each of `FRACTIONS`.
        random_deletion, random_insertion: (R, F) float32, the same of R moved maps.
    """

    towards: int
    deletion: Float32Array
    insertion: Float32Array
    random_deletion: Float32Array
    random_insertion: Float32Array

    @property
    def gain(self) -> float:
        """Mean logit towards the answer, insertion less deletion: the larger the truer the map."""
        return float(self.towards * (_mean(self.insertion) - _mean(self.deletion)))

    @property
    def random_gains(self) -> npt.NDArray[np.float64]:
        """(R,) the same of the random maps."""
        return self.towards * (_mean(self.random_insertion) - _mean(self.random_deletion))

    @property
    def beaten(self) -> int:
        """How many random maps are worse."""
        return int((self.random_gains < self.gain).sum())

    @property
    def chance(self) -> float:
        """How often a random map would do as well or better, in (0, 1] (a rank test)."""
        return (1 + len(self.random_gains) - self.beaten) / (1 + len(self.random_gains))

    @property
    def decides(self) -> bool:
        """Whether there are enough random maps for an answer either way."""
        return 1 / (1 + len(self.random_gains)) <= CHANCE

    @property
    def better_than_chance(self) -> bool:
        """Whether a random map does as well in at most one of twenty cases; never with too few of them."""
        return self.chance <= CHANCE

    @property
    def sentence(self) -> str:
        """The result in words."""
        count = len(self.random_gains)
        figures = f"gain {self.gain:+.2f} logits, random {_range(self.random_gains)}"
        if not self.decides:
            return f"Too few random maps to tell: {count - self.beaten} of {count} do as well or better ({figures})."
        if self.better_than_chance:
            return f"Better than all but {count - self.beaten} of {count} random maps ({figures})."
        return (
            f"No localised evidence: {count - self.beaten} of {count} random maps do as well or better ({figures})."
        )


def measure_faithfulness(
    one: Float32Array,
    map_: Float32Array,
    logits: Logits,
    *,
    towards: int,
    neutral: Float32Array,
    controls: int = CONTROLS,
    seed: int = 0,
) -> Faithfulness:
    """Deletion and insertion curves of a map and of `controls` random ones.

    Args:
        one: the input, (3, S, S) float32.
        map_: (h, w) float32, positive speaks for fake.
        logits: judges.
        towards: 1 to test the evidence for fake, -1 for real.
        neutral: (3, S, S) float32, what stands in for what is taken away.
        controls: random maps.
        seed: of their places.
    """
    rng = np.random.default_rng(seed)
    cells = towards * to_cells(map_)
    whole, nothing = (float(value) for value in logits(np.stack([one, neutral])))

    def curves(values: Float32Array) -> _Curves:
        places = at_pixels(ranks(values, rng), one.shape[-1])
        inner = FRACTIONS[1:-1]
        gone = [places < round(fraction * values.size) for fraction in inner]
        batch = [np.where(mask, neutral, one) for mask in gone] + [np.where(mask, one, neutral) for mask in gone]
        answers = logits(np.stack(batch))
        deletion = np.array([whole, *answers[: len(inner)], nothing], np.float32)
        insertion = np.array([nothing, *answers[len(inner) :], whole], np.float32)
        return deletion, insertion

    deletion, insertion = curves(cells)
    random = [curves(moved(cells, rng)) for _ in range(controls)]
    shape = (controls, len(FRACTIONS))
    return Faithfulness(
        towards,
        deletion,
        insertion,
        np.array([one for one, _ in random], np.float32).reshape(shape),
        np.array([one for _, one in random], np.float32).reshape(shape),
    )


def moved(values: Float32Array, rng: np.random.Generator) -> Float32Array:
    """A map shifted round its edges by chance, and turned or mirrored where it is square."""
    high, wide = values.shape
    out = np.roll(values, (int(rng.integers(high)), int(rng.integers(wide))), (0, 1))
    if high == wide:
        out = np.rot90(out, int(rng.integers(4)))
    return np.ascontiguousarray(out[:, ::-1] if rng.integers(2) else out)


def _mean(curve: Float32Array) -> npt.NDArray[np.float64]:
    """The mean of curves (..., F) over the shares from 0 to 1 (trapezoids)."""
    return np.asarray(np.trapezoid(curve.astype(np.float64), FRACTIONS, axis=-1))


def _range(values: npt.NDArray[np.float64]) -> str:
    return f"{values.min():+.2f} to {values.max():+.2f}" if len(values) else "not measured"
