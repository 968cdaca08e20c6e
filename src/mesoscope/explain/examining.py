"""All that is asked of one input: maps by every chosen method, how far each can be trusted, and what lies inside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mesoscope.errors import EngineError, UsageError
from mesoscope.explain.cells import to_cells
from mesoscope.explain.colours import MapScale
from mesoscope.explain.faithfulness import CONTROLS, measure_faithfulness
from mesoscope.explain.findings import FeatureMaps, Units, View
from mesoscope.explain.methods import Method, Opened, Subject
from mesoscope.explain.neutral import without_detail
from mesoscope.explain.sanity import RANDOM_NETWORKS, Sanity, compare
from mesoscope.types import Float32Array


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for.

    Attributes:
        methods: the first one's map also stands in the pictures of whole scenes and videos.
        layer: for the methods that take one; None for their own.
        controls: random maps for the test of faithfulness; 0 leaves it out.
        seed: of all that is random.
    """

    methods: tuple[Method, ...]
    layer: str | None = None
    controls: int = CONTROLS
    seed: int = 0


class Examiner:
    """Examines inputs of one subject.

    Args:
        subject: with the network inside, where it can be opened; without, there is no sanity check, no feature maps.
        wanted: what is asked.

    Raises:
        ExtraMissing: a method needs a part that is not installed.
        UsageError: a layer that does not exist, or that no method was asked for that takes one; a method that this
            detector cannot give.
    """

    def __init__(self, subject: Subject, wanted: Wanted) -> None:
        self.subject, self.wanted = subject, wanted
        self.opened = _opened(subject, wanted)
        self._random: list[list[Opened]] = []
        if subject.network is not None:
            for place in range(RANDOM_NETWORKS):
                self._random.append(_opened(subject.randomised(wanted.seed + 1 + place), wanted, with_floor=False))

    @property
    def first(self) -> Opened:
        """The method whose map stands in pictures of whole scenes."""
        return self.opened[0]

    def views(self, one: Float32Array, *, towards: int) -> list[View]:
        """The maps of one input (3, S, S), each tested; `towards` is 1 where the answer leans to fake, else -1."""
        neutral = without_detail(one) if self.wanted.controls else one
        return [self._view(place, one, neutral, towards) for place in range(len(self.opened))]

    def inside(self, one: Float32Array) -> tuple[list[FeatureMaps], Units | None]:
        """Feature maps and last hidden layer of one input; empty and None where the network is not open."""
        network = self.subject.network
        return ([], None) if network is None else (network.feature_maps(one), network.units(one))

    def _view(self, place: int, one: Float32Array, neutral: Float32Array, towards: int) -> View:
        opened = self.opened[place]
        map_ = _one_map(opened, one)
        faithfulness = None
        if self.wanted.controls:
            faithfulness = measure_faithfulness(
                one,
                map_,
                self.subject.logits,
                towards=towards,
                neutral=neutral,
                controls=self.wanted.controls,
                seed=self.wanted.seed,
            )
        layer = opened.layer or (self.subject.bundle.contract.explanation.layer if opened.method.layered else "")
        scale = MapScale(float(map_.min()), float(map_.max()), opened.floor)
        sanity = self._sanity(place, one, map_)
        return View(opened.method.name, opened.method.unit, layer, map_, scale, faithfulness, sanity)

    def _sanity(self, place: int, one: Float32Array, map_: Float32Array) -> Sanity | None:
        if not self._random:
            return None
        return compare(map_, [_one_map(opened[place], one) for opened in self._random])


def _opened(subject: Subject, wanted: Wanted, *, with_floor: bool = True) -> list[Opened]:
    if wanted.layer is not None and not any(method.layered for method in wanted.methods):
        names = ", ".join(method.name for method in wanted.methods)
        raise UsageError(f"--layer {wanted.layer}: {names} is not made of a layer; take --method grad-cam")
    return [
        method.open(subject, wanted.layer if method.layered else None, with_floor=with_floor)
        for method in wanted.methods
    ]


def _one_map(opened: Opened, one: Float32Array) -> Float32Array:
    map_ = to_cells(opened.explain(one[None])[0])
    if not np.isfinite(map_).all():
        raise EngineError(f"the explanation {opened.method.name} gave a value that is not finite")
    return map_
