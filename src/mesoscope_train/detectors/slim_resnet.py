"""A slim residual network for face crops: four stages, thirteen convolutions deep, under half a million weights.

Paper: He, Zhang, Ren, Sun: "Deep Residual Learning for Image Recognition", CVPR 2016, arXiv:1512.03385.
Source: written after the paper; widths and depth chosen for training on a CPU.
Licence of the authors' code: none used. Licence of the authors' weights: none used.

The map is taken from the last stage, whose ReLU follows the addition; a global average pool and one output
follow, so that its Grad-CAM is the same as the class activation map over the number of positions.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F

from mesoscope.preprocess import Preprocess
from mesoscope_train.detectors.architecture import Provenance, register
from mesoscope_train.detectors.base import Detector, Stage
from mesoscope_train.detectors.explicit import GlobalAverage, Pull
from mesoscope_train.detectors.heads import Head

WIDTHS = (16, 32, 64, 96)
MAP_LAYER = "stages.5.relu"

PREPROCESS = Preprocess(
    size=160,
    resize="bilinear",
    margin=0.0,
    channel_order="rgb",
    mean=[0.5, 0.5, 0.5],
    std=[0.25, 0.25, 0.25],
    min_face=48,
)
PROVENANCE = Provenance(
    paper="He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition. CVPR 2016, arXiv:1512.03385",
    source="written after the paper",
    code_licence="Apache-2.0",
    weights_licence="none published",
)


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions with BatchNorm around a shortcut; a strided or widening one projects the shortcut.

    Args:
        inputs: channels that come in.
        outputs: channels that go out.
        stride: of the first convolution and of the projection.
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, h, w) to (B, outputs, h / stride, w / stride)."""
        y = F.relu(self.bn1(self.conv1(x)))
        out: Tensor = self.relu(self.bn2(self.conv2(y)) + self.shortcut(x))
        return out


@register("slim-resnet", preprocess=PREPROCESS, map_layer=MAP_LAYER, provenance=PROVENANCE, any_size=True)
class SlimResNet(Detector):
    """Takes squares of any side from 32; what it was trained at stands in its bundle."""

    def __init__(self) -> None:
        super().__init__()
        first, second, third, last = WIDTHS
        self.stem = nn.Sequential(nn.Conv2d(3, first, 3, 2, 1, bias=False), nn.BatchNorm2d(first), nn.ReLU())
        self.stages = nn.Sequential(
            ResidualBlock(first, first, 1),
            ResidualBlock(first, second, 2),
            ResidualBlock(second, second, 1),
            ResidualBlock(second, third, 2),
            ResidualBlock(third, third, 1),
            ResidualBlock(third, last, 2),
        )
        self.output_head = Head(
            {"pool": GlobalAverage(), "dropout": nn.Dropout(0.2), "output": nn.Linear(last, 1)},
        )

    def activations(self, batch: Tensor) -> Tensor:
        """(B, 3, S, S) to (B, 96, S/16, S/16)."""
        activations: Tensor = self.stages(self.stem(batch))
        return activations

    def features_vjp(self, activations: Tensor) -> tuple[Tensor, Pull]:
        """(B, 96, h, w) to the averages (B, 96)."""
        return self.output_head.features_vjp(activations)

    def output_layer(self) -> nn.Linear:
        """From the averages to the logit."""
        return self.output_head.output

    def backbone_stages(self) -> Sequence[Stage]:
        """The stem, and each block."""
        blocks = [Stage(f"stages.{number}", (block,)) for number, block in enumerate(self.stages)]
        return [Stage("stem", (self.stem,)), *blocks]
