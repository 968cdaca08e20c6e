"""Xception under the head of ``gan-faces`` IV, or with a dense sigmoid on top (``dfdc-transfer``: ``head=gap``).

Paper: Chollet: "Xception: Deep Learning with Depthwise Separable Convolutions", CVPR 2017, arXiv:1610.02357.
Source: https://github.com/huggingface/pytorch-image-models (timm), ``legacy_xception.tf_in1k``: Keras' network and
weights.
Licence of the authors' code: Apache-2.0 (timm). Licence of the weights: as timm states it, Apache-2.0; they were
trained on ImageNet, whose pictures are for research.

Keras counts 20,879,913 with the head of ``gan-faces`` IV, the backbone 20,861,480 of it; the order of that head's
layers without parameters is inferred. Both studies show it 224 pixels; it was trained at 299.
"""

from __future__ import annotations

from mesoscope_train.detectors.architecture import Provenance, register
from mesoscope_train.detectors.backbone import BackboneDetector
from mesoscope_train.detectors.heads import HeadKind, HeadOptions
from mesoscope_train.detectors.imagenet import PREPROCESS

BACKBONE = "legacy_xception.tf_in1k"
HALF = [0.5, 0.5, 0.5]
"""Its weights want values from -1 to 1, unlike those of the other backbones."""
PROVENANCE = Provenance(
    paper="Chollet: Xception: Deep Learning with Depthwise Separable Convolutions. CVPR 2017, arXiv:1610.02357",
    source="https://github.com/huggingface/pytorch-image-models",
    code_licence="Apache-2.0",
    weights_licence="Apache-2.0 as timm states it; trained on ImageNet, whose pictures are for research",
)


class XceptionOptions(HeadOptions):
    """Options of the head, by default that of ``gan-faces`` IV."""

    head: HeadKind = "bn-bn"


@register(
    "xception",
    options=XceptionOptions,
    preprocess=PREPROCESS.model_copy(update={"mean": HALF, "std": HALF}),
    map_layer="backbone.act4",
    any_size=True,
    provenance=PROVENANCE,
)
def xception(options: XceptionOptions) -> BackboneDetector:
    """The backbone's stages are conv1, conv2, block1 … block12, conv3, conv4."""
    return BackboneDetector(BACKBONE, options)
