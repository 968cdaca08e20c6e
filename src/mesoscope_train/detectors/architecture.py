"""Architectures by name, and with options: ``NAME`` or ``NAME:key=value,key=value``.

`build_detector` is the one way from such a text to a network; `parse_architecture` says what else belongs to it.
Beside the options of its family every detector takes ``front=srm`` or ``front=npr``, fixed operations before it
(`mesoscope_train.detectors.fronts`), and ``svm=V``, a support vector machine of V vectors in the place of its output
layer (`mesoscope_train.detectors.svm`).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from mesoscope.errors import UsageError
from mesoscope.preprocess import Preprocess
from mesoscope.registry import Registry
from mesoscope_train.detectors import fronts
from mesoscope_train.detectors.base import Detector
from mesoscope_train.detectors.options import Options, parse_options
from mesoscope_train.detectors.svm import MOST_VECTORS, OPTION, SvmHead

SIZE = "size"
"""The option of networks that are built for one size of input."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where an architecture comes from; licences as SPDX identifiers or a sentence.

    Attributes:
        paper: authors, title, place, year; or that there is none.
        source: address of the authors' code, or what it was written after.
        code_licence: of that code.
        weights_licence: of the published weights, or that there are none.
    """

    paper: str
    source: str
    code_licence: str
    weights_licence: str


@dataclass(frozen=True, slots=True)
class DetectorEntry:
    """A registered family of architectures; `Architecture` is one of them, options chosen.

    Attributes:
        name: as in the registry.
        builder: a fresh, randomly initialised module; takes the options where there are any.
        options: their type; `Options` itself has none.
        preprocess: what it was designed for, or a function from the options to that.
        map_layer: name of the submodule whose output `Detector.activations` returns; called once a forward pass.
        any_size: it takes inputs of other sizes too; False for those with an option ``size``, and for a fixed one.
        provenance: paper, source, licences.
    """

    name: str
    builder: Callable[..., Detector]
    options: type[Options]
    preprocess: Preprocess | Callable[[Any], Preprocess]
    map_layer: str
    any_size: bool
    provenance: Provenance

    @property
    def header(self) -> str:
        """The docstring of the file it stands in."""
        module = inspect.getmodule(self.builder)
        return (module and module.__doc__) or ""


detectors: Registry[DetectorEntry] = Registry("detector")
_Builder = TypeVar("_Builder", bound=Callable[..., Detector])


def register(
    name: str,
    *,
    preprocess: Preprocess | Callable[[Any], Preprocess],
    map_layer: str,
    provenance: Provenance,
    options: type[Options] = Options,
    any_size: bool = False,
) -> Callable[[_Builder], _Builder]:
    """Decorate a `Detector` class, or a function that builds one, to enter it in `detectors`."""

    def enter(builder: _Builder) -> _Builder:
        entry = DetectorEntry(name, builder, options, preprocess, map_layer, any_size, provenance)
        detectors.register(name)(entry)
        return builder

    return enter


@dataclass(frozen=True, slots=True)
class Architecture:
    """One network: a family and its options. `str` of it is canonical and reads back as the same.

    Attributes:
        entry: the family.
        options: of it.
        front: name of what stands before the network, in `fronts`; empty for nothing.
        svm: vectors of the support vector machine in the place of the output layer; 0 for none.
    """

    entry: DetectorEntry
    options: Options
    front: str = ""
    svm: int = 0

    def __str__(self) -> str:
        front = f"{fronts.OPTION}={self.front}" if self.front else ""
        svm = f"{OPTION}={self.svm}" if self.svm else ""
        options = ",".join(part for part in (str(self.options), front, svm) if part)
        return f"{self.entry.name}:{options}" if options else self.entry.name

    @property
    def preprocess(self) -> Preprocess:
        """What it was designed for; the default where nothing else is said."""
        preprocess = self.entry.preprocess
        return preprocess if isinstance(preprocess, Preprocess) else preprocess(self.options)

    @property
    def map_layer(self) -> str:
        """Name of the submodule whose output the map is made of."""
        return self.entry.map_layer

    def build(self) -> Detector:
        """A fresh, randomly initialised module; a support vector machine in it is of zeros."""
        with_options = self.entry.options is not Options
        detector = self.entry.builder(self.options) if with_options else self.entry.builder()
        if self.front:
            detector = fronts.put_before(detector, self.front, self.preprocess)
        if self.svm:
            detector.svm = SvmHead(self.svm, detector.output_layer().in_features)
        return detector

    def with_svm(self, vectors: int) -> Architecture:
        """The same network with a support vector machine of so many vectors."""
        return replace(self, svm=vectors)

    def at_size(self, size: int) -> tuple[Architecture, Preprocess]:
        """The same for inputs of `size` pixels, and its preprocessing.

        Raises:
            UsageError: the network takes one size only, or none so small or large.
        """
        if SIZE in self.entry.options.model_fields:
            others = [part for part in str(self.options).split(",") if part and not part.startswith(f"{SIZE}=")]
            options = parse_options(self.entry.options, ",".join([*others, f"{SIZE}={size}"]), self.entry.name)
            changed = replace(self, options=options)
            return changed, changed.preprocess
        preprocess = self.preprocess
        if size != preprocess.size and not self.entry.any_size:
            raise UsageError(f"{self.entry.name} takes pictures of {preprocess.size} pixels only, not of {size}")
        if not 16 <= size <= 2048:
            raise UsageError(f"{self.entry.name}: a size of {size} pixels is not within 16 to 2048")
        return self, preprocess.model_copy(update={SIZE: size})


def parse_architecture(text: str) -> Architecture:
    """Read ``NAME`` or ``NAME:key=value,key=value``.

    Raises:
        UsageError: no such detector, or options that it does not have; the message names the known ones.
    """
    name, _, options = text.partition(":")
    entry = detectors[name]
    others, front = _without_front(options, name)
    others, svm = _without_svm(others, name)
    return Architecture(entry, parse_options(entry.options, others, name), front, svm)


def _without_front(options: str, name: str) -> tuple[str, str]:
    """The other options, and the name of the front end, empty for none."""
    parts = options.split(",") if options else []
    given = [part.removeprefix(f"{fronts.OPTION}=") for part in parts if part.startswith(f"{fronts.OPTION}=")]
    known = [fronts.NONE, *fronts.fronts]
    if len(given) > 1 or any(value not in known for value in given):
        raise UsageError(f"{name}: {fronts.OPTION} is one of {', '.join(known)}, once, and not {', '.join(given)}")
    front = given[0] if given and given[0] != fronts.NONE else ""
    return ",".join(part for part in parts if not part.startswith(f"{fronts.OPTION}=")), front


def _without_svm(options: str, name: str) -> tuple[str, int]:
    """The options of the family alone, and the vectors of the support vector machine, 0 for none."""
    parts = options.split(",") if options else []
    given = [part.removeprefix(f"{OPTION}=") for part in parts if part.startswith(f"{OPTION}=")]
    if not given:
        return options, 0
    if len(given) > 1 or not given[0].isdecimal() or not 1 <= int(given[0]) <= MOST_VECTORS:
        raise UsageError(
            f"{name}: {OPTION}=V is the number of a support vector machine's vectors, once, from 1 to {MOST_VECTORS}"
        )
    return ",".join(part for part in parts if not part.startswith(f"{OPTION}=")), int(given[0])


def build_detector(text: str) -> Detector:
    """The network of an architecture, fresh and randomly initialised: the one way from text to network.

    Raises:
        UsageError: see `parse_architecture`.
    """
    return parse_architecture(text).build()
