"""Self-blended images: a detector of face swaps learnt from real faces alone.

Paper: Shiohara, Yamasaki: "Detecting Deepfakes with Self-Blended Images", CVPR 2022, arXiv:2204.08376. Stated there:
EfficientNet-B4 with ImageNet weights at 380 pixels, SAM with SGD 1e-3, momentum 0.9, 100 epochs, batches of 32 pairs,
weights of the best five epochs on validation fakes; colour changes, recompression. That is the variant
``efficientnet-b4``, but for SAM. ``slim-resnet`` is our small network from scratch, for CPUs.
"""

from __future__ import annotations

from mesoscope_train.augment import Colour, Flip, Jpeg, Messenger, OneOf, Operation, Resample, Window
from mesoscope_train.augment.self_blend import SelfBlend
from mesoscope_train.recipes.registry import Entry, register
from mesoscope_train.recipes.settings import Cosine, Loop, Loss, Model, Optimiser, Recipe, Stage

_AUGMENT: tuple[Operation, ...] = (
    Window(side=(0.75, 1.0)),
    Flip(left_right=0.5),
    Colour(brightness=0.1, contrast=0.1, saturation=0.2, hue=0.03),
    OneOf(of=(Jpeg(quality=(40, 100)), Messenger(longest=(96, 320)), Resample(share=(0.5, 1.0))), p=0.5),
)


def _efficientnet() -> Recipe:
    return Recipe(
        name="self-blended:efficientnet-b4",
        about="Self-blended images: EfficientNet-B4 on pairs made of real faces alone.",
        chosen=("augment", "loop.monitor", "stages.0.schedule", "stages.0.optimiser.name"),
        model=Model(detector="timm:backbone=efficientnet_b4", weights="imagenet", size=380),
        blend=SelfBlend(),
        augment=_AUGMENT,
        stages=(
            Stage(
                epochs=100,
                optimiser=Optimiser(name="sgd", learning_rate=1e-3, momentum=0.9),
                schedule=Cosine(),
            ),
        ),
        loop=Loop(batch_size=64, monitor="auc"),
    )


def _slim() -> Recipe:
    return Recipe(
        name="self-blended:slim-resnet",
        about="Our own small network from scratch on pairs made of real faces alone.",
        chosen=("all",),
        model=Model(detector="slim-resnet", size=160, train_size=128),
        blend=SelfBlend(),
        augment=_AUGMENT,
        stages=(
            Stage(
                epochs=60,
                optimiser=Optimiser(name="adamw", learning_rate=3e-3, weight_decay=0.05),
                schedule=Cosine(warmup=0.1),
            ),
        ),
        loss=Loss(ranking=1.0),
        loop=Loop(batch_size=64, clip=1.0, ema=0.99, monitor="auc"),
    )


register(
    Entry(
        name="self-blended",
        about="Fakes blended of real faces: needs no fake to learn from",
        variants={"slim-resnet": _slim, "efficientnet-b4": _efficientnet},
    )
)
