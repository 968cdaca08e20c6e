"""Detectors on a backbone of timm: its planes, and one of our heads.

Source: https://github.com/huggingface/pytorch-image-models (timm), Apache-2.0.

The backbone ends where its `forward_features` ends. Three kinds of output become planes (B, K, h, w): planes;
planes with the channels last (Swin); and the patch tokens of transformers, which lie in the grid of their patches
(prefix tokens, the class token among them, are left out). Our head averages over the positions. So the gradient
of the logit with respect to a token is known without going through attention, and Grad-CAM of the last block's
patch tokens is as exact as that of a convolution.

Where a backbone's own classifier normalises *after* pooling (ConvNeXt, transformers with average pooling), that
normalisation is kept, with its weights, between our pooling and our head. Whatever else stands in its classifier
(attention pooling, hidden layers) is dropped.
"""

from __future__ import annotations

import copy
import math
from collections import OrderedDict
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

import timm
import torch
from timm.models import PretrainedCfg
from torch import Tensor, nn

from mesoscope.errors import UsageError
from mesoscope.preprocess import Preprocess, ResizeFilter
from mesoscope_train.detectors.base import Detector, Stage
from mesoscope_train.detectors.explicit import Pull, chain, is_known
from mesoscope_train.detectors.heads import HeadOptions, averaged, build_head
from mesoscope_train.detectors.keras import initialise
from mesoscope_train.detectors.stages import stages_of_children

_NORMS_AFTER_POOLING = ("fc_norm", "head.norm")
"""Where timm's classifiers keep the normalisation of pooled values."""
_FILTERS: dict[str, ResizeFilter] = {"bilinear": "bilinear", "bicubic": "bicubic", "nearest": "nearest"}


class Planes(nn.Module):
    """What a backbone gives, as planes: (B, K, h, w) as it is, (B, h, w, K), or tokens (B, prefix + h * w, K).

    Args:
        channels_last: of outputs with four axes.
        prefix: tokens before the patches.
    """

    def __init__(self, channels_last: bool, prefix: int) -> None:
        super().__init__()
        self.channels_last = channels_last
        self.prefix = prefix

    def forward(self, x: Tensor) -> Tensor:
        """To (B, K, h, w)."""
        if x.ndim == 3:
            side = math.isqrt(x.shape[1] - self.prefix)
            return x[:, self.prefix :].transpose(1, 2).reshape(len(x), x.shape[2], side, side)
        return x.permute(0, 3, 1, 2) if self.channels_last else x


class BackboneDetector(Detector):
    """A backbone of timm under one of our heads.

    Args:
        name: of the backbone in timm, with the tag of its published weights where that matters.
        head: options of the head.
        size: side of the input where the backbone is built for one; None for its own.
        stages_in: the child of the backbone whose children are the stages; by default the backbone itself.
    """

    def __init__(self, name: str, head: HeadOptions, size: int | None = None, stages_in: str = "") -> None:
        super().__init__()
        self.backbone_name = name
        self.backbone_size = size
        self.backbone = create_backbone(name, size)
        self._norm_after_pooling = norm_after_pooling(self.backbone)
        self._stages_in = stages_in
        self.planes = planes_of(self.backbone)
        self.top = build_head(int(self.backbone.num_features), head)

    def activations(self, batch: Tensor) -> Tensor:
        """(B, 3, S, S) to A (B, K, h, w)."""
        activations: Tensor = self.planes(self.backbone.forward_features(batch))
        return activations

    def features_vjp(self, activations: Tensor) -> tuple[Tensor, Pull]:
        """Pool, the backbone's own normalisation of pooled values where it has one, and the head's layers."""
        pool, *layers = self.top.below_output()
        norm = [self.backbone.get_submodule(self._norm_after_pooling)] if self._norm_after_pooling else []
        return averaged(chain([pool, *norm, *layers], activations), activations)

    def output_layer(self) -> nn.Linear:
        """The head's."""
        return self.top.output

    def backbone_stages(self) -> Sequence[Stage]:
        """The backbone's."""
        return stages_of_children(self.backbone.get_submodule(self._stages_in))

    def initialise(self, module: nn.Module) -> None:
        """As Keras does."""
        initialise(module)


