"""The torch module inside a bundle, as `mesoscope.explain.methods.Network`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import nn

from mesoscope.bundle import Bundle
from mesoscope.errors import UsageError
from mesoscope.explain.findings import FeatureMaps, Units
from mesoscope.explain.methods import Subject
from mesoscope.types import Float32Array
from mesoscope_train.detectors import Detector, build_detector
from mesoscope_train.detectors.backbone import BackboneDetector
from mesoscope_train.explaining.recording import record_convolutions
from mesoscope_train.export import load_module
from mesoscope_train.parity import stand_in_inputs


@dataclass(frozen=True, eq=False)
class TorchNetwork:
    """A bundle's network on the CPU, in eval mode. See `Network`.

    Attributes:
        bundle: whose architecture.
        module: the network.
    """

    bundle: Bundle
    module: Detector

    @cached_property
    def layers(self) -> tuple[str, ...]:
        """Names of all layers that give planes (B, K, h, w), once a forward pass, with more than one position."""
        calls: dict[str, int] = {}

        def note(name: str, output: object) -> None:
            planes = isinstance(output, torch.Tensor) and output.ndim == 4 and output.shape[2] * output.shape[3] > 1
            calls[name] = calls.get(name, 0) + (1 if planes else 2)

        parts = {name: part for name, part in self.module.named_modules() if name and self._may_give_planes(part)}
        handles = [
            part.register_forward_hook(lambda _module, _input, output, name=name: note(name, output))
            for name, part in parts.items()
        ]
        size = self.bundle.contract.preprocess.size
        try:
            with torch.no_grad():
                self.module(torch.zeros(1, 3, size, size))
        finally:
            for handle in handles:
                handle.remove()
        return tuple(name for name in parts if calls.get(name) == 1)

    def _may_give_planes(self, part: nn.Module) -> bool:
        """In networks that put the channels last, only convolutions and the final planes are planes for sure."""
        last = isinstance(self.module, BackboneDetector) and self.module.planes.channels_last
        return not last or isinstance(part, nn.Conv2d) or part is getattr(self.module, "planes", None)

    def layer(self, name: str | None) -> tuple[str, nn.Module]:
        """A layer by name; None for the one of the bundle's own map.

        Raises:
            UsageError: there is none that a map could be made of; the message lists them.
        """
        wanted = self.bundle.contract.explanation.layer if name is None else name
        if wanted in self.layers:
            return wanted, self.module.get_submodule(wanted)
        if name is None:
            raise UsageError(
                f"the network of {self.bundle.contract.identifier} gives no spatial map at its layer {wanted}; take "
                "--method occlusion or --method integrated-gradients, which need none"
            )
        raise UsageError(
            f"the network of {self.bundle.contract.identifier} has no layer {name!r} that a map can be made of; "
            f"those are, from the input on: {', '.join(self.layers)}"
        )

    def judge(self, batch: Float32Array) -> tuple[Float32Array, Float32Array]:
        """(N, 3, S, S) to logits (N,) and signed Grad-CAM maps (N, h, w)."""
        with torch.no_grad():
            logits, maps = self.module.forward_with_map(torch.from_numpy(np.ascontiguousarray(batch)))
        return logits.numpy(), maps.numpy()

    def feature_maps(self, one: Float32Array) -> list[FeatureMaps]:
        """What every convolution gives for one input (3, S, S), and what the bundle's map is made of."""
        found: list[FeatureMaps] = []
        final: list[torch.Tensor] = []
        name = self.bundle.contract.explanation.layer
        handle = self.module.get_submodule(name).register_forward_hook(lambda _m, _i, output: final.append(output))
        try:
            for recorded in record_convolutions(self.module, torch.from_numpy(one[None])):
                found.append(FeatureMaps(recorded.name, recorded.planes[0].numpy(), recorded.what))
        finally:
            handle.remove()
        planes = final[0][0].detach().numpy()
        if found and found[-1].planes.shape == planes.shape and np.array_equal(found[-1].planes, planes):
            return found
        return [*found, FeatureMaps(name, planes, "the layer of the bundle's map")]

    def units(self, one: Float32Array) -> Units | None:
        """The features of one input (3, S, S), and what each adds to the logit; None where an SVM stands above."""
        if self.module.svm is not None:
            return None
        output = self.module.output_layer()
        name = next(name for name, part in self.module.named_modules() if part is output)
        with torch.no_grad():
            values = self.module.features(torch.from_numpy(one[None]))[0]
            two = len(output.weight) == 2
            weight = output.weight[1] - output.weight[0] if two else output.weight[0]
            bias = output.bias[1] - output.bias[0] if two else output.bias[0]
        return Units(name, values.numpy(), (values * weight).numpy(), float(bias))

    def randomised(self, seed: int) -> TorchNetwork:
        """Fresh random weights; BatchNorms have the statistics of noise, so that values stay in range."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            module = build_detector(self.bundle.contract.architecture)
            for part in module.modules():
                if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d):
                    part.momentum = None
            if module.svm is not None and self.module.svm is not None:
                module.svm.vectors.normal_()
                module.svm.coefficients.normal_()
                module.svm.gamma.copy_(self.module.svm.gamma)
            module.train()
            with torch.no_grad():
                module(torch.from_numpy(stand_in_inputs(self.bundle.contract.preprocess)))
        return TorchNetwork(self.bundle, _prepared(module))


def open_network(bundle: Bundle) -> TorchNetwork:
    """The network of a bundle, with its weights.

    Raises:
        UsageError: the architecture is not registered here.
        BundleError: the weights do not fit it.
    """
    return TorchNetwork(bundle, _prepared(load_module(bundle)))


def torch_network(subject: Subject) -> TorchNetwork:
    """The subject's network, opened where that was not done before."""
    network = subject.network
    return network if isinstance(network, TorchNetwork) else open_network(subject.bundle)


def _prepared(module: Detector) -> Detector:
    """In eval mode, without gradients of parameters, and with no layer that overwrites what came before it."""
    for part in module.modules():
        if hasattr(part, "inplace"):
            part.inplace = False
    return module.eval().requires_grad_(False)
