"""Foundation backbones: what CLIP and DINOv2 know of pictures, under a linear head, or tuned by a few numbers.

Papers: Ojha, Li, Lee: "Towards Universal Fake Image Detectors that Generalize Across Generative Models", CVPR 2023,
arXiv:2302.10174 (a linear head on frozen CLIP features); Radford et al.: "Learning Transferable Visual Models From
Natural Language Supervision", ICML 2021, arXiv:2103.00020 (CLIP); Oquab et al.: "DINOv2: Learning Robust Visual
Features without Supervision", TMLR 2024, arXiv:2304.07193; Zhao et al.: "Tuning LayerNorm in Attention", ICLR 2024,
arXiv:2312.11420 (``norms``); Hu et al.: "LoRA", ICLR 2022, arXiv:2106.09685 (``low-rank``).
Chosen by us: base and small models for CPUs, the average of the patch tokens in place of the class token (so that the
map is exact), all rates, epochs and views.
"""

from __future__ import annotations

from collections.abc import Callable

from mesoscope_train.augment import Flip, Jpeg, Messenger, OneOf, Operation, Resample, Window
from mesoscope_train.recipes.registry import Entry, register
from mesoscope_train.recipes.settings import Cosine, Loop, Model, Optimiser, Recipe, Stage

BACKBONES = {
    # OpenAI trained with QuickGELU; timm has the same weights under a name without it, which answers differently
    "clip": "timm:backbone=vit_base_patch16_clip_quickgelu_224.openai,dropout=0.0",
    "dino": "timm:backbone=vit_small_patch14_dinov2.lvd142m,size=224,dropout=0.0",
}
_AUGMENT: tuple[Operation, ...] = (
    Window(side=(0.8, 1.0)),
    Flip(left_right=0.5),
    OneOf(of=(Jpeg(quality=(40, 95)), Messenger(longest=(96, 320)), Resample(share=(0.5, 1.0))), p=0.5),
)
_HEAD = Stage(
    name="head",
    epochs=30,
    train="head",
    views=4,
    optimiser=Optimiser(name="adamw", learning_rate=1e-3, weight_decay=1e-3),
    schedule=Cosine(),
)
_TUNED = {
    "linear": "a linear head on its frozen features",
    "norms": "a linear head, then its normalisations tuned",
    "low-rank": "a linear head, then low-rank residuals on its attention",
}
_RATES = {"norms": 3e-4, "low-rank": 2e-4}


def _recipe(backbone: str, tuned: str) -> Recipe:
    further: tuple[Stage, ...] = ()
    if tuned != "linear":
        rate = Optimiser(name="adamw", learning_rate=_RATES[tuned], weight_decay=0.01)
        further = (Stage(name=tuned, epochs=5, train=tuned, optimiser=rate, schedule=Cosine(warmup=0.1)),)
    return Recipe(
        name=f"foundation:{backbone}-{tuned}",
        about=f"Foundation backbones: {'CLIP' if backbone == 'clip' else 'DINOv2'} under {_TUNED[tuned]}.",
        chosen=("all",),
        model=Model(detector=BACKBONES[backbone], weights="imagenet"),
        augment=_AUGMENT,
        stages=(_HEAD, *further),
        loop=Loop(batch_size=64, monitor="auc"),
    )


def _variants() -> dict[str, Callable[[], Recipe]]:
    return {
        f"{backbone}-{tuned}": lambda backbone=backbone, tuned=tuned: _recipe(backbone, tuned)
        for backbone in BACKBONES
        for tuned in _TUNED
    }


register(
    Entry(
        name="foundation",
        about="CLIP and DINOv2: frozen under a linear head, or tuned by a few numbers",
        variants=_variants(),
    )
)
