"""The convolution layers of a network, found by watching one forward pass, and their outputs while it runs.

A layer's feature maps are its outputs after the ReLU that follows at once, where one does (as Keras counts them:
``Conv2D(activation="relu")``), else as the convolution leaves them. Hooks are gone when the block ends, also after a
failure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from mesoscope.errors import UsageError

_RELUS = {F.relu, F.relu_, torch.relu, torch.relu_, Tensor.relu, Tensor.relu_}


@dataclass(frozen=True, slots=True)
class Layer:
    """One convolution.

    Attributes:
        name: of the submodule.
        channels: of its output.
        height, width: of its output for the bundle's size of input.
        rectified: whether a ReLU follows at once, so that feature maps are never negative.
        sees_picture: whether its input is the network's own input.
    """

    name: str
    channels: int
    height: int
    width: int
    rectified: bool
    sees_picture: bool

    @property
    def words(self) -> str:
        """What a caption says of it."""
        how = "after its ReLU" if self.rectified else "before any nonlinearity"
        return f"{self.name}: {self.channels} channels of {self.height} × {self.width}, {how}"


def convolutions(module: nn.Module, size: int) -> tuple[Layer, ...]:
    """All 2-D convolutions that a forward pass calls, in the order in which it calls them first.

    Args:
        module: (B, 3, S, S) to anything; in eval mode.
        size: S.
    """
    found: dict[str, tuple[tuple[int, ...], bool]] = {}
    produced: dict[int, str] = {}
    alive: list[Tensor] = []  # while outputs are held, their ids are theirs alone
    picture = torch.zeros(1, 3, size, size)

    def hook(name: str) -> Any:  # noqa: ANN401 - torch's own kind of function
        def note(_module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            found.setdefault(name, (tuple(output.shape[1:]), inputs[0] is picture))
            produced[id(output)] = name
            alive.append(output)

        return note

    hooks = {name: hook(name) for name, part in module.named_modules() if isinstance(part, nn.Conv2d)}
    with _hooks(hooks, module), torch.no_grad(), _Rectifications(produced) as seen:
        module(picture)
    return tuple(
        Layer(name, shape[0], shape[1], shape[2], name in seen.rectified, first)
        for name, (shape, first) in found.items()
        if len(shape) == 3
    )


def chosen_layers(layers: Sequence[Layer], names: Sequence[str]) -> tuple[Layer, ...]:
    """The layers of these names, in the network's order; all of them where no name is given.

    A name may be that of a block with one convolution in it (``conv1`` for ``conv1.0``).

    Raises:
        UsageError: there is no such layer; the message lists those that there are.
    """
    if not names:
        return tuple(layers)
    wanted: set[str] = set()
    for name in names:
        fits = [layer.name for layer in layers if layer.name == name or layer.name.startswith(f"{name}.")]
        if not fits:
            known = ", ".join(layer.name for layer in layers)
            raise UsageError(f"there is no convolution layer {name!r}; the layers are, from the input: {known}")
        wanted.update(fits)
    return tuple(layer for layer in layers if layer.name in wanted)


@contextmanager
def captured(module: nn.Module, layers: Sequence[Layer]) -> Iterator[dict[str, Tensor]]:
    """The feature maps of layers, by name, renewed by every forward pass in the block.

    Yields:
        a dictionary that holds (B, K, h, w) for each layer after a forward pass.
    """
    maps: dict[str, Tensor] = {}

    def hook(layer: Layer) -> Any:  # noqa: ANN401 - torch's own kind of function
        def keep(_module: nn.Module, _inputs: object, output: Tensor) -> None:
            # an activation in place would overwrite a kept reference; a rectified copy is its own
            maps[layer.name] = F.relu(output) if layer.rectified else output.clone()

        return keep

    with _hooks({layer.name: hook(layer) for layer in layers}, module):
        yield maps


@contextmanager
def _hooks(hooks: dict[str, Any], module: nn.Module) -> Iterator[None]:
    handles = [module.get_submodule(name).register_forward_hook(hook) for name, hook in hooks.items()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


class _Rectifications(TorchFunctionMode):
    """Notes which convolutions' outputs go straight into a ReLU."""

    def __init__(self, produced: dict[int, str]) -> None:
        super().__init__()
        self._produced = produced
        self.rectified: set[str] = set()

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401 - torch's own signature
        if func in _RELUS and args and id(args[0]) in self._produced:
            self.rectified.add(self._produced[id(args[0])])
        return func(*args, **(kwargs or {}))
