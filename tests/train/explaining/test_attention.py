"""Attention weighted by gradients: by hand on one block, on timm's transformers, and where there is none."""

import pytest
import timm
import torch
from torch import nn

pytest.importorskip("captum")

from mesoscope.errors import UsageError
from mesoscope_train.detectors import build_detector
from mesoscope_train.explaining.attention import attention_maps

VIT = "test_vit"


class OneBlock(nn.Module):
    """One head over four tokens whose attention is given; the logit is a weighted sum of the attention itself."""

    def __init__(self, weights: torch.Tensor) -> None:
        super().__init__()
        self.fused_attn = True
        self.attn_drop = nn.Identity()
        self.weights = weights

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        scores = batch.mean(1)[:, :4, :4]
        attention = self.attn_drop(scores.softmax(-1)[:, None])
        return (attention[:, 0] * self.weights).sum((1, 2))


def test_one_block_by_hand() -> None:
    weights = torch.tensor([[1.0, -2.0, 0.0, 0.0], [0.0, 3.0, 0.0, -1.0], [0.5, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 4.0]])
    net = OneBlock(weights)
    batch = torch.rand(2, 3, 4, 4)
    attention = batch.mean(1).softmax(-1)
    # one block from the identity: R = I + (A * gradient)+ for fake less the same for real; the identity cancels
    expected = (attention * weights).mean(1).reshape(2, 2, 2)
    torch.testing.assert_close(attention_maps(net, batch, prefix=0), expected)
    assert net.fused_attn
    assert not net.attn_drop._forward_hooks


def test_nothing_stays_changed_after_a_failure() -> None:
    class Failing(OneBlock):
        def forward(self, batch: torch.Tensor) -> torch.Tensor:
            super().forward(batch)
            raise RuntimeError("on purpose")

    net = Failing(torch.ones(4, 4))
    with pytest.raises(RuntimeError, match="on purpose"):
        attention_maps(net, torch.rand(1, 3, 4, 4), 0)
    assert net.fused_attn
    assert not net.attn_drop._forward_hooks


@pytest.mark.skipif(not timm.is_model(VIT), reason="this timm has no test_vit")
def test_a_transformer_gives_a_map_of_its_patches() -> None:
    torch.manual_seed(0)
    module = build_detector(f"timm:backbone={VIT}").eval()
    size = module.backbone.patch_embed.img_size[0]
    cells = module.backbone.patch_embed.grid_size
    batch = torch.rand(1, 3, size, size)
    found = attention_maps(module, batch, module.planes.prefix)
    assert found.shape == (1, *cells)
    assert torch.isfinite(found).all()
    assert float(found.abs().max()) > 0
    with torch.no_grad():  # a network that says the opposite gives the opposite map
        module.output_layer().weight *= -1
    torch.testing.assert_close(attention_maps(module, batch, module.planes.prefix), -found)


def test_where_there_is_no_attention_other_methods_are_named() -> None:
    with pytest.raises(UsageError, match=r"no attention over all its patches.*grad-cam"):
        attention_maps(build_detector("cnn-small").eval(), torch.zeros(1, 3, 64, 64), 0)
