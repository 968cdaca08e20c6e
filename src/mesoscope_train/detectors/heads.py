"""What stands on a pooled backbone: the four heads of the studies, as layers whose gradients are written down.

========  =====================================================================================================
gap       average, dropout, one output: the "dense sigmoid on top" of ``dfdc-transfer``
dense     average, dense + ReLU, dropout, output: ``photo-vs-ai`` (128 units)
bn-dense  average, BatchNorm, dropout, dense + ReLU, BatchNorm, dropout, output: ``gan-faces`` III and V (256 units)
bn-bn     average, BatchNorm, dropout, BatchNorm, dropout, output: ``gan-faces`` IV
========  =====================================================================================================

BatchNorm and first weights are Keras', in which the studies were written.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import Field, model_validator
from torch import Tensor, nn

from mesoscope_train.detectors import keras
from mesoscope_train.detectors.explicit import GlobalAverage, Pull, chain, is_known
from mesoscope_train.detectors.options import Options

HeadKind = Literal["gap", "dense", "bn-dense", "bn-bn"]
Dropout = Annotated[float, Field(ge=0, lt=1)]
Units = Annotated[int, Field(ge=1, le=65536)]
HIDDEN_UNITS = 256


class HeadOptions(Options):
    """Options of a head.

    Attributes:
        head: its kind, see above.
        head_units: of its hidden layer; 256 unless said, and never said where there is none.
        dropout: share of values dropped in training, at each dropout of the head.
    """

    head: HeadKind = "gap"
    head_units: Units = HIDDEN_UNITS
    dropout: Dropout = 0.5

    @model_validator(mode="after")
    def _has_the_layer(self) -> HeadOptions:
        if self.head in ("gap", "bn-bn") and self.head_units != HIDDEN_UNITS:
            raise ValueError(f"head={self.head} has no hidden layer, so head_units says nothing; leave it out")
        return self


class Head(nn.Sequential):
    """Layers from planes (B, K, h, w) to the outputs, each with its gradient written down.

    Args:
        layers: by name; the last is called ``output`` and dense.
    """

    output: nn.Linear

    def __init__(self, layers: dict[str, nn.Module]) -> None:
        unknown = [type(layer).__name__ for layer in layers.values() if not is_known(layer)]
        if unknown:
            raise TypeError(f"no gradient is written down for {', '.join(unknown)}")
        super().__init__(OrderedDict(layers))

    def below_output(self) -> list[nn.Module]:
        """All layers but the last."""
        return list(self)[:-1]

    def features_vjp(self, activations: Tensor) -> tuple[Tensor, Pull]:
        """See `mesoscope_train.detectors.base.Detector.features_vjp`."""
        return averaged(chain(self.below_output(), activations), activations)


def averaged(found: tuple[Tensor, Pull], activations: Tensor) -> tuple[Tensor, Pull]:
    """Turn the sums over positions that `chain` carries into the means that Grad-CAM wants."""
    features, pull = found
    positions = activations.shape[2] * activations.shape[3]
    return features, lambda gradient: pull(gradient) / positions


def build_head(channels: int, options: HeadOptions) -> Head:
    """A fresh head.

    Args:
        channels: K of the planes below.
        options: kind, units, dropout.
    """
    head = Head({"pool": GlobalAverage(), **_LAYERS[options.head](channels, options)})
    head.apply(keras.initialise)
    return head


def _gap(channels: int, options: HeadOptions) -> dict[str, nn.Module]:
    return {"dropout": nn.Dropout(options.dropout), "output": nn.Linear(channels, 1)}


def _dense(channels: int, options: HeadOptions) -> dict[str, nn.Module]:
    return {
        "hidden": nn.Linear(channels, options.head_units),
        "relu": nn.ReLU(),
        "dropout": nn.Dropout(options.dropout),
        "output": nn.Linear(options.head_units, 1),
    }


def _bn_dense(channels: int, options: HeadOptions) -> dict[str, nn.Module]:
    return {
        "norm1": keras.batch_norm_1d(channels),
        "dropout1": nn.Dropout(options.dropout),
        "hidden": nn.Linear(channels, options.head_units),
        "relu": nn.ReLU(),
        "norm2": keras.batch_norm_1d(options.head_units),
        "dropout2": nn.Dropout(options.dropout),
        "output": nn.Linear(options.head_units, 1),
    }


def _bn_bn(channels: int, options: HeadOptions) -> dict[str, nn.Module]:
    return {
        "norm1": keras.batch_norm_1d(channels),
        "dropout1": nn.Dropout(options.dropout),
        "norm2": keras.batch_norm_1d(channels),
        "dropout2": nn.Dropout(options.dropout),
        "output": nn.Linear(channels, 1),
    }


_LAYERS: dict[HeadKind, Callable[[int, HeadOptions], dict[str, nn.Module]]] = {
    "gap": _gap,
    "dense": _dense,
    "bn-dense": _bn_dense,
    "bn-bn": _bn_bn,
}
