"""Explanations that need the network itself.

Light: nothing here imports torch; what a method names is loaded when it is used (`mesoscope.explain.methods`).

A new method is one new file with an opener ``(Subject, layer or None) -> Explainer``, a `Method` here and an entry
point in the group ``mesoscope.explanations``.
"""

from __future__ import annotations

from mesoscope.explain.methods import Method
from mesoscope.registry import Elsewhere

_EXTRA = "train"
_CELL = "logit units per cell"


def _at(place: str) -> Elsewhere:
    return Elsewhere(f"{__name__}.{place}", _EXTRA)


NETWORK = _at("network:open_network")
GRAD_CAM = Method(
    "grad-cam",
    "mean gradient of each channel times the channel, at any layer; signed",
    _CELL,
    _at("cams:open_grad_cam"),
    True,
    "Selvaraju et al., Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization, ICCV 2017",
)
GRAD_CAM_PLUS_PLUS = Method(
    "grad-cam++",
    "Grad-CAM++ for fake less Grad-CAM++ for real, at any layer; signed",
    "weighted activation per cell",
    _at("cams:open_grad_cam_plus_plus"),
    True,
    "Chattopadhay et al., Grad-CAM++: Improved Visual Explanations for Deep Convolutional Networks, WACV 2018",
)
HIRES_CAM = Method(
    "hires-cam",
    "gradient times activation, position by position, at any layer; signed",
    _CELL,
    _at("cams:open_hires_cam"),
    True,
    "Draelos, Carin, Use HiResCAM instead of Grad-CAM for faithful explanations of CNNs, arXiv:2011.08891, 2020",
)
INTEGRATED_GRADIENTS = Method(
    "integrated-gradients",
    "gradients along the way from the picture without detail; signed; sums to the logit's difference",
    _CELL,
    _at("integrated:open_integrated_gradients"),
    False,
    "Sundararajan, Taly, Yan, Axiomatic Attribution for Deep Networks, ICML 2017",
)
ATTENTION = Method(
    "attention",
    "attention of all blocks, weighted by its gradients: for fake less for real; transformers only",
    "weighted attention",
    _at("attention:open_attention"),
    False,
    "Chefer, Gur, Wolf, Generic Attention-model Explainability for Interpreting Bi-Modal and Encoder-Decoder "
    "Transformers, ICCV 2021",
)
