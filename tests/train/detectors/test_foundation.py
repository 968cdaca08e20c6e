"""CLIP and DINOv2: files in the published layouts, with small random weights; what of a backbone is tuned.

The published weights themselves were never here. Two tiny networks are registered in timm as its own are, and files
are made with the names, shapes and order of OpenAI's and Meta's; what the loaded networks answer is compared with
forward passes written down from the papers.
"""

from __future__ import annotations

import copy
from functools import partial

import pytest

torch = pytest.importorskip("torch", reason="the learning side needs the 'train' extra")

from timm.layers import LayerNorm  # noqa: E402
from timm.models import generate_default_cfgs, register_model  # noqa: E402
from timm.models.vision_transformer import _create_vision_transformer  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

from mesoscope.errors import UsageError  # noqa: E402
from mesoscope_train.detectors import build_detector, trainable_parameters, unfreeze  # noqa: E402
from mesoscope_train.detectors.low_rank import add_low_rank, merge  # noqa: E402
from mesoscope_train.detectors.stages import let_learn  # noqa: E402
from mesoscope_train.errors import WeightsError  # noqa: E402
from mesoscope_train.recipes import recipe_named, recipes  # noqa: E402
from mesoscope_train.recipes.foundation import BACKBONES  # noqa: E402
from mesoscope_train.weights import load_weights  # noqa: E402

WIDTH, DEPTH, HEADS = 32, 2, 2
_SHAPE = {"embed_dim": WIDTH, "depth": DEPTH, "num_heads": HEADS}
_SMALL = {"input_size": (3, 56, 56), "fixed_input_size": True, "first_conv": "patch_embed.proj", "classifier": "head"}
default_cfgs = generate_default_cfgs(
    {"tiny_clip_test.openai": {**_SMALL, "num_classes": 16}, "tiny_dinov2_test.lvd142m": {**_SMALL, "num_classes": 0}}
)


@register_model
def tiny_clip_test(pretrained=False, **how):
    how = {"pre_norm": True, "norm_layer": partial(LayerNorm, eps=1e-5), "act_layer": "quick_gelu", **how}
    return _create_vision_transformer(
        "tiny_clip_test", pretrained=pretrained, **{"patch_size": 14, "img_size": 56, **_SHAPE, **how}
    )


@register_model
def tiny_dinov2_test(pretrained=False, **how):
    how = {"patch_size": 14, "img_size": 56, "init_values": 1e-5, **_SHAPE, **how}
    return _create_vision_transformer("tiny_dinov2_test", pretrained=pretrained, **how)


def drawn(shapes):
    generator = torch.Generator().manual_seed(1)
    return {key: torch.randn(shape, generator=generator) * 0.3 for key, shape in shapes.items()}


@pytest.fixture(scope="module")
def openai():
    """The visual part of CLIP's state, and a tensor of its text part."""
    shapes = {
        "positional_embedding": (77, WIDTH),
        "visual.class_embedding": (WIDTH,),
        "visual.positional_embedding": (17, WIDTH),
        "visual.proj": (WIDTH, 16),
        "visual.conv1.weight": (WIDTH, 3, 14, 14),
        **{f"visual.{norm}.{part}": (WIDTH,) for norm in ("ln_pre", "ln_post") for part in ("weight", "bias")},
    }
    for block in range(DEPTH):
        name = f"visual.transformer.resblocks.{block}"
        shapes |= {
            f"{name}.attn.in_proj_weight": (3 * WIDTH, WIDTH),
            f"{name}.attn.in_proj_bias": (3 * WIDTH,),
            f"{name}.attn.out_proj.weight": (WIDTH, WIDTH),
            f"{name}.attn.out_proj.bias": (WIDTH,),
            f"{name}.mlp.c_fc.weight": (4 * WIDTH, WIDTH),
            f"{name}.mlp.c_fc.bias": (4 * WIDTH,),
            f"{name}.mlp.c_proj.weight": (WIDTH, 4 * WIDTH),
            f"{name}.mlp.c_proj.bias": (WIDTH,),
            **{f"{name}.{norm}.{part}": (WIDTH,) for norm in ("ln_1", "ln_2") for part in ("weight", "bias")},
        }
    return drawn(shapes)


