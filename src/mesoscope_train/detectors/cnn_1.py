"""CNN I of the study ``gan-faces``: two convolutions and one dense layer on all of their planes.

Paper: none; model I of five in a student's comparison of CelebA photos with StyleGAN faces (Keras).
Source: written after the layer table of the study.
Licence of the authors' code: none used. Licence of the authors' weights: none published.

Conv 3 x 3 x 64 ReLU (1,792 parameters), conv 3 x 3 x 32 ReLU (18,464), both without padding, flatten (1,548,800
values at 224 pixels), dense 2 (3,097,602): 3,117,858. Its two softmax outputs are real and fake; the logit is their
difference, whose sigmoid is the softmax of the second.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field
from torch import Tensor, nn

from mesoscope.preprocess import Preprocess
from mesoscope_train.detectors import keras
from mesoscope_train.detectors.architecture import Provenance, register
from mesoscope_train.detectors.base import Detector, Stage
from mesoscope_train.detectors.explicit import Pull
from mesoscope_train.detectors.heads import Head
from mesoscope_train.detectors.options import Options

LOST = 4
"""Rows and columns that two convolutions without padding take away."""
PROVENANCE = Provenance(
    paper="none; the first model of the study gan-faces",
    source="written after the study's table of layers",
    code_licence="Apache-2.0",
    weights_licence="none published",
)


class FixedSizeOptions(Options):
    """Options of a network with a dense layer on all its planes.

    Attributes:
        size: side of the input in pixels, for which the network is built.
    """

    size: Annotated[int, Field(ge=16, le=512)] = 224


def preprocess(options: FixedSizeOptions) -> Preprocess:
    """Values from 0 to 1, as in the study."""
    return Preprocess(
        size=options.size,
        resize="bilinear",
        margin=0.0,
        channel_order="rgb",
        mean=[0.0, 0.0, 0.0],
        std=[1.0, 1.0, 1.0],
        min_face=48,
    )


@register("cnn-1", options=FixedSizeOptions, preprocess=preprocess, map_layer="conv2_relu", provenance=PROVENANCE)
class Cnn1(Detector):
    """3,117,858 parameters at 224 pixels; the map has as many points as the second convolution, 220 x 220."""

    def __init__(self, options: FixedSizeOptions) -> None:
        super().__init__()
        side = options.size - LOST
        self.conv1 = nn.Conv2d(3, 64, 3)
        self.conv1_relu = nn.ReLU()
        self.conv2 = nn.Conv2d(64, 32, 3)
        self.conv2_relu = nn.ReLU()
        self.top = Head({"flatten": nn.Flatten(), "output": nn.Linear(32 * side * side, 2)})
        self.apply(keras.initialise)

    def activations(self, batch: Tensor) -> Tensor:
        """(B, 3, S, S) to (B, 32, S - 4, S - 4)."""
        activations: Tensor = self.conv2_relu(self.conv2(self.conv1_relu(self.conv1(batch))))
        return activations

    def features_vjp(self, activations: Tensor) -> tuple[Tensor, Pull]:
        """All planes, flattened."""
        return self.top.features_vjp(activations)

    def output_layer(self) -> nn.Linear:
        """To real and fake."""
        return self.top.output

    def backbone_stages(self) -> Sequence[Stage]:
        """The convolutions."""
        return Stage("conv1", (self.conv1,)), Stage("conv2", (self.conv2,))

    def initialise(self, module: nn.Module) -> None:
        """As Keras does."""
        keras.initialise(module)
