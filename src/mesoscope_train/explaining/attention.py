"""Attention of all blocks, weighted by its gradients: what the answer drew from each patch of a transformer.

H. Chefer, S. Gur, L. Wolf, "Generic Attention-model Explainability for Interpreting Bi-Modal and Encoder-Decoder
Transformers", ICCV 2021, equations 5 and 6: from the identity on, block by block, ``R += E_heads[(dA * A)+] R``. Our
heads average over the patch tokens, so the relevance of a patch is the mean over their rows. It is computed for the
logit and for its negative and the two are subtracted: positive speaks for fake.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from mesoscope.errors import UsageError
from mesoscope.explain.methods import Explainer, Subject
from mesoscope.types import Float32Array
from mesoscope_train.explaining.network import torch_network


def attention_maps(module: nn.Module, batch: Tensor, prefix: int) -> Tensor:
    """(B, 3, S, S) to (B, h, w).

    Args:
        module: in eval mode, to the logit (B,); its attention is timm's.
        batch: inputs.
        prefix: tokens before the patches.

    Raises:
        UsageError: there is no attention, or it is not over all patches (windows).
    """
    with _attention(module) as seen, torch.enable_grad():
        logit = module(batch.detach().requires_grad_())
        if not seen or any(one.ndim != 4 or one.shape[0] != len(batch) for one in seen):
            raise UsageError(
                "this detector has no attention over all its patches, so the explanation attention cannot be made; "
                "take --method grad-cam, hires-cam, integrated-gradients or occlusion"
            )
        gradients = torch.autograd.grad(logit.sum(), seen)
    weighted = [(gradient * one).detach() for gradient, one in zip(gradients, seen, strict=True)]
    relevance = _relevance([one.relu().mean(1) for one in weighted])
    relevance = relevance - _relevance([(-one).relu().mean(1) for one in weighted])
    patches = relevance[:, prefix:, prefix:].mean(1)
    side = math.isqrt(patches.shape[1])
    return patches.reshape(len(batch), side, side)


def _relevance(blocks: list[Tensor]) -> Tensor:
    """(B, T, T) of each block to (B, T, T)."""
    tokens = blocks[0].shape[-1]
    relevance = torch.eye(tokens).expand(len(blocks[0]), tokens, tokens)
    for block in blocks:
        relevance = relevance + block @ relevance
    return relevance


@contextmanager
def _attention(module: nn.Module) -> Iterator[list[Tensor]]:
    """Collects the attention (B, heads, T, T) of all blocks in the order of their calls; leaves no trace."""
    seen: list[Tensor] = []
    parts = [part for part in module.modules() if hasattr(part, "fused_attn") and hasattr(part, "attn_drop")]
    fused = [part.fused_attn for part in parts]
    handles = [part.attn_drop.register_forward_hook(lambda _m, _i, output: seen.append(output)) for part in parts]
    try:
        for part in parts:
            part.fused_attn = False  # the fused kernel never has the weights in memory
        yield seen
    finally:
        for part, was in zip(parts, fused, strict=True):
            part.fused_attn = was
        for handle in handles:
            handle.remove()


def open_attention(subject: Subject, layer: str | None = None) -> Explainer:
    """See `Method.open`; there is no layer."""
    network = torch_network(subject)
    planes = getattr(network.module, "planes", None)
    prefix = int(getattr(planes, "prefix", 0))

    def explain(batch: Float32Array) -> Float32Array:
        return attention_maps(network.module, torch.from_numpy(batch), prefix).numpy()

    return explain
