"""``graph-map``: the map that is exported in every bundle's graph. Needs no gradients, costs nothing more."""

from __future__ import annotations

import numpy as np

from mesoscope.errors import UsageError
from mesoscope.explain.methods import GRAPH_MAP, Explainer, Method, Subject, check_places, methods
from mesoscope.registry import Elsewhere
from mesoscope.types import Float32Array


def open_graph_map(subject: Subject, layer: str | None = None) -> Explainer:
    """The graph's second output; see `Method.open`.

    Raises:
        UsageError: another layer than the graph's, or the graph's map has a single cell.
    """
    contract = subject.bundle.contract
    if layer not in (None, contract.explanation.layer):
        raise UsageError(
            f"the map in the graph of {contract.identifier} is that of its layer {contract.explanation.layer}; "
            "for another layer take --method grad-cam"
        )
    size = contract.preprocess.size
    check_places(GRAPH_MAP, subject.bundle, subject.judge(np.zeros((1, 3, size, size), np.float32))[1])

    def explain(batch: Float32Array) -> Float32Array:
        return subject.judge(batch)[1]

    return explain


methods.register(GRAPH_MAP)(
    Method(
        GRAPH_MAP,
        "Grad-CAM as it stands in the bundle's graph; signed; the quickest",
        "logit units per cell",
        Elsewhere("mesoscope.explain.graph_map:open_graph_map"),
        True,
        "Selvaraju et al., Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization, "
        "ICCV 2017",
    )
)
