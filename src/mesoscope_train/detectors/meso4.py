"""Meso-4, and the head that MesoInception-4 shares.

Paper: Afchar, Nozick, Yamagishi, Echizen: "MesoNet: a Compact Facial Video Forgery Detection Network",
IEEE WIFS 2018, arXiv:1809.00888.
Source: https://github.com/DariusAf/MesoNet (Keras), described anew here in torch.
Licence of the authors' code: Apache-2.0. Licence of their weights: Apache-2.0.

As published: the sigmoid of the output is the probability of *real*. Here the logit speaks for fake, as
everywhere; `mesoscope_train.weight_formats.mesonet` turns imported weights round. The authors cut square,
aligned faces; the crop margin below is what brings a face box of dlib's HOG detector to their framing: on 187
pictures of their validation set the crop's side is 1.42 times the box's (median; quartiles 1.39 and 1.42).
The smallest of those crops is 88 pixels wide, a face box of 62.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mesoscope.preprocess import Preprocess
from mesoscope_train.detectors import keras
from mesoscope_train.detectors.architecture import Provenance, register
from mesoscope_train.detectors.base import Detector, Stage
from mesoscope_train.detectors.explicit import Pull, batch_norm_scale
from mesoscope_train.detectors.pooling import MaxPool2d

LEAK = 0.1
CHANNELS = 16
"""Planes of the last convolution."""
HIDDEN = 16
LAST_POOL = 4
CELLS = 8
"""The last pooled map is CELLS x CELLS."""
MAP_LAYER = "conv4_relu"

PREPROCESS = Preprocess(
    size=256,
    resize="nearest",
    margin=0.42,
    channel_order="rgb",
    mean=[0.0, 0.0, 0.0],
    std=[1.0, 1.0, 1.0],
    min_face=60,
)
PROVENANCE = Provenance(
    paper="Afchar, Nozick, Yamagishi, Echizen: MesoNet: a Compact Facial Video Forgery Detection Network. "
    "IEEE WIFS 2018, arXiv:1809.00888",
    source="https://github.com/DariusAf/MesoNet",
    code_licence="Apache-2.0",
    weights_licence="Apache-2.0",
)


class MesoNet(Detector):
    """What the two share: four convolutions, each ReLU - BatchNorm - max-pool, and a head of two dense layers.

    Args:
        conv1, conv2: 3 to `planes1` and `planes1` to `planes2` channels, ReLU included.
        planes1, planes2: their numbers of channels.
    """

    def __init__(self, conv1: nn.Module, planes1: int, conv2: nn.Module, planes2: int) -> None:
        super().__init__()
        self.conv1 = conv1
        self.bn1 = keras.batch_norm_2d(planes1)
        self.conv2 = conv2
        self.bn2 = keras.batch_norm_2d(planes2)
        self.conv3 = nn.Conv2d(planes2, 16, 5, padding=2)
        self.bn3 = keras.batch_norm_2d(16)
        self.conv4 = nn.Conv2d(16, CHANNELS, 5, padding=2)
        self.conv4_relu = nn.ReLU()
        self.bn4 = keras.batch_norm_2d(CHANNELS)
        self.pool, self.last_pool = MaxPool2d(2), MaxPool2d(LAST_POOL)
        self.dropout = nn.Dropout(0.5)
        self.fc1 = nn.Linear(CHANNELS * CELLS * CELLS, HIDDEN)
        self.fc2 = nn.Linear(HIDDEN, 1)
        self.apply(keras.initialise)

    def activations(self, batch: Tensor) -> Tensor:
        """(B, 3, 256, 256) to (B, 16, 32, 32)."""
        x = self.pool(self.bn1(self.conv1(batch)))
        x = self.pool(self.bn2(self.conv2(x)))
        x = self.pool(self.bn3(F.relu(self.conv3(x))))
        activations: Tensor = self.conv4_relu(self.conv4(x))
        return activations

    def features_vjp(self, activations: Tensor) -> tuple[Tensor, Pull]:
        """(B, 16, 32, 32) to the first dense layer's values (B, 16); the way back is two small products.

        Max-pooling hands each window's gradient to exactly one position, and the mean does not ask to which:
        so alpha_k is BatchNorm's scale over the number of positions times the sum, over the pooled cells, of
        the gradient there; and that is linear in the hidden units' gradient.
        """
        pooled = self.last_pool(self.bn4(activations))
        hidden: Tensor = self.fc1(self.dropout(pooled.flatten(1)))

        def pull(gradient: Tensor) -> Tensor:
            summed_over_cells = self.fc1.weight.view(HIDDEN, CHANNELS, CELLS * CELLS).sum(2)
            positions = (CELLS * LAST_POOL) ** 2
            at_hidden = gradient * torch.where(hidden > 0, 1.0, LEAK)
            return at_hidden @ (summed_over_cells * (batch_norm_scale(self.bn4) / positions))

        return self.dropout(F.leaky_relu(hidden, LEAK)), pull

    def output_layer(self) -> nn.Linear:
        """From the hidden units to the logit."""
        return self.fc2

    def backbone_stages(self) -> Sequence[Stage]:
        """The four convolutions, each with the BatchNorm that follows it below the map's layer."""
        return (
            Stage("conv1", (self.conv1, self.bn1)),
            Stage("conv2", (self.conv2, self.bn2)),
            Stage("conv3", (self.conv3, self.bn3)),
            Stage("conv4", (self.conv4,)),
        )

    def initialise(self, module: nn.Module) -> None:
        """As Keras does."""
        keras.initialise(module)


@register("meso4", preprocess=PREPROCESS, map_layer=MAP_LAYER, provenance=PROVENANCE)
class Meso4(MesoNet):
    """Meso-4: 27,977 parameters, 28,073 with the statistics of its BatchNorms."""

    def __init__(self) -> None:
        super().__init__(
            nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU()),
            8,
            nn.Sequential(nn.Conv2d(8, 8, 5, padding=2), nn.ReLU()),
            8,
        )
