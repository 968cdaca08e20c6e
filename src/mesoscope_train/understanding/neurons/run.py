"""From a bundle to the sheets of its kernels, filters and neurons."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mesoscope.errors import UsageError
from mesoscope_train.data.audit.run import Stage, silent
from mesoscope_train.understanding.layers import Layer, chosen_layers, convolutions
from mesoscope_train.understanding.neurons.content import page_of
from mesoscope_train.understanding.neurons.kernels import Kernel, read_kernels, shown_layers
from mesoscope_train.understanding.neurons.maximise import AT_ONCE, Ascent, Goal, Reached, maximise
from mesoscope_train.understanding.page import prepare, write_json, write_page
from mesoscope_train.understanding.subject import Subject

NUMBERS = "neurons.json"
MOST_KERNELS = 64
"""Of one layer."""
_RANGE = re.compile(r"(\d+)(?:-(\d+))?")


@dataclass(frozen=True, slots=True)
class NeuronOptions:
    """What is shown.

    Attributes:
        layers: convolutions whose filters are excited; empty for the last one.
        filters: their channels, as ``0-7`` or ``1,4,9-11``.
        neurons: hidden neurons, likewise; None for those of the largest output weights, `strongest` of each sign.
        strongest: see there.
        ascent: how pictures are found.
        made: when, in words.
        command: that makes the page.
    """

    layers: Sequence[str] = ()
    filters: str = "0-7"
    neurons: str | None = None
    strongest: int = 8
    ascent: Ascent = field(default_factory=Ascent)
    made: str = ""
    command: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What was checked before the long work: kernels' layers, filters, and neurons with their output weights."""

    kernel_layers: tuple[Layer, ...]
    filters: tuple[Goal, ...]
    neurons: tuple[Goal, ...]
    weights: npt.NDArray[np.float64]


def check(subject: Subject, options: NeuronOptions, out: Path) -> Plan:
    """Whether it can be done, before the long work.

    Raises:
        UsageError: no such layer, filter or neuron (the message says which there are), or a directory that cannot be
            written.
    """
    layers = convolutions(subject.module, subject.spec.size)
    if not layers:
        raise UsageError(f"bundle {subject.name} has no convolution layer whose kernels and filters could be shown")
    chosen = chosen_layers(layers, options.layers) if options.layers else layers[-1:]
    filters = []
    for layer in chosen:
        asked = numbers_in(options.filters, "--filters")
        # the default asks for eight; a layer with fewer shows all it has
        there = [unit for unit in asked if unit < layer.channels or options.filters != NeuronOptions.filters]
        _within(there, layer.channels, f"layer {layer.name} has the filters")
        filters += [Goal(layer.name, unit) for unit in there]
    weights = output_weights(subject)
    if options.neurons is None:
        units = strongest(weights, options.strongest)
    else:
        units = numbers_in(options.neurons, "--neurons")
    _within(units, len(weights), "the last hidden layer has the neurons")
    prepare(out)
    return Plan(
        shown_layers(layers, subject.module), tuple(filters), tuple(Goal(None, unit) for unit in units), weights
    )


def output_weights(subject: Subject) -> npt.NDArray[np.float64]:
    """(D,) from each input of the last dense layer to the logit; positive speaks for fake."""
    weight = subject.module.output_layer().weight.detach().double().numpy()
    return np.asarray(weight[0] if len(weight) == 1 else weight[1] - weight[0], np.float64)


def strongest(weights: npt.NDArray[np.float64], count: int) -> list[int]:
    """The neurons of the largest weights, `count` of each sign, in ascending order."""
    chosen = []
    for sign in (1, -1):
        mine = np.flatnonzero(np.sign(weights) == sign)
        chosen += mine[np.argsort(-np.abs(weights[mine]), kind="stable")][:count].tolist()
    return sorted(chosen)


