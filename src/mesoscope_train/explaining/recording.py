"""What every convolution gives in one forward pass, after its activation where one follows at once.

No list of layers says where an activation follows a convolution: some networks call modules, others functions. So
the functions themselves are watched while the network runs (`torch.overrides.TorchFunctionMode`): a convolution's
output is followed through a BatchNorm and an activation, and no further.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

_ACTIVATIONS = {
    "relu": "ReLU",
    "relu_": "ReLU",
    "relu6": "ReLU6",
    "hardtanh": "ReLU6",
    "leaky_relu": "leaky ReLU",
    "elu": "ELU",
    "gelu": "GELU",
    "silu": "SiLU",
    "hardswish": "hard swish",
}


@dataclass(slots=True, eq=False)
class Recorded:
    """A convolution's output.

    Attributes:
        name: of the module.
        planes: (B, K, h, w), a copy.
        what: at which point it was taken, in words.
    """

    name: str
    planes: Tensor
    what: str


class _Watch(TorchFunctionMode):
    """Follows the outputs of convolutions."""

    def __init__(self, names: Mapping[int, str]) -> None:
        super().__init__()
        self.found: list[Recorded] = []
        self._names = names
        self._followed: dict[int, Recorded] = {}
        self._alive: list[Tensor] = []  # or another tensor could take an id that is followed

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401 - torch's own signature
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        before = self._followed.get(id(args[0])) if args else None
        output = func(*args, **kwargs)
        if name == "conv2d":
            weight = args[1] if len(args) > 1 else kwargs["weight"]
            label = self._names.get(id(weight), f"convolution {len(self.found) + 1}")
            recorded = Recorded(label, output.detach().clone(), "before any activation")
            self.found.append(recorded)
            self._follow(output, recorded)
        elif before is not None and name == "batch_norm":
            self._advance(output, before, "after its BatchNorm")
            self._follow(output, before)
        elif before is not None and name in _ACTIVATIONS:
            after = "BatchNorm and " if before.what == "after its BatchNorm" else ""
            self._advance(output, before, f"after its {after}{_ACTIVATIONS[name]}")
        return output

    def _follow(self, output: Tensor, recorded: Recorded) -> None:
        self._followed[id(output)] = recorded
        self._alive.append(output)

    def _advance(self, output: Tensor, recorded: Recorded, what: str) -> None:
        recorded.planes, recorded.what = output.detach().clone(), what


def record_convolutions(module: nn.Module, batch: Tensor) -> list[Recorded]:
    """Run a network once and keep what its convolutions give, in the order in which they are called.

    Args:
        module: in eval mode.
        batch: (B, 3, S, S).
    """
    weights = ((name, getattr(part, "weight", None)) for name, part in module.named_modules())
    names = {id(weight): name for name, weight in weights if isinstance(weight, Tensor)}
    with torch.no_grad(), _Watch(names) as watch:
        module(batch)
    return watch.found