@pytest.fixture(scope="module")
def meta():
    """DINOv2's state, its mask token among it."""
    shapes = {
        "cls_token": (1, 1, WIDTH),
        "pos_embed": (1, 17, WIDTH),
        "mask_token": (1, WIDTH),
        "patch_embed.proj.weight": (WIDTH, 3, 14, 14),
        "patch_embed.proj.bias": (WIDTH,),
        "norm.weight": (WIDTH,),
        "norm.bias": (WIDTH,),
    }
    for block in range(DEPTH):
        name = f"blocks.{block}"
        shapes |= {
            f"{name}.attn.qkv.weight": (3 * WIDTH, WIDTH),
            f"{name}.attn.qkv.bias": (3 * WIDTH,),
            f"{name}.attn.proj.weight": (WIDTH, WIDTH),
            f"{name}.attn.proj.bias": (WIDTH,),
            f"{name}.ls1.gamma": (WIDTH,),
            f"{name}.ls2.gamma": (WIDTH,),
            f"{name}.mlp.fc1.weight": (4 * WIDTH, WIDTH),
            f"{name}.mlp.fc1.bias": (4 * WIDTH,),
            f"{name}.mlp.fc2.weight": (WIDTH, 4 * WIDTH),
            f"{name}.mlp.fc2.bias": (WIDTH,),
            **{f"{name}.{norm}.{part}": (WIDTH,) for norm in ("norm1", "norm2") for part in ("weight", "bias")},
        }
    return drawn(shapes)


def attended(x, qkv_weight, qkv_bias, weight, bias):
    """torch's own multi-head attention."""
    return F.multi_head_attention_forward(
        *[x.transpose(0, 1)] * 3, WIDTH, HEADS, qkv_weight, qkv_bias, None, None, False, 0.0, weight, bias,
        training=False, need_weights=False,
    )[0].transpose(0, 1)  # fmt: skip


def norm(x, state, name, eps):
    return F.layer_norm(x, (WIDTH,), state[f"{name}.weight"], state[f"{name}.bias"], eps)


def linear(x, state, name):
    return F.linear(x, state[f"{name}.weight"], state[f"{name}.bias"])


def clip_forward(state, batch):
    """Patch tokens (B, WIDTH, 4, 4) as OpenAI's VisionTransformer has them before pooling."""
    patches = F.conv2d(batch, state["visual.conv1.weight"], stride=14).flatten(2).transpose(1, 2)
    first = state["visual.class_embedding"].expand(len(batch), 1, -1)
    x = torch.cat([first, patches], 1) + state["visual.positional_embedding"]
    x = norm(x, state, "visual.ln_pre", 1e-5)
    for block in range(DEPTH):
        name = f"visual.transformer.resblocks.{block}"
        parts = [state[f"{name}.attn.{part}"] for part in ("in_proj_weight", "in_proj_bias")]
        parts += [state[f"{name}.attn.out_proj.{part}"] for part in ("weight", "bias")]
        x = x + attended(norm(x, state, f"{name}.ln_1", 1e-5), *parts)
        hidden = F.linear(
            norm(x, state, f"{name}.ln_2", 1e-5), state[f"{name}.mlp.c_fc.weight"], state[f"{name}.mlp.c_fc.bias"]
        )
        hidden = hidden * torch.sigmoid(1.702 * hidden)
        x = x + linear(hidden, state, f"{name}.mlp.c_proj")
    return norm(x, state, "visual.ln_post", 1e-5)[:, 1:].transpose(1, 2).unflatten(2, (4, 4))


