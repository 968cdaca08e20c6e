"""Any backbone of timm, by name, under a head of ours: ``timm:backbone=convnext_tiny``.

Paper: that of the backbone; timm's model cards name it. (Wightman: "PyTorch Image Models", 2019.)
Source: https://github.com/huggingface/pytorch-image-models (timm).
Licence of the authors' code: Apache-2.0 (timm). Licence of the weights: differs by backbone; timm states it.

Convolutional networks: the map is Grad-CAM of the last planes, before pooling. Transformers: Grad-CAM of the last
block's patch tokens after the last normalisation; the head averages over the patch tokens (also where the weights
were trained with a class token), so that the way from the logit to a token is linear and the map sums to the logit
but for the bias. See `mesoscope_train.detectors.backbone`.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mesoscope.preprocess import Preprocess
from mesoscope_train.detectors.architecture import Provenance, register
from mesoscope_train.detectors.backbone import BackboneDetector, backbone_preprocess
from mesoscope_train.detectors.heads import HeadOptions
from mesoscope_train.detectors.options import Options

PROVENANCE = Provenance(
    paper="that of the backbone, which timm's model card names",
    source="https://github.com/huggingface/pytorch-image-models",
    code_licence="Apache-2.0",
    weights_licence="that of the backbone's published weights, where they were used; timm's model card states it",
)


class BackboneOptions(Options):
    """Options of a backbone.

    Attributes:
        backbone: its name in timm, a tag of weights included or not (``vit_tiny_patch16_224``,
            ``resnet50.tv_in1k``).
        size: side of the input; None for the backbone's own.
    """

    backbone: str
    size: Annotated[int, Field(ge=16, le=2048)] | None = None


class TimmOptions(HeadOptions, BackboneOptions):
    """Options of the backbone, then those of the head."""


def preprocess(options: TimmOptions) -> Preprocess:
    """The backbone's own mean, deviation and filter."""
    return backbone_preprocess(options.backbone, options.size)


@register("timm", options=TimmOptions, preprocess=preprocess, map_layer="planes", provenance=PROVENANCE)
def timm_backbone(options: TimmOptions) -> BackboneDetector:
    """The backbone's stages are its children in timm, blocks one by one."""
    return BackboneDetector(options.backbone, options, options.size)
