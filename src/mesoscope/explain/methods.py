"""Ways to explain a score, behind one interface.

A `Method` is opened for a `Subject` (a bundle, something that judges, and where it is installed the network inside)
and becomes an `Explainer`: inputs in, signed maps out. Positive speaks for fake, negative for real, always.

Methods that need no gradients live beside this file and are registered in `methods`. Others come from elsewhere: a
distribution adds one with an entry point in the group ``mesoscope.explanations``, whose value is a `Method`; and what
looks inside a network with one in the group ``mesoscope.networks``, whose value is an `Elsewhere`. The modules that
hold these values are light; what they name is loaded when it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib.metadata import entry_points
from typing import Protocol

import numpy as np

from mesoscope.bundle import Bundle
from mesoscope.errors import EngineError, ExtraMissing, UsageError
from mesoscope.explain.cells import to_cells
from mesoscope.explain.findings import FeatureMaps, Units
from mesoscope.preprocess import to_batch
from mesoscope.registry import Elsewhere, Registry
from mesoscope.types import Float32Array

METHODS_GROUP = "mesoscope.explanations"
NETWORKS_GROUP = "mesoscope.networks"
GRAPH_MAP = "graph-map"
"""The method that every bundle has."""
GREY = 127
SMALLEST_FLOOR = 1e-9
"""Of methods that find exactly nothing on plain grey: a floor is above 0."""

Explainer = Callable[[Float32Array], Float32Array]
"""(N, 3, S, S) float32 inputs to (N, h, w) float32 maps: positive speaks for fake, negative for real."""
Judging = Callable[[Float32Array], tuple[Float32Array, Float32Array]]
"""(N, 3, S, S) float32 to logits (N,) and the graph's maps (N, h, w); `mesoscope.engine.Judge` is one."""


class Network(Protocol):
    """The network inside a bundle, where the part that can open it is installed.

    Attributes:
        layers: names of the layers that a map can be made of, from the input on.
    """

    @property
    def layers(self) -> tuple[str, ...]:
        """See the class."""

    def judge(self, batch: Float32Array) -> tuple[Float32Array, Float32Array]:
        """As `Judging`."""

    def feature_maps(self, one: Float32Array) -> list[FeatureMaps]:
        """What every convolution gives for one input (3, S, S), from the input on."""

    def units(self, one: Float32Array) -> Units | None:
        """What the last hidden layer adds to the logit of one input (3, S, S); None where that is no sum."""

    def randomised(self, seed: int) -> Network:
        """The same architecture with fresh random weights: it knows nothing."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is explained.

    Attributes:
        bundle: whose scores.
        judge: gives them.
        network: see `Network`; None where only the graph is there.
    """

    bundle: Bundle
    judge: Judging
    network: Network | None = None

    def logits(self, batch: Float32Array) -> Float32Array:
        """(N, 3, S, S) to (N,)."""
        return self.judge(batch)[0]

    def randomised(self, seed: int) -> Subject:
        """The same with random weights.

        Raises:
            UsageError: the network inside is not open.
        """
        if self.network is None:
            raise UsageError("weights can only be made random where the network inside the bundle is open")
        network = self.network.randomised(seed)
        return Subject(self.bundle, network.judge, network)


@dataclass(frozen=True, slots=True)
class Method:
    """One way to explain.

    Attributes:
        name: as ``--method`` takes it.
        summary: one line, for people.
        unit: of the map's values.
        load: where the opener is: from a `Subject` and the name of a layer (or None) to an `Explainer`.
        layered: whether it can be asked of a layer.
        source: authors, title, place, year.
    """

    name: str
    summary: str
    unit: str
    load: Elsewhere
    layered: bool
    source: str

    def open(self, subject: Subject, layer: str | None = None, *, with_floor: bool = True) -> Opened:
        """Open it for a subject; without its floor where only maps are compared.

        Raises:
            ExtraMissing: it needs a part that is not installed.
            UsageError: the layer does not exist, or the detector gives no map that shows places.
        """
        opener = self.load.found(f"the explanation '{self.name}'")
        explainer: Explainer = opener(subject, layer)
        return Opened(self, layer, explainer, _floor(self, subject, explainer) if with_floor else SMALLEST_FLOOR)


@dataclass(frozen=True, slots=True)
class Opened:
    """A method, ready for inputs of one subject.

    Attributes:
        method: which.
        layer: that was asked for; None for the method's own.
        explain: does it.
        floor: the largest absolute value of its map on plain grey, where there is nothing to see.
    """

    method: Method
    layer: str | None
    explain: Explainer
    floor: float


methods: Registry[Method] = Registry("explanation")
"""Those that need nothing but the runtime."""


def all_methods() -> Iterator[Method]:
    """The runtime's, then those of other distributions, by name."""
    yield from (methods[name] for name in methods)
    yield from (entry.load() for entry in sorted(entry_points(group=METHODS_GROUP), key=lambda entry: entry.name))


def find_method(name: str) -> Method:
    """A method by its name.

    Raises:
        UsageError: there is none; the message lists them.
    """
    if name in methods:
        return methods[name]
    for entry in entry_points(group=METHODS_GROUP):
        if entry.name == name:
            method: Method = entry.load()
            return method
    known = ", ".join(method.name for method in all_methods())
    raise UsageError(f"unknown explanation {name!r}; known: {known}")


def with_network(subject: Subject) -> Subject:
    """The same subject with the network inside its bundle.

    Raises:
        ExtraMissing: what can open it is not installed.
    """
    for entry in entry_points(group=NETWORKS_GROUP):
        place: Elsewhere = entry.load()
        opened: Network = place.found("what is inside a network")(subject.bundle)
        return replace(subject, network=opened)
    raise ExtraMissing("what is inside a network", "train")


def check_places(name: str, bundle: Bundle, maps: Float32Array) -> None:
    """Refuse maps (N, h, w) that have one cell: they say nothing of places.

    Raises:
        UsageError: as said; names methods that need no planes.
    """
    if maps.shape[1] * maps.shape[2] == 1:
        raise UsageError(
            f"bundle {bundle.contract.identifier} gives no spatial map (its map has a single cell), so {name} "
            "cannot show places; take --method occlusion or --method integrated-gradients, which need none"
        )


def _floor(method: Method, subject: Subject, explainer: Explainer) -> float:
    """The bundle's own floor for the map in its graph; for other methods the same measurement, made now."""
    contract = subject.bundle.contract
    if method.name == GRAPH_MAP:
        return contract.explanation.floor
    size = contract.preprocess.size
    grey = to_batch([np.full((size, size, 3), GREY, np.uint8)], contract.preprocess)
    values = to_cells(explainer(grey)[0])
    if not np.isfinite(values).all():
        raise EngineError(f"the explanation {method.name} gave a value that is not finite on a plain grey picture")
    return max(float(np.abs(values).max()), SMALLEST_FLOOR)