def dino_forward(state, batch):
    patches = F.conv2d(batch, state["patch_embed.proj.weight"], state["patch_embed.proj.bias"], stride=14)
    x = torch.cat([state["cls_token"].expand(len(batch), 1, -1), patches.flatten(2).transpose(1, 2)], 1)
    x = x + state["pos_embed"]
    for block in range(DEPTH):
        name = f"blocks.{block}"
        parts = [state[f"{name}.attn.{part}"] for part in ("qkv.weight", "qkv.bias", "proj.weight", "proj.bias")]
        x = x + state[f"{name}.ls1.gamma"] * attended(norm(x, state, f"{name}.norm1", 1e-6), *parts)
        hidden = F.gelu(
            F.linear(
                norm(x, state, f"{name}.norm2", 1e-6), state[f"{name}.mlp.fc1.weight"], state[f"{name}.mlp.fc1.bias"]
            )
        )
        x = x + state[f"{name}.ls2.gamma"] * F.linear(
            hidden, state[f"{name}.mlp.fc2.weight"], state[f"{name}.mlp.fc2.bias"]
        )
    return norm(x, state, "norm", 1e-6)[:, 1:].transpose(1, 2).unflatten(2, (4, 4))


def batch_of(count=2, side=56):
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("backbone", "published", "forward"),
    [("tiny_clip_test", "openai", clip_forward), ("tiny_dinov2_test", "meta", dino_forward)],
)
def test_a_published_file_gives_the_published_network(backbone, published, forward, tmp_path, request):
    state = request.getfixturevalue(published)
    torch.save(state, tmp_path / "published.pth")
    detector = build_detector(f"timm:backbone={backbone}").eval()
    record = load_weights(detector, str(tmp_path / "published.pth"))
    assert record.is_pretrained
    assert record.head == "fresh"
    with torch.no_grad():
        torch.testing.assert_close(detector.activations(batch_of()), forward(state, batch_of()), rtol=1e-4, atol=1e-4)


def test_a_published_file_at_another_size(meta, tmp_path):
    """Positions are interpolated; the rest is the file's."""
    torch.save(meta, tmp_path / "dino.pth")
    detector = build_detector("timm:backbone=tiny_dinov2_test,size=84").eval()
    load_weights(detector, str(tmp_path / "dino.pth"))
    assert detector.backbone.pos_embed.shape == (1, 37, WIDTH)
    assert torch.equal(detector.backbone.blocks[1].attn.qkv.weight, meta["blocks.1.attn.qkv.weight"])
    assert detector.activations(batch_of(side=84)).shape == (2, WIDTH, 6, 6)


def test_half_a_published_file_is_refused(openai, tmp_path):
    half = {key: value for key, value in openai.items() if "resblocks.1" not in key}
    torch.save(half, tmp_path / "half.pth")
    with pytest.raises(WeightsError, match="of another architecture than tiny_clip_test"):
        load_weights(build_detector("timm:backbone=tiny_clip_test"), str(tmp_path / "half.pth"))


def step(module):
    """One step with a rate that moves everything that can move."""
    optimiser = torch.optim.SGD([p for p in module.parameters() if p.requires_grad], lr=0.5)
    F.binary_cross_entropy_with_logits(module(batch_of(4)), torch.tensor([0.0, 1, 0, 1])).backward()
    optimiser.step()