def create_backbone(name: str, size: int | None, **how: Any) -> Any:  # noqa: ANN401 - timm's own classes
    """A backbone of timm, without whatever its `forward_features` does not use.

    Args:
        name: in timm, a tag of weights included or not.
        size: side of the input where the backbone is built for one; None for its own.
        how: for timm, where weights are loaded.

    Raises:
        UsageError: timm knows no such backbone or weights, or it gives no planes.
    """
    config = backbone_config(name)
    if size is not None and config.fixed_input_size:
        how["img_size"] = size
    backbone = timm.create_model(name, num_classes=0, **how)
    features, used = _probe(backbone, size or config.input_size[-1])
    _check_planes(name, backbone, features)
    norm = norm_after_pooling(backbone)
    for child, module in list(backbone.named_children()):
        mine = {f"{child}.{key}" for key, _ in module.named_parameters()}
        if mine and not mine & used:
            setattr(backbone, child, _only_norm(module, norm) if norm.split(".")[0] == child else nn.Identity())
    return backbone


def backbone_config(name: str) -> PretrainedCfg:
    """What timm says about a backbone: size, mean, deviation, where its weights are.

    Raises:
        UsageError: timm knows no such backbone, or no such tag of weights.
    """
    try:
        config = timm.get_pretrained_cfg(name, allow_unregistered=False)
    except RuntimeError as error:
        plain = name.partition(".")[0]
        near = get_close_matches(plain, timm.list_models(), n=5, cutoff=0.5)
        if timm.is_model(plain):
            near = timm.list_pretrained(f"{plain}.*") or [plain]
        hint = f"; did you mean {', '.join(near)}?" if near else ""
        raise UsageError(f"timm has no backbone {name!r} ({error}){hint}") from None
    assert config is not None  # noqa: S101 - refused above
    return config


def backbone_preprocess(name: str, size: int | None = None) -> Preprocess:
    """The preprocessing that a backbone was trained with, as a detector's default.

    Args:
        name: in timm.
        size: side of the input; None for the backbone's own.
    """
    config = backbone_config(name)
    return Preprocess(
        size=size or config.input_size[-1],
        resize=_FILTERS.get(config.interpolation, "bicubic"),
        margin=0.0,
        channel_order="rgb",
        mean=list(config.mean),
        std=list(config.std),
        min_face=48,
    )


def norm_after_pooling(backbone: nn.Module) -> str:
    """Name of the backbone's submodule that normalises pooled values; empty where there is none."""
    for name in _NORMS_AFTER_POOLING:
        parent, _, last = name.rpartition(".")
        holder = getattr(backbone, parent, None) if parent else backbone
        if any(True for _ in getattr(holder, last, nn.Identity()).parameters()):
            return name
    return ""


def planes_of(backbone: Any) -> Planes:  # noqa: ANN401 - timm's own classes
    """How this backbone's output becomes planes."""
    return Planes(getattr(backbone, "output_fmt", "NCHW") == "NHWC", int(getattr(backbone, "num_prefix_tokens", 0)))


def _probe(backbone: nn.Module, size: int) -> tuple[Tensor, set[str]]:
    """What `forward_features` gives and which parameters it uses, found on tensors without values."""
    shadow: Any = copy.deepcopy(backbone).to("meta").eval()
    features = shadow.forward_features(torch.empty(1, 3, size, size, device="meta"))
    names, parameters = zip(*shadow.named_parameters(), strict=True)
    gradients = torch.autograd.grad(features.sum(), parameters, allow_unused=True)
    return features, {name for name, gradient in zip(names, gradients, strict=True) if gradient is not None}


def _check_planes(name: str, backbone: Any, features: object) -> None:  # noqa: ANN401 - timm's own classes
    planes = planes_of(backbone)
    if isinstance(features, Tensor):
        tokens = features.shape[1] - planes.prefix
        if features.ndim == 4 or (features.ndim == 3 and tokens >= 4 and math.isqrt(tokens) ** 2 == tokens):
            found = planes(features).shape
            norm = norm_after_pooling(backbone)
            if found[1] == backbone.num_features and (not norm or is_known(backbone.get_submodule(norm))):
                return
    raise UsageError(f"the backbone {name} gives no square planes that a map could be made of; choose another one")


def _only_norm(classifier: nn.Module, norm: str) -> nn.Module:
    """The normalisation alone, under the name it has."""
    _, _, inside = norm.partition(".")
    return nn.Sequential(OrderedDict({inside: classifier.get_submodule(inside)})) if inside else classifier