def numbers_in(text: str, flag: str) -> list[int]:
    """The whole numbers of ``0-7`` or ``1,4,9-11``, each once; none of ``none``.

    Raises:
        UsageError: it is something else.
    """
    if text.strip() == "none":
        return []
    numbers: dict[int, None] = {}
    for part in text.split(","):
        found = _RANGE.fullmatch(part.strip())
        if not found or int(found[2] or found[1]) < int(found[1]):
            raise UsageError(f"{flag} takes numbers and ranges such as 0-7 or 1,4,9-11, or none, not {text!r}")
        if int(found[2] or found[1]) - int(found[1]) > 10_000:
            raise UsageError(f"{flag}: {part.strip()} is more than anybody would look at")
        numbers.update(dict.fromkeys(range(int(found[1]), int(found[2] or found[1]) + 1)))
    return list(numbers)


def _within(units: Sequence[int], count: int, what: str) -> None:
    outside = [unit for unit in units if unit >= count]
    if outside:
        raise UsageError(f"{what} 0 to {count - 1}; there is no {outside[0]}")


def neuron_sheets(
    subject: Subject, out: Path, options: NeuronOptions, *, progress: Stage = silent
) -> tuple[Path, list[Reached]]:
    """Write the page, its sheets and its numbers.

    Args:
        subject: whose kernels and neurons.
        out: directory of ``index.html``, ``figures/`` (PNG and PDF) and ``neurons.json``.
        options: what is shown.
        progress: shows how far the work is.

    Returns:
        the page, and what was reached.

    Raises:
        UsageError: see `check`.
    """
    plan = check(subject, options, out)
    kernels = {
        layer: read_kernels(subject.module, layer, subject.spec)[:MOST_KERNELS] for layer in plan.kernel_layers
    }
    goals = (*plan.filters, *plan.neurons)
    with progress("climbing", _steps(goals, options.ascent)) as step:
        reached = maximise(subject, goals, options.ascent, step)
    filters, neurons = reached[: len(plan.filters)], reached[len(plan.filters) :]
    weighed = [(one, float(plan.weights[one.goal.unit])) for one in neurons]
    page = page_of(subject, kernels, filters, weighed, options)
    with progress("drawing sheets", sum(len(section.charts) for section in page.sections)) as step:
        index = write_page(page, out, step)
    write_json(_numbers(subject, kernels, filters, weighed, options), out / NUMBERS)
    return index, reached


def _steps(goals: Sequence[Goal], ascent: Ascent) -> int:
    per_layer = [sum(goal.layer == layer for goal in goals) for layer in {goal.layer for goal in goals}]
    return ascent.steps * sum(-(-count // AT_ONCE) for count in per_layer)


def _numbers(
    subject: Subject,
    kernels: dict[Layer, list[Kernel]],
    filters: Sequence[Reached],
    neurons: Sequence[tuple[Reached, float]],
    options: NeuronOptions,
) -> dict[str, Any]:
    ascent = options.ascent
    return {
        "schema": 1,
        "bundle": subject.name,
        "bundle_sha256": subject.bundle.sha256,
        "command": options.command,
        "ascent": {name: getattr(ascent, name) for name in Ascent.__dataclass_fields__},
        "kernels": [
            {
                "layer": kernel.layer,
                "unit": kernel.unit,
                "source": kernel.source,
                "pattern": kernel.pattern.tolist(),
                "colours": None if kernel.colours is None else kernel.colours.tolist(),
                "one_pattern_share": kernel.one_colour,
                "nearest": kernel.likeness and kernel.likeness.name,
                "correlation": kernel.likeness and kernel.likeness.correlation,
                "random_kernels_95_percent_below": kernel.likeness and kernel.likeness.chance,
            }
            for some in kernels.values()
            for kernel in some
        ],
        "filters": [{"layer": one.goal.layer, **_reached(one)} for one in filters],
        "neurons": [{"weight": weight, **_reached(one)} for one, weight in neurons],
    }


def _reached(one: Reached) -> dict[str, Any]:
    return {
        "unit": one.goal.unit,
        "start": one.start,
        "activation": one.activation,
        "penalty": one.penalty,
        "logit": one.logit,
    }