def test_low_rank_learns_little_and_leaves_a_plain_network():
    torch.manual_seed(0)
    module = build_detector("timm:backbone=tiny_dinov2_test,dropout=0.0").train()
    module.backbone.blocks[0].ls1.gamma.data.fill_(1.0)
    before, plain = copy.deepcopy(module.state_dict()), module(batch_of()).detach()
    let_learn(module, "low-rank", rank=3, seed=7)
    torch.testing.assert_close(module(batch_of()).detach(), plain, msg="at first nothing is added")
    backbone, head = trainable_parameters(module)
    assert sum(p.numel() for p in backbone) == DEPTH * (3 * (WIDTH + 3 * WIDTH) + 3 * (WIDTH + WIDTH))
    assert sum(p.numel() for p in head) == WIDTH + 1
    for _ in range(3):
        step(module)
        module.zero_grad()
    learnt = module(batch_of()).detach()
    merge(module)
    torch.testing.assert_close(module(batch_of()).detach(), learnt)
    after = module.state_dict()
    assert after.keys() == before.keys()
    moved = {key for key in after if not torch.equal(after[key], before[key])}
    assert {key for key in moved if "attn" not in key} == {"top.output.weight", "top.output.bias"}
    assert "backbone.blocks.0.attn.qkv.weight" in moved
    assert not any(key.endswith("attn.qkv.bias") for key in moved)
    change = after["backbone.blocks.0.attn.qkv.weight"] - before["backbone.blocks.0.attn.qkv.weight"]
    assert torch.linalg.matrix_rank(change, rtol=1e-3) == 3
    merge(module)  # a plain network stays as it is
    assert all(torch.equal(value, after[key]) for key, value in module.state_dict().items())


def test_low_rank_starts_alike_wherever_it_starts():
    """A run that goes on before its first checkpoint must find the same residuals."""
    downs = []
    for noise in (1, 2):
        module = build_detector("timm:backbone=tiny_clip_test")
        torch.manual_seed(noise)
        torch.rand(noise)
        let_learn(module, "low-rank", rank=2, seed=0)
        downs.append(module.backbone.blocks[1].attn.proj.parametrizations.weight[0].down)
    assert torch.equal(*downs)


@pytest.mark.parametrize("architecture", ["timm:backbone=tiny_clip_test", "timm:backbone=test_resnet"])
def test_norms_alone(architecture):
    torch.manual_seed(0)
    module = build_detector(f"{architecture},dropout=0.0").train()
    let_learn(module, "norms", rank=8, seed=0)
    before = copy.deepcopy(module.state_dict())
    side = 56 if "clip" in architecture else 64
    optimiser = torch.optim.SGD([p for p in module.parameters() if p.requires_grad], lr=0.5)
    logits = module(batch_of(4, side))
    F.binary_cross_entropy_with_logits(logits, torch.tensor([0.0, 1, 0, 1])).backward()
    optimiser.step()
    moved = {key for key, value in module.state_dict().items() if not torch.equal(value, before[key])}
    kinds = (nn.LayerNorm, nn.BatchNorm2d)
    norms = {name for name, part in module.named_modules() if isinstance(part, kinds)}
    assert {key.rpartition(".")[0] for key in moved} <= norms | {"top.output"}
    assert len({key.rpartition(".")[0] for key in moved} & norms) > len(norms) / 2
    assert not any("running" in key for key in moved)
    unfreeze(module)
    assert all(parameter.requires_grad for parameter in module.parameters())


def test_what_cannot_be_tuned():
    with pytest.raises(UsageError, match="low-rank is for transformers"):
        add_low_rank(build_detector("timm:backbone=test_resnet"), 4, 0)
    with pytest.raises(UsageError, match="no normalisation"):
        let_learn(build_detector("cnn-1:size=32"), "norms", rank=4, seed=0)


@pytest.mark.parametrize("variant", list(recipes["foundation"].variants))
def test_recipes_name_backbones_that_timm_has_weights_of(variant):
    from mesoscope_train.detectors.backbone import backbone_config
    from mesoscope_train.training.session import architecture_of

    recipe = recipe_named(f"foundation:{variant}")
    assert recipe.model.detector == BACKBONES[variant.partition("-")[0]]
    architecture, spec = architecture_of(recipe.model)
    config = backbone_config(architecture.options.backbone)
    assert config.has_weights
    assert spec.size == 224
    assert spec.resize == "bicubic"
    assert recipe.stages[0].train == "head"
    assert recipe.stages[0].views
