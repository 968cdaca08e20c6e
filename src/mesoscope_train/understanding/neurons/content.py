"""What the page of neurons says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from mesoscope_train.understanding.layers import Layer
from mesoscope_train.understanding.neurons.kernels import Kernel
from mesoscope_train.understanding.neurons.maximise import Ascent, Reached
from mesoscope_train.understanding.neurons.sheets import (
    BLOCKS,
    ROWS,
    draw_chart,
    draw_filters,
    draw_kernels,
    draw_neurons,
)
from mesoscope_train.understanding.page import Chart, Page, Section
from mesoscope_train.understanding.subject import Subject

if TYPE_CHECKING:
    from mesoscope_train.understanding.neurons.run import NeuronOptions

_PER_FIGURE = BLOCKS * ROWS


def page_of(
    subject: Subject,
    kernels: Mapping[Layer, Sequence[Kernel]],
    filters: Sequence[Reached],
    neurons: Sequence[tuple[Reached, float]],
    options: NeuronOptions,
) -> Page:
    """The page, its sheets drawn."""
    fake = sum(weight > 0 for _, weight in neurons)
    return Page(
        kind="Mesoscope neurons",
        title=f"What {subject.name} looks for",
        facts=[
            (
                "Bundle",
                f"{subject.name}, {subject.bundle.contract.architecture}, sha256 {subject.bundle.sha256[:12]}",
            ),
            ("Pictures found by", _ascent(options.ascent)),
        ],
        numbers=[
            ("kernels", f"{sum(map(len, kernels.values())):,}"),
            ("filters", f"{len(filters):,}"),
            ("neurons towards fake", f"{fake:,}"),
            ("neurons towards real", f"{len(neurons) - fake:,}"),
        ],
        sections=[
            *_kernels(kernels),
            *([_filters(filters, options.ascent)] if filters else []),
            *([_neurons(neurons)] if neurons else []),
            _reading(),
        ],
        command=options.command,
        made=options.made,
    )


def _ascent(ascent: Ascent) -> str:
    how = "Fourier coefficients" if ascent.fourier else "pixels"
    jitter = f", jitter of {ascent.jitter} pixels" if ascent.jitter else ""
    return (
        f"{ascent.steps} steps of Adam (rate {ascent.rate:g}) on {how}{jitter}, maximising the activation minus "
        f"{ascent.penalty:g} times the {ascent.p:g}-norm of the input; seed {ascent.seed}"
    )


def _kernels(kernels: Mapping[Layer, Sequence[Kernel]]) -> list[Section]:
    if not kernels:
        return []
    sections = []
    for number, (layer, found) in enumerate(kernels.items()):
        charts = [Chart("chart", draw_chart(), "The test chart that kernels answer to.")] if number == 0 else []
        for start in range(0, len(found), _PER_FIGURE):
            some = found[start : start + _PER_FIGURE]
            more = f", {start + 1} to {start + len(some)}" if len(found) > _PER_FIGURE else ""
            charts.append(
                Chart(
                    f"kernels-{number + 1}-{start // _PER_FIGURE + 1}",
                    draw_kernels(some),
                    f"Kernels of {layer.name}{more}. Left: the pattern (white adds, black takes away); middle: what "
                    "it makes of the test chart; right: which frequencies it passes (centre: even surfaces)."
                    + (" Bars: weights of red, green, blue." if layer.sees_picture else ""),
                    pdf=True,
                )
            )
        sections.append(
            Section(
                f"kernels-{number + 1}", f"Kernels of {layer.name}", (_tally(found), _how(layer)), (), tuple(charts)
            )
        )
    return sections


def _tally(kernels: Sequence[Kernel]) -> str:
    """How many kernels are like which family of filters."""
    like: Counter[str] = Counter()
    for kernel in kernels:
        if kernel.likeness is None:
            like["all zero"] += 1
        elif abs(kernel.likeness.correlation) <= kernel.likeness.chance:
            like["like no named filter, more than a random kernel is"] += 1
        else:
            like[kernel.likeness.name.partition(" at ")[0]] += 1
    return f"Of {len(kernels)} kernels: " + "; ".join(f"{count} {name}" for name, count in like.most_common()) + "."


def _how(layer: Layer) -> str:
    if layer.sees_picture:
        return (
            "r is the correlation with the nearest named filter (Gaussian derivatives, blurs, a Laplacian; for 1 × 1 "
            "kernels mixes of colours). It stands in brackets where 5 % of random kernels come as near. "
            "‘One pattern’ is the share of the kernel that is a single pattern in a single colour."
        )
    return (
        "This layer reads the channels of the layer before, not the picture; each tile is one channel's way into one "
        "unit, shown on the chart's brightness."
    )


def _filters(found: Sequence[Reached], ascent: Ascent) -> Section:
    charts = tuple(
        Chart(
            f"filters-{number + 1}",
            draw_filters(list(some), ascent.over),
            f"Pictures that excite filters of {layer} most: {ascent.over} of the filter's output over positions, "
            "from the start to the picture shown.",
            pdf=True,
        )
        for number, (layer, some) in enumerate(groupby(found, lambda one: one.goal.layer))
    )
    text = (
        "Each picture was found by climbing, from grey with a little noise, towards what excites one filter most. "
        "The two numbers are the filter's output at the start and on the picture.",
    )
    return Section("filters", "Pictures that excite filters most", text, (), charts)


def _neurons(found: Sequence[tuple[Reached, float]]) -> Section:
    chart = Chart(
        "neurons",
        draw_neurons(found),
        "Pictures that excite neurons of the last hidden layer most, the strongest weights first. Weight: from the "
        "neuron to the network's logit; fires: its value at the start and on the picture.",
        pdf=True,
    )
    text = (
        "The last hidden layer's neurons are added up, each times its weight, to the network's answer. A neuron with "
        "a positive weight makes the picture look more fake to the network when it fires, one with a negative weight "
        "more real.",
    )
    return Section("neurons", "Neurons of the last hidden layer", text, (), (chart,))


def _reading() -> Section:
    return Section(
        "reading",
        "How not to read this page",
        (
            "These pictures lie far from any photograph; the network never saw anything like them. They show what "
            "drives a unit, not what drives it on real pictures, and not what a fake looks like.",
            "Another start, penalty or parametrisation gives another picture of the same unit: what several of them "
            "share can be believed.",
        ),
    )
