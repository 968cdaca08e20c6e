"""The custom CNN of the studies ``photo-vs-ai`` and ``dfdc-transfer``: convolution, max-pool, dropout, dense.

Paper: none; both studies name these layers, neither their number nor their widths.
Source: written anew; four convolutions of 16, 32, 64 and 128 planes are chosen.
Licence of the authors' code: none used. Licence of the authors' weights: none published.

Four times conv 3 x 3 ReLU and max-pool 2, then the average over the positions, dropout, dense ReLU, dropout, one
output: 114,081 parameters. Averaging in place of flattening keeps the dense layer small (a flattened 14 x 14 x 128
would make it 3.2 million) and lets the network take any size from 32 on; at 224 pixels it costs 0.2 GMAC a picture.
The study ``dfdc-transfer`` stayed at chance with its own; ``batch_norm=true`` puts a BatchNorm after each ReLU, as
Meso-4 has it, for those who want it to learn.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from mesoscope.preprocess import Preprocess
from mesoscope_train.detectors import keras
from mesoscope_train.detectors.architecture import Provenance, register
from mesoscope_train.detectors.base import Detector, Stage
from mesoscope_train.detectors.explicit import GlobalAverage, Pull
from mesoscope_train.detectors.heads import Dropout, Head, Units
from mesoscope_train.detectors.options import Options
from mesoscope_train.detectors.pooling import MaxPool2d

WIDTHS = (16, 32, 64, 128)
PREPROCESS = Preprocess(
    size=224,
    resize="bilinear",
    margin=0.0,
    channel_order="rgb",
    mean=[0.0, 0.0, 0.0],
    std=[1.0, 1.0, 1.0],
    min_face=48,
)
PROVENANCE = Provenance(
    paper="none; the custom CNN of the studies photo-vs-ai and dfdc-transfer",
    source="written anew; the studies name the kinds of its layers only",
    code_licence="Apache-2.0",
    weights_licence="none published",
)


class CnnSmallOptions(Options):
    """Options.

    Attributes:
        head_units: of the dense layer.
        dropout: share of values dropped in training, before and after the dense layer.
        batch_norm: a BatchNorm after each convolution's ReLU.
    """

    head_units: Units = 128
    dropout: Dropout = 0.3
    batch_norm: bool = False


@register(
    "cnn-small",
    options=CnnSmallOptions,
    preprocess=PREPROCESS,
    map_layer="relu",
    any_size=True,
    provenance=PROVENANCE,
)
class CnnSmall(Detector):
    """114,081 parameters; with BatchNorm 114,561."""

    def __init__(self, options: CnnSmallOptions) -> None:
        super().__init__()
        blocks = [
            nn.Sequential(
                nn.Conv2d(inputs, planes, 3, padding=1),
                nn.ReLU(),
                *([keras.batch_norm_2d(planes)] if options.batch_norm else []),
                MaxPool2d(2),
            )
            for inputs, planes in pairwise((3, *WIDTHS[:-1]))
        ]
        last = WIDTHS[-1]
        self.blocks = nn.ModuleList(blocks)
        self.last = nn.Conv2d(WIDTHS[-2], last, 3, padding=1)
        self.relu = nn.ReLU()
        self.top = Head(
            {
                **({"norm": keras.batch_norm_2d(last)} if options.batch_norm else {}),
                "max_pool": MaxPool2d(2),
                "pool": GlobalAverage(),
                "dropout1": nn.Dropout(options.dropout),
                "hidden": nn.Linear(last, options.head_units),
                "relu": nn.ReLU(),
                "dropout2": nn.Dropout(options.dropout),
                "output": nn.Linear(options.head_units, 1),
            }
        )
        self.apply(keras.initialise)

    def activations(self, batch: Tensor) -> Tensor:
        """(B, 3, S, S) to (B, 128, S / 8, S / 8)."""
        for block in self.blocks:
            batch = block(batch)
        activations: Tensor = self.relu(self.last(batch))
        return activations

    def features_vjp(self, activations: Tensor) -> tuple[Tensor, Pull]:
        """To the dense layer's units (B, head_units)."""
        return self.top.features_vjp(activations)

    def output_layer(self) -> nn.Linear:
        """From the dense layer's units to the logit."""
        return self.top.output

    def backbone_stages(self) -> Sequence[Stage]:
        """The four convolutions, each with its BatchNorm below the map's layer."""
        modules = [*self.blocks, self.last]
        return [Stage(f"conv{number}", (module,)) for number, module in enumerate(modules, start=1)]

    def initialise(self, module: nn.Module) -> None:
        """As Keras does."""
        keras.initialise(module)
