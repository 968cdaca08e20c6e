"""CNN II of the study ``gan-faces``: two convolutions, max-pooling and a dense layer of 128 units on all planes.

Paper: none; model II of five in a student's comparison of CelebA photos with StyleGAN faces (Keras).
Source: written after the layer table of the study.
Licence of the authors' code: none used. Licence of the authors' weights: none published.

Conv 3 x 3 x 32 ReLU (896 parameters), conv 3 x 3 x 64 ReLU (18,496), both without padding, max-pool 2, dropout,
flatten (774,400 values at 224 pixels), dense 128 ReLU (99,123,328), dropout, dense 2 (258): 99,142,978. The study
does not state the dropout rates: a quarter and a half are chosen. Two outputs as in ``cnn-1``.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from mesoscope_train.detectors import keras
from mesoscope_train.detectors.architecture import Provenance, register
from mesoscope_train.detectors.base import Detector, Stage
from mesoscope_train.detectors.cnn_1 import LOST, FixedSizeOptions, preprocess
from mesoscope_train.detectors.explicit import DenseOnPlanes, Pull
from mesoscope_train.detectors.heads import Dropout, Head
from mesoscope_train.detectors.pooling import MaxPool2d

POOL = 2
UNITS = 128
PROVENANCE = Provenance(
    paper="none; the second model of the study gan-faces",
    source="written after the study's table of layers",
    code_licence="Apache-2.0",
    weights_licence="none published",
)


class Cnn2Options(FixedSizeOptions):
    """Options.

    Attributes:
        plane_dropout: share of pooled values dropped in training.
        dropout: share of hidden units dropped in training.
    """

    plane_dropout: Dropout = 0.25
    dropout: Dropout = 0.5


@register("cnn-2", options=Cnn2Options, preprocess=preprocess, map_layer="conv2_relu", provenance=PROVENANCE)
class Cnn2(Detector):
    """99,142,978 parameters at 224 pixels, nearly all of them in one dense layer."""

    def __init__(self, options: Cnn2Options) -> None:
        super().__init__()
        cells = ((options.size - LOST) // POOL) ** 2
        self.conv1 = nn.Conv2d(3, 32, 3)
        self.conv1_relu = nn.ReLU()
        self.conv2 = nn.Conv2d(32, 64, 3)
        self.conv2_relu = nn.ReLU()
        self.top = Head(
            {
                "pool": MaxPool2d(POOL),
                "plane_dropout": nn.Dropout(options.plane_dropout),
                "hidden": DenseOnPlanes(64, cells, UNITS),
                "relu": nn.ReLU(),
                "dropout": nn.Dropout(options.dropout),
                "output": nn.Linear(UNITS, 2),
            }
        )
        self.apply(keras.initialise)

    def activations(self, batch: Tensor) -> Tensor:
        """(B, 3, S, S) to (B, 64, S - 4, S - 4)."""
        activations: Tensor = self.conv2_relu(self.conv2(self.conv1_relu(self.conv1(batch))))
        return activations

    def features_vjp(self, activations: Tensor) -> tuple[Tensor, Pull]:
        """To the hidden units (B, 128)."""
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
