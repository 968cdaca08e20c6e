"""DenseNet-121 under the head of ``gan-faces`` III.

Paper: Huang, Liu, van der Maaten, Weinberger: "Densely Connected Convolutional Networks", CVPR 2017,
arXiv:1608.06993.
Source: https://github.com/huggingface/pytorch-image-models (timm), ``densenet121.tv_in1k``.
Licence of the authors' code: Apache-2.0 (timm). Licence of the weights: as timm states it, Apache-2.0; they were
trained on ImageNet, whose pictures are for research.

Keras counts 7,305,281 with that head, the backbone 7,037,504 of it; frozen, 7,040,064 do not learn: the backbone and
the moving statistics of the head's two BatchNorms.

DenseNet normalises before it convolves, and its last convolution only adds 32 planes to the 992 that came before. So
the map is made of all 1,024 planes after the last BatchNorm and its ReLU, which is what the head averages.
"""

from __future__ import annotations

from mesoscope_train.detectors.architecture import Provenance, register
from mesoscope_train.detectors.backbone import BackboneDetector
from mesoscope_train.detectors.heads import HeadKind, HeadOptions
from mesoscope_train.detectors.imagenet import PREPROCESS

# torchvision's weights: those of the original recipe, which the study's Keras weights are too
BACKBONE = "densenet121.tv_in1k"
PROVENANCE = Provenance(
    paper="Huang, Liu, van der Maaten, Weinberger: Densely Connected Convolutional Networks. CVPR 2017, "
    "arXiv:1608.06993",
    source="https://github.com/huggingface/pytorch-image-models",
    code_licence="Apache-2.0",
    weights_licence="Apache-2.0 as timm states it; trained on ImageNet, whose pictures are for research",
)


class DenseNetOptions(HeadOptions):
    """Options of the head, by default that of ``gan-faces`` III."""

    head: HeadKind = "bn-dense"


@register(
    "densenet121",
    options=DenseNetOptions,
    preprocess=PREPROCESS,
    map_layer="backbone.features.norm5",
    any_size=True,
    provenance=PROVENANCE,
)
def densenet121(options: DenseNetOptions) -> BackboneDetector:
    """The backbone's stages are conv0, denseblock1, transition1 … denseblock4."""
    return BackboneDetector(BACKBONE, options, stages_in="features")
