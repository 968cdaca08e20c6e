"""ResNet-50 under the head of ``gan-faces`` V, or that of ``photo-vs-ai`` (``head=dense,head_units=128``).

Paper: He, Zhang, Ren, Sun: "Deep Residual Learning for Image Recognition", CVPR 2016, arXiv:1512.03385.
Source: https://github.com/huggingface/pytorch-image-models (timm), ``resnet50.tv_in1k``.
Licence of the authors' code: Apache-2.0 (timm). Licence of the weights: BSD-3-Clause (torchvision); they were trained
on ImageNet, whose pictures are for research.

Keras counts 24,121,729 with the head of ``gan-faces`` V, here the count is 24,095,169: Keras' convolutions have
26,560 biases more, which the BatchNorm behind each of them subtracts again, so that they say nothing. Of the head,
529,409 learn while the backbone is frozen.

``photo-vs-ai`` unfreezes "layers after conv5_block3_out, about layer 150": literally nothing, as that is the last
layer, while layer 150 lies in conv5_block1. Ours unfreezes conv5, which is called ``layer4`` here.
"""

from __future__ import annotations

from mesoscope_train.detectors.architecture import Provenance, register
from mesoscope_train.detectors.backbone import BackboneDetector
from mesoscope_train.detectors.heads import HeadKind, HeadOptions
from mesoscope_train.detectors.imagenet import PREPROCESS

# torchvision's first weights: the original recipe, as Keras' are; later recipes win on ImageNet and transfer worse
BACKBONE = "resnet50.tv_in1k"
PROVENANCE = Provenance(
    paper="He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition. CVPR 2016, arXiv:1512.03385",
    source="https://github.com/huggingface/pytorch-image-models",
    code_licence="Apache-2.0",
    weights_licence="BSD-3-Clause; trained on ImageNet, whose pictures are for research",
)


class ResNetOptions(HeadOptions):
    """Options of the head, by default that of ``gan-faces`` V."""

    head: HeadKind = "bn-dense"


@register(
    "resnet50",
    options=ResNetOptions,
    preprocess=PREPROCESS,
    map_layer="backbone.layer4",
    any_size=True,
    provenance=PROVENANCE,
)
def resnet50(options: ResNetOptions) -> BackboneDetector:
    """The backbone's stages are conv1 and the sixteen blocks, layer1.0 … layer4.2."""
    return BackboneDetector(BACKBONE, options)
